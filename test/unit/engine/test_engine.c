/*
 * test_engine.c - workers on threads of their own: that none sleeps while a job may be taken.
 */
#include "engine/rig.h"

#include <sched.h>

#define WAIT_MS 60000

static atomic_bool second_done, gave_up;

/* Each waits once; the first then works until the second one has been worked beside it. */
static void wait_then_work(struct rig *r UNUSED, struct str step, struct delivery *d)
{
	static atomic_int calls[2];
	bool first = str_eq_z(step, "first");

	if (atomic_fetch_add(&calls[first], 1) == 0) {
		d->deferred = true;
		d->err.retry_after_s = first ? 1 : 2;
	} else if (!first) {
		atomic_store(&second_done, true);
	} else {
		int64_t end = clock_mono_ms(clock_system()) + WAIT_MS;

		while (!atomic_load(&second_done) && clock_mono_ms(clock_system()) < end)
			sched_yield();
		atomic_store(&gave_up, !atomic_load(&second_done));
	}
}

static bool completed(struct engine *e, uint64_t n)
{
	struct engine_stats s;

	engine_stats(e, &s);
	return s.jobs_completed >= n;
}

static void a_waiting_job_is_taken_while_another_one_works(void **state)
{
	struct rig *r = *state;
	struct str one = rig_import(r, "first", "");

	r->connection = create(r->w, "connection", CONNECTION).id; /* they take no turns */
	struct str two = rig_import(r, "second", "");
	struct str x = rig_export(r, "A", "");
	struct str flows[2] = { rig_flow(r, x, &one, 1, ""), rig_flow(r, x, &two, 1, "") };
	struct engine_config cfg = r->e.cfg;
	struct engine *e;
	struct id job;
	struct err err = ERR_INIT;

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	r->ends = wait_then_work;
	cfg.clock = clock_system();
	cfg.workers = 2;
	assert_ok(engine_start(&cfg, &e, &err));
	for (size_t i = 0; i < 2; i++)
		assert_ok(engine_run_flow(e, STR(ACCOUNT), flows[i], STR("test"), &job, &err));
	int64_t end = clock_mono_ms(clock_system()) + 2 * WAIT_MS;

	while (!completed(e, 2) && clock_mono_ms(clock_system()) < end)
		sched_yield();
	engine_stop(e, 1000);
	assert_false(atomic_load(&gave_up));
	assert_true(atomic_load(&second_done));
}

/* ---- leases while an application is out of reach ---- */

static atomic_bool pinging, renewed;

static bool comes(const atomic_bool *flag)
{
	int64_t end = clock_mono_ms(clock_system()) + WAIT_MS / 2;

	while (!atomic_load(flag) && clock_mono_ms(clock_system()) < end)
		sched_yield();
	return atomic_load(flag);
}

static void ping_without_end(struct rig *r UNUSED)
{
	atomic_store(&pinging, true);
	(void)comes(&renewed);
}

/* Works until the lease of its job was renewed, while the ping goes on. */
static void work_long(struct rig *r, struct str step UNUSED, struct delivery *d UNUSED)
{
	int64_t end = clock_mono_ms(clock_system()) + WAIT_MS / 2;
	int64_t lease = rig_job(r, r->job).lease_until_ms;

	if (!comes(&pinging))
		return;
	while (rig_job(r, r->job).lease_until_ms <= lease + 200)
		if (clock_mono_ms(clock_system()) > end)
			return;
	atomic_store(&renewed, true);
}

static bool probe_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_probe p = { STR_INIT(ACCOUNT), *(struct str *)arg, 1, 5000 };

	return store_probe_put(c, &p, 1, err);
}

static void leases_are_renewed_while_a_probe_hangs(void **state)
{
	struct rig *r = *state;
	struct str i = rig_import(r, "i", ""), f = rig_flow(r, rig_export(r, "A", ""), &i, 1, "");
	struct str away = create(r->w, "connection", CONNECTION).id;
	struct engine_config cfg = r->e.cfg;
	struct engine *e;
	struct err err = ERR_INIT;

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	rig_patch(r, "connection", away, "{\"offline\":true}");
	assert_ok(store_write(r->w->store, probe_write, &away, &err));
	r->ends = work_long;
	r->pings = ping_without_end;
	r->job = rig_ask(r, f);
	cfg.clock = clock_system();
	cfg.lease_ms = 3000; /* so long that a busy machine keeps it */
	assert_ok(engine_start(&cfg, &e, &err));
	int64_t end = clock_mono_ms(clock_system()) + 2 * WAIT_MS;

	while (!completed(e, 1) && clock_mono_ms(clock_system()) < end)
		sched_yield();
	engine_stop(e, 1000);
	assert_true(atomic_load(&pinging));
	assert_true(atomic_load(&renewed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(leases_are_renewed_while_a_probe_hangs),
		RIG_TEST(a_waiting_job_is_taken_while_another_one_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
