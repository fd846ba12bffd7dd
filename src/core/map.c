/*
 * map.c - open addressing over an index of 32-bit slots; entries stand in an array of their own,
 * which keeps their order. Keys are hashed eight bytes at a time.
 */
#include "core/map.h"

struct entry {
	struct str key;
	void *value;
	uint32_t hash;
};

struct map {
	struct arena *arena;
	struct entry *entries;
	uint32_t *slots; /* index + 1 into entries, 0 is free */
	size_t count, cap, nslots;
};

static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 32;
}

static uint32_t hash(struct str s)
{
	uint64_t h = s.n, word;
	size_t at = 0;

	for (; s.n - at >= 8; at += 8) {
		memcpy(&word, s.p + at, 8);
		h = mix(h, word);
	}
	word = 0;
	for (; at < s.n; at++)
		word = word << 8 | (unsigned char)s.p[at];
	return (uint32_t)mix(h, word);
}

struct map *map_new(struct arena *a)
{
	struct map *m = arena_new_of(a, struct map);

	m->arena = a;
	return m;
}

static uint32_t *slot_of(const struct map *m, struct str key, uint32_t h)
{
	for (size_t i = h & (m->nslots - 1);; i = (i + 1) & (m->nslots - 1)) {
		uint32_t e = m->slots[i];

		if (e == 0 || (m->entries[e - 1].hash == h && str_eq(m->entries[e - 1].key, key)))
			return &m->slots[i];
	}
}

static void grow(struct map *m)
{
	size_t cap = m->cap == 0 ? 8 : m->cap * 2;

	m->entries = arena_grow(m->arena, m->entries, m->cap * sizeof(struct entry),
		cap * sizeof(struct entry));
	m->cap = cap;
	m->nslots = cap * 2;
	m->slots = arena_array_of(m->arena, uint32_t, m->nslots);
	for (size_t i = 0; i < m->count; i++)
		*slot_of(m, m->entries[i].key, m->entries[i].hash) = (uint32_t)i + 1;
}

void *map_put(struct map *m, struct str key, void *value)
{
	CHECK(value != NULL);
	if (m->count == m->cap)
		grow(m);

	uint32_t h = hash(key);
	uint32_t *slot = slot_of(m, key, h);

	if (*slot != 0) {
		void *old = m->entries[*slot - 1].value;

		m->entries[*slot - 1].value = value;
		return old;
	}
	m->entries[m->count] = (struct entry){ key, value, h };
	*slot = (uint32_t)++m->count;
	return NULL;
}

void *map_get(const struct map *m, struct str key)
{
	if (m->count == 0)
		return NULL;
	uint32_t e = *slot_of(m, key, hash(key));

	return e == 0 ? NULL : m->entries[e - 1].value;
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
