/*
 * path.h - extract paths: where in a record a value stands.
 *
 * Grammar: names and indexes joined by dots, `a.b.0.c`; elements also in brackets, `a[0].c`; names
 * that hold dots in brackets and quotes, `a["x.y"].b`; `[*]` for every element, allowed in list
 * mappings only. A number between dots is an index when it meets an array and a name when it meets
 * an object.
 *
 * A record may be an array of rows (a group). A path that begins with a name is then of its first
 * row; `[*].sku`, which may be written `*.sku`, of every row; `[1].sku` and `1.sku` of that row.
 *
 * Compiled once into the arena, then read-only: any thread.
 */
#ifndef MAP_PATH_H
#define MAP_PATH_H

#include "data/json.h"

#define PATH_STEPS_MAX 32

struct path;

/* ERR_INVALID with the position (from 1) of the fault. STARS: may it hold [*]? */
MUST_CHECK bool path_compile(struct arena *a, struct str text, bool stars, struct path **out,
	struct err *err);
struct str path_text(const struct path *p);
/* The value, or NULL when any step is missing. P must hold no [*]. */
const struct json *path_get(const struct path *p, const struct json *record);
bool path_has_star(const struct path *p);
/* Do both walk the same array: are their steps before the first [*] equal? Both must have one. */
bool path_same_star(const struct path *a, const struct path *b);
/*
 * The elements that the first [*] stands for: how many, and the first (json_next() gives the
 * others). None when there is no array; a record that is no array is the only row of a leading [*].
 */
size_t path_star_elements(const struct path *p, const struct json *record,
	const struct json **first);
/* The value behind the first [*] in ELEMENT; further stars take element 0. */
const struct json *path_get_behind_star(const struct path *p, const struct json *element);

/*
 * For "zero explained": the path (in the arena, dotted) and length of the longest array that DOC
 * holds within three levels; p NULL when it holds none.
 */
struct str path_nearest_array(struct arena *a, const struct json *doc, size_t *length);

#endif
