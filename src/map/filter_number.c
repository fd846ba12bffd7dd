/*
 * filter_number.c - numbers as decimals of any length: ids of twenty digits and prices of two places
 * are compared and rounded exactly, which doubles can't.
 *
 * A number is 0.DIGITS * 10^point, with DIGITS free of zeros at both ends.
 */
#include "core/clock.h"
#include "map/filter_priv.h"

#define EXPONENT_MAX INT64_C(1000000000000000) /* further away is as far */

struct decimal {
	bool negative;
	struct str whole, fraction; /* the lexeme's digits */
	size_t from, count;         /* the significant ones among them */
	int64_t point;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str take_digits(struct str *s)
{
	size_t n = 0;

	while (n < s->n && is_digit(s->p[n]))
		n++;
	struct str digits = str_sub(*s, 0, n);

	*s = str_from(*s, n);
	return digits;
}

static bool take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_from(*s, 1);
	return true;
}

static int64_t exponent_of(struct str s)
{
	int64_t e = 0;
	bool negative = take(&s, '-');

	take(&s, '+');
	for (size_t i = 0; i < s.n; i++)
		e = MIN(e * 10 + (s.p[i] - '0'), EXPONENT_MAX);
	return negative ? -e : e;
}

static char digit(const struct decimal *d, size_t i)
{
	i += d->from;
	return i < d->whole.n ? d->whole.p[i] : d->fraction.p[i - d->whole.n];
}

static struct decimal read_decimal(struct str s)
{
	struct decimal d = { .negative = take(&s, '-') };

	d.whole = take_digits(&s);
	d.fraction = take(&s, '.') ? take_digits(&s) : STR("");
	d.count = d.whole.n + d.fraction.n;
	while (d.count > 0 && digit(&d, d.count - 1) == '0')
		d.count--;
	while (d.count > 0 && digit(&d, 0) == '0') {
		d.from++;
		d.count--;
	}
	d.point = (int64_t)d.whole.n - (int64_t)d.from;
	if (take(&s, 'e') || take(&s, 'E'))
		d.point += exponent_of(s);
	return d;
}

/* Of two that are not zero and have one sign: which is further from zero? */
static int compare_sizes(const struct decimal *x, const struct decimal *y)
{
	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	for (size_t i = 0; i < MIN(x->count, y->count); i++)
		if (digit(x, i) != digit(y, i))
			return digit(x, i) < digit(y, i) ? -1 : 1;
	return x->count < y->count ? -1 : x->count > y->count;
}

static int sign(const struct decimal *d)
{
	return d->count == 0 ? 0 : d->negative ? -1 : 1;
}

int filter_number_compare(struct str x, struct str y)
{
	int64_t i, k;

	if (str_to_i64(x, &i) && str_to_i64(y, &k))
		return i < k ? -1 : i > k;
	struct decimal dx = read_decimal(x), dy = read_decimal(y);

	if (sign(&dx) != sign(&dy) || sign(&dx) == 0)
		return sign(&dx) - sign(&dy);
	return sign(&dx) * compare_sizes(&dx, &dy);
}

static const struct json *number(struct arena *a, struct str lexeme)
{
	struct json *v = arena_new_of(a, struct json);

	v->type = JSON_NUMBER;
	v->n = (uint32_t)lexeme.n;
	v->s = lexeme.p;
	return v;
}

/* The digits before the point, as a number; with AWAY the next one further from zero. */
static const struct json *cut(struct arena *a, const struct decimal *d, bool away)
{
	size_t n = d->point > 0 ? (size_t)d->point : 0, at = n;
	char *z = arena_alloc(a, n + 2), *first = z + 2;

	/* digits from z + 2; before them room for a carry and a sign */
	for (size_t i = 0; i < n; i++)
		z[2 + i] = digit(d, i);
	while (away && at > 0 && first[at - 1] == '9')
		first[--at] = '0';
	if (away && at > 0)
		first[at - 1]++;
	else if (away || n == 0)
		*--first = away ? '1' : '0';
	if (d->negative && (n > 0 || away))
		*--first = '-';
	return number(a, str_of(first, (size_t)(z + 2 + n - first)));
}

const struct json *filter_round(struct arena *a, const struct json *v, enum op op)
{
	if (v->type != JSON_NUMBER)
		return NULL;
	struct str s = json_str(v);

	if (op == OP_ABS)
		return s.p[0] == '-' ? number(a, str_from(s, 1)) : v;
	struct decimal d = read_decimal(s);

	if (d.count == 0 || (d.point >= 0 && (uint64_t)d.point >= d.count))
		return v;
	return cut(a, &d, d.negative == (op == OP_FLOOR));
}

static struct str without_leading_zeros(struct str digits)
{
	while (digits.n > 1 && digits.p[0] == '0')
		digits = str_from(digits, 1);
	return digits.n == 0 ? STR("0") : digits;
}

/* Text that people write for numbers, to a lexeme of JSON; NULL: it is no number. */
static const struct json *number_of_text(struct arena *a, struct str text)
{
	struct str s = str_trim(text), fraction = STR(""), exponent = STR("");
	bool negative = take(&s, '-');

	if (!negative)
		take(&s, '+');
	struct str whole = take_digits(&s);

	if (take(&s, '.'))
		fraction = take_digits(&s);
	if (whole.n + fraction.n == 0)
		return NULL;
	if (take(&s, 'e') || take(&s, 'E')) {
		exponent = s;
		if (!take(&s, '-'))
			take(&s, '+');
		if (take_digits(&s).n == 0)
			return NULL;
	}
	if (s.n > 0)
		return NULL;
	return number(a, str_fmt(a, "%s%.*s%s%.*s%s%.*s", negative ? "-" : "",
				 STR_ARG(without_leading_zeros(whole)), fraction.n > 0 ? "." : "",
				 STR_ARG(fraction), exponent.n > 0 ? "e" : "", STR_ARG(exponent)));
}

const struct json *filter_to_number(struct arena *a, const struct json *v)
{
	switch (v->type) {
	case JSON_NUMBER:
		return v;
	case JSON_TRUE:
		return number(a, STR("1"));
	case JSON_FALSE:
		return number(a, STR("0"));
	case JSON_STRING:
		return number_of_text(a, json_str(v));
	default:
		return NULL;
	}
}

/* ---- times ---- */

static bool take_number(struct str *s, size_t digits, int max, int *out)
{
	uint64_t v;

	if (s->n < digits || !str_to_u64(str_sub(*s, 0, digits), &v) || v > (uint64_t)max)
		return false;
	*out = (int)v;
	*s = str_from(*s, digits);
	return true;
}

/* hh:mm[:ss[.fff...]] to milliseconds. */
static bool take_clock(struct str *s, int64_t *ms)
{
	int hour, minute, second = 0;

	if (!take_number(s, 2, 23, &hour) || !take(s, ':') || !take_number(s, 2, 59, &minute))
		return false;
	if (take(s, ':') && !take_number(s, 2, 59, &second))
		return false;
	*ms = ((hour * INT64_C(60) + minute) * 60 + second) * 1000;
	if (take(s, '.')) {
		struct str digits = take_digits(s);

		for (size_t i = 0; i < 3; i++)
			*ms += (i < digits.n ? digits.p[i] - '0' : 0) * (i == 0          ? 100
										: i == 1 ? 10
											 : 1);
		return digits.n > 0;
	}
	return true;
}

/* Z, +hh:mm, +hhmm, +hh or nothing, to minutes east. */
static bool take_zone(struct str *s, int64_t *minutes)
{
	bool west = false;
	int hour, minute = 0;

	*minutes = 0;
	if (s->n == 0 || take(s, 'Z') || take(s, 'z'))
		return true;
	if (!take(s, '+')) {
		west = take(s, '-');
		if (!west)
			return false;
	}
	if (!take_number(s, 2, 23, &hour))
		return false;
	if ((take(s, ':') || s->n > 0) && !take_number(s, 2, 59, &minute))
		return false;
	*minutes = (hour * 60 + minute) * (west ? -1 : 1);
	return true;
}

static bool read_time(struct str s, int64_t *ms)
{
	int year, month, day, year_is;
	unsigned month_is, day_is;
	int64_t clock = 0, zone = 0;

	if (!take_number(&s, 4, 9999, &year) || !take(&s, '-') || !take_number(&s, 2, 12, &month) ||
		!take(&s, '-') || !take_number(&s, 2, 31, &day) || month == 0 || day == 0)
		return false;
	int64_t days = time_days(year, (unsigned)month, (unsigned)day);

	time_civil(days, &year_is, &month_is, &day_is);
	if (day_is != (unsigned)day)
		return false; /* the 30th of February */
	if ((take(&s, 'T') || take(&s, 't') || take(&s, ' ')) &&
		(!take_clock(&s, &clock) || !take_zone(&s, &zone)))
		return false;
	*ms = days * INT64_C(86400000) + clock - zone * 60000;
	return s.n == 0;
}

const struct json *filter_to_epochtime(struct arena *a, const struct json *v)
{
	int64_t ms;

	if (json_is_str(v) && read_time(str_trim(json_str(v)), &ms))
		return number(a, str_fmt(a, "%lld", (long long)ms));
	return v->type == JSON_STRING || v->type == JSON_NUMBER ? filter_to_number(a, v) : NULL;
}
