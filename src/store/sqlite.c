/*
 * sqlite.c - the embedded driver: SQLite in WAL mode with synchronous=FULL.
 *
 * The SQLite of Debian 12 can damage a database when several connections write or checkpoint at once
 * (the WAL-reset bug), so only the writer's connection does either: readers are opened read-only, do
 * not checkpoint when they close, and nothing is mapped into memory. A connection is used by one
 * thread at a time, so SQLite's own locks are off.
 *
 * POSIX record locks vanish when a process closes any descriptor of the file: nothing else in the
 * process may open the database file by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sql.h"
#include "store/sqlite_vfs.h"

/* The log is copied back when it has grown by so many pages of 4 KiB and nobody waits; */
#define LOG_PAGES_IDLE 1000
/* or by so many, whoever waits; */
#define LOG_PAGES_BUSY 8000
/* and its file is cut when it was longer than this, which takes a reader that held it up. */
#define LOG_PAGES_CUT 16384

#define READER_CACHE_KB   1024
#define WRITER_CACHE_KB   2048
#define LOCK_WAIT_MS      1000
#define BACKUP_STEP_PAGES 512

struct conn {
	struct sql_conn base;
	struct arena *arena;
	sqlite3 *db;
	sqlite3_stmt *controls[SQL_CONTROL_COUNT];
	/* Of the writer: pages in the log, how many of them are copied back, the most since a cut. */
	int log_pages, log_done, log_peak;
};

static struct conn *conn_of(struct sql_conn *c)
{
	return (struct conn *)c;
}

static sqlite3_stmt *handle_of(struct sql_stmt *st)
{
	return st->handle;
}

static enum sql_failure failure_of(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return SQL_UNIQUE;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return SQL_REFERENCE;
	case SQLITE_IOERR_READ:
	case SQLITE_IOERR_SHORT_READ:
	case SQLITE_IOERR_CORRUPTFS:
		return SQL_UNREAD;
	case SQLITE_IOERR_NOMEM:
		return SQL_BROKEN;
	}
	switch (rc & 0xFF) {
	case SQLITE_FULL:
		return SQL_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return SQL_UNREAD;
	case SQLITE_IOERR:
		return SQL_DOUBT;
	}
	return SQL_BROKEN;
}

/* Notes the failure of the call that returned RC. */
static enum sql_failure note(struct conn *c, int rc)
{
	return sql_note(&c->base, failure_of(rc), sqlite3_errmsg(c->db));
}

/* ---- opening ---- */

/* Before the first connection of the process; later calls change nothing. */
static void library_start(void)
{
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_URI, 0); /* a directory may be called "file:x" */
	CHECK(sqlite3_initialize() == SQLITE_OK);
	sqlite_vfs_register();
}

static bool run_pragmas(struct conn *c, const char *text)
{
	return sqlite3_exec(c->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static int on_commit(void *arg, sqlite3 *db UNUSED, const char *name UNUSED, int pages)
{
	struct conn *c = arg;

	if (pages < c->log_done) /* the log began anew */
		c->log_done = 0;
	c->log_pages = pages;
	c->log_peak = MAX(c->log_peak, pages);
	return SQLITE_OK;
}

static bool set_up_writer(struct conn *c)
{
	char text[300];

	snprintf(text, sizeof(text),
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; "
		"PRAGMA cache_size = -%d; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; "
		"SELECT COUNT(*) FROM sqlite_schema;",
		WRITER_CACHE_KB);
	/* what undoes a unit is kept in memory: a file for each costs a tenth of a flow's speed */
	sqlite3_wal_hook(c->db, on_commit, c); /* in the place of automatic checkpoints */
	/* A reader that finds the index's head half written takes the right to write for a moment, to
	 * see whether it must recover it: the writer's next transaction may have to wait for that. */
	sqlite3_busy_timeout(c->db, LOCK_WAIT_MS);
	return run_pragmas(c, text);
}

static bool set_up_reader(struct conn *c)
{
	char text[200];

	snprintf(text, sizeof(text),
		"PRAGMA mmap_size = 0; PRAGMA cache_size = -%d; PRAGMA cell_size_check = ON; "
		"PRAGMA temp_store = FILE;",
		READER_CACHE_KB);
	/* Waits only while another connection makes or recovers the log's index. */
	sqlite3_busy_timeout(c->db, LOCK_WAIT_MS);
	return sqlite3_wal_autocheckpoint(c->db, 0) == SQLITE_OK &&
	       sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	       run_pragmas(c, text);
}

static bool set_up(struct conn *c, enum sql_role role)
{
	sqlite3 *db = c->db;

	return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL) == SQLITE_OK &&
	       sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) == SQLITE_OK &&
	       (role == SQL_WRITER ? set_up_writer(c) : set_up_reader(c));
}

static void conn_close(struct sql_conn *base)
{
	struct conn *c = conn_of(base);

	for (int i = 0; i < SQL_CONTROL_COUNT; i++)
		sqlite3_finalize(c->controls[i]);
	/* What a doubtful log holds is for the next start to find out. */
	if (base->in_doubt)
		sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	CHECK(sqlite3_close(c->db) == SQLITE_OK);
	arena_free(c->arena);
}

/* The file itself is made here, since SQLite would make it readable by all. */
static bool file_make(const char *path, struct err *err)
{
	int fd DEFER(fd_close) = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return err_set_errno(err, ERR_IO, errno, "the database %s can't be made", path);
	return true;
}

static bool open_at(const char *path, enum sql_role role, int flags, struct conn **out,
	struct err *err)
{
	struct arena *a = arena_new("store connection", 0);
	struct conn *c = arena_new_of(a, struct conn);

	c->arena = a;
	c->base.driver = &sql_driver_sqlite;
	c->base.role = role;
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;

	int rc = sqlite3_open_v2(path, &c->db, flags, SQLITE_VFS_NAME);

	CHECK(c->db != NULL);
	if (rc == SQLITE_OK && set_up(c, role)) {
		*out = c;
		return true;
	}
	rc = sqlite3_extended_errcode(c->db);
	note(c, rc);
	err_set(err, ERR_STORE, "the database %s can't be opened: %s", path, c->base.message);
	if (rc == SQLITE_IOERR_SHMSIZE ||
		rc == SQLITE_FULL) /* there is no room for the log's index */
		err_hint(err, "free some space on the disk of the data directory");
	c->base.in_doubt = true; /* leave the log alone */
	conn_close(&c->base);
	return false;
}

static bool driver_open(const struct sql_place *p, enum sql_role role, struct sql_conn **out,
	struct err *err)
{
	struct conn *c;

	library_start();
	if (role == SQL_WRITER) {
		if (!file_make(p->path, err))
			return false;
		sqlite_vfs_temp_beside(p->path);
	}
	if (!open_at(p->path, role,
		    role == SQL_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, &c, err))
		return false;
	*out = &c->base;
	return true;
}

/* ---- transactions ---- */

static enum sql_failure driver_control(struct sql_conn *base, enum sql_control what)
{
	static const char *const words[SQL_CONTROL_COUNT] = {
		[SQL_BEGIN] = "BEGIN IMMEDIATE",
		[SQL_COMMIT] = "COMMIT",
		[SQL_ROLLBACK] = "ROLLBACK",
		[SQL_SAVE] = "SAVEPOINT unit",
		[SQL_RELEASE] = "RELEASE unit",
		[SQL_UNDO] = "ROLLBACK TO unit",
	};
	struct conn *c = conn_of(base);
	sqlite3_stmt **st = &c->controls[what];
	const char *text = what == SQL_BEGIN && base->role == SQL_READER ? "BEGIN" : words[what];

	if (UNLIKELY(*st == NULL) && sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT,
					     st, NULL) != SQLITE_OK)
		return note(c, sqlite3_extended_errcode(c->db));

	int rc = sqlite3_step(*st);
	enum sql_failure f = LIKELY(rc == SQLITE_DONE) ? SQL_OK : note(c, rc);

	sqlite3_reset(*st);
	if (what == SQL_UNDO && f == SQL_OK)
		return driver_control(base, SQL_RELEASE);
	return f;
}

static bool driver_in_transaction(struct sql_conn *base)
{
	return sqlite3_get_autocommit(conn_of(base)->db) == 0;
}

static enum sql_failure driver_run_script(struct sql_conn *base, const char *script)
{
	struct conn *c = conn_of(base);
	int rc = sqlite3_exec(c->db, script, NULL, NULL, NULL);

	return rc == SQLITE_OK ? SQL_OK : note(c, rc);
}

/* ---- statements ---- */

static enum sql_failure driver_prepare(struct sql_stmt *st, const struct statement *text)
{
	struct conn *c = conn_of(st->conn);
	sqlite3_stmt *h = NULL;
	int rc = sqlite3_prepare_v3(c->db, text->sql, -1, SQLITE_PREPARE_PERSISTENT, &h, NULL);

	st->handle = h;
	return rc == SQLITE_OK ? SQL_OK : note(c, rc);
}

static void driver_finalize(struct sql_stmt *st)
{
	sqlite3_finalize(handle_of(st));
}

static enum sql_failure bound(struct sql_stmt *st, int rc)
{
	return LIKELY(rc == SQLITE_OK) ? SQL_OK : note(conn_of(st->conn), rc);
}

static enum sql_failure driver_bind_i64(struct sql_stmt *st, int n, int64_t v)
{
	return bound(st, sqlite3_bind_int64(handle_of(st), n, v));
}

static enum sql_failure driver_bind_text(struct sql_stmt *st, int n, struct str v)
{
	/* Without a pointer SQLite binds null. */
	return bound(st,
		sqlite3_bind_text64(handle_of(st), n, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8));
}

static enum sql_failure driver_bind_blob(struct sql_stmt *st, int n, struct str v)
{
	return bound(st, sqlite3_bind_blob64(handle_of(st), n, v.p, v.n, SQLITE_STATIC));
}

static enum sql_result driver_step(struct sql_stmt *st)
{
	int rc = sqlite3_step(handle_of(st));

	if (rc == SQLITE_ROW)
		return SQL_ROW;
	if (rc == SQLITE_DONE)
		return SQL_DONE;
	note(conn_of(st->conn), rc);
	return SQL_FAILED;
}

static void driver_reset(struct sql_stmt *st)
{
	sqlite3_reset(handle_of(st));
	sqlite3_clear_bindings(handle_of(st));
}

static int64_t driver_column_i64(struct sql_stmt *st, int n)
{
	return sqlite3_column_int64(handle_of(st), n);
}

static struct str driver_column_bytes(struct sql_stmt *st, int n)
{
	/* As blob: text is stored as UTF-8 and is not converted. An empty one has no pointer. */
	const char *p = sqlite3_column_blob(handle_of(st), n);
	int len = sqlite3_column_bytes(handle_of(st), n);

	if (p == NULL && sqlite3_column_type(handle_of(st), n) != SQLITE_NULL)
		return STR("");
	return str_of(p, (size_t)len);
}

static uint64_t driver_changes(struct sql_stmt *st)
{
	return (uint64_t)sqlite3_changes64(conn_of(st->conn)->db);
}

/* ---- the log ---- */

/* Copies the log's pages to their places. Never waits for a reader: what one still needs stays. */
static void checkpoint(struct conn *c, int mode)
{
	int pages = 0, done = 0, rc;

	sqlite3_busy_timeout(c->db, 0);
	rc = sqlite3_wal_checkpoint_v2(c->db, NULL, mode, &pages, &done);
	sqlite3_busy_timeout(c->db, LOCK_WAIT_MS);
	if (rc == SQLITE_OK) {
		c->log_pages = pages;
		c->log_done = done;
		if (mode == SQLITE_CHECKPOINT_TRUNCATE)
			c->log_peak = 0;
		return;
	}
	/* A reader in the way or a full disk: the log still has it all. Again when it has grown by as
	 * much once more. A failed write or sync of the database is another thing. */
	c->log_done = c->log_pages;
	if (rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
		note(c, rc);
}

static void driver_tend_log(struct sql_conn *base, bool idle, bool closing)
{
	struct conn *c = conn_of(base);
	int grown = c->log_pages - c->log_done;

	if (closing || (idle && grown >= LOG_PAGES_IDLE) || grown >= LOG_PAGES_BUSY)
		checkpoint(c, closing || (idle && c->log_peak > LOG_PAGES_CUT)
				      ? SQLITE_CHECKPOINT_TRUNCATE
				      : SQLITE_CHECKPOINT_PASSIVE);
}

/* ---- check, copy, sizes ---- */

struct check {
	void (*fn)(void *arg, const char *words);
	void *arg;
};

static int on_integrity(void *arg, int n UNUSED, char **values, char **names UNUSED)
{
	const struct check *k = arg;

	if (values[0] != NULL && strcmp(values[0], "ok") != 0)
		k->fn(k->arg, values[0]);
	return 0;
}

/* Columns: table, rowid (null in a table without), the table referred to, number of the key. */
static int on_foreign_key(void *arg, int n UNUSED, char **values, char **names UNUSED)
{
	const struct check *k = arg;
	char words[200];

	snprintf(words, sizeof(words),
		"table %s, row %s: refers to a row of %s that does not exist", values[0],
		values[1] == NULL ? "?" : values[1], values[2]);
	k->fn(k->arg, words);
	return 0;
}

static enum sql_failure driver_check(struct sql_conn *base,
	void (*fn)(void *arg, const char *words), void *arg)
{
	struct conn *c = conn_of(base);
	struct check k = { fn, arg };
	int rc = sqlite3_exec(c->db, "PRAGMA integrity_check(20)", on_integrity, &k, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db, "PRAGMA foreign_key_check", on_foreign_key, &k, NULL);
	return rc == SQLITE_OK ? SQL_OK : note(c, rc);
}

static bool copy_pages(struct conn *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from->db, "main");
	int rc;

	if (b == NULL)
		return false;
	do {
		rc = sqlite3_backup_step(b, BACKUP_STEP_PAGES);
	} while (rc == SQLITE_OK);
	return sqlite3_backup_finish(b) == SQLITE_OK;
}

/* Syncs PATH and the directory that names it. */
static bool path_sync(const char *path, bool dir_too)
{
	char dir[4096];
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return false;
	if (!dir_too)
		return true;
	snprintf(dir, sizeof(dir), "%s", path);
	return path_sync(dirname(dir), false);
}

static bool copy_to(struct conn *from, const char *path, struct err *err)
{
	struct sqlite3 *to = NULL;

	if (!file_make(path, err))
		return false;

	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		SQLITE_VFS_NAME);
	bool ok = rc == SQLITE_OK && copy_pages(from, to);

	if (!ok)
		err_set(err, ERR_IO, "the copy %s can't be written: %s", path, sqlite3_errmsg(to));
	sqlite3_close(to);
	if (ok && !path_sync(path, false))
		return err_set_errno(err, ERR_IO, errno, "the copy %s can't be synced", path);
	return ok;
}

/*
 * By the backup interface from a read-only connection of its own, not by the writer (which would
 * stand still for as long as the copy takes) and not by VACUUM INTO (which builds every index anew
 * and takes several times as long). One transaction is held open around all steps, so the copy is
 * one snapshot and what is committed meanwhile neither enters it nor makes it begin again; the log
 * can't be reset until it ends, which costs disk only. The copy gets its name when it is complete.
 */
static bool driver_backup(const struct sql_place *p, const char *path, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("backup", 0);
	const char *temp = str_fmt(a, "%s.partial", path).p;
	struct conn *from;
	bool ok;

	if (access(path, F_OK) == 0)
		return err_set(err, ERR_IO, "%s exists already; a backup replaces nothing", path);
	if (!open_at(p->path, SQL_READER, SQLITE_OPEN_READONLY, &from, err))
		return false;
	unlink(temp);
	ok = run_pragmas(from, "BEGIN; SELECT COUNT(*) FROM sqlite_schema;") ||
	     err_set(err, ERR_STORE, "the database can't be read: %s", sqlite3_errmsg(from->db));
	ok = ok && copy_to(from, temp, err);
	run_pragmas(from, "ROLLBACK");
	conn_close(&from->base);
	if (ok && (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) != 0 ||
			  !path_sync(path, true)))
		ok = err_set_errno(err, ERR_IO, errno, "the copy %s can't be made", path);
	if (!ok)
		unlink(temp);
	return ok;
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void driver_sizes(const struct sql_place *p, uint64_t *database_bytes, uint64_t *log_bytes)
{
	char log[4096];

	snprintf(log, sizeof(log), "%s-wal", p->path);
	*database_bytes = size_of(p->path);
	*log_bytes = size_of(log);
}

const struct sql_driver sql_driver_sqlite = {
	.name = "sqlite",
	.open = driver_open,
	.close = conn_close,
	.control = driver_control,
	.in_transaction = driver_in_transaction,
	.run_script = driver_run_script,
	.prepare = driver_prepare,
	.finalize = driver_finalize,
	.bind_i64 = driver_bind_i64,
	.bind_text = driver_bind_text,
	.bind_blob = driver_bind_blob,
	.step = driver_step,
	.reset = driver_reset,
	.column_i64 = driver_column_i64,
	.column_bytes = driver_column_bytes,
	.changes = driver_changes,
	.tend_log = driver_tend_log,
	.check = driver_check,
	.backup = driver_backup,
	.sizes = driver_sizes,
};
