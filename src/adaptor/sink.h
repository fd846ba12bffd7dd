/*
 * sink.h - where records go: the import's side of an adaptor.
 *
 * Opened and driven by one thread, that of its job.
 */
#ifndef ADAPTOR_SINK_H
#define ADAPTOR_SINK_H

#include "adaptor/env.h"

struct mapping;

/*
 * One record on its way through a sink, and how it ended. map(), prepare() and submit() are called
 * in this order with the same deliveries; those whose err is set, or that are ignored, are passed
 * over, and by map() and prepare() also those that have a request already. Strings and nodes that a call makes live in the arena given to it.
 */
struct delivery {
	const struct json *source; /* in: the record as the step got it */
	struct str key; /* in: idempotency key, the same at every attempt; p NULL: none */
	bool in_doubt; /* in: an earlier attempt may have arrived; settle it by lookup if there is one */

	const struct json
		*mapped; /* by map(); a hook may put another in its place before prepare() */
	const struct json
		*lookups; /* by map(): object of the dynamic lookups' results; may be NULL */
	struct str
		request; /* by prepare(): what submit() sends, to the byte; kept over a restart and
			       handed back then; opaque text, holds no secret of the connection */

	/* Out. */
	struct err err;    /* ERR_NONE: delivered or ignored */
	const char *stage; /* where err arose: "lookup", "mapping", "submit" */
	bool ignored;
	struct str reason; /* ignored: why, in the user's words */
	bool deferred; /* not sent, or put off by the application: again in err.retry_after_s; no failure */
	bool unknown; /* the outcome of the last attempt is unknown: it may have arrived */
	unsigned attempts;
	int status;            /* of the application's answer; 0: none came */
	const struct json *id; /* its id for the record, or NULL */
	const struct json
		*answer; /* its answer, parsed; NULL: none, no JSON, or LIMIT_RESPONSE_BODY
				      is kept of the page's answers already */
	struct str sent, response; /* evidence for a failed one: bounded, secrets masked */
};

struct sink_args {
	struct call_args call;
	const struct mapping *mapping; /* the import's, compiled */
	bool print_mapped; /* nobody looks at `mapped`, which may stay NULL: only `request` is wanted */
	bool keep_answers; /* somebody wants `answer`: response mapping, hooks, invocations */
};

struct sink;
struct sink_ops {
	bool (*open)(const struct adaptor_env *env, const struct json *connection,
		const struct json *import, const struct sink_args *args, struct sink **out,
		struct err *err);
	/* Asks the lookups, with the connection's parallelism, each equal one once; makes `mapped`. */
	bool (*map)(struct sink *s, struct delivery *records, size_t n, struct arena *a,
		struct err *err);
	/* Makes `request` from `source`, `mapped` and `lookups`; asks nobody. */
	bool (*prepare)(struct sink *s, struct delivery *records, size_t n, struct arena *a,
		struct err *err);
	/*
	 * Sends N records, in order of start, with the connection's parallelism; each ends in its own
	 * delivery. Tries again as the import's maxAttempts says, with short waits; what would wait
	 * longer than LIMIT_INLINE_WAIT_S is deferred. Each of the three returns false only when nothing
	 * more can be done at all (ERR_CANCELED): then records not begun have ERR_CANCELED.
	 */
	bool (*submit)(struct sink *s, struct delivery *records, size_t n, struct arena *a,
		struct err *err);
	/* The prepared request for people: request line with the full URL, header fields, empty line, body;
	 * secrets masked. NULL: the adaptor can't. */
	struct str (*show)(struct sink *s, const struct delivery *d, struct arena *a);
	void (*close)(struct sink *s);
};

#endif
