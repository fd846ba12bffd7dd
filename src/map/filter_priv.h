/*
 * filter_priv.h - the compiled filter, and what its operators do with values.
 */
#ifndef MAP_FILTER_PRIV_H
#define MAP_FILTER_PRIV_H

#include "map/filter.h"
#include "map/path.h"

struct pattern; /* filter_pattern.c: a regular expression */

enum op {
	OP_CONSTANT,
	OP_EXTRACT,
	OP_SETTINGS,
	OP_CONTEXT,
	OP_STRING,
	OP_NUMBER,
	OP_BOOLEAN,
	OP_EPOCHTIME,
	OP_LOWERCASE,
	OP_UPPERCASE,
	OP_FLOOR,
	OP_CEILING,
	OP_ABS,
	OP_EQUALS,
	OP_NOTEQUALS,
	OP_GREATERTHAN,
	OP_GREATERTHANEQUALS,
	OP_LESSTHAN,
	OP_LESSTHANEQUALS,
	OP_CONTAINS,
	OP_DOESNOTCONTAIN,
	OP_STARTSWITH,
	OP_ENDSWITH,
	OP_MATCHES,
	OP_EMPTY,
	OP_NOTEMPTY,
	OP_AND,
	OP_OR,
	OP_NOT,
	OP_COUNT
};

extern const struct filter_op {
	const char *name;
	unsigned operands_min, operands_max;
} filter_ops[OP_COUNT];

#define FILTER_ANY_NUMBER UINT32_MAX

struct node {
	enum op op;
	const char *field; /* "filter.rules.1.2" */
	const struct json *constant;
	struct str name;   /* of settings, context */
	struct path *path; /* of extract */
	struct pattern *pattern;
	struct node **operands;
	size_t count;
};

struct filter {
	struct node *root; /* NULL: everything passes */
};

/* ---- values; NULL is nothing, null never comes in; what is made lives in the arena ---- */

const struct json *filter_to_string(struct arena *a, const struct json *v);
const struct json *filter_to_number(struct arena *a, const struct json *v);
const struct json *filter_to_boolean(const struct json *v);
const struct json *filter_to_epochtime(struct arena *a, const struct json *v);
const struct json *filter_change_case(struct arena *a, const struct json *v, bool upper);
/* OP is one of floor, ceiling, abs. */
const struct json *filter_round(struct arena *a, const struct json *v, enum op op);
bool filter_equal(const struct json *x, const struct json *y);
/* Have they an order? *ORDER is then below, at or above 0. */
bool filter_compare(const struct json *x, const struct json *y, int *order);
bool filter_text(const struct json *v, struct str *out); /* false: it is no text */
/* Two JSON numbers by value, exactly. */
int filter_number_compare(struct str x, struct str y);

/* ---- patterns ---- */

MUST_CHECK bool filter_pattern_compile(struct arena *a, struct str text, struct pattern **out,
	struct err *err);
/* ERR_LIMIT when it costs too much. */
MUST_CHECK bool filter_pattern_matches(const struct pattern *p, struct str text,
	struct arena *scratch, bool *matches, struct err *err);

#endif
