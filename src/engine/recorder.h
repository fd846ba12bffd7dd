/*
 * recorder.h - what happened to each record: a ring of files, written as pages pass their steps.
 *
 * A line of JSON for each page and step: the records as they came, what was sent, how each ended. The
 * files hold a budget of bytes together, the oldest goes first. The recorder is for people who ask
 * afterwards; it is not part of any promise: lines are not synced, and a disk that takes none only stops
 * the recording. Looking up scans, newest first. Any thread.
 */
#ifndef ENGINE_RECORDER_H
#define ENGINE_RECORDER_H

#include "core/buf.h"

#define RECORDER_SEGMENTS 16 /* files that the budget is cut into */

struct recorder;

/* DIR is made when absent (0700). BUDGET_BYTES 0: nothing is recorded. ERR_IO. */
MUST_CHECK bool recorder_open(const char *dir, uint64_t budget_bytes, struct recorder **out,
	struct err *err);
void recorder_close(struct recorder *r); /* NULL is allowed */
bool recorder_on(const struct recorder *r);

/* LINE has no line feed in it; one is added. */
void recorder_add(struct recorder *r, struct str line);

/*
 * Calls FN with each line that holds both NEEDLES, the newest first, until it returns false. Lines live
 * for the call. Reads at most the budget; blocks on the disk. ERR_IO.
 */
MUST_CHECK bool recorder_find(struct recorder *r, const struct str needles[2],
	bool (*fn)(void *arg, struct str line), void *arg, struct err *err);

#endif
