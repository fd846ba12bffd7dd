/*
 * test_async.c - writes that nobody waits for: they are told of once, behind the commit, and fail as the
 * others do.
 */
#include "store_test.h"

#include "core/thread.h"

struct told {
	struct mutex lock;
	struct cond more;
	int ok, failed;
	enum err_code code;
};

static void told_init(struct told *t)
{
	memset(t, 0, sizeof(*t));
	mutex_init(&t->lock);
	cond_init(&t->more);
}

static void on_done(void *arg, bool ok, const struct err *err)
{
	struct told *t = arg;

	WITH_LOCK(&t->lock);
	if (ok)
		t->ok++;
	else
		t->failed++;
	t->code = err->code;
	cond_broadcast(&t->more);
}

static void told_wait(struct told *t, int count)
{
	WITH_LOCK(&t->lock);
	while (t->ok + t->failed < count)
		cond_wait(&t->more, &t->lock);
}

struct event_write {
	struct store_event e;
	bool duplicate;
};

static bool add_event(struct store_conn *c, void *arg, struct err *err)
{
	struct event_write *w = arg;

	return store_event_add(c, &w->e, 1000, &w->duplicate, err);
}

static bool refuse(struct store_conn *c UNUSED, void *arg UNUSED, struct err *err)
{
	return err_set(err, ERR_CONFLICT, "no");
}

static struct event_write *event_of(struct fix *f, unsigned n)
{
	struct event_write *w = arena_new_of(f->a, struct event_write);

	w->e = (struct store_event){ .account_id = ACCOUNT,
		.export_id = id_of(f->a, 1),
		.event_id = str_fmt(f->a, "e%u", n),
		.received_ms = 5000,
		.body = STR("{}") };
	return w;
}

static uint64_t waiting(struct fix *f)
{
	uint64_t count = 0;
	int64_t oldest;
	struct err err;

	WITH_READER (f, c)
		assert_ok(
			store_event_waiting(c, ACCOUNT, id_of(f->a, 1), 0, &count, &oldest, &err));
	return count;
}

static void told_behind_the_commit(void **state)
{
	struct fix *f = *state;
	struct told t;
	struct err err;

	told_init(&t);
	for (unsigned i = 0; i < 600; i++)
		assert_ok(store_write_async(f->s, f->a, add_event, event_of(f, i), on_done, &t,
			&err));
	told_wait(&t, 600);
	assert_int_equal(t.ok, 600);
	assert_int_equal(waiting(f), 600);
}

static void one_that_fails_is_alone(void **state)
{
	struct fix *f = *state;
	struct told good, bad;
	struct err err;

	told_init(&good);
	told_init(&bad);
	assert_ok(store_write_async(f->s, f->a, add_event, event_of(f, 1), on_done, &good, &err));
	assert_ok(store_write_async(f->s, f->a, refuse, NULL, on_done, &bad, &err));
	assert_ok(store_write_async(f->s, f->a, add_event, event_of(f, 2), on_done, &good, &err));
	told_wait(&good, 2);
	told_wait(&bad, 1);
	assert_int_equal(good.ok, 2);
	assert_int_equal(bad.failed, 1);
	assert_int_equal(bad.code, ERR_CONFLICT);
	assert_int_equal(waiting(f), 2);
}

/* Holds the writer until it is let go. */
struct gate {
	struct mutex lock;
	struct cond change;
	bool inside, open;
};

static bool pass_gate(struct store_conn *c UNUSED, void *arg, struct err *err UNUSED)
{
	struct gate *g = arg;

	WITH_LOCK(&g->lock);
	g->inside = true;
	cond_broadcast(&g->change);
	while (!g->open)
		cond_wait(&g->change, &g->lock);
	return true;
}

static void too_many_are_refused(void **state)
{
	struct fix *f = *state;
	struct gate g = { .inside = false };
	struct told t;
	struct err err = ERR_INIT;
	int accepted = 1;

	told_init(&t);
	mutex_init(&g.lock);
	cond_init(&g.change);
	assert_ok(store_write_async(f->s, f->a, pass_gate, &g, on_done, &t, &err));
	mutex_lock(&g.lock);
	while (!g.inside)
		cond_wait(&g.change, &g.lock);
	mutex_unlock(&g.lock);
	while (store_write_async(f->s, f->a, add_event, event_of(f, (unsigned)accepted), on_done,
		&t, &err))
		accepted++;
	assert_int_equal(err.code, ERR_OVERLOADED);
	assert_int_equal(err.retry_after_s, 1);
	mutex_lock(&g.lock);
	g.open = true;
	cond_broadcast(&g.change);
	mutex_unlock(&g.lock);
	told_wait(&t, accepted);
	assert_int_equal(t.ok, accepted);
	assert_int_equal(waiting(f), accepted - 1);
}

static void a_failed_commit_is_told(void **state)
{
	struct fix *f = *state;
	struct told t;
	struct err err;

	told_init(&t);
	fault_arm(FAULT_SYNC, FAULT_ONCE, 1);
	assert_ok(store_write_async(f->s, f->a, add_event, event_of(f, 1), on_done, &t, &err));
	told_wait(&t, 1);
	assert_int_equal(t.failed, 1);
	assert_int_equal(t.code, ERR_STORE);
	assert_fails(store_write_async(f->s, f->a, add_event, event_of(f, 2), on_done, &t, &err),
		ERR_STORE, "takes no writes");
	assert_int_equal(t.ok + t.failed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(told_behind_the_commit),
		TEST(one_that_fails_is_alone),
		TEST(too_many_are_refused),
		TEST(a_failed_commit_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
