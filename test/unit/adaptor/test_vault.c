/*
 * test_vault.c - whose turn it is to renew a connection's credentials.
 */
#include "test.h"

#include "adaptor/vault.h"
#include "core/clock.h"
#include "core/thread.h"

#define ID    "5587092ef78228000000000a"
#define OTHER "5587092ef78228000000000b"

static const struct vault_ops ops; /* nothing is read or written here */
static const struct err none = ERR_INIT;

struct fixture {
	struct arena *a;
	struct vault *vault;
};

static int setup(void **state)
{
	static struct fixture f;

	f.a = arena_new("test", 0);
	f.vault = vault_new(f.a, &ops, NULL);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vault_destroy(f->vault); /* checks that no turn is left */
	arena_free(f->a);
	return 0;
}

static int64_t soon(void)
{
	return clock_mono_ms(clock_system()) + 5;
}

static void one_at_a_time_for_each_connection(void **state)
{
	struct fixture *f = *state;
	struct vault_turn a = { .connection_id = STR(ID) }, b = { .connection_id = STR(ID) },
			  c = { .connection_id = STR(OTHER) };

	assert_int_equal(vault_enter(f->vault, &a, soon()), VAULT_MINE);
	assert_int_equal(vault_enter(f->vault, &b, soon()), VAULT_WAITS);
	assert_int_equal(vault_enter(f->vault, &c, soon()), VAULT_MINE);
	vault_leave(f->vault, &a, &none);
	assert_int_equal(vault_enter(f->vault, &b, soon()), VAULT_MINE);
	vault_leave(f->vault, &b, &none);
	vault_leave(f->vault, &c, &none);
	vault_leave(f->vault, &c, &none); /* outside already */
}

static void those_that_wait_are_told_why_it_failed(void **state)
{
	struct fixture *f = *state;
	struct vault_turn a = { .connection_id = STR(ID) }, b = { .connection_id = STR(ID) },
			  c = { .connection_id = STR(OTHER) }, d = { .connection_id = STR(OTHER) };
	struct err failed = ERR_INIT;

	assert_int_equal(vault_enter(f->vault, &a, soon()), VAULT_MINE);
	assert_int_equal(vault_enter(f->vault, &c, soon()), VAULT_MINE);
	assert_int_equal(vault_enter(f->vault, &b, soon()), VAULT_WAITS);
	assert_int_equal(vault_enter(f->vault, &d, soon()), VAULT_WAITS);
	err_set(&failed, ERR_HTTP_STATUS, "invalid_grant");
	vault_leave(f->vault, &a, &failed);
	assert_int_equal(vault_enter(f->vault, &b, soon()), VAULT_FAILED);
	assert_int_equal(b.err.code, ERR_HTTP_STATUS);
	assert_int_equal(vault_enter(f->vault, &d, soon()), VAULT_WAITS); /* another connection */
	vault_leave(f->vault, &b, &none);
	vault_leave(f->vault, &d, &none); /* gives up */
	vault_leave(f->vault, &c, &none);
}

#define THREADS 8
#define ROUNDS  200

struct crowd {
	struct fixture *f;
	struct mutex lock;
	int inside, most, times; /* under lock */
};

static void *take_turns(void *arg)
{
	struct crowd *x = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct vault_turn t = { .connection_id = STR(ID) };

		while (vault_enter(x->f->vault, &t, clock_mono_ms(clock_system()) + 1000) !=
			VAULT_MINE)
			;
		mutex_lock(&x->lock);
		x->times++;
		x->inside++;
		x->most = MAX(x->most, x->inside);
		mutex_unlock(&x->lock);
		mutex_lock(&x->lock);
		x->inside--;
		mutex_unlock(&x->lock);
		vault_leave(x->f->vault, &t, &none);
	}
	return NULL;
}

static void threads_take_turns(void **state)
{
	struct crowd x = { .f = *state };
	struct thread threads[THREADS] = { 0 };

	mutex_init(&x.lock);
	for (int i = 0; i < THREADS; i++)
		thread_start(&threads[i], "crowd", take_turns, &x);
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	assert_int_equal(x.most, 1);
	assert_int_equal(x.times, THREADS * ROUNDS);
	mutex_destroy(&x.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_at_a_time_for_each_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(those_that_wait_are_told_why_it_failed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(threads_take_turns, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
