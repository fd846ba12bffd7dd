/*
 * test_exchange.c - texts of exchanges taken apart, whole ones and such as were cut.
 */
#include "test.h"

#include "engine/exchange.h"

static struct str taken(struct arena *a, void (*add)(struct json_build *b, struct str text),
	const char *text)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	add(&b, str_z(text));
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

static void test_requests(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);

	assert_str(taken(a, exchange_add_request,
			   "POST http://x/a?b=c d HTTP/1.1\nAccept: */*\nX:1:2\n\nbody\n\nmore"),
		"{\"method\":\"POST\",\"url\":\"http://x/a?b=c d\",\"headers\":[{\"name\":"
		"\"Accept\",\"value\":\"*/*\"},{\"name\":\"X\",\"value\":\"1:2\"}],\"body\":"
		"\"body\\n\\nmore\"}");
	assert_str(taken(a, exchange_add_request, "GET http://x/ HTTP/1.1\n\n"),
		"{\"method\":\"GET\",\"url\":\"http://x/\",\"headers\":[]}");
	assert_str(taken(a, exchange_add_request, "GET"),
		"{\"method\":\"GET\",\"url\":\"\",\"headers\":[]}");
	assert_str(taken(a, exchange_add_request, ""),
		"{\"method\":\"\",\"url\":\"\",\"headers\":[]}");
	arena_free(a);
}

static void test_responses(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);

	assert_str(taken(a, exchange_add_response, "HTTP/1.1 404 Not Found\nA: b\n\n{}"),
		"{\"statusCode\":404,\"headers\":[{\"name\":\"A\",\"value\":\"b\"}],\"body\":"
		"\"{}\"}");
	assert_str(taken(a, exchange_add_response, "nonsense"),
		"{\"statusCode\":0,\"headers\":[]}");
	assert_int_equal(exchange_status(STR("HTTP/1.1 201 \n\n")), 201);
	assert_int_equal(exchange_status(STR("HTTP/1.1 abc\n\n")), 0);
	assert_int_equal(exchange_status(STR_NULL), 0);
	assert_str(exchange_body(STR("HTTP/1.1 200 OK\nA: b\n\nx\ny")), "x\ny");
	assert_str(exchange_body(STR("HTTP/1.1 200 OK\nA: b")), "");
	arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_requests),
		cmocka_unit_test(test_responses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
