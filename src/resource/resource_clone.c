/*
 * resource_clone.c - copies of resources with what they are made of, and who refers to whom.
 *
 * What belongs to the clone is gathered in one snapshot, secrets opened; each document then gets new
 * references and an identity of its own, under which its secrets are sealed again (a sealed value
 * opens only at the place it was sealed for). The writer's function checks what lies outside the set
 * and adds all rows.
 */
#include "core/map.h"
#include "resource/save_priv.h"

#define DEPENDENCIES_MAX 1000

struct part {
	const struct schema *s;
	struct str source_id;
	const struct json *doc; /* opened */
	struct res_save save;
};

struct clone {
	const struct resources *r;
	const struct resource_clone *how;
	struct str account_id;
	struct store_conn *c;
	struct arena *arena; /* holds opened secrets */
	struct problems *p;
	struct part *parts;
	size_t count;
	struct map *by_id; /* source id to struct part */
	struct err *err;
};

static bool is_type(const struct schema *s, const char *type)
{
	return strcmp(schema_def(s)->type, type) == 0;
}

/* ---- gathering ---- */

static bool add_part(struct clone *cl, const struct schema *s, struct str id)
{
	if (map_get(cl->by_id, id) != NULL)
		return true;
	if (cl->count == RESOURCE_CLONES_MAX)
		return err_set(cl->err, ERR_LIMIT,
			"more than %d resources would be cloned: clone the flows one by one",
			RESOURCE_CLONES_MAX);
	struct part *part = &cl->parts[cl->count];

	*part = (struct part){ .s = s, .source_id = str_dup(cl->arena, id) };
	if (!resource_open(cl->r, cl->c, cl->arena, cl->account_id, str_z(schema_def(s)->type), id,
		    &part->doc, cl->err))
		return false;
	map_put(cl->by_id, part->source_id, part);
	cl->count++;
	return true;
}

struct ref_walk {
	struct clone *cl;
	bool failed;
};

static void add_ref_part(void *ctx, struct str path UNUSED, const char *types, struct str id)
{
	struct ref_walk *w = ctx;

	if (!w->failed && (strcmp(types, "export") == 0 || strcmp(types, "import") == 0))
		w->failed = !add_part(w->cl, resources_by_type(w->cl->r, str_z(types)), id);
}

static bool add_flow(void *arg, const struct store_resource *row)
{
	struct ref_walk *w = arg;

	w->failed = !add_part(w->cl, resources_by_type(w->cl->r, STR("flow")), row->id);
	return !w->failed;
}

/* The flows of an integration. */
static bool add_flows(struct clone *cl, struct str id)
{
	const struct store_filter f = { .integration_ids = &id, .integration_id_count = 1 };
	struct ref_walk w = { .cl = cl };

	return store_resource_list(cl->c, cl->account_id, STR("flow"), &f, add_flow, &w, cl->err) &&
	       !w.failed;
}

/* The list grows while it is walked. */
static bool gather(struct clone *cl, const struct schema *s, struct str id)
{
	if (!add_part(cl, s, id) || (is_type(s, "integration") && !add_flows(cl, id)))
		return false;
	for (size_t i = 0; i < cl->count; i++) {
		struct ref_walk w = { .cl = cl };

		if (is_type(cl->parts[i].s, "flow"))
			schema_each_ref(cl->parts[i].s, cl->parts[i].doc, add_ref_part, &w);
		if (w.failed)
			return false;
	}
	return true;
}

/* ---- connections ---- */

static struct str successor(const struct clone *cl, struct str id)
{
	return json_get_str(cl->how->connection_map, id);
}

static struct str connection_type(struct store_conn *c, struct arena *a, struct str account_id,
	struct str id)
{
	struct store_resource row;
	const struct json *doc;

	if (!store_resource_get(c, a, account_id, STR("connection"), id, &row, NULL) ||
		!res_parse(a, row.document, &doc, NULL))
		return STR_NULL;
	return json_get_str(doc, STR("type"));
}

static void check_successor(struct clone *cl, struct str old)
{
	struct str id = successor(cl, old);
	const char *field = str_fmt(cl->p->arena, "connectionMap.%.*s", STR_ARG(old)).p;

	if (id.p == NULL) {
		problems_add(cl->p, ERR_CONNECTION_MAP, field,
			"map it to itself to use the same connection",
			"connectionMap has no successor for the connection %.*s", STR_ARG(old));
		return;
	}
	struct str type = connection_type(cl->c, cl->arena, cl->account_id, id);
	struct str old_type = connection_type(cl->c, cl->arena, cl->account_id, old);

	if (type.p == NULL)
		problems_add(cl->p, ERR_REF, field, NULL, "you have no connection with the id %.*s",
			STR_ARG(id));
	else if (!str_eq(type, old_type))
		problems_add(cl->p, ERR_INVALID, field, NULL,
			"the connection %.*s is of type %.*s, and %.*s is of type %.*s",
			STR_ARG(id), STR_ARG(type), STR_ARG(old), STR_ARG(old_type));
}

struct used {
	struct clone *cl;
	struct map *seen;
};

static void check_connection(void *ctx, struct str path UNUSED, const char *types, struct str id)
{
	struct used *u = ctx;

	if (strcmp(types, "connection") == 0 && map_put(u->seen, id, u) == NULL)
		check_successor(u->cl, id);
}

static bool check_connections(struct clone *cl)
{
	struct used u = { cl, map_new(cl->arena) };
	size_t before = cl->p->count;

	for (size_t i = 0; i < cl->count; i++)
		schema_each_ref(cl->parts[i].s, cl->parts[i].doc, check_connection, &u);
	return cl->p->count == before || err_set(cl->err, ERR_CONNECTION_MAP, "connectionMap");
}

static bool check_integration(struct clone *cl)
{
	struct str id = cl->how->integration_id;

	return id.p == NULL ||
	       store_resource_exists(cl->c, cl->account_id, STR("integration"), id) ||
	       err_set_field(cl->err, ERR_REF, "_integrationId",
		       "Integration not found for the given id: %.*s", STR_ARG(id));
}

/* ---- documents ---- */

static struct str new_ref(void *ctx, const char *types, struct str id)
{
	const struct clone *cl = ctx;
	const struct part *part = map_get(cl->by_id, id);

	if (part != NULL)
		return part->save.row.id;
	return strcmp(types, "connection") == 0 ? successor(cl, id) : id;
}

/* What differs from the source besides references. */
static const struct json *changes(const struct clone *cl, const struct part *part, bool root)
{
	struct json_build b;
	struct str name = cl->how->name;

	json_build_init(&b, cl->arena);
	json_build_object(&b);
	if (root && name.p == NULL && json_get_str(part->doc, STR("name")).p != NULL)
		name = str_fmt(cl->arena, "Clone - %.*s",
			STR_ARG(json_get_str(part->doc, STR("name"))));
	if (root)
		json_add_str(&b, STR("name"), name);
	if (root || json_get(part->doc, STR("_integrationId")) != NULL)
		json_add_str(&b, STR("_integrationId"), cl->how->integration_id);
	if (is_type(part->s, "flow"))
		json_add_bool(&b, STR("disabled"), true);
	json_build_end(&b);
	return json_build_done(&b);
}

static bool make(struct clone *cl, struct part *part, bool root, struct err *err)
{
	const struct json *doc;
	struct json_build b;
	struct str view;

	json_build_init(&b, cl->arena);
	schema_map_refs(part->s, part->doc, &b, new_ref, cl);
	doc = schema_merge_patch(cl->arena, json_build_done(&b), changes(cl, part, root));
	if (!schema_validate(part->s, doc, part->doc, cl->arena, &doc, cl->p))
		return err_set(err, ERR_INVALID, "the clone breaks its schema");
	return res_save_fill(&part->save, doc, &view, err);
}

/* ---- writing ---- */

/* One of the set itself, or something that is there already. */
static bool ref_is_good(struct store_conn *c, const struct part *part, const struct map *made,
	struct store_ref *ref)
{
	const struct part *other = map_get(made, ref->id);

	if (other == NULL)
		return res_save_ref_exists(c, &part->save, ref);
	ref->type = other->save.row.type;
	return true;
}

static bool write_all(struct store_conn *c, void *arg, struct err *err)
{
	struct clone *cl = arg;
	size_t before = cl->p->count;
	struct map *made = map_new(cl->arena);

	for (size_t i = 0; i < cl->count; i++)
		map_put(made, cl->parts[i].save.row.id, &cl->parts[i]);
	for (size_t i = 0; i < cl->count; i++) {
		struct res_save *w = &cl->parts[i].save;

		for (size_t k = 0; k < w->ref_count; k++)
			if (!ref_is_good(c, &cl->parts[i], made, &w->refs[k]))
				res_save_ref_missing(w, &w->refs[k]);
		if (!store_resource_add(c, &w->row, w->refs, w->ref_count, err))
			return false;
	}
	return cl->p->count == before || err_set(err, ERR_REF, "references are missing");
}

/* Gives all an identity, makes the documents, writes them. ERR_CONFLICT: an apiIdentifier was taken. */
static bool attempt(struct clone *cl, struct err *err)
{
	for (size_t i = 0; i < cl->count; i++) {
		struct part *part = &cl->parts[i];

		part->save = (struct res_save){ .r = cl->r,
			.s = part->s,
			.arena = cl->arena,
			.p = cl->p,
			.create = true };
		part->save.row.account_id = cl->account_id;
		part->save.row.type = str_z(schema_def(part->s)->type);
		part->save.row.version = 1;
		res_save_identify(&part->save);
	}
	for (size_t i = 0; i < cl->count; i++)
		if (!make(cl, &cl->parts[i], i == 0, err))
			return false;
	return store_write(cl->r->cfg.store, write_all, cl, err);
}

static bool read_all(struct clone *cl, const struct schema *s, struct str id)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	if (!store_read_begin(cl->r->cfg.store, &c, cl->err))
		return false;
	cl->c = c;
	return gather(cl, s, id) && check_integration(cl) && check_connections(cl);
}

static void report(const struct clone *cl, struct arena *a, struct resource_cloned **out,
	size_t *count)
{
	struct resource_cloned *list = arena_array_of(a, struct resource_cloned, cl->count);

	for (size_t i = 0; i < cl->count; i++)
		list[i] = (struct resource_cloned){ cl->parts[i].s,
			str_dup(a, cl->parts[i].source_id), str_dup(a, cl->parts[i].save.row.id) };
	*out = list;
	*count = cl->count;
}

bool resource_clone(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, const struct resource_clone *how, struct arena *a,
	struct resource_cloned **out, size_t *count, struct problems *p)
{
	struct err err = ERR_INIT;
	struct clone cl = { .r = r,
		.how = how,
		.account_id = account_id,
		.arena = arena_new("clone", 0),
		.p = p,
		.err = &err };
	size_t before = p->count;

	cl.parts = arena_array_of(cl.arena, struct part, RESOURCE_CLONES_MAX);
	cl.by_id = map_new(cl.arena);
	bool ok = read_all(&cl, s, id);

	for (int i = 0; ok && i < SAVE_ATTEMPTS_MAX; i++) {
		err_clear(&err);
		ok = attempt(&cl, &err);
		if (ok || err.code != ERR_CONFLICT)
			break;
		ok = true;
	}
	if (ok)
		report(&cl, a, out, count);
	else if (p->count == before)
		problems_add_err(p, &err);
	arena_wipe(cl.arena);
	arena_free(cl.arena);
	return ok;
}

/* ---- another connection ---- */

bool resource_replace_connection(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, int64_t version, struct str connection_id,
	struct arena *a, struct resource_view *out, struct problems *p)
{
	struct store_conn *c = NULL;
	struct err err = ERR_INIT;
	struct store_resource row;
	const struct json *doc = NULL;
	struct str type = STR_NULL, old_type = STR_NULL;
	struct json_build b;

	if (!store_read_begin(r->cfg.store, &c, &err))
		return problems_add_err(p, &err);
	if (store_resource_get(c, a, account_id, str_z(schema_def(s)->type), id, &row, &err) &&
		res_parse(a, row.document, &doc, &err)) {
		type = connection_type(c, a, account_id, connection_id);
		old_type = connection_type(c, a, account_id,
			json_get_str(doc, STR("_connectionId")));
	}
	store_read_end(c);
	if (err.code != ERR_NONE)
		return problems_add_err(p, &err);
	if (type.p == NULL)
		return problems_add(p, ERR_REF, "_newConnectionId", NULL,
			"you have no connection with the id %.*s", STR_ARG(connection_id));
	if (old_type.p != NULL && !str_eq(type, old_type))
		return problems_add(p, ERR_INVALID, "_newConnectionId", NULL,
			"the %s uses a connection of type %.*s, and %.*s is of type %.*s",
			schema_def(s)->type, STR_ARG(old_type), STR_ARG(connection_id),
			STR_ARG(type));
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("_connectionId"), connection_id);
	json_build_end(&b);
	return resource_patch(r, account_id, s, id, version, json_build_done(&b), a, out, p);
}

/* ---- who refers ---- */

static void add_referrers(struct json_build *b, const struct schema *s,
	const struct store_resource *list, size_t n)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (!str_eq_z(list[i].type, schema_def(s)->type))
			continue;
		if (!open) {
			json_build_key(b, str_z(schema_def(s)->segment));
			json_build_array(b);
			open = true;
		}
		json_build_object(b);
		json_add_str(b, STR("id"), list[i].id);
		json_add_str(b, STR("name"), list[i].name);
		json_build_end(b);
	}
	if (open)
		json_build_end(b);
}

bool resource_dependencies(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, struct json_build *b, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str type = str_z(schema_def(s)->type);
	struct store_resource row, *list;
	size_t count;

	if (!store_read_begin(r->cfg.store, &c, err) ||
		!store_resource_get(c, b->arena, account_id, type, id, &row, err))
		return false;
	list = arena_array_of(b->arena, struct store_resource, DEPENDENCIES_MAX);
	if (!store_resource_referrers(c, b->arena, account_id, type, id, list, DEPENDENCIES_MAX,
		    &count, err))
		return false;
	json_build_object(b);
	for (size_t i = 0; resources_at(r, i) != NULL; i++)
		add_referrers(b, resources_at(r, i), list, MIN(count, (size_t)DEPENDENCIES_MAX));
	json_build_end(b);
	return true;
}
