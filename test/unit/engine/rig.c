/*
 * rig.c - see rig.h.
 */
#include "engine/rig.h"

#include "engine/debug_log.h"
#include "engine/turn.h"

static struct rig *rig;

struct source {
	const char *const *answers;
	size_t at;
	int status;
};

struct sink {
	struct str name;
};

/* ---- the scripted adaptor ---- */

static bool source_open(const struct adaptor_env *env UNUSED, const struct json *connection UNUSED,
	const struct json *export, const struct call_args *args UNUSED, struct str cursor,
	struct source **out, struct err *err)
{
	struct str name = json_get_str(export, STR("name"));
	uint64_t at = 0;

	assert_true(cursor.p == NULL || str_to_u64(cursor, &at));
	for (size_t i = 0; i < ARRAY_LEN(rig->sources); i++) {
		if (rig->sources[i].name == NULL || !str_eq_z(name, rig->sources[i].name))
			continue;
		WITH_LOCK(&rig->lock);
		*out = arena_new_of(rig->w->a, struct source);
		**out = (struct source){ rig->sources[i].answers, at, 0 };
		return true;
	}
	return err_set(err, ERR_CONNECT, "no answers are set for %.*s", STR_ARG(name));
}

/* Several workers may be at it. */
static bool breaks(struct source *s, struct err *err)
{
	WITH_LOCK(&rig->lock);
	rig->asked++;
	s->status = rig->breaks == NULL ? 0 : rig->breaks(rig, err);
	return err->code != ERR_NONE;
}

static bool source_next(struct source *s, struct chunk *out, struct err *err)
{
	const char *text = s->answers[s->at];

	if (breaks(s, err))
		return false;
	if (text == NULL) {
		out->last = true;
		text = "[]";
	} else {
		s->at++;
		out->last = s->answers[s->at] == NULL;
	}
	buf_add_str(&out->text, str_z(text));
	if (!out->last)
		out->cursor = str_fmt(out->arena, "%zu", s->at);
	return json_parse(out->arena, out->text.p, out->text.n, NULL, &out->records, err);
}

static int source_status(const struct source *s)
{
	return s->status;
}

static struct str source_zero_reason(const struct source *s UNUSED)
{
	return STR("the script is empty");
}

static bool source_mark_done(struct source *s UNUSED, const struct json *const *records UNUSED,
	size_t n, struct err *errs, struct err *err UNUSED)
{
	for (size_t i = 0; i < n; i++)
		errs[i] = (struct err)ERR_INIT;
	rig->marked += n;
	return true;
}

static void source_close(struct source *s UNUSED)
{
}

static bool sink_open(const struct adaptor_env *env UNUSED, const struct json *connection UNUSED,
	const struct json *import, const struct sink_args *args UNUSED, struct sink **out,
	struct err *err UNUSED)
{
	WITH_LOCK(&rig->lock);
	*out = arena_new_of(rig->w->a, struct sink);
	(*out)->name = str_dup(rig->w->a, json_get_str(import, STR("name")));
	return true;
}

static bool sink_map(struct sink *s, struct delivery *d, size_t n, struct arena *a UNUSED,
	struct err *err)
{
	for (size_t i = 0; i < n; i++)
		d[i].mapped = d[i].source;
	for (size_t i = 0; i < n && rig->maps != NULL; i++)
		rig->maps(rig, s->name, &d[i]);
	return !atomic_load(&rig->worker.canceled) || err_set(err, ERR_CANCELED, "canceled");
}

static bool sink_prepare(struct sink *s UNUSED, struct delivery *d, size_t n, struct arena *a,
	struct err *err UNUSED)
{
	for (size_t i = 0; i < n; i++)
		if (d[i].request.p == NULL && d[i].err.code == ERR_NONE && !d[i].ignored)
			d[i].request = json_print_arena(a, d[i].source);
	return true;
}

static void note_sent(const struct sink *s, const struct delivery *d)
{
	WITH_LOCK(&rig->lock);
	assert_true(rig->sent_count < SENT_MAX);
	rig->sent[rig->sent_count++] = (struct sent){ s->name, str_dup(rig->w->a, d->key),
		str_dup(rig->w->a, d->request) };
}

static bool sink_submit(struct sink *s, struct delivery *d, size_t n, struct arena *a,
	struct err *err UNUSED)
{
	for (size_t i = 0; i < n; i++) {
		if (d[i].err.code != ERR_NONE || d[i].ignored)
			continue;
		note_sent(s, &d[i]);
		d[i].status = 201;
		d[i].attempts = 1;
		if (json_parse_copy(a, STR("{\"id\":77}"), &d[i].answer, err))
			d[i].id = json_get(d[i].answer, STR("id"));
		if (rig->ends != NULL)
			rig->ends(rig, s->name, &d[i]);
	}
	return true;
}

static void sink_close(struct sink *s UNUSED)
{
}

static bool ping(const struct adaptor_env *env UNUSED, const struct json *connection UNUSED,
	struct arena *a UNUSED, struct ping_result *out, struct err *err UNUSED)
{
	if (rig->pings != NULL)
		rig->pings(rig);
	*out = (struct ping_result){ .ok = !rig->refuse_ping,
		.unsure = rig->unsure_ping,
		.message = STR_INIT("refused") };
	return true;
}

static const struct connection_ops connection_ops = { ping, NULL };
static const struct source_ops source_ops = { source_open, source_next, source_status,
	source_zero_reason, source_mark_done, source_close };
static const struct sink_ops sink_ops = { sink_open, sink_map, sink_prepare, sink_submit, NULL,
	sink_close };
static const struct adaptor scripted = { "rest", &connection_ops, &source_ops, &sink_ops };

bool __wrap_adaptor_of(const struct json *connection, const struct adaptor **out, struct err *err);
bool __wrap_adaptor_of(const struct json *connection UNUSED, const struct adaptor **out,
	struct err *err UNUSED)
{
	*out = &scripted;
	return true;
}

/* ---- the rig ---- */

int rig_setup(void **state)
{
	static struct rig r;
	void *world;

	setup(&world);
	memset(&r, 0, sizeof(r));
	r.w = world;
	r.e.arena = arena_new("engine", 0);
	r.e.cfg = (struct engine_config){ .store = r.w->store,
		.resources = r.w->r,
		.clock = &r.w->clock.clock,
		.rng = rng_system(),
		.lease_ms = LEASE_MS };
	id_new(&r.e.owner, clock_wall_ms(r.e.cfg.clock), r.e.cfg.rng);
	mutex_init(&r.lock);
	mutex_init(&r.e.lock);
	mutex_init(&r.e.offline_lock);
	cond_init(&r.e.work);
	cond_init(&r.e.tick);
	cond_init(&r.e.events);
	cond_init(&r.e.probing);
	cond_init(&r.e.hears);
	cond_init(&r.e.bulk_idle);
	r.e.turns = turns_new(r.e.arena);
	r.e.debug = debug_log_new(r.e.arena, r.e.cfg.clock, r.e.cfg.rng);
	r.e.listening = map_new(r.e.arena);
	r.e.workers = &r.worker;
	r.e.worker_count = 1;
	r.worker.engine = &r.e;
	r.connection = create(r.w, "connection", CONNECTION).id;
	rig = &r;
	*state = &r;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *r = *state;
	void *world = r->w;

	mutex_destroy(&r->lock);
	mutex_destroy(&r->e.lock);
	mutex_destroy(&r->e.offline_lock);
	cond_destroy(&r->e.work);
	cond_destroy(&r->e.tick);
	cond_destroy(&r->e.events);
	cond_destroy(&r->e.probing);
	cond_destroy(&r->e.hears);
	cond_destroy(&r->e.bulk_idle);
	turns_destroy(r->e.turns);
	debug_log_free(r->e.debug);
	arena_free(r->e.arena);
	return teardown(&world);
}

void rig_source(struct rig *r, size_t slot, const char *name, const char *one, const char *two)
{
	r->sources[slot].name = name;
	r->sources[slot].answers[0] = one;
	r->sources[slot].answers[1] = two;
	r->sources[slot].answers[2] = NULL;
}

struct str rig_export(struct rig *r, const char *name, const char *more)
{
	return create_fmt(r->w, "export",
		"{\"name\":\"%s\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/a\"}%s}",
		name, STR_ARG(r->connection), more)
		.id;
}

struct str rig_import(struct rig *r, const char *name, const char *more)
{
	return create_fmt(r->w, "import",
		"{\"name\":\"%s\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/b\"}%s}",
		name, STR_ARG(r->connection), more)
		.id;
}

struct str rig_flow(struct rig *r, struct str x, const struct str *imports, size_t n,
	const char *more)
{
	struct str list = STR("");

	for (size_t i = 0; i < n; i++)
		list = str_fmt(r->w->a, "%.*s%s{\"_importId\":\"%.*s\"%s}", STR_ARG(list),
			i == 0 ? "" : ",", STR_ARG(imports[i]), more);
	return create_fmt(r->w, "flow",
		"{\"name\":\"f\",\"_exportId\":\"%.*s\",\"pageProcessors\":[%.*s]}", STR_ARG(x),
		STR_ARG(list))
		.id;
}

struct str rig_ask(struct rig *r, struct str flow)
{
	struct id id;
	struct err err = ERR_INIT;

	assert_ok(engine_run_flow(&r->e, STR(ACCOUNT), flow, STR("test"), &id, &err));
	return str_dup(r->w->a, id_str(&id));
}

struct claiming {
	struct rig *r;
	struct arena *a;
	struct store_job job;
	bool found;
};

static bool claim_write(struct store_conn *c, void *arg, struct err *err)
{
	struct claiming *x = arg;
	int64_t now = clock_wall_ms(x->r->e.cfg.clock), next;
	const struct store_claim by = { now, id_str(&x->r->e.owner), now + LEASE_MS };

	return store_job_claim(c, x->a, &by, &x->job, &x->found, &next, err);
}

unsigned rig_work(struct rig *r)
{
	struct err err = ERR_INIT;

	for (unsigned n = 0;; n++) {
		struct claiming x = { .r = r, .a = arena_new("job", 0) };

		assert_ok(store_write(r->w->store, claim_write, &x, &err));
		if (x.found) {
			atomic_store(&r->worker.canceled, false);
			atomic_store(&r->worker.user_ends, false);
			job_work(&r->worker, &x.job, x.a);
		}
		arena_free(x.a);
		assert_true(n < 10);
		if (!x.found)
			return n;
	}
}

void rig_claim(struct rig *r, struct store_job *out)
{
	struct claiming x = { .r = r, .a = r->w->a };
	struct err err = ERR_INIT;

	assert_ok(store_write(r->w->store, claim_write, &x, &err));
	assert_true(x.found);
	*out = x.job;
}

struct str rig_run(struct rig *r, struct str flow)
{
	struct str id = rig_ask(r, flow);

	rig_work(r);
	return id;
}

uint64_t rig_retry(struct rig *r, struct str flow)
{
	const struct retry_ask ask = { .filter = { .flow_id = flow, .state = ERRORS_OPEN },
		.by = STR_INIT("test") };
	struct retry_jobs jobs;
	struct err err = ERR_INIT;

	assert_ok(engine_retry(&r->e, STR(ACCOUNT), &ask, 1, r->w->a, &jobs, &err));
	if (jobs.count == 0)
		return 0;
	rig_work(r);
	return jobs.list[0].count;
}

void rig_patch(struct rig *r, const char *type, struct str id, const char *patch)
{
	struct resource_view v;

	if (!resource_patch(r->w->r, STR(ACCOUNT), type_of(r->w, type), id, 0,
		    parse(r->w, str_z(patch)), r->w->a, &v, &r->w->p))
		fail_msg("%s: %s", patch, problems_text(r->w).p);
}

/* ---- what came of it ---- */

struct store_job rig_job(struct rig *r, struct str id)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job j;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_job_get(c, r->w->a, STR(ACCOUNT), id, &j, &err));
	return j;
}

struct store_job rig_child(struct rig *r, struct str id, size_t i)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job *list;
	size_t n;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_job_children(c, r->w->a, STR(ACCOUNT), id, &list, &n, &err));
	assert_true(i < n);
	return list[i];
}

struct gathering {
	struct rig *r;
	struct store_job_error *out;
	size_t n, max;
};

static bool add_error(void *arg, const struct store_job_error *e)
{
	struct gathering *g = arg;
	struct arena *a = g->r->w->a;
	struct store_job_error *o = &g->out[g->n];

	if (g->n == g->max)
		return false;
	*o = *e;
	struct str *texts[] = { &o->id, &o->account_id, &o->job_id, &o->flow_job_id, &o->flow_id,
		&o->step_id, &o->stage, &o->source, &o->code, &o->message, &o->trace_key,
		&o->retry_id, &o->classification, &o->retry_job_id };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = texts[i]->p == NULL ? STR_NULL : str_dup(a, *texts[i]);
	g->n++;
	return true;
}

size_t rig_errors(struct rig *r, struct str job, struct store_job_error *out, size_t max)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct gathering g = { r, out, 0, max };
	const struct store_error_filter f = { .job_id = job, .state = ERRORS_ALL };
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_error_list(c, STR(ACCOUNT), &f, STR_NULL, max, add_error, &g, &err));
	return g.n;
}

struct str rig_retry_data(struct rig *r, const struct store_job_error *e)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str data;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_retry_data_get(c, r->w->a, STR(ACCOUNT), e->retry_id, &data, &err));
	return data;
}

size_t rig_sent(const struct rig *r, const char *step, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < r->sent_count; i++)
		n += (step == NULL || str_eq_z(r->sent[i].step, step)) &&
		     str_find(r->sent[i].request, str_z(text)) != STR_NPOS;
	return n;
}

void rig_refuse(struct delivery *d)
{
	d->status = 422;
	err_set(&d->err, ERR_HTTP_STATUS, "the application answered 422");
	d->stage = "submit";
}

void rig_break(struct delivery *d)
{
	d->status = 500;
	err_set(&d->err, ERR_HTTP_STATUS, "the application answered 500");
	d->stage = "submit";
}
