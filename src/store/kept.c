/*
 * kept.c - answers kept for repeated requests, and the installation's settings.
 */
#include "store/row.h"
#include "store/store_priv.h"

#define HASH_BYTES sizeof(((struct store_idempotency *)NULL)->request_hash)

bool store_idempotency_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str key, int64_t now_ms, struct store_idempotency *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_IDEMPOTENCY_GET);
	struct store_idempotency i;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, key);
	sql_bind_i64(st, 3, now_ms - STORE_IDEMPOTENCY_MS);
	switch (row_read_one(st, &row_idempotency, a, &i, err)) {
	case SQL_FAILED:
		return false;
	case SQL_DONE:
		return err_set(err, ERR_NOT_FOUND, "no answer is kept under this key");
	case SQL_ROW:
		break;
	}

	struct str hash = sql_str(st, row_idempotency.count);

	if (hash.n != HASH_BYTES)
		return err_set(err, ERR_STORE, "the database is damaged: a kept answer's hash");
	memcpy(i.request_hash, hash.p, HASH_BYTES);
	*out = i;
	return true;
}

bool store_idempotency_put(struct store_conn *c, const struct store_idempotency *i, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_IDEMPOTENCY_PUT);
	int n = row_idempotency.count;

	row_bind(st, 1, &row_idempotency, 0, n, i);
	sql_bind_blob(st, n + 1, i->request_hash, HASH_BYTES);
	sql_bind_i64(st, n + 2, i->created_ms - STORE_IDEMPOTENCY_MS);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 1 ||
	       err_set(err, ERR_CONFLICT, "an answer is kept under this key already");
}

bool store_idempotency_finish(struct store_conn *c, const struct store_idempotency *i,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_IDEMPOTENCY_FINISH);

	sql_bind_str(st, 1, i->account_id);
	sql_bind_str(st, 2, i->key);
	sql_bind_i64(st, 3, i->status);
	sql_bind_str(st, 4, i->response);
	sql_bind_i64(st, 5, i->created_ms);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_idempotency_purge(struct store_conn *c, int64_t now_ms, size_t limit, uint64_t *removed,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_IDEMPOTENCY_PURGE);

	sql_bind_i64(st, 1, now_ms - STORE_IDEMPOTENCY_MS);
	sql_bind_i64(st, 2, (int64_t)limit);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*removed = sql_changes(st);
	return true;
}

bool store_setting_get(struct store_conn *c, struct arena *a, struct str key, struct str *value,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_SETTING_GET);

	sql_bind_str(st, 1, key);
	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_DONE:
		return err_set(err, ERR_NOT_FOUND, "there is no setting %.*s", STR_ARG(key));
	case SQL_ROW:
		break;
	}
	*value = str_dup(a, sql_str(st, 0));
	return true;
}

bool store_setting_put(struct store_conn *c, struct str key, struct str value, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_SETTING_PUT);

	sql_bind_str(st, 1, key);
	sql_bind_str(st, 2, value);
	return sql_run(st) || sql_error(st->conn, err);
}
