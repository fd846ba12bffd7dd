/*
 * datetime_read.c - reads a text by a format: one pass over the items, each of which fills parts of
 * a date; then the parts are put together and checked against each other.
 */
#include "data/datetime_priv.h"

#define TEXT_MAX         256 /* bytes of a date */
#define OFFSET_HOURS_MAX 16  /* no place on earth is as far as this from UTC */

enum part {
	P_YEAR,
	P_MONTH,
	P_DAY,
	P_YEAR_DAY,
	P_WEEKDAY,
	P_ISO_WEEKDAY,
	P_WEEK,
	P_ISO_WEEK,
	P_WEEK_YEAR,
	P_ISO_YEAR,
	P_HOUR,
	P_MINUTE,
	P_SECOND,
	P_MS,
	P_PM,     /* 1: PM */
	P_OFFSET, /* seconds */
	P_EPOCH,  /* milliseconds */
	P_COUNT,
};

struct reader {
	struct str text;
	size_t at;
	const struct zone *zone;
	enum datetime_token token; /* that is being read */
	bool set[P_COUNT];
	int64_t value[P_COUNT];
	struct {
		size_t at;
		enum datetime_token token;
	} by[P_COUNT]; /* what set it, for errors */
	struct err *err;
};

static bool fail_at(struct reader *r, size_t at, enum datetime_token t, const char *what)
{
	return err_set(r->err, ERR_INVALID, "date \"%.*s\", position %zu: %.*s needs %s",
		STR_ARG(str_sub(r->text, 0, 64)), at + 1, STR_ARG(datetime_tokens[t].text), what);
}

static bool fail(struct reader *r, size_t at)
{
	return fail_at(r, at, r->token, datetime_tokens[r->token].words);
}

static bool fail_part(struct reader *r, enum part p, const char *what)
{
	return fail_at(r, r->by[p].at, r->by[p].token, what);
}

static void set(struct reader *r, enum part p, int64_t v, size_t at)
{
	r->set[p] = true;
	r->value[p] = v;
	r->by[p].at = at;
	r->by[p].token = r->token;
}

static struct str rest(const struct reader *r)
{
	return str_from(r->text, r->at);
}

static size_t count_digits(struct str s)
{
	size_t n = 0;

	while (n < s.n && (unsigned)(s.p[n] - '0') <= 9)
		n++;
	return n;
}

static int64_t number(struct str digits)
{
	int64_t v = 0;

	for (size_t i = 0; i < digits.n; i++)
		v = v * 10 + (digits.p[i] - '0');
	return v;
}

/* From LOW to HIGH digits, as many as there are. */
static bool read_digits(struct reader *r, size_t low, size_t high, int64_t *v)
{
	size_t n = MIN(count_digits(rest(r)), high);

	if (n < low)
		return fail(r, r->at);
	*v = number(str_sub(r->text, r->at, n));
	r->at += n;
	return true;
}

static bool read_part(struct reader *r, enum part p, size_t low, size_t high)
{
	size_t at = r->at;
	int64_t v;

	if (!read_digits(r, low, high, &v))
		return false;
	set(r, p, v, at);
	return true;
}

/* ---- names ---- */

/* The longest of COUNT names, cut to LETTERS bytes (0: whole), that the text goes on with. */
static bool read_name(struct reader *r, const char *const *names, size_t count, size_t letters,
	size_t *which)
{
	for (size_t i = 0; i < count; i++) {
		struct str name = str_z(names[i]);

		name.n = letters == 0 ? name.n : MIN(letters, name.n);
		if (str_starts_ci(rest(r), name)) {
			r->at += name.n;
			*which = i;
			return true;
		}
	}
	return fail(r, r->at);
}

static bool read_month_name(struct reader *r, size_t letters)
{
	size_t at = r->at, i = 0;

	if (!read_name(r, datetime_months, 12, letters, &i))
		return false;
	set(r, P_MONTH, (int64_t)i + 1, at);
	return true;
}

static bool read_weekday_name(struct reader *r, size_t letters)
{
	size_t at = r->at, i = 0;

	if (!read_name(r, datetime_weekdays, 7, letters, &i))
		return false;
	set(r, P_WEEKDAY, (int64_t)i, at);
	return true;
}

/* ---- years, days ---- */

static int64_t full_year(int64_t two)
{
	return two + (two > 68 ? 1900 : 2000);
}

static bool read_year(struct reader *r)
{
	size_t at = r->at, low = 1, high = 6;
	int64_t v;

	if (r->token == T_YY)
		low = high = 2;
	else if (r->token == T_YYYY)
		low = high = 4;
	else if (r->token == T_YYYYY || r->token == T_YYYYYY)
		low = r->token == T_YYYYY ? 5 : 6;
	if (r->token == T_YYYYYY || r->token == T_Y)
		r->at += str_starts(rest(r), STR("+"));
	if (!read_digits(r, low, high, &v))
		return false;
	set(r, P_YEAR, r->token == T_YY ? full_year(v) : v, at);
	return true;
}

static bool read_week_year(struct reader *r)
{
	bool iso = r->token >= T_ISO_YEAR2;
	bool two = r->token == T_ISO_YEAR2 || r->token == T_WEEK_YEAR2;
	size_t at = r->at, low = two ? 2 : 4;
	int64_t v;

	if (r->token == T_ISO_YEAR5 || r->token == T_WEEK_YEAR5)
		low = 5;
	if (!read_digits(r, low, low == 5 ? 6 : low, &v))
		return false;
	set(r, iso ? P_ISO_YEAR : P_WEEK_YEAR, two ? full_year(v) : v, at);
	return true;
}

static bool read_month(struct reader *r)
{
	switch (r->token) {
	case T_Q: {
		size_t at = r->at;
		int64_t v;

		if (!read_digits(r, 1, 1, &v))
			return false;
		if (v < 1 || v > 4)
			return fail(r, at);
		set(r, P_MONTH, v * 3 - 2, at);
		return true;
	}
	case T_MMM:
		return read_month_name(r, 3);
	case T_MMMM:
		return read_month_name(r, 0);
	default:
		return read_part(r, P_MONTH, r->token == T_MM ? 2 : 1, 2);
	}
}

static bool read_ordinal_suffix(struct reader *r)
{
	static const char *const suffixes[] = { "th", "st", "nd", "rd" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (str_starts_ci(rest(r), str_z(suffixes[i]))) {
			r->at += 2;
			return true;
		}
	}
	return fail(r, r->at);
}

static bool read_day(struct reader *r)
{
	switch (r->token) {
	case T_DDD:
		return read_part(r, P_YEAR_DAY, 1, 3);
	case T_DDDD:
		return read_part(r, P_YEAR_DAY, 3, 3);
	case T_DO:
		return read_part(r, P_DAY, 1, 2) && read_ordinal_suffix(r);
	default:
		return read_part(r, P_DAY, r->token == T_DD ? 2 : 1, 2);
	}
}

static bool read_weekday(struct reader *r)
{
	switch (r->token) {
	case T_WEEKDAY2:
		return read_weekday_name(r, 2);
	case T_WEEKDAY3:
		return read_weekday_name(r, 3);
	case T_WEEKDAY4:
		return read_weekday_name(r, 0);
	case T_ISO_WEEKDAY:
		return read_part(r, P_ISO_WEEKDAY, 1, 2);
	default:
		return read_part(r, P_WEEKDAY, 1, 2);
	}
}

static bool read_week(struct reader *r)
{
	if (r->token >= T_WEEK_YEAR2)
		return read_week_year(r);
	return read_part(r, r->token >= T_ISO_WEEK ? P_ISO_WEEK : P_WEEK,
		r->token == T_WEEK2 || r->token == T_ISO_WEEK2 ? 2 : 1, 2);
}

/* ---- time ---- */

/* am, p.m., A */
static bool read_meridiem(struct reader *r)
{
	struct str s = rest(r);
	char c = s.n == 0 ? '\0' : (char)(s.p[0] | 0x20);
	size_t at = r->at, n = 1;

	if (c != 'a' && c != 'p')
		return fail(r, r->at);
	n += n < s.n && s.p[n] == '.';
	n += n < s.n && (s.p[n] | 0x20) == 'm';
	n += n < s.n && s.p[n] == '.';
	r->at += n;
	set(r, P_PM, c == 'p', at);
	return true;
}

/* Hmm and its kin: the last two digits are minutes, or seconds. */
static bool read_packed_hour(struct reader *r)
{
	bool seconds = r->token == T_HMMSS || r->token == T_H12MMSS;
	size_t at = r->at, low = seconds ? 5 : 3;
	int64_t v;

	if (!read_digits(r, low, low + 1, &v))
		return false;
	if (seconds) {
		set(r, P_SECOND, v % 100, r->at - 2);
		v /= 100;
	}
	set(r, P_MINUTE, v % 100, at);
	set(r, P_HOUR, v / 100, at);
	return true;
}

static bool is_hour_12(enum datetime_token t)
{
	return t == T_H12 || t == T_HH12 || t == T_H12MM || t == T_H12MMSS;
}

static bool read_hour(struct reader *r)
{
	enum datetime_token t = r->token;
	size_t at = r->at;

	if (t == T_MERIDIEM_UPPER || t == T_MERIDIEM_LOWER)
		return read_meridiem(r);
	if (t >= T_HMM ? !read_packed_hour(r)
		       : !read_part(r, P_HOUR, t == T_HH || t == T_HH12 || t == T_KK ? 2 : 1, 2))
		return false;
	int64_t h = r->value[P_HOUR];

	if (is_hour_12(t) && (h < 1 || h > 12))
		return fail(r, at);
	if (t == T_K || t == T_KK)
		r->value[P_HOUR] = h == 24 ? 0 : h;
	return true;
}

static bool read_fraction(struct reader *r)
{
	size_t digits = (size_t)r->token - T_S1 + 1, at = r->at, n = count_digits(rest(r));
	int64_t v = 0;

	if (digits <= 3)
		n = n < digits ? 0 : digits;
	if (n == 0)
		return fail(r, at);
	for (size_t i = 0; i < 3; i++)
		v = v * 10 + (i < n ? r->text.p[at + i] - '0' : 0);
	r->at += n;
	set(r, P_MS, v, at);
	return true;
}

/* ---- zones, epochs ---- */

static bool read_offset(struct reader *r)
{
	struct str s = rest(r);
	size_t at = r->at;
	bool minus = str_starts(s, STR("-"));
	int64_t h, m = 0;

	if (str_starts(s, STR("Z"))) {
		r->at++;
		set(r, P_OFFSET, 0, at);
		return true;
	}
	if (!minus && !str_starts(s, STR("+")))
		return fail(r, at);
	r->at++;
	if (!read_digits(r, 2, 2, &h))
		return false;
	r->at += count_digits(str_from(rest(r), 1)) >= 2 && str_starts(rest(r), STR(":"));
	if (count_digits(rest(r)) >= 2 && !read_digits(r, 2, 2, &m))
		return false;
	if (h >= OFFSET_HOURS_MAX || m > 59)
		return fail(r, at);
	set(r, P_OFFSET, (h * 60 + m) * 60 * (minus ? -1 : 1), at);
	return true;
}

static bool read_abbr(struct reader *r)
{
	struct str s = rest(r);
	size_t n = 0;
	int32_t offset_s;

	while (n < s.n && n < DATETIME_ABBR_MAX &&
		((unsigned)((s.p[n] | 0x20) - 'a') < 26 || (unsigned)(s.p[n] - '0') <= 9 ||
			(n == 0 && (s.p[n] == '+' || s.p[n] == '-'))))
		n++;
	if (!timezone_abbr_offset(r->zone, str_sub(s, 0, n), &offset_s))
		return fail(r, r->at);
	set(r, P_OFFSET, offset_s, r->at);
	r->at += n;
	return true;
}

#define EPOCH_DIGITS_MAX 15

static bool read_epoch(struct reader *r)
{
	size_t at = r->at, n;
	bool minus = str_starts(rest(r), STR("-"));
	int64_t v, ms = 0;

	r->at += minus || str_starts(rest(r), STR("+"));
	if (!read_digits(r, 1, EPOCH_DIGITS_MAX, &v))
		return false;
	if (r->token == T_EPOCH_S) {
		n = str_starts(rest(r), STR(".")) ? count_digits(str_from(rest(r), 1)) : 0;
		n = MIN(n, 3);
		for (size_t i = 1; i <= 3; i++)
			ms = ms * 10 + (i <= n ? r->text.p[r->at + i] - '0' : 0);
		r->at += n == 0 ? 0 : n + 1;
		v = v * 1000 + ms;
	}
	set(r, P_EPOCH, minus ? -v : v, at);
	return true;
}

/* ---- items ---- */

static bool read_literal(struct reader *r, struct str literal)
{
	if (!str_starts(rest(r), literal))
		return err_set(r->err, ERR_INVALID,
			"date \"%.*s\", position %zu: expected \"%.*s\"",
			STR_ARG(str_sub(r->text, 0, 64)), r->at + 1, STR_ARG(literal));
	r->at += literal.n;
	return true;
}

static bool read_item(struct reader *r, const struct datetime_item *item)
{
	enum datetime_token t = r->token = item->token;

	if (t == T_LITERAL)
		return read_literal(r, item->literal);
	if (t <= T_ERA_YO)
		return read_year(r);
	if (t <= T_MMMM)
		return read_month(r);
	if (t <= T_DDDD)
		return read_day(r);
	if (t <= T_ISO_WEEKDAY)
		return read_weekday(r);
	if (t <= T_ISO_YEAR5)
		return read_week(r);
	if (t <= T_H12MMSS)
		return read_hour(r);
	if (t <= T_SECOND2)
		return read_part(r, t <= T_MINUTE2 ? P_MINUTE : P_SECOND,
			t == T_MINUTE2 || t == T_SECOND2 ? 2 : 1, 2);
	if (t <= T_S9)
		return read_fraction(r);
	if (t <= T_ABBR2)
		return read_abbr(r);
	return t <= T_OFFSET_SHORT ? read_offset(r) : read_epoch(r);
}

/* ---- putting together ---- */

static bool in_range(struct reader *r, enum part p, int64_t low, int64_t high, const char *what)
{
	return !r->set[p] || (r->value[p] >= low && r->value[p] <= high) || fail_part(r, p, what);
}

static bool check_ranges(struct reader *r)
{
	return in_range(r, P_YEAR, 0, 9999, "a year from 0 to 9999") &&
	       in_range(r, P_WEEK_YEAR, 0, 9999, "a year from 0 to 9999") &&
	       in_range(r, P_ISO_YEAR, 0, 9999, "a year from 0 to 9999") &&
	       in_range(r, P_MONTH, 1, 12, "a month from 1 to 12") &&
	       in_range(r, P_WEEKDAY, 0, 6, "a weekday from 0 to 6") &&
	       in_range(r, P_ISO_WEEKDAY, 1, 7, "a weekday from 1 to 7") &&
	       in_range(r, P_HOUR, 0, 24, "an hour from 0 to 23") &&
	       in_range(r, P_MINUTE, 0, 59, "minutes from 0 to 59") &&
	       in_range(r, P_SECOND, 0, 59, "seconds from 0 to 59");
}

/* Days since 1970 of a date that was given by its week. */
static bool week_day(struct reader *r, int64_t *days)
{
	bool iso = r->set[P_ISO_YEAR] || r->set[P_ISO_WEEK] || r->set[P_ISO_WEEKDAY];
	const struct datetime_weeks *w = iso ? &datetime_weeks_iso : &datetime_weeks_us;
	enum part year_part = iso ? P_ISO_YEAR : P_WEEK_YEAR, week_part = iso ? P_ISO_WEEK : P_WEEK;
	int64_t week = r->set[week_part] ? r->value[week_part] : 1;
	unsigned weekday = w->begins;

	if (!r->set[year_part])
		year_part = P_YEAR;
	if (!r->set[year_part])
		return fail_part(r, week_part, "a year that weeks are counted in beside it");
	int year = (int)r->value[year_part];

	if (week < 1 || week > datetime_weeks_in(w, year))
		return fail_part(r, week_part, "a week that the year has");
	if (iso && r->set[P_ISO_WEEKDAY])
		weekday = (unsigned)r->value[P_ISO_WEEKDAY] % 7;
	else if (r->set[P_WEEKDAY])
		weekday = (unsigned)r->value[P_WEEKDAY];
	*days = datetime_week_day(w, year, (unsigned)week, weekday);
	return true;
}

static bool year_day(struct reader *r, int64_t *days)
{
	int year = (int)r->value[P_YEAR];

	if (r->value[P_YEAR_DAY] < 1 || r->value[P_YEAR_DAY] > datetime_year_days(year))
		return fail_part(r, P_YEAR_DAY, "a day that the year has");
	*days = time_days(year, 1, 1) + r->value[P_YEAR_DAY] - 1;
	return true;
}

static bool month_day(struct reader *r, int64_t *days)
{
	int year = (int)r->value[P_YEAR];
	unsigned month = r->set[P_MONTH] ? (unsigned)r->value[P_MONTH] : 1;
	int64_t day = r->set[P_DAY] ? r->value[P_DAY] : 1;

	if (day < 1 || day > datetime_month_days(year, month))
		return fail_part(r, P_DAY, "a day that the month has");
	*days = time_days(year, month, (unsigned)day);
	return true;
}

static bool date_of(struct reader *r, int64_t *days)
{
	bool by_month = r->set[P_MONTH] || r->set[P_DAY];
	bool by_week = r->set[P_WEEK] || r->set[P_ISO_WEEK] || r->set[P_WEEK_YEAR] ||
		       r->set[P_ISO_YEAR];
	bool dated = by_month || by_week || r->set[P_YEAR_DAY] || r->set[P_YEAR];

	if (!r->set[P_YEAR] && !by_week)
		r->value[P_YEAR] = 1970;
	if (r->set[P_YEAR_DAY] && r->set[P_YEAR] ? !year_day(r, days)
		: by_week && !by_month           ? !week_day(r, days)
						 : !month_day(r, days))
		return false;
	unsigned weekday = datetime_weekday(*days * DAY_MS);

	if (dated && r->set[P_WEEKDAY] && r->value[P_WEEKDAY] != weekday)
		return fail_part(r, P_WEEKDAY, "the weekday of its date");
	if (dated && r->set[P_ISO_WEEKDAY] && r->value[P_ISO_WEEKDAY] % 7 != weekday)
		return fail_part(r, P_ISO_WEEKDAY, "the weekday of its date");
	return true;
}

static bool put_together(struct reader *r, int64_t *ms)
{
	int64_t days = 0, v, hour;

	if (r->set[P_EPOCH]) {
		v = r->value[P_EPOCH];
	} else {
		if (!check_ranges(r) || !date_of(r, &days))
			return false;
		hour = r->value[P_HOUR];
		if (r->set[P_PM])
			hour = r->value[P_PM] != 0 && hour < 12    ? hour + 12
			       : r->value[P_PM] == 0 && hour == 12 ? 0
								   : hour;
		if (hour == 24 && (r->value[P_MINUTE] | r->value[P_SECOND] | r->value[P_MS]) != 0)
			return fail_part(r, P_HOUR, "an hour from 0 to 23");
		v = days * DAY_MS + hour * 3600000 + r->value[P_MINUTE] * 60000 +
		    r->value[P_SECOND] * 1000 + r->value[P_MS];
		v = r->set[P_OFFSET] ? v - r->value[P_OFFSET] * 1000
				     : timezone_instant(r->zone, v, NULL);
	}
	if (v < DATETIME_MS_MIN || v > DATETIME_MS_MAX)
		return err_set(r->err, ERR_INVALID,
			"date \"%.*s\" is not in the years 0 to 9999 UTC",
			STR_ARG(str_sub(r->text, 0, 64)));
	*ms = v;
	return true;
}

bool datetime_format_read(const struct datetime_format *f, struct str text, const struct zone *zone,
	int64_t *ms, struct err *err)
{
	struct reader r = { .text = text, .zone = zone, .err = err };

	CHECK(f->use == DATETIME_READ);
	if (text.n > TEXT_MAX + DATETIME_FORMAT_MAX)
		return err_set(err, ERR_INVALID, "a date of %zu bytes is too long", text.n);
	for (size_t i = 0; i < f->count; i++)
		if (!read_item(&r, &f->items[i]))
			return err_hint(err, "the format is \"%.*s\"", STR_ARG(f->text));
	if (r.at < text.n) {
		err_set(err, ERR_INVALID,
			"date \"%.*s\", position %zu: expected the end, for the format ends here",
			STR_ARG(str_sub(text, 0, 64)), r.at + 1);
		return err_hint(err, "the format is \"%.*s\"", STR_ARG(f->text));
	}
	return put_together(&r, ms) || err_hint(err, "the format is \"%.*s\"", STR_ARG(f->text));
}
