/*
 * resource_live.c - what views show that changes by itself. Of a connection `queues`, of which the stored
 * document has the form, and the store's pages in work the size. Of a flow when it is due, when it ran, and
 * how many events wait for it: asked for one flow at a time, so that a part of a list costs only its part.
 */
#include "resource/live_priv.h"

#define DUE_TIMES 5

struct res_live {
	struct store_conn *c;
	struct str account_id, zone; /* of the account's schedules; p NULL: UTC */
	int64_t now_ms;
	struct map *sizes; /* of queues that are not empty, by connection; NULL: there are none */
	bool of_flows;
};

struct sizes {
	struct arena *arena;
	struct map *by_id; /* to uint64_t */
};

static bool add_size(void *arg, struct str connection_id, uint64_t records)
{
	struct sizes *z = arg;

	if (records == 0)
		return true;
	if (z->by_id == NULL)
		z->by_id = map_new(z->arena);
	map_put(z->by_id, str_dup(z->arena, connection_id),
		arena_memdup(z->arena, &records, sizeof(records)));
	return true;
}

bool res_live_begin(const struct resources *r, struct store_conn *c, struct arena *a,
	struct str account_id, const struct schema *s, struct str id, struct res_live **out,
	struct err *err)
{
	struct res_live *live = arena_new_of(a, struct res_live);
	struct sizes z = { .arena = a };
	struct store_timezone zone = { .name = STR_NULL };

	live->c = c;
	live->account_id = account_id;
	live->now_ms = clock_wall_ms(r->cfg.clock);
	live->of_flows = schema_def(s) == &res_flow;
	if (live->of_flows && !store_timezone_get(c, a, account_id, &zone, err))
		return false;
	if (schema_def(s) == &res_connection &&
		!store_page_waiting(c, account_id, id, add_size, &z, err))
		return false;
	live->zone = zone.name;
	live->sizes = z.by_id;
	*out = live;
	return true;
}

static void add_queues(struct json_build *b, struct str id, uint64_t size)
{
	json_build_key(b, STR("queues"));
	json_build_array(b);
	json_build_object(b);
	json_add_str(b, STR("name"), id);
	json_add_i64(b, STR("size"), (int64_t)MIN(size, (uint64_t)INT32_MAX));
	json_build_end(b);
	json_build_end(b);
}

/* The size stands where the document has one. */
static void put_queues(struct json_build *b, const struct json *doc, struct str id, uint64_t size)
{
	for (json_each_member(name, doc)) {
		if (str_eq_z(json_str(name), "queues"))
			add_queues(b, id, size);
		else
			json_add_copy(b, json_str(name), json_value(name));
	}
}

static void add_due(struct json_build *b, const struct res_live *live, const struct json *flow)
{
	int64_t due[DUE_TIMES];
	size_t n = resource_flow_due(flow, live->zone, live->now_ms, due, DUE_TIMES);

	json_build_key(b, STR("nextDue"));
	json_build_array(b);
	for (size_t i = 0; i < n; i++)
		json_build_str(b, time_iso(b->arena, due[i]));
	json_build_end(b);
}

static bool is_listener(const struct res_live *live, struct arena *a, struct str export_id)
{
	struct store_resource row;
	const struct json *doc;
	struct err gone = ERR_INIT;

	return export_id.p != NULL &&
	       store_resource_get(live->c, a, live->account_id, STR("export"), export_id, &row,
		       &gone) &&
	       json_parse_copy(a, row.document, &doc, &gone) &&
	       str_eq_z(json_get_str(doc, STR("type")), "webhook");
}

/* Such a flow has no schedule: the exports of those that have one need not be read. */
static bool is_fed(const struct res_live *live, struct arena *a, const struct json *flow)
{
	const struct json *list = json_get(flow, STR("pageGenerators"));

	if (json_get(flow, STR("schedule")) != NULL)
		return false;
	if (!json_is_array(list))
		return is_listener(live, a, json_get_str(flow, STR("_exportId")));
	for (json_each (it, list))
		if (is_listener(live, a, json_get_str(it, STR("_exportId"))))
			return true;
	return false;
}

static bool put_flow(struct json_build *b, const struct res_live *live, const struct json *doc,
	struct str id, struct err *err)
{
	bool fed = is_fed(live, b->arena, doc);
	int64_t started_ms;
	uint64_t events = 0;

	if (!store_job_last_run(live->c, live->account_id, id, &started_ms, err) ||
		(fed && !store_event_waiting_of_flow(live->c, live->account_id, id, &events, err)))
		return false;
	for (json_each_member(name, doc))
		json_add_copy(b, json_str(name), json_value(name));
	if (json_get(doc, STR("schedule")) != NULL)
		add_due(b, live, doc);
	if (started_ms != 0)
		json_add_str(b, STR("lastExecutedAt"), time_iso(b->arena, started_ms));
	if (fed)
		json_add_i64(b, STR("eventsWaiting"), (int64_t)events);
	return true;
}

bool res_live_put(struct res_live *live, struct arena *a, struct str id, struct str *json,
	struct err *err)
{
	const uint64_t *size = live->sizes == NULL ? NULL : map_get(live->sizes, id);
	const struct json *doc;
	struct json_build b;

	if (size == NULL && !live->of_flows)
		return true;
	if (!res_parse(a, *json, &doc, err))
		return false;
	json_build_init(&b, a);
	json_build_object(&b);
	if (size != NULL)
		put_queues(&b, doc, id, *size);
	else if (!put_flow(&b, live, doc, id, err))
		return false;
	json_build_end(&b);
	*json = json_print_arena(a, json_build_done(&b));
	return true;
}

void res_live_show(const struct resources *r, struct arena *a, struct str account_id,
	const struct schema *s, struct str id, struct str *json)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str shown = *json;
	struct res_live *live;
	struct err err = ERR_INIT;

	if ((schema_def(s) == &res_connection || schema_def(s) == &res_flow) &&
		store_read_begin(r->cfg.store, &c, &err) &&
		res_live_begin(r, c, a, account_id, s, id, &live, &err) &&
		res_live_put(live, a, id, &shown, &err))
		*json = shown;
}
