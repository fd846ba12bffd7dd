/*
 * Words of HTTP and look-ups in a request.
 */
#include "test.h"

#include "net/http_server.h"

static void test_words(void **state UNUSED)
{
	for (int m = HTTP_GET; m < HTTP_OTHER; m++)
		assert_int_equal(http_method_of(str_z(http_method_name((enum http_method)m))), m);
	assert_int_equal(http_method_of(STR("get")), HTTP_OTHER);
	assert_int_equal(http_method_of(STR("GETX")), HTTP_OTHER);
	assert_int_equal(http_method_of(STR("")), HTTP_OTHER);
	assert_string_equal(http_status_text(200), "OK");
	assert_string_equal(http_status_text(431), "Request Header Fields Too Large");
	assert_string_equal(http_status_text(299), "");
	/* A status that the error table can give has a text. */
	for (int code = 0; code < ERR_COUNT; code++)
		assert_string_not_equal(http_status_text(err_info((enum err_code)code)->status),
			"");
}

static void test_header(void **state UNUSED)
{
	const struct http_header h[] = { { STR("A"), STR("1") }, { STR("X-B"), STR("") },
		{ STR("a"), STR("2") } };
	struct http_exchange x = { .headers = h, .header_count = 3 };

	assert_str(http_request_header(&x, STR("a")), "1");
	assert_str(http_request_header(&x, STR("x-b")), "");
	assert_non_null(http_request_header(&x, STR("x-b")).p);
	assert_null(http_request_header(&x, STR("x")).p);
}

static void test_query(void **state UNUSED)
{
	struct http_exchange x = { .arena = arena_new("test", 0),
		.query = STR("a=1&&b=x+y%21&%61c=%e4%2&flag&a=2&e=&=v") };

	assert_str(http_request_query(&x, STR("a")), "1");
	assert_str(http_request_query(&x, STR("b")), "x y!");
	assert_str(http_request_query(&x, STR("ac")), "\xE4%2");
	assert_str(http_request_query(&x, STR("flag")), "");
	assert_non_null(http_request_query(&x, STR("flag")).p);
	assert_str(http_request_query(&x, STR("e")), "");
	assert_str(http_request_query(&x, STR("")), "v");
	assert_null(http_request_query(&x, STR("fla")).p);
	assert_null(http_request_query(&x, STR("flagg")).p);
	x.query = STR_NULL;
	assert_null(http_request_query(&x, STR("a")).p);
	x.query = STR("");
	assert_null(http_request_query(&x, STR("")).p);
	arena_free(x.arena);
}

static void test_query_walk(void **state UNUSED)
{
	struct http_exchange x = { .arena = arena_new("test", 0),
		.query = STR("&a=1&b%3D=2=3&c&") };
	struct str name, value;
	size_t at = 0;

	assert_true(http_request_query_next(&x, &at, &name, &value));
	assert_str(name, "a");
	assert_str(value, "1");
	assert_true(http_request_query_next(&x, &at, &name, &value));
	assert_str(name, "b=");
	assert_str(value, "2=3");
	assert_true(http_request_query_next(&x, &at, &name, &value));
	assert_str(name, "c");
	assert_str(value, "");
	assert_false(http_request_query_next(&x, &at, &name, &value));
	assert_false(http_request_query_next(&x, &at, &name, &value));
	arena_free(x.arena);
}

static void test_response_header(void **state UNUSED)
{
	struct http_exchange x = { .arena = arena_new("test", 0) };

	for (int i = 0; i < 20; i++)
		http_response_header(&x, str_fmt(x.arena, "H%d", i), STR("v"));
	assert_int_equal(x.res_header_count, 20);
	for (int i = 0; i < 20; i++)
		assert_str(x.res_headers[i].name, str_fmt(x.arena, "H%d", i).p);
	arena_free(x.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_query_walk),
		cmocka_unit_test(test_response_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
