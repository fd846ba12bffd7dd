/*
 * waits.c - what a job waits for at this moment. A job that was put aside says so in its row; of the
 * others it follows from what stands before them in the queue, or is told by their adaptors while they work.
 */
#include "engine/engine_priv.h"

void worker_waits(void *ctx, int64_t until_ms, const char *why)
{
	struct worker *w = ctx;
	struct engine *e = w->engine;
	int64_t now = clock_wall_ms(e->cfg.clock);
	bool begins;
	char account_id[ID_LEN + 1], job_id[ID_LEN + 1];

	mutex_lock(&e->lock);
	begins = w->wait.until_ms <= now;
	if (begins)
		w->wait.since_ms = now;
	if (until_ms > w->wait.until_ms) {
		w->wait.until_ms = until_ms;
		snprintf(w->wait.what, sizeof(w->wait.what), "%s", why);
	}
	memcpy(account_id, w->account_id, sizeof(account_id));
	memcpy(job_id, w->job_id, sizeof(job_id));
	mutex_unlock(&e->lock);
	if (begins)
		engine_changed(e, str_z(account_id), str_z(job_id));
}

static struct str print(struct arena *a, struct str what, struct str job_id, int64_t since_ms,
	int64_t until_ms)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("what"), what);
	json_add_str(&b, STR("_jobId"), job_id);
	json_add_str(&b, STR("since"), time_iso(a, since_ms));
	if (until_ms != 0)
		json_add_str(&b, STR("until"), time_iso(a, until_ms));
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

/* A job of this process that is in work. */
static struct str in_work(struct engine *e, struct arena *a, const struct store_job *j)
{
	struct wait_note note = { .until_ms = 0 };
	int64_t now = clock_wall_ms(e->cfg.clock);

	mutex_lock(&e->lock);
	for (unsigned i = 0; i < e->worker_count; i++)
		if (str_eq_z(j->id, e->workers[i].job_id))
			note = e->workers[i].wait;
	mutex_unlock(&e->lock);
	if (note.until_ms <= now)
		return STR_NULL;
	return print(a, str_z(note.what), STR_NULL, note.since_ms, note.until_ms);
}

static struct str in_queue(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j)
{
	int64_t since = j->started_ms == 0 ? j->created_ms : j->modified_ms;
	struct store_job before;
	struct err err = ERR_INIT;

	if (j->not_before_ms > clock_wall_ms(e->cfg.clock))
		return print(a, STR("the store, which failed while the job was at work"), STR_NULL,
			j->modified_ms, j->not_before_ms);
	if (store_job_before(c, a, j, &before, &err)) {
		bool waits = before.status == JOB_QUEUED;

		return print(a,
			waits ? STR("another run of this flow, which waits itself")
			      : STR("another run of this flow goes on"),
			before.id, since, waits ? before.not_before_ms : 0);
	}
	return print(a,
		str_fmt(a, "a free worker: %u job%s worked at a time (--workers)", e->worker_count,
			e->worker_count == 1 ? " is" : "s are"),
		STR_NULL, since, 0);
}

struct str engine_waits_for(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j)
{
	if (j->canceled_by.p != NULL)
		return STR_NULL;
	/* while it is at work its row has still what it waited for */
	if (j->status == JOB_QUEUED && j->waiting_for.p != NULL)
		return j->waiting_for;
	if (j->type != JOB_FLOW && j->type != JOB_RETRY)
		return STR_NULL;
	if (j->status == JOB_QUEUED)
		return in_queue(e, c, a, j);
	return j->status == JOB_RUNNING || j->status == JOB_RETRYING ? in_work(e, a, j) : STR_NULL;
}
