/*
 * test_reader.c - snapshots that stand still, connections that can't write, many of them beside the
 * writer, and the pool that they come from.
 */
#include "store_test.h"

struct setting {
	struct str key, value;
};

static bool put_setting(struct store_conn *c, void *arg, struct err *err)
{
	const struct setting *s = arg;

	return store_setting_put(c, s->key, s->value, err);
}

static void put(struct fix *f, const char *key, struct str value)
{
	struct setting s = { str_z(key), value };

	write_ok(f, put_setting, &s);
}

static struct str get(struct fix *f, struct store_conn *c, const char *key)
{
	struct str v = STR_NULL;
	struct err err;

	assert_ok(store_setting_get(c, f->a, str_z(key), &v, &err));
	return v;
}

static void a_snapshot_stands_still(void **state)
{
	struct fix *f = *state;
	struct store_conn *old, *late;

	put(f, "k", STR("1"));
	old = read_begin(f->s);
	late = read_begin(f->s);
	assert_str(get(f, old, "k"), "1");
	put(f, "k", STR("2"));
	assert_str(get(f, old, "k"), "1");
	assert_str(get(f, late, "k"), "2"); /* its first statement came after */
	put(f, "k", STR("3"));
	assert_str(get(f, old, "k"), "1");
	assert_str(get(f, late, "k"), "2");
	WITH_READER (f, c)
		assert_str(get(f, c, "k"), "3");
	store_read_end(old);
	/* the same connection again: a new snapshot */
	WITH_READER (f, c) {
		assert_ptr_equal(c, old);
		assert_str(get(f, c, "k"), "3");
	}
	store_read_end(late);
	store_read_end(NULL);
}

static void write_through_a_reader(void *arg)
{
	struct err err = ERR_INIT;

	if (!store_setting_put(arg, STR("k"), STR("v"), &err))
		_exit(0);
}

static void readers_can_not_write(void **state)
{
	struct fix *f = *state;

	WITH_READER (f, c) {
		assert_true(test_aborts(write_through_a_reader, c));
		/* nor below the functions that check it */
		assert_false(sql_script(c->sql, "DELETE FROM account"));
		assert_non_null(strstr(c->sql->message, "readonly"));
		assert_false(sql_script(c->sql, "CREATE TABLE x (y TEXT) STRICT"));
		assert_false(sql_script(c->sql, "PRAGMA user_version = 7"));
	}
	put(f, "k", STR("v")); /* the writer is not disturbed */
}

struct beside {
	struct fix *f;
	struct thread thread;
	_Atomic bool *stop;
	uint64_t reads;
	bool torn, backwards;
};

/* Both settings are always written in one unit, with a number that grows. */
static void *beside_main(void *arg)
{
	struct beside *b = arg;
	int64_t last = 0;

	do {
		struct arena *a DEFER(arena_freep) = arena_new("beside", 0);
		struct store_conn *c DEFER(store_read_endp) = NULL;
		struct err err = ERR_INIT;
		struct str left, right;
		int64_t now = 0;

		if (!store_read_begin(b->f->s, &c, &err) ||
			!store_setting_get(c, a, STR("left"), &left, &err) ||
			!store_setting_get(c, a, STR("right"), &right, &err)) {
			b->torn = true;
			break;
		}
		b->torn = b->torn || !str_eq(left, right) || !str_to_i64(left, &now);
		b->backwards = b->backwards || now < last;
		last = now;
		b->reads++;
	} while (!*b->stop);
	return NULL;
}

static bool put_both(struct store_conn *c, void *arg, struct err *err)
{
	const struct str *v = arg;

	return store_setting_put(c, STR("left"), *v, err) &&
	       store_setting_put(c, STR("right"), *v, err);
}

static void many_readers_beside_the_writer(void **state)
{
	struct fix *f = *state;
	struct beside many[16];
	_Atomic bool stop = false;
	struct str zero = STR("0");
	struct err err = ERR_INIT;
	bool ok = true;

	write_ok(f, put_both, &zero);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = (struct beside){ .f = f, .stop = &stop };
		thread_start(&many[i].thread, "beside", beside_main, &many[i]);
	}
	for (unsigned n = 1; n <= 300 && ok; n++) {
		struct str v = str_fmt(f->a, "%u", n);

		ok = store_write(f->s, put_both, &v, &err);
	}
	stop = true;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		thread_join(&many[i].thread);
		assert_false(many[i].torn);
		assert_false(many[i].backwards);
		assert_true(many[i].reads > 0);
	}
	if (!ok)
		fail_msg("%s", err.message);
	/* all were given back, at most one connection for each */
	assert_true(f->s->readers.open <= ARRAY_LEN(many));
	assert_int_equal(f->s->readers.open, f->s->readers.idle_count);
}

struct waiting {
	struct fix *f;
	struct store_conn *c;
	_Atomic bool has;
};

static void *waiting_main(void *arg)
{
	struct waiting *w = arg;
	struct err err = ERR_INIT;

	if (store_read_begin(w->f->s, &w->c, &err))
		w->has = true;
	return NULL;
}

static void one_more_than_the_pool_waits(void **state)
{
	struct fix *f = *state;
	struct store_conn *all[READERS_MAX];
	struct waiting w = { .f = f };
	struct thread t = { 0 };

	for (size_t i = 0; i < READERS_MAX; i++)
		all[i] = read_begin(f->s);
	thread_start(&t, "waiting", waiting_main, &w);
	assert_false(w.has);
	store_read_end(all[5]);
	thread_join(&t);
	assert_true(w.has);
	assert_ptr_equal(w.c, all[5]);
	for (size_t i = 0; i < READERS_MAX; i++)
		store_read_end(all[i]);
	assert_int_equal(f->s->readers.open, READERS_MAX);
}

static void unused_connections_are_closed(void **state)
{
	struct fix *f = *state;
	struct store_conn *three[3];

	for (int i = 0; i < 3; i++)
		three[i] = read_begin(f->s);
	for (int i = 0; i < 3; i++)
		store_read_end(three[i]);
	readers_trim(f->s); /* forgets what was of use before it */
	readers_trim(f->s);
	assert_int_equal(f->s->readers.open, READERS_IDLE_KEEP);
	assert_false(readers_trimmable(f->s));
}

static void a_read_that_fails_costs_its_connection_only(void **state)
{
	struct fix *f = *state;
	struct str v;
	struct err err;

	put(f, "k", STR("v"));
	fix_reopen(f); /* with nothing in memory */
	for (unsigned n = 1;; n++) {
		struct store_conn *c = NULL;
		bool began, got;

		err = (struct err)ERR_INIT;
		fault_arm(FAULT_READ, FAULT_ONCE, n);
		began = store_read_begin(f->s, &c, &err);
		got = began && store_setting_get(c, f->a, STR("k"), &v, &err);
		if (!got)
			assert_int_equal(err.code, ERR_STORE);
		store_read_end(c);
		fault_reset();
		if (got)
			break;
		assert_int_equal(f->s->readers.open, f->s->readers.idle_count);
		assert_true(store_healthy(f->s, NULL));
		assert_true(n < 100);
	}
	assert_str(v, "v");
	put(f, "k", STR("w"));
}

static void the_call_before_a_snapshot_fails(void **state)
{
	struct fix *f = *state;
	struct str v;
	struct err err;

	put(f, "k", STR("v"));
	WITH_READER (f, c) {
		fault_arm(FAULT_CALL, FAULT_ONCE, 1); /* BEGIN */
		assert_fails(store_setting_get(c, f->a, STR("k"), &v, &err), ERR_STORE, "injected");
		fault_reset();
		assert_str(get(f, c, "k"), "v");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_stands_still),
		TEST(readers_can_not_write),
		TEST(many_readers_beside_the_writer),
		TEST(one_more_than_the_pool_waits),
		TEST(unused_connections_are_closed),
		TEST(a_read_that_fails_costs_its_connection_only),
		TEST(the_call_before_a_snapshot_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
