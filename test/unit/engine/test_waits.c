/*
 * test_waits.c - what a job waits for: its own words, what stands before it, and what its adaptors tell, from
 * whichever thread.
 */
#include "engine/rig.h"

static struct str ask_flow(struct rig *r, struct str *job)
{
	struct str x = rig_export(r, "A", ""), i = rig_import(r, "i", "");
	struct str flow = rig_flow(r, x, &i, 1, "");

	*job = rig_ask(r, flow);
	return flow;
}

/* What the job waits for; NULL: nothing. */
static const struct json *waits_of(struct rig *r, const struct store_job *j)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str text;
	struct err err;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	text = engine_waits_for(&r->e, c, r->w->a, j);
	return text.p == NULL ? NULL : parse(r->w, text);
}

static void assert_waits(struct rig *r, const struct store_job *j, const char *what)
{
	const struct json *w = waits_of(r, j);

	if (what == NULL)
		assert_null(w);
	else
		assert_str(json_get_str(w, STR("what")), what);
}

static void works(struct rig *r, const struct store_job *j)
{
	memcpy(r->worker.job_id, j->id.p, ID_LEN);
	memcpy(r->worker.account_id, j->account_id.p, ID_LEN);
}

static void one_at_work_tells_the_longest_wait(void **state)
{
	struct rig *r = *state;
	int64_t now = clock_wall_ms(&r->w->clock.clock);
	struct store_job j;
	struct str id;

	ask_flow(r, &id);
	rig_claim(r, &j);
	works(r, &j);
	assert_waits(r, &j, NULL);
	worker_waits(&r->worker, now + 5000, "the shop");
	worker_waits(&r->worker, now + 2000, "somebody else");
	assert_waits(r, &j, "the shop");
	assert_str(json_get_str(waits_of(r, &j), STR("until")),
		str_to_z(r->w->a, time_iso(r->w->a, now + 5000)));
	clock_test_advance(&r->w->clock, 1000);
	worker_waits(&r->worker, now + 9000, "the shop, still");
	assert_waits(r, &j, "the shop, still");
	assert_str(json_get_str(waits_of(r, &j), STR("since")),
		str_to_z(r->w->a, time_iso(r->w->a, now))); /* one wait, made longer */
	clock_test_advance(&r->w->clock, 8000);
	assert_waits(r, &j, NULL); /* it is over */
	worker_waits(&r->worker, now + 20000, "another");
	assert_str(json_get_str(waits_of(r, &j), STR("since")),
		str_to_z(r->w->a, time_iso(r->w->a, now + 9000)));
	j.canceled_by = STR("me");
	assert_waits(r, &j, NULL); /* it will end now */
	memset(r->worker.job_id, 0, sizeof(r->worker.job_id));
}

static void one_in_the_queue(void **state)
{
	struct rig *r = *state;
	struct store_job first, second;
	struct str id, flow = ask_flow(r, &id);

	first = rig_job(r, id);
	assert_waits(r, &first, "a free worker: 1 job is worked at a time (--workers)");
	rig_claim(r, &first);
	second = rig_job(r, rig_ask(r, flow));
	assert_waits(r, &second, "another run of this flow goes on");
	assert_str(json_get_str(waits_of(r, &second), STR("_jobId")), first.id.p);
	second.not_before_ms = clock_wall_ms(&r->w->clock.clock) + 1000;
	assert_waits(r, &second, "the store, which failed while the job was at work");
	second.waiting_for = STR("{\"what\":\"a connection\"}");
	assert_waits(r, &second, "a connection");
	second.type = JOB_IMPORT; /* the child of a run: that says it */
	second.waiting_for = STR_NULL;
	assert_waits(r, &second, NULL);
}

/* Source and sink are on threads of their own, and whoever asks is on another. */
struct teller {
	struct thread thread;
	struct rig *rig;
	int64_t base_ms;
};

static void *tell(void *arg)
{
	struct teller *t = arg;

	for (int i = 1; i <= 500; i++)
		worker_waits(&t->rig->worker, t->base_ms + i, "an application");
	return NULL;
}

static void from_several_threads(void **state)
{
	struct rig *r = *state;
	int64_t now = clock_wall_ms(&r->w->clock.clock);
	struct teller t[2];
	struct store_job j;
	struct str id;

	ask_flow(r, &id);
	rig_claim(r, &j);
	works(r, &j);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		t[i].rig = r;
		t[i].base_ms = now + 1000 * (int64_t)(i + 1);
		thread_start(&t[i].thread, "teller", tell, &t[i]);
	}
	for (int i = 0; i < 100; i++) {
		const struct json *w = waits_of(r, &j);

		if (w != NULL)
			assert_str(json_get_str(w, STR("what")), "an application");
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		thread_join(&t[i].thread);
	assert_str(json_get_str(waits_of(r, &j), STR("until")),
		str_to_z(r->w->a, time_iso(r->w->a, now + 2500)));
	memset(r->worker.job_id, 0, sizeof(r->worker.job_id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(one_at_work_tells_the_longest_wait),
		RIG_TEST(one_in_the_queue),
		RIG_TEST(from_several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
