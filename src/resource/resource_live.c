/*
 * resource_live.c - how much waits for a connection: `queues`, of which the stored document has the
 * form, and the store's pages in work the size.
 */
#include "resource/live_priv.h"

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

bool res_live_read(struct store_conn *c, struct arena *a, struct str account_id,
	const struct schema *s, struct str id, struct map **out, struct err *err)
{
	struct sizes z = { .arena = a };

	if (schema_def(s) == &res_connection &&
		!store_page_waiting(c, account_id, id, add_size, &z, err))
		return false;
	*out = z.by_id;
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

bool res_live_put(const struct map *live, struct arena *a, struct str id, struct str *json,
	struct err *err)
{
	const uint64_t *size = live == NULL ? NULL : map_get(live, id);
	const struct json *doc;
	struct json_build b;

	if (size == NULL)
		return true;
	if (!res_parse(a, *json, &doc, err))
		return false;
	json_build_init(&b, a);
	json_build_object(&b);
	for (json_each_member(name, doc)) {
		if (str_eq_z(json_str(name), "queues"))
			add_queues(&b, id, *size);
		else
			json_add_copy(&b, json_str(name), json_value(name));
	}
	json_build_end(&b);
	*json = json_print_arena(a, json_build_done(&b));
	return true;
}

void res_live_show(const struct resources *r, struct arena *a, struct str account_id,
	const struct schema *s, struct str id, struct str *json)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str shown = *json;
	struct map *live;
	struct err err = ERR_INIT;

	if (schema_def(s) == &res_connection && store_read_begin(r->cfg.store, &c, &err) &&
		res_live_read(c, a, account_id, s, id, &live, &err) &&
		res_live_put(live, a, id, &shown, &err))
		*json = shown;
}
