/*
 * Every rule of the request's grammar with one request that breaks it, and the property that the
 * outcome does not depend on how the bytes arrive.
 */
#include "test.h"

#include "core/rng.h"
#include "net/http_parser.h"

#define FIELDS 8

static const struct http_limits limits = { .line_max = 60,
	.headers_max = 200,
	.count_max = FIELDS };

struct outcome {
	enum http_parse result;
	struct http_head head;
	struct http_field fields[FIELDS];
	struct err err;
};

/* Feeds TEXT so that each call sees STEP bytes more; 0: random steps from RNG. */
static struct outcome feed(struct str text, size_t step, struct rng *rng)
{
	struct outcome o = { .result = HTTP_PARSE_MORE, .err = ERR_INIT };
	size_t n = 0;

	while (o.result == HTTP_PARSE_MORE && n < text.n) {
		n += step != 0 ? step : 1 + (size_t)rng_below(rng, 40);
		n = MIN(n, text.n);
		/* A copy of exactly what is there, so that a sanitizer sees any read beyond it. */
		struct arena *a = arena_new("bytes", 0);
		char *p = arena_memdup(a, text.p, n);

		o.result = http_head_feed(&o.head, &limits, p, n, o.fields, &o.err);
		arena_free(a);
	}
	return o;
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->result, b->result);
	assert_int_equal(a->err.code, b->err.code);
	assert_string_equal(a->err.message, b->err.message);
	if (a->result != HTTP_PARSE_DONE)
		return;
	assert_memory_equal(&a->head, &b->head, sizeof(a->head));
	assert_memory_equal(a->fields, b->fields, sizeof(a->fields));
}

/* The outcome, after it was checked to be the same for all ways to cut the bytes. */
static struct outcome parse_str(struct str text)
{
	struct rng rng;
	struct outcome whole = feed(text, text.n, NULL);

	rng_test_init(&rng, 7);
	for (size_t step = 0; step < 5; step++) {
		struct outcome pieces = feed(text, step, &rng);

		assert_same(&whole, &pieces);
	}
	return whole;
}

static struct outcome parse(const char *text)
{
	return parse_str(str_z(text));
}

static void refused_str(struct str text, enum err_code code, const char *why)
{
	struct outcome o = parse_str(text);

	if (o.result != HTTP_PARSE_BAD || o.err.code != code || strstr(o.err.message, why) == NULL)
		fail_msg("%.*s: got %d %s: %s, want \"%s\"", STR_ARG(text), (int)o.result,
			err_info(o.err.code)->wire, o.err.message, why);
}

static void refused(const char *text, enum err_code code, const char *why)
{
	refused_str(str_z(text), code, why);
}

#define BAD(text, why)    refused(text, ERR_BAD_REQUEST, why)
#define BAD_FIELD(f, why) BAD("GET / HTTP/1.1\r\nHost: a\r\n" f "\r\n\r\n", why)
#define ACCEPTED(text)    assert_int_equal(parse(text).result, HTTP_PARSE_DONE)

static void assert_span(const char *text, struct http_span s, const char *want)
{
	assert_str(str_of(text + s.at, s.n), want);
}

static void test_plain(void **state UNUSED)
{
	const char *t = "POST /v1/x?y=1 HTTP/1.1\r\nHost: a.example:8080\r\nX-Empty:\r\n"
			"content-LENGTH:  12 \t\r\nB:\ta b\xC3\xA9\r\n\r\nbody";
	struct outcome o = parse(t);

	assert_int_equal(o.result, HTTP_PARSE_DONE);
	assert_int_equal(o.head.method, HTTP_POST);
	assert_int_equal(o.head.minor, 1);
	assert_span(t, o.head.method_text, "POST");
	assert_span(t, o.head.target, "/v1/x?y=1");
	assert_span(t, o.head.host, "a.example:8080");
	assert_int_equal(o.head.length, 12);
	assert_int_equal(o.head.count, 4);
	assert_span(t, o.fields[1].name, "X-Empty");
	assert_span(t, o.fields[1].value, "");
	assert_span(t, o.fields[2].value, "12");
	assert_span(t, o.fields[3].value, "a b\xC3\xA9");
	assert_string_equal(t + o.head.bytes, "body");
}

static void test_method(void **state UNUSED)
{
	struct outcome o = parse("M!#$%&'*+-.^_`|~9 / HTTP/1.0\r\n\r\n");

	assert_int_equal(o.result, HTTP_PARSE_DONE);
	assert_int_equal(o.head.method, HTTP_OTHER);
	assert_int_equal(parse("get / HTTP/1.0\r\n\r\n").head.method, HTTP_OTHER);
	BAD(" GET / HTTP/1.1\r\n", "the character \" \" in the place of the method");
	BAD("G(T / HTTP/1.1\r\n", "the character \"(\" in the method");
	BAD("G\tT / HTTP/1.1\r\n", "the byte 0x09 in the method");
	BAD("\x16\x03\x01\x02", "the byte 0x16 in the place of the method");
	refused_str(STR("\0"), ERR_BAD_REQUEST, "a NUL byte");
	BAD("GET\r\n", "no target");
	BAD("\xC3\xA9 / HTTP/1.1\r\n", "0xC3");
}

static void test_request_line(void **state UNUSED)
{
	BAD("GET  / HTTP/1.1\r\n", "two spaces");
	BAD("GET /  HTTP/1.1\r\n", "protocol version");
	BAD("GET / HTTP/1.1 \r\n", "protocol version");
	BAD("GET /a b HTTP/1.1\r\n", "protocol version");
	BAD("GET /\tHTTP/1.1 HTTP/1.1\r\n", "0x09 in the request target");
	BAD("GET / http/1.1\r\n", "protocol version");
	BAD("GET / HTTP/1.1x\r\n", "protocol version");
	BAD("GET / HTTP/11\r\n", "protocol version");
	BAD("GET / HTTP/1,1\r\n", "protocol version");
	BAD("GET / HTTP/1.1\n", "LF without CR");
	BAD("GET / HTTP/1.1\r\r\n", "protocol version");
	BAD("GET /\r/ HTTP/1.1\r\n", "a CR without LF in the request target");
	refused("GET / HTTP/2.0\r\n", ERR_HTTP_VERSION, "HTTP/2.0 is not spoken");
	refused("GET / HTTP/1.2\r\n", ERR_HTTP_VERSION, "HTTP/1.2 is not spoken");
	refused("GET / HTTP/0.9\r\n", ERR_HTTP_VERSION, "HTTP/0.9 is not spoken");
	refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ERR_HTTP_VERSION, "HTTP/2.0");
	refused("GET /\r\n", ERR_HTTP_VERSION, "HTTP/0.9");
}

static void test_target(void **state UNUSED)
{
	const char *t = "GET HTTP://a.b:8/p?q HTTP/1.1\r\nHost: A.b:8\r\n\r\n";
	struct outcome o = parse(t);

	assert_int_equal(o.result, HTTP_PARSE_DONE);
	assert_span(t, o.head.target, "/p?q");
	assert_span(t, o.head.authority, "a.b:8");
	t = "GET https://a HTTP/1.1\r\nHost: a\r\n\r\n";
	o = parse(t);
	assert_int_equal(o.result, HTTP_PARSE_DONE);
	assert_span(t, o.head.target, "");
	ACCEPTED("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	BAD("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS only");
	BAD("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "Host differs");
	BAD("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "Host differs");
	BAD("GET http:///p HTTP/1.1\r\n", "host in the request target");
	BAD("GET http://u@a/p HTTP/1.1\r\n", "host in the request target");
	BAD("GET http://a?q HTTP/1.1\r\n", "host in the request target");
	BAD("GET ftp://a/ HTTP/1.1\r\n", "must be a path");
	BAD("GET a/b HTTP/1.1\r\n", "must be a path");
	BAD("CONNECT a:443 HTTP/1.1\r\n", "must be a path");
	BAD("GET /\xC3\xA9 HTTP/1.1\r\n", "0xC3 in the request target");
	BAD("GET /\x7F HTTP/1.1\r\n", "0x7F in the request target");
	BAD("GET /a#b HTTP/1.1\r\n", "\"#\" in the request target");
	refused_str(STR("GET /\0 HTTP/1.1\r\n"), ERR_BAD_REQUEST,
		"a NUL byte in the request target");
}

static void test_blank_lines(void **state UNUSED)
{
	ACCEPTED("\r\nGET / HTTP/1.0\r\n\r\n");
	ACCEPTED("\r\n\r\nGET / HTTP/1.0\r\n\r\n");
	BAD("\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", "too many empty lines");
	BAD("\nGET / HTTP/1.0\r\n\r\n", "LF without CR");
	BAD("\r\r\nGET / HTTP/1.0\r\n\r\n", "a CR without LF");
}

static void test_host(void **state UNUSED)
{
	static const char *const good[] = { "a", "a:", "a:65535", "[::1]", "[::ffff:1.2.3.4]:1",
		"x_y-z.~", "a%20b" };
	static const char *const wrong[] = { "", "a:65536", "a:x", "a:-1", "a b", "a/b", "a@b",
		"[::1", "[]", "[::1]x", "[g]", "::1", "a%2", "a%zz", "a\"", "\xC3\xA9", ":80" };
	char t[100];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		snprintf(t, sizeof(t), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good[i]);
		ACCEPTED(t);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		snprintf(t, sizeof(t), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", wrong[i]);
		BAD(t, "Host is not a valid");
	}
	BAD("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "Host is present more than once");
	BAD("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", "Host is present more than once");
	BAD("GET / HTTP/1.1\r\nA: b\r\n\r\n", "Host is missing");
	ACCEPTED("GET / HTTP/1.0\r\nA: b\r\n\r\n");
}

static void test_field_lines(void **state UNUSED)
{
	BAD_FIELD("A : b", "before its colon");
	BAD_FIELD("A\t: b", "before its colon");
	BAD_FIELD("A b: c", "white space in a field name");
	BAD_FIELD("A: b\r\n c", "begins with white space");
	BAD_FIELD("A: b\r\n\tc", "begins with white space");
	BAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "begins with white space");
	BAD_FIELD(": b", "has no name");
	BAD_FIELD("A", "no colon");
	BAD_FIELD("A(: b", "\"(\" in a field name");
	BAD_FIELD("\xC3\xA9: b", "0xC3 in a field name");
	BAD_FIELD("A: b\rc", "a CR without LF in a field value");
	BAD_FIELD("A: b\r", "a CR without LF in a field value");
	BAD_FIELD("A: b\nB: c", "LF without CR");
	BAD_FIELD("A: \x01", "0x01 in a field value");
	BAD_FIELD("A: 01234567\x1F", "0x1F in a field value");
	BAD_FIELD("A: 0123456\x7F"
		  "89",
		"0x7F in a field value");
	BAD("GET / HTTP/1.1\r\nHost: a\r\n\n", "LF without CR");
	BAD("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "a CR without LF in a field name");
	refused_str(STR("GET / HTTP/1.1\r\nA: b\0c\r\n"), ERR_BAD_REQUEST,
		"a NUL byte in a field value");
	refused_str(STR("GET / HTTP/1.1\r\nA\0: b\r\n"), ERR_BAD_REQUEST,
		"a NUL byte in a field name");
	ACCEPTED("GET / HTTP/1.1\r\nHost: a\r\nA: b\t\xFF\x80 c\r\n\r\n");
}

/* Each of the 256 bytes at each place of an 8-byte word: the fast path must not miss one. */
static void test_value_bytes(void **state UNUSED)
{
	for (unsigned b = 0; b < 256; b++)
		for (size_t at = 0; at < 17; at++) {
			char t[] = "GET / HTTP/1.1\r\nHost: a\r\nA: abcdefghijklmnopq\r\n\r\n";
			struct err err = ERR_INIT;
			struct http_head h = { 0 };
			bool good = (b >= 0x20 && b != 0x7F) || b == '\t';

			t[28 + at] = (char)b;
			enum http_parse r = http_head_feed(&h, &limits, t, sizeof(t) - 1, NULL,
				&err);

			assert_int_equal(r, good ? HTTP_PARSE_DONE : HTTP_PARSE_BAD);
		}
}

static void test_length(void **state UNUSED)
{
	BAD_FIELD("Content-Length: 5\r\nContent-Length: 5", "more than once");
	BAD_FIELD("Content-Length: 5\r\nContent-Length: 6", "more than once");
	BAD_FIELD("Content-Length: 5, 5", "one decimal number");
	BAD_FIELD("Content-Length: +5", "one decimal number");
	BAD_FIELD("Content-Length: -5", "one decimal number");
	BAD_FIELD("Content-Length: 0x5", "one decimal number");
	BAD_FIELD("Content-Length: 5 5", "one decimal number");
	BAD_FIELD("Content-Length: 5.0", "one decimal number");
	BAD_FIELD("Content-Length:", "empty");
	BAD_FIELD("Content-Length: 18446744073709551616", "too large");
	BAD_FIELD("Content-Length: 99999999999999999999999", "too large");
	struct outcome o = parse("GET / HTTP/1.0\r\nContent-Length: 18446744073709551615\r\n\r\n");

	assert_int_equal(o.result, HTTP_PARSE_DONE);
	assert_true(o.head.length == UINT64_MAX);
	BAD_FIELD("Content-Length: 5\r\nTransfer-Encoding: chunked",
		"both present (RFC 9112, 6.1)");
	BAD_FIELD("Transfer-Encoding: chunked\r\nContent-Length: 0",
		"both present (RFC 9112, 6.1)");
}

static void test_codings(void **state UNUSED)
{
	struct outcome o = parse(
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED \r\n\r\n");

	assert_int_equal(o.result, HTTP_PARSE_DONE);
	assert_true(o.head.chunked);
	BAD_FIELD("Transfer-Encoding: chunked, chunked", "repeated");
	BAD_FIELD("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "more than once");
	BAD_FIELD("Transfer-Encoding:", "empty or malformed");
	BAD_FIELD("Transfer-Encoding: chunked,", "empty or malformed");
	BAD_FIELD("Transfer-Encoding: ,chunked", "empty or malformed");
	BAD_FIELD("Transfer-Encoding: \"chunked\"", "empty or malformed");
	BAD("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0");
#define UNKNOWN(v)                                                               \
	refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " v "\r\n\r\n", \
		ERR_NOT_IMPLEMENTED, "only")
	UNKNOWN("gzip");
	UNKNOWN("identity");
	UNKNOWN("gzip, chunked");
	UNKNOWN("chunked, identity");
	UNKNOWN("xchunked");
	UNKNOWN("chunked;a=b");
}

static void test_connection(void **state UNUSED)
{
#define HEAD(v) parse("GET / HTTP/1.0\r\nConnection: " v "\r\n\r\n").head
	assert_true(HEAD("close").close);
	assert_true(HEAD("upgrade, CLOSE").close);
	assert_true(HEAD("x\r\nConnection: close").close);
	assert_false(HEAD("closed").close);
	assert_true(HEAD("Keep-Alive").keep_alive);
	assert_false(HEAD("keep").keep_alive);
}

static void test_expect(void **state UNUSED)
{
#define EXPECT(v) parse("GET / HTTP/1.0\r\nExpect: " v "\r\n\r\n").head
	assert_true(EXPECT("100-Continue").expect_continue);
	assert_false(EXPECT("100-Continue").expect_other);
	assert_true(EXPECT("101").expect_other);
	assert_true(EXPECT("100-continue, x").expect_other);
	assert_true(EXPECT("").expect_other);
}

/* A request whose line, or whose header section, has exactly N bytes. */
static struct str sized(struct arena *a, size_t line, size_t headers)
{
	char *pad = memset(arena_alloc(a, 300), 'x', 300);

	return str_fmt(a, "GET /%.*s HTTP/1.0\r\nA:%.*s\r\n\r\n", (int)line - 14, pad,
		(int)headers - 6, pad);
}

static void test_limits(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct str many = str_fmt(a, "GET / HTTP/1.0\r\n%.*s\r\n", 5 * FIELDS,
		"A:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5\r\nF:6\r\nG:7\r\nH:8\r\n");

	assert_int_equal(parse_str(sized(a, 60, 20)).result, HTTP_PARSE_DONE);
	refused_str(sized(a, 61, 20), ERR_URI_TOO_LONG, "longer than 60 bytes");
	assert_int_equal(parse_str(sized(a, 20, 200)).result, HTTP_PARSE_DONE);
	refused_str(sized(a, 20, 201), ERR_HEADERS_TOO_LARGE, "larger than 200 bytes");
	refused_str(sized(a, 20, 202), ERR_HEADERS_TOO_LARGE, "larger than 200 bytes");
	refused_str(sized(a, 20, 250), ERR_HEADERS_TOO_LARGE, "larger than 200 bytes");
	/* A line without an end is refused as soon as it is too long, not when it ends. */
	refused_str(str_sub(sized(a, 100, 20), 0, 62), ERR_URI_TOO_LONG, "longer than 60");
	assert_int_equal(parse_str(str_sub(sized(a, 100, 20), 0, 61)).result, HTTP_PARSE_MORE);
	assert_int_equal(parse_str(many).result, HTTP_PARSE_DONE);
	refused_str(str_fmt(a, "%.*sI:9\r\n\r\n", (int)many.n - 2, many.p), ERR_HEADERS_TOO_LARGE,
		"more than 8 header fields");
	arena_free(a);
}

/* Random bytes of what matters to the grammar: cut anyhow, the outcome is the same. */
static void test_random(void **state UNUSED)
{
	static const char *const parts[] = { "GET", "POST", " ", "/", "*", "http://a", "HTTP/1.1",
		"HTTP/1.0", "\r\n", "\r\n", "\n", "\r", "Host: a", "Content-Length: 1",
		"Transfer-Encoding: chunked", ":", "\t", "\x01", "x", "Expect: x",
		"GET / HTTP/1.1\r\nHost: a\r\n", "0123456789012345678901234567890123456789" };
	struct rng rng;

	rng_test_init(&rng, 42);
	for (int round = 0; round < 5000; round++) {
		char text[1024];
		size_t n = 0;

		for (uint64_t k = rng_below(&rng, 14) + 1; k > 0; k--) {
			struct str s = str_z(parts[rng_below(&rng, ARRAY_LEN(parts))]);

			memcpy(text + n, s.p, s.n);
			n += s.n;
		}
		parse_str(str_of(text, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_method),
		cmocka_unit_test(test_request_line),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_blank_lines),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_field_lines),
		cmocka_unit_test(test_value_bytes),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_codings),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
