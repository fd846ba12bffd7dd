/*
 * test_datetime.c - civil time, ISO 8601 and formats; the bulk of the formats is compared with
 * moment.js by test/system/datetime_oracle.test.mjs.
 */
#include "test.h"

#include "data/datetime.h"

static const struct zone *zone(const char *name)
{
	struct err err = ERR_INIT;
	const struct zone *z = NULL;

	assert_ok(timezone_find(str_z(name), &z, &err));
	return z;
}

static int64_t iso(const char *text, enum datetime_allow allow, const struct zone *z)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	assert_ok(datetime_parse_iso(str_z(text), allow, z, &ms, &err));
	return ms;
}

static void test_iso(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "2017-06-19T21:27:09.945Z", 1497907629945 },
		{ "2017-06-19T21:27:09,945999Z", 1497907629945 },
		{ "2017-06-19 21:27:09.9z", 1497907629900 },
		{ "2017-06-19T23:27:09+02:00", 1497907629000 },
		{ "2017-06-19 23:27:09 +0200", 1497907629000 },
		{ "2017-06-19T16:27-05", 1497907620000 },
		{ "20170619T212709Z", 1497907629000 },
		{ "20170619T2127Z", 1497907620000 },
		{ "2017-06-19", 1497830400000 },
		{ "20170619", 1497830400000 },
		{ "2017-06-19T24:00:00", 1497916800000 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "0000-01-01", DATETIME_MS_MIN },
		{ "9999-12-31T23:59:59.999Z", DATETIME_MS_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(iso(cases[i].text, DATETIME_EPOCH, NULL), cases[i].ms);
	assert_int_equal(iso("2017-06-19T23:27:09", DATETIME_ISO, zone("Europe/Berlin")),
		1497907629000);
	assert_int_equal(iso("2017-06-19", DATETIME_ISO, zone("America/New_York")), 1497844800000);
}

static void test_epoch(void **state UNUSED)
{
	assert_int_equal(iso("1497907629", DATETIME_EPOCH, NULL), 1497907629000);
	assert_int_equal(iso("1497907629.5", DATETIME_EPOCH, NULL), 1497907629500);
	assert_int_equal(iso("1497907629945", DATETIME_EPOCH, NULL), 1497907629945);
	assert_int_equal(iso("-1.5", DATETIME_EPOCH, NULL), -1500);
	assert_int_equal(iso("0", DATETIME_EPOCH, NULL), 0);
}

static void test_iso_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "position 1: expected a year" },
		{ "soon", "position 1: expected a year" },
		{ "2017", "position 5: expected '-'" },
		{ "2017-6-19", "position 7: expected a month" },
		{ "2017-06-19T", "position 12: expected an hour" },
		{ "2017-06-19X10", "position 11: expected 'T'" },
		{ "2017-06-19T21", "position 14: expected ':'" },
		{ "2017-06-19T21:27:09.", "position 21: expected digits" },
		{ "2017-06-19T21:27:09Zulu", "position 21: expected the end" },
		{ "2017-06-19T21:27:09+24:00", "less than 24 hours" },
		{ "2017-06-19T21:27:09 CET", "position 21: expected Z" },
		{ "2017-13-19", "the month must be" },
		{ "2017-02-29", "February 2017 has no day 29" },
		{ "2017-06-19T24:00:01", "the hour must be" },
		{ "2017-06-19T21:60", "the minutes must be" },
		{ "2017-06-19T21:59:60Z", "the seconds must be" },
		{ "0000-01-01T00:00+01:00", "not in the years" },
	};
	struct err err;
	int64_t ms = 7;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_fails(datetime_parse_iso(str_z(cases[i].text), DATETIME_ISO, NULL, &ms,
				     &err),
			ERR_INVALID, cases[i].words);
	assert_fails(datetime_parse_iso(STR("1497907629"), DATETIME_ISO, NULL, &ms, &err),
		ERR_INVALID, "position 5");
	assert_fails(datetime_parse_iso(STR("99999999999999999"), DATETIME_EPOCH, NULL, &ms, &err),
		ERR_INVALID, "position 5");
	assert_int_equal(ms, 7);
}

static void test_print_iso(void **state UNUSED)
{
	char out[DATETIME_ISO_LEN];

	assert_str(str_of(out, datetime_print_iso(1497907629945, NULL, out)),
		"2017-06-19T21:27:09.945Z");
	assert_str(str_of(out, datetime_print_iso(1497907629945, zone("America/St_Johns"), out)),
		"2017-06-19T18:57:09.945-02:30");
}

/* ---- formats ---- */

static void check_print(struct arena *a, const char *format, const char *zone_name, int64_t ms,
	const char *want)
{
	struct datetime_format *f;
	struct err err;

	assert_ok(datetime_format_compile(a, str_z(format), DATETIME_PRINT, &f, &err));
	size_t room = datetime_format_room(f);
	char *out = arena_alloc(a, room);
	size_t n = datetime_format_print(f, ms, zone(zone_name), out);

	assert_true(n <= room);
	assert_str(str_of(out, n), want);

	struct buf b DEFER(buf_free) = BUF_INIT(0);

	datetime_format_add(f, ms, zone(zone_name), &b);
	assert_str(buf_str(&b), want);
}

static void test_print(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);

	check_print(a, "MM/DD/YYYY", "UTC", 1497907629945, "06/19/2017");
	check_print(a, "YYYY-MM-DDTHH:mm:ss.SSSZ", "Europe/Berlin", 1497907629945,
		"2017-06-19T23:27:09.945+02:00");
	check_print(a, "[Today is] dddd, \\MM [[x]", "UTC", 1497907629945,
		"Today is Monday, MM [x");
	check_print(a, "LLLL", "UTC", 1497907629945, "Monday, June 19, 2017 9:27 PM");
	check_print(a, "z zz", "Asia/Kolkata", 0, "IST IST");
	check_print(a, "GGGG-[W]WW-E", "UTC", 1483228800000, "2016-W52-7");
	check_print(a, "Do DDDo wo Mo Qo do", "UTC", 1483228800000, "1st 1st 1st 1st 1st 0th");
	check_print(a, "YYYY YYYYY YYYYYY", "+14:00", DATETIME_MS_MAX, "10000 10000 +010000");
	check_print(a, "YYYY Y yo", "-12:00", DATETIME_MS_MIN, "-0001 -0001 2nd");
	check_print(a, "SSSSSSSSS X x", "UTC", -1, "999000000 -1 -1");
	arena_free(a);
}

static int64_t read_ok(struct arena *a, const char *format, const char *text, const char *zone_name)
{
	struct datetime_format *f;
	struct err err;
	int64_t ms = 0;

	assert_ok(datetime_format_compile(a, str_z(format), DATETIME_READ, &f, &err));
	assert_ok(datetime_format_read(f, str_z(text), zone(zone_name), &ms, &err));
	return ms;
}

static void test_read(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);

	assert_int_equal(read_ok(a, "MM/DD/YYYY", "06/19/2017", "UTC"), 1497830400000);
	assert_int_equal(read_ok(a, "M/D/YYYY", "06/9/2017", "UTC"), 1496966400000);
	assert_int_equal(read_ok(a, "MMM D YYYY h:mm a", "jun 19 2017 9:27 p.m.", "UTC"),
		1497907620000);
	assert_int_equal(read_ok(a, "YYYY-MM-DD HH:mm", "2017-06-19 23:27", "Europe/Berlin"),
		1497907620000);
	assert_int_equal(read_ok(a, "YYYY-MM-DD HH:mm Z", "2017-06-19 21:27 Z", "Europe/Berlin"),
		1497907620000);
	assert_int_equal(read_ok(a, "YYYY-MM-DD HH:mm z", "2017-11-05 01:30 EST",
				 "America/New_York"),
		1509863400000);
	assert_int_equal(read_ok(a, "HH:mm", "09:30", "UTC"), 34200000);
	assert_int_equal(read_ok(a, "YYYY", "2017", "UTC"), 1483228800000);
	assert_int_equal(read_ok(a, "GGGG-[W]WW", "2016-W52", "UTC"), 1482710400000);
	assert_int_equal(read_ok(a, "X", "1497907629.9", "UTC"), 1497907629900);
	arena_free(a);
}

static void test_read_refused(void **state UNUSED)
{
	static const struct {
		const char *format, *text, *words;
	} cases[] = {
		{ "MM/DD/YYYY", "13/19/2017", "position 1: MM needs a month from 1 to 12" },
		{ "MM/DD/YYYY", "6/19/2017", "position 1: MM needs" },
		{ "MM/DD/YYYY", "06-19-2017", "position 3: expected \"/\"" },
		{ "MM/DD/YYYY", "06/19/17", "position 7: YYYY needs a year of four digits" },
		{ "MM/DD/YYYY", "06/19/2017 10:00", "position 11: expected the end" },
		{ "MM/DD/YYYY", "02/29/2017", "position 4: DD needs a day that the month has" },
		{ "MM/DD/YYYY", "", "position 1: MM" },
		{ "MMM YYYY", "Juni 2017", "position 4" },
		{ "dddd YYYY-MM-DD", "Tuesday 2017-06-19", "position 1: dddd needs the weekday" },
		{ "YYYY-DDDD", "2017-366", "position 6: DDDD needs a day that the year has" },
		{ "GGGG-[W]WW", "2017-W53", "position 7: WW needs a week that the year has" },
		{ "YYYY HH", "2017 25", "an hour from 0 to 23" },
		{ "YYYY h", "2017 13", "position 6: h needs an hour from 1 to 12" },
		{ "YYYY HH:mm", "2017 24:01", "an hour from 0 to 23" },
		{ "YYYY z", "2017 CET", "position 6: z needs an abbreviation" },
		{ "YYYY Z", "2017 +1", "position 7: Z needs an offset" },
	};
	struct arena *a = arena_new("test", 0);
	struct err err;
	int64_t ms = 7;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct datetime_format *f;

		assert_ok(datetime_format_compile(a, str_z(cases[i].format), DATETIME_READ, &f,
			&err));
		assert_fails(datetime_format_read(f, str_z(cases[i].text), NULL, &ms, &err),
			ERR_INVALID, cases[i].words);
		assert_non_null(strstr(err.hint, cases[i].format));
	}
	assert_int_equal(ms, 7);
	arena_free(a);
}

static void test_formats_refused(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct datetime_format *f = NULL;
	struct err err;
	char text[300];

	memset(text, 'Y', sizeof(text));
	assert_fails(datetime_format_compile(a, STR(""), DATETIME_PRINT, &f, &err), ERR_INVALID,
		"1 to 256");
	assert_fails(datetime_format_compile(a, str_of(text, 257), DATETIME_PRINT, &f, &err),
		ERR_INVALID, "257");
	assert_fails(datetime_format_compile(a, STR("YYYY wo"), DATETIME_READ, &f, &err),
		ERR_INVALID, "position 6: wo can be printed, but not read");
	assert_fails(datetime_format_compile(a, STR("[on] MM/DD"), DATETIME_READ, &f, &err),
		ERR_INVALID, "position 6: MM needs a year");
	assert_fails(datetime_format_compile(a, STR("[never]"), DATETIME_READ, &f, &err),
		ERR_INVALID, "no token");
	assert_null(f);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso),
		cmocka_unit_test(test_epoch),
		cmocka_unit_test(test_iso_refused),
		cmocka_unit_test(test_print_iso),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_formats_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
