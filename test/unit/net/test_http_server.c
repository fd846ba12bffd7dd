/*
 * The server as clients meet it: messages, limits, deadlines, suspended exchanges, drain.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_rig.h"

/* A server with default limits and one client of it. */
static struct rig rig;
static struct client client;

static int set_up(void **state UNUSED)
{
	rig_start(&rig, (struct http_server_config){ 0 });
	client = client_open(&rig);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	client_close(&client);
	rig_stop(&rig);
	return 0;
}

/* ---- messages ---- */

static void test_keep_alive(void **state UNUSED)
{
	for (int i = 0; i < 3; i++) {
		SEND(&client, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
		struct response r = client_read(&client, false);

		assert_int_equal(r.status, 200);
		assert_true(str_starts(r.head, STR("HTTP/1.1 200 OK\r\n")));
		assert_str(response_header(&r, "X-Path"), "/echo");
		assert_str(response_header(&r, "Content-Length"), "0");
		assert_int_equal(response_header(&r, "Date").n, 29);
		assert_true(str_ends(response_header(&r, "Date"), STR(" GMT")));
		assert_null(response_header(&r, "Connection").p);
	}
	rig_wait_finished(&rig, 3);
	struct http_server_stats s = rig_stats(&rig);

	assert_int_equal(s.requests, 3);
	assert_int_equal(s.connections_accepted, 1);
	assert_int_equal(s.connections_open, 1);
	assert_int_equal(s.bytes_in, 3 * strlen("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(s.bytes_out == 3 * rig.last_sent);
	rig_wait_turns(&rig);
}

static void test_exchange(void **state UNUSED)
{
	SEND(&client, "PURGE /a%20b?x=1&y HTTP/1.1\r\nHost: h\r\nA:  b \r\nContent-Length: "
		      "4\r\n\r\nbody");
	client_expect(&client, 200,
		"PURGE 7 /a%20b?x=1&y|/a%20b|x=1&y|1.1 127.0.0.1 "
		"1\nHost=h\nA=b\nContent-Length=4\nbody");
	SEND(&client, "GET http://h/p?q HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 200, "GET 0 /p?q|/p|q|1.1");
	SEND(&client, "OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 200, "OPTIONS 6 *|*|-|1.1");
	SEND(&client, "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 200, "GET 0 /|/|-|1.1");
}

static void test_byte_by_byte(void **state UNUSED)
{
	struct str t = STR(
		"\r\nPOST /x HTTP/1.1\r\nHost: h\r\nFoo: bar\r\nTransfer-Encoding: chunked"
		"\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n"
		"POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz");

	for (size_t i = 0; i < t.n; i++)
		client_send(&client, str_sub(t, i, 1));
	client_expect(&client, 200, "Host=h\nFoo=bar\nTransfer-Encoding=chunked\nabcde");
	client_expect(&client, 200, "Host=h\nContent-Length=3\nxyz");
}

static void test_pipelining(void **state UNUSED)
{
	struct buf b = BUF_INIT(0);
	char want[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(want, sizeof(want), "body %d", i);
		if (i % 3 == 0)
			buf_add_fmt(&b, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
		else if (i % 3 == 1)
			buf_add_fmt(&b,
				"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
				strlen(want), want);
		else
			buf_add_fmt(&b,
				"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
				"chunked\r\n\r\n"
				"%zx\r\n%s\r\n0\r\n\r\n",
				strlen(want), want);
	}
	client_send(&client, buf_str(&b));
	for (int i = 0; i < 1000; i++) {
		snprintf(want, sizeof(want), i % 3 == 0 ? "GET 0 /%d|" : "body %d", i);
		client_expect(&client, 200, want);
	}
	buf_free(&b);
}

static void test_bare_responses(void **state UNUSED)
{
	struct response r;

	SEND(&client, "HEAD /status/200 HTTP/1.1\r\nHost: h\r\n\r\n");
	r = client_read(&client, true);
	assert_int_equal(r.status, 200);
	assert_str(response_header(&r, "Content-Length"), "4");
	SEND(&client, "GET /status/204 HTTP/1.1\r\nHost: h\r\n\r\n");
	r = client_read(&client, true);
	assert_int_equal(r.status, 204);
	assert_null(response_header(&r, "Content-Length").p);
	SEND(&client, "GET /status/304 HTTP/1.1\r\nHost: h\r\n\r\n");
	r = client_read(&client, true);
	assert_int_equal(r.status, 304);
	assert_null(response_header(&r, "Content-Length").p);
	SEND(&client, "GET /status/0 HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 500, "text");
}

static void test_connection_close(void **state UNUSED)
{
	SEND(&client, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	struct response r = client_read(&client, false);

	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&client);
	client_close(&client);
	client = client_open(&rig);
	SEND(&client, "GET /close HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
	r = client_read(&client, false);
	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&client);
	rig_wait_finished(&rig, 2);
}

static void test_http_1_0(void **state UNUSED)
{
	SEND(&client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	struct response r = client_read(&client, false);

	assert_str(response_header(&r, "Connection"), "keep-alive");
	SEND(&client, "GET / HTTP/1.0\r\n\r\n");
	r = client_read(&client, false);
	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&client);
}

static void test_half_closed(void **state UNUSED)
{
	SEND(&client, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok");
	shutdown(client.fd, SHUT_WR);
	client_expect(&client, 200, "ok");
	client_expect_end(&client);
}

static void test_expect(void **state UNUSED)
{
	SEND(&client, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
		      "2\r\n\r\n");
	assert_int_equal(client_read(&client, false).status, 100);
	SEND(&client, "ok");
	client_expect(&client, 200, "ok");
	/* The body is here already: nothing to ask for. HTTP/1.0 does not know it. */
	SEND(&client, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
		      "2\r\n\r\nOK");
	client_expect(&client, 200, "OK");
	SEND(&client, "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n"
		      "Content-Length: 2\r\n\r\n");
	SEND(&client, "10");
	client_expect(&client, 200, "10");
	SEND(&client, "POST /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
		      "7\r\n\r\n");
	client_expect(&client, 403, "not 7 bytes");
	client_expect_end(&client);
}

static void test_big_bodies(void **state UNUSED)
{
	size_t n = 5242880;
	struct arena *a = arena_new("test", 0);
	char *body = memset(arena_alloc(a, n), 'x', n);
	struct response r;

	client_send(&client,
		str_fmt(a, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", n));
	client_send(&client, str_of(body, n));
	r = client_read(&client, false);
	assert_true(str_eq(r.body, str_of(body, n)));
	SEND(&client, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < n; at += n / 80) {
		client_send(&client, str_fmt(a, "%zx\r\n", n / 80));
		client_send(&client, str_of(body, n / 80));
		SEND(&client, "\r\n");
	}
	SEND(&client, "0\r\n\r\n");
	r = client_read(&client, false);
	assert_true(str_eq(r.body, str_of(body, n)));
	SEND(&client, "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(client_read(&client, false).body.n, RIG_BIG);
	client_expect(&client, 200, "GET 0 /|");
	arena_free(a);
}

/* ---- refusals ---- */

/* Sends TEXT on a connection of its own: one refusal, then the end. */
static void refused(const char *text, int status, const char *why)
{
	struct client c = client_open(&rig);

	client_send(&c, str_z(text));
	struct response r = client_read(&c, false);

	if (r.status != status || str_find(r.body, str_z(why)) == STR_NPOS)
		fail_msg("%s: got %d \"%.*s\"", text, r.status, STR_ARG(r.body));
	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&c);
	client_close(&c);
}

#define POST "POST / HTTP/1.1\r\nHost: h\r\n"

static void test_refused(void **state UNUSED)
{
	refused("GET  / HTTP/1.1\r\n\r\n", 400, "two spaces");
	refused("\x16\x03\x01", 400, "0x16");
	refused("GET / HTTP/1.1\nHost: h\n\n", 400, "LF without CR");
	refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2.0");
	refused("GET /\r\n", 505, "HTTP/0.9");
	refused(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "only transfer coding");
	refused(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
		"both present");
	refused(POST "Content-Length: 5242881\r\n\r\n", 413, "larger than 5242880 bytes");
	refused(POST "Transfer-Encoding: chunked\r\n\r\n500001\r\n", 413,
		"larger than 5242880 bytes");
	refused(POST "Transfer-Encoding: chunked\r\n\r\n1\r\naX", 400, "not followed by CRLF");
	refused(POST "Expect: something\r\n\r\n", 417, "100-continue");
	refused("GET / HTTP/1.1\r\n\r\n", 400, "Host is missing");
	assert_int_equal(rig_stats(&rig).refused, 12);
	assert_int_equal(rig_stats(&rig).requests, 0);
}

static void test_refused_knows_the_line(void **state UNUSED)
{
	SEND(&client, "PATCH /x HTTP/1.1\r\nbad\r\n");
	struct response r = client_read(&client, false);

	assert_int_equal(r.status, 400);
	assert_str(response_header(&r, "X-Method"), "PATCH");
	client_expect_end(&client);
}

static void test_refused_behind_good(void **state UNUSED)
{
	SEND(&client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost : h\r\n\r\n");
	client_expect(&client, 200, "GET 0 /a|");
	client_expect(&client, 400, "before its colon");
	client_expect_end(&client);
}

static void test_long_heads(void **state UNUSED)
{
	struct buf b = BUF_INIT(0);

	BUF_ADD_LIT(&b, "GET /");
	for (int i = 0; i < 9000; i++)
		buf_add_char(&b, 'x');
	buf_add_char(&b, '\0');
	refused(b.p, 414, "longer than 8192 bytes");
	buf_reset(&b);
	BUF_ADD_LIT(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 90; i++)
		buf_add_fmt(&b, "A%d: %0400d\r\n", i, i);
	BUF_ADD_LIT(&b, "\r\n\0");
	refused(b.p, 431, "larger than 32768 bytes");
	buf_reset(&b);
	BUF_ADD_LIT(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 100; i++)
		buf_add_fmt(&b, "A%d: %d\r\n", i, i);
	BUF_ADD_LIT(&b, "\r\n\0");
	refused(b.p, 431, "more than 100 header fields");
	buf_free(&b);
}

/* The refusal can be read although the client was still sending: no reset under it. */
static void test_linger(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct str junk = str_of(arena_zalloc(a, 400000), 400000);

	SEND(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n");
	client_send(&client, junk);
	client_expect(&client, 413, "larger than");
	client_expect_end(&client);
	arena_free(a);
}

static void test_too_many_connections(void **state UNUSED)
{
	struct rig few;
	struct client a, b;

	rig_start(&few, (struct http_server_config){ .connections_max = 1, .loops = 1 });
	a = client_open(&few);
	rig_wait_open(&few, 1);
	b = client_open(&few);
	struct response r = client_read(&b, false);

	assert_int_equal(r.status, 503);
	assert_str(r.body, "all 1 connections of this server are in use");
	assert_str(response_header(&r, "Retry-After"), "1");
	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&b);
	client_close(&b);
	assert_int_equal(rig_stats(&few).connections_refused, 1);
	assert_int_equal(rig_stats(&few).connections_open, 1);
	client_close(&a);
	rig_wait_open(&few, 0);
	a = client_open(&few);
	SEND(&a, "GET / HTTP/1.0\r\n\r\n");
	client_expect(&a, 200, "");
	client_close(&a);
	rig_stop(&few);
}

/* With no descriptor left a connection is told so, and the next one is served again. */
static void test_out_of_descriptors(void **state UNUSED)
{
	struct rlimit old, full;
	struct client late = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	int filler[64];

	SEND(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 200, "");
	/* Numbers are given lowest first: when the gaps are filled, the last is the highest. */
	for (size_t i = 0; i < ARRAY_LEN(filler); i++)
		filler[i] = open("/dev/null", O_RDONLY);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	full = old;
	full.rlim_cur = (rlim_t)filler[ARRAY_LEN(filler) - 1] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
	client_connect(late.fd, &rig);
	client_expect(&late, 503, "");
	client_close(&late);
	assert_int_equal(rig_stats(&rig).connections_refused, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	for (size_t i = 0; i < ARRAY_LEN(filler); i++)
		close(filler[i]);
	late = client_open(&rig);
	SEND(&late, "GET / HTTP/1.0\r\n\r\n");
	client_expect(&late, 200, "");
	client_close(&late);
}

/* ---- deadlines ---- */

static void test_header_deadline(void **state UNUSED)
{
	struct rig quick;

	rig_start(&quick, (struct http_server_config){ .header_timeout_ms = 1000 });
	struct client c = client_open(&quick);

	SEND(&c, "GET /slow HTTP/1.1\r\nHost:");
	struct response r = client_read(&c, false);

	assert_int_equal(r.status, 408);
	assert_str(r.body, "the header section did not arrive within 1000 ms");
	assert_str(response_header(&r, "X-Method"), "GET");
	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&c);
	client_close(&c);
	assert_int_equal(rig_stats(&quick).timeouts, 1);
	rig_stop(&quick);
}

/* Dripping bytes does not move the deadline of the header section. */
static void test_drip(void **state UNUSED)
{
	struct rig quick;

	rig_start(&quick, (struct http_server_config){ .header_timeout_ms = 100 });
	struct client d = client_open(&quick);

	SEND(&d, "GET / HTTP/1.1\r\nA: ");
	while (!client_readable(&d, 10))
		SEND(&d, "x");
	client_expect(&d, 408, "header section");
	client_close(&d);
	rig_stop(&quick);
}

static void test_body_deadline(void **state UNUSED)
{
	struct rig quick;

	rig_start(&quick, (struct http_server_config){ .body_timeout_ms = 50 });
	struct client c = client_open(&quick);

	SEND(&c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
	client_expect(&c, 408, "the body did not arrive within 50 ms");
	client_expect_end(&c);
	client_close(&c);
	c = client_open(&quick);
	SEND(&c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n");
	client_expect(&c, 408, "the body did not arrive within 50 ms");
	client_expect_end(&c);
	client_close(&c);
	rig_stop(&quick);
}

static void test_idle_deadline(void **state UNUSED)
{
	struct rig quick;

	rig_start(&quick, (struct http_server_config){ .idle_timeout_ms = 1000 });
	struct client never = client_open(&quick), c = client_open(&quick);

	SEND(&c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&c, 200, "");
	client_expect_end(&c);
	client_expect_end(&never);
	client_close(&c);
	client_close(&never);
	rig_stop(&quick);
}

static void test_write_deadline(void **state UNUSED)
{
	struct rig quick;

	rig_start(&quick, (struct http_server_config){ .write_timeout_ms = 50 });
	struct client c = client_open(&quick);

	SEND(&c, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_wait_finished(&quick, 1);
	assert_true(quick.last_sent < RIG_BIG);
	assert_int_equal(rig_stats(&quick).timeouts, 1);
	rig_wait_open(&quick, 0);
	client_close(&c);
	rig_stop(&quick);
}

/* ---- suspended exchanges ---- */

static void test_suspend(void **state UNUSED)
{
	SEND(&client, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
		      "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);

	/* What comes meanwhile must not disturb what the handler holds. */
	SEND(&client, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	struct client other = client_open(&rig);

	SEND(&other, "GET /other HTTP/1.1\r\nHost: zzzzzzzzzzzzzzzzzzzz\r\n\r\n");
	client_expect(&other, 200, "/other");
	client_close(&other);
	assert_str(x->path, "/hold");
	assert_str(str_of(x->body, x->body_bytes), "abc");
	x->status = 202;
	x->res_body = str_dup(x->arena, str_of(x->body, 3));
	http_exchange_finish(x);
	client_expect(&client, 202, "abc");
	client_expect(&client, 200, "GET 0 /next|");
	client_expect(&client, 200, "GET 0 /later|");
}

static void test_suspend_and_leave(void **state UNUSED)
{
	struct linger reset = { 1, 0 };
	struct client c = client_open(&rig);

	rig_wait_open(&rig, 2);
	SEND(&c, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);

	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	client_close(&c);
	rig_wait_open(&rig, 1);
	assert_str(x->path, "/hold");
	x->res_body = str_dup(x->arena, x->path);
	http_exchange_finish(x);
	rig_wait_finished(&rig, 1);
	assert_int_equal(rig.last_sent, 0);
}

struct finisher {
	struct rig *rig;
	size_t count;
};

static void *finish_all(void *arg)
{
	struct finisher *f = arg;

	for (size_t i = 0; i < f->count; i++) {
		struct http_exchange *x = rig_held(f->rig);

		x->res_body = str_dup(x->arena, x->query);
		http_exchange_finish(x);
	}
	return NULL;
}

static void test_suspend_many(void **state UNUSED)
{
	struct finisher work = { &rig, 500 };
	struct thread threads[2] = { 0 };
	struct client c[20];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_start(&threads[i], "finisher", finish_all, &work);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		c[i] = client_open(&rig);
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < ARRAY_LEN(c); i++) {
			char t[80];

			snprintf(t, sizeof(t), "GET /hold?%d-%zu HTTP/1.1\r\nHost: h\r\n\r\n",
				round, i);
			client_send(&c[i], str_z(t));
		}
		for (size_t i = 0; i < ARRAY_LEN(c); i++) {
			char t[80];

			snprintf(t, sizeof(t), "%d-%zu", round, i);
			client_expect(&c[i], 200, t);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		client_close(&c[i]);
}

/* ---- the end ---- */

static void *drain(void *arg)
{
	http_server_drain(((struct rig *)arg)->server, 20000);
	return NULL;
}

static void test_drain(void **state UNUSED)
{
	struct thread t = { 0 };
	struct client busy = client_open(&rig);

	SEND(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 200, "");
	SEND(&busy, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);

	thread_start(&t, "drain", drain, &rig);
	client_expect_end(&client);
	x->res_body = STR("done");
	http_exchange_finish(x);
	struct response r = client_read(&busy, false);

	assert_str(r.body, "done");
	assert_str(response_header(&r, "Connection"), "close");
	client_expect_end(&busy);
	client_close(&busy);
	thread_join(&t);
	assert_int_equal(rig_stats(&rig).connections_open, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_false(client_try(fd, &rig));
	close(fd);
}

static void test_drain_cuts(void **state UNUSED)
{
	SEND(&client, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);

	http_server_drain(rig.server, 0);
	client_expect_end(&client);
	x->res_body = STR("late");
	http_exchange_finish(x);
	http_server_free(rig.server);
	rig.server = NULL;
	assert_int_equal(rig.finished, 1);
	assert_int_equal(rig.last_sent, 0);
}

static enum http_verdict never(void *ctx UNUSED, struct http_exchange *x UNUSED)
{
	return HTTP_DONE;
}

static void fails(const char *listen, enum err_code code, const char *why)
{
	struct http_server *s;
	struct err err;
	struct http_server_config cfg = { .listen = str_z(listen),
		.handlers = { .request = never } };

	assert_fails(http_server_start(&cfg, &s, &err), code, why);
}

static void test_addresses(void **state UNUSED)
{
	static const char *const good[] = { "127.0.0.1:0", "[::1]:0", ":0" };
	char taken[40];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct rig r;

		rig_start(&r, (struct http_server_config){ .listen = str_z(good[i]) });
		assert_true(http_server_port(r.server) > 0);
		assert_int_equal(http_server_loops(r.server), 2);
		if (i != 1) {
			struct client c = client_open(&r);

			SEND(&c, "GET / HTTP/1.0\r\n\r\n");
			client_expect(&c, 200, "1.0 127.0.0.1");
			client_close(&c);
		}
		rig_stop(&r);
	}
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", http_server_port(rig.server));
	fails(taken, ERR_IO, "can't listen on 127.0.0.1:");
	fails("8080", ERR_CONFIG, "\"8080\" is not an address to listen on");
	fails("127.0.0.1:65536", ERR_CONFIG, "not an address");
	fails("localhost:80", ERR_CONFIG, "not an address");
	fails("[::1:80", ERR_CONFIG, "not an address");
	fails("::1:80", ERR_CONFIG, "not an address");
	fails("", ERR_CONFIG, "not an address");
}

#define WITH_RIG(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(test_keep_alive),
		WITH_RIG(test_exchange),
		WITH_RIG(test_byte_by_byte),
		WITH_RIG(test_pipelining),
		WITH_RIG(test_bare_responses),
		WITH_RIG(test_connection_close),
		WITH_RIG(test_http_1_0),
		WITH_RIG(test_half_closed),
		WITH_RIG(test_expect),
		WITH_RIG(test_big_bodies),
		WITH_RIG(test_refused),
		WITH_RIG(test_refused_knows_the_line),
		WITH_RIG(test_refused_behind_good),
		WITH_RIG(test_long_heads),
		WITH_RIG(test_linger),
		cmocka_unit_test(test_too_many_connections),
		WITH_RIG(test_out_of_descriptors),
		cmocka_unit_test(test_header_deadline),
		cmocka_unit_test(test_drip),
		cmocka_unit_test(test_body_deadline),
		cmocka_unit_test(test_idle_deadline),
		cmocka_unit_test(test_write_deadline),
		WITH_RIG(test_suspend),
		WITH_RIG(test_suspend_and_leave),
		WITH_RIG(test_suspend_many),
		WITH_RIG(test_drain),
		WITH_RIG(test_drain_cuts),
		WITH_RIG(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
