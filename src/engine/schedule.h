/*
 * schedule.h - flows that run by themselves: which are due, and taking the instant.
 *
 * An instant of a flow is a row with a unique key: whoever adds it queues the run, in one
 * transaction, so that no instant is run twice, by this process or another, whatever the clocks do.
 * An instant that was missed while the server was down is run once, late: the latest of those
 * missed. Used by one thread.
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include "engine/engine_priv.h"

struct schedules;

struct schedules *schedules_new(struct engine *e);
void schedules_free(struct schedules *s);
/* Reads the flows of all accounts again. ERR_STORE. */
MUST_CHECK bool schedules_read(struct schedules *s, struct err *err);
/* Queues what is due at NOW_MS (wall). Returns when to come again; INT64_MAX: nothing is scheduled. */
int64_t schedules_fire(struct schedules *s, int64_t now_ms);

#endif
