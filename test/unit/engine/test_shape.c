/*
 * test_shape.c - what an export does to a record: nothing, a transform, a filter, one behind the other.
 */
#include "test.h"

#include "engine/shape.h"

static const struct json *parse(struct arena *a, const char *text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	assert_ok(json_parse_copy(a, str_z(text), &doc, &err));
	return doc;
}

static const struct shape *shape_of(struct arena *a, const char *export)
{
	struct shape *s;
	struct err err = ERR_INIT;

	assert_ok(shape_compile(a, parse(a, export), &s, &err));
	return s;
}

/* WANT NULL: the filter drops it. */
static void expect(struct arena *a, const struct shape *s, const char *record, const char *want)
{
	const struct json *r = parse(a, record);
	const char *stage = "none";
	bool passes = want == NULL;
	struct err err = ERR_INIT;

	assert_ok(shape_apply(s, a, &r, &passes, &stage, &err));
	assert_int_equal(passes, want != NULL);
	if (want != NULL)
		assert_str(json_print_arena(a, r), want);
}

static int setup(void **state)
{
	*state = arena_new("test", 0);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void a_plain_one_leaves_the_record_itself(void **state)
{
	struct arena *a = *state;
	const struct shape *s = shape_of(a, "{\"name\":\"x\"}");
	const struct json *r = parse(a, "{\"n\":0.10}"), *same = r;
	const char *stage = "none";
	bool passes = false;
	struct err err = ERR_INIT;

	assert_true(shape_is_plain(s));
	assert_ok(shape_apply(s, a, &r, &passes, &stage, &err));
	assert_true(passes);
	assert_ptr_equal(r, same);
	assert_string_equal(stage, "none");
}

static void a_transform_replaces_it(void **state)
{
	struct arena *a = *state;
	const struct shape *s = shape_of(a,
		"{\"transform\":{\"rules\":[[{\"extract\":\"id\",\"generate\":\"a.b\"}]]}}");

	assert_false(shape_is_plain(s));
	expect(a, s, "{\"id\":7,\"gone\":1}", "{\"a\":{\"b\":7}}");
	expect(a, s, "{\"id\":9007199254740993}", "{\"a\":{\"b\":9007199254740993}}");
}

static void a_filter_drops_it(void **state)
{
	struct arena *a = *state;
	const struct shape *s = shape_of(a,
		"{\"filter\":{\"rules\":[\"lessthan\",[\"number\",[\"extract\",\"n\"]],10]}}");

	assert_false(shape_is_plain(s));
	expect(a, s, "{\"n\":9}", "{\"n\":9}");
	expect(a, s, "{\"n\":10}", NULL);
}

/* The filter sees what the transform made, not what came. */
static void the_filter_is_behind_the_transform(void **state)
{
	struct arena *a = *state;
	const struct shape *s = shape_of(a,
		"{\"transform\":{\"rules\":[[{\"extract\":\"old\",\"generate\":\"n\"}]]},"
		"\"filter\":{\"rules\":[\"equals\",[\"extract\",\"n\"],\"x\"]}}");

	expect(a, s, "{\"old\":\"x\",\"n\":\"y\"}", "{\"n\":\"x\"}");
	expect(a, s, "{\"old\":\"y\",\"n\":\"x\"}", NULL);
}

static void a_record_that_fails_names_its_stage(void **state)
{
	struct arena *a = *state;
	const struct shape *s = shape_of(a,
		"{\"transform\":{\"rules\":[[{\"extract\":\"n\",\"generate\":\"n\",\"dataType\":"
		"\"number\"}]]},\"filter\":{\"rules\":[\"equals\",[\"extract\",\"n\"],1]}}");
	const struct json *r = parse(a, "{\"n\":\"one\"}");
	const char *stage = "none";
	bool passes;
	struct err err;

	assert_fails(shape_apply(s, a, &r, &passes, &stage, &err), ERR_MAPPING, "");
	assert_string_equal(stage, "transform");
	expect(a, s, "{\"n\":\"1\"}", "{\"n\":1}");
	const struct shape *f = shape_of(a,
		"{\"filter\":{\"rules\":[\"matches\",[\"extract\",\"n\"],\"^(a+)+$\"]}}");

	r = parse(a, "{\"n\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}");
	assert_fails(shape_apply(f, a, &r, &passes, &stage, &err), ERR_LIMIT, "too many steps");
	assert_string_equal(stage, "output_filter");
	expect(a, f, "{\"n\":\"aaa\"}", "{\"n\":\"aaa\"}");
}

static void what_can_not_be_compiled_names_its_field(void **state)
{
	struct arena *a = *state;
	struct shape *s = NULL;
	struct err err;

	assert_fails(shape_compile(a,
			     parse(a,
				     "{\"transform\":{\"rules\":[[{\"extract\":\"a[\",\"generate\":"
				     "\"x\"}]]}}"),
			     &s, &err),
		ERR_INVALID, "");
	assert_int_equal(strncmp(err.field, "transform", 9), 0);
	assert_fails(shape_compile(a, parse(a, "{\"filter\":{\"rules\":[\"equalz\",1,1]}}"), &s,
			     &err),
		ERR_INVALID, "equals");
	assert_int_equal(strncmp(err.field, "filter", 6), 0);
	assert_null(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_one_leaves_the_record_itself),
		TEST(a_transform_replaces_it),
		TEST(a_filter_drops_it),
		TEST(the_filter_is_behind_the_transform),
		TEST(a_record_that_fails_names_its_stage),
		TEST(what_can_not_be_compiled_names_its_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
