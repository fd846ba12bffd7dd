/*
 * job.c - jobs: their words, rows, the claim of the next one, and the lists.
 */
#include "store/row.h"
#include "store/store_priv.h"

#define CLOCK_SLACK_MS 1000 /* that a clock is set back by, now and then */

#define LIST_LIMIT 1001 /* one more than a page, so that a caller knows whether there is one */

static const char *const type_words[] = {
	[JOB_FLOW] = "flow",
	[JOB_EXPORT] = "export",
	[JOB_IMPORT] = "import",
	[JOB_RETRY] = "retry",
};

static const char *const status_words[] = {
	[JOB_QUEUED] = "queued",
	[JOB_RUNNING] = "running",
	[JOB_RETRYING] = "retrying",
	[JOB_CANCELING] = "canceling",
	[JOB_CANCELED] = "canceled",
	[JOB_COMPLETED] = "completed",
	[JOB_FAILED] = "failed",
};

const char *job_type_word(enum job_type t)
{
	CHECK((size_t)t < ARRAY_LEN(type_words));
	return type_words[t];
}

const char *job_status_word(enum job_status s)
{
	CHECK((size_t)s < ARRAY_LEN(status_words));
	return status_words[s];
}

bool job_type_of(struct str word, enum job_type *out)
{
	for (size_t i = 0; i < ARRAY_LEN(type_words); i++)
		if (str_eq_z(word, type_words[i])) {
			*out = (enum job_type)i;
			return true;
		}
	return false;
}

bool job_status_of(struct str word, enum job_status *out)
{
	for (size_t i = 0; i < ARRAY_LEN(status_words); i++)
		if (str_eq_z(word, status_words[i])) {
			*out = (enum job_status)i;
			return true;
		}
	return false;
}

/* Every exported record is accounted for, in every transaction. */
static bool ledger_adds_up(const struct store_job *j, struct err *err)
{
	const struct job_ledger *l = &j->ledger;

	if (l->exported == l->succeeded + l->ignored + l->failed + l->in_flight)
		return true;
	return err_set(err, ERR_INTERNAL, "the ledger of job %.*s does not add up", STR_ARG(j->id));
}

static bool not_found(struct str id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no job %.*s", STR_ARG(id));
}

bool store_job_add(struct store_conn *c, const struct store_job *j, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_ADD);

	if (!ledger_adds_up(j, err))
		return false;
	row_bind(st, 1, &row_job, 0, ROW_JOB_OWN, j);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_job_update(struct store_conn *c, const struct store_job *j, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_UPDATE);

	if (!ledger_adds_up(j, err))
		return false;
	sql_bind_str(st, 1, j->account_id);
	sql_bind_str(st, 2, j->id);
	row_bind(st, 3, &row_job, ROW_JOB_FIXED, ROW_JOB_OWN, j);
	sql_bind_i64(st, 3 + ROW_JOB_OWN - ROW_JOB_FIXED, (int64_t)j->fence);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 1 ||
	       err_set(err, ERR_FENCED, "job %.*s was taken over by somebody else, or is gone",
		       STR_ARG(j->id));
}

bool store_job_get(struct store_conn *c, struct arena *a, struct str account_id, struct str id,
	struct store_job *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_GET);
	struct store_job j;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, id);

	enum sql_result r = row_read_one(st, &row_job, a, &j, err);

	if (r == SQL_DONE)
		return not_found(id, err);
	if (r == SQL_ROW)
		*out = j;
	return r == SQL_ROW;
}

bool store_job_of_flow(struct store_conn *c, struct str account_id, struct str flow_id, bool *there,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_OF_FLOW);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);

	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*there = r == SQL_ROW;
	return true;
}

bool store_job_last_run(struct store_conn *c, struct str account_id, struct str flow_id,
	int64_t *started_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_LAST_RUN);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);

	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*started_ms = r == SQL_ROW ? sql_i64(st, 0) : 0;
	return true;
}

bool store_job_queued_of_flow(struct store_conn *c, struct arena *a, struct str account_id,
	struct str flow_id, struct store_job *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_QUEUED_OF_FLOW);
	struct store_job j;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);

	enum sql_result r = row_read_one(st, &row_job, a, &j, err);

	if (r == SQL_DONE)
		return err_set(err, ERR_NOT_FOUND, "no job of flow %.*s is queued",
			STR_ARG(flow_id));
	if (r == SQL_ROW)
		*out = j;
	return r == SQL_ROW;
}

bool store_job_before(struct store_conn *c, struct arena *a, const struct store_job *j,
	struct store_job *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_BEFORE);
	struct store_job before;

	sql_bind_str(st, 1, j->account_id);
	sql_bind_str(st, 2, j->flow_id);
	sql_bind_str(st, 3, j->id);

	enum sql_result r = row_read_one(st, &row_job, a, &before, err);

	if (r == SQL_DONE)
		return err_set(err, ERR_NOT_FOUND, "no job is before job %.*s", STR_ARG(j->id));
	if (r == SQL_ROW)
		*out = before;
	return r == SQL_ROW;
}

static bool next_claimable(struct store_conn *c, int64_t *next_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_NEXT);

	if (sql_step(st) != SQL_ROW)
		return sql_error(st->conn, err);
	*next_ms = sql_str(st, 0).p == NULL ? INT64_MAX : sql_i64(st, 0);
	return true;
}

bool store_job_claim(struct store_conn *c, struct arena *a, const struct store_claim *by,
	struct store_job *out, bool *found, int64_t *next_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_CLAIM);
	struct store_job j;

	sql_bind_i64(st, 1, by->now_ms);
	sql_bind_str(st, 2, by->owner);
	sql_bind_i64(st, 3, by->lease_until_ms);

	enum sql_result r = row_read_one(st, &row_job, a, &j, err);

	if (r == SQL_FAILED)
		return false;
	if (r == SQL_ROW && !sql_run(st))
		return sql_error(st->conn, err);
	if (r == SQL_DONE && !next_claimable(c, next_ms, err))
		return false;
	*found = r == SQL_ROW;
	if (*found)
		*out = j;
	return true;
}

bool store_job_heartbeat(struct store_conn *c, struct str owner, struct str ids,
	int64_t lease_until_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_HEARTBEAT);

	sql_bind_str(st, 1, owner);
	sql_bind_i64(st, 2, lease_until_ms);
	sql_bind_str(st, 3, ids);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_job_reclaim(struct store_conn *c, int64_t now_ms, struct str owner, uint64_t *count,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_RECLAIM);

	sql_bind_i64(st, 1, now_ms);
	sql_bind_str(st, 2, owner);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*count = sql_changes(st);
	return true;
}

bool store_job_set_clock(struct store_conn *c, int64_t now_ms, int64_t lease_ms, uint64_t *count,
	struct err *err)
{
	struct sql_stmt *wait DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_CLOCK_WAIT);
	struct sql_stmt *lease DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_CLOCK_LEASE);

	sql_bind_i64(wait, 1, now_ms);
	sql_bind_i64(wait, 2, CLOCK_SLACK_MS);
	sql_bind_i64(lease, 1, now_ms);
	sql_bind_i64(lease, 2, lease_ms);
	if (!sql_run(wait) || !sql_run(lease))
		return sql_error(wait->conn, err);
	*count = sql_changes(wait);
	return true;
}

bool store_job_give_back(struct store_conn *c, const struct store_job *j, int64_t not_before_ms,
	bool counts, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_GIVE_BACK);

	sql_bind_str(st, 1, j->account_id);
	sql_bind_str(st, 2, j->id);
	sql_bind_i64(st, 3, (int64_t)j->fence);
	sql_bind_i64(st, 4, not_before_ms);
	sql_bind_i64(st, 5, counts);
	return sql_run(st) || sql_error(st->conn, err);
}

static bool cant_cancel(struct store_conn *c, struct str account_id, struct str id, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("job", 0);
	struct store_job j;

	if (!store_job_get(c, a, account_id, id, &j, err))
		return false;
	if (j.flow_job_id.p != NULL)
		return err_set(err, ERR_CONFLICT,
			"job %.*s is a part of job %.*s, and ends with it: cancel that one",
			STR_ARG(id), STR_ARG(j.flow_job_id));
	return err_set(err, ERR_CONFLICT, "job %.*s has ended: it is %s", STR_ARG(id),
		job_status_word(j.status));
}

bool store_job_cancel(struct store_conn *c, struct str account_id, struct str id, struct str by,
	int64_t now_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_CANCEL);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, id);
	sql_bind_str(st, 3, by);
	sql_bind_i64(st, 4, now_ms);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 1 || cant_cancel(c, account_id, id, err);
}

bool store_job_wake(struct store_conn *c, struct str account_id, struct str waits_for,
	int64_t not_before_ms, uint64_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_WAKE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, waits_for);
	sql_bind_i64(st, 3, not_before_ms);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*count = sql_changes(st);
	return true;
}

static bool read_jobs(struct sql_stmt *st, struct arena *a, struct store_job **out, size_t *count,
	struct err *err)
{
	struct row_list l = { .arena = a, .row_bytes = sizeof(struct store_job) };

	if (!row_read_all(st, &row_job, &l, err))
		return false;
	*out = (struct store_job *)(void *)l.p;
	*count = l.count;
	return true;
}

bool store_job_children(struct store_conn *c, struct arena *a, struct str account_id,
	struct str flow_job_id, struct store_job **out, size_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_CHILDREN);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_job_id);
	return read_jobs(st, a, out, count, err);
}

/* The filter column that leads, the rarest first. */
static enum statement_id list_statement(const struct store_job_filter *f)
{
	if (f->flow_job_id.p != NULL)
		return STMT_JOB_LIST_BY_FLOW_JOB;
	if (f->flow_id.p != NULL)
		return STMT_JOB_LIST_BY_FLOW;
	if (f->export_id.p != NULL)
		return STMT_JOB_LIST_BY_EXPORT;
	if (f->import_id.p != NULL)
		return STMT_JOB_LIST_BY_IMPORT;
	if (f->integration_id.p != NULL)
		return STMT_JOB_LIST_BY_INTEGRATION;
	return STMT_JOB_LIST;
}

static void bind_range(struct sql_stmt *st, int n, const struct store_count_range *r)
{
	sql_bind_i64(st, n, (int64_t)MIN(r->min, (uint64_t)INT64_MAX));
	sql_bind_i64(st, n + 1, r->set ? (int64_t)MIN(r->max, (uint64_t)INT64_MAX) : INT64_MAX);
}

static void bind_filter(struct sql_stmt *st, struct str account_id,
	const struct store_job_filter *f)
{
	sql_bind_str(st, 1, account_id);
	sql_bind_i64(st, 2, f->created_gte_ms == 0 ? INT64_MIN : f->created_gte_ms);
	sql_bind_i64(st, 3, f->created_lte_ms == 0 ? INT64_MAX : f->created_lte_ms);
	sql_bind_str(st, 4, f->flow_job_id);
	sql_bind_str(st, 5, f->flow_id);
	sql_bind_str(st, 6, f->export_id);
	sql_bind_str(st, 7, f->import_id);
	sql_bind_str(st, 8, f->integration_id);
	sql_bind_str(st, 9, f->has_status ? str_z(job_status_word(f->status)) : STR_NULL);
	sql_bind_str(st, 10, f->has_type ? str_z(job_type_word(f->type)) : STR_NULL);
	sql_bind_i64(st, 11, f->parents_only);
	sql_bind_i64(st, 12, f->limit == 0 ? LIST_LIMIT : (int64_t)f->limit);
	sql_bind_str(st, 13, f->statuses);
	sql_bind_str(st, 14, f->types);
	sql_bind_str(st, 15, f->flow_ids);
	bind_range(st, 16, &f->success);
	bind_range(st, 18, &f->export);
	bind_range(st, 20, &f->ignore);
	bind_range(st, 22, &f->error);
	sql_bind_str(st, 26, f->job_id);
	sql_bind_i64(st, 27, f->retry);
}

/*
 * Where the list goes on: before the job AFTER. When that was purged meanwhile, its id still tells its
 * second of creation: the list goes on with that second, so that it may repeat a few but misses none.
 */
static bool list_place(struct store_conn *c, struct str account_id, struct str after, int64_t *ms,
	struct str *id, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_CREATED);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, after);
	if (!row_list_place(st, after, ms, id, err))
		return false;
	if (id->n == 0)
		*ms += 1000; /* the list goes down: from the second's end */
	return true;
}

bool store_job_list(struct store_conn *c, struct str account_id, const struct store_job_filter *f,
	bool (*fn)(void *arg, const struct store_job *j), void *arg, struct err *err)
{
	struct store_job j;
	enum sql_result got;
	int64_t after_ms = INT64_MAX;
	struct str after_id = STR("");

	if (f->after.p != NULL && !list_place(c, account_id, f->after, &after_ms, &after_id, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, list_statement(f));

	bind_filter(st, account_id, f);
	/* by the last instant: a comparison of pairs would lead the planner off the filter's index */
	sql_bind_i64(st, 3, MIN(after_ms, f->created_lte_ms == 0 ? INT64_MAX : f->created_lte_ms));
	sql_bind_i64(st, 24, after_ms);
	sql_bind_str(st, 25, after_id);
	while ((got = sql_step(st)) == SQL_ROW) {
		if (!row_read(st, &row_job, NULL, &j, err))
			return false;
		if (!fn(arg, &j))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}
