/*
 * store_job.h - jobs and job errors with their retry data; see store.h.
 */
#ifndef STORE_STORE_JOB_H
#define STORE_STORE_JOB_H

#include "store/store_conn.h"

/* ---- jobs ---- */

enum job_type { JOB_FLOW, JOB_EXPORT, JOB_IMPORT, JOB_RETRY };
enum job_status { /* their wire words are in job_status_word() */
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_RETRYING,
	JOB_CANCELING,
	JOB_CANCELED,
	JOB_COMPLETED,
	JOB_FAILED,
};
const char *job_type_word(enum job_type t);
const char *job_status_word(enum job_status s);
bool job_type_of(struct str word, enum job_type *out);
bool job_status_of(struct str word, enum job_status *out);

/* How each exported record of a job ended; exported = succeeded + ignored + failed + in_flight. */
struct job_ledger {
	uint64_t exported, succeeded, ignored, failed, in_flight;
};

struct store_job {
	struct str id, account_id;
	enum job_type type;
	enum job_status status;
	struct str flow_id, export_id, import_id, integration_id, flow_job_id; /* p NULL: none */
	int64_t created_ms, started_ms, ended_ms, modified_ms, purge_ms; /* 0: not yet / never */
	uint64_t num_error, num_success, num_ignore, num_resolved, num_open_error, num_export;
	uint64_t pages_generated, pages_processed;
	bool done_exporting, retriable;
	uint32_t order_index; /* oIndex: export 0, imports 1 ... */
	uint32_t attempts;    /* how often a worker began it; counted before it begins */
	struct job_ledger ledger;
	struct str zero_reason;               /* why nothing was exported; p NULL */
	struct str error_code, error_message; /* why the job failed; p NULL */
	struct str cursor;  /* the export's place behind the last checkpoint, JSON; p NULL */
	struct str trigger; /* "api", "schedule" ... */
};

MUST_CHECK bool store_job_add(struct store_conn *c, const struct store_job *j,
	struct err *err); /* W */
/* Writes every field that may change after creation. W */
MUST_CHECK bool store_job_update(struct store_conn *c, const struct store_job *j, struct err *err);
MUST_CHECK bool store_job_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str id, struct store_job *out, struct err *err); /* ERR_NOT_FOUND */
/* The job of this flow that is QUEUED (ERR_NOT_FOUND when none is). */
MUST_CHECK bool store_job_queued_of_flow(struct store_conn *c, struct arena *a,
	struct str account_id, struct str flow_id, struct store_job *out, struct err *err);
/*
 * Takes the oldest queued flow job whose flow has no job in work, makes it RUNNING with attempts + 1
 * and started_ms, and returns it. *FOUND is false when there is none. W
 */
MUST_CHECK bool store_job_claim(struct store_conn *c, struct arena *a, int64_t now_ms,
	struct store_job *out, bool *found, struct err *err);
/* Jobs (of all accounts) that are RUNNING, RETRYING or CANCELING: what a dead server left. */
MUST_CHECK bool store_job_unfinished(struct store_conn *c, struct arena *a, struct store_job **out,
	size_t *count, struct err *err);
/* Children of a flow job, by order_index. */
MUST_CHECK bool store_job_children(struct store_conn *c, struct arena *a, struct str account_id,
	struct str flow_job_id, struct store_job **out, size_t *count, struct err *err);

struct store_job_filter {
	struct str flow_id, export_id, import_id, integration_id, flow_job_id; /* p NULL: any */
	bool has_status, has_type;
	enum job_status status;
	enum job_type type;
	bool parents_only;                      /* without the children of flow jobs */
	int64_t created_lte_ms, created_gte_ms; /* 0: any */
	size_t limit;                           /* 0: 1001 */
};
/* Newest first. */
MUST_CHECK bool store_job_list(struct store_conn *c, struct str account_id,
	const struct store_job_filter *f, bool (*fn)(void *arg, const struct store_job *j),
	void *arg, struct err *err);

/* ---- job errors, with the record that failed ---- */

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
	struct str retry_id; /* p NULL: no retry data */
};
/* W. RETRY_DATA (the record's JSON, p NULL for none) is kept under e->retry_id. */
MUST_CHECK bool store_job_error_add(struct store_conn *c, const struct store_job_error *e,
	struct str retry_data, struct err *err);
/* By job (the child's or the flow job's id), in order of creation; AFTER: id of the last seen. */
MUST_CHECK bool store_job_error_list(struct store_conn *c, struct str account_id, struct str job_id,
	struct str after, size_t limit, bool (*fn)(void *arg, const struct store_job_error *e),
	void *arg, struct err *err);
MUST_CHECK bool store_retry_data_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str retry_id, struct str *data, struct err *err); /* ERR_NOT_FOUND */

#endif
