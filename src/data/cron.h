/*
 * cron.h - schedules: six fields, "? 0 2 ? * MON-FRI", and the instants at which they are due.
 *
 * The fields are second, minute (0-59), hour (0-23), day of month (1-31), month (1-12 or JAN-DEC) and
 * day of week (0-7 or SUN-SAT; 0 and 7 are Sunday). The first is always `?`: a schedule is due once
 * a minute at most. Each other field is `*` or `?` (all), a number, a range `a-b`, a step over all,
 * over a range or from a number on, such as `a-b/n`, or a list of these with commas. `L`, `W` and `#`
 * are refused.
 *
 * Days: when both day of month and day of week are restricted, a day that fits either is meant (as in
 * crontab(5)); a field that begins with `*` or `?` does not count as restricted, and then a day must
 * fit both.
 *
 * Clock changes: a local time that the clocks skip is due once, at the first moment after the gap; of
 * one that they show twice the first is due, the second is not.
 *
 * Plain data, no allocation; pure functions: any thread.
 */
#ifndef DATA_CRON_H
#define DATA_CRON_H

#include "core/buf.h"
#include "data/timezone.h"

#define CRON_TEXT_MAX 256

struct cron { /* bit n of each: n is one of the field's values */
	uint64_t minutes;
	uint32_t hours, days, months, weekdays; /* Sunday is bit 0 */
	bool either;                            /* days and weekdays are both restricted */
};

/*
 * ERR_INVALID names field and position (from 1). A schedule that can never be due, such as one for
 * 30 February, is refused.
 */
MUST_CHECK bool cron_parse(struct str text, struct cron *out, struct err *err);

/*
 * The first instant after AFTER_MS that is due by the clocks of ZONE (NULL: UTC). False when there
 * is none before the year 10000.
 */
MUST_CHECK bool cron_next(const struct cron *c, const struct zone *zone, int64_t after_ms,
	int64_t *due_ms);

/* Adds the schedule in words: "at 02:00, Monday to Friday". */
void cron_describe(const struct cron *c, struct buf *out);

#endif
