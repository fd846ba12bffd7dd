/*
 * store_error.h - errors of jobs, with the records that failed, for resolving and trying again; see
 * store.h.
 */
#ifndef STORE_STORE_ERROR_H
#define STORE_STORE_ERROR_H

#include "store/store_conn.h"

struct store_job_error {
	struct str id, account_id, job_id;        /* the child job */
	struct str flow_job_id, flow_id, step_id; /* step: the export's or import's id */
	int64_t created_ms;
	struct str stage;  /* "export", "mapping", "submit" ... */
	struct str source; /* "application", "mapping", "connection", "internal" ... */
	struct str code, message, field, hint;
	struct str trace_key;
	int64_t record_index;         /* in the run, from 0; -1: not of one record */
	struct str request, response; /* masked and bounded texts; p NULL */
	bool resolved;
	struct str retry_id;       /* p NULL: no retry data */
	struct str fingerprint;    /* equal for errors of one cause: what issues are grouped by */
	struct str classification; /* "connection", "rate_limit", "missing" ... */
	uint32_t attempts;         /* how often the record was tried: 1 and its retries */
	struct str retry_job_id;   /* the retry that is at it; p NULL: none */
	int64_t next_retry_ms;     /* when it is tried again by itself; 0: not */
	int64_t resolved_ms;
	struct str resolved_by;
};
/* W. RETRY_DATA (the record's JSON, p NULL for none) is kept under e->retry_id. */
MUST_CHECK bool store_job_error_add(struct store_conn *c, const struct store_job_error *e,
	struct str retry_data, struct err *err);
/*
 * The record of error E->id failed again in a retry, whose child E->job_id counts it: the error gets E's
 * words, evidence and step (p NULL: as it was), attempts + 1, and RETRY_DATA when it is not null; no retry is at it, and it is open unless somebody
 * resolved it meanwhile. An earlier retry that it failed in counts it as resolved from then on. When E->next_retry_ms is set
 * it is tried again by itself: half an hour after the second failure, two hours after the third, and not
 * after the fourth. W; ERR_NOT_FOUND
 */
MUST_CHECK bool store_job_error_again(struct store_conn *c, const struct store_job_error *e,
	struct str retry_data, struct err *err);
/*
 * The record of error E->id was delivered after all: the error is resolved by E->resolved_by at
 * E->resolved_ms, and the job that had it, with the flow job above, counts a success more, and a
 * failure less where it was one of the ledger's; a retry that it failed in counts it as resolved. Nothing happens when it is resolved already. W; ERR_NOT_FOUND
 */
MUST_CHECK bool store_job_error_settle(struct store_conn *c, const struct store_job_error *e,
	struct err *err);
/* By job (the child's or the flow job's id), in order of creation; AFTER: id of the last seen. */
MUST_CHECK bool store_job_error_list(struct store_conn *c, struct str account_id, struct str job_id,
	struct str after, size_t limit, bool (*fn)(void *arg, const struct store_job_error *e),
	void *arg, struct err *err);
/* The latest error of a job of a flow or retry. *FOUND false: there is none. */
MUST_CHECK bool store_job_error_last(struct store_conn *c, struct arena *a, struct str account_id,
	struct str job_id, struct store_job_error *out, bool *found, struct err *err);
/* A record that a retry has before it. */
struct store_retry {
	struct str error_id, step_id;
	int64_t created_ms, record_index; /* with the id: its place */
	struct str data;                  /* JSON of its retry data */
};
/* What the retry JOB_ID has before it, behind the place of AFTER (NULL: from the start), in order of
 * the errors' creation. */
MUST_CHECK bool store_retry_list(struct store_conn *c, struct str account_id, struct str job_id,
	const struct store_retry *after, size_t limit,
	bool (*fn)(void *arg, const struct store_retry *r), void *arg, struct err *err);
/* What the retry JOB_ID has before it may be handed to another one, when the job has ended; at most LIMIT of
 * them. *COUNT: how many. W */
MUST_CHECK bool store_retry_release(struct store_conn *c, struct str account_id, struct str job_id,
	size_t limit, uint64_t *count, struct err *err);
MUST_CHECK bool store_retry_data_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str retry_id, struct str *data, struct err *err); /* ERR_NOT_FOUND */

#endif
