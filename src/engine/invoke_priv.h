/*
 * invoke_priv.h - a call's inside: what the files of invoke.h share.
 *
 *   invoke.c           begin, deadline, what is called, failures
 *   invoke_export.c    records out of an export; its pages
 *   invoke_import.c    records into an import
 *   invoke_preview.c   the stages of a call that is tried out
 */
#ifndef ENGINE_INVOKE_PRIV_H
#define ENGINE_INVOKE_PRIV_H

#include "engine/debug_log.h"
#include "engine/engine_priv.h"
#include "engine/invoke.h"
#include "engine/shape.h"

#define EXCHANGES_MAX     20 /* kept of a call: the last is replaced from then on */
#define PREVIEW_RECORDS   10
#define RECORD_ERRORS_MAX 100

struct exchange {
	const char *purpose;
	struct str request, response; /* response p NULL: none came */
	struct str failure;           /* why none came; p NULL: one did */
};

struct invocation {
	struct engine *engine;
	struct arena *arena;
	struct adaptor_env env;
	struct invoke_who who;
	struct invocation *next; /* of those under way; under the calls' lock */
	int64_t due_ms;          /* monotonic */
	atomic_bool canceled;

	const char *type; /* "export", "import"; NULL: a connection alone */
	const struct json *doc, *connection;
	struct str connection_id; /* p NULL: unsaved */
	struct call_args call;
	struct exchange exchanges[EXCHANGES_MAX];
	size_t exchange_count;
};

/* The calls under way; under its own lock. */
struct calls;
struct calls *calls_start(struct engine *e);
void calls_stop(struct calls *c);

/* Of ERR_CANCELED: says why. False. */
bool invoke_ended(const struct invocation *v, struct err *err);
/* Keeps the exchanges from now on: for failures and previews. */
void invoke_watch(struct invocation *v);

/* What is taken out of an export. */
struct export_take {
	struct str cursor; /* in: where to begin, p NULL: at the start. Out: where to go on */
	size_t skip;       /* in and out: records of the first answer that were taken before */
	size_t limit;      /* records to take; 0: all that a call may have */
	bool whole;        /* more than a call may have is a failure */
	struct buf *data;  /* elements, with commas between them */
	struct buf *errors;
	/* the records as they were parsed, and behind the transform; NULL: nobody asks */
	struct buf *parsed, *transformed;
	size_t count, shown, error_count; /* out: taken, in data, in errors */
	bool done;                        /* out: the source has no more */
	const char *stage;                /* out: where it failed: "export", "limit" */
	struct str zero_reason;
};
MUST_CHECK bool invoke_take(struct invocation *v, const struct json *variables,
	struct export_take *t, struct err *err);
/* VARIABLES with the dates that a delta export asks by. */
const struct json *invoke_variables(struct invocation *v, const struct json *variables);
struct step;
MUST_CHECK bool invoke_open_step(struct invocation *v, struct step **out, struct err *err);
void invoke_add_error(struct json_build *b, const struct err *err, const char *source);

#endif
