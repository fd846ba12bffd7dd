/*
 * The chunked decoder: what it accepts, what it refuses, its limits, and that cuts do not matter.
 */
#include "test.h"

#include "core/buf.h"
#include "core/rng.h"
#include "net/http_parser.h"

struct outcome {
	enum http_parse result;
	struct buf body;
	size_t used;
	struct err err;
};

static struct outcome feed(struct str text, uint64_t max, size_t step, struct rng *rng)
{
	struct outcome o = { .result = HTTP_PARSE_MORE, .err = ERR_INIT };
	struct http_chunks c = { .max = max };

	while (o.result == HTTP_PARSE_MORE && o.used < text.n) {
		size_t n = step != 0 ? step : 1 + (size_t)rng_below(rng, 9), used = 0;
		struct str piece = str_sub(text, o.used, n), data;
		struct arena *a = arena_new("bytes", 0);

		piece.p = arena_memdup(a, piece.p, piece.n);
		o.result = http_chunks_feed(&c, piece.p, piece.n, &used, &data, &o.err);
		assert_true(used <= piece.n && (used > 0 || o.result == HTTP_PARSE_BAD));
		buf_add_str(&o.body, data);
		o.used += used;
		arena_free(a);
	}
	return o;
}

static struct outcome decode(struct str text, uint64_t max)
{
	struct outcome whole = feed(text, max, text.n, NULL);
	struct rng rng;

	rng_test_init(&rng, 3);
	for (size_t step = 0; step < 6; step++) {
		struct outcome o = feed(text, max, step, &rng);

		assert_int_equal(o.result, whole.result);
		assert_int_equal(o.used, whole.used);
		assert_string_equal(o.err.message, whole.err.message);
		assert_true(str_eq(buf_str(&o.body), buf_str(&whole.body)));
		buf_free(&o.body);
	}
	return whole;
}

static void good(const char *text, const char *body, const char *rest)
{
	struct outcome o = decode(str_z(text), 100);

	if (o.result != HTTP_PARSE_DONE)
		fail_msg("%s: %d %s", text, (int)o.result, o.err.message);
	assert_str(buf_str(&o.body), body);
	assert_string_equal(text + o.used, rest);
	buf_free(&o.body);
}

static void bad_str(struct str text, enum err_code code, const char *why)
{
	struct outcome o = decode(text, 100);

	if (o.result != HTTP_PARSE_BAD || o.err.code != code || strstr(o.err.message, why) == NULL)
		fail_msg("%.*s: %d %s, want %s", STR_ARG(text), (int)o.result, o.err.message, why);
	buf_free(&o.body);
}

static void bad(const char *text, const char *why)
{
	bad_str(str_z(text), ERR_BAD_REQUEST, why);
}

static void test_good(void **state UNUSED)
{
	good("0\r\n\r\n", "", "");
	good("5\r\nhello\r\n0\r\n\r\nGET", "hello", "GET");
	good("1\r\na\r\n0A\r\n0123456789\r\n000\r\n\r\n", "a0123456789", "");
}

static void test_extensions(void **state UNUSED)
{
	good("2;a;b=c;d=\"e \\\" ;\"\r\nxy\r\n0;z\r\n\r\n", "xy", "");
	bad("2 \r\nxy\r\n", "something else");
	bad("2 ;a\r\n", "something else");
	bad("2;\r\n", "malformed");
	bad("2; a\r\n", "malformed");
	bad("2;a=\r\n", "malformed");
	bad("2;=a\r\n", "malformed");
	bad("2;a b\r\n", "malformed");
	bad("2;a=\"b\r\n", "malformed");
	bad("2;a=\"b\"c\r\n", "malformed");
	bad("2;a=\"\\\x01\"\r\n", "malformed");
	bad("2;a\nxy", "malformed");
	bad("2;a\rxy", "CR without LF");
}

static void test_sizes(void **state UNUSED)
{
	bad("\r\n", "does not begin with its size");
	bad("g\r\n", "does not begin with its size");
	bad("+5\r\nhello\r\n", "does not begin with its size");
	bad("-1\r\n", "does not begin with its size");
	bad(" 5\r\n", "does not begin with its size");
	bad("0x5\r\n", "something else");
	bad("5h\r\n", "something else");
	bad("5\nhello\r\n", "something else");
	bad("5\rhello\r\n", "CR without LF");
	bad("00000000000000001\r\na", "more than 16 digits");
	bad_str(STR("FFFFFFFFFFFFFFFF\r\n"), ERR_TOO_LARGE, "larger than 100 bytes");
	bad_str(STR("65\r\n"), ERR_TOO_LARGE, "larger than 100 bytes");
	bad_str(STR("1\r\na\r\nFFFFFFFFFFFFFFFF\r\n"), ERR_TOO_LARGE, "larger than 100 bytes");
	bad_str(STR("1\r\na\r\n64\r\n"), ERR_TOO_LARGE, "larger than 100 bytes");
}

static void test_data_end(void **state UNUSED)
{
	bad("5\r\nhelloX\r\n0\r\n\r\n", "not followed by CRLF");
	bad("5\r\nhello\n0\r\n\r\n", "not followed by CRLF");
	bad("5\r\nhello\r0\r\n\r\n", "not followed by CRLF");
	bad("4\r\nhello\r\n0\r\n\r\n", "not followed by CRLF");
	bad("0\r\n\n", "malformed");
	bad("0\r\n\rX", "CR without LF");
}

static void test_trailers(void **state UNUSED)
{
	good("1\r\na\r\n0\r\nA: b\r\nContent-MD5: 7\r\n\r\nx", "a", "x");
	/* names that only begin or end like one that frames a message */
	good("0\r\nHosts: b\r\nHos: c\r\nX-Host: d\r\nContent-Length2: 1\r\n\r\n", "", "");
	bad("0\r\nHost: b\r\n\r\n", "a field that frames a message");
	bad("0\r\nA: b\r\ncontent-LENGTH: 7\r\n\r\n", "a field that frames a message");
	bad("0\r\nTransfer-Encoding:chunked\r\n\r\n", "a field that frames a message");
	good("0\r\nA:\r\n\r\n", "", "");
	bad("0\r\n: b\r\n\r\n", "trailer line is malformed");
	bad("0\r\nA b\r\n\r\n", "trailer line is malformed");
	bad("0\r\nA : b\r\n\r\n", "trailer line is malformed");
	bad("0\r\n A: b\r\n\r\n", "trailer line is malformed");
	bad("0\r\nA\r\n\r\n", "trailer line is malformed");
	bad("0\r\nA: b\x01\r\n\r\n", "control byte");
	bad("0\r\nA: b\n\r\n", "control byte");
	bad("0\r\nA: b\rC", "CR without LF");
}

/* What is thrown away is bounded over the whole body. */
static void test_extra_bounded(void **state UNUSED)
{
	struct buf b = BUF_INIT(0);

	for (int i = 0; i < 80; i++)
		buf_add_fmt(&b, "1;%060d\r\na\r\n", i);
	bad_str(buf_str(&b), ERR_BAD_REQUEST, "extensions are too long");
	buf_reset(&b);
	BUF_ADD_LIT(&b, "0\r\n");
	for (int i = 0; i < 80; i++)
		buf_add_fmt(&b, "A: %060d\r\n", i);
	bad_str(buf_str(&b), ERR_HEADERS_TOO_LARGE, "trailers are larger");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_data_end),
		cmocka_unit_test(test_trailers),
		cmocka_unit_test(test_extra_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
