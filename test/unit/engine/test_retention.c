/*
 * test_retention.c - a month of jobs in simulated time: each goes when its time has come, in slices.
 */
#include "resource/world.h"

#include "engine/retention.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct fixture {
	struct world *w;
	struct engine e;
};

static int setup_engine(void **state)
{
	static struct fixture f;
	void *world;

	setup(&world);
	f = (struct fixture){ .w = world };
	f.e.cfg.store = f.w->store;
	f.e.cfg.clock = &f.w->clock.clock;
	*state = &f;
	return 0;
}

static int teardown_engine(void **state)
{
	void *world = ((struct fixture *)*state)->w;

	return teardown(&world);
}

struct addition {
	struct world *w;
	unsigned n, errors;
	enum job_status status;
};

static bool add(struct store_conn *c, void *arg, struct err *err)
{
	const struct addition *x = arg;
	struct arena *a = x->w->a;
	int64_t now = clock_wall_ms(&x->w->clock.clock);
	struct store_job j = { .account_id = STR(ACCOUNT),
		.id = str_fmt(a, "%024x", x->n),
		.type = JOB_FLOW,
		.status = x->status,
		.created_ms = now,
		.purge_ms = now + 30 * DAY_MS };

	if (!store_job_add(c, &j, err))
		return false;
	for (unsigned i = 0; i < x->errors; i++) {
		struct store_job_error e = { .account_id = j.account_id,
			.id = str_fmt(a, "%012x%012x", x->n, i),
			.job_id = j.id,
			.created_ms = now,
			.record_index = i,
			.request = STR("0123456789"),
			.retry_id = str_fmt(a, "%012x%012x", x->n + 100000, i) };

		if (!store_job_error_add(c, &e, STR("0123456789"), err))
			return false;
	}
	return true;
}

static void add_job(struct fixture *f, unsigned n, unsigned errors, enum job_status status)
{
	struct addition x = { f->w, n, errors, status };
	struct err err;

	assert_ok(store_write(f->w->store, add, &x, &err));
}

static bool count_one(void *arg, const struct store_job *j UNUSED)
{
	++*(unsigned *)arg;
	return true;
}

static unsigned jobs(struct fixture *f)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job_filter all = { .limit = 0 };
	struct err err;
	unsigned n = 0;

	assert_ok(store_read_begin(f->w->store, &c, &err));
	assert_ok(store_job_list(c, STR(ACCOUNT), &all, count_one, &n, &err));
	return n;
}

static uint64_t evidence(struct fixture *f)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err;
	uint64_t size = 0;

	assert_ok(store_read_begin(f->w->store, &c, &err));
	assert_ok(store_evidence_size(c, &size, &err));
	return size;
}

/* One job a day for sixty days: those of the last thirty are there, and the one that never ends. */
static void jobs_go_by_age(void **state)
{
	struct fixture *f = *state;

	add_job(f, 999, 0, JOB_RUNNING);
	for (unsigned day = 0; day < 60; day++) {
		add_job(f, day, 2, JOB_COMPLETED);
		assert_false(retention_slice(&f->e));
		assert_int_equal(jobs(f), MIN(day + 1, 30u) + 1);
		clock_test_advance(&f->w->clock, DAY_MS);
	}
	assert_int_equal(evidence(f), 30 * 2 * 20);
}

static void a_long_job_goes_in_slices(void **state)
{
	struct fixture *f = *state;
	unsigned slices = 1;

	add_job(f, 1, 1700, JOB_FAILED);
	clock_test_advance(&f->w->clock, 30 * DAY_MS - 1);
	assert_false(retention_slice(&f->e));
	assert_int_equal(jobs(f), 1);
	clock_test_advance(&f->w->clock, 1);
	for (; retention_slice(&f->e); slices++)
		assert_in_range(slices, 1, 10);
	assert_int_equal(slices, 4);
	assert_int_equal(jobs(f), 0);
	assert_int_equal(evidence(f), 0);
}

static void evidence_goes_by_size(void **state)
{
	struct fixture *f = *state;

	add_job(f, 1, 1000, JOB_FAILED);
	add_job(f, 2, 1000, JOB_RUNNING);
	assert_int_equal(evidence(f), 40000);
	f->e.cfg.evidence_max = 40000;
	retention_evidence(&f->e);
	assert_int_equal(evidence(f), 40000);
	f->e.cfg.evidence_max = 7990;
	retention_evidence(&f->e);
	assert_int_equal(evidence(f), 7980);
	f->e.cfg.evidence_max = 1;
	retention_evidence(&f->e);
	assert_int_equal(evidence(f), 0);
	assert_int_equal(jobs(f), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(jobs_go_by_age, setup_engine, teardown_engine),
		cmocka_unit_test_setup_teardown(a_long_job_goes_in_slices, setup_engine,
			teardown_engine),
		cmocka_unit_test_setup_teardown(evidence_goes_by_size, setup_engine,
			teardown_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
