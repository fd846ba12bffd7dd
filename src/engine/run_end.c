/*
 * run_end.c - how a run ends: its children and its page in work are accounted for, and the job is written
 * for the last time, or goes back into the queue.
 */
#include "engine/bulk.h"
#include "engine/run_source.h"

#include "core/limits.h"
#include "core/log.h"

#define GIVE_BACK_EVERY_MS   1000
#define GIVEN_BACK_PER_LEASE 6 /* how soon a job goes on whose run the store failed under */

static void set_failure(struct run *r, struct store_job *j, const struct err *err)
{
	j->status = JOB_FAILED;
	j->error_code = str_z(err_info(err->code)->wire);
	j->error_message = str_dup(r->arena, str_z(err->message));
}

static void end_all(struct run *r, enum job_status status)
{
	int64_t now = clock_wall_ms(r->e->cfg.clock);
	size_t n = r->exports == NULL ? 0 : r->plan.source_count + r->plan.step_count;

	r->job->status = status;
	r->job->ended_ms = now;
	r->job->waiting_for = STR_NULL;
	for (size_t i = 0; i < n; i++) {
		struct store_job *j = run_child_at(r, i);

		j->status = status;
		if (status == JOB_CANCELED && i < r->plan.source_count && j->done_exporting)
			j->status = JOB_COMPLETED; /* what had ended before stays so */
		j->ended_ms = now;
	}
}

/* The deliveries of the page's present step fail, and with them their records. */
static void fail_deliveries(struct run *r, struct work *w, const struct err *why)
{
	struct store_job *j = &r->steps[w->step].job;

	for (size_t i = 0; i < w->n; i++) {
		struct delivery *d = &w->d[i];

		d->err = *why;
		d->unknown = d->in_doubt;
		if (d->unknown)
			err_wrap(&d->err, "the outcome is unknown, the application may have taken "
					  "the record");
		j->ledger.in_flight--;
		j->ledger.failed++;
		j->num_error++;
		w->of[i]->stopped = true;
		run_add_failure(r, w, i);
	}
}

/* The same of a step that was not begun yet. */
static void fail_step(struct run *r, struct work *w, uint32_t k, const struct err *why)
{
	struct job_ledger *l = &r->steps[k].job.ledger;

	work_begin_step(w, k, r->job->id);
	l->exported += w->n;
	l->in_flight += w->n;
	fail_deliveries(r, w, why);
}

/* Those of a retry that were to join at a later step have their errors still. */
static void stop_later(struct work *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].first_step > w->step)
			w->items[i].stopped = true;
}

/* Nobody knows the records of a page that can't be read: they are failed as one. */
static void fail_damaged_page(struct run *r, const struct err *damage)
{
	struct err lost = ERR_INIT;
	uint64_t n = 0;

	for (size_t i = 0; i < r->plan.step_count; i++) {
		struct job_ledger *l = &r->steps[i].job.ledger;

		n += l->in_flight;
		l->failed += l->in_flight;
		l->in_flight = 0;
	}
	err_set(&lost, ERR_POISON, "%s; %llu records were in work with it", damage->message,
		(unsigned long long)n);
	r->exports[MIN(r->source_index, r->plan.source_count - 1)].num_error++;
	run_add_damage(r, &lost);
}

/*
 * The records of the page in work that a run leaves behind: each is failed, with its data. Those that had
 * passed the present step and waited for the others fail at the next one.
 */
static bool fail_page(struct run *r, const struct err *why, struct err *err)
{
	struct work *w;

	if (r->steps == NULL || r->page_settled)
		return true;
	if (!run_read_page(r, &w, err)) {
		if (!r->page_damaged)
			return false;
		fail_damaged_page(r, err);
		err_clear(err);
		return true;
	}
	if (w == NULL)
		return true;
	if (w->fresh)
		fail_step(r, w, w->step, why);
	else
		fail_deliveries(r, w, why);
	stop_later(w);
	if (w->step + 1 < r->plan.step_count)
		fail_step(r, w, w->step + 1, why);
	run_keep(r, w);
	return true;
}

/* Why a run that completed moved nothing; p NULL: it did, or nothing is known. */
static struct str zero_reason(const struct run *r)
{
	uint64_t exported = 0, dropped = 0;

	for (size_t i = 0; i < r->plan.source_count; i++) {
		exported += r->exports[i].num_export;
		dropped += r->exports[i].num_ignore;
	}
	if (exported == 0)
		return r->zero_reason;
	if (dropped < exported)
		return STR_NULL;
	return str_fmt(r->arena, "the export's filter dropped all %llu records",
		(unsigned long long)exported);
}

static bool conclude_write(struct store_conn *c, void *arg, struct err *err)
{
	struct run *r = arg;
	const struct flow_plan *p = &r->plan;

	if (r->job->type == JOB_RETRY)
		return bulk_release(c, r->job->account_id, r->job->id, r->job->ended_ms, err);
	if (r->job->status != JOB_COMPLETED)
		return true;
	for (size_t i = 0; i < p->source_count; i++)
		if (run_source_is(&p->sources[i], "delta") &&
			!store_export_state_put(c, r->job->account_id, r->job->flow_id,
				p->sources[i].id, r->job->started_ms, err))
			return false;
	return engine_chain(r->e, c, r->arena, r->job, p->flow, err);
}

/* Writes how the run ended. */
static bool conclude(struct run *r, enum run_verdict v, const struct err *failure,
	bool export_error, struct err *err)
{
	end_all(r, v == RUN_ON ? JOB_COMPLETED : v == RUN_CANCEL ? JOB_CANCELED : JOB_FAILED);
	if (v == RUN_CANCEL) {
		struct err canceled = ERR_INIT;

		err_set(&canceled, ERR_CANCELED, "the job was canceled before this was sent");
		if (!fail_page(r, &canceled, err))
			return false;
	} else if (v == RUN_FAIL) {
		size_t g = MIN(r->source_index, MAX(r->plan.source_count, 1) - 1);

		if (!fail_page(r, failure, err))
			return false;
		set_failure(r, r->job, failure);
		if (r->exports != NULL && r->plan.source_count > 0) {
			set_failure(r, &r->exports[g], failure);
			r->exports[g].num_error++;
		} else {
			r->job->num_error++;
		}
		run_add_error(r, failure, export_error ? "export" : "run", export_error);
	} else {
		r->job->zero_reason = zero_reason(r);
	}
	return run_checkpoint(r, NULL, false, conclude_write, r, err);
}

static void log_end(const struct run *r)
{
	const struct store_job *f = r->job;
	const struct job_ledger *l = &f->ledger;
	int64_t now = clock_wall_ms(r->e->cfg.clock);

	LOG(LOG_INFO, f->status == JOB_QUEUED ? "job.waits" : "job.ended", LOG_S("job", f->id),
		LOG_S("flow", f->flow_id), LOG_Z("status", job_status_word(f->status)),
		LOG_I("exported", l->exported), LOG_I("succeeded", l->succeeded),
		LOG_I("ignored", l->ignored), LOG_I("failed", l->failed),
		LOG_I("in_flight", l->in_flight),
		LOG_I("ms", f->started_ms == 0 ? 0 : now - f->started_ms),
		LOG_S("message", f->waiting_for.p != NULL ? f->waiting_for : f->error_message));
}

/* The server stops: the job goes back into the queue as it is. */
static bool requeue(struct run *r, struct err *err)
{
	r->job->status = JOB_QUEUED;
	r->job->not_before_ms = 0;
	r->job->attempts = 0;
	return run_checkpoint(r, NULL, false, NULL, NULL, err);
}

static bool give_back_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct run *r = arg;
	const struct engine_config *cfg = &r->e->cfg;

	return store_job_give_back(c, r->job,
		clock_wall_ms(cfg->clock) + cfg->lease_ms / GIVEN_BACK_PER_LEASE, r->page_damaged,
		err);
}

/* False: there is no use in another attempt. */
static bool pause_giving(struct engine *e, int64_t until)
{
	int64_t now = clock_mono_ms(clock_system());
	struct err sick = ERR_INIT;

	if (now >= until || !store_healthy(e->cfg.store, &sick))
		return false;
	WITH_LOCK(&e->lock);
	if (!atomic_load(&e->stopping))
		(void)cond_wait_until(&e->work, &e->lock, now + GIVE_BACK_EVERY_MS);
	return !atomic_load(&e->stopping);
}

/*
 * The store failed under the run, which goes on from there in a moment. A disk that is full may have
 * room again; when the store can't be told for as long as the lease is, that ends.
 */
static void give_back(struct run *r)
{
	int64_t until = clock_mono_ms(clock_system()) + r->e->cfg.lease_ms;
	struct err err = ERR_INIT;

	while (!store_write(r->e->cfg.store, give_back_write, r, &err)) {
		if (!pause_giving(r->e, until)) {
			log_err(LOG_WARN, "job.not_given_back", &err);
			return;
		}
		err_clear(&err);
	}
}

/* A page that can't be read is looked at a few times, and then put aside with its job. */
static void give_up_page(const struct run *r, struct err *err)
{
	const struct err damage = *err;

	if (!r->page_damaged || r->job->attempts < LIMIT_JOB_ATTEMPTS)
		return;
	err_clear(err);
	err_set(err, ERR_POISON, "%s; it was read %d times and is put aside", damage.message,
		LIMIT_JOB_ATTEMPTS);
	err_hint(err, "run the flow again; `integrator verify` looks whether more is damaged");
}

void run_settle(struct run *r, enum run_verdict v, struct err *err, bool export_error)
{
	struct err failed = ERR_INIT;
	bool ok = true;

	if (v == RUN_FAIL && err->code == ERR_STORE)
		give_up_page(r, err);
	if (v == RUN_FAIL && (err->code == ERR_FENCED || err->code == ERR_STORE))
		failed =
			*err; /* nothing can be written: whoever takes it next goes on from the store */
	else if (v == RUN_STOP && r->job->status != JOB_QUEUED)
		ok = requeue(r, &failed);
	else if (v == RUN_ON || v == RUN_FAIL || v == RUN_CANCEL)
		ok = conclude(r, v, err, export_error, &failed);
	if (!ok || failed.code != ERR_NONE) {
		log_err(LOG_ERROR, "job.not_recorded", &failed);
		if (failed.code == ERR_STORE)
			give_back(r);
		return;
	}
	if (r->job->type == JOB_RETRY && r->job->ended_ms != 0)
		bulk_release_rest(r->e, r->job->account_id, r->job->id);
	if (r->job->status == JOB_COMPLETED)
		atomic_fetch_add(&r->e->completed, 1);
	else if (r->job->status == JOB_FAILED)
		atomic_fetch_add(&r->e->failed, 1);
	log_end(r);
}
