/*
 * http_server_priv.h - what the files of the HTTP server share.
 *
 *   http_server.c    configuration, start, stop, statistics, http_exchange_finish()
 *   http_loop.c      one event loop: epoll, deadlines, finished exchanges, drain
 *   http_accept.c    listening sockets and new connections, with too many and without descriptors
 *   http_conn.c      one connection: its states, reading a request, handing it to the handler
 *   http_response.c  writing the response, refusing a request
 *   http_stream.c    responses that grow while they are sent
 *   http_io.c        sending and receiving, plain or TLS
 *   http_tls.c       the server's OpenSSL context and the handshake
 *   http_parser.c, http_chunks.c, http_class.c, http_text.c: no state of the server
 *
 * Everything in a loop belongs to the loop's thread but what is atomic.
 *
 * Memory: a connection is a struct http_conn and nothing else while it is idle. Bytes are read into
 * the loop's window; only what is left over there when the connection has to wait for more is moved
 * into the connection's own buffer. A request object, with an arena and a buffer for its body,
 * is borrowed from the loop when the header section is complete and goes back when the response is
 * sent. What a handler sees is in the request object, never in the window, so that a suspended
 * exchange can outlive both window and connection.
 */
#ifndef NET_HTTP_SERVER_PRIV_H
#define NET_HTTP_SERVER_PRIV_H

#include <stdatomic.h>

#include "core/thread.h"
#include "net/http_conn_priv.h"

#define HTTP_WINDOW_BYTES  ((size_t)65536)
#define HTTP_BODY_FIRST    ((size_t)16384)
#define HTTP_INTERIM_BYTES 25               /* of "100 Continue" */
#define HTTP_TURN_REQUESTS 32               /* of one connection, before others come */
#define HTTP_TURN_BYTES    ((size_t)262144) /* the same for bytes of a body */
#define HTTP_LINGER_MS     2000
#define HTTP_LINGER_BYTES  524288
#define HTTP_OVERLOADS_MAX 128 /* connections of a loop that wait to be told 503 */

struct http_counters { /* written by the loop, read by anyone */
	_Atomic uint64_t accepted, turned_away, requests, refused, bytes_in, bytes_out, timeouts;
};

struct http_loop {
	struct http_server *server;
	unsigned index;
	struct thread thread;
	struct arena *arena; /* of the loop's life */
	int epoll_fd, event_fd, listen_fd, spare_fd;
	int64_t now_us;
	struct http_link waits[HTTP_WAIT_KINDS];
	struct http_link again; /* connections that used up their share of a turn */
	struct http_link free_conns;
	struct http_request *free_requests;
	size_t free_request_count;
	size_t conns, overloads, suspended;
	bool draining;
	bool accept_paused;
	int64_t accept_again_ms;
	int64_t date_s;
	char date[40]; /* "Date: ...\r\n" */
	size_t date_n;
	char *window;
	size_t window_bytes;
	struct http_field *fields;
	struct err err; /* kept here since clearing one for each request would cost */
	struct http_counters counters;
	_Atomic(struct http_request *) finished;
};

struct http_server {
	struct arena *arena;
	struct http_handlers handlers;
	struct http_limits limits;
	size_t body_max, connections_max;
	int64_t wait_ms[HTTP_WAIT_KINDS];
	struct ssl_ctx_st *tls;
	struct http_loop *loops;
	unsigned loop_count, port;
	bool running;
	_Atomic size_t open;
	_Atomic bool draining;
	_Atomic int64_t drain_until_ms;
	_Atomic unsigned finishing; /* threads inside http_exchange_finish() */
};

static inline void http_count(_Atomic uint64_t *counter, uint64_t n)
{
	/* One writer: no need for a locked addition. */
	uint64_t v = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, v + n, memory_order_relaxed);
}

/* http_server.c */
void http_request_push(struct http_request *r); /* any thread: the loop looks at it */

/* http_loop.c */
void http_loop_init(struct http_loop *l, struct http_server *s, unsigned index);
MUST_CHECK bool http_loop_open(struct http_loop *l, struct err *err);
void http_loop_close(struct http_loop *l);
void *http_loop_main(void *loop);
void http_loop_wake(struct http_loop *l);
void http_loop_take_finished(struct http_loop *l); /* also by http_server_free(), alone */
void http_loop_watch(struct http_loop *l, int fd, void *what, uint32_t events, bool add);
struct http_request *http_request_acquire(struct http_loop *l);
void http_request_release(struct http_request *r);

/* http_accept.c */
MUST_CHECK bool http_listen(struct str address, unsigned *port, int *fd, struct err *err);
void http_accept(struct http_loop *l);
void http_accept_resume(struct http_loop *l);

#endif
