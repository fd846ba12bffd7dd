/*
 * test_respond.c - answers: error bodies with what belongs to their status, ETag and If-Match, links to the
 * next page.
 */
#include "exchange.h"

#include "arena_test.h"

static struct api_request request(const char *target, const char *const *headers)
{
	return (struct api_request){ .x = exchange_new(a, HTTP_GET, target, headers) };
}

static void errors_tell_all_they_know(void **state UNUSED)
{
	struct api_request rq = request("/", NULL);
	struct problems p;

	problems_init(&p, a);
	problems_add(&p, ERR_INVALID, "rest.baseURI", "begin with https://", "no \"URL\"");
	problems_add(&p, ERR_MISSING, "", NULL, "missing");
	api_fail_all(&rq, &p);
	assert_int_equal(rq.x->status, 422);
	assert_str(exchange_answered(rq.x, "Content-Type"), "application/json; charset=utf-8");
	assert_str(rq.x->res_body,
		"{\"errors\":[{\"field\":\"rest.baseURI\",\"code\":\"invalid_field\",\"message\":"
		"\"no \\\"URL\\\"\",\"hint\":\"begin with https://\"},"
		"{\"code\":\"missing_required_field\",\"message\":\"missing\"}]}");
}

static void some_statuses_have_fields_of_their_own(void **state UNUSED)
{
	struct api_request no = request("/", NULL), late = request("/", NULL);
	struct err err = ERR_INIT, rate = ERR_INIT;

	err_set(&err, ERR_UNAUTHORIZED, "who?");
	api_fail(&no, &err);
	assert_int_equal(no.x->status, 401);
	assert_str(exchange_answered(no.x, "WWW-Authenticate"), "Bearer realm=\"integrator\"");
	assert_null(exchange_answered(no.x, "Retry-After").p);
	err_set(&rate, ERR_RATE, "too many");
	rate.retry_after_s = 3;
	api_fail(&late, &rate);
	assert_int_equal(late.x->status, 429);
	assert_str(exchange_answered(late.x, "Retry-After"), "3");
}

static void a_version_goes_out_and_comes_back(void **state UNUSED)
{
	static const int64_t versions[] = { 0, 1, 10, INT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct api_request rq = request("/", NULL);

		api_etag(&rq, versions[i]);
		assert_str(exchange_answered(rq.x, "ETag"),
			str_fmt(a, "\"%lld\"", (long long)versions[i]).p);
	}
	const char *const match[] = { "If-Match", " \"9223372036854775807\" ", NULL };
	struct api_request rq = request("/", match);
	int64_t version;

	assert_true(api_if_match(&rq, &version));
	assert_true(version == INT64_MAX);
}

static void if_match(void **state UNUSED)
{
	static const struct {
		const char *value;
		int64_t version; /* -1: refused */
	} rows[] = { { "*", 0 }, { "", 0 }, { "\"3\"", 3 }, { "W/\"3\"", -1 }, { "3", -1 },
		{ "\"3\", \"4\"", -1 }, { "\"\"", -1 }, { "\"-1\"", -1 }, { "\"0\"", -1 },
		{ "\"99999999999999999999\"", -1 }, { "\"", -1 } };
	struct api_request none = request("/", NULL);
	int64_t version = 7;

	assert_true(api_if_match(&none, &version) && version == 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const headers[] = { "if-match", rows[i].value, NULL };
		struct api_request rq = request("/", headers);
		bool ok = api_if_match(&rq, &version);

		if (ok != (rows[i].version >= 0) || (ok && version != rows[i].version))
			fail_msg("If-Match: %s", rows[i].value);
		assert_int_equal(rq.x->status, ok ? 0 : 412);
	}
}

static void the_next_page_keeps_the_parameters(void **state UNUSED)
{
	struct api_request rq = request("/v1/jobs?status=failed&after=old&name=a%26b&status=queued",
		NULL);

	api_link_next(&rq, STR("5e03061cda20740022300f09"));
	assert_str(exchange_answered(rq.x, "Link"),
		"</v1/jobs?status=failed&name=a%26b&status=queued&after=5e03061cda20740022300f09>; "
		"rel=\"next\"");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ARENA_TEST(errors_tell_all_they_know),
		ARENA_TEST(some_statuses_have_fields_of_their_own),
		ARENA_TEST(a_version_goes_out_and_comes_back),
		ARENA_TEST(if_match),
		ARENA_TEST(the_next_page_keeps_the_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
