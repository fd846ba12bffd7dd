/*
 * widget.h - a resource type with a row of every kind, and short ways to check documents of it.
 */
#ifndef TEST_UNIT_SCHEMA_WIDGET_H
#define TEST_UNIT_SCHEMA_WIDGET_H

#include "test.h"

#include "schema/schema.h"

static const struct fld widget_rows[] = {
	{ "_id", FLD_STR, FLD_READ_ONLY, "The widget's id." },
	{ "lastModified", FLD_TIME, FLD_READ_ONLY, "When it last changed." },
	{ "name", FLD_STR, FLD_REQUIRED | FLD_INDEXED, "What people call it.", .max = 20, .min = 1,
		.example = "\"Wheel\"" },
	{ "kind", FLD_ENUM, FLD_REQUIRED, "Which kind | sort of widget.", .values = "rest|ftp",
		.values_inert = "ftp", .values_later = "netsuite" },
	{ "offline", FLD_BOOL, 0, "Whether it rests.", .def = "false" },
	{ "pageSize", FLD_INT, 0, "Records of a page.", .def = "20", .min = 1, .max = 100,
		.example = "50" },
	{ "_hookId", FLD_REF, 0, "The hook it calls.", .values = "hook" },
	{ "since", FLD_TIME, FLD_INERT, "From when it counts." },
	{ "note", FLD_STR, FLD_UNUSED, "A free note.", .max = 100 },
	{ "settings", FLD_MAP, 0, "Free settings of yours." },
	{ "tags", FLD_STR, FLD_LIST, "Words to find it by." },
	{ "rest", FLD_OBJECT, FLD_REQUIRED, "How to reach it.", .when = "kind=rest" },
	{ "rest.baseURI", FLD_URL, FLD_REQUIRED | FLD_SECRETS_GO,
		"Where [it](it.md) lives. Far away." },
	{ "rest.bearerToken", FLD_STR, FLD_SECRET | FLD_LINE, "The token it wants." },
	{ "rest.method", FLD_ENUM, FLD_LIST_OR_ONE | FLD_LIST_INERT, "The method or methods.",
		.values = "GET|POST", .def = "\"GET\"" },
	{ "rest.relativeURI", FLD_STR, FLD_LINE, "Behind the base.", .max = 100 },
	{ "rest.query", FLD_MAP, 0, "Query parameters.", .values = "scalar" },
	{ "rest.encrypted", FLD_MAP, FLD_SECRET, "Secrets by name." },
	{ "rest.basicAuth", FLD_OBJECT, 0, "User name and password." },
	{ "rest.basicAuth.username", FLD_STR, FLD_REQUIRED, "The user's name." },
	{ "rest.basicAuth.password", FLD_STR, FLD_SECRET, "The user's password." },
	{ "rest.headers", FLD_OBJECT, FLD_LIST, "Headers to send." },
	{ "rest.headers[].name", FLD_TOKEN, FLD_REQUIRED, "The header's name." },
	{ "rest.headers[].secret", FLD_STR, FLD_SECRET, "The header's secret value." },
	{ "ftp", FLD_OBJECT, 0, "How to reach it by FTP.", .when = "kind=ftp" },
	{ "ftp.hostURI", FLD_STR, FLD_REQUIRED, "The host to talk to." },
	{ "mapping", FLD_OBJECT, 0, "What becomes of a record." },
	{ "mapping.fields", FLD_OBJECT, FLD_LIST, "The target's fields." },
	{ "mapping.fields[].generate", FLD_STR, FLD_REQUIRED, "The target field." },
	{ "mapping.fields[].hardCodedValue", FLD_ANY, FLD_NULLABLE, "A fixed value." },
	{ "mapping.fields[]._scriptId", FLD_REF, 0, "What makes the value.",
		.values = "script|stack" },
	{ "ignore", FLD_BOOL, FLD_INERT, "Whether to ignore it." },
	{ NULL },
};

static const struct fld *const widget_tables[] = { widget_rows, NULL };

static const char *const widget_examples[] = {
	"{\"name\":\"Wheel\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example/v1\"}}",
	NULL,
};

static UNUSED const struct res_def widget_def = {
	.type = "widget",
	.segment = "widgets",
	.title = "Widget",
	.text = "A thing that the tests of schemas are about.",
	.tables = widget_tables,
	.examples = widget_examples,
};

struct fixture {
	struct arena *a;
	struct schema *s;
	struct problems p;
};

static UNUSED int setup(void **state)
{
	static struct fixture f;

	f.a = arena_new("test", 0);
	f.s = schema_compile(f.a, &widget_def);
	problems_init(&f.p, f.a);
	*state = &f;
	return 0;
}

static UNUSED int teardown(void **state)
{
	arena_free(((struct fixture *)*state)->a);
	return 0;
}

static UNUSED const struct json *parse(struct fixture *f, const char *text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(f->a, str_z(text), &doc, &err))
		fail_msg("%s: %s", text, err.message);
	return doc;
}

static UNUSED struct str print(struct fixture *f, const struct json *doc)
{
	return json_print_arena(f->a, doc);
}

/* "field code" of each problem, joined by ", ". */
static UNUSED struct str listed(struct fixture *f)
{
	struct str s = STR("");

	for (size_t i = 0; i < f->p.count; i++)
		s = str_fmt(f->a, "%.*s%s%s %s", STR_ARG(s), i > 0 ? ", " : "", f->p.list[i].field,
			err_info(f->p.list[i].code)->wire);
	return s;
}

/* Validates TEXT against STORED (NULL: creation); NULL when there were problems. */
static UNUSED const struct json *validate(struct fixture *f, const char *text, const char *stored)
{
	const struct json *out = NULL;

	problems_init(&f->p, f->a);
	if (schema_validate(f->s, parse(f, text), stored == NULL ? NULL : parse(f, stored), f->a,
		    &out, &f->p)) {
		assert_int_equal(f->p.count, 0);
		return out;
	}
	assert_true(f->p.count > 0);
	assert_null(out);
	return NULL;
}

#define assert_valid(f, text, stored, want)                               \
	do {                                                              \
		const struct json *doc_ = validate(f, text, stored);      \
		if (doc_ == NULL)                                         \
			fail_msg("%s: %s", text, (f)->p.list[0].message); \
		assert_str(print(f, doc_), want);                         \
	} while (0)

#define assert_problems(f, text, stored, want)         \
	do {                                           \
		if (validate(f, text, stored) != NULL) \
			fail_msg("%s passed", text);   \
		assert_str(listed(f), want);           \
	} while (0)

/* The I-th problem's message and hint. */
#define assert_message(f, i, text)                                                     \
	do {                                                                           \
		if (strstr((f)->p.list[i].message, text) == NULL)                      \
			fail_msg("\"%s\" lacks \"%s\"", (f)->p.list[i].message, text); \
	} while (0)
#define assert_hint(f, i, text) assert_string_equal((f)->p.list[i].hint, text)

#endif
