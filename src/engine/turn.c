/*
 * turn.c - tickets, as at a counter: each takes a number and waits until it is called. Who leaves the
 * queue before hands his number in, so that it is passed over.
 */
#include "engine/turn.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/thread.h"

#define LOOK_MS  250 /* how often a waiting one looks whether it was canceled */
#define LEFT_MAX 64  /* as many as there are workers */

struct turn {
	uint64_t next, called;
	uint64_t left[LEFT_MAX]; /* numbers whose holders have gone */
	size_t left_count;
};

struct turns {
	struct arena *arena;
	struct mutex lock;
	struct cond changed;
	struct map *by_id;
};

struct turns *turns_new(struct arena *a)
{
	struct turns *t = arena_new_of(a, struct turns);

	t->arena = a;
	t->by_id = map_new(a);
	mutex_init(&t->lock);
	cond_init(&t->changed);
	return t;
}

void turns_destroy(struct turns *t)
{
	mutex_destroy(&t->lock);
	cond_destroy(&t->changed);
}

static struct turn *find(struct turns *t, struct str id)
{
	struct turn *turn = map_get(t->by_id, id);

	if (turn != NULL)
		return turn;
	turn = arena_new_of(t->arena, struct turn);
	map_put(t->by_id, str_dup(t->arena, id), turn);
	return turn;
}

/* Calls the next number whose holder is still there. */
static void call_next(struct turns *t, struct turn *turn)
{
	bool gone = true;

	turn->called++;
	while (gone) {
		gone = false;
		for (size_t i = 0; i < turn->left_count && !gone; i++) {
			if (turn->left[i] != turn->called)
				continue;
			turn->left[i] = turn->left[--turn->left_count];
			turn->called++;
			gone = true;
		}
	}
	cond_broadcast(&t->changed);
}

struct turn *turn_acquire(struct turns *t, struct str connection_id, const atomic_bool *canceled)
{
	WITH_LOCK(&t->lock);
	struct turn *turn = find(t, connection_id);
	uint64_t mine = turn->next++;

	while (turn->called != mine && !atomic_load(canceled))
		(void)cond_wait_until(&t->changed, &t->lock,
			clock_mono_ms(clock_system()) + LOOK_MS);
	if (turn->called == mine)
		return turn;
	CHECK(turn->left_count < LEFT_MAX);
	turn->left[turn->left_count++] = mine;
	return NULL;
}

void turn_release(struct turns *t, struct turn *turn)
{
	if (turn == NULL)
		return;
	WITH_LOCK(&t->lock);
	call_next(t, turn);
}
