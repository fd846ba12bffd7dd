/*
 * test_tables.c - every row of every type says what it should: the house's rule that a table is
 * documentation, default and check at once.
 */
#include "test.h"

#include "adaptor/webhook/webhook.h"
#include "resource/resource.h"

struct each_row {
	struct arena *a;
	const struct res_def *def;
	const struct schema *s;
	const struct fld *f;
};

static const struct json *parse(struct arena *a, const char *text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(a, str_z(text), &doc, &err))
		fail_msg("%s: %s", text, err.message);
	return doc;
}

static void for_each_row(void (*fn)(const struct each_row *row))
{
	for (size_t i = 0; resource_defs[i] != NULL; i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		struct each_row row = { .a = a, .def = resource_defs[i] };

		row.s = schema_compile(a, row.def);
		for (const struct fld *const *t = row.def->tables; *t != NULL; t++)
			for (row.f = *t; row.f->path != NULL; row.f++)
				fn(&row);
	}
}

static bool is_type(struct str word)
{
	for (size_t i = 0; resource_defs[i] != NULL; i++)
		if (str_eq_z(word, resource_defs[i]->type))
			return true;
	return false;
}

static void check_words(const struct each_row *row)
{
	const struct fld *f = row->f;
	struct str text = str_z(f->text);
	char last = text.p[text.n - 1];

	/* a sentence that says more than the name does */
	if (text.n < 18 || text.n > 480 || (last != '.' && last != '`') ||
		str_find(text, STR("  ")) != STR_NPOS)
		fail_msg("%s %s: \"%s\"", row->def->type, f->path, f->text);
	if (f->type != FLD_OBJECT && f->example == NULL)
		fail_msg("%s %s has no example", row->def->type, f->path);
}

static void test_rows_have_words(void **state)
{
	(void)state;
	for_each_row(check_words);
}

static void check_refs(const struct each_row *row)
{
	struct str rest = str_z(row->f->values);

	if (row->f->type != FLD_REF)
		return;
	while (rest.p != NULL)
		if (!is_type(str_cut(&rest, '|')))
			fail_msg("%s %s refers to no type: %s", row->def->type, row->f->path,
				row->f->values);
}

static void test_references_have_types(void **state)
{
	(void)state;
	for_each_row(check_refs);
}

/* {"a":{"b":[{"c":VALUE}]}} for "a.b[].c". */
static struct str nest(struct arena *a, struct str path, const char *value)
{
	struct str head = str_cut(&path, '.');
	bool element = str_ends(head, STR("[]"));

	if (element)
		head.n -= 2;
	struct str inner = path.p == NULL ? str_z(value) : nest(a, path, value);

	return str_fmt(a, element ? "{\"%.*s\":[%.*s]}" : "{\"%.*s\":%.*s}", STR_ARG(head),
		STR_ARG(inner));
}

/* Adds what the conditions of the row, and of the objects it is in, ask for. */
static const struct json *with_conditions(const struct each_row *row, const struct json *doc)
{
	for (const struct fld *const *t = row->def->tables; *t != NULL; t++) {
		for (const struct fld *f = *t; f->path != NULL; f++) {
			size_t n = strlen(f->path);

			if (f->when == NULL || strncmp(f->path, row->f->path, n) != 0 ||
				(row->f->path[n] != '\0' && row->f->path[n] != '.'))
				continue;
			struct str values = str_z(f->when), path = str_cut(&values, '=');
			struct str word = str_cut(&values, '|');

			doc = schema_merge_patch(row->a, doc,
				parse(row->a, nest(row->a, path,
						      str_fmt(row->a, "\"%.*s\"", STR_ARG(word)).p)
						      .p));
		}
	}
	return doc;
}

/* The row's value alone makes no valid document, but no problem may be with the value itself. */
static void check_value(const struct each_row *row, const char *value, const char *what)
{
	const struct json *out, *doc;
	struct problems p;
	char plain[ERR_FIELD_MAX];
	size_t n = 0;

	doc = with_conditions(row, parse(row->a, nest(row->a, str_z(row->f->path), value).p));
	problems_init(&p, row->a);
	if (schema_validate(row->s, doc, NULL, row->a, &out, &p))
		return;
	for (const char *c = row->f->path; *c != '\0'; c++) {
		if (c[0] == '[') {
			memcpy(plain + n, ".0", 2);
			n += 2;
			c++;
		} else {
			plain[n++] = *c;
		}
	}
	plain[n] = '\0';
	for (size_t i = 0; i < p.count; i++)
		if (strncmp(p.list[i].field, plain, n) == 0 &&
			(p.list[i].field[n] == '\0' || p.list[i].field[n] == '.') &&
			p.list[i].code != ERR_READ_ONLY)
			fail_msg("%s: %s of %s: %s", row->def->type, what, row->f->path,
				p.list[i].message);
}

static void check_example(const struct each_row *row)
{
	if (row->f->example != NULL)
		check_value(row, row->f->example, "example");
	if (row->f->def != NULL)
		check_value(row, row->f->def, "default");
}

static void test_examples_and_defaults_fit(void **state)
{
	(void)state;
	for_each_row(check_example);
}

static void test_documents_validate(void **state)
{
	(void)state;
	for (size_t i = 0; resource_defs[i] != NULL; i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct schema *s = schema_compile(a, resource_defs[i]);

		assert_non_null(resource_defs[i]->examples[0]);
		for (const char *const *e = resource_defs[i]->examples; *e != NULL; e++) {
			const struct json *once, *again;
			struct problems p;

			problems_init(&p, a);
			if (!schema_validate(s, parse(a, *e), NULL, a, &once, &p))
				fail_msg("%s: %s", *e, p.list[0].message);
			assert_true(schema_validate(s, once, NULL, a, &again, &p));
			assert_true(json_equal(once, again));
		}
	}
}

static void test_pages_and_schemas_are_made(void **state)
{
	(void)state;
	for (size_t i = 0; resource_defs[i] != NULL; i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct schema *s = schema_compile(a, resource_defs[i]);
		struct buf page DEFER(buf_free) = BUF_INIT(0);
		struct json_build b;

		schema_markdown(s, &page);
		json_build_init(&b, a);
		schema_openapi(s, &b);
		assert_non_null(json_get(json_build_done(&b), STR("properties")));
		for (const struct fld *const *t = resource_defs[i]->tables; *t != NULL; t++)
			for (const struct fld *f = *t; f->path != NULL; f++)
				if (str_find(buf_str(&page), str_fmt(a, "| **%s** | ", f->path)) ==
					STR_NPOS)
					fail_msg("%s lacks %s", resource_defs[i]->title, f->path);
	}
}

/* ---- rules between fields ---- */

struct rule {
	const char *type, *body, *want; /* "field code, field code"; NULL: valid */
};

static const struct schema *schema_of(struct arena *a, const char *type)
{
	for (size_t i = 0; resource_defs[i] != NULL; i++)
		if (strcmp(resource_defs[i]->type, type) == 0)
			return schema_compile(a, resource_defs[i]);
	fail_msg("no type %s", type);
	return NULL;
}

static void check_rule(const struct rule *r)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *out;
	struct problems p;
	struct str got = STR("");

	problems_init(&p, a);
	bool ok = schema_validate(schema_of(a, r->type), parse(a, r->body), NULL, a, &out, &p);

	for (size_t i = 0; i < p.count; i++)
		got = str_fmt(a, "%.*s%s%s %s", STR_ARG(got), i > 0 ? ", " : "", p.list[i].field,
			err_info(p.list[i].code)->wire);
	if (ok != (r->want == NULL) || (r->want != NULL && !str_eq_z(got, r->want)))
		fail_msg("%s: got \"%.*s\", want \"%s\": %s", r->body, STR_ARG(got),
			r->want == NULL ? "" : r->want, p.count > 0 ? p.list[0].message : "");
}

#define OAUTH          ",\"tokenURI\":\"https://a.example/t\",\"_iClientId\":\"5587092ed782280000000001\""
#define CONN(rest)     "{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"" rest "}}"
#define EXP(more)      "{\"_connectionId\":\"5587092ef78228000000000a\"," more "}"
#define HOOK(more)     "{\"type\":\"webhook\",\"webhook\":{" more "}}"
#define EXP_REST(more) EXP("\"rest\":{\"relativeURI\":\"/x\"" more "}")
#define MAPS(members) \
	",\"mapping\":{\"fields\":[{\"extract\":\"a\",\"generate\":\"x\"," members "}]}"

#define IMP(rest, more)                                                                         \
	"{\"_connectionId\":\"5587092ef78228000000000a\",\"rest\":{\"relativeURI\":\"/x\"" rest \
	"}" more "}"

static const struct rule rules[] = {
	{ "connection", "{\"type\":\"netsuite\"}", "type invalid_field" },
	/* all at once, also where the word that decides on a section is missing */
	{ "connection", "{}", "type missing_required_field, rest.baseURI missing_required_field" },
	{ "connection", "{\"rest\":{}}",
		"type missing_required_field, rest.baseURI missing_required_field" },
	{ "connection", "{\"type\":\"rset\",\"rest\":{\"authType\":\"token\"}}",
		"type invalid_field, rest.baseURI missing_required_field, "
		"rest.bearerToken missing_required_field" },
	{ "export", "{\"rest\":{}}",
		"_connectionId missing_required_field, rest.relativeURI missing_required_field" },
	{ "export", "{\"webhook\":{\"verify\":\"secret_url\"},\"pageSize\":0}",
		"pageSize invalid_field, webhook unknown_field, webhook.token "
		"missing_required_field" },
	{ "import", "{\"rest\":{}}",
		"_connectionId missing_required_field, rest.relativeURI missing_required_field" },
	{ "connection", CONN(""), NULL },
	{ "connection", CONN(",\"authType\":\"token\""),
		"rest.bearerToken missing_required_field" },
	{ "connection", CONN(",\"authType\":\"basic\",\"bearerToken\":\"x\""),
		"rest.basicAuth.username missing_required_field" },
	{ "connection", CONN(",\"bearerToken\":\"x\",\"basicAuth\":{\"username\":\"u\"}"),
		"rest.authType invalid_field" },
	{ "connection", CONN(",\"authType\":\"oauth\""),
		"rest.tokenURI missing_required_field, rest._iClientId missing_required_field" },
	{ "connection", CONN(",\"refreshToken\":\"r\",\"bearerToken\":\"x\""),
		"rest.tokenURI missing_required_field, rest._iClientId missing_required_field" },
	{ "connection", CONN(",\"refreshToken\":\"r\"" OAUTH), NULL },
	{ "connection", CONN(",\"authType\":\"oauth\"" OAUTH), NULL },
	{ "connection", CONN(",\"refreshToken\":\"r\",\"basicAuth\":{\"username\":\"u\"}" OAUTH),
		"rest.authType invalid_field" },
	{ "connection", CONN(",\"basicAuth\":{\"username\":\"a:b\"}"),
		"rest.basicAuth.username invalid_field" },
	{ "connection", CONN(",\"authHeader\":\"X Y\""), "rest.authHeader invalid_field" },
	{ "connection", CONN(",\"authScheme\":\"\""), NULL },
	{ "connection", CONN(",\"headers\":[{\"name\":\"content-length\",\"value\":\"1\"}]"),
		"rest.headers.0.name invalid_field" },
	{ "connection", CONN(",\"headers\":[{\"name\":\"A\",\"value\":\"b\\nc: d\"}]"),
		"rest.headers.0.value invalid_field" },
	{ "connection", CONN(",\"concurrencyLevel\":101"), "rest.concurrencyLevel invalid_field" },
	{ "export", EXP_REST(""), NULL },
	{ "export", "{\"name\":\"E\"}",
		"_connectionId missing_required_field, rest.relativeURI missing_required_field" },
	{ "export", EXP_REST(",\"pagingMethod\":\"nextpageurl\""),
		"rest.nextPagePath missing_required_field" },
	{ "export", EXP_REST(",\"pagingMethod\":\"token\""),
		"rest.nextPagePath missing_required_field, rest.pageArgument "
		"missing_required_field" },
	{ "export",
		EXP("\"type\":\"once\",\"once\":{\"booleanField\":\"done\"},\"rest\":{"
		    "\"relativeURI\":\"/x\"}"),
		"rest.once.relativeURI missing_required_field" },
	{ "export",
		EXP("\"delta\":{\"dateFormat\":\"YYYY-MM-DD\"},\"rest\":{\"relativeURI\":\"/x\"}"),
		NULL },
	{ "export", EXP_REST(",\"lastPagePath\":\"a[\""), "rest.lastPagePath invalid_field" },
	{ "connection", CONN(",\"authType\":\"cookie\""),
		"rest.cookieAuth.uri missing_required_field" },
	{ "connection", CONN(",\"pingFailurePath\":\"a..b\""),
		"rest.pingFailurePath invalid_field" },
	{ "export", EXP_REST(",\"pagingMethod\":\"pageargument\""), NULL },
	{ "export", EXP_REST(",\"pagingMethod\":\"scroll\""), "rest.pagingMethod invalid_field" },
	{ "export", EXP("\"rest\":{\"relativeURI\":\"https://b.example/x\"}"),
		"rest.relativeURI invalid_field" },
	{ "export", EXP("\"rest\":{\"relativeURI\":\"/x/{open\"}"),
		"rest.relativeURI invalid_field" },
	{ "export", EXP_REST(",\"resourcePath\":\"a[\""), "rest.resourcePath invalid_field" },
	{ "export", EXP_REST(",\"query\":{\"a\":1,\"b\":{}}"), "rest.query.b invalid_field" },
	{ "export", EXP_REST("") /* one line */, NULL },
	{ "export", EXP("\"type\":\"once\",\"rest\":{\"relativeURI\":\"/x\"}"),
		"once.booleanField missing_required_field, rest.once.relativeURI "
		"missing_required_field" },
	{ "export", "{\"type\":\"webhook\",\"webhook\":{\"verify\":\"token\"}}",
		"webhook.token missing_required_field, webhook.path missing_required_field" },
	{ "export", "{\"type\":\"webhook\"}", "webhook.verify missing_required_field" },
	{ "export", HOOK("\"verify\":\"hmac\""),
		"webhook.algorithm missing_required_field, webhook.encoding "
		"missing_required_field, webhook.key missing_required_field, webhook.header "
		"missing_required_field" },
	{ "export", HOOK("\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"header\""),
		"webhook.tokenHeaderName missing_required_field" },
	{ "export", HOOK("\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"queryParam\""),
		"webhook.tokenQueryParamName missing_required_field" },
	{ "export", HOOK("\"verify\":\"token\",\"token\":\"t\",\"path\":\"a[\""),
		"webhook.path invalid_field" },
	{ "export", HOOK("\"verify\":\"basic\",\"username\":\"a:b\",\"password\":\"p\""),
		"webhook.username invalid_field" },
	{ "export", HOOK("\"verify\":\"secret_url\""), "webhook.token missing_required_field" },
	{ "export", HOOK("\"verify\":\"secret_url\",\"token\":\"only15bytes1234\""),
		"webhook.token invalid_field" },
	{ "export", HOOK("\"verify\":\"secret_url\",\"token\":\"these16bytes1234\""), NULL },
	{ "export", HOOK("\"verify\":\"secret_url\",\"token\":\"these16bytes1234\",\"key\":\"k\""),
		"webhook.key invalid_field" },
	{ "export", HOOK("\"verify\":\"standard\",\"key\":\"whsec_c2VjcmV0\""), NULL },
	{ "export", HOOK("\"verify\":\"standard\",\"key\":\"whsec_%\""),
		"webhook.key invalid_field" },
	{ "export", HOOK("\"provider\":\"github\",\"key\":\"k\",\"previousKey\":\"o\""), NULL },
	{ "export", HOOK("\"provider\":\"github\",\"verify\":\"hmac\",\"key\":\"k\""), NULL },
	{ "export", HOOK("\"provider\":\"github\",\"verify\":\"token\",\"key\":\"k\""),
		"webhook.verify invalid_field" },
	{ "export", HOOK("\"provider\":\"github\",\"key\":\"k\",\"header\":\"X\""),
		"webhook.header invalid_field" },
	{ "export", HOOK("\"provider\":\"gitlab\""), "webhook.token missing_required_field" },
	{ "export", HOOK("\"provider\":\"meta\",\"key\":\"k\""),
		"webhook.token missing_required_field" },
	{ "export", HOOK("\"provider\":\"custom\""), "webhook.verify missing_required_field" },
	{ "export", HOOK("\"provider\":\"githup\""), "webhook.provider invalid_field" },
	{ "export",
		HOOK("\"provider\":\"stripe\",\"key\":\"k\",\"successStatusCode\":204,"
		     "\"successBody\":\"x\""),
		"webhook.successBody invalid_field" },
	{ "export", HOOK("\"provider\":\"stripe\",\"key\":\"k\",\"successStatusCode\":300"),
		"webhook.successStatusCode invalid_field" },
	{ "export", EXP("\"rest\":{\"relativeURI\":\"/x\"},\"webhook\":{\"verify\":\"token\"}"),
		"webhook unknown_field" },
	{ "export",
		EXP("\"rest\":{\"relativeURI\":\"/"
		    "x\"},\"hooks\":{\"preSavePage\":{\"function\":\"f\"}}"),
		"hooks.preSavePage._scriptId missing_required_field" },
	{ "export",
		EXP("\"rest\":{\"relativeURI\":\"/"
		    "x\"},\"hooks\":{\"preSavePage\":{\"_stackId\":null,"
		    "\"function\":null}}"),
		NULL },
	{ "export",
		EXP("\"rest\":{\"relativeURI\":\"/x\"},\"type\":\"test\",\"test\":{\"limit\":101}"),
		"test.limit invalid_field" },
	{ "export", EXP_REST("},\"filter\":{\"rules\":[\"eqals\",[\"extract\",\"a\"],1]"),
		"filter.rules.0 invalid_field" },
	{ "export",
		EXP_REST("},\"filter\":{\"type\":\"expression\",\"version\":\"1\",\"expression\":{"
			 "\"version\":\"1\",\"rules\":[\"matches\",[\"extract\",\"a\"],\"(\"]}"),
		"filter.expression.rules.2 invalid_field" },
	{ "export", EXP_REST("},\"filter\":{\"type\":\"script\""), "filter.type invalid_field" },
	{ "export",
		EXP_REST("},\"transform\":{\"version\":\"1\",\"rules\":[[{\"extract\":\"a\","
			 "\"generate\":\"b\"},{\"extract\":\"a..c\",\"generate\":\"d\"}]]"),
		"transform.rules.0.1.extract invalid_field" },
	{ "export", EXP_REST("},\"transform\":{\"version\":\"2\""),
		"transform.version invalid_field" },
	{ "import", IMP("", ",\"filter\":{\"rules\":[\"equals\",1]}"),
		"filter.rules invalid_field" },
	{ "import", IMP("", ",\"filter\":{\"rules\":[\"not\",[\"extract\",\"a\"]]}"), NULL },
	{ "import", IMP("", ""), NULL },
	{ "import", "{\"name\":\"I\"}",
		"_connectionId missing_required_field, rest.relativeURI missing_required_field" },
	{ "import", IMP(",\"method\":[\"PUT\",\"POST\"]", ""), "rest.method invalid_field" },
	{ "import",
		"{\"_connectionId\":\"5587092ef78228000000000a\",\"rest\":{\"relativeURI\":[\"/a\","
		"\"/b\",\"/c\"]}}",
		"rest.relativeURI invalid_field" },
	{ "import", IMP(",\"lookups\":[{\"name\":\"a\"}]", ""),
		"rest.lookups.0.map missing_required_field" },
	{ "import",
		IMP(",\"lookups\":[{\"name\":\"a\",\"map\":{}},{\"name\":\"a\",\"map\":{}}]", ""),
		"rest.lookups.1.name invalid_field" },
	{ "import", IMP(",\"lookups\":[{\"name\":\"a\",\"map\":{},\"relativeURI\":\"/l\"}]", ""),
		"rest.lookups.0.map invalid_field" },
	{ "import", IMP(",\"lookups\":[{\"name\":\"a\",\"relativeURI\":\"/l/{x\"}]", ""),
		"rest.lookups.0.relativeURI invalid_field" },
	{ "import", IMP(",\"responseIdPath\":\"a..b\"", ""), "rest.responseIdPath invalid_field" },
	{ "import",
		IMP("", ",\"mapping\":{\"fields\":[{\"extract\":\"a\",\"generate\":\"b\"},"
			"{\"extract\":\"a[\",\"generate\":\"c\"}]}"),
		"mapping.fields.1.extract invalid_field" },
	{ "import",
		IMP("", ",\"mapping\":{\"fields\":[{\"extract\":\"a\",\"generate\":\"b\","
			"\"lookupName\":\"no\"}]}"),
		"mapping.fields.0.lookupName invalid_field" },
	{ "flow", "{\"name\":\"F\"}",
		"_exportId missing_required_field, _importId missing_required_field" },
	{ "flow",
		"{\"_exportId\":\"507f1f77bcf86cd799439011\",\"_importId\":"
		"\"507f1f77bcf86cd799439030\","
		"\"schedule\":\"*/15 * * * *\",\"timezone\":\"Europe Berlin\"}",
		"schedule invalid_field, timezone invalid_field" },
	{ "flow",
		"{\"_exportId\":\"507f1f77bcf86cd799439011\",\"_importId\":"
		"\"507f1f77bcf86cd799439030\","
		"\"schedule\":\"? 0 6;18 ? * *\"}",
		"schedule invalid_field" },
	{ "hook", "{\"function\":\"f\"}", "_scriptId missing_required_field" },
	{ "hook",
		"{\"function\":\"f\",\"_scriptId\":\"507f1f77bcf86cd799439011\","
		"\"_stackId\":\"507f1f77bcf86cd799439030\"}",
		"_scriptId invalid_field" },
	{ "flow",
		"{\"name\":\"F\",\"_exportId\":\"507f1f77bcf86cd799439011\","
		"\"_importId\":\"507f1f77bcf86cd799439030\","
		"\"schedule\":\"? 0 0 30 2 ?\",\"timezone\":\"Europe/Atlantis\"}",
		"schedule invalid_field, timezone invalid_field" },
	{ "import", IMP("", MAPS("\"extractDateFormat\":\"MM/DD\"")),
		"mapping.fields.0.extractDateFormat invalid_field" },
	{ "import", IMP("", MAPS("\"generateDateTimezone\":\"Mars/Base\"")),
		"mapping.fields.0.generateDateTimezone invalid_field" },
	{ "import", IMP("", MAPS("\"conditional\":{\"when\":\"sometimes\"}")),
		"mapping.fields.0.conditional.when invalid_field" },
	{ "import", IMP("", MAPS("\"conditional\":{\"when\":\"lookup_empty\"}")),
		"mapping.fields.0.conditional.when invalid_field" },
	{ "stack", "{\"name\":\"S\",\"type\":\"server\"}",
		"server.hostURI missing_required_field, server.systemToken "
		"missing_required_field" },
	{ "stack",
		"{\"name\":\"S\",\"type\":\"server\",\"protocol\":\"2015\",\"server\":{"
		"\"hostURI\":\"https://s.example\",\"systemToken\":\"t\"}}",
		"module missing_required_field" },
	{ "integration", "{}", "name missing_required_field" },
	/* what would act on nothing is no setting */
	{ "connection", "{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example/?k=1\"}}",
		"rest.baseURI invalid_field" },
	{ "connection", CONN(",\"pingBody\":{\"a\":1}"), "rest.pingMethod invalid_field" },
	{ "connection", CONN(",\"pingMethod\":\"GET\",\"pingBody\":\"a\""),
		"rest.pingMethod invalid_field" },
	{ "connection", CONN(",\"pingMethod\":\"POST\",\"pingBody\":\"a\""), NULL },
	{ "export", EXP_REST(",\"postBody\":{\"a\":1}"), "rest.method invalid_field" },
	{ "export", EXP_REST(",\"method\":\"GET\",\"postBody\":\"a\""),
		"rest.method invalid_field" },
	{ "export", EXP_REST(",\"method\":\"GET\",\"postBody\":\"\""), NULL },
	{ "export", EXP_REST(",\"method\":\"PUT\",\"postBody\":\"a\""), NULL },
	{ "export", EXP_REST(",\"pagingMethod\":\"postbody\",\"pagingPostBody\":{\"a\":\"{b}\"}"),
		"rest.method invalid_field" },
	{ "export", EXP("\"type\":\"delta\",\"rest\":{\"relativeURI\":\"/x\"}"),
		"delta.dateField missing_required_field" },
	{ "export",
		EXP("\"type\":\"delta\",\"delta\":{\"dateField\":\"d\"},\"rest\":{\"relativeURI\":"
		    "\"/x\"}"),
		NULL },
	{ "export",
		EXP("\"type\":\"delta\",\"rest\":{\"relativeURI\":\"/"
		    "x\",\"query\":{\"a\":\"{{lastExportDateTime}}\"}}"),
		NULL },
	{ "import",
		"{\"_connectionId\":\"5587092ef78228000000000a\",\"rest\":{\"relativeURI\":[\"/x/"
		"{l}\",\"/x\"],"
		"\"lookups\":[{\"name\":\"l\",\"relativeURI\":\"/l\"}]}}",
		"rest.method missing_required_field" },
	/* placeholders are read at save, wherever they may stand */
	{ "export",
		EXP_REST(",\"method\":\"POST\",\"postBody\":\"{{#each}}\",\"query\":{\"a\":\"{{#if "
			 "x}}\"},"
			 "\"headers\":[{\"name\":\"A\",\"value\":\"x\"},{\"name\":\"B\",\"value\":"
			 "\"{{no h}}\"}],"
			 "\"pagingPostBody\":{\"a\":[1,{\"b\":\"{{#if x}}\"}]},"
			 "\"once\":{\"relativeURI\":\"/x\",\"postBody\":{\"a\":\"{{no h}}\"}}"),
		"rest.headers.1.value invalid_field, rest.query invalid_field, rest.postBody "
		"invalid_field, rest.pagingPostBody invalid_field, rest.once.postBody "
		"invalid_field" },
	{ "export",
		EXP_REST(",\"method\":\"POST\",\"postBody\":\"{\\\"a\\\":{b}\",\"query\":{\"a\":\"{"
			 "\",\"b\":\"{{x\"},"
			 "\"headers\":[{\"name\":\"A\",\"value\":\"{not this}\"}]"),
		NULL },
	{ "connection",
		CONN(",\"headers\":[{\"name\":\"A\",\"value\":\"{{no "
		     "h}}\"}],\"pingMethod\":\"POST\",\"pingRelativeURI\":\"/{{#if x}}\","
		     "\"pingBody\":{\"a\":\"{{#if x}}\"},\"authType\":\"cookie\",\"cookieAuth\":{"
		     "\"uri\":\"/{{#if x}}\",\"body\":\"{{#if x}}\"}"),
		"rest.headers.0.value invalid_field, rest.cookieAuth.uri invalid_field, "
		"rest.cookieAuth.body invalid_field, rest.pingRelativeURI invalid_field, "
		"rest.pingBody "
		"invalid_field" },
	{ "connection",
		CONN(",\"encrypted\":{\"p\":\"{{#if\"},\"pingMethod\":\"PUT\",\"pingBody\":{\"a\":"
		     "\"{x\"},\"headers\":["
		     "{\"name\":\"A\",\"value\":\"{{connection.rest.encrypted.p}}\"}]"),
		NULL },
	/* of an import all are told at once, and beside other faults */
	{ "import",
		IMP(",\"method\":\"BREW\",\"body\":\"{{#if "
		    "a}}\",\"headers\":[{\"name\":\"A\",\"value\":\"{{no h}}\"}],"
		    "\"lookups\":[{\"name\":\"l\",\"relativeURI\":\"/{{#if "
		    "x}}\",\"postData\":\"{{/if}}\"}]",
			MAPS("\"dataType\":\"number\"")),
		"rest.method invalid_field, rest.body invalid_field, rest.headers.0.value "
		"invalid_field, "
		"rest.lookups.0.postData invalid_field, rest.lookups.0.relativeURI invalid_field" },
	{ "import", IMP(",\"body\":[{\"a\":\"{x\"}]", ""), "rest.body invalid_field" },
	{ "import",
		IMP(",\"method\":\"BREW\"",
			",\"mapping\":{\"fields\":[{\"generate\":\"a\"},{\"extract\":\"x\","
			"\"generate\":\"b\"},"
			"{\"extract\":\"x[\",\"generate\":\"b..c\"},{\"extract\":\"{x\","
			"\"generate\":\"d\"},"
			"{\"extract\":\"x\",\"generate\":\"b\",\"dataType\":\"int\"},"
			"{\"extract\":\"x\",\"generate\":\"e\",\"lookupName\":\"none\"}],"
			"\"lists\":[{\"generate\":\"l\",\"fields\":[{\"extract\":\"a[*].b\","
			"\"generate\":\"b\"}]},"
			"{\"generate\":\"m\",\"fields\":[{\"extract\":\"a[*].b\",\"generate\":"
			"\"b\"},"
			"{\"extract\":\"a[*\",\"generate\":\"b\"}]}]}"),
		"rest.method invalid_field, mapping.fields.4.dataType invalid_field, "
		"mapping.fields.0.extract invalid_field, mapping.fields.2.extract invalid_field, "
		"mapping.fields.3.extract invalid_field, mapping.fields.5.lookupName "
		"invalid_field, "
		"mapping.lists.1.fields.1.extract invalid_field" },
	/* what two fields do together is told when each alone is good */
	{ "import",
		IMP("", ",\"mapping\":{\"fields\":[{\"extract\":\"x\",\"generate\":\"b\"},"
			"{\"extract\":\"y\",\"generate\":\"b.c\"}]}"),
		"mapping.fields.1.generate invalid_field" },
	{ "import", IMP(",\"lookups\":[{\"name\":7,\"map\":{}}]", MAPS("\"lookupName\":\"l\"")),
		"rest.lookups.0.name invalid_field" },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		check_rule(&rules[i]);
}

static void test_inert(void **state)
{
	static const char *const cases[][3] = {
		{ "export", EXP_REST(""), NULL },
		{ "export", EXP_REST(",\"pagingMethod\":\"nextpageurl\",\"nextPagePath\":\"n\""),
			NULL },
		{ "export", EXP_REST(",\"pagingMethod\":\"pageargument\""), NULL },
		{ "export",
			EXP("\"type\":\"delta\",\"rest\":{\"relativeURI\":\"/"
			    "x?{{lastExportDateTime}}\"}"),
			NULL },
		{ "export", EXP("\"type\":\"simple\",\"rest\":{\"relativeURI\":\"/x\"}"), "type" },
		{ "export",
			EXP("\"rest\":{\"relativeURI\":\"/x\"},"
			    "\"hooks\":{\"_preSavePageId\":\"507f1f77bcf86cd799439011\"}"),
			"hooks._preSavePageId" },
		{ "import", IMP(",\"method\":\"PUT\"", ",\"ignoreExisting\":\"false\""), NULL },
		{ "import", IMP(",\"resourceId\":{\"extract\":\"id\"}", ",\"ignoreExisting\":true"),
			NULL },
		{ "import", IMP(",\"lookups\":[{\"name\":\"m\",\"map\":{\"a\":1}}]", ""), NULL },
		{ "import", IMP(",\"lookups\":[{\"name\":\"m\",\"relativeURI\":\"/m\"}]", ""),
			NULL },
		{ "import", IMP("", ",\"hooks\":{\"_preMapId\":\"507f1f77bcf86cd799439011\"}"),
			"hooks._preMapId" },
		{ "import", IMP("", MAPS("\"conditional\":{\"when\":\"extract_not_empty\"}")),
			NULL },
		{ "import", IMP("", MAPS("\"conditional\":{\"when\":\"record_created\"}")), NULL },
		{ "import",
			IMP("", MAPS("\"discardIfEmpty\":\"true\",\"dataType\":\"stringarray\"")),
			NULL },
		{ "import",
			IMP("", MAPS("\"extractDateFormat\":\"MM/DD/YYYY\","
				     "\"generateDateTimezone\":\"Europe/Berlin\"")),
			NULL },
		{ "import", IMP("", ",\"filter\":{\"rules\":[\"not\",[\"extract\",\"a\"]]}"),
			NULL },
		{ "import",
			IMP("", ",\"filter\":{\"type\":\"expression\",\"expression\":{\"rules\":[]}"
				"}"),
			NULL },
		{ "export",
			EXP_REST("},\"transform\":{\"expression\":{\"rules\":[[{\"extract\":\"a\","
				 "\"generate\":\"b\"}]]}"),
			NULL },
		{ "connection", CONN(",\"bearerToken\":\"t\",\"pingRelativeURI\":\"/me\""), NULL },
		{ "connection", CONN(",\"mediaType\":\"urlencoded\""), NULL },
		{ "connection", CONN(",\"authType\":\"cookie\",\"cookieAuth\":{\"uri\":\"/in\"}"),
			NULL },
		{ "connection",
			CONN(",\"authType\":\"oauth\",\"refreshToken\":\"t\",\"scope\":["
			     "\"a\"]" OAUTH),
			NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct schema *s = schema_of(a, cases[i][0]);
		const struct json *doc;
		struct problems p;

		problems_init(&p, a);
		if (!schema_validate(s, parse(a, cases[i][1]), NULL, a, &doc, &p))
			fail_msg("%s: %s", cases[i][1], p.list[0].message);
		struct str got = schema_first_inert(s, doc, a);

		if (cases[i][2] == NULL ? got.p != NULL : !str_eq_z(got, cases[i][2]))
			fail_msg("%s: got %.*s", cases[i][1], STR_ARG(got));
	}
}

static size_t count_presets(struct str words)
{
	size_t n = 0;

	while (words.p != NULL) {
		struct str word = str_cut(&words, '|');

		n++;
		if (!str_eq_z(word, "custom") && webhook_scheme_of(word) == NULL)
			fail_msg("no preset %.*s", STR_ARG(word));
	}
	return n;
}

/* A preset that senders can't be told of, or a word without a preset, would be of no use. */
static void test_webhook_providers(void **state UNUSED)
{
	const struct fld *const *table = NULL;
	size_t words = 0, presets = 0;

	for (size_t i = 0; resource_defs[i] != NULL; i++)
		if (strcmp(resource_defs[i]->type, "export") == 0)
			table = resource_defs[i]->tables;
	for (; table != NULL && *table != NULL; table++)
		for (const struct fld *f = *table; f->path != NULL; f++)
			if (strcmp(f->path, "webhook.provider") == 0)
				words = count_presets(str_z(f->values));
	while (webhook_schemes[presets].name != NULL)
		presets++;
	assert_int_equal(words, presets); /* custom for standard, which is a webhook.verify */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_have_words),
		cmocka_unit_test(test_references_have_types),
		cmocka_unit_test(test_examples_and_defaults_fit),
		cmocka_unit_test(test_documents_validate),
		cmocka_unit_test(test_pages_and_schemas_are_made),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_inert),
		cmocka_unit_test(test_webhook_providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
