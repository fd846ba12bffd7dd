/*
 * test_listeners.c - the table of compiled listeners: found by two names, never older than the store, bounded;
 * and the budget, the log and the count of writes that stand beside it.
 */
#include "api_world.h"

#include "api/listeners.h"
#include "core/thread.h"

#define HOOK \
	"{\"type\":\"webhook\",\"webhook\":{\"verify\":\"token\",\"token\":\"t\",\"path\":\"a\"}}"

struct fixture {
	struct world *w;
	struct api_config cfg;
	struct listeners *l;
};

static int begin(void **state)
{
	static struct fixture f;

	if (setup(state) != 0)
		return -1;
	f.w = *state;
	f.cfg = api_config_of(f.w);
	f.l = listeners_new(f.w->a, &f.cfg);
	*state = &f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	listeners_free(f->l);
	*state = f->w;
	return teardown(state);
}

static struct listener *acquire(struct fixture *f, struct str key)
{
	struct listener *n = NULL;
	struct err err;

	assert_ok(listener_acquire(f->l, key, &n, &err));
	return n;
}

/* A listener that only the table has a reference to. */
static void touch(struct fixture *f, struct str key)
{
	listener_release(acquire(f, key));
}

static void by_both_names_and_compiled_once(void **state)
{
	struct fixture *f = *state;
	struct resource_view v = create(f->w, "export", HOOK);
	struct listener *one = acquire(f, v.id),
			*two = acquire(f, view_str(f->w, &v, "apiIdentifier"));

	assert_ptr_equal(one, two);
	assert_string_equal(one->account_id, ACCOUNT);
	assert_str(v.id, one->export_id);
	assert_non_null(one->webhook);
	listener_release(one);
	listener_release(two);
	assert_ptr_equal(acquire(f, v.id), one);
	listener_release(one);
}

static void what_is_no_listener(void **state)
{
	struct fixture *f = *state;
	struct resource_view c = create(f->w, "connection", CONNECTION);
	struct resource_view plain = create_fmt(f->w, "export",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/\"}}", STR_ARG(c.id));
	const struct str keys[] = { plain.id, view_str(f->w, &plain, "apiIdentifier"), c.id,
		STR("507f1f77bcf86cd799439011"), STR("e0123abcd"), STR(""), STR("x"),
		STR("507F1F77BCF86CD799439011") };
	struct listener *n = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_fails(listener_acquire(f->l, keys[i], &n, &err), ERR_NOT_FOUND, "");
	assert_null(n);
}

/* Whoever has one keeps it; who asks again gets what is stored now. */
static void never_older_than_the_store(void **state)
{
	struct fixture *f = *state;
	struct world *w = f->w;
	struct resource_view v = create(w, "export", HOOK), changed;
	struct listener *old = acquire(f, v.id), *now;
	struct err err;

	problems_init(&w->p, w->a);
	assert_true(resource_patch(w->r, STR(ACCOUNT), type_of(w, "export"), v.id, 0,
		parse(w, STR("{\"webhook\":{\"path\":\"b\"}}")), w->a, &changed, &w->p));
	now = acquire(f, v.id);
	assert_ptr_not_equal(now, old);
	assert_str(v.id, old->export_id); /* ours still */
	listener_release(old);
	listener_release(now);
	/* another export's change makes it read again, and the log stays */
	struct listener_entry e = { .time_ms = 5, .status = 204 }, *log;

	listener_log(f->l, v.id, &e);
	create(w, "export", HOOK);
	touch(f, v.id);
	assert_int_equal(listener_log_read(f->l, w->a, v.id, &log), 1);
	assert_int_equal(log[0].time_ms, 5);
	assert_true(resource_remove(w->r, STR(ACCOUNT), type_of(w, "export"), v.id, 0, false, w->a,
		&w->p));
	assert_fails(listener_acquire(f->l, v.id, &now, &err), ERR_NOT_FOUND, "");
	assert_int_equal(listener_log_read(f->l, w->a, v.id, &log), 1); /* to see what came last */
}

static void a_full_table_forgets_who_was_used_longest_ago(void **state)
{
	struct fixture *f = *state;
	struct world *w = f->w;
	const size_t count = LISTENERS_MAX + 1;
	struct str *ids = arena_array_of(w->a, struct str, count);
	struct listener_entry e = { .time_ms = 1 }, *log;
	struct listener *held;

	for (size_t i = 0; i < count; i++)
		ids[i] = create(w, "export", HOOK).id;
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		touch(f, ids[i]);
		listener_log(f->l, ids[i], &e);
	}
	held = acquire(f, ids[0]); /* so the second is the oldest */
	touch(f, ids[LISTENERS_MAX]);
	assert_int_equal(listener_log_read(f->l, w->a, ids[1], &log), 0);
	assert_int_equal(listener_log_read(f->l, w->a, ids[0], &log), 1);
	assert_int_equal(listener_log_read(f->l, w->a, ids[2], &log), 1);
	/* it comes back in the place of the next, under both names */
	touch(f, ids[1]);
	assert_int_equal(listener_log_read(f->l, w->a, ids[2], &log), 0);
	for (size_t i = 0; i < count; i++) {
		struct listener *n = acquire(f, ids[i]);

		assert_str(ids[i], n->export_id);
		listener_release(n);
	}
	assert_str(ids[0], held->export_id); /* pushed out meanwhile, but held */
	listener_release(held);
}

/* The bucket of 3 that the configuration says, refilled by 1 a second. */
static void each_has_its_budget(void **state)
{
	struct fixture *f = *state;
	struct listener *one = acquire(f, create(f->w, "export", HOOK).id);
	struct listener *two = acquire(f, create(f->w, "export", HOOK).id);
	struct err err;

	for (int i = 0; i < 3; i++)
		assert_ok(listener_take(f->l, one, 1000000, &err));
	assert_fails(listener_take(f->l, one, 1000000, &err), ERR_RATE,
		"3 events at once, then 1 a second");
	assert_int_equal(err.retry_after_s, 1);
	assert_ok(listener_take(f->l, two, 1000000, &err));
	assert_ok(listener_take(f->l, one, 2000000, &err));
	assert_fails(listener_take(f->l, one, 2000000, &err), ERR_RATE, "");
	listener_release(one);
	listener_release(two);
}

static void the_log_keeps_the_newest_in_order(void **state)
{
	struct fixture *f = *state;
	struct str id = create(f->w, "export", HOOK).id;
	struct listener_entry e = { .time_ms = 0 }, *log;

	listener_log(f->l, id, &e); /* nobody has asked for it yet: no place */
	assert_int_equal(listener_log_read(f->l, f->w->a, id, &log), 0);
	touch(f, id);
	for (int64_t i = 1; i <= LIMIT_LISTENER_LOG + 17; i++) {
		e.time_ms = i;
		listener_log(f->l, id, &e);
		size_t n = listener_log_read(f->l, f->w->a, id, &log);

		assert_int_equal(n, MIN(i, (int64_t)LIMIT_LISTENER_LOG));
		assert_int_equal(log[0].time_ms, i);
		assert_int_equal(log[n - 1].time_ms, i - (int64_t)n + 1);
		assert_int_equal(log[n / 2].time_ms, i - (int64_t)(n / 2));
	}
}

static void *write_one(void *arg)
{
	listeners_write_end(arg);
	return NULL;
}

static void the_end_waits_for_events_under_way(void **state)
{
	struct fixture *f = *state;
	struct thread threads[2];

	listeners_write_wait(f->l); /* none */
	listeners_write_begin(f->l);
	listeners_write_begin(f->l);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_start(&threads[i], "writer", write_one, f->l);
	listeners_write_wait(f->l);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
}

#define ACQUIRERS 4
#define ACQUIRES  200

struct acquirer {
	struct fixture *f;
	struct str id;
	struct thread thread;
	unsigned got;
};

static void *acquire_often(void *arg)
{
	struct acquirer *q = arg;

	for (int i = 0; i < ACQUIRES; i++) {
		struct listener *n = NULL;
		struct err err = ERR_INIT;

		if (!listener_acquire(q->f->l, q->id, &n, &err))
			continue;
		q->got += str_eq_z(q->id, n->export_id);
		listener_release(n);
	}
	return NULL;
}

static void threads_ask_while_it_changes(void **state)
{
	struct fixture *f = *state;
	struct acquirer q[ACQUIRERS];
	struct str id = create(f->w, "export", HOOK).id;

	for (size_t i = 0; i < ACQUIRERS; i++) {
		q[i] = (struct acquirer){ .f = f, .id = id };
		thread_start(&q[i].thread, "asker", acquire_often, &q[i]);
	}
	for (int i = 0; i < 20; i++)
		create(f->w, "export", HOOK);
	for (size_t i = 0; i < ACQUIRERS; i++) {
		thread_join(&q[i].thread);
		assert_int_equal(q[i].got, ACQUIRES);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
		T(by_both_names_and_compiled_once),
		T(what_is_no_listener),
		T(never_older_than_the_store),
		T(a_full_table_forgets_who_was_used_longest_ago),
		T(each_has_its_budget),
		T(the_log_keeps_the_newest_in_order),
		T(the_end_waits_for_events_under_way),
		T(threads_ask_while_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
