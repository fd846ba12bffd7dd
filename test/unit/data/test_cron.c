/*
 * test_cron.c - what a schedule may be, when it is due, and two years of schedules over the clock
 * changes of every zone, against a reference that walks through every minute.
 */
#include "test.h"

#include <dirent.h>
#include <sys/stat.h>

#include "data/cron.h"
#include "data/datetime.h"

#define MINUTE INT64_C(60000)
#define DAY    INT64_C(86400000)

static struct cron parsed(const char *text)
{
	struct err err = ERR_INIT;
	struct cron c;

	assert_ok(cron_parse(str_z(text), &c, &err));
	return c;
}

static int64_t at(const char *iso, const struct zone *z)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	assert_ok(datetime_parse_iso(str_z(iso), DATETIME_ISO, z, &ms, &err));
	return ms;
}

static const struct zone *zone(const char *name)
{
	struct err err = ERR_INIT;
	const struct zone *z = NULL;

	assert_ok(timezone_find(str_z(name), &z, &err));
	return z;
}

/* The next due instants after FROM, as the zone's clocks show them. */
static void check_next(const char *schedule, const char *zone_name, const char *from,
	const char *const *want)
{
	const struct zone *z = zone(zone_name);
	struct cron c = parsed(schedule);
	int64_t ms = at(from, z);
	char text[DATETIME_ISO_LEN];

	for (; *want != NULL; want++) {
		assert_true(cron_next(&c, z, ms, &ms));
		assert_str(str_of(text, datetime_print_iso(ms, z, text)), *want);
	}
}

#define NEXT(schedule, zone_name, from, ...) \
	check_next(schedule, zone_name, from, (const char *const[]){ __VA_ARGS__, NULL })

static void test_presets(void **state UNUSED)
{
	NEXT("? */15 * ? * *", "UTC", "2017-06-19T21:27:09Z", "2017-06-19T21:30:00.000Z",
		"2017-06-19T21:45:00.000Z", "2017-06-19T22:00:00.000Z");
	NEXT("? 0 */1 ? * *", "UTC", "2017-12-31T23:00:00Z", "2018-01-01T00:00:00.000Z");
	NEXT("? 0 6,18 ? * *", "UTC", "2017-06-19T06:00:00Z", "2017-06-19T18:00:00.000Z",
		"2017-06-20T06:00:00.000Z");
	NEXT("? 0 2 ? * 1", "UTC", "2017-06-19T02:00:00Z", "2017-06-26T02:00:00.000Z");
	NEXT("? */5 * * * *", "UTC", "2017-06-19T01:59:59.999Z", "2017-06-19T02:00:00.000Z");
}

static void test_fields(void **state UNUSED)
{
	NEXT("? 5 4 29 FEB ?", "UTC", "2017-01-01T00:00:00Z", "2020-02-29T04:05:00.000Z",
		"2024-02-29T04:05:00.000Z");
	NEXT("? 0 0 ? * sat-sun", "UTC", "2017-06-19T00:00:00Z", "2017-06-24T00:00:00.000Z",
		"2017-06-25T00:00:00.000Z", "2017-07-01T00:00:00.000Z");
	NEXT("? 0 0 ? * 7", "UTC", "2017-06-19T00:00:00Z", "2017-06-25T00:00:00.000Z");
	NEXT("? 10-20/5,50 1 1 jan,jul *", "UTC", "2017-01-01T01:11:00Z",
		"2017-01-01T01:15:00.000Z", "2017-01-01T01:20:00.000Z", "2017-01-01T01:50:00.000Z",
		"2017-07-01T01:10:00.000Z");
	NEXT("? 0 20/2 ? * *", "UTC", "2017-01-01T20:00:00Z", "2017-01-01T22:00:00.000Z",
		"2017-01-02T20:00:00.000Z");
	/* 0 and 7 are both Sunday, and a step over all counts it once */
	assert_int_equal(parsed("? 0 0 ? * 0-7").weekdays, 0x7f);
	assert_int_equal(parsed("? 0 0 ? * */2").weekdays, 0x55);
	assert_int_equal(parsed("? 0 0 ? * SUN-SUN").weekdays, 1);
	assert_int_equal(parsed("? 0 0 ? * 5-0").weekdays, 0x61);
	assert_int_equal(parsed("?\t0  0 ? * *").minutes, 1);
}

static void test_days_either(void **state UNUSED)
{
	/* both restricted: either */
	NEXT("? 0 0 13 * FRI", "UTC", "2017-10-10T00:00:00Z", "2017-10-13T00:00:00.000Z",
		"2017-10-20T00:00:00.000Z");
	NEXT("? 0 0 15 * FRI", "UTC", "2017-10-13T00:00:00Z", "2017-10-15T00:00:00.000Z",
		"2017-10-20T00:00:00.000Z");
	/* a field that begins with a star: both */
	NEXT("? 0 0 */2 * FRI", "UTC", "2017-10-13T00:00:00Z", "2017-10-27T00:00:00.000Z");
	/* the 29th of February on a Sunday comes back after 28 years */
	NEXT("? 0 0 29 2 */7", "UTC", "2004-02-29T00:00:00Z", "2032-02-29T00:00:00.000Z");
}

static void test_gap_and_overlap(void **state UNUSED)
{
	/* the clocks of New York skip 02:00 to 03:00: once, at the first moment after */
	NEXT("? 30 2 ? * *", "America/New_York", "2017-03-11T12:00:00",
		"2017-03-12T03:00:00.000-04:00", "2017-03-13T02:30:00.000-04:00");
	NEXT("? */15 * ? * *", "America/New_York", "2017-03-12T01:30:00",
		"2017-03-12T01:45:00.000-05:00", "2017-03-12T03:00:00.000-04:00",
		"2017-03-12T03:15:00.000-04:00");
	/* and show 01:00 to 02:00 twice: the first */
	NEXT("? 30 1 ? * *", "America/New_York", "2017-11-04T12:00:00",
		"2017-11-05T01:30:00.000-04:00", "2017-11-06T01:30:00.000-05:00");
	NEXT("? 0 * ? * *", "America/New_York", "2017-11-05T00:30:00",
		"2017-11-05T01:00:00.000-04:00", "2017-11-05T02:00:00.000-05:00");
	/* asked in the second 01:xx */
	NEXT("? 45 1 ? * *", "America/New_York", "2017-11-05T01:30:00-05:00",
		"2017-11-06T01:45:00.000-05:00");
	/* half an hour, and a whole day */
	NEXT("? 15 2 ? * *", "Australia/Lord_Howe", "2017-09-30T12:00:00",
		"2017-10-01T02:30:00.000+11:00");
	NEXT("? 0 5 30 12 ?", "Pacific/Apia", "2011-12-01T00:00:00",
		"2011-12-31T00:00:00.000+14:00", "2012-12-30T05:00:00.000+14:00");
	/* by the rule of the footer, long after the last transition in the file */
	NEXT("? 30 2 ? 3 SUN", "Europe/Berlin", "2099-03-28T12:00:00",
		"2099-03-29T03:00:00.000+02:00");
}

static void test_refused(void **state UNUSED)
{
	struct err err;
	struct cron c;

	assert_fails(cron_parse(STR("? 0 2 ? *"), &c, &err), ERR_INVALID,
		"position 10, day of week: missing");
	assert_fails(cron_parse(STR(""), &c, &err), ERR_INVALID, "position 1, second: missing");
	assert_fails(cron_parse(STR("? 0 2 ? * * 2017"), &c, &err), ERR_INVALID, "seventh");
	assert_fails(cron_parse(STR("0 0 2 ? * *"), &c, &err), ERR_INVALID,
		"position 1, second: this field is always ?");
	assert_fails(cron_parse(STR("? 60 2 ? * *"), &c, &err), ERR_INVALID,
		"position 3, minute: expected a number from 0 to 59");
	assert_fails(cron_parse(STR("? 0 24 ? * *"), &c, &err), ERR_INVALID, "hour");
	assert_fails(cron_parse(STR("? 0 2 0 * *"), &c, &err), ERR_INVALID,
		"position 7, day of month: expected a number from 1 to 31");
	assert_fails(cron_parse(STR("? 0 2 ? 13 *"), &c, &err), ERR_INVALID, "month");
	assert_fails(cron_parse(STR("? 0 2 ? * 8"), &c, &err), ERR_INVALID, "a name such as SUN");
	assert_fails(cron_parse(STR("? 0 2 ? * MOON"), &c, &err), ERR_INVALID, "position 11");
	assert_fails(cron_parse(STR("? 0 2 L * ?"), &c, &err), ERR_INVALID, "'L' is not known");
	assert_fails(cron_parse(STR("? 0 2 15W * ?"), &c, &err), ERR_INVALID, "'W' is not known");
	assert_fails(cron_parse(STR("? 0 2 ? * MON#2"), &c, &err), ERR_INVALID, "'#' is not known");
	assert_fails(cron_parse(STR("? 0 5-3 ? * *"), &c, &err), ERR_INVALID, "upwards");
	assert_fails(cron_parse(STR("? */0 * ? * *"), &c, &err), ERR_INVALID, "a step from 1");
	assert_fails(cron_parse(STR("? 1, * ? * *"), &c, &err), ERR_INVALID, "position 5");
	assert_fails(cron_parse(STR("? 99999999999 * ? * *"), &c, &err), ERR_INVALID, "minute");
	assert_fails(cron_parse(STR("? 0 0 30 2 ?"), &c, &err), ERR_INVALID, "never be due");
	assert_fails(cron_parse(STR("? 0 0 31 feb,apr,jun,sep,nov */2"), &c, &err), ERR_INVALID,
		"never be due");
	/* either the 30th, or any Monday */
	assert_ok(cron_parse(STR("? 0 0 30 2 MON"), &c, &err));
}

static void test_end_of_time(void **state UNUSED)
{
	struct cron c = parsed("? 0 0 ? * *");
	int64_t due = 7;

	assert_false(cron_next(&c, NULL, DATETIME_MS_MAX - 1000, &due));
	assert_int_equal(due, 7);
}

static void test_describe(void **state UNUSED)
{
	static const struct {
		const char *schedule, *words;
	} cases[] = {
		{ "? * * * * *", "every minute" },
		{ "? */15 * ? * *", "every 15 minutes" },
		{ "? 0 * ? * *", "every hour" },
		{ "? 5 * ? * *", "at minute 5 of every hour" },
		{ "? 0 */2 ? * *", "every 2 hours" },
		{ "? 7,9 */2 ? * *", "at minutes 7 and 9 of every 2 hours" },
		{ "? 0 2 ? * *", "at 02:00 every day" },
		{ "? 0 6,18 ? * *", "at 06:00 and 18:00 every day" },
		{ "? 0 2 ? * 1", "at 02:00, on Monday" },
		{ "? 30 9 ? * MON-FRI", "at 09:30, on Monday to Friday" },
		{ "? 0 0 1,15 1,7 ?", "at 00:00, on the 1st and 15th, in January and July" },
		{ "? 0 0 22 * FRI", "at 00:00, on the 22nd and on every Friday" },
		{ "? 0 0 */30 * FRI", "at 00:00, on the 1st and 31st, when it is Friday" },
		{ "? */20 8-10 ? * *", "every 20 minutes of the hours 8, 9 and 10" },
	};
	struct buf out DEFER(buf_free) = BUF_INIT(0);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cron c = parsed(cases[i].schedule);

		buf_reset(&out);
		cron_describe(&c, &out);
		assert_str(buf_str(&out), cases[i].words);
	}
}

/* ---- every zone ---- */

/* Does a local time fit? Written straight from the text, for the few forms that are used below. */
static bool field_fits(struct str f, unsigned v)
{
	struct str rest = f;

	while (rest.p != NULL) {
		struct str part = str_cut(&rest, ',');
		int64_t n = 0;

		if (part.p[0] == '*' || part.p[0] == '?') {
			if (part.n == 1 || (str_to_i64(str_from(part, 2), &n) && v % n == 0))
				return true;
		} else if (str_to_i64(part, &n) && v == n) {
			return true;
		}
	}
	return false;
}

static bool reference_fits(const char *schedule, int64_t local)
{
	struct str rest = str_z(schedule), f[6];
	struct datetime t;

	for (size_t i = 0; i < 6; i++)
		f[i] = str_cut(&rest, ' ');
	datetime_civil(local, &t);
	return field_fits(f[1], t.minute) && field_fits(f[2], t.hour) && field_fits(f[3], t.day) &&
	       field_fits(f[4], t.month) && field_fits(f[5], datetime_weekday(local));
}

/*
 * Walks through the minutes of real time from FROM to UNTIL, with the clocks beside it: due is what
 * the clocks show for the first time, and what they jumped over.
 */
static size_t reference(const char *schedule, const struct zone *z, int64_t from, int64_t until,
	int64_t *due, size_t max)
{
	int64_t shown = timezone_local(z, from - MINUTE);
	size_t n = 0;

	for (int64_t ms = from; ms < until && n < max; ms += MINUTE) {
		int64_t local = timezone_local(z, ms);
		bool now = false;

		for (int64_t l = MAX(shown + MINUTE, local - 2 * DAY); l <= local; l += MINUTE)
			now = now || reference_fits(schedule, l);
		shown = MAX(shown, local);
		if (now)
			due[n++] = ms;
	}
	return n;
}

static size_t compared, zones_seen;

static void check_zone(const char *name)
{
	static const char *const schedules[] = { "? */15 * ? * *", "? 30 2 ? * *", "? 0 * * * *",
		"? 30 1 ? * *", "? 5,35 0,1,2,3,23 * * 0,1,6" };
	static int64_t want[4096];
	const struct zone *z = zone(name);
	int64_t change = at("2024-01-01T00:00:00Z", NULL), until = at("2026-01-01T00:00:00Z", NULL);

	zones_seen++;
	while (timezone_next_change(z, change, until, &change)) {
		for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
			struct cron c = parsed(schedules[i]);
			int64_t from = change - 2 * DAY, ms = from - 1;
			size_t n = reference(schedules[i], z, from, change + 2 * DAY, want,
				ARRAY_LEN(want));

			for (size_t k = 0; k < n; k++) {
				assert_true(cron_next(&c, z, ms, &ms));
				if (ms != want[k])
					fail_msg("%s, \"%s\": due %lld, want %lld", name,
						schedules[i], (long long)ms, (long long)want[k]);
			}
			compared += n;
		}
	}
}

static void walk(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[600], name[600];
		struct stat st;
		const struct zone *z;
		struct err err = ERR_INIT;

		if (e->d_name[0] == '.' || strcmp(e->d_name, "posix") == 0 ||
			strcmp(e->d_name, "right") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		snprintf(name, sizeof(name), "%s%s", prefix, e->d_name);
		assert_int_equal(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			snprintf(name, sizeof(name), "%s%s/", prefix, e->d_name);
			walk(path, name);
		} else if (timezone_find(str_z(name), &z, &err)) {
			check_zone(name);
		}
	}
	closedir(d);
}

static void test_every_zone(void **state UNUSED)
{
	walk("/usr/share/zoneinfo", "");
	assert_true(zones_seen > 300);
	assert_true(compared > 100000);
}

/* Two years of a schedule: in order, none twice, and as many as there are days. */
static void test_two_years(void **state UNUSED)
{
	static const char *const names[] = { "America/New_York", "Europe/Berlin",
		"Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "UTC" };
	struct cron c = parsed("? 30 2 ? * *");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct zone *z = zone(names[i]);
		int64_t ms = at("2024-01-01T00:00:00", z), until = at("2026-01-01T00:00:00", z);
		int64_t last = ms, days = 0;

		while (cron_next(&c, z, ms, &ms) && ms < until) {
			assert_true(ms - last <= 26 * 60 * MINUTE && ms > last);
			last = ms;
			days++;
		}
		assert_int_equal(days, 366 + 365);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_days_either),
		cmocka_unit_test(test_gap_and_overlap),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_end_of_time),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_every_zone),
		cmocka_unit_test(test_two_years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
