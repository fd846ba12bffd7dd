/*
 * test_page.c - pages and their pipe, from a source that is a script: how answers are cut into pages,
 * that nothing is fetched beyond the next page, that what came before a failure is delivered.
 */
#include "test.h"

#include <stdatomic.h>

#include "core/limits.h"
#include "core/thread.h"
#include "engine/page.h"

/* A source of `answers` answers of `size` records {"n":i}; fails in place of answer `fail_at`. */
struct source {
	unsigned answers, size, fail_at;
	size_t padding; /* bytes of text more in each record */
	atomic_uint asked;
	unsigned next_record;
};

static bool script_next(struct source *s, struct chunk *out, struct err *err)
{
	unsigned nth = atomic_fetch_add(&s->asked, 1) + 1;

	if (nth == s->fail_at)
		return err_set(err, ERR_RESPONSE, "answer %u is broken", nth);
	buf_add_char(&out->text, '[');
	for (unsigned i = 0; i < s->size; i++) {
		buf_add_fmt(&out->text, "%s{\"n\":%u,\"pad\":\"", i > 0 ? "," : "",
			s->next_record++);
		for (size_t k = 0; k < s->padding; k++)
			buf_add_char(&out->text, 'x');
		BUF_ADD_LIT(&out->text, "\"}");
	}
	buf_add_char(&out->text, ']');
	out->last = nth == s->answers;
	out->cursor = str_fmt(out->arena, "{\"answer\":%u}", nth + 1);
	return json_parse(out->arena, out->text.p, out->text.n, NULL, &out->records, err);
}

static const struct source_ops script_ops = { .next = script_next };

static struct pipe_stage *start(struct source *s, size_t page_size, uint64_t limit)
{
	return pipe_start(&(struct pipe_config){ .ops = &script_ops,
		.source = s,
		.page_size = page_size,
		.last_index = limit });
}

static int64_t number_of(const struct json *record)
{
	int64_t n = -1;

	assert_true(json_to_i64(json_get(record, STR("n")), &n));
	return n;
}

/* Takes all pages; checks that records come in order and none is lost. Returns how many pages. */
static unsigned drain(struct pipe_stage *p, size_t page_size, uint64_t *records, struct err *err)
{
	unsigned pages = 0;
	bool failed = false;
	struct page *page;

	*records = 0;
	while ((page = pipe_take(p, &failed, err)) != NULL) {
		pages++;
		assert_true(page->count <= page_size);
		assert_int_equal(page->first_index, *records);
		for (size_t i = 0; i < page->count; i++)
			assert_int_equal(number_of(page->records[i]), (*records)++);
		page_free(page);
	}
	assert_int_equal(failed, err->code != ERR_NONE);
	return pages;
}

static void cuts_answers_into_pages(void **state)
{
	static const struct {
		unsigned answers, size, page, pages;
	} cases[] = { { 1, 55, 20, 3 }, { 1, 70, 20, 4 }, { 3, 10, 20, 2 }, { 7, 3, 5, 5 },
		{ 40, 1, 16, 3 }, { 1, 20, 20, 1 }, { 2, 20, 20, 2 }, { 1, 1, 1000, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct source s = { .answers = cases[i].answers, .size = cases[i].size };
		struct pipe_stage *p = start(&s, cases[i].page, 0);
		struct err err = ERR_INIT;
		uint64_t records;

		assert_int_equal(drain(p, cases[i].page, &records, &err), cases[i].pages);
		assert_int_equal(records, cases[i].answers * cases[i].size);
		pipe_stop(p);
	}
}

static void an_empty_source_has_no_page(void **state)
{
	struct source s = { .answers = 3, .size = 0 };
	struct pipe_stage *p = start(&s, 20, 0);
	struct err err = ERR_INIT;
	uint64_t records;

	(void)state;
	assert_int_equal(drain(p, 20, &records, &err), 0);
	assert_int_equal(records, 0);
	assert_int_equal(atomic_load(&s.asked), 3);
	pipe_stop(p);
}

static void pages_before_a_failure_are_delivered(void **state)
{
	struct source s = { .answers = 9, .size = 7, .fail_at = 3 };
	struct pipe_stage *p = start(&s, 4, 0);
	struct err err = ERR_INIT;
	uint64_t records;

	(void)state;
	assert_int_equal(drain(p, 4, &records, &err), 4); /* 14 records: 4 4 4 2 */
	assert_int_equal(records, 14);
	assert_int_equal(err.code, ERR_RESPONSE);
	assert_string_equal(err.message, "answer 3 is broken");
	pipe_stop(p);
}

static void a_test_export_ends_at_its_limit(void **state)
{
	struct source s = { .answers = 100, .size = 10 };
	struct pipe_stage *p = start(&s, 4, 13);
	struct err err = ERR_INIT;
	uint64_t records;

	(void)state;
	assert_int_equal(drain(p, 4, &records, &err), 4);
	assert_int_equal(records, 13);
	assert_int_equal(atomic_load(&s.asked), 2);
	pipe_stop(p);
}

static void a_page_closes_at_its_byte_limit(void **state)
{
	struct source s = { .answers = 1, .size = 12, .padding = LIMIT_PAGE_BYTES / 4 };
	struct pipe_stage *p = start(&s, 1000, 0);
	struct err err = ERR_INIT;
	uint64_t records;

	(void)state;
	unsigned pages = drain(p, 1000, &records, &err);

	assert_int_equal(records, 12);
	assert_in_range(pages, 3, 4);
	pipe_stop(p);
}

static void nothing_is_fetched_beyond_the_next_page(void **state)
{
	struct source s = { .answers = 100, .size = 10 };
	struct pipe_stage *p = start(&s, 10, 0);
	struct err err = ERR_INIT;
	bool failed;

	(void)state;
	/* page 1 in hand, page 2 ready or on its way: answer 3 must not be asked for */
	struct page *first = pipe_take(p, &failed, &err), *second;

	while ((second = pipe_try_take(p)) == NULL)
		;
	assert_in_range(atomic_load(&s.asked), 2, 3);
	page_free(first);
	page_free(second);
	pipe_stop(p);
	assert_in_range(atomic_load(&s.asked), 2, 3);
}

static void stops_in_the_middle_without_a_leak(void **state)
{
	(void)state;
	for (int taken = 0; taken < 3; taken++) {
		struct source s = { .answers = 100, .size = 10 };
		struct pipe_stage *p = start(&s, 7, 0);
		struct err err = ERR_INIT;
		bool failed;

		for (int i = 0; i < taken; i++)
			page_free(pipe_take(p, &failed, &err));
		pipe_stop(p);
	}
}

static void cursors_say_where_the_next_page_begins(void **state)
{
	struct source s = { .answers = 2, .size = 10 };
	struct pipe_stage *p = start(&s, 6, 0);
	static const char *const cursors[] = { "{\"from\":null,\"skip\":6}",
		"{\"from\":{\"answer\":2},\"skip\":2}", "{\"from\":{\"answer\":2},\"skip\":8}",
		"{\"from\":{\"answer\":2},\"skip\":10}" };
	struct err err = ERR_INIT;
	struct page *page;
	bool failed;
	size_t i = 0;

	(void)state;
	while ((page = pipe_take(p, &failed, &err)) != NULL) {
		assert_true(i < ARRAY_LEN(cursors));
		assert_str(page->cursor, cursors[i]);
		i++;
		page_free(page);
	}
	assert_int_equal(i, 4);
	pipe_stop(p);
}

/* Whichever page an attempt ends behind, the cursors of the next attempt say where that one ends. */
static void cursors_of_a_resumed_source_go_on(void **state)
{
	struct source s = { .answers = 2, .size = 10 }; /* from answer 2 on */
	struct pipe_stage *p = pipe_start(&(struct pipe_config){ .ops = &script_ops,
		.source = &s,
		.page_size = 3,
		.first_index = 12,
		.from = STR("{\"answer\":2}"),
		.skip = 2 });
	static const char *const cursors[] = { "{\"from\":{\"answer\":2},\"skip\":5}",
		"{\"from\":{\"answer\":2},\"skip\":8}" };
	struct err err = ERR_INIT;
	bool failed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cursors); i++) {
		struct page *page = pipe_take(p, &failed, &err);

		assert_int_equal(page->first_index, 12 + 3 * i);
		assert_int_equal(number_of(page->records[0]), 2 + 3 * (int64_t)i);
		assert_str(page->cursor, cursors[i]);
		page_free(page);
	}
	pipe_stop(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_answers_into_pages),
		cmocka_unit_test(an_empty_source_has_no_page),
		cmocka_unit_test(pages_before_a_failure_are_delivered),
		cmocka_unit_test(a_test_export_ends_at_its_limit),
		cmocka_unit_test(a_page_closes_at_its_byte_limit),
		cmocka_unit_test(nothing_is_fetched_beyond_the_next_page),
		cmocka_unit_test(stops_in_the_middle_without_a_leak),
		cmocka_unit_test(cursors_say_where_the_next_page_begins),
		cmocka_unit_test(cursors_of_a_resumed_source_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
