/*
 * http_conn_priv.h - a connection of the HTTP server, the request it is at, and what is done with
 * them. All of it belongs to the thread of the connection's loop.
 */
#ifndef NET_HTTP_CONN_PRIV_H
#define NET_HTTP_CONN_PRIV_H

#include <sys/types.h>
#include <sys/uio.h>

#include "core/buf.h"
#include "net/http_parser.h"

struct http_stream;
struct ssl_st;
struct ssl_ctx_st;
struct sockaddr_storage;

/* Deadlines have a constant duration for each kind, so that a list in order of arming is a queue. */
enum http_wait {
	HTTP_WAIT_NONE, /* for a handler */
	HTTP_WAIT_IDLE,
	HTTP_WAIT_HEADER,
	HTTP_WAIT_BODY,
	HTTP_WAIT_WRITE,
	HTTP_WAIT_LINGER,
	HTTP_WAIT_KINDS
};

enum http_state {
	HTTP_CONN_HANDSHAKE,
	HTTP_CONN_IDLE,   /* no byte of a request yet */
	HTTP_CONN_HEAD,   /* some bytes of a header section */
	HTTP_CONN_BODY,   /* the header section is complete */
	HTTP_CONN_WORK,   /* suspended */
	HTTP_CONN_WRITE,  /* sending a response */
	HTTP_CONN_STREAM, /* sending one that has no end yet, or waiting for more of it */
	HTTP_CONN_LINGER, /* response sent and our side closed: discard what still comes */
};

struct http_link { /* of a ring with a head */
	struct http_link *next, *prev;
};

static inline void http_link_init(struct http_link *l)
{
	l->next = l->prev = l;
}
static inline bool http_link_empty(const struct http_link *l)
{
	return l->next == l;
}
static inline void http_link_remove(struct http_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	http_link_init(l);
}
static inline void http_link_append(struct http_link *list, struct http_link *l)
{
	l->prev = list->prev;
	l->next = list;
	list->prev->next = l;
	list->prev = l;
}
struct http_conn {
	struct http_link wait;  /* in loop->waits[wait_kind] */
	struct http_link again; /* in loop->again, or alone */
	int64_t until_ms;
	struct http_loop *loop;
	struct http_request *req; /* from the complete header section to the end of the response */
	struct ssl_st *ssl;
	int fd;
	uint8_t state, wait_kind;
	bool readable;    /* the socket may hold bytes */
	bool out_watched; /* EPOLLOUT is in the epoll set */
	bool half_closed; /* the peer has ended its side */
	bool rearm;       /* progress was made: the deadline begins anew */
	bool uncounted;   /* beyond connections_max, only here to be told so */
	uint8_t interim;  /* bytes of "100 Continue" still to send */
	uint8_t peer_n;
	char peer[54];
	uint32_t lingered; /* bytes discarded */
	int64_t started_us;
	struct buf in; /* bytes read and not parsed, when they have to wait */
	struct http_head head;
};

struct http_request {
	struct http_exchange x; /* first: an exchange is its request */
	struct http_loop *loop;
	struct http_conn *conn;    /* NULL: lost while the request was suspended */
	struct http_request *next; /* in the pool, or in the loop's list of finished ones */
	struct arena_mark mark;    /* the arena behind this object */
	struct http_chunks chunks;
	uint64_t body_left; /* of a body with Content-Length */
	struct buf body;
	struct iovec out[2]; /* of the response: what is still to send */
	uint64_t sent;
	bool chunked, keep_alive;
	struct http_stream *stream; /* NULL: a response that is whole */
};

#define HTTP_CONN_OF(link, member) \
	((struct http_conn *)(void *)((char *)(link)-offsetof(struct http_conn, member)))

/* http_conn.c */
void http_conn_open(struct http_loop *l, int fd, const struct sockaddr_storage *peer, bool over);
void http_conn_run(struct http_conn *c); /* may free it */
void http_conn_close(struct http_conn *c);
void http_conn_expired(struct http_conn *c);
void http_conn_watch_out(struct http_conn *c); /* be told when there is room to send */
void http_conn_finished(struct http_request *r);
/* Puts in what every request has, even one that could not be parsed. */
void http_conn_fill_request(struct http_conn *c, struct http_request *r);

/* http_response.c */
void http_response_begin(struct http_conn *c); /* of c->req, whose exchange is filled */
/* Answers c->req, or a new request that has no fields, with loop->err. STATUS 0: the error's. */
void http_refuse(struct http_conn *c, int status);
enum http_sent { HTTP_SENT_ALL, HTTP_SENT_SOME, HTTP_SENT_BROKEN };
enum http_sent http_response_send(struct http_conn *c);
enum http_sent http_interim_send(struct http_conn *c);
/* All is sent, or lost: tells the handler and gives the request back. */
void http_response_end(struct http_request *r);
void http_response_begin_stream(struct http_conn *c); /* of c->req, which has a stream */

/* http_io.c */
enum { HTTP_IO_BLOCKED = -1, HTTP_IO_BROKEN = -2 };
ssize_t http_io_recv(struct http_conn *c, void *p, size_t n); /* 0: end */
ssize_t http_io_send(struct http_conn *c, const struct iovec *v, int count);

/* http_tls.c */
MUST_CHECK bool http_tls_open(const char *cert, const char *key, struct ssl_ctx_st **out,
	struct err *err);
void http_tls_close(struct ssl_ctx_st *tls);
bool http_tls_attach(struct http_conn *c);
void http_tls_detach(struct http_conn *c);
ssize_t http_tls_handshake(struct http_conn *c); /* 1 done, or HTTP_IO_ */
void http_tls_end(struct http_conn *c);          /* sends close_notify */
ssize_t http_tls_recv(struct http_conn *c, void *p, size_t n);
ssize_t http_tls_send(struct http_conn *c, const struct iovec *v, int count);

#endif
