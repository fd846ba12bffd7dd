/*
 * test_merge_patch.c - the test cases of RFC 7396, appendix A, and what they leave out.
 */
#include "widget.h"

static void test_appendix_a(void **state)
{
	static const char *const cases[][3] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
			"{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
		{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
		{ "{\"a\":\"foo\"}", "null", "null" },
		{ "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
		{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(print(f, schema_merge_patch(f->a, parse(f, cases[i][0]),
					    parse(f, cases[i][1]))),
			cases[i][2]);
}

static void test_the_rest(void **state)
{
	struct fixture *f = *state;

	assert_str(print(f, schema_merge_patch(f->a, NULL, parse(f, "{\"a\":{\"b\":null}}"))),
		"{\"a\":{}}");
	assert_str(print(f, schema_merge_patch(f->a, parse(f, "{\"z\":1,\"y\":2,\"x\":3}"),
				    parse(f, "{\"y\":5,\"w\":6}"))),
		"{\"z\":1,\"y\":5,\"x\":3,\"w\":6}");
	assert_str(print(f, schema_merge_patch(f->a, parse(f, "{\"a\":1}"),
				    parse(f, "{\"a\":null,\"a\":2,\"b\":null,\"b\":3}"))),
		"{\"a\":2,\"b\":3}");
}

/* Two large objects: must not take members times members. */
static void test_large(void **state)
{
	struct fixture *f = *state;
	struct buf target DEFER(buf_free) = BUF_INIT(0), patch DEFER(buf_free) = BUF_INIT(0);

	for (int i = 0; i < 50000; i++) {
		buf_add_fmt(&target, "%s\"t%d\":%d", i == 0 ? "{" : ",", i, i);
		buf_add_fmt(&patch, "%s\"%c%d\":null", i == 0 ? "{" : ",", i % 2 ? 't' : 'p', i);
	}
	BUF_ADD_LIT(&target, "}");
	BUF_ADD_LIT(&patch, ",\"t0\":\"new\"}");
	buf_add_char(&target, '\0');
	buf_add_char(&patch, '\0');
	const struct json *out = schema_merge_patch(f->a, parse(f, target.p), parse(f, patch.p));

	assert_int_equal(out->n, 25000);
	assert_str(json_get_str(out, STR("t0")), "new");
	assert_null(json_get(out, STR("t1")));
	assert_non_null(json_get(out, STR("t49998")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_appendix_a, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
