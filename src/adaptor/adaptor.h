/*
 * adaptor.h - what an adaptor is: one kind of application that data comes from or goes to.
 *
 * An adaptor is a const table of functions, listed in registry.c; nothing outside adaptor/<name>/
 * asks which one it is. The engine opens a source from (connection, export) and a sink from
 * (connection, import), both documents with their secrets opened, and drives them from one thread
 * each. Documents must outlive what was opened from them.
 */
#ifndef ADAPTOR_ADAPTOR_H
#define ADAPTOR_ADAPTOR_H

#include <stdatomic.h>

#include "core/clock.h"
#include "data/json.h"
#include "net/egress.h"

/* What every adaptor may use. */
struct adaptor_env {
	const struct egress *egress;
	const struct clock *clock;
	const char *ca_file;         /* NULL: the system's */
	int64_t timeout_ms;          /* one request, all in all; 0: LIMIT_OUTBOUND_TIMEOUT_MS */
	const atomic_bool *canceled; /* set from another thread: end soon with ERR_CANCELED */
};

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
	/* CURSOR: p NULL to start at the beginning. */
	bool (*open)(const struct adaptor_env *env, const struct json *connection,
		const struct json *export, struct str cursor, struct source **out, struct err *err);
	/* The next answer; not to be called behind `last`. Blocks up to its deadlines. */
	bool (*next)(struct source *s, struct chunk *out, struct err *err);
	/* Why no record came, in the user's words; p NULL: nothing to say. */
	struct str (*zero_reason)(const struct source *s);
	void (*close)(struct source *s);
};

/* One record on its way through a sink, and how it ended. */
struct delivery {
	const struct json *source; /* as exported */
	const struct json *mapped; /* as it is sent */
	/* Out; strings in the arena given to submit(). */
	struct err err; /* ERR_NONE: delivered or ignored */
	bool ignored;
	int status;                   /* of the application's answer; 0: none came */
	const struct json *id;        /* its id for the record, or NULL */
	struct str request, response; /* evidence for a failed one: bounded, secrets masked */
};

struct sink;
struct sink_ops {
	bool (*open)(const struct adaptor_env *env, const struct json *connection,
		const struct json *import, struct sink **out, struct err *err);
	/*
	 * Sends N records, in order of start, with the connection's parallelism; each ends in its own
	 * delivery. Records whose err is set already are passed over. False only when nothing more can
	 * be sent at all (ERR_CANCELED): then records not begun have ERR_CANCELED.
	 */
	bool (*submit)(struct sink *s, struct delivery *records, size_t n, struct arena *a,
		struct err *err);
	void (*close)(struct sink *s);
};

struct adaptor {
	const char *name;                /* the connection's `type` */
	const struct source_ops *source; /* NULL: has no exports */
	const struct sink_ops *sink;     /* NULL: has no imports */
};

/* By the `type` of a connection document. ERR_UNSUPPORTED. */
MUST_CHECK bool adaptor_of(const struct json *connection, const struct adaptor **out,
	struct err *err);

#endif
