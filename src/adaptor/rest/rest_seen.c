/*
 * rest_seen.c - which requests were made in this run, by a 64-bit hash each, so that a source whose
 * pages point in a circle ends with an error instead of running for ever.
 */
#include "adaptor/rest/rest_source_priv.h"

/* Open addressing; 0 is free. */
struct rest_seen {
	struct arena *arena;
	uint64_t *slots;
	size_t count, cap;
};

uint64_t rest_hash(struct str s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	h ^= h >> 32;
	return h == 0 ? 1 : h;
}

struct rest_seen *rest_seen_new(struct arena *a)
{
	struct rest_seen *s = arena_new_of(a, struct rest_seen);

	s->arena = a;
	return s;
}

static bool put(struct rest_seen *s, uint64_t h)
{
	size_t i = h & (s->cap - 1);

	while (s->slots[i] != 0 && s->slots[i] != h)
		i = (i + 1) & (s->cap - 1);
	if (s->slots[i] == h)
		return false;
	s->slots[i] = h;
	s->count++;
	return true;
}

bool rest_seen_add(struct rest_seen *s, struct str text)
{
	if (s->count * 2 >= s->cap) {
		struct rest_seen larger = { .arena = s->arena, .cap = MAX(s->cap * 2, 64) };

		larger.slots = arena_array_of(s->arena, uint64_t, larger.cap);
		for (size_t i = 0; i < s->cap; i++)
			if (s->slots[i] != 0)
				(void)put(&larger, s->slots[i]);
		*s = larger;
	}
	return put(s, rest_hash(text));
}
