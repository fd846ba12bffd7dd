/*
 * test_gate.c - the gate of a connection: how many are inside, in which order, and how a call that is not let
 * in ends. The application is a port that nobody listens on: who gets there was let in.
 */
#include "test.h"

#include "adaptor/adaptor.h"
#include "core/thread.h"

#define ID "5587092ef78228000000000a"

struct fixture {
	struct arena *a;
	struct gates *gates;
	struct gate *gate;
};

static int setup(void **state)
{
	static struct fixture f;

	f.a = arena_new("test", 0);
	f.gates = gates_new(f.a);
	f.gate = gate_of(f.gates, STR(ID));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gates_destroy(f->gates); /* checks that nobody is left */
	arena_free(f->a);
	return 0;
}

static void as_many_as_the_level_says(void **state)
{
	struct fixture *f = *state;
	struct gate_pass p[5] = { { .level = 2 }, { .level = 2 }, { .level = 2 }, { .level = 2 },
		{ .level = 2 } };

	assert_true(gate_enter(f->gate, &p[0]));
	assert_true(gate_enter(f->gate, &p[1]));
	assert_false(gate_enter(f->gate, &p[2]));
	assert_false(gate_enter(f->gate, &p[3]));
	gate_leave(f->gate, &p[1]);
	assert_true(gate_is_inside(f->gate, &p[2])); /* the first that came */
	assert_false(gate_is_inside(f->gate, &p[3]));
	assert_false(gate_enter(f->gate, &p[4]));
	gate_leave(f->gate, &p[3]); /* out of the queue */
	gate_leave(f->gate, &p[0]);
	assert_true(gate_is_inside(f->gate, &p[4]));
	gate_leave(f->gate, &p[2]);
	gate_leave(f->gate, &p[4]);
	gate_leave(f->gate, &p[4]); /* outside already */
	assert_true(gate_enter(f->gate, &p[0]));
	gate_leave(f->gate, &p[0]);
}

static void another_connection_is_another_gate(void **state)
{
	struct fixture *f = *state;
	struct gate_pass a = { .level = 1 }, b = { .level = 1 };
	struct gate *other = gate_of(f->gates, STR("5587092ef78228000000000b"));

	assert_ptr_equal(gate_of(f->gates, STR(ID)), f->gate);
	assert_ptr_not_equal(other, f->gate);
	assert_true(gate_enter(f->gate, &a));
	assert_true(gate_enter(other, &b));
	gate_leave(other, &b);
	gate_leave(f->gate, &a);
}

static void the_strictest_of_those_inside_counts(void **state)
{
	struct fixture *f = *state;
	struct gate_pass strict = { .level = 1 },
			 wide[3] = { { .level = 3 }, { .level = 3 }, { .level = 3 } };

	assert_true(gate_enter(f->gate, &strict));
	assert_false(gate_enter(f->gate, &wide[0]));
	assert_false(gate_enter(f->gate, &wide[1]));
	gate_leave(f->gate, &strict);
	assert_true(gate_is_inside(f->gate, &wide[0]) && gate_is_inside(f->gate, &wide[1]));
	/* a strict one waits until it would be alone, and nobody goes past it meanwhile */
	assert_false(gate_enter(f->gate, &strict));
	assert_false(gate_enter(f->gate, &wide[2]));
	gate_leave(f->gate, &wide[0]);
	assert_false(gate_is_inside(f->gate, &strict));
	gate_leave(f->gate, &wide[1]);
	assert_true(gate_is_inside(f->gate, &strict));
	assert_false(gate_is_inside(f->gate, &wide[2]));
	gate_leave(f->gate, &strict);
	assert_true(gate_is_inside(f->gate, &wide[2]));
	gate_leave(f->gate, &wide[2]);
	/* one that gives up lets those behind it in */
	assert_true(gate_enter(f->gate, &wide[0]));
	assert_false(gate_enter(f->gate, &strict));
	assert_false(gate_enter(f->gate, &wide[1]));
	gate_leave(f->gate, &strict);
	assert_true(gate_is_inside(f->gate, &wide[1]));
	gate_leave(f->gate, &wide[0]);
	gate_leave(f->gate, &wide[1]);
}

static void count(void *ctx)
{
	(*(int *)ctx)++;
}

static void who_is_let_in_is_woken_once(void **state)
{
	struct fixture *f = *state;
	int woken = 0;
	struct gate_pass a = { .level = 1 }, b = { .level = 1, .wake = count, .ctx = &woken };

	assert_true(gate_enter(f->gate, &a));
	assert_false(gate_enter(f->gate, &b));
	assert_int_equal(woken, 0);
	gate_leave(f->gate, &a);
	assert_int_equal(woken, 1);
	assert_true(gate_wait(f->gate, &b, 0)); /* it is inside: no wait */
	gate_leave(f->gate, &b);
	assert_int_equal(woken, 1);
}

#define USERS  8
#define ROUNDS 500

struct user {
	struct gate *gate;
	struct thread thread;
	_Atomic int *inside, *most;
};

static void *use(void *arg)
{
	struct user *u = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct gate_pass p = { .level = 3 };

		if (!gate_enter(u->gate, &p))
			while (!gate_wait(u->gate, &p, clock_mono_ms(clock_system()) + 1000))
				;
		int now = atomic_fetch_add(u->inside, 1) + 1, most = atomic_load(u->most);

		while (now > most && !atomic_compare_exchange_weak(u->most, &most, now))
			;
		atomic_fetch_sub(u->inside, 1);
		gate_leave(u->gate, &p);
	}
	return NULL;
}

static void threads_never_exceed_it(void **state)
{
	struct fixture *f = *state;
	_Atomic int inside = 0, most = 0;
	struct user users[USERS];

	for (size_t i = 0; i < USERS; i++) {
		users[i] = (struct user){ .gate = f->gate, .inside = &inside, .most = &most };
		thread_start(&users[i].thread, "user", use, &users[i]);
	}
	for (size_t i = 0; i < USERS; i++)
		thread_join(&users[i].thread);
	assert_in_range(most, 1, 3);
	assert_int_equal(inside, 0);
}

/* ---- calls at the gate ---- */

struct caller {
	struct fixture *f;
	struct adaptor_env env;
	struct thread thread;
	atomic_bool canceled;
	struct ping_result pong;
	struct err err;
	bool asked;
};

static void caller_init(struct caller *c, struct fixture *f)
{
	struct egress *egress;
	struct err err;

	memset(c, 0, sizeof(*c));
	c->f = f;
	assert_ok(egress_new(f->a, STR("127.0.0.0/8"), &egress, &err));
	c->env = (struct adaptor_env){ .egress = egress,
		.clock = clock_system(),
		.canceled = &c->canceled,
		.gates = f->gates };
}

/* ID_TEXT "": one that was never stored. */
static bool ping(struct caller *c, const char *id_text, const char *more, struct err *err)
{
	struct arena *a = c->f->a;
	const struct adaptor *ad;
	const struct json *doc;

	CHECK(json_parse_copy(a,
		str_fmt(a, "{%s\"type\":\"rest\",\"rest\":{\"baseURI\":\"http://127.0.0.1:9\"%s}}",
			id_text, more),
		&doc, err));
	CHECK(adaptor_of(doc, &ad, err));
	return ad->connection->ping(&c->env, doc, a, &c->pong, err);
}

#define STORED "\"_id\":\"" ID "\","
#define COOKIE ",\"concurrencyLevel\":1,\"cookieAuth\":{\"uri\":\"/login\"}"

static void a_call_waits_no_longer_than_it_may(void **state)
{
	struct fixture *f = *state;
	struct gate_pass held = { .level = 1 };
	static const char *const kinds[] = { ",\"concurrencyLevel\":1", COOKIE };
	struct caller c;
	struct err err;

	caller_init(&c, f);
	c.env.gate_wait_ms = 20;
	assert_true(gate_enter(f->gate, &held));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_fails(ping(&c, STORED, kinds[i], &err), ERR_OVERLOADED,
			"rest.concurrencyLevel allows (1)");
		assert_int_equal(err.retry_after_s, 1);
		assert_true(strstr(err.hint, "raise rest.concurrencyLevel") != NULL);
	}
	/* one that was never stored has no gate, and one of another connection another */
	assert_ok(ping(&c, "", ",\"concurrencyLevel\":1", &err));
	assert_false(c.pong.ok);
	assert_ok(ping(&c, "\"_id\":\"5587092ef78228000000000b\",", "", &err));
	gate_leave(f->gate, &held);
	assert_ok(ping(&c, STORED, ",\"concurrencyLevel\":1", &err));
}

static void *ping_stored(void *arg)
{
	struct caller *c = arg;

	c->asked = ping(c, STORED, ",\"concurrencyLevel\":1", &c->err);
	return NULL;
}

static void *ping_logging_in(void *arg)
{
	struct caller *c = arg;

	c->asked = ping(c, STORED, COOKIE, &c->err);
	return NULL;
}

/* Pings from another thread, with the gate held meanwhile; END ends the wait. */
static void while_held(struct fixture *f, void *(*fn)(void *), struct caller *c, bool cancel)
{
	struct gate_pass held = { .level = 1 }, behind = { .level = 1 };

	caller_init(c, f);
	assert_true(gate_enter(f->gate, &held));
	thread_start(&c->thread, "caller", fn, c);
	if (cancel)
		atomic_store(&c->canceled, true);
	else
		gate_leave(f->gate, &held);
	thread_join(&c->thread);
	gate_leave(f->gate, &held);
	assert_true(gate_enter(f->gate, &behind)); /* nobody is left inside, or in the queue */
	gate_leave(f->gate, &behind);
}

static void a_wait_ends_with_its_job(void **state)
{
	struct caller c;

	while_held(*state, ping_stored, &c, true);
	assert_false(c.asked);
	assert_int_equal(c.err.code, ERR_CANCELED);
	while_held(*state, ping_logging_in, &c, true);
	assert_int_equal(c.err.code, ERR_CANCELED);
}

static void who_waits_goes_on_when_there_is_room(void **state)
{
	struct caller c;

	while_held(*state, ping_stored, &c, false);
	assert_true(c.asked && !c.pong.ok);
	while_held(*state, ping_logging_in, &c, false);
	assert_true(c.asked && !c.pong.ok);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(as_many_as_the_level_says),
		T(another_connection_is_another_gate),
		T(the_strictest_of_those_inside_counts),
		T(who_is_let_in_is_woken_once),
		T(threads_never_exceed_it),
		T(a_call_waits_no_longer_than_it_may),
		T(a_wait_ends_with_its_job),
		T(who_waits_goes_on_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
