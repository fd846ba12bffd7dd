/*
 * state.c - values that users keep by key.
 */
#include "store/store_priv.h"

static void bind_key(struct sql_stmt *st, const struct store_state_key *k)
{
	sql_bind_str(st, 1, k->account_id);
	sql_bind_str(st, 2, k->scope);
	sql_bind_str(st, 3, k->key);
}

static bool not_found(const struct store_state_key *k, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no state under the key \"%.*s\"",
		STR_ARG(k->key));
}

bool store_state_get(struct store_conn *c, struct arena *a, const struct store_state_key *k,
	struct str *value, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_STATE_GET);

	bind_key(st, k);
	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_DONE:
		return not_found(k, err);
	case SQL_ROW:
		break;
	}
	*value = str_dup(a, sql_str(st, 0));
	return true;
}

static bool exists(struct store_conn *c, const struct store_state_key *k, bool *found,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_STATE_GET);

	bind_key(st, k);

	enum sql_result r = sql_step(st);

	*found = r == SQL_ROW;
	return r != SQL_FAILED || sql_error(st->conn, err);
}

bool store_state_put(struct store_conn *c, const struct store_state_key *k, struct str value,
	int64_t now_ms, bool *created, struct err *err)
{
	bool found;

	if (!exists(c, k, &found, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_STATE_PUT);

	bind_key(st, k);
	sql_bind_str(st, 4, value);
	sql_bind_i64(st, 5, now_ms);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*created = !found;
	return true;
}

bool store_state_remove(struct store_conn *c, const struct store_state_key *k, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_STATE_REMOVE);

	bind_key(st, k);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return sql_changes(st) == 1 || not_found(k, err);
}

bool store_state_remove_all(struct store_conn *c, struct str account_id, struct str scope,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_STATE_REMOVE_ALL);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, scope);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_state_count(struct store_conn *c, struct str account_id, struct str scope,
	uint64_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_STATE_COUNT);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, scope);
	if (sql_step(st) != SQL_ROW)
		return sql_error(st->conn, err);
	*count = (uint64_t)sql_i64(st, 0);
	return true;
}

bool store_state_keys(struct store_conn *c, struct str account_id, struct str scope,
	bool (*fn)(void *arg, struct str key), void *arg, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_STATE_KEYS);
	enum sql_result got;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, scope);
	while ((got = sql_step(st)) == SQL_ROW)
		if (!fn(arg, sql_str(st, 0)))
			return true;
	return got == SQL_DONE || sql_error(st->conn, err);
}
