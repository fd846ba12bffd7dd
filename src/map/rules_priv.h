/*
 * rules_priv.h - where filters and transforms keep their rules.
 */
#ifndef MAP_RULES_PRIV_H
#define MAP_RULES_PRIV_H

#include "data/json.h"

/*
 * The platform writes {"rules":[...]}, {"expression":{"rules":[...]}}, or both with the same in them. *RULES
 * is NULL when DOC (NULL allowed) has none; *FIELD is their path below AT. ERR_INVALID when they differ or
 * are no array; EXPECTED is an example for its words.
 */
MUST_CHECK bool rules_find(struct arena *a, const struct json *doc, const char *at,
	const char *expected, const struct json **rules, const char **field, struct err *err);

#endif
