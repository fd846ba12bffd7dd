/*
 * http_response.c - the head of a response is built in the request's arena with its exact size
 * known; head and body then go out with one call where the socket takes them.
 */
#include "net/http_stream_priv.h"

static const struct str interim_text = STR_INIT("HTTP/1.1 100 Continue\r\n\r\n");

static char *put(char *d, struct str s)
{
	if (s.n > 0)
		memcpy(d, s.p, s.n);
	return d + s.n;
}

static char *put_u64(char *d, uint64_t v)
{
	char t[20];
	size_t i = sizeof(t);

	do {
		t[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return put(d, str_of(t + i, sizeof(t) - i));
}

static struct str connection_field(const struct http_request *r)
{
	if (!r->keep_alive)
		return STR("Connection: close\r\n");
	return r->x.minor == 0 ? STR("Connection: keep-alive\r\n") : STR("");
}

/* The field that says where the body ends. */
static char *put_length(char *d, const struct http_request *r)
{
	const struct http_exchange *x = &r->x;

	if (r->stream != NULL)
		return x->minor == 0 ? d : put(d, STR("Transfer-Encoding: chunked\r\n"));
	/* RFC 9110, 8.6: none with 204; with 304 it would be that of the body not sent. */
	if (x->status == 204 || x->status == 304)
		return d;
	d = put(d, STR("Content-Length: "));
	return put(put_u64(d, x->res_body.n), STR("\r\n"));
}

/* Status line and header section. */
static struct str head_build(struct http_loop *l, struct http_request *r)
{
	struct http_exchange *x = &r->x;
	struct str text = str_z(http_status_text(x->status));
	struct str connection = connection_field(r);
	size_t n = sizeof("HTTP/1.1 200 \r\nContent-Length: 18446744073709551615\r\n\r\n") +
		   text.n + l->date_n + connection.n;

	for (size_t i = 0; i < x->res_header_count; i++)
		n += x->res_headers[i].name.n + x->res_headers[i].value.n + 4;
	char *head = arena_alloc(x->arena, n), *d = put(head, STR("HTTP/1.1 "));

	d = put_u64(d, (uint64_t)x->status);
	*d++ = ' ';
	d = put(put(d, text), STR("\r\n"));
	d = put(put(d, str_of(l->date, l->date_n)), connection);
	d = put_length(d, r);
	for (size_t i = 0; i < x->res_header_count; i++) {
		d = put(put(d, x->res_headers[i].name), STR(": "));
		d = put(put(d, x->res_headers[i].value), STR("\r\n"));
	}
	d = put(d, STR("\r\n"));
	return str_of(head, (size_t)(d - head));
}

static struct iovec iov_of(struct str s)
{
	return (struct iovec){ (void *)(uintptr_t)s.p, s.n };
}

void http_response_begin(struct http_conn *c)
{
	struct http_request *r = c->req;
	struct http_exchange *x = &r->x;

	if (x->status == 0)
		x->status = 500;
	CHECK(x->status >= 200 && x->status <= 599);
	if (x->close || atomic_load_explicit(&c->loop->server->draining, memory_order_relaxed))
		r->keep_alive = false;
	bool bare = x->method == HTTP_HEAD || x->status == 204 || x->status == 304;

	r->out[0] = iov_of(head_build(c->loop, r));
	r->out[1] = iov_of(bare ? STR_NULL : x->res_body);
	c->state = HTTP_CONN_WRITE;
}

void http_response_begin_stream(struct http_conn *c)
{
	struct http_request *r = c->req;
	/* The server's word, not the loop's, which may not have heard of it yet. */
	bool draining = atomic_load_explicit(&c->loop->server->draining, memory_order_relaxed);

	CHECK(r->x.status >= 200 && r->x.status <= 599 && r->x.status != 204 && r->x.status != 304);
	if (r->x.close || draining || r->x.minor == 0)
		r->keep_alive = false;
	r->out[0] = iov_of(head_build(c->loop, r));
	r->out[1] = iov_of(STR_NULL);
	if (r->x.method == HTTP_HEAD || draining)
		http_stream_close(r);
	c->state = HTTP_CONN_STREAM;
}

void http_refuse(struct http_conn *c, int status)
{
	struct http_loop *l = c->loop;
	const struct http_handlers *h = &l->server->handlers;

	if (c->req == NULL) {
		c->req = http_request_acquire(l);
		http_conn_fill_request(c, c->req);
	}
	struct http_exchange *x = &c->req->x;

	x->status = status != 0 ? status : err_info(l->err.code)->status;
	x->body = NULL;
	x->body_bytes = 0;
	if (l->err.code == ERR_OVERLOADED)
		http_response_header(x, STR("Retry-After"), STR("1"));
	if (h->refused != NULL)
		h->refused(h->ctx, x, &l->err);
	x->close = true;
	l->err.code = ERR_NONE;
	http_count(&l->counters.refused, 1);
	http_response_begin(c);
}

/* Takes K bytes off the front of the two runs. */
static void consume(struct iovec *v, size_t k)
{
	for (int i = 0; i < 2; i++) {
		size_t part = MIN(k, v[i].iov_len);

		if (part > 0)
			v[i].iov_base = (char *)v[i].iov_base + part;
		v[i].iov_len -= part;
		k -= part;
	}
}

static enum http_sent not_sent(struct http_conn *c, ssize_t k)
{
	if (k != HTTP_IO_BLOCKED)
		return HTTP_SENT_BROKEN;
	http_conn_watch_out(c);
	return HTTP_SENT_SOME;
}

enum http_sent http_interim_send(struct http_conn *c)
{
	while (c->interim > 0) {
		struct iovec v = iov_of(str_from(interim_text, interim_text.n - c->interim));
		ssize_t k = http_io_send(c, &v, 1);

		if (k < 0)
			return not_sent(c, k);
		c->interim = (uint8_t)(c->interim - k);
	}
	return HTTP_SENT_ALL;
}

enum http_sent http_response_send(struct http_conn *c)
{
	struct http_request *r = c->req;
	enum http_sent s = http_interim_send(c);

	while (s == HTTP_SENT_ALL && r->out[0].iov_len + r->out[1].iov_len > 0) {
		bool head = r->out[0].iov_len > 0, body = r->out[1].iov_len > 0;
		ssize_t k = http_io_send(c, head ? r->out : r->out + 1, head && body ? 2 : 1);

		if (k < 0)
			return not_sent(c, k);
		r->sent += (size_t)k;
		c->rearm = true;
		consume(r->out, (size_t)k);
	}
	return s;
}

void http_response_end(struct http_request *r)
{
	const struct http_handlers *h = &r->loop->server->handlers;

	if (h->finished != NULL)
		h->finished(h->ctx, &r->x, r->sent);
	if (r->stream != NULL)
		http_stream_free(r);
	http_request_release(r);
}
