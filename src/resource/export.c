/*
 * export.c - the rows of an export: what is fetched from an application, page by page.
 */
#include "data/datetime.h"
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your export an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"My Export\"" },
	{ "_connectionId", FLD_REF, 0,
		"The _id of the [Connection](connection.md) resource that should be used to "
		"access the system or application hosting the data being exported. Every export "
		"needs one but a webhook.",
		.values = "connection", .example = "\"5587092ef78228000000000a\"" },
	{ "apiIdentifier", FLD_STR, FLD_READ_ONLY,
		"The letter e and hexadecimal digits, given at creation: POST to it to invoke the "
		"export.",
		.example = "\"e53ec3130\"" },
	{ "asynchronous", FLD_BOOL, 0,
		"Sent by many clients and kept for them. In a flow an export always runs page by "
		"page beside the imports, invoked by its apiIdentifier it always answers with its "
		"records.",
		.def = "false", .example = "true" },
	{ "type", FLD_ENUM, 0,
		"Which records are exported. Not set: all, every time. `test`: at most "
		"test.limit, for trying out. `delta`: those changed since the last run. `once`: "
		"those whose once.booleanField is false. `webhook`: those that an application "
		"posts here.",
		.values = "delta|once|test|webhook|simple", .values_inert = "simple",
		.values_later = "distributed|blob", .example = "\"test\"" },
	{ "maxAttempts", FLD_INT, 0,
		"How often a request is tried when the application can't be reached, or answers "
		"408, 429 or 5xx: after the time that it says, else after 1 s, 5 s, 30 s and 2 "
		"min. A call (invoke) tries a request again once at most, within 5 seconds.",
		.min = 1, .max = LIMIT_ATTEMPTS_MAX, .def = "4", .example = "3" },
	{ "pageSize", FLD_INT, 0,
		"How many records make a page: what hooks and imports get at once. A page is "
		"closed early at 5 MB.",
		.min = 1, .max = LIMIT_PAGE_SIZE_MAX, .def = "20", .example = "50" },
	ROW_INTEGRATION,
	{ "test", FLD_OBJECT, 0, "Settings for type `test`." },
	{ "test.limit", FLD_INT, 0, "The largest number of records that a test run exports.",
		.min = 1, .max = 100, .def = "1", .example = "10" },
	{ "delta", FLD_OBJECT, 0, "Settings for type `delta`." },
	{ "delta.dateField", FLD_STR, FLD_LINE,
		"The field that holds a record's last change; of several, separated by commas, the "
		"latest counts. It is used when no placeholder of the request asks for changes "
		"alone: then all records are fetched, and those from before the last run are "
		"dropped. A record whose date is missing or can't be read is kept.",
		.min = 1, .max = 512, .example = "\"updated_at\"" },
	{ "delta.dateFormat", FLD_STR, FLD_LINE,
		"How the application writes dates, in the tokens of moment.js and in UTC: so "
		"`{{lastExportDateTime}}` and `{{currentExportDateTime}}` are printed, and "
		"delta.dateField is read. Not set: ISO 8601.",
		.min = 1, .max = 128, .example = "\"YYYY-MM-DD HH:mm:ss\"" },
	{ "once", FLD_OBJECT, 0, "Settings for type `once`." },
	{ "once.booleanField", FLD_STR, FLD_LINE,
		"The boolean field that says that a record was exported already: those that are "
		"true are dropped. rest.once sets it behind each delivery.",
		.min = 1, .max = 512, .example = "\"exported\"" },
	{ NULL },
};

static const struct fld rest_rows[] = {
	{ "rest", FLD_OBJECT, 0, "The request that fetches records from a RESTful JSON API." },
	{ "rest.relativeURI", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"What is appended to the connection's rest.baseURI. Placeholders such as {sku} "
		"stand for values of the body that an invocation posts, percent-encoded; "
		"`{{lastExportDateTime}}` and `{{currentExportDateTime}}` for the time of the last "
		"run and of this one, `{{export.http.paging.page}}`, `.skip` and `.token` for the "
		"place that paging has come to.",
		.min = 0, .max = 8192, .example = "\"/customers\"" },
	{ "rest.method", FLD_ENUM, 0, "The HTTP method of the request.", .values = "GET|POST|PUT",
		.def = "\"GET\"", .example = "\"GET\"" },
	ROWS_HEADERS("rest.headers", "of this export"),
	{ "rest.query", FLD_MAP, 0,
		"Query parameters by name; they are percent-encoded and appended to the relative "
		"URI.",
		.values = "scalar", .example = "{\"status\":\"open\",\"limit\":100}" },
	{ "rest.resourcePath", FLD_STR, FLD_LINE,
		"Where the records stand in the response, as a dotted path. Not set: the response "
		"itself is the array of records, or the one record.",
		.min = 1, .max = 1024, .example = "\"customers\"" },
	{ "rest.postBody", FLD_ANY, 0,
		"The body of a POST or PUT: a JSON value, or a text; it may hold the placeholders "
		"of "
		"rest.relativeURI, in a text with double braces only.",
		.example = "{\"filter\":{\"status\":\"open\"}}" },
	{ "rest.pagingMethod", FLD_ENUM, 0,
		"How the next page is asked for; not set: there is one page. `nextpageurl`: the "
		"URL "
		"at rest.nextPagePath, on the connection's origin. `pageargument`, `skipargument`: "
		"a "
		"counted query parameter. `token`: the value at rest.nextPagePath as one. "
		"`linkheader`: RFC 8288. `relativeuri`, `postbody`: a template. A page without "
		"records ends all but nextpageurl, token and linkheader, a 404 behind the first "
		"page all but nextpageurl and linkheader.",
		.values = "nextpageurl|pageargument|skipargument|token|linkheader|relativeuri|"
			  "postbody",
		.example = "\"nextpageurl\"" },
	{ "rest.nextPagePath", FLD_STR, FLD_LINE,
		"The dotted path of the next page's URL, or token, in the response. A page "
		"without a value there is the last.",
		.min = 1, .max = 1024, .example = "\"next_page\"" },
	{ "rest.pageArgument", FLD_STR, FLD_LINE,
		"The query parameter that carries the page's number, or the token. Numbers begin "
		"at "
		"1, or at the one that stands in the relative URI or in rest.query.",
		.min = 1, .max = 256, .def = "\"page\"", .example = "\"page\"" },
	{ "rest.skipArgument", FLD_STR, FLD_LINE,
		"The query parameter that carries the number of records to skip: those that came "
		"so far. It begins at 0, or at the number that stands in the relative URI or in "
		"rest.query.",
		.min = 1, .max = 256, .def = "\"skip\"", .example = "\"offset\"" },
	{ "rest.maxPagePath", FLD_STR, FLD_LINE,
		"The dotted path of the number of pages in the response: the export ends with "
		"that page. It wins over rest.maxCountPath.",
		.min = 1, .max = 1024, .example = "\"meta.pages\"" },
	{ "rest.maxCountPath", FLD_STR, FLD_LINE,
		"The dotted path of the number of records in the response: the export ends when "
		"as many have come.",
		.min = 1, .max = 1024, .example = "\"meta.total\"" },
	{ "rest.linkHeaderRelation", FLD_STR, FLD_LINE,
		"The relation in the Link header that leads to the next page.", .min = 1,
		.max = 128, .def = "\"next\"", .example = "\"next\"" },
	{ "rest.nextPageRelativeURI", FLD_STR, FLD_LINE,
		"The next page's relative URI, with placeholders for values of the page before: "
		"fields of its last record, members of the response, "
		"`{{previous_page.last_record.id}}`, `{{previous_page.full_response.next}}` and "
		"`{{previous_page.headers.name}}`. A value of full_response that is missing ends "
		"the paging.",
		.min = 1, .max = 8192, .example = "\"/customers?after={id}\"" },
	{ "rest.pagingPostBody", FLD_ANY, 0,
		"The next page's body, with placeholders as in rest.nextPageRelativeURI. Paging "
		"ends when none of them has a value.",
		.example = "{\"cursor\":\"{cursor}\"}" },
	{ "rest.lastPageStatusCode", FLD_INT, 0,
		"The status that an application answers when it is asked for a page behind the "
		"last, where that is not 404.",
		.min = 100, .max = 599, .example = "400" },
	{ "rest.lastPagePath", FLD_STR, FLD_LINE,
		"The dotted path of a value in the response that says that this page is the last: "
		"one of rest.lastPageValues, or anything but false, empty or null.",
		.min = 1, .max = 1024, .example = "\"meta.has_more\"" },
	{ "rest.lastPageValues", FLD_STR, FLD_LIST,
		"The values at rest.lastPagePath that say it, compared as texts; a missing one is "
		"`null`.",
		.min = 0, .max = 1024, .example = "[\"false\"]" },
	{ "rest.once", FLD_OBJECT, 0,
		"The request that sets once.booleanField behind each delivered record." },
	{ "rest.once.relativeURI", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"Its relative URI, with placeholders for the record's values.", .min = 1,
		.max = 8192, .example = "\"/customers/{id}\"" },
	{ "rest.once.method", FLD_ENUM, 0, "The HTTP method of that request.",
		.values = "PUT|POST|PATCH", .def = "\"PUT\"", .example = "\"PUT\"" },
	{ "rest.once.postBody", FLD_ANY, 0, "The body of that request, with placeholders.",
		.example = "{\"exported\":true}" },
	{ NULL },
};

static const struct fld rule_rows[] = {
	{ "transform", FLD_OBJECT, 0,
		"How each record is made over before the filter, hooks and imports see it. Not "
		"set: records stay as the application sent them." },
	ROWS_RULES("transform",
		"Sets of rules, each set an array. A rule takes the value at `extract`, a dotted "
		"path or a text with placeholders, to the dotted path `generate`; [*] in both "
		"walks arrays. The new record holds what the rules generate; several sets follow "
		"each other.",
		"[[{\"extract\":\"customer.id\",\"generate\":\"id\"},"
		"{\"extract\":\"items[*].sku\",\"generate\":\"lines[*].sku\"}]]"),
	ROWS_FILTER("records leave the export, as they are behind its transform."),
	{ NULL },
};

static const struct fld hook_rows[] = {
	{ "hooks", FLD_OBJECT, 0, "Functions of yours that are called while the export runs." },
	{ "hooks._preSavePageId", FLD_REF, FLD_INERT,
		"The _id of the hook that gets each page before it is saved and handed to "
		"imports; it may change, drop or add records.",
		.values = "hook", .example = "\"5587092fd78228000f0e001b\"" },
	ROWS_INLINE_HOOK("hooks.preSavePage", "with each page before it is saved"),
	{ "hooks.isolate", FLD_BOOL, FLD_UNUSED,
		"Whether a page whose hook failed is tried again record by record, so that one "
		"bad record does not take the others with it.",
		.def = "true", .example = "false" },
	{ NULL },
};

static void need(const struct json *doc, const char *path, const char *why, struct problems *p)
{
	if (res_at(doc, path) == NULL)
		problems_add(p, ERR_MISSING, path, NULL, "%s is required %s", path, why);
}

static void check_paging(const struct json *doc, struct problems *p)
{
	static const struct {
		const char *method, *field;
	} needs[] = {
		{ "nextpageurl", "rest.nextPagePath" },
		{ "token", "rest.nextPagePath" },
		{ "token", "rest.pageArgument" },
		{ "relativeuri", "rest.nextPageRelativeURI" },
		{ "postbody", "rest.pagingPostBody" },
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (res_is(doc, "rest.pagingMethod", needs[i].method))
			need(doc, needs[i].field,
				str_fmt(p->arena, "when rest.pagingMethod is %s", needs[i].method)
					.p,
				p);
}

static void check_date_format(const struct json *doc, struct problems *p)
{
	struct str text = json_get_str(res_at(doc, "delta"), STR("dateFormat"));
	struct datetime_format *f;
	struct err err = ERR_INIT;

	if (text.n > 0 && !datetime_format_compile(p->arena, text, DATETIME_PRINT, &f, &err))
		problems_add(p, ERR_INVALID, "delta.dateFormat", NULL, "delta.dateFormat: %s",
			err.message);
}

/* Also when only its section says so: that type is missing was told then. */
static bool is_webhook(const struct json *doc)
{
	return res_is(doc, "type", "webhook") ||
	       (res_at(doc, "type") == NULL && res_at(doc, "webhook") != NULL &&
		       res_at(doc, "rest") == NULL);
}

/* A GET has no body: one that is set would go unsent, and pages by body would all be the first. */
static void check_bodies(const struct json *doc, struct problems *p)
{
	const struct json *body = res_at(doc, "rest.postBody");
	const char *field = res_is(doc, "rest.pagingMethod", "postbody") ? "rest.pagingPostBody"
			    : body != NULL && !(json_is_str(body) && body->n == 0) ? "rest.postBody"
										   : NULL;

	if (field != NULL &&
		(res_at(doc, "rest.method") == NULL || res_is(doc, "rest.method", "GET")))
		problems_add(p, ERR_INVALID, "rest.method", "set it to POST",
			"%s is only sent when rest.method is POST or PUT", field);
}

static bool mentions_dates(const struct json *v)
{
	const struct json *end = v == NULL ? NULL : json_next(v);

	for (; v < end; v++)
		if (v->type == JSON_STRING &&
			str_find(json_str(v), STR("ExportDateTime")) != STR_NPOS)
			return true;
	return false;
}

/* Nothing else would keep a delta from being everything, each time. */
static void check_delta(const struct json *doc, struct problems *p)
{
	if (res_is(doc, "type", "delta") && res_at(doc, "delta.dateField") == NULL &&
		!mentions_dates(res_at(doc, "rest")))
		problems_add(p, ERR_MISSING, "delta.dateField",
			"or leave type out, to export everything each time",
			"delta.dateField is required when type is delta, unless the request asks "
			"for "
			"changes by {{lastExportDateTime}}");
}

static void check(const struct json *doc, struct problems *p)
{
	if (is_webhook(doc)) {
		res_check_webhook(doc, p);
	} else {
		need(doc, "_connectionId", "for every export but a webhook", p);
		if (res_at(doc, "rest") == NULL)
			need(doc, "rest.relativeURI", "for every export but a webhook", p);
	}
	if (res_is(doc, "type", "once")) {
		need(doc, "once.booleanField", "when type is once", p);
		if (res_at(doc, "rest") != NULL)
			need(doc, "rest.once.relativeURI", "when type is once", p);
	}
	check_paging(doc, p);
	check_bodies(doc, p);
	check_delta(doc, p);
	check_date_format(doc, p);
	res_check_uri_at(doc, "rest.relativeURI", p);
	res_check_headers(doc, "rest.headers", p);
	res_check_header_texts(doc, "rest.headers", false, p);
	res_check_text_at(doc, "rest.query", false, p);
	res_check_body_at(doc, "rest.postBody", false, p);
	res_check_body_at(doc, "rest.pagingPostBody", false, p);
	res_check_body_at(doc, "rest.once.postBody", false, p);
	res_check_extract_at(doc, "rest.resourcePath", p);
	res_check_extract_at(doc, "rest.nextPagePath", p);
	res_check_extract_at(doc, "rest.maxPagePath", p);
	res_check_extract_at(doc, "rest.maxCountPath", p);
	res_check_extract_at(doc, "rest.lastPagePath", p);
	res_check_uri_at(doc, "rest.nextPageRelativeURI", p);
	res_check_uri_at(doc, "rest.once.relativeURI", p);
	res_check_transform(doc, "transform", p);
	res_check_filter(doc, "filter", p);
	res_check_target(doc, "hooks.preSavePage", p);
}

static const struct fld *const tables[] = { res_rows_head, rows, rest_rows, res_rows_webhook,
	rule_rows, hook_rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"My Export\",\"_connectionId\":\"5587092ef78228000000000a\","
	"\"asynchronous\":true,\"rest\":{\"relativeURI\":\"/customers\",\"method\":\"GET\","
	"\"resourcePath\":\"customers\",\"pagingMethod\":\"nextpageurl\","
	"\"nextPagePath\":\"next_page\"},\"pageSize\":20,"
	"\"hooks\":{\"_preSavePageId\":\"5587092fd78228000f0e001b\"}}",
	"{\"name\":\"Ten open tickets\",\"_connectionId\":\"5587092ef78228000000000a\","
	"\"type\":\"test\",\"test\":{\"limit\":10},\"rest\":{\"relativeURI\":\"/tickets\","
	"\"query\":{\"status\":\"open\"},\"resourcePath\":\"tickets\"}}",
	"{\"name\":\"My Webhook\",\"type\":\"webhook\",\"webhook\":{\"verify\":\"hmac\","
	"\"algorithm\":\"sha256\",\"encoding\":\"hex\",\"key\":\"********\","
	"\"header\":\"X-Apple-Banana\"}}",
	NULL,
};

const struct res_def res_export = {
	.type = "export",
	.segment = "exports",
	.title = "Export",
	.text = "Exports are used to extract data from an application or system. Exports can run "
		"standalone, or in the context of a flow: there they break the data down into "
		"pages and stream those pages to imports.",
	.tables = tables,
	.examples = examples,
	.api_letter = 'e',
	.check = check,
};
