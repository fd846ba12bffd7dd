/*
 * run_source.c - the sources of a run: opened where the run stands, drained page by page, one after the
 * other.
 */
#include "engine/debug_log.h"
#include "engine/run_source.h"

#include "core/limits.h"

/* ---- sources ---- */

bool run_source_is(const struct flow_source *s, const char *type)
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
	if (!run_source_is(s, "delta"))
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

bool run_open_adaptor_source(struct run *r, const struct flow_source *s, struct str cursor,
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
	return run_open_adaptor_source(r, s, cursor, err) ||
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
bool run_read_place(struct run *r, struct str *from, size_t *skip, struct err *err)
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
		!run_source_is(&r->plan.sources[r->source_index], "once"))
		*skip = (size_t)n;
	return true;
}

/* Records of all sources: what an index, and with it an idempotency key, counts on from. */
static uint64_t exported_before(const struct run *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->plan.source_count; i++)
		n += r->exports[i].num_export;
	return n;
}

/* The present source's; a retry has records of all. */
static bool compile_shapes(struct run *r, struct err *err)
{
	bool all = r->job->type == JOB_RETRY;
	size_t from = all ? 0 : r->source_index;
	size_t to = all ? r->plan.source_count : from + 1;

	for (size_t i = from; i < to; i++)
		if (!shape_compile(r->arena, r->plan.sources[i].doc, &r->shapes[i], err))
			return false;
	return true;
}

static bool start_pipe(struct run *r, struct str from, size_t skip, struct err *err)
{
	const struct flow_source *s = &r->plan.sources[r->source_index];
	uint64_t limit = r->job->type == JOB_RETRY ? 0 : record_limit(s->doc);
	struct pipe_config cfg = { .page_size = page_size(r, s), .from = from, .skip = skip };

	if (!compile_shapes(r, err) || !open_source(r, s, from, err))
		return false;
	cfg.ops = r->source_ops;
	cfg.source = r->source;
	cfg.whole_chunks = r->source_ops == &listener_source_ops ||
			   r->source_ops == &retry_source_ops;
	cfg.first_index = exported_before(r);
	if (limit > 0) /* of this source's own records */
		cfg.last_index = cfg.first_index + limit - r->exports[r->source_index].num_export;
	r->pipe = pipe_start(&cfg);
	return true;
}

void run_stop_source(struct run *r, bool hurry)
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

/* The flow has the events of the present source up to this one. */
static void listened(struct run *r, int64_t seq)
{
	r->listened_seq = seq;
	r->listened_export = r->plan.sources[r->source_index].id;
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
		listened(r, listener_cursor_seq(a, p->cursor));
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

	for (size_t i = 0; i < w->count; i++)
		w->items[i].source = (uint32_t)r->source_index;
	move_cursor(r, p);
	x->pages_generated++;
	x->num_export += p->count;
	x->done_exporting = p->last;
	if (r->job->type == JOB_RETRY) {
		retry_unwrap(r, w);
		retry_respond(r, w);
	}
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
	if (r->source_ops == &listener_source_ops) /* also events that had no records */
		listened(r, listener_source_seq(r->source));
	if (r->exports[r->source_index].num_export == 0)
		r->zero_reason = str_dup(r->arena, r->source_ops->zero_reason(r->source));
	return RUN_ON;
}

/* A retry has one source of its own, whatever those of the flow. */
static size_t source_count(const struct run *r)
{
	return r->job->type == JOB_RETRY ? 1 : r->plan.source_count;
}

static int status_of(const struct run *r)
{
	return r->source == NULL || r->source_ops->status == NULL
		       ? 0
		       : r->source_ops->status(r->source);
}

enum run_verdict run_drain(struct run *r, struct str from, size_t skip, bool *export_error,
	struct err *err)
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
		r->source_status = *export_error ? status_of(r) : 0;
		run_stop_source(r, v != RUN_ON && !*export_error); /* one that failed has ended */
		if (v == RUN_ON)
			r->source_index++;
		from = STR_NULL;
		skip = 0;
	}
	return v;
}

/* As the records of an import: it does not let us in, or is out of reach. */
static bool looks_offline(const struct run *r, const struct err *err)
{
	const struct delivery d = { .err = *err, .status = r->source_status };

	return r->job->type != JOB_RETRY && (step_is_refusal(&d) || step_is_gone(&d));
}

bool run_source_waits(struct run *r, const struct err *err)
{
	const struct flow_source *s = &r->plan.sources[r->source_index];

	if (err->retry_after_s > 0)
		run_wait(r, clock_wall_ms(r->e->cfg.clock) + (int64_t)err->retry_after_s * 1000,
			str_fmt(r->arena, "the source asks to come back later: %s", err->message),
			s->connection_id);
	else if (s->connection == NULL || !looks_offline(r, err) ||
		 !run_goes_offline(r, s->connection_id, s->connection))
		return false;
	r->job->status = JOB_QUEUED;
	r->job->attempts = 0;
	return true;
}
