/*
 * http_io.c - recv and sendmsg without blocking. The sockets are watched edge-triggered: a read
 * that brings less than was asked for has emptied the socket, so that the steady state of a
 * connection is one recv and one sendmsg for each request.
 */
#include <errno.h>
#include <sys/socket.h>

#include "net/http_server_priv.h"

static ssize_t plain_recv(struct http_conn *c, void *p, size_t n)
{
	for (;;) {
		ssize_t k = recv(c->fd, p, n, 0);

		if (k > 0) {
			/* The end of the peer's side has no edge of its own behind these bytes. */
			if ((size_t)k < n && !c->half_closed)
				c->readable = false;
			return k;
		}
		if (k == 0)
			return 0;
		if (errno == EAGAIN) {
			c->readable = false;
			return HTTP_IO_BLOCKED;
		}
		if (errno != EINTR)
			return HTTP_IO_BROKEN;
	}
}

static ssize_t plain_send(struct http_conn *c, const struct iovec *v, int count)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count };

	for (;;) {
		ssize_t k = sendmsg(c->fd, &m, MSG_NOSIGNAL);

		if (k >= 0)
			return k;
		if (errno == EAGAIN)
			return HTTP_IO_BLOCKED;
		if (errno != EINTR)
			return HTTP_IO_BROKEN;
	}
}

ssize_t http_io_recv(struct http_conn *c, void *p, size_t n)
{
	ssize_t k = c->ssl == NULL ? plain_recv(c, p, n) : http_tls_recv(c, p, n);

	if (k > 0)
		http_count(&c->loop->counters.bytes_in, (uint64_t)k);
	return k;
}

ssize_t http_io_send(struct http_conn *c, const struct iovec *v, int count)
{
	ssize_t k = c->ssl == NULL ? plain_send(c, v, count) : http_tls_send(c, v, count);

	if (k > 0)
		http_count(&c->loop->counters.bytes_out, (uint64_t)k);
	return k;
}
