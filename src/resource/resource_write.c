/*
 * resource_write.c - create, replace, patch.
 *
 * The caller's thread validates, seals and prints; the writer's function only checks that what is
 * referred to exists and writes the row, both in one transaction. A change is made against the
 * version that was read: when another writer was faster it is made again from the new one.
 */
#include "crypt/token.h"
#include "resource/live_priv.h"
#include "resource/save_priv.h"

/* ---- references ---- */

static void add_ref(void *ctx, struct str path, const char *types, struct str id)
{
	struct res_save *w = ctx;

	if (w->ref_count == w->ref_cap) {
		size_t cap = w->ref_cap == 0 ? 8 : w->ref_cap * 2;

		w->refs = arena_grow(w->arena, w->refs, w->ref_cap * sizeof(*w->refs),
			cap * sizeof(*w->refs));
		w->ref_cap = cap;
	}
	w->refs[w->ref_count++] = (struct store_ref){ str_dup(w->arena, path), str_z(types), id };
}

bool res_save_ref_exists(struct store_conn *c, const struct res_save *w, struct store_ref *ref)
{
	struct str types = ref->type;

	while (types.p != NULL) {
		struct str type = str_cut(&types, '|');

		if (!store_resource_exists(c, w->row.account_id, type, ref->id))
			continue;
		ref->type = type;
		return true;
	}
	return false;
}

void res_save_ref_missing(struct res_save *w, const struct store_ref *ref)
{
	problems_add(w->p, ERR_REF, ref->field.p, NULL, "%.*s: you have no %.*s with the id %.*s",
		STR_ARG(ref->field), STR_ARG(ref->type), STR_ARG(ref->id));
}

static bool check_refs(struct store_conn *c, struct res_save *w, struct err *err)
{
	size_t before = w->p->count;

	for (size_t i = 0; i < w->ref_count; i++) {
		struct store_ref *ref = &w->refs[i];

		if (!res_save_ref_exists(c, w, ref))
			res_save_ref_missing(w, ref);
	}
	return w->p->count == before || err_set(err, ERR_REF, "references are missing");
}

/* On the writer's thread; the caller waits, so its arena is ours meanwhile. */
static bool write_row(struct store_conn *c, void *arg, struct err *err)
{
	struct res_save *w = arg;

	/* nothing leads to a new flow yet */
	if (!check_refs(c, w, err) || (!w->create && schema_def(w->s) == &res_flow &&
					      !res_flow_chain_check(c, &w->row, err)))
		return false;
	return w->create ? store_resource_add(c, &w->row, w->refs, w->ref_count, err)
			 : store_resource_update(c, &w->row, w->refs, w->ref_count, err);
}

bool res_save_write(struct res_save *w, struct err *err)
{
	return store_write(w->r->cfg.store, write_row, w, err);
}

/* ---- documents ---- */

static bool seal_secret(void *ctx, struct str path, struct str value, struct str *out,
	struct err *err)
{
	struct res_save *w = ctx;
	struct res_place place = { w->row.account_id, w->row.type, w->row.id };
	uintptr_t at = (uintptr_t)value.p, kept = (uintptr_t)w->kept.p;

	(void)err;
	if (at >= kept && at < kept + w->kept.n)
		*out = value;
	else
		*out = seal(w->r->cfg.keys, w->r->cfg.rng, w->arena, value,
			res_place_aad(w->arena, &place, path));
	return true;
}

/* The fields that are ours, as the schema has them. */
static const struct json *server_fields(struct res_save *w)
{
	struct json_build b;

	json_build_init(&b, w->arena);
	json_build_object(&b);
	json_add_str(&b, STR("_id"), w->row.id);
	json_add_str(&b, STR("createdAt"), time_iso(w->arena, w->row.created_ms));
	json_add_str(&b, STR("lastModified"), time_iso(w->arena, w->row.modified_ms));
	json_add_str(&b, STR("apiIdentifier"), w->row.api_identifier);
	json_build_key(&b, STR("queues")); /* of a connection */
	json_build_array(&b);
	json_build_object(&b);
	json_add_str(&b, STR("name"), w->row.id);
	json_add_i64(&b, STR("size"), 0);
	json_build_end(&b);
	json_build_end(&b);
	json_build_end(&b);
	return json_build_done(&b);
}

bool res_save_fill(struct res_save *w, const struct json *doc, struct str *view, struct err *err)
{
	struct json_build b;

	json_build_init(&b, w->arena);
	schema_stamp(w->s, doc, server_fields(w), &b);
	doc = json_build_done(&b);
	w->row.name = json_get_str(doc, STR("name"));
	w->row.external_id = json_get_str(doc, STR("externalId"));
	w->row.integration_id = json_get_str(doc, STR("_integrationId"));
	w->row.connector_id = json_get_str(doc, STR("_connectorId"));
	w->ref_count = 0;
	schema_each_ref(w->s, doc, add_ref, w);
	if (schema_has_secrets(w->s)) {
		json_build_init(&b, w->arena);
		if (!schema_map_secrets(w->s, doc, &b, seal_secret, w, err))
			return false;
		w->row.document = json_print_arena(w->arena, json_build_done(&b));
		json_build_init(&b, w->arena);
		schema_mask(w->s, doc, &b);
		*view = json_print_arena(w->arena, json_build_done(&b));
	} else {
		*view = w->row.document = json_print_arena(w->arena, doc);
	}
	if (w->row.document.n > LIMIT_RESOURCE_DOCUMENT)
		return err_set(err, ERR_TOO_LARGE, "the %s takes %zu bytes; a resource may have %d",
			schema_def(w->s)->type, w->row.document.n, LIMIT_RESOURCE_DOCUMENT);
	return true;
}

/* Reports ERR unless the problems already say more. */
static bool give_up(struct problems *p, size_t before, const struct err *err)
{
	return p->count > before ? false : problems_add_err(p, err);
}

/* ---- create ---- */

void res_save_identify(struct res_save *w)
{
	const struct resources_config *cfg = &w->r->cfg;
	char letter = schema_def(w->s)->api_letter;
	struct id id;

	w->row.created_ms = w->row.modified_ms = clock_wall_ms(cfg->clock);
	id_new(&id, w->row.created_ms, cfg->rng);
	w->row.id = str_dup(w->arena, id_str(&id));
	if (letter != 0) {
		char api[API_IDENTIFIER_LEN + 1];

		api_identifier_new(api, letter, cfg->rng);
		w->row.api_identifier = str_dup(w->arena, str_z(api));
	}
}

bool resource_create(const struct resources *r, struct str account_id, const struct schema *s,
	const struct json *body, struct arena *a, struct resource_view *out, struct problems *p)
{
	struct res_save w = { .r = r, .s = s, .arena = a, .p = p, .create = true };
	size_t before = p->count;
	const struct json *doc;
	struct str view;
	struct err err = ERR_INIT;

	if (!schema_validate(s, body, NULL, a, &doc, p)) {
		res_check_refs(r, account_id, s, body, p);
		return false;
	}
	w.row.account_id = account_id;
	w.row.type = str_z(schema_def(s)->type);
	w.row.version = 1;
	for (int i = 0; i < SAVE_ATTEMPTS_MAX; i++) {
		err_clear(&err);
		res_save_identify(&w);
		if (!res_save_fill(&w, doc, &view, &err))
			break;
		if (res_save_write(&w, &err)) {
			res_live_show(r, a, account_id, s, w.row.id, &view);
			*out = (struct resource_view){ w.row.id, 1, w.row.modified_ms, view };
			return true;
		}
		if (err.code != ERR_CONFLICT) /* else: the apiIdentifier is somebody's already */
			break;
	}
	return give_up(p, before, &err);
}

/* ---- replace and patch ---- */

struct change {
	struct str account_id, id;
	int64_t version; /* 0: any */
	const struct json *body;
	bool patch;
};

static bool read_row(struct res_save *w, const struct change *ch, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	if (!store_read_begin(w->r->cfg.store, &c, err) ||
		!store_resource_get(c, w->arena, ch->account_id, str_z(schema_def(w->s)->type),
			ch->id, &w->row, err))
		return false;
	if (ch->version != 0 && ch->version != w->row.version) {
		err_set(err, ERR_PRECONDITION, "the %s has changed: version %lld is stored",
			schema_def(w->s)->type, (long long)w->row.version);
		return err_hint(err, "read it again, make your change, and send that");
	}
	return true;
}

/* The body of a patch: its changes on what the API shows. */
static const struct json *patched(struct res_save *w, const struct json *stored,
	const struct json *patch)
{
	struct json_build b;

	json_build_init(&b, w->arena);
	schema_mask(w->s, stored, &b);
	return schema_merge_patch(w->arena, json_build_done(&b), patch);
}

/* One attempt, from reading to writing. */
static bool change_once(struct res_save *w, const struct change *ch, struct str *view,
	struct err *err)
{
	const struct json *stored, *doc;

	if (!read_row(w, ch, err))
		return false;
	/* parsed in place, so that secrets which were kept can be told by where they lie */
	char *text = arena_strndup(w->arena, w->row.document.p, w->row.document.n);
	struct err parse = ERR_INIT;

	w->kept = str_of(text, w->row.document.n);
	if (!json_parse(w->arena, text, w->kept.n, NULL, &stored, &parse))
		return err_set(err, ERR_STORE, "a stored document is damaged: %s", parse.message);
	const struct json *body = ch->patch ? patched(w, stored, ch->body) : ch->body;

	if (!schema_validate(w->s, body, stored, w->arena, &doc, w->p)) {
		res_check_refs(w->r, ch->account_id, w->s, body, w->p);
		return err_set(err, ERR_INVALID, "the document breaks its schema");
	}
	w->row.modified_ms = clock_wall_ms(w->r->cfg.clock);
	return res_save_fill(w, doc, view, err) && res_save_write(w, err);
}

static bool change(const struct resources *r, const struct schema *s, const struct change *ch,
	struct arena *a, struct resource_view *out, struct problems *p)
{
	struct res_save w = { .r = r, .s = s, .arena = a, .p = p };
	size_t before = p->count;
	struct err err = ERR_INIT;
	struct str view;

	if (ch->patch && !schema_check_twice(ch->body, p))
		return false;
	for (int i = 0; i < SAVE_ATTEMPTS_MAX; i++) {
		err_clear(&err);
		if (change_once(&w, ch, &view, &err)) {
			res_live_show(r, a, ch->account_id, s, ch->id, &view);
			*out = (struct resource_view){ w.row.id, w.row.version + 1,
				w.row.modified_ms, view };
			return true;
		}
		if (err.code != ERR_PRECONDITION || ch->version != 0)
			break;
	}
	return give_up(p, before, &err);
}

bool resource_replace(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, int64_t version, const struct json *body, struct arena *a,
	struct resource_view *out, struct problems *p)
{
	struct change ch = { account_id, id, version, body, false };

	return change(r, s, &ch, a, out, p);
}

bool resource_patch(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, int64_t version, const struct json *patch, struct arena *a,
	struct resource_view *out, struct problems *p)
{
	struct change ch = { account_id, id, version, patch, true };

	return change(r, s, &ch, a, out, p);
}
