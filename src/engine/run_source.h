/*
 * run_source.h - where a run's records come from: the exports of its flow, the events of a listener, the
 * errors of a retry.
 */
#ifndef ENGINE_RUN_SOURCE_H
#define ENGINE_RUN_SOURCE_H

#include "engine/run.h"

/* ---- run_source.c ---- */

bool run_source_is(const struct flow_source *s, const char *type); /* "delta", "once" ... */
/* Where the present source goes on: {"from": its cursor or null, "skip": records of it done}. */
MUST_CHECK bool run_read_place(struct run *r, struct str *from, size_t *skip, struct err *err);
MUST_CHECK bool run_open_adaptor_source(struct run *r, const struct flow_source *s,
	struct str cursor, struct err *err);
/* Passes on all pages of the present source and those behind it. *EXPORT_ERROR: ERR is the source's. */
enum run_verdict run_drain(struct run *r, struct str from, size_t skip, bool *export_error,
	struct err *err);
void run_stop_source(struct run *r, bool hurry);
/* A source that asks to come back later, or whose connection goes offline, makes the job wait, not fail:
 * does it? */
bool run_source_waits(struct run *r, const struct err *err);

/* ---- retry.c ---- */

extern const struct source_ops retry_source_ops;
MUST_CHECK bool retry_source_open(struct run *r, size_t page_size, struct str cursor,
	struct source **out, struct err *err);
/* Unwraps the records that a retry's source yields. */
void retry_unwrap(const struct run *r, struct work *w);
/* Makes what the next step gets of those that had been delivered before that failed. */
void retry_respond(struct run *r, struct work *w);
/* Behind work_begin_step(): what is known to have been sent before is sent again, to the byte. */
void retry_keep_requests(const struct run *r, struct work *w);
/* Behind step_prepare(): what makes the same request as the attempt that failed has its key. */
void retry_keep_keys(struct work *w);

/* ---- listener.c ---- */

extern const struct source_ops listener_source_ops;
MUST_CHECK bool listener_source_open(struct run *r, const struct flow_source *s, struct str cursor,
	struct source **out, struct err *err);
/* Of the last event that was read; when the source has ended. */
int64_t listener_source_seq(const struct source *s);
/* The sequence number of the last event that a page with this cursor took; 0: none. */
int64_t listener_cursor_seq(struct arena *a, struct str page_cursor);

#endif
