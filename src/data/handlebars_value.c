/*
 * handlebars_value.c - JavaScript's rules for values, over JSON nodes: truth, text, equality,
 * properties, and text counted in UTF-16 units.
 *
 * Text is UTF-8 throughout; where a program asks for units, four-byte characters count as two. Half
 * of such a character has no UTF-8 form and becomes U+FFFD, which is what a JavaScript program would
 * write as well.
 */
#include "data/handlebars_priv.h"

#include <math.h>

/* ---- white space ---- */

size_t js_space_first(struct str s)
{
	static const char *const wide[] = { "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8",
		"\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF" };

	if (s.n == 0)
		return 0;
	unsigned char c = (unsigned char)s.p[0];

	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r');
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (str_starts(s, str_z(wide[i])))
			return strlen(wide[i]);
	if (s.n >= 3 && str_starts(s, STR("\xE2\x80")) && (unsigned char)s.p[2] >= 0x80 &&
		(unsigned char)s.p[2] <= 0x8A)
		return 3;
	return 0;
}

size_t js_space_last(struct str s)
{
	size_t n = 1;

	if (s.n == 0)
		return 0;
	while (n < 3 && n < s.n && ((unsigned char)s.p[s.n - n] & 0xC0) == 0x80)
		n++;
	return js_space_first(str_from(s, s.n - n)) == n ? n : 0;
}

struct str js_trim_left(struct str s)
{
	size_t n;

	while ((n = js_space_first(s)) > 0)
		s = str_from(s, n);
	return s;
}

struct str js_trim_right(struct str s)
{
	size_t n;

	while ((n = js_space_last(s)) > 0)
		s.n -= n;
	return s;
}

/* ---- nodes ---- */

const struct json *js_new_str(struct arena *a, struct str s)
{
	struct json *v = arena_new_of(a, struct json);

	CHECK(s.n <= UINT32_MAX);
	*v = (struct json){ .type = JSON_STRING, .n = (uint32_t)s.n, .s = s.n == 0 ? "" : s.p };
	return v;
}

const struct json *js_new_number(struct arena *a, double d)
{
	char z[JS_NUMBER_MAX];
	struct str s = js_number_text(z, d);
	struct json *v = arena_new_of(a, struct json);

	*v = (struct json){ .type = JSON_NUMBER,
		.n = (uint32_t)s.n,
		.s = arena_strndup(a, s.p, s.n) };
	return v;
}

/* ---- truth and equality ---- */

double js_to_number(const struct json *v)
{
	double d;

	if (v == NULL)
		return JS_NAN;
	switch (v->type) {
	case JSON_NULL:
	case JSON_FALSE:
		return 0;
	case JSON_TRUE:
		return 1;
	case JSON_NUMBER:
		return json_to_double(v, &d) ? d : JS_NAN;
	default:
		return JS_NAN;
	}
}

bool hbs_truthy(const struct json *v)
{
	if (v == NULL)
		return false;
	switch (v->type) {
	case JSON_NULL:
	case JSON_FALSE:
		return false;
	case JSON_NUMBER: {
		double d = js_to_number(v);

		return d != 0 && !isnan(d);
	}
	case JSON_STRING:
		return v->n > 0;
	default:
		return true;
	}
}

bool js_empty(const struct json *v)
{
	if (json_is_array(v))
		return v->n == 0;
	return !hbs_truthy(v) && !(v != NULL && v->type == JSON_NUMBER && js_to_number(v) == 0);
}

static bool is_boolean(const struct json *v)
{
	return v->type == JSON_TRUE || v->type == JSON_FALSE;
}

bool js_equal_strict(const struct json *a, const struct json *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->type != b->type)
		return false;
	if (a->type == JSON_NUMBER)
		return js_to_number(a) == js_to_number(b);
	if (a->type == JSON_STRING)
		return str_eq(json_str(a), json_str(b));
	return a->type < JSON_ARRAY || a == b;
}

static bool is_nothing(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL;
}

bool js_equal_loose(struct arena *a, const struct json *x, const struct json *y)
{
	if (is_nothing(x) || is_nothing(y))
		return is_nothing(x) && is_nothing(y);
	if (x->type >= JSON_ARRAY && y->type >= JSON_ARRAY)
		return x == y;
	if (x->type >= JSON_ARRAY)
		x = js_new_str(a, js_to_str(a, x));
	if (y->type >= JSON_ARRAY)
		y = js_new_str(a, js_to_str(a, y));
	if (x->type == y->type || (is_boolean(x) && is_boolean(y)))
		return js_equal_strict(x, y);
	double p = json_is_str(x) ? js_parse_number(a, json_str(x)) : js_to_number(x);
	double q = json_is_str(y) ? js_parse_number(a, json_str(y)) : js_to_number(y);

	return p == q;
}

int js_compare_text(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n), i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i == n)
		return (a.n > b.n) - (a.n < b.n);
	unsigned char p = (unsigned char)a.p[i], q = (unsigned char)b.p[i];

	/* surrogates (of four-byte characters) sort below U+E000 and what follows */
	if (p >= 0xF0 && (q == 0xEE || q == 0xEF))
		return -1;
	if (q >= 0xF0 && (p == 0xEE || p == 0xEF))
		return 1;
	return p < q ? -1 : 1;
}

/* ---- text ---- */

bool hbs_text(const struct json *v, struct str *out)
{
	if (v == NULL || v->type == JSON_NULL || v->type >= JSON_ARRAY)
		return false;
	*out = is_boolean(v) ? str_z(v->type == JSON_TRUE ? "true" : "false") : json_str(v);
	return true;
}

static void add_text(struct buf *b, const struct json *v)
{
	struct str s;

	if (hbs_text(v, &s)) {
		buf_add_str(b, s);
	} else if (json_is_object(v)) {
		BUF_ADD_LIT(b, "[object Object]");
	} else if (json_is_array(v)) {
		size_t i = 0;

		for (json_each (it, v)) {
			if (i++ > 0)
				buf_add_char(b, ',');
			add_text(b, it);
		}
	}
}

struct str js_to_str(struct arena *a, const struct json *v)
{
	struct str s;

	if (hbs_text(v, &s))
		return s;
	if (v == NULL)
		return STR("undefined");
	if (v->type == JSON_NULL)
		return STR("null");
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	add_text(&b, v);
	return str_dup(a, buf_str(&b));
}

/* ---- properties ---- */

/* An array index as its name is written: no sign, no leading zero. */
static bool is_index(struct str name, uint64_t *i)
{
	return name.n > 0 && (name.n == 1 || name.p[0] != '0') && str_to_u64(name, i) &&
	       *i < UINT32_MAX;
}

const struct json *js_property(struct arena *a, const struct json *v, struct str name)
{
	uint64_t i;

	if (v == NULL)
		return NULL;
	switch (v->type) {
	case JSON_OBJECT:
		return json_get(v, name);
	case JSON_ARRAY:
		if (str_eq(name, STR("length")))
			return js_new_number(a, v->n);
		return is_index(name, &i) ? json_at(v, i) : NULL;
	case JSON_STRING:
		if (str_eq(name, STR("length")))
			return js_new_number(a, (double)js_length(json_str(v)));
		return is_index(name, &i) && i < js_length(json_str(v))
			       ? js_new_str(a, js_slice(a, json_str(v), i, i + 1))
			       : NULL;
	default:
		return NULL;
	}
}

size_t js_property_steps(const struct json *v, struct str name)
{
	uint64_t i;

	if (v == NULL || v->type < JSON_STRING)
		return 0;
	if (v->type == JSON_ARRAY)
		return is_index(name, &i) && i < v->n ? i / 64 : 0;
	return v->n / 64;
}

struct index_key {
	uint64_t index;
	size_t at;
};

static int compare_keys(const void *a, const void *b)
{
	const struct index_key *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

struct map *js_members(struct arena *a, const struct json *object)
{
	struct map *m = map_new(a);
	size_t indexes = 0;
	uint64_t i;

	for (json_each_member(key, object)) {
		map_put(m, json_str(key), (void *)(uintptr_t)json_value(key));
		indexes += is_index(json_str(key), &i);
	}
	if (indexes == 0)
		return m;
	struct index_key *keys = arena_array_of(a, struct index_key, indexes);
	struct map *sorted = map_new(a);
	size_t n = 0;

	for (size_t k = 0; k < map_count(m); k++)
		if (is_index(map_key_at(m, k), &i))
			keys[n++] = (struct index_key){ i, k };
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t k = 0; k < n; k++)
		map_put(sorted, map_key_at(m, keys[k].at), map_value_at(m, keys[k].at));
	for (size_t k = 0; k < map_count(m); k++)
		if (!is_index(map_key_at(m, k), &i))
			map_put(sorted, map_key_at(m, k), map_value_at(m, k));
	return sorted;
}

/* ---- UTF-16 units ---- */

size_t js_length(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += (c & 0xC0) != 0x80;
		n += c >= 0xF0;
	}
	return n;
}

/* The byte at which unit TO begins, or the middle of a pair: then *HALF is set. */
static size_t offset_of(struct str s, size_t to, bool *half)
{
	size_t at = 0, unit = 0;

	*half = false;
	while (at < s.n && unit < to) {
		unsigned char c = (unsigned char)s.p[at];

		if (c >= 0xF0 && unit + 1 == to) {
			*half = true;
			return at;
		}
		unit += c >= 0xF0 ? 2 : 1;
		at++;
		while (at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80)
			at++;
	}
	return at;
}

struct str js_slice(struct arena *a, struct str s, size_t from, size_t to)
{
	bool half_first, half_last;

	if (to <= from)
		return STR("");
	size_t begin = offset_of(s, from, &half_first), end = offset_of(s, to, &half_last);

	if (!half_first && !half_last)
		return str_sub(s, begin, end - begin);
	if (half_first) /* its other half: the character's bytes are skipped */
		begin = MIN(begin + 4, s.n);
	struct str middle = begin < end ? str_sub(s, begin, end - begin) : STR("");

	return str_fmt(a, "%s%.*s%s", half_first ? "\xEF\xBF\xBD" : "", STR_ARG(middle),
		half_last ? "\xEF\xBF\xBD" : "");
}
