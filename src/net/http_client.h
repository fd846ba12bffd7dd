/*
 * http_client.h - outbound HTTP(S): many calls at once from one thread, on libcurl's multi handle.
 *
 * A pool belongs to one connection resource (never share one between connections: reuse of a
 * transport connection for other credentials is a class of bugs we exclude) and to one thread at a
 * time. It keeps transport connections open between calls. The caller fills a struct http_call,
 * submits it, and takes finished calls back in the order in which they finish.
 *
 * Rules that hold for every call: the egress guard sees each address, redirect hops included;
 * only http and https; no proxy from the environment; Authorization and Cookie never go to another
 * origin; redirects are followed for GET and HEAD only, and only within `redirects_max`; header
 * section, body (after decompression) and time are limited; CR, LF and NUL in URL, header names
 * or values are refused (ERR_INVALID) before anything is sent.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "core/buf.h"
#include "core/clock.h"
#include "net/egress.h"
#include "net/http_server.h" /* struct http_header, enum http_method */

struct http_pool;

struct http_call {
	/* In. All must stay alive until the call is finished. */
	enum http_method method;
	struct str url; /* absolute */
	/* Host, Connection, Content-Length, Accept-Encoding and the like are the client's: ERR_INVALID.
	 * White space around values is not sent. */
	const struct http_header *headers;
	size_t header_count;
	struct str body;
	int64_t timeout_ms;         /* all in all; 0: LIMIT_OUTBOUND_TIMEOUT_MS */
	int64_t connect_timeout_ms; /* 0: LIMIT_OUTBOUND_CONNECT_MS */
	size_t body_max;            /* 0: LIMIT_RESPONSE_BODY */
	unsigned redirects_max;     /* 0: none are followed */
	bool insecure_tls;          /* the connection's disableStrictSSL */
	void *user;

	/* Out. `done` is set when the call is handed back. */
	bool done;
	struct err err; /* ERR_NONE: an answer came, whatever its status */
	bool sent;      /* some of the request reached the socket: the outcome may be unknown */
	int status;
	struct buf res_headers; /* raw field lines of the final answer; the caller's, reused */
	struct buf res_body;    /* the caller's, reused; not NUL-terminated */
	char res_url[2048];     /* the URL that answered, after redirects; cut when longer */
	int64_t took_us;        /* from submit to finish */
	int64_t connect_us;     /* of that, to connect (0 when a connection was reused) */

	struct http_call_priv *priv; /* the pool's */
};

/* Prepares a call whose buffers are empty. */
void http_call_init(struct http_call *c);
/* Frees the two buffers. */
void http_call_free(struct http_call *c);
/* A field of the answer by name (case-insensitive, the last one), p NULL when absent. */
struct str http_call_header(const struct http_call *c, struct str name);

struct http_pool_config {
	const struct egress *egress; /* required */
	unsigned concurrency; /* calls in the air at once; more wait inside the pool; 0: 16 */
	const char *ca_file;  /* NULL: the system's */
};

struct http_pool *http_pool_new(const struct http_pool_config *cfg);
/* Aborts what is in the air (their calls are not handed back). */
void http_pool_free(struct http_pool *p);

void http_pool_submit(struct http_pool *p, struct http_call *c);
/*
 * Waits for the next finished call. NULL when UNTIL_MS (monotonic) has passed, when nothing is
 * submitted, or after http_pool_wake() from another thread.
 */
struct http_call *http_pool_next(struct http_pool *p, int64_t until_ms);
/* Any thread: makes a waiting http_pool_next() return. */
void http_pool_wake(struct http_pool *p);
size_t http_pool_busy(const struct http_pool *p); /* submitted and not handed back */
/* Ends every call with ERR_CANCELED; they are handed back by http_pool_next(). */
void http_pool_cancel(struct http_pool *p);
/* Submits and waits. Returns true when an answer came; else c->err says why. */
MUST_CHECK bool http_pool_run(struct http_pool *p, struct http_call *c);

/* Before threads and after them. */
void http_client_global_init(void);
void http_client_global_cleanup(void);

#endif
