/*
 * handlebars.h - templates with the meaning of handlebars.js 4.7: compiled once, rendered for many
 * records.
 *
 * Paths (a.b, a/b, ../a, this, [any name], a.0, @root, @index ...), literals, positional and hash
 * arguments, subexpressions, blocks with parameters, else chains, inverse sections, whitespace
 * control, standalone lines, comments, raw blocks, \{{ and {{{raw}}}. There are no partials,
 * decorators or inline scripts: those are errors of the compilation. The helpers are rows of tables
 * (data/handlebars_helper.h); docs/reference/handlebars.md is made from them by hbs_markdown().
 *
 * Values are JavaScript's where it shows: [] and "" are false in {{#if}}, an array prints as "1,2"
 * and an object as "[object Object]", objects are walked with whole-number names first, lengths and
 * indexes of text count UTF-16 units, results of arithmetic print with the fewest digits that read
 * back. Numbers of the source document print as they were written. Beyond handlebars.js: a number may
 * stand as the last step of a path (a.0), and a field wins over a helper of its name where the
 * helper would lack arguments ({{hash}}).
 *
 * Ownership: a template lives in the arena given to hbs_compile() and is never changed afterwards:
 * any thread may render it. Rendering allocates from the environment's scratch arena only. Pure but
 * for the clock and random source of the environment. Limits: LIMIT_TEMPLATE_* of core/limits.h.
 */
#ifndef DATA_HANDLEBARS_H
#define DATA_HANDLEBARS_H

#include "core/clock.h"
#include "core/rng.h"
#include "data/json.h"

struct hbs;
struct hbs_helpers; /* a table of helpers; see data/handlebars_helper.h */

enum hbs_escape {
	HBS_RAW,  /* text as it is: noEscape of handlebars.js */
	HBS_HTML, /* {{x}} escapes & < > " ' ` = as handlebars.js does */
	HBS_URI,  /* {{x}} is percent-encoded as a component (RFC 3986, unreserved stay) */
};

struct hbs_options {
	/* Helpers besides the own ones; an entry wins over an own helper of its name. */
	const struct hbs_helpers *const *extra;
	size_t extra_count;
};

struct hbs_env {
	const struct json *context; /* the root value; NULL is undefined */
	enum hbs_escape escape;
	/*
	 * A {{path}} without a value (missing or null; in a URI also empty text) is ERR_MISSING_VALUE
	 * naming it. Arguments of helpers may be missing.
	 */
	bool strict;
	/*
	 * Names beside the root value's own members, asked first: for a path `lookup.name...` the name
	 * "lookup.name", then a path's first name. *FOUND false: not such a name; a NULL *VALUE with
	 * *FOUND: known, without a value. May be NULL.
	 */
	bool (*value)(void *ctx, struct str name, bool *found, const struct json **value,
		struct err *err);
	void *ctx;
	const struct clock *clock; /* NULL: the system's */
	struct rng *rng;           /* NULL: the system's */
	struct str timezone;       /* of dates where a helper names none; p NULL: UTC */
	struct arena *scratch;     /* for intermediate values, which die with it; never NULL */
};

/*
 * OPTIONS may be NULL. ERR_INVALID with the position (in bytes, from 1) of the fault; an unknown
 * helper comes with the nearest name as hint. ERR_LIMIT for what is nested too deeply.
 */
MUST_CHECK bool hbs_compile(struct arena *a, struct str text, const struct hbs_options *options,
	struct hbs **out, struct err *err);
/*
 * Adds to OUT, which should have a maximum. *VALUES (may be NULL): how many placeholders or blocks
 * had a value. ERR_MISSING_VALUE (strict), ERR_INVALID when a helper can't use its arguments,
 * ERR_LIMIT for output, steps or memory, or what ENV's value() says. OUT holds a part on failure.
 */
MUST_CHECK bool hbs_render(const struct hbs *t, const struct hbs_env *env, struct buf *out,
	size_t *values, struct err *err);

bool hbs_is_constant(const struct hbs *t); /* neither placeholder nor block */
/* The I-th path written in the template, in order of appearance; p NULL behind the last. */
struct str hbs_path_at(const struct hbs *t, size_t i);

/* The reference page of the own helpers and those of EXTRA. */
void hbs_markdown(const struct hbs_helpers *const *extra, size_t extra_count, struct buf *out);

#endif
