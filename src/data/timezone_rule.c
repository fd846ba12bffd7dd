/*
 * timezone_rule.c - POSIX TZ rules, "CET-1CEST,M3.5.0,M10.5.0/3": what a zone does behind the last
 * transition of its file.
 */
#include "core/clock.h"
#include "data/timezone_priv.h"

#define DAY_S 86400

static bool take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_from(*s, 1);
	return true;
}

static bool read_number(struct str *s, unsigned max, unsigned *out)
{
	unsigned v = 0;
	size_t n = 0;

	while (n < s->n && n < 4 && (unsigned)(s->p[n] - '0') <= 9)
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	if (n == 0 || v > max)
		return false;
	*out = v;
	*s = str_from(*s, n);
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct str *s, unsigned hours_max, int32_t *out)
{
	bool minus = take(s, '-');
	unsigned h, m = 0, sec = 0;

	if (!minus)
		take(s, '+');
	if (!read_number(s, hours_max, &h) || (take(s, ':') && !read_number(s, 59, &m)) ||
		(take(s, ':') && !read_number(s, 59, &sec)))
		return false;
	*out = (int32_t)(h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
	return true;
}

static bool is_letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

/* An abbreviation: letters, or anything in angle brackets. */
static bool read_abbr(struct arena *a, struct str *s, struct str *out)
{
	size_t n = 0;

	if (take(s, '<')) {
		size_t end = str_find_char(*s, '>');

		if (end == STR_NPOS || end == 0)
			return false;
		*out = str_dup(a, str_sub(*s, 0, end));
		*s = str_from(*s, end + 1);
		return true;
	}
	while (n < s->n && is_letter(s->p[n]))
		n++;
	if (n < 3)
		return false;
	*out = str_dup(a, str_sub(*s, 0, n));
	*s = str_from(*s, n);
	return true;
}

static bool read_date(struct str *s, struct tz_date *d)
{
	*d = (struct tz_date){ .kind = TZ_DAY, .time_s = 2 * 3600 };
	if (take(s, 'M')) {
		d->kind = TZ_WEEKDAY;
		if (!read_number(s, 12, &d->month) || d->month == 0 || !take(s, '.') ||
			!read_number(s, 5, &d->week) || d->week == 0 || !take(s, '.') ||
			!read_number(s, 6, &d->day))
			return false;
	} else if (take(s, 'J')) {
		d->kind = TZ_JULIAN;
		if (!read_number(s, 365, &d->day) || d->day == 0)
			return false;
	} else if (!read_number(s, 365, &d->day)) {
		return false;
	}
	return !take(s, '/') || read_time(s, 167, &d->time_s);
}

bool tz_rule_read(struct arena *a, struct str text, struct tz_rule *rule)
{
	struct tz_rule r = { .dst.abbr = STR_NULL };
	struct str s = text;
	int32_t west;

	if (!read_abbr(a, &s, &r.std.abbr) || !read_time(&s, 24, &west))
		return false;
	r.std.offset_s = -west;
	if (s.n > 0) {
		if (!read_abbr(a, &s, &r.dst.abbr))
			return false;
		r.dst.dst = true;
		r.dst.offset_s = r.std.offset_s + 3600;
		if (s.n > 0 && s.p[0] != ',') {
			if (!read_time(&s, 24, &west))
				return false;
			r.dst.offset_s = -west;
		}
		if (!take(&s, ',') || !read_date(&s, &r.start) || !take(&s, ',') ||
			!read_date(&s, &r.end))
			return false;
	}
	if (s.n > 0)
		return false;
	*rule = r;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local seconds of the change in that year. */
static int64_t date_in(const struct tz_date *d, int year)
{
	int64_t days = time_days(year, 1, 1);

	if (d->kind == TZ_JULIAN) {
		days += d->day - 1 + (is_leap(year) && d->day >= 60);
	} else if (d->kind == TZ_DAY) {
		days += d->day;
	} else {
		int64_t first = time_days(year, d->month, 1);
		int64_t behind = d->month == 12 ? time_days(year + 1, 1, 1)
						: time_days(year, d->month + 1, 1);
		int64_t weekday = ((first + 4) % 7 + 7) % 7;

		days = first + (d->day + 7 - weekday) % 7 + 7 * (d->week - 1);
		if (days >= behind)
			days -= 7;
	}
	return days * DAY_S + d->time_s;
}

static int year_of(int64_t s)
{
	int year;
	unsigned month, day;

	time_civil((s >= 0 ? s : s - (DAY_S - 1)) / DAY_S, &year, &month, &day);
	return year;
}

const struct timezone_at *tz_rule_at(const struct tz_rule *r, int64_t s)
{
	if (r->dst.abbr.p == NULL)
		return &r->std;
	int year = year_of(s + r->std.offset_s);
	int64_t start = date_in(&r->start, year) - r->std.offset_s;
	int64_t end = date_in(&r->end, year) - r->dst.offset_s;
	bool dst = start < end ? s >= start && s < end : s >= start || s < end;

	return dst ? &r->dst : &r->std;
}

bool tz_rule_next(const struct tz_rule *r, int64_t s, int64_t *at)
{
	int year = year_of(s + r->std.offset_s);
	bool found = false;

	if (r->dst.abbr.p == NULL)
		return false;
	for (int y = year - 1; y <= year + 1; y++) {
		int64_t change[] = { date_in(&r->start, y) - r->std.offset_s,
			date_in(&r->end, y) - r->dst.offset_s };

		for (size_t i = 0; i < ARRAY_LEN(change); i++) {
			if (change[i] <= s || (found && change[i] >= *at) ||
				tz_rule_at(r, change[i] - 1) == tz_rule_at(r, change[i]))
				continue;
			*at = change[i];
			found = true;
		}
	}
	return found;
}
