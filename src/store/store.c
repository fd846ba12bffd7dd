/*
 * store.c - opening and closing: the directory and its lock, the writing connection and its
 * migrations, then the writer's thread. The rest of the front door is in the files of its tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "store/migrations.h"
#include "store/store_priv.h"

#define DATABASE_NAME "integrator.db"
#define LOCK_NAME     "lock"

static bool dir_sync(const char *path)
{
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

static bool dir_make(struct arena *a, const char *dir, bool create, struct err *err)
{
	struct stat st;

	if (stat(dir, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return err_set(err, ERR_CONFIG, "the data directory %s is not a directory",
				dir);
		return true;
	}
	if (errno != ENOENT || !create)
		return err_set_errno(err, ERR_CONFIG, errno, "the data directory %s", dir);
	if (mkdir(dir, 0700) != 0)
		return err_set_errno(err, ERR_IO, errno, "the data directory %s can't be made",
			dir);
	if (!dir_sync(dirname(arena_strndup(a, dir, strlen(dir)))))
		return err_set_errno(err, ERR_IO, errno, "the directory above %s can't be synced",
			dir);
	return true;
}

/* Who holds the lock wrote its process id into the file. */
static bool say_who_holds(int fd, const char *dir, struct err *err)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	uint64_t pid;

	if (n > 0 && str_to_u64(str_trim(str_of(text, (size_t)n)), &pid))
		return err_set(err, ERR_STORE, "the data directory %s is in use by process %llu",
			dir, (unsigned long long)pid);
	return err_set(err, ERR_STORE, "the data directory %s is in use by another process", dir);
}

static bool lock_take(struct store *s, struct err *err)
{
	const char *path = str_fmt(s->arena, "%s/" LOCK_NAME, s->dir).p;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "%s can't be opened", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			say_who_holds(fd, s->dir, err);
		else
			err_set_errno(err, ERR_IO, errno, "%s can't be locked", path);
		close(fd);
		return false;
	}
	/* The id is for people; that it could not be written is no reason not to start. */
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		LOG(LOG_WARN, "store.lock_unsigned", LOG_Z("path", path));
	s->lock_fd = fd;
	return true;
}

/* The object with its directory made and locked; no connection yet. */
static bool begin_open(const struct store_config *cfg, struct store **out, struct err *err)
{
	struct arena *a = arena_new("store", 0);
	struct store *s = arena_new_of(a, struct store);

	s->arena = a;
	s->dir = arena_strndup(a, cfg->dir, strlen(cfg->dir));
	s->clock = cfg->clock;
	s->driver = &sql_driver_sqlite;
	s->place.path = str_fmt(a, "%s/" DATABASE_NAME, cfg->dir).p;
	s->lock_fd = -1;
	atomic_store(&s->token_epoch, 1);
	atomic_store(&s->export_epoch, 1);
	atomic_store(&s->page_epoch, 1);
	if (dir_make(a, s->dir, cfg->create, err) && lock_take(s, err)) {
		if (cfg->create || access(s->place.path, F_OK) == 0) {
			*out = s;
			return true;
		}
		err_set(err, ERR_CONFIG, "there is no database in %s", s->dir);
	}
	fd_close(&s->lock_fd);
	arena_free(a);
	return false;
}

static void end_close(struct store *s)
{
	fd_close(&s->lock_fd);
	arena_free(s->arena);
}

bool store_open(const struct store_config *cfg, struct store **out, struct err *err)
{
	struct store *s;
	struct sql_conn *sql;

	if (!begin_open(cfg, &s, err))
		return false;
	if (!s->driver->open(&s->place, SQL_WRITER, &sql, err)) {
		end_close(s);
		return false;
	}
	if (!migrations_apply(sql, migrations, migration_count, clock_wall_ms(s->clock), err)) {
		sql_close(sql);
		end_close(s);
		return false;
	}
	readers_init(&s->readers);
	writer_start(s, sql);
	*out = s;
	return true;
}

void store_close(struct store *s)
{
	writer_stop(s);
	readers_close(s);
	writer_close(s);
	end_close(s);
}

void store_stats(struct store *s, struct store_stats *out)
{
	struct writer *w = &s->writer;

	mutex_lock(&w->lock);
	*out = w->stats;
	out->queue_depth = w->waiting;
	mutex_unlock(&w->lock);
	s->driver->sizes(&s->place, &out->database_bytes, &out->log_bytes);
}

uint64_t store_export_epoch(struct store *s)
{
	return atomic_load(&s->export_epoch);
}

uint64_t store_token_epoch(struct store *s)
{
	return atomic_load(&s->token_epoch);
}

bool store_backup(struct store *s, const char *path, struct err *err)
{
	return s->driver->backup(&s->place, path, err);
}

/* ---- verification ---- */

struct findings {
	char first[ERR_MESSAGE_MAX / 2];
	size_t count;
};

static void note_finding(void *arg, const char *words)
{
	struct findings *f = arg;

	if (f->count++ == 0)
		snprintf(f->first, sizeof(f->first), "%s", words);
}

/* Each row of these is a fault in words. */
static bool verify_ours(struct sql_conn *sql, struct findings *f, struct err *err)
{
	static const enum statement_id questions[] = { STMT_VERIFY_LEDGER, STMT_VERIFY_REFS,
		STMT_VERIFY_JOB_PARENT, STMT_VERIFY_VERSION };

	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		struct sql_stmt *st DEFER(sql_donep) = sql_use(sql, questions[i]);
		enum sql_result r;

		while ((r = sql_step(st)) == SQL_ROW) {
			char words[ERR_MESSAGE_MAX / 2];
			struct str row = sql_str(st, 0);

			snprintf(words, sizeof(words), "%.*s", STR_ARG(row));
			note_finding(f, words);
		}
		if (r == SQL_FAILED)
			return sql_error(sql, err);
	}
	return true;
}

static bool verify_conn(struct sql_conn *sql, const char *dir, struct err *err)
{
	struct findings f = { .count = 0 };

	if (sql->driver->check(sql, note_finding, &f) != SQL_OK)
		return sql_error(sql, err);
	/* On a damaged tree our own questions have no sure answers. */
	if (f.count == 0 && !verify_ours(sql, &f, err))
		return false;
	if (f.count == 0)
		return true;
	err_set(err, ERR_STORE, "the database in %s is damaged: %s", dir, f.first);
	if (f.count > 1)
		err_hint(err, "%zu more faults were found", f.count - 1);
	return false;
}

bool store_verify(const char *dir, struct err *err)
{
	const struct store_config cfg = { .dir = dir, .clock = clock_system() };
	struct store *s;
	struct sql_conn *sql;

	if (!begin_open(&cfg, &s, err))
		return false;

	bool ok = s->driver->open(&s->place, SQL_WRITER, &sql, err);

	if (ok) {
		ok = verify_conn(sql, dir, err);
		sql_close(sql);
	}
	end_close(s);
	return ok;
}
