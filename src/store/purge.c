/*
 * purge.c - forgetting: jobs that are too old, configurations that nobody has, evidence over a budget.
 *
 * A job goes when the last of its errors has gone, so that a slice may end anywhere: what is left of
 * the job is found again by the next.
 */
#include "core/arena.h"
#include "store/row.h"
#include "store/store_priv.h"

struct row_key {
	struct str account_id, id;
};

static bool next_due(struct store_conn *c, struct arena *a, int64_t now_ms, struct row_key *out,
	bool *found, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_PURGE_NEXT);

	sql_bind_i64(st, 1, now_ms);

	enum sql_result r = sql_step(st);

	*found = r == SQL_ROW;
	if (*found)
		*out = (struct row_key){ str_dup(a, sql_str(st, 0)), str_dup(a, sql_str(st, 1)) };
	return r != SQL_FAILED || sql_error(st->conn, err);
}

/* A statement by account and id; LIMIT 0: the statement has none. */
static bool run_keyed(struct store_conn *c, enum statement_id id, const struct row_key *j,
	size_t limit, uint64_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, id);

	sql_bind_str(st, 1, j->account_id);
	sql_bind_str(st, 2, j->id);
	if (limit > 0)
		sql_bind_i64(st, 3, (int64_t)limit);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*count = sql_changes(st);
	return true;
}

bool store_job_purge(struct store_conn *c, int64_t now_ms, size_t limit, uint64_t *removed,
	struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("purge", 0);
	uint64_t jobs = 0, errors = 0, children = 0, n = 0;
	struct row_key j;
	bool found;

	CHECK(limit > 0);
	while (errors < limit && jobs < limit) {
		if (!next_due(c, a, now_ms, &j, &found, err))
			return false;
		if (!found)
			break;
		/* the same rows: both take them in order */
		if (!run_keyed(c, STMT_PURGE_RETRY_DATA, &j, limit - errors, &n, err) ||
			!run_keyed(c, STMT_PURGE_ERRORS, &j, limit - errors, &n, err))
			return false;
		errors += n;
		if (errors == limit)
			break; /* there may be more of this job */
		if (!store_page_remove(c, j.account_id, j.id, err) ||
			!run_keyed(c, STMT_PURGE_CHILDREN, &j, 0, &children, err) ||
			!run_keyed(c, STMT_PURGE_JOB, &j, 0, &n, err))
			return false;
		jobs += children + n;
	}
	*removed = jobs + errors;
	return true;
}

bool store_config_purge(struct store_conn *c, int64_t before_ms, size_t limit, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_PURGE_CONFIGS);

	sql_bind_i64(st, 1, before_ms);
	sql_bind_i64(st, 2, (int64_t)limit);
	return sql_run(st) || sql_error(st->conn, err);
}

/* ---- evidence ---- */

bool store_evidence_size(struct store_conn *c, uint64_t *size, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EVIDENCE_BYTES);

	if (sql_step(st) != SQL_ROW)
		return sql_error(st->conn, err);
	*size = (uint64_t)sql_i64(st, 0);
	return true;
}

bool store_evidence_list(struct store_conn *c, struct arena *a, size_t limit,
	struct store_evidence **out, size_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EVIDENCE_LIST);
	struct row_list l = { .arena = a, .row_bytes = sizeof(struct store_evidence) };
	enum sql_result got;

	sql_bind_i64(st, 1, (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		struct store_evidence *e = row_list_add(&l);
		struct str retry = sql_str(st, 2);

		*e = (struct store_evidence){ str_dup(a, sql_str(st, 0)),
			str_dup(a, sql_str(st, 1)), retry.p == NULL ? STR_NULL : str_dup(a, retry),
			(uint64_t)sql_i64(st, 3) };
	}
	if (got == SQL_FAILED)
		return sql_error(st->conn, err);
	*out = (struct store_evidence *)(void *)l.p;
	*count = l.count;
	return true;
}

bool store_evidence_remove(struct store_conn *c, const struct store_evidence *list, size_t count,
	struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct row_key error = { list[i].account_id, list[i].error_id };
		const struct row_key data = { list[i].account_id, list[i].retry_id };
		uint64_t n;

		if (!run_keyed(c, STMT_EVIDENCE_REMOVE, &error, 0, &n, err))
			return false;
		if (n == 0 || data.id.p == NULL)
			continue; /* a retry was faster, or there is none */
		if (!run_keyed(c, STMT_RETRY_DATA_REMOVE, &data, 0, &n, err))
			return false;
	}
	return true;
}
