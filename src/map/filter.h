/*
 * filter.h - which records pass: an expression over a record, compiled once, as exports (`filter`: the
 * output filter) and imports (`filter`: the input filter) carry it.
 *
 *   ["and", ["equals", ["string", ["extract", "status"]], "open"],
 *           ["greaterthan", ["number", ["extract", "total"]], 100]]
 *
 * An expression is a constant (string, number, boolean, null) or an array of an operator's name and
 * its operands:
 *   extract PATH            the value in the record, see map/path.h
 *   settings NAME, context NAME   a value that the environment knows
 *   string number boolean epochtime X          coercions
 *   lowercase uppercase floor ceiling abs X    transforms
 *   equals notequals greaterthan greaterthanequals lessthan lessthanequals X Y
 *   contains doesnotcontain startswith endswith X Y, matches X PATTERN, empty notempty X
 *   and or X ..., not X
 * A list of expressions stands for their `and`; an empty one lets everything pass.
 *
 * What values mean. null and what is missing are the same: nothing. A filter never fails because a
 * value is of another kind than hoped for; it then has nothing to compare.
 *   - equals compares JSON values: without coercion "5" and 5 differ. Numbers are equal by value, exactly
 *     and at any size (1.0 and 1e0; not 9007199254740993 and 9007199254740992). Nothing equals nothing.
 *     Arrays and objects are equal with equal members in the same order.
 *   - greaterthan and its kin: two numbers by value, two strings by their code points, two booleans with
 *     false first. Anything else, so also nothing, is in no order: false.
 *   - contains, startswith, endswith and matches look at text: strings, numbers as written, true and false.
 *     For an array contains asks for an element that equals Y. Nothing contains and matches nothing.
 *   - notequals, doesnotcontain and notempty are the opposite of the other, always.
 *   - empty: nothing, "", [] and {}. 0 and false are values.
 *   - string makes text of numbers (as written) and booleans, JSON text of arrays and objects. number takes
 *     text that is a number, blanks around it and leading zeros or plus allowed; true is 1, false 0. boolean
 *     takes true, false, 1, 0 in any case of letters; a number is false when 0. epochtime takes ISO 8601 text
 *     (a date alone: midnight; no zone: UTC) to milliseconds since 1970, and numbers as they are. What can't
 *     be coerced becomes nothing, and nothing stays nothing.
 *   - lowercase and uppercase act on text, floor, ceiling and abs on numbers, exactly; elsewhere: nothing.
 *   - where a condition is wanted (and, or, not, the whole) a value is taken by `boolean`; nothing is false.
 *
 * PATTERN is a constant: a Perl-compatible regular expression, in the flavour of JavaScript where they
 * differ, that may match anywhere in the text. Its cost has a limit; a record that passes it is an error.
 *
 * Pure. Compiled into an arena, then read-only: any thread.
 */
#ifndef MAP_FILTER_H
#define MAP_FILTER_H

#include "data/json.h"

struct filter;

/*
 * FILTER is the field's object, {"rules":[...]} or {"expression":{"rules":[...]}} or both alike; NULL,
 * or without rules: everything passes. AT is the field's name ("filter"). ERR_INVALID and ERR_LIMIT with
 * err->field such as "filter.rules.1.2": the second operand of the first; for a misspelt operator the
 * hint names the nearest. FILTER must outlive the result.
 */
MUST_CHECK bool filter_compile(struct arena *a, const struct json *filter, const char *at,
	struct filter **out, struct err *err);

enum filter_source { FILTER_SETTINGS, FILTER_CONTEXT };

struct filter_env {
	/* The value of ["settings", NAME] or ["context", NAME]; NULL: there is none. */
	const struct json *(*get)(void *ctx, enum filter_source source, struct str name);
	void *ctx;
};

/*
 * ENV may be NULL: settings and context are nothing. SCRATCH holds what evaluating makes; nothing of it
 * is kept. ERR_LIMIT: a pattern costs too much on this record; err->field says which.
 */
MUST_CHECK bool filter_passes(const struct filter *f, const struct json *record,
	const struct filter_env *env, struct arena *scratch, bool *passes, struct err *err);

/*
 * Why a record passes or not: adds to B one value, {"passes", "expression"}, where an expression is
 *   {"field": "filter.rules.1", "operator": "equals", "value": ..., "operands": [...]}
 * Constants have no operator; what is nothing has no value; one that failed has an "error". All operands are
 * evaluated, also those that and, or would not have looked at. Values are B's to keep while the record and
 * its arena live.
 */
void filter_explain(const struct filter *f, const struct json *record, const struct filter_env *env,
	struct json_build *b);

#endif
