/*
 * shape.h - what an export does to each record behind its answer: the transform, then the filter.
 *
 * Compiled once, then read-only: any thread.
 */
#ifndef ENGINE_SHAPE_H
#define ENGINE_SHAPE_H

#include "data/json.h"

struct shape;

/* ERR_INVALID names the field. EXPORT must outlive the result. */
MUST_CHECK bool shape_compile(struct arena *a, const struct json *export, struct shape **out,
	struct err *err);
/* *RECORD is replaced by what the transform makes of it, in A. *PASSES is false when the filter drops it.
 * False: the record failed, *STAGE says where ("transform", "output_filter"). */
MUST_CHECK bool shape_apply(const struct shape *s, struct arena *a, const struct json **record,
	bool *passes, const char **stage, struct err *err);
bool shape_is_plain(const struct shape *s); /* every record passes as it is */

#endif
