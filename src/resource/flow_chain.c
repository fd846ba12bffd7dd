/*
 * flow_chain.c - flows that run each other must not go round in a circle. Looked at inside the transaction
 * that writes a flow, so that of two changes that only together make a circle the second is refused.
 */
#include "resource/save_priv.h"

#include "core/map.h"

#define CHAIN_MAX 100 /* flows behind each other */

struct walk {
	struct store_conn *c;
	struct arena *arena;
	struct map *seen; /* flows that lead nowhere near the target */
	struct str account_id, target;
	struct str way[CHAIN_MAX];
	size_t depth;
	struct err *err;
};

/* The ids that a stored flow runs next; NULL: none. */
static const struct json *next_of(const struct walk *w, struct str id, struct str *name)
{
	struct store_resource row;
	const struct json *doc;
	struct err gone = ERR_INIT;

	if (!store_resource_get(w->c, w->arena, w->account_id, STR("flow"), id, &row, &gone) ||
		!json_parse_copy(w->arena, row.document, &doc, &gone))
		return NULL;
	*name = json_get_str(doc, STR("name"));
	return json_get(doc, STR("_runNextFlowIds"));
}

static bool fail_circle(struct walk *w)
{
	struct buf text DEFER(buf_free) = BUF_INIT(400);

	for (size_t i = 0; i < w->depth; i++)
		buf_add_fmt(&text, "%.*s -> ", STR_ARG(w->way[i]));
	return err_set_field(w->err, ERR_FLOW, "_runNextFlowIds",
		"flows would run each other in a circle: this flow -> %.*sthis flow",
		STR_ARG(buf_str(&text)));
}

static bool visit(struct walk *w, const struct json *next)
{
	if (!json_is_array(next))
		return true;
	if (w->depth == CHAIN_MAX)
		return err_set_field(w->err, ERR_FLOW, "_runNextFlowIds",
			"more than %d flows would run behind each other", CHAIN_MAX);
	for (json_each (it, next)) {
		struct str name = STR_NULL;

		if (str_eq(json_str(it), w->target))
			return fail_circle(w);
		if (map_put(w->seen, json_str(it), w) != NULL)
			continue; /* many ways may lead to one flow */
		const struct json *further = next_of(w, json_str(it), &name);

		w->way[w->depth++] = name.p == NULL ? json_str(it) : name;
		if (!visit(w, further))
			return false;
		w->depth--;
	}
	return true;
}

bool res_flow_chain_check(struct store_conn *c, const struct store_resource *flow, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("chain", 0);
	struct walk w = { .c = c,
		.arena = a,
		.seen = map_new(a),
		.account_id = flow->account_id,
		.target = flow->id,
		.err = err };
	const struct json *doc;

	return res_parse(a, flow->document, &doc, err) &&
	       visit(&w, json_get(doc, STR("_runNextFlowIds")));
}
