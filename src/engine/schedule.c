/*
 * schedule.c - the list of scheduled flows, each with the instant it is due next.
 *
 * What an instant counts from is the latest one taken, or when the flow, or the time zone that it has from
 * its account, was changed last: a flow that was off for a week has missed nothing.
 */
#include "engine/schedule.h"

#include "core/log.h"
#include "data/cron.h"

#define FIRE_AGAIN_MS 1000 /* behind a write that the store refused */

struct scheduled {
	struct str account_id, flow_id;
	const struct json *flow;
	struct cron cron;
	const struct zone *zone;
	int64_t due_ms; /* INT64_MAX: never again */
};

struct schedules {
	struct engine *e;
	struct arena *arena; /* of the list */
	struct scheduled *list;
	size_t count, cap;
};

struct schedules *schedules_new(struct engine *e)
{
	WITH_LOCK(&e->lock); /* of the engine's arena */
	struct schedules *s = arena_new_of(e->arena, struct schedules);

	s->e = e;
	s->arena = arena_new("schedules", 0);
	return s;
}

void schedules_free(struct schedules *s)
{
	arena_free(s->arena);
}

struct reading {
	struct schedules *s;
	struct store_conn *c;
	struct arena *arena;
	struct str account_id;
	struct store_timezone zone; /* of the account */
	struct err *err;
	bool failed;
};

static bool is_real_time(struct reading *rd, const struct json *flow)
{
	struct store_resource row;
	struct err none = ERR_INIT;
	const struct json *doc;
	struct str id = json_get_str(flow, STR("_exportId"));

	return id.p != NULL &&
	       store_resource_get(rd->c, rd->arena, rd->account_id, STR("export"), id, &row,
		       &none) &&
	       json_parse_copy(rd->arena, row.document, &doc, &none) &&
	       str_eq_z(json_get_str(doc, STR("type")), "webhook");
}

static struct scheduled *new_entry(struct reading *rd)
{
	struct schedules *s = rd->s;

	if (s->count == s->cap) {
		size_t cap = MAX(s->cap * 2, (size_t)16);

		s->list = arena_grow(rd->arena, s->list, s->cap * sizeof(*s->list),
			cap * sizeof(*s->list));
		s->cap = cap;
	}
	return memset(&s->list[s->count], 0, sizeof(*s->list));
}

static bool add_flow(void *arg, const struct store_resource *row)
{
	struct reading *rd = arg;
	struct err bad = ERR_INIT;
	const struct json *flow;
	int64_t last = 0;

	if (!json_parse_copy(rd->arena, row->document, &flow, &bad))
		return true;
	struct str text = json_get_str(flow, STR("schedule")),
		   own = json_get_str(flow, STR("timezone")),
		   zone = own.p == NULL ? rd->zone.name : own;

	if (text.p == NULL || json_get_true(flow, STR("disabled")) || is_real_time(rd, flow))
		return true;
	struct scheduled *x = new_entry(rd);

	x->account_id = rd->account_id;
	x->flow_id = str_dup(rd->arena, row->id);
	x->flow = flow;
	if (!cron_parse(text, &x->cron, &bad) ||
		(zone.p != NULL && !timezone_find(zone, &x->zone, &bad))) {
		log_err(LOG_WARN, "schedule.unreadable", &bad);
		return true;
	}
	if (!store_slot_last(rd->c, row->account_id, row->id, &last, rd->err)) {
		rd->failed = true;
		return false;
	}
	last = MAX(last, row->modified_ms);
	if (own.p == NULL)
		last = MAX(last, rd->zone.since_ms);
	if (!cron_next(&x->cron, x->zone, last, &x->due_ms))
		x->due_ms = INT64_MAX;
	rd->s->count++;
	return true;
}

static bool read_account(struct reading *rd)
{
	const struct store_filter all = { .limit = 0 };

	return store_resource_list(rd->c, rd->account_id, STR("flow"), &all, add_flow, rd,
		       rd->err) &&
	       !rd->failed;
}

bool schedules_read(struct schedules *s, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_account *accounts;
	size_t n;

	arena_reset(s->arena);
	s->list = NULL;
	s->count = s->cap = 0;
	if (!store_read_begin(s->e->cfg.store, &c, err) ||
		!store_account_list(c, s->arena, &accounts, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct reading rd = { .s = s,
			.c = c,
			.arena = s->arena,
			.account_id = accounts[i].id,
			.err = err };

		if (!store_timezone_get(c, s->arena, rd.account_id, &rd.zone, err) ||
			!read_account(&rd))
			return false;
	}
	return true;
}

/* ---- due ---- */

struct firing {
	struct engine *e;
	struct arena *arena;
	const struct scheduled *x;
	int64_t due_ms, now_ms;
	bool taken;
};

static bool fire_write(struct store_conn *c, void *arg, struct err *err)
{
	struct firing *f = arg;
	const struct scheduled *x = f->x;
	const struct queue_request q = { x->account_id, x->flow_id, STR("schedule"), x->flow,
		f->due_ms };
	struct store_slot slot = { x->account_id, x->flow_id, f->due_ms, f->now_ms, STR_NULL };

	return engine_queue(f->e, c, f->arena, &q, &slot.job_id, err) &&
	       store_slot_take(c, &slot, &f->taken, err) &&
	       (f->taken || err_set(err, ERR_CONFLICT, "somebody has taken this instant"));
}

/* The latest instant that is due, from X's next one on. */
static int64_t latest_due(const struct scheduled *x, int64_t now_ms)
{
	int64_t due = x->due_ms, next;

	while (cron_next(&x->cron, x->zone, due, &next) && next <= now_ms)
		due = next;
	return due;
}

static void fire(struct schedules *s, struct scheduled *x, int64_t now_ms)
{
	struct arena *a DEFER(arena_freep) = arena_new("schedule", 0);
	struct firing f = { s->e, a, x, latest_due(x, now_ms), now_ms, false };
	struct err err = ERR_INIT;

	if (store_write(s->e->cfg.store, fire_write, &f, &err)) {
		LOG(LOG_INFO, "flow.due", LOG_S("flow", x->flow_id),
			LOG_S("due", time_iso(a, f.due_ms)), LOG_I("late_ms", now_ms - f.due_ms));
		engine_post(s->e);
	} else if (err.code != ERR_CONFLICT) {
		log_err(LOG_ERROR, "schedule.not_taken", &err);
		return; /* it is due still */
	}
	if (!cron_next(&x->cron, x->zone, MAX(f.due_ms, now_ms), &x->due_ms))
		x->due_ms = INT64_MAX;
}

int64_t schedules_fire(struct schedules *s, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i].due_ms <= now_ms)
			fire(s, &s->list[i], now_ms);
		next = MIN(next, MAX(s->list[i].due_ms, now_ms + FIRE_AGAIN_MS));
	}
	return next;
}
