/*
 * sql.c - what is the same for all drivers: statements kept per connection, failures remembered
 * until a step brings them out, and their words for the user.
 */
#include "store/sql.h"

#include "store/fault.h"

enum sql_failure sql_note(struct sql_conn *c, enum sql_failure failure, const char *words)
{
	c->failure = failure;
	if (failure == SQL_DOUBT)
		c->in_doubt = true;
	snprintf(c->message, sizeof(c->message), "%s", words);
	return failure;
}

static enum sql_failure injected(struct sql_conn *c)
{
	return sql_note(c, SQL_BROKEN, "injected fault");
}

static struct sql_stmt *slot_of(struct sql_conn *c, enum statement_id id)
{
	if (LIKELY(!c->stmts[id].busy))
		return &c->stmts[id];
	for (int i = 0; i < SQL_SPARE; i++)
		if (!c->spare[i].busy)
			return &c->spare[i];
	CHECK(!"one statement is used too often inside itself");
	return NULL;
}

struct sql_stmt *sql_use(struct sql_conn *c, enum statement_id id)
{
	struct sql_stmt *st = slot_of(c, id);

	st->conn = c;
	st->id = id;
	st->busy = true;
	st->failure = SQL_OK;
	if (UNLIKELY(st->handle == NULL))
		st->failure = c->driver->prepare(st, statement_text(id));
	return st;
}

void sql_done(struct sql_stmt *st)
{
	struct sql_conn *c = st->conn;

	if (st->handle != NULL)
		c->driver->reset(st);
	if (st >= c->spare && st < c->spare + SQL_SPARE && st->handle != NULL) {
		c->driver->finalize(st);
		st->handle = NULL;
	}
	st->busy = false;
}

void sql_donep(struct sql_stmt **st)
{
	sql_done(*st);
}

void sql_bind_i64(struct sql_stmt *st, int n, int64_t v)
{
	if (st->failure == SQL_OK)
		st->failure = st->conn->driver->bind_i64(st, n, v);
}

void sql_bind_str(struct sql_stmt *st, int n, struct str v)
{
	if (st->failure == SQL_OK)
		st->failure = st->conn->driver->bind_text(st, n, v);
}

void sql_bind_blob(struct sql_stmt *st, int n, const void *p, size_t len)
{
	if (st->failure == SQL_OK)
		st->failure = st->conn->driver->bind_blob(st, n, str_of(p, len));
}

enum sql_result sql_step(struct sql_stmt *st)
{
	if (UNLIKELY(st->failure != SQL_OK))
		return SQL_FAILED;
	if (UNLIKELY(fault_hit(FAULT_CALL))) {
		st->failure = injected(st->conn);
		return SQL_FAILED;
	}

	enum sql_result r = st->conn->driver->step(st);

	if (UNLIKELY(r == SQL_FAILED))
		st->failure = st->conn->failure;
	return r;
}

bool sql_run(struct sql_stmt *st)
{
	enum sql_result r;

	do {
		r = sql_step(st);
	} while (r == SQL_ROW);
	return r == SQL_DONE;
}

bool sql_control(struct sql_conn *c, enum sql_control what)
{
	if (UNLIKELY(fault_hit(FAULT_CALL))) {
		injected(c);
		return false;
	}
	return c->driver->control(c, what) == SQL_OK;
}

bool sql_rollback(struct sql_conn *c)
{
	return !c->driver->in_transaction(c) || sql_control(c, SQL_ROLLBACK);
}

bool sql_script(struct sql_conn *c, const char *script)
{
	if (UNLIKELY(fault_hit(FAULT_CALL))) {
		injected(c);
		return false;
	}
	return c->driver->run_script(c, script) == SQL_OK;
}

void sql_close(struct sql_conn *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		CHECK(!c->stmts[i].busy);
		if (c->stmts[i].handle != NULL)
			c->driver->finalize(&c->stmts[i]);
	}
	c->driver->close(c);
}

bool sql_error(const struct sql_conn *c, struct err *err)
{
	switch (c->failure) {
	case SQL_UNIQUE:
		return err_set(err, ERR_CONFLICT, "the same one exists already (%s)", c->message);
	case SQL_REFERENCE:
		return err_set(err, ERR_CONFLICT,
			"it belongs to something that does not exist, or something belongs to it");
	case SQL_FULL:
		err_set(err, ERR_STORE, "the disk of the data directory is full");
		return err_hint(err, "free some space; nothing that was acknowledged is lost");
	case SQL_UNREAD:
		return err_set(err, ERR_STORE, "the database can't be read: %s", c->message);
	case SQL_DOUBT:
		return err_set(err, ERR_STORE, "the database can't be written: %s", c->message);
	case SQL_OK:
	case SQL_BROKEN:
		break;
	}
	return err_set(err, ERR_STORE, "the database refused: %s", c->message);
}
