/*
 * arena.c - a chain of chunks, newest first; allocation bumps a pointer in the newest.
 *
 * Chunks double from 4 KiB to 1 MiB, so a request costs one malloc and a large page few. A larger
 * single allocation gets a chunk of its own size. Under AddressSanitizer each allocation has a
 * poisoned red zone behind it, and all that is free is poisoned.
 */
#define CORE_ALLOCATES
#include "core/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#define UNDER_ASAN __has_feature(address_sanitizer)
#else
#define UNDER_ASAN 0
#endif

#if UNDER_ASAN
#include <sanitizer/asan_interface.h>
#ifndef __clang__ /* the poisoning functions take const pointers, and gcc thinks that they read */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define RED_ZONE       ALIGN
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define RED_ZONE       ((size_t)0)
#define POISON(p, n)   ((void)(p))
#define UNPOISON(p, n) ((void)(p))
#endif

#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_MAX   ((size_t)1 << 20)
#define ALIGN       ((size_t)16)

struct chunk {
	struct chunk *older;
	size_t size; /* of data */
	size_t used;
	size_t high; /* the most that was used before a rewind or reset; see arena_wipe() */
	_Alignas(16) unsigned char data[];
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
	c->high = 0;
	POISON(c->data, size);
	return c;
}

/* Takes back what was handed out of C beyond USED. */
static void chunk_cut(struct chunk *c, size_t used)
{
	c->high = MAX(c->high, c->used);
	c->used = used;
	POISON(c->data + used, c->size - used);
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
		CHECK(c != NULL); /* else the mark is older than a reset */
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
	a->top = first;
	a->total = 0;
	if (first->size > CHUNK_MAX) {
		/* One large thing must not stay with an idle owner. */
		free(first);
		a->top = NULL;
	} else {
		chunk_cut(first, 0);
	}
}

void arena_wipe(struct arena *a)
{
	for (struct chunk *c = a->top; c != NULL; c = c->older) {
		size_t n = MAX(c->high, c->used);

		UNPOISON(c->data, n);
		explicit_bzero(c->data, n);
	}
	arena_reset(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	CHECK(n < SIZE_MAX / 2);
	size_t size = round_up(n), need = size + RED_ZONE;
	struct chunk *c = a->top;

	if (c == NULL || c->size - c->used < need) {
		size_t usual = c == NULL ? CHUNK_FIRST : MIN(c->size * 2, CHUNK_MAX);

		c = chunk_new(c, MAX(usual, need));
		a->top = c;
	}
	void *p = c->data + c->used;

	UNPOISON(p, n);
	c->used += need;
	a->total += size;
	return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

void *arena_array(struct arena *a, size_t size, size_t n)
{
	size_t bytes;

	CHECK(!__builtin_mul_overflow(size, n, &bytes));
	return arena_zalloc(a, bytes);
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
	CHECK(n < SIZE_MAX / 2);
	size_t have = round_up(old), need = round_up(n);

	if (p == NULL)
		return arena_alloc(a, n);
	if (n <= old)
		return p;

	struct chunk *c = a->top;
	bool latest = (unsigned char *)p + have + RED_ZONE == c->data + c->used;

	if (need == have || (latest && c->size - c->used >= need - have)) {
		UNPOISON(p, n);
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
	return (struct arena_mark){ a->top, a->top == NULL ? 0 : a->top->used, a->total };
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
	if (m.chunk == NULL) {
		arena_reset(a);
		return;
	}
	chunks_free(a->top, m.chunk);
	a->top = m.chunk;
	CHECK(m.used <= a->top->used);
	chunk_cut(a->top, m.used);
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
	bool mb = a->cap >= 1 << 20;

	return err_set(err, ERR_LIMIT, "the %s needs more than %zu %s of memory", a->name,
		mb ? a->cap >> 20 : a->cap, mb ? "MB" : "bytes");
}
