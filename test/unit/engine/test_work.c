/*
 * test_work.c - pages in work and their form in the store: what is kept of each record.
 */
#define CORE_ALLOCATES /* a page is freed by page_free() */
#include "test.h"

#include "engine/work.h"

static struct page *page_of(const char *records)
{
	struct page *p = calloc(1, sizeof(*p));
	const struct json *list;
	struct err err = ERR_INIT;

	p->arena = arena_new("page", 0);
	assert_ok(json_parse_copy(p->arena, str_z(records), &list, &err));
	p->records = arena_array_of(p->arena, const struct json *, list->n);
	for (json_each (it, list))
		p->records[p->count++] = it;
	p->first_index = 7;
	return p;
}

static struct work *again(const struct work *w)
{
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	struct work *back;
	struct err err = ERR_INIT;

	work_print(w, &text);
	const struct store_page row = { .job_id = STR_INIT("j"),
		.step = w->step,
		.page_index = w->number,
		.body = buf_str(&text) };

	assert_ok(work_read(&row, &back, &err));
	return back;
}

static void prepare(struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		w->d[i].request = str_fmt(w->arena, "request %zu", i);
}

static void what_is_on_its_way_is_sent_again_to_the_byte(void **state UNUSED)
{
	struct work *w = work_new(page_of("[{\"id\":1},{\"id\":2}]"), 3);

	work_begin_step(w, 1, STR("job"));
	prepare(w);
	struct work *back = again(w);

	assert_int_equal(back->n, 2);
	assert_int_equal(back->step, 1);
	assert_true(str_eq_z(back->d[1].request, "request 1"));
	assert_true(str_eq_z(back->d[1].key, "job-1-8"));
	assert_true(back->d[1].in_doubt);
	work_free(back);
	work_free(w);
}

static void what_waits_is_not_in_doubt_unless_it_was(void **state UNUSED)
{
	struct work *w = work_new(page_of("[{\"id\":1},{\"id\":2},{\"id\":3}]"), 0);

	work_begin_step(w, 0, STR("job"));
	prepare(w);
	for (size_t i = 0; i < 3; i++)
		w->d[i].deferred = true;
	w->d[1].unknown = true;
	w->d[2].in_doubt = true; /* and was not come to now */
	struct work *back = again(w);

	assert_false(back->d[0].in_doubt);
	assert_true(back->d[1].in_doubt);
	assert_true(back->d[2].in_doubt);
	work_free(back);
	work_free(w);
}

static void a_request_that_a_retry_brings_waits_for_its_step(void **state UNUSED)
{
	struct work *w = work_new(page_of("[{\"id\":1},{\"id\":2}]"), 0);

	w->items[1].first_step = 1;
	w->items[1].request = STR("old");
	w->items[1].key = STR("old key");
	w->items[1].request_hash = STR("hash");
	w->items[1].proceeded = true;
	work_begin_step(w, 0, STR("job"));
	assert_int_equal(w->n, 1);
	prepare(w);
	struct work *back = again(w);

	assert_int_equal(back->n, 1);
	assert_true(str_eq_z(back->items[1].request, "old"));
	assert_true(str_eq_z(back->items[1].key, "old key"));
	assert_true(str_eq_z(back->items[1].request_hash, "hash"));
	assert_int_equal(back->items[1].first_step, 1);
	assert_true(back->items[1].proceeded);
	work_free(back);
	work_free(w);
}

static void what_stopped_is_not_kept(void **state UNUSED)
{
	struct work *w = work_new(page_of("[{\"id\":1},{\"id\":2}]"), 0);

	w->items[0].stopped = true;
	work_begin_step(w, 0, STR("job"));
	prepare(w);
	struct work *back = again(w);

	assert_int_equal(back->count, 1);
	assert_int_equal(back->items[0].index, 8);
	work_free(back);
	work_free(w);
}

static void a_damaged_page_is_refused(void **state UNUSED)
{
	static const char *const bad[] = { "", "{}", "{\"items\":[{}]}",
		"{\"items\":[{\"i\":0,\"f\":\"d\",\"r\":{}}]}", "{\"items\":[{\"i\":0" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct store_page row = { .job_id = STR_INIT("j"), .body = str_z(bad[i]) };
		struct work *w;
		struct err err = ERR_INIT;

		assert_false(work_read(&row, &w, &err));
		assert_int_equal(err.code, ERR_STORE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_on_its_way_is_sent_again_to_the_byte),
		cmocka_unit_test(what_waits_is_not_in_doubt_unless_it_was),
		cmocka_unit_test(a_request_that_a_retry_brings_waits_for_its_step),
		cmocka_unit_test(what_stopped_is_not_kept),
		cmocka_unit_test(a_damaged_page_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
