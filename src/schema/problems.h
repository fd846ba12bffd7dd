/*
 * problems.h - all that is wrong with one document, so that it is told at once.
 *
 * Lives in the arena given; one thread at a time.
 */
#ifndef SCHEMA_PROBLEMS_H
#define SCHEMA_PROBLEMS_H

#include "core/arena.h"
#include "core/err.h"

#define PROBLEMS_MAX 100 /* the first ones are kept: nobody reads beyond */

struct problems {
	struct arena *arena;
	struct err *list;
	size_t count, cap;
};
void problems_init(struct problems *p, struct arena *a);
/* Adds a problem and returns false. HINT may be NULL. */
bool problems_add(struct problems *p, enum err_code code, const char *field, const char *hint,
	const char *fmt, ...) PRINTF(5, 6);
bool problems_add_err(struct problems *p, const struct err *err);
/* The status of the whole: that of the first problem. */
int problems_status(const struct problems *p);

#endif
