/*
 * engine.h - runs flows: jobs are claimed from the store, worked by threads, accounted to the record.
 *
 * A run of a flow is a job with one child for the export and one for the import. The export yields
 * pages on a thread of its own while the worker maps and submits the page before: no stage holds
 * more than one page. The checkpoint is one transaction: counts, ledger, errors with their retry
 * data, cursor. It is the only thing that moves progress forward, so that at any moment and after
 * any crash exported = succeeded + ignored + failed + in flight.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "crypt/token.h"
#include "net/egress.h"
#include "resource/resource.h"

struct engine;

struct engine_config {
	struct store *store;
	const struct resources *resources;
	const struct egress *egress;
	const struct clock *clock;
	struct rng *rng;
	const char *ca_file;         /* NULL: the system's */
	int64_t outbound_timeout_ms; /* one request to an application; 0: LIMIT_OUTBOUND_TIMEOUT_MS */
	unsigned workers;            /* jobs at once; 0: 4 */
	int64_t kept_ms;             /* a job and its errors, from its creation on; 0: 30 days */
	uint64_t evidence_max;       /* characters of all errors' evidence and retry data; 0: any */
	struct recorder *recorder;   /* NULL: nothing is recorded; the caller's */
	int64_t lease_ms;            /* of a job in work; 0: 30 s. Tests can't wait that long */
};

/*
 * Jobs that a dead server had in work go back into the queue; then the workers start, which take
 * jobs up where they were left, and the timer.
 */
MUST_CHECK bool engine_start(const struct engine_config *cfg, struct engine **out, struct err *err);
/*
 * Takes no new jobs; running ones go back into the queue behind the page they are at, and after
 * WITHIN_MS their requests are aborted: what may have arrived is then in doubt. Blocks until the
 * workers have ended.
 */
void engine_stop(struct engine *e, int64_t within_ms);

/*
 * Queues a run. One run of a flow at a time: while one is queued this answers that one's id.
 * ERR_NOT_FOUND, ERR_FLOW (disabled, incomplete), ERR_UNSUPPORTED (names the field), ERR_STORE.
 * May block on the store.
 */
MUST_CHECK bool engine_run_flow(struct engine *e, struct str account_id, struct str flow_id,
	struct str trigger, struct id *job_id, struct err *err);
/*
 * The same, and its delta exports ask for what changed since FROM_MS; later runs go on behind this one as
 * ever. Also ERR_INVALID: no export of the flow has a date; ERR_CONFLICT: a run that is queued or at work
 * would move the date.
 */
MUST_CHECK bool engine_run_flow_from(struct engine *e, struct str account_id, struct str flow_id,
	int64_t from_ms, struct id *job_id, struct err *err);

/* Asks a job of a flow or a retry to end, in every state. ERR_NOT_FOUND, ERR_CONFLICT (has ended). */
MUST_CHECK bool engine_cancel(struct engine *e, struct str account_id, struct str job_id,
	struct str by, struct err *err);
struct retry_job {
	struct id job_id;
	uint64_t count; /* errors handed to it */
};
struct retry_jobs {
	struct retry_job *list; /* one for each flow; in the arena given */
	size_t count;
};
struct retry_ask {
	struct store_error_filter filter;
	struct str by;           /* "api", "file", "automatic" */
	bool original_documents; /* those that the job began with; the filter must name the job */
};
/*
 * Tries the open errors that the filters say again, those that have retry data and that no retry is at; none of
 * them is in two filters. None is no error. ERR_NOT_FOUND: the documents that the job began with are not kept any
 * more. All N are asked in one transaction; many are handed over in parts, as engine_resolve() does it.
 */
MUST_CHECK bool engine_retry(struct engine *e, struct str account_id, const struct retry_ask *asks,
	size_t n, struct arena *a, struct retry_jobs *out, struct err *err);

/*
 * Resolves the open errors that each filter says, or opens resolved ones again; how many, in its COUNT. Takes its
 * time for many, in which other writers pass: ERR_SHUTTING_DOWN and ERR_STORE may leave it half done, and all N
 * are brought to their end as soon as that can be. Any thread that may wait.
 */
struct resolve_ask {
	struct store_error_filter filter; /* its state is not looked at */
	bool resolve;
	struct str by;
	uint64_t count;
};
MUST_CHECK bool engine_resolve(struct engine *e, struct str account_id, struct resolve_ask *asks,
	size_t n, struct err *err);

/* Events of the listener were taken in: the flows that it feeds are run. Any thread; does not wait. */
void engine_listen(struct engine *e, struct str account_id, struct str export_id);
/* A flow's document, or a part of it: a listener must be the only source, has no schedule, and can't be a
 * step. ERR_FLOW names the field. */
MUST_CHECK bool engine_listener_check(struct engine *e, struct str account_id,
	const struct json *flow, struct err *err);
/* A resource (or the account's own "profile") was made, changed or removed: schedules, listeners and waiting
 * jobs follow. Any thread
 * that may wait. */
void engine_resource_changed(struct engine *e, struct str account_id, struct str type,
	struct str id);

/*
 * FN is called when a job has changed in the store, behind the commit, on whatever thread did it: it must
 * be quick and must not call the engine. One observer; FN NULL ends it, and returns when no call is under
 * way any more.
 */
typedef void (*engine_observer)(void *ctx, struct str account_id, struct str job_id);
void engine_observe(struct engine *e, engine_observer fn, void *ctx);

/*
 * The way of the records with this trace key through the steps of flows, the newest first, at most MAX:
 * adds objects to the open array of B. As far back as the recorder's budget reaches. Blocks on the disk.
 */
MUST_CHECK bool engine_trace(struct engine *e, struct str account_id, struct str trace_key,
	size_t max, struct json_build *b, struct err *err);

struct engine_stats {
	unsigned jobs_running;
	uint64_t jobs_completed, jobs_failed, pages, records, records_failed;
};
void engine_stats(struct engine *e, struct engine_stats *out);

/*
 * What J waits for at this moment, {"what", "since", ...}: as it says itself, or the run of its flow that
 * goes on, a free worker, a request that is to be tried again. p NULL: nothing. C reads.
 */
struct str engine_waits_for(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j);
/* The API's view of a job, with what it waits for, and of a job error. */
void job_print(struct engine *e, struct store_conn *c, const struct store_job *j, struct buf *out);
void job_error_print(const struct store_job_error *e, struct buf *out);

#endif
