/*
 * mapping_apply_priv.h - one application of a mapping, for those who walk its fields themselves.
 */
#ifndef MAP_MAPPING_APPLY_PRIV_H
#define MAP_MAPPING_APPLY_PRIV_H

#include "map/mapping_priv.h"

/* Where a list stands in one of its arrays. */
struct cursor {
	const struct json *element; /* of the present line; NULL: behind the end */
	size_t left;                /* elements from here on */
};

struct mapping_apply {
	const struct json *record;
	const struct mapping_env *env;
	struct json_build *b;
	struct buf *scratch;
	const struct cursor *cursors; /* of the list that is being written */
	const char *why;              /* the latest field without a value has none */
	struct err *err;
};

/* The field's value, or NULL in *V when it has none; then x->why says why. */
MUST_CHECK bool mapping_value_of(struct mapping_apply *x, const struct field *f,
	const struct json **v);
struct cursor *mapping_new_cursors(struct mapping_apply *x, const struct list *l);
/* Cursors at the first line; returns the number of lines. */
size_t mapping_begin_list(const struct mapping_apply *x, const struct list *l,
	struct cursor *cursors);
void mapping_next_line(const struct list *l, struct cursor *cursors);

#endif
