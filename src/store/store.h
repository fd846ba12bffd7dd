/*
 * store.h - the store's front door: what is kept, and the one way to change it.
 *
 * All that the product keeps goes through here: accounts, tokens, resources, jobs, job errors with
 * their retry data. Nothing outside store/ knows which database is behind it.
 *
 * Writing: store_write() hands a function to the writer thread, which runs it inside a transaction
 * on the only writing connection, together with whatever else waits (group commit: one fsync for
 * all), and returns when the commit is on disk. The function runs on the writer thread: it must be
 * short, must not block, and sees every write committed before it. Each function is a unit: when
 * it returns false its own changes are undone and the others of the group stand. After a failed
 * commit or fsync nothing is retried: the store refuses every later write (ERR_STORE) until the
 * process is restarted, because what the disk holds is then unknown.
 *
 * Reading: store_read_begin() gives the calling thread a read-only connection and a consistent
 * snapshot; end it soon (an open snapshot keeps the log from being reused). Functions below take a
 * struct store_conn, which is either of the two; those marked W need the writer's.
 *
 * Strings returned live in the arena given. Times are wall-clock milliseconds.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/arena.h"
#include "core/clock.h"
#include "core/rng.h"
#include "core/str.h"

struct store;
struct store_conn;

struct store_config {
	const char *dir; /* data directory: DIR/integrator.db; made when absent (0700) */
	const struct clock *clock;
	struct rng *rng;
	bool create; /* make the database when it is absent */
};

/* Opens, checks, migrates, starts the writer thread. ERR_STORE, ERR_IO, ERR_CONFIG. */
MUST_CHECK bool store_open(const struct store_config *cfg, struct store **out, struct err *err);
/* Waits for what is queued, checkpoints, closes. */
void store_close(struct store *s);
/* False with the reason after a failed commit: /readyz says so. */
MUST_CHECK bool store_healthy(struct store *s, struct err *err);

typedef bool (*store_fn)(struct store_conn *c, void *arg, struct err *err);
/* Any thread but the writer's. True: the function returned true and its changes are on disk. */
MUST_CHECK bool store_write(struct store *s, store_fn fn, void *arg, struct err *err);

MUST_CHECK bool store_read_begin(struct store *s, struct store_conn **out, struct err *err);
void store_read_end(struct store_conn *c); /* NULL is allowed */
void store_read_endp(struct store_conn **c); /* for DEFER */

struct store_stats {
	uint64_t commits, writes, group_max, failed_writes, queue_depth, database_bytes, log_bytes;
	uint64_t commit_us_total; /* from begin of commit to its return, summed */
};
void store_stats(struct store *s, struct store_stats *out);

/* Consistency check of the whole database; for `integrator verify`. */
MUST_CHECK bool store_verify(const char *dir, struct err *err);
/* Online, consistent copy to PATH (which must not exist), while the server runs. */
MUST_CHECK bool store_backup(struct store *s, const char *path, struct err *err);

/* ---- accounts ---- */

struct store_account {
	struct str id; /* 24 hex */
	struct str name;
	int64_t created_ms;
	uint32_t rate_bucket, rate_refill; /* 0: the defaults */
};
MUST_CHECK bool store_account_add(struct store_conn *c, const struct store_account *a,
	struct err *err); /* W; ERR_CONFLICT when the name is taken */
MUST_CHECK bool store_account_update(struct store_conn *c, const struct store_account *a,
	struct err *err); /* W; by id: name and rates */
/* By name or id: false with ERR_NOT_FOUND. */
MUST_CHECK bool store_account_get(struct store_conn *c, struct arena *a, struct str name_or_id,
	struct store_account *out, struct err *err);
MUST_CHECK bool store_account_list(struct store_conn *c, struct arena *a,
	struct store_account **out, size_t *count, struct err *err);

/* ---- tokens: only SHA-256 of a token is kept ---- */

struct store_token {
	struct str id;
	struct str account_id;
	struct str name;
	struct str scope; /* "*" */
	struct str connector_id; /* p NULL: not limited to a connector */
	int64_t created_ms;
	int64_t expires_ms; /* 0: never */
	uint32_t rate_bucket, rate_refill; /* of its account; filled by store_token_find() */
};
MUST_CHECK bool store_token_add(struct store_conn *c, const struct store_token *t,
	const unsigned char hash[32], struct err *err); /* W */
MUST_CHECK bool store_token_find(struct store_conn *c, struct arena *a,
	const unsigned char hash[32], struct store_token *out,
	struct err *err); /* ERR_UNAUTHORIZED */
MUST_CHECK bool store_token_list(struct store_conn *c, struct arena *a, struct str account_id,
	struct store_token **out, size_t *count, struct err *err);
MUST_CHECK bool store_token_remove(struct store_conn *c, struct str account_id, struct str id,
	struct err *err); /* W; ERR_NOT_FOUND */
/* Grows with every change of tokens or accounts: caches keyed by it are never stale. Any thread. */
uint64_t store_token_epoch(struct store *s);

/* ---- resources: one JSON document each, with the columns that lists filter by ---- */

struct store_resource {
	struct str account_id, type, id;
	int64_t version; /* 1, 2, ...: the ETag */
	int64_t created_ms, modified_ms;
	struct str name; /* p NULL where there is none, as below */
	struct str external_id, integration_id, connector_id;
	struct str api_identifier; /* unique over all accounts */
	struct str document; /* JSON text, secrets sealed */
};
/* What a document refers to: for 409 on delete and for dependencies. */
struct store_ref {
	struct str field; /* "_exportId", "hooks._preSavePageId" */
	struct str type; /* "export" */
	struct str id;
};

MUST_CHECK bool store_resource_add(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err); /* W; version is 1 */
/* Replaces document, columns and refs; version must be the stored one (ERR_PRECONDITION), and
 * becomes one more. W */
MUST_CHECK bool store_resource_update(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err);
/* W; VERSION 0: any. ERR_NOT_FOUND, ERR_PRECONDITION. Who refers is the caller's question. */
MUST_CHECK bool store_resource_remove(struct store_conn *c, struct str account_id, struct str type,
	struct str id, int64_t version, struct err *err);
MUST_CHECK bool store_resource_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str type, struct str id, struct store_resource *out,
	struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool store_resource_by_api_identifier(struct store_conn *c, struct arena *a,
	struct str account_id, struct str api_identifier, struct store_resource *out,
	struct err *err);
bool store_resource_exists(
	struct store_conn *c, struct str account_id, struct str type, struct str id);

struct store_filter {
	/* Each: p NULL is any; several values are "one of". */
	const struct str *names, *external_ids, *integration_ids, *connector_ids;
	size_t name_count, external_id_count, integration_id_count, connector_id_count;
	struct str after; /* id of the last one seen; p NULL: from the start */
	size_t limit; /* 0: all */
};
/* In order of creation (created_ms, then id). FN returns false to stop; R and its strings live for the call. */
MUST_CHECK bool store_resource_list(struct store_conn *c, struct str account_id, struct str type,
	const struct store_filter *f, bool (*fn)(void *arg, const struct store_resource *r),
	void *arg, struct err *err);
/* Who refers to (type, id): fills up to MAX, returns the full number in *COUNT. Their `name` is
 * filled; `document` is not. */
MUST_CHECK bool store_resource_referrers(struct store_conn *c, struct arena *a,
	struct str account_id, struct str type, struct str id, struct store_resource *out,
	size_t max, size_t *count, struct err *err);

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
	uint32_t attempts; /* how often a worker began it; counted before it begins */
	struct job_ledger ledger;
	struct str zero_reason; /* why nothing was exported; p NULL */
	struct str error_code, error_message; /* why the job failed; p NULL */
	struct str cursor; /* the export's place behind the last checkpoint, JSON; p NULL */
	struct str trigger; /* "api", "schedule" ... */
};

MUST_CHECK bool store_job_add(
	struct store_conn *c, const struct store_job *j, struct err *err); /* W */
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
	bool parents_only; /* without the children of flow jobs */
	int64_t created_lte_ms, created_gte_ms; /* 0: any */
	size_t limit; /* 0: 1001 */
};
/* Newest first. */
MUST_CHECK bool store_job_list(struct store_conn *c, struct str account_id,
	const struct store_job_filter *f, bool (*fn)(void *arg, const struct store_job *j),
	void *arg, struct err *err);

/* ---- job errors, with the record that failed ---- */

struct store_job_error {
	struct str id, account_id, job_id; /* the child job */
	struct str flow_job_id, flow_id, step_id; /* step: the export's or import's id */
	int64_t created_ms;
	struct str stage; /* "export", "mapping", "submit" ... */
	struct str source; /* "application", "mapping", "connection", "internal" ... */
	struct str code, message, field, hint;
	struct str trace_key;
	int64_t record_index; /* in the run, from 0; -1: not of one record */
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
