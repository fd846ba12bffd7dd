/*
 * job_error.c - errors of jobs, and the data of records that failed.
 *
 * An error belongs to a child job and to the flow job above it (root_job_id, which is the job itself
 * where there is none above): both ids list it, each by an index of its own. Within one instant
 * errors stand in the order of their records.
 */
#include "store/row.h"
#include "store/store_priv.h"

static bool retry_data_add(struct store_conn *c, const struct store_job_error *e, struct str data,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_RETRY_DATA_ADD);

	CHECK(e->retry_id.p != NULL);
	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->retry_id);
	sql_bind_i64(st, 3, e->created_ms);
	sql_bind_str(st, 4, data);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_job_error_add(struct store_conn *c, const struct store_job_error *e,
	struct str retry_data, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_ERROR_ADD);

	row_bind(st, 1, &row_job_error, 0, row_job_error.count, e);
	if (!sql_run(st)) {
		if (st->failure == SQL_REFERENCE)
			return err_set(err, ERR_CONFLICT, "there is no job %.*s",
				STR_ARG(e->job_id));
		return sql_error(st->conn, err);
	}
	return retry_data.p == NULL || retry_data_add(c, e, retry_data, err);
}

static bool not_found(struct str id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no error %.*s", STR_ARG(id));
}

/* The retry that the error failed in again has it open no more, when the error's state is this. */
static bool again_settled(struct store_conn *c, const struct store_job_error *e, int64_t now_ms,
	bool resolved, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_AGAIN_SETTLED);

	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->id);
	sql_bind_i64(st, 3, now_ms);
	sql_bind_i64(st, 4, resolved);
	return sql_run(st) || sql_error(st->conn, err);
}

/* Until now it was an earlier retry's; when somebody resolved it meanwhile, it is open in neither. */
bool store_job_error_again(struct store_conn *c, const struct store_job_error *e,
	struct str retry_data, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_ERROR_AGAIN);

	if (!again_settled(c, e, e->created_ms, false, err))
		return false;
	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->id);
	sql_bind_str(st, 3, e->stage);
	sql_bind_str(st, 4, e->source);
	sql_bind_str(st, 5, e->code);
	sql_bind_str(st, 6, e->message);
	sql_bind_str(st, 7, e->field);
	sql_bind_str(st, 8, e->hint);
	sql_bind_str(st, 9, e->request);
	sql_bind_str(st, 10, e->response);
	sql_bind_str(st, 11, e->fingerprint);
	sql_bind_str(st, 12, e->classification);
	sql_bind_i64(st, 13, e->next_retry_ms == 0 ? 0 : e->created_ms);
	sql_bind_str(st, 14, e->step_id);
	sql_bind_str(st, 15, e->job_id);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	if (sql_changes(st) != 1)
		return not_found(e->id, err);
	if (!again_settled(c, e, e->created_ms, true, err))
		return false;
	if (retry_data.p == NULL)
		return true;

	struct sql_stmt *data DEFER(sql_donep) = conn_use_to_write(c, STMT_RETRY_DATA_OF_ERROR);

	sql_bind_str(data, 1, e->account_id);
	sql_bind_str(data, 2, e->id);
	sql_bind_str(data, 3, retry_data);
	return sql_run(data) || sql_error(data->conn, err);
}

/* One record more delivered and one less failed, with the child and the job above. */
static bool credit(struct store_conn *c, const struct store_job_error *e, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_CREDIT);

	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->id);
	sql_bind_i64(st, 3, e->resolved_ms);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_job_error_settle(struct store_conn *c, const struct store_job_error *e, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_JOB_ERROR_RESOLVE);

	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->id);
	sql_bind_i64(st, 3, e->resolved_ms);
	sql_bind_str(st, 4, e->resolved_by);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 0 ||
	       (credit(c, e, err) && again_settled(c, e, e->resolved_ms, true, err));
}

bool error_place(struct store_conn *c, struct str account_id, struct str after,
	struct error_place *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_ERROR_PLACE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, after);
	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_DONE:
		return not_found(after, err);
	case SQL_ROW:
		break;
	}
	*out = (struct error_place){ sql_i64(st, 0), sql_i64(st, 1), after };
	return true;
}

bool job_is_child(struct store_conn *c, struct str account_id, struct str job_id, bool *out,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_IS_CHILD);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);

	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*out = r == SQL_ROW;
	return true;
}

bool store_job_error_list(struct store_conn *c, struct str account_id, struct str job_id,
	struct str after, size_t limit, bool (*fn)(void *arg, const struct store_job_error *e),
	void *arg, struct err *err)
{
	struct error_place place = { INT64_MIN, INT64_MIN, STR_INIT("") };
	struct store_job_error e;
	enum sql_result got;
	bool child = false;

	if (after.p != NULL && !error_place(c, account_id, after, &place, err))
		return false;
	if (!job_is_child(c, account_id, job_id, &child, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use(c,
		child ? STMT_JOB_ERROR_LIST_BY_JOB : STMT_JOB_ERROR_LIST_BY_FLOW_JOB);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);
	sql_bind_i64(st, 3, place.created_ms);
	sql_bind_i64(st, 4, place.record_index);
	sql_bind_str(st, 5, place.id);
	sql_bind_i64(st, 6, limit == 0 ? INT64_MAX : (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		if (!row_read(st, &row_job_error, NULL, &e, err))
			return false;
		if (!fn(arg, &e))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_job_error_last(struct store_conn *c, struct arena *a, struct str account_id,
	struct str job_id, struct store_job_error *out, bool *found, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_JOB_ERROR_LAST);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);

	enum sql_result r = row_read_one(st, &row_job_error, a, out, err);

	*found = r == SQL_ROW;
	return r != SQL_FAILED;
}

bool store_retry_data_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str retry_id, struct str *data, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RETRY_DATA_GET);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, retry_id);
	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_DONE:
		return err_set(err, ERR_NOT_FOUND, "there is no retry data %.*s",
			STR_ARG(retry_id));
	case SQL_ROW:
		break;
	}
	*data = str_dup(a, sql_str(st, 0));
	return true;
}

bool store_retry_list(struct store_conn *c, struct str account_id, struct str job_id,
	const struct store_retry *after, size_t limit,
	bool (*fn)(void *arg, const struct store_retry *r), void *arg, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_RETRY_LIST);
	enum sql_result got;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);
	sql_bind_i64(st, 3, after == NULL ? INT64_MIN : after->created_ms);
	sql_bind_i64(st, 4, after == NULL ? INT64_MIN : after->record_index);
	sql_bind_str(st, 5, after == NULL ? STR("") : after->error_id);
	sql_bind_i64(st, 6, (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		const struct store_retry r = { sql_str(st, 0), sql_str(st, 1), sql_i64(st, 2),
			sql_i64(st, 3), sql_str(st, 4) };

		if (!fn(arg, &r))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_retry_release(struct store_conn *c, struct str account_id, struct str job_id,
	size_t limit, uint64_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_RETRY_RELEASE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);
	sql_bind_i64(st, 3, (int64_t)limit);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*count = sql_changes(st);
	return true;
}
