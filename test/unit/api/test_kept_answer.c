/*
 * test_kept_answer.c - what is kept of a request that is done once: which requests are the same, and that an
 * answer comes back as it was.
 */
#include "exchange.h"

#include "arena_test.h"

#include "api/kept_answer.h"

static struct http_exchange *post(const char *target, const char *body)
{
	struct http_exchange *x = exchange_new(a, HTTP_POST, target, NULL);

	x->body = arena_strndup(a, body, strlen(body));
	x->body_bytes = strlen(body);
	return x;
}

static bool same(const struct http_exchange *x, const char *connector,
	const struct http_exchange *y, const char *other)
{
	unsigned char one[SHA256_BYTES], two[SHA256_BYTES];

	kept_answer_fingerprint(x, str_z(connector), one);
	kept_answer_fingerprint(y, str_z(other), two);
	return memcmp(one, two, sizeof(one)) == 0;
}

static void tells_requests_apart(void **state UNUSED)
{
	struct http_exchange *x = post("/v1/flows?a=1", "{}"), *put = post("/v1/flows?a=1", "{}");

	put->method_text = STR("PUT");
	assert_true(same(x, "", post("/v1/flows?a=1", "{}"), ""));
	assert_false(same(x, "", put, ""));
	assert_false(same(x, "", post("/v1/flows?a=2", "{}"), ""));
	assert_false(same(x, "", post("/v1/flows?a=1", "{ }"), ""));
	/* the same words on other sides of a border */
	assert_false(same(post("/v1/a", "b"), "", post("/v1/ab", ""), ""));
	/* another connector's token, or none */
	assert_false(same(x, "5e03061cda20740022300f09", x, ""));
	assert_false(same(x, "5e03061cda20740022300f09", x, "5e03061cda20740022300f0a"));
}

static void an_answer_comes_back(void **state UNUSED)
{
	static const char body[] = "{\"a\":\"line\"}\n\nETag: none\n";
	struct http_exchange *x = post("/v1/flows", ""), *y = post("/v1/flows", "");

	http_response_header(x, STR("Request-Id"), STR("r1"));
	http_response_header(x, STR("Content-Type"), STR("application/json; charset=utf-8"));
	http_response_header(x, STR("Location"), STR("/v1/flows/1"));
	http_response_header(x, STR("ETag"), STR("\"1\""));
	x->res_body = str_z(body);
	assert_true(kept_answer_read(kept_answer_print(a, x), y));
	assert_str(y->res_body, body);
	assert_int_equal(y->res_header_count, 3);
	assert_str(exchange_answered(y, "Content-Type"), "application/json; charset=utf-8");
	assert_str(exchange_answered(y, "Location"), "/v1/flows/1");
	assert_str(exchange_answered(y, "ETag"), "\"1\"");
	assert_null(exchange_answered(y, "Request-Id").p); /* a repeat has its own */
}

static void an_answer_without_anything(void **state UNUSED)
{
	struct http_exchange *x = post("/", ""), *y = post("/", "");

	assert_str(kept_answer_print(a, x), "\n");
	assert_true(kept_answer_read(STR("\n"), y));
	assert_int_equal(y->res_body.n, 0);
	assert_int_equal(y->res_header_count, 0);
}

static void what_is_no_answer_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", "{}", "ETag: \"1\"", "ETag: \"1\"\n", "ETag\n\n",
		"Set-Cookie: a\n\nbody", ": x\n\n", "ETag:\n\nbody" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_exchange *y = post("/", "");

		if (kept_answer_read(str_z(bad[i]), y))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(y->res_header_count, 0);
		assert_null(y->res_body.p);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ARENA_TEST(tells_requests_apart),
		ARENA_TEST(an_answer_comes_back),
		ARENA_TEST(an_answer_without_anything),
		ARENA_TEST(what_is_no_answer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
