/*
 * buf.h - a growing run of bytes, for output and for input that arrives in pieces.
 *
 * The buffer owns its bytes (heap, not arena: it grows and is reused). It has a maximum; adding
 * beyond it adds nothing, sets `over`, and every later add is ignored, so that a writer checks once
 * at its end. One thread at a time.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/str.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max; /* bytes; 0: no limit */
	bool over;
};

/* clang-format off */
#define BUF_INIT(max_bytes) { .max = (max_bytes) }
/* clang-format on */

void buf_free(struct buf *b); /* leaves an empty buffer of the same maximum; for DEFER too */
static inline void buf_reset(struct buf *b)
{
	b->n = 0;
	b->over = false;
}
char *buf_room_slow(struct buf *b, size_t n);
/* Room for N more bytes: the place to write them, never NULL but when over the maximum. */
static inline char *buf_room(struct buf *b, size_t n)
{
	/* a capacity may be above the maximum by a byte, and that byte is no room */
	bool fits = b->p != NULL && n <= b->cap - b->n &&
		    (b->max == 0 || (n <= b->max && b->n <= b->max - n));

	return LIKELY(fits && !b->over) ? b->p + b->n : buf_room_slow(b, n);
}
void buf_add(struct buf *b, const void *p, size_t n); /* P must not point into B */
void buf_add_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_add_u64(struct buf *b, uint64_t v);
/* Drops the first N bytes. */
void buf_drop(struct buf *b, size_t n);
/* Gives memory back when the capacity is above KEEP and the content fits into KEEP. */
void buf_shrink(struct buf *b, size_t keep);

static inline void buf_add_char(struct buf *b, char c)
{
	if (LIKELY(b->n < b->cap && b->n != b->max && !b->over))
		b->p[b->n++] = c;
	else
		buf_add(b, &c, 1);
}
static inline void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}
static inline struct str buf_str(const struct buf *b)
{
	return str_of(b->p, b->n);
}
#define BUF_ADD_LIT(b, lit) buf_add((b), "" lit, sizeof(lit) - 1)

#endif
