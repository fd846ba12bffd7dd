/*
 * error_bulk.c - statements on many errors: the same filter in each, led by what it is narrowest in.
 */
#include "store/row.h"
#include "store/store_priv.h"

enum lead { LEAD_JOB, LEAD_FLOW, LEAD_IDS };

#define FILTER_PARAMETERS 14

static enum lead lead_of(const struct store_error_filter *f)
{
	CHECK(f->job_id.p != NULL || f->flow_id.p != NULL || f->ids.p != NULL);
	if (f->ids.p != NULL)
		return LEAD_IDS;
	return f->job_id.p != NULL ? LEAD_JOB : LEAD_FLOW;
}

/* FIRST is the statement led by a job; those led by a flow and by ids stand behind it. */
static enum statement_id led(enum statement_id first, const struct store_error_filter *f)
{
	return (enum statement_id)(first + lead_of(f));
}

static void bind_filter(struct sql_stmt *st, struct str account_id,
	const struct store_error_filter *f, enum error_state state)
{
	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, f->job_id);
	sql_bind_str(st, 3, f->flow_id);
	sql_bind_str(st, 4, f->step_id);
	sql_bind_str(st, 5, f->fingerprint);
	sql_bind_str(st, 6, f->code);
	sql_bind_str(st, 7, f->source);
	sql_bind_str(st, 8, f->classification);
	sql_bind_str(st, 9, f->trace_key);
	sql_bind_str(st, 10, f->ids);
	sql_bind_i64(st, 11, state);
	sql_bind_i64(st, 12, f->created_gte_ms == 0 ? INT64_MIN : f->created_gte_ms);
	sql_bind_i64(st, 13, f->created_lte_ms == 0 ? INT64_MAX : f->created_lte_ms);
	sql_bind_i64(st, 14, f->due_lte_ms);
}

/* The index of a list is that of the job itself, or of all that are below a flow's job. */
static bool list_statement(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, enum statement_id by_job, enum statement_id by_flow_job,
	enum statement_id *out, struct err *err)
{
	bool child = false;

	*out = led(by_job, f);
	if (lead_of(f) != LEAD_JOB)
		return true;
	if (!job_is_child(c, account_id, f->job_id, &child, err))
		return false;
	if (!child)
		*out = by_flow_job;
	return true;
}

static void bind_place(struct sql_stmt *st, const struct error_place *place, size_t limit)
{
	sql_bind_i64(st, FILTER_PARAMETERS + 1, place->created_ms);
	sql_bind_i64(st, FILTER_PARAMETERS + 2, place->record_index);
	sql_bind_str(st, FILTER_PARAMETERS + 3, place->id);
	sql_bind_i64(st, FILTER_PARAMETERS + 4, limit == 0 ? INT64_MAX : (int64_t)limit);
}

static struct error_place first_place(const struct store_error_filter *f)
{
	return (struct error_place){ f->created_gte_ms == 0 ? INT64_MIN : f->created_gte_ms,
		INT64_MIN, STR_INIT("") };
}

bool store_error_list(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, struct str after, size_t limit,
	bool (*fn)(void *arg, const struct store_job_error *e), void *arg, struct err *err)
{
	struct error_place place = first_place(f);
	struct store_job_error e;
	enum statement_id id;
	enum sql_result got;

	if (after.p != NULL && !error_place(c, account_id, after, &place, err))
		return false;
	if (!list_statement(c, account_id, f, STMT_ERROR_LIST_BY_JOB, STMT_ERROR_LIST_BY_FLOW_JOB,
		    &id, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, id);

	bind_filter(st, account_id, f, f->state);
	bind_place(st, &place, limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		if (!row_read(st, &row_job_error, NULL, &e, err))
			return false;
		if (!fn(arg, &e))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_error_ids(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, const struct store_error_place *after, size_t limit,
	bool (*fn)(void *arg, const struct store_error_place *p), void *arg, struct err *err)
{
	struct error_place place = first_place(f);
	enum statement_id id;
	enum sql_result got;

	if (after->id.p != NULL)
		place = (struct error_place){ after->created_ms, after->record_index, after->id };
	if (!list_statement(c, account_id, f, STMT_ERROR_IDS_BY_JOB, STMT_ERROR_IDS_BY_FLOW_JOB,
		    &id, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, id);

	bind_filter(st, account_id, f, f->state);
	bind_place(st, &place, limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		const struct store_error_place p = { sql_i64(st, 1), sql_i64(st, 2),
			sql_str(st, 0) };

		if (!fn(arg, &p))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_error_sums(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, bool (*fn)(void *arg, const struct store_error_sum *s),
	void *arg, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, led(STMT_ERROR_SUM_BY_JOB, f));
	enum sql_result got;

	bind_filter(st, account_id, f, f->state);
	while ((got = sql_step(st)) == SQL_ROW) {
		const struct store_error_sum s = { sql_str(st, 0), (uint64_t)sql_i64(st, 1),
			(uint64_t)sql_i64(st, 2), sql_i64(st, 3), sql_i64(st, 4) };

		if (!fn(arg, &s))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

static bool adjust_jobs(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, const struct store_resolution *r, struct err *err)
{
	struct sql_stmt *st DEFER(
		sql_donep) = conn_use_to_write(c, led(STMT_ERROR_ADJUST_BY_JOB, f));

	bind_filter(st, account_id, f, r->resolve ? ERRORS_OPEN : ERRORS_RESOLVED);
	sql_bind_i64(st, FILTER_PARAMETERS + 1, r->resolve ? 1 : -1);
	sql_bind_i64(st, FILTER_PARAMETERS + 2, r->now_ms);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_error_resolve(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, const struct store_resolution *r, uint64_t *count,
	struct err *err)
{
	if (!adjust_jobs(c, account_id, f, r, err)) /* while their state tells which they are */
		return false;

	struct sql_stmt *st DEFER(
		sql_donep) = conn_use_to_write(c, led(STMT_ERROR_RESOLVE_BY_JOB, f));

	bind_filter(st, account_id, f, r->resolve ? ERRORS_OPEN : ERRORS_RESOLVED);
	sql_bind_i64(st, FILTER_PARAMETERS + 1, r->resolve);
	sql_bind_i64(st, FILTER_PARAMETERS + 2, r->resolve ? r->now_ms : 0);
	sql_bind_str(st, FILTER_PARAMETERS + 3, r->resolve ? r->by : STR_NULL);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*count = sql_changes(st);
	return true;
}

bool store_error_mark_retry(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, struct str job_id, uint64_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, led(STMT_ERROR_MARK_BY_JOB, f));

	bind_filter(st, account_id, f, ERRORS_OPEN);
	sql_bind_str(st, FILTER_PARAMETERS + 1, job_id);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*count = sql_changes(st);
	return true;
}

bool store_error_flows(struct store_conn *c, struct str account_id,
	const struct store_error_filter *f, bool (*fn)(void *arg, struct str flow_id), void *arg,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, led(STMT_ERROR_FLOWS_BY_JOB, f));
	enum sql_result got;

	bind_filter(st, account_id, f, ERRORS_OPEN);
	while ((got = sql_step(st)) == SQL_ROW)
		if (!fn(arg, sql_str(st, 0)))
			return true;
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_error_due(struct store_conn *c, int64_t now_ms, size_t limit,
	bool (*fn)(void *arg, struct str account_id, struct str flow_id), void *arg,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_ERROR_DUE);
	enum sql_result got;

	sql_bind_i64(st, 1, now_ms);
	sql_bind_i64(st, 2, (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW)
		if (!fn(arg, sql_str(st, 0), sql_str(st, 1)))
			return true;
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_error_issues(struct store_conn *c, struct str account_id, struct str flow_id,
	size_t limit, bool (*fn)(void *arg, const struct store_issue *i), void *arg,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_ERROR_ISSUES);
	enum sql_result got;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	sql_bind_i64(st, 3, (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		const struct store_issue i = { sql_str(st, 0), sql_str(st, 1), sql_str(st, 2),
			sql_str(st, 3), sql_str(st, 4), sql_str(st, 5), sql_str(st, 6),
			(uint64_t)sql_i64(st, 7), sql_i64(st, 8), sql_i64(st, 9) };

		if (!fn(arg, &i))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

static bool no_retry_data(struct str retry_id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no retry data %.*s", STR_ARG(retry_id));
}

bool store_error_of_retry(struct store_conn *c, struct arena *a, struct str account_id,
	struct str retry_id, struct store_job_error *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RETRY_ERROR);
	struct store_job_error e;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, retry_id);

	enum sql_result r = row_read_one(st, &row_job_error, a, &e, err);

	if (r == SQL_DONE)
		return no_retry_data(retry_id, err);
	if (r == SQL_ROW)
		*out = e;
	return r == SQL_ROW;
}

bool store_retry_data_put(struct store_conn *c, struct str account_id, struct str retry_id,
	struct str data, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_RETRY_DATA_PUT);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, retry_id);
	sql_bind_str(st, 3, data);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 1 || no_retry_data(retry_id, err);
}

/* ---- actions ---- */

bool store_action_put(struct store_conn *c, const struct store_action *x, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_ACTION_PUT);

	sql_bind_str(st, 1, x->account_id);
	sql_bind_str(st, 2, x->id);
	sql_bind_i64(st, 3, x->created_ms);
	sql_bind_str(st, 4, x->body);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_action_remove(struct store_conn *c, struct str account_id, struct str id,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_ACTION_REMOVE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, id);
	return sql_run(st) || sql_error(st->conn, err);
}

static bool read_action(struct sql_stmt *st, struct arena *a, struct store_action *out, bool *found,
	struct err *err)
{
	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*found = r == SQL_ROW;
	if (*found)
		*out = (struct store_action){ str_dup(a, sql_str(st, 0)),
			str_dup(a, sql_str(st, 1)), sql_i64(st, 2), str_dup(a, sql_str(st, 3)) };
	return true;
}

bool store_action_get(struct store_conn *c, struct arena *a, struct str account_id, struct str id,
	struct store_action *out, bool *found, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_ACTION_GET);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, id);
	return read_action(st, a, out, found, err);
}

bool store_action_next(struct store_conn *c, struct arena *a, struct store_action *out, bool *found,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_ACTION_NEXT);

	return read_action(st, a, out, found, err);
}
