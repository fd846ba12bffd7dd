/*
 * str.h - slices of text: a pointer and a length, no ownership, no NUL needed.
 *
 * A struct str points into memory that an arena, a buffer or a literal owns and must not outlive
 * it. Comparison is of bytes; the _ci forms fold ASCII letters only. All functions are pure and may
 * be called from any thread.
 */
#ifndef CORE_STR_H
#define CORE_STR_H

#include <stdarg.h>

#include "core/arena.h"

struct str {
	const char *p;
	size_t n;
};

/* clang-format off */
#define STR(lit)      ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_INIT(lit) { "" lit, sizeof(lit) - 1 } /* for static tables */
#define STR_NULL      ((struct str){ NULL, 0 })
/* clang-format on */
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)MIN((s).n, (size_t)INT32_MAX), (s).p

static inline struct str str_of(const char *p, size_t n)
{
	return (struct str){ p, n };
}
static inline struct str str_z(const char *z)
{
	return (struct str){ z, z == NULL ? 0 : strlen(z) };
}
static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
/* 8 and 4 bytes, aligned or not, in the machine's order. */
static inline uint64_t str_load8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return word;
}
static inline uint32_t str_load4(const char *p)
{
	uint32_t word;

	memcpy(&word, p, 4);
	return word;
}
/* Are N bytes equal? Without a call for the few that names and keys have: loads that overlap. */
static inline bool str_same(const char *a, const char *b, size_t n)
{
	if (n > 16)
		return memcmp(a, b, n) == 0;
	if (n >= 8)
		return str_load8(a) == str_load8(b) && str_load8(a + n - 8) == str_load8(b + n - 8);
	if (n >= 4)
		return str_load4(a) == str_load4(b) && str_load4(a + n - 4) == str_load4(b + n - 4);
	while (n > 0 && a[n - 1] == b[n - 1])
		n--;
	return n == 0;
}
static inline bool str_eq_z(struct str a, const char *z)
{
	return str_eq(a, str_z(z));
}
bool str_eq_ci(struct str a, struct str b);
int str_cmp(struct str a, struct str b); /* order of bytes, shorter first */
bool str_starts(struct str s, struct str prefix);
bool str_starts_ci(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

#define STR_NPOS SIZE_MAX
size_t str_find(struct str s, struct str what); /* offset or STR_NPOS */
size_t str_find_char(struct str s, char c);

struct str str_sub(struct str s, size_t from, size_t n); /* clipped to s */
struct str str_from(struct str s, size_t from);          /* the rest */
struct str str_trim(struct str s);                       /* spaces, tabs, CR, LF at both ends */

/*
 * Cuts *REST at the first SEP: returns what stood before it and moves *REST behind it. Without SEP
 * returns all and leaves *REST empty with p NULL. Loop: `while (rest.p != NULL) part = str_cut(..)`.
 */
struct str str_cut(struct str *rest, char sep);

/* The whole of S must be a decimal number in range. */
MUST_CHECK bool str_to_i64(struct str s, int64_t *out);
MUST_CHECK bool str_to_u64(struct str s, uint64_t *out);

/* Copies into the arena, with a NUL behind. */
struct str str_dup(struct arena *a, struct str s);
const char *str_to_z(struct arena *a, struct str s);
struct str str_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
struct str str_vfmt(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

/*
 * Hexadecimal: written in lower case (OUT has 2 * N bytes, no NUL), read in either; OUT of
 * str_hex_get() is untouched when it fails.
 */
void str_hex_put(char *out, const void *bytes, size_t n);
MUST_CHECK bool str_hex_get(struct str s, void *out, size_t n); /* s.n must be 2 * n */

/*
 * Number of edits (insert, delete, replace, swap of neighbours; case of ASCII letters ignored)
 * between two names, for "did you mean"; at most LIMIT + 1 is returned. Names over 64 bytes count
 * as far apart.
 */
unsigned str_distance(struct str a, struct str b, unsigned limit);

/* Is S valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF)? */
bool str_is_utf8(struct str s);
/* How many bytes at the start of S are valid UTF-8: s.n when all are. */
size_t str_utf8_prefix(struct str s);

#endif
