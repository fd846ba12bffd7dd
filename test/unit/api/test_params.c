/*
 * test_params.c - query parameters: what is taken, and in which words the rest is refused.
 */
#include "test.h"

#include "api/params.h"

static void finds_its_place(void **state UNUSED)
{
	struct str one = STR_NULL, two = STR_NULL;
	const struct param list[] = { { "code", &one }, { "source", &two } };

	assert_ptr_equal(param_put(list, ARRAY_LEN(list), STR("source"), STR("lookup")), &two);
	assert_str(two, "lookup");
	assert_null(one.p);
	assert_null(param_put(list, ARRAY_LEN(list), STR("Source"), STR("x")));
	assert_null(param_put(list, 0, STR("code"), STR("x")));
}

static void times(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "2017-06-19T21:27:09.945Z", 1497907629945 }, { "2017-06-19", 1497830400000 },
		{ "1497907629945", 1497907629945 } };
	int64_t ms = 0;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(param_time(STR("createdAt_gte"), str_z(good[i].text), &ms, &err));
		assert_int_equal(ms, good[i].ms);
	}
	ms = 7;
	assert_fails(param_time(STR("createdAt_gte"), STR("yesterday"), &ms, &err), ERR_QUERY,
		"\"yesterday\" is no value for createdAt_gte");
	assert_string_equal(err.field, "createdAt_gte");
	assert_fails(param_time(STR("createdAt_gte"), STR(""), &ms, &err), ERR_QUERY, "");
	assert_int_equal(ms, 7);
}

static void limits(void **state UNUSED)
{
	static const char *const bad[] = { "", "0", "-1", "101", "1.5", "ten",
		"99999999999999999999" };
	size_t n = 7;
	struct err err;

	assert_ok(param_limit(STR("limit"), STR("1"), 100, &n, &err));
	assert_int_equal(n, 1);
	assert_ok(param_limit(STR("limit"), STR("100"), 100, &n, &err));
	assert_int_equal(n, 100);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(param_limit(STR("limit"), str_z(bad[i]), 100, &n, &err), ERR_QUERY,
			"limit is a number from 1 to 100");
		assert_string_equal(err.field, "limit");
	}
	assert_int_equal(n, 100);
}

static void long_ones_are_cut(void **state UNUSED)
{
	char text[1000];
	struct err err;

	memset(text, 'x', sizeof(text));
	assert_fails(param_bad(&err, STR("code"), str_of(text, sizeof(text))), ERR_QUERY,
		"is no value for code");
	assert_true(strlen(err.message) < 120);
	assert_fails(param_unknown(&err, str_of(text, sizeof(text)), STR("code, 100% of them")),
		ERR_QUERY, "there is no query parameter \"xxx");
	assert_true(strlen(err.message) < 120);
	assert_string_equal(err.hint, "code, 100% of them");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_its_place),
		cmocka_unit_test(times),
		cmocka_unit_test(limits),
		cmocka_unit_test(long_ones_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
