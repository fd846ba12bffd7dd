/*
 * test_auto_retry.c - what may have passed by itself is tried again by itself, at growing distances.
 */
#include "engine/rig.h"

#include "engine/auto_retry.h"

#define MINUTE_MS ((int64_t)60000)

static void time_out(struct rig *r UNUSED, struct str step UNUSED, struct delivery *d)
{
	d->stage = "submit";
	err_set(&d->err, ERR_TIMEOUT, "no answer");
}

static void refuse(struct rig *r UNUSED, struct str step UNUSED, struct delivery *d)
{
	rig_refuse(d);
}

static struct str flow(struct rig *r)
{
	struct str i = rig_import(r, "i", "");

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	return rig_flow(r, rig_export(r, "A", ""), &i, 1, "");
}

/* Lets time pass; how many jobs came of it. */
static unsigned pass(struct rig *r, int64_t ms)
{
	clock_test_advance(&r->w->clock, ms);
	auto_retry_run(&r->e);
	return rig_work(r);
}

static void the_distances_grow_and_end(void **state)
{
	static const int64_t minutes[] = { 5, 30, 120 };
	struct rig *r = *state;
	struct store_job_error e[2];

	r->ends = time_out;
	struct str job = rig_run(r, flow(r));

	for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
		assert_int_equal(pass(r, minutes[i] * MINUTE_MS - 1), 0);
		assert_int_equal(pass(r, 1), 1);
		assert_int_equal(r->sent_count, i + 2);
	}
	assert_int_equal(pass(r, 1000 * MINUTE_MS), 0);
	assert_int_equal(rig_errors(r, job, e, 2), 1);
	assert_int_equal(e[0].attempts, 4);
	assert_int_equal(e[0].next_retry_ms, 0);
	assert_false(e[0].resolved);
}

static void one_that_gets_through_is_resolved(void **state)
{
	struct rig *r = *state;

	r->ends = time_out;
	struct str job = rig_run(r, flow(r));

	r->ends = NULL;
	assert_int_equal(pass(r, 5 * MINUTE_MS), 1);
	assert_int_equal(rig_job(r, job).num_open_error, 0);
	assert_int_equal(pass(r, 1000 * MINUTE_MS), 0);
}

static void what_will_not_pass_by_itself_waits_for_somebody(void **state)
{
	struct rig *r = *state;

	r->ends = refuse;
	rig_run(r, flow(r));
	assert_int_equal(pass(r, 1000 * MINUTE_MS), 0);
}

static void a_flow_may_say_that_it_wants_none(void **state)
{
	struct rig *r = *state;
	struct str f = flow(r);

	rig_patch(r, "flow", f, "{\"skipRetries\":true}");
	r->ends = time_out;
	rig_run(r, f);
	assert_int_equal(pass(r, 1000 * MINUTE_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(the_distances_grow_and_end),
		RIG_TEST(one_that_gets_through_is_resolved),
		RIG_TEST(what_will_not_pass_by_itself_waits_for_somebody),
		RIG_TEST(a_flow_may_say_that_it_wants_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
