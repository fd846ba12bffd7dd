/*
 * clock.h - the only place that time comes from.
 *
 * Wall time is milliseconds since 1970-01-01T00:00:00Z and may jump; monotonic time is milliseconds
 * from an arbitrary start and never goes back: use it for deadlines. Tests hand in a clock of their
 * own and move it by hand. The system clock may be used from any thread; a test clock too.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include "core/str.h"

struct clock {
	int64_t (*wall_ms)(const struct clock *c);
	int64_t (*mono_ms)(const struct clock *c);
	void (*sleep_ms)(const struct clock *c, int64_t ms);
};

const struct clock *clock_system(void);

static inline int64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c);
}
static inline int64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_ms(c);
}
/* Waits; a test clock moves itself ahead instead. Not for more than the caller's deadline allows. */
static inline void clock_sleep_ms(const struct clock *c, int64_t ms)
{
	c->sleep_ms(c, ms);
}

/* A clock that stands still until it is moved. */
struct clock_test {
	struct clock clock;
	_Atomic int64_t wall, mono;
};

void clock_test_init(struct clock_test *t, int64_t wall_ms);
void clock_test_advance(struct clock_test *t, int64_t ms);

#define TIME_ISO_LEN 24 /* 2017-06-19T21:27:09.945Z */

/* Writes TIME_ISO_LEN bytes and a NUL; years 0000 to 9999. */
void time_fmt_iso(int64_t wall_ms, char out[TIME_ISO_LEN + 1]);
struct str time_iso(struct arena *a, int64_t wall_ms);

/* Civil date from days since 1970-01-01, proleptic Gregorian, and back. */
void time_civil(int64_t days, int *year, unsigned *month, unsigned *day);
int64_t time_days(int year, unsigned month, unsigned day);

#endif
