/*
 * Slices: comparison, searching, cutting, numbers to the last value, hexadecimal, UTF-8.
 */
#include "test.h"

#include <string.h>

static void test_equality(void **state UNUSED)
{
	assert_true(str_eq(STR("abc"), STR("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_true(str_eq(STR(""), STR_NULL));
	assert_true(str_eq_z(STR("a"), "a"));
	assert_true(str_eq_z(STR_NULL, NULL));
	assert_true(str_eq_ci(STR("Content-TYPE"), STR("content-type")));
	assert_false(str_eq_ci(STR("[a"), STR("{a")));             /* 0x5B, 0x7B: not letters */
	assert_false(str_eq_ci(STR("\xC3\x84"), STR("\xC3\xA4"))); /* ASCII only */
	assert_false(str_eq_ci(STR("ab"), STR("abc")));
}

static void test_order(void **state UNUSED)
{
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("b"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("a"), STR("a")), 0);
	assert_true(str_cmp(STR("a"), STR("aa")) < 0);
	assert_true(str_cmp(STR("aa"), STR("a")) > 0);
	assert_true(str_cmp(STR("\xFF"), STR("a")) > 0); /* bytes are unsigned */
	assert_true(str_cmp(STR_NULL, STR("a")) < 0);
	assert_int_equal(str_cmp(STR_NULL, STR("")), 0);
}

static void test_prefix_and_suffix(void **state UNUSED)
{
	assert_true(str_starts(STR("/v1/exports"), STR("/v1")));
	assert_false(str_starts(STR("/v"), STR("/v1")));
	assert_true(str_starts(STR("a"), STR("")));
	assert_true(str_starts(STR_NULL, STR("")));
	assert_true(str_starts_ci(STR("BEARER x"), STR("bearer ")));
	assert_false(str_starts_ci(STR("bear"), STR("bearer ")));
	assert_true(str_ends(STR("a.json"), STR(".json")));
	assert_false(str_ends(STR("json"), STR(".json")));
	assert_true(str_ends(STR_NULL, STR("")));
}

static void test_find(void **state UNUSED)
{
	assert_int_equal(str_find(STR("abcabc"), STR("ca")), 2);
	assert_int_equal(str_find(STR("abc"), STR("")), 0);
	assert_true(str_find(STR("abc"), STR("abcd")) == STR_NPOS);
	assert_true(str_find(STR("abc"), STR("x")) == STR_NPOS);
	assert_true(str_find(STR_NULL, STR("x")) == STR_NPOS);
	assert_int_equal(str_find(STR("a\0b"), STR("\0b")), 1);
	assert_int_equal(str_find_char(STR("abc"), 'c'), 2);
	assert_true(str_find_char(STR("abc"), 'x') == STR_NPOS);
	assert_true(str_find_char(STR_NULL, '\0') == STR_NPOS);
}

static void test_sub_and_trim(void **state UNUSED)
{
	assert_str(str_sub(STR("abcdef"), 1, 3), "bcd");
	assert_str(str_sub(STR("abc"), 2, 100), "c");
	assert_str(str_sub(STR("abc"), 3, 1), "");
	assert_str(str_sub(STR("abc"), 99, 1), "");
	assert_str(str_from(STR("abc"), 1), "bc");
	assert_int_equal(str_from(STR_NULL, 3).n, 0);
	assert_str(str_trim(STR(" \t\r\n a b \n")), "a b");
	assert_str(str_trim(STR(" \t ")), "");
	assert_int_equal(str_trim(STR_NULL).n, 0);
}

static void test_cut(void **state UNUSED)
{
	struct str rest = STR("a,,b,");

	assert_str(str_cut(&rest, ','), "a");
	assert_str(str_cut(&rest, ','), "");
	assert_str(str_cut(&rest, ','), "b");
	assert_non_null(rest.p); /* one empty part is left */
	assert_str(str_cut(&rest, ','), "");
	assert_null(rest.p);
	rest = STR("");
	assert_str(str_cut(&rest, ','), "");
	assert_null(rest.p);
}

static void test_u64(void **state UNUSED)
{
	uint64_t v = 77;

	assert_true(str_to_u64(STR("0"), &v) && v == 0);
	assert_true(str_to_u64(STR("00012"), &v) && v == 12);
	assert_true(str_to_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
	v = 77;
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "a", "/", ":",
		"18446744073709551616", "18446744073709551620", "99999999999999999999",
		"100000000000000000000000" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (str_to_u64(str_z(bad[i]), &v) || v != 77)
			fail_msg("\"%s\" was taken for %llu", bad[i], (unsigned long long)v);
	assert_false(str_to_u64(STR("1\0"), &v));
}

static void test_i64(void **state UNUSED)
{
	int64_t v = 77;

	assert_true(str_to_i64(STR("-0"), &v) && v == 0);
	assert_true(str_to_i64(STR("-42"), &v) && v == -42);
	assert_true(str_to_i64(STR("9223372036854775807"), &v) && v == INT64_MAX);
	assert_true(str_to_i64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
	v = 77;
	static const char *const bad[] = { "", "-", "--1", "+1", "9223372036854775808",
		"-9223372036854775809", "1e3" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (str_to_i64(str_z(bad[i]), &v) || v != 77)
			fail_msg("\"%s\" was taken for %lld", bad[i], (long long)v);
	assert_false(str_to_i64(STR_NULL, &v));
}

static void test_copies(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char text[] = "abc";
	struct str d = str_dup(a, str_z(text));

	text[0] = 'x';
	assert_str(d, "abc");
	assert_int_equal(d.p[3], '\0');
	assert_string_equal(str_to_z(a, STR_NULL), "");
	assert_string_equal(str_to_z(a, str_sub(STR("abc"), 0, 2)), "ab");
	assert_non_null(str_dup(a, STR_NULL).p);
	assert_str(str_fmt(a, "%d-%s-%.*s", 1, "x", STR_ARG(STR("yz"))), "1-x-yz");
	assert_str(str_fmt(a, "%s", ""), "");
	assert_int_equal(str_fmt(a, "%5000d", 1).n, 5000);
}

static void test_hex(void **state UNUSED)
{
	unsigned char b[4] = { 1, 2, 3, 4 };
	char out[8];

	str_hex_put(out, "\x00\x7f\xAB\xff", 4);
	assert_memory_equal(out, "007fabff", 8);
	assert_true(str_hex_get(STR("007fABff"), b, 4));
	assert_memory_equal(b, "\x00\x7f\xAB\xff", 4);
	static const char *const bad[] = { "", "00", "0102030", "010203040", "0102030g", "g1020304",
		"0102 304", "0102:304", "0102@304", "0102`304", "0102/304" };

	memcpy(b, "keep", 4);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_hex_get(str_z(bad[i]), b, 4));
	assert_memory_equal(b, "keep", 4); /* untouched on failure */
	assert_true(str_hex_get(STR(""), b, 0));
}

static void test_distance(void **state UNUSED)
{
	char long_name[66] = { 0 };

	assert_int_equal(str_distance(STR("name"), STR("name"), 3), 0);
	assert_int_equal(str_distance(STR("Name"), STR("name"), 3), 0);
	assert_int_equal(str_distance(STR("name"), STR("nmae"), 3), 1);
	assert_int_equal(str_distance(STR("name"), STR("nam"), 3), 1);
	assert_int_equal(str_distance(STR("name"), STR("names"), 3), 1);
	assert_int_equal(str_distance(STR("name"), STR("game"), 3), 1);
	assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 9), 3);
	assert_int_equal(str_distance(STR(""), STR("abc"), 9), 3);
	assert_int_equal(str_distance(STR("abc"), STR(""), 9), 3);
	assert_int_equal(str_distance(STR_NULL, STR_NULL, 9), 0);
	assert_int_equal(str_distance(STR("abcdef"), STR("uvwxyz"), 2), 3);
	memset(long_name, 'a', 65);
	assert_int_equal(str_distance(str_z(long_name), STR("a"), 2), 3);
	assert_int_equal(str_distance(str_of(long_name, 64), str_of(long_name, 64), 2), 0);
}

struct utf8_case {
	struct str s;
	bool valid;
};

/* The borders of each length and the forms that RFC 3629 forbids. */
static const struct utf8_case utf8_cases[] = {
	{ STR_INIT(""), true },
	{ STR_INIT("plain ASCII, more than eight bytes of it\x7F"), true },
	{ STR_INIT("\0"), true },
	{ STR_INIT("\xC2\x80\xDF\xBF"), true },
	{ STR_INIT("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"), true },
	{ STR_INIT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), true },
	{ STR_INIT("12345678\xC3\xA9"), true },
	{ STR_INIT("1234567\xC3\xA9"
		   "12345678"),
		true },
	{ STR_INIT("\x80"), false },
	{ STR_INIT("\xBF"), false },
	{ STR_INIT("\xC0\x80"), false },         /* overlong */
	{ STR_INIT("\xC1\xBF"), false },         /* overlong */
	{ STR_INIT("\xE0\x9F\xBF"), false },     /* overlong */
	{ STR_INIT("\xF0\x8F\xBF\xBF"), false }, /* overlong */
	{ STR_INIT("\xED\xA0\x80"), false },     /* surrogate */
	{ STR_INIT("\xED\xBF\xBF"), false },     /* surrogate */
	{ STR_INIT("\xF4\x90\x80\x80"), false }, /* above U+10FFFF */
	{ STR_INIT("\xF5\x80\x80\x80"), false },
	{ STR_INIT("\xFF"), false },
	{ STR_INIT("\xC3"), false },
	{ STR_INIT("\xE2\x82"), false },
	{ STR_INIT("\xF0\x9F\x98"), false },
	{ STR_INIT("\xC3\x28"), false },
	{ STR_INIT("\xE2\x28\xA1"), false },
	{ STR_INIT("\xE2\x82\x28"), false },
	{ STR_INIT("\xF0\x9F\x98\x28"), false },
	{ STR_INIT("1234567\xC3"), false },
	{ STR_INIT("12345678\xFF"
		   "12345678"),
		false },
};

static void test_utf8(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(utf8_cases); i++)
		if (str_is_utf8(utf8_cases[i].s) != utf8_cases[i].valid)
			fail_msg("case %zu", i);
	assert_true(str_is_utf8(STR_NULL));
	assert_int_equal(str_utf8_prefix(STR("12345678\xC3\xA9\xFFz")), 10);
	assert_int_equal(str_utf8_prefix(STR("\xFF")), 0);
	assert_int_equal(str_utf8_prefix(STR("all")), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_prefix_and_suffix),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_sub_and_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
