/*
 * test_retry.c - records that are tried again: where they begin, what they are sent with, and what
 * becomes of the counts of the job that had them.
 */
#include "engine/rig.h"

static void refuse_in_one(struct rig *r UNUSED, struct str step, struct delivery *d)
{
	if (str_eq_z(step, "one"))
		rig_refuse(d);
}

static void refuse_in_two(struct rig *r UNUSED, struct str step, struct delivery *d)
{
	if (str_eq_z(step, "two"))
		rig_refuse(d);
}

static struct str two_steps(struct rig *r, const char *more)
{
	struct str steps[2] = { rig_import(r, "one", ""), rig_import(r, "two", "") };

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	return rig_flow(r, rig_export(r, "A", ""), steps, 2, more);
}

static void assert_adds_up(const struct store_job *j, uint64_t failed, uint64_t open)
{
	assert_int_equal(j->ledger.failed, failed);
	assert_int_equal(j->num_open_error, open);
	assert_int_equal(j->num_error, j->num_open_error + j->num_resolved);
}

static void a_record_that_fails_further_on_is_retried_there(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[2];
	struct str f = two_steps(r, "");

	r->ends = refuse_in_one;
	struct str job = rig_run(r, f);

	r->ends = refuse_in_two;
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_errors(r, job, e, 2), 1);
	r->ends = NULL;
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "one", "1"), 2); /* refused, then taken */
	assert_int_equal(rig_sent(r, "two", "1"), 2);
	struct store_job j = rig_job(r, job);

	assert_adds_up(&j, 0, 0);
}

/* It went on past the step that refused it: behind that step it has been already. */
static void a_record_that_proceeded_is_retried_at_its_step_only(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, ",\"proceedOnFailure\":true");

	r->ends = refuse_in_one;
	struct str job = rig_run(r, f);

	assert_int_equal(rig_sent(r, "two", "1"), 1);
	assert_int_equal(rig_retry(r, f), 1);
	struct store_job j = rig_job(r, job);

	assert_adds_up(&j, 1, 1); /* refused again: it is open still */
	r->ends = NULL;
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "two", "1"), 1);
	j = rig_job(r, job);
	assert_adds_up(&j, 0, 0);
}

static void a_step_that_is_gone_gets_nothing(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[2];
	struct str f = two_steps(r, "");

	r->ends = refuse_in_two;
	struct str job = rig_run(r, f);

	assert_int_equal(rig_errors(r, job, e, 2), 1);
	rig_patch(r, "flow", f,
		str_fmt(r->w->a, "{\"pageProcessors\":[{\"_importId\":\"%.*s\"}]}",
			STR_ARG(rig_import(r, "three", "")))
			.p);
	r->ends = NULL;
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, NULL, "1"), 2);
	assert_int_equal(rig_errors(r, job, e, 2), 1);
	assert_false(e[0].resolved);
	assert_non_null(strstr(e[0].message.p, "not part of the flow any more"));
	assert_true(e[0].retry_job_id.p == NULL);
	assert_true(str_eq_z(e[0].stage, "submit"));
}

/* Only numbers with v pass. */
#define NEEDS_NUMBER                                                                           \
	",\"transform\":{\"type\":\"expression\",\"expression\":{\"version\":\"1\",\"rules\":" \
	"[[{\"extract\":\"v\",\"generate\":\"v\",\"dataType\":\"number\"}]]}}"

static void a_record_that_failed_in_an_export_is_shaped_by_that_one(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[2];
	struct str a = rig_export(r, "A", ""), b = rig_export(r, "B", NEEDS_NUMBER);
	struct str f = create_fmt(r->w, "flow",
		"{\"name\":\"f\",\"pageGenerators\":[{\"_exportId\":\"%.*s\"},{\"_exportId\":\"%.*"
		"s\"}],"
		"\"_importId\":\"%.*s\"}",
		STR_ARG(a), STR_ARG(b), STR_ARG(rig_import(r, "i", "")))
			       .id;

	rig_source(r, 0, "A", "[{\"a\":1}]", NULL);
	rig_source(r, 1, "B", "[{\"v\":\"text\"}]", NULL);
	struct str job = rig_run(r, f);

	assert_int_equal(rig_errors(r, job, e, 2), 1);
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "i", "text"), 0);
	assert_int_equal(rig_errors(r, job, e, 2), 1);
	assert_int_equal(e[0].attempts, 2);
	/* mended: the export counts a success more, the destination none that it was not asked for */
	rig_patch(r, "export", b, "{\"transform\":null}");
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "i", "text"), 1);
	struct store_job j = rig_job(r, job), x = rig_child(r, job, 1);

	assert_adds_up(&j, 0, 0);
	assert_adds_up(&x, 0, 0);
	assert_int_equal(x.ledger.succeeded, 0);
	assert_int_equal(j.ledger.succeeded, 1);
}

static void a_flow_that_skips_retries_keeps_no_data(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[2];
	struct str i = rig_import(r, "i", "");
	struct str f = rig_flow(r, rig_export(r, "A", NEEDS_NUMBER), &i, 1, "");

	rig_source(r, 0, "A", "[{\"v\":\"text\"}]", NULL);
	rig_patch(r, "flow", f, "{\"skipRetries\":true}");
	assert_int_equal(rig_errors(r, rig_run(r, f), e, 2), 1);
	assert_true(e[0].retry_id.p == NULL);
}

static void unknown_in_two_refused_in_one(struct rig *r UNUSED, struct str step, struct delivery *d)
{
	if (str_eq_z(step, "one") && str_find(d->request, STR("2")) != STR_NPOS)
		rig_refuse(d);
	if (str_eq_z(step, "two")) {
		err_set(&d->err, ERR_TIMEOUT, "no answer");
		d->unknown = true;
	}
}

static void wait_in_one(struct rig *r, struct str step, struct delivery *d)
{
	if (!str_eq_z(step, "one") || r->worker.engine->completed > 0)
		return;
	d->deferred = true;
	d->err.retry_after_s = 100;
	r->worker.engine->completed = 1;
}

/* One record begins at the first step and makes the page wait; the other one joins at the second. */
static void what_may_have_arrived_is_sent_alike_also_behind_a_wait(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2}]", NULL);
	r->ends = unknown_in_two_refused_in_one;
	rig_run(r, f);
	assert_int_equal(rig_sent(r, "two", "1"), 1);
	struct str key = r->sent[r->sent_count - 1].key;

	r->ends = wait_in_one;
	atomic_store(&r->e.completed, 0);
	assert_int_equal(rig_retry(r, f), 2);
	assert_int_equal(rig_sent(r, "two", "1"), 1);
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	assert_int_equal(rig_sent(r, "two", "1"), 2);
	size_t with_key = 0;

	for (size_t i = 0; i < r->sent_count; i++)
		with_key += str_eq(r->sent[i].key, key);
	assert_int_equal(with_key, 2);
}

/* The answer's id is a number, and that is not base64. */
#define UNREADABLE                                                                  \
	",\"responseMapping\":{\"fields\":[{\"extract\":\"{{{base64Decode id}}}\"," \
	"\"generate\":\"got\"}]}"
#define READABLE ",\"responseMapping\":{\"fields\":[{\"extract\":\"id\",\"generate\":\"got\"}]}"

/* It was delivered once; only what the next step gets is made again, by the mapping as it is now. */
static void a_response_mapping_that_was_mended_goes_on_behind_its_step(void **state)
{
	struct rig *r = *state;
	struct store_job_error e[2];
	struct str steps[2] = { rig_import(r, "one", ""), rig_import(r, "two", "") };
	struct str f = rig_flow(r, rig_export(r, "A", ""), steps, 2, UNREADABLE);

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	struct str job = rig_run(r, f);
	struct store_job j = rig_job(r, job), x = rig_child(r, job, 0), one = rig_child(r, job, 1);

	assert_adds_up(&j, 0, 1);
	assert_adds_up(&x, 0, 0);
	assert_adds_up(&one, 0, 1);
	assert_int_equal(rig_errors(r, job, e, 2), 1);
	assert_true(str_eq_z(e[0].trace_key, "1") && str_eq(e[0].step_id, steps[0]));
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_errors(r, job, e, 2), 1);
	assert_int_equal(e[0].attempts, 2);
	rig_patch(r, "flow", f,
		str_fmt(r->w->a,
			"{\"pageProcessors\":[{\"_importId\":\"%.*s\"%s},{\"_importId\":\"%.*s\"}]"
			"}",
			STR_ARG(steps[0]), READABLE, STR_ARG(steps[1]))
			.p);
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "one", "1"), 1);
	assert_int_equal(rig_sent(r, "two", "77"), 1);
	j = rig_job(r, job);
	one = rig_child(r, job, 1);
	assert_adds_up(&j, 0, 0);
	assert_adds_up(&one, 0, 0);
	assert_int_equal(one.ledger.succeeded, 1);
}

/* ---- the counts of retries ---- */

/* Tries all open errors of the flow again; the retry's job. */
static struct str retry_job(struct rig *r, struct str flow)
{
	const struct retry_ask ask = { .filter = { .flow_id = flow, .state = ERRORS_OPEN },
		.by = STR_INIT("test") };
	struct retry_jobs jobs;
	struct err err = ERR_INIT;

	assert_ok(engine_retry(&r->e, STR(ACCOUNT), &ask, 1, r->w->a, &jobs, &err));
	assert_int_equal(jobs.count, 1);
	rig_work(r);
	return str_dup(r->w->a, id_str(&jobs.list[0].job_id));
}

static void assert_open(struct rig *r, struct str job, uint64_t errors, uint64_t open)
{
	struct store_job j = rig_job(r, job), sum = { .num_error = 0 };

	for (size_t i = 0; i < 3; i++) { /* the source and two steps */
		struct store_job c = rig_child(r, job, i);

		assert_int_equal(c.num_error, c.num_open_error + c.num_resolved);
		sum.num_error += c.num_error;
		sum.num_open_error += c.num_open_error;
	}
	assert_int_equal(j.num_error, errors);
	assert_int_equal(j.num_open_error, open);
	assert_int_equal(j.num_resolved, errors - open);
	assert_int_equal(sum.num_error, errors);
	assert_int_equal(sum.num_open_error, open);
}

struct resolving {
	struct str flow;
	bool resolve;
	uint64_t count;
};

static bool resolve_write(struct store_conn *c, void *arg, struct err *err)
{
	struct resolving *x = arg;
	const struct store_error_filter f = { .flow_id = x->flow };
	const struct store_resolution how = { x->resolve, STR_INIT("me"), 1 };

	return store_error_resolve(c, STR(ACCOUNT), &f, &how, &x->count, err);
}

static void resolve(struct rig *r, struct str flow, bool how)
{
	struct resolving x = { flow, how, 0 };
	struct err err = ERR_INIT;

	assert_ok(store_write(r->w->store, resolve_write, &x, &err));
	assert_int_equal(x.count, 1);
}

/* An error is open in its job, and in the last retry that it failed in. */
static void an_error_counts_as_open_in_the_last_retry_only(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	r->ends = refuse_in_one;
	struct str job = rig_run(r, f), first = retry_job(r, f);

	assert_open(r, first, 1, 1);
	r->ends = refuse_in_two;
	struct str second = retry_job(r, f);

	assert_open(r, first, 1, 0);
	assert_open(r, second, 1, 1);
	assert_open(r, job, 1, 1);
	r->ends = NULL;
	assert_open(r, retry_job(r, f), 0, 0);
	assert_open(r, first, 1, 0);
	assert_open(r, second, 1, 0);
	assert_open(r, job, 1, 0);
}

static void a_retrys_errors_are_resolved_and_opened_with_their_jobs(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	r->ends = refuse_in_one;
	struct str job = rig_run(r, f), retry = retry_job(r, f);

	resolve(r, f, true);
	assert_open(r, job, 1, 0);
	assert_open(r, retry, 1, 0);
	resolve(r, f, false);
	assert_open(r, job, 1, 1);
	assert_open(r, retry, 1, 1);
}

static void resolve_then_refuse(struct rig *r, struct str step UNUSED, struct delivery *d)
{
	resolve(r, r->job, true);
	rig_refuse(d);
}

static void what_somebody_resolves_during_a_retry_stays_so(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	r->ends = refuse_in_one;
	struct str job = rig_run(r, f);

	r->job = f;
	r->ends = resolve_then_refuse;
	assert_open(r, retry_job(r, f), 1, 0);
	assert_open(r, job, 1, 0);
}

/* ---- keys ---- */

static void break_in_one(struct rig *r UNUSED, struct str step, struct delivery *d)
{
	if (str_eq_z(step, "one"))
		rig_break(d);
}

static void fail_to_map(struct rig *r UNUSED, struct str step UNUSED, struct delivery *d)
{
	err_set(&d->err, ERR_LOOKUP, "nothing was found");
	d->stage = "lookup";
}

/* The key of the N-th sending to the first step, from 0. */
static struct str key_of(const struct rig *r, size_t n)
{
	for (size_t i = 0; i < r->sent_count; i++)
		if (str_eq_z(r->sent[i].step, "one") && n-- == 0)
			return r->sent[i].key;
	fail_msg("it was not sent so often");
	return STR_NULL;
}

/* It may have done the work all the same. */
static void an_application_that_failed_is_asked_again_under_the_same_key(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	r->ends = break_in_one;
	rig_run(r, f);
	assert_int_equal(rig_retry(r, f), 1);
	r->maps = fail_to_map; /* nothing is sent: it stays as it was */
	assert_int_equal(rig_retry(r, f), 1);
	r->maps = NULL;
	r->ends = NULL;
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "one", "1"), 3);
	assert_true(str_eq(key_of(r, 0), key_of(r, 1)));
	assert_true(str_eq(key_of(r, 0), key_of(r, 2)));
	assert_int_equal(rig_sent(r, "two", "1"), 1);
}

/* It said that it has not taken the record: that answer is all that the old key would bring again. */
static void a_record_that_was_refused_gets_a_new_key(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	r->ends = refuse_in_one;
	rig_run(r, f);
	r->ends = break_in_one;
	assert_int_equal(rig_retry(r, f), 1);
	r->ends = refuse_in_one;
	assert_int_equal(rig_retry(r, f), 1);
	r->ends = NULL;
	assert_int_equal(rig_retry(r, f), 1);
	assert_false(str_eq(key_of(r, 0), key_of(r, 1)));
	assert_true(str_eq(key_of(r, 1), key_of(r, 2)));
	assert_false(str_eq(key_of(r, 2), key_of(r, 3)));
}

struct rewriting {
	struct str retry_id, data;
};

static bool rewrite(struct store_conn *c, void *arg, struct err *err)
{
	const struct rewriting *x = arg;

	return store_retry_data_put(c, STR(ACCOUNT), x->retry_id, x->data, err);
}

/* As when a mapping was changed meanwhile: the record is the same, what is made of it is not. */
static void other_bytes_get_a_new_key(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");
	struct store_job_error e[1];
	struct err err;

	r->ends = break_in_one;
	assert_int_equal(rig_errors(r, rig_run(r, f), e, 1), 1);
	struct str data = rig_retry_data(r, &e[0]);
	size_t at = str_find(data, STR("{\"id\":1}"));

	assert_true(at != STR_NPOS);
	struct rewriting x = { e[0].retry_id,
		str_fmt(r->w->a, "%.*s{\"id\":2}%.*s", STR_ARG(str_sub(data, 0, at)),
			STR_ARG(str_from(data, at + 8))) };

	assert_ok(store_write(r->w->store, rewrite, &x, &err));
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "one", "2"), 1);
	assert_false(str_eq(key_of(r, 0), key_of(r, 1)));
}

static void ask_to_wait(struct rig *r UNUSED, struct str step UNUSED, struct delivery *d)
{
	d->deferred = true;
	d->err.retry_after_s = 100;
}

/* The page waits before its step has begun, and is read back from the store. */
static void the_key_is_known_also_behind_a_wait(void **state)
{
	struct rig *r = *state;
	struct str f = two_steps(r, "");

	r->ends = break_in_one;
	rig_run(r, f);
	r->ends = NULL;
	r->maps = ask_to_wait;
	assert_int_equal(rig_retry(r, f), 1);
	assert_int_equal(rig_sent(r, "one", "1"), 1);
	r->maps = NULL;
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	assert_int_equal(rig_sent(r, "one", "1"), 2);
	assert_true(str_eq(key_of(r, 0), key_of(r, 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_record_that_fails_further_on_is_retried_there),
		RIG_TEST(a_record_that_proceeded_is_retried_at_its_step_only),
		RIG_TEST(a_step_that_is_gone_gets_nothing),
		RIG_TEST(a_record_that_failed_in_an_export_is_shaped_by_that_one),
		RIG_TEST(a_flow_that_skips_retries_keeps_no_data),
		RIG_TEST(a_response_mapping_that_was_mended_goes_on_behind_its_step),
		RIG_TEST(what_may_have_arrived_is_sent_alike_also_behind_a_wait),
		RIG_TEST(an_error_counts_as_open_in_the_last_retry_only),
		RIG_TEST(a_retrys_errors_are_resolved_and_opened_with_their_jobs),
		RIG_TEST(what_somebody_resolves_during_a_retry_stays_so),
		RIG_TEST(an_application_that_failed_is_asked_again_under_the_same_key),
		RIG_TEST(a_record_that_was_refused_gets_a_new_key),
		RIG_TEST(other_bytes_get_a_new_key),
		RIG_TEST(the_key_is_known_also_behind_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
