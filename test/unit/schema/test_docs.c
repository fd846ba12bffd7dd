/*
 * test_docs.c - JSON Schema and Markdown made from tables.
 */
#include "widget.h"

#include "core/limits.h"

static const struct json *property(const struct json *schema, const char *path)
{
	struct str rest = str_z(path);

	while (rest.p != NULL) {
		struct str name = str_cut(&rest, '.');
		const struct json *of = str_eq_z(name, "[]") ? schema
							     : json_get(schema, STR("properties"));

		schema = json_get(of, str_eq_z(name, "[]") ? STR("items") : name);
		if (schema == NULL)
			fail_msg("no %s", path);
	}
	return schema;
}

static void test_openapi(void **state)
{
	struct fixture *f = *state;
	struct json_build b;

	json_build_init(&b, f->a);
	schema_openapi(f->s, &b);
	const struct json *s = json_build_done(&b);

	assert_str(json_get_str(s, STR("title")), "Widget");
	assert_str(print(f, json_get(s, STR("required"))), "[\"name\",\"kind\"]");
	assert_str(print(f, json_get(s, STR("additionalProperties"))), "false");
	assert_str(print(f, property(s, "name")),
		"{\"type\":\"string\",\"minLength\":1,\"maxLength\":20,"
		"\"description\":\"What people call it.\",\"examples\":[\"Wheel\"]}");
	assert_true(json_get_true(property(s, "_id"), STR("readOnly")));
	assert_true(json_get_true(property(s, "rest.bearerToken"), STR("writeOnly")));
	assert_str(json_get_str(property(s, "rest.bearerToken"), STR("format")), "password");
	assert_str(json_get_str(property(s, "rest.baseURI"), STR("format")), "uri");
	assert_str(json_get_str(property(s, "since"), STR("format")), "date-time");
	assert_str(json_get_str(property(s, "since"), STR("description")),
		"From when it counts. Stored; not acted on by this version.");
	assert_str(print(f, property(s, "offline")),
		"{\"type\":\"boolean\",\"description\":\"Whether it rests.\",\"default\":false}");
	assert_str(print(f, property(s, "pageSize")),
		"{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,"
		"\"description\":\"Records of a page.\",\"default\":20,\"examples\":[50]}");
	assert_str(print(f, json_get(property(s, "rest.headers.[]"), STR("required"))),
		"[\"name\"]");
	assert_str(print(f, json_get(property(s, "rest.method"), STR("anyOf"))),
		"[{\"type\":\"string\",\"enum\":[\"GET\",\"POST\"]},"
		"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"GET\",\"POST\"]}}"
		"]");
	assert_str(json_get_str(property(s, "ftp"), STR("description")),
		"How to reach it by FTP. Only when kind is ftp.");
	assert_int_equal(json_get(s, STR("examples"))->n, 1);
}

static bool has(const struct buf *b, const char *text)
{
	return str_find(buf_str(b), str_z(text)) != STR_NPOS;
}

static void test_markdown(void **state)
{
	struct fixture *f = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	schema_markdown(f->s, &b);
	assert_true(has(&b, "# Widget\n\nA thing that the tests of schemas are about.\n"));
	assert_true(has(&b, "| Field | Type | Default | Description |\n"));
	assert_true(has(&b, "| **_id** | string |  | The widget's id. *Read-only.* |\n"));
	assert_true(has(&b, "| **kind** | `rest`, `ftp` |  | Which kind \\| sort of widget. "
			    "*Required.* *Stored; not acted on by this version:* `ftp`. "
			    "*Not in this version:* `netsuite`. |\n"));
	assert_true(has(&b, "| **pageSize** | integer, 1 to 100 | `20` | Records of a page. |\n"));
	assert_true(has(&b, "\n## rest\n\nHow to reach it.\n\n| Field |"));
	assert_true(has(&b, "| **rest.basicAuth.password** | string |  | The user's password. "
			    "*Secret: sealed at rest, answered as `******`.* |\n"));
	assert_true(has(&b, "| **rest.headers[].name** | string |"));
	assert_true(has(&b, "`?name=`"));
	assert_true(has(&b, "```json\n{\n  \"name\": \"Wheel\""));
}

static void test_markdown_of_tables(void **state)
{
	struct fixture *f = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	(void)f;
	schema_markdown_errors(&b);
	assert_true(has(&b, "| `missing_required_field` | 422 | no | "));
	assert_true(has(&b, "| `rate_limited` | 429 | yes | "));
	schema_markdown_limits(&b);
	assert_true(has(&b, "| `PAGE_SIZE_MAX` | 10000 records | The largest pageSize. |\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_openapi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_markdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_markdown_of_tables, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
