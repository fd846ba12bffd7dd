/*
 * test_bulk.c - actions on many errors: they are done in parts, and to their end, whatever comes in between.
 */
#include "engine/rig.h"

#include "engine/bulk.h"

#define MANY 1230 /* some whole parts, and a piece of one */

struct many {
	struct rig *r;
	struct str flow, job;
};

static bool add_many(struct store_conn *c, void *arg, struct err *err)
{
	struct many *m = arg;
	struct arena *a = m->r->w->a;
	struct store_job j = { .id = m->job,
		.account_id = STR_INIT(ACCOUNT),
		.flow_id = m->flow,
		.status = JOB_COMPLETED,
		.created_ms = 1,
		.started_ms = 1,
		.ended_ms = 2,
		.num_error = MANY };

	if (!store_job_add(c, &j, err))
		return false;
	for (size_t i = 0; i < MANY; i++) {
		struct store_job_error e = { .id = str_fmt(a, "5e03061cda2074002230%04zx", i),
			.account_id = j.account_id,
			.job_id = j.id,
			.flow_id = j.flow_id,
			.created_ms = (int64_t)(i / 7),
			.record_index = (int64_t)i,
			.stage = STR_INIT("submit"),
			.code = i % 2 == 0 ? STR("422") : STR("500"),
			.retry_id = str_fmt(a, "5e03061cda2074002231%04zx", i) };

		if (!store_job_error_add(c, &e, STR("{\"data\":{}}"), err))
			return false;
	}
	return true;
}

static struct many make_many(struct rig *r)
{
	struct str i = rig_import(r, "i", "");
	struct many m = { r, rig_flow(r, rig_export(r, "A", ""), &i, 1, ""),
		STR_INIT("5e03061cda20740022300f10") };
	struct err err = ERR_INIT;

	assert_ok(store_write(r->w->store, add_many, &m, &err));
	return m;
}

static bool count_sum(void *arg, const struct store_error_sum *s)
{
	*(struct store_error_sum *)arg = *s;
	return true;
}

static struct store_error_sum sum(struct many *m, enum error_state state)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct store_error_filter f = { .flow_id = m->flow, .state = state };
	struct store_error_sum s = { .count = 0 };
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(m->r->w->store, &c, &err));
	assert_ok(store_error_sums(c, STR(ACCOUNT), &f, count_sum, &s, &err));
	return s;
}

/* How many could be handed to a retry. */
static uint64_t free_ones(struct many *m)
{
	return sum(m, ERRORS_OPEN).retriable;
}

static bool has_actions(struct rig *r)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_action row;
	bool found = true;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_action_next(c, r->w->a, &row, &found, &err));
	return found;
}

static struct retry_jobs retry(struct many *m, const struct store_error_filter *f)
{
	const struct retry_ask ask = { .filter = *f, .by = STR_INIT("test") };
	struct retry_jobs jobs;
	struct err err = ERR_INIT;

	assert_ok(engine_retry(&m->r->e, STR(ACCOUNT), &ask, 1, m->r->w->a, &jobs, &err));
	return jobs;
}

/* ---- resolving ---- */

static uint64_t resolve(struct many *m, bool how, const char *code)
{
	struct resolve_ask ask = { .filter = { .job_id = m->job,
					   .code = code == NULL ? STR_NULL : str_z(code) },
		.resolve = how,
		.by = STR_INIT("me") };
	struct err err = ERR_INIT;

	assert_ok(engine_resolve(&m->r->e, STR(ACCOUNT), &ask, 1, &err));
	return ask.count;
}

static void many_are_resolved_and_opened_again(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);

	assert_int_equal(resolve(&m, true, "500"), MANY / 2);
	assert_int_equal(rig_job(r, m.job).num_open_error, MANY / 2);
	assert_int_equal(resolve(&m, true, NULL), MANY / 2);
	assert_int_equal(sum(&m, ERRORS_RESOLVED).count, MANY);
	assert_int_equal(rig_job(r, m.job).num_open_error, 0);
	assert_int_equal(resolve(&m, true, NULL), 0);
	assert_int_equal(resolve(&m, false, NULL), MANY);
	assert_int_equal(rig_job(r, m.job).num_open_error, MANY);
	assert_int_equal(sum(&m, ERRORS_OPEN).count, MANY);
	assert_false(has_actions(r));
}

/* ---- retries ---- */

static void many_are_handed_over_and_let_go(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	const struct store_error_filter f = { .flow_id = m.flow };
	struct err err = ERR_INIT;

	struct retry_jobs jobs = retry(&m, &f);

	assert_int_equal(jobs.count, 1);
	assert_int_equal(jobs.list[0].count, MANY);
	assert_int_equal(free_ones(&m), 0);
	assert_int_equal(retry(&m, &f).count, 0);
	assert_ok(
		engine_cancel(&r->e, STR(ACCOUNT), id_str(&jobs.list[0].job_id), STR("me"), &err));
	assert_int_equal(free_ones(&m), MANY);
	assert_false(has_actions(r));
	assert_int_equal(retry(&m, &f).list[0].count, MANY);
}

/* More ids than a part has, of which every second one is resolved already. */
static void those_that_are_named_are_handed_over(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	struct buf ids DEFER(buf_free) = BUF_INIT(0);
	struct store_error_filter f = { .job_id = m.job };

	for (size_t i = 0; i < 1100; i++)
		buf_add_fmt(&ids, "%s\"5e03061cda2074002230%04zx\"", i == 0 ? "[" : ",", i);
	buf_add_char(&ids, ']');
	f.ids = buf_str(&ids);
	assert_int_equal(resolve(&m, true, "422"), MANY / 2);
	assert_int_equal(retry(&m, &f).list[0].count, 550);
	assert_int_equal(free_ones(&m), MANY / 2 - 550);
}

/* ---- what a dead process left ---- */

static bool add_left(struct store_conn *c, void *arg, struct err *err)
{
	const struct bulk_action *x = arg;
	struct store_job j = { .id = x->id,
		.account_id = x->account_id,
		.type = JOB_RETRY,
		.flow_id = x->filter.flow_id,
		.created_ms = x->at_ms };

	return (x->what != BULK_RETRY || store_job_add(c, &j, err)) && bulk_add(c, x, err);
}

static struct bulk_action left(struct many *m, enum bulk_what what)
{
	struct bulk_action x = { .account_id = STR_INIT(ACCOUNT),
		.id = STR_INIT("5e03061cda20740022300f11"),
		.what = what,
		.filter = { .flow_id = m->flow, .code = STR_INIT("500") },
		.by = STR_INIT("me"),
		.at_ms = 5 };
	struct err err = ERR_INIT;

	assert_ok(store_write(m->r->w->store, add_left, &x, &err));
	return x;
}

/* The job has all that it was to have, before it begins. */
static void a_retry_that_was_left_is_not_begun_before_it_has_its_errors(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	struct bulk_action x = left(&m, BULK_RETRY);
	struct store_job j;

	assert_int_equal(rig_work(r), 0);
	bulk_do_left(&r->e);
	assert_false(has_actions(r));
	assert_int_equal(free_ones(&m), MANY / 2);
	rig_claim(r, &j);
	assert_true(str_eq(j.id, x.id));
}

static void a_retry_that_was_canceled_meanwhile_gets_nothing(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	struct bulk_action x = left(&m, BULK_RETRY);
	struct err err = ERR_INIT;

	assert_ok(engine_cancel(&r->e, STR(ACCOUNT), x.id, STR("me"), &err));
	assert_false(has_actions(r));
	bulk_do_left(&r->e);
	assert_int_equal(free_ones(&m), MANY);
}

static void resolving_that_was_left_is_done(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);

	left(&m, BULK_RESOLVE);
	bulk_do_left(&r->e);
	assert_int_equal(sum(&m, ERRORS_RESOLVED).count, MANY / 2);
	assert_int_equal(rig_job(r, m.job).num_resolved, MANY / 2);
	left(&m, BULK_REOPEN);
	bulk_do_left(&r->e);
	assert_int_equal(sum(&m, ERRORS_RESOLVED).count, 0);
	assert_false(has_actions(r));
}

static void an_action_that_is_asked_while_the_server_stops_is_done_later(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	struct resolve_ask ask = { .filter = { .job_id = m.job }, .resolve = true };
	struct err err = ERR_INIT;

	left(&m, BULK_RESOLVE);
	atomic_store(&r->e.stopping, true);
	assert_fails(engine_resolve(&r->e, STR(ACCOUNT), &ask, 1, &err), ERR_SHUTTING_DOWN, "");
	bulk_do_left(&r->e);
	assert_true(has_actions(r));
	atomic_store(&r->e.stopping, false);
	bulk_do_left(&r->e);
	assert_int_equal(sum(&m, ERRORS_RESOLVED).count, MANY / 2);
}

/* What is asked of several jobs at once is one intent: no part of it is left out, whenever the process ends. */
static void several_that_are_asked_at_once_are_all_done_later(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	struct resolve_ask asks[2] = { { .filter = { .job_id = m.job, .code = STR_INIT("500") },
					       .resolve = true,
					       .by = STR_INIT("me") },
		{ .filter = { .job_id = m.job }, .resolve = true, .by = STR_INIT("me") } };
	struct err err = ERR_INIT;

	atomic_store(&r->e.stopping, true);
	assert_fails(engine_resolve(&r->e, STR(ACCOUNT), asks, 2, &err), ERR_SHUTTING_DOWN, "");
	atomic_store(&r->e.stopping, false);
	assert_int_equal(sum(&m, ERRORS_RESOLVED).count, 0);
	bulk_do_left(&r->e);
	assert_int_equal(sum(&m, ERRORS_RESOLVED).count, MANY);
	assert_false(has_actions(r));
	asks[0].resolve = asks[1].resolve = false;
	assert_ok(engine_resolve(&r->e, STR(ACCOUNT), asks, 2, &err));
	assert_int_equal(asks[0].count, MANY / 2);
	assert_int_equal(asks[1].count, MANY / 2);
	assert_false(has_actions(r));
}

static void several_retries_are_all_begun(void **state)
{
	struct rig *r = *state;
	struct many m = make_many(r);
	const struct retry_ask asks[2] = { { .filter = { .job_id = m.job, .code = STR_INIT("500") },
						   .by = STR_INIT("test") },
		{ .filter = { .job_id = m.job }, .by = STR_INIT("test") } };
	struct retry_jobs jobs;
	struct err err = ERR_INIT;

	atomic_store(&r->e.stopping, true);
	assert_fails(engine_retry(&r->e, STR(ACCOUNT), asks, 2, r->w->a, &jobs, &err),
		ERR_SHUTTING_DOWN, "");
	atomic_store(&r->e.stopping, false);
	assert_int_equal(free_ones(&m), MANY);
	bulk_do_left(&r->e);
	assert_int_equal(free_ones(&m), 0); /* each retry has its half */
	assert_false(has_actions(r));
}

static bool add_nonsense(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_action row = { STR_INIT(ACCOUNT), STR_INIT("5e03061cda20740022300f12"),
		1, *(struct str *)arg };

	return store_action_put(c, &row, err);
}

static void an_action_that_nobody_knows_is_dropped(void **state)
{
	static const char *const bodies[] = { "", "{}", "{\"do\":\"dance\"}",
		"{\"do\":\"retry\"}" };
	struct rig *r = *state;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct str body = str_z(bodies[i]);

		assert_ok(store_write(r->w->store, add_nonsense, &body, &err));
		bulk_do_left(&r->e);
		assert_false(has_actions(r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(many_are_resolved_and_opened_again),
		RIG_TEST(many_are_handed_over_and_let_go),
		RIG_TEST(those_that_are_named_are_handed_over),
		RIG_TEST(a_retry_that_was_left_is_not_begun_before_it_has_its_errors),
		RIG_TEST(a_retry_that_was_canceled_meanwhile_gets_nothing),
		RIG_TEST(resolving_that_was_left_is_done),
		RIG_TEST(an_action_that_is_asked_while_the_server_stops_is_done_later),
		RIG_TEST(several_that_are_asked_at_once_are_all_done_later),
		RIG_TEST(several_retries_are_all_begun),
		RIG_TEST(an_action_that_nobody_knows_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
