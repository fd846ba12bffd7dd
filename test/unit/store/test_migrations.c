/*
 * test_migrations.c - the steps from one version to the next: forward, once each, whole or not at
 * all wherever they are cut off; and a database of a newer program is refused.
 */
#include "store_test.h"

#include "store/migrations.h"

#define STEP_2                                            \
	"CREATE TABLE pet (name TEXT NOT NULL) STRICT;\n" \
	"INSERT INTO pet SELECT name FROM account;\n"     \
	"CREATE INDEX pet_name ON pet (name);\n"
#define STEP_3 "ALTER TABLE pet ADD COLUMN legs INTEGER;\nUPDATE pet SET legs = 4;\n"

/* What the program has, and two more steps. */
static const struct migration *steps(struct fix *f, size_t *n, const char *next)
{
	struct migration *t = arena_array_of(f->a, struct migration, migration_count + 2);

	memcpy(t, migrations, migration_count * sizeof(*t));
	t[migration_count] = (struct migration){ (int)migration_count + 1, "pets", next };
	t[migration_count + 1] = (struct migration){ (int)migration_count + 2, "legs", STEP_3 };
	*n = migration_count + 2;
	return t;
}

static struct sql_conn *conn_open(struct fix *f)
{
	const struct sql_place place = { str_fmt(f->a, "%s/integrator.db", f->dir).p };
	struct sql_conn *c;
	struct err err;

	assert_ok(sql_driver_sqlite.open(&place, SQL_WRITER, &c, &err));
	return c;
}

static int64_t version_of(struct sql_conn *c)
{
	struct sql_stmt *st DEFER(sql_donep) = sql_use(c, STMT_MIGRATION_LAST);

	assert_int_equal(sql_step(st), SQL_ROW);
	return sql_i64(st, 0);
}

/* Does the one number that QUESTION yields equal WANT? */
static bool holds(struct sql_conn *c, size_t want, const char *question)
{
	char text[300];
	bool ok;

	snprintf(text, sizeof(text),
		"CREATE TABLE holds (x INTEGER NOT NULL CHECK (x = %zu)) STRICT;"
		"INSERT INTO holds %s;",
		want, question);
	ok = sql_script(c, text);
	return sql_script(c, "DROP TABLE holds") && ok;
}

static void forward(void **state)
{
	struct fix *f = *state;
	size_t n;
	const struct migration *all = steps(f, &n, STEP_2);
	struct sql_conn *c;
	struct err err;

	fix_close(f);
	c = conn_open(f);
	assert_int_equal(version_of(c), migration_count);
	assert_ok(migrations_apply(c, all, n - 1, 1000, &err));
	assert_int_equal(version_of(c), n - 1);
	assert_ok(migrations_apply(c, all, n, 2000, &err));
	assert_int_equal(version_of(c), n);
	/* again: nothing is done twice */
	assert_ok(migrations_apply(c, all, n, 3000, &err));
	assert_true(holds(c, n, "SELECT COUNT(*) FROM migration"));
	assert_true(holds(c, 1, "SELECT COUNT(*) FROM migration WHERE applied_ms = 1000"));
	assert_true(holds(c, 1, "SELECT COUNT(*) FROM migration WHERE applied_ms = 2000"));
	assert_true(holds(c, 4, "SELECT MIN(legs) FROM pet"));
	sql_close(c);
}

/* The accounts that were there before the step are seen by it, and stay. */
static void rows_are_carried_over(void **state)
{
	struct fix *f = *state;
	size_t n;
	const struct migration *all = steps(f, &n, STEP_2);
	struct sql_conn *c;
	struct err err;

	fix_close(f);
	c = conn_open(f);
	assert_ok(migrations_apply(c, all, n, 1000, &err));
	assert_true(holds(c, 2, "SELECT COUNT(*) FROM pet p JOIN account a ON a.name = p.name"));
	sql_close(c);
}

static void a_newer_database_is_refused(void **state)
{
	struct fix *f = *state;
	struct sql_conn *c;
	struct err err;

	fix_close(f);
	c = conn_open(f);
	assert_true(sql_script(c, "INSERT INTO migration (version, description, applied_ms) "
				  "VALUES (99, 'from the future', 1)"));
	sql_close(c);
	assert_fails(fix_try_open(f, &err), ERR_STORE, "written by a newer program");
	assert_non_null(strstr(err.message, "have version 99, this program knows"));
	assert_non_null(strstr(err.hint, "restore a backup"));
	/* it was left as it is */
	c = conn_open(f);
	assert_int_equal(version_of(c), 99);
	assert_true(sql_script(c, "DELETE FROM migration WHERE version = 99"));
	sql_close(c);
	fix_open(f);
}

static void a_wrong_step_leaves_nothing(void **state)
{
	struct fix *f = *state;
	size_t n;
	const struct migration *wrong = steps(f, &n, STEP_2 "INSERT INTO nowhere VALUES (1);");
	const struct migration *right = steps(f, &n, STEP_2);
	struct sql_conn *c;
	struct err err;

	fix_close(f);
	c = conn_open(f);
	assert_fails(migrations_apply(c, wrong, n, 1, &err), ERR_STORE, "no such table: nowhere");
	assert_non_null(strstr(err.message, "(pets)"));
	assert_int_equal(version_of(c), migration_count);
	assert_ok(migrations_apply(c, right, n, 1, &err)); /* `pet` is not in its way */
	sql_close(c);
}

/* Migrates until the fault; then without one. False when the fault was not reached. */
static bool cut_off(struct fix *f, enum fault_point p, enum fault_action action, uint64_t at)
{
	size_t n;
	const struct migration *all = steps(f, &n, STEP_2);
	const struct sql_place place = { str_fmt(f->a, "%s/integrator.db", f->dir).p };
	struct sql_conn *c = NULL;
	bool ok, reached;
	int64_t version;
	struct err err = ERR_INIT;

	fault_arm(p, action, at);
	ok = sql_driver_sqlite.open(&place, SQL_WRITER, &c, &err) &&
	     migrations_apply(c, all, n, 1, &err);
	reached = fault_count(p) >= at;
	if (!ok)
		assert_true(err.code == ERR_STORE && err.message[0] != '\0');
	sql_close(c);
	fault_reset();

	c = conn_open(f);
	if (sql_script(c, "CREATE TABLE migration (x TEXT) STRICT")) {
		version = 0; /* not even that table */
		assert_true(sql_script(c, "DROP TABLE migration"));
	} else {
		version = version_of(c);
	}
	assert_true(version >= 0 && version <= (int64_t)n);
	if (ok)
		assert_int_equal(version, n);
	assert_ok(migrations_apply(c, all, n, 1, &err));
	assert_int_equal(version_of(c), n);
	sql_close(c);
	return reached;
}

static void files_remove(struct fix *f)
{
	static const char *const names[] = { "", "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(str_fmt(f->a, "%s/integrator.db%s", f->dir, names[i]).p);
}

/* A new database is brought to the last version through every failure there is. */
static void cut_off_anywhere(void **state)
{
	static const enum fault_point points[] = { FAULT_CALL, FAULT_READ, FAULT_WRITE_FULL,
		FAULT_WRITE_IO, FAULT_SYNC, FAULT_TRUNCATE };
	struct fix *f = *state;
	unsigned walked = 0;

	fix_close(f);
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		for (int action = FAULT_ONCE; action <= FAULT_FOR_EVER; action++)
			for (uint64_t n = 1;; n++) {
				files_remove(f);
				walked++;
				if (!cut_off(f, points[i], (enum fault_action)action, n))
					break;
				assert_true(n < 2000);
			}
	assert_true(walked > 200);
}

/* True when the child was killed on its way, false when it came through. */
static bool child_is_killed(struct fix *f, enum fault_point p, uint64_t at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		size_t n;
		const struct migration *all = steps(f, &n, STEP_2);
		const struct sql_place place = { str_fmt(f->a, "%s/integrator.db", f->dir).p };
		struct sql_conn *c = NULL;

		fault_arm(p, FAULT_KILL, at);
		_exit(sql_driver_sqlite.open(&place, SQL_WRITER, &c, NULL) &&
					migrations_apply(c, all, n, 1, NULL)
				? 0
				: 1);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	return status != 0;
}

/* The process dies at each call, write and sync: the next start goes on from there. */
static void killed_anywhere(void **state)
{
	static const enum fault_point points[] = { FAULT_CALL, FAULT_WRITE_IO, FAULT_SYNC };
	struct fix *f = *state;
	size_t n;
	const struct migration *all = steps(f, &n, STEP_2);
	struct err err;

	fix_close(f);
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		uint64_t at = 1;

		for (;; at++) {
			files_remove(f);
			if (!child_is_killed(f, points[i], at))
				break;

			struct sql_conn *c = conn_open(f);

			assert_ok(migrations_apply(c, all, n, 1, &err));
			assert_int_equal(version_of(c), n);
			assert_true(holds(c, 0, "SELECT COUNT(*) FROM pet"));
			assert_true(holds(c, n, "SELECT COUNT(*) FROM migration"));
			sql_close(c);
			assert_true(at < 2000);
		}
		assert_true(at > 1); /* the place is there at all */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forward),
		TEST(rows_are_carried_over),
		TEST(a_newer_database_is_refused),
		TEST(a_wrong_step_leaves_nothing),
		TEST(cut_off_anywhere),
		TEST(killed_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
