/*
 * flow_handlers.c - when a flow is due, how far its delta exports came, and the flows of an integration.
 */
#include "api/error_handlers.h"

#include "data/cron.h"

#define DUE_TIMES 5

static bool read_flow(struct api_request *rq, struct store_conn *c, const struct json **doc,
	struct err *err)
{
	struct store_resource row;

	if (!store_resource_get(c, rq->x->arena, caller_account(&rq->caller), STR("flow"),
		    rq->match.params[0], &row, err))
		return false;
	return json_parse_copy(rq->x->arena, row.document, doc, err);
}

/* ---- schedule ---- */

static bool add_due(struct json_build *b, const struct json *flow, struct str account_zone,
	int64_t now_ms, struct err *err)
{
	struct buf words DEFER(buf_free) = BUF_INIT(0);
	struct cron cron;
	int64_t due[DUE_TIMES];
	size_t n = resource_flow_due(flow, account_zone, now_ms, due, DUE_TIMES);

	if (!cron_parse(json_get_str(flow, STR("schedule")), &cron, err))
		return false;
	cron_describe(&cron, &words);
	json_add_str(b, STR("description"), str_dup(b->arena, buf_str(&words)));
	json_build_key(b, STR("nextDue"));
	json_build_array(b);
	for (size_t i = 0; i < n; i++)
		json_build_str(b, time_iso(b->arena, due[i]));
	json_build_end(b);
	return true;
}

/* {schedule, timezone, disabled, description, nextDue, lastDue, lastJobId} */
void handle_flow_schedule(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct json *flow;
	struct store_slot last = { .due_ms = 0 };
	struct store_timezone account;
	struct err err = ERR_INIT;
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	if (!store_read_begin(rq->api->cfg.store, &c, &err) || !read_flow(rq, c, &flow, &err) ||
		!store_timezone_get(c, rq->x->arena, caller_account(&rq->caller), &account, &err) ||
		!store_slot_latest(c, rq->x->arena, caller_account(&rq->caller),
			rq->match.params[0], &last, &err)) {
		api_fail(rq, &err);
		return;
	}
	struct str text = json_get_str(flow, STR("schedule")),
		   zone = json_get_str(flow, STR("timezone"));

	if (zone.p == NULL)
		zone = account.name;
	json_add_str(&b, STR("schedule"), text);
	json_add_str(&b, STR("timezone"), zone.p != NULL ? zone : STR("UTC"));
	json_add_bool(&b, STR("disabled"), json_get_true(flow, STR("disabled")));
	if (text.p != NULL &&
		!add_due(&b, flow, account.name, clock_wall_ms(rq->api->cfg.clock), &err)) {
		api_fail(rq, &err);
		return;
	}
	if (last.due_ms != 0) {
		json_add_str(&b, STR("lastDue"), time_iso(rq->x->arena, last.due_ms));
		json_add_str(&b, STR("lastJobId"), last.job_id);
	}
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

/* ---- how far delta exports came ---- */

#define EXPORTS_MAX 100

struct exports {
	struct str ids[EXPORTS_MAX];
	size_t count;
};

/* The exports that generate the flow's pages. */
static void exports_of(const struct json *flow, struct exports *out)
{
	const struct json *list = json_get(flow, STR("pageGenerators"));
	struct str id = json_get_str(flow, STR("_exportId"));

	out->count = 0;
	if (id.p != NULL)
		out->ids[out->count++] = id;
	if (!json_is_array(list))
		return;
	for (json_each (it, list)) {
		id = json_get_str(it, STR("_exportId"));
		if (id.p != NULL && out->count < EXPORTS_MAX)
			out->ids[out->count++] = id;
	}
}

static void add_time(struct json_build *b, int64_t ms)
{
	json_build_key(b, STR("lastExportDateTime"));
	if (ms == 0)
		json_build_null(b);
	else
		json_build_str(b, time_iso(b->arena, ms));
}

/* The flow's is its first export's; each has its own. Null: never. */
void handle_flow_last_export(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct exports *ex = arena_new_of(rq->x->arena, struct exports);
	int64_t times[EXPORTS_MAX];
	const struct json *flow;
	struct err err = ERR_INIT;
	struct json_build b;
	bool ok = store_read_begin(rq->api->cfg.store, &c, &err) && read_flow(rq, c, &flow, &err);

	if (ok)
		exports_of(flow, ex);
	for (size_t i = 0; ok && i < ex->count; i++)
		ok = store_export_state_get(c, caller_account(&rq->caller), rq->match.params[0],
			ex->ids[i], &times[i], &err);
	if (!ok) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	add_time(&b, ex->count > 0 ? times[0] : 0);
	json_build_key(&b, STR("exports"));
	json_build_array(&b);
	for (size_t i = 0; i < ex->count; i++) {
		json_build_object(&b);
		json_add_str(&b, STR("_exportId"), ex->ids[i]);
		add_time(&b, times[i]);
		json_build_end(&b);
	}
	json_build_end(&b);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

struct move {
	struct api_request *rq;
	struct str export_id; /* p NULL: all of the flow */
	int64_t ms;
};

static bool move_write(struct store_conn *c, void *arg, struct err *err)
{
	struct move *m = arg;
	struct exports *ex = arena_new_of(m->rq->x->arena, struct exports);
	const struct json *flow;
	bool found = m->export_id.p == NULL;

	if (!read_flow(m->rq, c, &flow, err))
		return false;
	exports_of(flow, ex);
	for (size_t i = 0; i < ex->count; i++) {
		if (m->export_id.p != NULL && !str_eq(m->export_id, ex->ids[i]))
			continue;
		found = true;
		if (!store_export_state_put(c, caller_account(&m->rq->caller),
			    m->rq->match.params[0], ex->ids[i], m->ms, err))
			return false;
	}
	return found || err_set_field(err, ERR_REF, "_exportId",
				"the flow has no export with the id %.*s among its sources",
				STR_ARG(m->export_id));
}

static bool read_move(const struct json *body, struct move *m, struct err *err)
{
	const struct json *at = json_get(body, STR("lastExportDateTime"));
	const struct json *export = json_get(body, STR("_exportId"));

	if (at == NULL)
		return err_set_field(err, ERR_MISSING, "lastExportDateTime",
			"the body must be {\"lastExportDateTime\": a date, or null for never}");
	if (at->type != JSON_NULL && (!(at->type == JSON_STRING || at->type == JSON_NUMBER) ||
					     !param_time_read(json_str(at), &m->ms) || m->ms < 0))
		return err_set_field(err, ERR_INVALID, "lastExportDateTime",
			"lastExportDateTime must be a date (ISO 8601), milliseconds since 1970, or "
			"null");
	if (export != NULL && !json_is_str(export))
		return err_set_field(err, ERR_INVALID, "_exportId", "_exportId must be an id");
	m->export_id = export == NULL ? STR_NULL : json_str(export);
	return true;
}

/* The next run exports from there on; a run that is at work moves it again when it completes. */
void handle_flow_last_export_put(struct api_request *rq)
{
	struct move m = { .rq = rq };
	struct err err = ERR_INIT;

	if (read_move(rq->body, &m, &err) && store_write(rq->api->cfg.store, move_write, &m, &err))
		handle_flow_last_export(rq);
	else
		api_fail(rq, &err);
}

/* ---- an integration's flows ---- */

void handle_integration_flows(struct api_request *rq)
{
	const struct resources *r = rq->api->cfg.resources;
	struct store_filter f = { .integration_ids = &rq->match.params[0],
		.integration_id_count = 1 };
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct resource_view v;
	struct err err = ERR_INIT;

	if (resource_get(r, caller_account(&rq->caller), resources_by_type(r, STR("integration")),
		    rq->match.params[0], rq->x->arena, &v, &err) &&
		resource_list(r, caller_account(&rq->caller), resources_by_type(r, STR("flow")), &f,
			rq->x->arena, &out, NULL, &err))
		api_answer(rq, 200, str_dup(rq->x->arena, buf_str(&out)));
	else
		api_fail(rq, &err);
}
