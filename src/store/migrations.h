/*
 * migrations.h - how the database came to its present tables: numbered steps, forward only.
 *
 * Each step is one transaction that also writes its row into the table `migration`, so a start that
 * is cut off between or inside steps goes on where the last whole one ended. A database with a step
 * that this program does not know was written by a newer one and is refused.
 *
 * The texts are SQLite's. A PostgreSQL driver's differ in words only, and it can derive them:
 * INTEGER is BIGINT, BLOB is BYTEA, and what stands behind a table's closing bracket is left out.
 */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "store/sql.h"

struct migration {
	int version; /* 1, 2, ... without a gap */
	const char *description;
	const char *sql;
};

extern const struct migration migrations[];
extern const size_t migration_count;

/* Brings the database behind the writer C to the last of N steps in TABLE. ERR_STORE. */
MUST_CHECK bool migrations_apply(struct sql_conn *c, const struct migration *table, size_t n,
	int64_t now_ms, struct err *err);

#endif
