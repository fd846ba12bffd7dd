/*
 * mapping.h - the import's `mapping`, compiled once a job into a program over the tape.
 *
 * Input: {"fields":[...], "lists":[{generate, fields}]}. The program writes the target record in one
 * pass: targets that share a parent ("billingAddress.city", "billingAddress.zip") come out as one
 * object, in order of first mention. A field is worked on in this order; a step that it does not ask
 * for is skipped:
 *   1. extract or hardCodedValue. A missing source omits the target; null stays null; types pass
 *      unchanged. An extract with braces is a template and makes a string; when none of its
 *      placeholders has a value, there is none. `hardCodedValue` may be "" or null, too.
 *   2. lookupName (or lookup). Lookups with a `map` are static and answered here: keyed by the
 *      value's text; none found: with allowFailures the lookup's default or nothing, without it the
 *      record fails (ERR_LOOKUP). Other lookups are asked of the environment. With an extract that
 *      has no value there is nothing to look up, and no failure.
 *   3. conditional.when: false leaves the field out. A lookup that a condition asks about may be
 *      empty whatever allowFailures says. conditional.lookupName names another lookup to ask.
 *   4. default: when there is no value, though no condition left it out.
 *   5. discardIfEmpty: null, "", [] and {} leave the field out.
 *   6. dates: with any of extractDateFormat, extractDateTimezone, generateDateFormat,
 *      generateDateTimezone, the value is read by the first (else as ISO 8601 or an epoch number), in
 *      the second (else UTC), and written by the third (else as ISO 8601) in the fourth (else in the
 *      second). Hard-coded values and defaults are written as they stand.
 *   7. dataType converts, and fails the record when it can't.
 * Lists: the arrays named by [*] are walked together by index, the longest gives the number of
 * lines, fields without [*] repeat on every line, a line without any [*] value is not made; an array
 * that is missing or is no array counts as empty, and a list without lines is left out. A record may
 * be an array of rows, see map/path.h.
 *
 * Compiling is where a mapping's faults are found: two fields that generate the same target, a
 * target inside another's value, an unknown lookup, bad paths, formats, zones: each with the index of
 * the field.
 *
 * Pure functions: they allocate only from the arena (and, without env->scratch, a buffer for
 * templates); the program may be shared by threads.
 */
#ifndef MAP_MAPPING_H
#define MAP_MAPPING_H

#include "map/template.h"

struct mapping;

/*
 * MAPPING may be NULL (records pass unchanged); LOOKUPS is the import's `lookups` array or NULL. Both
 * must outlive the program. Errors: ERR_INVALID with err->field such as "mapping.fields.3.extract".
 */
MUST_CHECK bool mapping_compile(struct arena *a, const struct json *mapping,
	const struct json *lookups, struct mapping **out, struct err *err);

/* What becomes of the record; the sink knows once it has looked whether the record exists. */
enum mapping_fate {
	MAPPING_FATE_UNKNOWN, /* fields under record_created and the like fail (ERR_MAPPING) */
	MAPPING_CREATES,
	MAPPING_UPDATES,
};

extern const struct json mapping_nothing;

/* Zero is a valid value of every member. */
struct mapping_env {
	/*
	 * A lookup that is not static: NAME, with the extracted VALUE (NULL when the field has no
	 * extract; one whose extract has no value is not asked). *RESULT NULL: nothing found;
	 * &mapping_nothing: nothing, and that is no failure whatever allowFailures says. NULL here: such
	 * a lookup is ERR_UNSUPPORTED.
	 */
	bool (*lookup)(void *ctx, struct str name, const struct json *value,
		const struct json *record, const struct json **result, struct err *err);
	void *ctx;
	enum mapping_fate fate;
	const struct json
		*existing;   /* of a record that is updated: what is there, for ignore_if_set */
	struct buf *scratch; /* for templates, reused from record to record */
};

/*
 * Adds one value to B: the target record. ENV may be NULL. ERR_MAPPING, ERR_LOOKUP name field and
 * value; B can't be used any more then.
 */
MUST_CHECK bool mapping_apply(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct json_build *b, struct err *err);
/*
 * Adds the target record to OUT as compact JSON: the text of what mapping_apply() makes, without
 * making it. A is for what is needed on the way and may be reset behind the call. OUT must not be
 * env->scratch; as with json_print(), out->over tells whether it was too long. When it fails OUT holds
 * a part.
 */
MUST_CHECK bool mapping_print(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct arena *a, struct buf *out, struct err *err);

/*
 * What becomes of each field: adds one array to B, of {"generate", "value"}, {"generate", "omitted": why}
 * or {"generate", "error": {"code", "message"}}, and behind them for each list {"generate",
 * "elements", "lines": the same for its first lines}. Values are B's to keep while the record lives.
 */
void mapping_explain(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct json_build *b);

#endif
