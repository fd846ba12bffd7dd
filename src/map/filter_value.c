/*
 * filter_value.c - what a filter's operators do with values other than numbers.
 */
#include "map/filter_priv.h"

static const struct json *string(struct arena *a, struct str s)
{
	struct json *v = arena_new_of(a, struct json);

	v->type = JSON_STRING;
	v->n = (uint32_t)s.n;
	v->s = s.p;
	return v;
}

bool filter_text(const struct json *v, struct str *out)
{
	switch (v->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		*out = json_str(v);
		return true;
	case JSON_TRUE:
		*out = STR("true");
		return true;
	case JSON_FALSE:
		*out = STR("false");
		return true;
	default:
		return false;
	}
}

const struct json *filter_to_string(struct arena *a, const struct json *v)
{
	struct str s;

	if (v->type == JSON_STRING)
		return v;
	return string(a, filter_text(v, &s) ? s : json_print_arena(a, v));
}

const struct json *filter_to_boolean(const struct json *v)
{
	static const struct {
		const char *word;
		const struct json *value;
	} words[] = { { "true", &json_true }, { "false", &json_false }, { "1", &json_true },
		{ "0", &json_false } };

	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		return v;
	if (v->type == JSON_NUMBER)
		return filter_number_compare(json_str(v), STR("0")) == 0 ? &json_false : &json_true;
	for (size_t i = 0; v->type == JSON_STRING && i < ARRAY_LEN(words); i++)
		if (str_eq_ci(str_trim(json_str(v)), str_z(words[i].word)))
			return words[i].value;
	return NULL;
}

/* ---- comparing ---- */

/* Tapes of one shape are compared node by node: only numbers may be written differently. */
bool filter_equal(const struct json *x, const struct json *y)
{
	if (x == NULL || y == NULL || json_span(x) != json_span(y))
		return x == y;
	for (uint64_t i = 0, span = json_span(x); i < span; i++) {
		const struct json *l = &x[i], *r = &y[i];

		if (l->type != r->type)
			return false;
		if (l->type == JSON_NUMBER) {
			if (filter_number_compare(json_str(l), json_str(r)) != 0)
				return false;
			continue;
		}
		if (l->n != r->n || (l->type >= JSON_ARRAY && l->span != r->span) ||
			(l->type == JSON_STRING && !str_eq(json_str(l), json_str(r))))
			return false;
	}
	return true;
}

bool filter_compare(const struct json *x, const struct json *y, int *order)
{
	if (x == NULL || y == NULL)
		return false;
	bool booleans = (x->type == JSON_TRUE || x->type == JSON_FALSE) &&
			(y->type == JSON_TRUE || y->type == JSON_FALSE);

	if (booleans)
		*order = (x->type == JSON_TRUE) - (y->type == JSON_TRUE);
	else if (x->type != y->type)
		return false;
	else if (x->type == JSON_NUMBER)
		*order = filter_number_compare(json_str(x), json_str(y));
	else if (x->type == JSON_STRING)
		*order = str_cmp(json_str(x), json_str(y));
	else
		return false;
	return true;
}

/* ---- letters ---- */

/*
 * Capitals FROM..TO, every STEP-th, and how far their small letters are; of the scripts that have case and
 * that records are written in. Each letter has as many bytes in UTF-8 as its other case.
 */
static const struct letters {
	uint16_t from, to;
	int16_t small;
	uint16_t step;
} letters[] = {
	{ 0x41, 0x5A, 32, 1 },
	{ 0xC0, 0xD6, 32, 1 },
	{ 0xD8, 0xDE, 32, 1 },
	{ 0x100, 0x12E, 1, 2 },
	{ 0x132, 0x136, 1, 2 },
	{ 0x139, 0x147, 1, 2 },
	{ 0x14A, 0x176, 1, 2 },
	{ 0x178, 0x178, -121, 1 },
	{ 0x179, 0x17D, 1, 2 },
	{ 0x1A0, 0x1A4, 1, 2 },
	{ 0x1AF, 0x1AF, 1, 1 },
	{ 0x1CD, 0x1DB, 1, 2 },
	{ 0x1DE, 0x1EE, 1, 2 },
	{ 0x1F8, 0x21E, 1, 2 },
	{ 0x222, 0x232, 1, 2 },
	{ 0x386, 0x386, 38, 1 },
	{ 0x388, 0x38A, 37, 1 },
	{ 0x38C, 0x38C, 64, 1 },
	{ 0x38E, 0x38F, 63, 1 },
	{ 0x391, 0x3A1, 32, 1 },
	{ 0x3A3, 0x3AB, 32, 1 },
	{ 0x400, 0x40F, 80, 1 },
	{ 0x410, 0x42F, 32, 1 },
	{ 0x460, 0x480, 1, 2 },
	{ 0x48A, 0x4BE, 1, 2 },
	{ 0x4C1, 0x4CD, 1, 2 },
	{ 0x4D0, 0x52E, 1, 2 },
	{ 0x531, 0x556, 48, 1 },
	{ 0x1E00, 0x1E94, 1, 2 },
	{ 0x1EA0, 0x1EFE, 1, 2 },
	{ 0xFF21, 0xFF3A, 32, 1 },
};

static uint32_t other_case(uint32_t c, bool upper)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		const struct letters *l = &letters[i];
		int64_t capital = upper ? (int64_t)c - l->small : (int64_t)c;

		if (capital >= l->from && capital <= l->to && (capital - l->from) % l->step == 0)
			return (uint32_t)(upper ? capital : capital + l->small);
	}
	return c;
}

/* The letter of two or three bytes at P, in its other case. */
static void change_wide(char *p, size_t n, bool upper)
{
	uint32_t c = (unsigned char)p[0] & (n == 2 ? 0x1F : 0x0F);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3F);
	c = other_case(c, upper);
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		p[i] = (char)(0x80 | (c & 0x3F));
	p[0] = (char)((n == 2 ? 0xC0 : 0xE0) | c);
}

const struct json *filter_change_case(struct arena *a, const struct json *v, bool upper)
{
	if (v->type != JSON_STRING)
		return NULL;
	char *p = arena_strndup(a, v->s, v->n);

	for (size_t i = 0, n; i < v->n; i += n) {
		unsigned char c = (unsigned char)p[i];

		n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
		if (n == 1)
			p[i] = (char)other_case(c, upper);
		else if (n < 4)
			change_wide(p + i, n, upper);
	}
	return string(a, str_of(p, v->n));
}
