/*
 * test_csv.c - rows as they come out of texts, however those are split; errors by row and column;
 * and that what is written is read back.
 */
#include "test.h"

#include "core/limits.h"
#include "core/rng.h"
#include "data/csv.h"

static const struct csv_dialect plain = { .headless = true };

/* All rows as "a|b" lines, the error's message behind a '!'. STEP bytes are fed at once. */
static struct str read_all(struct arena *a, const struct csv_dialect *d,
	const struct csv_limits *limits, struct str text, size_t step)
{
	struct csv_reader *r DEFER(csv_reader_freep) = csv_reader_new(a, d, limits);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	struct csv_row row;
	enum csv_got got;

	for (;;) {
		while ((got = csv_next(r, &row, &err)) == CSV_ROW) {
			for (size_t i = 0; i < row.count; i++) {
				buf_add_str(&out, i > 0 ? STR("|") : STR(""));
				buf_add_str(&out, row.fields[i]);
			}
			buf_add_char(&out, '\n');
		}
		if (got != CSV_MORE)
			break;
		size_t n = MIN(step, text.n);

		if (n > 0)
			csv_feed(r, str_of(text.p, n));
		else
			csv_finish(r);
		text = str_from(text, n);
	}
	if (got == CSV_FAILED) {
		buf_add_char(&out, '!');
		buf_add_str(&out, str_z(err.message));
		assert_int_equal(csv_next(r, &row, NULL), CSV_FAILED);
	}
	return str_dup(a, buf_str(&out));
}

static void check(const struct csv_dialect *d, const struct csv_limits *limits, struct str text,
	const char *want)
{
	for (size_t step = 1; step <= text.n + 1; step++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);

		assert_str(read_all(a, d, limits, text, step), want);
	}
}

static void rows_and_quotes(void **state UNUSED)
{
	check(&plain, NULL, STR(""), "");
	check(&plain, NULL, STR("a,b\nc,d"), "a|b\nc|d\n");
	check(&plain, NULL, STR("a,b\r\nc,d\re,f\n"), "a|b\nc|d\ne|f\n");
	check(&plain, NULL, STR("\n\r\n\ra\n\n"), "a\n");
	check(&plain, NULL, STR(",\n,,"), "|\n||\n");
	check(&plain, NULL, STR("\"\"\n\"\",\n"), "\n|\n");
	check(&plain, NULL, STR("\"a,\"\"b\"\"\r\nc\",d\n"), "a,\"b\"\r\nc|d\n");
	check(&plain, NULL, STR("\"\"\"\"\"\",\"\"\"x\"\n"), "\"\"|\"x\n");
	check(&plain, NULL, STR("5\" pipe, x \n"), "5\" pipe| x \n");
	check(&plain, NULL, STR("\xEF\xBB\xBF\"a\",\xC3\xA9\xEF\xBB\xBF\n"),
		"a|\xC3\xA9\xEF\xBB\xBF\n");
}

static void dialects(void **state UNUSED)
{
	check(&(struct csv_dialect){ .headless = true, .trim = true }, NULL,
		STR(" a , \" b \" ,\tc\t\n   \n , "), "a| b |c\n|\n");
	check(&(struct csv_dialect){ .headless = true,
		      .column = '\t',
		      .trim = true,
		      .quote = '\'' },
		NULL, STR("a\t'b\tc' \t\n"), "a|b\tc|\n");
	check(&(struct csv_dialect){ .headless = true, .row = STR("~!") }, NULL,
		STR("a~b,\nc~!\"~!\"~!~"), "a~b|\nc\n~!\n~\n");
	check(&(struct csv_dialect){ .headless = true, .row = STR("\r\n") }, NULL,
		STR("a\nb\rc\r\nd\r"), "a\nb\rc\nd\r\n");
	check(&(struct csv_dialect){ .headless = true, .rows_to_skip = 2 }, NULL,
		STR("Report \"of\r\n\r\na,b\r\n"), "a|b\n");
	check(&(struct csv_dialect){ .rows_to_skip = 9 }, NULL, STR("a\nb\n"), "");
	check(&(struct csv_dialect){ .column = ',' }, NULL, STR("h1,h2\n\n1,2\n"), "1|2\n");
}

static void faults_name_row_and_column(void **state UNUSED)
{
	static const struct csv_limits small = { 4, 10, 3 };

	check(&plain, NULL, STR("a,b\n\nc,\"d"),
		"a|b\n!row 3, column 2: the quote that opens this field is never closed");
	check(&plain, NULL, STR("a\nb,\"c\"d\ne\n"),
		"a\n!row 2, column 2: text follows the closing quote; a quote inside quotes is "
		"written twice");
	check(&(struct csv_dialect){ .trim = true, .headless = true }, NULL, STR("\"a\" \"b\"\n"),
		"!row 1, column 1: text follows the closing quote; a quote inside quotes is "
		"written "
		"twice");
	check(&plain, NULL,
		STR("a\nb,c\xFF"
		    "d\n"),
		"a\n!row 2, column 2: byte 6 of the text (0xFF) is not UTF-8");
	check(&plain, NULL, STR("a\nb,c\xE2\x82"),
		"a\n!row 2, column 2: byte 6 of the text (0xE2) is not UTF-8");
	check(&plain, NULL, STR("a\xED\xA0\x80,\"\n"),
		"!row 1, column 1: byte 2 of the text (0xED) is not UTF-8");
	check(&plain, &small, STR("abcd\nabcde\n"),
		"abcd\n!row 2, column 1: the field is longer than 4 bytes");
	check(&plain, &small, STR("1,\"bcd\"x\n"),
		"!row 1, column 2: the field is longer than 4 bytes");
	check(&plain, &small, STR("abcd,abc,d\nabcd,abcd,d\n"),
		"abcd|abc|d\n!row 2, column 3: the row is longer than 10 bytes");
	check(&plain, &small, STR("1,2,3\n1,2,3,\n"),
		"1|2|3\n!row 2, column 4: more than 3 columns");
	check(&(struct csv_dialect){ .row = STR("ab"), .headless = true }, &small,
		STR("wxyzabwxyzac"), "wxyz\n!row 2, column 1: the field is longer than 4 bytes");
}

static void refused_dialects(void **state UNUSED)
{
	struct err err;

	assert_fails(csv_dialect_check(&(struct csv_dialect){ .column = '\n' }, &err), ERR_INVALID,
		"column delimiter");
	assert_string_equal(err.field, "columnDelimiter");
	assert_fails(csv_dialect_check(&(struct csv_dialect){ .quote = ',' }, &err), ERR_INVALID,
		"quote");
	assert_fails(csv_dialect_check(&(struct csv_dialect){ .row = STR("") }, &err), ERR_INVALID,
		"1 to 8");
	assert_fails(csv_dialect_check(&(struct csv_dialect){ .row = STR("||") }, &err),
		ERR_INVALID, "repeat");
	assert_fails(csv_dialect_check(&(struct csv_dialect){ .row = STR("\"") }, &err),
		ERR_INVALID, "row delimiter");
	assert_ok(csv_dialect_check(&(struct csv_dialect){ .row = STR("\r\n"), .column = ';' },
		&err));
}

/* Every record of TEXT as JSON lines, or the error. */
static struct str records(struct arena *a, const struct csv_dialect *d, struct str text)
{
	struct csv_reader *r DEFER(csv_reader_freep) = csv_reader_new(a, d, NULL);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	struct csv_row row;

	csv_feed(r, text);
	csv_finish(r);
	while (csv_next(r, &row, &err) == CSV_ROW) {
		struct json_build b;

		json_build_init(&b, a);
		if (!csv_row_json(r, &row, &b, &err)) {
			buf_add_str(&out, str_z(err.message));
			break;
		}
		json_print(&out, json_build_done(&b), JSON_COMPACT);
	}
	return str_dup(a, buf_str(&out));
}

static void rows_become_records(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct csv_dialect headed = { .column = ';' };

	assert_str(records(a, &headed, STR("id;name;;name\n1;\"a\"\"b\";x;y\n2\n3;4;5;6;;\n")),
		"{\"id\":\"1\",\"name\":\"a\\\"b\",\"Column2\":\"x\",\"name_2\":\"y\"}{\"id\":"
		"\"2\"}"
		"{\"id\":\"3\",\"name\":\"4\",\"Column2\":\"5\",\"name_2\":\"6\"}");
	assert_str(records(a, &headed, STR("id\n1;\n2;x\n")),
		"{\"id\":\"1\"}row 3, column 2: the header has only 1 columns");
	assert_str(records(a, &plain, STR("1,2\n")), "{\"Column0\":\"1\",\"Column1\":\"2\"}");
}

/* As many columns as may be, all of one name: named in the time it takes to read them. */
static void names_are_made_unique(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct csv_reader *r DEFER(
		csv_reader_freep) = csv_reader_new(a, &(struct csv_dialect){ .column = ',' }, NULL);
	struct csv_row row;
	struct err err;
	size_t count;

	assert_null(csv_header(r, &count));
	csv_feed(r, STR("a,a_2,a"));
	for (size_t i = 3; i < LIMIT_CSV_COLUMNS; i++)
		csv_feed(r, STR(",a"));
	csv_finish(r);
	assert_int_equal(csv_next(r, &row, &err), CSV_END);
	const struct str *names = csv_header(r, &count);

	assert_int_equal(count, LIMIT_CSV_COLUMNS);
	assert_str(names[1], "a_2");
	assert_str(names[2], "a_3");
	assert_str(names[count - 1], str_fmt(a, "a_%d", LIMIT_CSV_COLUMNS).p);
	assert_true(arena_used(a) < (size_t)64 * LIMIT_CSV_COLUMNS * 8);
}

static struct str one_row(struct arena *a, const struct csv_dialect *d, struct str field)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct str fields[2] = { field, STR("x") };

	csv_write_row(&out, d, fields, 2);
	return str_dup(a, buf_str(&out));
}

static void quotes_where_needed(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct csv_dialect lf = { .row = STR("\n") }, all = { .quote_all = true };

	assert_str(one_row(a, &plain, STR("a b")), "a b,x\r\n");
	assert_str(one_row(a, &lf, STR("a,b")), "\"a,b\",x\n");
	assert_str(one_row(a, &lf, STR("a\rb")), "\"a\rb\",x\n");
	assert_str(one_row(a, &lf, STR("say \"hi\"")), "\"say \"\"hi\"\"\",x\n");
	assert_str(one_row(a, &lf, STR(" a")), "\" a\",x\n");
	assert_str(one_row(a, &lf, STR("")), ",x\n");
	assert_str(one_row(a, &lf, STR("=1+1")), "=1+1,x\n");
	assert_str(one_row(a, &all, STR("")), "\"\",\"x\"\r\n");
	assert_true(csv_is_formula(STR("=1+1")) && csv_is_formula(STR("@x")));
	assert_false(csv_is_formula(STR("")) || csv_is_formula(STR("a=b")));
}

static void writes_records(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	static const struct str names[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("c"),
		STR_INIT("d"), STR_INIT("e") };
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	const struct json *doc;
	struct err err;

	assert_ok(json_parse_copy(a,
		STR("{\"a\":\"x,y\",\"b\":1.50,\"c\":true,\"d\":null,"
		    "\"e\":[1,\"z\"]}"),
		&doc, &err));
	csv_write_record(&out, &plain, names, ARRAY_LEN(names), doc);
	assert_str(buf_str(&out), "\"x,y\",1.50,true,,\"[1,\"\"z\"\"]\"\r\n");
}

/* A field of up to 5 characters, mostly of those that mean something. */
static struct str some_field(struct arena *a, struct rng *rng)
{
	static const char *const parts[] = { "a", ",", "\"", "\n", "\r", " ", "\t", "~", "'", ";",
		"\xC3\xA9", "\xEF\xBB\xBF", "!", "long enough to leave a block" };
	struct str s = STR("");

	for (size_t n = rng_below(rng, 6); n > 0; n--)
		s = str_fmt(a, "%.*s%s", STR_ARG(s), parts[rng_below(rng, ARRAY_LEN(parts))]);
	return s;
}

static void what_is_written_is_read_back(void **state UNUSED)
{
	static const struct csv_dialect dialects_[] = {
		{ .headless = true },
		{ .headless = true, .trim = true },
		{ .headless = true, .column = '\t', .quote = '\'', .trim = true },
		{ .headless = true, .column = ';', .row = { "~!", 2 } },
		{ .headless = true, .row = { "\n", 1 }, .quote_all = true },
	};
	struct rng rng;

	rng_test_init(&rng, 4180);
	for (size_t round = 0; round < 2000; round++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct csv_dialect *d = &dialects_[round % ARRAY_LEN(dialects_)];
		struct buf text DEFER(buf_free) = BUF_INIT(0), want DEFER(buf_free) = BUF_INIT(0);

		for (size_t rows = rng_below(&rng, 5); rows > 0; rows--) {
			struct str fields[4];
			size_t n = 1 + rng_below(&rng, 4);

			for (size_t i = 0; i < n; i++) {
				fields[i] = some_field(a, &rng);
				buf_add_str(&want, i > 0 ? STR("|") : STR(""));
				buf_add_str(&want, fields[i]);
			}
			buf_add_char(&want, '\n');
			csv_write_row(&text, d, fields, n);
		}
		struct str got = read_all(a, d, NULL, buf_str(&text), 1 + rng_below(&rng, 40));

		if (!str_eq(got, buf_str(&want)))
			fail_msg("round %zu: \"%.*s\" became \"%.*s\"", round,
				STR_ARG(buf_str(&text)), STR_ARG(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_quotes),
		cmocka_unit_test(dialects),
		cmocka_unit_test(faults_name_row_and_column),
		cmocka_unit_test(refused_dialects),
		cmocka_unit_test(rows_become_records),
		cmocka_unit_test(names_are_made_unique),
		cmocka_unit_test(quotes_where_needed),
		cmocka_unit_test(writes_records),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
