/*
 * import.c - the rows of an import: how records become requests to an application.
 *
 * The mapping, its lookups and every template and path are compiled when the import is saved, so
 * that their faults are found by whoever writes them and not by the first record.
 */
#include "adaptor/rest/rest.h"
#include "core/map.h"
#include "map/mapping.h"
#include "resource/resource_priv.h"

static const struct fld rows[] = {
	{ "name", FLD_STR, FLD_INDEXED, "Give your import an intuitive name to stay organized.",
		.min = 1, .max = 512, .example = "\"REST API Sample Post\"" },
	{ "_connectionId", FLD_REF, FLD_REQUIRED,
		"The _id of the [Connection](connection.md) resource that should be used to "
		"access the system or application that gets the data.",
		.values = "connection", .example = "\"5587092ed7822800000d0c0a\"" },
	{ "apiIdentifier", FLD_STR, FLD_READ_ONLY,
		"The letter i and hexadecimal digits, given at creation: POST an array of records "
		"to it to invoke the import.",
		.example = "\"i66ec3120\"" },
	ROW_INTEGRATION,
	{ "maxAttempts", FLD_INT, 0,
		"How often a request is tried when the application can't be reached or answers "
		"408, 423, 429, 5xx, or 409 with Retry-After. The waits between are what "
		"Retry-After "
		"says, else 1 s, 5 s, 30 s and 2 min, give or take a fifth; the job is put aside "
		"for "
		"one of more than a minute. A call (invoke) tries a request again once at "
		"most, within 5 seconds.",
		.min = 1, .max = 10, .def = "4", .example = "3" },
	{ "ignoreExisting", FLD_BOOL, 0,
		"True: a record that the application has already is counted as ignored and not "
		"sent. rest.resourceId or ignoreExistingLoE says how that is found out.",
		.def = "false", .example = "true" },
	{ "ignoreExistingLoE", FLD_STR, FLD_LINE,
		"The name of the lookup, or the extract, that has a value when the record exists. "
		"rest.resourceId wins over it.",
		.min = 1, .max = 1024, .example = "\"idLookup\"" },
	{ "ignoreMissing", FLD_BOOL, 0,
		"True: a record that the application does not have is counted as ignored and not "
		"sent. rest.resourceId or ignoreMissingLoE says how that is found out, else the "
		"lookup in the first rest.relativeURI.",
		.def = "false", .example = "true" },
	{ "ignoreMissingLoE", FLD_STR, FLD_LINE,
		"The name of the lookup, or the extract, that has no value when the record is "
		"missing. rest.resourceId wins over it.",
		.min = 1, .max = 1024, .example = "\"idLookup\"" },
	{ NULL },
};

static const struct fld rest_rows[] = {
	{ "rest", FLD_OBJECT, FLD_REQUIRED,
		"The request that gives a record to a RESTful JSON API." },
	{ "rest.relativeURI", FLD_STR, FLD_REQUIRED | FLD_LINE | FLD_LIST_OR_ONE,
		"What is appended to the connection's rest.baseURI. Placeholders such as {id} "
		"stand for a lookup's result, else for the record's value, percent-encoded; a "
		"record that lacks one fails. Two of them: the first updates what exists, the "
		"second creates what does not, as rest.resourceId decides, else the lookup in the "
		"first.",
		.min = 0, .max = 8192, .example = "\"/customers\"" },
	{ "rest.method", FLD_ENUM, FLD_LIST_OR_ONE,
		"The HTTP method; two of them go with two relative URIs. POST, PUT and PATCH send "
		"the mapped record; the others have a body only when rest.body says so.",
		.values = "POST|PUT|PATCH|DELETE|GET", .def = "\"POST\"", .example = "\"POST\"" },
	{ "rest.body", FLD_ANY, 0,
		"The body to send instead of the mapped record: a JSON value whose texts may have "
		"placeholders, or a text such as \"id={id}\". Placeholders stand for a lookup's "
		"result, else the mapped record's value, else the record's. In a text with {{ }} "
		"single braces stand for themselves. With two relative URIs an array of two goes "
		"with them one by one.",
		.example = "{\"customer\":{\"name\":\"{first_name} {last_name}\"}}" },
	{ "rest.postBody", FLD_ANY, 0, "The same as rest.body.",
		.example = "{\"email\":\"{email}\"}" },
	{ "rest.batchSize", FLD_INT, 0,
		"For an API that takes arrays: up to so many records in a row whose requests "
		"differ in their bodies only are sent as one JSON array. An answer that is an "
		"array "
		"of as many elements is theirs one by one; any other is for all of them.",
		.min = 1, .max = 10000, .def = "1", .example = "100" },
	{ "rest.idempotencyHeader", FLD_STR, FLD_LINE,
		"The header that carries a record's idempotency key with POST, PUT, PATCH and "
		"DELETE: a repeat has the same one, so that an application that knows such keys "
		"does not act twice. Empty: none is sent.",
		.min = 0, .max = 128, .def = "\"Idempotency-Key\"", .example = "\"X-Request-Id\"" },
	{ "rest.headers", FLD_OBJECT, FLD_LIST,
		"Headers to send with every request of this import; they win over the "
		"connection's. "
		"Lookups do not send them.",
		.example = "[{\"name\":\"X-Region\",\"value\":\"{region}\"}]" },
	{ "rest.headers[].name", FLD_TOKEN, FLD_REQUIRED,
		"The header's name. Those that belong to the transfer itself, such as Host, "
		"Content-Length or Connection, can't be set.",
		.min = 1, .max = 256, .example = "\"Accept-Language\"" },
	{ "rest.headers[].value", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"The header's value, with placeholders as in rest.relativeURI. It is stored and "
		"answered in clear text: put secrets into the connection's own fields for them.",
		.min = 0, .max = 8192, .example = "\"en\"" },
	{ "rest.responseIdPath", FLD_STR, FLD_LINE,
		"The dotted path of the new record's id in the response. Not set: its `id`, else "
		"its `_id`.",
		.min = 1, .max = 1024, .example = "\"customer.id\"" },
	{ "rest.successPath", FLD_STR, FLD_LINE,
		"For an API that answers 200 to failures too: the dotted path of a value that is "
		"there and neither null, false, empty nor 0 when the request succeeded.",
		.min = 1, .max = 1024, .example = "\"ok\"" },
	{ "rest.successValues", FLD_STR, FLD_LIST,
		"The values at rest.successPath, as texts, that mean success; with them no other "
		"does.",
		.min = 0, .max = 1024, .example = "[\"ok\",\"accepted\"]" },
	{ "rest.resourceId", FLD_OBJECT, 0,
		"How it is found out whether a record exists already." },
	{ "rest.resourceId.lookupName", FLD_STR, FLD_LINE,
		"The name of the lookup that has a value when the record exists.", .min = 1,
		.max = 256, .example = "\"idLookup\"" },
	{ "rest.resourceId.extract", FLD_STR, FLD_LINE,
		"The path of the value in the record that is there when the record exists.",
		.min = 1, .max = 1024, .example = "\"remote_id\"" },
	{ "rest.lookups", FLD_OBJECT, FLD_LIST,
		"Values that are not in the record: found in a table, or asked of the application. "
		"Mappings, URIs, bodies and headers use them by name. Equal requests of a page are "
		"sent once." },
	{ "rest.lookups[].name", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"The lookup's name; each name may be used once.", .min = 1, .max = 256,
		.example = "\"currencyMap\"" },
	{ "rest.lookups[].map", FLD_MAP, 0,
		"A static lookup: its values by the extracted value, as text.",
		.example = "{\"USA\":\"USD\",\"JAPAN\":\"JPY\"}" },
	{ "rest.lookups[].relativeURI", FLD_STR, FLD_LINE,
		"A dynamic lookup: the relative URI that is asked, with placeholders for the "
		"record's values. An answer of 404 means that there is nothing.",
		.min = 1, .max = 8192, .example = "\"/customers?ns_id={internalId}\"" },
	{ "rest.lookups[].method", FLD_ENUM, 0, "The HTTP method of a dynamic lookup.",
		.values = "GET|POST", .def = "\"GET\"", .example = "\"GET\"" },
	{ "rest.lookups[].postData", FLD_ANY, 0,
		"The body of a dynamic lookup, in the forms of rest.body.",
		.example = "{\"email\":\"{email}\"}" },
	{ "rest.lookups[].postBody", FLD_ANY, 0, "The same as postData.",
		.example = "{\"email\":\"{email}\"}" },
	{ "rest.lookups[].body", FLD_ANY, 0, "The same as postData.",
		.example = "{\"email\":\"{email}\"}" },
	{ "rest.lookups[].extract", FLD_STR, FLD_LINE,
		"The dotted path of the value in a dynamic lookup's response; not set: the whole "
		"of "
		"it. Null, an empty text and an empty array are nothing. An array of one element "
		"is that element; one of several is a failure, and so is a response that is an "
		"array of several unless the extract begins with an index: `0.id` takes the first. "
		"So is an answer of another kind: a text, or for `0.id` an object.",
		.min = 1, .max = 1024, .example = "\"0.id\"" },
	{ "rest.lookups[].allowFailures", FLD_BOOL, 0,
		"What becomes of a record for which nothing, or several, are found: true leaves "
		"the "
		"value out, or takes the default, or the first of several; false fails the record. "
		"The lookup that decides whether a record exists may find nothing either way. A "
		"lookup that the application did not answer fails the record in any case.",
		.def = "false", .example = "true" },
	{ "rest.lookups[].default", FLD_ANY, FLD_NULLABLE,
		"The value that is taken when nothing is found and allowFailures is true.",
		.example = "\"EUR\"" },
	{ NULL },
};

/* The fields of one target record, or of one line of a list in it. */
#define ROWS_MAPPING(path)                                                                         \
	{ path "[].extract", FLD_STR, 0,                                                           \
		"Where the value comes from: a dotted path such as `billing.city` or "             \
		"`lines[0].sku`, or a text with placeholders such as `{first_name} {last_name}`. " \
		"What the record lacks is left out of the target.",                                \
		.min = 1, .max = 8192, .example = "\"billingAddress.city\"" },                     \
		{ path "[].generate", FLD_STR, FLD_REQUIRED | FLD_LINE,                            \
			"Where the value goes: a dotted path makes nested objects.", .min = 1,     \
			.max = 1024, .example = "\"billingAddress.city\"" },                       \
		{ path "[].hardCodedValue", FLD_ANY, FLD_NULLABLE,                                 \
			"A fixed value of any type instead of an extracted one; the empty text "   \
			"and null are values too.",                                                \
			.example = "false" },                                                      \
		{ path "[].lookupName", FLD_STR, FLD_LINE,                                         \
			"The name of the lookup that turns the extracted value into the one to "   \
			"send.",                                                                   \
			.min = 1, .max = 256, .example = "\"currencyMap\"" },                      \
		{ path "[].lookup", FLD_STR, FLD_LINE, "The same as lookupName.", .min = 1,        \
			.max = 256, .example = "\"currencyMap\"" },                                \
		{ path "[].conditional", FLD_OBJECT, 0,                                            \
			"When the field is mapped at all. Not set: always." },                     \
		{ path "[].conditional.when", FLD_ENUM, 0,                                         \
			"extract_not_empty: the extracted value is neither missing, null, an "     \
			"empty text, list nor object. lookup_not_empty, lookup_empty: the lookup " \
			"finds something, or nothing, which then is no failure. record_created, "  \
			"record_updated: the import is about to create, or update. ignore_if_set:" \
			" the application's record has no value there yet.",                       \
			.values = "extract_not_empty|lookup_not_empty|lookup_empty|"               \
				  "record_created|record_updated|ignore_if_set",                   \
			.example = "\"extract_not_empty\"" },                                      \
		{ path "[].conditional.lookupName", FLD_STR, FLD_LINE,                             \
			"The lookup that the condition asks with the extracted value. Not set: "   \
			"the field's own.",                                                        \
			.min = 1, .max = 256, .example = "\"currencyMap\"" },                      \
		{ path "[].discardIfEmpty", FLD_BOOL, 0,                                           \
			"True: a value that is null, or an empty text, list or object, is left "   \
			"out of the target.",                                                      \
			.def = "false", .example = "true" },                                       \
		{ path "[].dataType", FLD_ENUM, 0,                                                 \
			"The type to convert the value to; a value that can't be converted fails " \
			"the record. A single value becomes a list of one where a list is asked "  \
			"for. Not set: its own type.",                                             \
			.values = "string|number|boolean|stringarray|numberarray|booleanarray|"    \
				  "objectarray",                                                   \
			.example = "\"string\"" },                                                 \
		{ path "[].default", FLD_ANY, FLD_NULLABLE,                                        \
			"The value that is taken when the record has none; written as it stands.", \
			.example = "\"unknown\"" },                                                \
		{ path "[].extractDateFormat", FLD_STR, FLD_LINE,                                  \
			"How the extracted date is written, in the tokens of moment.js. Not set, " \
			"where another of the date fields is: ISO 8601, or seconds or "            \
			"milliseconds since 1970. A value that can't be read fails the record.",   \
			.min = 1, .max = 128, .example = "\"MM/DD/YYYY\"" },                       \
		{ path "[].extractDateTimezone", FLD_STR, FLD_LINE,                                \
			"The time zone of an extracted date that does not name its own. Not set: " \
			"UTC.",                                                                    \
			.min = 1, .max = 64, .example = "\"America/New_York\"" },                  \
		{ path "[].generateDateFormat", FLD_STR, FLD_LINE,                                 \
			"How the date is to be written, in the tokens of moment.js. Not set, "     \
			"where another of the date fields is: ISO 8601.",                          \
			.min = 1, .max = 128, .example = "\"YYYY-MM-DD\"" },                       \
		{ path "[].generateDateTimezone", FLD_STR, FLD_LINE,                               \
			"The time zone to write the date in. Not set: extractDateTimezone.",       \
			.min = 1, .max = 64, .example = "\"UTC\"" },                               \
	{                                                                                          \
		path "[].immutable", FLD_BOOL, FLD_UNUSED,                                         \
			"True: users of a connector can't edit this field's mapping.",             \
			.def = "false", .example = "true"                                          \
	}

static const struct fld mapping_rows[] = {
	{ "mapping", FLD_OBJECT, 0,
		"How a record becomes the one to send. Not set: records pass unchanged." },
	{ "mapping.fields", FLD_OBJECT, FLD_LIST, "The fields of the target record, in order." },
	ROWS_MAPPING("mapping.fields"),
	{ "mapping.lists", FLD_OBJECT, FLD_LIST, "The arrays of the target record." },
	{ "mapping.lists[].generate", FLD_STR, FLD_REQUIRED | FLD_LINE,
		"The array's place in the target record.", .min = 1, .max = 1024,
		.example = "\"lines\"" },
	{ "mapping.lists[].fields", FLD_OBJECT, FLD_LIST | FLD_REQUIRED,
		"The fields of each of its elements. Extracts with [*] walk the arrays they name "
		"together by index; a second [*] takes the first element; those without are "
		"repeated on every line. `*.sku` and "
		"`[*].sku` "
		"walk the rows of a record that is a list." },
	ROWS_MAPPING("mapping.lists[].fields"),
	{ NULL },
};

static const struct fld filter_rows[] = {
	ROWS_FILTER("records the import takes, as they come from the export."),
	{ NULL },
};

static const struct fld hook_rows[] = {
	{ "hooks", FLD_OBJECT, 0, "Functions of yours that are called while the import runs." },
	{ "hooks._preMapId", FLD_REF, FLD_INERT,
		"The _id of the hook that gets the records before they are mapped.",
		.values = "hook", .example = "\"5587092fd78228000000000a\"" },
	{ "hooks._postMapId", FLD_REF, FLD_INERT,
		"The _id of the hook that gets the records after they were mapped.",
		.values = "hook", .example = "\"5561092fd78228000000010b\"" },
	{ "hooks._postSubmitId", FLD_REF, FLD_INERT,
		"The _id of the hook that gets the application's answers.", .values = "hook",
		.example = "\"5521092fd78228000100011c\"" },
	ROWS_INLINE_HOOK("hooks.preMap", "with the records before they are mapped"),
	ROWS_INLINE_HOOK("hooks.postMap", "with the records after they were mapped"),
	ROWS_INLINE_HOOK("hooks.postSubmit", "with the application's answers"),
	{ "hooks.isolate", FLD_BOOL, FLD_UNUSED,
		"Whether a page whose hook failed is tried again record by record, so that one "
		"bad record does not take the others with it.",
		.def = "true", .example = "false" },
	{ NULL },
};

/* A composite import has as many methods as URIs: two. */
static void check_composite(const struct json *doc, struct problems *p)
{
	const struct json *uri = res_at(doc, "rest.relativeURI");
	const struct json *method = res_at(doc, "rest.method");
	size_t uris = json_is_array(uri) ? uri->n : 1;
	size_t methods = json_is_array(method) ? method->n : 1;

	if (json_is_array(uri) && (uris == 0 || uris > 2))
		problems_add(p, ERR_INVALID, "rest.relativeURI", NULL,
			"rest.relativeURI must be one URI or an array of one or two; found %zu",
			uris);
	else if (uris == 2 && method == NULL)
		problems_add(p, ERR_MISSING, "rest.method", "[\"PUT\", \"POST\"]",
			"rest.method is required with two relative URIs: it says how each is "
			"called");
	else if (uri != NULL && method != NULL && uris != methods)
		problems_add(p, ERR_INVALID, "rest.method", NULL,
			"rest.method must go with rest.relativeURI one by one; found %zu and %zu",
			methods, uris);
}

static void check_uris(const struct json *doc, struct problems *p)
{
	const struct json *uri = res_at(doc, "rest.relativeURI");
	size_t i = 0;

	if (!json_is_array(uri)) {
		res_check_uri(uri, "rest.relativeURI", p);
		return;
	}
	for (json_each (it, uri))
		res_check_uri(it, str_fmt(p->arena, "rest.relativeURI.%zu", i++).p, p);
}

/* Of several spellings of one field only one. */
static void check_spellings(const struct json *doc, const char *at, const char *const *names,
	struct problems *p)
{
	const char *found = NULL;

	for (; *names != NULL; names++) {
		if (json_get(doc, str_z(*names)) == NULL)
			continue;
		if (found != NULL)
			problems_add(p, ERR_INVALID, str_fmt(p->arena, "%s.%s", at, *names).p,
				"leave one of them out", "%s.%s and %s.%s are the same field", at,
				*names, at, found);
		found = *names;
	}
}

static void check_lookup(const struct json *lookup, const char *at, struct problems *p)
{
	const struct json *uri = json_get(lookup, STR("relativeURI"));
	static const char *const bodies[] = { "postData", "postBody", "body", NULL };
	bool map = json_get(lookup, STR("map")) != NULL;

	check_spellings(lookup, at, bodies, p);
	for (const char *const *body = bodies; *body != NULL; body++)
		res_check_import_text(json_get(lookup, str_z(*body)),
			str_fmt(p->arena, "%s.%s", at, *body).p, p);
	if (map == (uri != NULL))
		problems_add(p, map ? ERR_INVALID : ERR_MISSING, str_fmt(p->arena, "%s.map", at).p,
			NULL,
			"%s must have either map, for a static lookup, or relativeURI, for a "
			"dynamic one",
			at);
	res_check_uri(uri, str_fmt(p->arena, "%s.relativeURI", at).p, p);
	res_check_extract(json_get(lookup, STR("extract")), str_fmt(p->arena, "%s.extract", at).p,
		p);
}

static void check_lookups(const struct json *doc, struct problems *p)
{
	const struct json *lookups = res_at(doc, "rest.lookups");
	struct map *seen = map_new(p->arena);
	size_t i = 0;

	if (!json_is_array(lookups))
		return;
	for (json_each (it, lookups)) {
		const char *at = str_fmt(p->arena, "rest.lookups.%zu", i++).p;
		struct str name = json_get_str(it, STR("name"));

		if (it->type != JSON_OBJECT)
			continue;
		check_lookup(it, at, p);
		if (name.p != NULL && map_put(seen, name, p) != NULL)
			problems_add(p, ERR_INVALID, str_fmt(p->arena, "%s.name", at).p, NULL,
				"%s.name: another lookup is called %.*s too", at, STR_ARG(name));
	}
}

static void check_body(const struct json *doc, struct problems *p)
{
	static const char *const names[] = { "body", "postBody", NULL };
	const struct json *rest = res_at(doc, "rest"), *body = json_get(rest, STR("body"));
	const struct json *uri = json_get(rest, STR("relativeURI"));

	check_spellings(rest, "rest", names, p);
	const char *field = body != NULL ? "rest.body" : "rest.postBody";

	if (body == NULL)
		body = json_get(rest, STR("postBody"));
	if (!json_is_array(body) || !json_is_array(uri) || uri->n != 2) {
		res_check_import_text(body, field, p);
		return;
	}
	size_t i = 0;

	if (body->n != 2)
		problems_add(p, ERR_INVALID, field, NULL,
			"%s must have one element for each of the two relative URIs; found %u",
			field, body->n);
	for (json_each (it, body))
		res_check_import_text(it, str_fmt(p->arena, "%s.%zu", field, i++).p, p);
}

static void check_header_texts(const struct json *doc, struct problems *p)
{
	const struct json *list = res_at(doc, "rest.headers");
	size_t i = 0;

	if (!json_is_array(list))
		return;
	for (json_each (it, list))
		res_check_import_text(json_get(it, STR("value")),
			str_fmt(p->arena, "rest.headers.%zu.value", i++).p, p);
}

static void check_ignored(const struct json *doc, struct problems *p)
{
	if (json_get_true(doc, STR("ignoreExisting")) && json_get_true(doc, STR("ignoreMissing")))
		problems_add(p, ERR_INVALID, "ignoreMissing", "leave one of them out",
			"ignoreMissing and ignoreExisting together ignore every record");
}

/* What only the adaptor's own compiler finds: templates, and how existence is decided. */
static void check_sink(const struct json *doc, struct problems *p)
{
	struct err err = ERR_INIT;

	if (!rest_import_check(doc, &err))
		problems_add_err(p, &err);
}

static void check(const struct json *doc, struct problems *p)
{
	check_composite(doc, p);
	check_uris(doc, p);
	check_body(doc, p);
	check_ignored(doc, p);
	res_check_headers(doc, "rest.headers", p);
	check_header_texts(doc, p);
	res_check_extract_at(doc, "rest.responseIdPath", p);
	res_check_extract_at(doc, "rest.successPath", p);
	check_lookups(doc, p);
	res_check_filter(doc, "filter", p);
	res_check_target(doc, "hooks.preMap", p);
	res_check_target(doc, "hooks.postMap", p);
	res_check_target(doc, "hooks.postSubmit", p);
	res_check_mapping(doc, p);
	/* the adaptor takes it for granted that every row was checked */
	if (p->count == 0)
		check_sink(doc, p);
}

static const struct fld *const tables[] = { res_rows_head, rows, rest_rows, filter_rows,
	mapping_rows, hook_rows, res_rows_tail, NULL };

static const char *const examples[] = {
	"{\"name\":\"REST API Sample Post\",\"_connectionId\":\"5587092ed7822800000d0c0a\","
	"\"rest\":{\"relativeURI\":\"/customers\",\"method\":\"POST\"},\"mapping\":{\"fields\":["
	"{\"extract\":\"street1\",\"generate\":\"billingAddress.addr1\"},"
	"{\"extract\":\"street2\",\"generate\":\"billingAddress.addr2\"},"
	"{\"extract\":\"city\",\"generate\":\"billingAddress.city\"},"
	"{\"extract\":\"state\",\"generate\":\"billingAddress.state\"},"
	"{\"extract\":\"zip\",\"generate\":\"billingAddress.zip\"},"
	"{\"extract\":\"{first_name} {last_name}\",\"generate\":\"billingAddress.addressee\"}]}}",
	"{\"name\":\"Composite Add or Update Import\","
	"\"_connectionId\":\"5587092ed78228000000000a\","
	"\"rest\":{\"relativeURI\":[\"/customers/{idLookup}\",\"/customers\"],"
	"\"method\":[\"PUT\",\"POST\"],\"lookups\":[{\"name\":\"idLookup\","
	"\"relativeURI\":\"/"
	"customers?ns_id={internalId}\",\"method\":\"GET\",\"extract\":\"0.id\"},"
	"{\"name\":\"currencyMap\",\"map\":{\"USA\":\"USD\",\"JAPAN\":\"JPY\",\"UK\":\"GDP\"},"
	"\"allowFailures\":\"false\"}]},\"mapping\":{\"fields\":["
	"{\"extract\":\"billingAddress.city\",\"generate\":\"city\"},"
	"{\"extract\":\"billingAddress.zip\",\"generate\":\"zip\"},"
	"{\"extract\":\"{firstName} {lastName}\",\"generate\":\"addressee\"},"
	"{\"generate\":\"opt_out\",\"hardCodedValue\":false},"
	"{\"generate\":\"source\",\"hardCodedValue\":\"phone\"},"
	"{\"extract\":\"billingAddress.country\",\"generate\":\"currency\","
	"\"lookupName\":\"currencyMap\"}]},"
	"\"hooks\":{\"_preMapId\":\"5587092fd78228000000000a\","
	"\"_postMapId\":\"5561092fd78228000000010b\","
	"\"_postSubmitId\":\"5521092fd78228000100011c\"}}",
	NULL,
};

const struct res_def res_import = {
	.type = "import",
	.segment = "imports",
	.title = "Import",
	.text = "Imports are used to insert data into an application. Like exports, imports can "
		"run standalone, or in the context of a flow.",
	.tables = tables,
	.examples = examples,
	.api_letter = 'i',
	.check = check,
};
