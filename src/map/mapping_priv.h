/*
 * mapping_priv.h - the compiled mapping: fields, and the tree of targets they fill.
 */
#ifndef MAP_MAPPING_PRIV_H
#define MAP_MAPPING_PRIV_H

#include "core/map.h"
#include "data/datetime.h"
#include "map/gather.h"
#include "map/mapping.h"

enum data_type {
	DATA_AS_IS,
	DATA_STRING,
	DATA_NUMBER,
	DATA_BOOLEAN,
	DATA_STRING_ARRAY,
	DATA_NUMBER_ARRAY,
	DATA_BOOLEAN_ARRAY,
	DATA_OBJECT_ARRAY,
	DATA_OBJECT, /* an element of the last */
};

enum when {
	WHEN_ALWAYS,
	WHEN_EXTRACT_NOT_EMPTY,
	WHEN_LOOKUP_NOT_EMPTY,
	WHEN_LOOKUP_EMPTY,
	WHEN_RECORD_CREATED,
	WHEN_RECORD_UPDATED,
	WHEN_IGNORE_IF_SET,
};

struct lookup {
	struct str name;
	struct map *map; /* text to const struct json; NULL: not static */
	bool allow_failures;
	const struct json *def; /* NULL: none */
};

struct dates {
	struct datetime_format *read;  /* NULL: ISO 8601, epoch numbers */
	struct datetime_format *print; /* NULL: ISO 8601 */
	const struct zone *read_zone, *print_zone;
};

struct piece { /* of a template in single braces */
	struct str literal;
	size_t slot; /* GATHER_NPOS: the literal */
};

struct field {
	struct str generate;
	struct path *path; /* one of path, template, hard_coded; or none with a lookup */
	struct template *template;
	struct piece *pieces; /* the template's; NULL: it must be rendered as a whole */
	size_t piece_count;
	bool plain;    /* nothing in the pieces' literals needs an escape */
	size_t slot;   /* of the path: the record's, or with STAR the line's */
	bool as_it_is; /* no step but the source and the default */
	const struct json *hard_coded;
	size_t star;           /* index + 1 of the list's array that the path walks; 0: none */
	struct lookup *lookup; /* NULL: none */
	enum when when;
	struct lookup *when_lookup; /* NULL: the field's own */
	struct dates *dates;        /* NULL: no date */
	enum data_type type;
	bool discard_if_empty;
	const struct json *def; /* when there is no value; NULL: omit */
};

/* A name in the target record: an object of further names, or where a field or list ends. */
struct target {
	struct str name;
	struct str key; /* as it is printed: ,"name": */
	struct target *first, *next;
	size_t field;      /* index + 1 into fields; 0: none */
	struct list *list; /* NULL: none */
};

struct block { /* the fields of the body, or of a list */
	struct field *fields;
	size_t count;
	struct target root;
};

struct star { /* an array that is walked */
	const struct path *path;
	size_t slot;         /* the array's among the record's slots; GATHER_NPOS: ask the path */
	struct gather *line; /* what the fields want of an element */
};

struct list {
	struct block block;
	struct star *stars;
	size_t star_count, slot_count; /* slots of a line, of all its elements */
};

struct mapping {
	bool identity;
	struct block body;
	struct gather *gather; /* what all fields want of the record */
	size_t slot_count;
};

/* ---- values (mapping_value.c) ---- */

struct json *mapping_new_text(struct arena *a, struct str s);
/* A value as text, for lookups' keys and dataType string. */
struct str mapping_text_of(struct arena *a, const struct json *v);
bool mapping_is_empty(const struct json *v); /* NULL, null, "", [], {} */
/* NULL: V can't be one. null passes every type. */
const struct json *mapping_convert(struct arena *a, const struct json *v, enum data_type type);
/* What the user can do about a V that can't be one; "": nothing that we know. */
const char *mapping_convert_hint(struct arena *a, const struct json *v, enum data_type type);
const char *mapping_type_words(enum data_type type); /* "a list of strings" */
/* ERR_INVALID says why V is no date. null passes. */
MUST_CHECK bool mapping_convert_date(struct arena *a, const struct dates *d, const struct json **v,
	struct err *err);

#endif
