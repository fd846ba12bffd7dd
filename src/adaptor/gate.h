/*
 * gate.h - how many requests are in the air to one connection's application, over everything that uses
 * it: runs, their exports beside their imports, and calls.
 *
 * A request enters before it is sent and leaves when its answer is there. Where concurrencyLevel requests
 * are inside already it queues: first come, first in. Who is inside never waits at a gate, so gates
 * can't lock each other; a request's own deadline bounds how long it stays.
 *
 * Two documents of one connection may say different levels, such as the one that a run began with and
 * the one stored now: nobody is let in beside more than the strictest of them allows.
 *
 * Any thread. A pass is its request's, one thread's at a time; it must have left before it ends.
 */
#ifndef ADAPTOR_GATE_H
#define ADAPTOR_GATE_H

#include "core/str.h"

struct gates;
struct gate; /* of one connection; lives as long as the gates */

struct gates *gates_new(struct arena *a);
void gates_destroy(struct gates *g);
struct gate *gate_of(struct gates *g, struct str connection_id);

enum gate_state { GATE_OUTSIDE, GATE_QUEUED, GATE_INSIDE };

struct gate_pass {
	unsigned level; /* of the request's own document; at least 1 */
	/* Called when the pass is let in from the queue, under the gate's lock, on the thread of who made
	 * room: must be quick and not use the gate. NULL: somebody waits in gate_wait(). */
	void (*wake)(void *ctx);
	void *ctx;

	enum gate_state state; /* the gate's, as the two below */
	struct gate_pass *next;
};

/* True: inside. False: queued. */
MUST_CHECK bool gate_enter(struct gate *g, struct gate_pass *p);
bool gate_is_inside(struct gate *g, const struct gate_pass *p);
/* Waits until the queued pass is inside, at most until UNTIL_MS (monotonic). Is it? */
MUST_CHECK bool gate_wait(struct gate *g, const struct gate_pass *p, int64_t until_ms);
/* Out of the gate, or out of its queue; nothing when outside. */
void gate_leave(struct gate *g, struct gate_pass *p);

#endif
