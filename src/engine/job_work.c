/*
 * job_work.c - one run of a flow, from claim to end, in straight-line code.
 *
 * Per page: the intent checkpoint (these records are in flight), mapping, submit, the result
 * checkpoint. When the next page is ready by then, its intent and the results share one transaction.
 */
#include "engine/engine_priv.h"

#include "core/limits.h"
#include "core/log.h"
#include "engine/page.h"
#include "map/mapping.h"

struct run {
	struct engine *e;
	atomic_bool *canceled;
	struct store_job *flow, export, import; /* the flow's job and its children */
	struct arena *arena;                    /* the job's; wiped, it holds opened secrets */
	struct flow_parts parts;
	struct adaptor_env env;
	const struct source_ops *source_ops;
	const struct sink_ops *sink_ops;
	struct source *source;
	struct sink *sink;
	struct mapping *mapping;
	struct str export_name, import_name;
	struct arena *cursor_arena; /* of the jobs' cursor, which outlives its page */
};

/* What a checkpoint writes besides the three jobs: errors of the page whose results it holds. */
struct checkpoint {
	struct run *run;
	struct arena *arena;
	const struct page *page; /* NULL: no results */
	const struct delivery *results;
	const struct err *export_error; /* NULL: none */
	const char *export_stage;
	bool add_children; /* the first one */
};

static struct id new_id(const struct run *r)
{
	struct id id;

	id_new(&id, clock_wall_ms(r->e->cfg.clock), r->e->cfg.rng);
	return id;
}

static struct str new_id_str(const struct run *r, struct arena *a)
{
	struct id id = new_id(r);

	return str_dup(a, id_str(&id));
}

/* A job error's `code`: the application's status where it answered, else our word. */
static struct str error_code(struct arena *a, const struct err *err, int status)
{
	if (err->code == ERR_HTTP_STATUS && status != 0)
		return str_fmt(a, "%d", status);
	return str_z(err_info(err->code)->wire);
}

static const char *error_source(const struct err *err, const char *stage)
{
	switch (err->code) {
	case ERR_HTTP_STATUS:
	case ERR_RESPONSE:
		return "application";
	case ERR_TIMEOUT:
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_DNS:
	case ERR_EGRESS:
		return "connection";
	case ERR_MAPPING:
		return "mapping";
	case ERR_LOOKUP:
		return "lookup";
	default:
		return strcmp(stage, "mapping") == 0 ? "mapping" : "internal";
	}
}

/* The record's own id where it has one, else its place in the run. */
static struct str trace_key(struct arena *a, const struct json *record, uint64_t index)
{
	static const struct str names[] = { STR_INIT("id"), STR_INIT("_id"), STR_INIT("internalId"),
		STR_INIT("code") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_get(record, names[i]);

		if (v != NULL && (v->type == JSON_STRING || v->type == JSON_NUMBER) && v->n > 0 &&
			v->n <= 128)
			return json_str(v);
	}
	return str_fmt(a, "%llu", (unsigned long long)index);
}

static struct str retry_data(struct arena *a, const struct delivery *d, const char *stage,
	struct str key)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("data"), d->source);
	json_add_str(&b, STR("stage"), str_z(stage));
	json_add_str(&b, STR("traceKey"), key);
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

static void fill_error(const struct checkpoint *cp, struct store_job_error *e,
	const struct err *err, int status, const char *stage)
{
	const struct run *r = cp->run;
	struct arena *a = cp->arena;

	*e = (struct store_job_error){ .id = new_id_str(r, a),
		.account_id = r->flow->account_id,
		.flow_job_id = r->flow->id,
		.flow_id = r->flow->flow_id,
		.created_ms = clock_wall_ms(r->e->cfg.clock),
		.stage = str_z(stage),
		.source = str_z(error_source(err, stage)),
		.code = error_code(a, err, status),
		.message = str_z(err->message),
		.field = str_z(err->field),
		.hint = str_z(err->hint),
		.record_index = -1 };
}

static bool add_record_error(const struct checkpoint *cp, struct store_conn *c, size_t i,
	struct err *err)
{
	const struct delivery *d = &cp->results[i];
	const char *stage = d->stage == NULL ? "submit" : d->stage;
	uint64_t index = cp->page->first_index + i;
	struct store_job_error e;

	fill_error(cp, &e, &d->err, d->status, stage);
	e.job_id = cp->run->import.id;
	e.step_id = cp->run->parts.import_id;
	e.record_index = (int64_t)index;
	e.trace_key = trace_key(cp->arena, d->source, index);
	e.request = d->sent;
	e.response = d->response;
	e.retry_id = new_id_str(cp->run, cp->arena);
	return store_job_error_add(c, &e, retry_data(cp->arena, d, stage, e.trace_key), err);
}

static bool add_export_error(const struct checkpoint *cp, struct store_conn *c, struct err *err)
{
	struct store_job_error e;

	fill_error(cp, &e, cp->export_error, 0, cp->export_stage);
	e.job_id = cp->run->export.id;
	e.step_id = cp->run->parts.export_id;
	return store_job_error_add(c, &e, STR_NULL, err);
}

static bool checkpoint_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct checkpoint *cp = arg;
	struct run *r = cp->run;

	if (cp->add_children &&
		(!store_job_add(c, &r->export, err) || !store_job_add(c, &r->import, err)))
		return false;
	if (!store_job_update(c, r->flow, err) || !store_job_update(c, &r->export, err) ||
		!store_job_update(c, &r->import, err))
		return false;
	for (size_t i = 0; cp->page != NULL && i < cp->page->count; i++)
		if (cp->results[i].err.code != ERR_NONE && !add_record_error(cp, c, i, err))
			return false;
	return cp->export_error == NULL || add_export_error(cp, c, err);
}

/* The flow's counts are the sums of its children's. */
static void sum_counts(struct run *r)
{
	struct store_job *f = r->flow;
	const struct store_job *x = &r->export, *i = &r->import;

	f->num_error = x->num_error + i->num_error;
	f->num_open_error = x->num_open_error + i->num_open_error;
	f->num_success = x->num_success + i->num_success;
	f->num_ignore = x->num_ignore + i->num_ignore;
	f->num_export = x->num_export;
	f->pages_generated = x->pages_generated;
	f->done_exporting = x->done_exporting;
	f->ledger = i->ledger;
	f->modified_ms = r->export.modified_ms = r->import.modified_ms = clock_wall_ms(
		r->e->cfg.clock);
}

static bool checkpoint(struct run *r, const struct page *page, const struct delivery *results,
	struct err *err)
{
	struct checkpoint cp = { .run = r, .page = page, .results = results };
	struct arena *a DEFER(arena_freep) = arena_new("checkpoint", 0);

	cp.arena = a;
	sum_counts(r);
	return store_write(r->e->cfg.store, checkpoint_write, &cp, err);
}

static struct store_job child(const struct run *r, enum job_type type, struct str step_id,
	uint32_t order)
{
	struct store_job j = { .type = type, .status = JOB_RUNNING, .order_index = order };

	j.id = new_id_str(r, r->arena);
	j.account_id = r->flow->account_id;
	j.flow_id = r->flow->flow_id;
	j.flow_job_id = r->flow->id;
	j.integration_id = r->flow->integration_id;
	j.created_ms = j.started_ms = j.modified_ms = clock_wall_ms(r->e->cfg.clock);
	j.purge_ms = r->flow->purge_ms;
	if (type == JOB_EXPORT)
		j.export_id = step_id;
	else
		j.import_id = step_id;
	return j;
}

static bool open_ends(struct run *r, struct err *err)
{
	const struct adaptor *source, *sink;
	const struct flow_parts *p = &r->parts;
	struct sink_args args = { .mapping = NULL };

	if (!adaptor_of(p->source_connection, &source, err) ||
		!adaptor_of(p->sink_connection, &sink, err))
		return false;
	r->source_ops = source->source;
	r->sink_ops = sink->sink;
	if (r->source_ops == NULL || r->sink_ops == NULL)
		return err_set(err, ERR_UNSUPPORTED, "the %s adaptor has no %s",
			r->source_ops == NULL ? source->name : sink->name,
			r->source_ops == NULL ? "exports" : "imports");
	if (!r->source_ops->open(&r->env, p->source_connection, p->export, &args.call, STR_NULL,
		    &r->source, err))
		return err_wrap(err, "export \"%.*s\"", STR_ARG(r->export_name));
	const struct json *lookups = json_get_path(p->import, STR("rest.lookups"));

	if (!mapping_compile(r->arena, json_get(p->import, STR("mapping")), lookups, &r->mapping,
		    err))
		return err_wrap(err, "import \"%.*s\"", STR_ARG(r->import_name));
	args.mapping = r->mapping;
	if (!r->sink_ops->open(&r->env, p->sink_connection, p->import, &args, &r->sink, err))
		return err_wrap(err, "import \"%.*s\"", STR_ARG(r->import_name));
	return true;
}

static void close_ends(struct run *r)
{
	if (r->source != NULL)
		r->source_ops->close(r->source);
	if (r->sink != NULL)
		r->sink_ops->close(r->sink);
}

static void account_intent(struct run *r, const struct page *p)
{
	struct job_ledger *l = &r->import.ledger;

	r->export.num_success += p->count;
	r->export.pages_generated++;
	r->export.done_exporting = p->last;
	r->export.ledger.exported += p->count;
	r->export.ledger.succeeded += p->count;
	l->exported += p->count;
	l->in_flight += p->count;
}

static void account_results(struct run *r, const struct page *p, const struct delivery *results)
{
	struct job_ledger *l = &r->import.ledger;
	uint64_t failed = 0, ignored = 0;

	for (size_t i = 0; i < p->count; i++) {
		failed += results[i].err.code != ERR_NONE;
		ignored += results[i].err.code == ERR_NONE && results[i].ignored;
	}
	l->in_flight -= p->count;
	l->failed += failed;
	l->ignored += ignored;
	l->succeeded += p->count - failed - ignored;
	r->import.num_error += failed;
	r->import.num_open_error += failed;
	r->import.num_ignore += ignored;
	r->import.num_success += p->count - failed - ignored;
	r->import.pages_processed++;
	arena_reset(r->cursor_arena);
	r->flow->cursor = r->export.cursor = str_dup(r->cursor_arena, p->cursor);
	atomic_fetch_add(&r->e->pages, 1);
	atomic_fetch_add(&r->e->records, p->count);
	atomic_fetch_add(&r->e->records_failed, failed);
}

/* Maps and submits a page; every record ends in its own result. */
static struct delivery *process(struct run *r, struct page *p)
{
	struct delivery *results = arena_array_of(p->arena, struct delivery, p->count);
	const struct sink_ops *ops = r->sink_ops;
	struct err ended = ERR_INIT;

	for (size_t i = 0; i < p->count; i++)
		results[i].source = p->records[i];
	if (!ops->map(r->sink, results, p->count, p->arena, &ended) ||
		!ops->prepare(r->sink, results, p->count, p->arena, &ended) ||
		!ops->submit(r->sink, results, p->count, p->arena, &ended))
		LOG(LOG_WARN, "job.aborted", LOG_S("job", r->flow->id),
			LOG_Z("message", ended.message));
	return results;
}

static struct pipe_stage *start_pipe(struct run *r)
{
	const struct json *x = r->parts.export;
	struct pipe_config cfg = { .ops = r->source_ops,
		.source = r->source,
		.page_size = LIMIT_PAGE_SIZE_DEFAULT };
	int64_t n;

	if (json_to_i64(json_get(x, STR("pageSize")), &n))
		cfg.page_size = (size_t)n;
	if (str_eq_z(json_get_str(x, STR("type")), "test"))
		cfg.record_limit = json_to_i64(json_get_path(x, STR("test.limit")), &n)
					   ? (uint64_t)n
					   : 1;
	return pipe_start(&cfg);
}

static bool stop_asked(const struct run *r, struct err *err)
{
	if (!atomic_load(&r->e->stopping))
		return false;
	err_set(err, ERR_INTERRUPTED,
		"the server was stopped behind page %llu; no record is in flight",
		(unsigned long long)r->import.pages_processed);
	err_hint(err, "run the flow again");
	return true;
}

/*
 * All pages. False when the run failed: EXPORT_ERROR tells a failure of the export from one of
 * ours (the store's, or a stop).
 */
static bool run_pages(struct run *r, struct pipe_stage *pipe, bool *export_error, struct err *err)
{
	struct page *page = pipe_take(pipe, export_error, err), *before = NULL;
	struct delivery *results = NULL;
	bool ok = true;

	while (ok && page != NULL) {
		account_intent(r, page);
		ok = checkpoint(r, before, results, err); /* also the results of the page before */
		page_free(before);
		before = NULL;
		if (!ok)
			break;
		results = process(r, page);
		account_results(r, page, results);
		before = page;
		page = stop_asked(r, err) ? NULL : pipe_try_take(pipe);
		if (page != NULL)
			continue;
		struct err store_error = ERR_INIT;

		if (!checkpoint(r, before, results, &store_error)) {
			*err = store_error;
			ok = false;
		} else if (err->code != ERR_NONE) {
			ok = false;
		} else {
			page = pipe_take(pipe, export_error, err);
			ok = !*export_error;
		}
		page_free(before);
		before = NULL;
	}
	page_free(page);
	page_free(before);
	return ok && !*export_error;
}

static void set_failure(struct run *r, struct store_job *j, const struct err *err)
{
	j->status = JOB_FAILED;
	j->error_code = str_z(err_info(err->code)->wire);
	j->error_message = str_dup(r->arena, str_z(err->message));
}

/* Writes how the run ended. EXPORT_ERROR: ERR is the export's. */
static bool conclude(struct run *r, const struct err *failure, bool export_error,
	bool children_exist)
{
	struct arena *a DEFER(arena_freep) = arena_new("checkpoint", 0);
	struct checkpoint cp = { .run = r, .arena = a, .add_children = !children_exist };
	struct err err = ERR_INIT;

	r->flow->status = r->export.status = r->import.status = JOB_COMPLETED;
	r->flow->ended_ms = r->export.ended_ms = r->import.ended_ms = clock_wall_ms(
		r->e->cfg.clock);
	if (failure != NULL) {
		set_failure(r, r->flow, failure);
		if (export_error || !r->export.done_exporting)
			set_failure(r, &r->export, failure);
		if (!export_error)
			set_failure(r, &r->import, failure);
		r->export.num_error++;
		r->export.num_open_error++;
		cp.export_error = failure;
		cp.export_stage = export_error ? "export" : "run";
	} else {
		r->export.done_exporting = true;
		if (r->import.ledger.exported == 0)
			r->flow->zero_reason = r->source_ops->zero_reason(r->source);
	}
	sum_counts(r);
	return store_write(r->e->cfg.store, checkpoint_write, &cp, &err);
}

static void log_end(const struct run *r)
{
	const struct store_job *f = r->flow;
	const struct job_ledger *l = &f->ledger;

	LOG(LOG_INFO, "job.ended", LOG_S("job", f->id), LOG_S("flow", f->flow_id),
		LOG_Z("status", job_status_word(f->status)), LOG_I("exported", l->exported),
		LOG_I("succeeded", l->succeeded), LOG_I("ignored", l->ignored),
		LOG_I("failed", l->failed), LOG_I("in_flight", l->in_flight),
		LOG_I("ms", f->ended_ms - f->started_ms), LOG_S("message", f->error_message));
}

static bool run_flow(struct run *r, bool *export_error, bool *children_exist, struct err *err)
{
	struct checkpoint cp = { .run = r, .arena = r->arena, .add_children = true };

	if (!flow_parts_check(r->e, r->arena, &r->parts, err) || !open_ends(r, err))
		return false;
	sum_counts(r);
	if (!store_write(r->e->cfg.store, checkpoint_write, &cp, err))
		return false;
	*children_exist = true;
	struct pipe_stage *pipe = start_pipe(r);
	bool ok = run_pages(r, pipe, export_error, err);

	if (!ok)
		atomic_store(r->canceled, true); /* the source may be waiting for an answer */
	pipe_stop(pipe);
	if (!ok && *export_error)
		return err_wrap(err, "export \"%.*s\", page %llu", STR_ARG(r->export_name),
			(unsigned long long)r->export.pages_generated + 1);
	return ok;
}

void job_work(struct engine *e, struct store_job *job, struct arena *a, atomic_bool *canceled)
{
	struct arena *cursors DEFER(arena_freep) = arena_new("cursor", 0);
	struct run r = { .e = e,
		.canceled = canceled,
		.flow = job,
		.arena = a,
		.cursor_arena = cursors };
	struct err err = ERR_INIT;
	bool export_error = false, children_exist = false;

	LOG(LOG_INFO, "job.started", LOG_S("job", job->id), LOG_S("flow", job->flow_id),
		LOG_I("attempt", job->attempts));
	r.export = child(&r, JOB_EXPORT, job->export_id, 0);
	r.import = child(&r, JOB_IMPORT, job->import_id, 1);
	bool ok = flow_parts_read(e, a, job->account_id, job->flow_id, &r.parts, &err);

	if (ok) {
		r.export.export_id = job->export_id = r.parts.export_id;
		r.import.import_id = job->import_id = r.parts.import_id;
		r.export_name = json_get_str(r.parts.export, STR("name"));
		r.import_name = json_get_str(r.parts.import, STR("name"));
		r.env = (struct adaptor_env){ .egress = e->cfg.egress,
			.clock = e->cfg.clock,
			.rng = e->cfg.rng,
			.ca_file = e->cfg.ca_file,
			.timeout_ms = e->cfg.outbound_timeout_ms,
			.canceled = canceled };
		ok = run_flow(&r, &export_error, &children_exist, &err);
	}
	if (!conclude(&r, ok ? NULL : &err, export_error, children_exist))
		LOG(LOG_ERROR, "job.not_recorded", LOG_S("job", job->id),
			LOG_Z("message", err.message));
	atomic_fetch_add(ok ? &e->completed : &e->failed, 1);
	log_end(&r);
	close_ends(&r);
}
