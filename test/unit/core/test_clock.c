/*
 * Clocks and the civil calendar: known instants, the ends of the range, and a walk over every day of
 * eight centuries.
 */
#include "test.h"

#include "core/clock.h"

static void iso_is(int64_t wall_ms, const char *want)
{
	char out[TIME_ISO_LEN + 1];

	time_fmt_iso(wall_ms, out);
	assert_string_equal(out, want);
}

static void test_iso_of_known_instants(void **state UNUSED)
{
	iso_is(0, "1970-01-01T00:00:00.000Z");
	iso_is(1497907629945, "2017-06-19T21:27:09.945Z");
	iso_is(951782400000, "2000-02-29T00:00:00.000Z");
	iso_is(951868799999, "2000-02-29T23:59:59.999Z");
	iso_is(-1, "1969-12-31T23:59:59.999Z");
	iso_is(-86400000, "1969-12-31T00:00:00.000Z");
	iso_is(4107542399000, "2100-02-28T23:59:59.000Z");
	iso_is(4107542400000, "2100-03-01T00:00:00.000Z"); /* 2100 is no leap year */
	iso_is(-62167219200000, "0000-01-01T00:00:00.000Z");
	iso_is(253402300799999, "9999-12-31T23:59:59.999Z");
}

static void test_iso_outside_the_years(void **state UNUSED)
{
	char out[TIME_ISO_LEN + 1];

	/* The year is held at the end of the range; the text keeps its form. */
	iso_is(253402300800000, "9999-01-01T00:00:00.000Z");
	time_fmt_iso(INT64_MIN, out);
	assert_int_equal(strlen(out), TIME_ISO_LEN);
	assert_memory_equal(out, "0000-", 5);
	time_fmt_iso(INT64_MAX, out);
	assert_int_equal(strlen(out), TIME_ISO_LEN);
	assert_memory_equal(out, "9999-", 5);
}

static void test_iso_in_an_arena(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_str(time_iso(a, 1497907629945), "2017-06-19T21:27:09.945Z");
}

static unsigned month_days(int y, unsigned m)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

static void test_every_day_of_eight_centuries(void **state UNUSED)
{
	int y = 1600, year;
	unsigned m = 1, d = 1, month, day;

	for (int64_t days = time_days(1600, 1, 1); y < 2400; days++) {
		time_civil(days, &year, &month, &day);
		if (year != y || month != m || day != d || time_days(y, m, d) != days)
			fail_msg("day %lld: %d-%u-%u, want %d-%u-%u", (long long)days, year, month,
				day, y, m, d);
		if (++d > month_days(y, m)) {
			d = 1;
			if (++m > 12) {
				m = 1;
				y++;
			}
		}
	}
}

static void test_days_of_known_dates(void **state UNUSED)
{
	assert_int_equal(time_days(1970, 1, 1), 0);
	assert_int_equal(time_days(2000, 3, 1), 11017);
	assert_int_equal(time_days(1969, 12, 31), -1);
	assert_int_equal(time_days(0, 3, 1), -719468);
	assert_int_equal(time_days(-400, 3, 1), -719468 - 146097);
}

static void test_system_clock(void **state UNUSED)
{
	const struct clock *c = clock_system();
	int64_t mono = clock_mono_ms(c), wall = clock_wall_ms(c);

	assert_true(clock_mono_ms(c) >= mono);
	assert_true(wall > (int64_t)1600000000 * 1000);
	assert_true(llabs(wall - (int64_t)time(NULL) * 1000) < 60000);
}

static void test_test_clock_moves_by_hand(void **state UNUSED)
{
	struct clock_test t;

	clock_test_init(&t, 1000000);
	int64_t mono = clock_mono_ms(&t.clock);

	assert_int_equal(clock_wall_ms(&t.clock), 1000000);
	assert_int_equal(clock_wall_ms(&t.clock), 1000000);
	clock_test_advance(&t, 250);
	assert_int_equal(clock_wall_ms(&t.clock), 1000250);
	assert_int_equal(clock_mono_ms(&t.clock), mono + 250);
}

static void test_a_wait_moves_a_test_clock(void **state UNUSED)
{
	struct clock_test t;
	int64_t before = clock_mono_ms(clock_system());

	clock_test_init(&t, 5000);
	clock_sleep_ms(&t.clock, 3600000);
	assert_int_equal(clock_wall_ms(&t.clock), 3605000);
	clock_sleep_ms(clock_system(), 2);
	assert_true(clock_mono_ms(clock_system()) >= before + 1);
	assert_true(clock_mono_ms(clock_system()) < before + 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso_of_known_instants),
		cmocka_unit_test(test_iso_outside_the_years),
		cmocka_unit_test(test_iso_in_an_arena),
		cmocka_unit_test(test_every_day_of_eight_centuries),
		cmocka_unit_test(test_days_of_known_dates),
		cmocka_unit_test(test_system_clock),
		cmocka_unit_test(test_test_clock_moves_by_hand),
		cmocka_unit_test(test_a_wait_moves_a_test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
