/*
 * http_client.c - pools of calls over libcurl's multi handle.
 *
 * Easy handles are made once and reused with their connection; per call only what differs from the
 * handle's last call is set. Redirects are followed here, not by libcurl, so that every hop passes
 * the same checks as the first URL. libcurl resends a request by itself when a reused connection
 * dies before any byte of an answer; for a request that is not idempotent that could be a silent
 * duplicate, so the second attempt is stopped where libcurl announces it.
 */
#define CORE_ALLOCATES /* calls outlive any arena of their submitter's */
#include <curl/curl.h>
#include <stdatomic.h>

#include "core/limits.h"
#include "net/http_client.h"
#include "net/http_unpack.h"
#include "net/url.h"

#define CONCURRENCY_DEFAULT 16
#define POLL_MS_MAX         1000

struct http_call_priv {
	struct http_pool *pool;
	struct http_call *call;      /* NULL: the handle is free */
	struct http_call_priv *next; /* free list, or the pool's list of all */
	struct http_call_priv *all;
	CURL *easy;
	struct arena *arena; /* of the call: URL, header copies */
	struct url url;      /* of the hop in the air */
	struct curl_slist *headers,
		**headers_end_at; /* in header_arena: a new list costs no malloc */
	struct arena *header_arena;
	struct buf header_key, header_spare;    /* what `headers` was made of; for the next key */
	struct buf url_key;                     /* the URL that is set, NUL-terminated */
	enum http_method method;                /* that is set; HTTP_OTHER: none yet */
	bool body;                              /* is one set? */
	int64_t timeout_ms, connect_timeout_ms; /* that are set */
	bool insecure_tls;
	bool stripped; /* headers of the caller were dropped behind a redirect */
	struct http_unpack unpack;
	bool headers_end; /* of the final answer: fields that follow are trailers */
	unsigned hops, attempts;
	size_t header_bytes;
	int64_t started_us;
	struct err refused;          /* by the egress guard, or by a limit */
	char words[CURL_ERROR_SIZE]; /* libcurl's own on a failure */
};

struct queue_of_calls {
	struct http_call **ring;
	size_t cap, head, count;
};

struct http_pool {
	struct http_pool_config cfg;
	CURLM *multi;
	struct http_call_priv *free, *all;
	struct queue_of_calls waiting, done;
	size_t in_air;
	atomic_bool woken;
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void *must(void *p)
{
	CHECK(p != NULL);
	return p;
}

/* ---- queues ---- */

static void put(struct queue_of_calls *q, struct http_call *c)
{
	if (q->count == q->cap) {
		size_t cap = MAX(q->cap * 2, (size_t)16);
		struct http_call **ring = must(malloc(cap * sizeof(struct http_call *)));

		for (size_t i = 0; i < q->count; i++)
			ring[i] = q->ring[(q->head + i) % q->cap];
		free(q->ring);
		*q = (struct queue_of_calls){ ring, cap, 0, q->count };
	}
	q->ring[(q->head + q->count++) % q->cap] = c;
}

static struct http_call *take(struct queue_of_calls *q)
{
	if (q->count == 0)
		return NULL;
	struct http_call *c = q->ring[q->head];

	q->head = (q->head + 1) % q->cap;
	q->count--;
	return c;
}

/* ---- calls ---- */

void http_call_init(struct http_call *c)
{
	memset(c, 0, sizeof(*c));
}

void http_call_free(struct http_call *c)
{
	buf_free(&c->res_headers);
	buf_free(&c->res_body);
}

struct str http_call_header(const struct http_call *c, struct str name)
{
	struct str rest = buf_str(&c->res_headers), found = STR_NULL;

	while (rest.p != NULL) {
		struct str line = str_cut(&rest, '\n'), value = line;
		struct str field = str_cut(&value, ':');

		if (value.p != NULL && str_eq_ci(field, name))
			found = str_trim(value);
	}
	return found;
}

/* ---- what libcurl calls ---- */

/* Why a transfer is stopped from inside a callback; the first reason stands. */
#define refuse(v, ...)                                       \
	do {                                                 \
		if ((v)->refused.code == ERR_NONE)           \
			err_set(&(v)->refused, __VA_ARGS__); \
	} while (0)

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_call_priv *v = arg;
	struct http_call *c = v->call;
	size_t max = c->body_max != 0 ? c->body_max : (size_t)LIMIT_RESPONSE_BODY;

	if (c->res_body.max != 0)
		max = MIN(max, c->res_body.max);
	switch (http_unpack_feed(&v->unpack, p, size * n, &c->res_body, max)) {
	case HTTP_UNPACK_OK:
		return size * n;
	case HTTP_UNPACK_OVER:
		refuse(v, ERR_LIMIT, "the answer of %.*s is larger than the limit of %zu bytes",
			STR_ARG(v->url.host), max);
		return CURL_WRITEFUNC_ERROR;
	default:
		refuse(v, ERR_RESPONSE, "the compression of %.*s's answer is broken",
			STR_ARG(v->url.host));
		return CURL_WRITEFUNC_ERROR;
	}
}

/* The header section of the final answer is complete. */
static bool on_headers_end(struct http_call_priv *v)
{
	struct str coding = http_call_header(v->call, STR("Content-Encoding"));

	v->headers_end = true;
	if (http_unpack_begin(&v->unpack, coding) || v->call->method == HTTP_HEAD)
		return true;
	refuse(v, ERR_RESPONSE,
		"%.*s answered with the content coding \"%.*s\", which was not asked for",
		STR_ARG(v->url.host), STR_ARG(str_sub(coding, 0, 64)));
	return false;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct http_call_priv *v = arg;
	struct http_call *c = v->call;
	struct str line = str_of(p, size * n);
	long status = 0;

	v->header_bytes += line.n;
	if (v->header_bytes > LIMIT_RESPONSE_HEADERS) {
		refuse(v, ERR_LIMIT, "the headers of %.*s's answer are larger than %d bytes",
			STR_ARG(v->url.host), LIMIT_RESPONSE_HEADERS);
		return CURL_WRITEFUNC_ERROR;
	}
	if (v->headers_end) /* a trailer decides nothing (RFC 9110, 6.5.1) */
		return line.n;
	if (str_trim(line).n == 0) {
		curl_easy_getinfo(v->easy, CURLINFO_RESPONSE_CODE, &status);
		if (status >= 200 && !on_headers_end(v))
			return CURL_WRITEFUNC_ERROR;
	} else if (str_starts(line, STR("HTTP/"))) { /* what came before was interim */
		buf_reset(&c->res_headers);
	} else {
		buf_add_str(&c->res_headers, line);
	}
	return line.n;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_call_priv *v = arg;
	struct err err = ERR_INIT;

	(void)purpose;
	if (egress_check(v->pool->cfg.egress, &a->addr, &err))
		return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (v->refused.code == ERR_NONE)
		v->refused = err;
	return CURL_SOCKET_BAD;
}

static bool is_idempotent(enum http_method m)
{
	return m != HTTP_POST && m != HTTP_PATCH;
}

static int on_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct http_call_priv *v = arg;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (v->attempts++ == 0 || is_idempotent(v->call->method))
		return CURL_PREREQFUNC_OK;
	return CURL_PREREQFUNC_ABORT;
}

/* ---- handles ---- */

static struct http_call_priv *handle_new(struct http_pool *p)
{
	struct http_call_priv *v = must(calloc(1, sizeof(*v)));
	CURL *e = must(curl_easy_init());

	v->pool = p;
	v->easy = e;
	v->arena = arena_new("call", 0);
	v->header_arena = arena_new("headers", 0);
	v->method = HTTP_OTHER;
	v->all = p->all;
	p->all = v;
	curl_easy_setopt(e, CURLOPT_PRIVATE, v);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, v->words);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, v);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, v);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, v);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, v);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "Integrator/" INTEGRATOR_VERSION);
	if (p->cfg.ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, p->cfg.ca_file);
	return v;
}

static void handle_free(struct http_call_priv *v)
{
	curl_easy_cleanup(v->easy);
	arena_free(v->header_arena);
	buf_free(&v->header_key);
	buf_free(&v->header_spare);
	buf_free(&v->url_key);
	http_unpack_free(&v->unpack);
	arena_free(v->arena);
	free(v);
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t')
			return true;
	return str_find_char(s, 0x7F) != STR_NPOS;
}

static bool is_token(struct str s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z');

		if (!word && (c == '\0' || strchr(marks, c) == NULL))
			return false;
	}
	return s.n > 0;
}

/* Behind a redirect to another origin only fields that describe what is wanted stay. */
static bool passes_to_other_origin(struct str name)
{
	return str_eq_ci(name, STR("Accept")) || str_starts_ci(name, STR("Accept-")) ||
	       str_eq_ci(name, STR("User-Agent")) || str_eq_ci(name, STR("Content-Type"));
}

/* Fields that say where the message ends, or for whom it is: two authors could disagree. */
static bool is_of_the_client(struct str name)
{
	static const struct str names[] = { STR_INIT("Host"), STR_INIT("Content-Length"),
		STR_INIT("Transfer-Encoding"), STR_INIT("Connection"), STR_INIT("Expect"),
		STR_INIT("TE"), STR_INIT("Trailer"), STR_INIT("Upgrade"), STR_INIT("Keep-Alive"),
		STR_INIT("Proxy-Connection"), STR_INIT("Accept-Encoding") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_ci(name, names[i]))
			return true;
	return false;
}

static void append_line(struct http_call_priv *v, struct str line)
{
	struct curl_slist *node = arena_new_of(v->header_arena, struct curl_slist);

	node->data = arena_strndup(v->header_arena, line.p, line.n);
	*v->headers_end_at = node;
	v->headers_end_at = &node->next;
}

static bool add_header(struct http_call_priv *v, const struct http_header *h, struct err *err)
{
	struct str value = str_trim(h->value);

	if (v->stripped && !passes_to_other_origin(h->name))
		return true;
	if (!is_token(h->name))
		return err_set(err, ERR_INVALID, "\"%.*s\" is no name for a header",
			STR_ARG(str_sub(h->name, 0, 64)));
	if (has_control(h->value))
		return err_set(err, ERR_INVALID,
			"the value of header %.*s holds a control character", STR_ARG(h->name));
	if (is_of_the_client(h->name))
		return err_set(err, ERR_INVALID,
			"the header %.*s is set by this program and can't be given",
			STR_ARG(h->name));
	/* "Name;" is libcurl's spelling of a field with an empty value */
	struct str line = value.n == 0 ? str_fmt(v->arena, "%.*s;", STR_ARG(h->name))
				       : str_fmt(v->arena, "%.*s: %.*s", STR_ARG(h->name),
						 STR_ARG(value));

	append_line(v, line);
	return true;
}

/* What a list is made of, with lengths: whatever a value holds, no other list has the same key. */
static void make_header_key(struct http_call_priv *v, struct buf *key)
{
	const struct http_call *c = v->call;

	buf_reset(key);
	for (size_t i = 0; i < c->header_count; i++) {
		buf_add_u64(key, c->headers[i].name.n);
		buf_add_char(key, ':');
		buf_add_u64(key, c->headers[i].value.n);
		buf_add_char(key, ':');
		buf_add_str(key, c->headers[i].name);
		buf_add_str(key, c->headers[i].value);
	}
	buf_add_char(key, v->stripped ? 's' : 'a');
}

/* Sets the header list unless it is the one of the handle's last call. */
static bool set_headers(struct http_call_priv *v, struct err *err)
{
	const struct http_call *c = v->call;
	struct buf key = v->header_spare;

	make_header_key(v, &key);
	v->header_spare = key;
	if (v->headers != NULL && str_eq(buf_str(&key), buf_str(&v->header_key)))
		return true;
	buf_reset(&v->header_key);
	arena_reset(v->header_arena);
	v->headers = NULL;
	v->headers_end_at = &v->headers;
	append_line(v, STR("Expect:"));       /* no round trip before a body */
	append_line(v, STR("Content-Type:")); /* but for the caller's: else libcurl says form */
	append_line(v, STR("Accept-Encoding: " HTTP_UNPACK_ACCEPTS));
	for (size_t i = 0; i < c->header_count; i++)
		if (!add_header(v, &c->headers[i], err))
			return false;
	v->header_spare = v->header_key;
	v->header_key = key;
	curl_easy_setopt(v->easy, CURLOPT_HTTPHEADER, v->headers);
	return true;
}

static bool set_url(struct http_call_priv *v, struct str url, struct err *err)
{
	bool same = v->url_key.n == url.n + 1 && memcmp(v->url_key.p, url.p, url.n) == 0;

	if (!url_parse(v->arena, url, &v->url, err))
		return false;
	if (!str_eq_z(v->url.scheme, "http") && !str_eq_z(v->url.scheme, "https"))
		return err_set(err, ERR_INVALID, "only http and https URLs can be called, not %.*s",
			STR_ARG(v->url.scheme));
	if (same)
		return true;
	buf_reset(&v->url_key);
	buf_add_str(&v->url_key, url);
	buf_add_char(&v->url_key, '\0');
	curl_easy_setopt(v->easy, CURLOPT_URL, v->url_key.p);
	return true;
}

static void set_method(struct http_call_priv *v)
{
	const struct http_call *c = v->call;
	bool body = c->method != HTTP_HEAD &&
		    (c->body.n > 0 || c->method == HTTP_POST || c->method == HTTP_PUT ||
			    c->method == HTTP_PATCH);

	/* the body of a handle's last call is gone: nothing may be left that points to it */
	if (v->method != c->method || v->body != body) {
		curl_easy_setopt(v->easy, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(v->easy, CURLOPT_NOBODY, c->method == HTTP_HEAD ? 1L : 0L);
		if (body)
			curl_easy_setopt(v->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(v->easy, CURLOPT_CUSTOMREQUEST,
			c->method == HTTP_HEAD ? NULL : http_method_name(c->method));
		v->method = c->method;
		v->body = body;
	}
	if (body) {
		curl_easy_setopt(v->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
		curl_easy_setopt(v->easy, CURLOPT_POSTFIELDS, c->body.n > 0 ? c->body.p : "");
	}
}

static void set_limits(struct http_call_priv *v)
{
	const struct http_call *c = v->call;
	int64_t total = c->timeout_ms != 0 ? c->timeout_ms : LIMIT_OUTBOUND_TIMEOUT_MS;
	int64_t connect = c->connect_timeout_ms != 0 ? c->connect_timeout_ms
						     : LIMIT_OUTBOUND_CONNECT_MS;

	/* all hops of a call share its deadline */
	total = MAX(total - (now_us() - v->started_us) / 1000, 1);
	if (v->timeout_ms != total)
		curl_easy_setopt(v->easy, CURLOPT_TIMEOUT_MS, (long)total);
	if (v->connect_timeout_ms != connect)
		curl_easy_setopt(v->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
	v->timeout_ms = total;
	v->connect_timeout_ms = connect;
	if (v->insecure_tls != c->insecure_tls) {
		curl_easy_setopt(v->easy, CURLOPT_SSL_VERIFYPEER, c->insecure_tls ? 0L : 1L);
		curl_easy_setopt(v->easy, CURLOPT_SSL_VERIFYHOST, c->insecure_tls ? 0L : 2L);
		v->insecure_tls = c->insecure_tls;
	}
}

/* ---- from submit to done ---- */

static void done(struct http_pool *p, struct http_call *c)
{
	struct http_call_priv *v = c->priv;

	if (v != NULL) {
		c->took_us = now_us() - v->started_us;
		c->priv = NULL;
		v->call = NULL;
		v->next = p->free;
		p->free = v;
	}
	c->done = true;
	put(&p->done, c);
}

/* Sends one hop of the call. */
static bool launch(struct http_call_priv *v, struct str url, struct err *err)
{
	v->attempts = 0;
	v->header_bytes = 0;
	v->headers_end = false;
	v->words[0] = '\0';
	v->refused = (struct err)ERR_INIT;
	buf_reset(&v->call->res_headers);
	buf_reset(&v->call->res_body);
	if (!set_url(v, url, err) || !set_headers(v, err))
		return false;
	set_method(v);
	set_limits(v);
	CHECK(curl_multi_add_handle(v->pool->multi, v->easy) == CURLM_OK);
	v->pool->in_air++;
	return true;
}

static void begin(struct http_pool *p, struct http_call *c)
{
	struct http_call_priv *v = p->free;

	if (v != NULL)
		p->free = v->next;
	else
		v = handle_new(p);
	c->priv = v;
	v->call = c;
	v->hops = 0;
	v->stripped = false;
	v->started_us = now_us();
	arena_reset(v->arena);
	if (!launch(v, c->url, &c->err))
		done(p, c);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows a redirect; false: it is the answer, or c->err says why it can't be followed. */
static bool follow(struct http_call_priv *v)
{
	struct http_call *c = v->call;
	struct str location = http_call_header(c, STR("Location"));
	struct url next;

	if (!is_redirect(c->status) || location.p == NULL || v->hops == c->redirects_max ||
		(c->method != HTTP_GET && c->method != HTTP_HEAD))
		return false;
	v->hops++;
	if (!url_resolve(v->arena, &v->url, location, &next, &c->err))
		return err_wrap(&c->err, "redirect of %.*s", STR_ARG(v->url.host));
	if (str_eq_z(v->url.scheme, "https") && !str_eq_z(next.scheme, "https"))
		return err_set(&c->err, ERR_EGRESS,
			"%.*s redirects from https to %.*s, which would send data in the clear",
			STR_ARG(v->url.host), STR_ARG(next.scheme));
	if (!url_same_origin(&v->url, &next))
		v->stripped = true;
	return launch(v, url_print(v->arena, &next), &c->err);
}

static void fail_timeout(struct http_call_priv *v, struct err *err)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(v->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (connected == 0)
		err_set(err, ERR_TIMEOUT, "could not connect to %.*s within %lld ms",
			STR_ARG(v->url.host), (long long)MIN(v->connect_timeout_ms, v->timeout_ms));
	else
		err_set(err, ERR_TIMEOUT, "no complete answer from %.*s within %lld ms",
			STR_ARG(v->url.host), (long long)v->timeout_ms);
}

static void fail_partial(struct http_call_priv *v, struct err *err)
{
	curl_off_t want = -1, got = 0;

	curl_easy_getinfo(v->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &want);
	curl_easy_getinfo(v->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
	if (want > 0)
		err_set(err, ERR_RESPONSE, "the answer of %.*s ended after %lld of %lld bytes",
			STR_ARG(v->url.host), (long long)got, (long long)want);
	else
		err_set(err, ERR_RESPONSE, "the answer of %.*s ended too early",
			STR_ARG(v->url.host));
}

/* libcurl's result in the user's words. */
static void fail(struct http_call_priv *v, CURLcode code, struct err *err)
{
	static const struct {
		CURLcode code;
		enum err_code err;
		const char *words;
	} table[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, ERR_DNS, "the name has no address" },
		{ CURLE_COULDNT_CONNECT, ERR_CONNECT, "could not connect" },
		{ CURLE_ABORTED_BY_CALLBACK, ERR_CONNECT,
			"closed the connection before it answered; whether it took the request is "
			"unknown" },
		{ CURLE_GOT_NOTHING, ERR_CONNECT, "closed the connection without an answer" },
		{ CURLE_SEND_ERROR, ERR_CONNECT,
			"the connection broke while the request was sent" },
		{ CURLE_RECV_ERROR, ERR_CONNECT,
			"the connection broke while the answer was awaited" },
		{ CURLE_PEER_FAILED_VERIFICATION, ERR_TLS,
			"the server's certificate can't be verified" },
		{ CURLE_SSL_CONNECT_ERROR, ERR_TLS, "the TLS handshake failed" },
		{ CURLE_SSL_CACERT_BADFILE, ERR_TLS,
			"the file of trusted certificates can't be read" },
	};

	if (v->refused.code != ERR_NONE) {
		*err = v->refused;
		return;
	}
	/* libcurl's own limit on one line, which it reports as if memory had run out */
	if (code == CURLE_OUT_OF_MEMORY) {
		err_set(err, ERR_LIMIT, "a header line of %.*s's answer is longer than %d bytes",
			STR_ARG(v->url.host), CURL_MAX_HTTP_HEADER);
		return;
	}
	/* a malformed chunk has the code of a broken connection; only the words tell */
	if (code == CURLE_RECV_ERROR && strstr(v->words, "chunked") != NULL) {
		err_set(err, ERR_RESPONSE, "the chunks of %.*s's answer are malformed",
			STR_ARG(v->url.host));
		return;
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		fail_timeout(v, err);
		return;
	}
	if (code == CURLE_PARTIAL_FILE) {
		fail_partial(v, err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].code == code) {
			err_set(err, table[i].err, "%.*s:%u: %s", STR_ARG(v->url.host), v->url.port,
				table[i].words);
			return;
		}
	}
	err_set(err, ERR_RESPONSE, "%.*s:%u answered something that is not HTTP/1.1 (%s)",
		STR_ARG(v->url.host), v->url.port, curl_easy_strerror(code));
}

static void landed(struct http_pool *p, struct http_call_priv *v, CURLcode code)
{
	struct http_call *c = v->call;
	long status = 0, sent = 0;
	curl_off_t connect_us = 0;

	curl_easy_getinfo(v->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(v->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(v->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
	curl_multi_remove_handle(p->multi, v->easy);
	p->in_air--;
	c->sent = c->sent || sent > 0;
	c->connect_us += connect_us;
	c->status = code == CURLE_OK ? (int)status : 0;
	if (code != CURLE_OK)
		fail(v, code, &c->err);
	else if (!v->headers_end) /* libcurl takes the end of the connection for theirs */
		err_set(&c->err, ERR_RESPONSE, "the answer of %.*s ended inside its headers",
			STR_ARG(v->url.host));
	else if (!http_unpack_is_whole(&v->unpack))
		err_set(&c->err, ERR_RESPONSE, "the compressed answer of %.*s ended too early",
			STR_ARG(v->url.host));
	else if (follow(v))
		return;
	snprintf(c->res_url, sizeof(c->res_url), "%s", v->url_key.p);
	if (c->err.code != ERR_NONE)
		c->status = 0;
	done(p, c);
}

static void reap(struct http_pool *p)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		struct http_call_priv *v;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &v);
		landed(p, v, code);
	}
}

static void fill(struct http_pool *p)
{
	while (p->in_air < p->cfg.concurrency && p->waiting.count > 0)
		begin(p, take(&p->waiting));
}

/* ---- pools ---- */

struct http_pool *http_pool_new(const struct http_pool_config *cfg)
{
	struct http_pool *p = must(calloc(1, sizeof(*p)));

	CHECK(cfg->egress != NULL);
	p->cfg = *cfg;
	if (p->cfg.concurrency == 0)
		p->cfg.concurrency = CONCURRENCY_DEFAULT;
	p->multi = must(curl_multi_init());
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)p->cfg.concurrency + 1);
	return p;
}

void http_pool_free(struct http_pool *p)
{
	if (p == NULL)
		return;
	for (struct http_call_priv *v = p->all, *next; v != NULL; v = next) {
		next = v->all;
		if (v->call != NULL)
			curl_multi_remove_handle(p->multi, v->easy);
		handle_free(v);
	}
	curl_multi_cleanup(p->multi);
	free(p->waiting.ring);
	free(p->done.ring);
	free(p);
}

void http_pool_submit(struct http_pool *p, struct http_call *c)
{
	c->done = false;
	c->err = (struct err)ERR_INIT;
	c->sent = false;
	c->status = 0;
	c->took_us = c->connect_us = 0;
	c->priv = NULL;
	put(&p->waiting, c);
	fill(p);
}

size_t http_pool_busy(const struct http_pool *p)
{
	return p->waiting.count + p->in_air + p->done.count;
}

struct http_call *http_pool_next(struct http_pool *p, int64_t until_ms)
{
	int running;

	while (p->done.count == 0 && http_pool_busy(p) > 0 && !atomic_exchange(&p->woken, false)) {
		CHECK(curl_multi_perform(p->multi, &running) == CURLM_OK);
		reap(p);
		fill(p);
		if (p->done.count > 0)
			break;
		int64_t wait_ms = until_ms - clock_mono_ms(clock_system());

		if (wait_ms <= 0)
			break;
		CHECK(curl_multi_poll(p->multi, NULL, 0, (int)MIN(wait_ms, POLL_MS_MAX), NULL) ==
			CURLM_OK);
	}
	return take(&p->done);
}

void http_pool_wake(struct http_pool *p)
{
	atomic_store(&p->woken, true);
	curl_multi_wakeup(p->multi);
}

void http_pool_cancel(struct http_pool *p)
{
	struct http_call *c;

	while ((c = take(&p->waiting)) != NULL) {
		err_set(&c->err, ERR_CANCELED, "the call was canceled");
		done(p, c);
	}
	for (struct http_call_priv *v = p->all; v != NULL; v = v->all) {
		long sent = 0;

		if (v->call == NULL)
			continue;
		curl_easy_getinfo(v->easy, CURLINFO_REQUEST_SIZE, &sent);
		curl_multi_remove_handle(p->multi, v->easy);
		p->in_air--;
		v->call->sent = v->call->sent || sent > 0;
		err_set(&v->call->err, ERR_CANCELED, "the call was canceled");
		done(p, v->call);
	}
}

bool http_pool_run(struct http_pool *p, struct http_call *c)
{
	http_pool_submit(p, c);
	while (!c->done)
		(void)http_pool_next(p, INT64_MAX);
	return c->err.code == ERR_NONE;
}

void http_client_global_init(void)
{
	CHECK(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK);
}

void http_client_global_cleanup(void)
{
	curl_global_cleanup();
}
