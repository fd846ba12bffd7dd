/*
 * buf.c - doubles with realloc, from 256 bytes up to the maximum.
 *
 * The capacity may be one byte more than the maximum: vsnprintf writes a NUL behind the text.
 */
#define CORE_ALLOCATES
#include "core/buf.h"

#define FIRST ((size_t)256)

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf)BUF_INIT(b->max);
}

static void resize(struct buf *b, size_t cap)
{
	char *p = realloc(b->p, cap);

	CHECK(p != NULL);
	b->p = p;
	b->cap = cap;
}

/* Makes sure that N bytes fit, and SPARE more that will not count as content. */
static char *room(struct buf *b, size_t n, size_t spare)
{
	if (UNLIKELY(b->over || (b->max != 0 && n > b->max - MIN(b->n, b->max)))) {
		b->over = true;
		return NULL;
	}
	if (UNLIKELY(b->p == NULL || b->cap - b->n < n + spare)) {
		CHECK(n < SIZE_MAX / 4 && b->n < SIZE_MAX / 4);
		size_t need = b->n + n + spare, cap = MAX(b->cap, FIRST);

		while (cap < need)
			cap *= 2;
		if (b->max != 0)
			cap = MAX(need, MIN(cap, b->max));
		resize(b, cap);
	}
	return b->p + b->n;
}

char *buf_room_slow(struct buf *b, size_t n)
{
	return room(b, n, 0);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	char *d = buf_room(b, n);

	if (d != NULL) {
		memcpy(d, p, n);
		b->n += n;
	}
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	char t[20];
	size_t i = sizeof(t);

	do {
		t[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_add(b, t + i, sizeof(t) - i);
}

void buf_add_fmt(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(small, sizeof(small), fmt, ap);

	va_end(ap);
	CHECK(n >= 0);
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
		return;
	}
	char *d = room(b, (size_t)n, 1);

	if (d == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(d, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
	CHECK(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void buf_shrink(struct buf *b, size_t keep)
{
	if (b->cap <= keep || b->n > keep)
		return;
	if (b->n == 0) {
		free(b->p);
		b->p = NULL;
		b->cap = 0;
	} else {
		resize(b, keep);
	}
}
