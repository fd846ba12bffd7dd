/*
 * test_writer.c - group commit: one sync for all that waits, each unit undone alone, in order, told
 * only when it is on disk; and a close that leaves nobody behind.
 */
#include "store_test.h"

#include <sqlite3.h>

#include "store/sqlite_vfs.h"

#define CALLERS_MAX (WRITER_QUEUE_MAX + 50)

/* Holds the writer inside a unit until the test lets it go. */
struct gate {
	struct fix *f;
	_Atomic bool entered, open;
};

static bool pass_gate(struct store_conn *c UNUSED, void *arg, struct err *err UNUSED)
{
	struct gate *g = arg;

	g->entered = true;
	wait_until(g->open);
	return true;
}

static void *gate_main(void *arg)
{
	struct gate *g = arg;
	struct err err = ERR_INIT;

	return store_write(g->f->s, pass_gate, g, &err) ? arg : NULL;
}

struct caller {
	struct fix *f;
	store_fn fn;
	struct store_resource r;
	struct thread thread;
	struct err err;
	bool ok;
	_Atomic bool returned;
	unsigned n;
};

static void *caller_main(void *arg)
{
	struct caller *k = arg;

	k->ok = store_write(k->f->s, k->fn, k, &k->err);
	k->returned = true;
	return NULL;
}

static bool add_own(struct store_conn *c, void *arg, struct err *err)
{
	struct caller *k = arg;

	return store_resource_add(c, &k->r, NULL, 0, err);
}

static struct caller callers[CALLERS_MAX];

static size_t callers_inside(struct store *s)
{
	WITH_LOCK(&s->writer.lock);
	return s->writer.callers;
}

/* Puts N units into the queue, one behind the other; the writer must be held by one more. Those for
 * whom there is no room wait in store_write(). */
static void queue_up(struct fix *f, unsigned n, store_fn fn)
{
	for (unsigned i = 0; i < n; i++) {
		struct caller *k = &callers[i];

		*k = (struct caller){ .f = f, .fn = fn, .n = i, .r = resource_of(f->a, i + 1) };
		thread_start(&k->thread, "caller", caller_main, k);
		wait_until(callers_inside(f->s) == i + 2);
	}
}

static void gate_close(struct gate *g, struct thread *t, struct fix *f)
{
	*g = (struct gate){ .f = f };
	thread_start(t, "gate", gate_main, g);
	wait_until(g->entered);
}

static void let_go(struct gate *g, struct thread *t, unsigned n)
{
	g->open = true;
	thread_join(t);
	for (unsigned i = 0; i < n; i++)
		thread_join(&callers[i].thread);
}

static void one_sync_for_a_group(void **state)
{
	struct fix *f = *state;
	struct gate g;
	struct thread t = { 0 };
	struct store_stats before, after;

	gate_close(&g, &t, f);
	queue_up(f, 100, add_own);
	store_stats(f->s, &before);
	fault_arm(FAULT_SYNC, FAULT_OFF, 0); /* counts */
	let_go(&g, &t, 100);
	store_stats(f->s, &after);
	assert_int_equal(after.commits - before.commits, 2); /* the gate's, and the group's */
	assert_int_equal(fault_count(FAULT_SYNC), 1);        /* the gate wrote nothing */
	assert_int_equal(after.group_max, 100);
	assert_int_equal(after.writes - before.writes, 100);
	assert_int_equal(after.failed_writes, 0);
	assert_int_equal(after.queue_depth, 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(callers[i].ok);
		assert_true(has_resource(f->s, callers[i].r.id));
	}
}

static void a_group_has_a_limit(void **state)
{
	struct fix *f = *state;
	struct gate g;
	struct thread t = { 0 };
	struct store_stats before, after;

	gate_close(&g, &t, f);
	queue_up(f, 300, add_own);
	store_stats(f->s, &before);
	let_go(&g, &t, 300);
	store_stats(f->s, &after);
	assert_int_equal(after.commits - before.commits, 3);
	assert_int_equal(after.group_max, WRITER_GROUP_MAX);
	for (unsigned i = 0; i < 300; i++)
		assert_true(callers[i].ok);
}

static bool add_then_maybe_fail(struct store_conn *c, void *arg, struct err *err)
{
	struct caller *k = arg;

	if (!store_resource_add(c, &k->r, NULL, 0, err))
		return false;
	return k->n % 3 != 1 || err_set(err, ERR_INVALID, "number %u wants out", k->n);
}

static void a_failed_unit_is_undone_alone(void **state)
{
	struct fix *f = *state;
	struct gate g;
	struct thread t = { 0 };
	struct store_stats st;

	gate_close(&g, &t, f);
	queue_up(f, 30, add_then_maybe_fail);
	let_go(&g, &t, 30);
	for (unsigned i = 0; i < 30; i++) {
		struct caller *k = &callers[i];

		assert_int_equal(k->ok, i % 3 != 1);
		assert_int_equal(has_resource(f->s, k->r.id), i % 3 != 1);
		assert_int_equal(k->err.code, i % 3 != 1 ? ERR_NONE : ERR_INVALID);
		if (i % 3 == 1)
			assert_str(str_z(k->err.message),
				str_fmt(f->a, "number %u wants out", i).p);
	}
	store_stats(f->s, &st);
	assert_int_equal(st.group_max, 30);
	assert_int_equal(st.failed_writes, 10);
	assert_true(store_healthy(f->s, NULL));
}

static unsigned next_in_order;

/* The rows of all units before it are there, its own is not yet. */
static bool check_order(struct store_conn *c, void *arg, struct err *err)
{
	struct caller *k = arg;

	if (k->n != next_in_order++)
		return err_set(err, ERR_INTERNAL, "unit %u is out of order", k->n);
	for (unsigned i = 0; i <= k->n; i++)
		if (store_resource_exists(c, ACCOUNT, k->r.type, callers[i].r.id) != (i < k->n))
			return err_set(err, ERR_INTERNAL, "unit %u sees wrong rows", k->n);
	return add_own(c, arg, err);
}

static void units_run_in_order_and_see_earlier_ones(void **state)
{
	struct fix *f = *state;
	struct gate g;
	struct thread t = { 0 };

	next_in_order = 0;
	gate_close(&g, &t, f);
	queue_up(f, 40, check_order);
	let_go(&g, &t, 40);
	for (unsigned i = 0; i < 40; i++)
		if (!callers[i].ok)
			fail_msg("%s", callers[i].err.message);
}

/* The last of its group: the others have run, but are neither told nor to be seen. */
static bool check_untold(struct store_conn *c, void *arg, struct err *err)
{
	struct caller *k = arg;

	if (k->n != 9)
		return add_own(c, arg, err);
	for (unsigned i = 0; i < 9; i++)
		if (callers[i].returned || has_resource(k->f->s, callers[i].r.id))
			return err_set(err, ERR_INTERNAL, "unit %u was told too early", i);
	return add_own(c, arg, err);
}

static void callers_are_told_after_the_commit(void **state)
{
	struct fix *f = *state;
	struct gate g;
	struct thread t = { 0 };

	gate_close(&g, &t, f);
	queue_up(f, 10, check_untold);
	let_go(&g, &t, 10);
	for (unsigned i = 0; i < 10; i++) {
		if (!callers[i].ok)
			fail_msg("%s", callers[i].err.message);
		assert_true(has_resource(f->s, callers[i].r.id));
	}
}

static void nobody_is_told_yes_when_the_sync_fails(void **state)
{
	struct fix *f = *state;
	struct gate g;
	struct thread t = { 0 };
	struct err err;

	gate_close(&g, &t, f);
	queue_up(f, 20, add_own);
	fault_arm(FAULT_SYNC, FAULT_ONCE, 1);
	let_go(&g, &t, 20);
	for (unsigned i = 0; i < 20; i++) {
		assert_false(callers[i].ok);
		assert_int_equal(callers[i].err.code, ERR_STORE);
	}
	assert_fails(store_healthy(f->s, &err), ERR_STORE, "takes no writes");
	/* once was enough */
	assert_fails(store_write(f->s, add_own, &callers[0], &err), ERR_STORE, "takes no writes");
	WITH_READER (f, c) {
		struct store_account got;

		assert_ok(store_account_get(c, f->a, STR("one"), &got, &err));
	}
}

struct conflict {
	struct store_account a;
	bool go_on; /* as if nothing had happened */
};

static bool add_account_twice(struct store_conn *c, void *arg, struct err *err)
{
	const struct conflict *k = arg;
	struct store_account other = k->a;

	other.id = STR("dddddddddddddddddddddddd");
	return store_account_add(c, &k->a, err) && store_account_add(c, &other, err);
}

/* A conflict of a statement is an answer, not a broken store. */
static void a_conflict_leaves_the_store_whole(void **state)
{
	struct fix *f = *state;
	struct conflict k = { .a = { .id = STR("cccccccccccccccccccccccc"),
				      .name = STR("three") } };
	struct store_account got;
	struct err err;

	assert_fails(store_write(f->s, add_account_twice, &k, &err), ERR_CONFLICT, "three");
	assert_true(store_healthy(f->s, &err));
	WITH_READER (f, c)
		assert_fails(store_account_get(c, f->a, STR("three"), &got, &err), ERR_NOT_FOUND,
			"three");
}

/* Full disk in its first statement, which may cost the whole transaction: the rest of a unit that
 * does not look must not go to disk alone. */
static bool go_on_after_failure(struct store_conn *c, void *arg, struct err *err UNUSED)
{
	struct fix *f = arg;
	struct store_resource a = resource_of(f->a, 1), b = resource_of(f->a, 2);
	char *big = arena_alloc(f->a, 8 << 20);
	struct err ignored = ERR_INIT;

	memset(big, 'x', 8 << 20); /* more than the cache: written before the commit */
	a.document = str_of(big, 8 << 20);
	fault_arm(FAULT_WRITE_IO, FAULT_ONCE, 1);
	if (store_resource_add(c, &a, NULL, 0, &ignored))
		return err_set(err, ERR_INTERNAL, "nothing failed");
	return store_resource_add(c, &b, NULL, 0, NULL);
}

static void a_unit_that_goes_on_stores_nothing(void **state)
{
	struct fix *f = *state;
	struct err err;

	assert_fails(store_write(f->s, go_on_after_failure, f, &err), ERR_STORE, "");
	assert_false(has_resource(f->s, id_of(f->a, 1)));
	assert_false(has_resource(f->s, id_of(f->a, 2)));
	fault_reset();
	fix_reopen(f);
	assert_false(has_resource(f->s, id_of(f->a, 2)));
}

static bool is_stopping(struct store *s)
{
	WITH_LOCK(&s->writer.lock);
	return s->writer.stopping;
}

static bool wait_for_stop(struct store_conn *c UNUSED, void *arg, struct err *err UNUSED)
{
	struct gate *g = arg;

	g->entered = true;
	wait_until(is_stopping(g->f->s));
	return true;
}

static void *stop_gate_main(void *arg)
{
	struct gate *g = arg;

	return store_write(g->f->s, wait_for_stop, g, NULL) ? arg : NULL;
}

/* store_close() comes while the writer is at work, its queue is full and fifty more wait for room:
 * all are served, and all have left before the store is gone. */
static void closing_serves_those_who_wait(void **state)
{
	struct fix *f = *state;
	struct gate g = { .f = f };
	struct thread t = { 0 };

	thread_start(&t, "gate", stop_gate_main, &g);
	wait_until(g.entered);
	queue_up(f, CALLERS_MAX, add_own);
	assert_int_equal(queue_depth(f->s), WRITER_QUEUE_MAX);
	fix_close(f);
	thread_join(&t);
	fix_open(f);
	for (unsigned i = 0; i < CALLERS_MAX; i++) {
		thread_join(&callers[i].thread);
		assert_true(callers[i].ok);
		assert_true(has_resource(f->s, callers[i].r.id));
	}
}

#define MOMENT_MS 500 /* half of what the writer waits for */

/* A reader may hold the right to write for a moment (sqlite.c says why); here another connection
 * does, and gives it back while the writer asks for it. */
static void the_writer_waits_for_its_turn(void **state)
{
	struct fix *f = *state;
	unsigned moments = 0;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(str_fmt(f->a, "%s/integrator.db", f->dir).p, &db,
				 SQLITE_OPEN_READWRITE, SQLITE_VFS_NAME),
		SQLITE_OK);
	assert_int_equal(sqlite3_wal_autocheckpoint(db, 0), SQLITE_OK);
	for (unsigned i = 0; i < 200; i++) {
		struct caller *k = &callers[0];
		int64_t began = clock_mono_ms(clock_system());

		*k = (struct caller){ .f = f, .fn = add_own, .r = resource_of(f->a, i) };
		assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
		fault_arm(FAULT_CALL, FAULT_OFF, 0); /* counts */
		thread_start(&k->thread, "caller", caller_main, k);
		wait_until(fault_count(FAULT_CALL) > 0); /* it is about to begin */
		sched_yield();
		assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
		bool moment = clock_mono_ms(clock_system()) - began < MOMENT_MS;

		thread_join(&k->thread);
		fault_reset();
		if (moment && !k->ok)
			fail_msg("%s", k->err.message);
		moments += moment;
	}
	assert_true(moments > 0);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

struct many {
	struct fix *f;
	struct thread thread;
	unsigned base, done;
};

static void *many_main(void *arg)
{
	struct many *m = arg;
	struct arena *a DEFER(arena_freep) = arena_new("many", 0);

	for (unsigned i = 0; i < 200; i++) {
		struct store_resource r = resource_of(a, m->base + i);
		struct err err = ERR_INIT;

		/* who was told yes sees it at once */
		m->done += store_write(m->f->s, add_resource, &r, &err) &&
			   has_resource(m->f->s, r.id);
	}
	return NULL;
}

static void many_threads(void **state)
{
	struct fix *f = *state;
	struct many many[16];
	struct store_stats st;

	for (unsigned i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = (struct many){ .f = f, .base = (i + 1) * 1000 };
		thread_start(&many[i].thread, "many", many_main, &many[i]);
	}
	for (unsigned i = 0; i < ARRAY_LEN(many); i++) {
		thread_join(&many[i].thread);
		assert_int_equal(many[i].done, 200);
	}
	store_stats(f->s, &st);
	assert_int_equal(st.writes, 1 + 16 * 200);
	assert_true(st.commits <= st.writes);
	assert_true(st.log_bytes > 0 && st.database_bytes > 0);
}

static bool write_inside(struct store_conn *c UNUSED, void *arg, struct err *err)
{
	return store_write(arg, add_accounts, NULL, err);
}

static void write_from_the_writer(void *arg)
{
	/* in a child the writer's thread is gone: pretend to be it */
	struct store *s = arg;

	s->writer.thread.id = pthread_self();
	if (!write_inside(NULL, s, NULL))
		_exit(0);
}

static void a_unit_may_not_write_through_the_queue(void **state)
{
	struct fix *f = *state;

	assert_true(test_aborts(write_from_the_writer, f->s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_sync_for_a_group),
		TEST(a_group_has_a_limit),
		TEST(a_failed_unit_is_undone_alone),
		TEST(units_run_in_order_and_see_earlier_ones),
		TEST(callers_are_told_after_the_commit),
		TEST(nobody_is_told_yes_when_the_sync_fails),
		TEST(a_conflict_leaves_the_store_whole),
		TEST(a_unit_that_goes_on_stores_nothing),
		TEST(closing_serves_those_who_wait),
		TEST(the_writer_waits_for_its_turn),
		TEST(many_threads),
		TEST(a_unit_may_not_write_through_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
