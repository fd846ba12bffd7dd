/*
 * handlebars_math.c - arithmetic on numbers and texts that are numbers, and numbers as text.
 */
#include "data/handlebars_priv.h"

#include <math.h>

#define RANDOM_DEFAULT 32
#define RANDOM_MAX     1024

bool need_number(struct hbs_call *c, size_t i, double *out, struct err *err)
{
	const struct json *v = hbs_arg(c, i);
	struct str s;

	if (hbs_number(v, out))
		return true;
	if (hbs_text(v, &s))
		return hbs_fail(c, err, "argument %zu must be a number, not \"%.*s\"", i + 1,
			STR_ARG(str_sub(s, 0, 60)));
	return hbs_fail(c, err, "argument %zu must be a number, not %s", i + 1,
		v == NULL ? "missing" : json_type_name(v->type));
}

bool need_count(struct hbs_call *c, size_t i, size_t min, size_t max, size_t absent, size_t *out,
	struct err *err)
{
	double d;

	*out = absent;
	if (!hbs_number(hbs_arg(c, i), &d))
		return true;
	d = trunc(d);
	if (d < (double)min || d > (double)max)
		return hbs_fail(c, err, "argument %zu must be from %zu to %zu", i + 1, min, max);
	*out = (size_t)d;
	return true;
}

static bool give(struct hbs_call *c, double v, const struct json **result)
{
	*result = hbs_new_number(c, v);
	return true;
}

static double js_round(double v)
{
	double r = floor(v);

	return v - r >= 0.5 ? r + 1 : r;
}

static bool fn_abs(struct hbs_call *c, const struct json **result, struct err *err)
{
	double v;

	return need_number(c, 0, &v, err) && give(c, fabs(v), result);
}

static bool fn_round(struct hbs_call *c, const struct json **result, struct err *err)
{
	double v;

	return need_number(c, 0, &v, err) && give(c, js_round(v), result);
}

static bool fn_ceil(struct hbs_call *c, const struct json **result, struct err *err)
{
	double v;

	return need_number(c, 0, &v, err) && give(c, ceil(v), result);
}

static bool fn_floor(struct hbs_call *c, const struct json **result, struct err *err)
{
	double v;

	return need_number(c, 0, &v, err) && give(c, floor(v), result);
}

static bool fn_subtract(struct hbs_call *c, const struct json **result, struct err *err)
{
	double a, b;

	return need_number(c, 0, &a, err) && need_number(c, 1, &b, err) && give(c, a - b, result);
}

static bool fn_multiply(struct hbs_call *c, const struct json **result, struct err *err)
{
	double a, b;

	return need_number(c, 0, &a, err) && need_number(c, 1, &b, err) && give(c, a * b, result);
}

static bool fn_divide(struct hbs_call *c, const struct json **result, struct err *err)
{
	double a, b;

	return need_number(c, 0, &a, err) && need_number(c, 1, &b, err) && give(c, a / b, result);
}

static bool fn_modulo(struct hbs_call *c, const struct json **result, struct err *err)
{
	double a, b;

	return need_number(c, 0, &a, err) && need_number(c, 1, &b, err) &&
	       give(c, fmod(a, b), result);
}

/* All numbers: their sum. All texts: one behind the other. Else nothing. */
static bool fn_add(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(LIMIT_TEMPLATE_VALUE);
	size_t n = hbs_argc(c), numbers = 0, texts = 0;
	double sum = 0, v;

	for (size_t i = 0; i < n; i++) {
		if (hbs_number(hbs_arg(c, i), &v)) {
			sum = i == 0 ? v : sum + v;
			numbers++;
		}
		if (json_is_str(hbs_arg(c, i))) {
			buf_add_str(&b, json_str(hbs_arg(c, i)));
			texts++;
		}
	}
	if (numbers == n)
		return give(c, sum, result);
	if (texts == n)
		return give_buf(c, &b, result, err);
	*result = &json_empty_string;
	return true;
}

/* From the last to the first, as handlebars-helpers adds: rounding depends on it. */
static double sum_of(const struct json *const *values, size_t n)
{
	double sum = 0, v;

	while (n-- > 0)
		if (hbs_number(values[n], &v))
			sum += v;
	return sum;
}

/* The arguments with arrays opened, one level. */
static bool flatten(struct hbs_call *c, const struct json ***values, size_t *n, struct err *err)
{
	*n = 0;
	for (size_t i = 0; i < hbs_argc(c); i++)
		*n += json_is_array(hbs_arg(c, i)) ? hbs_arg(c, i)->n : 1;
	if (!hbs_steps(c, *n, err))
		return false;
	*values = arena_array_of(hbs_scratch(c), const struct json *, *n + 1);
	*n = 0;
	for (size_t i = 0; i < hbs_argc(c); i++) {
		const struct json *v = hbs_arg(c, i);

		if (!json_is_array(v)) {
			(*values)[(*n)++] = v;
			continue;
		}
		for (json_each (it, v))
			(*values)[(*n)++] = it;
	}
	return true;
}

static bool fn_sum(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json **values;
	size_t n;

	return flatten(c, &values, &n, err) && give(c, sum_of(values, n), result);
}

static bool fn_avg(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json **values;
	size_t n;

	return flatten(c, &values, &n, err) && give(c, sum_of(values, n) / (double)n, result);
}

/* ---- random ---- */

static void random_from(struct hbs_call *c, const char *set, char *out, size_t n)
{
	size_t kinds = strlen(set);

	for (size_t i = 0; i < n; i++)
		out[i] = set[rng_below(hbs_rng(c), kinds)];
}

/* RFC 9562, version 4. */
static struct str uuid(struct hbs_call *c)
{
	unsigned char b[16];
	char h[32];

	rng_fill(hbs_rng(c), b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
	str_hex_put(h, b, sizeof(b));
	return str_fmt(hbs_scratch(c), "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16,
		h + 20);
}

static bool fn_random(struct hbs_call *c, const struct json **result, struct err *err)
{
	static const char digits[] = "0123456789";
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct str kind = to_case(hbs_scratch(c), arg_text(c, 0), false);
	double min, max;
	size_t n;
	bool number = str_eq(kind, STR("number"));

	if (hbs_number(hbs_arg(c, 0), &min)) {
		if (!need_number(c, 1, &max, err))
			return false;
		if (max < min || max - min >= 9007199254740992.0)
			return hbs_fail(c, err, "the second number must not be below the first");
		return give(c, min + (double)rng_below(hbs_rng(c), (uint64_t)floor(max - min) + 1),
			result);
	}
	if (str_eq(kind, STR("uuid"))) {
		*result = hbs_new_str(c, uuid(c));
		return true;
	}
	if (!number && !str_eq(kind, STR("crypto")))
		return hbs_fail(c, err, "expected \"crypto\", \"uuid\", \"number\" or two numbers");
	if (!need_count(c, 1, 1, RANDOM_MAX, RANDOM_DEFAULT, &n, err))
		return false;
	char *p = arena_alloc(hbs_scratch(c), n);

	random_from(c, number ? digits : letters, p, n);
	*result = hbs_new_str(c, str_of(p, n));
	return true;
}

static const struct hbs_helper math_rows[] = {
	{ "abs", fn_abs, HBS_INLINE, 1, 1, "number", "The value without its sign.",
		"{{abs \"-123\"}}", "{}", "123" },
	{ "add", fn_add, HBS_INLINE, 2, HBS_ARGS_ANY, "number ...",
		"The sum. Texts that are no numbers are put together; other values give an empty "
		"text.",
		"{{add \"2\" \"5\" \"2\"}}", "{}", "9" },
	{ "subtract", fn_subtract, HBS_INLINE, 2, 2, "number number", "The first less the second.",
		"{{subtract 6 3}}", "{}", "3" },
	{ "multiply", fn_multiply, HBS_INLINE, 2, 2, "number number", "The product.",
		"{{multiply quantity price}}", "{\"quantity\":3,\"price\":\"19.99\"}", "59.97" },
	{ "divide", fn_divide, HBS_INLINE, 2, 2, "number number", "The first by the second.",
		"{{divide \"2002\" \"100\"}}", "{}", "20.02" },
	{ "modulo", fn_modulo, HBS_INLINE, 2, 2, "number number",
		"What is left of the first by the second; it has the sign of the first.",
		"{{modulo 7 3}}", "{}", "1" },
	{ "round", fn_round, HBS_INLINE, 1, 1, "number", "The nearest whole number; halves go up.",
		"{{round \"29.77\"}}", "{}", "30" },
	{ "ceil", fn_ceil, HBS_INLINE, 1, 1, "number", "The next whole number above.",
		"{{ceil \"45.02\"}}", "{}", "46" },
	{ "floor", fn_floor, HBS_INLINE, 1, 1, "number", "The next whole number below.",
		"{{floor 22.44}}", "{}", "22" },
	{ "sum", fn_sum, HBS_INLINE, 1, HBS_ARGS_ANY, "value ...",
		"The sum of all numbers among the values and the elements of arrays.",
		"{{sum items}}", "{\"items\":[2,5,7,8,9]}", "31" },
	{ "avg", fn_avg, HBS_INLINE, 1, HBS_ARGS_ANY, "value ...",
		"That sum by the number of values.", "{{avg \"2\" \"5\" \"2\"}}", "{}", "3" },
	{ "random", fn_random, HBS_INLINE, 1, 2, "kind length",
		"Random text: `\"crypto\"` letters and digits, `\"number\"` digits (32 of them "
		"when no "
		"length is given, at most 1,024), `\"uuid\"` a UUID of version 4. With two numbers "
		"a "
		"whole number between them, both included.",
		"{{random 7 7}}", "{}", "7" },
};

const struct hbs_helpers hbs_math_helpers = { "Numbers", math_rows, ARRAY_LEN(math_rows) };

/* ---- numbers as text ---- */

static bool give_text(struct hbs_call *c, struct str s, const struct json **result)
{
	*result = hbs_new_str(c, s);
	return true;
}

static double number_or_zero(struct hbs_call *c)
{
	double v;

	return hbs_number(hbs_arg(c, 0), &v) ? v : 0;
}

static bool fn_to_fixed(struct hbs_call *c, const struct json **result, struct err *err)
{
	size_t n;

	return need_count(c, 1, 0, JS_DIGITS_MAX, 0, &n, err) &&
	       give_text(c, js_to_fixed(hbs_scratch(c), number_or_zero(c), (unsigned)n), result);
}

static bool fn_to_exponential(struct hbs_call *c, const struct json **result, struct err *err)
{
	size_t n;

	return need_count(c, 1, 0, JS_DIGITS_MAX, 0, &n, err) &&
	       give_text(c, js_to_exponential(hbs_scratch(c), number_or_zero(c), (int)n), result);
}

static bool fn_to_precision(struct hbs_call *c, const struct json **result, struct err *err)
{
	size_t n;

	return need_count(c, 1, 1, JS_DIGITS_MAX, 1, &n, err) &&
	       give_text(c, js_to_precision(hbs_scratch(c), number_or_zero(c), (unsigned)n),
		       result);
}

static bool fn_add_commas(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(LIMIT_TEMPLATE_VALUE);
	struct str s = arg_text(c, 0);
	size_t from = 0, end;

	while (from < s.n && (unsigned)(s.p[from] - '0') > 9)
		from++;
	for (end = from; end < s.n && (unsigned)(s.p[end] - '0') <= 9; end++)
		;
	for (size_t i = 0; i < s.n; i++) {
		if (i > from && i < end && (end - i) % 3 == 0)
			buf_add_char(&b, ',');
		buf_add_char(&b, s.p[i]);
	}
	return give_buf(c, &b, result, err);
}

static bool fn_bytes(struct hbs_call *c, const struct json **result, struct err *err)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB" };
	const struct json *v = hbs_arg(c, 0);
	char z[JS_NUMBER_MAX];
	size_t digits, i = ARRAY_LEN(units);
	double n;

	if (!need_count(c, 1, 0, 15, 2, &digits, err))
		return false;
	if (!hbs_number(v, &n))
		n = json_is_str(v) ? (double)js_length(json_str(v)) : json_is_array(v) ? v->n : 0;
	while (i > 1 && pow(1000, (double)(i - 1)) > n + 1)
		i--;
	double scale = pow(10, (double)digits), size = pow(1000, (double)(i - 1));
	struct str s = js_number_text(z, js_round(n * scale / size) / scale);

	return give_text(c, str_fmt(hbs_scratch(c), "%.*s %s", STR_ARG(s), units[i - 1]), result);
}

static bool fn_ordinalize(struct hbs_call *c, const struct json **result, struct err *err)
{
	static const char *const ends[] = { "th", "st", "nd", "rd" };
	double v;

	if (!need_number(c, 0, &v, err))
		return false;
	double whole = fabs(js_round(v)), tens = fmod(whole, 100), ones = fmod(whole, 10);
	bool teen = tens >= 11 && tens <= 13;

	return give_text(c,
		str_fmt(hbs_scratch(c), "%.*s%s", STR_ARG(arg_text(c, 0)),
			!teen && ones <= 3 ? ends[(int)ones] : "th"),
		result);
}

static const struct hbs_helper format_rows[] = {
	{ "toFixed", fn_to_fixed, HBS_INLINE, 1, 2, "number digits",
		"With that many digits behind the point (0 when not given).",
		"{{toFixed 123.456789 4}}", "{}", "123.4568" },
	{ "toExponential", fn_to_exponential, HBS_INLINE, 1, 2, "number digits",
		"With an exponent and that many digits behind the point (0 when not given).",
		"{{toExponential \"12345\" 2}}", "{}", "1.23e+4" },
	{ "toPrecision", fn_to_precision, HBS_INLINE, 1, 2, "number digits",
		"With that many significant digits (1 when not given).", "{{toPrecision 123.45 4}}",
		"{}", "123.5" },
	{ "addCommas", fn_add_commas, HBS_INLINE, 1, 1, "number",
		"With commas between thousands, before the point.", "{{addCommas total}}",
		"{\"total\":45200000.1234}", "45,200,000.1234" },
	{ "bytes", fn_bytes, HBS_INLINE, 1, 2, "number digits",
		"A number of bytes in units of 1,000 with at most that many digits behind the "
		"point (2 "
		"when not given); of a text its length.",
		"{{bytes 825399}}", "{}", "825.4 kB" },
	{ "ordinalize", fn_ordinalize, HBS_INLINE, 1, 1, "number", "1st, 2nd, 3rd, 4th ...",
		"{{ordinalize 22}}", "{}", "22nd" },
};

const struct hbs_helpers hbs_format_helpers = { "Numbers as text", format_rows,
	ARRAY_LEN(format_rows) };
