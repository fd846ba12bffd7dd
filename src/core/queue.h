/*
 * queue.h - a bounded queue of pointers between threads, first in first out.
 *
 * Any number of threads on both ends. The bound is backpressure: a full queue says so instead of
 * growing. The queue does not own what the pointers point to.
 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/arena.h"

struct queue;

struct queue *queue_new(struct arena *a, size_t capacity);
void queue_destroy(struct queue *q); /* the memory goes with the arena */

/* False when it is full or closed; does not wait. */
MUST_CHECK bool queue_try_put(struct queue *q, void *item);
/* Waits for room; false when it is closed. */
MUST_CHECK bool queue_put(struct queue *q, void *item);
/* Waits until UNTIL_MS (monotonic; INT64_MAX for ever); NULL on time-out, or closed and drained. */
void *queue_get(struct queue *q, int64_t until_ms);
/* No more puts; gets drain what is there and then return NULL. */
void queue_close(struct queue *q);
size_t queue_count(struct queue *q);

#endif
