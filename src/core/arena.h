/*
 * arena.h - memory that is freed all at once.
 *
 * Every byte belongs to an arena, every arena to a lifetime: process, session, job, page, request,
 * scratch. An arena never fails to allocate: running out of real memory aborts the process (all
 * that was acknowledged is on disk). What input can make grow is bounded by the soft cap instead:
 * an arena over its cap still serves, and the code that loops over input asks arena_check() once a
 * round and turns it into an error of the user's words.
 *
 * One owner, one thread at a time. Alignment is 16 bytes. Under AddressSanitizer what was not handed
 * out, was rewound or reset is poisoned, so that a use of it is reported as with malloc.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/base.h"
#include "core/err.h"

struct arena;

/* A place in an arena to go back to; see arena_mark(). */
struct arena_mark {
	void *chunk;
	size_t used;
	size_t total;
};

/*
 * NAME is a literal that names the lifetime in errors ("page", "request"). CAP_BYTES is the soft
 * cap, 0 for none.
 */
struct arena *arena_new(const char *name, size_t cap_bytes);
void arena_free(struct arena *a);   /* NULL is allowed */
void arena_freep(struct arena **a); /* for DEFER */

/* Forgets everything and keeps the first chunk for reuse, unless that is a large one. */
void arena_reset(struct arena *a);
/*
 * As arena_reset(), and overwrites the bytes first: for arenas that held secrets. It reaches what
 * was rewound within a chunk; chunks that a rewind or reset gave back went as they were.
 */
void arena_wipe(struct arena *a);

void *arena_alloc(struct arena *a, size_t n);  /* not zeroed */
void *arena_zalloc(struct arena *a, size_t n); /* zeroed */
void *arena_memdup(struct arena *a, const void *p, size_t n);
char *arena_strndup(struct arena *a, const char *p, size_t n); /* adds a NUL */

/* N items of SIZE bytes, zeroed. A product that overflows is a programming error. */
void *arena_array(struct arena *a, size_t size, size_t n);

/*
 * Grows P from OLD to N bytes; in place when P was the latest allocation, else by copying. The old
 * place stays allocated until the arena ends.
 */
void *arena_grow(struct arena *a, void *p, size_t old, size_t n);

struct arena_mark arena_mark(struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);

size_t arena_used(const struct arena *a); /* bytes handed out since the last reset */
/* False with ERR_LIMIT when the arena is over its cap. */
MUST_CHECK bool arena_check(const struct arena *a, struct err *err);

#define arena_new_of(a, type)      ((type *)arena_zalloc((a), sizeof(type)))
#define arena_array_of(a, type, n) ((type *)arena_array((a), sizeof(type), (n)))

#endif
