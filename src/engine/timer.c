/*
 * timer.c - the engine's clockwork: one thread that fires schedules, renews leases, takes up jobs
 * whose lease has ended, and forgets what is too old. It waits for no application.
 *
 * It sleeps until the next of these is due, but never long: the wall clock may jump.
 */
#include "core/log.h"
#include "engine/auto_retry.h"
#include "engine/bulk.h"
#include "engine/listener.h"
#include "engine/offline.h"
#include "engine/retention.h"
#include "engine/schedule.h"
#include "engine/timer.h"

#define SLEEP_MAX_MS    1000
#define PURGE_EVERY_MS  60000
#define PURGE_ROWS      1000
#define PURGE_PARTS     300
#define SEEN_KEPT_MS    ((int64_t)7 * 24 * 3600 * 1000) /* the largest webhook.dedupeWindow */
#define SLOTS_KEPT_MS   ((int64_t)30 * 24 * 3600 * 1000)
#define CONFIGS_KEPT_MS ((int64_t)24 * 3600 * 1000)
#define RESUME_EVERY_MS 30000
#define BUDGET_EVERY_MS ((int64_t)600000)
#define RETRY_EVERY_MS  15000
#define READ_AGAIN_MS   1000 /* behind a failure to read the flows */

struct timer {
	struct engine *e;
	struct schedules *schedules;
	/* monotonic: when next; read_ms: the flows again, INT64_MAX: not */
	int64_t beat_ms, purge_ms, resume_ms, budget_ms, retry_ms, read_ms;
	uint64_t reclaimed, purged, moved;
};

/*
 * The jobs in work, as a JSON array. One that was given up because its end could not be recorded is not
 * among them: its lease ends, and it is taken up again.
 */
static struct str jobs_in_work(struct engine *e, struct arena *a)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_array(&b);
	WITH_LOCK(&e->lock);
	for (unsigned i = 0; i < e->worker_count; i++)
		if (e->workers[i].job_id[0] != '\0')
			json_build_str(&b, str_dup(a, str_z(e->workers[i].job_id)));
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

static bool beat_write(struct store_conn *c, void *arg, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("heartbeat", 0);
	struct timer *t = arg;
	int64_t now = clock_wall_ms(t->e->cfg.clock);

	return store_job_set_clock(c, now, t->e->cfg.lease_ms, &t->moved, err) &&
	       store_job_heartbeat(c, id_str(&t->e->owner), jobs_in_work(t->e, a),
		       now + t->e->cfg.lease_ms, err) &&
	       store_job_reclaim(c, now, STR_NULL, &t->reclaimed, err);
}

static bool purge_write(struct store_conn *c, void *arg, struct err *err)
{
	struct timer *t = arg;
	int64_t now = clock_wall_ms(t->e->cfg.clock);
	uint64_t removed;

	return store_slot_purge(c, now - SLOTS_KEPT_MS, PURGE_ROWS, err) &&
	       store_idempotency_purge(c, now, PURGE_ROWS, &removed, err) &&
	       store_config_purge(c, now - CONFIGS_KEPT_MS, PURGE_ROWS, err);
}

static bool purge_seen_write(struct store_conn *c, void *arg, struct err *err)
{
	struct timer *t = arg;

	return store_event_purge_seen(c, clock_wall_ms(t->e->cfg.clock) - SEEN_KEPT_MS, PURGE_ROWS,
		&t->purged, err);
}

static void write_or_log(struct timer *t, store_fn fn, const char *event)
{
	struct err err = ERR_INIT;

	if (!store_write(t->e->cfg.store, fn, t, &err))
		log_err(LOG_ERROR, event, &err);
}

/* Ids of events come by the thousand a second: they go in parts, so that other writes pass between. */
static void purge(struct timer *t)
{
	write_or_log(t, purge_write, "purge.failed");
	for (int i = 0; i < PURGE_PARTS && !atomic_load(&t->e->stopping); i++) {
		t->purged = 0;
		write_or_log(t, purge_seen_write, "purge.failed");
		if (t->purged < PURGE_ROWS)
			return;
	}
}

static bool is_due(int64_t *at_ms, int64_t every_ms)
{
	int64_t now = clock_mono_ms(clock_system());

	if (now < *at_ms)
		return false;
	*at_ms = now + every_ms;
	return true;
}

static bool take_look(struct engine *e)
{
	WITH_LOCK(&e->lock);
	bool look = e->look;

	e->look = false;
	return look;
}

static void read_flows(struct timer *t)
{
	struct err err = ERR_INIT;

	t->read_ms = INT64_MAX;
	if (!schedules_read(t->schedules, &err)) {
		log_err(LOG_ERROR, "schedules.not_read", &err);
		t->read_ms = clock_mono_ms(clock_system()) + READ_AGAIN_MS;
	}
	listeners_resume(t->e);
}

static void turn(struct timer *t, int64_t *next_ms)
{
	if (take_look(t->e) || clock_mono_ms(clock_system()) >= t->read_ms)
		read_flows(t);
	else if (is_due(&t->resume_ms, RESUME_EVERY_MS))
		listeners_resume(t->e); /* what a failed start left waiting */
	if (is_due(&t->beat_ms, t->e->cfg.lease_ms / BEATS)) {
		write_or_log(t, beat_write, "lease.not_renewed");
		if (t->reclaimed > 0 || t->moved > 0)
			engine_post(t->e);
	}
	if (is_due(&t->retry_ms, RETRY_EVERY_MS)) {
		bulk_do_left(t->e);
		auto_retry_run(t->e);
	}
	if (is_due(&t->purge_ms, PURGE_EVERY_MS)) {
		purge(t);
		if (retention_slice(t->e))
			t->purge_ms = 0; /* more is due: go on with the next turn */
	}
	if (t->e->cfg.evidence_max > 0 && is_due(&t->budget_ms, BUDGET_EVERY_MS))
		retention_evidence(t->e);
	*next_ms = schedules_fire(t->schedules, clock_wall_ms(t->e->cfg.clock));
}

void *timer_main(void *arg)
{
	struct engine *e = arg;
	struct timer t = { .e = e, .schedules = schedules_new(e), .read_ms = INT64_MAX };
	int64_t now = clock_mono_ms(clock_system()), next = INT64_MAX;

	t.beat_ms = now + e->cfg.lease_ms / BEATS;
	t.resume_ms = now + RESUME_EVERY_MS;
	while (!atomic_load(&e->stopping)) {
		turn(&t, &next);
		WITH_LOCK(&e->lock);
		int64_t left = next - clock_wall_ms(e->cfg.clock);

		if (!e->look && !atomic_load(&e->stopping) && left > 0)
			(void)cond_wait_until(&e->tick, &e->lock,
				clock_mono_ms(clock_system()) +
					MIN(left, MIN(SLEEP_MAX_MS, e->cfg.lease_ms / BEATS)));
	}
	schedules_free(t.schedules);
	return NULL;
}

/* A listener's run could go on for ever with the documents that it began with. */
static void run_of_old_documents_ends(struct engine *e)
{
	WITH_LOCK(&e->lock);
	atomic_fetch_add(&e->changes, 1);
	cond_broadcast(&e->events);
}

void engine_resource_changed(struct engine *e, struct str account_id, struct str type,
	struct str id)
{
	run_of_old_documents_ends(e);
	if (str_eq_z(type, "flow") || str_eq_z(type, "export") || str_eq_z(type, "profile"))
		engine_look(e);
	else if (str_eq_z(type, "connection"))
		connection_is_back(e, account_id, id);
}

void engine_look(struct engine *e)
{
	WITH_LOCK(&e->lock);
	e->look = true;
	cond_signal(&e->tick);
}
