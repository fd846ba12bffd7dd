/*
 * schema_priv.h - the compiled form of a type's tables: a tree of rows, one node a field.
 */
#ifndef SCHEMA_SCHEMA_PRIV_H
#define SCHEMA_SCHEMA_PRIV_H

#include "schema/schema.h"

struct node {
	const struct fld *fld;
	struct str name;                  /* the last word of the path */
	struct node *parent;              /* NULL for the root */
	struct node *first, *last, *next; /* fields of an object, in table order */
	size_t kid_count, index;          /* index: among its siblings */
	const struct json *def;           /* the default, parsed; NULL: none */
	/* Is there any, here or below? Walkers skip what has none. */
	bool any_secret, any_ref, any_inert, any_receiver;
	/* The condition, cut up: `when_node` must be (or not be) one of `when_values`. */
	const struct node *when_node;
	struct str when_values;
};

struct schema {
	const struct res_def *def;
	struct node root;
};

#define each_kid(k, n)                     \
	const struct node *k = (n)->first; \
	k != NULL;                         \
	k = k->next

static inline bool node_is(const struct node *n, unsigned flag)
{
	return (n->fld->flags & flag) != 0;
}
static inline bool node_has_elements(const struct node *n)
{
	return node_is(n, FLD_LIST | FLD_LIST_OR_ONE);
}

const struct node *node_kid(const struct node *n, struct str name);
/* By dotted path, with or without "[]"; NULL: none. */
const struct node *node_find(const struct schema *s, struct str path);
/* Dotted path of values from the root to N's; NULL when absent. N may not be below a list. */
const struct json *node_value(const struct node *n, const struct json *root);

/* Is WORD in LIST ("GET|POST")? LIST may be NULL. */
bool words_have(const char *list, struct str word);
/* "GET, POST or PUT" */
struct str words_join(struct arena *a, const char *list, const char *last);

/* ---- paths of values, as errors name them ("mapping.fields.3.extract") ---- */

struct walk_path {
	char s[ERR_FIELD_MAX];
	size_t n;
};
/* Both return the length to go back to. Control bytes become '?', what is too long "...". */
size_t walk_path_push(struct walk_path *p, struct str name);
size_t walk_path_push_index(struct walk_path *p, size_t i);
void walk_path_pop(struct walk_path *p, size_t n);

/* ---- members by name, in objects of any size ---- */

/* Keys of an object, sorted when there are many; the last of duplicates is found. */
struct members {
	const struct json *obj;
	const struct json **sorted; /* keys; NULL: few, walk the object */
};
void members_init(struct members *m, struct arena *a, const struct json *obj);
/* The key's node, or NULL. */
const struct json *members_find(const struct members *m, struct str name);
/* A key that appears twice, or NULL. */
const struct json *members_twice(const struct members *m);

/* ---- values ---- */

/* What a row wants, for "must be ...": "an integer from 1 to 100". ELEMENT: of its list. */
struct str value_wanted(struct arena *a, const struct fld *f, bool element);
/* "a" or "an". */
const char *word_article(struct str word);
/* What was found: `the number 42`; strings are cut, a SECRET is not shown. */
struct str value_found(struct arena *a, const struct json *v, bool secret);
/* Each: NULL when S fits, else words to put behind "must be ...". */
const char *value_time_fault(struct str s);
const char *value_url_fault(struct str s);
const char *value_id_fault(struct str s);
const char *value_token_fault(struct str s);
/* Of a URL without fault: scheme, host and port as they are written, a default port left out; letter
 * case does not matter. */
struct str value_url_origin(struct arena *a, struct str s);

/* ---- hints ---- */

/* The field that NAME, unknown in the object IN, probably means; NULL: none is near. */
const struct node *hint_field(const struct schema *s, const struct node *in, struct str name);
/* The word of LIST that WORD probably means; p NULL: none is near. */
struct str hint_word(const char *list, struct str word);

#endif
