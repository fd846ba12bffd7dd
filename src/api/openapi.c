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

static void add_parameter(struct json_build *b, const char *name, const char *in, bool required,
	const char *text)
{
	json_build_object(b);
	json_add_str(b, STR("name"), str_z(name));
	json_add_str(b, STR("in"), str_z(in));
	json_add_bool(b, STR("required"), required);
	json_add_str(b, STR("description"), str_z(text));
	json_build_key(b, STR("schema"));
	json_build_object(b);
	json_add_str(b, STR("type"), STR("string"));
	json_build_end(b);
	json_build_end(b);
}

static void add_job_filters(struct json_build *b)
{
	static const struct {
		const char *name, *text;
	} filters[] = {
		{ "_integrationId", "Only jobs of this integration." },
		{ "_flowId", "Only jobs of this flow." },
		{ "_flowId_in", "Only jobs of these flows, with commas between." },
		{ "_exportId", "Only jobs of this export." },
		{ "_importId", "Only jobs of this import." },
		{ "_jobId", "Only this job." },
		{ "_flowJobId", "Only the children of this job." },
		{ "_bulkJobId", "None: no job is a part of a bulk retry here." },
		{ "retriable", "true: only jobs with open errors that can be tried again; false: "
			       "the others." },
		{ "createdAt_gte", "ISO 8601, a date, or milliseconds since 1970." },
		{ "createdAt_lte", "The same." },
		{ "status", "One of these, with commas between." },
		{ "type", "flow, retry, export or import; several with commas between." },
		{ "type_in", "The same." },
		{ "numSuccess_gte", "At least so many." },
		{ "numSuccess_lte", "At most so many." },
		{ "numExport_gte", "At least so many." },
		{ "numExport_lte", "At most so many." },
		{ "numIgnore_gte", "At least so many." },
		{ "numIgnore_lte", "At most so many." },
		{ "numError_gte", "At least so many." },
		{ "numError_lte", "At most so many." },
	};

	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		add_parameter(b, filters[i].name, "query", false, filters[i].text);
}

/* Do the error filters go with this route, and does it act on what they leave? */
static bool has_error_filters(const struct route *r, bool *acts)
{
	static const struct {
		route_fn fn;
		bool acts;
	} fns[] = {
		{ handle_job_errors, false },
		{ handle_flow_errors, false },
		{ handle_step_errors, false },
		{ handle_step_resolved, false },
		{ handle_retry_list, false },
		{ handle_integration_errors, false },
		{ handle_job_errors_resolve, true },
		{ handle_job_errors_unresolve, true },
		{ handle_flow_errors_resolve, true },
		{ handle_flow_errors_unresolve, true },
		{ handle_job_retry, true },
		{ handle_retry_one, true },
		{ handle_flow_errors_retry, true },
		{ handle_jobs_resolve, true },
		{ handle_jobs_unresolve, true },
		{ handle_jobs_retry, true },
		{ handle_integration_errors_resolve, true },
		{ handle_integration_errors_unresolve, true },
		{ handle_integration_errors_retry, true },
		{ handle_step_resolve, true },
		{ handle_step_retry, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
		if (r->fn != fns[i].fn)
			continue;
		*acts = fns[i].acts;
		return true;
	}
	return false;
}

static void add_error_filters(struct json_build *b, const struct route *r)
{
	static const struct {
		const char *name, *text;
	} filters[] = {
		{ "code", "Only errors of this code." },
		{ "source", "Only errors of this source: application, mapping, connection ..." },
		{ "classification",
			"Only errors of this class: value, connection, rate_limit ..." },
		{ "fingerprint", "Only errors of this cause, as an issue names it." },
		{ "traceKey", "Only errors of the record with this key." },
		{ "_stepId", "Only errors of this export or import." },
		{ "createdAt_gte", "ISO 8601, a date, or milliseconds since 1970." },
		{ "createdAt_lte", "The same." },
	};
	bool acts;

	if (!has_error_filters(r, &acts))
		return;
	if (r->fn == handle_retry_list)
		add_parameter(b, "_jobId", "query", true, "Whose.");
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		add_parameter(b, filters[i].name, "query", false, filters[i].text);
	if (acts)
		add_parameter(b, "dry_run", "query", false, "true: only say how many it would be.");
	else
		add_parameter(b, "after", "query", false,
			"Only those behind the error with this _id; see the Link header.");
	if (r->fn == handle_job_errors || r->fn == handle_flow_errors) {
		add_parameter(b, "resolved", "query", false, "true, false or all.");
		add_parameter(b, "format", "query", false, "csv: as the error file.");
	}
	if (r->fn == handle_job_retry || r->fn == handle_retry_one)
		add_parameter(b, "config", "query", false,
			"original: with the documents that the job began with; else current.");
}

/* {_id}, {_jobId} and their like. */
static void add_ids(struct json_build *b, const char *pattern)
{
	for (const char *at = strstr(pattern, "{_"); at != NULL; at = strstr(at + 1, "{_")) {
		struct str name = str_of(at + 1, strcspn(at + 1, "}"));

		add_parameter(b, str_to_z(b->arena, name), "path", true, "24 hexadecimal digits.");
	}
}

static void add_parameters(struct json_build *b, const struct route *r)
{
	json_build_key(b, STR("parameters"));
	json_build_array(b);
	add_ids(b, r->pattern);
	if ((r->flags & ROUTE_ONCE) != 0)
		add_parameter(b, "Idempotency-Key", "header", false,
			"A repeat with the same key and body gets the first one's answer, for 24 "
			"hours.");
	if (r->fn == handle_connection_proxy)
		add_parameter(b, "Integrator-Relative-URI", "header", true,
			"What to ask the application for.");
	if (strstr(r->pattern, "{token}") != NULL)
		add_parameter(b, "token", "path", true, "The listener's webhook.token.");
	if (strstr(r->pattern, "{apiIdentifier}") != NULL)
		add_parameter(b, "apiIdentifier", "path", true,
			"The letter e or i and 8 hexadecimal digits.");
	if (strstr(r->pattern, "{key}") != NULL)
		add_parameter(b, "key", "path", true, "Text of 1 to 256 bytes.");
	if (r->fn == handle_resource_list) {
		add_parameter(b, "name", "query", false,
			"Only those of this name; may be repeated.");
		add_parameter(b, "externalId", "query", false,
			"Only those with this externalId; may be repeated.");
		add_parameter(b, "_integrationId", "query", false,
			"Only those of this integration; may be repeated.");
		add_parameter(b, "_connectorId", "query", false,
			"Only those of this connector; may be repeated.");
	}
	if ((r->flags & ROUTE_LIST) != 0 && strstr(r->pattern, "accesstokens") == NULL &&
		r->fn != handle_listener_requests)
		add_parameter(b, "limit", "query", false, "At most this many.");
	if (r->fn == handle_job_list)
		add_job_filters(b);
	add_error_filters(b, r);
	if (r->fn == handle_records)
		add_parameter(b, "traceKey", "query", true, "The record's key.");
	if (r->fn == handle_resource_list || r->fn == handle_job_list)
		add_parameter(b, "after", "query", false,
			"Only those behind the one with this _id; see the Link header.");
	if (r->fn == handle_resource_remove)
		add_parameter(b, "cascade", "query", false, "true: also delete what refers to it.");
	if (r->fn == handle_resource_replace || r->fn == handle_resource_patch ||
		r->fn == handle_resource_remove)
		add_parameter(b, "If-Match", "header", false,
			"The ETag that was read: 412 when it has changed since.");
	json_build_end(b);
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
	add_parameters(b, r);
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
}
