/*
 * job_work.c - one run of a flow, from claim to end, in straight-line code.
 *
 * A run begins where its job says: with the page in work that an earlier attempt left, then behind
 * the cursor. It ends completed, failed or canceled, or goes back into the queue to wait.
 */
#include "engine/listener.h"
#include "engine/run_source.h"

#include "core/limits.h"
#include "core/log.h"

#define OFFLINE_LOOK_MS 300000 /* a job looks itself when no probe has woken it by then */

/* ---- children ---- */

static struct store_job child(const struct run *r, enum job_type type, struct str step_id,
	uint32_t order)
{
	struct store_job j = { .type = type, .status = JOB_RUNNING, .order_index = order };

	j.id = run_new_id(r, r->arena);
	j.account_id = r->job->account_id;
	j.flow_id = r->job->flow_id;
	j.flow_job_id = r->job->id;
	j.integration_id = r->job->integration_id;
	j.created_ms = j.started_ms = j.modified_ms = clock_wall_ms(r->e->cfg.clock);
	j.purge_ms = r->job->purge_ms;
	if (type == JOB_EXPORT)
		j.export_id = step_id;
	else
		j.import_id = step_id;
	return j;
}

struct store_job *run_child_at(struct run *r, size_t i)
{
	return i < r->plan.source_count ? &r->exports[i] : &r->steps[i - r->plan.source_count].job;
}

static bool find_children(struct run *r, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job *there;
	size_t n, want = r->plan.source_count + r->plan.step_count;

	if (!store_read_begin(r->e->cfg.store, &c, err) ||
		!store_job_children(c, r->arena, r->job->account_id, r->job->id, &there, &n, err))
		return false;
	r->children_exist = n > 0;
	if (n == 0)
		return true;
	if (n != want) { /* none of a store that this program wrote */
		r->exports = NULL;
		r->steps = NULL;
		return err_set(err, ERR_FLOW,
			"the flow has other steps than when this run began: %zu, not %zu", want, n);
	}
	for (size_t i = 0; i < n; i++) {
		*run_child_at(r, i) = there[i];
		run_child_at(r, i)->status = JOB_RUNNING;
	}
	return true;
}

static bool make_children(struct run *r, struct err *err)
{
	const struct flow_plan *p = &r->plan;

	r->exports = arena_array_of(r->arena, struct store_job, MAX(p->source_count, 1));
	r->shapes = arena_array_of(r->arena, struct shape *, MAX(p->source_count, 1));
	r->steps = arena_array_of(r->arena, struct run_step, p->step_count);
	for (size_t i = 0; i < p->source_count; i++)
		r->exports[i] = child(r, JOB_EXPORT, p->sources[i].id, (uint32_t)i);
	for (size_t i = 0; i < p->step_count; i++) {
		const struct flow_step *s = &p->steps[i];

		r->steps[i].plan = s;
		r->steps[i].job = child(r, s->kind == STEP_IMPORT ? JOB_IMPORT : JOB_EXPORT, s->id,
			(uint32_t)(p->source_count + i));
	}
	return find_children(r, err);
}

/* ---- begin ---- */

static bool open_steps(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->plan.step_count; i++) {
		const struct flow_step *s = &r->plan.steps[i];
		struct step_config cfg = { .env = &r->env,
			.kind = s->kind,
			.doc = s->doc,
			.connection = s->connection,
			.response_mapping = s->response_mapping,
			.debug = r->e->debug };

		if (!step_open(&cfg, &r->steps[i].step, err))
			return err_wrap(err, "%s \"%.*s\"",
				s->kind == STEP_IMPORT ? "import" : "export", STR_ARG(s->name));
	}
	return true;
}

static bool is_poison(const struct run *r)
{
	return r->job->attempts > LIMIT_JOB_ATTEMPTS;
}

static bool fail_poison(struct err *err)
{
	err_set(err, ERR_POISON,
		"the job was begun %d times and ended the server each time before it got on; it is "
		"put aside",
		LIMIT_JOB_ATTEMPTS);
	return err_hint(err, "retry its open errors one by one, or run the flow again");
}

static bool keep_config(struct store_conn *c, void *arg, struct err *err)
{
	struct run *r = arg;

	return store_config_put(c, r->job->account_id, r->job->config_hash, r->job->started_ms,
		r->plan.config, err);
}

/*
 * The documents that the job began with. Somebody may also have asked for its end behind the claim,
 * before this worker could be told: that is in the store.
 */
static bool read_config(struct run *r, struct str *config, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job now;

	*config = STR_NULL;
	if (!store_read_begin(r->e->cfg.store, &c, err) ||
		!store_job_get(c, r->arena, r->job->account_id, r->job->id, &now, err))
		return false;
	r->job->canceled_by = now.canceled_by;
	return r->job->config_hash.p == NULL ||
	       store_config_get(c, r->arena, r->job->account_id, r->job->config_hash, config, err);
}

/* That it is offline, and why where that was seen by the wait before. */
static struct str offline_words(const struct run *r, struct str id, struct str name)
{
	struct str words = str_fmt(r->arena, "connection \"%.*s\" is offline", STR_ARG(name));
	struct str before = json_get_str(r->waited, STR("what"));

	return str_eq(json_get_str(r->waited, STR("_connectionId")), id) &&
			       str_starts(before, words)
		       ? before
		       : words;
}

/* An offline connection makes the job wait; nothing fails. */
static bool must_wait(struct run *r)
{
	struct str name, id = flow_plan_offline(&r->plan, &name);

	if (id.p == NULL)
		return false;
	run_wait(r, clock_wall_ms(r->e->cfg.clock) + OFFLINE_LOOK_MS, offline_words(r, id, name),
		id);
	r->job->status = JOB_QUEUED;
	r->job->attempts = 0;
	return true;
}

/* A run that has not begun has no children, and no documents of its own. */
static enum run_verdict begin(struct run *r, struct err *err)
{
	struct str config;
	bool first = r->job->config_hash.p == NULL;

	if (!read_config(r, &config, err) || !flow_plan_read(r->e, r->arena, r->job->account_id,
						     r->job->flow_id, config, &r->plan, err))
		return RUN_FAIL;
	if (!is_poison(r) && r->job->canceled_by.p == NULL && must_wait(r))
		return run_checkpoint(r, NULL, false, NULL, NULL, err) ? RUN_WAIT : RUN_FAIL;
	if (!make_children(r, err) || (is_poison(r) && !fail_poison(err)) ||
		!flow_plan_complete(&r->plan, err))
		return RUN_FAIL;
	if (r->job->canceled_by.p != NULL)
		return RUN_CANCEL;
	if ((first && !flow_plan_check(r->e, r->arena, &r->plan, err)) || !open_steps(r, err))
		return RUN_FAIL;
	r->job->config_hash = str_z(r->plan.config_hash);
	return !first || run_checkpoint(r, NULL, false, keep_config, r, err) ? RUN_ON : RUN_FAIL;
}

bool run_read_page(struct run *r, struct work **w, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_page row;
	bool found;

	*w = NULL;
	if (!store_read_begin(r->e->cfg.store, &c, err) ||
		!store_page_get(c, r->arena, r->job->account_id, r->job->id, &row, &found, err))
		return false;
	r->page_in_store = found;
	buf_reset(&r->page_body);
	if (found)
		buf_add_str(&r->page_body,
			row.body); /* the recorder's, as if it were written now */
	r->page_damaged = found && !work_read(&row, w, err);
	return !r->page_damaged;
}

/* Passes on the page that an earlier attempt left in the store. */
static enum run_verdict resume_page(struct run *r, struct err *err)
{
	const struct flow_source *s = &r->plan.sources[r->source_index];
	struct work *w;

	if (!run_read_page(r, &w, err))
		return RUN_FAIL;
	if (w == NULL)
		return RUN_ON;
	LOG(LOG_INFO, "job.page_resumed", LOG_S("job", r->job->id), LOG_I("page", w->number),
		LOG_I("records", w->n));
	/* an export of type `once` is told of what is delivered */
	if (r->job->type != JOB_RETRY && run_source_is(s, "once") &&
		!run_open_adaptor_source(r, s, STR_NULL, err)) {
		work_free(w);
		return RUN_FAIL;
	}
	enum run_verdict v = run_page(r, w, true, err);

	run_stop_source(r, false);
	return v;
}

static enum run_verdict run(struct run *r, bool *export_error, struct err *err)
{
	enum run_verdict v = begin(r, err);
	struct str from;
	size_t skip;

	if (v != RUN_ON)
		return v;
	if (!run_read_place(r, &from, &skip, err))
		return RUN_FAIL;
	v = resume_page(r, err);
	if (v == RUN_ON)
		v = run_drain(r, from, skip, export_error, err);
	if (v == RUN_FAIL && *export_error && run_source_waits(r, err)) {
		err_clear(err);
		v = run_checkpoint(r, NULL, false, NULL, NULL, err) ? RUN_WAIT : RUN_FAIL;
	}
	return v;
}

/* What it waited for is over, unless it is found to wait still. */
static void take_wait(struct run *r)
{
	struct str text = r->job->waiting_for;
	struct err damaged = ERR_INIT;

	if (text.p != NULL && !json_parse_copy(r->arena, text, &r->waited, &damaged))
		r->waited = NULL;
	r->job->waiting_for = STR_NULL;
}

static void close_run(struct run *r)
{
	run_stop_source(r, true);
	for (size_t i = 0; r->steps != NULL && i < r->plan.step_count; i++)
		step_close(r->steps[i].step);
	run_forget(r);
	buf_free(&r->page_body);
	arena_free(r->outcome_arena);
	arena_free(r->cursor_arena);
	arena_free(r->cursor_spare);
}

void job_work(struct worker *w, struct store_job *job, struct arena *a)
{
	struct run r = { .e = w->engine,
		.worker = w,
		.job = job,
		.arena = a,
		.env = engine_env(w->engine, job->account_id),
		.cursor = job->cursor,
		.changes = atomic_load(&w->engine->changes),
		.cursor_arena = arena_new("cursor", 0),
		.cursor_spare = arena_new("cursor", 0),
		.outcome_arena = arena_new("checkpoint", 0),
		.page_body = BUF_INIT(0) };
	struct err err = ERR_INIT;
	bool export_error = false;

	r.env.canceled = &w->canceled;
	r.env.waits = worker_waits;
	r.env.waits_ctx = w;
	take_wait(&r);
	LOG(LOG_INFO, "job.started", LOG_S("job", job->id), LOG_S("flow", job->flow_id),
		LOG_I("attempt", job->attempts));
	enum run_verdict v = run(&r, &export_error, &err);

	run_settle(&r, v, &err, export_error);
	close_run(&r);
	if (job->type == JOB_FLOW && job->status != JOB_QUEUED && r.plan.source_count > 0 &&
		flow_source_is_listener(&r.plan.sources[0]))
		listener_ended(w->engine, job->account_id, r.plan.sources[0].id);
}
