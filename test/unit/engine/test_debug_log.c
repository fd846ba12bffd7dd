/*
 * test_debug_log.c - what a debug log keeps, for how long, and how much of it.
 */
#include "test.h"

#include "core/limits.h"
#include "engine/debug_log.h"

#define CONNECTION "5587092ef78228000000000a"
#define EXPORT     "507f1f77bcf86cd799439011"

struct fixture {
	struct arena *a;
	struct clock_test clock;
	struct rng rng;
	struct debug_log *log;
};

static int setup(void **state)
{
	struct arena *a = arena_new("test", 0);
	struct fixture *f = arena_new_of(a, struct fixture);

	f->a = a;
	clock_test_init(&f->clock, INT64_C(1497907629945));
	rng_test_init(&f->rng, 7);
	f->log = debug_log_new(a, &f->clock.clock, &f->rng);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	debug_log_free(f->log);
	arena_free(f->a);
	return 0;
}

static void add(struct fixture *f, struct str connection, struct str id, struct str body)
{
	struct debug_place p = { connection, STR("export"), id };
	struct err none = ERR_INIT;
	struct adaptor_trace t = { .purpose = "export",
		.request = STR("GET http://x/ HTTP/1.1\n\n"),
		.err = &none,
		.took_us = 2500 };

	t.response = str_fmt(f->a, "HTTP/1.1 200 OK\n\n%.*s", STR_ARG(body));
	debug_log_add(f->log, &p, &t);
}

static struct str printed(struct fixture *f, struct str connection, struct str id)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);

	debug_log_print(f->log, connection, id, &out);
	return str_dup(f->a, buf_str(&out));
}

static size_t lines(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static void test_two_lines_an_exchange(void **state)
{
	struct fixture *f = *state;
	struct str text, first, second;

	add(f, STR(CONNECTION), STR(EXPORT), STR("{}"));
	text = printed(f, STR(CONNECTION), STR_NULL);
	first = str_cut(&text, '\n');
	second = str_cut(&text, '\n');
	assert_true(str_starts(first, STR("2017-06-19T21:27:09.945Z ")));
	assert_str(str_from(first, 25 + 32),
		" export " EXPORT
		" {\"kind\":\"request\",\"purpose\":\"export\",\"method\":\"GET\",\"url\":"
		"\"http://x/\",\"headers\":[]}");
	assert_true(str_eq(str_sub(first, 25, 32), str_sub(second, 25, 32)));
	assert_str(str_from(second, 25 + 32),
		" export " EXPORT
		" {\"kind\":\"response\",\"purpose\":\"export\",\"ms\":2,\"statusCode\":200,"
		"\"headers\":[],\"body\":\"{}\"}");
	assert_int_equal(lines(printed(f, STR(CONNECTION), STR(EXPORT))), 2);
	assert_int_equal(lines(printed(f, STR(CONNECTION), STR("other"))), 0);
	assert_int_equal(lines(printed(f, STR("other"), STR_NULL)), 0);
}

static void test_lines_get_old(void **state)
{
	struct fixture *f = *state;

	add(f, STR(CONNECTION), STR(EXPORT), STR("1"));
	clock_test_advance(&f->clock, DEBUG_KEPT_MS);
	add(f, STR(CONNECTION), STR(EXPORT), STR("2"));
	assert_int_equal(lines(printed(f, STR(CONNECTION), STR_NULL)), 4);
	clock_test_advance(&f->clock, 1);
	assert_int_equal(lines(printed(f, STR(CONNECTION), STR_NULL)), 2);
}

static void test_the_oldest_lines_make_room(void **state)
{
	struct fixture *f = *state;
	char body[5000];

	memset(body, 'x', sizeof(body));
	for (int i = 0; i < 400; i++)
		add(f, STR(CONNECTION), STR(EXPORT), str_of(body, sizeof(body)));
	add(f, STR(CONNECTION), STR(EXPORT), STR("last"));
	struct str text = printed(f, STR(CONNECTION), STR_NULL);

	assert_in_range(text.n, LIMIT_DEBUG_BYTES / 2, LIMIT_DEBUG_BYTES);
	assert_true(str_find(text, STR("\"body\":\"last\"")) != STR_NPOS);
	while (text.n > 0) /* every line is whole */
		assert_true(str_starts(str_cut(&text, '\n'), STR("2017-06-19T21:27:09.945Z ")));
}

static void test_the_longest_unused_log_makes_room(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i <= DEBUG_LOGS_MAX; i++) {
		add(f, str_fmt(f->a, "%024x", i), STR(EXPORT), STR("1"));
		clock_test_advance(&f->clock, 1);
		if (i == 1)
			add(f, str_fmt(f->a, "%024x", 0u), STR(EXPORT), STR("2"));
	}
	assert_int_equal(lines(printed(f, str_fmt(f->a, "%024x", 0u), STR_NULL)), 4);
	assert_int_equal(lines(printed(f, str_fmt(f->a, "%024x", 1u), STR_NULL)), 0);
	assert_int_equal(lines(printed(f, str_fmt(f->a, "%024x", 2u), STR_NULL)), 2);
}

static void count(void *ctx, const struct adaptor_trace *t UNUSED)
{
	(*(int *)ctx)++;
}

/* Only while debugDate lies ahead; and whoever watches already goes on. */
static void test_watching(void **state)
{
	struct fixture *f = *state;
	struct err none = ERR_INIT;
	struct adaptor_trace t = { .purpose = "ping", .request = STR("GET / HTTP/1.1\n\n") };
	const struct json *connection;
	int seen = 0;
	struct adaptor_env env = { .trace = count, .trace_ctx = &seen };

	t.err = &none;
	struct err err;

	assert_ok(json_parse_copy(f->a,
		STR("{\"_id\":\"" CONNECTION "\",\"debugDate\":\"2017-06-19T21:28:00Z\"}"),
		&connection, &err));
	debug_log_watch(f->log, f->a, connection, "connection", NULL, &env);
	env.trace(env.trace_ctx, &t);
	clock_test_advance(&f->clock, 60000);
	env.trace(env.trace_ctx, &t);
	assert_int_equal(seen, 2);
	assert_int_equal(lines(printed(f, STR(CONNECTION), STR(CONNECTION))), 2);
	struct adaptor_env late = { .trace = NULL };

	debug_log_watch(f->log, f->a, connection, "connection", NULL, &late);
	assert_null(late.trace);
}

#define DEBUG_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = { DEBUG_TEST(test_two_lines_an_exchange),
		DEBUG_TEST(test_lines_get_old), DEBUG_TEST(test_the_oldest_lines_make_room),
		DEBUG_TEST(test_the_longest_unused_log_makes_room), DEBUG_TEST(test_watching) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
