/*
 * The queue: order, the bound, closing, deadlines, and several threads on both ends.
 */
#include "test.h"

#include "core/clock.h"
#include "core/queue.h"
#include "core/thread.h"

static void test_first_in_first_out(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct queue *q = queue_new(a, 3);
	int v[10];

	for (int i = 0; i < 10; i++) { /* goes round the ring */
		assert_true(queue_try_put(q, &v[i]));
		assert_true(queue_try_put(q, &v[9 - i]));
		assert_int_equal(queue_count(q), 2);
		assert_ptr_equal(queue_get(q, INT64_MAX), &v[i]);
		assert_ptr_equal(queue_get(q, 0), &v[9 - i]); /* there: no wait, no time-out */
	}
	queue_destroy(q);
}

static void test_full_says_so(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct queue *q = queue_new(a, 2);
	int v[3];

	assert_true(queue_try_put(q, &v[0]));
	assert_true(queue_put(q, &v[1]));
	assert_false(queue_try_put(q, &v[2]));
	assert_int_equal(queue_count(q), 2);
	assert_ptr_equal(queue_get(q, 0), &v[0]);
	assert_true(queue_try_put(q, &v[2]));
	queue_destroy(q);
}

static void test_get_keeps_its_deadline(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct queue *q = queue_new(a, 1);
	int64_t until = clock_mono_ms(clock_system()) + 20;

	assert_null(queue_get(q, until));
	assert_true(clock_mono_ms(clock_system()) >= until);
	assert_null(queue_get(q, 0));
	assert_null(queue_get(q, -12345)); /* long past is past */
	assert_null(queue_get(q, INT64_MIN));
	queue_destroy(q);
}

static void test_close_drains(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct queue *q = queue_new(a, 2);
	int v[2];

	assert_true(queue_put(q, &v[0]));
	queue_close(q);
	queue_close(q);
	assert_false(queue_try_put(q, &v[1]));
	assert_false(queue_put(q, &v[1]));
	assert_ptr_equal(queue_get(q, INT64_MAX), &v[0]);
	assert_null(queue_get(q, INT64_MAX));
	queue_destroy(q);
}

static void *getter(void *arg)
{
	return queue_get(arg, INT64_MAX);
}

static void *putter(void *arg)
{
	static int item;

	return queue_put(arg, &item) ? &item : NULL;
}

static void test_close_wakes_all_who_wait(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct queue *empty = queue_new(a, 1), *full = queue_new(a, 1);
	struct thread t[6] = { 0 };
	int v;

	assert_true(queue_put(full, &v));
	for (int i = 0; i < 6; i++)
		thread_start(&t[i], "waiter", i % 2 ? getter : putter, i % 2 ? empty : full);
	queue_close(empty);
	queue_close(full);
	for (int i = 0; i < 6; i++)
		thread_join(&t[i]);
	assert_int_equal(queue_count(empty), 0);
	assert_int_equal(queue_count(full), 1);
	queue_destroy(empty);
	queue_destroy(full);
}

enum { PUTTERS = 3, GETTERS = 3, EACH = 2000 };

struct crowd {
	struct queue *q;
	int (*items)[EACH];
	int next_putter;
	uint64_t sum;
	bool disorder;
	struct mutex lock;
};

static void *put_many(void *arg)
{
	struct crowd *c = arg;
	int me;

	mutex_lock(&c->lock);
	me = c->next_putter++;
	mutex_unlock(&c->lock);
	for (int i = 0; i < EACH; i++) {
		c->items[me][i] = me * EACH + i;
		if (!queue_put(c->q, &c->items[me][i]))
			return NULL;
	}
	return NULL;
}

static void *get_many(void *arg)
{
	struct crowd *c = arg;
	int last[PUTTERS], *item;
	uint64_t sum = 0;
	bool disorder = false;

	for (int i = 0; i < PUTTERS; i++)
		last[i] = -1;
	while ((item = queue_get(c->q, INT64_MAX)) != NULL) {
		int from = *item / EACH;

		/* What one thread put, every getter sees in that order. */
		disorder = disorder || *item <= last[from];
		last[from] = *item;
		sum += (uint64_t)*item;
	}
	WITH_LOCK(&c->lock);
	c->sum += sum;
	c->disorder = c->disorder || disorder;
	return NULL;
}

static void test_crowd_loses_nothing(void **state UNUSED)
{
	static int items[PUTTERS][EACH];
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct crowd c = { .q = queue_new(a, 4), .items = items };
	struct thread put[PUTTERS] = { 0 }, get[GETTERS] = { 0 };
	uint64_t n = (uint64_t)PUTTERS * EACH;

	mutex_init(&c.lock);
	for (int i = 0; i < GETTERS; i++)
		thread_start(&get[i], "get", get_many, &c);
	for (int i = 0; i < PUTTERS; i++)
		thread_start(&put[i], "put", put_many, &c);
	for (int i = 0; i < PUTTERS; i++)
		thread_join(&put[i]);
	queue_close(c.q);
	for (int i = 0; i < GETTERS; i++)
		thread_join(&get[i]);
	assert_int_equal(c.sum, n * (n - 1) / 2);
	assert_false(c.disorder);
	mutex_destroy(&c.lock);
	queue_destroy(c.q);
}

static void put_null(void *arg)
{
	if (queue_try_put(arg, NULL))
		_exit(1);
}

static void test_misuse_aborts(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct queue *q = queue_new(a, 1);

	assert_true(test_aborts(put_null, q));
	queue_destroy(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_in_first_out),
		cmocka_unit_test(test_full_says_so),
		cmocka_unit_test(test_get_keeps_its_deadline),
		cmocka_unit_test(test_close_drains),
		cmocka_unit_test(test_close_wakes_all_who_wait),
		cmocka_unit_test(test_crowd_loses_nothing),
		cmocka_unit_test(test_misuse_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
