/*
 * mapping.h - the import's `mapping`, compiled once a job into a program over the tape.
 *
 * Input: {"fields":[{extract, generate, hardCodedValue, lookupName | lookup, dataType, default}],
 * "lists":[{generate, fields}]}. The program writes the target record in one pass: targets that
 * share a parent ("billingAddress.city", "billingAddress.zip") come out as one object, in order of
 * first mention. Rules, as decided for the product:
 *   - a missing source omits the target; null stays null; types pass unchanged; dataType (string,
 *     number, boolean, ...) converts, and fails the record when it can't;
 *   - an extract with braces is a template and makes a string; when none of its placeholders has a
 *     value, the target is omitted;
 *   - lists: the arrays named by [*] are walked together by index, the longest gives the number of
 *     lines, fields without [*] repeat on every line, a line without any [*] value is not made; an
 *     array that is missing or is no array counts as empty;
 *   - lookups with a `map` are static and answered here: keyed by the value's text; none found:
 *     with allowFailures the default or nothing, without it the record fails (ERR_LOOKUP). Other
 *     lookups are asked of the environment.
 * Compiling is where a mapping's faults are found: two fields that generate the same target, a
 * target inside another's value, an unknown lookup, bad paths: each with the index of the field.
 *
 * A pure function: allocates only from the builder's arena; the program may be shared by threads.
 */
#ifndef MAP_MAPPING_H
#define MAP_MAPPING_H

#include "map/template.h"

struct mapping;

/*
 * MAPPING may be NULL (records pass unchanged); LOOKUPS is the import's `lookups` array or NULL.
 * Errors: ERR_INVALID with err->field such as "mapping.fields.3.extract".
 */
MUST_CHECK bool mapping_compile(struct arena *a, const struct json *mapping,
	const struct json *lookups, struct mapping **out, struct err *err);

struct mapping_env {
	/*
	 * A lookup that is not static: NAME, with the extracted VALUE (NULL when the field has no
	 * extract). *RESULT NULL: nothing was found, which is no failure: the field gets the lookup's
	 * default or is left out. NULL here: such a lookup is ERR_UNSUPPORTED.
	 */
	bool (*lookup)(void *ctx, struct str name, const struct json *value,
		const struct json *record, const struct json **result, struct err *err);
	void *ctx;
};

/* Adds one value to B: the target record. ERR_MAPPING, ERR_LOOKUP name field and value. */
MUST_CHECK bool mapping_apply(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct json_build *b, struct err *err);

#endif
