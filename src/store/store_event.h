/*
 * store_event.h - events that listeners took in, until every flow that wants them has them; see store.h.
 *
 * Events of a listener (an export of type webhook) have growing sequence numbers. Each flow that it
 * feeds, disabled or not, has a place behind the last event that it took, made with the flow and
 * removed with it; events that all places have passed are removed. Without a flow all are kept.
 */
#ifndef STORE_STORE_EVENT_H
#define STORE_STORE_EVENT_H

#include "store/store_conn.h"

struct store_event {
	struct str account_id, export_id;
	int64_t seq;
	struct str event_id; /* the sender's; p NULL: none */
	int64_t received_ms;
	struct str body; /* JSON text as it was verified */
};
/*
 * Gives the event its seq. *DUPLICATE: its event_id was seen within WINDOW_MS before received_ms,
 * nothing was added, and seq is 0. WINDOW_MS 0: its event_id is not looked at. W
 */
MUST_CHECK bool store_event_add(struct store_conn *c, struct store_event *e, int64_t window_ms,
	bool *duplicate, struct err *err);
/* Events behind AFTER_SEQ in order; E lives for the call; FN returns false to stop. */
MUST_CHECK bool store_event_list(struct store_conn *c, struct str account_id, struct str export_id,
	int64_t after_seq, size_t limit, bool (*fn)(void *arg, const struct store_event *e),
	void *arg, struct err *err);
MUST_CHECK bool store_event_waiting(struct store_conn *c, struct str account_id,
	struct str export_id, int64_t after_seq, uint64_t *count, int64_t *oldest_ms,
	struct err *err);
/* How many events the flow has yet to take from all its listeners, counted up to this many. */
#define STORE_EVENT_COUNT_MAX 10000
MUST_CHECK bool store_event_waiting_of_flow(struct store_conn *c, struct str account_id,
	struct str flow_id, uint64_t *count, struct err *err);
/* Every listener that has events, of all accounts. */
MUST_CHECK bool store_event_exports(struct store_conn *c,
	bool (*fn)(void *arg, struct str account_id, struct str export_id), void *arg,
	struct err *err);
/* Forgets event ids seen before BEFORE_MS, up to LIMIT; *REMOVED is how many. W */
MUST_CHECK bool store_event_purge_seen(struct store_conn *c, int64_t before_ms, size_t limit,
	uint64_t *removed, struct err *err);

/* The flow's place becomes SEQ (never less than it was); what all flows have is removed. W */
MUST_CHECK bool store_listener_advance(struct store_conn *c, struct str account_id,
	struct str export_id, struct str flow_id, int64_t seq, struct err *err);
/* 0 when the flow has no place. */
MUST_CHECK bool store_listener_place(struct store_conn *c, struct str account_id,
	struct str export_id, struct str flow_id, int64_t *seq, struct err *err);

#endif
