/*
 * auto_retry.c - errors that may have passed by themselves are tried again by themselves: a retry job for
 * each flow that has some, so that they go in their order and behind the flow's other jobs.
 */
#include "engine/auto_retry.h"

#include "core/log.h"
#include "engine/bulk.h"
#include "engine/retry_ask.h"

#define FLOWS_A_TURN 100

struct due {
	struct arena *arena;
	struct {
		struct str account_id, flow_id;
	} list[FLOWS_A_TURN];
	size_t count;
};

static bool add_flow(void *arg, struct str account_id, struct str flow_id)
{
	struct due *d = arg;

	d->list[d->count].account_id = str_dup(d->arena, account_id);
	d->list[d->count++].flow_id = str_dup(d->arena, flow_id);
	return d->count < FLOWS_A_TURN;
}

void auto_retry_run(struct engine *e)
{
	struct arena *a DEFER(arena_freep) = arena_new("retries", 0);
	struct due *d = arena_new_of(a, struct due);
	struct store_conn *c = NULL;
	struct err err = ERR_INIT, busy = ERR_INIT;
	int64_t now = clock_wall_ms(e->cfg.clock);

	d->arena = a;
	if (!bulk_begin(e, false, &busy))
		return; /* the timer does not wait: soon again */
	bool ok = store_read_begin(e->cfg.store, &c, &err) &&
		  store_error_due(c, now, FLOWS_A_TURN, add_flow, d, &err);

	store_read_end(c);
	for (size_t i = 0; ok && i < d->count; i++) {
		const struct retry_ask ask = { .filter = { .flow_id = d->list[i].flow_id,
						       .state = ERRORS_OPEN,
						       .due_lte_ms = now },
			.by = STR_INIT("automatic") };
		struct retry_jobs jobs;

		ok = retry_ask(e, d->list[i].account_id, &ask, 1, a, &jobs, &err);
	}
	bulk_end(e);
	if (!ok)
		log_err(LOG_WARN, "retry.not_queued", &err);
}
