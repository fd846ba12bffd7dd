/*
 * test_purge.c - old jobs go in slices with all that is theirs; evidence goes by size, the oldest
 * resolved first.
 */
#include "store_test.h"

struct purge {
	int64_t now_ms;
	size_t limit;
	uint64_t removed;
};

static bool purge(struct store_conn *c, void *arg, struct err *err)
{
	struct purge *p = arg;

	return store_job_purge(c, p->now_ms, p->limit, &p->removed, err);
}

static bool purge_configs(struct store_conn *c, void *arg, struct err *err)
{
	return store_config_purge(c, *(int64_t *)arg, 100, err);
}

struct old_job {
	struct fix *f;
	unsigned n, errors;
	int64_t purge_ms;
	enum job_status status;
};

/* A flow's job with a child that has the errors, a page and a configuration. */
static bool add_old(struct store_conn *c, void *arg, struct err *err)
{
	const struct old_job *o = arg;
	struct arena *a = o->f->a;
	struct store_job j = job_of(a, o->n), child = child_of(a, &j, JOB_IMPORT, o->n + 1);
	struct store_page page = { .account_id = ACCOUNT, .job_id = j.id, .body = STR("{}") };

	j.status = child.status = o->status;
	j.purge_ms = child.purge_ms = o->purge_ms;
	j.config_hash = str_fmt(a, "hash %u", o->n);
	if (!store_job_add(c, &j, err) || !store_job_add(c, &child, err) ||
		!store_page_put(c, &page, err) ||
		!store_config_put(c, ACCOUNT, j.config_hash, 1, STR("{}"), err))
		return false;
	for (unsigned i = 0; i < o->errors; i++) {
		struct store_job_error e = job_error_of(a, &child, o->n * 1000 + i);

		e.retry_id = id_of(a, o->n * 1000 + i + 500000);
		e.request = STR("POST /");
		if (!store_job_error_add(c, &e, STR("{\"data\":1}"), err))
			return false;
	}
	return true;
}

static bool there(struct fix *f, unsigned n)
{
	struct store_job j;
	struct err err = ERR_INIT;
	bool found = false;

	WITH_READER (f, c)
		found = store_job_get(c, f->a, ACCOUNT, id_of(f->a, n), &j, &err);
	return found;
}

static bool count_error(void *arg, const struct store_job_error *e UNUSED)
{
	++*(unsigned *)arg;
	return true;
}

static unsigned errors_of(struct fix *f, unsigned job)
{
	unsigned n = 0;
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_job_error_list(c, ACCOUNT, id_of(f->a, job), STR_NULL, 0,
			count_error, &n, &err));
	return n;
}

static uint64_t evidence(struct fix *f)
{
	uint64_t size = 0;
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_evidence_size(c, &size, &err));
	return size;
}

static void old_jobs_go(void **state)
{
	struct fix *f = *state;
	struct old_job due = { f, 10, 3, 1000, JOB_COMPLETED },
		       later = { f, 20, 1, 1001, JOB_FAILED },
		       runs = { f, 30, 1, 1000, JOB_RUNNING },
		       kept = { f, 40, 1, 0, JOB_COMPLETED };
	struct purge p = { 1000, 100, 0 };
	struct str config;
	struct err err;
	int64_t at = 0;

	write_ok(f, add_old, &due);
	write_ok(f, add_old, &later);
	write_ok(f, add_old, &runs);
	write_ok(f, add_old, &kept);
	assert_int_equal(evidence(f), 6 * 16);
	write_ok(f, purge, &p);
	assert_int_equal(p.removed, 2 + 3);
	assert_false(there(f, 10) || there(f, 11));
	assert_true(there(f, 20) && there(f, 21) && there(f, 30) && there(f, 40));
	assert_int_equal(evidence(f), 3 * 16);
	write_ok(f, purge, &p);
	assert_int_equal(p.removed, 0);
	/* what it began with goes when it is old and nobody has it */
	write_ok(f, purge_configs, &at);
	WITH_READER (f, c)
		assert_ok(store_config_get(c, f->a, ACCOUNT, STR("hash 10"), &config, &err));
	at = 1;
	write_ok(f, purge_configs, &at);
	WITH_READER (f, c) {
		assert_fails(store_config_get(c, f->a, ACCOUNT, STR("hash 10"), &config, &err),
			ERR_NOT_FOUND, "");
		assert_ok(store_config_get(c, f->a, ACCOUNT, STR("hash 20"), &config, &err));
	}
}

static void in_slices(void **state)
{
	struct fix *f = *state;
	struct old_job a = { f, 10, 25, 900, JOB_CANCELED }, b = { f, 20, 0, 901, JOB_COMPLETED };
	struct purge p = { 1000, 10, 0 };
	unsigned slices = 0;

	write_ok(f, add_old, &a);
	write_ok(f, add_old, &b);
	write_ok(f, purge, &p);
	assert_int_equal(p.removed, 10);
	assert_int_equal(errors_of(f, 10), 15);
	assert_int_equal(evidence(f), 15 * 16);
	for (; p.removed > 0; slices++) {
		assert_true(p.removed <= 20);
		write_ok(f, purge, &p);
	}
	assert_in_range(slices, 2, 4);
	assert_false(there(f, 10) || there(f, 20));
	assert_int_equal(evidence(f), 0);
}

static bool hand_to_retry(struct store_conn *c, void *arg, struct err *err)
{
	struct fix *f = arg;
	struct store_error_filter all = { .job_id = id_of(f->a, 10) };
	struct store_job retry = job_of(f->a, 90);
	uint64_t n;

	retry.type = JOB_RETRY;
	retry.status = JOB_RETRYING;
	return store_job_add(c, &retry, err) &&
	       store_error_mark_retry(c, ACCOUNT, &all, retry.id, &n, err);
}

static void a_retry_keeps_the_job(void **state)
{
	struct fix *f = *state;
	struct old_job a = { f, 10, 2, 900, JOB_COMPLETED };
	struct purge p = { 1000, 10, 0 };

	write_ok(f, add_old, &a);
	write_ok(f, hand_to_retry, f);
	write_ok(f, purge, &p);
	assert_int_equal(p.removed, 0);
	assert_true(there(f, 10));
}

static bool resolve_last(struct store_conn *c, void *arg, struct err *err)
{
	struct fix *f = arg;
	struct store_error_filter some = { .ids = str_fmt(f->a, "[\"%.*s\"]",
						   STR_ARG(id_of(f->a, 10002))) };
	struct store_resolution how = { true, STR("me"), 5 };
	uint64_t n;

	return store_error_resolve(c, ACCOUNT, &some, &how, &n, err);
}

struct removal {
	struct store_evidence *list;
	size_t count;
};

static bool remove_evidence(struct store_conn *c, void *arg, struct err *err)
{
	struct removal *r = arg;

	return store_evidence_remove(c, r->list, r->count, err);
}

static void evidence_by_size(void **state)
{
	struct fix *f = *state;
	struct old_job a = { f, 10, 3, 0, JOB_COMPLETED };
	struct removal r;
	struct err err;

	write_ok(f, add_old, &a);
	write_ok(f, resolve_last, f);
	WITH_READER (f, c)
		assert_ok(store_evidence_list(c, f->a, 2, &r.list, &r.count, &err));
	assert_int_equal(r.count, 2);
	assert_str(r.list[0].error_id, id_of(f->a, 10002).p); /* resolved */
	assert_str(r.list[1].error_id, id_of(f->a, 10000).p); /* the oldest */
	assert_int_equal(r.list[0].size, 16);
	write_ok(f, remove_evidence, &r);
	assert_int_equal(evidence(f), 16);
	assert_int_equal(errors_of(f, 10), 3);
	WITH_READER (f, c)
		assert_ok(store_evidence_list(c, f->a, 9, &r.list, &r.count, &err));
	assert_int_equal(r.count, 1);
	assert_str(r.list[0].error_id, id_of(f->a, 10001).p);
}

static void the_last_error(void **state)
{
	struct fix *f = *state;
	struct old_job a = { f, 10, 3, 0, JOB_COMPLETED };
	struct store_job_error e;
	struct err err;
	bool found = true;

	write_ok(f, add_old, &a);
	WITH_READER (f, c) {
		assert_ok(
			store_job_error_last(c, f->a, ACCOUNT, id_of(f->a, 10), &e, &found, &err));
		assert_true(found);
		assert_str(e.id, id_of(f->a, 10002).p);
		assert_ok(store_job_error_last(c, f->a, OTHER, id_of(f->a, 10), &e, &found, &err));
		assert_false(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_jobs_go, setup, teardown),
		cmocka_unit_test_setup_teardown(in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(a_retry_keeps_the_job, setup, teardown),
		cmocka_unit_test_setup_teardown(evidence_by_size, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
