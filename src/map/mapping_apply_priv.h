/*
 * mapping_apply_priv.h - one application of a mapping, for those who walk its fields themselves.
 */
#ifndef MAP_MAPPING_APPLY_PRIV_H
#define MAP_MAPPING_APPLY_PRIV_H

#include "map/mapping_priv.h"

struct mapping_apply {
	const struct json *record;
	const struct mapping_env *env;
	struct arena *arena;
	struct buf *scratch;
	const struct json **slots; /* what was gathered of the record */
	const struct json **line;  /* and of the line, of the list that is being written */
	const char *why;           /* the latest field without a value has none */
	struct err *err;
};

/* Where a list stands in one of its arrays. */
struct cursor {
	const struct json *element; /* of the next line; NULL: behind the end */
	size_t left;                /* elements from here on */
};

struct lines {
	const struct list *list;
	struct cursor *cursors;
	size_t line, count; /* LINE of COUNT is gathered, from 1 */
};

/* Gathers what the fields want of x->record; before all else. */
void mapping_gather(struct mapping_apply *x, const struct mapping *m);
/* The field's value, or NULL in *V when it has none; then x->why says why. (mapping_field.c) */
MUST_CHECK bool mapping_value_of(struct mapping_apply *x, const struct field *f,
	const struct json **v);
/* Before the first line. */
struct lines mapping_begin_lines(struct mapping_apply *x, const struct list *l);
/* Gathers what the next elements have for the fields; there must be a next line. */
void mapping_gather_line(struct mapping_apply *x, struct lines *it);

#endif
