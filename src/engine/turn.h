/*
 * turn.h - whose turn it is at a connection: runs that use the same one send their pages one after the
 * other, so that each gets on, and a pause that the application asks of one is kept by all. How many
 * requests are in the air is bounded at the connection's gate (adaptor/gate.h).
 *
 * First come, first served. Any thread.
 */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include <stdatomic.h>

#include "core/str.h"

struct turns;
struct turn; /* at one connection */

struct turns *turns_new(struct arena *a);
void turns_destroy(struct turns *t);

/* Waits until it is the caller's turn; NULL when CANCELED is set before. */
struct turn *turn_acquire(struct turns *t, struct str connection_id, const atomic_bool *canceled);
void turn_release(struct turns *t, struct turn *turn); /* NULL is allowed */

#endif
