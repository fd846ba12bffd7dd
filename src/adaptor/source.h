/*
 * source.h - where records come from: the export's side of an adaptor.
 *
 * Opened and driven by one thread, the export's; only mark_done() is called by another.
 */
#ifndef ADAPTOR_SOURCE_H
#define ADAPTOR_SOURCE_H

#include "adaptor/env.h"

/*
 * One answer of the source: the records in it, and the memory they stand in. Shared by the pages
 * cut from it, freed with the last.
 */
struct chunk {
	atomic_uint refs;
	struct arena *arena;        /* nodes */
	struct buf text;            /* strings */
	const struct json *records; /* an array, or the one record when `single` */
	bool single;
	bool last; /* the source has no more */
	struct str
		cursor; /* where the chunk behind this one begins, JSON text; in `arena`; p NULL at the end */
};
struct chunk *chunk_new(void); /* one reference; text limited to LIMIT_RESPONSE_BODY */
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* NULL is allowed */

struct source;
struct source_ops {
	/* CURSOR: p NULL to start at the beginning. CONNECTION is NULL where the adaptor needs none. */
	bool (*open)(const struct adaptor_env *env, const struct json *connection,
		const struct json *export, const struct call_args *args, struct str cursor,
		struct source **out, struct err *err);
	/* The next answer; not to be called behind `last`. Blocks up to its deadlines. */
	bool (*next)(struct source *s, struct chunk *out, struct err *err);
	/* Of the application's last answer; 0: none came. When next() has returned false. NULL: there are none. */
	int (*status)(const struct source *s);
	/* Why no record came, in the user's words; p NULL: nothing to say. */
	struct str (*zero_reason)(const struct source *s);
	/*
	 * Exports of type `once`: tells the application that these N records were delivered; ERRS[i] says
	 * how it went. On the sink's thread, beside next(). NULL: the adaptor can't.
	 */
	bool (*mark_done)(struct source *s, const struct json *const *records, size_t n,
		struct err *errs, struct err *err);
	void (*close)(struct source *s);
};

#endif
