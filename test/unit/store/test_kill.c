/*
 * test_kill.c - kill -9: a child (this program with arguments) writes units from several threads and
 * reports each acknowledged one over a pipe; it is killed after some acknowledgement, or kills itself
 * at a chosen place inside a commit. Whatever was reported is there afterwards, whole.
 *
 * Against the disk's own cache this proves nothing: a killed process loses no write that it made.
 * What it proves is that nothing is acknowledged before it was handed to the disk, and that each
 * state in between is one that the next start repairs. That syncs are made, and in the right places,
 * is shown in test_writer.c and test_fault.c.
 */
#include "store_test.h"

#define THREADS 4
#define ROUNDS  50
#define IDS_MAX 200000

/* ---- the child ---- */

struct writing {
	struct store *s;
	struct thread thread;
	unsigned base, lane;
	int report;
};

struct one {
	struct arena *a;
	unsigned id, lane;
};

/* Two resources of which one refers to the other, and the lane's latest id: what belongs together. */
static bool write_one(struct store_conn *c, void *arg, struct err *err)
{
	const struct one *o = arg;
	struct store_resource target = resource_of(o->a, o->id), r = target;
	const struct store_ref ref = { STR("_flowId"), STR("flow"), r.id };

	target.type = STR("flow");
	return store_resource_add(c, &r, &ref, 1, err) &&
	       store_resource_add(c, &target, NULL, 0, err) &&
	       store_setting_put(c, str_fmt(o->a, "lane %u", o->lane), str_fmt(o->a, "%u", o->id),
		       err);
}

static void *writing_main(void *arg)
{
	struct writing *w = arg;

	for (unsigned n = 0;; n++) {
		struct arena *a DEFER(arena_freep) = arena_new("unit", 0);
		struct one o = { a, w->base + n * THREADS + w->lane, w->lane };
		struct err err = ERR_INIT;

		if (!store_write(w->s, write_one, &o, &err) ||
			write(w->report, &o.id, sizeof(o.id)) != sizeof(o.id))
			return NULL; /* nobody listens any more */
	}
}

/* child DIR FD BASE POINT N: writes until it is killed, by itself at the N-th POINT when N > 0. */
static int child_main(char **argv)
{
	const struct store_config cfg = { .dir = argv[0],
		.clock = clock_system(),
		.rng = rng_system() };
	struct writing all[THREADS];
	struct store *s;
	struct err err = ERR_INIT;
	uint64_t n = strtoull(argv[4], NULL, 10);

	if (!store_open(&cfg, &s, &err))
		return 3;
	if (n > 0)
		fault_arm((enum fault_point)strtol(argv[3], NULL, 10), FAULT_KILL, n);
	for (unsigned i = 0; i < THREADS; i++) {
		all[i] = (struct writing){ .s = s,
			.base = (unsigned)strtoul(argv[2], NULL, 10),
			.lane = i,
			.report = (int)strtol(argv[1], NULL, 10) };
		thread_start(&all[i].thread, "writing", writing_main, &all[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		thread_join(&all[i].thread);
	return 4;
}

/* ---- the parent ---- */

static pid_t child_start(struct fix *f, int pipe_fds[2], unsigned base, enum fault_point p,
	uint64_t n)
{
	char fd[16], from[16], point[16], at[24];
	char program[] = "/proc/self/exe", word[] = "child";
	char *argv[] = { program, word, f->dir, fd, from, point, at, NULL };
	pid_t pid;

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(fcntl(pipe_fds[0], F_SETFD, FD_CLOEXEC), 0);
	snprintf(fd, sizeof(fd), "%d", pipe_fds[1]);
	snprintf(from, sizeof(from), "%u", base);
	snprintf(point, sizeof(point), "%d", (int)p);
	snprintf(at, sizeof(at), "%llu", (unsigned long long)n);
	pid = fork();
	if (pid == 0) {
		execv(program, argv);
		_exit(5);
	}
	assert_true(pid > 0);
	close(pipe_fds[1]);
	return pid;
}

struct reported {
	unsigned ids[IDS_MAX];
	size_t count;
};

/* The next acknowledged id; false at the end of the pipe. */
static bool next_report(int fd, struct reported *r)
{
	unsigned id;
	char *p = (char *)&id;
	size_t got = 0;

	while (got < sizeof(id)) {
		ssize_t n = read(fd, p + got, sizeof(id) - got);

		assert_true(n >= 0);
		if (n == 0)
			return false;
		got += (size_t)n;
	}
	assert_true(r->count < IDS_MAX);
	r->ids[r->count++] = id;
	return true;
}

static void wait_killed(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("the child ended by itself: status %x", (unsigned)status);
}

static bool is_whole(struct store_conn *c, struct arena *a, unsigned id)
{
	size_t refs = 0;
	struct err err;

	assert_ok(store_resource_referrers(c, a, ACCOUNT, STR("flow"), id_of(a, id), NULL, 0, &refs,
		&err));
	return refs == 1 && store_resource_exists(c, ACCOUNT, STR("export"), id_of(a, id));
}

static bool check_row(void *arg, const struct store_resource *r)
{
	struct store_conn *c = arg;
	struct arena *a DEFER(arena_freep) = arena_new("row", 0);
	size_t refs = 0;
	struct err err;

	assert_ok(
		store_resource_referrers(c, a, ACCOUNT, STR("flow"), r->id, NULL, 0, &refs, &err));
	assert_int_equal(refs, 1);
	return true;
}

/* The file is sound, each reported unit from the list's FROM on is there, and no unit at all is by
 * half: a resource without its reference here, a reference without its target in store_verify(). */
static void check_all(struct fix *f, const struct reported *r, size_t from)
{
	struct arena *a DEFER(arena_freep) = arena_new("check", 0);
	const struct store_filter every = { .limit = 0 };
	struct err err;

	assert_ok(store_verify(f->dir, &err));
	fix_open(f);
	WITH_READER (f, c) {
		for (size_t i = from; i < r->count; i++)
			if (!is_whole(c, a, r->ids[i]))
				fail_msg("unit %u was acknowledged and is not there", r->ids[i]);
		assert_ok(
			store_resource_list(c, ACCOUNT, STR("export"), &every, check_row, c, &err));
	}
	fix_close(f);
}

/* Killed by the parent as soon as it has read some number of acknowledgements. */
static void killed_after_an_acknowledgement(void **state)
{
	struct fix *f = *state;
	struct reported *r = arena_new_of(f->a, struct reported);

	fix_close(f);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned wanted = 1 + (unsigned)rng_below(rng_system(), 80);
		size_t before = r->count;
		int fds[2];
		pid_t pid = child_start(f, fds, 1 + round * 100000, FAULT_CALL, 0);

		while (r->count < before + wanted && next_report(fds[0], r))
			;
		assert_int_equal(kill(pid, SIGKILL), 0);
		wait_killed(pid);
		while (next_report(fds[0], r)) /* told before it died */
			;
		close(fds[0]);
		assert_true(r->count >= before + wanted);
		check_all(f, r, before);
	}
	check_all(f, r, 0); /* those of all rounds */
}

/* Killed at the n-th call, write or sync, before and after a commit, and while the log is copied. */
static void killed_at_every_place(void **state)
{
	static const struct {
		enum fault_point point;
		unsigned step, to;
	} places[] = {
		{ FAULT_CALL, 1, 30 },
		{ FAULT_WRITE_IO, 1, 40 },
		{ FAULT_SYNC, 1, 6 },
		{ FAULT_COMMIT, 1, 4 },
		{ FAULT_COMMITTED, 1, 4 },
		{ FAULT_WRITE_IO, 900, 5000 },
	};
	struct fix *f = *state;
	struct reported *r = arena_new_of(f->a, struct reported);
	unsigned round = 0;

	fix_close(f);
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		for (unsigned n = 1; n <= places[i].to; n += places[i].step) {
			size_t before = r->count;
			int fds[2];
			pid_t pid = child_start(f, fds, 1 + round++ * 100000, places[i].point, n);

			while (next_report(fds[0], r))
				;
			wait_killed(pid);
			close(fds[0]);
			check_all(f, r, before);
		}
	check_all(f, r, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_after_an_acknowledgement),
		TEST(killed_at_every_place),
	};

	if (argc == 7 && strcmp(argv[1], "child") == 0)
		return child_main(argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
