/*
 * statements.h - every statement that the store runs, by name; the texts stand once, in statements.c.
 *
 * The texts keep to what SQLite and PostgreSQL have in common: ON CONFLICT, RETURNING, row values,
 * partial indexes. Where they must differ the PostgreSQL spelling stands beside (`pgsql`, NULL when
 * it is the same). Parameters are ?1, ?2 ... without gaps; a driver that wants $1 puts '$' for '?'.
 */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include "store/statement_table.h"

enum statement_id {
#define X(id) id,
	STATEMENT_TABLE(X)
#undef X
		STATEMENT_COUNT
};

struct statement {
	const char *sql;
	const char *pgsql; /* NULL: as sql */
};
const struct statement *statement_text(enum statement_id id);
const char *statement_name(enum statement_id id);

#endif
