/*
 * queue.c - a ring under one lock with two conditions.
 */
#include "core/queue.h"

#include "core/thread.h"

struct queue {
	struct mutex lock;
	struct cond more, room;
	void **ring;
	size_t cap, head, count;
	bool closed;
};

struct queue *queue_new(struct arena *a, size_t capacity)
{
	struct queue *q = arena_new_of(a, struct queue);

	CHECK(capacity > 0);
	mutex_init(&q->lock);
	cond_init(&q->more);
	cond_init(&q->room);
	q->ring = arena_array_of(a, void *, capacity);
	q->cap = capacity;
	return q;
}

void queue_destroy(struct queue *q)
{
	mutex_destroy(&q->lock);
	cond_destroy(&q->more);
	cond_destroy(&q->room);
}

static void put(struct queue *q, void *item)
{
	CHECK(item != NULL);
	q->ring[(q->head + q->count++) % q->cap] = item;
	cond_signal(&q->more);
}

bool queue_try_put(struct queue *q, void *item)
{
	WITH_LOCK(&q->lock);
	if (q->closed || q->count == q->cap)
		return false;
	put(q, item);
	return true;
}

bool queue_put(struct queue *q, void *item)
{
	WITH_LOCK(&q->lock);
	while (!q->closed && q->count == q->cap)
		cond_wait(&q->room, &q->lock);
	if (q->closed)
		return false;
	put(q, item);
	return true;
}

void *queue_get(struct queue *q, int64_t until_ms)
{
	WITH_LOCK(&q->lock);
	while (q->count == 0) {
		if (q->closed)
			return NULL;
		if (until_ms == INT64_MAX)
			cond_wait(&q->more, &q->lock);
		else if (!cond_wait_until(&q->more, &q->lock, until_ms) && q->count == 0)
			return NULL;
	}
	void *item = q->ring[q->head];

	q->head = (q->head + 1) % q->cap;
	q->count--;
	cond_signal(&q->room);
	return item;
}

void queue_close(struct queue *q)
{
	WITH_LOCK(&q->lock);
	q->closed = true;
	cond_broadcast(&q->more);
	cond_broadcast(&q->room);
}

size_t queue_count(struct queue *q)
{
	WITH_LOCK(&q->lock);
	return q->count;
}
