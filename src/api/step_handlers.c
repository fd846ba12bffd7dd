/*
 * step_handlers.c - the open and the resolved errors of one step of a flow, as clients of the platform's later
 * editions ask for them: the same errors by other names.
 */
#include "api/error_handlers.h"

#include "core/limits.h"

/* The ids that a member of the body lists. */
static bool read_list(const struct api_request *rq, const char *member, struct str *ids,
	struct err *err)
{
	const struct json *list = json_get(rq->body, str_z(member));

	if (!json_is_array(list) || list->n == 0 || list->n > LIMIT_LIST)
		return err_set_field(err, list == NULL ? ERR_MISSING : ERR_INVALID, member,
			"the body must be {\"%s\": an array of 1 to %d ids}", member, LIMIT_LIST);
	for (json_each (it, list))
		if (!json_is_str(it) || !id_valid(json_str(it)))
			return err_set_field(err, ERR_INVALID, member, "%s must be an array of ids",
				member);
	*ids = json_print_arena(rq->x->arena, list);
	return true;
}

struct has_step {
	struct str id;
	bool found;
};

static void look_for_step(void *ctx, struct str path UNUSED, const char *types, struct str id)
{
	struct has_step *h = ctx;

	if ((strcmp(types, "export") == 0 || strcmp(types, "import") == 0) && str_eq(id, h->id))
		h->found = true;
}

/* The flow and step of the path, and the query's filters; answers itself when they can't be read. */
static bool read_step(struct api_request *rq, struct error_query *q)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct arena *a = rq->x->arena;
	struct has_step has = { .id = rq->match.params[1] };
	struct store_resource row;
	const struct json *flow;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, ERRORS_OF_STEP, q))
		return false;
	if (store_read_begin(rq->api->cfg.store, &c, &err) &&
		store_resource_get(c, a, caller_account(&rq->caller), STR("flow"),
			rq->match.params[0], &row, &err) &&
		json_parse_copy(a, row.document, &flow, &err)) {
		schema_each_ref(resources_by_type(rq->api->cfg.resources, STR("flow")), flow,
			look_for_step, &has);
		if (has.found) {
			q->filter.flow_id = rq->match.params[0];
			q->filter.step_id = rq->match.params[1];
			return true;
		}
		err_set(&err, ERR_NOT_FOUND, "flow %.*s has no step %.*s",
			STR_ARG(rq->match.params[0]), STR_ARG(str_sub(has.id, 0, 64)));
	}
	api_fail(rq, &err);
	return false;
}

/* ---- lists ---- */

struct listing {
	struct json_build b;
	size_t count;
	char last[ID_LEN + 1];
};

static bool add_error(void *arg, const struct store_job_error *e)
{
	struct listing *l = arg;
	struct json_build *b = &l->b;
	struct arena *a = b->arena;

	l->count++;
	memcpy(l->last, e->id.p, ID_LEN);
	json_build_object(b);
	json_add_str(b, STR("errorId"), str_dup(a, e->id));
	json_add_str(b, STR("occurredAt"), time_iso(a, e->created_ms));
	json_add_str(b, STR("source"), str_dup(a, e->source));
	json_add_str(b, STR("code"), str_dup(a, e->code));
	json_add_str(b, STR("message"), str_dup(a, e->message));
	json_add_str(b, STR("classification"), str_dup(a, e->classification));
	if (e->trace_key.p != NULL)
		json_add_str(b, STR("traceKey"), str_dup(a, e->trace_key));
	if (e->retry_id.p != NULL)
		json_add_str(b, STR("retryDataKey"), str_dup(a, e->retry_id));
	if (e->flow_job_id.p != NULL)
		json_add_str(b, STR("_flowJobId"), str_dup(a, e->flow_job_id));
	if (e->resolved) {
		json_add_str(b, STR("resolvedAt"), time_iso(a, e->resolved_ms));
		json_add_str(b, STR("resolvedBy"), str_dup(a, e->resolved_by));
	}
	json_build_end(b);
	return true;
}

static void list(struct api_request *rq, enum error_state state)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct arena *a = rq->x->arena;
	struct listing l = { .count = 0 };
	struct error_query q;
	struct err err = ERR_INIT;

	if (!read_step(rq, &q))
		return;
	q.filter.state = state;
	json_build_init(&l.b, a);
	json_build_object(&l.b);
	json_build_key(&l.b, STR("errors"));
	json_build_array(&l.b);
	if (!store_read_begin(rq->api->cfg.store, &c, &err) ||
		!store_error_list(c, caller_account(&rq->caller), &q.filter, q.after, q.limit,
			add_error, &l, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&l.b);
	if (l.count == q.limit)
		json_add_str(&l.b, STR("nextPageURL"), api_next_url(rq, str_z(l.last)));
	json_build_end(&l.b);
	api_answer(rq, 200, json_print_arena(a, json_build_done(&l.b)));
}

void handle_step_errors(struct api_request *rq)
{
	list(rq, ERRORS_OPEN);
}

void handle_step_resolved(struct api_request *rq)
{
	list(rq, ERRORS_RESOLVED);
}

/* ---- acting ---- */

/* {"errors": [ids]} */
void handle_step_resolve(struct api_request *rq)
{
	struct error_query q;
	struct err err = ERR_INIT;

	if (!read_step(rq, &q))
		return;
	if (read_list(rq, "errors", &q.filter.ids, &err))
		error_resolve(rq, &(struct error_set){ &q.filter, 1 }, q.dry_run, true, 200);
	else
		api_fail(rq, &err);
}

/* {"retryDataKeys": [ids]}: answers the job, {"_id"}; none when there is nothing to try. */
void handle_step_retry(struct api_request *rq)
{
	struct retry_ask ask = { .by = STR_INIT("api") };
	const struct json *keys = json_get(rq->body, STR("retryDataKeys"));
	struct error_query q;
	struct retry_jobs jobs;
	struct err err = ERR_INIT;

	if (!read_step(rq, &q))
		return;
	if (!error_no_original(&q, &err) || !read_list(rq, "retryDataKeys", &q.filter.ids, &err) ||
		!error_ids_of_retries(rq, keys, &q.filter.ids, &err)) {
		api_fail(rq, &err);
	} else if (q.dry_run) {
		error_retry(rq, &(struct error_set){ &q.filter, 1 }, true, false);
	} else {
		ask.filter = q.filter;
		ask.filter.state = ERRORS_OPEN;
		if (!engine_retry(rq->api->cfg.engine, caller_account(&rq->caller), &ask, 1,
			    rq->x->arena, &jobs, &err))
			api_fail(rq, &err);
		else
			api_answer(rq, 200,
				jobs.count == 0 ? STR("{}")
						: str_fmt(rq->x->arena, "{\"_id\":\"%s\"}",
							  jobs.list[0].job_id.s));
	}
}

/* ---- an integration's flows ---- */

struct flow_errors {
	uint64_t count;
	int64_t last_ms;
};

static bool add_sum(void *arg, const struct store_error_sum *s)
{
	struct flow_errors *f = arg;

	f->count += s->count;
	f->last_ms = MAX(f->last_ms, s->newest_ms);
	return true;
}

/* [{_flowId, numError, lastErrorAt}] of the flows that have open errors. */
void handle_integration_errors(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct error_query q;
	struct error_set set;
	struct json_build b;
	struct err err = ERR_INIT;

	if (!error_query_read(rq, ERRORS_OF_MANY, &q))
		return;
	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	bool ok = error_set_of_integration(rq, &q.filter, &set, &err) &&
		  store_read_begin(rq->api->cfg.store, &c, &err);

	for (size_t i = 0; ok && i < set.count; i++) {
		struct flow_errors f = { .count = 0 };

		ok = store_error_sums(c, caller_account(&rq->caller), &set.list[i], add_sum, &f,
			&err);
		if (!ok || f.count == 0)
			continue;
		json_build_object(&b);
		json_add_str(&b, STR("_flowId"), set.list[i].flow_id);
		json_add_i64(&b, STR("numError"), (int64_t)f.count);
		json_add_str(&b, STR("lastErrorAt"), time_iso(b.arena, f.last_ms));
		json_build_end(&b);
	}
	json_build_end(&b);
	if (ok)
		api_answer(rq, 200, json_print_arena(rq->x->arena, json_build_done(&b)));
	else
		api_fail(rq, &err);
}
