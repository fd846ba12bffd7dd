/*
 * params.h - query parameters: which there are, and what they may hold. Pure; any thread.
 *
 * Each false is ERR_QUERY, in the same words everywhere.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "core/err.h"
#include "core/str.h"

/* One that is taken as it stands. */
struct param {
	const char *name;
	struct str *to;
};
/* Puts VALUE where LIST has NAME, and says where; NULL: it is none of them. */
struct str *param_put(const struct param *list, size_t n, struct str name, struct str value);

/* ISO 8601 with or without time, or milliseconds since 1970. */
MUST_CHECK bool param_time_read(struct str s, int64_t *ms);
MUST_CHECK bool param_time(struct str name, struct str value, int64_t *ms, struct err *err);
/* From 1 to MAX. */
MUST_CHECK bool param_limit(struct str name, struct str value, size_t max, size_t *limit,
	struct err *err);

bool param_bad(struct err *err, struct str name, struct str value);
/* KNOWN: the names that there are, as a hint; empty: none. */
bool param_unknown(struct err *err, struct str name, struct str known);

#endif
