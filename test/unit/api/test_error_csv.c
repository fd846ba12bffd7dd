/*
 * test_error_csv.c - errors as rows of the error file: what a spreadsheet makes of them, and that they can be
 * read back. What an edited file does is tested on the whole server.
 */
#include "exchange.h"

#include "arena_test.h"

#include "api/error_handlers.h"
#include "data/csv.h"

static const struct csv_dialect dialect = { .column = ',' };

/* Header and row of E, read back: cells by name. */
static struct str cell_of(const struct store_job_error *e, const char *name)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct csv_reader *r DEFER(csv_reader_freep) = csv_reader_new(a, &dialect, NULL);
	struct csv_row row;
	struct err err = ERR_INIT;
	size_t n;

	error_csv_header(&b);
	error_csv_row(e, &b);
	csv_feed(r, str_dup(a, buf_str(&b)));
	csv_finish(r);
	assert_int_equal(csv_next(r, &row, &err), CSV_ROW);
	const struct str *names = csv_header(r, &n);

	assert_int_equal(row.count, n);
	for (size_t i = 0; i < n; i++)
		if (str_eq_z(names[i], name))
			return str_dup(a, row.fields[i]);
	fail_msg("there is no column %s", name);
	return STR_NULL;
}

static struct store_job_error an_error(void)
{
	return (struct store_job_error){ .id = STR("5e03061cda20740022300f09"),
		.retry_id = STR("5e03061cda20740022300f0a"),
		.created_ms = 1497907629945,
		.code = STR("mapping_failed"),
		.message = STR("field \"x\": \"a,b\"\ncan't be made a number"),
		.source = STR("mapping"),
		.stage = STR("mapping"),
		.field = STR("x"),
		.trace_key = STR("17"),
		.classification = STR("value"),
		.attempts = 2 };
}

static void every_cell_has_its_column(void **state UNUSED)
{
	struct store_job_error e = an_error();
	static const char *const rows[][2] = { { "resolve", "false" }, { "retry", "false" },
		{ "createdAt", "2017-06-19T21:27:09.945Z" }, { "code", "mapping_failed" },
		{ "generate", "x" }, { "message", "field \"x\": \"a,b\"\ncan't be made a number" },
		{ "source", "mapping" }, { "_retryId", "5e03061cda20740022300f0a" },
		{ "_id", "5e03061cda20740022300f09" }, { "stage", "mapping" }, { "field", "x" },
		{ "traceKey", "17" }, { "classification", "value" }, { "attempts", "2" },
		{ "exportDataURI", "" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_str(cell_of(&e, rows[i][0]), rows[i][1]);
	e.resolved = true;
	assert_str(cell_of(&e, "resolve"), "true");
}

static void what_is_missing_is_empty(void **state UNUSED)
{
	struct store_job_error e = { .id = STR("5e03061cda20740022300f09") };

	assert_str(cell_of(&e, "message"), "");
	assert_str(cell_of(&e, "_retryId"), "");
	assert_str(cell_of(&e, "attempts"), "0");
}

/* A spreadsheet runs a cell that begins like a formula: what an application answered must not be run. */
static void formulas_are_made_text(void **state UNUSED)
{
	static const char *const formulas[] = { "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1" };

	for (size_t i = 0; i < ARRAY_LEN(formulas); i++) {
		struct store_job_error e = an_error();

		e.message = e.code = e.trace_key = e.source = str_z(formulas[i]);
		assert_str(cell_of(&e, "message"), str_fmt(a, "'%s", formulas[i]).p);
		assert_int_equal(cell_of(&e, "code").p[0], '\'');
		assert_int_equal(cell_of(&e, "traceKey").p[0], '\'');
		assert_int_equal(cell_of(&e, "source").p[0], '\'');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ARENA_TEST(every_cell_has_its_column),
		ARENA_TEST(what_is_missing_is_empty),
		ARENA_TEST(formulas_are_made_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
