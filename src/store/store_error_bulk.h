/*
 * store_error_bulk.h - many errors at once: listing, counting, resolving, handing them to a retry; see
 * store.h.
 */
#ifndef STORE_STORE_ERROR_BULK_H
#define STORE_STORE_ERROR_BULK_H

#include "store/store_error.h"

enum error_state { ERRORS_OPEN, ERRORS_RESOLVED, ERRORS_ALL };

/* Which errors. One of job_id, flow_id and ids must be set; p NULL elsewhere is any. */
struct store_error_filter {
	struct str job_id; /* the child's or the flow's job */
	struct str flow_id, step_id, fingerprint, code, source, classification, trace_key;
	struct str ids; /* JSON array of ids */
	enum error_state state;
	int64_t created_gte_ms, created_lte_ms; /* 0: any */
	int64_t due_lte_ms; /* those that are to be tried again by themselves by then; 0: any */
};

/* In order of creation, behind AFTER (id of the last one seen; p NULL: from the start). E lives for the
 * call; FN returns false to stop. ERR_NOT_FOUND: there is no error AFTER. */
MUST_CHECK bool store_error_list(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, struct str after, size_t limit,
	bool (*fn)(void *arg, const struct store_job_error *e), void *arg, struct err *err);

/* As store_error_list(), of the ids only, and by a place instead of an id. */
struct store_error_place {
	int64_t created_ms, record_index;
	struct str id; /* p NULL: before all */
};
MUST_CHECK bool store_error_ids(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, const struct store_error_place *after, size_t limit,
	bool (*fn)(void *arg, const struct store_error_place *p), void *arg, struct err *err);

/*
 * Actions on many errors: a row says what is to be done for as long as it is not done, so that it can be done
 * in parts. A retry with such a row (of its job's id) is not claimed.
 */
struct store_action {
	struct str account_id, id;
	int64_t created_ms;
	struct str body; /* JSON, the engine's */
};
MUST_CHECK bool store_action_put(struct store_conn *c, const struct store_action *x,
	struct err *err); /* W; nothing happens when there is one of this id */
MUST_CHECK bool store_action_remove(struct store_conn *c, struct str account_id, struct str id,
	struct err *err); /* W; none is no error */
MUST_CHECK bool store_action_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str id, struct store_action *out, bool *found, struct err *err);
/* The oldest of all accounts. */
MUST_CHECK bool store_action_next(struct store_conn *c, struct arena *a, struct store_action *out,
	bool *found, struct err *err);

struct store_error_sum {    /* of one step */
	struct str step_id; /* p NULL: of the run itself */
	uint64_t count, retriable;
	int64_t oldest_ms, newest_ms;
};
MUST_CHECK bool store_error_sums(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, bool (*fn)(void *arg, const struct store_error_sum *s),
	void *arg, struct err *err);

/*
 * Resolves (or opens again) those of F whose state is the other one, and counts them with their jobs.
 * F->state is not looked at. W
 */
struct store_resolution {
	bool resolve;
	struct str by;
	int64_t now_ms;
};
MUST_CHECK bool store_error_resolve(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, const struct store_resolution *r, uint64_t *count,
	struct err *err);

/* Hands the open ones that have retry data, and that no retry is at, to the retry JOB_ID. W */
MUST_CHECK bool store_error_mark_retry(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, struct str job_id, uint64_t *count, struct err *err);
/* The flows that have such errors. */
MUST_CHECK bool store_error_flows(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, bool (*fn)(void *arg, struct str flow_id), void *arg,
	struct err *err);

/* Flows, of all accounts, with errors that are to be tried again by NOW_MS. */
MUST_CHECK bool store_error_due(struct store_conn *c, int64_t now_ms, size_t limit,
	bool (*fn)(void *arg, struct str account_id, struct str flow_id), void *arg,
	struct err *err);

struct store_issue { /* open errors of one cause */
	struct str fingerprint, step_id, stage, source, code, classification;
	struct str message; /* of one of them */
	uint64_t count;
	int64_t first_ms, last_ms;
};
/* Most frequent first. */
MUST_CHECK bool store_error_issues(struct store_conn *c, struct str account_id, struct str flow_id,
	size_t limit, bool (*fn)(void *arg, const struct store_issue *i), void *arg,
	struct err *err);

/* The error whose retry data this is. ERR_NOT_FOUND */
MUST_CHECK bool store_error_of_retry(struct store_conn *c, struct arena *a, struct str account_id,
	struct str retry_id, struct store_job_error *out, struct err *err);
MUST_CHECK bool store_retry_data_put(struct store_conn *c, struct str account_id,
	struct str retry_id, struct str data, struct err *err); /* W; ERR_NOT_FOUND */

#endif
