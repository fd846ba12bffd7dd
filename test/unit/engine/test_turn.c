/*
 * test_turn.c - turns at a connection: one at a time, in the order of asking, and nobody waits for who left.
 */
#include "test.h"

#include "core/clock.h"
#include "core/thread.h"
#include "engine/turn.h"

struct user {
	struct turns *t;
	const char *connection;
	struct thread thread;
	atomic_bool canceled;
	_Atomic int *inside, *most, *order;
	int got; /* which number it was; -1: none */
};

static void *use(void *arg)
{
	struct user *u = arg;
	struct turn *turn = turn_acquire(u->t, str_z(u->connection), &u->canceled);

	u->got = -1;
	if (turn == NULL)
		return NULL;
	int now = atomic_fetch_add(u->inside, 1) + 1;

	if (now > atomic_load(u->most))
		atomic_store(u->most, now);
	u->got = atomic_fetch_add(u->order, 1);
	atomic_fetch_sub(u->inside, 1);
	turn_release(u->t, turn);
	return NULL;
}

static void one_at_a_time(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct turns *t = turns_new(a);
	_Atomic int inside = 0, most = 0, order = 0;
	struct user users[16];

	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		users[i] = (struct user){ .t = t,
			.connection = "c",
			.inside = &inside,
			.most = &most,
			.order = &order };
		thread_start(&users[i].thread, "user", use, &users[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		thread_join(&users[i].thread);
		assert_true(users[i].got >= 0);
	}
	assert_int_equal(most, 1);
	assert_int_equal(order, 16);
	turns_destroy(t);
	arena_free(a);
}

static void who_leaves_is_passed_over(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct turns *t = turns_new(a);
	atomic_bool no = false;
	_Atomic int inside = 0, most = 0, order = 0;
	struct user gone = { .t = t,
		.connection = "c",
		.inside = &inside,
		.most = &most,
		.order = &order };
	struct user last = gone;
	struct turn *mine = turn_acquire(t, STR("c"), &no);
	struct turn *other = turn_acquire(t, STR("d"), &no); /* another connection does not wait */

	assert_non_null(mine);
	assert_non_null(other);
	atomic_store(&gone.canceled, true);
	thread_start(&gone.thread, "user", use, &gone);
	thread_join(&gone.thread);
	assert_int_equal(gone.got, -1);
	thread_start(&last.thread, "user", use, &last);
	turn_release(t, mine);
	thread_join(&last.thread);
	assert_int_equal(last.got, 0);
	turn_release(t, other);
	turn_release(t, NULL);
	turns_destroy(t);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(who_leaves_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
