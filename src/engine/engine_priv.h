/*
 * engine_priv.h - the engine's inside: its state, and one run of a flow.
 */
#ifndef ENGINE_ENGINE_PRIV_H
#define ENGINE_ENGINE_PRIV_H

#include <stdatomic.h>

#include "core/thread.h"
#include "engine/engine.h"

#define WORKERS_DEFAULT 4
#define WORKERS_MAX     64

struct worker {
	struct engine *engine;
	struct thread thread;
	atomic_bool canceled; /* abort the requests of the job in work */
};

struct engine {
	struct engine_config cfg;
	struct arena *arena;
	struct worker *workers;
	unsigned worker_count;
	struct mutex lock;
	struct cond work;     /* a job may be there, or stopping */
	uint64_t posted;      /* grows with every job queued; under lock */
	atomic_bool stopping; /* end at the page's border */
	_Atomic unsigned running;
	_Atomic uint64_t completed, failed, pages, records, records_failed;
};

/* Works a claimed job to its end. JOB and its strings live in A, which is wiped by the caller. When
 * *CANCELED is set, by whichever thread, requests are aborted. */
void job_work(struct engine *e, struct store_job *job, struct arena *a, atomic_bool *canceled);

/* Settles what a dead server left. */
MUST_CHECK bool engine_recover(struct engine *e, struct err *err);

/* What a flow needs to run, read in one snapshot; secrets are open: wipe A. */
struct flow_parts {
	const struct json *flow, *export, *import, *source_connection, *sink_connection;
	struct str export_id, import_id;
};
MUST_CHECK bool flow_parts_read(const struct engine *e, struct arena *a, struct str account_id,
	struct str flow_id, struct flow_parts *out, struct err *err);

/* Refuses parts that this version can't act on, and flows that are disabled. */
MUST_CHECK bool flow_parts_check(const struct engine *e, struct arena *a,
	const struct flow_parts *p, struct err *err);

#endif
