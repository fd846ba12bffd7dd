/*
 * openapi.c - the routes and the schemas as an OpenAPI 3.1 document, and as a reference page.
 *
 * Rows with {resource} are written once for each type.
 */
#include "api/handlers_priv.h"

static bool is_generic(const struct route *r)
{
	return strstr(r->pattern, "{resource}") != NULL;
}

/* The row's path for a type: {resource} replaced by its segment. */
static struct str path_for(struct arena *a, const struct route *r, const struct schema *s)
{
	const char *at = strstr(r->pattern, "{resource}");

	if (at == NULL)
		return str_z(r->pattern);
	return str_fmt(a, "%.*s%s%s", (int)(at - r->pattern), r->pattern, schema_def(s)->segment,
		at + strlen("{resource}"));
}

static void add_ref(struct json_build *b, struct str target)
{
	json_build_object(b);
	json_add_str(b, STR("$ref"), target);
	json_build_end(b);
}

static struct str schema_ref(struct arena *a, const struct schema *s)
{
	return str_fmt(a, "#/components/schemas/%s", schema_def(s)->type);
}

static void add_content(struct json_build *b, const struct schema *s, bool list)
{
	json_build_key(b, STR("content"));
	json_build_object(b);
	json_build_key(b, STR("application/json"));
	json_build_object(b);
	json_build_key(b, STR("schema"));
	if (s == NULL) {
		json_build_object(b);
		json_build_end(b);
	} else if (list) {
		json_build_object(b);
		json_add_str(b, STR("type"), STR("array"));
		json_build_key(b, STR("items"));
		add_ref(b, schema_ref(b->arena, s));
		json_build_end(b);
	} else {
		add_ref(b, schema_ref(b->arena, s));
	}
	json_build_end(b);
	json_build_end(b);
}

static void add_event_stream(struct json_build *b)
{
	json_build_key(b, STR("content"));
	json_build_object(b);
	json_build_key(b, STR("text/event-stream"));
	json_build_object(b);
	json_build_key(b, STR("schema"));
	json_build_object(b);
	json_add_str(b, STR("type"), STR("string"));
	json_build_end(b);
	json_build_end(b);
	json_build_end(b);
}

static void add_responses(struct json_build *b, const struct route *r, const struct schema *s)
{
	json_build_key(b, STR("responses"));
	json_build_object(b);
	json_build_key(b, str_fmt(b->arena, "%d", r->success));
	json_build_object(b);
	json_add_str(b, STR("description"), str_z(http_status_text(r->success)));
	if ((r->flags & ROUTE_STREAM) != 0)
		add_event_stream(b);
	else if (r->success != 204)
		add_content(b, (r->flags & ROUTE_OTHER) != 0 ? NULL : s,
			(r->flags & ROUTE_LIST) != 0);
	json_build_end(b);
	json_build_key(b, STR("default"));
	add_ref(b, STR("#/components/responses/Error"));
	json_build_end(b);
}

static void add_operation(struct json_build *b, const struct route *r, const struct schema *s)
{
	struct arena *a = b->arena;
	struct str method = str_dup(a, str_z(http_method_name(r->method)));
	char *m = arena_strndup(a, method.p, method.n);

	for (size_t i = 0; i < method.n; i++)
		m[i] = (char)(m[i] | 0x20);
	json_build_key(b, str_of(m, method.n));
	json_build_object(b);
	json_add_str(b, STR("operationId"),
		s == NULL ? str_z(r->id) : str_fmt(a, "%s_%s", r->id, schema_def(s)->type));
	json_add_str(b, STR("summary"), str_z(r->summary));
	json_build_key(b, STR("tags"));
	json_build_array(b);
	json_build_str(b, s == NULL ? STR("System") : str_z(schema_def(s)->title));
	json_build_end(b);
	if ((r->flags & ROUTE_OPEN) != 0) {
		json_build_key(b, STR("security"));
		json_build_array(b);
		json_build_end(b);
	}
	openapi_parameters(b, r);
	if ((r->flags & ROUTE_BODY) != 0) {
		json_build_key(b, STR("requestBody"));
		json_build_object(b);
		json_add_bool(b, STR("required"), (r->flags & ROUTE_BODY_MAYBE) == 0);
		add_content(b, r->method == HTTP_PATCH || (r->flags & ROUTE_OTHER) != 0 ? NULL : s,
			false);
		json_build_end(b);
	}
	add_responses(b, r, s);
	json_build_end(b);
}

/* All methods of a path stand in one object, so the first row of a path writes them all. */
static void add_path(struct json_build *b, size_t first, const struct schema *s)
{
	for (size_t i = 0; i < first; i++)
		if (strcmp(routes[i].pattern, routes[first].pattern) == 0)
			return;
	json_build_key(b, path_for(b->arena, &routes[first], s));
	json_build_object(b);
	for (size_t i = first; i < route_count; i++)
		if (strcmp(routes[i].pattern, routes[first].pattern) == 0)
			add_operation(b, &routes[i], s);
	json_build_end(b);
}

static void add_paths(struct json_build *b, const struct resources *r)
{
	const struct schema *s;

	json_build_key(b, STR("paths"));
	json_build_object(b);
	for (size_t i = 0; i < route_count; i++)
		if (!is_generic(&routes[i]))
			add_path(b, i, NULL);
	for (size_t k = 0; (s = resources_at(r, k)) != NULL; k++)
		for (size_t i = 0; i < route_count; i++)
			if (is_generic(&routes[i]))
				add_path(b, i, s);
	json_build_end(b);
}

static void add_components(struct json_build *b, const struct resources *r)
{
	static const char error_schema[] =
		"{\"type\":\"object\",\"required\":[\"errors\"],\"properties\":{\"errors\":{"
		"\"type\":\"array\","
		"\"items\":{\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":"
		"{"
		"\"field\":{\"type\":\"string\",\"description\":\"Dotted path of the field at "
		"fault.\"},"
		"\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
		"\"hint\":{\"type\":\"string\",\"description\":\"What can be done.\"}}}}}}";
	static const char rest[] =
		"{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}},"
		"\"responses\":{\"Error\":{\"description\":\"All problems of the request at "
		"once.\",\"content\":"
		"{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}}}";
	const struct json *doc;
	const struct schema *s;
	struct err err = ERR_INIT;

	json_build_key(b, STR("components"));
	json_build_object(b);
	json_build_key(b, STR("schemas"));
	json_build_object(b);
	CHECK(json_parse_copy(b->arena, str_z(error_schema), &doc, &err));
	json_add_copy(b, STR("Error"), doc);
	for (size_t k = 0; (s = resources_at(r, k)) != NULL; k++) {
		json_build_key(b, str_z(schema_def(s)->type));
		schema_openapi(s, b);
	}
	json_build_end(b);
	CHECK(json_parse_copy(b->arena, str_z(rest), &doc, &err));
	for (json_each_member(key, doc))
		json_add_copy(b, json_str(key), json_value(key));
	json_build_end(b);
}

void api_openapi(const struct resources *r, struct buf *out)
{
	struct arena *a DEFER(arena_freep) = arena_new("openapi", 0);
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("openapi"), STR("3.1.0"));
	json_build_key(&b, STR("info"));
	json_build_object(&b);
	json_add_str(&b, STR("title"), STR("Integrator API"));
	json_add_str(&b, STR("version"), STR(INTEGRATOR_VERSION));
	json_add_str(&b, STR("description"),
		STR("Connections, exports, imports and flows: pull records from one application "
		    "and load them into "
		    "another, each one accounted for."));
	json_build_end(&b);
	json_build_key(&b, STR("security"));
	json_build_array(&b);
	json_build_object(&b);
	json_build_key(&b, STR("bearer"));
	json_build_array(&b);
	json_build_end(&b);
	json_build_end(&b);
	json_build_end(&b);
	add_paths(&b, r);
	add_components(&b, r);
	json_build_end(&b);
	json_print(out, json_build_done(&b), JSON_COMPACT);
}

void api_markdown(const struct resources *r, struct buf *out)
{
	struct arena *a DEFER(arena_freep) = arena_new("reference", 0);
	const struct schema *s;

	BUF_ADD_LIT(out, "# Routes\n\nGenerated from the table of routes in `src/api/routes.c`. "
			 "Every request but those "
			 "marked *open* needs `Authorization: Bearer <token>`.\n\n"
			 "| Method | Path | Success | |\n| :-- | :-- | :-: | :-- |\n");
	for (size_t i = 0; i < route_count; i++) {
		const struct route *row = &routes[i];

		if (!is_generic(row)) {
			buf_add_fmt(out, "| %s | `%s` | %d | %s%s |\n",
				http_method_name(row->method), row->pattern, row->success,
				row->summary, (row->flags & ROUTE_OPEN) != 0 ? " *Open.*" : "");
			continue;
		}
		for (size_t k = 0; (s = resources_at(r, k)) != NULL; k++)
			buf_add_fmt(out, "| %s | `%.*s` | %d | %s: %s |\n",
				http_method_name(row->method), STR_ARG(path_for(a, row, s)),
				row->success, schema_def(s)->title, row->summary);
	}
	openapi_parameters_markdown(out);
}
