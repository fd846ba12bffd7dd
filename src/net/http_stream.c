/*
 * http_stream.c - responses whose end is not known when they begin.
 *
 * The sender appends to a buffer under the stream's lock and pushes the request on its loop's stack,
 * as a finished exchange is pushed; the loop takes what has gathered as one chunk (RFC 9112, 7.1)
 * and sends it before it takes more. `queued` says that the request is on that stack: it is pushed
 * at most once, and it is given back only when its owner has ended it and it is not there any more.
 */
#include "net/http_stream.h"
#include "net/http_stream_priv.h"

struct http_stream {
	struct mutex lock; /* over what follows */
	struct buf waiting;
	bool queued, ended; /* by the owner */
	bool gone;          /* nothing is sent any more */
	/* The loop's own. */
	struct buf sending;
	bool closing; /* the server ends it: behind what waits nothing follows */
	bool terminated;
};

/* ---- the owner's side: any thread ---- */

void http_exchange_stream_begin(struct http_exchange *x, size_t waiting_max)
{
	struct http_request *r = (struct http_request *)(void *)x;
	struct http_stream *s = arena_new_of(x->arena, struct http_stream);

	CHECK(waiting_max > 0 && r->stream == NULL);
	mutex_init(&s->lock);
	s->waiting = (struct buf)BUF_INIT(waiting_max);
	s->queued = true;
	r->stream = s;
	http_request_push(r);
}

/* Puts the request on the loop's stack unless it is there. Under the lock; true: push it. */
static bool to_push(struct http_stream *s)
{
	bool push = !s->queued;

	s->queued = true;
	return push;
}

enum http_streamed http_exchange_stream_send(struct http_exchange *x, struct str bytes)
{
	struct http_request *r = (struct http_request *)(void *)x;
	struct http_stream *s = r->stream;
	bool push;

	CHECK(bytes.n <= s->waiting.max);
	{
		WITH_LOCK(&s->lock);
		CHECK(!s->ended);
		if (s->gone)
			return HTTP_STREAM_GONE;
		if (bytes.n > s->waiting.max - s->waiting.n)
			return HTTP_STREAM_FULL;
		buf_add_str(&s->waiting, bytes);
		push = to_push(s);
	}
	if (push)
		http_request_push(r);
	return HTTP_STREAM_TAKEN;
}

bool http_exchange_stream_alive(struct http_exchange *x)
{
	struct http_stream *s = ((struct http_request *)(void *)x)->stream;

	WITH_LOCK(&s->lock);
	return !s->gone;
}

void http_exchange_stream_end(struct http_exchange *x)
{
	struct http_request *r = (struct http_request *)(void *)x;
	struct http_stream *s = r->stream;
	struct http_server *server = r->loop->server;

	/* From the unlocking on, the request may be gone, and the server too but for this count. */
	atomic_fetch_add(&server->finishing, 1);
	mutex_lock(&s->lock);
	CHECK(!s->ended);
	s->ended = true;
	bool push = to_push(s);

	mutex_unlock(&s->lock);
	if (push)
		http_request_push(r);
	atomic_fetch_sub(&server->finishing, 1);
}

/* ---- the loop's side ---- */

bool http_stream_taken(struct http_request *r)
{
	struct http_stream *s = r->stream;

	WITH_LOCK(&s->lock);
	s->queued = false;
	s->gone = s->gone || r->conn == NULL;
	return s->ended;
}

bool http_stream_leave(struct http_request *r)
{
	struct http_stream *s = r->stream;

	WITH_LOCK(&s->lock);
	s->gone = true;
	return s->ended && !s->queued;
}

void http_stream_close(struct http_request *r)
{
	struct http_stream *s = r->stream;

	WITH_LOCK(&s->lock);
	s->gone = s->closing = true;
}

bool http_stream_idle(const struct http_request *r)
{
	return r->out[0].iov_len + r->out[1].iov_len == 0;
}

static void frame(const struct http_request *r, struct http_stream *s)
{
	bool bare = r->x.method == HTTP_HEAD;

	if (s->waiting.n > 0 && !bare) {
		if (r->x.minor > 0)
			buf_add_fmt(&s->sending, "%zx\r\n", s->waiting.n);
		buf_add_str(&s->sending, buf_str(&s->waiting));
		if (r->x.minor > 0)
			BUF_ADD_LIT(&s->sending, "\r\n");
	}
	buf_reset(&s->waiting);
	if (s->terminated && r->x.minor > 0 && !bare)
		BUF_ADD_LIT(&s->sending, "0\r\n\r\n");
}

enum http_stream_next http_stream_next(struct http_request *r)
{
	struct http_stream *s = r->stream;

	if (s->terminated)
		return HTTP_STREAM_END;
	buf_reset(&s->sending);
	WITH_LOCK(&s->lock);
	s->terminated = s->closing || (s->ended && !s->queued);
	frame(r, s);
	r->out[1] = (struct iovec){ s->sending.p, s->sending.n };
	if (s->sending.n > 0)
		return HTTP_STREAM_MORE;
	return s->terminated ? HTTP_STREAM_END : HTTP_STREAM_IDLE;
}

void http_stream_free(struct http_request *r)
{
	struct http_stream *s = r->stream;

	mutex_destroy(&s->lock);
	buf_free(&s->waiting);
	buf_free(&s->sending);
	r->stream = NULL;
}
