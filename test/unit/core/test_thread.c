/*
 * Threads, locks and conditions: what a thread starts with, and that deadlines are kept.
 */
#include "test.h"

#include <pthread.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"

static void *mask_of_thread(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

static void test_signals_are_blocked_but_faults(void **state UNUSED)
{
	struct thread t = { 0 };
	sigset_t mask, before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	thread_start(&t, "masked", mask_of_thread, &mask);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	thread_join(&t);
	assert_int_equal(sigismember(&mask, SIGTERM), 1);
	assert_int_equal(sigismember(&mask, SIGINT), 1);
	assert_int_equal(sigismember(&mask, SIGPIPE), 1);
	assert_int_equal(sigismember(&mask, SIGSEGV), 0);
	assert_int_equal(sigismember(&mask, SIGFPE), 0);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
	assert_int_equal(sigismember(&after, SIGTERM), 0);
}

struct gate {
	struct mutex lock;
	struct cond opened;
	bool open;
	int passed;
};

static void gate_init(struct gate *g)
{
	memset(g, 0, sizeof(*g));
	mutex_init(&g->lock);
	cond_init(&g->opened);
}

static void gate_destroy(struct gate *g)
{
	mutex_destroy(&g->lock);
	cond_destroy(&g->opened);
}

static void *pass(void *arg)
{
	struct gate *g = arg;

	WITH_LOCK(&g->lock);
	while (!g->open)
		cond_wait(&g->opened, &g->lock);
	g->passed++;
	return NULL;
}

static void test_name_shows(void **state UNUSED)
{
	struct gate g;
	struct thread t = { 0 };
	char name[16];

	gate_init(&g);
	thread_start(&t, "fifteen-letters", pass, &g);
	assert_true(t.running);
	assert_int_equal(pthread_getname_np(t.id, name, sizeof(name)), 0);
	assert_string_equal(name, "fifteen-letters");
	mutex_lock(&g.lock);
	g.open = true;
	cond_signal(&g.opened);
	mutex_unlock(&g.lock);
	thread_join(&t);
	assert_false(t.running);
	thread_join(&t); /* nothing to do */
	gate_destroy(&g);
}

static void test_join_until(void **state UNUSED)
{
	struct gate g;
	struct thread t = { 0 };

	assert_true(thread_join_until(&t, 0)); /* nothing to do */
	gate_init(&g);
	thread_start(&t, "pass", pass, &g);
	int64_t until = clock_mono_ms(clock_system()) + 20;

	assert_false(thread_join_until(&t, until));
	assert_true(clock_mono_ms(clock_system()) >= until);
	assert_false(thread_join_until(&t, -1));
	assert_true(t.running);
	mutex_lock(&g.lock);
	g.open = true;
	cond_signal(&g.opened);
	mutex_unlock(&g.lock);
	assert_true(thread_join_until(&t, INT64_MAX));
	assert_false(t.running);
	assert_int_equal(g.passed, 1);
	thread_start(&t, "again", pass, &g); /* the same one may be started again */
	while (!thread_join_until(&t, clock_mono_ms(clock_system()) + 1))
		;
	assert_int_equal(g.passed, 2);
	gate_destroy(&g);
}

static void test_broadcast_lets_all_pass(void **state UNUSED)
{
	struct gate g;
	struct thread t[4] = { 0 };

	gate_init(&g);
	for (int i = 0; i < 4; i++)
		thread_start(&t[i], "pass", pass, &g);
	mutex_lock(&g.lock);
	g.open = true;
	cond_broadcast(&g.opened);
	mutex_unlock(&g.lock);
	for (int i = 0; i < 4; i++)
		thread_join(&t[i]);
	assert_int_equal(g.passed, 4);
	gate_destroy(&g);
}

static void test_wait_until(void **state UNUSED)
{
	struct gate g;
	int64_t until = clock_mono_ms(clock_system()) + 20;

	gate_init(&g);
	mutex_lock(&g.lock);
	while (cond_wait_until(&g.opened, &g.lock, until))
		; /* woken for no reason */
	assert_true(clock_mono_ms(clock_system()) >= until);
	assert_false(cond_wait_until(&g.opened, &g.lock, 0));
	assert_false(cond_wait_until(&g.opened, &g.lock, -1));
	assert_false(cond_wait_until(&g.opened, &g.lock, INT64_MIN));
	mutex_unlock(&g.lock);
	gate_destroy(&g);
}

static void test_two_locks_in_one_scope(void **state UNUSED)
{
	struct mutex a, b;

	mutex_init(&a);
	mutex_init(&b);
	{
		WITH_LOCK(&a);
		WITH_LOCK(&b);
		assert_int_not_equal(pthread_mutex_trylock(&a.m), 0);
		assert_int_not_equal(pthread_mutex_trylock(&b.m), 0);
	}
	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&a);
	mutex_unlock(&b);
	mutex_destroy(&a);
	mutex_destroy(&b);
}

static void *count_up(void *arg)
{
	struct gate *g = arg;

	for (int i = 0; i < 10000; i++) {
		WITH_LOCK(&g->lock);
		g->passed++;
	}
	return NULL;
}

static void test_lock_excludes(void **state UNUSED)
{
	struct gate g;
	struct thread t[4] = { 0 };

	gate_init(&g);
	for (int i = 0; i < 4; i++)
		thread_start(&t[i], "count", count_up, &g);
	for (int i = 0; i < 4; i++)
		thread_join(&t[i]);
	assert_int_equal(g.passed, 40000);
	gate_destroy(&g);
}

static void *nothing(void *arg)
{
	return arg;
}

static void name_too_long(void *arg)
{
	thread_start(arg, "sixteen-letters!", nothing, NULL);
}

static void test_name_too_long_aborts(void **state UNUSED)
{
	struct thread t = { 0 };

	assert_true(test_aborts(name_too_long, &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_are_blocked_but_faults),
		cmocka_unit_test(test_name_shows),
		cmocka_unit_test(test_broadcast_lets_all_pass),
		cmocka_unit_test(test_wait_until),
		cmocka_unit_test(test_join_until),
		cmocka_unit_test(test_two_locks_in_one_scope),
		cmocka_unit_test(test_lock_excludes),
		cmocka_unit_test(test_name_too_long_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
