/*
 * row.c - the column tables and the two walkers over them.
 */
#include "store/row.h"

#define COLUMN(kind, type, field)                    \
	{                                            \
		(kind), offsetof(struct type, field) \
	}
#define TABLE(columns)                        \
	{                                     \
		(columns), ARRAY_LEN(columns) \
	}

static const struct row_column account_columns[] = {
	COLUMN(ROW_STR, store_account, id),
	COLUMN(ROW_STR, store_account, name),
	COLUMN(ROW_I64, store_account, created_ms),
	COLUMN(ROW_U32, store_account, rate_bucket),
	COLUMN(ROW_U32, store_account, rate_refill),
};
const struct row_table row_account = TABLE(account_columns);

static const struct row_column token_columns[] = {
	COLUMN(ROW_STR, store_token, account_id),
	COLUMN(ROW_STR, store_token, id),
	COLUMN(ROW_STR, store_token, name),
	COLUMN(ROW_STR, store_token, scope),
	COLUMN(ROW_STR, store_token, connector_id),
	COLUMN(ROW_I64, store_token, created_ms),
	COLUMN(ROW_I64, store_token, expires_ms),
	COLUMN(ROW_U32, store_token, rate_bucket),
	COLUMN(ROW_U32, store_token, rate_refill),
};
const struct row_table row_token = TABLE(token_columns);

static const struct row_column resource_columns[] = {
	COLUMN(ROW_STR, store_resource, account_id),
	COLUMN(ROW_STR, store_resource, type),
	COLUMN(ROW_STR, store_resource, id),
	COLUMN(ROW_I64, store_resource, created_ms),
	COLUMN(ROW_I64, store_resource, version),
	COLUMN(ROW_I64, store_resource, modified_ms),
	COLUMN(ROW_STR, store_resource, name),
	COLUMN(ROW_STR, store_resource, external_id),
	COLUMN(ROW_STR, store_resource, integration_id),
	COLUMN(ROW_STR, store_resource, connector_id),
	COLUMN(ROW_STR, store_resource, api_identifier),
	COLUMN(ROW_STR, store_resource, document),
};
const struct row_table row_resource = TABLE(resource_columns);

static const struct row_column job_columns[] = {
	COLUMN(ROW_STR, store_job, account_id),
	COLUMN(ROW_STR, store_job, id),
	COLUMN(ROW_JOB_TYPE, store_job, type),
	COLUMN(ROW_STR, store_job, flow_id),
	COLUMN(ROW_STR, store_job, export_id),
	COLUMN(ROW_STR, store_job, import_id),
	COLUMN(ROW_STR, store_job, integration_id),
	COLUMN(ROW_STR, store_job, flow_job_id),
	COLUMN(ROW_I64, store_job, created_ms),
	COLUMN(ROW_U32, store_job, order_index),
	COLUMN(ROW_STR, store_job, trigger),
	COLUMN(ROW_I64, store_job, due_ms),
	COLUMN(ROW_STR, store_job, retry_of_job_id),
	/* From here on: ROW_JOB_FIXED. */
	COLUMN(ROW_JOB_STATUS, store_job, status),
	COLUMN(ROW_I64, store_job, started_ms),
	COLUMN(ROW_I64, store_job, ended_ms),
	COLUMN(ROW_I64, store_job, modified_ms),
	COLUMN(ROW_I64, store_job, purge_ms),
	COLUMN(ROW_U64, store_job, num_error),
	COLUMN(ROW_U64, store_job, num_success),
	COLUMN(ROW_U64, store_job, num_ignore),
	COLUMN(ROW_U64, store_job, num_export),
	COLUMN(ROW_U64, store_job, pages_generated),
	COLUMN(ROW_U64, store_job, pages_processed),
	COLUMN(ROW_BOOL, store_job, done_exporting),
	COLUMN(ROW_BOOL, store_job, retriable),
	COLUMN(ROW_U32, store_job, attempts),
	COLUMN(ROW_U64, store_job, ledger.exported),
	COLUMN(ROW_U64, store_job, ledger.succeeded),
	COLUMN(ROW_U64, store_job, ledger.ignored),
	COLUMN(ROW_U64, store_job, ledger.failed),
	COLUMN(ROW_U64, store_job, ledger.in_flight),
	COLUMN(ROW_STR, store_job, zero_reason),
	COLUMN(ROW_STR, store_job, error_code),
	COLUMN(ROW_STR, store_job, error_message),
	COLUMN(ROW_STR, store_job, cursor),
	COLUMN(ROW_STR, store_job, waiting_for),
	COLUMN(ROW_I64, store_job, not_before_ms),
	COLUMN(ROW_STR, store_job, config_hash),
	/* From here on: ROW_JOB_OWN; read with the row, written by functions of their own. */
	COLUMN(ROW_STR, store_job, canceled_by),
	COLUMN(ROW_U64, store_job, fence),
	COLUMN(ROW_I64, store_job, lease_until_ms),
	COLUMN(ROW_U64, store_job, num_resolved),
	COLUMN(ROW_U64, store_job, num_open_error),
};
const struct row_table row_job = TABLE(job_columns);

static const struct row_column job_error_columns[] = {
	COLUMN(ROW_STR, store_job_error, account_id),
	COLUMN(ROW_STR, store_job_error, id),
	COLUMN(ROW_STR, store_job_error, job_id),
	COLUMN(ROW_STR, store_job_error, flow_job_id),
	COLUMN(ROW_STR, store_job_error, flow_id),
	COLUMN(ROW_STR, store_job_error, step_id),
	COLUMN(ROW_I64, store_job_error, created_ms),
	COLUMN(ROW_STR, store_job_error, stage),
	COLUMN(ROW_STR, store_job_error, source),
	COLUMN(ROW_STR, store_job_error, code),
	COLUMN(ROW_STR, store_job_error, message),
	COLUMN(ROW_STR, store_job_error, field),
	COLUMN(ROW_STR, store_job_error, hint),
	COLUMN(ROW_STR, store_job_error, trace_key),
	COLUMN(ROW_I64, store_job_error, record_index),
	COLUMN(ROW_STR, store_job_error, request),
	COLUMN(ROW_STR, store_job_error, response),
	COLUMN(ROW_BOOL, store_job_error, resolved),
	COLUMN(ROW_STR, store_job_error, retry_id),
	COLUMN(ROW_STR, store_job_error, fingerprint),
	COLUMN(ROW_STR, store_job_error, classification),
	COLUMN(ROW_U32, store_job_error, attempts),
	COLUMN(ROW_STR, store_job_error, retry_job_id),
	COLUMN(ROW_I64, store_job_error, next_retry_ms),
	COLUMN(ROW_I64, store_job_error, resolved_ms),
	COLUMN(ROW_STR, store_job_error, resolved_by),
};
const struct row_table row_job_error = TABLE(job_error_columns);

static const struct row_column page_columns[] = {
	COLUMN(ROW_STR, store_page, account_id),
	COLUMN(ROW_STR, store_page, job_id),
	COLUMN(ROW_U64, store_page, page_index),
	COLUMN(ROW_U32, store_page, step),
	COLUMN(ROW_BOOL, store_page, waiting),
	COLUMN(ROW_STR, store_page, body),
	COLUMN(ROW_STR, store_page, connection_id),
	COLUMN(ROW_U64, store_page, records),
};
const struct row_table row_page = TABLE(page_columns);

static const struct row_column event_columns[] = {
	COLUMN(ROW_STR, store_event, account_id),
	COLUMN(ROW_STR, store_event, export_id),
	COLUMN(ROW_I64, store_event, seq),
	COLUMN(ROW_STR, store_event, event_id),
	COLUMN(ROW_I64, store_event, received_ms),
	COLUMN(ROW_STR, store_event, body),
};
const struct row_table row_event = TABLE(event_columns);

static const struct row_column idempotency_columns[] = {
	COLUMN(ROW_STR, store_idempotency, account_id),
	COLUMN(ROW_STR, store_idempotency, key),
	COLUMN(ROW_I64, store_idempotency, created_ms),
	COLUMN(ROW_U32, store_idempotency, status),
	COLUMN(ROW_STR, store_idempotency, response),
};
const struct row_table row_idempotency = TABLE(idempotency_columns);

static int64_t as_i64(uint64_t v)
{
	CHECK(v <= INT64_MAX);
	return (int64_t)v;
}

void row_bind(struct sql_stmt *st, int first, const struct row_table *t, int from, int to,
	const void *row)
{
	CHECK(from >= 0 && to <= t->count);
	for (int i = from; i < to; i++) {
		const char *p = (const char *)row + t->columns[i].offset;
		int n = first + i - from;

		switch (t->columns[i].kind) {
		case ROW_STR:
			sql_bind_str(st, n, *(const struct str *)(const void *)p);
			break;
		case ROW_I64:
			sql_bind_i64(st, n, *(const int64_t *)(const void *)p);
			break;
		case ROW_U64:
			sql_bind_i64(st, n, as_i64(*(const uint64_t *)(const void *)p));
			break;
		case ROW_U32:
			sql_bind_i64(st, n, *(const uint32_t *)(const void *)p);
			break;
		case ROW_BOOL:
			sql_bind_i64(st, n, *(const bool *)p);
			break;
		case ROW_JOB_TYPE:
			sql_bind_str(st, n,
				str_z(job_type_word(*(const enum job_type *)(const void *)p)));
			break;
		case ROW_JOB_STATUS:
			sql_bind_str(st, n,
				str_z(job_status_word(*(const enum job_status *)(const void *)p)));
			break;
		}
	}
}

static bool read_column(struct sql_stmt *st, int n, enum row_kind kind, struct arena *a, char *p)
{
	struct str s;

	switch (kind) {
	case ROW_STR:
		s = sql_str(st, n);
		*(struct str *)(void *)p = a == NULL || s.p == NULL ? s : str_dup(a, s);
		return true;
	case ROW_I64:
		*(int64_t *)(void *)p = sql_i64(st, n);
		return true;
	case ROW_U64:
		*(uint64_t *)(void *)p = (uint64_t)sql_i64(st, n);
		return true;
	case ROW_U32:
		*(uint32_t *)(void *)p = (uint32_t)sql_i64(st, n);
		return true;
	case ROW_BOOL:
		*(bool *)p = sql_i64(st, n) != 0;
		return true;
	case ROW_JOB_TYPE:
		return job_type_of(sql_str(st, n), (enum job_type *)(void *)p);
	case ROW_JOB_STATUS:
		return job_status_of(sql_str(st, n), (enum job_status *)(void *)p);
	}
	return false;
}

bool row_read(struct sql_stmt *st, const struct row_table *t, struct arena *a, void *row,
	struct err *err)
{
	for (int i = 0; i < t->count; i++)
		if (!read_column(st, i, t->columns[i].kind, a, (char *)row + t->columns[i].offset))
			return err_set(err, ERR_STORE,
				"the database is damaged: \"%.*s\" is not a type or status of a "
				"job",
				STR_ARG(sql_str(st, i)));
	return true;
}

void *row_list_add(struct row_list *l)
{
	if (l->count == l->cap) {
		size_t cap = MAX(l->cap * 2, (size_t)8);

		l->p = arena_grow(l->arena, l->p, l->cap * l->row_bytes, cap * l->row_bytes);
		l->cap = cap;
	}
	return memset(l->p + l->count++ * l->row_bytes, 0, l->row_bytes);
}

bool row_read_all(struct sql_stmt *st, const struct row_table *t, struct row_list *l,
	struct err *err)
{
	enum sql_result r;

	while ((r = sql_step(st)) == SQL_ROW) {
		if (!arena_check(l->arena, err))
			return false;
		if (!row_read(st, t, l->arena, row_list_add(l), err))
			return false;
	}
	return r == SQL_DONE || sql_error(st->conn, err);
}

enum sql_result row_read_one(struct sql_stmt *st, const struct row_table *t, struct arena *a,
	void *row, struct err *err)
{
	enum sql_result r = sql_step(st);

	if (r == SQL_ROW && !row_read(st, t, a, row, err))
		return SQL_FAILED;
	if (r == SQL_FAILED)
		sql_error(st->conn, err);
	return r;
}

bool row_list_place(struct sql_stmt *st, struct str after, int64_t *ms, struct str *id,
	struct err *err)
{
	unsigned char seconds[4];
	uint32_t s = 0;

	switch (sql_step(st)) {
	case SQL_FAILED:
		return sql_error(st->conn, err);
	case SQL_ROW:
		*ms = sql_i64(st, 0);
		*id = after;
		return true;
	case SQL_DONE:
		break;
	}
	if (!str_hex_get(str_sub(after, 0, 8), seconds, sizeof(seconds)))
		return err_set(err, ERR_QUERY, "after: \"%.*s\" is not an id", STR_ARG(after));
	for (size_t i = 0; i < sizeof(seconds); i++)
		s = s << 8 | seconds[i];
	*ms = (int64_t)s * 1000;
	*id = STR("");
	return true;
}
