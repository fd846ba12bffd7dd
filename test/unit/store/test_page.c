/*
 * test_page.c - the page that a job has in work: one at most, replaced as it goes on, gone with the job;
 * and the documents that jobs began with, kept once.
 */
#include "store_test.h"

static bool put_page(struct store_conn *c, void *arg, struct err *err)
{
	return store_page_put(c, arg, err);
}

static bool remove_page(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_page *p = arg;

	return store_page_remove(c, p->account_id, p->job_id, err);
}

static struct store_page page_of(const struct store_job *j, const char *body)
{
	return (struct store_page){ .account_id = j->account_id,
		.job_id = j->id,
		.body = str_z(body) };
}

/* The page of JOB; false: it has none, and OUT is as it was. */
static bool get(struct fix *f, struct str account, struct str job, struct store_page *out)
{
	bool found = false;
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_page_get(c, f->a, account, job, out, &found, &err));
	return found;
}

static void every_column_comes_back(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct store_page p = page_of(&j, "{\"items\":[]}"), got;

	p.page_index = INT64_MAX;
	p.step = 63;
	p.waiting = true;
	write_ok(f, add_job, &j);
	write_ok(f, put_page, &p);
	assert_true(get(f, ACCOUNT, j.id, &got));
	assert_str(got.account_id, ACCOUNT.p);
	assert_str(got.job_id, j.id.p);
	assert_int_equal(got.page_index, INT64_MAX);
	assert_int_equal(got.step, 63);
	assert_true(got.waiting);
	assert_str(got.body, "{\"items\":[]}");
}

static void a_job_has_one_at_most(void **state)
{
	struct fix *f = *state;
	struct store_job one = job_of(f->a, 1), two = job_of(f->a, 2);
	struct store_page p = page_of(&one, "1"), q = page_of(&two, "2"), got;

	write_ok(f, add_job, &one);
	write_ok(f, add_job, &two);
	p.waiting = true;
	write_ok(f, put_page, &p);
	write_ok(f, put_page, &q);
	p.page_index = 1;
	p.step = 2;
	p.waiting = false;
	p.body = STR("3");
	write_ok(f, put_page, &p);
	assert_true(get(f, ACCOUNT, one.id, &got));
	assert_int_equal(got.page_index, 1);
	assert_int_equal(got.step, 2);
	assert_false(got.waiting);
	assert_str(got.body, "3");
	assert_true(get(f, ACCOUNT, two.id, &got)); /* the other's is its own */
	assert_str(got.body, "2");
}

static void none_is_no_error(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct store_page p = page_of(&j, "1"), got = { .body = STR("untouched") };

	write_ok(f, add_job, &j);
	write_ok(f, remove_page, &p);
	assert_false(get(f, ACCOUNT, j.id, &got));
	write_ok(f, put_page, &p);
	assert_false(get(f, OTHER, j.id, &got)); /* nobody else sees it */
	write_ok(f, remove_page, &p);
	assert_false(get(f, ACCOUNT, j.id, &got));
	assert_str(got.body, "untouched");
}

static void a_page_needs_its_job(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct store_page p = page_of(&j, "1");
	struct err err;

	assert_fails(store_write(f->s, put_page, &p, &err), ERR_CONFLICT, "");
	assert_true(store_healthy(f->s, NULL));
}

/* ---- what jobs began with ---- */

struct config {
	struct str account_id, hash, text;
};

static bool put_config(struct store_conn *c, void *arg, struct err *err)
{
	const struct config *k = arg;

	return store_config_put(c, k->account_id, k->hash, 5, k->text, err);
}

static void the_documents_are_kept_once(void **state)
{
	struct fix *f = *state;
	struct config k = { ACCOUNT, STR("h1"), STR("{\"flow\":{}}") };
	struct str got = STR("untouched");
	struct err err;

	write_ok(f, put_config, &k);
	write_ok(f, put_config, &k); /* by another job */
	k.hash = STR("h2");
	k.text = STR("{}");
	write_ok(f, put_config, &k);
	WITH_READER (f, c) {
		assert_fails(store_config_get(c, f->a, OTHER, STR("h1"), &got, &err), ERR_NOT_FOUND,
			"not kept any more");
		assert_str(got, "untouched");
		assert_ok(store_config_get(c, f->a, ACCOUNT, STR("h1"), &got, &err));
		assert_str(got, "{\"flow\":{}}");
		assert_ok(store_config_get(c, f->a, ACCOUNT, STR("h2"), &got, &err));
		assert_str(got, "{}");
	}
}

/* Neither reading nor writing changes anything when the store fails under it. */
static void each_call_fails(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct store_page p = page_of(&j, "1"), q = page_of(&j, "2"), got = { .step = 9 };
	bool found = true;
	struct err err;

	write_ok(f, add_job, &j);
	write_ok(f, put_page, &p);
	fault_arm(FAULT_WRITE_FULL, FAULT_ONCE, 1);
	assert_fails(store_write(f->s, put_page, &q, &err), ERR_STORE, "full");
	fault_reset();
	assert_true(get(f, ACCOUNT, j.id, &got));
	assert_str(got.body, "1");
	got.step = 9;
	WITH_READER (f, c) {
		fault_arm(FAULT_CALL, FAULT_ONCE, 2); /* behind BEGIN */
		assert_fails(store_page_get(c, f->a, ACCOUNT, j.id, &got, &found, &err), ERR_STORE,
			"injected");
		fault_reset();
	}
	assert_true(found);
	assert_int_equal(got.step, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_column_comes_back),
		TEST(a_job_has_one_at_most),
		TEST(none_is_no_error),
		TEST(a_page_needs_its_job),
		TEST(the_documents_are_kept_once),
		TEST(each_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
