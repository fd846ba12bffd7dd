/*
 * row.h - rows of the database as structs: each table's columns, in the order in which its
 * statements list them, with their kind and place in the struct.
 *
 * For the store's own files. Text read with an arena is copied; without, it points into the
 * database's memory and lives until the statement is stepped again or done.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include "store/sql.h"
#include "store/store.h"

enum row_kind { ROW_STR, ROW_I64, ROW_U64, ROW_U32, ROW_BOOL, ROW_JOB_TYPE, ROW_JOB_STATUS };

struct row_column {
	enum row_kind kind;
	uint32_t offset;
};

struct row_table {
	const struct row_column *columns;
	int count;
};

extern const struct row_table row_account, row_token, row_resource, row_job, row_job_error,
	row_page, row_event, row_idempotency;

/* Columns of a job that are settled when it is made; the others may change. */
#define ROW_JOB_FIXED 13
/* From here on: what functions of their own write. */
#define ROW_JOB_OWN 39

/* Binds columns FROM to TO - 1 of the row at ROW to parameters FIRST, FIRST + 1 ... */
void row_bind(struct sql_stmt *st, int first, const struct row_table *t, int from, int to,
	const void *row);
/* Fills the struct at ROW from the first columns of the present row. ERR_STORE when a value has no
 * meaning here. */
MUST_CHECK bool row_read(struct sql_stmt *st, const struct row_table *t, struct arena *a, void *row,
	struct err *err);

/* Rows of one kind gathered in an arena. */
struct row_list {
	struct arena *arena;
	char *p;
	size_t row_bytes, count, cap;
};
void *row_list_add(struct row_list *l); /* zeroed */

/* Steps ST to its end and gathers what it yields. */
MUST_CHECK bool row_read_all(struct sql_stmt *st, const struct row_table *t, struct row_list *l,
	struct err *err);
/* Reads the one row that ST yields: SQL_ROW; SQL_DONE when there is none; SQL_FAILED fills ERR. */
MUST_CHECK enum sql_result row_read_one(struct sql_stmt *st, const struct row_table *t,
	struct arena *a, void *row, struct err *err);

/* Where a list goes on at AFTER, whose created_ms ST asks for: at that and AFTER; when it is gone, at the
 * second its id begins with and the empty id. ERR_QUERY: AFTER is no id. */
MUST_CHECK bool row_list_place(struct sql_stmt *st, struct str after, int64_t *ms, struct str *id,
	struct err *err);

#endif
