/*
 * base.h - the few macros that every file uses.
 *
 * Included by every header of core, so by everything. It brings no types of its own beyond the
 * standard's; keep it that way.
 */
#ifndef CORE_BASE_H
#define CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define MUST_CHECK   __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NORETURN     __attribute__((noreturn))
#define UNUSED       __attribute__((unused))

/* Runs FN(&VAR) when the variable leaves its scope: for descriptors, locks, transactions. */
#define DEFER(fn) __attribute__((cleanup(fn)))

/*
 * A programming error, not an input error: prints the condition and its place, then aborts. Kept in
 * release builds, because going on with broken state could acknowledge what is not on disk.
 */
#define CHECK(cond)                                              \
	do {                                                     \
		if (UNLIKELY(!(cond)))                           \
			check_failed(#cond, __FILE__, __LINE__); \
	} while (0)

NORETURN void check_failed(const char *cond, const char *file, int line);

/* For DEFER: closes *fd when it is >= 0. */
void fd_close(int *fd);

#endif
