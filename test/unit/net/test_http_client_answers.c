/*
 * test_http_client_answers.c - how the client reads answers, whole, broken, late and too large, against
 * scripted peers; what it does when a connection dies; deadlines, cancel and wake.
 */
#include "test.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <zlib.h>

#include "core/limits.h"
#include "http_peer.h"
#include "net/http_client.h"

static struct arena *arena;
static struct egress *loopback;

static int set_up(void **state UNUSED)
{
	struct err err = ERR_INIT;

	http_client_global_init();
	arena = arena_new("test", 0);
	return egress_new(arena, STR("127.0.0.0/8"), &loopback, &err) ? 0 : 1;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	http_client_global_cleanup();
	return 0;
}

static struct http_pool *pool_of(unsigned concurrency)
{
	const struct http_pool_config cfg = { .egress = loopback, .concurrency = concurrency };

	return http_pool_new(&cfg);
}

static struct http_call call_of(enum http_method m, unsigned port)
{
	struct http_call c;

	http_call_init(&c);
	c.method = m;
	c.url = str_fmt(arena, "http://127.0.0.1:%u/", port);
	c.timeout_ms = 60000;
	return c;
}

/* The outcome of one call of METHOD to a peer that answers ANSWER and goes on as AFTER says. */
static struct http_call outcome(enum http_method method, struct str answer, enum peer_after after,
	size_t body_max)
{
	const struct peer_step script[] = { { answer, after } };
	struct http_pool *pool = pool_of(0);
	struct peer p;

	peer_start(&p, script, 1);
	struct http_call c = call_of(method, p.port);

	c.body_max = body_max;
	bool answered = http_pool_run(pool, &c);

	assert_int_equal(answered, c.err.code == ERR_NONE);
	assert_true(c.done);
	http_pool_free(pool);
	peer_stop(&p);
	return c;
}

static void assert_failed(const struct http_call *c, enum err_code code, const char *text)
{
	if (c->err.code != code || strstr(c->err.message, text) == NULL)
		fail_msg("%s: %s (status %d)", err_info(c->err.code)->wire, c->err.message,
			c->status);
	assert_int_equal(c->status, 0);
}

static void reads_bodies(void **state UNUSED)
{
	static const struct {
		struct str answer;
		enum peer_after after;
		int status;
		const char *body;
	} rows[] = {
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), PEER_KEEP, 200,
			"hello" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), PEER_KEEP, 200, "" },
		{ STR_INIT("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"), PEER_KEEP, 200, "ok" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"),
			PEER_KEEP, 200, "hello world" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"), PEER_CLOSE,
			200, "to the end" },
		{ STR_INIT("HTTP/1.0 200 OK\r\n\r\nold"), PEER_CLOSE, 200, "old" },
		{ STR_INIT("HTTP/1.1 204 No Content\r\n\r\n"), PEER_KEEP, 204, "" },
		{ STR_INIT("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"), PEER_KEEP,
			304, "" },
		{ STR_INIT("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"), PEER_KEEP,
			404, "none" },
		{ STR_INIT("HTTP/1.1 503 Wait\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"),
			PEER_CLOSE, 503, "" },
		{ STR_INIT("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
			   "Link: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"),
			PEER_KEEP, 201, "ok" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_call c = outcome(HTTP_GET, rows[i].answer, rows[i].after, 0);

		if (c.err.code != ERR_NONE)
			fail_msg("%.*s: %s", STR_ARG(rows[i].answer), c.err.message);
		assert_int_equal(c.status, rows[i].status);
		assert_str(buf_str(&c.res_body), rows[i].body);
		assert_true(c.sent);
		assert_null(http_call_header(&c, STR("X-Early")).p);
		http_call_free(&c);
	}
	struct http_call c = outcome(HTTP_HEAD,
		STR("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), PEER_KEEP, 10);

	assert_int_equal(c.status, 200);
	assert_int_equal(c.res_body.n, 0);
	http_call_free(&c);
}

static void reads_headers(void **state UNUSED)
{
	struct http_call c = outcome(HTTP_GET,
		STR("HTTP/1.1 200 OK\r\nX-Twice: first\r\nx-twice:  last \r\nEmpty:\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
		    "X-Twice: trailer\r\nLocation: /trailer\r\nHTTP/1.1 500: trailer\r\n\r\n"),
		PEER_KEEP, 0);

	assert_int_equal(c.status, 200);
	assert_str(http_call_header(&c, STR("X-TWICE")), "last");
	assert_str(http_call_header(&c, STR("empty")), "");
	assert_null(http_call_header(&c, STR("X-Twic")).p);
	/* fields behind the body decide nothing (RFC 9110, 6.5.1) */
	assert_null(http_call_header(&c, STR("Location")).p);
	http_call_free(&c);
}

/* ---- limits ---- */

static struct str repeated(const char *head, const char *line, size_t times, const char *tail)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_str(&b, str_z(head));
	for (size_t i = 0; i < times; i++)
		buf_add_str(&b, str_z(line));
	buf_add_str(&b, str_z(tail));
	return str_dup(arena, buf_str(&b));
}

static void limits_bodies(void **state UNUSED)
{
	static const char sized[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsixsix";
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "3\r\nsix\r\n3\r\nsix\r\n0\r\n\r\n";
	struct http_call c;

	for (int i = 0; i < 2; i++) {
		struct str answer = str_z(i == 0 ? sized : chunked);

		c = outcome(HTTP_GET, answer, PEER_KEEP, 6);
		assert_int_equal(c.status, 200);
		http_call_free(&c);
		c = outcome(HTTP_GET, answer, PEER_KEEP, 5);
		assert_failed(&c, ERR_LIMIT,
			"the answer of 127.0.0.1 is larger than the limit of 5 bytes");
		http_call_free(&c);
	}
}

static void limits_headers(void **state UNUSED)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
	static const char line[] = "X-Line: 0123456789012345678901234567890123456789\r\n";
	const char *too_large = "the headers of 127.0.0.1's answer are larger than";
	struct http_call c;

	c = outcome(HTTP_GET, repeated(head, line, 2000, "\r\nok"), PEER_KEEP, 0);
	assert_int_equal(c.status, 200);
	http_call_free(&c);
	c = outcome(HTTP_GET, repeated(head, line, LIMIT_RESPONSE_HEADERS / 50 + 1, "\r\nok"),
		PEER_KEEP, 0);
	assert_failed(&c, ERR_LIMIT, too_large);
	http_call_free(&c);
	/* in one line, which libcurl limits itself */
	c = outcome(HTTP_GET, repeated("HTTP/1.1 200 OK\r\nX: ", "0123456789", 12000, "\r\n\r\n"),
		PEER_KEEP, 0);
	assert_failed(&c, ERR_LIMIT, "a header line of 127.0.0.1's answer is longer than");
	http_call_free(&c);
	/* interim answers without end, and a trailer section without end, are headers too */
	c = outcome(HTTP_GET, repeated("", "HTTP/1.1 100 Continue\r\n\r\n", 10000, ""), PEER_KEEP,
		0);
	assert_failed(&c, ERR_LIMIT, too_large);
	http_call_free(&c);
	c = outcome(HTTP_GET,
		repeated("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", line, 5000,
			"\r\n"),
		PEER_KEEP, 0);
	assert_failed(&c, ERR_LIMIT, too_large);
	http_call_free(&c);
}

/* An answer of N bytes of BYTE, compressed. */
static struct str gzipped(char byte, size_t n)
{
	static unsigned char part[65536];
	struct buf b DEFER(buf_free) = BUF_INIT(0), all DEFER(buf_free) = BUF_INIT(0);
	z_stream z = { .next_in = NULL };

	memset(part, byte, sizeof(part));
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	for (;;) {
		unsigned char out[65536];

		if (z.avail_in == 0) {
			z.next_in = part;
			z.avail_in = (unsigned)MIN(n, sizeof(part));
			n -= z.avail_in;
		}
		z.next_out = out;
		z.avail_out = sizeof(out);
		int r = deflate(&z, n == 0 ? Z_FINISH : Z_NO_FLUSH);

		buf_add(&b, out, sizeof(out) - z.avail_out);
		if (r == Z_STREAM_END)
			break;
		assert_int_equal(r, Z_OK);
	}
	deflateEnd(&z);
	buf_add_fmt(&all,
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", b.n);
	buf_add_str(&all, buf_str(&b));
	return str_dup(arena, buf_str(&all));
}

static void unpacks(void **state UNUSED)
{
	struct str good = gzipped('j', 100000), bomb = gzipped('\0', (size_t)50 << 20);
	struct http_call c = outcome(HTTP_GET, good, PEER_KEEP, 100000);

	assert_int_equal(c.status, 200);
	assert_int_equal(c.res_body.n, 100000);
	assert_int_equal(c.res_body.p[99999], 'j');
	http_call_free(&c);

	/* what counts is what it would become */
	assert_true(bomb.n < 100000);
	c = outcome(HTTP_GET, bomb, PEER_KEEP, 1 << 20);
	assert_failed(&c, ERR_LIMIT,
		"the answer of 127.0.0.1 is larger than the limit of 1048576 bytes");
	assert_true(c.res_body.n <= 1 << 20);
	assert_true(c.res_body.cap <= 4 << 20);
	http_call_free(&c);

	c = outcome(HTTP_GET,
		STR("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot "
		    "gzip!"),
		PEER_KEEP, 0);
	assert_failed(&c, ERR_RESPONSE, "the compression of 127.0.0.1's answer is broken");
	http_call_free(&c);
	/* the end of the connection is not the end of what was packed */
	struct str packed = str_from(good, str_find(good, STR("\r\n\r\n")) + 4);
	struct str cut = str_fmt(arena, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
	char *half = arena_alloc(arena, cut.n + packed.n);

	memcpy(half, cut.p, cut.n);
	memcpy(half + cut.n, packed.p, packed.n);
	c = outcome(HTTP_GET, str_of(half, cut.n + packed.n), PEER_CLOSE, 0);
	assert_int_equal(c.res_body.n, 100000);
	http_call_free(&c);
	c = outcome(HTTP_GET, str_of(half, cut.n + packed.n / 2), PEER_CLOSE, 0);
	assert_failed(&c, ERR_RESPONSE, "the compressed answer of 127.0.0.1 ended too early");
	http_call_free(&c);
	c = outcome(HTTP_GET,
		STR("HTTP/1.1 200 OK\r\nContent-Encoding: none-such\r\nContent-Length: "
		    "2\r\n\r\nab"),
		PEER_KEEP, 0);
	assert_failed(&c, ERR_RESPONSE, "the content coding \"none-such\", which was not");
	http_call_free(&c);
}

/* ---- broken answers ---- */

static void breaks(void **state UNUSED)
{
	static const struct {
		struct str answer;
		enum peer_after after;
		enum err_code code;
		const char *why;
	} rows[] = {
		/* the body ends too early */
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), PEER_CLOSE,
			ERR_RESPONSE, "the answer of 127.0.0.1 ended after 3 of 10 bytes" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"),
			PEER_CLOSE, ERR_RESPONSE, "the answer of 127.0.0.1 ended too early" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
			PEER_CLOSE, ERR_RESPONSE, "ended too early" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), PEER_RESET,
			ERR_CONNECT, "the connection broke while the answer was awaited" },
		/* the head does */
		{ STR_INIT(""), PEER_CLOSE, ERR_CONNECT,
			"closed the connection without an answer" },
		{ STR_INIT(""), PEER_RESET, ERR_CONNECT,
			"the connection broke while the answer was awaited" },
		{ STR_INIT("HTTP/1.1 2"), PEER_CLOSE, ERR_CONNECT,
			"closed the connection without an answer" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Le"), PEER_CLOSE, ERR_RESPONSE,
			"ended inside its headers" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nX: y\r\n"), PEER_CLOSE, ERR_RESPONSE,
			"ended inside its headers" },
		/* it is no HTTP/1.1 */
		{ STR_INIT("SSH-2.0-OpenSSH_9.2\r\n"), PEER_CLOSE, ERR_RESPONSE,
			"answered something that is not HTTP/1.1" },
		{ STR_INIT("{\"json\":1}"), PEER_CLOSE, ERR_RESPONSE,
			"answered something that is not HTTP/1.1" },
		{ STR_INIT("\x15\x03\x01\x00\x02\x02\x0A"), PEER_CLOSE, ERR_RESPONSE,
			"answered something that is not HTTP/1.1" },
		{ STR_INIT("HTTP/9.9 200 OK\r\n\r\n"), PEER_CLOSE, ERR_RESPONSE,
			"answered something that is not HTTP/1.1" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"), PEER_KEEP,
			ERR_RESPONSE, "answered something that is not HTTP/1.1" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), PEER_KEEP,
			ERR_RESPONSE, "answered something that is not HTTP/1.1" },
		{ STR_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
			PEER_KEEP, ERR_RESPONSE, "the chunks of 127.0.0.1's answer are malformed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_call c = outcome(HTTP_POST, rows[i].answer, rows[i].after, 0);

		assert_failed(&c, rows[i].code, rows[i].why);
		/* the request was on its way: what came of it is not known */
		assert_true(c.sent);
		http_call_free(&c);
	}
}

static void reset_before_anything(void **state UNUSED)
{
	struct http_call c = outcome(HTTP_POST, STR_NULL, PEER_RESET_AT_ONCE, 0);

	/* whether the request was written before the reset came is a matter of moments */
	assert_failed(&c, ERR_CONNECT, "127.0.0.1:");
	http_call_free(&c);
}

/* A port that nobody can have: FD holds it, and does not listen. */
static unsigned closed_port(int *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*out = fd;
	return ntohs(in.sin_port);
}

static void cannot_connect(void **state UNUSED)
{
	struct http_pool *pool = pool_of(0);
	int held;
	struct http_call c = call_of(HTTP_POST, closed_port(&held));

	assert_false(http_pool_run(pool, &c));
	assert_failed(&c, ERR_CONNECT, "could not connect");
	assert_false(c.sent);
	close(held);
	/* a label of 64 bytes can't be asked for, so that this needs no name server */
	c.url = STR("http://"
		    "no-such-host-no-such-host-no-such-host-no-such-host-no-such-host0.invalid/");
	assert_false(http_pool_run(pool, &c));
	assert_failed(&c, ERR_DNS, "0.invalid:80: the name has no address");
	assert_false(c.sent);
	http_call_free(&c);
	http_pool_free(pool);
}

/* ---- connections that live on ---- */

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* The peer takes the second request on a reused connection and hangs up. */
static void a_reused_connection_dies(void **state UNUSED)
{
	static const struct {
		enum http_method method;
		enum peer_after after;
		bool again; /* may be sent again without asking */
	} rows[] = {
		{ HTTP_POST, PEER_CLOSE, false },
		{ HTTP_POST, PEER_RESET, false },
		{ HTTP_PATCH, PEER_CLOSE, false },
		{ HTTP_GET, PEER_CLOSE, true },
		{ HTTP_PUT, PEER_CLOSE, true },
		{ HTTP_DELETE, PEER_RESET, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct peer_step script[] = { { STR(OK), PEER_KEEP },
			{ STR_NULL, rows[i].after }, { STR(OK), PEER_KEEP } };
		struct http_pool *pool = pool_of(0);
		struct peer p;

		peer_start(&p, script, 3);
		struct http_call c = call_of(rows[i].method, p.port);

		c.body = str_z(rows[i].method == HTTP_GET ? "" : "once");
		assert_true(http_pool_run(pool, &c));
		bool ok = http_pool_run(pool, &c);

		assert_true(c.sent);
		if (!ok)
			assert_failed(&c, ERR_CONNECT, "connection");
		/* a reset is not always seen as a dead connection: then it is an error for all */
		assert_true(rows[i].again ? ok || rows[i].after == PEER_RESET : !ok);
		assert_int_equal(peer_requests(&p), ok ? 3 : 2);
		http_call_free(&c);
		http_pool_free(pool);
		peer_stop(&p);
	}
}

static void reuses_connections(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(OK), PEER_KEEP } };
	struct http_pool *pool = pool_of(4);
	struct http_call calls[40];
	struct peer p;
	size_t done = 0;

	peer_start(&p, script, 1);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = call_of(HTTP_POST, p.port);
		calls[i].body = STR("x");
		calls[i].user = &calls[i];
		http_pool_submit(pool, &calls[i]);
	}
	assert_int_equal(http_pool_busy(pool), ARRAY_LEN(calls));
	for (struct http_call *c; (c = http_pool_next(pool, INT64_MAX)) != NULL; done++) {
		assert_ptr_equal(c->user, c);
		assert_true(c->done && c->err.code == ERR_NONE && c->status == 200);
		assert_str(buf_str(&c->res_body), "ok");
	}
	assert_int_equal(done, ARRAY_LEN(calls));
	assert_int_equal(http_pool_busy(pool), 0);
	assert_int_equal(peer_requests(&p), ARRAY_LEN(calls));
	assert_true(peer_accepted(&p) <= 4);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		http_call_free(&calls[i]);
	http_pool_free(pool);
	peer_stop(&p);
}

/* ---- time ---- */

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static void deadlines(void **state UNUSED)
{
	static const struct str answers[] = { STR_INIT(""), STR_INIT("HTTP/1.1 200 OK\r\nConte"),
		STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
		STR_INIT("HTTP/1.1 100 Continue\r\n\r\n") };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct peer_step script[] = { { answers[i], PEER_KEEP } };
		struct http_pool *pool = pool_of(0);
		struct peer p;

		peer_start(&p, script, 1);
		struct http_call c = call_of(HTTP_POST, p.port);
		int64_t began;

		c.timeout_ms = 100;
		do { /* a busy machine may not come to send it within the first ones */
			c.timeout_ms *= 2;
			began = now_ms();
			assert_false(http_pool_run(pool, &c));
			assert_failed(&c, ERR_TIMEOUT, "within");
		} while (!c.sent && c.timeout_ms < 20000);
		assert_failed(&c, ERR_TIMEOUT,
			str_fmt(arena, "no complete answer from 127.0.0.1 within %lld ms",
				(long long)c.timeout_ms)
				.p);
		assert_true(c.sent);
		assert_true(now_ms() - began >= c.timeout_ms - 10);
		http_call_free(&c);
		http_pool_free(pool);
		peer_stop(&p);
	}
}

/* A listener whose queue is full lets nobody in. */
static void connect_deadline(void **state UNUSED)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0), others[8];
	struct http_pool *pool = pool_of(0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(others[i], (struct sockaddr *)&in, n);
	}
	struct http_call c = call_of(HTTP_POST, ntohs(in.sin_port));

	c.connect_timeout_ms = 150;
	assert_false(http_pool_run(pool, &c));
	assert_failed(&c, ERR_TIMEOUT, "could not connect to 127.0.0.1 within 150 ms");
	assert_false(c.sent);
	http_call_free(&c);
	http_pool_free(pool);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		close(others[i]);
	close(fd);
}

static void next_has_a_deadline(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(""), PEER_KEEP } };
	struct http_pool *pool = pool_of(0);
	struct peer p;

	peer_start(&p, script, 1);
	assert_null(http_pool_next(pool, INT64_MAX)); /* nothing is submitted */
	struct http_call c = call_of(HTTP_GET, p.port);

	http_pool_submit(pool, &c);
	int64_t began = now_ms();

	assert_null(http_pool_next(pool, began + 100));
	assert_true(now_ms() >= began + 100);
	assert_null(http_pool_next(pool, 0));
	assert_false(c.done);
	/* freed with a call in the air: it is not handed back */
	http_pool_free(pool);
	assert_false(c.done);
	http_call_free(&c);
	peer_stop(&p);
}

static void cancels(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(""), PEER_KEEP } };
	struct http_pool *pool = pool_of(2);
	struct http_call calls[4], *c;
	struct peer p;
	size_t sent = 0;

	peer_start(&p, script, 1);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = call_of(HTTP_POST, p.port);
		http_pool_submit(pool, &calls[i]);
	}
	while (peer_requests(&p) < 2)
		assert_null(http_pool_next(pool, now_ms() + 10));
	http_pool_cancel(pool);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		c = http_pool_next(pool, INT64_MAX);
		assert_non_null(c);
		assert_failed(c, ERR_CANCELED, "canceled");
		sent += c->sent;
	}
	/* two were on their way, two waited inside the pool */
	assert_int_equal(sent, 2);
	assert_int_equal(http_pool_busy(pool), 0);
	assert_null(http_pool_next(pool, INT64_MAX));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		http_call_free(&calls[i]);
	http_pool_free(pool);
	peer_stop(&p);
}

struct waker {
	struct peer *peer;
	struct http_pool *pool;
};

static void *wake_when_asked(void *arg)
{
	struct waker *w = arg;

	peer_wait(w->peer, 1); /* so the other thread is inside http_pool_next() */
	http_pool_wake(w->pool);
	return NULL;
}

static void wakes(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(""), PEER_KEEP } };
	struct http_pool *pool = pool_of(0);
	struct thread t = { .running = false };
	struct peer p;
	struct waker w = { &p, pool };

	peer_start(&p, script, 1);
	struct http_call c = call_of(HTTP_GET, p.port);

	http_pool_submit(pool, &c);
	thread_start(&t, "waker", wake_when_asked, &w);
	int64_t began = now_ms();

	assert_null(http_pool_next(pool, began + 15000));
	assert_true(now_ms() < began + 15000);
	assert_false(c.done);
	thread_join(&t);
	http_pool_free(pool);
	http_call_free(&c);
	peer_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_bodies),
		cmocka_unit_test(reads_headers),
		cmocka_unit_test(limits_bodies),
		cmocka_unit_test(limits_headers),
		cmocka_unit_test(unpacks),
		cmocka_unit_test(breaks),
		cmocka_unit_test(reset_before_anything),
		cmocka_unit_test(cannot_connect),
		cmocka_unit_test(a_reused_connection_dies),
		cmocka_unit_test(reuses_connections),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(connect_deadline),
		cmocka_unit_test(next_has_a_deadline),
		cmocka_unit_test(cancels),
		cmocka_unit_test(wakes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
