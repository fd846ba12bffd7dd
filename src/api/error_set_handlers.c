/*
 * error_set_handlers.c - the errors of several jobs, of all runs of a flow, or of all flows of an
 * integration: resolved, opened and tried again by one request.
 *
 * Everything that the request names must be there before anything is done.
 */
#include "api/error_handlers.h"

#define JOBS_MAX  100
#define FLOWS_MAX 1000

enum action { RESOLVE, UNRESOLVE, RETRY };

static void act(struct api_request *rq, const struct error_set *set, bool dry_run, enum action how)
{
	if (how == RETRY)
		error_retry(rq, set, dry_run, false);
	else
		error_resolve(rq, set, dry_run, how == RESOLVE, 200);
}

/* ---- jobs ---- */

static bool has_id(const struct json *ids, struct str id)
{
	for (json_each (it, ids))
		if (json_is_str(it) && str_eq(json_str(it), id))
			return true;
	return false;
}

static bool has_job(const struct error_set *set, struct str id)
{
	for (size_t i = 0; i < set->count; i++)
		if (str_eq(set->list[i].job_id, id))
			return true;
	return false;
}

/* One filter for each job that the body lists; a part of another one that is listed has no errors besides. */
static bool read_jobs(struct api_request *rq, const struct store_error_filter *f,
	struct error_set *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct json *ids = json_is_array(rq->body) ? rq->body
							 : json_get(rq->body, STR("_jobIds"));
	struct store_error_filter *list;
	struct store_job job;

	if (!json_is_array(ids) || ids->n == 0 || ids->n > JOBS_MAX)
		return err_set_field(err, ERR_INVALID, "_jobIds",
			"the body must be an array of 1 to %d ids of jobs", JOBS_MAX);
	if (!store_read_begin(rq->api->cfg.store, &c, err))
		return false;
	list = arena_array_of(rq->x->arena, struct store_error_filter, ids->n);
	*out = (struct error_set){ list, 0 };
	for (json_each (it, ids)) {
		if (!job_of_element(rq, c, it, &job, err))
			return false;
		if (has_job(out, job.id) ||
			(job.flow_job_id.p != NULL && has_id(ids, job.flow_job_id)))
			continue;
		list[out->count] = *f;
		list[out->count++].job_id = job.id;
	}
	return true;
}

static void act_on_jobs(struct api_request *rq, enum action how)
{
	struct error_query q;
	struct error_set set;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, ERRORS_OF_MANY, &q))
		return;
	if (error_no_original(&q, &err) && read_jobs(rq, &q.filter, &set, &err))
		act(rq, &set, q.dry_run, how);
	else
		api_fail(rq, &err);
}

void handle_jobs_resolve(struct api_request *rq)
{
	act_on_jobs(rq, RESOLVE);
}

void handle_jobs_unresolve(struct api_request *rq)
{
	act_on_jobs(rq, UNRESOLVE);
}

void handle_jobs_retry(struct api_request *rq)
{
	act_on_jobs(rq, RETRY);
}

/* ---- integrations ---- */

struct flows {
	struct arena *arena;
	const struct store_error_filter *like;
	struct store_error_filter *list;
	size_t count;
};

static bool add_flow(void *arg, const struct store_resource *r)
{
	struct flows *f = arg;

	f->list[f->count] = *f->like;
	f->list[f->count++].flow_id = str_dup(f->arena, r->id);
	return f->count < FLOWS_MAX;
}

bool error_set_of_integration(struct api_request *rq, const struct store_error_filter *like,
	struct error_set *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str account = caller_account(&rq->caller), id = rq->match.params[0];
	struct store_filter of = { .integration_ids = &id,
		.integration_id_count = 1,
		.limit = FLOWS_MAX };
	struct flows f = { .arena = rq->x->arena, .like = like };
	struct store_resource row;

	f.list = arena_array_of(f.arena, struct store_error_filter, FLOWS_MAX);
	if (!store_read_begin(rq->api->cfg.store, &c, err) ||
		!store_resource_get(c, f.arena, account, STR("integration"), id, &row, err) ||
		!store_resource_list(c, account, STR("flow"), &of, add_flow, &f, err))
		return false;
	*out = (struct error_set){ f.list, f.count };
	return true;
}

static void act_on_integration(struct api_request *rq, enum action how)
{
	struct error_query q;
	struct error_set set;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, ERRORS_OF_MANY, &q))
		return;
	if (error_no_original(&q, &err) && error_set_of_integration(rq, &q.filter, &set, &err))
		act(rq, &set, q.dry_run, how);
	else
		api_fail(rq, &err);
}

void handle_integration_errors_resolve(struct api_request *rq)
{
	act_on_integration(rq, RESOLVE);
}

void handle_integration_errors_unresolve(struct api_request *rq)
{
	act_on_integration(rq, UNRESOLVE);
}

void handle_integration_errors_retry(struct api_request *rq)
{
	act_on_integration(rq, RETRY);
}
