/*
 * job_handlers.c - running flows, and one job: with its family, its end.
 */
#include "api/handlers_priv.h"

#include "api/params.h"

struct run_body {
	bool dated;
	int64_t from_ms;
};

static bool cant(struct err *err, const char *field, const char *what, const char *instead)
{
	err_set_field(err, ERR_UNSUPPORTED, field, "%s can't be asked of a run: %s", field, what);
	return err_hint(err, "%s", instead);
}

static bool read_run_dates(const struct json *export, int64_t now_ms, struct run_body *out,
	struct err *err)
{
	const struct json *from = json_get(export, STR("startDate"));

	if (!json_is_object(export))
		return err_set_field(err, ERR_INVALID, "export",
			"export must be an object: {\"startDate\": a date}");
	for (json_each_member(name, export)) {
		if (str_eq_z(json_str(name), "endDate"))
			return cant(err, "export.endDate", "it exports all that there is by then",
				"leave it out");
		if (!str_eq_z(json_str(name), "startDate"))
			return err_set_field(err, ERR_UNKNOWN_FIELD, "export",
				"export takes startDate and nothing else");
	}
	if (from == NULL)
		return err_set_field(err, ERR_MISSING, "export.startDate",
			"export.startDate is not set");
	out->dated = (from->type == JSON_STRING || from->type == JSON_NUMBER) &&
		     param_time_read(json_str(from), &out->from_ms) && out->from_ms >= 0;
	if (!out->dated)
		return err_set_field(err, ERR_INVALID, "export.startDate",
			"export.startDate must be a date (ISO 8601), or milliseconds since 1970");
	/* nothing would be exported, and what changed until now passed over for good */
	return out->from_ms <= now_ms || err_set_field(err, ERR_INVALID, "export.startDate",
						 "export.startDate lies in the future");
}

/* {"export": {"startDate"}}: nothing that is asked for is passed over in silence. */
static bool read_run(const struct json *body, int64_t now_ms, struct run_body *out, struct err *err)
{
	*out = (struct run_body){ .dated = false };
	if (body == NULL)
		return true;
	if (!json_is_object(body))
		return err_set(err, ERR_INVALID, "the body must be an object, or be left out");
	for (json_each_member(name, body)) {
		struct str s = str_sub(json_str(name), 0, 64);

		if (str_eq_z(s, "export")) {
			if (!read_run_dates(json_value(name), now_ms, out, err))
				return false;
			continue;
		}
		if (str_eq_z(s, "_exportIds"))
			return cant(err, "_exportIds", "it takes all exports of the flow",
				"make a flow of its own for these exports");
		char field[72];

		snprintf(field, sizeof(field), "%.*s", STR_ARG(s));
		err_set_field(err, ERR_UNKNOWN_FIELD, field, "there is no field %s in a run",
			field);
		return err_hint(err, "{\"export\": {\"startDate\": a date}}, or no body");
	}
	return true;
}

static bool run_flow(struct api_request *rq, struct id *job_id, struct err *err)
{
	struct str account = caller_account(&rq->caller), flow = rq->match.params[0];
	struct run_body body;

	if (!read_run(rq->body, clock_wall_ms(rq->api->cfg.clock), &body, err))
		return false;
	if (body.dated)
		return engine_run_flow_from(rq->api->cfg.engine, account, flow, body.from_ms,
			job_id, err);
	return engine_run_flow(rq->api->cfg.engine, account, flow, STR("api"), job_id, err);
}

void handle_flow_run(struct api_request *rq)
{
	struct id job_id;
	struct err err = ERR_INIT;

	if (!run_flow(rq, &job_id, &err)) {
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
	job_print(rq->api->cfg.engine, c, &job, &out);
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
