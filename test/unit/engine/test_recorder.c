/*
 * test_recorder.c - lines found by what is in them, the newest first; a ring that stays within its
 * budget, over restarts; and disks that take nothing.
 */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/thread.h"
#include "engine/recorder.h"

#define BUDGET ((uint64_t)16 * 1024) /* 1 KiB a segment */

struct fixture {
	char root[64], dir[80];
	struct recorder *r;
};

static struct fixture fix;

static void open_it(struct fixture *f, uint64_t budget)
{
	struct err err;

	assert_ok(recorder_open(f->dir, budget, &f->r, &err));
}

static int setup(void **state)
{
	snprintf(fix.root, sizeof(fix.root), "%s/test_recorder_XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(fix.root));
	snprintf(fix.dir, sizeof(fix.dir), "%s/records", fix.root);
	open_it(&fix, BUDGET);
	*state = &fix;
	return 0;
}

struct found {
	size_t files;
	uint64_t bytes;
};

/* What is in the directory; with REMOVE it is empty then. */
static struct found look(struct fixture *f, bool remove)
{
	struct found x = { 0, 0 };
	DIR *d = opendir(f->dir);
	char path[400];
	struct stat st;

	if (d == NULL)
		return x;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", f->dir, e->d_name);
		assert_int_equal(stat(path, &st), 0);
		x.files++;
		x.bytes += (uint64_t)st.st_size;
		if (remove)
			unlink(path);
	}
	closedir(d);
	return x;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	recorder_close(f->r);
	look(f, true);
	rmdir(f->dir);
	assert_int_equal(rmdir(f->root), 0);
	return 0;
}

struct lines {
	char text[4096]; /* of those seen, parted by | */
	size_t count, stop_at;
};

static bool see(void *arg, struct str line)
{
	struct lines *l = arg;
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%.*s|", STR_ARG(line));
	return ++l->count != l->stop_at;
}

static struct lines find(struct fixture *f, const char *one, const char *two, size_t stop_at)
{
	const struct str needles[2] = { str_z(one), str_z(two) };
	struct lines l = { .stop_at = stop_at };
	struct err err;

	assert_ok(recorder_find(f->r, needles, see, &l, &err));
	return l;
}

/* Adds "line N ..." of 100 bytes. */
static void add_line(struct fixture *f, unsigned n)
{
	char line[101];

	snprintf(line, sizeof(line), "line %-94u.", n);
	recorder_add(f->r, str_z(line));
}

static void lines_are_found_the_newest_first(void **state)
{
	struct fixture *f = *state;

	assert_true(recorder_on(f->r));
	assert_int_equal(find(f, "a", "b", 0).count, 0);
	recorder_add(f->r, STR("a b 1"));
	recorder_add(f->r, STR("a 2"));
	recorder_add(f->r, STR(""));
	recorder_add(f->r, STR("b a 3"));
	assert_string_equal(find(f, "a", "b", 0).text, "b a 3|a b 1|");
	assert_string_equal(find(f, "a", "a", 0).text, "b a 3|a 2|a b 1|");
	assert_string_equal(find(f, "a", "a", 2).text, "b a 3|a 2|");
	assert_string_equal(find(f, "1\na", "a", 0).text, ""); /* not over the end of a line */
}

static void the_ring_stays_within_its_budget(void **state)
{
	struct fixture *f = *state;
	struct found x;
	unsigned n = 0;

	while (n < 1000) {
		add_line(f, ++n);
		x = look(f, false);
		assert_true(x.files <= RECORDER_SEGMENTS);
		/* each segment may be longer by the line that filled it */
		assert_true(x.bytes <= BUDGET + RECORDER_SEGMENTS * 101);
	}
	assert_int_equal(x.files, RECORDER_SEGMENTS);
	assert_true(x.bytes > BUDGET / 2);
	assert_int_equal(find(f, "line 1000 ", "line", 0).count, 1);
	assert_int_equal(find(f, "line 950 ", "line", 0).count, 1); /* in another segment */
	assert_int_equal(find(f, "line 1 ", "line", 0).count, 0);   /* the oldest went */
	size_t all = find(f, "line", "line", 0).count;

	assert_true(all >= BUDGET / 101 / 2 && all < 1000);
}

static void a_restart_goes_on_behind_the_last_line(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 1; n <= 40; n++)
		add_line(f, n);
	size_t files = look(f, false).files;

	for (unsigned round = 0; round < 3; round++) {
		recorder_close(f->r);
		open_it(f, BUDGET);
		assert_int_equal(find(f, "line", "line", 0).count, 40 + round);
		add_line(f, 41 + round);
	}
	assert_true(look(f, false).files <= files + 1);
	struct lines l = find(f, "line", "line", 1);

	assert_non_null(strstr(l.text, "line 43 "));
}

static void files_of_others_are_left_alone(void **state)
{
	struct fixture *f = *state;
	char path[120];

	recorder_close(f->r);
	snprintf(path, sizeof(path), "%s/notes.jsonl", f->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "line 7\n", 7), 7);
	close(fd);
	open_it(f, BUDGET);
	for (unsigned n = 1000; n < 2000; n++)
		add_line(f, n);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(find(f, "line 7", "line", 0).count, 0);
}

static void without_a_budget_nothing_is_recorded(void **state)
{
	struct fixture *f = *state;

	recorder_close(f->r);
	look(f, true);
	rmdir(f->dir);
	open_it(f, 0);
	assert_false(recorder_on(f->r));
	assert_false(recorder_on(NULL));
	assert_int_equal(find(f, "line", "line", 0).count, 0);
	assert_int_not_equal(access(f->dir, F_OK), 0);
	recorder_close(NULL);
}

static void a_directory_that_can_not_be_made_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct recorder *r = NULL;
	char path[120];
	struct err err;

	snprintf(path, sizeof(path), "%s/none/records", f->root);
	assert_fails(recorder_open(path, BUDGET, &r, &err), ERR_IO, "can't make");
	add_line(f, 1);
	snprintf(path, sizeof(path), "%s/%020u.jsonl", f->dir, 1u); /* a file stands there */
	assert_fails(recorder_open(path, BUDGET, &r, &err), ERR_IO, "can't read");
	assert_null(r);
}

/* It stops in the middle of a line, and takes up with the next segment when there is room again. */
static void a_full_disk_stops_the_recording_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, small = { 350, 350 };
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned n = 1; n <= 8; n++)
		add_line(f, n);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, handler);
	assert_int_equal(find(f, "line", ".", 0).count, 3); /* the fourth was cut */
	for (unsigned n = 9; n <= 20; n++)
		add_line(f, n);
	assert_int_equal(find(f, "line 20 ", ".", 0).count, 1);
	assert_int_equal(find(f, "line 3 ", ".", 0).count, 1);
}

/* ---- many at once ---- */

#define THREADS 4
#define EACH    500

struct adder {
	struct fixture *f;
	struct thread thread;
	unsigned lane;
};

static void *add_many(void *arg)
{
	const struct adder *x = arg;

	for (unsigned n = 0; n < EACH; n++)
		add_line(x->f, x->lane * 10000 + n);
	return NULL;
}

static bool whole(void *arg, struct str line)
{
	size_t *count = arg;

	assert_int_equal(line.n, 100);
	assert_true(str_starts(line, STR("line ")) && line.p[99] == '.');
	++*count;
	return true;
}

/* Lines are never mixed, whoever looks meanwhile. */
static void many_add_and_look(void **state)
{
	struct fixture *f = *state;
	struct adder adders[THREADS];
	const struct str needles[2] = { STR_INIT("line"), STR_INIT(".") };
	size_t count = 0;
	struct err err;

	recorder_close(f->r);
	open_it(f, (uint64_t)1 << 20); /* room for all */
	for (unsigned i = 0; i < THREADS; i++) {
		adders[i] = (struct adder){ .f = f, .lane = i + 1 };
		thread_start(&adders[i].thread, "adder", add_many, &adders[i]);
	}
	for (unsigned i = 0; i < 20; i++)
		(void)find(f, "no such", "line", 0);
	for (unsigned i = 0; i < THREADS; i++)
		thread_join(&adders[i].thread);
	assert_ok(recorder_find(f->r, needles, whole, &count, &err));
	assert_int_equal(count, THREADS * EACH);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_found_the_newest_first),
		TEST(the_ring_stays_within_its_budget),
		TEST(a_restart_goes_on_behind_the_last_line),
		TEST(files_of_others_are_left_alone),
		TEST(without_a_budget_nothing_is_recorded),
		TEST(a_directory_that_can_not_be_made_is_an_error),
		TEST(a_full_disk_stops_the_recording_and_nothing_else),
		TEST(many_add_and_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
