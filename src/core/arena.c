/*
 * arena.c - a chain of chunks, newest first; allocation bumps a pointer in the newest.
 *
 * Chunks double from 4 KiB to 1 MiB, so a request costs one malloc and a large page few. A larger
 * single allocation gets a chunk of its own size.
 */
#define CORE_ALLOCATES
#include "core/arena.h"

#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_MAX   ((size_t)1 << 20)
#define ALIGN       ((size_t)16)

struct chunk {
	struct chunk *older;
	size_t size; /* of data */
	size_t used;
	size_t unused_pad; /* keeps data aligned to 16 */
	unsigned char data[];
};

struct arena {
	const char *name;
	size_t cap;
	size_t total;
	struct chunk *top;
};

static size_t round_up(size_t n)
{
	return (n + (ALIGN - 1)) & ~(ALIGN - 1);
}

static void *must(void *p)
{
	if (UNLIKELY(p == NULL))
		check_failed("out of memory", __FILE__, __LINE__);
	return p;
}

static struct chunk *chunk_new(struct chunk *older, size_t size)
{
	struct chunk *c = must(malloc(sizeof(*c) + size));

	c->older = older;
	c->size = size;
	c->used = 0;
	return c;
}

struct arena *arena_new(const char *name, size_t cap_bytes)
{
	struct arena *a = must(malloc(sizeof(*a)));

	a->name = name;
	a->cap = cap_bytes;
	a->total = 0;
	a->top = NULL;
	return a;
}

static void chunks_free(struct chunk *c, const struct chunk *until)
{
	while (c != until) {
		struct chunk *older = c->older;

		free(c);
		c = older;
	}
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	chunks_free(a->top, NULL);
	free(a);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void arena_reset(struct arena *a)
{
	if (a->top == NULL)
		return;
	struct chunk *first = a->top;

	while (first->older != NULL)
		first = first->older;
	chunks_free(a->top, first);
	first->used = 0;
	a->top = first;
	a->total = 0;
}

void arena_wipe(struct arena *a)
{
	for (struct chunk *c = a->top; c != NULL; c = c->older)
		explicit_bzero(c->data, c->used);
	arena_reset(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	CHECK(n < SIZE_MAX / 2);
	size_t need = round_up(n);
	struct chunk *c = a->top;

	if (c == NULL || c->size - c->used < need) {
		size_t size = c == NULL ? CHUNK_FIRST : MIN(c->size * 2, CHUNK_MAX);

		c = chunk_new(c, MAX(size, need));
		a->top = c;
	}
	void *p = c->data + c->used;

	c->used += need;
	a->total += need;
	return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	void *d = arena_alloc(a, n);

	if (n > 0)
		memcpy(d, p, n);
	return d;
}

char *arena_strndup(struct arena *a, const char *p, size_t n)
{
	char *d = arena_alloc(a, n + 1);

	if (n > 0)
		memcpy(d, p, n);
	d[n] = '\0';
	return d;
}

void *arena_grow(struct arena *a, void *p, size_t old, size_t n)
{
	size_t have = round_up(old), need = round_up(n);

	if (p == NULL)
		return arena_alloc(a, n);
	if (need <= have)
		return p;

	struct chunk *c = a->top;
	bool latest = (unsigned char *)p + have == c->data + c->used;

	if (latest && c->size - c->used >= need - have) {
		c->used += need - have;
		a->total += need - have;
		return p;
	}
	void *d = arena_alloc(a, n);

	memcpy(d, p, old);
	return d;
}

struct arena_mark arena_mark(struct arena *a)
{
	return (struct arena_mark){a->top, a->top == NULL ? 0 : a->top->used, a->total};
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
	if (m.chunk == NULL) {
		arena_reset(a);
		return;
	}
	chunks_free(a->top, m.chunk);
	a->top = m.chunk;
	a->top->used = m.used;
	a->total = m.total;
}

size_t arena_used(const struct arena *a)
{
	return a->total;
}

bool arena_check(const struct arena *a, struct err *err)
{
	if (LIKELY(a->cap == 0 || a->total <= a->cap))
		return true;
	return err_set(
		err, ERR_LIMIT, "the %s needs more than %zu MB of memory", a->name, a->cap >> 20);
}
