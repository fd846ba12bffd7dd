/*
 * transform.h - a record made over into another one before anything else sees it: the field `transform`.
 *
 *   {"version":"1","rules":[[{"extract":"order.id","generate":"id"},
 *                            {"extract":"items[*].sku","generate":"lines[*].sku"}]]}
 *
 * A set of rules makes a new record that holds what they generate and nothing else. Several sets run one
 * behind the other, each on what the one before made. Rules are fields of a mapping (map/mapping.h, which
 * does the work): whatever that knows of extracts, constants and conversions holds here. A generate with
 * [*] makes an array: rules that share what stands before the [*] fill its elements together, and their
 * extracts walk arrays by [*].
 *
 * Pure; compiled into an arena, then read-only: any thread.
 */
#ifndef MAP_TRANSFORM_H
#define MAP_TRANSFORM_H

#include "data/json.h"

struct transform;

/*
 * TRANSFORM is the field's object, {"rules":[[...]]} or {"expression":{"rules":[[...]]}} or both alike; a
 * single set may stand without the outer array. NULL, or without rules: records pass unchanged. AT is the
 * field's name. ERR_INVALID with err->field such as "transform.rules.0.3.extract".
 */
MUST_CHECK bool transform_compile(struct arena *a, const struct json *transform, const char *at,
	struct transform **out, struct err *err);

/*
 * Adds one value to B: the new record. ERR_MAPPING names field and value; ERR_LIMIT: the arena of B is over
 * its cap.
 */
MUST_CHECK bool transform_apply(const struct transform *t, const struct json *record,
	struct json_build *b, struct err *err);

#endif
