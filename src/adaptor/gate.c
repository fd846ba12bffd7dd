/*
 * gate.c - a count and a queue under one lock for each connection. Whoever leaves lets in as many from
 * the queue's head as fit, before anybody else can come.
 */
#include "adaptor/gate.h"

#include "core/map.h"
#include "core/thread.h"

struct gate {
	struct mutex lock;
	struct cond let_in;
	unsigned inside;
	unsigned strictest; /* the lowest level of those inside since there was nobody */
	struct gate_pass *first, *last;
	struct gate *next; /* of all */
};

struct gates {
	struct arena *arena;
	struct mutex lock;
	struct map *by_id;
	struct gate *all;
};

struct gates *gates_new(struct arena *a)
{
	struct gates *g = arena_new_of(a, struct gates);

	g->arena = arena_new("gates", 0); /* any thread adds to it, under the lock of this */
	g->by_id = map_new(g->arena);
	mutex_init(&g->lock);
	return g;
}

void gates_destroy(struct gates *g)
{
	for (struct gate *it = g->all; it != NULL; it = it->next) {
		CHECK(it->inside == 0 && it->first == NULL);
		mutex_destroy(&it->lock);
		cond_destroy(&it->let_in);
	}
	mutex_destroy(&g->lock);
	arena_free(g->arena);
}

struct gate *gate_of(struct gates *g, struct str connection_id)
{
	WITH_LOCK(&g->lock);
	struct gate *gate = map_get(g->by_id, connection_id);

	if (gate != NULL)
		return gate;
	gate = arena_new_of(g->arena, struct gate);
	mutex_init(&gate->lock);
	cond_init(&gate->let_in);
	gate->next = g->all;
	g->all = gate;
	map_put(g->by_id, str_dup(g->arena, connection_id), gate);
	return gate;
}

/* Under the lock. */
static bool let_in(struct gate *g, struct gate_pass *p)
{
	unsigned strictest = g->inside == 0 ? p->level : MIN(g->strictest, p->level);

	if (g->inside >= strictest)
		return false;
	g->strictest = strictest;
	g->inside++;
	p->state = GATE_INSIDE;
	return true;
}

bool gate_enter(struct gate *g, struct gate_pass *p)
{
	CHECK(p->state == GATE_OUTSIDE && p->level > 0);
	WITH_LOCK(&g->lock);
	if (g->first == NULL && let_in(g, p))
		return true;
	p->state = GATE_QUEUED;
	p->next = NULL;
	if (g->first == NULL)
		g->first = p;
	else
		g->last->next = p;
	g->last = p;
	return false;
}

bool gate_is_inside(struct gate *g, const struct gate_pass *p)
{
	WITH_LOCK(&g->lock);
	return p->state == GATE_INSIDE;
}

bool gate_wait(struct gate *g, const struct gate_pass *p, int64_t until_ms)
{
	WITH_LOCK(&g->lock);
	while (p->state == GATE_QUEUED)
		if (!cond_wait_until(&g->let_in, &g->lock, until_ms))
			break;
	return p->state == GATE_INSIDE;
}

/* Under the lock. */
static void let_in_queued(struct gate *g)
{
	bool any = false;

	while (g->first != NULL && let_in(g, g->first)) {
		struct gate_pass *p = g->first;

		g->first = p->next;
		any = true;
		if (p->wake != NULL)
			p->wake(p->ctx);
	}
	if (any)
		cond_broadcast(&g->let_in);
}

static void leave_queue(struct gate *g, struct gate_pass *p)
{
	struct gate_pass *before = NULL;

	for (struct gate_pass *it = g->first; it != p; it = it->next) {
		CHECK(it != NULL);
		before = it;
	}
	if (before == NULL)
		g->first = p->next;
	else
		before->next = p->next;
	if (g->last == p)
		g->last = before;
}

void gate_leave(struct gate *g, struct gate_pass *p)
{
	WITH_LOCK(&g->lock);
	if (p->state == GATE_INSIDE)
		g->inside--;
	else if (p->state == GATE_QUEUED)
		leave_queue(g, p);
	p->state = GATE_OUTSIDE;
	let_in_queued(g); /* who left the queue may have been all that others waited for */
}
