/*
 * http_peer.h - a scripted server on a free port of 127.0.0.1: the n-th request it gets, on whatever
 * connection, is answered with the n-th step of its script, byte for byte.
 *
 * One thread serves all connections. A request is complete with its header section and the body
 * that Content-Length announces. Requests beyond the script get the last step again.
 */
#ifndef TEST_UNIT_NET_HTTP_PEER_H
#define TEST_UNIT_NET_HTTP_PEER_H

#include "core/buf.h"
#include "core/thread.h"

enum peer_after {
	PEER_KEEP,  /* open: the client may send again, or waits in vain for the rest */
	PEER_CLOSE, /* in order */
	PEER_RESET,
	PEER_RESET_AT_ONCE, /* when connected, without waiting for a request */
};

struct peer_step {
	struct str answer;
	enum peer_after after;
};

#define PEER_REQUESTS_MAX    64
#define PEER_CONNECTIONS_MAX 32

struct peer {
	const struct peer_step *steps;
	size_t step_count;
	struct thread thread;
	int listen_fd, stop_fd;
	unsigned port;
	struct mutex lock;
	struct cond changed;
	struct buf requests[PEER_REQUESTS_MAX]; /* as they came */
	size_t request_count, accepted;
};

void peer_start(struct peer *p, const struct peer_step *steps, size_t count);
void peer_stop(struct peer *p);
void peer_wait(struct peer *p, size_t requests); /* until so many have come; fails after 20 s */
/* The n-th request's text; "" when it has not come. */
struct str peer_request(struct peer *p, size_t n);
size_t peer_requests(struct peer *p);
size_t peer_accepted(struct peer *p);

#endif
