/*
 * gather.c - a tree of names with a small hash table for each object of the record.
 *
 * Tables have at least four places for each name, so nearly every member that nobody wants ends at
 * an empty place. As json_get() does, the last of equal members wins: later ones overwrite.
 */
#include "map/gather.h"

#include "map/path_priv.h"

struct object;

struct wanted {
	struct str name;
	size_t slot;
	const struct wanted *next; /* at the same place of the table */
	struct object *inside;     /* NULL: nothing in it is wanted */
};

struct object {
	struct wanted *wanted;
	size_t count, cap;
	const struct wanted **table;
	size_t mask;
	bool deeper; /* one has something inside */
};

struct walk { /* a path that is not of names only */
	const struct path *path;
	size_t slot;
};

struct gather {
	struct arena *arena;
	size_t *slots;
	struct object root;
	struct walk *walks;
	size_t walk_count, walk_cap;
};

static inline size_t place_of(struct str name)
{
	if (name.n == 0)
		return 0;
	const unsigned char *p = (const unsigned char *)name.p;

	return name.n + 5u * p[0] + 17u * p[name.n - 1];
}

struct gather *gather_new(struct arena *a, size_t *slots)
{
	struct gather *g = arena_new_of(a, struct gather);

	g->arena = a;
	g->slots = slots;
	return g;
}

static struct wanted *want(struct gather *g, struct object *in, struct str name)
{
	for (size_t i = 0; i < in->count; i++)
		if (str_eq(in->wanted[i].name, name))
			return &in->wanted[i];
	if (in->count == in->cap) {
		size_t cap = MAX(in->cap * 2, 4);

		in->wanted = arena_grow(g->arena, in->wanted, in->cap * sizeof(struct wanted),
			cap * sizeof(struct wanted));
		in->cap = cap;
	}
	in->wanted[in->count] = (struct wanted){ .name = name, .slot = (*g->slots)++ };
	return &in->wanted[in->count++];
}

static bool names_only(const struct path *p, size_t from, size_t until)
{
	for (size_t i = from; i < until; i++)
		if (p->steps[i].kind != STEP_NAME)
			return false;
	return until > from;
}

static size_t add_walk(struct gather *g, const struct path *p)
{
	if (g->walk_count == g->walk_cap) {
		size_t cap = MAX(g->walk_cap * 2, 4);

		g->walks = arena_grow(g->arena, g->walks, g->walk_cap * sizeof(struct walk),
			cap * sizeof(struct walk));
		g->walk_cap = cap;
	}
	g->walks[g->walk_count++] = (struct walk){ p, *g->slots };
	return (*g->slots)++;
}

static size_t add_names(struct gather *g, const struct path *p, size_t from, size_t until)
{
	struct object *in = &g->root;
	struct wanted *w = want(g, in, p->steps[from].name);

	for (size_t i = from + 1; i < until; i++) {
		if (w->inside == NULL)
			w->inside = arena_new_of(g->arena, struct object);
		in->deeper = true;
		in = w->inside;
		w = want(g, in, p->steps[i].name);
	}
	return w->slot;
}

size_t gather_add(struct gather *g, const struct path *p)
{
	return names_only(p, 0, p->count) ? add_names(g, p, 0, p->count) : add_walk(g, p);
}

size_t gather_add_star(struct gather *g, const struct path *p)
{
	return names_only(p, 0, p->star - 1) ? add_names(g, p, 0, p->star - 1) : GATHER_NPOS;
}

size_t gather_add_behind_star(struct gather *g, const struct path *p)
{
	return names_only(p, p->star, p->count) ? add_names(g, p, p->star, p->count)
						: add_walk(g, p);
}

static void finish(struct gather *g, struct object *o)
{
	size_t places = 16;

	while (places < 4 * o->count)
		places *= 2;
	o->mask = places - 1;
	o->table = arena_array_of(g->arena, const struct wanted *, places);
	for (size_t i = 0; i < o->count; i++) {
		struct wanted *w = &o->wanted[i];
		const struct wanted **place = &o->table[place_of(w->name) & o->mask];

		w->next = *place;
		*place = w;
		if (w->inside != NULL)
			finish(g, w->inside);
	}
}

void gather_finish(struct gather *g)
{
	finish(g, &g->root);
}

static void walk_object(const struct object *o, const struct json *v, const struct json **slots)
{
	if (o->count == 0 || !json_is_object(v))
		return;
	for (json_each_member(key, v)) {
		const struct wanted *w = o->table[place_of(json_str(key)) & o->mask];

		while (w != NULL && (key->n != w->name.n || !str_same(key->s, w->name.p, key->n)))
			w = w->next;
		if (w != NULL)
			slots[w->slot] = json_value(key);
	}
	for (size_t i = 0; o->deeper && i < o->count; i++)
		if (o->wanted[i].inside != NULL)
			walk_object(o->wanted[i].inside, slots[o->wanted[i].slot], slots);
}

void gather_element(const struct gather *g, const struct json *v, const struct json **slots)
{
	walk_object(&g->root, v, slots);
	for (size_t i = 0; i < g->walk_count; i++)
		slots[g->walks[i].slot] = path_get_behind_star(g->walks[i].path, v);
}

void gather_record(const struct gather *g, const struct json *record, const struct json **slots)
{
	walk_object(&g->root, json_is_array(record) ? json_at(record, 0) : record, slots);
	for (size_t i = 0; i < g->walk_count; i++)
		slots[g->walks[i].slot] = path_get(g->walks[i].path, record);
}
