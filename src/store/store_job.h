/*
 * store_job.h - jobs: runs of flows and retries, with a child for each step; see store.h.
 */
#ifndef STORE_STORE_JOB_H
#define STORE_STORE_JOB_H

#include "store/store_conn.h"

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
	uint64_t num_error, num_success, num_ignore, num_export;
	uint64_t num_resolved, num_open_error; /* kept by resolving; open = num_error - resolved */
	uint64_t pages_generated, pages_processed;
	bool done_exporting, retriable;
	uint32_t order_index; /* oIndex: export 0, imports 1 ... */
	uint32_t attempts;    /* how often a worker began it; counted before it begins */
	struct job_ledger ledger;
	struct str zero_reason;               /* why nothing was exported; p NULL */
	struct str error_code, error_message; /* why the job failed; p NULL */
	struct str cursor;      /* the export's place behind the last checkpoint, JSON; p NULL */
	struct str trigger;     /* "api", "schedule" ... */
	struct str waiting_for; /* QUEUED: JSON {"what","_connectionId","since","until"}; p NULL: it
				   waits for nothing. A claim leaves it to be read: whoever works the job writes
				   it away */
	int64_t not_before_ms;  /* QUEUED: not to be claimed before */
	int64_t due_ms;         /* the instant it was scheduled for; 0: none */
	struct str canceled_by; /* who asked for its end; p NULL: nobody */
	struct str retry_of_job_id; /* of a retry: whose errors it works; p NULL: several jobs' */
	struct str config_hash;     /* store_config_get(): the documents it began with; p NULL */
	/* The lease: written by claim and heartbeat only. The fence grows with each claim. */
	uint64_t fence;
	int64_t lease_until_ms;
};

MUST_CHECK bool store_job_add(struct store_conn *c, const struct store_job *j,
	struct err *err); /* W */
/*
 * Writes every field that may change after creation, but for the lease. ERR_FENCED when the job was
 * claimed again since J was read: whoever holds J must stop. A status CANCELING stays until a final
 * one, or QUEUED, is written. W
 */
MUST_CHECK bool store_job_update(struct store_conn *c, const struct store_job *j, struct err *err);
MUST_CHECK bool store_job_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str id, struct store_job *out, struct err *err); /* ERR_NOT_FOUND */
/* The job of this flow that is QUEUED and was never begun (ERR_NOT_FOUND when none is). */
MUST_CHECK bool store_job_queued_of_flow(struct store_conn *c, struct arena *a,
	struct str account_id, struct str flow_id, struct store_job *out, struct err *err);
/* Another job of J's flow that is in work, or was begun and waits: J is not begun before that ends.
 * ERR_NOT_FOUND: there is none. */
MUST_CHECK bool store_job_before(struct store_conn *c, struct arena *a, const struct store_job *j,
	struct store_job *out, struct err *err);
/* Is a run of this flow queued or at work? */
MUST_CHECK bool store_job_of_flow(struct store_conn *c, struct str account_id, struct str flow_id,
	bool *there, struct err *err);
/* When the flow's latest run began, of those whose jobs are kept; 0: none. */
MUST_CHECK bool store_job_last_run(struct store_conn *c, struct str account_id, struct str flow_id,
	int64_t *started_ms, struct err *err);
/*
 * Takes the oldest queued job of a flow that has no other job begun, and no action of its own that is not
 * done (store_action_put()), makes it RUNNING (RETRYING)
 * with attempts + 1, a new fence and a lease, and returns it. *FOUND is false when there is none;
 * *NEXT_MS is then when the next one may be taken (INT64_MAX: none waits for a time). W
 */
struct store_claim {
	int64_t now_ms;
	struct str owner;
	int64_t lease_until_ms;
};
MUST_CHECK bool store_job_claim(struct store_conn *c, struct arena *a, const struct store_claim *by,
	struct store_job *out, bool *found, int64_t *next_ms, struct err *err);
/* Renews the leases of those in IDS (a JSON array) that OWNER has claimed. W */
MUST_CHECK bool store_job_heartbeat(struct store_conn *c, struct str owner, struct str ids,
	int64_t lease_until_ms, struct err *err);
/* Puts jobs whose lease ended before NOW_MS (or, with OWNER, that somebody else holds) back into the
 * queue. *COUNT: how many. W */
MUST_CHECK bool store_job_reclaim(struct store_conn *c, int64_t now_ms, struct str owner,
	uint64_t *count, struct err *err);
/* After the clock was set back: jobs wait as long as they would have, and no lease is longer than
 * LEASE_MS. *COUNT: jobs whose time moved. W */
MUST_CHECK bool store_job_set_clock(struct store_conn *c, int64_t now_ms, int64_t lease_ms,
	uint64_t *count, struct err *err);
/* Puts a claimed job back into the queue as it was before the claim, to be taken again at NOT_BEFORE_MS:
 * it did not fail, the store did, and the attempt counts only when COUNTS. Nothing happens when somebody
 * else has claimed it. W */
MUST_CHECK bool store_job_give_back(struct store_conn *c, const struct store_job *j,
	int64_t not_before_ms, bool counts, struct err *err);
/* Asks a job of a flow or retry to end: one never begun is CANCELED at once (release its errors:
 * store_retry_release()), one in work becomes CANCELING. ERR_CONFLICT when it has ended; ERR_NOT_FOUND. W */
MUST_CHECK bool store_job_cancel(struct store_conn *c, struct str account_id, struct str id,
	struct str by, int64_t now_ms, struct err *err);
/* Makes a waiting job of the account claimable at NOT_BEFORE_MS; with CONNECTION's id in its
 * waiting_for, or all (p NULL). W */
MUST_CHECK bool store_job_wake(struct store_conn *c, struct str account_id, struct str waits_for,
	int64_t not_before_ms, uint64_t *count, struct err *err);
/* Children of a flow job, by order_index. */
MUST_CHECK bool store_job_children(struct store_conn *c, struct arena *a, struct str account_id,
	struct str flow_job_id, struct store_job **out, size_t *count, struct err *err);

struct store_job_filter {
	struct str flow_id, export_id, import_id, integration_id, flow_job_id; /* p NULL: any */
	struct str job_id; /* the one; p NULL: any */
	enum {
		JOBS_ANY,
		JOBS_RETRIABLE,
		JOBS_DONE_WITH
	} retry; /* open errors with their records: any, some, none */
	bool has_status, has_type;
	enum job_status status;
	enum job_type type;
	bool parents_only;                      /* without the children of flow jobs */
	int64_t created_lte_ms, created_gte_ms; /* 0: any */
	struct str statuses, types, flow_ids; /* one of these: JSON arrays of words; p NULL: any */
	struct store_count_range {
		uint64_t min, max;
		bool set; /* max counts */
	} success, export, ignore, error;
	struct str after; /* id of the last one seen; p NULL: from the newest on */
	size_t limit;     /* 0: 1001 */
};
/* Newest first. */
MUST_CHECK bool store_job_list(struct store_conn *c, struct str account_id,
	const struct store_job_filter *f, bool (*fn)(void *arg, const struct store_job *j),
	void *arg, struct err *err);

#endif
