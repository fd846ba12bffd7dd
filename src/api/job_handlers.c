/*
 * job_handlers.c - running flows, and one job: with its family, its end.
 */
#include "api/handlers_priv.h"

void handle_flow_run(struct api_request *rq)
{
	struct id job_id;
	struct err err = ERR_INIT;

	if (!api_check_members(rq, ""))
		return;
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
	struct store_job job;
	struct err err = ERR_INIT;

	if (c == NULL || !read_job(rq, c, &job))
		return;
	if (job_family_print(rq, c, &job, &out, &err))
		answer_buf(rq, &out);
	else
		api_fail(rq, &err);
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
