/*
 * engine.c - the workers, and asking for a run or for its end.
 *
 * A worker claims the oldest queued job in a store transaction, works it, and asks again until there
 * is none; then it sleeps until a job is posted or a waiting one is due.
 */
#include "engine/credentials.h"
#include "engine/grants.h"
#include "engine/bulk.h"
#include "engine/listener.h"
#include "engine/offline.h"

#include "core/log.h"
#include "engine/debug_log.h"
#include "engine/invoke_priv.h"
#include "engine/timer.h"

#define CLAIM_AGAIN_MS 1000 /* behind a claim that the store refused */

struct claim {
	struct engine *e;
	struct arena *arena;
	struct store_job job;
	bool found;
	int64_t next_ms;
};

static bool claim_write(struct store_conn *c, void *arg, struct err *err)
{
	struct claim *cl = arg;
	int64_t now = clock_wall_ms(cl->e->cfg.clock);
	const struct store_claim by = { now, id_str(&cl->e->owner), now + cl->e->cfg.lease_ms };

	return store_job_claim(c, cl->arena, &by, &cl->job, &cl->found, &cl->next_ms, err);
}

static void set_job(struct worker *w, struct str account_id, struct str id)
{
	WITH_LOCK(&w->engine->lock);
	memcpy(w->job_id, id.p, id.n);
	w->job_id[id.n] = '\0';
	memcpy(w->account_id, account_id.p, account_id.n);
	w->account_id[account_id.n] = '\0';
	w->wait.until_ms = 0;
	if (id.n > 0) {
		atomic_store(&w->canceled, false);
		atomic_store(&w->user_ends, false);
	}
}

/* Works one job; false when there was none. */
static bool work_one(struct worker *w)
{
	struct engine *e = w->engine;
	struct err err = ERR_INIT;
	struct claim cl = { .e = e, .arena = arena_new("job", 0), .next_ms = INT64_MAX };

	if (!store_write(e->cfg.store, claim_write, &cl, &err)) {
		log_err(LOG_ERROR, "job.claim_failed", &err);
		cl.found = false;
		cl.next_ms = clock_wall_ms(e->cfg.clock) + CLAIM_AGAIN_MS;
	}
	if (cl.found) {
		atomic_fetch_add(&e->running, 1);
		set_job(w, cl.job.account_id, cl.job.id);
		engine_changed(e, cl.job.account_id, cl.job.id);
		engine_post(e); /* another worker looks for the next one, and when that is due */
		job_work(w, &cl.job, cl.arena);
		set_job(w, STR(""), STR(""));
		atomic_fetch_sub(&e->running, 1);
		engine_post(e); /* its flow's next run may go now */
	} else {
		WITH_LOCK(&e->lock);
		e->next_job_ms = MIN(e->next_job_ms, cl.next_ms);
	}
	arena_wipe(cl.arena);
	arena_free(cl.arena);
	return cl.found;
}

/* Until a job was posted, a waiting one is due, or the engine stops. Under the lock. */
static void wait_for_work(struct engine *e, uint64_t seen)
{
	while (seen == e->posted && !atomic_load(&e->stopping)) {
		int64_t left = e->next_job_ms - clock_wall_ms(e->cfg.clock);

		if (left <= 0)
			break;
		if (e->next_job_ms == INT64_MAX)
			cond_wait(&e->work, &e->lock);
		else
			(void)cond_wait_until(&e->work, &e->lock,
				clock_mono_ms(clock_system()) + MIN(left, e->cfg.lease_ms / BEATS));
	}
	e->next_job_ms = INT64_MAX;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct engine *e = w->engine;
	uint64_t seen = 0;

	for (;;) {
		mutex_lock(&e->lock);
		wait_for_work(e, seen);
		seen = e->posted;
		mutex_unlock(&e->lock);
		while (!atomic_load(&e->stopping) && work_one(w))
			;
		if (atomic_load(&e->stopping))
			return NULL;
	}
}

void engine_post(struct engine *e)
{
	WITH_LOCK(&e->lock);
	e->posted++;
	cond_broadcast(&e->work);
}

void engine_observe(struct engine *e, engine_observer fn, void *ctx)
{
	WITH_LOCK(&e->observer_lock);
	e->observer = fn;
	e->observer_ctx = ctx;
}

void engine_changed(struct engine *e, struct str account_id, struct str job_id)
{
	WITH_LOCK(&e->observer_lock);
	if (e->observer != NULL)
		e->observer(e->observer_ctx, account_id, job_id);
}

struct adaptor_env engine_env(const struct engine *e, struct str account_id)
{
	return (struct adaptor_env){ .egress = e->cfg.egress,
		.clock = e->cfg.clock,
		.rng = e->cfg.rng,
		.ca_file = e->cfg.ca_file,
		.gates = e->gates,
		.vault = e->vault,
		.account_id = account_id,
		.timeout_ms = e->cfg.outbound_timeout_ms };
}

bool engine_start(const struct engine_config *cfg, struct engine **out, struct err *err)
{
	struct arena *a = arena_new("engine", 0);
	struct engine *e = arena_new_of(a, struct engine);

	e->cfg = *cfg;
	if (cfg->lease_ms == 0)
		e->cfg.lease_ms = LEASE_MS;
	e->arena = a;
	id_new(&e->owner, clock_wall_ms(cfg->clock), cfg->rng);
	e->worker_count = cfg->workers == 0 ? WORKERS_DEFAULT : MIN(cfg->workers, WORKERS_MAX);
	e->workers = arena_array_of(a, struct worker, e->worker_count);
	e->posted = 1; /* look once for jobs that were queued before */
	e->next_job_ms = INT64_MAX;
	e->look = true;
	if (e->cfg.kept_ms == 0)
		e->cfg.kept_ms = JOB_KEPT_MS;
	mutex_init(&e->lock);
	mutex_init(&e->observer_lock);
	mutex_init(&e->offline_lock);
	cond_init(&e->work);
	cond_init(&e->tick);
	cond_init(&e->probing);
	cond_init(&e->events);
	cond_init(&e->hears);
	cond_init(&e->bulk_idle);
	e->listening = map_new(a);
	e->turns = turns_new(a);
	e->gates = gates_new(a);
	e->vault = vault_new(a, &credentials_ops, e);
	e->grants = grants_new(a);
	if (!engine_recover(e, err)) {
		arena_free(a);
		return false;
	}
	e->debug = debug_log_new(a, cfg->clock, cfg->rng);
	e->calls = calls_start(e);
	for (unsigned i = 0; i < e->worker_count; i++) {
		e->workers[i].engine = e;
		thread_start(&e->workers[i].thread, "worker", worker_main, &e->workers[i]);
	}
	thread_start(&e->listener, "listener", listeners_main, e);
	thread_start(&e->timer, "timer", timer_main, e);
	thread_start(&e->prober, "prober", probes_main, e);
	*out = e;
	return true;
}

void engine_stop(struct engine *e, int64_t within_ms)
{
	int64_t until = clock_mono_ms(clock_system()) + within_ms;

	mutex_lock(&e->lock);
	atomic_store(&e->stopping, true);
	cond_broadcast(&e->work);
	cond_broadcast(&e->tick);
	cond_broadcast(&e->probing);
	cond_broadcast(&e->events);
	cond_broadcast(&e->hears);
	mutex_unlock(&e->lock);
	thread_join(&e->listener);
	thread_join(&e->timer);
	thread_join(&e->prober);
	for (unsigned i = 0; i < e->worker_count; i++) {
		struct worker *w = &e->workers[i];

		if (!thread_join_until(&w->thread, until)) {
			atomic_store(&w->canceled, true);
			thread_join(&w->thread);
		}
	}
	/* ThreadSanitizer does not see a join that has a deadline */
	mutex_lock(&e->lock);
	mutex_unlock(&e->lock);
	calls_stop(e->calls);
	debug_log_free(e->debug);
	mutex_destroy(&e->lock);
	mutex_destroy(&e->observer_lock);
	mutex_destroy(&e->offline_lock);
	cond_destroy(&e->work);
	cond_destroy(&e->tick);
	cond_destroy(&e->probing);
	cond_destroy(&e->events);
	turns_destroy(e->turns);
	gates_destroy(e->gates);
	vault_destroy(e->vault);
	grants_destroy(e->grants);
	cond_destroy(&e->hears);
	cond_destroy(&e->bulk_idle);
	arena_free(e->arena);
}

/* ---- asking for a run ---- */

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

bool engine_queue(struct engine *e, struct store_conn *c, struct arena *a,
	const struct queue_request *q, struct str *job_id, struct err *err)
{
	int64_t now = clock_wall_ms(e->cfg.clock);
	struct run_request rq = { .e = e, .arena = a };
	struct id id;

	rq.job_id = &id;
	id_new(&id, now, e->cfg.rng);
	rq.job = (struct store_job){ .id = id_str(&id),
		.account_id = q->account_id,
		.type = JOB_FLOW,
		.status = JOB_QUEUED,
		.flow_id = q->flow_id,
		.export_id = json_get_str(q->flow, STR("_exportId")),
		.import_id = json_get_str(q->flow, STR("_importId")),
		.integration_id = json_get_str(q->flow, STR("_integrationId")),
		.trigger = q->trigger,
		.due_ms = q->due_ms,
		.created_ms = now,
		.modified_ms = now,
		.purge_ms = now + e->cfg.kept_ms };
	if (!run_write(c, &rq, err))
		return false;
	*job_id = str_dup(a, id_str(&id));
	return true;
}

struct asked_run {
	struct engine *e;
	struct arena *arena;
	struct queue_request q;
	const struct flow_plan *plan;
	bool dated;
	int64_t from_ms; /* DATED: where its delta exports begin */
	struct str job_id;
};

/* The date of each delta export, unless a run is there that would move it again. */
static bool move_dates(struct store_conn *c, const struct asked_run *r, struct err *err)
{
	const struct flow_plan *p = r->plan;
	bool there, any = false;

	if (!store_job_of_flow(c, p->account_id, p->flow_id, &there, err))
		return false;
	if (there)
		return err_set(err, ERR_CONFLICT,
			"a run of the flow is queued or at work, and would move the date: ask "
			"again when "
			"it has ended");
	for (size_t i = 0; i < p->source_count; i++) {
		if (!str_eq_z(json_get_str(p->sources[i].doc, STR("type")), "delta"))
			continue;
		any = true;
		if (!store_export_state_put(c, p->account_id, p->flow_id, p->sources[i].id,
			    r->from_ms, err))
			return false;
	}
	return any || err_set_field(err, ERR_INVALID, "export.startDate",
			      "no export of the flow is of type delta, so none begins at a date");
}

static bool asked_write(struct store_conn *c, void *arg, struct err *err)
{
	struct asked_run *r = arg;

	return (!r->dated || move_dates(c, r, err)) &&
	       engine_queue(r->e, c, r->arena, &r->q, &r->job_id, err);
}

static bool ask_run(struct asked_run *r, struct str account_id, struct str flow_id,
	struct str trigger, struct id *job_id, struct err *err)
{
	struct engine *e = r->e;
	struct arena *a = arena_new("run", 0);
	struct flow_plan plan;
	bool ok = !atomic_load(&e->stopping) ||
		  err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");

	ok = ok && flow_plan_read(e, a, account_id, flow_id, STR_NULL, &plan, err) &&
	     flow_plan_check(e, a, &plan, err);
	if (ok) {
		r->arena = a;
		r->plan = &plan;
		r->q = (struct queue_request){ account_id, flow_id, trigger, plan.flow, 0 };
		ok = store_write(e->cfg.store, asked_write, r, err);
	}
	if (ok) {
		memcpy(job_id->s, r->job_id.p, ID_LEN);
		job_id->s[ID_LEN] = '\0';
		engine_post(e);
	}
	arena_wipe(a);
	arena_free(a);
	return ok;
}

bool engine_run_flow(struct engine *e, struct str account_id, struct str flow_id,
	struct str trigger, struct id *job_id, struct err *err)
{
	struct asked_run r = { .e = e };

	return ask_run(&r, account_id, flow_id, trigger, job_id, err);
}

bool engine_run_flow_from(struct engine *e, struct str account_id, struct str flow_id,
	int64_t from_ms, struct id *job_id, struct err *err)
{
	struct asked_run r = { .e = e, .dated = true, .from_ms = from_ms };

	return ask_run(&r, account_id, flow_id, STR("api"), job_id, err);
}

/* ---- cancel ---- */

struct cancel {
	struct str account_id, job_id, by;
	int64_t now_ms;
};

static bool cancel_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct cancel *x = arg;

	return store_job_cancel(c, x->account_id, x->job_id, x->by, x->now_ms, err) &&
	       bulk_release(c, x->account_id, x->job_id, x->now_ms, err);
}

bool engine_cancel(struct engine *e, struct str account_id, struct str job_id, struct str by,
	struct err *err)
{
	struct cancel x = { account_id, job_id, by, clock_wall_ms(e->cfg.clock) };

	if (!store_write(e->cfg.store, cancel_write, &x, err))
		return false;
	mutex_lock(&e->lock);
	for (unsigned i = 0; i < e->worker_count; i++) {
		struct worker *w = &e->workers[i];

		if (str_eq_z(job_id, w->job_id)) {
			atomic_store(&w->user_ends, true);
			atomic_store(&w->canceled, true);
		}
	}
	cond_broadcast(&e->events);
	mutex_unlock(&e->lock);
	engine_changed(e, account_id, job_id);
	engine_post(e);
	bulk_release_rest(e, account_id, job_id);
	return true;
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
