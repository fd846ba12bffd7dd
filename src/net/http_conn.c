/*
 * http_conn.c - one connection as a state machine that runs until it has to wait: for bytes, for
 * room in the socket, for a handler, or for its next turn. Whatever woke it, http_conn_run() looks
 * at the state and goes on from there, then arms the deadline that fits the state it stopped in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_stream_priv.h"

enum step {
	STEP_ON,    /* the state changed: go on */
	STEP_NEXT,  /* a response was sent: go on, if the share of this turn is not used up */
	STEP_AGAIN, /* the share is used up */
	STEP_WAIT,
	STEP_CLOSE,
};

/* ---- the view: bytes that were read and not taken ---- */

/* Bytes that http_conn_run() is working on. */
struct view {
	char *p; /* the loop's window */
	size_t at, n;
	bool open; /* the window holds this connection's bytes */
	bool same; /* what conn->in holds is the front of them */
};

/* What an earlier turn left over comes to the window's front, so that more can be read behind it. */
static void view_open(struct http_conn *c, struct view *v)
{
	if (v->open)
		return;
	*v = (struct view){ .p = c->loop->window, .n = c->in.n, .same = true, .open = true };
	if (c->in.n > 0)
		memcpy(v->p, c->in.p, c->in.n);
}

/* Reads behind what is there. */
static ssize_t view_fill(struct http_conn *c, struct view *v)
{
	if (!c->readable)
		return HTTP_IO_BLOCKED;
	if (v->at > 0) {
		memmove(v->p, v->p + v->at, v->n - v->at);
		v->n -= v->at;
		v->at = 0;
		v->same = false;
	}
	/* An incomplete head is within its limits, and the window is larger than they are. */
	CHECK(v->n < c->loop->window_bytes);
	ssize_t k = http_io_recv(c, v->p + v->n, c->loop->window_bytes - v->n);

	if (k > 0)
		v->n += (size_t)k;
	return k;
}

/* What is left over stays with the connection, in no more memory than it needs. */
static void view_close(struct http_conn *c, struct view *v)
{
	if (!v->open)
		return;
	size_t left = v->n - v->at;

	if (left == 0) {
		buf_free(&c->in);
	} else if (v->same && v->at == 0) {
		buf_add(&c->in, v->p + c->in.n, left - c->in.n);
	} else {
		buf_reset(&c->in);
		buf_add(&c->in, v->p + v->at, left);
	}
	v->open = false;
}

static void view_discard(struct http_conn *c, struct view *v)
{
	v->open = false;
	buf_free(&c->in);
}

/* ---- from bytes to an exchange ---- */

void http_conn_fill_request(struct http_conn *c, struct http_request *r)
{
	struct http_exchange *x = &r->x;

	r->conn = c;
	x->method = HTTP_OTHER;
	x->method_text = x->target = x->path = STR("");
	x->minor = 1;
	x->started_us = c->started_us;
	x->loop = c->loop->index;
	x->peer = str_of(arena_memdup(x->arena, c->peer, c->peer_n), c->peer_n);
}

/* Path and query of "/path?query"; "http://host" alone means "/", or "*" of OPTIONS. */
static void target_fill(struct http_exchange *x, const struct http_head *h, const char *p)
{
	x->target = str_of(p + h->target.at, h->target.n);
	if (h->target.n == 0)
		x->target = x->method == HTTP_OPTIONS ? STR("*") : STR("/");
	struct str rest = x->target;

	x->path = str_cut(&rest, '?');
	x->query = rest;
}

/* The request line, when it is known, from P, which holds the head. */
static void line_fill(struct http_exchange *x, const struct http_head *h, const char *p)
{
	x->minor = h->minor;
	x->method = (enum http_method)h->method;
	x->method_text = str_of(p + h->method_text.at, h->method_text.n);
	target_fill(x, h, p);
}

/* Moves the head at P into the request's arena and points the exchange at it. */
static void head_fill(struct http_conn *c, struct http_request *r, const char *p)
{
	const struct http_head *h = &c->head;
	struct http_exchange *x = &r->x;
	const char *q = arena_memdup(x->arena, p, h->bytes);
	struct http_header *headers = arena_alloc(x->arena, h->count * sizeof(*headers));

	line_fill(x, h, q);
	for (uint32_t i = 0; i < h->count; i++) {
		const struct http_field *f = &c->loop->fields[i];

		headers[i].name = str_of(q + f->name.at, f->name.n);
		headers[i].value = str_of(q + f->value.at, f->value.n);
	}
	x->headers = headers;
	x->header_count = h->count;
	r->chunked = h->chunked;
	r->body_left = h->length;
	r->keep_alive = !h->close && (h->minor > 0 || h->keep_alive);
}

/* Refuses what http_head_feed() or a deadline stopped; P is the head as far as it came. */
static void refuse_head(struct http_conn *c, int status, const char *p)
{
	struct http_request *r = c->req = http_request_acquire(c->loop);

	http_conn_fill_request(c, r);
	if (c->head.fields > 0)
		line_fill(&r->x, &c->head, arena_memdup(r->x.arena, p, c->head.fields));
	http_refuse(c, status);
}

/* ---- the steps ---- */

static enum step handle(struct http_conn *c)
{
	struct http_request *r = c->req;
	const struct http_handlers *h = &c->loop->server->handlers;

	r->x.body = r->body.n > 0 ? r->body.p : NULL;
	r->x.body_bytes = r->body.n;
	http_count(&c->loop->counters.requests, 1);
	/* A suspended exchange may be another thread's before this call has returned. */
	c->state = HTTP_CONN_WORK;
	if (h->request(h->ctx, &r->x) == HTTP_SUSPENDED) {
		c->loop->suspended++;
		return STEP_WAIT;
	}
	http_response_begin(c);
	return STEP_ON;
}

/* The header section is complete: may the request come, and has it a body? */
static enum step head_judge(struct http_conn *c, bool more_is_here)
{
	struct http_loop *l = c->loop;
	const struct http_handlers *handlers = &l->server->handlers;
	const struct http_head *h = &c->head;
	struct http_exchange *x = &c->req->x;

	if (h->expect_other) {
		err_set(&l->err, ERR_BAD_REQUEST,
			"the only expectation understood here is \"100-continue\" (RFC 9110, "
			"10.1.1)");
		http_refuse(c, 417);
		return STEP_ON;
	}
	if (h->length > l->server->body_max) {
		err_set(&l->err, ERR_TOO_LARGE, "the body is larger than %zu bytes",
			l->server->body_max);
		http_refuse(c, 0);
		return STEP_ON;
	}
	if (h->length == 0 && !h->chunked)
		return handle(c);
	x->body_bytes = h->length;
	if (handlers->header != NULL && !handlers->header(handlers->ctx, x)) {
		x->close = true;
		http_response_begin(c);
		return STEP_ON;
	}
	c->req->chunks = (struct http_chunks){ .max = l->server->body_max };
	c->req->body.max = l->server->body_max;
	c->state = HTTP_CONN_BODY;
	if (h->expect_continue && h->minor > 0 && !more_is_here)
		c->interim = HTTP_INTERIM_BYTES;
	return STEP_ON;
}

/* One more try with the bytes in the view. */
static enum step head_feed(struct http_conn *c, struct view *v)
{
	struct http_loop *l = c->loop;
	const char *p = v->p + v->at;
	size_t n = v->n - v->at;

	if (c->state == HTTP_CONN_IDLE) {
		c->state = HTTP_CONN_HEAD;
		c->started_us = l->now_us;
		c->head = (struct http_head){ 0 };
	}
	bool in_pieces = c->head.seen > 0;
	enum http_parse r = http_head_feed(&c->head, &l->server->limits, p, n, l->fields, &l->err);

	if (r == HTTP_PARSE_MORE)
		return STEP_WAIT;
	c->rearm = true;
	if (r == HTTP_PARSE_BAD) {
		refuse_head(c, 0, p);
		return STEP_ON;
	}
	if (in_pieces) {
		/* The fields found earlier were not kept: cheaper than a table for each slow client. */
		c->head = (struct http_head){ 0 };
		r = http_head_feed(&c->head, &l->server->limits, p, n, l->fields, &l->err);
		CHECK(r == HTTP_PARSE_DONE);
	}
	c->req = http_request_acquire(l);
	http_conn_fill_request(c, c->req);
	head_fill(c, c->req, p);
	v->at += c->head.bytes;
	return head_judge(c, v->at < v->n);
}

static enum step step_head(struct http_conn *c, struct view *v)
{
	view_open(c, v);
	for (;;) {
		if (v->at < v->n) {
			enum step s = head_feed(c, v);

			if (s != STEP_WAIT || c->state != HTTP_CONN_HEAD)
				return s;
		}
		ssize_t k = view_fill(c, v);

		if (k == HTTP_IO_BLOCKED && (c->state != HTTP_CONN_IDLE || !c->loop->draining))
			return STEP_WAIT;
		if (k <= 0)
			return STEP_CLOSE;
	}
}

/* Takes what the view has of the body. */
static enum http_parse body_take(struct http_conn *c, struct view *v)
{
	struct http_request *r = c->req;
	enum http_parse result = HTTP_PARSE_MORE;

	if (!r->chunked) {
		size_t n = MIN(r->body_left, v->n - v->at);

		buf_add(&r->body, v->p + v->at, n);
		v->at += n;
		r->body_left -= n;
		return r->body_left == 0 ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
	}
	while (v->at < v->n && result == HTTP_PARSE_MORE) {
		struct str data;
		size_t used;

		result = http_chunks_feed(&r->chunks, v->p + v->at, v->n - v->at, &used, &data,
			&c->loop->err);
		buf_add(&r->body, data.p, data.n);
		v->at += used;
	}
	return result;
}

/*
 * Reads more of the body: a body of known length right into its buffer, which grows with what has
 * come, not with what was announced.
 */
static ssize_t body_fill(struct http_conn *c, struct view *v)
{
	struct http_request *r = c->req;

	if (r->chunked)
		return view_fill(c, v);
	if (!c->readable)
		return HTTP_IO_BLOCKED;
	char *p = buf_room(&r->body, MIN(r->body_left, MAX(r->body.n, HTTP_BODY_FIRST)));

	CHECK(p != NULL);
	ssize_t k = http_io_recv(c, p, MIN(r->body_left, r->body.cap - r->body.n));

	if (k > 0) {
		r->body.n += (size_t)k;
		r->body_left -= (size_t)k;
	}
	return k;
}

static enum step step_body(struct http_conn *c, struct view *v)
{
	size_t share = HTTP_TURN_BYTES;

	if (http_interim_send(c) == HTTP_SENT_BROKEN)
		return STEP_CLOSE;
	view_open(c, v);
	for (;;) {
		enum http_parse r = body_take(c, v);

		if (r == HTTP_PARSE_DONE)
			return handle(c);
		if (r == HTTP_PARSE_BAD) {
			http_refuse(c, 0);
			return STEP_ON;
		}
		ssize_t k = body_fill(c, v);

		if (k == HTTP_IO_BLOCKED)
			return STEP_WAIT;
		if (k <= 0)
			return STEP_CLOSE;
		if ((size_t)k >= share)
			return STEP_AGAIN;
		share -= (size_t)k;
	}
}

/* The connection parts from its request: gives it back, or leaves it to whoever streams it. */
static void part(struct http_conn *c)
{
	struct http_request *r = c->req;

	c->req = NULL;
	if (r->stream == NULL) {
		http_response_end(r);
	} else if (http_stream_leave(r)) {
		c->loop->suspended--;
		http_response_end(r);
	} else {
		r->conn = NULL;
	}
}

/* The response is sent: what becomes of the connection? */
static enum step response_sent(struct http_conn *c, struct view *v)
{
	struct http_request *r = c->req;
	bool keep = r->keep_alive;
	/* A client that asked for the end has said all; others may be sending still. */
	bool said_all = !r->x.close &&
			(c->head.close || (c->head.minor == 0 && !c->head.keep_alive));

	part(c);
	c->rearm = true;
	if (keep) {
		c->state = HTTP_CONN_IDLE;
		return STEP_NEXT;
	}
	if (said_all && c->in.n == 0 && (!v->open || v->at == v->n) && c->ssl == NULL)
		return STEP_CLOSE;
	/* RFC 9112, 9.6: closing with unread bytes would reset the connection under the response. */
	view_discard(c, v);
	if (c->ssl != NULL)
		http_tls_end(c);
	shutdown(c->fd, SHUT_WR);
	c->readable = true;
	c->state = HTTP_CONN_LINGER;
	return STEP_ON;
}

static enum step step_write(struct http_conn *c, struct view *v)
{
	enum http_sent s = http_response_send(c);

	if (s != HTTP_SENT_ALL)
		return s == HTTP_SENT_SOME ? STEP_WAIT : STEP_CLOSE;
	return response_sent(c, v);
}

static enum step step_stream(struct http_conn *c, struct view *v)
{
	for (;;) {
		enum http_sent s = http_response_send(c);

		if (s != HTTP_SENT_ALL)
			return s == HTTP_SENT_SOME ? STEP_WAIT : STEP_CLOSE;
		switch (http_stream_next(c->req)) {
		case HTTP_STREAM_MORE:
			break;
		case HTTP_STREAM_IDLE:
			return c->half_closed ? STEP_CLOSE : STEP_WAIT;
		case HTTP_STREAM_END:
			return response_sent(c, v);
		}
	}
}

static enum step step_linger(struct http_conn *c)
{
	while (c->lingered < HTTP_LINGER_BYTES) {
		ssize_t k = recv(c->fd, c->loop->window, c->loop->window_bytes, 0);

		if (k < 0 && (errno == EAGAIN))
			return STEP_WAIT;
		if (k == 0 || (k < 0 && errno != EINTR))
			return STEP_CLOSE;
		c->lingered += k > 0 ? (uint32_t)k : 0;
	}
	return STEP_CLOSE;
}

static enum step step_handshake(struct http_conn *c)
{
	ssize_t k = http_tls_handshake(c);

	if (k < 0)
		return k == HTTP_IO_BLOCKED ? STEP_WAIT : STEP_CLOSE;
	c->state = HTTP_CONN_IDLE;
	c->rearm = true;
	return STEP_ON;
}

static enum step step(struct http_conn *c, struct view *v)
{
	switch ((enum http_state)c->state) {
	case HTTP_CONN_HANDSHAKE:
		return step_handshake(c);
	case HTTP_CONN_IDLE:
	case HTTP_CONN_HEAD:
		return step_head(c, v);
	case HTTP_CONN_BODY:
		return step_body(c, v);
	case HTTP_CONN_WORK:
		return STEP_WAIT;
	case HTTP_CONN_WRITE:
		return step_write(c, v);
	case HTTP_CONN_STREAM:
		return step_stream(c, v);
	case HTTP_CONN_LINGER:
		return step_linger(c);
	}
	return STEP_CLOSE;
}

/* ---- the whole ---- */

/* The deadline of the state, anew when there was progress. */
static void arm(struct http_conn *c)
{
	static const uint8_t kinds[] = {
		[HTTP_CONN_HANDSHAKE] = HTTP_WAIT_HEADER,
		[HTTP_CONN_IDLE] = HTTP_WAIT_IDLE,
		[HTTP_CONN_HEAD] = HTTP_WAIT_HEADER,
		[HTTP_CONN_BODY] = HTTP_WAIT_BODY,
		[HTTP_CONN_WORK] = HTTP_WAIT_NONE,
		[HTTP_CONN_WRITE] = HTTP_WAIT_WRITE,
		[HTTP_CONN_STREAM] = HTTP_WAIT_WRITE,
		[HTTP_CONN_LINGER] = HTTP_WAIT_LINGER,
	};
	struct http_loop *l = c->loop;
	uint8_t kind = kinds[c->state];

	if (c->state == HTTP_CONN_STREAM && http_stream_idle(c->req))
		kind = HTTP_WAIT_NONE; /* for its sender */
	if (c->wait_kind == kind && !c->rearm)
		return;
	c->rearm = false;
	c->wait_kind = kind;
	c->until_ms = l->now_us / 1000 + l->server->wait_ms[kind];
	http_link_remove(&c->wait);
	http_link_append(&l->waits[kind], &c->wait);
}

void http_conn_watch_out(struct http_conn *c)
{
	if (c->out_watched)
		return;
	c->out_watched = true;
	http_loop_watch(c->loop, c->fd, c, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, false);
}

void http_conn_run(struct http_conn *c)
{
	struct view v = { .open = false };
	unsigned share = HTTP_TURN_REQUESTS;
	enum step s = STEP_ON;

	while (s == STEP_ON || s == STEP_NEXT) {
		s = step(c, &v);
		if (s == STEP_NEXT && --share == 0)
			s = STEP_AGAIN;
	}
	if (s == STEP_CLOSE) {
		http_conn_close(c);
		return;
	}
	view_close(c, &v);
	if (s == STEP_AGAIN && http_link_empty(&c->again))
		http_link_append(&c->loop->again, &c->again);
	arm(c);
}

static size_t peer_text(char *out, size_t size, const struct sockaddr_storage *a)
{
	char host[INET6_ADDRSTRLEN];
	int n;

	if (a->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)a;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		n = snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in = (const void *)a;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);

		if (mapped)
			inet_ntop(AF_INET, in->sin6_addr.s6_addr + 12, host, sizeof(host));
		else
			inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		n = snprintf(out, size, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(in->sin6_port));
	}
	CHECK(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static struct http_conn *conn_acquire(struct http_loop *l)
{
	struct http_conn *c;

	if (http_link_empty(&l->free_conns)) {
		c = arena_alloc(l->arena, sizeof(*c));
	} else {
		c = HTTP_CONN_OF(l->free_conns.next, wait);
		http_link_remove(&c->wait);
	}
	*c = (struct http_conn){ .loop = l, .fd = -1, .state = HTTP_CONN_IDLE };
	http_link_init(&c->wait);
	http_link_init(&c->again);
	l->conns++;
	return c;
}

void http_conn_open(struct http_loop *l, int fd, const struct sockaddr_storage *peer, bool over)
{
	struct http_conn *c = conn_acquire(l);

	c->fd = fd;
	c->peer_n = (uint8_t)peer_text(c->peer, sizeof(c->peer), peer);
	c->started_us = l->now_us;
	c->rearm = true;
	c->uncounted = over;
	l->overloads += over;
	if (l->server->tls != NULL) {
		c->state = HTTP_CONN_HANDSHAKE;
		if (!http_tls_attach(c)) {
			http_conn_close(c);
			return;
		}
	}
	http_loop_watch(l, fd, c, EPOLLIN | EPOLLRDHUP | EPOLLET, true);
	if (over) {
		err_set(&l->err, ERR_OVERLOADED, "all %zu connections of this server are in use",
			l->server->connections_max);
		http_refuse(c, 0);
		http_conn_run(c);
		return;
	}
	arm(c);
}

void http_conn_close(struct http_conn *c)
{
	struct http_loop *l = c->loop;

	http_link_remove(&c->wait);
	http_link_remove(&c->again);
	if (c->req != NULL && c->state == HTTP_CONN_WORK) {
		c->req->conn = NULL; /* another thread has it */
		c->req = NULL;
	} else if (c->req != NULL) {
		part(c);
	}
	if (c->ssl != NULL)
		http_tls_detach(c);
	fd_close(&c->fd);
	buf_free(&c->in);
	l->conns--;
	if (c->uncounted)
		l->overloads--;
	else
		atomic_fetch_sub_explicit(&l->server->open, 1, memory_order_relaxed);
	http_link_append(&l->free_conns, &c->wait);
}

void http_conn_expired(struct http_conn *c)
{
	struct http_loop *l = c->loop;
	enum http_wait kind = (enum http_wait)c->wait_kind;

	if (kind != HTTP_WAIT_LINGER)
		http_count(&l->counters.timeouts, 1);
	if (c->state == HTTP_CONN_HEAD || c->state == HTTP_CONN_BODY) {
		bool head = c->state == HTTP_CONN_HEAD;

		err_set(&l->err, ERR_TIMEOUT, "the %s did not arrive within %lld ms",
			head ? "header section" : "body", (long long)l->server->wait_ms[kind]);
		if (head)
			refuse_head(c, 408, c->in.p);
		else
			http_refuse(c, 408);
		http_conn_run(c);
		return;
	}
	http_conn_close(c);
}

void http_conn_finished(struct http_request *r)
{
	struct http_conn *c = r->conn;
	bool ended = r->stream == NULL || http_stream_taken(r);

	if (c == NULL) {
		if (ended) {
			r->loop->suspended--;
			http_response_end(r);
		}
		return;
	}
	if (r->stream == NULL) {
		r->loop->suspended--;
		http_response_begin(c);
	} else if (c->state == HTTP_CONN_WORK) {
		http_response_begin_stream(c);
	}
	http_conn_run(c);
}
