/*
 * engine_priv.h - the engine's inside: its state, and what a flow is made of.
 */
#ifndef ENGINE_ENGINE_PRIV_H
#define ENGINE_ENGINE_PRIV_H

#include <stdatomic.h>

#include "adaptor/adaptor.h"
#include "core/map.h"
#include "core/thread.h"
#include "engine/engine.h"
#include "engine/flow.h"
#include "engine/recorder.h"
#include "engine/turn.h"

#define WORKERS_DEFAULT 4
#define WORKERS_MAX     64
#define LEASE_MS        30000
#define BEATS           3 /* in a lease */
#define JOB_KEPT_MS     ((int64_t)30 * 24 * 3600 * 1000)

/* What a job in work waits for, as its adaptors tell; it is over at UNTIL_MS. */
struct wait_note {
	int64_t since_ms, until_ms; /* wall */
	char what[256];
};

struct worker {
	struct engine *engine;
	struct thread thread;
	atomic_bool canceled;        /* abort the requests of the job in work */
	atomic_bool user_ends;       /* ... because somebody canceled the job */
	char job_id[ID_LEN + 1];     /* of the job in work; "" when idle; under the engine's lock */
	char account_id[ID_LEN + 1]; /* its account; likewise */
	struct wait_note wait;       /* of the job in work; likewise */
};

struct listener;

struct engine {
	struct engine_config cfg;
	struct arena *arena; /* under lock once threads run */
	struct id owner;     /* this process, in leases */
	struct worker *workers;
	unsigned worker_count;
	struct turns *turns;
	struct gates *gates;
	struct vault *vault;    /* credentials.h */
	struct grants *grants;  /* grants.h */
	struct thread listener; /* listeners_main() */
	struct thread timer;    /* schedules, leases, purges */
	struct mutex lock;
	struct cond work;    /* a job may be there, a time has come, or stopping */
	struct cond tick;    /* the timer has something to look at */
	uint64_t posted;     /* grows with every job queued; under lock */
	int64_t next_job_ms; /* wall; when a waiting job may be taken; under lock */
	struct thread prober;
	struct cond probing;    /* ends the prober's sleep */
	bool look;              /* flows or connections changed; under lock */
	struct map *listening;  /* export id: struct listener; under lock */
	struct listener *heard; /* those that listeners_main() must look at; under lock */
	struct cond hears;      /* something was */
	struct cond events;     /* an event came; under lock: */
	uint64_t events_posted;
	_Atomic uint64_t changes;   /* grows with every resource that is written */
	struct mutex offline_lock;  /* over a connection's going offline and coming back */
	bool bulk_busy;             /* an action on many errors goes on; under lock */
	struct cond bulk_idle;      /* none does any more */
	struct mutex observer_lock; /* over: */
	engine_observer observer;   /* NULL: none */
	void *observer_ctx;
	struct calls *calls;     /* invoke.h */
	struct debug_log *debug; /* debug_log.h */
	atomic_bool stopping;    /* end at the page's border */
	_Atomic unsigned running;
	_Atomic uint64_t completed, failed, pages, records, records_failed;
};

/* Tells the workers that a job was queued. */
void engine_post(struct engine *e);
/* Tells the observer that the job has changed in the store. */
void engine_changed(struct engine *e, struct str account_id, struct str job_id);
/* The adaptor's environment of this engine, for documents of this account; `canceled` and `trace` are the
 * caller's to set. */
struct adaptor_env engine_env(const struct engine *e, struct str account_id);

/* adaptor_env.waits of a job: CTX is its worker. */
void worker_waits(void *ctx, int64_t until_ms, const char *why);

/* What a dead server left goes back into the queue. */
MUST_CHECK bool engine_recover(struct engine *e, struct err *err);

/* A run to be queued, unless the flow has one queued that was never begun: then that is it. */
struct queue_request {
	struct str account_id, flow_id, trigger;
	const struct json *flow;
	int64_t due_ms; /* the instant it was scheduled for; 0: none */
};
/* W; on the store's writer. Call engine_post() behind the commit. */
MUST_CHECK bool engine_queue(struct engine *e, struct store_conn *c, struct arena *a,
	const struct queue_request *q, struct str *job_id, struct err *err);
/* Queues the flows that run behind a completed one. W */
MUST_CHECK bool engine_chain(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j, const struct json *flow, struct err *err);

/* Works a claimed job to its end, or until it has to wait. JOB and its strings live in A, which is
 * wiped by the caller. */
void job_work(struct worker *w, struct store_job *job, struct arena *a);

#endif
