/*
 * clock.c - clock_gettime, and the civil calendar by the era arithmetic of Howard Hinnant's
 * "chrono-compatible low-level date algorithms".
 */
#include "core/clock.h"

#include <errno.h>
#include <stdatomic.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall(const struct clock *c UNUSED)
{
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_mono(const struct clock *c UNUSED)
{
	return read_ms(CLOCK_MONOTONIC);
}

static void system_sleep(const struct clock *c UNUSED, int64_t ms)
{
	struct timespec left = { .tv_sec = MAX(ms, 0) / 1000,
		.tv_nsec = MAX(ms, 0) % 1000 * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

const struct clock *clock_system(void)
{
	static const struct clock system_clock = { system_wall, system_mono, system_sleep };

	return &system_clock;
}

static int64_t test_wall(const struct clock *c)
{
	return atomic_load(&((const struct clock_test *)c)->wall);
}

static int64_t test_mono(const struct clock *c)
{
	return atomic_load(&((const struct clock_test *)c)->mono);
}

static void test_sleep(const struct clock *c, int64_t ms)
{
	/* the clock inside a struct clock_test is not const */
	clock_test_advance((struct clock_test *)(uintptr_t)c, ms);
}

void clock_test_init(struct clock_test *t, int64_t wall_ms)
{
	t->clock = (struct clock){ test_wall, test_mono, test_sleep };
	atomic_init(&t->wall, wall_ms);
	atomic_init(&t->mono, 1000);
}

void clock_test_advance(struct clock_test *t, int64_t ms)
{
	atomic_fetch_add(&t->wall, ms);
	atomic_fetch_add(&t->mono, ms);
}

void time_civil(int64_t days, int *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (int)(yoe + era * 400) + (*month <= 2);
}

int64_t time_days(int year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + (int64_t)doe - 719468;
}

static void put_digits(char *out, int n, uint64_t v)
{
	while (n-- > 0) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void time_fmt_iso(int64_t wall_ms, char out[TIME_ISO_LEN + 1])
{
	int64_t days = wall_ms / 86400000, ms = wall_ms % 86400000;
	int year;
	unsigned month, day;

	if (ms < 0) {
		ms += 86400000;
		days--;
	}
	time_civil(days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000Z", TIME_ISO_LEN + 1);
	put_digits(out, 4, (uint64_t)MAX(0, MIN(year, 9999)));
	put_digits(out + 5, 2, month);
	put_digits(out + 8, 2, day);
	put_digits(out + 11, 2, (uint64_t)ms / 3600000);
	put_digits(out + 14, 2, (uint64_t)ms / 60000 % 60);
	put_digits(out + 17, 2, (uint64_t)ms / 1000 % 60);
	put_digits(out + 20, 3, (uint64_t)ms % 1000);
}

struct str time_iso(struct arena *a, int64_t wall_ms)
{
	char t[TIME_ISO_LEN + 1];

	time_fmt_iso(wall_ms, t);
	return str_dup(a, str_of(t, TIME_ISO_LEN));
}
