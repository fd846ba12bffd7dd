/*
 * cron.c - a schedule is five sets of bits; the next due instant is looked for in local time, day by
 * day, and then placed on the time line.
 */
#include "data/cron.h"

#include "data/datetime.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)
/* Between two 29 Februaries on the same weekday lie 40 years at most. */
#define YEARS_MAX 41
/* Longer than any offset, so that a change of offset that concerns a local time lies within. */
#define NEAR_MS (INT64_C(27) * 3600 * 1000)

struct range {
	const char *name;
	unsigned low, high;
	const char *names; /* three letters each, from LOW */
};

enum field { F_SECOND, F_MINUTE, F_HOUR, F_DAY, F_MONTH, F_WEEKDAY, F_COUNT };

static const struct range fields[F_COUNT] = {
	[F_SECOND] = { "second", 0, 59, "" },
	[F_MINUTE] = { "minute", 0, 59, "" },
	[F_HOUR] = { "hour", 0, 23, "" },
	[F_DAY] = { "day of month", 1, 31, "" },
	[F_MONTH] = { "month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC" },
	[F_WEEKDAY] = { "day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT" },
};

/* ---- parsing ---- */

struct reader {
	struct str text;
	size_t at, end; /* of the field that is being read */
	enum field field;
	struct err *err;
};

static bool fail(struct reader *r, size_t at, const char *fmt, ...) PRINTF(3, 4);

static bool fail(struct reader *r, size_t at, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(r->err, ERR_INVALID, "schedule \"%.*s\", position %zu, %s: %s",
		STR_ARG(r->text), at + 1, fields[r->field].name, what);
}

static char peek(const struct reader *r)
{
	return r->at < r->end ? r->text.p[r->at] : '\0';
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static bool is_digit(char c)
{
	return (unsigned)(c - '0') <= 9;
}

static bool is_letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

static bool fail_expected(struct reader *r, size_t at)
{
	const struct range *f = &fields[r->field];
	char c = at < r->end ? r->text.p[at] : '\0';

	if (c == '#' ||
		((c == 'L' || c == 'W') && (at + 1 >= r->end || !is_letter(r->text.p[at + 1]))))
		return fail(r, at, "'%c' is not known; list the days instead", c);
	if (f->names[0] != '\0')
		return fail(r, at, "expected a number from %u to %u, or a name such as %.3s",
			f->low, f->high, f->names);
	return fail(r, at, "expected a number from %u to %u", f->low, f->high);
}

static bool read_name(struct reader *r, unsigned *out)
{
	const struct range *f = &fields[r->field];
	struct str word = str_sub(r->text, r->at, 3);
	size_t n = 0;

	while (r->at + n < r->end && is_letter(r->text.p[r->at + n]))
		n++;
	for (unsigned i = 0; n == 3 && f->names[(size_t)3 * i] != '\0'; i++) {
		if (str_eq_ci(word, str_of(f->names + (size_t)3 * i, 3))) {
			*out = f->low + i;
			r->at += 3;
			return true;
		}
	}
	return fail_expected(r, r->at);
}

static bool read_value(struct reader *r, unsigned *out)
{
	const struct range *f = &fields[r->field];
	size_t from = r->at;
	unsigned v = 0;

	if (!is_digit(peek(r)))
		return read_name(r, out);
	while (is_digit(peek(r)) && r->at - from < 4)
		v = v * 10 + (unsigned)(r->text.p[r->at++] - '0');
	if (v < f->low || v > f->high || is_digit(peek(r)))
		return fail_expected(r, from);
	*out = v;
	return true;
}

static bool read_step(struct reader *r, unsigned *step)
{
	const struct range *f = &fields[r->field];
	size_t from = r->at;
	unsigned v = 0;

	while (is_digit(peek(r)) && r->at - from < 4)
		v = v * 10 + (unsigned)(r->text.p[r->at++] - '0');
	if (v < 1 || v > f->high || is_digit(peek(r)))
		return fail(r, from, "expected a step from 1 to %u", f->high);
	*step = v;
	return true;
}

/* One entry of a list. */
static bool read_entry(struct reader *r, uint64_t *bits)
{
	const struct range *f = &fields[r->field];
	unsigned low = f->low, high = f->high, step = 1;
	bool all = peek(r) == '*' || peek(r) == '?', range = all;
	size_t from = r->at;

	if (all) {
		r->at++;
	} else {
		if (!read_value(r, &low))
			return false;
		high = low;
		range = take(r, '-');
		if (range && !read_value(r, &high))
			return false;
		if (range && r->field == F_WEEKDAY && high == 0 && low > 0)
			high = 7; /* FRI-SUN */
		if (high < low)
			return fail(r, from, "a range must go upwards");
	}
	if (take(r, '/')) {
		if (!read_step(r, &step))
			return false;
		high = range ? high : f->high;
	}
	/* as an "all", Sunday is there once: from 0 */
	if (r->field == F_WEEKDAY && (all || !range) && high == 7 && low < 7)
		high = 6;
	for (unsigned v = low; v <= high; v += step)
		*bits |= UINT64_C(1) << v;
	return true;
}

static bool read_field(struct reader *r, uint64_t *bits)
{
	*bits = 0;
	do {
		if (!read_entry(r, bits))
			return false;
	} while (take(r, ','));
	return r->at == r->end || fail_expected(r, r->at);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Moves to the next field; false when there is none. */
static bool next_field(struct reader *r)
{
	r->at = r->end;
	while (r->at < r->text.n && is_blank(r->text.p[r->at]))
		r->at++;
	r->end = r->at;
	while (r->end < r->text.n && !is_blank(r->text.p[r->end]))
		r->end++;
	return r->end > r->at;
}

static bool can_be_due(const struct cron *c)
{
	static const unsigned char longest[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (c->either)
		return true;
	for (unsigned m = 1; m <= 12; m++)
		if ((c->months >> m & 1) && (c->days & ((UINT64_C(2) << longest[m - 1]) - 2)) != 0)
			return true;
	return false;
}

static bool read_fields(struct reader *r, uint64_t bits[F_COUNT], bool all[F_COUNT])
{
	for (size_t i = 0; i < F_COUNT; i++) {
		r->field = (enum field)i;
		if (!next_field(r))
			return fail(r, r->at,
				"missing; a schedule has six fields: second, minute, hour, day of "
				"month, month, day of week");
		all[i] = peek(r) == '*' || peek(r) == '?';
		if (i == F_SECOND && (peek(r) != '?' || r->end - r->at != 1))
			return fail(r, r->at, "this field is always ?");
		if (!read_field(r, &bits[i]))
			return false;
	}
	if (next_field(r))
		return fail(r, r->at, "this is a seventh field; a schedule has six");
	return true;
}

bool cron_parse(struct str text, struct cron *out, struct err *err)
{
	struct reader r = { .text = text, .err = err };
	uint64_t bits[F_COUNT];
	bool all[F_COUNT];

	if (text.n > CRON_TEXT_MAX)
		return err_set(err, ERR_INVALID, "a schedule has at most %d bytes; found %zu",
			CRON_TEXT_MAX, text.n);
	if (!read_fields(&r, bits, all))
		return err_hint(err, "every quarter of an hour is \"? */15 * ? * *\"");
	struct cron c = {
		.minutes = bits[F_MINUTE],
		.hours = (uint32_t)bits[F_HOUR],
		.days = (uint32_t)bits[F_DAY],
		.months = (uint32_t)bits[F_MONTH],
		.weekdays = (uint32_t)((bits[F_WEEKDAY] | bits[F_WEEKDAY] >> 7) & 0x7f),
		.either = !all[F_DAY] && !all[F_WEEKDAY],
	};

	if (!can_be_due(&c))
		return err_set(err, ERR_INVALID,
			"schedule \"%.*s\" can never be due: none of its months has such a day",
			STR_ARG(text));
	*out = c;
	return true;
}

/* ---- the next ---- */

static bool day_fits(const struct cron *c, unsigned day, unsigned weekday)
{
	bool d = c->days >> day & 1, w = c->weekdays >> weekday & 1;

	return c->either ? d || w : d && w;
}

/* The first time of a day at or after FROM (minutes of the day) that fits; -1: none. */
static int minute_of_day(const struct cron *c, unsigned from)
{
	for (unsigned h = from / 60; h < 24; h++) {
		uint64_t minutes = c->minutes;

		if (h == from / 60)
			minutes = minutes >> from % 60 << from % 60;
		if ((c->hours >> h & 1) && minutes != 0)
			return (int)(h * 60) + __builtin_ctzll(minutes);
	}
	return -1;
}

/* The first local time at or after LOCAL (a whole minute) that fits. */
static bool next_local(const struct cron *c, int64_t local, int64_t *out)
{
	struct datetime t;
	int64_t day;

	datetime_civil(local, &t);
	int last = MIN(t.year + YEARS_MAX, 9999);
	unsigned from = t.hour * 60 + t.minute;

	for (day = local - (int64_t)from * MINUTE_MS; t.year <= last; datetime_civil(day, &t)) {
		if (!(c->months >> t.month & 1)) {
			day += (int64_t)(datetime_month_days(t.year, t.month) - t.day + 1) * DAY_MS;
		} else {
			int minute = day_fits(c, t.day, datetime_weekday(day))
					     ? minute_of_day(c, from)
					     : -1;

			if (minute >= 0) {
				*out = day + minute * MINUTE_MS;
				return true;
			}
			day += DAY_MS;
		}
		from = 0;
	}
	return false;
}

/* The instant at which a local time is due. */
static int64_t due_at(const struct zone *zone, int64_t local)
{
	enum timezone_fit fit;
	int64_t instant = timezone_instant(zone, local, &fit), change = instant - NEAR_MS;

	if (fit != TIMEZONE_GAP)
		return instant;
	/* the gap is the latest change before the instant that lies as far behind it */
	while (timezone_next_change(zone, change, instant, &change))
		;
	return change;
}

bool cron_next(const struct cron *c, const struct zone *zone, int64_t after_ms, int64_t *due_ms)
{
	int64_t local = timezone_local(zone, after_ms);

	/*
	 * Local times in order have their instants in order, so the first one that is late enough is
	 * the answer. None before the present local time is: where the clocks were put back, those
	 * that come again were due already.
	 */
	local -= (local % MINUTE_MS + MINUTE_MS) % MINUTE_MS;
	for (; next_local(c, local, &local); local += MINUTE_MS) {
		int64_t due = due_at(zone, local);

		if (due > after_ms) {
			*due_ms = due;
			return true;
		}
	}
	return false;
}
