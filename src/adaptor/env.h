/*
 * env.h - what every adaptor may use, and what a call may say besides the documents.
 */
#ifndef ADAPTOR_ENV_H
#define ADAPTOR_ENV_H

#include <stdatomic.h>

#include "adaptor/gate.h"
#include "adaptor/vault.h"
#include "core/clock.h"
#include "core/rng.h"
#include "data/json.h"
#include "net/egress.h"

/* One exchange with an application, as seen by whoever watches: secrets masked, bodies bounded. */
struct adaptor_trace {
	const char *
		purpose; /* "export", "lookup", "import", "ping", "proxy", "login", "token", "once" */
	struct str request;    /* request line, header fields, empty line, body */
	struct str response;   /* status line, header fields, empty line, body; p NULL: none came */
	const struct err *err; /* ERR_NONE: an answer came */
	int64_t took_us;
};

/* What every adaptor may use. */
struct adaptor_env {
	const struct egress *egress;
	const struct clock *clock;
	struct rng *rng;
	const char *ca_file;         /* NULL: the system's */
	int64_t timeout_ms;          /* one request, all in all; 0: LIMIT_OUTBOUND_TIMEOUT_MS */
	const atomic_bool *canceled; /* set from another thread: end soon with ERR_CANCELED */
	struct gates *gates;         /* NULL: requests to a connection are not counted together */
	/* NULL: the connection is not stored, so that new tokens could not be kept: none are fetched. */
	struct vault *vault;
	struct str account_id; /* whose the documents are; for the vault */
	/* How long a request may queue at its connection's gate: then ERR_OVERLOADED. 0: until it is let
	 * in, which it will be, since those inside have deadlines. */
	int64_t gate_wait_ms;
	/* Somebody waits for the answer: a request is tried again once at most, and only within so long.
	 * 0: as often as the document says. */
	int64_t retry_within_ms;
	/* Called on the adaptor's thread behind each exchange; the texts live for the call. NULL: nobody
	 * watches, and no text is made. */
	void (*trace)(void *ctx, const struct adaptor_trace *t);
	void *trace_ctx;
	/* Called when a request is to be tried again, no earlier than UNTIL_MS (wall). WHY, in the user's words
	 * and without secrets, lives for the call. Quick. NULL: nobody asks. */
	void (*waits)(void *ctx, int64_t until_ms, const char *why);
	void *waits_ctx;
};

/* What a call may say besides the export's or import's document. */
struct call_args {
	/* Object: what placeholders stand for besides the record's fields: the members of an invocation's
	 * body, lastExportDateTime, currentExportDateTime, settings. NULL: nothing. */
	const struct json *variables;
	struct str relative_uri,
		record_type; /* in place of the document's; p NULL: the document's */
};

#endif
