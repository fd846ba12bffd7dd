/*
 * test_schedule.c - instants that are taken once, by one; how far delta exports came; which connections
 * are probed.
 */
#include "store_test.h"

#include "core/buf.h"

/* ---- slots ---- */

struct taking {
	struct store_slot slot;
	bool taken;
};

static bool take(struct store_conn *c, void *arg, struct err *err)
{
	struct taking *t = arg;

	return store_slot_take(c, &t->slot, &t->taken, err);
}

static bool take_at(struct fix *f, const char *flow, int64_t due_ms, int64_t at_ms, const char *job)
{
	struct taking t = { { ACCOUNT, str_z(flow), due_ms, at_ms, str_z(job) }, false };

	write_ok(f, take, &t);
	return t.taken;
}

struct purging {
	int64_t before_ms;
	size_t limit;
};

static bool purge(struct store_conn *c, void *arg, struct err *err)
{
	const struct purging *p = arg;

	return store_slot_purge(c, p->before_ms, p->limit, err);
}

static int64_t last(struct fix *f, struct str account, const char *flow)
{
	int64_t due = -1;
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_slot_last(c, account, str_z(flow), &due, &err));
	return due;
}

static struct store_slot latest(struct fix *f, struct str account, const char *flow)
{
	struct store_slot s = { .due_ms = -1 };
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_slot_latest(c, f->a, account, str_z(flow), &s, &err));
	return s;
}

static void an_instant_is_taken_once(void **state)
{
	struct fix *f = *state;

	assert_int_equal(last(f, ACCOUNT, "f"), 0);
	assert_true(take_at(f, "f", 1000, 1005, "one"));
	assert_false(take_at(f, "f", 1000, 1006, "two"));
	assert_true(take_at(f, "g", 1000, 1007, "three")); /* of another flow */
	assert_true(take_at(f, "f", 3000, 3001, "four"));
	assert_true(take_at(f, "f", 2000, 3002, "five")); /* late */
	assert_int_equal(last(f, ACCOUNT, "f"), 3000);
	assert_int_equal(last(f, ACCOUNT, "g"), 1000);
	assert_int_equal(last(f, OTHER, "f"), 0);
	struct store_slot s = latest(f, ACCOUNT, "f");

	assert_int_equal(s.due_ms, 3000);
	assert_int_equal(s.taken_ms, 3001);
	assert_str(s.job_id, "four");
	s = latest(f, ACCOUNT, "g");
	assert_str(s.job_id, "three"); /* whoever came first has it */
	s = latest(f, OTHER, "f");
	assert_int_equal(s.due_ms, 0);
	assert_null(s.job_id.p);
}

#define TAKERS  8
#define INSTANT 500

struct taker {
	struct fix *f;
	struct thread thread;
	unsigned taken;
};

static void *taker_main(void *arg)
{
	struct taker *t = arg;

	for (int64_t due = 1; due <= INSTANT; due++) {
		struct taking x = { { ACCOUNT, STR("f"), due, due, STR("j") }, false };
		struct err err = ERR_INIT;

		t->taken += store_write(t->f->s, take, &x, &err) && x.taken;
	}
	return NULL;
}

static void many_take_each_instant_once(void **state)
{
	struct fix *f = *state;
	struct taker takers[TAKERS];
	unsigned taken = 0;

	for (size_t i = 0; i < TAKERS; i++) {
		takers[i] = (struct taker){ .f = f };
		thread_start(&takers[i].thread, "taker", taker_main, &takers[i]);
	}
	for (size_t i = 0; i < TAKERS; i++) {
		thread_join(&takers[i].thread);
		taken += takers[i].taken;
	}
	assert_int_equal(taken, INSTANT);
	assert_int_equal(last(f, ACCOUNT, "f"), INSTANT);
}

/* The last one of a flow stays, however old it is: it says where the schedule goes on. */
static void a_purge_leaves_the_last_of_each_flow(void **state)
{
	struct fix *f = *state;
	struct purging p = { 5000, 1 };

	for (int64_t due = 1000; due <= 4000; due += 1000)
		assert_true(take_at(f, "f", due, due, "j"));
	assert_true(take_at(f, "g", 1000, 1000, "j"));
	assert_true(take_at(f, "h", 1000, 9000, "j")); /* taken late: not old */
	assert_true(take_at(f, "h", 2000, 9000, "j"));
	write_ok(f, purge, &p); /* one of the three */
	p.limit = 1;
	write_ok(f, purge, &p);
	assert_int_equal(last(f, ACCOUNT, "f"), 4000);
	p.limit = 100;
	write_ok(f, purge, &p);
	write_ok(f, purge, &p);
	for (int64_t due = 1000; due <= 3000; due += 1000)
		assert_true(take_at(f, "f", due, due, "again")); /* they are forgotten */
	assert_false(take_at(f, "f", 4000, 4000, "again"));
	assert_false(take_at(f, "g", 1000, 1000, "again"));
	assert_false(take_at(f, "h", 1000, 1000, "again"));
}

/* ---- exports ---- */

struct came {
	struct str account_id, flow_id, export_id;
	int64_t ms;
};

static bool put_came(struct store_conn *c, void *arg, struct err *err)
{
	const struct came *x = arg;

	return store_export_state_put(c, x->account_id, x->flow_id, x->export_id, x->ms, err);
}

static int64_t came(struct fix *f, struct str account, const char *flow, const char *export)
{
	int64_t ms = -1;
	struct err err;

	WITH_READER (f, c)
		assert_ok(
			store_export_state_get(c, account, str_z(flow), str_z(export), &ms, &err));
	return ms;
}

static void an_export_has_a_place_in_each_flow(void **state)
{
	struct fix *f = *state;
	struct came x = { ACCOUNT, STR("f"), STR("e"), 5 }, y = { ACCOUNT, STR("g"), STR("e"), 6 };

	assert_int_equal(came(f, ACCOUNT, "f", "e"), 0);
	write_ok(f, put_came, &x);
	write_ok(f, put_came, &y);
	assert_int_equal(came(f, ACCOUNT, "f", "e"), 5);
	assert_int_equal(came(f, ACCOUNT, "g", "e"), 6);
	assert_int_equal(came(f, ACCOUNT, "f", "d"), 0);
	assert_int_equal(came(f, OTHER, "f", "e"), 0);
	x.ms = 3; /* somebody set it back */
	write_ok(f, put_came, &x);
	assert_int_equal(came(f, ACCOUNT, "f", "e"), 3);
}

/* ---- probes ---- */

#define NOW_MS 1000

static bool put_probe(struct store_conn *c, void *arg, struct err *err)
{
	return store_probe_put(c, arg, 1, err);
}

static bool move_probe(struct store_conn *c, void *arg, struct err *err)
{
	return store_probe_move(c, arg, err);
}

static bool remove_probe(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_probe *p = arg;

	return store_probe_remove(c, p->account_id, p->connection_id, err);
}

struct listed {
	struct buf text;
	size_t stop_at, count;
};

static bool list_one(void *arg, const struct store_probe *p)
{
	struct listed *l = arg;

	buf_add_fmt(&l->text, "%c:%.*s:%lld ", p->account_id.p[0], STR_ARG(p->connection_id),
		(long long)p->pause_ms);
	return ++l->count != l->stop_at;
}

static void expect_due(struct fix *f, size_t limit, size_t stop_at, const char *want)
{
	struct listed l = { BUF_INIT(0), stop_at, 0 };
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_probe_due(c, NOW_MS, limit, list_one, &l, &err));
	assert_str(buf_str(&l.text), want);
	buf_free(&l.text);
}

static void probes_of_all_accounts_the_longest_due_first(void **state)
{
	struct fix *f = *state;
	struct store_probe x = { ACCOUNT, STR("x"), 30, 5 }, y = { OTHER, STR("y"), 20, 6 },
			   z = { ACCOUNT, STR("z"), NOW_MS, 7 };

	expect_due(f, 9, 0, "");
	write_ok(f, remove_probe, &x); /* none is no error */
	write_ok(f, put_probe, &x);
	write_ok(f, put_probe, &y);
	write_ok(f, put_probe, &z);
	expect_due(f, 9, 0, "b:y:6 a:x:5 a:z:7 ");
	expect_due(f, 2, 0, "b:y:6 a:x:5 ");
	expect_due(f, 9, 1, "b:y:6 ");
	x.due_ms = NOW_MS + 1;
	x.pause_ms = 10;
	write_ok(f, move_probe, &x);
	expect_due(f, 9, 0, "b:y:6 a:z:7 ");
	x.due_ms = NOW_MS - 1;
	write_ok(f, put_probe, &x); /* replaces */
	expect_due(f, 9, 0, "b:y:6 a:x:10 a:z:7 ");
	y.account_id = ACCOUNT; /* another account's is none of its business */
	write_ok(f, remove_probe, &y);
	write_ok(f, remove_probe, &z);
	expect_due(f, 9, 0, "b:y:6 a:x:10 ");
	fix_reopen(f);
	expect_due(f, 9, 0, "b:y:6 a:x:10 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_instant_is_taken_once),
		TEST(many_take_each_instant_once),
		TEST(a_purge_leaves_the_last_of_each_flow),
		TEST(an_export_has_a_place_in_each_flow),
		TEST(probes_of_all_accounts_the_longest_due_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
