/*
 * engine.c - the workers, and asking for a run.
 *
 * A worker claims the oldest queued job in a store transaction, works it, and asks again until there
 * is none; then it sleeps until a job is posted. Only one process uses the store, so no polling.
 */
#include "engine/engine_priv.h"

#include "core/log.h"

struct claim {
	struct engine *e;
	struct arena *arena;
	struct store_job job;
	bool found;
};

static bool claim_write(struct store_conn *c, void *arg, struct err *err)
{
	struct claim *cl = arg;

	return store_job_claim(c, cl->arena, clock_wall_ms(cl->e->cfg.clock), &cl->job, &cl->found,
		err);
}

/* Works one job; false when there was none. */
static bool work_one(struct worker *w)
{
	struct engine *e = w->engine;
	struct err err = ERR_INIT;
	struct claim cl = { .e = e, .arena = arena_new("job", 0) };

	if (!store_write(e->cfg.store, claim_write, &cl, &err)) {
		log_err(LOG_ERROR, "job.claim_failed", &err);
		cl.found = false;
	}
	if (cl.found) {
		atomic_fetch_add(&e->running, 1);
		atomic_store(&w->canceled, false);
		job_work(e, &cl.job, cl.arena, &w->canceled);
		atomic_fetch_sub(&e->running, 1);
	}
	arena_wipe(cl.arena);
	arena_free(cl.arena);
	return cl.found;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct engine *e = w->engine;
	uint64_t seen = 0;

	for (;;) {
		mutex_lock(&e->lock);
		while (seen == e->posted && !atomic_load(&e->stopping))
			cond_wait(&e->work, &e->lock);
		seen = e->posted;
		mutex_unlock(&e->lock);
		while (!atomic_load(&e->stopping) && work_one(w))
			;
		if (atomic_load(&e->stopping))
			return NULL;
	}
}

static void post(struct engine *e)
{
	WITH_LOCK(&e->lock);
	e->posted++;
	cond_broadcast(&e->work);
}

bool engine_start(const struct engine_config *cfg, struct engine **out, struct err *err)
{
	struct arena *a = arena_new("engine", 0);
	struct engine *e = arena_new_of(a, struct engine);

	e->cfg = *cfg;
	e->arena = a;
	e->worker_count = cfg->workers == 0 ? WORKERS_DEFAULT : MIN(cfg->workers, WORKERS_MAX);
	e->workers = arena_array_of(a, struct worker, e->worker_count);
	e->posted = 1; /* look once for jobs that were queued before */
	mutex_init(&e->lock);
	cond_init(&e->work);
	if (!engine_recover(e, err)) {
		arena_free(a);
		return false;
	}
	for (unsigned i = 0; i < e->worker_count; i++) {
		e->workers[i].engine = e;
		thread_start(&e->workers[i].thread, "worker", worker_main, &e->workers[i]);
	}
	*out = e;
	return true;
}

void engine_stop(struct engine *e, int64_t within_ms)
{
	int64_t until = clock_mono_ms(clock_system()) + within_ms;

	mutex_lock(&e->lock);
	atomic_store(&e->stopping, true);
	cond_broadcast(&e->work);
	mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->worker_count; i++) {
		struct worker *w = &e->workers[i];

		if (!thread_join_until(&w->thread, until)) {
			atomic_store(&w->canceled, true);
			thread_join(&w->thread);
		}
	}
	mutex_destroy(&e->lock);
	cond_destroy(&e->work);
	arena_free(e->arena);
}

struct run_request {
	struct engine *e;
	struct store_job job;
	struct arena *arena;
	struct id *job_id;
};

/* Adds the job unless the flow has a queued one; atomic, since writes are one after the other. */
static bool run_write(struct store_conn *c, void *arg, struct err *err)
{
	struct run_request *rq = arg;
	struct store_job queued;
	struct err none = ERR_INIT;

	if (store_job_queued_of_flow(c, rq->arena, rq->job.account_id, rq->job.flow_id, &queued,
		    &none)) {
		memcpy(rq->job_id->s, queued.id.p, ID_LEN);
		return true;
	}
	if (none.code != ERR_NOT_FOUND) {
		*err = none;
		return false;
	}
	return store_job_add(c, &rq->job, err);
}

#define JOB_KEPT_MS ((int64_t)30 * 24 * 3600 * 1000)

bool engine_run_flow(struct engine *e, struct str account_id, struct str flow_id,
	struct str trigger, struct id *job_id, struct err *err)
{
	struct arena *a = arena_new("run", 0);
	int64_t now = clock_wall_ms(e->cfg.clock);
	struct run_request rq = { .e = e, .arena = a, .job_id = job_id };
	struct flow_parts parts;

	bool ok = !atomic_load(&e->stopping) ||
		  err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");

	ok = ok && flow_parts_read(e, a, account_id, flow_id, &parts, err) &&
	     flow_parts_check(e, a, &parts, err);
	if (ok) {
		id_new(job_id, now, e->cfg.rng);
		rq.job = (struct store_job){ .id = id_str(job_id),
			.account_id = account_id,
			.type = JOB_FLOW,
			.status = JOB_QUEUED,
			.flow_id = flow_id,
			.export_id = parts.export_id,
			.import_id = parts.import_id,
			.trigger = trigger,
			.created_ms = now,
			.modified_ms = now,
			.purge_ms = now + JOB_KEPT_MS,
			.integration_id = json_get_str(parts.flow, STR("_integrationId")) };
		ok = store_write(e->cfg.store, run_write, &rq, err);
	}
	if (ok)
		post(e);
	arena_wipe(a);
	arena_free(a);
	return ok;
}

void engine_stats(struct engine *e, struct engine_stats *out)
{
	*out = (struct engine_stats){ .jobs_running = atomic_load(&e->running),
		.jobs_completed = atomic_load(&e->completed),
		.jobs_failed = atomic_load(&e->failed),
		.pages = atomic_load(&e->pages),
		.records = atomic_load(&e->records),
		.records_failed = atomic_load(&e->records_failed) };
}
