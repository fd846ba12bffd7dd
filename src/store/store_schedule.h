/*
 * store_schedule.h - scheduled instants that were taken, how far delta exports came, and
 * which connections are probed; see store.h.
 */
#ifndef STORE_STORE_SCHEDULE_H
#define STORE_STORE_SCHEDULE_H

#include "store/store_conn.h"

struct store_slot {
	struct str account_id, flow_id;
	int64_t due_ms, taken_ms;
	struct str job_id; /* the run that it became, or that was queued already */
};
/* *TAKEN is false when somebody had it: an instant of a flow is taken once, by one. W */
MUST_CHECK bool store_slot_take(struct store_conn *c, const struct store_slot *s, bool *taken,
	struct err *err);
/* The latest instant of the flow that was taken; 0: none. */
MUST_CHECK bool store_slot_last(struct store_conn *c, struct str account_id, struct str flow_id,
	int64_t *due_ms, struct err *err);
/* The same with the run that it became; due_ms 0: none. */
MUST_CHECK bool store_slot_latest(struct store_conn *c, struct arena *a, struct str account_id,
	struct str flow_id, struct store_slot *out, struct err *err);
/* Forgets those taken before BEFORE_MS but the last of each flow, up to LIMIT. W */
MUST_CHECK bool store_slot_purge(struct store_conn *c, int64_t before_ms, size_t limit,
	struct err *err);

/* When the last complete run of this export in this flow began; 0: never. */
MUST_CHECK bool store_export_state_get(struct store_conn *c, struct str account_id,
	struct str flow_id, struct str export_id, int64_t *last_export_ms, struct err *err);
MUST_CHECK bool store_export_state_put(struct store_conn *c, struct str account_id,
	struct str flow_id, struct str export_id, int64_t last_export_ms, struct err *err); /* W */

/* A connection that went offline by itself and is probed until it answers. */
struct store_probe {
	struct str account_id, connection_id;
	int64_t due_ms;   /* when next */
	int64_t pause_ms; /* from then on to the one behind, if it does not answer */
};
/* Adds or replaces. W */
MUST_CHECK bool store_probe_put(struct store_conn *c, const struct store_probe *p, int64_t since_ms,
	struct err *err);
MUST_CHECK bool store_probe_remove(struct store_conn *c, struct str account_id,
	struct str connection_id, struct err *err); /* W; none is no error */
MUST_CHECK bool store_probe_get(struct store_conn *c, struct str account_id,
	struct str connection_id, bool *there, struct err *err);
/* Writes due_ms and pause_ms. W; none is no error */
MUST_CHECK bool store_probe_move(struct store_conn *c, const struct store_probe *p,
	struct err *err);
/* Those of all accounts that are due, the longest due first. */
MUST_CHECK bool store_probe_due(struct store_conn *c, int64_t now_ms, size_t limit,
	bool (*fn)(void *arg, const struct store_probe *p), void *arg, struct err *err);

#endif
