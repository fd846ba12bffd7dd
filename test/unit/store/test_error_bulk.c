/*
 * test_error_bulk.c - many errors at once: each member of the filter under each of its leads, sums and
 * issues, resolving that keeps the counts of both jobs, and what is handed to a retry.
 *
 * How much memory a change of many takes is in test_job_error.c.
 */
#include "store_test.h"

#include "core/buf.h"

struct jobs {
	struct store_job parent, export, import;
};

struct add {
	struct store_job_error e;
	struct str data;
};

static bool add_error(struct store_conn *c, void *arg, struct err *err)
{
	const struct add *w = arg;

	return store_job_error_add(c, &w->e, w->data, err);
}

static void add(struct fix *f, const struct store_job_error *e, const char *data)
{
	struct add w = { *e, str_z(data) };

	write_ok(f, add_error, &w);
}

/* The error N of J: every second one can be tried again, every third is of another cause. */
static struct store_job_error error_of(struct fix *f, const struct store_job *j, unsigned n)
{
	struct store_job_error e = job_error_of(f->a, j, n);

	e.step_id = j->type == JOB_EXPORT ? STR("x") : STR("i");
	e.trace_key = str_fmt(f->a, "t%u", n);
	e.fingerprint = n % 3 == 0 ? STR("fp3") : STR("fp");
	e.code = n % 3 == 0 ? STR("timeout") : STR("422");
	e.source = n % 3 == 0 ? STR("connection") : STR("application");
	e.classification = n % 3 == 0 ? STR("connection") : STR("value");
	if (n % 2 == 0)
		e.retry_id = id_of(f->a, 1000 + n);
	return e;
}

/* Errors 10 to 21: 10 and 11 of the export, the others of the import. */
static struct jobs world(struct fix *f)
{
	struct jobs j = { .parent = job_of(f->a, 1) };

	j.export = child_of(f->a, &j.parent, JOB_EXPORT, 2);
	j.import = child_of(f->a, &j.parent, JOB_IMPORT, 3);
	j.export.num_error = j.export.num_open_error = 2;
	j.import.num_error = j.import.num_open_error = 10;
	j.parent.num_error = j.parent.num_open_error = 12;
	write_ok(f, add_job, &j.parent);
	write_ok(f, add_job, &j.export);
	write_ok(f, add_job, &j.import);
	for (unsigned n = 10; n <= 21; n++) {
		struct store_job_error e = error_of(f, n < 12 ? &j.export : &j.import, n);

		add(f, &e, e.retry_id.p == NULL ? NULL : "{\"id\":1}");
	}
	return j;
}

/* ---- lists ---- */

struct listed {
	struct buf text;
	size_t stop_at, count;
};

static bool list_one(void *arg, const struct store_job_error *e)
{
	struct listed *l = arg;

	buf_add_fmt(&l->text, "%lld ", (long long)e->record_index);
	return ++l->count != l->stop_at;
}

static void expect(struct fix *f, const struct store_error_filter *filter, const char *want)
{
	struct listed l = { .text = BUF_INIT(0) };
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_error_list(c, ACCOUNT, filter, STR_NULL, 0, list_one, &l, &err));
	assert_str(buf_str(&l.text), want);
	buf_free(&l.text);
}

#define ALL "10 11 12 13 14 15 16 17 18 19 20 21 "

static void each_member_narrows(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	struct str ids = str_fmt(f->a, "[\"%.*s\",\"%.*s\",\"%.*s\"]", STR_ARG(id_of(f->a, 11)),
		STR_ARG(id_of(f->a, 12)), STR_ARG(id_of(f->a, 99)));
	const struct {
		struct store_error_filter filter;
		const char *want;
	} rows[] = {
		{ { .job_id = j.parent.id }, ALL },
		{ { .flow_id = j.parent.flow_id }, ALL },
		{ { .job_id = j.export.id }, "10 11 " },
		{ { .ids = ids }, "11 12 " },
		{ { .ids = ids, .job_id = j.import.id }, "12 " },
		{ { .ids = ids, .flow_id = STR("another") }, "" },
		{ { .flow_id = j.parent.flow_id, .step_id = STR("x") }, "10 11 " },
		{ { .flow_id = j.parent.flow_id, .fingerprint = STR("fp3") }, "12 15 18 21 " },
		{ { .job_id = j.export.id, .code = STR("timeout") }, "" },
		{ { .job_id = j.parent.id, .code = STR("timeout"), .step_id = STR("i") },
			"12 15 18 21 " },
		{ { .flow_id = j.parent.flow_id, .source = STR("connection") }, "12 15 18 21 " },
		{ { .job_id = j.parent.id,
			  .classification = STR("value"),
			  .trace_key = STR("t14") },
			"14 " },
		{ { .job_id = j.parent.id, .created_gte_ms = 12, .created_lte_ms = 14 },
			"12 13 14 " },
		{ { .flow_id = j.parent.flow_id, .created_gte_ms = 20 }, "20 21 " },
		{ { .job_id = id_of(f->a, 77) }, "" },
		{ { .job_id = j.parent.id, .state = ERRORS_RESOLVED }, "" },
		{ { .job_id = j.parent.id, .due_lte_ms = INT64_MAX }, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(f, &rows[i].filter, rows[i].want);
}

static void page_by_page(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	const struct store_error_filter filter = { .flow_id = j.parent.flow_id };
	struct listed l = { .text = BUF_INIT(0) };
	struct err err;

	WITH_READER (f, c) {
		assert_ok(store_error_list(c, ACCOUNT, &filter, STR_NULL, 3, list_one, &l, &err));
		assert_ok(store_error_list(c, ACCOUNT, &filter, id_of(f->a, 19), 5, list_one, &l,
			&err));
		assert_fails(store_error_list(c, ACCOUNT, &filter, id_of(f->a, 99), 5, list_one, &l,
				     &err),
			ERR_NOT_FOUND, "there is no error");
		assert_ok(store_error_list(c, OTHER, &filter, STR_NULL, 0, list_one, &l, &err));
		l.stop_at = l.count + 1;
		assert_ok(store_error_list(c, ACCOUNT, &filter, STR_NULL, 0, list_one, &l, &err));
	}
	assert_str(buf_str(&l.text), "10 11 12 20 21 10 ");
	buf_free(&l.text);
}

/* ---- sums and issues ---- */

static bool sum_one(void *arg, const struct store_error_sum *s)
{
	buf_add_fmt(arg, "%.*s %llu %llu %lld-%lld, ", STR_ARG(s->step_id),
		(unsigned long long)s->count, (unsigned long long)s->retriable,
		(long long)s->oldest_ms, (long long)s->newest_ms);
	return true;
}

static bool issue_one(void *arg, const struct store_issue *i)
{
	buf_add_fmt(arg, "%.*s %.*s %.*s %llu %lld-%lld, ", STR_ARG(i->fingerprint),
		STR_ARG(i->step_id), STR_ARG(i->code), (unsigned long long)i->count,
		(long long)i->first_ms, (long long)i->last_ms);
	return true;
}

static struct str issues(struct fix *f, struct str flow_id, size_t limit)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_error_issues(c, ACCOUNT, flow_id, limit, issue_one, &b, &err));
	return str_dup(f->a, buf_str(&b));
}

static void sums_by_step_and_issues_by_cause(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	const struct store_error_filter filter = { .flow_id = j.parent.flow_id };
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_error_sums(c, ACCOUNT, &filter, sum_one, &b, &err));
	assert_str(buf_str(&b), "i 10 5 12-21, x 2 1 10-11, ");
	assert_str(issues(f, j.parent.flow_id, 10),
		"fp i 422 6 13-20, fp3 i timeout 4 12-21, fp x 422 2 10-11, ");
	assert_str(issues(f, j.parent.flow_id, 1), "fp i 422 6 13-20, ");
	assert_str(issues(f, STR("another"), 10), "");
}

/* ---- resolving ---- */

struct resolving {
	struct store_error_filter filter;
	struct store_resolution how;
	uint64_t count;
};

static bool resolve(struct store_conn *c, void *arg, struct err *err)
{
	struct resolving *r = arg;

	return store_error_resolve(c, ACCOUNT, &r->filter, &r->how, &r->count, err);
}

static void expect_job(struct fix *f, const struct store_job *j, uint64_t resolved, uint64_t open)
{
	struct store_job got;
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_job_get(c, f->a, ACCOUNT, j->id, &got, &err));
	assert_int_equal(got.num_resolved, resolved);
	assert_int_equal(got.num_open_error, open);
	assert_int_equal(got.num_error, resolved + open);
}

static bool check_resolved(void *arg, const struct store_job_error *e)
{
	(void)arg;
	assert_true(e->resolved);
	assert_int_equal(e->resolved_ms, 900);
	assert_str(e->resolved_by, "somebody");
	assert_null(e->retry_job_id.p);
	return true;
}

static void resolving_keeps_the_counts_of_both_jobs(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	struct resolving r = { .filter = { .job_id = j.parent.id, .code = STR("422") },
		.how = { true, STR_INIT("somebody"), 900 } };
	const struct store_error_filter resolved = { .job_id = j.parent.id,
		.state = ERRORS_RESOLVED };
	struct err err;

	write_ok(f, resolve, &r);
	assert_int_equal(r.count, 8);
	expect_job(f, &j.export, 2, 0);
	expect_job(f, &j.import, 6, 4);
	expect_job(f, &j.parent, 8, 4);
	expect(f, &resolved, "10 11 13 14 16 17 19 20 ");
	WITH_READER (f, c)
		assert_ok(store_error_list(c, ACCOUNT, &resolved, STR_NULL, 0, check_resolved, NULL,
			&err));
	write_ok(f, resolve, &r); /* they are: nothing to do */
	assert_int_equal(r.count, 0);
	expect_job(f, &j.parent, 8, 4);
	r.filter = (struct store_error_filter){ .flow_id = j.parent.flow_id, .step_id = STR("x") };
	r.how.resolve = false;
	write_ok(f, resolve, &r);
	assert_int_equal(r.count, 2);
	expect_job(f, &j.export, 0, 2);
	expect_job(f, &j.import, 6, 4);
	expect_job(f, &j.parent, 6, 6);
}

/* All of it, or nothing. */
static void resolving_that_fails_changes_nothing(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	struct resolving r = { .filter = { .job_id = j.parent.id },
		.how = { true, STR_INIT("somebody"), 900 } };
	const struct store_error_filter open = { .job_id = j.parent.id };
	struct err err = ERR_INIT;

	for (unsigned n = 2; n < 100; n++) { /* the first is the transaction's begin */
		fault_arm(FAULT_CALL, FAULT_ONCE, n);
		bool ok = store_write(f->s, resolve, &r, &err);

		fault_reset();
		if (!store_healthy(f->s, NULL))
			fix_reopen(f);
		if (ok)
			break;
		expect_job(f, &j.parent, 0, 12);
		expect_job(f, &j.import, 0, 10);
		expect(f, &open, ALL);
		err_clear(&err);
	}
	expect_job(f, &j.parent, 12, 0);
	expect(f, &open, "");
}

/* ---- retries ---- */

struct marking {
	struct store_error_filter filter;
	struct str job_id;
	uint64_t count;
};

static bool mark(struct store_conn *c, void *arg, struct err *err)
{
	struct marking *m = arg;

	return store_error_mark_retry(c, ACCOUNT, &m->filter, m->job_id, &m->count, err);
}

static bool add_flow(void *arg, struct str flow_id)
{
	buf_add_fmt(arg, "%.*s ", STR_ARG(flow_id));
	return true;
}

static struct str flows(struct fix *f, const struct store_error_filter *filter)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_error_flows(c, ACCOUNT, filter, add_flow, &b, &err));
	return str_dup(f->a, buf_str(&b));
}

static void only_open_errors_with_data_go_to_one_retry(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	struct store_job retry = job_of(f->a, 4), other = job_of(f->a, 5);
	struct marking m = { .filter = { .job_id = j.parent.id, .step_id = STR("i") },
		.job_id = retry.id };
	struct resolving r = { .filter = { .job_id = j.parent.id, .trace_key = STR("t12") },
		.how = { true, STR_INIT("somebody"), 900 } };

	retry.type = other.type = JOB_RETRY;
	write_ok(f, add_job, &retry);
	write_ok(f, add_job, &other);
	write_ok(f, resolve, &r);
	assert_str(flows(f, &m.filter), str_fmt(f->a, "%.*s ", STR_ARG(j.parent.flow_id)).p);
	write_ok(f, mark, &m);
	assert_int_equal(m.count, 4); /* 14 16 18 20 */
	assert_str(flows(f, &m.filter), "");
	m.job_id = other.id;
	write_ok(f, mark, &m);
	assert_int_equal(m.count, 0); /* the other one is at them */
	m.filter.step_id = STR_NULL;
	write_ok(f, mark, &m);
	assert_int_equal(m.count, 1); /* 10, of the export */
	r.filter.trace_key = STR("t14");
	write_ok(f, resolve, &r); /* takes it away from its retry */
	r.how.resolve = false;
	write_ok(f, resolve, &r);
	write_ok(f, mark, &m);
	assert_int_equal(m.count, 1);
}

static bool put_data(struct store_conn *c, void *arg, struct err *err)
{
	const struct str *id = arg;

	return store_retry_data_put(c, ACCOUNT, *id, STR("{\"id\":2}"), err);
}

static void retry_data_is_found_and_changed(void **state)
{
	struct fix *f = *state;
	struct str id = id_of(f->a, 1014), none = id_of(f->a, 1013), data;
	struct store_job_error e = { .record_index = -7 };
	struct err err;

	(void)world(f);
	write_ok(f, put_data, &id);
	assert_fails(store_write(f->s, put_data, &none, &err), ERR_NOT_FOUND, none.p);
	WITH_READER (f, c) {
		assert_fails(store_error_of_retry(c, f->a, ACCOUNT, none, &e, &err), ERR_NOT_FOUND,
			"there is no retry data");
		assert_fails(store_error_of_retry(c, f->a, OTHER, id, &e, &err), ERR_NOT_FOUND, "");
		assert_int_equal(e.record_index, -7);
		assert_ok(store_error_of_retry(c, f->a, ACCOUNT, id, &e, &err));
		assert_int_equal(e.record_index, 14);
		assert_ok(store_retry_data_get(c, f->a, ACCOUNT, id, &data, &err));
		assert_str(data, "{\"id\":2}");
	}
}

static bool add_due(void *arg, struct str account_id, struct str flow_id)
{
	buf_add_fmt(arg, "%c:%.*s ", account_id.p[0], STR_ARG(str_sub(flow_id, 23, 24)));
	return true;
}

static struct str due(struct fix *f, int64_t now_ms, size_t limit)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_error_due(c, now_ms, limit, add_due, &b, &err));
	return str_dup(f->a, buf_str(&b));
}

static void what_is_due_by_itself(void **state)
{
	struct fix *f = *state;
	struct jobs j = world(f);
	struct store_job_error e = error_of(f, &j.import, 30);
	struct marking m = { .filter = { .flow_id = j.parent.flow_id, .due_lte_ms = 500 },
		.job_id = id_of(f->a, 4) };
	struct store_job retry = job_of(f->a, 4);

	retry.type = JOB_RETRY;
	write_ok(f, add_job, &retry);
	assert_str(due(f, INT64_MAX, 10), "");
	e.next_retry_ms = 500;
	add(f, &e, "{}");
	e = error_of(f, &j.import, 32);
	e.next_retry_ms = 400;
	add(f, &e, "{}");
	assert_str(due(f, 399, 10), "");
	assert_str(due(f, 400, 10), "a:1 ");
	assert_str(due(f, 500, 10), "a:1 "); /* a flow is named once */
	assert_str(due(f, 500, 0), "");
	m.filter.due_lte_ms = 400;
	write_ok(f, mark, &m);
	assert_int_equal(m.count, 1);
	assert_str(due(f, 499, 10), ""); /* a retry is at it */
	assert_str(due(f, 500, 10), "a:1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_member_narrows),
		TEST(page_by_page),
		TEST(sums_by_step_and_issues_by_cause),
		TEST(resolving_keeps_the_counts_of_both_jobs),
		TEST(resolving_that_fails_changes_nothing),
		TEST(only_open_errors_with_data_go_to_one_retry),
		TEST(retry_data_is_found_and_changed),
		TEST(what_is_due_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
