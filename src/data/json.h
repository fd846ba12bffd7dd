/*
 * json.h - the JSON tape document: the data path of the product.
 *
 * A document is an array of 16-byte nodes in document order over the text's own bytes. A node's
 * address is the value: `const struct json *`. Strings are slices, unescaped in place; numbers keep
 * their lexeme, so 9007199254740993 and 0.10 pass unchanged; key order and duplicate keys are kept,
 * look-up takes the last. Containers know how many nodes they span, so skipping is one addition.
 *
 * Text: RFC 8259, strict; UTF-8 is validated; a leading byte order mark is ignored (8.1); escapes
 * of lone surrogates are refused, since they have no UTF-8 form. Limits on depth, bytes and nodes.
 *
 * Ownership: nodes live in the arena given, strings in the text (parsed) or wherever they pointed
 * (built); both must outlive the document. A finished document is never changed and may be read by
 * any thread.
 */
#ifndef DATA_JSON_H
#define DATA_JSON_H

#include "core/buf.h"

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	uint16_t type;
	uint16_t plain; /* a string that prints as it stands: nothing in it needs an escape */
	uint32_t n;     /* bytes of a string or number; elements; members */
	union {
		const char *s; /* string, number */
		uint64_t span; /* array, object: nodes in all, itself included */
	};
};

/* ---- parse ---- */

struct json_limits {
	uint32_t depth_max; /* 0: LIMIT_JSON_DEPTH; at most JSON_BUILD_DEPTH_MAX */
	size_t bytes_max;   /* 0: 4 GB - 1 */
};

/*
 * Parses TEXT (N bytes, changed in place, no NUL needed). LIMITS may be NULL. ERR_JSON with line,
 * column (both from 1, columns in bytes) and what was expected; ERR_LIMIT.
 */
MUST_CHECK bool json_parse(struct arena *a, char *text, size_t n, const struct json_limits *limits,
	const struct json **root, struct err *err);
/* As json_parse(), on a copy in the arena. */
MUST_CHECK bool json_parse_copy(struct arena *a, struct str text, const struct json **root,
	struct err *err);

/* ---- walk ---- */

static inline uint64_t json_span(const struct json *v)
{
	return v->type >= JSON_ARRAY ? v->span : 1;
}
/* The node behind V and all it holds. */
static inline const struct json *json_next(const struct json *v)
{
	return v + json_span(v);
}
static inline struct str json_str(const struct json *v) /* of a string or number */
{
	return str_of(v->s, v->n);
}
static inline bool json_is_str(const struct json *v)
{
	return v != NULL && v->type == JSON_STRING;
}
static inline bool json_is_object(const struct json *v)
{
	return v != NULL && v->type == JSON_OBJECT;
}
static inline bool json_is_array(const struct json *v)
{
	return v != NULL && v->type == JSON_ARRAY;
}

/* for (json_each(item, array)) */
#define json_each(it, arr)                                             \
	const struct json *it = (arr) + 1, *it##_end = json_next(arr); \
	it < it##_end;                                                 \
	it = json_next(it)
/* for (json_each_member(key, object)) { value is json_value(key) } */
#define json_each_member(key, obj)                                       \
	const struct json *key = (obj) + 1, *key##_end = json_next(obj); \
	key < key##_end;                                                 \
	key = json_next(key + 1)
static inline const struct json *json_value(const struct json *key)
{
	return key + 1;
}

/* Member by name; the last of duplicates; NULL when absent or OBJ is NULL or no object. */
const struct json *json_get(const struct json *obj, struct str name);
/* Element by index; NULL when there is none. */
const struct json *json_at(const struct json *arr, size_t i);
/* Member by dotted path of names ("rest.baseURI"); NULL when absent. */
const struct json *json_get_path(const struct json *obj, struct str path);
/* The text of a string member, or STR_NULL. */
struct str json_get_str(const struct json *obj, struct str name);
/* True when the member is there and true. */
bool json_get_true(const struct json *obj, struct str name);
/* An integer lexeme (no fraction, no exponent) in range. */
MUST_CHECK bool json_to_i64(const struct json *v, int64_t *out);
MUST_CHECK bool json_to_double(const struct json *v, double *out); /* may be +-inf by overflow */
/* Same type, lexemes, elements in order; objects: same members in the same order. */
bool json_equal(const struct json *a, const struct json *b);
const char *json_type_name(enum json_type t);   /* "string", "boolean" ... */
const char *json_type_phrase(enum json_type t); /* "a string", "an array" ... "null" */

extern const struct json json_null, json_true, json_false, json_empty_object, json_empty_array,
	json_empty_string;

/* ---- print ---- */

enum json_style { JSON_COMPACT, JSON_PRETTY /* two spaces, "name": value */ };
void json_print(struct buf *out, const struct json *v, enum json_style style);
/*
 * PREFIX as it stands, then V, compact: a name that was printed before, and its value. Behind a
 * prefix JSON_PREFIX_PAD bytes must be readable.
 */
#define JSON_PREFIX_PAD 32
void json_print_behind(struct buf *out, struct str prefix, const struct json *v);
/* Compact, into the arena. */
struct str json_print_arena(struct arena *a, const struct json *v);
/* One string with its quotes. */
void json_print_str(struct buf *out, struct str s);

#include "data/json_build.h"

#endif
