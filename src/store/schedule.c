/*
 * schedule.c - taken instants, the dates of delta exports, and probed connections.
 */
#include "store/store_priv.h"

bool store_slot_take(struct store_conn *c, const struct store_slot *s, bool *taken, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_SLOT_TAKE);

	sql_bind_str(st, 1, s->account_id);
	sql_bind_str(st, 2, s->flow_id);
	sql_bind_i64(st, 3, s->due_ms);
	sql_bind_i64(st, 4, s->taken_ms);
	sql_bind_str(st, 5, s->job_id);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*taken = sql_changes(st) == 1;
	return true;
}

bool store_slot_last(struct store_conn *c, struct str account_id, struct str flow_id,
	int64_t *due_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_SLOT_LAST);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	if (sql_step(st) != SQL_ROW)
		return sql_error(st->conn, err);
	*due_ms = sql_i64(st, 0);
	return true;
}

bool store_slot_latest(struct store_conn *c, struct arena *a, struct str account_id,
	struct str flow_id, struct store_slot *out, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_SLOT_LATEST);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	*out = (struct store_slot){ account_id, flow_id, 0, 0, STR_NULL };

	enum sql_result r = sql_step(st);

	if (r == SQL_ROW) {
		out->due_ms = sql_i64(st, 0);
		out->taken_ms = sql_i64(st, 1);
		out->job_id = str_dup(a, sql_str(st, 2));
	}
	return r != SQL_FAILED || sql_error(st->conn, err);
}

bool store_slot_purge(struct store_conn *c, int64_t before_ms, size_t limit, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_SLOT_PURGE);

	sql_bind_i64(st, 1, before_ms);
	sql_bind_i64(st, 2, (int64_t)limit);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_export_state_get(struct store_conn *c, struct str account_id, struct str flow_id,
	struct str export_id, int64_t *last_export_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EXPORT_STATE_GET);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	sql_bind_str(st, 3, export_id);

	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*last_export_ms = r == SQL_ROW ? sql_i64(st, 0) : 0;
	return true;
}

bool store_export_state_put(struct store_conn *c, struct str account_id, struct str flow_id,
	struct str export_id, int64_t last_export_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_EXPORT_STATE_PUT);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	sql_bind_str(st, 3, export_id);
	sql_bind_i64(st, 4, last_export_ms);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_probe_put(struct store_conn *c, const struct store_probe *p, int64_t since_ms,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_PROBE_PUT);

	sql_bind_str(st, 1, p->account_id);
	sql_bind_str(st, 2, p->connection_id);
	sql_bind_i64(st, 3, since_ms);
	sql_bind_i64(st, 4, p->due_ms);
	sql_bind_i64(st, 5, p->pause_ms);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_probe_remove(struct store_conn *c, struct str account_id, struct str connection_id,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_PROBE_REMOVE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, connection_id);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_probe_get(struct store_conn *c, struct str account_id, struct str connection_id,
	bool *there, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_PROBE_GET);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, connection_id);

	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*there = r == SQL_ROW;
	return true;
}

bool store_probe_move(struct store_conn *c, const struct store_probe *p, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_PROBE_MOVE);

	sql_bind_str(st, 1, p->account_id);
	sql_bind_str(st, 2, p->connection_id);
	sql_bind_i64(st, 3, p->due_ms);
	sql_bind_i64(st, 4, p->pause_ms);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_probe_due(struct store_conn *c, int64_t now_ms, size_t limit,
	bool (*fn)(void *arg, const struct store_probe *p), void *arg, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_PROBE_DUE);
	enum sql_result got;

	sql_bind_i64(st, 1, now_ms);
	sql_bind_i64(st, 2, (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		const struct store_probe p = { sql_str(st, 0), sql_str(st, 1), sql_i64(st, 2),
			sql_i64(st, 3) };

		if (!fn(arg, &p))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}
