/*
 * event.c - events of listeners, the places of the flows that take them, and event ids seen.
 */
#include "store/row.h"
#include "store/store_priv.h"

static bool next_seq(struct store_conn *c, int64_t *seq, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_EVENT_SEQUENCE);

	if (sql_step(st) != SQL_ROW)
		return sql_error(st->conn, err);
	*seq = sql_i64(st, 0);
	return sql_run(st) || sql_error(st->conn, err);
}

static bool seen_before(struct store_conn *c, const struct store_event *e, int64_t window_ms,
	bool *seen, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_EVENT_SEEN);

	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->export_id);
	sql_bind_str(st, 3, e->event_id);
	sql_bind_i64(st, 4, e->received_ms);
	sql_bind_i64(st, 5, e->received_ms - window_ms);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*seen = sql_changes(st) == 0;
	return true;
}

bool store_event_add(struct store_conn *c, struct store_event *e, int64_t window_ms,
	bool *duplicate, struct err *err)
{
	bool seen = false;

	e->seq = 0;
	if (window_ms > 0 && e->event_id.p != NULL && !seen_before(c, e, window_ms, &seen, err))
		return false;
	*duplicate = seen;
	if (seen)
		return true;
	if (!next_seq(c, &e->seq, err))
		return false;

	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_EVENT_ADD);

	sql_bind_str(st, 1, e->account_id);
	sql_bind_str(st, 2, e->export_id);
	sql_bind_i64(st, 3, e->seq);
	sql_bind_str(st, 4, e->event_id);
	sql_bind_i64(st, 5, e->received_ms);
	sql_bind_blob(st, 6, e->body.p, e->body.n);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_event_list(struct store_conn *c, struct str account_id, struct str export_id,
	int64_t after_seq, size_t limit, bool (*fn)(void *arg, const struct store_event *e),
	void *arg, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EVENT_LIST);
	struct store_event e;
	enum sql_result got;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, export_id);
	sql_bind_i64(st, 3, after_seq);
	sql_bind_i64(st, 4, (int64_t)limit);
	while ((got = sql_step(st)) == SQL_ROW) {
		if (!row_read(st, &row_event, NULL, &e, err))
			return false;
		if (!fn(arg, &e))
			return true;
	}
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_event_waiting(struct store_conn *c, struct str account_id, struct str export_id,
	int64_t after_seq, uint64_t *count, int64_t *oldest_ms, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EVENT_WAITING);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, export_id);
	sql_bind_i64(st, 3, after_seq);
	if (sql_step(st) != SQL_ROW)
		return sql_error(st->conn, err);
	*count = (uint64_t)sql_i64(st, 0);
	*oldest_ms = sql_i64(st, 1);
	return true;
}

bool store_event_waiting_of_flow(struct store_conn *c, struct str account_id, struct str flow_id,
	uint64_t *count, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EVENT_WAITING_OF);
	uint64_t sum = 0;
	enum sql_result got;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	sql_bind_i64(st, 3, STORE_EVENT_COUNT_MAX);
	while ((got = sql_step(st)) == SQL_ROW)
		sum += (uint64_t)sql_i64(st, 0);
	if (got != SQL_DONE)
		return sql_error(st->conn, err);
	*count = MIN(sum, (uint64_t)STORE_EVENT_COUNT_MAX);
	return true;
}

bool store_event_exports(struct store_conn *c,
	bool (*fn)(void *arg, struct str account_id, struct str export_id), void *arg,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_EVENT_EXPORTS);
	enum sql_result got;

	while ((got = sql_step(st)) == SQL_ROW)
		if (!fn(arg, sql_str(st, 0), sql_str(st, 1)))
			return true;
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_event_purge_seen(struct store_conn *c, int64_t before_ms, size_t limit,
	uint64_t *removed, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_EVENT_SEEN_PURGE);

	sql_bind_i64(st, 1, before_ms);
	sql_bind_i64(st, 2, (int64_t)limit);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	*removed = (uint64_t)sql_changes(st);
	return true;
}

static bool remove_taken(struct store_conn *c, struct str account_id, struct str export_id,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_EVENT_REMOVE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, export_id);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_listener_advance(struct store_conn *c, struct str account_id, struct str export_id,
	struct str flow_id, int64_t seq, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_LISTENER_PUT);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, export_id);
	sql_bind_str(st, 3, flow_id);
	sql_bind_i64(st, 4, seq);
	if (!sql_run(st))
		return sql_error(st->conn, err);
	return remove_taken(c, account_id, export_id, err);
}

bool store_listener_place(struct store_conn *c, struct str account_id, struct str export_id,
	struct str flow_id, int64_t *seq, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_LISTENER_GET);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, export_id);
	sql_bind_str(st, 3, flow_id);

	enum sql_result r = sql_step(st);

	if (r == SQL_FAILED)
		return sql_error(st->conn, err);
	*seq = r == SQL_ROW ? sql_i64(st, 0) : 0;
	return true;
}

/* ---- what follows from changes of resources ---- */

static bool place_add(struct store_conn *c, const struct store_resource *flow, struct str export_id,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_LISTENER_ADD);

	sql_bind_str(st, 1, flow->account_id);
	sql_bind_str(st, 2, export_id);
	sql_bind_str(st, 3, flow->id);
	return sql_run(st) || sql_error(st->conn, err);
}

bool event_flow_removed(struct store_conn *c, struct str account_id, struct str flow_id,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_LISTENER_RETAIN);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, flow_id);
	return sql_run(st) || sql_error(st->conn, err);
}

bool event_flow_written(struct store_conn *c, const struct store_resource *flow,
	const struct store_ref *refs, size_t ref_count, struct err *err)
{
	for (size_t i = 0; i < ref_count; i++)
		if (str_eq_z(refs[i].type, "export") &&
			!str_starts(refs[i].field, STR("pageProcessors")) &&
			!place_add(c, flow, refs[i].id, err))
			return false;
	return event_flow_removed(c, flow->account_id, flow->id, err);
}

bool event_export_removed(struct store_conn *c, struct str account_id, struct str export_id,
	struct err *err)
{
	static const enum statement_id all[] = { STMT_EVENT_FORGET, STMT_EVENT_SEEN_FORGET,
		STMT_LISTENER_FORGET };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, all[i]);

		sql_bind_str(st, 1, account_id);
		sql_bind_str(st, 2, export_id);
		if (!sql_run(st))
			return sql_error(st->conn, err);
	}
	return true;
}
