/*
 * job_diagnostics.c - why a job is where it is: what it waits for, who has it, the page in work, its
 * latest error, and the states of the connections that its flow uses.
 */
#include "api/handlers_priv.h"

#include "core/map.h"

struct report {
	struct api_request *rq;
	struct store_conn *c;
	struct store_job job;
	struct json_build b;
	struct map *connections; /* id to its document */
	struct err *err;
};

static void add_time(struct json_build *b, const char *name, int64_t ms)
{
	if (ms != 0)
		json_add_str(b, str_z(name), time_iso(b->arena, ms));
}

static const struct json *document(struct report *r, struct str type, struct str id)
{
	struct store_resource row;
	const struct json *doc;
	struct err gone = ERR_INIT;

	if (store_resource_get(r->c, r->b.arena, r->job.account_id, type, id, &row, &gone) &&
		json_parse_copy(r->b.arena, row.document, &doc, &gone))
		return doc;
	return NULL;
}

/* ---- the parts ---- */

static void add_lease(struct report *r)
{
	const struct store_job *j = &r->job;

	if (j->fence == 0)
		return; /* never begun */
	json_build_key(&r->b, STR("lease"));
	json_build_object(&r->b);
	json_add_i64(&r->b, STR("claims"), (int64_t)j->fence);
	add_time(&r->b, "until", j->lease_until_ms);
	json_add_bool(&r->b, STR("held"),
		(j->status == JOB_RUNNING || j->status == JOB_RETRYING ||
			j->status == JOB_CANCELING) &&
			j->lease_until_ms > clock_wall_ms(r->rq->api->cfg.clock));
	json_build_end(&r->b);
}

static bool add_page(struct report *r)
{
	struct store_page page;
	const struct json *body, *items;
	struct err parse = ERR_INIT;
	bool found;

	if (!store_page_get(r->c, r->b.arena, r->job.account_id, r->job.id, &page, &found, r->err))
		return false;
	if (!found)
		return true;
	json_build_key(&r->b, STR("page"));
	json_build_object(&r->b);
	json_add_i64(&r->b, STR("number"), (int64_t)page.page_index);
	json_add_i64(&r->b, STR("step"), page.step);
	json_add_bool(&r->b, STR("waiting"), page.waiting);
	if (json_parse_copy(r->b.arena, page.body, &body, &parse)) {
		items = json_get(body, STR("items"));
		json_add_i64(&r->b, STR("records"), json_is_array(items) ? (int64_t)items->n : 0);
	}
	json_build_end(&r->b);
	return true;
}

static bool add_last_error(struct report *r)
{
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	struct store_job_error e;
	const struct json *v;
	struct err parse = ERR_INIT;
	bool found;

	if (!store_job_error_last(r->c, r->b.arena, r->job.account_id, r->job.id, &e, &found,
		    r->err))
		return false;
	if (!found)
		return true;
	job_error_print(&e, &text);
	if (json_parse_copy(r->b.arena, buf_str(&text), &v, &parse))
		json_add_copy(&r->b, STR("lastError"), v);
	return true;
}

/* ---- connections ---- */

static void find_connection(void *ctx, struct str path UNUSED, const char *types, struct str id)
{
	struct report *r = ctx;

	if (strcmp(types, "connection") != 0 || map_get(r->connections, id) != NULL)
		return;
	const struct json *doc = document(r, STR("connection"), id);

	if (doc != NULL)
		map_put(r->connections, id, (void *)(uintptr_t)doc);
}

static void find_in_step(void *ctx, struct str path UNUSED, const char *types, struct str id)
{
	struct report *r = ctx;
	struct str type = str_z(types);

	if (!str_eq_z(type, "export") && !str_eq_z(type, "import"))
		return;
	const struct json *doc = document(r, type, id);

	if (doc != NULL)
		schema_each_ref(resources_by_type(r->rq->api->cfg.resources, type), doc,
			find_connection, r);
}

static void add_connections(struct report *r)
{
	const struct json *flow = r->job.flow_id.p == NULL
					  ? NULL
					  : document(r, STR("flow"), r->job.flow_id);

	r->connections = map_new(r->b.arena);
	if (flow != NULL)
		schema_each_ref(resources_by_type(r->rq->api->cfg.resources, STR("flow")), flow,
			find_in_step, r);
	json_build_key(&r->b, STR("connections"));
	json_build_array(&r->b);
	for (size_t i = 0; i < map_count(r->connections); i++) {
		const struct json *doc = map_value_at(r->connections, i);

		json_build_object(&r->b);
		json_add_str(&r->b, STR("_id"), map_key_at(r->connections, i));
		json_add_str(&r->b, STR("name"), json_get_str(doc, STR("name")));
		json_add_str(&r->b, STR("type"), json_get_str(doc, STR("type")));
		json_add_bool(&r->b, STR("offline"), json_get_true(doc, STR("offline")));
		json_build_end(&r->b);
	}
	json_build_end(&r->b);
}

static bool add_all(struct report *r)
{
	const struct store_job *j = &r->job;
	struct str waits_for = engine_waits_for(r->rq->api->cfg.engine, r->c, r->rq->x->arena, j);
	const struct json *waits;
	struct err parse = ERR_INIT;

	json_build_init(&r->b, r->rq->x->arena);
	json_build_object(&r->b);
	json_add_str(&r->b, STR("_jobId"), j->id);
	json_add_str(&r->b, STR("status"), str_z(job_status_word(j->status)));
	json_add_i64(&r->b, STR("attempts"), j->attempts);
	if (waits_for.p != NULL && json_parse_copy(r->b.arena, waits_for, &waits, &parse))
		json_add_copy(&r->b, STR("waitingFor"), waits);
	add_time(&r->b, "notBefore", j->not_before_ms);
	add_lease(r);
	json_add_str(&r->b, STR("configHash"), j->config_hash);
	if (!add_page(r) || !add_last_error(r))
		return false;
	add_connections(r);
	json_build_end(&r->b);
	return true;
}

void handle_job_diagnostics(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct report *r = arena_new_of(rq->x->arena, struct report);
	struct err err = ERR_INIT;

	r->rq = rq;
	r->err = &err;
	if (store_read_begin(rq->api->cfg.store, &c, &err) &&
		store_job_get(c, rq->x->arena, caller_account(&rq->caller), rq->match.params[0],
			&r->job, &err)) {
		r->c = c;
		if (add_all(r)) {
			api_answer_build(rq, 200, &r->b);
			return;
		}
	}
	api_fail(rq, &err);
}
