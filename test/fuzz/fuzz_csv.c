/*
 * fuzz_csv.c - any text as CSV: the first byte picks the dialect, the second how it is split.
 *
 * However the text is split, rows and error are the same; and what came out, written and read again,
 * comes out again.
 */
#include "data/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct csv_dialect dialects[] = {
	{ .headless = true },
	{ .headless = true, .trim = true },
	{ .headless = true, .column = '\t', .quote = '\'', .rows_to_skip = 1 },
	{ .headless = true, .column = ';', .row = { "~!", 2 } },
	{ .trim = true, .row = { "\r\n", 2 } },
};
static const struct csv_limits limits = { 40, 100, 8 };

/* The rows in WRITTEN by dialect D, the error in ERR. */
static void read_all(struct arena *a, const struct csv_dialect *d, struct str text, size_t step,
	struct buf *written, struct err *err)
{
	struct csv_reader *r = csv_reader_new(a, d, &limits);
	struct csv_row row;
	struct json_build b;
	enum csv_got got;

	while ((got = csv_next(r, &row, err)) == CSV_ROW || got == CSV_MORE) {
		size_t n = MIN(step, text.n);

		if (got == CSV_ROW) {
			struct err ignored = ERR_INIT;

			CHECK(row.count > 0);
			for (size_t i = 0; i < row.count; i++)
				CHECK(str_is_utf8(row.fields[i]));
			csv_write_row(written, d, row.fields, row.count);
			json_build_init(&b, a);
			if (csv_row_json(r, &row, &b, &ignored))
				CHECK(json_build_done(&b)->n <= row.count);
		} else if (n > 0) {
			csv_feed(r, str_of(text.p, n));
			text = str_from(text, n);
		} else {
			csv_finish(r);
		}
	}
	CHECK((got == CSV_FAILED) == (err->code != ERR_NONE));
	csv_reader_free(r);
}

static void read_back(struct arena *a, const struct csv_dialect *d, struct str text)
{
	struct csv_dialect again = *d;
	struct buf out = BUF_INIT(0);
	struct err err = ERR_INIT;

	again.headless = true;
	again.rows_to_skip = 0;
	read_all(a, &again, text, text.n, &out, &err);
	/* quotes make fields longer: a limit may be passed now */
	CHECK(err.code == ERR_LIMIT || (err.code == ERR_NONE && str_eq(buf_str(&out), text)));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct buf whole = BUF_INIT(0), split = BUF_INIT(0);
	struct err err = ERR_INIT, err_split = ERR_INIT;

	if (size < 2)
		return 0;
	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	const struct csv_dialect *d = &dialects[data[0] % ARRAY_LEN(dialects)];
	struct str text = str_of((const char *)data + 2, size - 2);

	read_all(a, d, text, text.n, &whole, &err);
	read_all(a, d, text, 1 + data[1] % 70, &split, &err_split);
	CHECK(str_eq(buf_str(&whole), buf_str(&split)));
	CHECK(err.code == err_split.code && str_eq_z(str_z(err.message), err_split.message));
	read_back(a, d, buf_str(&whole));
	buf_free(&whole);
	buf_free(&split);
	return 0;
}
