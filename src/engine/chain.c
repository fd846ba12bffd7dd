/*
 * chain.c - flows that run when another one completes: queueing them, and refusing circles.
 */
#include "engine/engine_priv.h"

#define CHAIN_MAX 100 /* flows behind each other */

/* The ids that a stored flow runs next; NULL: none. */
static const struct json *next_of(struct store_conn *c, struct arena *a, struct str account_id,
	struct str id, struct str *name, bool *disabled)
{
	struct store_resource row;
	const struct json *doc;
	struct err gone = ERR_INIT;

	if (!store_resource_get(c, a, account_id, STR("flow"), id, &row, &gone) ||
		!json_parse_copy(a, row.document, &doc, &gone))
		return NULL;
	*name = json_get_str(doc, STR("name"));
	*disabled = json_get_true(doc, STR("disabled"));
	const struct json *next = json_get(doc, STR("_runNextFlowIds"));

	return json_is_array(next) ? next : NULL;
}

struct walk {
	struct store_conn *c;
	struct arena *arena;
	struct map *seen; /* flows that lead nowhere near the target */
	struct str account_id, target;
	struct str way[CHAIN_MAX];
	size_t depth;
	struct err *err;
};

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
		bool disabled;

		if (str_eq(json_str(it), w->target))
			return fail_circle(w);
		if (map_put(w->seen, json_str(it), w) != NULL)
			continue; /* many ways may lead to one flow */
		const struct json *further = next_of(w->c, w->arena, w->account_id, json_str(it),
			&name, &disabled);

		w->way[w->depth++] = name.p == NULL ? json_str(it) : name;
		if (!visit(w, further))
			return false;
		w->depth--;
	}
	return true;
}

bool engine_chain_check(struct engine *e, struct str account_id, struct str id,
	const struct json *next, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("chain", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct walk w = { .arena = a, .account_id = account_id, .target = id, .err = err };

	if (!json_is_array(next) || id.p == NULL) /* nothing refers to a new flow yet */
		return true;
	for (json_each (it, next))
		if (!json_is_str(it))
			return true; /* the schema's to refuse */
	if (!store_read_begin(e->cfg.store, &c, err))
		return false;
	w.c = c;
	w.seen = map_new(a);
	return visit(&w, next);
}

bool engine_chain(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j, const struct json *flow, struct err *err)
{
	const struct json *next = json_get(flow, STR("_runNextFlowIds"));

	if (!json_is_array(next))
		return true;
	for (json_each (it, next)) {
		struct store_resource row;
		struct err gone = ERR_INIT;
		const struct json *doc;
		struct str job_id;

		if (!store_resource_get(c, a, j->account_id, STR("flow"), json_str(it), &row,
			    &gone) ||
			!json_parse_copy(a, row.document, &doc, &gone) ||
			json_get_true(doc, STR("disabled")))
			continue; /* gone or off: nothing follows */
		const struct queue_request q = { j->account_id, json_str(it), STR("flow"), doc, 0 };

		if (!engine_queue(e, c, a, &q, &job_id, err))
			return false;
	}
	return true;
}
