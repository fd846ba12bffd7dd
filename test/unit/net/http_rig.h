/*
 * http_rig.h - a real HTTP server on a free port of 127.0.0.1 with a handler that shows what it was
 * given, and raw clients of it. A client's reads fail the test after 20 seconds without bytes.
 */
#ifndef TEST_UNIT_NET_HTTP_RIG_H
#define TEST_UNIT_NET_HTTP_RIG_H

#include <openssl/ssl.h>

#include "core/buf.h"
#include "core/thread.h"
#include "net/http_server.h"

/*
 * Paths: /echo (the body), /info (what the exchange holds, as text), /status/NNN, /big (RIG_BIG
 * bytes), /close, /hold (suspended until rig_held() and http_exchange_finish()), /refuse (the
 * `header` callback says 403).
 */
struct rig {
	struct http_server *server;
	struct mutex lock;
	struct cond changed;
	struct http_exchange *held[64]; /* suspended, in the order they came */
	size_t held_count, held_taken;
	size_t finished;
	uint64_t last_sent; /* bytes_sent of the latest finished exchange */
	int last_status;
	size_t turns[2];
};

#define RIG_BIG ((size_t)20 << 20)

/* Starts a server; what CFG leaves open is 127.0.0.1, a free port, two loops. */
void rig_start(struct rig *r, struct http_server_config cfg);
void rig_stop(struct rig *r);
struct http_exchange *rig_held(struct rig *r); /* waits for the next suspended exchange */
void rig_wait_finished(struct rig *r, size_t count);
void rig_wait_turns(struct rig *r); /* until each loop has turned once */
/* Waits until the server has COUNT open connections. */
void rig_wait_open(struct rig *r, uint64_t count);
struct http_server_stats rig_stats(const struct rig *r);

struct client {
	int fd;
	SSL *ssl; /* NULL: plain */
	struct buf in;
	bool ended; /* the server has closed */
	bool reset; /* ... with a reset instead of an end */
};

struct client client_open(const struct rig *r);
void client_connect(int fd, const struct rig *r); /* must succeed */
bool client_try(int fd, const struct rig *r);
void client_close(struct client *c);
void client_send(struct client *c, struct str s);
bool client_readable(struct client *c, int within_ms); /* bytes or the end */
#define SEND(c, lit) client_send((c), STR(lit))

struct response {
	int status;
	struct str head; /* with the status line; valid until the next read */
	struct str body;
};

/* The next response; HEAD says that it has no body whatever its Content-Length. */
struct response client_read(struct client *c, bool head);
struct str response_header(const struct response *r, const char *name);
/* What comes up to the first TEXT and with it; valid until the next such call. */
struct str client_until(struct client *c, const char *text);
/* Reads the next response and checks it. */
void client_expect(struct client *c, int status, const char *body);
/* Nothing more comes but the end of the connection, in order. */
void client_expect_end(struct client *c);

#endif
