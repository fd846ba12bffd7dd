/*
 * test_timezone.c - names, the edges of gaps and overlaps, rules behind the file, broken files, and
 * threads that load the same zones at once.
 */
#include "test.h"

#include "core/thread.h"
#include "data/datetime.h"
#include "data/timezone_priv.h"

static const struct zone *zone(const char *name)
{
	struct err err = ERR_INIT;
	const struct zone *z = NULL;

	assert_ok(timezone_find(str_z(name), &z, &err));
	return z;
}

static int64_t utc(const char *iso)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	assert_ok(datetime_parse_iso(str_z(iso), DATETIME_ISO, NULL, &ms, &err));
	return ms;
}

static void test_names(void **state UNUSED)
{
	static const char *const bad[] = { "", "/etc/passwd", "../../../etc/passwd",
		"Europe/../UTC", "Europe/./Berlin", "Europe//Berlin", "Europe/", "Europe",
		"Europe/Berlin\n", "Nowhere/Atlantis", "localtime", "posixrules", "right/UTC",
		"posix/UTC", "zone.tab", "+24:00", "+2", "+02:0", "+02:60", "+0200x", "2:00",
		"\xff", "Europe/Berlin0123456789012345678901234567890123456789012345678901" };
	struct err err;
	const struct zone *z = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(timezone_find(str_z(bad[i]), &z, &err), ERR_INVALID, "zone");
	assert_null(z);
	assert_fails(timezone_find(str_of("UTC\0x", 5), &z, &err), ERR_INVALID, "such as");
	if (access("/usr/share/zoneinfo/leapseconds", R_OK) == 0)
		assert_fails(timezone_find(STR("leapseconds"), &z, &err), ERR_INVALID, "TZif");
	assert_ptr_equal(zone("UTC"), timezone_utc());
	assert_ptr_equal(zone("Z"), timezone_utc());
	assert_ptr_equal(zone("Europe/Berlin"), zone("Europe/Berlin"));
	assert_str(timezone_name(zone("America/Argentina/Buenos_Aires")),
		"America/Argentina/Buenos_Aires");
	assert_str(timezone_name(NULL), "UTC");
}

static void test_fixed(void **state UNUSED)
{
	assert_int_equal(timezone_at(zone("+02:00"), 0).offset_s, 7200);
	assert_int_equal(timezone_at(zone("-0330"), 0).offset_s, -12600);
	assert_int_equal(timezone_at(zone("+14"), 0).offset_s, 50400);
	assert_str(timezone_at(zone("+14"), 0).abbr, "");
	assert_int_equal(timezone_at(NULL, 0).offset_s, 0);
	assert_int_equal(timezone_local(zone("+02:00"), 1), 7200001);
	assert_int_equal(timezone_instant(zone("+02:00"), 7200001, NULL), 1);
}

static void test_changes(void **state UNUSED)
{
	const struct zone *berlin = zone("Europe/Berlin");
	int64_t at = 0, spring = utc("2017-03-26T01:00:00Z");

	assert_int_equal(timezone_at(berlin, spring - 1).offset_s, 3600);
	assert_str(timezone_at(berlin, spring - 1).abbr, "CET");
	assert_int_equal(timezone_at(berlin, spring).offset_s, 7200);
	assert_true(timezone_at(berlin, spring).dst);
	assert_true(timezone_next_change(berlin, spring - 1, spring, &at));
	assert_int_equal(at, spring);
	assert_true(timezone_next_change(berlin, spring, INT64_MAX, &at));
	assert_int_equal(at, utc("2017-10-29T01:00:00Z"));
	assert_false(timezone_next_change(berlin, spring, at - 1, &at));
	assert_false(timezone_next_change(zone("Asia/Kolkata"), spring, INT64_MAX, &at));
	assert_false(timezone_next_change(NULL, spring, INT64_MAX, &at));
	/* by the footer */
	assert_int_equal(timezone_at(berlin, utc("2500-07-01T00:00:00Z")).offset_s, 7200);
	assert_true(timezone_next_change(berlin, utc("2500-07-01T00:00:00Z"), INT64_MAX, &at));
	assert_int_equal(at, utc("2500-10-31T01:00:00Z"));
	/* before the file's first transition */
	assert_int_equal(timezone_at(berlin, utc("1700-01-01T00:00:00Z")).offset_s, 3208);
}

static void test_gap_and_overlap(void **state UNUSED)
{
	const struct zone *berlin = zone("Europe/Berlin");
	enum timezone_fit fit;

	assert_int_equal(timezone_instant(berlin, utc("2017-03-26T01:59:59.999Z"), &fit),
		utc("2017-03-26T00:59:59.999Z"));
	assert_int_equal(fit, TIMEZONE_ONCE);
	assert_int_equal(timezone_instant(berlin, utc("2017-03-26T02:00:00Z"), &fit),
		utc("2017-03-26T01:00:00Z"));
	assert_int_equal(fit, TIMEZONE_GAP);
	assert_int_equal(timezone_instant(berlin, utc("2017-03-26T02:59:59.999Z"), &fit),
		utc("2017-03-26T01:59:59.999Z"));
	assert_int_equal(fit, TIMEZONE_GAP);
	assert_int_equal(timezone_instant(berlin, utc("2017-03-26T03:00:00Z"), &fit),
		utc("2017-03-26T01:00:00Z"));
	assert_int_equal(fit, TIMEZONE_ONCE);
	assert_int_equal(timezone_instant(berlin, utc("2017-10-29T02:00:00Z"), &fit),
		utc("2017-10-29T00:00:00Z"));
	assert_int_equal(fit, TIMEZONE_TWICE);
	assert_int_equal(timezone_instant(berlin, utc("2017-10-29T03:00:00Z"), &fit),
		utc("2017-10-29T02:00:00Z"));
	assert_int_equal(fit, TIMEZONE_ONCE);
	/* a day that Samoa never had */
	assert_int_equal(timezone_instant(zone("Pacific/Apia"), utc("2011-12-30T12:00:00Z"), &fit),
		utc("2011-12-30T22:00:00Z"));
	assert_int_equal(fit, TIMEZONE_GAP);
}

static void test_abbreviations(void **state UNUSED)
{
	int32_t s = 1;

	assert_true(timezone_abbr_offset(zone("America/New_York"), STR("EST"), &s));
	assert_int_equal(s, -18000);
	assert_true(timezone_abbr_offset(zone("America/New_York"), STR("EDT"), &s));
	assert_int_equal(s, -14400);
	assert_true(timezone_abbr_offset(NULL, STR("GMT"), &s));
	assert_int_equal(s, 0);
	assert_false(timezone_abbr_offset(zone("America/New_York"), STR("CET"), &s));
	assert_false(timezone_abbr_offset(zone("+02:00"), STR(""), &s));
}

static void test_rules(void **state UNUSED)
{
	static const char *const bad[] = { "", "AB1", "ABC", "ABC25", "ABC1DEF", "ABC1DEF,M3.5.0",
		"ABC1DEF,M13.5.0,M10.5.0", "ABC1DEF,M3.6.0,M10.5.0", "ABC1DEF,M3.5.7,M10.5.0",
		"ABC1DEF,J0,J365", "ABC1DEF,366,1", "ABC1DEF,M3.5.0/168,M10.5.0", "<AB1",
		"ABC1DEF,M3.5.0,M10.5.0x", "ABC1:60" };
	struct arena *a = arena_new("test", 0);
	struct tz_rule r = { .std = { .offset_s = 0 } };
	int64_t at;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(tz_rule_read(a, str_z(bad[i]), &r));
	assert_true(tz_rule_read(a, STR("<+0330>-3:30"), &r));
	assert_int_equal(tz_rule_at(&r, 0)->offset_s, 12600);
	assert_false(tz_rule_next(&r, 0, &at));
	/* all the year in summer time (RFC 9636, 3.3.1) */
	assert_true(tz_rule_read(a, STR("XXX3EDT4,0/0,J365/23"), &r));
	for (int64_t t = 0; t < 366 * 86400; t += 3600)
		assert_int_equal(tz_rule_at(&r, t)->offset_s, -4 * 3600);
	assert_false(tz_rule_next(&r, 0, &at));
	/* the southern half, and hours beyond the day */
	assert_true(tz_rule_read(a, STR("ABC-10DEF,J60/-1,59/26:30:15"), &r));
	assert_true(tz_rule_next(&r, utc("2020-01-01T00:00:00Z") / 1000, &at));
	arena_free(a);
}

static void test_broken_files(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	char bytes[8192];
	FILE *f = fopen("/usr/share/zoneinfo/America/New_York", "rb");
	struct zone z;
	struct err err;

	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof(bytes), f);

	fclose(f);
	z = (struct zone){ .name = STR("x") };
	assert_ok(tzif_read(a, str_of(bytes, n), &z, &err));
	assert_true(z.has_rule);
	/* a part of it is refused, whatever the part */
	for (size_t i = 0; i < n; i++) {
		z = (struct zone){ .name = STR("x") };
		assert_fails(tzif_read(a, str_of(arena_memdup(a, bytes, i), i), &z, &err),
			ERR_INVALID, "");
	}
	bytes[0] = 'X';
	assert_fails(tzif_read(a, str_of(bytes, n), &z, &err), ERR_INVALID, "TZif");
	bytes[0] = 'T';
	bytes[n - 2] = '!';
	assert_fails(tzif_read(a, str_of(bytes, n), &z, &err), ERR_INVALID, "footer");
	arena_free(a);
}

static void *load_all(void *arg UNUSED)
{
	static const char *const names[] = { "Asia/Tokyo", "Asia/Seoul", "Asia/Manila",
		"Africa/Cairo", "America/Lima", "America/Bogota", "+05:00", "-05:00" };
	uintptr_t sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		sum += (uintptr_t)zone(names[i]);
	return (void *)sum;
}

static void test_threads(void **state UNUSED)
{
	pthread_t threads[8];
	void *first = NULL, *sum;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, load_all, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &sum), 0);
		assert_true(first == NULL || sum == first);
		first = sum;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_gap_and_overlap),
		cmocka_unit_test(test_abbreviations),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_broken_files),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
