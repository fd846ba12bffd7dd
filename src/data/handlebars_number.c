/*
 * handlebars_number.c - numbers as JavaScript reads and prints them (ECMA-262, 6.1.6.1.20
 * Number::toString, 7.1.4.1.1 StringToNumber, 21.1.3 toFixed and its like).
 *
 * Shortest digits are found by printing with ever more until they read back. Fixed digits are
 * rounded by hand from the exact decimal expansion, since ties go away from zero there.
 */
#include "data/handlebars_priv.h"

#include <math.h>

/* The fewest digits (at most 17) that read back as V > 0, and the exponent of the first. */
static size_t shortest(double v, char digits[20], int *exponent)
{
	char z[40];

	for (int p = 0; p < 17; p++) {
		snprintf(z, sizeof(z), "%.*e", p, v);
		if (p == 16 || strtod(z, NULL) == v)
			break;
	}
	size_t n = 0;
	const char *c = z;

	for (; *c != 'e'; c++)
		if (*c != '.')
			digits[n++] = *c;
	*exponent = (int)strtol(c + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

struct str js_number_text(char out[JS_NUMBER_MAX], double v)
{
	char d[20];
	int e, n = 0;

	if (isnan(v))
		return STR("NaN");
	if (v == 0)
		return STR("0");
	if (v < 0)
		out[n++] = '-';
	if (isinf(v))
		return v < 0 ? STR("-Infinity") : STR("Infinity");
	int k = (int)shortest(fabs(v), d, &e);
	size_t room = JS_NUMBER_MAX - (size_t)n;

	if (e >= 0 && e < 21 && k <= e + 1) {
		memcpy(out + n, d, (size_t)k);
		memset(out + n + k, '0', (size_t)(e + 1 - k));
		n += e + 1;
	} else if (e >= 0 && e < 21) {
		n += snprintf(out + n, room, "%.*s.%.*s", e + 1, d, k - e - 1, d + e + 1);
	} else if (e < 0 && e >= -6) {
		n += snprintf(out + n, room, "0.%.*s%.*s", -e - 1, "000000", k, d);
	} else {
		n += snprintf(out + n, room, "%c%s%.*se%+d", d[0], k > 1 ? "." : "", k - 1, d + 1,
			e);
	}
	return str_of(out, (size_t)n);
}

/* A decimal literal of JavaScript: digits, point, exponent; no sign. */
static bool is_decimal(struct str s)
{
	size_t i = 0, digits = 0;

	while (i < s.n && (unsigned)(s.p[i] - '0') <= 9)
		i++, digits++;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && (unsigned)(s.p[i] - '0') <= 9; i++)
			digits++;
	if (digits == 0)
		return false;
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
			i++;
		size_t from = i;

		while (i < s.n && (unsigned)(s.p[i] - '0') <= 9)
			i++;
		if (i == from)
			return false;
	}
	return i == s.n;
}

/* 0x, 0o and 0b literals. */
static double radix(struct str s)
{
	unsigned base = (s.p[1] | 0x20) == 'x' ? 16 : (s.p[1] | 0x20) == 'o' ? 8 : 2;
	double v = 0;

	if (s.n == 2)
		return JS_NAN;
	for (size_t i = 2; i < s.n; i++) {
		char c = s.p[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0')
			     : (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
				     ? (unsigned)((c | 0x20) - 'a') + 10
				     : 99;

		if (d >= base)
			return JS_NAN;
		v = v * base + d;
	}
	return v;
}

double js_parse_number(struct arena *a, struct str s)
{
	bool negative = false;

	s = js_trim_right(js_trim_left(s));
	if (s.n == 0)
		return 0;
	if (s.n > 1 && s.p[0] == '0' && strchr("xXoObB", s.p[1]) != NULL && s.p[1] != '\0')
		return radix(s);
	if (s.p[0] == '-' || s.p[0] == '+') {
		negative = s.p[0] == '-';
		s = str_from(s, 1);
	}
	double v = JS_NAN;

	if (str_eq(s, STR("Infinity")))
		v = JS_INFINITY;
	else if (is_decimal(s))
		v = strtod(str_to_z(a, s), NULL);
	return negative ? -v : v;
}

bool hbs_number(const struct json *v, double *out)
{
	double d;
	char z[128];

	if (v == NULL || (v->type != JSON_NUMBER && v->type != JSON_STRING))
		return false;
	if (v->type == JSON_NUMBER) {
		d = js_to_number(v);
	} else {
		struct str s = js_trim_right(js_trim_left(json_str(v)));
		struct str digits = s;

		if (s.n == 0 || s.n >= sizeof(z))
			return false;
		if (s.p[0] == '-' || s.p[0] == '+')
			digits = str_from(s, 1);
		if (s.n > 1 && s.p[0] == '0' && strchr("xXoObB", s.p[1]) != NULL &&
			s.p[1] != '\0') {
			d = radix(s);
		} else {
			if (!is_decimal(digits))
				return false;
			memcpy(z, s.p, s.n);
			z[s.n] = '\0';
			d = strtod(z, NULL);
		}
	}
	if (!isfinite(d))
		return false;
	*out = d;
	return true;
}

/* ---- fixed numbers of digits ---- */

#define EXACT_MAX 1500 /* a double has at most 309 digits before the point and 1,074 behind */

/*
 * Rounds the digits Z (a point may be among them) to KEEP of them, ties up. False: the first digit
 * carried, and "1" must be put before them.
 */
static bool round_digits(char *z, size_t keep)
{
	size_t seen = 0, i = 0, cut;

	for (; z[i] != '\0' && seen < keep; i++)
		seen += z[i] != '.';
	cut = i;
	if (z[i] == '.')
		i++;
	bool up = z[i] >= '5';

	z[cut] = '\0';
	for (size_t k = cut; up && k-- > 0;) {
		if (z[k] == '.')
			continue;
		up = z[k] == '9';
		z[k] = up ? '0' : (char)(z[k] + 1);
	}
	return !up;
}

struct str js_to_fixed(struct arena *a, double v, unsigned digits)
{
	char z[EXACT_MAX], small[JS_NUMBER_MAX];

	if (!isfinite(v) || fabs(v) >= 1e21)
		return str_dup(a, js_number_text(small, v));
	snprintf(z, sizeof(z), "%.1080f", fabs(v));
	size_t whole = strcspn(z, ".");
	bool fits = round_digits(z, whole + digits);

	return str_fmt(a, "%s%s%s", v < 0 ? "-" : "", fits ? "" : "1", z);
}

/* DIGITS significant digits of V > 0 and the exponent of the first. */
static int significant(double v, unsigned digits, char out[128])
{
	char z[EXACT_MAX];

	snprintf(z, sizeof(z), "%.1100e", v);
	char *e = strchr(z, 'e');
	int exponent = (int)strtol(e + 1, NULL, 10);

	*e = '\0';
	bool fits = round_digits(z, digits);
	size_t n = 0;

	if (!fits) {
		exponent++;
		out[n++] = '1';
	}
	for (const char *c = z; *c != '\0' && n < digits; c++)
		if (*c != '.')
			out[n++] = *c;
	out[n] = '\0';
	return exponent;
}

static struct str with_exponent(struct arena *a, bool negative, const char *d, int e)
{
	return str_fmt(a, "%s%c%s%se%+d", negative ? "-" : "", d[0], d[1] != '\0' ? "." : "", d + 1,
		e);
}

struct str js_to_exponential(struct arena *a, double v, int digits)
{
	char d[128], small[JS_NUMBER_MAX];
	int e = 0;

	if (!isfinite(v))
		return str_dup(a, js_number_text(small, v));
	if (v == 0) {
		memset(d, '0', sizeof(d));
		d[MAX(digits, 0) + 1] = '\0';
	} else if (digits < 0) {
		d[shortest(fabs(v), d, &e)] = '\0';
	} else {
		e = significant(fabs(v), (unsigned)digits + 1, d);
	}
	return with_exponent(a, v < 0, d, e);
}

struct str js_to_precision(struct arena *a, double v, unsigned digits)
{
	char d[128], small[JS_NUMBER_MAX];
	int e = 0, p = (int)digits;

	if (!isfinite(v))
		return str_dup(a, js_number_text(small, v));
	if (v == 0) {
		memset(d, '0', digits);
		d[digits] = '\0';
	} else {
		e = significant(fabs(v), digits, d);
	}
	if (e < -6 || e >= p)
		return with_exponent(a, v < 0, d, e);
	const char *sign = v < 0 ? "-" : "";

	if (e == p - 1)
		return str_fmt(a, "%s%s", sign, d);
	if (e >= 0)
		return str_fmt(a, "%s%.*s.%s", sign, e + 1, d, d + e + 1);
	return str_fmt(a, "%s0.%.*s%s", sign, -e - 1, "000000", d);
}
