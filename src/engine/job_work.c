/*
 * job_work.c - one run of a flow, from claim to end, in straight-line code.
 *
 * A run begins where its job says: with the page in work that an earlier attempt left, then behind
 * the cursor. It ends completed, failed or canceled, or goes back into the queue to wait.
 */
#include "engine/debug_log.h"
#include "engine/listener.h"
#include "engine/run.h"

#include "core/limits.h"
#include "core/log.h"

#define OFFLINE_LOOK_MS 300000 /* a job looks itself when no probe has woken it by then */

/* ---- children ---- */

static struct store_job child(const struct run *r, enum job_type type, struct str step_id,
	uint32_t order)
{
	struct store_job j = { .type = type, .status = JOB_RUNNING, .order_index = order };

	j.id = run_new_id(r, r->arena);
	j.account_id = r->job->account_id;
	j.flow_id = r->job->flow_id;
	j.flow_job_id = r->job->id;
	j.integration_id = r->job->integration_id;
	j.created_ms = j.started_ms = j.modified_ms = clock_wall_ms(r->e->cfg.clock);
	j.purge_ms = r->job->purge_ms;
	if (type == JOB_EXPORT)
		j.export_id = step_id;
	else
		j.import_id = step_id;
	return j;
}

static struct store_job *child_at(struct run *r, size_t i)
{
	return i < r->plan.source_count ? &r->exports[i] : &r->steps[i - r->plan.source_count].job;
}

static bool find_children(struct run *r, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job *there;
	size_t n, want = r->plan.source_count + r->plan.step_count;

	if (!store_read_begin(r->e->cfg.store, &c, err) ||
		!store_job_children(c, r->arena, r->job->account_id, r->job->id, &there, &n, err))
		return false;
	r->children_exist = n > 0;
	if (n == 0)
		return true;
	if (n != want)
		return err_set(err, ERR_FLOW,
			"the flow has other steps than when this run began: %zu, not %zu", want, n);
	for (size_t i = 0; i < n; i++) {
		*child_at(r, i) = there[i];
		child_at(r, i)->status = JOB_RUNNING;
	}
	return true;
}

static bool make_children(struct run *r, struct err *err)
{
	const struct flow_plan *p = &r->plan;

	r->exports = arena_array_of(r->arena, struct store_job, MAX(p->source_count, 1));
	r->steps = arena_array_of(r->arena, struct run_step, p->step_count);
	for (size_t i = 0; i < p->source_count; i++)
		r->exports[i] = child(r, JOB_EXPORT, p->sources[i].id, (uint32_t)i);
	for (size_t i = 0; i < p->step_count; i++) {
		const struct flow_step *s = &p->steps[i];

		r->steps[i].plan = s;
		r->steps[i].job = child(r, s->kind == STEP_IMPORT ? JOB_IMPORT : JOB_EXPORT, s->id,
			(uint32_t)(p->source_count + i));
	}
	return find_children(r, err);
}

/* ---- sources ---- */

static bool is_type(const struct flow_source *s, const char *type)
{
	return str_eq_z(json_get_str(s->doc, STR("type")), type);
}

/* {"lastExportDateTime", "currentExportDateTime"}: what a delta export asks by. */
static bool read_variables(struct run *r, const struct flow_source *s, const struct json **out,
	struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct json_build b;
	int64_t last;

	*out = NULL;
	if (!is_type(s, "delta"))
		return true;
	if (!store_read_begin(r->e->cfg.store, &c, err) ||
		!store_export_state_get(c, r->job->account_id, r->job->flow_id, s->id, &last, err))
		return false;
	json_build_init(&b, r->arena);
	json_build_object(&b);
	json_add_str(&b, STR("lastExportDateTime"), time_iso(r->arena, last));
	json_add_str(&b, STR("currentExportDateTime"), time_iso(r->arena, r->job->started_ms));
	json_build_end(&b);
	*out = json_build_done(&b);
	return true;
}

static bool open_adaptor_source(struct run *r, const struct flow_source *s, struct str cursor,
	struct err *err)
{
	const struct adaptor *ad;
	struct call_args args = { .variables = NULL };

	if (!read_variables(r, s, &args.variables, err) || !adaptor_of(s->connection, &ad, err))
		return false;
	r->source_ops = ad->source;
	if (ad->source == NULL)
		return err_set(err, ERR_UNSUPPORTED, "the %s adaptor has no exports", ad->name);
	r->source_env = r->env;
	debug_log_watch(r->e->debug, r->arena, s->connection, "export", s->doc, &r->source_env);
	return ad->source->open(&r->source_env, s->connection, s->doc, &args, cursor, &r->source,
		err);
}

static size_t page_size(const struct run *r, const struct flow_source *s)
{
	int64_t n;

	if (json_to_i64(json_get(s->doc, STR("pageSize")), &n))
		return (size_t)n;
	return r->job->type == JOB_RETRY || flow_source_is_listener(s) ? LIMIT_PAGE_SIZE_QUEUED
								       : LIMIT_PAGE_SIZE_DEFAULT;
}

static bool open_source(struct run *r, const struct flow_source *s, struct str cursor,
	struct err *err)
{
	if (r->job->type == JOB_RETRY) {
		r->source_ops = &retry_source_ops;
		return retry_source_open(r, page_size(r, s), cursor, &r->source, err);
	}
	if (flow_source_is_listener(s)) {
		r->source_ops = &listener_source_ops;
		return listener_source_open(r, s, cursor, &r->source, err);
	}
	return open_adaptor_source(r, s, cursor, err) ||
	       err_wrap(err, "export \"%.*s\"", STR_ARG(s->name));
}

static uint64_t record_limit(const struct json *export)
{
	int64_t n;

	if (!str_eq_z(json_get_str(export, STR("type")), "test"))
		return 0;
	return json_to_i64(json_get_path(export, STR("test.limit")), &n) ? (uint64_t)n : 1;
}

/* Where the present source goes on: {"from": its cursor or null, "skip": records of it done}. */
static bool read_place(struct run *r, struct str *from, size_t *skip, struct err *err)
{
	const struct json *doc, *at;
	int64_t n = 0;

	*from = STR_NULL;
	*skip = 0;
	if (r->cursor.p == NULL)
		return true;
	if (!json_parse_copy(r->arena, r->cursor, &doc, err))
		return err_wrap(err, "the job's cursor");
	at = json_get(doc, STR("at"));
	if (json_to_i64(json_get(doc, STR("g")), &n))
		r->source_index = MIN((size_t)n, r->plan.source_count - 1);
	const struct json *place = json_get(at, STR("from"));

	if (place != NULL && place->type != JSON_NULL)
		*from = json_print_arena(r->arena, place);
	/* what an export of type `once` has given is marked, and so not in its answer any more */
	if (json_to_i64(json_get(at, STR("skip")), &n) && n > 0 &&
		!is_type(&r->plan.sources[r->source_index], "once"))
		*skip = (size_t)n;
	return true;
}

static bool start_pipe(struct run *r, struct str from, size_t skip, struct err *err)
{
	const struct flow_source *s = &r->plan.sources[r->source_index];
	struct pipe_config cfg = { .page_size = page_size(r, s), .skip = skip };

	if (!shape_compile(r->arena, s->doc, &r->shape, err) || !open_source(r, s, from, err))
		return false;
	cfg.ops = r->source_ops;
	cfg.source = r->source;
	cfg.whole_chunks = r->source_ops == &listener_source_ops ||
			   r->source_ops == &retry_source_ops;
	cfg.record_limit = r->job->type == JOB_RETRY ? 0 : record_limit(s->doc);
	cfg.first_index = r->exports[r->source_index].num_export;
	r->pipe = pipe_start(&cfg);
	return true;
}

static void stop_pipe(struct run *r, bool hurry)
{
	if (r->pipe != NULL) {
		if (hurry)
			atomic_store(&r->worker->canceled, true);
		pipe_stop(r->pipe);
	}
	if (r->source != NULL)
		r->source_ops->close(r->source);
	r->pipe = NULL;
	r->source = NULL;
}

/* The place behind the page, kept until the next one. */
static void move_cursor(struct run *r, const struct page *p)
{
	struct arena *a = r->cursor_spare;

	arena_reset(a);
	r->cursor = str_fmt(a, "{\"g\":%zu,\"at\":%.*s}", r->source_index, STR_ARG(p->cursor));
	r->cursor_spare = r->cursor_arena;
	r->cursor_arena = a;
	if (r->source_ops == &listener_source_ops)
		r->listened_seq = listener_cursor_seq(a, p->cursor);
}

/* ---- pages ---- */

static enum run_verdict asked_to_end(const struct run *r)
{
	if (atomic_load(&r->worker->user_ends))
		return RUN_CANCEL;
	return atomic_load(&r->e->stopping) ? RUN_STOP : RUN_ON;
}

static enum run_verdict take_page(struct run *r, struct page *p, struct err *err)
{
	struct store_job *x = &r->exports[r->source_index];
	struct work *w = work_new(p, x->pages_generated);

	move_cursor(r, p);
	x->pages_generated++;
	x->num_export += p->count;
	x->done_exporting = p->last;
	if (r->job->type == JOB_RETRY)
		retry_unwrap(r, w);
	run_shape(r, w);
	return run_page(r, w, false, err);
}

/* Writes what the last page left, when nothing else will take it along soon. */
static enum run_verdict flush(struct run *r, struct err *err)
{
	return r->before == NULL || run_checkpoint(r, NULL, false, NULL, NULL, err) ? RUN_ON
										    : RUN_FAIL;
}

/* All pages of the present source. *EXPORT_ERROR: ERR is the source's. */
static enum run_verdict drain_source(struct run *r, bool *export_error, struct err *err)
{
	enum run_verdict v = RUN_ON;

	while (v == RUN_ON && (v = asked_to_end(r)) == RUN_ON) {
		struct page *p = pipe_try_take(r->pipe);

		if (p == NULL) {
			v = flush(r, err);
			p = v == RUN_ON ? pipe_take(r->pipe, export_error, err) : NULL;
		}
		if (p == NULL)
			break;
		v = take_page(r, p, err);
	}
	if (*export_error &&
		err->code == ERR_CANCELED) { /* its request was aborted: on whose behalf? */
		err_clear(err);
		*export_error = false;
		return atomic_load(&r->worker->user_ends) ? RUN_CANCEL : RUN_STOP;
	}
	if (*export_error)
		return RUN_FAIL;
	if (v != RUN_ON)
		return v;
	r->exports[r->source_index].done_exporting = true;
	if (r->exports[r->source_index].num_export == 0)
		r->zero_reason = str_dup(r->arena, r->source_ops->zero_reason(r->source));
	return RUN_ON;
}

/* A retry has one source of its own, whatever those of the flow. */
static size_t source_count(const struct run *r)
{
	return r->job->type == JOB_RETRY ? 1 : r->plan.source_count;
}

static enum run_verdict drain_sources(struct run *r, struct str from, size_t skip,
	bool *export_error, struct err *err)
{
	enum run_verdict v = RUN_ON;

	while (v == RUN_ON && r->source_index < source_count(r)) {
		if (!start_pipe(r, from, skip, err)) {
			*export_error = true;
			return RUN_FAIL;
		}
		v = drain_source(r, export_error, err);
		if (v == RUN_FAIL && *export_error)
			err_wrap(err, "export \"%.*s\", page %llu",
				STR_ARG(r->plan.sources[r->source_index].name),
				(unsigned long long)r->exports[r->source_index].pages_generated +
					1);
		stop_pipe(r, v != RUN_ON);
		if (v == RUN_ON)
			r->source_index++;
		from = STR_NULL;
		skip = 0;
	}
	return v;
}

/* ---- begin ---- */

static bool open_steps(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->plan.step_count; i++) {
		const struct flow_step *s = &r->plan.steps[i];
		struct step_config cfg = { .env = &r->env,
			.kind = s->kind,
			.doc = s->doc,
			.connection = s->connection,
			.response_mapping = s->response_mapping,
			.debug = r->e->debug };

		if (!step_open(&cfg, &r->steps[i].step, err))
			return err_wrap(err, "%s \"%.*s\"",
				s->kind == STEP_IMPORT ? "import" : "export", STR_ARG(s->name));
	}
	return true;
}

static bool is_poison(const struct run *r, struct err *err)
{
	if (r->job->attempts <= LIMIT_JOB_ATTEMPTS)
		return false;
	err_set(err, ERR_POISON,
		"the job was begun %d times and ended the server each time before it got on; it is "
		"put aside",
		LIMIT_JOB_ATTEMPTS);
	err_hint(err, "retry its open errors one by one, or run the flow again");
	return true;
}

static bool keep_config(struct store_conn *c, void *arg, struct err *err)
{
	struct run *r = arg;

	return store_config_put(c, r->job->account_id, r->job->config_hash, r->job->started_ms,
		r->plan.config, err);
}

static bool read_config(struct run *r, struct str *config, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	*config = STR_NULL;
	if (r->job->config_hash.p == NULL)
		return true;
	return store_read_begin(r->e->cfg.store, &c, err) &&
	       store_config_get(c, r->arena, r->job->account_id, r->job->config_hash, config, err);
}

/* An offline connection makes the job wait; nothing fails. */
static bool must_wait(struct run *r)
{
	struct str name, id = flow_plan_offline(&r->plan, &name);

	if (id.p == NULL)
		return false;
	run_wait(r, clock_wall_ms(r->e->cfg.clock) + OFFLINE_LOOK_MS,
		str_fmt(r->arena, "connection \"%.*s\" is offline", STR_ARG(name)), id);
	r->job->status = JOB_QUEUED;
	r->job->attempts = 0;
	return true;
}

static enum run_verdict begin(struct run *r, struct err *err)
{
	struct str config;
	bool first = r->job->config_hash.p == NULL;

	if (!read_config(r, &config, err) ||
		!flow_plan_read(r->e, r->arena, r->job->account_id, r->job->flow_id, config,
			&r->plan, err) ||
		!make_children(r, err) || is_poison(r, err))
		return RUN_FAIL;
	if (r->job->canceled_by.p != NULL)
		return RUN_CANCEL;
	if (must_wait(r))
		return run_checkpoint(r, NULL, false, NULL, NULL, err) ? RUN_WAIT : RUN_FAIL;
	if ((first && !flow_plan_check(r->e, r->arena, &r->plan, err)) || !open_steps(r, err))
		return RUN_FAIL;
	r->job->config_hash = str_z(r->plan.config_hash);
	return r->children_exist || run_checkpoint(r, NULL, false, keep_config, r, err) ? RUN_ON
											: RUN_FAIL;
}

/* The page in work that is in the store; NULL in *W: there is none. */
static bool read_page(struct run *r, struct work **w, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_page row;
	bool found;

	*w = NULL;
	if (!store_read_begin(r->e->cfg.store, &c, err) ||
		!store_page_get(c, r->arena, r->job->account_id, r->job->id, &row, &found, err))
		return false;
	r->page_in_store = found;
	buf_reset(&r->page_body);
	if (found)
		buf_add_str(&r->page_body,
			row.body); /* the recorder's, as if it were written now */
	return !found || work_read(&row, w, err);
}

/* Passes on the page that an earlier attempt left in the store. */
static enum run_verdict resume_page(struct run *r, struct err *err)
{
	const struct flow_source *s = &r->plan.sources[r->source_index];
	struct work *w;

	if (!read_page(r, &w, err))
		return RUN_FAIL;
	if (w == NULL)
		return RUN_ON;
	LOG(LOG_INFO, "job.page_resumed", LOG_S("job", r->job->id), LOG_I("page", w->number),
		LOG_I("records", w->n));
	/* an export of type `once` is told of what is delivered */
	if (r->job->type != JOB_RETRY && is_type(s, "once") &&
		!open_adaptor_source(r, s, STR_NULL, err)) {
		work_free(w);
		return RUN_FAIL;
	}
	enum run_verdict v = run_page(r, w, true, err);

	stop_pipe(r, false);
	return v;
}

/* ---- end ---- */

static void set_failure(struct run *r, struct store_job *j, const struct err *err)
{
	j->status = JOB_FAILED;
	j->error_code = str_z(err_info(err->code)->wire);
	j->error_message = str_dup(r->arena, str_z(err->message));
}

static void end_all(struct run *r, enum job_status status)
{
	int64_t now = clock_wall_ms(r->e->cfg.clock);
	size_t n = r->exports == NULL ? 0 : r->plan.source_count + r->plan.step_count;

	r->job->status = status;
	r->job->ended_ms = now;
	r->job->waiting_for = STR_NULL;
	for (size_t i = 0; i < n; i++) {
		struct store_job *j = child_at(r, i);

		j->status = status;
		j->ended_ms = now;
	}
}

/* The records of the page in work that a run leaves behind: each is failed, with its data. */
static bool fail_page(struct run *r, const struct err *why, struct err *err)
{
	struct work *w;

	if (r->steps == NULL || r->page_settled)
		return true;
	if (!read_page(r, &w, err) || w == NULL)
		return w == NULL && err->code == ERR_NONE;

	struct store_job *j = &r->steps[w->step].job;

	if (w->fresh) {
		work_begin_step(w, w->step, r->job->id);
		j->ledger.exported += w->n;
		j->ledger.in_flight += w->n;
	}
	for (size_t i = 0; i < w->n; i++) {
		struct delivery *d = &w->d[i];

		d->err = *why;
		d->unknown = d->in_doubt;
		j->ledger.in_flight--;
		j->ledger.failed++;
		j->num_error++;
		run_add_failure(r, w, i);
	}
	run_keep(r, w);
	return true;
}

/* Why a run that completed moved nothing; p NULL: it did, or nothing is known. */
static struct str zero_reason(const struct run *r)
{
	uint64_t exported = 0, dropped = 0;

	for (size_t i = 0; i < r->plan.source_count; i++) {
		exported += r->exports[i].num_export;
		dropped += r->exports[i].num_ignore;
	}
	if (exported == 0)
		return r->zero_reason;
	if (dropped < exported)
		return STR_NULL;
	return str_fmt(r->arena, "the export's filter dropped all %llu records",
		(unsigned long long)exported);
}

static bool conclude_write(struct store_conn *c, void *arg, struct err *err)
{
	struct run *r = arg;
	const struct flow_plan *p = &r->plan;

	if (r->job->status != JOB_COMPLETED || r->job->type == JOB_RETRY)
		return true;
	for (size_t i = 0; i < p->source_count; i++)
		if (is_type(&p->sources[i], "delta") &&
			!store_export_state_put(c, r->job->account_id, r->job->flow_id,
				p->sources[i].id, r->job->started_ms, err))
			return false;
	return engine_chain(r->e, c, r->arena, r->job, p->flow, err);
}

/* Writes how the run ended. */
static bool conclude(struct run *r, enum run_verdict v, const struct err *failure,
	bool export_error, struct err *err)
{
	end_all(r, v == RUN_ON ? JOB_COMPLETED : v == RUN_CANCEL ? JOB_CANCELED : JOB_FAILED);
	if (v == RUN_CANCEL) {
		struct err canceled = ERR_INIT;

		err_set(&canceled, ERR_CANCELED, "the job was canceled before this was sent");
		if (!fail_page(r, &canceled, err))
			return false;
	} else if (v == RUN_FAIL) {
		size_t g = MIN(r->source_index, MAX(r->plan.source_count, 1) - 1);

		if (!fail_page(r, failure, err))
			return false;
		set_failure(r, r->job, failure);
		if (r->exports != NULL && r->plan.source_count > 0) {
			set_failure(r, &r->exports[g], failure);
			r->exports[g].num_error++;
		} else {
			r->job->num_error++;
		}
		run_add_error(r, failure, export_error ? "export" : "run", export_error);
	} else {
		r->job->zero_reason = zero_reason(r);
	}
	return run_checkpoint(r, NULL, false, conclude_write, r, err);
}

static void log_end(const struct run *r)
{
	const struct store_job *f = r->job;
	const struct job_ledger *l = &f->ledger;

	LOG(LOG_INFO, f->status == JOB_QUEUED ? "job.waits" : "job.ended", LOG_S("job", f->id),
		LOG_S("flow", f->flow_id), LOG_Z("status", job_status_word(f->status)),
		LOG_I("exported", l->exported), LOG_I("succeeded", l->succeeded),
		LOG_I("ignored", l->ignored), LOG_I("failed", l->failed),
		LOG_I("in_flight", l->in_flight), LOG_I("ms", f->ended_ms - f->started_ms),
		LOG_S("message", f->waiting_for.p != NULL ? f->waiting_for : f->error_message));
}

/* A source that asks to come back later makes the job wait, not fail. */
static bool source_waits(struct run *r, const struct err *err)
{
	if (err->retry_after_s == 0)
		return false;
	const struct flow_source *s = &r->plan.sources[r->source_index];

	run_wait(r, clock_wall_ms(r->e->cfg.clock) + (int64_t)err->retry_after_s * 1000,
		str_fmt(r->arena, "the source asks to come back later: %s", err->message),
		s->connection_id);
	r->job->status = JOB_QUEUED;
	r->job->attempts = 0;
	return true;
}

static enum run_verdict run(struct run *r, bool *export_error, struct err *err)
{
	enum run_verdict v = begin(r, err);
	struct str from;
	size_t skip;

	if (v != RUN_ON)
		return v;
	if (!read_place(r, &from, &skip, err))
		return RUN_FAIL;
	v = resume_page(r, err);
	if (v == RUN_ON)
		v = drain_sources(r, from, skip, export_error, err);
	if (v == RUN_FAIL && *export_error && source_waits(r, err)) {
		err_clear(err);
		v = run_checkpoint(r, NULL, false, NULL, NULL, err) ? RUN_WAIT : RUN_FAIL;
	}
	return v;
}

/* The server stops: the job goes back into the queue as it is. */
static bool requeue(struct run *r, struct err *err)
{
	r->job->status = JOB_QUEUED;
	r->job->not_before_ms = 0;
	r->job->attempts = 0;
	return run_checkpoint(r, NULL, false, NULL, NULL, err);
}

static void settle(struct run *r, enum run_verdict v, struct err *err, bool export_error)
{
	struct err failed = ERR_INIT;
	bool ok = true;

	if (v == RUN_FAIL && (err->code == ERR_FENCED || err->code == ERR_STORE))
		failed =
			*err; /* nothing can be written: whoever takes it next goes on from the store */
	else if (v == RUN_STOP && r->job->status != JOB_QUEUED)
		ok = requeue(r, &failed);
	else if (v == RUN_ON || v == RUN_FAIL || v == RUN_CANCEL)
		ok = conclude(r, v, err, export_error, &failed);
	if (!ok || failed.code != ERR_NONE)
		log_err(LOG_ERROR, "job.not_recorded", &failed);
	if (r->job->status == JOB_COMPLETED)
		atomic_fetch_add(&r->e->completed, 1);
	else if (r->job->status == JOB_FAILED)
		atomic_fetch_add(&r->e->failed, 1);
	log_end(r);
}

static void close_run(struct run *r)
{
	stop_pipe(r, true);
	for (size_t i = 0; r->steps != NULL && i < r->plan.step_count; i++)
		step_close(r->steps[i].step);
	run_forget(r);
	buf_free(&r->page_body);
	arena_free(r->outcome_arena);
	arena_free(r->cursor_arena);
	arena_free(r->cursor_spare);
}

void job_work(struct worker *w, struct store_job *job, struct arena *a)
{
	struct run r = { .e = w->engine,
		.worker = w,
		.job = job,
		.arena = a,
		.env = engine_env(w->engine),
		.cursor = job->cursor,
		.changes = atomic_load(&w->engine->changes),
		.cursor_arena = arena_new("cursor", 0),
		.cursor_spare = arena_new("cursor", 0),
		.outcome_arena = arena_new("checkpoint", 0),
		.page_body = BUF_INIT(0) };
	struct err err = ERR_INIT;
	bool export_error = false;

	r.env.canceled = &w->canceled;
	LOG(LOG_INFO, "job.started", LOG_S("job", job->id), LOG_S("flow", job->flow_id),
		LOG_I("attempt", job->attempts));
	enum run_verdict v = run(&r, &export_error, &err);

	settle(&r, v, &err, export_error);
	close_run(&r);
	if (job->type == JOB_FLOW && job->status != JOB_QUEUED && r.plan.source_count > 0 &&
		flow_source_is_listener(&r.plan.sources[0]))
		listener_ended(w->engine, job->account_id, r.plan.sources[0].id);
}
