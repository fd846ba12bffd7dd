/*
 * mapping_priv.h - the compiled mapping: fields, and the tree of targets they fill.
 */
#ifndef MAP_MAPPING_PRIV_H
#define MAP_MAPPING_PRIV_H

#include "core/map.h"
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
};

struct lookup {
	struct str name;
	struct map *map; /* text to const struct json; NULL: not static */
	bool allow_failures;
	const struct json *def; /* NULL: none */
};

struct field {
	struct str generate;
	struct path *path; /* one of path, template, hard_coded; or none with a lookup */
	struct template *template;
	const struct json *hard_coded;
	struct lookup *lookup; /* NULL: none */
	enum data_type type;
	const struct json *def; /* when there is no value; NULL: omit */
};

/* A name in the target record: an object of further names, or where a field or list ends. */
struct target {
	struct str name;
	struct target *first, *next;
	size_t field;      /* index + 1 into fields; 0: none */
	struct list *list; /* NULL: none */
};

struct block { /* the fields of the body, or of a list */
	struct field *fields;
	size_t count;
	struct target root;
};

struct list {
	struct block block;
};

struct mapping {
	bool identity;
	struct block body;
};

#endif
