/*
 * json_walk.c - look-up in documents, and building new ones.
 */
#include "data/json.h"

#include <errno.h>

const struct json json_null = { .type = JSON_NULL };
const struct json json_true = { .type = JSON_TRUE };
const struct json json_false = { .type = JSON_FALSE };
const struct json json_empty_object = { .type = JSON_OBJECT, .span = 1 };
const struct json json_empty_array = { .type = JSON_ARRAY, .span = 1 };
const struct json json_empty_string = { .type = JSON_STRING, .plain = 1, .s = "" };

/* Names of one length mostly differ in their last byte, which spares a call for each. */
static inline bool is_name(const struct json *key, struct str name)
{
	return key->n == name.n && (name.n == 0 || (key->s[name.n - 1] == name.p[name.n - 1] &&
							   memcmp(key->s, name.p, name.n) == 0));
}

const struct json *json_get(const struct json *obj, struct str name)
{
	const struct json *found = NULL;

	if (!json_is_object(obj))
		return NULL;
	for (json_each_member(key, obj))
		if (is_name(key, name))
			found = json_value(key);
	return found;
}

const struct json *json_at(const struct json *arr, size_t i)
{
	if (!json_is_array(arr) || i >= arr->n)
		return NULL;
	const struct json *v = arr + 1;

	while (i-- > 0)
		v = json_next(v);
	return v;
}

const struct json *json_get_path(const struct json *obj, struct str path)
{
	while (path.p != NULL && obj != NULL)
		obj = json_get(obj, str_cut(&path, '.'));
	return obj;
}

struct str json_get_str(const struct json *obj, struct str name)
{
	const struct json *v = json_get(obj, name);

	return json_is_str(v) ? json_str(v) : STR_NULL;
}

bool json_get_true(const struct json *obj, struct str name)
{
	const struct json *v = json_get(obj, name);

	return v != NULL && v->type == JSON_TRUE;
}

bool json_to_i64(const struct json *v, int64_t *out)
{
	return v != NULL && v->type == JSON_NUMBER && str_to_i64(json_str(v), out);
}

bool json_to_double(const struct json *v, double *out)
{
	struct buf z DEFER(buf_free) = BUF_INIT(0);

	if (v == NULL || v->type != JSON_NUMBER)
		return false;
	buf_add(&z, v->s, v->n);
	buf_add_char(&z, '\0');
	*out = strtod(z.p, NULL);
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	uint64_t span = json_span(a);

	if (span != json_span(b))
		return false;
	for (uint64_t i = 0; i < span; i++) {
		if (a[i].type != b[i].type || a[i].n != b[i].n)
			return false;
		if (a[i].type >= JSON_ARRAY ? a[i].span != b[i].span
					    : a[i].n > 0 && memcmp(a[i].s, b[i].s, a[i].n) != 0)
			return false;
	}
	return true;
}

const char *json_type_name(enum json_type t)
{
	static const char *const names[] = { "null", "boolean", "boolean", "number", "string",
		"array", "object" };

	return names[t];
}

const char *json_type_phrase(enum json_type t)
{
	static const char *const phrases[] = { "null", "a boolean", "a boolean", "a number",
		"a string", "an array", "an object" };

	return phrases[t];
}

void json_build_init(struct json_build *b, struct arena *a)
{
	b->arena = a;
	b->nodes = NULL;
	b->count = b->cap = 0;
	b->depth = 0;
}

static struct json *room(struct json_build *b, size_t n)
{
	if (UNLIKELY(b->cap - b->count < n)) {
		size_t cap = MAX(b->cap * 2, 32);

		while (cap - b->count < n)
			cap *= 2;
		b->nodes = arena_grow(b->arena, b->nodes, b->cap * sizeof(struct json),
			cap * sizeof(struct json));
		b->cap = cap;
	}
	struct json *v = b->nodes + b->count;

	b->count += n;
	return v;
}

/* Counts an element of the open array; in an object the key has been counted. */
static inline void count_element(struct json_build *b)
{
	if (b->depth > 0) {
		struct json *in = &b->nodes[b->open[b->depth - 1]];

		if (in->type == JSON_ARRAY)
			in->n++;
	}
}

static void add(struct json_build *b, struct json v)
{
	*room(b, 1) = v;
	count_element(b);
}

static void open(struct json_build *b, enum json_type type)
{
	CHECK(b->depth < JSON_BUILD_DEPTH_MAX);
	add(b, (struct json){ .type = (uint16_t)type, .span = 1 });
	b->open[b->depth++] = b->count - 1;
}

void json_build_object(struct json_build *b)
{
	open(b, JSON_OBJECT);
}

void json_build_array(struct json_build *b)
{
	open(b, JSON_ARRAY);
}

void json_build_end(struct json_build *b)
{
	CHECK(b->depth > 0);
	uint64_t i = b->open[--b->depth];

	b->nodes[i].span = b->count - i;
}

void json_build_key(struct json_build *b, struct str name)
{
	CHECK(b->depth > 0);
	*room(b, 1) = (struct json){ .type = JSON_STRING, .n = (uint32_t)name.n, .s = name.p };
	b->nodes[b->open[b->depth - 1]].n++;
}

void json_build_str(struct json_build *b, struct str s)
{
	CHECK(s.n <= UINT32_MAX);
	add(b, (struct json){ .type = JSON_STRING, .n = (uint32_t)s.n, .s = s.p });
}

void json_build_lexeme(struct json_build *b, struct str number)
{
	add(b, (struct json){ .type = JSON_NUMBER, .n = (uint32_t)number.n, .s = number.p });
}

void json_build_i64(struct json_build *b, int64_t v)
{
	json_build_lexeme(b, str_fmt(b->arena, "%lld", (long long)v));
}

void json_build_bool(struct json_build *b, bool v)
{
	add(b, v ? json_true : json_false);
}

void json_build_null(struct json_build *b)
{
	add(b, json_null);
}

void json_build_copy(struct json_build *b, const struct json *v)
{
	uint64_t n = json_span(v);

	if (n == 1)
		*room(b, 1) = *v;
	else
		memcpy(room(b, n), v, n * sizeof(*v));
	count_element(b);
}

const struct json *json_build_done(struct json_build *b)
{
	CHECK(b->depth == 0 && b->count > 0);
	return b->nodes;
}

void json_add_str(struct json_build *b, struct str name, struct str s)
{
	if (s.p == NULL)
		return;
	json_build_key(b, name);
	json_build_str(b, s);
}

void json_add_i64(struct json_build *b, struct str name, int64_t v)
{
	json_build_key(b, name);
	json_build_i64(b, v);
}

void json_add_bool(struct json_build *b, struct str name, bool v)
{
	json_build_key(b, name);
	json_build_bool(b, v);
}

void json_add_copy(struct json_build *b, struct str name, const struct json *v)
{
	if (v == NULL)
		return;
	json_build_key(b, name);
	json_build_copy(b, v);
}
