/*
 * handlebars_helper.h - what a table of handlebars helpers is made of, and what a helper may ask.
 *
 * A helper is a function over values that answers a value; a value is a JSON node or NULL, which is
 * JavaScript's undefined. Numbers computed here are nodes whose text is what JavaScript would print,
 * so NaN and Infinity may occur. Results live in the scratch arena of the rendering. A helper must
 * be linear in what it reads or account for more with hbs_steps().
 */
#ifndef DATA_HANDLEBARS_HELPER_H
#define DATA_HANDLEBARS_HELPER_H

#include "data/handlebars.h"

struct hbs_call; /* one call of a helper, while it lasts */

/* Fills *RESULT, or leaves it NULL for undefined. Output of a block goes to where the block stands. */
typedef bool hbs_fn(struct hbs_call *c, const struct json **result, struct err *err);

enum hbs_form {
	HBS_INLINE, /* a value; as a block its content is ignored, as handlebars.js does */
	HBS_BLOCK,  /* only {{#name}} */
	HBS_CHOICE, /* a boolean; as a block it chooses between its content and {{else}} */
	HBS_TEXT,   /* a text of its first argument; as a block without arguments, of its content */
};

#define HBS_ARGS_ANY 255

struct hbs_helper {
	const char *name;
	hbs_fn *fn;
	enum hbs_form form;
	uint8_t args_min, args_max;
	const char *args; /* how they are written: "array n" */
	const char *text; /* for the reference */
	/* A template, the root value it is rendered for, and what comes of it as raw text. */
	const char *example, *context, *result;
};

struct hbs_helpers {
	const char *topic; /* a heading of the reference */
	const struct hbs_helper *rows;
	size_t count;
};

/* All tables in order, then those of EXTRA (may be NULL); NULL behind the last. */
const struct hbs_helpers *hbs_table_at(const struct hbs_options *extra, size_t i);

size_t hbs_argc(const struct hbs_call *c);
const struct json *hbs_arg(const struct hbs_call *c, size_t i); /* NULL: missing */
/* Is the argument written as a string in the template? */
bool hbs_arg_is_literal(const struct hbs_call *c, size_t i);
/* A plain path's text as written, or p NULL: for words such as isNumber. */
struct str hbs_arg_word(const struct hbs_call *c, size_t i);
const struct json *hbs_hash(const struct hbs_call *c, const char *name);
bool hbs_is_block(const struct hbs_call *c);
struct arena *hbs_scratch(const struct hbs_call *c);
const struct json *hbs_this(const struct hbs_call *c);
/* The time of the rendering, the same for all its helpers. */
int64_t hbs_now_ms(struct hbs_call *c);
struct rng *hbs_rng(const struct hbs_call *c);
struct str hbs_timezone(const struct hbs_call *c);
/* A dotted path in the current context, variables of the environment included. */
MUST_CHECK bool hbs_path(struct hbs_call *c, struct str path, const struct json **v,
	struct err *err);

/* As JavaScript's String(v); undefined is "undefined". Text and numbers are not copied. */
struct str hbs_str(const struct hbs_call *c, const struct json *v);
/* Text of a string, number or boolean; false for all else. */
bool hbs_text(const struct json *v, struct str *out);
/* A finite number, or text that is one. */
bool hbs_number(const struct json *v, double *out);
bool hbs_truthy(const struct json *v);

const struct json *hbs_new_str(struct hbs_call *c, struct str s); /* not copied */
const struct json *hbs_new_number(struct hbs_call *c, double v);
const struct json *hbs_new_bool(bool v);

/* The boolean, or in a block the branch it chooses. */
MUST_CHECK bool hbs_choose(struct hbs_call *c, bool which, const struct json **result,
	struct err *err);
/* The block's content (or its {{else}}) once, with CONTEXT. */
MUST_CHECK bool hbs_run(struct hbs_call *c, bool which, const struct json *context,
	struct err *err);
/* Accounts for N rounds of a loop; ERR_LIMIT when the rendering has had too many. */
MUST_CHECK bool hbs_steps(struct hbs_call *c, size_t n, struct err *err);
/* ERR_INVALID that names the helper and its place. Returns false. */
bool hbs_fail(const struct hbs_call *c, struct err *err, const char *fmt, ...) PRINTF(3, 4);

#endif
