/*
 * job_handlers.c - running flows; jobs, their errors and the records that failed.
 */
#include "api/handlers_priv.h"

#include "core/limits.h"

void handle_flow_run(struct api_request *rq)
{
	struct id job_id;
	struct err err = ERR_INIT;

	if (!engine_run_flow(rq->api->cfg.engine, caller_account(&rq->caller), rq->match.params[0],
		    STR("api"), &job_id, &err)) {
		api_fail(rq, &err);
		return;
	}
	api_answer(rq, 201, str_fmt(rq->x->arena, "{\"_jobId\":\"%s\"}", job_id.s));
	api_header(rq, "Location", str_fmt(rq->x->arena, "/v1/jobs/%s", job_id.s));
}

/* Reads the job that the path names; answers 404 itself. */
static bool read_job(struct api_request *rq, struct store_conn *c, struct store_job *job)
{
	struct err err = ERR_INIT;

	if (store_job_get(c, rq->x->arena, caller_account(&rq->caller), rq->match.params[0], job,
		    &err))
		return true;
	api_fail(rq, &err);
	return false;
}

static struct store_conn *begin(struct api_request *rq)
{
	struct store_conn *c = NULL;
	struct err err = ERR_INIT;

	if (!store_read_begin(rq->api->cfg.store, &c, &err))
		api_fail(rq, &err);
	return c;
}

static void answer_buf(struct api_request *rq, const struct buf *b)
{
	api_answer(rq, 200, str_dup(rq->x->arena, buf_str(b)));
}

void handle_job_get(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = begin(rq);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct store_job job;

	if (c == NULL || !read_job(rq, c, &job))
		return;
	job_print(&job, &out);
	answer_buf(rq, &out);
}

void handle_job_family(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = begin(rq);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct store_job job, *children;
	struct err err = ERR_INIT;
	size_t n;

	if (c == NULL || !read_job(rq, c, &job))
		return;
	if (!store_job_children(c, rq->x->arena, job.account_id, job.id, &children, &n, &err)) {
		api_fail(rq, &err);
		return;
	}
	job_print(&job, &out);
	out.n--; /* open the object again to add the children */
	BUF_ADD_LIT(&out, ",\"children\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&out, ',');
		job_print(&children[i], &out);
	}
	BUF_ADD_LIT(&out, "]}");
	answer_buf(rq, &out);
}

void handle_job_cancel(struct api_request *rq)
{
	struct err err = ERR_INIT;
	struct store_conn *c = begin(rq);
	struct store_job job;

	if (c == NULL)
		return;
	bool there = read_job(rq, c, &job);

	store_read_end(c);
	if (!there)
		return;
	if (engine_cancel(rq->api->cfg.engine, job.account_id, job.id, str_z(rq->caller.token_id),
		    &err))
		handle_job_get(rq);
	else
		api_fail(rq, &err);
}

/* ---- lists ---- */

static bool print_job(void *arg, const struct store_job *j)
{
	struct buf *out = arg;

	if (out->n > 1)
		buf_add_char(out, ',');
	job_print(j, out);
	return true;
}

static bool bad_value(struct err *err, struct str name, struct str value)
{
	return err_set_field(err, ERR_QUERY, "", "\"%.*s\" is no value for %.*s",
		STR_ARG(str_sub(value, 0, 64)), STR_ARG(name));
}

static bool read_job_param(struct store_job_filter *f, struct str name, struct str value,
	struct err *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} ids[] = {
		{ "_flowId", offsetof(struct store_job_filter, flow_id) },
		{ "_exportId", offsetof(struct store_job_filter, export_id) },
		{ "_importId", offsetof(struct store_job_filter, import_id) },
		{ "_integrationId", offsetof(struct store_job_filter, integration_id) },
		{ "_flowJobId", offsetof(struct store_job_filter, flow_job_id) },
	};
	uint64_t n;

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (!str_eq_z(name, ids[i].name))
			continue;
		*(struct str *)(void *)((char *)f + ids[i].offset) = value;
		return id_valid(value) || bad_value(err, name, value);
	}
	if (str_eq_z(name, "status")) {
		f->has_status = true;
		return job_status_of(value, &f->status) || bad_value(err, name, value);
	}
	if (str_eq_z(name, "type")) {
		f->has_type = true;
		return job_type_of(value, &f->type) || bad_value(err, name, value);
	}
	if (str_eq_z(name, "limit")) {
		bool ok = str_to_u64(value, &n) && n > 0 && n <= LIMIT_LIST;

		f->limit = ok ? (size_t)n : 0;
		return ok || bad_value(err, name, value);
	}
	err_set(err, ERR_QUERY, "there is no query parameter \"%.*s\" here",
		STR_ARG(str_sub(name, 0, 64)));
	return err_hint(err,
		"_flowId, _exportId, _importId, _integrationId, _flowJobId, status, type, limit");
}

static void list_jobs(struct api_request *rq, const struct store_job_filter *f)
{
	struct store_conn *c DEFER(store_read_endp) = begin(rq);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	if (c == NULL)
		return;
	buf_add_char(&out, '[');
	if (!store_job_list(c, caller_account(&rq->caller), f, print_job, &out, &err)) {
		api_fail(rq, &err);
		return;
	}
	buf_add_char(&out, ']');
	answer_buf(rq, &out);
}

void handle_job_list(struct api_request *rq)
{
	struct store_job_filter f = { 0 };
	struct err err = ERR_INIT;
	struct str name, value;
	size_t at = 0;

	while (http_request_query_next(rq->x, &at, &name, &value)) {
		if (!read_job_param(&f, name, value, &err)) {
			api_fail(rq, &err);
			return;
		}
	}
	f.parents_only = !f.has_type && f.flow_job_id.p == NULL;
	list_jobs(rq, &f);
}

#define LATEST_JOBS 10

void handle_flow_latest_jobs(struct api_request *rq)
{
	struct store_job_filter f = { .flow_id = rq->match.params[0],
		.parents_only = true,
		.limit = LATEST_JOBS };

	list_jobs(rq, &f);
}
