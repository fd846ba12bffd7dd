/*
 * test_http_client.c - what the client sends, refuses to send and follows, against scripted peers:
 * each test says what bytes must have arrived.
 */
#include "test.h"

#include "http_peer.h"
#include "net/http_client.h"

#define OK_KEEP "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct arena *arena;
static struct egress *loopback, *nothing;

static int set_up(void **state UNUSED)
{
	struct err err = ERR_INIT;

	http_client_global_init();
	arena = arena_new("test", 0);
	return egress_new(arena, STR("127.0.0.0/8"), &loopback, &err) &&
			       egress_new(arena, STR(""), &nothing, &err)
		       ? 0
		       : 1;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	http_client_global_cleanup();
	return 0;
}

static struct http_pool *pool_of(const struct egress *e)
{
	const struct http_pool_config cfg = { .egress = e };

	return http_pool_new(&cfg);
}

static struct str url_of(const struct peer *p, const char *path)
{
	return str_fmt(arena, "http://127.0.0.1:%u%s", p->port, path);
}

static struct http_call call_of(enum http_method m, struct str url)
{
	struct http_call c;

	http_call_init(&c);
	c.method = m;
	c.url = url;
	c.timeout_ms = 60000;
	return c;
}

#define assert_answer(pool, c, status_, body_)                                               \
	do {                                                                                 \
		if (!http_pool_run((pool), (c)))                                             \
			fail_msg("%s: %s", err_info((c)->err.code)->wire, (c)->err.message); \
		assert_int_equal((c)->status, (status_));                                    \
		assert_str(buf_str(&(c)->res_body), (body_));                                \
	} while (0)

/* The call must fail with this code and text, and be known to be sent or not. */
#define assert_call_fails(pool, c, code_, text, sent_)                                       \
	do {                                                                                 \
		if (http_pool_run((pool), (c)))                                              \
			fail_msg("answered %d", (c)->status);                                \
		if ((c)->err.code != (code_) || strstr((c)->err.message, (text)) == NULL)    \
			fail_msg("%s: %s", err_info((c)->err.code)->wire, (c)->err.message); \
		assert_int_equal((c)->sent, (sent_));                                        \
		assert_int_equal((c)->status, 0);                                            \
	} while (0)

static bool has_line(struct str request, const char *line)
{
	struct str head = str_sub(request, 0, str_find(request, STR("\r\n\r\n")) + 2);

	return str_find(head, str_fmt(arena, "%s\r\n", line)) != STR_NPOS;
}

/* ---- what is sent ---- */

static void sends_a_get(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(OK_KEEP), PEER_KEEP } };
	static const struct http_header headers[] = {
		{ STR_INIT("Accept"), STR_INIT("application/json") },
		{ STR_INIT("X-Empty"), STR_INIT("") },
		{ STR_INIT("X-Spaces"), STR_INIT(" \t ") },
		{ STR_INIT("X-Text"), STR_INIT(" a\tb \xC3\xA9; c: d ") },
	};
	struct peer p;
	struct http_pool *pool = pool_of(loopback);

	peer_start(&p, script, ARRAY_LEN(script));
	struct http_call c = call_of(HTTP_GET, url_of(&p, "/a%20b?x=1#fragment"));

	c.headers = headers;
	c.header_count = ARRAY_LEN(headers);
	assert_answer(pool, &c, 200, "ok");
	assert_true(c.sent && c.done && c.took_us > 0 && c.connect_us > 0);
	struct str r = peer_request(&p, 0);

	assert_true(str_starts(r, STR("GET /a%20b?x=1 HTTP/1.1\r\n")));
	assert_true(str_ends(r, STR("\r\n\r\n")));
	assert_true(has_line(r, str_fmt(arena, "Host: 127.0.0.1:%u", p.port).p));
	assert_true(has_line(r, "User-Agent: Integrator/" INTEGRATOR_VERSION));
	assert_true(has_line(r, "Accept: application/json"));
	assert_true(has_line(r, "X-Empty:"));
	assert_true(has_line(r, "X-Spaces:"));
	assert_true(has_line(r, "X-Text: a\tb \xC3\xA9; c: d"));
	assert_true(str_find(r, STR("Accept-Encoding: gzip\r\n")) != STR_NPOS);
	assert_true(str_find(r, STR("Content-")) == STR_NPOS);
	http_call_free(&c);
	http_pool_free(pool);
	peer_stop(&p);
}

static void sends_methods_and_bodies(void **state UNUSED)
{
	static const struct peer_step script[] = {
		{ STR_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), PEER_KEEP }
	};
	/* on one handle, in this order: nothing of a call may be left for the next */
	static const struct {
		enum http_method method;
		const char *body, *line;
		bool has_length;
	} rows[] = {
		{ HTTP_POST, "{\"a\":1}", "POST / HTTP/1.1", true },
		{ HTTP_GET, "", "GET / HTTP/1.1", false },
		{ HTTP_POST, "", "POST / HTTP/1.1", true },
		{ HTTP_PUT, "xyz", "PUT / HTTP/1.1", true },
		{ HTTP_PUT, "", "PUT / HTTP/1.1", true },
		{ HTTP_PATCH, "p", "PATCH / HTTP/1.1", true },
		{ HTTP_DELETE, "", "DELETE / HTTP/1.1", false },
		{ HTTP_DELETE, "with a body", "DELETE / HTTP/1.1", true },
		{ HTTP_DELETE, "", "DELETE / HTTP/1.1", false },
		{ HTTP_HEAD, "", "HEAD / HTTP/1.1", false },
		{ HTTP_GET, "searched for", "GET / HTTP/1.1", true },
		{ HTTP_GET, "", "GET / HTTP/1.1", false },
		{ HTTP_HEAD, "", "HEAD / HTTP/1.1", false },
		{ HTTP_OPTIONS, "", "OPTIONS / HTTP/1.1", false },
		{ HTTP_POST, "last", "POST / HTTP/1.1", true },
	};
	struct peer p;
	struct http_pool *pool = pool_of(loopback);

	peer_start(&p, script, ARRAY_LEN(script));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_call c = call_of(rows[i].method, url_of(&p, "/"));

		c.body = str_z(rows[i].body);
		assert_answer(pool, &c, 200, "");
		struct str r = peer_request(&p, i);

		assert_true(has_line(r, rows[i].line));
		assert_int_equal(str_find(r, STR("Content-Length: ")) != STR_NPOS,
			rows[i].has_length);
		assert_int_equal(str_find(r, STR("Content-Length: ")),
			rows[i].has_length ? str_find(r, str_fmt(arena, "Content-Length: %zu\r\n",
								 strlen(rows[i].body)))
					   : STR_NPOS);
		assert_str(str_from(r, str_find(r, STR("\r\n\r\n")) + 4), rows[i].body);
		http_call_free(&c);
	}
	assert_int_equal(peer_requests(&p), ARRAY_LEN(rows));
	assert_int_equal(peer_accepted(&p), 1);
	http_pool_free(pool);
	peer_stop(&p);
}

static void refuses_bad_urls(void **state UNUSED)
{
	static const struct {
		const char *after_port;
		size_t n;
		const char *why;
	} rows[] = {
		{ "/a\r\nX: y", 8, "control character" },
		{ "/a\nb", 4, "control character" },
		{ "/a\0b", 4, "control character" },
		{ "/a b", 4, "a space" },
		{ "/\xC3\xA9", 3, "non-ASCII" },
		{ "\\@x/", 4, "backslash" },
	};
	static const struct peer_step script[] = { { STR_INIT(OK_KEEP), PEER_KEEP } };
	struct peer p;
	struct http_pool *pool = pool_of(loopback);

	peer_start(&p, script, ARRAY_LEN(script));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str base = url_of(&p, "");
		char *url = arena_alloc(arena, base.n + rows[i].n);

		memcpy(url, base.p, base.n);
		memcpy(url + base.n, rows[i].after_port, rows[i].n);
		struct http_call c = call_of(HTTP_GET, str_of(url, base.n + rows[i].n));

		assert_call_fails(pool, &c, ERR_INVALID, rows[i].why, false);
		http_call_free(&c);
	}
	struct http_call c = call_of(HTTP_GET, STR("ftp://127.0.0.1/"));

	assert_call_fails(pool, &c, ERR_INVALID, "only http and https", false);
	c.url = STR("file:///etc/passwd");
	assert_call_fails(pool, &c, ERR_INVALID, "none of https", false);
	assert_int_equal(peer_accepted(&p), 0);
	http_call_free(&c);
	http_pool_free(pool);
	peer_stop(&p);
}

static void refuses_bad_headers(void **state UNUSED)
{
	static const struct {
		struct str name, value;
		const char *why;
	} rows[] = {
		{ STR_INIT("A"), STR_INIT("x\r\nB: y"), "the value of header A holds a control" },
		{ STR_INIT("A"), STR_INIT("x\rB"), "the value of header A holds a control" },
		{ STR_INIT("A"), STR_INIT("x\ny"), "the value of header A holds a control" },
		{ STR_INIT("A"), STR_INIT("x\0y"), "the value of header A holds a control" },
		{ STR_INIT("A"), STR_INIT("\x7F"), "the value of header A holds a control" },
		{ STR_INIT(""), STR_INIT("x"), "is no name for a header" },
		{ STR_INIT("A B"), STR_INIT("x"), "\"A B\" is no name for a header" },
		{ STR_INIT("A:"), STR_INIT("x"), "\"A:\" is no name for a header" },
		{ STR_INIT("A\r\nB"), STR_INIT("x"), "is no name for a header" },
		{ STR_INIT("A\0"), STR_INIT("x"), "is no name for a header" },
		{ STR_INIT("\xC3\xA9"), STR_INIT("x"), "is no name for a header" },
		/* the message's frame is the client's alone */
		{ STR_INIT("content-length"), STR_INIT("1"), "content-length is set by" },
		{ STR_INIT("Transfer-Encoding"), STR_INIT("chunked"), "is set by" },
		{ STR_INIT("Host"), STR_INIT("other"), "Host is set by" },
		{ STR_INIT("Connection"), STR_INIT("close"), "Connection is set by" },
		{ STR_INIT("Expect"), STR_INIT("100-continue"), "Expect is set by" },
		{ STR_INIT("Upgrade"), STR_INIT("h2c"), "Upgrade is set by" },
	};
	static const struct peer_step script[] = { { STR_INIT(OK_KEEP), PEER_KEEP } };
	struct peer p;
	struct http_pool *pool = pool_of(loopback);

	peer_start(&p, script, ARRAY_LEN(script));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_header h[] = { { STR("Good"), STR("value") },
			{ rows[i].name, rows[i].value } };
		struct http_call c = call_of(HTTP_POST, url_of(&p, "/"));

		c.headers = h;
		c.header_count = 2;
		assert_call_fails(pool, &c, ERR_INVALID, rows[i].why, false);
		http_call_free(&c);
	}
	assert_int_equal(peer_accepted(&p), 0);
	/* and the handle is as good as new */
	struct http_call c = call_of(HTTP_POST, url_of(&p, "/"));

	assert_answer(pool, &c, 200, "ok");
	assert_true(str_find(peer_request(&p, 0), STR("Good")) == STR_NPOS);
	http_call_free(&c);
	http_pool_free(pool);
	peer_stop(&p);
}

/* A header whose value spells the header list of the call before is still looked at. */
static void headers_are_not_confused(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(OK_KEEP), PEER_KEEP } };
	static const struct http_header two[] = { { STR_INIT("A"), STR_INIT("b") },
		{ STR_INIT("C"), STR_INIT("d") } };
	static const struct http_header one[] = { { STR_INIT("A"), STR_INIT("b\nC\nd") } };
	struct peer p;
	struct http_pool *pool = pool_of(loopback);

	peer_start(&p, script, ARRAY_LEN(script));
	struct http_call c = call_of(HTTP_GET, url_of(&p, "/"));

	c.headers = two;
	c.header_count = 2;
	assert_answer(pool, &c, 200, "ok");
	c.headers = one;
	c.header_count = 1;
	assert_call_fails(pool, &c, ERR_INVALID, "the value of header A", false);
	assert_int_equal(peer_requests(&p), 1);
	http_call_free(&c);
	http_pool_free(pool);
	peer_stop(&p);
}

/* ---- where it may go ---- */

static void asks_the_egress_guard(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(OK_KEEP), PEER_KEEP } };
	static const char *const hosts[] = { "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1",
		"0177.0.0.1", "[::ffff:127.0.0.1]", "localhost", "0" };
	struct peer p;
	struct http_pool *pool = pool_of(nothing);

	peer_start(&p, script, ARRAY_LEN(script));
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct http_call c = call_of(HTTP_GET,
			str_fmt(arena, "http://%s:%u/", hosts[i], p.port));

		assert_call_fails(pool, &c, ERR_EGRESS, "which flows may not reach", false);
		http_call_free(&c);
	}
	assert_int_equal(peer_accepted(&p), 0);
	http_pool_free(pool);
	peer_stop(&p);
}

#define REDIRECT(to) "HTTP/1.1 302 Found\r\nLocation: " to "\r\nContent-Length: 4\r\n\r\nmove"

static void follows_get_and_head_only(void **state UNUSED)
{
	static const struct {
		enum http_method method;
		const char *status;
		bool follows;
	} rows[] = {
		{ HTTP_GET, "301 Moved Permanently", true },
		{ HTTP_GET, "302 Found", true },
		{ HTTP_GET, "303 See Other", true },
		{ HTTP_GET, "307 Temporary Redirect", true },
		{ HTTP_GET, "308 Permanent Redirect", true },
		{ HTTP_HEAD, "302 Found", true },
		{ HTTP_GET, "300 Multiple Choices", false },
		{ HTTP_GET, "304 Not Modified", false },
		{ HTTP_POST, "302 Found", false },
		{ HTTP_POST, "307 Temporary Redirect", false },
		{ HTTP_PUT, "308 Permanent Redirect", false },
		{ HTTP_PATCH, "301 Moved Permanently", false },
		{ HTTP_DELETE, "303 See Other", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str first = str_fmt(arena,
			"HTTP/1.1 %s\r\nLocation: ../new?x\r\nContent-Length: 0\r\n\r\n",
			rows[i].status);
		struct peer_step script[] = { { first, PEER_KEEP },
			{ STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-At: new\r\n\r\n"),
				PEER_KEEP } };
		struct peer p;
		struct http_pool *pool = pool_of(loopback);

		peer_start(&p, script, 2);
		struct http_call c = call_of(rows[i].method, url_of(&p, "/a/b/c"));

		c.redirects_max = 5;
		assert_true(http_pool_run(pool, &c));
		assert_int_equal(c.status == 200, rows[i].follows);
		assert_int_equal(peer_requests(&p), rows[i].follows ? 2 : 1);
		assert_string_equal(c.res_url,
			url_of(&p, rows[i].follows ? "/a/new?x" : "/a/b/c").p);
		assert_int_equal(http_call_header(&c, STR("x-at")).p != NULL, rows[i].follows);
		/* the headers are those of the final answer alone */
		assert_int_equal(http_call_header(&c, STR("location")).p == NULL, rows[i].follows);
		http_call_free(&c);
		http_pool_free(pool);
		peer_stop(&p);
	}
}

static void counts_redirects(void **state UNUSED)
{
	static const struct peer_step script[] = { { STR_INIT(REDIRECT("/loop")), PEER_KEEP } };

	for (unsigned max = 0; max < 4; max++) {
		struct peer p;
		struct http_pool *pool = pool_of(loopback);

		peer_start(&p, script, 1);
		struct http_call c = call_of(HTTP_GET, url_of(&p, "/"));

		c.redirects_max = max;
		assert_answer(pool, &c, 302, "move");
		assert_int_equal(peer_requests(&p), max + 1);
		http_call_free(&c);
		http_pool_free(pool);
		peer_stop(&p);
	}
}

static void checks_redirects(void **state UNUSED)
{
	static const struct {
		const char *to;
		enum err_code code;
		const char *why;
	} rows[] = {
		{ "http://10.0.0.1/", ERR_EGRESS, "10.0.0.0/8" },
		{ "http://169.254.169.254/latest/meta-data/", ERR_EGRESS, "metadata" },
		{ "http://[::1]/", ERR_EGRESS, "::1/128" },
		{ "//192.168.1.1/x", ERR_EGRESS, "192.168.0.0/16" },
		{ "file:///etc/passwd", ERR_INVALID, "redirect of 127.0.0.1: the URL's scheme" },
		{ "ftp://127.0.0.1/", ERR_INVALID, "only http and https" },
		{ "http://x y/", ERR_INVALID, "redirect of 127.0.0.1: the URL has a space" },
		{ "http://", ERR_INVALID, "redirect of 127.0.0.1: the URL has no host" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct peer_step script[] = { { str_fmt(arena,
							"HTTP/1.1 302 Found\r\nLocation: %s\r\n"
							"Content-Length: 0\r\n\r\n",
							rows[i].to),
			PEER_KEEP } };
		struct peer p;
		struct http_pool *pool = pool_of(loopback);

		peer_start(&p, script, 1);
		struct http_call c = call_of(HTTP_GET, url_of(&p, "/"));

		c.redirects_max = 5;
		assert_call_fails(pool, &c, rows[i].code, rows[i].why, true);
		http_call_free(&c);
		http_pool_free(pool);
		peer_stop(&p);
	}
}

static const struct http_header secrets[] = {
	{ STR_INIT("Authorization"), STR_INIT("Bearer s3cret") },
	{ STR_INIT("cookie"), STR_INIT("session=s3cret") },
	{ STR_INIT("X-Api-Key"), STR_INIT("s3cret") },
	{ STR_INIT("Accept"), STR_INIT("application/json") },
};

static void keeps_secrets_at_home(void **state UNUSED)
{
	struct peer home, other;
	struct http_pool *pool = pool_of(loopback);
	struct peer_step away[] = { { STR(REDIRECT("/second")), PEER_KEEP },
		{ STR_NULL, PEER_KEEP }, { STR(OK_KEEP), PEER_KEEP } };
	struct peer_step back[] = { { STR_NULL, PEER_KEEP } };

	peer_start(&home, away, 3);
	peer_start(&other, back, 1);
	away[1].answer = str_fmt(arena,
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/x\r\n"
		"Content-Length: 0\r\n\r\n",
		other.port);
	back[0].answer = str_fmt(arena,
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/third\r\n"
		"Content-Length: 0\r\n\r\n",
		home.port);
	struct http_call c = call_of(HTTP_GET,
		str_fmt(arena, "http://user:s3cret@127.0.0.1:%u/first", home.port));

	c.headers = secrets + 1; /* and the URL's own user name */
	c.header_count = ARRAY_LEN(secrets) - 1;
	c.redirects_max = 5;
	assert_answer(pool, &c, 200, "ok");
	assert_true(str_find(peer_request(&home, 0), STR("Authorization: Basic ")) != STR_NPOS);
	assert_true(has_line(peer_request(&home, 1), "X-Api-Key: s3cret"));
	assert_true(str_starts(peer_request(&home, 1), STR("GET /second ")));
	/* another origin, and from there back: whoever sent us there is not trusted with them */
	assert_true(str_starts(peer_request(&other, 0), STR("GET /x ")));
	assert_true(str_starts(peer_request(&home, 2), STR("GET /third ")));
	for (int i = 0; i < 2; i++) {
		struct str r = i == 0 ? peer_request(&other, 0) : peer_request(&home, 2);

		assert_true(str_find(r, STR("s3cret")) == STR_NPOS);
		assert_true(str_find(r, STR("uthorization")) == STR_NPOS);
		assert_true(has_line(r, "Accept: application/json"));
	}
	/* the next call on the same handle has its own again */
	c.url = url_of(&home, "/fourth");
	c.headers = secrets;
	c.header_count = ARRAY_LEN(secrets);
	assert_answer(pool, &c, 200, "ok");
	assert_true(has_line(peer_request(&home, 3), "Authorization: Bearer s3cret"));
	http_call_free(&c);
	http_pool_free(pool);
	peer_stop(&home);
	peer_stop(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_a_get),
		cmocka_unit_test(sends_methods_and_bodies),
		cmocka_unit_test(refuses_bad_urls),
		cmocka_unit_test(refuses_bad_headers),
		cmocka_unit_test(headers_are_not_confused),
		cmocka_unit_test(asks_the_egress_guard),
		cmocka_unit_test(follows_get_and_head_only),
		cmocka_unit_test(counts_redirects),
		cmocka_unit_test(checks_redirects),
		cmocka_unit_test(keeps_secrets_at_home),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
