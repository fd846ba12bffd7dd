/*
 * page.c - rows of pages in work, and of the documents that jobs began with.
 */
#include "store/row.h"
#include "store/store_priv.h"

bool store_page_put(struct store_conn *c, const struct store_page *p, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_PAGE_PUT);

	row_bind(st, 1, &row_page, 0, row_page.count, p);
	c->changed |= ADDED_PAGES;
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_page_get(struct store_conn *c, struct arena *a, struct str account_id, struct str job_id,
	struct store_page *out, bool *found, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_PAGE_GET);
	struct store_page p;

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);

	enum sql_result r = row_read_one(st, &row_page, a, &p, err);

	if (r == SQL_FAILED)
		return false;
	*found = r == SQL_ROW;
	if (*found)
		*out = p;
	return true;
}

bool store_page_remove(struct store_conn *c, struct str account_id, struct str job_id,
	struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_PAGE_REMOVE);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, job_id);
	return sql_run(st) || sql_error(st->conn, err);
}

/* Every view of a connection asks; most of the time nothing runs, and that is known without a query. */
static bool is_any(struct store_conn *c, bool *any, struct err *err)
{
	if (!c->writer && c->in_snapshot &&
		atomic_load(&c->store->no_page_epoch) == c->page_epoch) {
		*any = false;
		return true;
	}
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_PAGE_ANY);
	enum sql_result got = sql_step(st);

	*any = got == SQL_ROW;
	if (got == SQL_FAILED)
		return sql_error(st->conn, err);
	if (!*any && !c->writer)
		atomic_store(&c->store->no_page_epoch, c->page_epoch);
	return true;
}

bool store_page_waiting(struct store_conn *c, struct str account_id, struct str connection_id,
	bool (*fn)(void *arg, struct str connection_id, uint64_t records), void *arg,
	struct err *err)
{
	bool all = connection_id.p == NULL, any;

	if (!is_any(c, &any, err))
		return false;
	if (!any)
		return true;
	struct sql_stmt *st DEFER(
		sql_donep) = conn_use(c, all ? STMT_PAGE_WAITING : STMT_PAGE_WAITING_OF);
	enum sql_result got;

	sql_bind_str(st, 1, account_id);
	if (!all)
		sql_bind_str(st, 2, connection_id);
	while ((got = sql_step(st)) == SQL_ROW)
		if (!fn(arg, sql_str(st, 0), (uint64_t)sql_i64(st, 1)))
			return true;
	return got == SQL_DONE || sql_error(st->conn, err);
}

bool store_config_put(struct store_conn *c, struct str account_id, struct str hash, int64_t now_ms,
	struct str config, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use_to_write(c, STMT_CONFIG_PUT);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, hash);
	sql_bind_i64(st, 3, now_ms);
	sql_bind_str(st, 4, config);
	return sql_run(st) || sql_error(st->conn, err);
}

bool store_config_get(struct store_conn *c, struct arena *a, struct str account_id, struct str hash,
	struct str *config, struct err *err)
{
	struct sql_stmt *st DEFER(sql_donep) = conn_use(c, STMT_CONFIG_GET);

	sql_bind_str(st, 1, account_id);
	sql_bind_str(st, 2, hash);
	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_DONE:
		return err_set(err, ERR_NOT_FOUND,
			"the documents that the job began with are not kept any more");
	case SQL_ROW:
		break;
	}
	*config = str_dup(a, sql_str(st, 0));
	return true;
}
