/*
 * openapi_parameters.c - what the routes take besides their bodies: path, query and header parameters, for the
 * OpenAPI document, and for refusing whatever else stands in a query.
 *
 * Those that come with a pattern or a flag of the route are added by it; the others stand in lists by handler.
 */
#include "api/handlers_priv.h"
#include "api/params.h"

struct parameter {
	const char *name, *in, *text;
	bool required;
	const char *values; /* the words that there are, "true|false"; NULL: the handler reads it */
	bool indexed;       /* name[0], name[1], name[] are the same parameter, repeated */
};

static const struct parameter resource_filters[] = {
	{ "name", "query", "Only those of this name; may be repeated.", false },
	{ "externalId", "query", "Only those with this externalId; may be repeated.", false },
	{ "_integrationId", "query", "Only those of this integration; may be repeated.", false },
	{ "_connectorId", "query", "Only those of this connector; may be repeated.", false },
};

static const struct parameter job_filters[] = {
	{ "_integrationId", "query", "Only jobs of this integration.", false },
	{ "_flowId", "query", "Only jobs of this flow.", false },
	{ "_flowId_in", "query", "Only jobs of these flows, with commas between.", false,
		.indexed = true },
	{ "_exportId", "query", "Only jobs of this export.", false },
	{ "_importId", "query", "Only jobs of this import.", false },
	{ "_jobId", "query", "Only this job.", false },
	{ "_flowJobId", "query", "Only the children of this job.", false },
	{ "_bulkJobId", "query", "None: no job is a part of a bulk retry here.", false },
	{ "retriable", "query",
		"true: only jobs with open errors that can be tried again; false: the others.",
		false, "true|false" },
	{ "createdAt_gte", "query", "ISO 8601, a date, or milliseconds since 1970.", false },
	{ "createdAt_lte", "query", "ISO 8601, a date, or milliseconds since 1970.", false },
	{ "status", "query", "One of these states, with commas between.", false, .indexed = true },
	{ "type", "query", "flow, retry, export or import; several with commas between.", false,
		.indexed = true },
	{ "type_in", "query", "flow, retry, export or import; several with commas between.", false,
		.indexed = true },
	{ "numSuccess_gte", "query", "At least so many.", false },
	{ "numSuccess_lte", "query", "At most so many.", false },
	{ "numExport_gte", "query", "At least so many.", false },
	{ "numExport_lte", "query", "At most so many.", false },
	{ "numIgnore_gte", "query", "At least so many.", false },
	{ "numIgnore_lte", "query", "At most so many.", false },
	{ "numError_gte", "query", "At least so many.", false },
	{ "numError_lte", "query", "At most so many.", false },
};

static const struct parameter error_filters[] = {
	{ "_stepId", "query", "Only errors of this step: the _id of an export or import.", false },
	{ "fingerprint", "query", "Only errors of this issue.", false },
	{ "code", "query", "Only errors with this code.", false },
	{ "source", "query", "Only errors of this source.", false },
	{ "classification", "query", "Only errors classified so.", false },
	{ "traceKey", "query", "Only errors of records with this key.", false },
	{ "resolved", "query", "false, true or all.", false, "false|true|all" },
	{ "createdAt_gte", "query", "ISO 8601, a date, or milliseconds since 1970.", false },
	{ "createdAt_lte", "query", "ISO 8601, a date, or milliseconds since 1970.", false },
};

static const struct parameter limit[] = { { "limit", "query", "At most this many.", false } };

static const struct parameter after[] = {
	{ "after", "query", "Only those behind the one with this _id; see the Link header.",
		false },
};

static const struct parameter format[] = {
	{ "format", "query", "csv: as the error file, as with Accept: text/csv.", false, "csv" },
};

static const struct parameter dry_run[] = {
	{ "dry_run", "query", "true: only say how many it would be.", false, "true|false" },
};

static const struct parameter config[] = {
	{ "config", "query", "original: by the documents that the job began with. Else current.",
		false, "original|current" },
};

static const struct parameter trace_key[] = {
	{ "traceKey", "query", "Whose way.", true },
};

static const struct parameter of_job[] = {
	{ "_jobId", "query", "Whose.", true },
};

static const struct parameter cascade[] = {
	{ "cascade", "query", "true: also delete what refers to it.", false, "true|false" },
};

static const struct parameter if_match[] = {
	{ "If-Match", "header", "The ETag that was read: 412 when it has changed since.", false },
};

static const struct parameter proxy[] = {
	{ "Integrator-Relative-URI", "header", "What to ask the application for.", true },
	{ "Integrator-Method", "header", "The method to ask with, in place of the request's own.",
		false },
	{ "Integrator-Passthrough", "header",
		"true: the request's header fields go out too, and the application's come back.",
		false },
};

static const struct parameter invoked[] = {
	{ "Idempotency-Key", "header",
		"Of an import: a repeat gets the first one's answer, for 24 hours.", false },
	{ "Integrator-Relative-URI", "header", "In place of the document's, for this call.",
		false },
};

static const struct parameter override[] = {
	{ "Integrator-Relative-URI", "header", "In place of the document's, for this call.",
		false },
};

static const struct parameter oauth2_callback[] = {
	{ "state", "query", "As the URL had it that the user opened.", true },
	{ "code", "query", "What the application gives tokens for.", false },
	{ "error", "query", "Why access was not given, such as access_denied.", false },
	{ "error_description", "query", "The same in the application's words.", false },
};

#define LIST(list) list, ARRAY_LEN(list)

static const struct {
	route_fn fn;
	const struct parameter *list;
	size_t count;
} table[] = {
	{ handle_resource_list, LIST(resource_filters) },
	{ handle_resource_list, LIST(limit) },
	{ handle_resource_list, LIST(after) },
	{ handle_resource_remove, LIST(cascade) },
	{ handle_resource_remove, LIST(if_match) },
	{ handle_resource_replace, LIST(if_match) },
	{ handle_resource_patch, LIST(if_match) },
	{ handle_oauth2_callback, LIST(oauth2_callback) },
	{ handle_job_list, LIST(job_filters) },
	{ handle_job_list, LIST(limit) },
	{ handle_job_list, LIST(after) },
	{ handle_job_errors, LIST(error_filters) },
	{ handle_job_errors, LIST(format) },
	{ handle_job_errors, LIST(limit) },
	{ handle_job_errors, LIST(after) },
	{ handle_flow_errors, LIST(error_filters) },
	{ handle_flow_errors, LIST(format) },
	{ handle_flow_errors, LIST(limit) },
	{ handle_flow_errors, LIST(after) },
	{ handle_job_errors_resolve, LIST(error_filters) },
	{ handle_job_errors_resolve, LIST(dry_run) },
	{ handle_job_errors_unresolve, LIST(error_filters) },
	{ handle_job_errors_unresolve, LIST(dry_run) },
	{ handle_flow_errors_resolve, LIST(error_filters) },
	{ handle_flow_errors_resolve, LIST(dry_run) },
	{ handle_flow_errors_unresolve, LIST(error_filters) },
	{ handle_flow_errors_unresolve, LIST(dry_run) },
	{ handle_job_errors_upload, LIST(dry_run) },
	{ handle_job_retry, LIST(error_filters) },
	{ handle_job_retry, LIST(dry_run) },
	{ handle_job_retry, LIST(config) },
	{ handle_flow_errors_retry, LIST(error_filters) },
	{ handle_flow_errors_retry, LIST(dry_run) },
	{ handle_records, LIST(trace_key) },
	{ handle_records, LIST(limit) },
	{ handle_jobs_resolve, LIST(error_filters) },
	{ handle_jobs_resolve, LIST(dry_run) },
	{ handle_jobs_unresolve, LIST(error_filters) },
	{ handle_jobs_unresolve, LIST(dry_run) },
	{ handle_jobs_retry, LIST(error_filters) },
	{ handle_jobs_retry, LIST(dry_run) },
	{ handle_integration_errors_resolve, LIST(error_filters) },
	{ handle_integration_errors_resolve, LIST(dry_run) },
	{ handle_integration_errors_unresolve, LIST(error_filters) },
	{ handle_integration_errors_unresolve, LIST(dry_run) },
	{ handle_integration_errors_retry, LIST(error_filters) },
	{ handle_integration_errors_retry, LIST(dry_run) },
	{ handle_step_resolve, LIST(error_filters) },
	{ handle_step_resolve, LIST(dry_run) },
	{ handle_step_retry, LIST(error_filters) },
	{ handle_step_retry, LIST(dry_run) },
	{ handle_step_errors, LIST(error_filters) },
	{ handle_step_errors, LIST(limit) },
	{ handle_step_errors, LIST(after) },
	{ handle_step_resolved, LIST(error_filters) },
	{ handle_step_resolved, LIST(limit) },
	{ handle_step_resolved, LIST(after) },
	{ handle_integration_errors, LIST(error_filters) },
	{ handle_retry_one, LIST(dry_run) },
	{ handle_retry_one, LIST(config) },
	{ handle_retry_list, LIST(of_job) },
	{ handle_retry_list, LIST(error_filters) },
	{ handle_retry_list, LIST(limit) },
	{ handle_retry_list, LIST(after) },
	{ handle_connection_proxy, LIST(proxy) },
	{ handle_invoke, LIST(invoked) },
	{ handle_export_invoke, LIST(override) },
	{ handle_import_invoke, LIST(override) },
};

static void add(struct json_build *b, const struct parameter *p)
{
	json_build_object(b);
	json_add_str(b, STR("name"), str_z(p->name));
	json_add_str(b, STR("in"), str_z(p->in));
	json_add_bool(b, STR("required"), p->required);
	json_add_str(b, STR("description"), str_z(p->text));
	json_build_key(b, STR("schema"));
	json_build_object(b);
	json_add_str(b, STR("type"), STR("string"));
	if (p->values != NULL) {
		struct str rest = str_z(p->values);

		json_build_key(b, STR("enum"));
		json_build_array(b);
		while (rest.n > 0)
			json_build_str(b, str_cut(&rest, '|'));
		json_build_end(b);
	}
	json_build_end(b);
	json_build_end(b);
}

static void add_path(struct json_build *b, struct str name)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{ "token", "The listener's webhook.token." },
		{ "apiIdentifier", "The letter e or i and 8 hexadecimal digits." },
		{ "key", "Text of 1 to 256 bytes." },
	};
	struct parameter p = { str_to_z(b->arena, name), "path", "24 hexadecimal digits.", true };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_eq_z(name, texts[i].name))
			p.text = texts[i].text;
	add(b, &p);
}

static const struct parameter once = { "Idempotency-Key", "header",
	"A repeat with the same key and body gets the first one's answer, for 24 hours.", false };

void openapi_parameters(struct json_build *b, const struct route *r)
{
	json_build_key(b, STR("parameters"));
	json_build_array(b);
	for (const char *at = strchr(r->pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
		struct str name = str_of(at + 1, strcspn(at + 1, "}"));

		if (!str_eq(name, STR("resource")))
			add_path(b, name);
	}
	if ((r->flags & ROUTE_ONCE) != 0)
		add(b, &once);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (size_t k = 0; table[i].fn == r->fn && k < table[i].count; k++)
			add(b, &table[i].list[k]);
	json_build_end(b);
}

/* ---- what a query may have ---- */

#define SLIP_EDITS 3 /* up to so many may tell a name from the one that was meant */

/* The query parameter of the route that NAME is; NEAREST, when it is none: what may have been meant. */
static const struct parameter *find(const struct route *r, struct str name, const char **nearest,
	struct buf *all)
{
	size_t bracket = str_find(name, STR("["));
	struct str stem = bracket == STR_NPOS ? name : str_sub(name, 0, bracket);
	unsigned best = SLIP_EDITS;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t k = 0; table[i].fn == r->fn && k < table[i].count; k++) {
			const struct parameter *p = &table[i].list[k];
			unsigned d = str_distance(stem, str_z(p->name), best);

			if (strcmp(p->in, "query") != 0)
				continue;
			if (str_eq_z(p->indexed ? stem : name, p->name))
				return p;
			buf_add_fmt(all, "%s%s", all->n == 0 ? "" : ", ", p->name);
			if (d <= best && d < stem.n) {
				best = d;
				*nearest = p->name;
			}
		}
	}
	return NULL;
}

static bool is_word_of(const char *values, struct str value)
{
	struct str rest = str_z(values);

	while (rest.n > 0)
		if (str_eq(str_cut(&rest, '|'), value))
			return true;
	return false;
}

static bool check_parameter(const struct route *r, struct str name, struct str value,
	struct err *err)
{
	struct buf all DEFER(buf_free) = BUF_INIT(0);
	const char *nearest = NULL;
	const struct parameter *p = find(r, name, &nearest, &all);

	if (p != NULL && (p->values == NULL || is_word_of(p->values, value)))
		return true;
	if (p != NULL)
		return param_bad(err, name, value) || err_hint(err, "it is one of %s", p->values);
	if (nearest != NULL)
		return param_unknown(err, name, STR_NULL) ||
		       err_hint(err, "did you mean %s?", nearest);
	if (all.n == 0)
		return param_unknown(err, name, STR("leave it out: there is none"));
	return param_unknown(err, name,
		all.n < ERR_HINT_MAX ? buf_str(&all) : STR("GET /v1/openapi.json lists them"));
}

bool route_check_query(const struct route *r, const struct http_exchange *x, struct err *err)
{
	struct str name, value;
	size_t at = 0;

	while (http_request_query_next(x, &at, &name, &value))
		if (!check_parameter(r, name, value, err))
			return false;
	return true;
}

/* ---- the reference page ---- */

static void put_names(struct buf *out, const struct route *r)
{
	const char *sep = "";

	if ((r->flags & ROUTE_ONCE) != 0) {
		buf_add_fmt(out, "`%s`", once.name);
		sep = ", ";
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t k = 0; table[i].fn == r->fn && k < table[i].count; k++) {
			buf_add_fmt(out, "%s`%s`", sep, table[i].list[k].name);
			sep = ", ";
		}
	}
}

/* Was a parameter of this name and meaning told before list I, place K? */
static bool is_told(size_t i, size_t k)
{
	const struct parameter *p = &table[i].list[k];

	for (size_t l = 0; l <= i; l++)
		for (size_t m = 0; m < table[l].count && (l < i || m < k); m++)
			if (strcmp(table[l].list[m].name, p->name) == 0 &&
				strcmp(table[l].list[m].text, p->text) == 0)
				return true;
	return false;
}

static void put_texts(struct buf *out)
{
	buf_add_fmt(out, "| `%s` | %s | %s |\n", once.name, once.in, once.text);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t k = 0; k < table[i].count; k++) {
			const struct parameter *p = &table[i].list[k];

			if (is_told(i, k))
				continue;
			buf_add_fmt(out, "| `%s` | %s | %s%s |\n", p->name, p->in, p->text,
				p->required ? " *Required.*" : "");
		}
	}
}

void openapi_parameters_markdown(struct buf *out)
{
	BUF_ADD_LIT(out,
		"\n## Query parameters and headers\n\nEvery request may have a `Request-Id` and "
		"a `traceparent`.\n\n| Route | Takes |\n| :-- | :-- |\n");
	for (size_t i = 0; i < route_count; i++) {
		size_t before = out->n;

		buf_add_fmt(out, "| %s `%s` | ", http_method_name(routes[i].method),
			routes[i].pattern);
		size_t names = out->n;

		put_names(out, &routes[i]);
		if (out->n == names)
			out->n = before;
		else
			BUF_ADD_LIT(out, " |\n");
	}
	BUF_ADD_LIT(out, "\n| Parameter | In | |\n| :-- | :-- | :-- |\n");
	put_texts(out);
}
