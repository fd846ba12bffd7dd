/*
 * map.h - a hash table from text to pointer, kept in order of insertion.
 *
 * Lives in an arena and holds slices: keys must outlive the map. Not for hostile keys without a
 * bound on their number: callers bound the input. One thread at a time for writing; any number for
 * reading once it is built.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include "core/str.h"

struct map;

struct map *map_new(struct arena *a);
/* Adds or replaces; VALUE must not be NULL. Returns the value that was there, or NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key); /* NULL: not there */
size_t map_count(const struct map *m);
/* The I-th entry in order of insertion. */
struct str map_key_at(const struct map *m, size_t i);
void *map_value_at(const struct map *m, size_t i);

#endif
