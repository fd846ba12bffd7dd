/*
 * clone_handlers.c - copies of resources, other connections, and who refers to whom.
 */
#include "api/handlers_priv.h"

/* A string member that may be left out. */
static bool read_text(const struct json *body, const char *name, struct str *out,
	struct problems *p)
{
	const struct json *v = json_get(body, str_z(name));

	if (v == NULL || v->type == JSON_NULL)
		return true;
	if (!json_is_str(v))
		return problems_add(p, ERR_INVALID, name, NULL, "%s must be a string", name);
	*out = json_str(v);
	return true;
}

static bool read_clone(const struct json *body, struct resource_clone *how, struct problems *p)
{
	if (body != NULL)
		(void)schema_check_members(body, "connectionMap|name|_integrationId", p);
	how->connection_map = json_get(body, STR("connectionMap"));
	if (how->connection_map != NULL && !json_is_object(how->connection_map))
		problems_add(p, ERR_CONNECTION_MAP, "connectionMap", NULL,
			"connectionMap must be an object: the id of each connection, and the id of "
			"its successor");
	(void)(read_text(body, "name", &how->name, p) &&
		read_text(body, "_integrationId", &how->integration_id, p));
	return p->count == 0;
}

void handle_resource_clone(struct api_request *rq)
{
	struct resource_clone how = { .connection_map = NULL };
	struct resource_cloned *made;
	struct json_build b;
	struct problems p;
	size_t n;

	problems_init(&p, rq->x->arena);
	if (!read_clone(rq->body, &how, &p) ||
		!resource_clone(rq->api->cfg.resources, caller_account(&rq->caller),
			rq->match.schema, rq->match.params[0], &how, rq->x->arena, &made, &n, &p)) {
		api_fail_all(rq, &p);
		return;
	}
	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	for (size_t i = 0; i < n; i++) {
		const struct res_def *def = schema_def(made[i].s);

		json_build_object(&b);
		json_add_str(&b, STR("model"), str_z(def->title));
		json_add_str(&b, STR("_id"), made[i].id);
		json_add_str(&b, STR("_sourceId"), made[i].source_id);
		json_build_end(&b);
		engine_resource_changed(rq->api->cfg.engine, caller_account(&rq->caller),
			str_z(def->type), made[i].id);
	}
	json_build_end(&b);
	api_answer_build(rq, 201, &b);
	api_header(rq, "Location",
		str_fmt(rq->x->arena, "/v1/%s/%.*s", schema_def(made[0].s)->segment,
			STR_ARG(made[0].id)));
}

void handle_resource_dependencies(struct api_request *rq)
{
	struct err err = ERR_INIT;
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	if (resource_dependencies(rq->api->cfg.resources, caller_account(&rq->caller),
		    rq->match.schema, rq->match.params[0], &b, &err))
		api_answer_build(rq, 200, &b);
	else
		api_fail(rq, &err);
}

static void replace_connection(struct api_request *rq, const char *type)
{
	const struct resources *r = rq->api->cfg.resources;
	const struct json *id = json_get(rq->body, STR("_newConnectionId"));
	struct resource_view v;
	struct problems p;
	int64_t version;

	if (!api_if_match(rq, &version))
		return;
	problems_init(&p, rq->x->arena);
	if (!json_is_str(id) || !id_valid(json_str(id))) {
		problems_add(&p, id == NULL ? ERR_MISSING : ERR_INVALID, "_newConnectionId", NULL,
			"the body must be {\"_newConnectionId\": the connection's _id}");
		api_fail_all(rq, &p);
		return;
	}
	if (!resource_replace_connection(r, caller_account(&rq->caller),
		    resources_by_type(r, str_z(type)), rq->match.params[0], version, json_str(id),
		    rq->x->arena, &v, &p)) {
		api_fail_all(rq, &p);
		return;
	}
	engine_resource_changed(rq->api->cfg.engine, caller_account(&rq->caller), str_z(type),
		v.id);
	api_answer(rq, 200, v.json);
	api_etag(rq, v.version);
}

void handle_export_replace_connection(struct api_request *rq)
{
	replace_connection(rq, "export");
}

void handle_import_replace_connection(struct api_request *rq)
{
	replace_connection(rq, "import");
}
