/*
 * test_job_work.c - runs from claim to end: keys, waiting before the beginning, what an end leaves.
 */
#include "engine/rig.h"

#include "core/limits.h"

static struct str two_sources(struct rig *r, struct str import)
{
	struct str a = rig_export(r, "A", ""), b = rig_export(r, "B", "");

	return create_fmt(r->w, "flow",
		"{\"name\":\"f\",\"pageGenerators\":[{\"_exportId\":\"%.*s\"},{\"_exportId\":\"%.*"
		"s\"}],"
		"\"_importId\":\"%.*s\"}",
		STR_ARG(a), STR_ARG(b), STR_ARG(import))
		.id;
}

static void records_of_several_exports_have_keys_of_their_own(void **state)
{
	struct rig *r = *state;

	rig_source(r, 0, "A", "[{\"a\":1},{\"a\":2}]", NULL);
	rig_source(r, 1, "B", "[{\"b\":1},{\"b\":2}]", NULL);
	struct str job = rig_run(r, two_sources(r, rig_import(r, "i", "")));

	assert_int_equal(rig_job(r, job).status, JOB_COMPLETED);
	assert_int_equal(r->sent_count, 4);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(str_eq(r->sent[i].key, r->sent[j].key));
}

static void a_test_export_gives_its_limit_behind_another(void **state)
{
	struct rig *r = *state;
	struct str i = rig_import(r, "i", "");
	struct str f = two_sources(r, i);

	rig_source(r, 0, "A", "[{\"a\":1},{\"a\":2}]", NULL);
	rig_source(r, 1, "T", "[{\"t\":1},{\"t\":2},{\"t\":3}]", NULL);
	struct str t = rig_export(r, "T", ",\"type\":\"test\",\"test\":{\"limit\":2}");

	rig_patch(r, "flow", f,
		str_fmt(r->w->a,
			"{\"pageGenerators\":[{\"_exportId\":\"%.*s\"},{\"_exportId\":\"%.*s\"}]}",
			STR_ARG(rig_export(r, "A", "")), STR_ARG(t))
			.p);
	rig_run(r, f);
	assert_int_equal(rig_sent(r, "i", "\"t\""), 2);
}

/* It waits before it has begun: what it will do is what the flow says when it begins. */
static void a_flow_that_changed_while_its_run_waited_runs_as_it_is_now(void **state)
{
	struct rig *r = *state;
	struct str x = rig_export(r, "A", ""), one = rig_import(r, "one", ""),
		   two = rig_import(r, "two", "");
	struct str f = rig_flow(r, x, &one, 1, "");

	rig_source(r, 0, "A", "[{\"a\":1}]", NULL);
	rig_patch(r, "connection", r->connection, "{\"offline\":true}");
	struct str job = rig_run(r, f);

	assert_int_equal(rig_job(r, job).status, JOB_QUEUED);
	rig_patch(r, "flow", f,
		str_fmt(r->w->a,
			"{\"pageProcessors\":[{\"_importId\":\"%.*s\"},{\"_importId\":\"%.*s\"}]}",
			STR_ARG(one), STR_ARG(two))
			.p);
	rig_patch(r, "connection", r->connection, "{\"offline\":false}");
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	assert_int_equal(rig_job(r, job).status, JOB_COMPLETED);
	assert_int_equal(rig_sent(r, "two", "a"), 1);
}

static void wait_once(struct rig *r, struct str step UNUSED, struct delivery *d)
{
	if (str_find(d->request, STR("2")) == STR_NPOS || r->sent_count > 2)
		return;
	d->deferred = true;
	d->err.retry_after_s = 100;
}

/* The documents are kept also when the run waited before it began. */
static void a_run_that_waited_twice_goes_on(void **state)
{
	struct rig *r = *state;
	struct str one = rig_import(r, "one", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &one, 1, "");

	rig_source(r, 0, "A", "[{\"a\":1},{\"a\":2}]", NULL);
	r->ends = wait_once;
	rig_patch(r, "connection", r->connection, "{\"offline\":true}");
	struct str job = rig_run(r, f);

	rig_patch(r, "connection", r->connection, "{\"offline\":false}");
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	assert_int_equal(rig_job(r, job).status, JOB_QUEUED);
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	struct store_job j = rig_job(r, job);

	assert_int_equal(j.status, JOB_COMPLETED);
	assert_int_equal(j.ledger.succeeded, 2);
	assert_int_equal(rig_child(r, job, 1).pages_processed, 1);
	assert_true(str_eq(r->sent[1].key, r->sent[2].key));
}

static bool cancel_write(struct store_conn *c, void *arg, struct err *err)
{
	return store_job_cancel(c, STR(ACCOUNT), *(struct str *)arg, STR("me"), 1, err);
}

/* Record 1 has passed the first step, record 2 waits there: both are kept as errors. */
static void a_canceled_page_loses_no_record_that_was_to_go_on(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[4];
	struct err err = ERR_INIT;
	struct str steps[2] = { rig_import(r, "one", ""), rig_import(r, "two", "") };
	struct str f = rig_flow(r, rig_export(r, "A", ""), steps, 2, "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2}]", NULL);
	r->ends = wait_once;
	struct str job = rig_run(r, f);

	assert_int_equal(rig_job(r, job).status, JOB_QUEUED);
	assert_ok(store_write(r->w->store, cancel_write, &job, &err));
	rig_work(r);
	assert_int_equal(rig_job(r, job).status, JOB_CANCELED);
	assert_int_equal(rig_child(r, job, 0).status, JOB_COMPLETED); /* the export had ended */
	assert_int_equal(rig_child(r, job, 1).status, JOB_CANCELED);
	assert_int_equal(rig_errors(r, job, e, 4), 2);
	assert_int_equal(rig_child(r, job, 1).ledger.failed, 1);
	assert_int_equal(rig_child(r, job, 2).ledger.failed, 1);
	assert_int_equal(rig_retry(r, f), 2);
	assert_int_equal(rig_sent(r, "one", "1"), 1);
	assert_int_equal(rig_sent(r, "two", "1"), 1);
	assert_int_equal(rig_sent(r, "two", "2"), 1);
}

/* Asked for between the claim and the worker's first look. */
static void a_cancel_right_behind_the_claim_is_seen(void **state)
{
	struct rig *r = *state;
	struct str one = rig_import(r, "one", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &one, 1, "");
	struct store_job j;
	struct err err = ERR_INIT;

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	struct str job = rig_ask(r, f);

	rig_claim(r, &j);
	assert_ok(store_write(r->w->store, cancel_write, &job, &err));
	job_work(&r->worker, &j, r->w->a);
	assert_int_equal(rig_job(r, job).status, JOB_CANCELED);
	assert_int_equal(r->sent_count, 0);
}

static void cancel_while_waiting(struct rig *r, struct str step UNUSED, struct delivery *d)
{
	struct err err = ERR_INIT;

	d->deferred = true;
	d->err.retry_after_s = 36000;
	assert_ok(store_write(r->w->store, cancel_write, &r->job, &err));
}

/* The worker has not heard of it when it puts the job aside for ten hours. */
static void a_canceled_job_does_not_wait_for_its_time(void **state)
{
	struct rig *r = *state;
	struct str one = rig_import(r, "one", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &one, 1, "");

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	r->ends = cancel_while_waiting;
	r->job = rig_ask(r, f);
	rig_work(r);
	assert_int_equal(rig_job(r, r->job).status, JOB_CANCELED);
}

static void wait_for_two(struct rig *r, struct str step UNUSED, struct delivery *d)
{
	if (str_find(d->request, STR("2")) == STR_NPOS || r->sent_count > 2)
		return;
	d->deferred = true;
	d->err.retry_after_s = 100;
}

static void what_was_delivered_before_a_wait_is_marked_as_done(void **state)
{
	struct rig *r = *state;
	struct str one = rig_import(r, "one", "");
	struct str x = create_fmt(r->w, "export",
		"{\"name\":\"A\",\"_connectionId\":\"%.*s\",\"type\":\"once\","
		"\"once\":{\"booleanField\":\"done\"},\"rest\":{\"relativeURI\":\"/a\","
		"\"once\":{\"relativeURI\":\"/o\"}}}",
		STR_ARG(r->connection))
			       .id;
	struct str f = rig_flow(r, x, &one, 1, "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2}]", NULL);
	r->ends = wait_for_two;
	struct str job = rig_run(r, f);

	assert_int_equal(rig_job(r, job).status, JOB_QUEUED);
	clock_test_advance(&r->w->clock, 600000);
	r->sources[0].answers[0] = "[]";
	rig_work(r);
	assert_int_equal(rig_job(r, job).status, JOB_COMPLETED);
	assert_int_equal(r->marked, 2);
}

static bool remove_connection(struct store_conn *c, void *arg, struct err *err)
{
	return store_resource_remove(c, STR(ACCOUNT), STR("connection"), *(struct str *)arg, 0,
		err);
}

/* The records of its page are failed with their data; nothing stays in work. */
static void a_waiting_run_whose_connection_is_gone_accounts_for_its_page(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[4];
	struct err err = ERR_INIT;
	struct str one = rig_import(r, "one", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &one, 1, "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2}]", NULL);
	r->ends = wait_once;
	struct str job = rig_run(r, f);

	assert_ok(store_write(r->w->store, remove_connection, &r->connection, &err));
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	struct store_job j = rig_job(r, job);

	assert_int_equal(j.status, JOB_FAILED);
	assert_int_equal(j.ledger.in_flight, 0);
	assert_int_equal(j.ledger.failed, 1);
	assert_int_equal(rig_child(r, job, 1).status, JOB_FAILED);
	assert_int_equal(rig_errors(r, job, e, 4), 2); /* the record, and why the run failed */
}

/* ---- a page that can't be read back ---- */

static bool damage_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct rig *r = arg;
	const struct store_page row = { .account_id = STR_INIT(ACCOUNT),
		.job_id = r->job,
		.body = STR_INIT("{\"fresh\":false,\"items\":[{\"i\":0,") };

	return store_page_put(c, &row, err);
}

static bool has_page(struct rig *r)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_page row;
	bool found;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_page_get(c, r->w->a, STR(ACCOUNT), r->job, &row, &found, &err));
	return found;
}

/* A run that waits with a page in work, of which nothing can be read any more. */
static struct str damaged(struct rig *r)
{
	struct str one = rig_import(r, "one", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &one, 1, "");
	struct err err = ERR_INIT;

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2}]", NULL);
	r->ends = wait_once;
	r->job = rig_run(r, f);
	assert_int_equal(rig_job(r, r->job).ledger.in_flight, 1);
	assert_ok(store_write(r->w->store, damage_write, r, &err));
	return f;
}

static void a_page_that_cannot_be_read_is_put_aside_behind_three_attempts(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[4];
	struct str f = damaged(r);

	clock_test_advance(&r->w->clock, 600000);
	for (uint32_t n = 1; n < LIMIT_JOB_ATTEMPTS; n++) {
		assert_int_equal(rig_work(r), 1);
		assert_int_equal(rig_job(r, r->job).status, JOB_QUEUED);
		assert_int_equal(rig_job(r, r->job).attempts, n);
		assert_true(has_page(r));
		clock_test_advance(&r->w->clock, LEASE_MS);
	}
	assert_int_equal(rig_work(r), 1);
	struct store_job j = rig_job(r, r->job);

	assert_int_equal(j.status, JOB_FAILED);
	assert_true(str_eq_z(j.error_code, "quarantined"));
	assert_true(str_find(j.error_message, STR("is damaged")) != STR_NPOS);
	assert_int_equal(j.ledger.in_flight, 0);
	assert_int_equal(j.ledger.failed, 1);
	assert_false(has_page(r));
	assert_int_equal(rig_errors(r, r->job, e, 4), 2); /* of the page, and why the run failed */
	assert_int_equal(j.num_error, 2);
	assert_true(str_find(e[0].message, STR("1 records were in work")) != STR_NPOS ||
		    str_find(e[1].message, STR("1 records were in work")) != STR_NPOS);
	r->job = rig_run(r, f); /* the flow goes on */
	assert_int_equal(rig_job(r, r->job).status, JOB_COMPLETED);
}

static void a_canceled_run_ends_although_its_page_cannot_be_read(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;

	damaged(r);
	assert_ok(store_write(r->w->store, cancel_write, &r->job, &err));
	assert_int_equal(rig_work(r), 1);
	struct store_job j = rig_job(r, r->job);

	assert_int_equal(j.status, JOB_CANCELED);
	assert_int_equal(j.ledger.in_flight, 0);
	assert_int_equal(j.ledger.failed, 1);
	assert_int_equal(j.num_error, 1);
	assert_false(has_page(r));
}

static bool resolve_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_error_filter f = { .job_id = *(struct str *)arg, .state = ERRORS_OPEN };
	const struct store_resolution how = { true, STR_INIT("me"), 1 };
	uint64_t count;

	return store_error_resolve(c, STR(ACCOUNT), &f, &how, &count, err) && count == 1;
}

static void an_error_of_a_run_that_could_not_begin_is_resolved_with_its_job(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct str one = rig_import(r, "one", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &one, 1, "");
	struct str job = rig_ask(r, f);

	rig_patch(r, "flow", f, "{\"disabled\":true}");
	rig_work(r);
	assert_int_equal(rig_job(r, job).status, JOB_FAILED);
	assert_int_equal(rig_job(r, job).num_open_error, 1);
	assert_ok(store_write(r->w->store, resolve_write, &job, &err));
	assert_int_equal(rig_job(r, job).num_open_error, 0);
	assert_int_equal(rig_child(r, job, 0).num_open_error, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(records_of_several_exports_have_keys_of_their_own),
		RIG_TEST(a_test_export_gives_its_limit_behind_another),
		RIG_TEST(a_flow_that_changed_while_its_run_waited_runs_as_it_is_now),
		RIG_TEST(a_run_that_waited_twice_goes_on),
		RIG_TEST(a_canceled_page_loses_no_record_that_was_to_go_on),
		RIG_TEST(a_cancel_right_behind_the_claim_is_seen),
		RIG_TEST(a_canceled_job_does_not_wait_for_its_time),
		RIG_TEST(an_error_of_a_run_that_could_not_begin_is_resolved_with_its_job),
		RIG_TEST(what_was_delivered_before_a_wait_is_marked_as_done),
		RIG_TEST(a_waiting_run_whose_connection_is_gone_accounts_for_its_page),
		RIG_TEST(a_page_that_cannot_be_read_is_put_aside_behind_three_attempts),
		RIG_TEST(a_canceled_run_ends_although_its_page_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
