/*
 * http_server.h - our HTTP/1.1 server: strict, on epoll, safe against slow clients.
 *
 * Follows RFC 9110 and RFC 9112; what those leave to the recipient's choice is refused here: both
 * Content-Length and Transfer-Encoding, differing or signed lengths, bare LF or CR, obs-fold, space
 * before the colon, NUL or control bytes, unknown transfer codings, a missing or second Host, a
 * target that is not origin-form (or "*" for OPTIONS). Such a request gets one 4xx and the
 * connection is closed.
 *
 * Threads: N event loops, each with its own epoll set and accepted connections (SO_REUSEPORT).
 * Handlers run on the loop's thread and must not block: a handler that has to wait returns
 * HTTP_SUSPENDED and another thread calls http_exchange_finish(), exactly once. A request is handed
 * to the handler when its body is complete. Pipelined requests of a connection are handled one
 * after the other.
 *
 * Ownership: the exchange and all it points to belong to the server, live until the response has
 * been sent (or the connection is lost and, when suspended, finished). Allocate the response in
 * x->arena. Memory: an idle connection costs under 1 KB plus the kernel's; buffers are borrowed
 * from the loop and given back when empty.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdatomic.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/str.h"

#define HTTP_LOOPS_MAX 64 /* event loops of one server */

struct http_header {
	struct str name;  /* as sent */
	struct str value; /* without white space at its ends */
};

enum http_method { /* those the product uses; any other token is HTTP_OTHER */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER,
};

enum http_method http_method_of(struct str token);
const char *http_method_name(enum http_method m);
const char *http_status_text(int status); /* "OK"; "" when unknown */

struct http_exchange {
	struct arena *arena; /* of this request */

	/* The request; read only for the handler, but for the body's bytes. */
	enum http_method method;
	struct str method_text;
	struct str target; /* origin-form as sent: path and query */
	struct str path;   /* before '?', still percent-encoded */
	struct str query;  /* behind '?'; p is NULL when there is no '?' */
	unsigned minor;    /* HTTP/1.minor */
	const struct http_header *headers;
	size_t header_count;
	char *body; /* may be changed in place (JSON is unescaped there); NULL when empty */
	size_t body_bytes;
	struct str peer;    /* "192.0.2.1:4711", "[2001:db8::1]:4711" */
	int64_t started_us; /* CLOCK_MONOTONIC, when its first byte was read */
	unsigned loop;      /* the event loop it is on: from 0, below HTTP_LOOPS_MAX */

	/* The response; the handler fills it. Content-Length, Date, Connection are the server's. */
	int status; /* 0 becomes 500 */
	struct http_header *res_headers;
	size_t res_header_count, res_header_cap;
	struct str res_body; /* in x->arena, static, or kept alive by whoever set it */
	bool close;          /* close the connection behind this response */
	atomic_bool left;    /* by the client, since the handler was called; any thread may look */
	void *user;          /* the handler's own */
};

/* The first field of this name (case-insensitive), or p == NULL. */
struct str http_request_header(const struct http_exchange *x, struct str name);
/*
 * The decoded value of a query parameter ('+' and %XX, application/x-www-form-urlencoded) in the
 * arena; p == NULL when it is not there. Malformed escapes stay as they are.
 */
struct str http_request_query(const struct http_exchange *x, struct str name);
/* Walks all parameters: *AT starts at 0; false at the end. */
bool http_request_query_next(const struct http_exchange *x, size_t *at, struct str *name,
	struct str *value);

/* Adds a response field. CR, LF or NUL in it is a programming error. Slices are kept, not copied. */
void http_response_header(struct http_exchange *x, struct str name, struct str value);

enum http_verdict { HTTP_DONE, HTTP_SUSPENDED };

/* Any thread, once, for an exchange whose handler returned HTTP_SUSPENDED; or stream it: http_stream.h. */
void http_exchange_finish(struct http_exchange *x);

struct http_handlers {
	/* A complete request. */
	enum http_verdict (*request)(void *ctx, struct http_exchange *x);
	/* A request that was refused before the handler (syntax, limits, deadlines): fill the body from
	 * ERR; the status is set already. Fields of the request may be empty. NULL: an empty body. */
	void (*refused)(void *ctx, struct http_exchange *x, const struct err *err);
	/* The end of each exchange that began, for logs and metrics: its response is in the socket's
	 * buffer, or the connection was lost (status 0: no handler was asked). May be NULL. */
	void (*finished)(void *ctx, struct http_exchange *x, uint64_t bytes_sent);
	/* Once a turn of each loop, before it waits: for flushing what was gathered. May be NULL. */
	void (*turn)(void *ctx, unsigned loop);
	/* May this body come? Called when the header section is complete and before any body is read or
	 * 100 Continue sent; x->body_bytes is its Content-Length, 0 when it is chunked. Return false with
	 * status and body filled to refuse; that ends the connection. May be NULL. */
	bool (*header)(void *ctx, struct http_exchange *x);
	void *ctx;
};

struct http_server_config {
	struct str listen; /* "127.0.0.1:8080", "[::1]:8080", ":8080" (all); port 0: any */
	unsigned loops;    /* 0: one per core */
	const char *tls_cert_file, *tls_key_file; /* PEM: chain and key; NULL: plain HTTP */
	size_t request_line_max;                  /* 0: the LIMIT_ of core/limits.h, and so on */
	size_t headers_max, header_count_max, body_max;
	size_t connections_max; /* all loops; 0: 65536 or what RLIMIT_NOFILE leaves. Over it: 503 */
	int64_t header_timeout_ms; /* first byte to end of header section; 0: 10 s */
	int64_t body_timeout_ms;   /* the whole body; 0: 60 s */
	int64_t idle_timeout_ms;   /* between requests, and for the first byte; 0: 75 s */
	int64_t write_timeout_ms;  /* no progress in sending a response; 0: 30 s */
	struct http_handlers handlers;
};

struct http_server;

/* ERR_CONFIG, ERR_IO, ERR_TLS. *OUT is set before the first handler is called. */
MUST_CHECK bool http_server_start(const struct http_server_config *cfg, struct http_server **out,
	struct err *err);
unsigned http_server_port(const struct http_server *s);
unsigned http_server_loops(const struct http_server *s);

struct http_server_stats {
	uint64_t connections_open, connections_accepted, connections_refused, requests, refused;
	uint64_t bytes_in, bytes_out, timeouts;
};
void http_server_stats(const struct http_server *s, struct http_server_stats *out);
/*
 * Graceful drain: stops accepting, closes idle connections, lets requests in work finish (their
 * responses say "Connection: close"), and after WITHIN_MS cuts what is left. Blocks; then the loops
 * have ended. A suspended exchange must still be finished before http_server_free().
 */
void http_server_drain(struct http_server *s, int64_t within_ms);
void http_server_free(struct http_server *s); /* drains with 0 ms if that was not done */

#endif
