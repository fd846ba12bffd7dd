/*
 * resource_renew.c - tokens that an application gave a connection anew.
 *
 * As a change by a user it is made against the version that was read, again when another writer was
 * faster. Whoever gave the connection another refresh token meanwhile meant that one.
 */
#include "resource/save_priv.h"

struct renewed {
	struct str used;
	const struct json *patch;
};

static bool check_used(struct res_save *w, const struct renewed *n, struct err *err)
{
	const struct json *open;

	if (!resource_open_text(w->r, w->arena, w->row.account_id, w->row.type, w->row.id,
		    w->row.document, &open, err))
		return false;
	return n->used.p == NULL ||
	       str_eq(json_get_str(json_get(open, STR("rest")), STR("refreshToken")), n->used) ||
	       err_set(err, ERR_CONFLICT,
		       "the connection was given another rest.refreshToken meanwhile");
}

static bool renew_once(struct res_save *w, const struct renewed *n, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str account_id = w->row.account_id, id = w->row.id, view;
	const struct json *stored;
	struct err parse = ERR_INIT;

	if (!store_read_begin(w->r->cfg.store, &c, err) ||
		!store_resource_get(c, w->arena, account_id, STR("connection"), id, &w->row, err) ||
		!check_used(w, n, err))
		return false;
	/* parsed in place, so that the other secrets can be told by where they lie */
	char *text = arena_strndup(w->arena, w->row.document.p, w->row.document.n);

	w->kept = str_of(text, w->row.document.n);
	if (!json_parse(w->arena, text, w->kept.n, NULL, &stored, &parse))
		return err_set(err, ERR_STORE, "a stored document is damaged: %s", parse.message);
	return res_save_fill(w, schema_merge_patch(w->arena, stored, n->patch), &view, err) &&
	       res_save_write(w, err);
}

bool resource_renew(const struct resources *r, struct str account_id, struct str id,
	struct str used, const struct json *patch, struct arena *a, struct err *err)
{
	const struct renewed n = { used, patch };
	struct problems p;
	struct res_save w = { .r = r,
		.s = resources_by_type(r, STR("connection")),
		.arena = a,
		.p = &p };

	problems_init(&p, a);
	for (int i = 0; i < SAVE_ATTEMPTS_MAX; i++) {
		err_clear(err);
		w.row.account_id = account_id;
		w.row.id = id;
		if (renew_once(&w, &n, err))
			return true;
		if (err->code != ERR_PRECONDITION)
			break;
	}
	return false;
}
