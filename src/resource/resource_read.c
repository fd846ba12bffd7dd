/*
 * resource_read.c - get, list, and opening for the engine.
 *
 * Documents are stored as the API answers them, but for the secrets: one that holds no sealed value
 * is answered as it stands, without being parsed; the others are parsed, masked and printed.
 */
#include "resource/live_priv.h"

bool res_parse(struct arena *a, struct str text, const struct json **doc, struct err *err)
{
	struct err parse = ERR_INIT;

	if (json_parse_copy(a, text, doc, &parse))
		return true;
	return err_set(err, ERR_STORE, "a stored document is damaged: %s", parse.message);
}

/* A sealed value can't hide behind escapes: this is how it is printed. */
static bool holds_sealed(const struct schema *s, struct str document)
{
	return schema_has_secrets(s) && str_find(document, STR("\"sealed:")) != STR_NPOS;
}

bool res_view(const struct schema *s, struct arena *a, struct str document, struct str *json,
	struct err *err)
{
	const struct json *doc;
	struct json_build b;

	if (!holds_sealed(s, document)) {
		*json = document;
		return true;
	}
	if (!res_parse(a, document, &doc, err))
		return false;
	json_build_init(&b, a);
	schema_mask(s, doc, &b);
	*json = json_print_arena(a, json_build_done(&b));
	return true;
}

bool resource_get(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, struct arena *a, struct resource_view *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_resource row;
	struct str json;
	struct res_live *live;

	if (!store_read_begin(r->cfg.store, &c, err) ||
		!store_resource_get(c, a, account_id, str_z(schema_def(s)->type), id, &row, err) ||
		!res_view(s, a, row.document, &json, err) ||
		!res_live_begin(r, c, a, account_id, s, id, &live, err) ||
		!res_live_put(live, a, id, &json, err))
		return false;
	*out = (struct resource_view){ row.id, row.version, row.modified_ms, json };
	return true;
}

struct listing {
	const struct schema *s;
	struct res_live *live;
	struct arena *arena, *scratch;
	struct buf *out;
	size_t limit, count; /* limit 0: none */
	bool more;
	struct str last;
	struct err *err;
	bool failed;
};

static bool add_row(void *arg, const struct store_resource *row)
{
	struct listing *l = arg;
	struct str json;

	if (l->limit > 0 && l->count == l->limit) {
		l->more = true;
		return false;
	}
	arena_reset(l->scratch);
	if (!res_view(l->s, l->scratch, row->document, &json, l->err) ||
		!res_live_put(l->live, l->scratch, row->id, &json, l->err)) {
		l->failed = true;
		return false;
	}
	if (l->count++ > 0)
		buf_add_char(l->out, ',');
	buf_add_str(l->out, json);
	if (l->limit > 0 && l->count == l->limit)
		l->last = str_dup(l->arena, row->id);
	return !l->out->over;
}

bool resource_list(const struct resources *r, struct str account_id, const struct schema *s,
	const struct store_filter *filter, struct arena *a, struct buf *out, struct str *last,
	struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct arena *scratch DEFER(arena_freep) = arena_new("list", 0);
	struct store_filter f = *filter;
	struct listing l = { .s = s,
		.arena = a,
		.scratch = scratch,
		.out = out,
		.limit = f.limit,
		.err = err };

	if (f.limit > 0)
		f.limit++; /* the one beyond says that there is more */
	buf_add_char(out, '[');
	if (!store_read_begin(r->cfg.store, &c, err) ||
		!res_live_begin(r, c, a, account_id, s, STR_NULL, &l.live, err) ||
		!store_resource_list(c, account_id, str_z(schema_def(s)->type), &f, add_row, &l,
			err) ||
		l.failed)
		return false;
	buf_add_char(out, ']');
	if (out->over)
		return err_set(err, ERR_LIMIT,
			"the list is larger than %zu bytes: ask for a part of it with limit=",
			out->max);
	if (last != NULL)
		*last = l.more ? l.last : STR_NULL;
	return true;
}

struct opener {
	const struct resources *r;
	struct arena *arena;
	struct res_place place;
};

static bool open_secret(void *ctx, struct str path, struct str value, struct str *out,
	struct err *err)
{
	struct opener *o = ctx;

	return seal_open(o->r->cfg.keys, o->arena, value, res_place_aad(o->arena, &o->place, path),
		       out, err) ||
	       err_wrap(err, "%.*s", STR_ARG(path));
}

bool resource_open_text(const struct resources *r, struct arena *a, struct str account_id,
	struct str type, struct str id, struct str text, const struct json **doc, struct err *err)
{
	const struct schema *s = resources_by_type(r, type);
	struct opener o = { r, a, { account_id, type, id } };
	const struct json *sealed;
	struct json_build b;

	CHECK(s != NULL);
	if (!res_parse(a, text, &sealed, err))
		return false;
	if (!schema_has_secrets(s)) {
		*doc = sealed;
		return true;
	}
	json_build_init(&b, a);
	if (!schema_map_secrets(s, sealed, &b, open_secret, &o, err))
		return err_wrap(err, "%.*s %.*s", STR_ARG(type), STR_ARG(id));
	*doc = json_build_done(&b);
	return true;
}

bool resource_open(const struct resources *r, struct store_conn *c, struct arena *a,
	struct str account_id, struct str type, struct str id, const struct json **doc,
	struct err *err)
{
	struct store_resource row;

	return store_resource_get(c, a, account_id, type, id, &row, err) &&
	       resource_open_text(r, a, account_id, type, id, row.document, doc, err);
}
