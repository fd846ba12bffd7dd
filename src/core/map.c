/*
 * map.c - open addressing over an index of slots; entries stand in an array of their own, which keeps
 * their order. Keys are hashed eight bytes at a time; the last eight may overlap those before.
 */
#include "core/map.h"

struct entry {
	struct str key;
	void *value;
};

struct slot {
	uint32_t hash, at; /* index + 1 into entries, 0 is free */
};

struct map {
	struct arena *arena;
	struct entry *entries;
	struct slot *slots;
	size_t count, cap, nslots; /* the last a power of two */
};

static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 32;
}

static inline uint32_t hash(struct str s)
{
	uint64_t h = s.n;

	if (s.n >= 8) {
		for (size_t at = 0; s.n - at > 8; at += 8)
			h = mix(h, str_load8(s.p + at));
		h = mix(h, str_load8(s.p + s.n - 8));
	} else if (s.n >= 4) {
		h = mix(h, (uint64_t)str_load4(s.p) << 32 | str_load4(s.p + s.n - 4));
	} else if (s.n > 0) {
		const unsigned char *p = (const unsigned char *)s.p;

		h = mix(h, (uint64_t)p[0] << 16 | (uint64_t)p[s.n / 2] << 8 | p[s.n - 1]);
	}
	return (uint32_t)h;
}

struct map *map_new(struct arena *a)
{
	struct map *m = arena_new_of(a, struct map);

	m->arena = a;
	return m;
}

static inline struct slot *slot_of(const struct map *m, struct str key, uint32_t h)
{
	for (size_t i = h;; i++) {
		struct slot *s = &m->slots[i & (m->nslots - 1)];

		if (s->at == 0)
			return s;
		const struct str *k = &m->entries[s->at - 1].key;

		if (s->hash == h && k->n == key.n && str_same(k->p, key.p, key.n))
			return s;
	}
}

static void grow(struct map *m)
{
	size_t cap = m->cap == 0 ? 8 : m->cap * 2;

	m->entries = arena_grow(m->arena, m->entries, m->cap * sizeof(struct entry),
		cap * sizeof(struct entry));
	m->cap = cap;
	m->nslots = cap * 2;
	m->slots = arena_array_of(m->arena, struct slot, m->nslots);
	for (size_t i = 0; i < m->count; i++) {
		uint32_t h = hash(m->entries[i].key);

		*slot_of(m, m->entries[i].key, h) = (struct slot){ h, (uint32_t)i + 1 };
	}
}

void *map_put(struct map *m, struct str key, void *value)
{
	CHECK(value != NULL);
	if (m->count == m->cap)
		grow(m);

	uint32_t h = hash(key);
	struct slot *s = slot_of(m, key, h);

	if (s->at != 0) {
		void *old = m->entries[s->at - 1].value;

		m->entries[s->at - 1].value = value;
		return old;
	}
	m->entries[m->count] = (struct entry){ key, value };
	*s = (struct slot){ h, (uint32_t)++m->count };
	return NULL;
}

void *map_get(const struct map *m, struct str key)
{
	if (m->count == 0)
		return NULL;
	const struct slot *s = slot_of(m, key, hash(key));

	return s->at == 0 ? NULL : m->entries[s->at - 1].value;
}

size_t map_count(const struct map *m)
{
	return m->count;
}

struct str map_key_at(const struct map *m, size_t i)
{
	CHECK(i < m->count);
	return m->entries[i].key;
}

void *map_value_at(const struct map *m, size_t i)
{
	CHECK(i < m->count);
	return m->entries[i].value;
}
