/*
 * sql.h - the seam between the store and the database it keeps its rows in.
 *
 * Above it, files speak of statements by name (statements.h), bind values, step, and read columns;
 * below it a driver (struct sql_driver) does that with one database. sqlite.c is the embedded one.
 * Nothing of a driver's own shows above this header.
 *
 * A statement is taken with sql_use(), given its values, stepped, read and given back with
 * sql_done(). Trouble before the first step (a statement that can't be prepared, a value that can't
 * be bound) is remembered and comes out of sql_step(), so only that needs a look. Values are not
 * copied: they must live until sql_done(). Columns live until the next step or sql_done().
 *
 * A statement that fails inside a transaction may spoil it (it does in PostgreSQL, and in SQLite on
 * a full disk): undo to the savepoint, do not go on. Where a conflict is a good answer the statement
 * says ON CONFLICT and sql_changes() tells.
 *
 * A connection and its statements are used by one thread at a time.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "core/str.h"
#include "store/statements.h"

enum sql_role {
	SQL_WRITER, /* the one that changes anything and tends the log */
	SQL_READER, /* can't write; each transaction is one snapshot */
};

enum sql_failure {
	SQL_OK,
	SQL_UNIQUE,    /* a key is taken */
	SQL_REFERENCE, /* a row that must exist does not */
	SQL_FULL,      /* no room on the disk; what the statement did is undone */
	SQL_UNREAD,    /* the database could not be read, or what was read is damaged */
	SQL_DOUBT,     /* a write or sync failed: what the disk holds is unknown */
	SQL_BROKEN,    /* anything else: a lost connection, no memory, a wrong statement */
};

enum sql_result { SQL_ROW, SQL_DONE, SQL_FAILED };

enum sql_control {
	SQL_BEGIN, /* the writer's takes the right to write at once */
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SAVE,    /* one savepoint at a time: */
	SQL_RELEASE, /* keep what was done since */
	SQL_UNDO,    /* undo it, and release */
	SQL_CONTROL_COUNT
};

struct sql_conn;

struct sql_stmt {
	struct sql_conn *conn;
	enum statement_id id;
	bool busy;
	enum sql_failure failure; /* of preparing, binding or stepping */
	void *handle;             /* the driver's; prepared once, kept */
};

/* A list's callback may run the same list again: so many statements more may be in use. */
#define SQL_SPARE 4

/* What all drivers' connections begin with. */
struct sql_conn {
	const struct sql_driver *driver;
	enum sql_role role;
	bool in_doubt;            /* a write or sync failed once */
	enum sql_failure failure; /* the latest, with the database's own words: */
	char message[200];
	struct sql_stmt stmts[STATEMENT_COUNT], spare[SQL_SPARE];
};

struct sql_place {
	const char *path; /* of SQLite's file */
};

struct sql_driver {
	const char *name;
	/* A WRITER makes the database fit for use; READERs need one open. */
	bool (*open)(const struct sql_place *p, enum sql_role role, struct sql_conn **out,
		struct err *err);
	void (*close)(struct sql_conn *c);
	enum sql_failure (*control)(struct sql_conn *c, enum sql_control what);
	bool (*in_transaction)(struct sql_conn *c);
	/* Statements that define tables, several in one text. */
	enum sql_failure (*run_script)(struct sql_conn *c, const char *script);

	enum sql_failure (*prepare)(struct sql_stmt *st, const struct statement *text);
	void (*finalize)(struct sql_stmt *st);
	enum sql_failure (*bind_i64)(struct sql_stmt *st, int n, int64_t v);
	enum sql_failure (*bind_text)(struct sql_stmt *st, int n, struct str v); /* p NULL: null */
	enum sql_failure (*bind_blob)(struct sql_stmt *st, int n, struct str v);
	enum sql_result (*step)(struct sql_stmt *st);
	void (*reset)(struct sql_stmt *st);
	int64_t (*column_i64)(struct sql_stmt *st, int n);      /* null: 0 */
	struct str (*column_bytes)(struct sql_stmt *st, int n); /* null: p NULL */
	uint64_t (*changes)(struct sql_stmt *st);

	/* Between transactions of the writer. IDLE: nobody waits for it. CLOSING: the last time. */
	void (*tend_log)(struct sql_conn *c, bool idle, bool closing);
	/* Calls FN with each fault that the database finds in itself. */
	enum sql_failure (
		*check)(struct sql_conn *c, void (*fn)(void *arg, const char *words), void *arg);
	/* A consistent copy at PATH, on disk when this returns. Any thread, beside the writer. */
	bool (*backup)(const struct sql_place *p, const char *path, struct err *err);
	void (*sizes)(const struct sql_place *p, uint64_t *database_bytes, uint64_t *log_bytes);
};
extern const struct sql_driver sql_driver_sqlite;

/* Never NULL. More than SQL_SPARE uses of one statement inside each other are a programming error. */
struct sql_stmt *sql_use(struct sql_conn *c, enum statement_id id);
void sql_done(struct sql_stmt *st);
void sql_donep(struct sql_stmt **st); /* for DEFER */

/* Parameters count from 1, columns from 0. */
void sql_bind_i64(struct sql_stmt *st, int n, int64_t v);
void sql_bind_str(struct sql_stmt *st, int n, struct str v); /* p NULL: null */
void sql_bind_blob(struct sql_stmt *st, int n, const void *p, size_t len);

enum sql_result sql_step(struct sql_stmt *st);
/* Steps to the end; false when that fails. */
MUST_CHECK bool sql_run(struct sql_stmt *st);
static inline int64_t sql_i64(struct sql_stmt *st, int n)
{
	return st->conn->driver->column_i64(st, n);
}
static inline struct str sql_str(struct sql_stmt *st, int n)
{
	return st->conn->driver->column_bytes(st, n);
}
/* Rows changed by a statement that ran to its end. */
static inline uint64_t sql_changes(struct sql_stmt *st)
{
	return st->conn->driver->changes(st);
}

MUST_CHECK bool sql_control(struct sql_conn *c, enum sql_control what);
/* Ends an open transaction without a trace. False: only closing the connection ends it. */
bool sql_rollback(struct sql_conn *c);
MUST_CHECK bool sql_script(struct sql_conn *c, const char *script);
void sql_close(struct sql_conn *c); /* NULL is allowed */

/* Fills ERR from the connection's latest failure; returns false. */
bool sql_error(const struct sql_conn *c, struct err *err);
/* For drivers. */
enum sql_failure sql_note(struct sql_conn *c, enum sql_failure failure, const char *words);

#endif
