/*
 * handlebars_priv.h - shared by the files of the template engine: the tables of helpers, what helpers
 * have in common, the state of a rendering.
 */
#ifndef DATA_HANDLEBARS_PRIV_H
#define DATA_HANDLEBARS_PRIV_H

#include "core/limits.h"
#include "data/handlebars_js_priv.h"
#include "data/handlebars_tree_priv.h"

/* ---- tables of helpers ---- */

extern const struct hbs_helpers hbs_builtin_helpers, hbs_logic_helpers, hbs_string_helpers,
	hbs_case_helpers, hbs_math_helpers, hbs_format_helpers, hbs_array_helpers,
	hbs_encode_helpers, hbs_regex_helpers, hbs_date_helpers;

const struct hbs_helper *hbs_find(const struct hbs_options *extra, struct str name);

/* Text of an argument that has one, else "". */
static inline struct str arg_text(const struct hbs_call *c, size_t i)
{
	struct str s;

	return hbs_text(hbs_arg(c, i), &s) ? s : STR("");
}
/* A copy of what B holds as the result; ERR_LIMIT when it was too much. */
MUST_CHECK bool give_buf(struct hbs_call *c, const struct buf *b, const struct json **result,
	struct err *err);
/* A number, else ERR_INVALID. */
MUST_CHECK bool need_number(struct hbs_call *c, size_t i, double *out, struct err *err);
/* A whole number from MIN to MAX; ABSENT when the argument is missing or none. */
MUST_CHECK bool need_count(struct hbs_call *c, size_t i, size_t min, size_t max, size_t absent,
	size_t *out, struct err *err);
struct str to_case(struct arena *a, struct str s, bool upper);
/* Member by a dotted path, as handlebars-helpers finds it. */
const struct json *get_path(struct arena *a, const struct json *v, struct str path);

/* ---- rendering ---- */

struct depth { /* contexts, innermost first; `../` goes up */
	const struct json *value;
	const struct depth *up;
};

struct frame { /* @data: one per {{#each}} */
	const struct frame *up;
	const struct json *key; /* of an object's member; NULL: the index */
	size_t index;
	bool loop, first, last;
};

struct params { /* values of block parameters, one set per program entered */
	const struct json *const *values;
	size_t count;
	const struct params *up;
};

struct scope {
	const struct json *context;
	const struct depth *depths;
	const struct frame *frame;
	const struct params *params;
};

struct run {
	const struct hbs_env *env;
	struct arena *scratch;
	struct buf *out;
	size_t values;
	size_t steps;
	size_t scratch_begin;
	size_t tries; /* of regular expressions */
	int64_t now_ms;
	bool now_known;
};

struct hbs_call {
	struct run *run;
	const struct scope *scope;
	const struct expr *expr;
	const struct node *block; /* NULL: not a block */
	const struct json **args;
	const struct json **hash;
};

/* Renders P (may be NULL) with CONTEXT; FRAME NULL keeps the scope's. */
MUST_CHECK bool run_program(struct run *r, const struct program *p, const struct scope *outer,
	const struct json *context, const struct frame *frame, const struct json *const *values,
	size_t values_count, struct err *err);
MUST_CHECK bool run_each(struct hbs_call *c, const struct json *list, struct err *err);
MUST_CHECK bool run_path(struct run *r, const struct scope *s, const struct hbs_path *p,
	const struct json **v, struct err *err);
MUST_CHECK bool run_steps(struct run *r, size_t n, struct err *err);

#endif
