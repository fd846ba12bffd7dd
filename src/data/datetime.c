/*
 * datetime.c - civil time, weeks, ISO 8601.
 */
#include "data/datetime_priv.h"

const char *const datetime_months[12] = { "January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December" };
const char *const datetime_weekdays[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };

const struct datetime_weeks datetime_weeks_us = { .begins = 0, .first_day = 1 };
const struct datetime_weeks datetime_weeks_iso = { .begins = 1, .first_day = 4 };

/* ---- civil time ---- */

static int64_t day_of(int64_t ms)
{
	return (ms >= 0 ? ms : ms - (DAY_MS - 1)) / DAY_MS;
}

void datetime_civil(int64_t ms, struct datetime *out)
{
	int64_t days = day_of(ms);
	uint32_t rest = (uint32_t)(ms - days * DAY_MS);

	time_civil(days, &out->year, &out->month, &out->day);
	out->hour = rest / 3600000;
	out->minute = rest / 60000 % 60;
	out->second = rest / 1000 % 60;
	out->ms = rest % 1000;
}

static unsigned weekday_of(int64_t days)
{
	return (unsigned)(((days + 4) % 7 + 7) % 7);
}

unsigned datetime_weekday(int64_t ms)
{
	return weekday_of(day_of(ms));
}

unsigned datetime_year_days(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;
}

unsigned datetime_month_days(int year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && datetime_year_days(year) == 366);
}

bool datetime_ms(const struct datetime *t, int64_t *ms, struct err *err)
{
	bool midnight = t->hour == 24 && t->minute == 0 && t->second == 0 && t->ms == 0;

	if (t->year < 0 || t->year > 9999)
		return err_set(err, ERR_INVALID, "the year must be from 0 to 9999");
	if (t->month < 1 || t->month > 12)
		return err_set(err, ERR_INVALID, "the month must be from 1 to 12");
	if (t->day < 1 || t->day > datetime_month_days(t->year, t->month))
		return err_set(err, ERR_INVALID, "%s %d has no day %u",
			datetime_months[t->month - 1], t->year, t->day);
	if (t->hour > 23 && !midnight)
		return err_set(err, ERR_INVALID, "the hour must be from 0 to 23");
	if (t->minute > 59)
		return err_set(err, ERR_INVALID, "the minutes must be from 0 to 59");
	if (t->second > 59)
		return err_set(err, ERR_INVALID, "the seconds must be from 0 to 59");
	CHECK(t->ms < 1000);
	*ms = time_days(t->year, t->month, t->day) * DAY_MS +
	      ((int64_t)t->hour * 3600 + t->minute * 60 + t->second) * 1000 + t->ms;
	return true;
}

/* ---- weeks ---- */

/* The day on which the year's first week begins. */
static int64_t first_week(const struct datetime_weeks *w, int year)
{
	int64_t day = time_days(year, 1, (unsigned)w->first_day);

	return day - (7 + weekday_of(day) - w->begins) % 7;
}

unsigned datetime_weeks_in(const struct datetime_weeks *w, int year)
{
	return (unsigned)((first_week(w, year + 1) - first_week(w, year)) / 7);
}

unsigned datetime_week(const struct datetime_weeks *w, int64_t days, int *year)
{
	unsigned month, day;

	time_civil(days, year, &month, &day);
	if (days < first_week(w, *year))
		(*year)--;
	else if (days >= first_week(w, *year + 1))
		(*year)++;
	return (unsigned)((days - first_week(w, *year)) / 7) + 1;
}

int64_t datetime_week_day(const struct datetime_weeks *w, int year, unsigned week, unsigned weekday)
{
	return first_week(w, year) + 7 * ((int64_t)week - 1) + (7 + weekday - w->begins) % 7;
}

/* ---- ISO 8601, reading ---- */

struct reader {
	struct str text;
	size_t at;
	struct err *err;
};

static bool fail(struct reader *r, const char *expected)
{
	return err_set(r->err, ERR_INVALID, "date \"%.*s\", position %zu: expected %s",
		STR_ARG(str_sub(r->text, 0, 64)), r->at + 1, expected);
}

static bool is_digit(struct str s, size_t at)
{
	return at < s.n && (unsigned)(s.p[at] - '0') <= 9;
}

static size_t count_digits(struct str s, size_t at)
{
	size_t n = 0;

	while (is_digit(s, at + n))
		n++;
	return n;
}

static bool take(struct reader *r, char c)
{
	if (r->at == r->text.n || r->text.p[r->at] != c)
		return false;
	r->at++;
	return true;
}

/* Exactly N digits. */
static bool read_digits(struct reader *r, size_t n, const char *expected, unsigned *out)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_digit(r->text, r->at))
			return fail(r, expected);
		v = v * 10 + (unsigned)(r->text.p[r->at++] - '0');
	}
	*out = v;
	return true;
}

static bool read_date(struct reader *r, struct datetime *t, bool *basic)
{
	unsigned year = 0;

	*basic = count_digits(r->text, r->at) == 8;
	if (!read_digits(r, 4, "a year of four digits", &year))
		return false;
	t->year = (int)year;
	if (!*basic && !take(r, '-'))
		return fail(r, "'-' and a month");
	if (!read_digits(r, 2, "a month of two digits", &t->month))
		return false;
	if (!*basic && !take(r, '-'))
		return fail(r, "'-' and a day");
	return read_digits(r, 2, "a day of two digits", &t->day);
}

/* Cut to milliseconds. */
static bool read_fraction(struct reader *r, unsigned *ms)
{
	size_t n = count_digits(r->text, r->at);
	unsigned v = 0;

	if (n == 0)
		return fail(r, "digits");
	for (size_t i = 0; i < 3; i++)
		v = v * 10 + (i < n ? (unsigned)(r->text.p[r->at + i] - '0') : 0);
	*ms = v;
	r->at += n;
	return true;
}

static bool read_time(struct reader *r, struct datetime *t, bool basic)
{
	if (!read_digits(r, 2, "an hour of two digits", &t->hour))
		return false;
	if (!basic && !take(r, ':'))
		return fail(r, "':' and minutes");
	if (!read_digits(r, 2, "minutes of two digits", &t->minute))
		return false;
	if (basic ? !is_digit(r->text, r->at) : !take(r, ':'))
		return true;
	if (!read_digits(r, 2, "seconds of two digits", &t->second))
		return false;
	return !(take(r, '.') || take(r, ',')) || read_fraction(r, &t->ms);
}

/* Z, +hh, +hhmm, +hh:mm */
static bool read_offset(struct reader *r, int64_t *offset_ms)
{
	unsigned h = 0, m = 0;
	bool minus = take(r, '-');

	*offset_ms = 0;
	if (!minus && (take(r, 'Z') || take(r, 'z')))
		return true;
	if (!minus && !take(r, '+'))
		return fail(r, "Z, an offset such as +02:00, or the end");
	if (!read_digits(r, 2, "an offset's hours", &h))
		return false;
	if ((take(r, ':') || is_digit(r->text, r->at)) &&
		!read_digits(r, 2, "an offset's minutes", &m))
		return false;
	if (h > 23 || m > 59)
		return fail(r, "an offset of less than 24 hours before this");
	*offset_ms = (int64_t)(h * 60 + m) * 60000 * (minus ? -1 : 1);
	return true;
}

static bool in_range(int64_t ms)
{
	return ms >= DATETIME_MS_MIN && ms <= DATETIME_MS_MAX;
}

/* [-]digits[.digits]; false when TEXT is no number. */
static bool read_epoch(struct str text, int64_t *ms)
{
	struct str whole = text, digits;
	unsigned fraction = 0;
	size_t point = str_find_char(text, '.');
	int64_t v;

	if (point != STR_NPOS) {
		struct reader r = { .text = text, .at = point + 1 };
		struct err ignored = ERR_INIT;

		r.err = &ignored;
		if (!read_fraction(&r, &fraction) || r.at != text.n)
			return false;
		whole = str_sub(text, 0, point);
	}
	digits = str_starts(whole, STR("-")) ? str_from(whole, 1) : whole;
	if (count_digits(digits, 0) != digits.n || !str_to_i64(whole, &v))
		return false;
	if (digits.n <= 11)
		v = v * 1000 + (digits.n < whole.n ? -(int64_t)fraction : fraction);
	if (!in_range(v))
		return false;
	*ms = v;
	return true;
}

bool datetime_parse_iso(struct str text, enum datetime_allow allow, const struct zone *zone,
	int64_t *ms, struct err *err)
{
	struct reader r = { .text = text, .err = err };
	struct datetime t = { .year = 0 };
	int64_t v, offset_ms = 0;
	bool basic, zoned = false;

	if (allow == DATETIME_EPOCH && count_digits(text, 0) != 8 && read_epoch(text, ms))
		return true;
	if (!read_date(&r, &t, &basic))
		return false;
	if (r.at < text.n) {
		if (!take(&r, 'T') && !take(&r, 't') && !take(&r, ' '))
			return fail(&r, "'T' and a time, or the end");
		if (!read_time(&r, &t, basic))
			return false;
		zoned = r.at < text.n;
	}
	if (zoned) {
		take(&r, ' ');
		if (!read_offset(&r, &offset_ms))
			return false;
		if (r.at < text.n)
			return fail(&r, "the end");
	}
	if (!datetime_ms(&t, &v, err))
		return err_wrap(err, "date \"%.*s\"", STR_ARG(str_sub(text, 0, 64)));
	v = zoned ? v - offset_ms : timezone_instant(zone, v, NULL);
	if (!in_range(v))
		return err_set(err, ERR_INVALID, "date \"%.*s\" is not in the years 0 to 9999 UTC",
			STR_ARG(text));
	*ms = v;
	return true;
}

/* ---- ISO 8601, printing ---- */

size_t datetime_print_iso(int64_t ms, const struct zone *zone, char out[DATETIME_ISO_LEN])
{
	int32_t minutes = timezone_at(zone, ms).offset_s / 60;
	unsigned off = (unsigned)(minutes < 0 ? -minutes : minutes);
	char text[TIME_ISO_LEN + 1];

	/* the offset that is written is the one that is applied, whole minutes */
	time_fmt_iso(ms + (int64_t)minutes * 60000, text);
	memcpy(out, text, TIME_ISO_LEN);
	if (zone == NULL || zone == timezone_utc())
		return TIME_ISO_LEN;
	char *p = out + TIME_ISO_LEN - 1;

	p[0] = minutes < 0 ? '-' : '+';
	p[1] = (char)('0' + off / 600);
	p[2] = (char)('0' + off / 60 % 10);
	p[3] = ':';
	p[4] = (char)('0' + off % 60 / 10);
	p[5] = (char)('0' + off % 10);
	return DATETIME_ISO_LEN;
}
