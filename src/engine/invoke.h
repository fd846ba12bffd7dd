/*
 * invoke.h - exports, imports and connections called outside of runs: answered at once, nothing kept.
 *
 * A call has a deadline (LIMIT_CALL_MS): a thread of the engine's cancels what is late, and all when
 * the server stops, or the caller has left. One thread at a time; every function but invoke_failure() may block on the store
 * and on the application, so they are not for event loops. Answers are JSON texts, added to the
 * buffer given.
 *
 * No state moves: a `delta` export is asked with the dates given, or for everything; records of a
 * `once` export are not marked.
 */
#ifndef ENGINE_INVOKE_H
#define ENGINE_INVOKE_H

#include "adaptor/adaptor.h"
#include "engine/engine.h"

struct invocation;

struct invoke_who {
	struct str account_id;
	struct str connector_id; /* n > 0: only what belongs to this connector */
	/* Set when nobody waits for the answer any more, which cancels the call; outlives it. NULL: nobody says. */
	const atomic_bool *left;
};
/* ERR_SHUTTING_DOWN. What the call makes lives until invoke_end(), which wipes it. */
MUST_CHECK bool invoke_begin(struct engine *e, const struct invoke_who *who,
	struct invocation **out, struct err *err);
void invoke_end(struct invocation *v); /* NULL is allowed */
struct arena *invoke_arena(const struct invocation *v);

/* ---- what is called ---- */

/*
 * A stored export or import, by _id (TYPE says of which type) or by apiIdentifier (TYPE NULL), with
 * its connection. ERR_NOT_FOUND, ERR_FORBIDDEN, ERR_UNSUPPORTED, ERR_OFFLINE.
 */
MUST_CHECK bool invoke_stored(struct invocation *v, const char *type, struct str key,
	struct err *err);
/*
 * An unsaved one: BODY is checked as for a create. CONNECTION_ID p NULL: BODY names it. A document
 * with an `_id` of the account's takes masked secrets from the stored one.
 */
MUST_CHECK bool invoke_unsaved(struct invocation *v, const char *type, const struct json *body,
	struct str connection_id, struct problems *p);
/* A stored connection alone, or an unsaved one. */
MUST_CHECK bool invoke_connection(struct invocation *v, struct str id, struct err *err);
MUST_CHECK bool invoke_unsaved_connection(struct invocation *v, const struct json *body,
	struct problems *p);
bool invoke_is_import(const struct invocation *v);
/* In place of the document's, for this call; p NULL: the document's. They must outlive the call. */
void invoke_override(struct invocation *v, struct str relative_uri, struct str record_type);

/* ---- calls ---- */

/*
 * {"data": [...]}, with "errors" for records that failed in transform or filter, and "zeroReason".
 * VARIABLES: an object, or NULL. ERR_LIMIT behind LIMIT_INVOKE_RECORDS or LIMIT_INVOKE_BYTES.
 */
MUST_CHECK bool invoke_export(struct invocation *v, const struct json *variables, struct buf *out,
	struct err *err);
/*
 * One page of pageSize records: {"data", "dataURIs", "pagedExportState"}. STATE is what the page before
 * answered, NULL for the first; then nothing need be called invoke_unsaved() on. ERR_INVALID: the
 * state was changed, or is too old.
 */
MUST_CHECK bool invoke_export_page(struct invocation *v, const struct json *state, struct buf *out,
	struct err *err);
/*
 * The array of results in the order of RECORDS (an array); records that fail do so in their own
 * element. KEY: prefix of the records' idempotency keys; p NULL: one is made.
 */
MUST_CHECK bool invoke_import(struct invocation *v, const struct json *records, struct str key,
	struct buf *out, struct err *err);
/* The mapped records in place of results: lookups are asked, nothing is sent. */
MUST_CHECK bool invoke_map(struct invocation *v, const struct json *records, struct buf *out,
	struct err *err);
/*
 * {"data": [...], "stages": [{"name", "data", "errors"}]}: what went out, what came, what became of it.
 * A failure stands in its stage. Of an import, RECORDS are mapped and their requests shown.
 */
void invoke_preview_export(struct invocation *v, const struct json *variables, struct buf *out);
void invoke_preview_import(struct invocation *v, const struct json *records, struct buf *out);

/* {"code": 200}, or {"code", "message", "errors"}. A stored connection that went offline by itself is
 * online again behind a success. */
MUST_CHECK bool invoke_ping(struct invocation *v, struct buf *out, struct err *err);
MUST_CHECK bool invoke_proxy(struct invocation *v, const struct proxy_request *rq,
	struct proxy_answer *out, struct err *err);

/*
 * The error body for a call that failed with ERR: code and message are the application's where it
 * said some. *STATUS for the caller: an application's 4xx is 422, so that nobody takes it for this
 * server's word; 429 stays; the rest as the error table says.
 */
void invoke_failure(struct invocation *v, const struct err *err, struct buf *out, int *status);

/* ---- the debug log ---- */

/*
 * Adds the lines kept of a connection (RESOURCE_ID p NULL: of all that was done at it). *UNTIL is its
 * debugDate in A, as it is stored: when the log was, or will be, turned off; p NULL: it was never on.
 * ERR_NOT_FOUND: no such connection.
 */
MUST_CHECK bool engine_debug_print(struct engine *e, struct str account_id,
	struct str connection_id, struct str resource_id, struct arena *a, struct buf *out,
	struct str *until, struct err *err);

/* Ends the calls that run, soon, and lets none begin: for the end of the server. Any thread. */
void engine_calls_abort(struct engine *e);

#endif
