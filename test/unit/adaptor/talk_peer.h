/*
 * talk_peer.h - the scripted peer of a .talk file: a server on a free port of 127.0.0.1, on a
 * thread of its own. It checks what comes and answers as the file says; the first thing that is
 * wrong is kept for the player, and answered with status 599.
 */
#ifndef TEST_UNIT_ADAPTOR_TALK_PEER_H
#define TEST_UNIT_ADAPTOR_TALK_PEER_H

#include <stdatomic.h>

#include "core/clock.h"
#include "core/thread.h"
#include "talk_file.h"

#define TALK_CONNECTIONS_MAX 64

struct talk_connection {
	int fd; /* -1: free */
	struct buf in;
};

struct talk_peer {
	int listener, wake[2];
	struct str base; /* "http://127.0.0.1:port" */
	struct thread thread;
	struct talk_connection connections[TALK_CONNECTIONS_MAX];

	/* Set between plays, before talk_peer_reset(). */
	const struct talk_file *file;
	const struct clock *clock;
	bool any_order, keep_alive;
	atomic_bool *cancel;
	size_t cancel_at; /* 0: never */

	/* The lock guards what follows. */
	struct mutex lock;
	bool taken[TALK_EXCHANGES_MAX];
	size_t next;          /* exchange, in order */
	size_t requests;      /* of this play */
	int64_t last_mono_ms; /* of the answer before; -1: none in this play */
	struct arena *arena;  /* the peer's own */
	struct str wrong;     /* p NULL: nothing */
};

void talk_peer_start(struct talk_peer *p);
/* A play begins at exchange FROM. */
void talk_peer_reset(struct talk_peer *p, size_t from);
/* How many exchanges have been taken, from the file's beginning on. */
size_t talk_peer_at(struct talk_peer *p);
struct str talk_peer_wrong(struct talk_peer *p);
void talk_peer_stop(struct talk_peer *p);

#endif
