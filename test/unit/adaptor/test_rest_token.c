/*
 * test_rest_token.c - what token endpoints answer, and until when a token is good.
 */
#include "test.h"

#include "adaptor/rest/rest_token.h"

static struct rest_token_answer good(struct arena *a, const char *body)
{
	struct rest_token_answer t;
	struct err err = ERR_INIT;

	assert_ok(rest_token_read(a, str_z(body), &t, &err));
	return t;
}

static void expires_in_is_said_in_many_ways(void **state UNUSED)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} cases[] = {
		{ "3600", 3600 },
		{ "3599.9", 3599 },
		{ "1e3", 1000 },
		{ "\"3600\"", 3600 },
		{ "\" 60 \"", 60 },
		{ "1", 1 },
		{ "315360001", 315360000 }, /* ten years at most */
		{ "1e300", 315360000 },
		{ "99999999999999999999999999", 315360000 },
		{ "1e999", 315360000 },
		{ "\"9223372036854775807\"", 315360000 },
		/* not said */
		{ "0", 0 },
		{ "0.5", 0 },
		{ "-5", 0 },
		{ "-1e999", 0 },
		{ "null", 0 },
		{ "true", 0 },
		{ "\"\"", 0 },
		{ "\"never\"", 0 },
		{ "\"-1\"", 0 },
		{ "\"9223372036854775808\"", 0 },
		{ "[3600]", 0 },
		{ "{}", 0 },
	};
	struct arena *a = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str body = str_fmt(a, "{\"access_token\":\"t\",\"expires_in\":%s}",
			cases[i].value);

		if (good(a, body.p).expires_in_s != cases[i].seconds)
			fail_msg("%s: %lld", body.p, (long long)good(a, body.p).expires_in_s);
	}
	assert_int_equal(good(a, "{\"access_token\":\"t\"}").expires_in_s, 0);
	arena_free(a);
}

static void the_members_that_count(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct rest_token_answer t = good(a, "{\"token_type\":[1],\"scope\":null,\"access_token\":"
					     "\"a~!\",\"refresh_token\":\"r\"}");

	assert_str(t.access_token, "a~!");
	assert_str(t.refresh_token, "r");
	assert_int_equal(t.error.n, 0);
	assert_null(good(a, "{\"access_token\":\"a\",\"refresh_token\":null}").refresh_token.p);
	/* an error goes before all else, whatever stands beside it */
	t = good(a,
		"{\"error\":\"invalid_grant\",\"error_description\":\"gone\",\"access_token\":7}");
	assert_str(t.error, "invalid_grant");
	assert_str(t.description, "gone");
	assert_null(t.access_token.p);
	/* these say no error */
	assert_str(good(a, "{\"error\":\"\",\"access_token\":\"a\"}").access_token, "a");
	assert_str(good(a, "{\"error\":null,\"access_token\":\"a\"}").access_token, "a");
	arena_free(a);
}

static void what_is_no_answer(void **state UNUSED)
{
	static const char *const bodies[] = { "", "   ", "<html></html>", "null", "[]", "\"t\"",
		"{}", "{\"access_token\":\"t\"", "{\"access_token\":null}",
		"{\"access_token\":\"\"}", "{\"access_token\":7}", "{\"access_token\":{\"t\":1}}",
		"{\"access_token\":\"a b\"}", "{\"access_token\":\"a\\u0000\"}",
		"{\"access_token\":\"a\\r\\nX: y\"}", "{\"access_token\":\"\\u00e4\"}",
		"{\"access_token\":\"a\\u007f\"}", "{\"access_token\":\"t\",\"refresh_token\":7}",
		"{\"access_token\":\"t\",\"refresh_token\":\"\"}", "{\"ACCESS_TOKEN\":\"t\"}",
		"access_token=t" };
	struct arena *a = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct rest_token_answer t;
		struct err err = ERR_INIT;

		if (rest_token_read(a, str_z(bodies[i]), &t, &err))
			fail_msg("read: %s", bodies[i]);
		assert_int_equal(err.code, ERR_RESPONSE);
	}
	arena_free(a);
}

static void tokens_have_a_limit(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);

	for (size_t over = 0; over < 2; over++) {
		struct buf b = BUF_INIT(0);
		struct rest_token_answer t;
		struct err err = ERR_INIT;

		buf_add_str(&b, STR("{\"access_token\":\""));
		for (size_t i = 0; i < REST_TOKEN_BYTES_MAX + over; i++)
			buf_add_char(&b, 'x');
		buf_add_str(&b, STR("\"}"));
		assert_int_equal(rest_token_read(a, buf_str(&b), &t, &err), over == 0);
		buf_free(&b);
	}
	arena_free(a);
}

static void when_it_is_renewed(void **state UNUSED)
{
	const int64_t now = INT64_C(1767225600000);

	assert_int_equal(rest_token_ends_ms(now, 0), 0);
	assert_int_equal(rest_token_ends_ms(now, -1), 0);
	assert_int_equal(rest_token_ends_ms(now, 1), now + 1000);
	assert_int_equal(rest_token_ends_ms(now, 60), now + 45000);
	assert_int_equal(rest_token_ends_ms(now, 240), now + 180000);
	assert_int_equal(rest_token_ends_ms(now, 3600), now + 3540000);
	assert_true(rest_token_ends_ms(now, INT64_MAX) > now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expires_in_is_said_in_many_ways),
		cmocka_unit_test(the_members_that_count),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(tokens_have_a_limit),
		cmocka_unit_test(when_it_is_renewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
