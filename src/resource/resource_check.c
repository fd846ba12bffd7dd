/*
 * resource_check.c - documents that are not stored: checked as if they were to be; and texts that are
 * handed to a client and must come back as they were.
 */
#include "resource/resource_priv.h"

#include "crypt/token.h"

/* The stored document that BODY's masks stand for; NULL: it names none. */
static bool open_stored(const struct resources *r, struct store_conn *c, struct str account_id,
	const struct schema *s, const struct json *body, struct arena *a, const struct json **out,
	struct problems *p)
{
	const struct json *id = json_get(body, STR("_id"));
	struct err err = ERR_INIT;

	*out = NULL;
	if (id == NULL || id->type == JSON_NULL)
		return true;
	if (json_is_str(id) && resource_open(r, c, a, account_id, str_z(schema_def(s)->type),
				       json_str(id), out, &err))
		return true;
	if (err.code != ERR_NONE && err.code != ERR_NOT_FOUND)
		return problems_add_err(p, &err);
	return problems_add(p, ERR_REF, "_id", "leave it out for one that is not stored",
		"_id: you have no %s with this id", schema_def(s)->type);
}

struct ref_check {
	struct store_conn *c;
	struct str account_id;
	struct problems *p;
};

static void check_ref(void *ctx, struct str path, const char *types, struct str id)
{
	const struct ref_check *x = ctx;
	struct str rest = str_z(types);

	if (!id_valid(id) || x->p->count >= PROBLEMS_MAX)
		return; /* what is no id was told by the schema */
	while (rest.p != NULL)
		if (store_resource_exists(x->c, x->account_id, str_cut(&rest, '|'), id))
			return;
	problems_add(x->p, ERR_REF, str_to_z(x->p->arena, path), NULL,
		"%.*s: you have no %s with the id %.*s", STR_ARG(path), types, STR_ARG(id));
}

void res_check_refs(const struct resources *r, struct str account_id, const struct schema *s,
	const struct json *doc, struct problems *p)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;

	if (!json_is_object(doc) || !store_read_begin(r->cfg.store, &c, &err))
		return;
	struct ref_check refs = { c, account_id, p };

	schema_each_ref(s, doc, check_ref, &refs);
}

bool resource_check(const struct resources *r, struct str account_id, const struct schema *s,
	const struct json *body, struct arena *a, const struct json **doc, struct problems *p)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct json *stored, *checked;
	struct err err = ERR_INIT;
	size_t before = p->count;

	if (!store_read_begin(r->cfg.store, &c, &err))
		return problems_add_err(p, &err);
	if (!open_stored(r, c, account_id, s, body, a, &stored, p))
		return false;
	bool valid = schema_validate(s, body, stored, a, &checked, p);
	struct ref_check refs = { c, account_id, p };

	if (json_is_object(body))
		schema_each_ref(s, valid ? checked : body, check_ref, &refs);
	if (p->count > before)
		return false;
	*doc = checked;
	return true;
}

struct str resource_seal(const struct resources *r, struct arena *a, struct str plain,
	struct str place)
{
	return seal(r->cfg.keys, r->cfg.rng, a, plain, place);
}

bool resource_unseal(const struct resources *r, struct arena *a, struct str sealed,
	struct str place, struct str *plain, struct err *err)
{
	return seal_open(r->cfg.keys, a, sealed, place, plain, err);
}
