/*
 * debug_log.h - what went to an application and came back, for as long as a connection is debugged.
 *
 * While a connection's debugDate lies in the future, every request and answer of it is kept as lines
 *
 *   2017-06-19T21:27:09.945Z <32 hex, one for both lines> <resource type> <resource id> {json}
 *
 * in memory: LIMIT_DEBUG_BYTES for each connection, the oldest lines go first; none is shown that is
 * older than DEBUG_KEPT_MS. Secrets are masked by the adaptor, bodies bounded. A restart loses it:
 * it is for watching. At most DEBUG_LOGS_MAX connections have one; the one that was written longest
 * ago makes room. Any thread.
 */
#ifndef ENGINE_DEBUG_LOG_H
#define ENGINE_DEBUG_LOG_H

#include "adaptor/env.h"

#define DEBUG_LOGS_MAX 64
#define DEBUG_KEPT_MS  ((int64_t)24 * 3600 * 1000)

struct debug_log;
struct debug_log *debug_log_new(struct arena *a, const struct clock *clock, struct rng *rng);
void debug_log_free(struct debug_log *l);

/* Where the lines of one piece of work go. */
struct debug_place {
	struct str connection_id;
	struct str type, id; /* of the resource that is worked for */
};
void debug_log_add(struct debug_log *l, const struct debug_place *p, const struct adaptor_trace *t);
/* The lines of a connection, or of one resource at it (RESOURCE_ID p NULL: all), oldest first. */
void debug_log_print(struct debug_log *l, struct str connection_id, struct str resource_id,
	struct buf *out);

/*
 * Makes ENV hand what it traces to the log, besides to whoever watches already, when CONNECTION's
 * debugDate says so; else leaves it as it is. Both documents' ids, and what is made in A, must
 * outlive ENV. TYPE is the word of DOC's type; DOC may be NULL: the connection itself.
 */
void debug_log_watch(struct debug_log *l, struct arena *a, const struct json *connection,
	const char *type, const struct json *doc, struct adaptor_env *env);

#endif
