/*
 * test_store.c - the data directory: who may open it and how, its modes, the check of a damaged
 * file, and copies made while others write.
 */
#include "store_test.h"

static const char *in_dir(struct fix *f, const char *name)
{
	return str_fmt(f->a, "%s/%s", f->dir, name).p;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void modes(void **state)
{
	static const char *const names[] = { "integrator.db", "integrator.db-wal",
		"integrator.db-shm", "lock", "copy.db" };
	struct fix *f = *state;
	mode_t before = umask(0);
	char parent[64];
	struct err err;

	fix_close(f);
	memcpy(parent, f->dir, sizeof(parent));
	snprintf(f->dir, sizeof(f->dir), "%.50s/data", parent);
	fix_open(f); /* makes it */
	write_ok(f, add_accounts, NULL);
	assert_ok(store_backup(f->s, in_dir(f, "copy.db"), &err));
	assert_int_equal(mode_of(f->dir), 0700);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(mode_of(in_dir(f, names[i])), 0600);
	umask(before);
	fix_close(f);
	dir_remove(f->dir);
	memcpy(f->dir, parent, sizeof(parent));
}

static void what_is_not_there_is_not_made_unasked(void **state)
{
	struct fix *f = *state;
	struct store_config cfg = { .clock = &f->clock.clock, .rng = rng_system() };
	struct store *s = NULL;
	struct err err;

	cfg.dir = in_dir(f, "none");
	assert_fails(store_open(&cfg, &s, &err), ERR_CONFIG, "none");
	assert_int_equal(access(cfg.dir, F_OK), -1);
	assert_fails(store_verify(cfg.dir, &err), ERR_CONFIG, "none");
	assert_int_equal(mkdir(cfg.dir, 0700), 0);
	assert_fails(store_open(&cfg, &s, &err), ERR_CONFIG, "there is no database in");
	assert_int_equal(unlink(in_dir(f, "none/lock")), 0);
	assert_int_equal(rmdir(cfg.dir), 0);
	cfg.dir = in_dir(f, "integrator.db");
	assert_fails(store_open(&cfg, &s, &err), ERR_CONFIG, "is not a directory");
	cfg.dir = in_dir(f, "none/deeper");
	cfg.create = true;
	assert_fails(store_open(&cfg, &s, &err), ERR_IO, "can't be made");
	assert_null(s);
}

/* The log's index does not have to grow when the disk may be full; see sqlite_vfs.c. */
static void the_logs_index_has_room(void **state)
{
	struct fix *f = *state;
	struct stat st;

	assert_int_equal(stat(in_dir(f, "integrator.db-shm"), &st), 0);
	assert_int_equal(st.st_size, 4 * 32768);
}

/* Names that SQLite would read as something else. */
static void odd_names(void **state)
{
	static const char *const names[] = { "file:x?mode=memory", ":memory:", "a b%20c'd\"e" };
	struct fix *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct fix g = { .a = f->a };

		clock_test_init(&g.clock, 1);
		snprintf(g.dir, sizeof(g.dir), "%.30s/%s", f->dir, names[i]);
		fix_open(&g);
		write_ok(&g, add_accounts, NULL);
		fix_close(&g);
		assert_true(mode_of(in_dir(&g, "integrator.db")) == 0600);
		dir_remove(g.dir);
	}
}

static void no_database(void **state)
{
	struct fix *f = *state;
	struct err err;
	FILE *file;

	fix_close(f);
	file = fopen(in_dir(f, "integrator.db"), "we");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	assert_fails(fix_try_open(f, &err), ERR_STORE, "is not a database");
	assert_fails(store_verify(f->dir, &err), ERR_STORE, "is not a database");
}

/* ---- the lock ---- */

/* Opens the directory in a child; true when it was refused by words that name the holder. */
static bool child_is_refused(struct fix *f, pid_t holder)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const struct store_config cfg = { .dir = f->dir,
			.clock = &f->clock.clock,
			.rng = rng_system() };
		struct store *s;
		struct err err = ERR_INIT;
		char want[64];

		snprintf(want, sizeof(want), "is in use by process %ld", (long)holder);
		_exit(!store_open(&cfg, &s, &err) && err.code == ERR_STORE &&
					strstr(err.message, want) != NULL
				? 0
				: 1);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status == 0;
}

static void a_second_process_is_refused(void **state)
{
	struct fix *f = *state, second = **(struct fix **)state;
	struct err err;

	assert_true(child_is_refused(f, getpid()));
	assert_fails(store_verify(f->dir, &err), ERR_STORE, "is in use by process");
	assert_fails(fix_try_open(&second, &err), ERR_STORE, "is in use by process");
	/* the first one is not disturbed, and the lock goes with it */
	struct store_resource r = resource_of(f->a, 1);

	write_ok(f, add_resource, &r);
	fix_close(f);
	assert_ok(store_verify(f->dir, &err));
	fix_open(f);
	assert_true(has_resource(f->s, id_of(f->a, 1)));
}

/* ---- verification ---- */

static void script_on_closed(struct fix *f, const char *script)
{
	const struct sql_place place = { in_dir(f, "integrator.db") };
	struct sql_conn *c;
	struct err err;

	fix_close(f);
	assert_ok(sql_driver_sqlite.open(&place, SQL_WRITER, &c, &err));
	if (!sql_script(c, script))
		fail_msg("%s", c->message);
	sql_close(c);
}

static void verify_finds_what_does_not_fit(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1), child = child_of(f->a, &j, JOB_EXPORT, 2);
	struct store_resource r = resource_of(f->a, 1);
	struct err err;

	write_ok(f, add_job, &j);
	write_ok(f, add_job, &child);
	write_ok(f, add_resource, &r);
	fix_close(f);
	assert_ok(store_verify(f->dir, &err));

	script_on_closed(f, "UPDATE job SET exported = 5 WHERE flow_job_id IS NULL");
	assert_fails(store_verify(f->dir, &err), ERR_STORE, "exported 5, accounted for 0");
	script_on_closed(f, "UPDATE job SET exported = 0; UPDATE resource SET version = 0");
	assert_fails(store_verify(f->dir, &err), ERR_STORE, "its version is 0");
	script_on_closed(f, "UPDATE resource SET version = 1;"
			    "INSERT INTO resource_ref SELECT account_id, type, id, '_importId', "
			    "'import', 'gone' FROM resource");
	assert_fails(store_verify(f->dir, &err), ERR_STORE,
		"_importId refers to import gone, which does not exist");
	script_on_closed(f, "DELETE FROM resource_ref; UPDATE job SET flow_job_id = 'gone' "
			    "WHERE flow_job_id IS NOT NULL");
	assert_fails(store_verify(f->dir, &err), ERR_STORE, "its flow job gone does not exist");
	script_on_closed(f,
		"UPDATE job SET flow_job_id = NULL; PRAGMA foreign_keys = OFF; "
		"INSERT INTO token VALUES ('nobody', 'x', x'00', NULL, '*', NULL, 0, 0)");
	assert_fails(store_verify(f->dir, &err), ERR_STORE, "table token");
	script_on_closed(f, "DELETE FROM token");
	assert_ok(store_verify(f->dir, &err));
}

/* Every page in turn is overwritten in part: verification never crashes, and finds all of those
 * that hold anything. */
static void verify_finds_a_damaged_page(void **state)
{
	struct fix *f = *state;
	char junk[512];
	struct stat st;
	unsigned found = 0, pages;
	struct err err;
	int fd;

	for (unsigned n = 1; n <= 50; n++) {
		struct store_resource r = resource_of(f->a, n);

		write_ok(f, add_resource, &r);
	}
	fix_close(f);
	memset(junk, 0xA5, sizeof(junk));
	fd = open(in_dir(f, "integrator.db"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	pages = (unsigned)(st.st_size / 4096);
	assert_true(pages > 10);
	for (unsigned p = 0; p < pages; p++) {
		off_t at = (off_t)p * 4096 + (p == 0 ? 100 : 0);
		char kept[512];

		assert_int_equal(pread(fd, kept, sizeof(kept), at), sizeof(kept));
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
		err = (struct err)ERR_INIT;
		if (!store_verify(f->dir, &err)) {
			assert_int_equal(err.code, ERR_STORE);
			found++;
		}
		/* the server may start on it or not, but does not crash */
		err = (struct err)ERR_INIT;
		if (fix_try_open(f, &err))
			fix_close(f);
		assert_int_equal(pwrite(fd, kept, sizeof(kept), at), sizeof(kept));
	}
	close(fd);
	assert_int_equal(found, pages);
	assert_ok(store_verify(f->dir, &err));
}

/* ---- copies ---- */

struct busy {
	struct fix *f;
	struct thread thread;
	_Atomic bool stop, failed;
	_Atomic unsigned done;
};

/* Each unit adds a job and raises the number in both settings. */
static bool busy_unit(struct store_conn *c, void *arg, struct err *err)
{
	struct busy *b = arg;
	struct arena *a DEFER(arena_freep) = arena_new("busy", 0);
	struct store_job j = job_of(a, b->done + 1);
	struct str v = str_fmt(a, "%u", b->done + 1);

	return store_job_add(c, &j, err) && store_setting_put(c, STR("left"), v, err) &&
	       store_setting_put(c, STR("right"), v, err);
}

static void *busy_main(void *arg)
{
	struct busy *b = arg;

	while (!b->stop && !b->failed) {
		if (store_write(b->f->s, busy_unit, b, NULL))
			b->done++;
		else
			b->failed = true;
	}
	return NULL;
}

static bool count_job(void *arg, const struct store_job *j UNUSED)
{
	++*(unsigned *)arg;
	return true;
}

/* The copy in DIR holds a whole prefix of the units, at least AT_LEAST of them. */
static void check_copy(struct fix *f, const char *dir, unsigned at_least, unsigned at_most)
{
	struct fix g = { .a = f->a };
	const struct store_job_filter all = { .limit = 1000000 };
	struct str left, right;
	unsigned jobs = 0;
	int64_t n = -1;
	struct err err;

	assert_ok(store_verify(dir, &err));
	clock_test_init(&g.clock, 1);
	snprintf(g.dir, sizeof(g.dir), "%.60s", dir);
	fix_open(&g);
	WITH_READER (&g, c) {
		assert_ok(store_setting_get(c, f->a, STR("left"), &left, &err));
		assert_ok(store_setting_get(c, f->a, STR("right"), &right, &err));
		assert_ok(store_job_list(c, ACCOUNT, &all, count_job, &jobs, &err));
	}
	assert_true(str_eq(left, right) && str_to_i64(left, &n));
	assert_int_equal(n, jobs);
	assert_true(jobs >= at_least && jobs <= at_most);
	fix_close(&g);
}

static void copies_while_others_write(void **state)
{
	struct fix *f = *state;
	struct busy b = { .f = f };
	struct err err;

	thread_start(&b.thread, "busy", busy_main, &b);
	for (unsigned round = 1; round <= 5; round++) {
		char dir[64];
		const char *path;
		unsigned before;

		dir_new(dir);
		path = str_fmt(f->a, "%s/integrator.db", dir).p;
		wait_until(b.done >= 50 * round || b.failed);
		before = b.done;
		assert_ok(store_backup(f->s, path, &err));
		assert_int_equal(mode_of(path), 0600);
		assert_int_equal(access(str_fmt(f->a, "%s.partial", path).p, F_OK), -1);
		assert_int_equal(access(str_fmt(f->a, "%s.partial-wal", path).p, F_OK), -1);
		check_copy(f, dir, before, b.done + 1);
		assert_fails(store_backup(f->s, path, &err), ERR_IO, "exists already");
		dir_remove(dir);
	}
	b.stop = true;
	thread_join(&b.thread);
	assert_false(b.failed);
}

static void a_copy_that_fails_leaves_nothing(void **state)
{
	static const enum fault_point points[] = { FAULT_WRITE_FULL, FAULT_WRITE_IO, FAULT_READ,
		FAULT_SYNC };
	struct fix *f = *state;
	char dir[64];
	const char *path;
	struct err err;

	dir_new(dir);
	path = str_fmt(f->a, "%s/integrator.db", dir).p;
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		for (unsigned n = 1;; n++) {
			bool ok;

			fault_arm(points[i], FAULT_ONCE, n);
			err = (struct err)ERR_INIT;
			ok = store_backup(f->s, path, &err);
			fault_reset();
			if (!ok) {
				assert_true(err.code == ERR_IO || err.code == ERR_STORE);
				assert_int_equal(access(path, F_OK), -1);
				assert_true(n < 1000);
				assert_true(store_healthy(f->s, NULL));
				continue;
			}
			assert_int_equal(unlink(path), 0);
			assert_int_equal(rmdir(dir), 0); /* nothing else in it */
			assert_int_equal(mkdir(dir, 0700), 0);
			break;
		}
	path = str_fmt(f->a, "%s/no/such/place", dir).p;
	assert_fails(store_backup(f->s, path, &err), ERR_IO, "can't be made");
	dir_remove(dir);
	struct store_resource r = resource_of(f->a, 1);

	write_ok(f, add_resource, &r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modes),
		TEST(the_logs_index_has_room),
		TEST(what_is_not_there_is_not_made_unasked),
		TEST(odd_names),
		TEST(no_database),
		TEST(a_second_process_is_refused),
		TEST(verify_finds_what_does_not_fit),
		TEST(verify_finds_a_damaged_page),
		TEST(copies_while_others_write),
		TEST(a_copy_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
