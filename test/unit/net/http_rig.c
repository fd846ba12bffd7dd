/*
 * http_rig.c - the handler runs on the server's threads, the clients block in the test's.
 */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "http_rig.h"

#define PATIENCE_MS 60000

static char big[RIG_BIG];

static struct str info(struct http_exchange *x)
{
	struct str s = str_fmt(x->arena, "%.*s %d %.*s|%.*s|%.*s|1.%u %.*s %d\n",
		STR_ARG(x->method_text), (int)x->method, STR_ARG(x->target), STR_ARG(x->path),
		x->query.p == NULL ? 1 : (int)x->query.n, x->query.p == NULL ? "-" : x->query.p,
		x->minor, (int)str_find_char(x->peer, ':'), x->peer.p, x->started_us > 0);

	for (size_t i = 0; i < x->header_count; i++)
		s = str_fmt(x->arena, "%.*s%.*s=%.*s\n", STR_ARG(s), STR_ARG(x->headers[i].name),
			STR_ARG(x->headers[i].value));
	return str_fmt(x->arena, "%.*s%.*s", STR_ARG(s), (int)x->body_bytes,
		x->body == NULL ? "" : x->body);
}

static enum http_verdict hold(struct rig *r, struct http_exchange *x)
{
	WITH_LOCK(&r->lock);
	x->user = r;
	r->held[r->held_count++ % ARRAY_LEN(r->held)] = x;
	cond_broadcast(&r->changed);
	return HTTP_SUSPENDED;
}

static enum http_verdict on_request(void *ctx, struct http_exchange *x)
{
	x->status = 200;
	if (str_eq_z(x->path, "/hold"))
		return hold(ctx, x);
	if (str_eq_z(x->path, "/echo"))
		x->res_body = str_of(x->body, x->body_bytes);
	else if (str_eq_z(x->path, "/big"))
		x->res_body = str_of(big, sizeof(big));
	else if (str_starts(x->path, STR("/status/")))
		x->status = (int)strtol(x->path.p + 8, NULL, 10);
	else
		x->res_body = info(x);
	if (str_starts(x->path, STR("/status/")))
		x->res_body = STR("text");
	x->close = str_eq_z(x->path, "/close");
	http_response_header(x, STR("X-Path"), x->path);
	return HTTP_DONE;
}

static void on_refused(void *ctx UNUSED, struct http_exchange *x, const struct err *err)
{
	x->res_body = str_dup(x->arena, str_z(err->message));
	http_response_header(x, STR("X-Method"), x->method_text);
}

static bool on_header(void *ctx UNUSED, struct http_exchange *x)
{
	if (!str_eq_z(x->path, "/refuse"))
		return true;
	x->status = 403;
	x->res_body = str_fmt(x->arena, "not %zu bytes", x->body_bytes);
	return false;
}

static void on_finished(void *ctx, struct http_exchange *x, uint64_t sent)
{
	struct rig *r = ctx;

	WITH_LOCK(&r->lock);
	r->finished++;
	r->last_sent = sent;
	r->last_status = x->status;
	cond_broadcast(&r->changed);
}

static void on_turn(void *ctx, unsigned loop)
{
	struct rig *r = ctx;

	WITH_LOCK(&r->lock);
	r->turns[loop]++;
	cond_broadcast(&r->changed);
}

void rig_start(struct rig *r, struct http_server_config cfg)
{
	struct err err;

	*r = (struct rig){ .server = NULL };
	memset(big, 'b', sizeof(big));
	mutex_init(&r->lock);
	cond_init(&r->changed);
	cfg.handlers = (struct http_handlers){ .request = on_request,
		.refused = on_refused,
		.finished = on_finished,
		.turn = on_turn,
		.header = on_header,
		.ctx = r };
	if (cfg.listen.p == NULL)
		cfg.listen = STR("127.0.0.1:0");
	if (cfg.loops == 0)
		cfg.loops = 2;
	assert_ok(http_server_start(&cfg, &r->server, &err));
}

void rig_stop(struct rig *r)
{
	http_server_free(r->server);
	cond_destroy(&r->changed);
	mutex_destroy(&r->lock);
}

static int64_t patience(void)
{
	return clock_mono_ms(clock_system()) + PATIENCE_MS;
}

struct http_exchange *rig_held(struct rig *r)
{
	int64_t until = patience();

	WITH_LOCK(&r->lock);
	while (r->held_taken == r->held_count)
		if (!cond_wait_until(&r->changed, &r->lock, until))
			fail_msg("no request was suspended");
	return r->held[r->held_taken++ % ARRAY_LEN(r->held)];
}

void rig_wait_finished(struct rig *r, size_t count)
{
	int64_t until = patience();

	WITH_LOCK(&r->lock);
	while (r->finished < count)
		if (!cond_wait_until(&r->changed, &r->lock, until))
			fail_msg("%zu exchanges finished, not %zu", r->finished, count);
	assert_int_equal(r->finished, count);
}

void rig_wait_turns(struct rig *r)
{
	int64_t until = patience();

	WITH_LOCK(&r->lock);
	while (r->turns[0] == 0 || r->turns[1] == 0)
		if (!cond_wait_until(&r->changed, &r->lock, until))
			fail_msg("a loop has not turned");
}

struct http_server_stats rig_stats(const struct rig *r)
{
	struct http_server_stats s;

	http_server_stats(r->server, &s);
	return s;
}

void rig_wait_open(struct rig *r, uint64_t count)
{
	int64_t until = patience();

	while (rig_stats(r).connections_open != count) {
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("%d connections are open, not %d",
				(int)rig_stats(r).connections_open, (int)count);
		sched_yield();
	}
}

/* ---- clients ---- */

bool client_try(int fd, const struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(r->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { PATIENCE_MS / 1000, 0 };
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

void client_connect(int fd, const struct rig *r)
{
	if (!client_try(fd, r))
		fail_msg("can't connect: %s", strerror(errno));
}

struct client client_open(const struct rig *r)
{
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	client_connect(c.fd, r);
	return c;
}

bool client_readable(struct client *c, int within_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return c->in.n > 0 || poll(&p, 1, within_ms) == 1;
}

void client_close(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	buf_free(&c->in);
}

/* The server may close while we send: what it answered is still to be read. */
void client_send(struct client *c, struct str s)
{
	while (s.n > 0) {
		ssize_t k = c->ssl != NULL ? SSL_write(c->ssl, s.p, (int)MIN(s.n, 1u << 20))
					   : send(c->fd, s.p, s.n, MSG_NOSIGNAL);

		if (k <= 0) {
			assert_true(c->ssl != NULL || errno == EPIPE || errno == ECONNRESET);
			return;
		}
		s = str_from(s, (size_t)k);
	}
}

/* False at the end of the connection. */
static bool fill(struct client *c)
{
	char *p = buf_room(&c->in, 65536);
	ssize_t k = c->ssl != NULL ? SSL_read(c->ssl, p, 65536) : recv(c->fd, p, 65536, 0);

	if (k < 0 && c->ssl == NULL && errno != ECONNRESET)
		fail_msg("the server is silent: %s", strerror(errno));
	if (k <= 0) {
		c->ended = true;
		c->reset = k < 0;
		return false;
	}
	c->in.n += (size_t)k;
	return true;
}

struct str response_header(const struct response *r, const char *name)
{
	struct str rest = r->head;

	while (rest.p != NULL) {
		struct str line = str_cut(&rest, '\n');
		struct str key = str_cut(&line, ':');

		if (str_eq_ci(key, str_z(name)))
			return str_trim(line);
	}
	return STR_NULL;
}

struct response client_read(struct client *c, bool head)
{
	static struct buf last;
	struct response r = { .status = 0 };
	uint64_t body_n = 0;
	size_t end;

	while ((end = str_find(buf_str(&c->in), STR("\r\n\r\n"))) == STR_NPOS)
		if (!fill(c))
			fail_msg("the connection ended%s, got \"%.*s\"",
				c->reset ? " by reset" : "", STR_ARG(buf_str(&c->in)));
	r.head = str_of(c->in.p, end + 4);
	assert_true(str_starts(r.head, STR("HTTP/1.1 ")));
	r.status = (int)strtol(c->in.p + 9, NULL, 10);
	struct str length = response_header(&r, "Content-Length");

	if (length.p != NULL && !head)
		assert_true(str_to_u64(length, &body_n));
	while (c->in.n < end + 4 + body_n)
		if (!fill(c))
			fail_msg("the connection ended inside a body");
	buf_reset(&last);
	buf_add(&last, c->in.p, end + 4 + body_n);
	buf_drop(&c->in, end + 4 + body_n);
	r.head = str_of(last.p, end + 4);
	r.body = str_of(last.p + end + 4, body_n);
	return r;
}

struct str client_until(struct client *c, const char *text)
{
	static struct buf last;
	size_t at;

	while ((at = str_find(buf_str(&c->in), str_z(text))) == STR_NPOS)
		if (!fill(c))
			fail_msg("the connection ended before \"%s\", after \"%.*s\"", text,
				STR_ARG(buf_str(&c->in)));
	buf_reset(&last);
	buf_add(&last, c->in.p, at + strlen(text));
	buf_drop(&c->in, last.n);
	return buf_str(&last);
}

void client_expect(struct client *c, int status, const char *body)
{
	struct response r = client_read(c, false);

	if (r.status != status || str_find(r.body, str_z(body)) == STR_NPOS)
		fail_msg("got %d \"%.*s\", want %d \"%s\"", r.status, STR_ARG(r.body), status,
			body);
}

void client_expect_end(struct client *c)
{
	if (c->in.n > 0 || fill(c))
		fail_msg("unexpected \"%.*s\"", STR_ARG(buf_str(&c->in)));
	assert_false(c->reset);
}
