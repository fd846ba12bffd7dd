/*
 * test_offline.c - connections that go offline and come back: by a ping of somebody, by a probe with
 * growing pauses, by their owner; and the probes that are kept over a restart.
 */
#include "engine/rig.h"

#include <sched.h>

#include "engine/offline.h"

#define WAIT_MS 60000

static atomic_uint pings;

static void count_ping(struct rig *r UNUSED)
{
	atomic_fetch_add(&pings, 1);
}

static int setup_offline(void **state)
{
	int rc = rig_setup(state);
	struct rig *r = *state;

	atomic_store(&pings, 0);
	r->pings = count_ping;
	return rc;
}

/* ---- what is known ---- */

static bool is_offline(struct rig *r)
{
	struct arena *a DEFER(arena_freep) = arena_new("look", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct json *doc;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(resource_open(r->e.cfg.resources, c, a, STR(ACCOUNT), STR("connection"),
		r->connection, &doc, &err));
	return json_get_true(doc, STR("offline"));
}

struct kept {
	size_t n;
	int64_t due_ms, pause_ms; /* of the last one */
};

static bool count_probe(void *arg, const struct store_probe *p)
{
	struct kept *k = arg;

	assert_str(p->account_id, ACCOUNT);
	assert_int_equal(p->connection_id.n, ID_LEN);
	k->n++;
	k->due_ms = p->due_ms;
	k->pause_ms = p->pause_ms;
	return true;
}

static struct kept probes(struct rig *r)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct kept k = { .n = 0 };
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_probe_due(c, INT64_MAX, 10000, count_probe, &k, &err));
	return k;
}

static size_t probes_kept(struct rig *r)
{
	return probes(r).n;
}

/* ---- what happens ---- */

/* As a run that was refused does. */
static bool goes_offline(struct rig *r, struct str *why)
{
	struct adaptor_env env = engine_env(&r->e, STR(ACCOUNT));

	return connection_goes_offline(&r->e, &env, STR(ACCOUNT), r->connection,
		parse(r->w, STR("{\"type\":\"rest\"}")), r->w->a, why);
}

static void refuse(struct rig *r)
{
	struct str why = STR_NULL;

	r->refuse_ping = true;
	assert_true(goes_offline(r, &why));
	assert_str(why, "refused");
}

/* A run that waits for the connection; returns its job. */
static struct str waiting_run(struct rig *r)
{
	struct str i = rig_import(r, "i", "");

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	struct str job = rig_run(r, rig_flow(r, rig_export(r, "A", ""), &i, 1, ""));

	assert_int_equal(rig_job(r, job).status, JOB_QUEUED);
	assert_int_equal(rig_work(r), 0);
	return job;
}

struct prober {
	struct rig *r;
	struct thread thread;
};

static void prober_start(struct prober *p, struct rig *r)
{
	*p = (struct prober){ .r = r };
	thread_start(&p->thread, "prober", probes_main, &r->e);
}

static void prober_stop(struct prober *p)
{
	struct engine *e = &p->r->e;

	mutex_lock(&e->lock);
	atomic_store(&e->stopping, true);
	cond_signal(&e->probing);
	mutex_unlock(&e->lock);
	thread_join(&p->thread);
	atomic_store(&e->stopping, false);
}

/* Lets time pass, and the prober look. */
static void pass(struct prober *p, int64_t ms)
{
	clock_test_advance(&p->r->w->clock, ms);
	WITH_LOCK(&p->r->e.lock);
	cond_signal(&p->r->e.probing);
}

#define wait_until(cond)                                                                     \
	for (int64_t end_ = clock_mono_ms(clock_system()) + WAIT_MS; !(cond); sched_yield()) \
		if (clock_mono_ms(clock_system()) > end_)                                    \
	fail_msg("gave up waiting until %s", #cond)

/* ---- tests ---- */

static void one_whose_ping_succeeds_stays_online(void **state)
{
	struct rig *r = *state;
	struct str why = STR_NULL;

	assert_false(goes_offline(r, &why));
	assert_int_equal(atomic_load(&pings), 1);
	assert_null(why.p);
	assert_false(is_offline(r));
	assert_int_equal(probes_kept(r), 0);
}

static void one_whose_ping_fails_is_set_offline_and_probed(void **state)
{
	struct rig *r = *state;

	refuse(r);
	assert_true(is_offline(r));
	assert_int_equal(probes_kept(r), 1);
	assert_int_equal(probes(r).due_ms, clock_wall_ms(&r->w->clock.clock) + PROBE_FIRST_MS);
	refuse(r); /* another run found out too */
	assert_int_equal(probes_kept(r), 1);
}

static void a_ping_brings_it_back_and_wakes_its_jobs(void **state)
{
	struct rig *r = *state;

	refuse(r);
	struct str job = waiting_run(r);

	connection_pinged(&r->e, STR(ACCOUNT), r->connection);
	assert_false(is_offline(r));
	assert_int_equal(probes_kept(r), 0);
	assert_int_equal(rig_work(r), 1);
	assert_int_equal(rig_job(r, job).status, JOB_COMPLETED);
	connection_pinged(&r->e, STR(ACCOUNT), r->connection); /* nothing to do */
	assert_false(is_offline(r));
}

static void a_ping_leaves_alone_what_its_owner_set(void **state)
{
	struct rig *r = *state;

	rig_patch(r, "connection", r->connection, "{\"offline\":true}");
	(void)waiting_run(r);
	connection_pinged(&r->e, STR(ACCOUNT), r->connection);
	assert_true(is_offline(r));
	assert_int_equal(rig_work(r), 0);
}

static void a_probe_brings_it_back(void **state)
{
	struct rig *r = *state;
	struct prober p;

	refuse(r);
	struct str job = waiting_run(r);

	r->refuse_ping = false;
	atomic_store(&pings, 0);
	prober_start(&p, r);
	pass(&p, PROBE_FIRST_MS - 1);
	pass(&p, 1);
	wait_until(probes_kept(r) == 0);
	prober_stop(&p);
	assert_false(is_offline(r));
	assert_int_equal(atomic_load(&pings), 1);
	assert_int_equal(rig_work(r), 1);
	assert_int_equal(rig_job(r, job).status, JOB_COMPLETED);
}

static void the_pauses_grow_to_a_limit(void **state)
{
	struct rig *r = *state;
	int64_t pause = PROBE_FIRST_MS;
	struct prober p;

	refuse(r);
	prober_start(&p, r);
	while (pause < PROBE_LAST_MS) {
		unsigned before = atomic_load(&pings);

		pass(&p, pause);
		pause = MIN(2 * pause, PROBE_LAST_MS);
		wait_until(probes(r).pause_ms == pause);
		assert_int_equal(atomic_load(&pings), before + 1);
	}
	unsigned before = atomic_load(&pings);

	pass(&p, pause);
	wait_until(probes(r).due_ms > clock_wall_ms(&r->w->clock.clock));
	assert_int_equal(atomic_load(&pings), before + 1);
	assert_int_equal(probes(r).pause_ms, PROBE_LAST_MS);
	prober_stop(&p);
	assert_true(is_offline(r));
	assert_int_equal(probes_kept(r), 1);
}

/* The probe is in the store: the next process goes on with it. */
static void a_restart_takes_the_probe_up(void **state)
{
	struct rig *r = *state;
	struct prober p;

	refuse(r);
	prober_start(&p, r);
	prober_stop(&p);
	assert_int_equal(probes_kept(r), 1);
	r->refuse_ping = false;
	prober_start(&p, r);
	pass(&p, PROBE_FIRST_MS);
	wait_until(probes_kept(r) == 0);
	prober_stop(&p);
	assert_false(is_offline(r));
}

static void a_probe_ends_when_its_owner_was_faster(void **state)
{
	struct rig *r = *state;
	struct prober p;

	refuse(r);
	rig_patch(r, "connection", r->connection, "{\"offline\":false}");
	atomic_store(&pings, 0);
	prober_start(&p, r);
	pass(&p, PROBE_FIRST_MS);
	wait_until(probes_kept(r) == 0);
	prober_stop(&p);
	assert_int_equal(atomic_load(&pings), 0); /* nobody needs to be asked */
}

static void a_probe_of_what_is_gone_ends(void **state)
{
	struct rig *r = *state;
	struct prober p;

	refuse(r);
	assert_true(resource_remove(r->e.cfg.resources, STR(ACCOUNT), type_of(r->w, "connection"),
		r->connection, 0, false, r->w->a, &r->w->p));
	atomic_store(&pings, 0);
	prober_start(&p, r);
	pass(&p, PROBE_FIRST_MS);
	wait_until(probes_kept(r) == 0);
	prober_stop(&p);
	assert_int_equal(atomic_load(&pings), 0);
}

static bool put_probe(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_probe p = { STR_INIT(ACCOUNT), *(struct str *)arg, 1, PROBE_FIRST_MS };

	return store_probe_put(c, &p, 1, err);
}

#define MANY 1100 /* more than are looked at in one turn, many times over */

static void all_are_probed_however_many_there_are(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < MANY; i++) {
		struct str id = create(r->w, "connection",
			"{\"name\":\"away\",\"type\":\"rest\",\"offline\":true,"
			"\"rest\":{\"baseURI\":\"https://a.example\"}}")
					.id;

		assert_ok(store_write(r->w->store, put_probe, &id, &err));
	}
	r->refuse_ping = true;
	probes_run(&r->e);
	assert_int_equal(atomic_load(&pings), MANY);
	probes_run(&r->e); /* not before the pause is over */
	assert_int_equal(atomic_load(&pings), MANY);
	r->refuse_ping = false;
	clock_test_advance(&r->w->clock, 2 * PROBE_FIRST_MS);
	probes_run(&r->e);
	assert_int_equal(atomic_load(&pings), 2 * MANY);
	assert_int_equal(probes_kept(r), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_offline, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_whose_ping_succeeds_stays_online),
		TEST(one_whose_ping_fails_is_set_offline_and_probed),
		TEST(a_ping_brings_it_back_and_wakes_its_jobs),
		TEST(a_ping_leaves_alone_what_its_owner_set),
		TEST(a_probe_brings_it_back),
		TEST(the_pauses_grow_to_a_limit),
		TEST(a_restart_takes_the_probe_up),
		TEST(a_probe_ends_when_its_owner_was_faster),
		TEST(a_probe_of_what_is_gone_ends),
		TEST(all_are_probed_however_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
