/*
 * test_json_walk.c - look-up, conversion, comparison and building.
 */
#include "test.h"

#include <math.h>

#include "data/json.h"

static const struct json *parsed(struct arena *a, const char *text)
{
	const struct json *root = NULL;
	struct err err;

	assert_ok(json_parse_copy(a, str_z(text), &root, &err));
	return root;
}

static void get(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *o = parsed(a,
		"{\"a\":{\"b\":{\"c\":1}},\"a.b\":2,\"s\":\"text\",\"t\":true,\"f\":false,"
		"\"\":0,\"a\\u0000\":3,\"list\":[1,[2,3],{\"x\":4}]}");

	assert_null(json_get(o, STR("nothing")));
	assert_null(json_get(o, STR("A")));
	assert_null(json_get(NULL, STR("a")));
	assert_null(json_get(json_get(o, STR("list")), STR("x")));
	assert_null(json_get(json_get(o, STR("s")), STR("text")));
	assert_str(json_str(json_get(o, STR("a\0"))), "3");
	assert_str(json_str(json_get(o, STR_NULL)), "0");
	assert_str(json_str(json_get(o, STR("a.b"))), "2");

	assert_str(json_str(json_get_path(o, STR("a.b.c"))), "1");
	assert_ptr_equal(json_get_path(o, STR("a")), json_get(o, STR("a")));
	assert_null(json_get_path(o, STR("a.b.c.d")));
	assert_null(json_get_path(o, STR("a..c")));
	assert_null(json_get_path(o, STR("list.x")));
	assert_null(json_get_path(NULL, STR("a")));

	assert_str(json_get_str(o, STR("s")), "text");
	assert_null(json_get_str(o, STR("t")).p);
	assert_null(json_get_str(o, STR("nothing")).p);
	assert_null(json_get_str(NULL, STR("s")).p);

	assert_true(json_get_true(o, STR("t")));
	assert_false(json_get_true(o, STR("f")));
	assert_false(json_get_true(o, STR("s")));
	assert_false(json_get_true(NULL, STR("t")));
}

static void at(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *v = parsed(a, "[10,[20,[21]],{\"x\":[30,31]},40]");

	assert_str(json_str(json_at(v, 0)), "10");
	assert_str(json_str(json_at(json_at(json_at(v, 1), 1), 0)), "21");
	assert_str(json_str(json_at(json_get(json_at(v, 2), STR("x")), 1)), "31");
	assert_str(json_str(json_at(v, 3)), "40");
	assert_null(json_at(v, 4));
	assert_null(json_at(v, SIZE_MAX));
	assert_null(json_at(NULL, 0));
	assert_null(json_at(json_at(v, 2), 0));
	assert_null(json_at(&json_empty_array, 0));
	assert_ptr_equal(json_next(v), v + json_span(v));
}

static void duplicates(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *o = parsed(a,
		"{\"k\":\"first\",\"k\":{\"k\":\"inner\"},\"k\":\"last\"}");

	assert_str(json_get_str(o, STR("k")), "last");
	assert_null(json_get_path(o, STR("k.k")));
	assert_int_equal(o->n, 3);
}

static void to_i64(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "42", true, 42 },
		{ "-42", true, -42 },
		{ "9007199254740993", true, 9007199254740993 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "123456789012345678901234567890", false, 0 },
		{ "1.0", false, 0 },
		{ "1e2", false, 0 },
		{ "\"1\"", false, 0 },
		{ "true", false, 0 },
		{ "null", false, 0 },
		{ "[1]", false, 0 },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int64_t n = 77;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		n = 77;
		assert_int_equal(json_to_i64(parsed(a, rows[i].text), &n), rows[i].ok);
		assert_true(n == (rows[i].ok ? rows[i].want : 77));
	}
	assert_false(json_to_i64(NULL, &n));
}

static void to_double(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char digits[600];
	double d = 77;

	assert_true(json_to_double(parsed(a, "0.10"), &d) && d == 0.1);
	assert_true(json_to_double(parsed(a, "-2.5e-3"), &d) && d == -0.0025);
	assert_true(json_to_double(parsed(a, "9007199254740993"), &d) && d == 9007199254740992.0);
	assert_true(json_to_double(parsed(a, "-0"), &d) && d == 0 && signbit(d));
	assert_true(json_to_double(parsed(a, "1E400"), &d) && isinf(d) && d > 0);
	assert_true(json_to_double(parsed(a, "-1E400"), &d) && isinf(d) && d < 0);
	assert_true(json_to_double(parsed(a, "1e-400"), &d) && d == 0);
	d = 77;
	assert_false(json_to_double(parsed(a, "\"1\""), &d));
	assert_false(json_to_double(parsed(a, "null"), &d));
	assert_false(json_to_double(NULL, &d));
	assert_true(d == 77);
	/* a lexeme of any length has a value: 0.00...025e590 */
	memset(digits, '0', sizeof(digits));
	digits[1] = '.';
	memcpy(digits + sizeof(digits) - 6, "25e590", 6);
	assert_true(json_to_double(parsed(a, str_to_z(a, str_of(digits, sizeof(digits)))), &d));
	assert_true(d == 0.0025);
}

static void equal(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "{\"a\":[1,\"x\",null]}", " { \"a\" : [ 1 , \"\\u0078\" , null ] } ", true },
		{ "[]", "[]", true },
		{ "\"\"", "\"\"", true },
		{ "[]", "{}", false },
		{ "[[]]", "[{}]", false },
		{ "[1]", "[1,2]", false },
		{ "[[1],2]", "[[1,2]]", false },
		{ "[[],[[]]]", "[[[]],[]]", false },
		{ "1", "1.0", false },
		{ "1", "\"1\"", false },
		{ "true", "false", false },
		{ "null", "false", false },
		{ "\"a\"", "\"A\"", false },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", false },
		{ "{\"a\":1}", "{\"b\":1}", false },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct json *x = parsed(a, rows[i].a), *y = parsed(a, rows[i].b);

		if (json_equal(x, y) != rows[i].equal || json_equal(y, x) != rows[i].equal)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
		assert_true(json_equal(x, x));
	}
	/* a part equals the whole of another, and how a string was made does not count */
	assert_true(
		json_equal(json_at(parsed(a, "[0,{\"k\":[1]},2]"), 1), parsed(a, "{\"k\":[1]}")));
	struct json_build b;

	json_build_init(&b, a);
	json_build_str(&b, STR_NULL);
	assert_true(json_equal(json_build_done(&b), &json_empty_string));
}

static void type_names(void **state UNUSED)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "null", "null" },
		{ "true", "boolean" },
		{ "false", "boolean" },
		{ "1", "number" },
		{ "\"\"", "string" },
		{ "[]", "array" },
		{ "{}", "object" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(json_type_name(parsed(a, rows[i].text)->type), rows[i].name);
}

static void builds(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *part = parsed(a, "{\"x\":[1,{\"y\":[]}]}");
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("name"), STR("a\nb"));
	json_add_str(&b, STR("left out"), STR_NULL);
	json_add_copy(&b, STR("left out too"), NULL);
	json_add_i64(&b, STR("least"), INT64_MIN);
	json_add_bool(&b, STR("yes"), true);
	json_add_copy(&b, STR("part"), part);
	json_build_key(&b, STR("list"));
	json_build_array(&b);
	json_build_copy(&b, json_get(part, STR("x")));
	json_build_null(&b);
	json_build_bool(&b, false);
	json_build_lexeme(&b, STR("0.10"));
	json_build_i64(&b, -1);
	json_build_array(&b);
	json_build_end(&b);
	json_build_object(&b);
	json_build_end(&b);
	json_build_end(&b);
	json_add_str(&b, STR("empty"), STR(""));
	json_build_end(&b);
	const struct json *v = json_build_done(&b);
	static const char want[] =
		"{\"name\":\"a\\nb\",\"least\":-9223372036854775808,\"yes\":true,"
		"\"part\":{\"x\":[1,{\"y\":[]}]},"
		"\"list\":[[1,{\"y\":[]}],null,false,0.10,-1,[],{}],\"empty\":\"\"}";

	assert_str(json_print_arena(a, v), want);
	assert_true(json_equal(v, parsed(a, want)));
	assert_int_equal(json_get(v, STR("list"))->n, 7);
	assert_int_equal(v->n, 6);
}

/* More nodes than any first room, deep and wide, and copies larger than the room doubled. */
static void builds_large(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct json_build b, c;

	json_build_init(&b, a);
	json_build_array(&b);
	for (int i = 0; i < 10000; i++)
		json_build_i64(&b, i);
	json_build_end(&b);
	const struct json *wide = json_build_done(&b);

	json_build_init(&c, a);
	for (int i = 0; i < JSON_BUILD_DEPTH_MAX - 2; i++)
		json_build_array(&c);
	json_build_copy(&c, wide);
	for (int i = 0; i < JSON_BUILD_DEPTH_MAX - 2; i++)
		json_build_end(&c);
	const struct json *v = json_build_done(&c);

	assert_int_equal(json_span(v), 10001 + JSON_BUILD_DEPTH_MAX - 2);
	while (v->n == 1)
		v = json_at(v, 0);
	assert_true(json_equal(v, wide));
	assert_str(json_str(json_at(v, 9999)), "9999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get),
		cmocka_unit_test(at),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(to_i64),
		cmocka_unit_test(to_double),
		cmocka_unit_test(equal),
		cmocka_unit_test(type_names),
		cmocka_unit_test(builds),
		cmocka_unit_test(builds_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
