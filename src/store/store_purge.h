/*
 * store_purge.h - what is too old, or too much, is forgotten in bounded slices; see store.h.
 */
#ifndef STORE_STORE_PURGE_H
#define STORE_STORE_PURGE_H

#include "store/store_conn.h"

/*
 * Removes jobs that have ended and whose purge_ms has come, with their children, errors, retry data
 * and pages: at most LIMIT errors and LIMIT jobs. *REMOVED: rows gone; 0: nothing is due. A job whose
 * errors a retry is at stays until that has ended. W
 */
MUST_CHECK bool store_job_purge(struct store_conn *c, int64_t now_ms, size_t limit,
	uint64_t *removed, struct err *err);
/* Forgets configurations made before BEFORE_MS that no job refers to any more, up to LIMIT. W */
MUST_CHECK bool store_config_purge(struct store_conn *c, int64_t before_ms, size_t limit,
	struct err *err);

/* Characters of all retry data and of what is kept of requests and answers with errors. Reads them all. */
MUST_CHECK bool store_evidence_size(struct store_conn *c, uint64_t *size, struct err *err);
struct store_evidence {
	struct str account_id, error_id, retry_id; /* retry_id: p NULL for none */
	uint64_t size;
};
/* Up to LIMIT errors that have such data, the resolved before the open, then the oldest first. None that a
 * retry is at. In the arena. Reads all errors. */
MUST_CHECK bool store_evidence_list(struct store_conn *c, struct arena *a, size_t limit,
	struct store_evidence **out, size_t *count, struct err *err);
/* The errors stay, without these data: they can't be tried again. W */
MUST_CHECK bool store_evidence_remove(struct store_conn *c, const struct store_evidence *list,
	size_t count, struct err *err);

#endif
