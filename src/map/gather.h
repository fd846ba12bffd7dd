/*
 * gather.h - the values of many paths, found in one walk along a record's members.
 *
 * Paths of names only become a tree of names; each object on their way is walked once, and a member
 * is told from the wanted ones by its length and two of its bytes. Other paths are walked on their
 * own. Equal paths share a slot.
 *
 * Made in an arena, then read-only: any thread.
 */
#ifndef MAP_GATHER_H
#define MAP_GATHER_H

#include "map/path.h"

struct gather;

/* *SLOTS counts the slots of all that share it: an array of so many values is what running fills. */
struct gather *gather_new(struct arena *a, size_t *slots);
/* Each returns the slot where the value will be. P must live as long as G. */
/* As path_get() on a record; P must hold no [*]. */
size_t gather_add(struct gather *g, const struct path *p);
/* What the first [*] in P walks; GATHER_NPOS when only path_star_elements() can tell. */
size_t gather_add_star(struct gather *g, const struct path *p);
/* As path_get_behind_star() on an element; not together with the two above. */
size_t gather_add_behind_star(struct gather *g, const struct path *p);
#define GATHER_NPOS SIZE_MAX
/* The last step before it runs. */
void gather_finish(struct gather *g);
/* Fill this gather's slots, which must be NULL: from an element, or from a record (or rows). */
void gather_element(const struct gather *g, const struct json *v, const struct json **slots);
void gather_record(const struct gather *g, const struct json *record, const struct json **slots);

#endif
