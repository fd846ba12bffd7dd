/*
 * run_page.c - one page through the steps.
 *
 * Per step: make what will be sent; the intent checkpoint, which holds it together with the outcomes
 * of the step before; send; take stock. So there is one transaction a step, and at any moment the
 * store knows which records may be on their way.
 */
#include "engine/run_source.h"

#include "core/log.h"
#include "engine/offline.h"

#define OFFLINE_FIRST_PROBE_MS 5000

/* Since when: another wait for the same connection goes on with the one before. */
static struct str since(const struct run *r, struct str connection_id, int64_t now)
{
	struct str before = json_get_str(r->waited, STR("since"));

	if (before.p != NULL &&
		str_eq(json_get_str(r->waited, STR("_connectionId")), connection_id))
		return before;
	return time_iso(r->arena, now);
}

void run_wait(struct run *r, int64_t until_ms, struct str what, struct str connection_id)
{
	int64_t now = clock_wall_ms(r->e->cfg.clock);
	struct json_build b;

	json_build_init(&b, r->arena);
	json_build_object(&b);
	json_add_str(&b, STR("what"), what);
	json_add_str(&b, STR("_connectionId"), connection_id);
	json_add_str(&b, STR("since"), since(r, connection_id, now));
	json_add_str(&b, STR("until"), time_iso(r->arena, MAX(until_ms, now)));
	json_build_end(&b);
	r->job->waiting_for = json_print_arena(r->arena, json_build_done(&b));
	r->job->not_before_ms = MAX(until_ms, now);
}

/* ---- taking stock ---- */

static void count_failure(struct run *r, struct work *w, size_t i)
{
	struct run_step *s = &r->steps[w->step];

	s->job.num_error++;
	s->job.ledger.failed++;
	atomic_fetch_add(&r->e->records_failed, 1);
	/* of a retry it stops: its error is one, and says where to go on */
	w->of[i]->stopped = !s->plan->proceed_on_failure || w->of[i]->error_id.p != NULL;
	run_add_failure(r, w, i);
}

/* Was this the end of the record's way? An error that was retried is resolved then. */
static bool ends_here(struct run *r, const struct work *w, struct item *it)
{
	if (w->step + 1 < r->plan.step_count && !it->proceeded)
		return false;
	it->stopped = true;
	if (it->error_id.p != NULL)
		run_add_resolved(r, it);
	return true;
}

static void count_ignored(struct run *r, struct work *w, size_t i)
{
	struct run_step *s = &r->steps[w->step];

	s->job.num_ignore++;
	s->job.ledger.ignored++;
	ends_here(r, w, w->of[i]);
}

/* What the preparation settled, and what goes out. */
static void account_prepared(struct run *r, struct work *w)
{
	struct job_ledger *l = &r->steps[w->step].job.ledger;

	for (size_t i = 0; i < w->n; i++) {
		const struct delivery *d = &w->d[i];

		l->exported++;
		w->of[i]->settled = d->err.code != ERR_NONE || d->ignored;
		if (d->err.code != ERR_NONE)
			count_failure(r, w, i);
		else if (d->ignored)
			count_ignored(r, w, i);
		else
			l->in_flight++;
	}
}

/* A record was delivered: its form for the next step. */
static void account_delivered(struct run *r, struct work *w, size_t i)
{
	struct run_step *s = &r->steps[w->step];
	struct item *it = w->of[i];
	struct err err = ERR_INIT;

	s->job.num_success++;
	s->job.ledger.succeeded++;
	if (ends_here(r, w, it) || step_respond(s->step, &w->d[i], w->arena, &it->record, &err))
		return;
	/* delivered, so it is no failure of the step; but the next step can't have it */
	s->job.num_error++;
	it->stopped = true;
	run_add_unmapped(r, it, &w->d[i], w->step, &err);
}

static bool unfinished(const struct run *r, const struct delivery *d)
{
	bool canceled = d->err.code == ERR_CANCELED;

	return d->deferred || (canceled && !atomic_load(&r->worker->user_ends));
}

/* Folds what submit() did into counts and outcomes; those put off stay in flight. */
static void account_submitted(struct run *r, struct work *w)
{
	struct job_ledger *l = &r->steps[w->step].job.ledger;

	for (size_t i = 0; i < w->n; i++) {
		const struct delivery *d = &w->d[i];

		if (w->of[i]->settled || unfinished(r, d))
			continue;
		w->of[i]->settled = true;
		l->in_flight--;
		if (d->err.code != ERR_NONE)
			count_failure(r, w, i);
		else if (d->ignored)
			count_ignored(r, w, i);
		else
			account_delivered(r, w, i);
	}
}

/* ---- a connection that refuses, or is gone ---- */

static bool is_lookup(const struct run *r, const struct work *w)
{
	return r->steps[w->step].plan->kind == STEP_LOOKUP;
}

/* Did the application refuse us, or was it out of reach for every record? Lookups stop at the first. */
static bool looks_offline(const struct run *r, const struct work *w)
{
	size_t sent = 0, gone = 0, refused = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (w->of[i]->settled)
			continue;
		sent++;
		gone += step_is_gone(&w->d[i]);
		refused += step_is_refusal(&w->d[i]);
	}
	return refused > 0 || (gone > 0 && (gone == sent || is_lookup(r, w)));
}

/* Puts off what the offline connection refused: it waits with the job. */
static void put_off(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct delivery *d = &w->d[i];

		if (w->of[i]->settled || !(step_is_refusal(d) || step_is_gone(d)))
			continue;
		d->deferred = true;
		err_clear(&d->err);
	}
}

bool run_goes_offline(struct run *r, struct str connection_id, const struct json *connection)
{
	struct arena *a = arena_new("ping", 0); /* a long run may ping for every page */
	struct str name = json_get_str(connection, STR("name"));
	struct str why = STR_NULL;
	bool offline = connection_goes_offline(r->e, &r->env, r->plan.account_id, connection_id,
		connection, a, &why);

	if (offline)
		run_wait(r, clock_wall_ms(r->e->cfg.clock) + OFFLINE_FIRST_PROBE_MS,
			str_fmt(r->arena, "connection \"%.*s\" is offline: %.*s", STR_ARG(name),
				STR_ARG(why)),
			connection_id);
	arena_wipe(a);
	arena_free(a);
	return offline;
}

static bool goes_offline(struct run *r, struct work *w)
{
	const struct flow_step *p = r->steps[w->step].plan;

	return looks_offline(r, w) && run_goes_offline(r, p->connection_id, p->connection);
}

/* Lookups that were not asked are asked all the same when the ping answers. Are there any? */
static bool ask_rest(const struct run *r, struct work *w)
{
	bool any = false;

	for (size_t i = 0; i < w->n && is_lookup(r, w); i++) {
		any = any || w->d[i].deferred;
		w->d[i].deferred = false;
	}
	return any;
}

/* Sends; what an offline connection refused waits with the job. */
static void submit(struct run *r, struct work *w)
{
	struct err ended = ERR_INIT;

	do {
		if (!step_submit(r->steps[w->step].step, w->d, w->n, w->arena, &ended)) {
			LOG(LOG_WARN, "job.aborted", LOG_S("job", r->job->id),
				LOG_Z("message", ended.message));
			return;
		}
		if (goes_offline(r, w)) {
			put_off(w);
			return;
		}
	} while (ask_rest(r, w));
}

static int64_t longest_wait_s(const struct work *w)
{
	unsigned s = 1;

	for (size_t i = 0; i < w->n; i++)
		if (w->d[i].deferred)
			s = MAX(s, w->d[i].err.retry_after_s);
	return s;
}

static void wait_as_asked(struct run *r, const struct work *w)
{
	const struct flow_step *p = r->steps[w->step].plan;

	run_wait(r, clock_wall_ms(r->e->cfg.clock) + longest_wait_s(w) * 1000,
		str_fmt(r->arena, "%.*s asks to come back later",
			STR_ARG(json_get_str(p->connection, STR("name")))),
		p->connection_id);
}

/* What the page waits for, when anything of it does. */
static enum run_verdict verdict(struct run *r, struct work *w)
{
	bool waits = false, stopped = false;

	for (size_t i = 0; i < w->n; i++) {
		waits = waits || (w->d[i].deferred && !w->of[i]->settled);
		stopped = stopped || (!w->of[i]->settled && !w->d[i].deferred);
	}
	if (stopped)
		return RUN_STOP;
	if (!waits)
		return RUN_ON;
	if (r->job->waiting_for.p == NULL)
		wait_as_asked(r, w);
	return RUN_WAIT;
}

/* Must the step be begun again later, because its lookups were refused or put off? Nothing was sent. */
static bool prepare_waits(struct run *r, struct work *w)
{
	if (goes_offline(r, w))
		return true;
	for (size_t i = 0; i < w->n; i++) {
		if (!w->d[i].deferred)
			continue;
		wait_as_asked(r, w);
		return true;
	}
	return false;
}

/* ---- once ---- */

/* Tells the source of an export of type `once` which records it need not give again. */
static void mark_done(struct run *r, struct work *w)
{
	const struct json **records = arena_array_of(w->arena, const struct json *, MAX(w->n, 1));
	struct err *errs, failed = ERR_INIT;
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->of[i]->settled && w->d[i].err.code == ERR_NONE)
			records[n++] = w->d[i].source;
	if (n == 0)
		return;
	errs = arena_array_of(w->arena, struct err, n);
	if (!r->source_ops->mark_done(r->source, records, n, errs, &failed))
		return; /* canceled: the records come again, under the same keys */
	for (size_t i = 0; i < n; i++) {
		if (errs[i].code == ERR_NONE)
			continue;
		err_wrap(&errs[i], "the record was delivered but could not be marked as done");
		r->exports[r->source_index].num_error++;
		run_add_error(r, &errs[i], "once", true);
	}
}

static bool marks_done(const struct run *r)
{
	return r->source != NULL && r->source_ops->mark_done != NULL &&
	       str_eq_z(json_get_str(r->plan.sources[r->source_index].doc, STR("type")), "once");
}

/* ---- steps ---- */

/* False: ended, RUN_STOP (nothing of the step was begun) or RUN_FAIL. */
static enum run_verdict begin_step(struct run *r, struct work *w, uint32_t k, struct err *err)
{
	struct err ended = ERR_INIT;

	w->fresh = false;
	work_begin_step(w, k, r->job->id);
	retry_keep_requests(r, w);
	if (!step_prepare(r->steps[k].step, w->d, w->n, w->arena, &ended)) {
		w->fresh = true;
		return RUN_STOP;
	}
	retry_keep_keys(w);
	if (prepare_waits(r, w)) {
		w->fresh = true;
		return RUN_WAIT;
	}
	account_prepared(r, w);
	return run_checkpoint(r, w, false, NULL, NULL, err) ? RUN_ON : RUN_FAIL;
}

static enum run_verdict use_step(struct run *r, struct work *w, uint32_t k, bool ready,
	struct err *err)
{
	enum run_verdict v = ready ? RUN_ON : begin_step(r, w, k, err);

	if (v != RUN_ON)
		return v;
	submit(r, w);
	account_submitted(r, w);
	run_record(r, w);
	v = verdict(r, w);
	if (v == RUN_ON)
		r->steps[k].job.pages_processed++;
	/* also when the page waits: what was delivered is not among its deliveries when it goes on */
	if (v != RUN_STOP && k + 1 == r->plan.step_count && marks_done(r))
		mark_done(r, w);
	return v;
}

/* The step's connection is used by one run at a time, page by page. */
static enum run_verdict pass_step(struct run *r, struct work *w, uint32_t k, bool ready,
	struct err *err)
{
	struct turn *turn = turn_acquire(r->e->turns, r->plan.steps[k].connection_id,
		&r->worker->canceled);

	if (turn == NULL) { /* canceled while it waited: nothing of the step was begun, or sent */
		w->fresh = !ready;
		w->step = k;
		return RUN_STOP;
	}
	enum run_verdict v = use_step(r, w, k, ready, err);

	turn_release(r->e->turns, turn);
	return v;
}

void run_keep(struct run *r, struct work *w)
{
	w->next = r->before;
	r->before = w;
}

/* What is left of the page stays in the store, and the job goes into the queue. */
static enum run_verdict leave_page(struct run *r, struct work *w, enum run_verdict v,
	struct err *err)
{
	bool canceled = atomic_load(&r->worker->user_ends);

	r->job->attempts = 0;
	if (!canceled)
		r->job->status = JOB_QUEUED;
	run_keep(r, w);
	if (!run_checkpoint(r, w, true, NULL, NULL, err))
		return RUN_FAIL;
	return canceled ? RUN_CANCEL : v;
}

enum run_verdict run_page(struct run *r, struct work *w, bool resumed, struct err *err)
{
	enum run_verdict v = RUN_ON;
	bool ready = resumed && !w->fresh;

	for (uint32_t k = w->step; k < r->plan.step_count && v == RUN_ON; k++, ready = false)
		v = pass_step(r, w, k, ready, err);
	if (v == RUN_WAIT || v == RUN_STOP)
		return leave_page(r, w, v, err);
	run_keep(r, w);
	if (v == RUN_FAIL)
		return v;
	r->page_settled = true;
	atomic_fetch_add(&r->e->pages, 1);
	atomic_fetch_add(&r->e->records, w->count);
	r->job->attempts = 0; /* it got on */
	r->waited = NULL;
	return atomic_load(&r->worker->user_ends) ? RUN_CANCEL : RUN_ON;
}
