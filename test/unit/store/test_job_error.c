/*
 * test_job_error.c - errors of a job in the order of their records, by the child's id and the flow
 * job's, page by page; and the record that failed, kept for a retry.
 */
#include "store_test.h"

#include <sqlite3.h>
#include <stdatomic.h>

struct add {
	struct store_job_error e;
	struct str data;
};

static bool add_error(struct store_conn *c, void *arg, struct err *err)
{
	const struct add *w = arg;

	return store_job_error_add(c, &w->e, w->data, err);
}

struct jobs {
	struct store_job parent, a, b;
};

static struct jobs three_jobs(struct fix *f)
{
	struct jobs j = { .parent = job_of(f->a, 1) };

	j.a = child_of(f->a, &j.parent, JOB_EXPORT, 2);
	j.b = child_of(f->a, &j.parent, JOB_IMPORT, 3);
	write_ok(f, add_job, &j.parent);
	write_ok(f, add_job, &j.a);
	write_ok(f, add_job, &j.b);
	return j;
}

struct seen {
	struct arena *a;
	char got[1024]; /* record indexes, in order */
	struct str last;
	size_t stop_at, count;
};

static bool see(void *arg, const struct store_job_error *e)
{
	struct seen *s = arg;
	size_t n = strlen(s->got);

	snprintf(s->got + n, sizeof(s->got) - n, "%s%lld", n == 0 ? "" : " ",
		(long long)e->record_index);
	s->last = str_dup(s->a, e->id);
	return ++s->count != s->stop_at;
}

static struct str expect(struct fix *f, struct str job, struct str after, size_t limit,
	const char *want)
{
	struct seen s = { .a = f->a };
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_job_error_list(c, ACCOUNT, job, after, limit, see, &s, &err));
	assert_string_equal(s.got, want);
	return s.last;
}

static void add_one(struct fix *f, const struct store_job *j, unsigned id, int64_t ms,
	int64_t record)
{
	struct add w = { .e = job_error_of(f->a, j, id) };

	w.e.created_ms = ms;
	w.e.record_index = record;
	write_ok(f, add_error, &w);
}

static void in_order_of_creation_then_record(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct str last;

	add_one(f, &j.b, 10, 200, 7);
	add_one(f, &j.b, 11, 100, 9);
	add_one(f, &j.b, 12, 100, 3);
	add_one(f, &j.a, 13, 100, 5);
	add_one(f, &j.a, 14, 100, -1); /* of no record */
	add_one(f, &j.b, 16, 300, 1);
	add_one(f, &j.b, 15, 300, 1); /* twice the same: by id */
	expect(f, j.b.id, STR_NULL, 0, "3 9 7 1 1");
	expect(f, j.a.id, STR_NULL, 0, "-1 5");
	expect(f, j.parent.id, STR_NULL, 0, "-1 3 5 9 7 1 1");
	expect(f, id_of(f->a, 99), STR_NULL, 0, "");
	/* page by page */
	last = expect(f, j.parent.id, STR_NULL, 3, "-1 3 5");
	add_one(f, &j.b, 20, 400, 40); /* behind: comes later */
	last = expect(f, j.parent.id, last, 3, "9 7 1");
	assert_str(last, id_of(f->a, 15).p);
	last = expect(f, j.parent.id, last, 3, "1 40");
	expect(f, j.parent.id, last, 3, "");
	last = expect(f, j.b.id, id_of(f->a, 12), 2, "9 7");
	expect(f, j.b.id, last, 0, "1 1 40");
}

static void a_list_refuses_and_stops(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct seen s = { .a = f->a, .stop_at = 2 };
	struct err err;

	for (unsigned n = 0; n < 5; n++)
		add_one(f, &j.b, 10 + n, 1, n);
	WITH_READER (f, c) {
		assert_ok(store_job_error_list(c, ACCOUNT, j.b.id, STR_NULL, 0, see, &s, &err));
		assert_string_equal(s.got, "0 1");
		assert_fails(store_job_error_list(c, ACCOUNT, j.b.id, id_of(f->a, 99), 0, see, &s,
				     &err),
			ERR_NOT_FOUND, "there is no error");
		assert_ok(store_job_error_list(c, OTHER, j.b.id, STR_NULL, 0, see, &s, &err));
		assert_string_equal(s.got, "0 1");
	}
}

static bool check_all(void *arg, const struct store_job_error *e)
{
	const struct store_job_error *w = arg;

	assert_str(e->account_id, ACCOUNT.p);
	assert_str(e->job_id, w->job_id.p);
	assert_str(e->flow_job_id, w->flow_job_id.p);
	assert_str(e->flow_id, w->flow_id.p);
	assert_str(e->step_id, "step");
	assert_int_equal(e->created_ms, w->created_ms);
	assert_str(e->stage, "submit");
	assert_str(e->source, "application");
	assert_str(e->code, "http_status");
	assert_str(e->message, w->message.p);
	assert_str(e->field, "field");
	assert_str(e->hint, "hint");
	assert_str(e->trace_key, "trace");
	assert_int_equal(e->record_index, INT64_MAX);
	assert_str(e->request, "POST");
	assert_str(e->response, "");
	assert_non_null(e->response.p);
	assert_true(e->resolved);
	assert_str(e->retry_id, w->retry_id.p);
	return true;
}

static void every_column_comes_back(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct add w = { .e = job_error_of(f->a, &j.b, 10), .data = STR("{\"a\":1}") };
	struct str data;
	struct err err;

	w.e.step_id = STR("step");
	w.e.field = STR("field");
	w.e.hint = STR("hint");
	w.e.trace_key = STR("trace");
	w.e.record_index = INT64_MAX;
	w.e.request = STR("POST");
	w.e.response = STR("");
	w.e.resolved = true;
	w.e.retry_id = id_of(f->a, 500);
	write_ok(f, add_error, &w);
	WITH_READER (f, c) {
		assert_ok(store_job_error_list(c, ACCOUNT, j.b.id, STR_NULL, 0, check_all, &w.e,
			&err));
		assert_ok(store_retry_data_get(c, f->a, ACCOUNT, w.e.retry_id, &data, &err));
		assert_str(data, "{\"a\":1}");
		assert_fails(store_retry_data_get(c, f->a, OTHER, w.e.retry_id, &data, &err),
			ERR_NOT_FOUND, "there is no retry data");
	}
}

static void retry_data_goes_with_its_error(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct add w = { .e = job_error_of(f->a, &j.b, 10), .data = STR("{}") };
	struct err err;

	w.e.retry_id = id_of(f->a, 500);
	write_ok(f, add_error, &w);
	/* the key of the data is taken: the error is not there either */
	w.e.id = id_of(f->a, 11);
	assert_fails(store_write(f->s, add_error, &w, &err), ERR_CONFLICT, "");
	expect(f, j.b.id, STR_NULL, 0, "10");
	/* a job that does not exist */
	w.e.job_id = id_of(f->a, 77);
	w.e.retry_id = id_of(f->a, 501);
	assert_fails(store_write(f->s, add_error, &w, &err), ERR_CONFLICT, "there is no job");
	WITH_READER (f, c)
		assert_fails(store_retry_data_get(c, f->a, ACCOUNT, w.e.retry_id, &w.data, &err),
			ERR_NOT_FOUND, "retry data");
}

/* A job without a flow job above it: its own id is the root's. */
static void a_job_of_its_own(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);

	j.type = JOB_EXPORT;
	write_ok(f, add_job, &j);
	add_one(f, &j, 10, 1, 4);
	expect(f, j.id, STR_NULL, 0, "4");
}

struct handing {
	struct str job_id, retry_id;
	uint64_t count;
};

static bool hand_over(struct store_conn *c, void *arg, struct err *err)
{
	struct handing *h = arg;
	const struct store_error_filter filter = { .job_id = h->job_id };

	return store_error_mark_retry(c, ACCOUNT, &filter, h->retry_id, &h->count, err);
}

static bool cancel_retry(struct store_conn *c, void *arg, struct err *err)
{
	const struct handing *h = arg;

	return store_job_cancel(c, ACCOUNT, h->retry_id, STR("me"), 7000, err);
}

static bool release(struct store_conn *c, void *arg, struct err *err)
{
	const struct handing *h = arg;

	uint64_t n;

	return store_retry_release(c, ACCOUNT, h->retry_id, 500, &n, err);
}

/* A retry that never came to an error leaves it to the next one. */
static void what_a_retry_leaves_can_be_handed_on(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct store_job first = job_of(f->a, 4), second = job_of(f->a, 5);
	struct add w = { .e = job_error_of(f->a, &j.b, 10), .data = STR("{\"data\":{}}") };
	struct handing h = { j.parent.id, first.id, 0 };

	w.e.retry_id = id_of(f->a, 500);
	write_ok(f, add_error, &w);
	first.type = second.type = JOB_RETRY;
	write_ok(f, add_job, &first);
	write_ok(f, add_job, &second);
	write_ok(f, hand_over, &h);
	assert_int_equal(h.count, 1);
	write_ok(f, release, &h); /* it has not ended */
	write_ok(f, hand_over, &h);
	assert_int_equal(h.count, 0);
	write_ok(f, cancel_retry, &h);
	write_ok(f, release, &h);
	h.retry_id = second.id;
	write_ok(f, hand_over, &h);
	assert_int_equal(h.count, 1);
}

/* ---- many at once ---- */

/* The database's allocator, counted: the store has switched SQLite's own count off. */
static sqlite3_mem_methods below;
static atomic_llong used, peak;

static void *count_in(void *p)
{
	long long now = atomic_fetch_add(&used, p == NULL ? 0 : below.xSize(p));

	now += p == NULL ? 0 : below.xSize(p);
	for (long long old = atomic_load(&peak);
		old < now && !atomic_compare_exchange_weak(&peak, &old, now);)
		;
	return p;
}

static void *count_malloc(int n)
{
	return count_in(below.xMalloc(n));
}

static void count_free(void *p)
{
	atomic_fetch_sub(&used, below.xSize(p));
	below.xFree(p);
}

static void *count_realloc(void *p, int n)
{
	int size = below.xSize(p);
	void *q = below.xRealloc(p, n);

	if (q == NULL)
		return NULL;
	atomic_fetch_sub(&used, size);
	return count_in(q);
}

static void count_database_memory(void)
{
	sqlite3_mem_methods counted;

	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &below), SQLITE_OK);
	counted = below;
	counted.xMalloc = count_malloc;
	counted.xFree = count_free;
	counted.xRealloc = count_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &counted), SQLITE_OK);
}

#define MANY       2000
#define MANY_BYTES (6 << 20) /* less than the errors themselves */

struct many {
	struct fix *f;
	const struct store_job *job;
	struct store_error_filter filter;
	struct store_resolution how;
	uint64_t count;
};

/* Each fills a page of the database; all but each tenth can be tried again. */
static bool add_many(struct store_conn *c, void *arg, struct err *err)
{
	struct many *m = arg;
	char wide[3500];

	memset(wide, 'w', sizeof(wide));
	for (unsigned i = 0; i < MANY; i++) {
		struct add w = { .e = job_error_of(m->f->a, m->job, 1000 + i) };

		w.e.created_ms = 100 + i / 400; /* many of one instant */
		w.e.request = str_of(wide, sizeof(wide));
		if (i % 10 != 0) {
			w.e.retry_id = id_of(m->f->a, 100000 + i);
			w.data = STR("{}");
		}
		if (!add_error(c, &w, err))
			return false;
	}
	return true;
}

static bool mark_many(struct store_conn *c, void *arg, struct err *err)
{
	struct many *m = arg;

	return store_error_mark_retry(c, ACCOUNT, &m->filter, id_of(m->f->a, 4), &m->count, err);
}

static bool resolve_many(struct store_conn *c, void *arg, struct err *err)
{
	struct many *m = arg;

	return store_error_resolve(c, ACCOUNT, &m->filter, &m->how, &m->count, err);
}

/* How much memory the database took at most while FN changed what M says. */
static long long memory_of(struct many *m, store_fn fn)
{
	long long before = atomic_load(&used);
	struct err err;

	atomic_store(&peak, before);
	assert_ok(store_write_large(m->f->s, fn, m, &err));
	return atomic_load(&peak) - before;
}

static void a_change_of_many_is_complete_and_takes_little_memory(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct many m = { .f = f, .job = &j.b, .filter = { .flow_id = j.parent.flow_id } };
	const struct store_error_filter all[] = { { .flow_id = j.parent.flow_id },
		{ .job_id = j.parent.id }, { .job_id = j.b.id } };

	write_ok(f, add_many, &m);
	assert_in_range(memory_of(&m, mark_many), 0, MANY_BYTES);
	assert_int_equal(m.count, MANY / 10 * 9);
	write_ok(f, mark_many, &m);
	assert_int_equal(m.count, 0);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		m.filter = all[i];
		m.how = (struct store_resolution){ true, STR_INIT("somebody"), 200 };
		assert_in_range(memory_of(&m, resolve_many), 0, MANY_BYTES);
		assert_int_equal(m.count, MANY);
		m.how.resolve = false;
		write_ok(f, resolve_many, &m);
		assert_int_equal(m.count, MANY);
	}
	m.filter.created_gte_ms = 101;
	m.filter.created_lte_ms = 102;
	m.how.resolve = true;
	write_ok(f, resolve_many, &m);
	assert_int_equal(m.count, 800);
}

/* What is needed to undo the change goes into a file, which a full disk has no room for either. */
static void a_change_of_many_on_a_full_disk_is_undone(void **state)
{
	struct fix *f = *state;
	struct jobs j = three_jobs(f);
	struct many m = { .f = f,
		.job = &j.b,
		.filter = { .job_id = j.b.id },
		.how = { true, STR_INIT("somebody"), 200 } };
	struct err err;

	write_ok(f, add_many, &m);
	fault_arm(FAULT_WRITE_FULL, FAULT_FOR_EVER, 1);
	assert_fails(store_write_large(f->s, resolve_many, &m, &err), ERR_STORE, "full");
	fault_reset();
	write_ok(f, resolve_many, &m);
	assert_int_equal(m.count, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_order_of_creation_then_record),
		TEST(a_list_refuses_and_stops),
		TEST(every_column_comes_back),
		TEST(retry_data_goes_with_its_error),
		TEST(a_job_of_its_own),
		TEST(what_a_retry_leaves_can_be_handed_on),
		TEST(a_change_of_many_is_complete_and_takes_little_memory),
		TEST(a_change_of_many_on_a_full_disk_is_undone),
	};

	count_database_memory(); /* before the library starts */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
