/*
 * The log: the two forms of a line to the byte, what is escaped and cut, and that a sink which can't
 * take a line costs the line and not the program.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "core/log.h"
#include "core/thread.h"

/* What was logged to FD, a memory file, since the last call; ends with a NUL. */
static struct str logged(struct arena *a, int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	char *p = arena_zalloc(a, (size_t)st.st_size + 1);

	assert_int_equal(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return str_of(p, (size_t)st.st_size);
}

static int memory_file(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	/* A memory file, unlike one on disk, does not lock its position between writers. */
	assert_true(fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) == 0);
	return fd;
}

/* The time is "2026-11-24T14:09:00.376Z": checks its form and returns what follows BEFORE + time. */
static struct str behind_time(struct str line, struct str before)
{
	assert_true(str_starts(line, before));
	line = str_from(line, before.n);
	assert_true(line.n > 24 && line.p[4] == '-' && line.p[10] == 'T' && line.p[23] == 'Z');
	return str_from(line, 24);
}

static void test_json_line(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();

	log_configure(LOG_JSON, LOG_INFO, fd);
	LOG(LOG_INFO, "http.listening", LOG_S("address", STR("a\"b\\\n\x01\x7F\xC3\xA9\xFF")),
		LOG_I("port", 8080), LOG_I("low", INT64_MIN), LOG_S("none", STR_NULL));
	assert_str(behind_time(logged(a, fd), STR("{\"time\":\"")),
		"\",\"level\":\"info\",\"event\":\"http.listening\",\"address\":"
		"\"a\\\"b\\\\\\u000a\\u0001\\u007f\xC3\xA9?\",\"port\":8080,"
		"\"low\":-9223372036854775808,\"none\":\"\"}\n");
	LOG(LOG_ERROR, "bare");
	assert_str(behind_time(logged(a, fd), STR("{\"time\":\"")),
		"\",\"level\":\"error\",\"event\":\"bare\"}\n");
	assert_int_equal(log_format(), LOG_JSON);
}

static void test_text_line(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();

	log_configure(LOG_TEXT, LOG_INFO, fd);
	LOG(LOG_WARN, "x.y", LOG_Z("plain", "caf\xC3\xA9"), LOG_Z("space", "a b"),
		LOG_Z("empty", ""), LOG_Z("bad", "\xFFq"),
		LOG_Z("csi", "\xC2\x9B"
			     "1m"),
		LOG_Z("nbsp", "\xC2\xA0"));
	assert_str(behind_time(logged(a, fd), STR("")),
		" warn  x.y plain=caf\xC3\xA9 space=\"a b\" empty=\"\" bad=\"?q\""
		" csi=\"\\u009b1m\" nbsp=\xC2\xA0\n");
}

static void test_level(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();

	log_configure(LOG_TEXT, LOG_WARN, fd);
	assert_false(log_enabled(LOG_INFO));
	assert_true(log_enabled(LOG_WARN));
	LOG(LOG_INFO, "quiet", LOG_I("n", 1));
	assert_int_equal(logged(a, fd).n, 0);
	LOG(LOG_WARN, "loud", LOG_I("n", 1));
	assert_true(logged(a, fd).n > 0);
}

static void test_err(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();
	struct err err = ERR_INIT;

	log_configure(LOG_JSON, LOG_INFO, fd);
	err_set_field(&err, ERR_MISSING, "name", "must be set");
	err_hint(&err, "set it");
	log_err(LOG_ERROR, "api.failed", &err);
	assert_true(str_ends(logged(a, fd),
		STR("\"code\":\"missing_required_field\",\"message\":\"must be set\","
		    "\"field\":\"name\",\"hint\":\"set it\"}\n")));
}

static void test_long_values_are_cut(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();
	char text[LOG_VALUE_BYTES_MAX + 3];
	uint64_t dropped = log_dropped();

	memset(text, 'a', sizeof(text));
	memcpy(text + LOG_VALUE_BYTES_MAX - 1, "\xC3\xA9", 2); /* across the border */
	struct str s = str_of(text, sizeof(text));

	log_configure(LOG_JSON, LOG_INFO, fd);
	LOG(LOG_INFO, "x", LOG_S("one", s));
	struct str line = logged(a, fd);

	assert_true(str_ends(line, STR("aaa\",\"one_cut\":true}\n")));
	assert_true(line.n < LOG_VALUE_BYTES_MAX + 120);
	log_configure(LOG_TEXT, LOG_INFO, fd);
	LOG(LOG_INFO, "x", LOG_S("one", s));
	assert_true(str_ends(logged(a, fd), STR("aaa...\n")));
	assert_int_equal(log_dropped(), dropped);
}

static void test_too_many_fields_are_left_out(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();
	struct str s = str_fmt(a, "%01000d", 0);
	char control[1000]; /* each byte becomes six */

	memset(control, 1, sizeof(control));
	log_configure(LOG_JSON, LOG_INFO, fd);
	LOG(LOG_INFO, "x", LOG_S("a", s), LOG_S("b", s),
		LOG_S("c", str_of(control, sizeof(control))), LOG_S("d", s), LOG_S("e", s),
		LOG_I("f", 6));
	struct str line = logged(a, fd);

	assert_true(line.n <= PIPE_BUF);
	assert_true(str_find(line, STR("\"d\":\"000")) != STR_NPOS);
	assert_true(str_find(line, STR("\"c\":")) == STR_NPOS);
	assert_true(str_ends(line, STR(",\"f\":6,\"fields_left_out\":2}\n")));
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 300; i++)
		LOG(LOG_INFO, "many", LOG_I("thread", (intptr_t)arg), LOG_I("i", i),
			LOG_Z("tail", "the end"));
	return NULL;
}

static void test_threads_do_not_tear_lines(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();
	struct thread t[4] = { 0 };
	size_t lines = 0;

	log_configure(LOG_JSON, LOG_INFO, fd);
	for (intptr_t i = 0; i < 4; i++)
		thread_start(&t[i], "logger", log_many, (void *)i);
	for (int i = 0; i < 4; i++)
		thread_join(&t[i]);
	for (struct str rest = logged(a, fd); rest.n > 0; lines++) {
		struct str line = str_cut(&rest, '\n');

		assert_true(str_starts(line, STR("{\"time\":\"")));
		assert_true(str_ends(line, STR(",\"tail\":\"the end\"}")));
	}
	assert_int_equal(lines, 1200);
}

/* A pipe that nobody reads, with no room left; its writing end waits. */
static void full_pipe(int fds[2])
{
	char block[PIPE_BUF] = { 0 };

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(fds[1], block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
}

static void test_full_pipe_drops(void **state UNUSED)
{
	int fds[2];
	uint64_t dropped = log_dropped();
	char block[PIPE_BUF];

	full_pipe(fds);
	log_configure(LOG_TEXT, LOG_INFO, fds[1]);
	LOG(LOG_INFO, "lost", LOG_I("n", 1)); /* must come back */
	assert_int_equal(log_dropped(), dropped + 1);
	log_write_lines("a\nb\nc\n", 6);
	assert_int_equal(log_dropped(), dropped + 4);
	assert_int_equal(read(fds[0], block, sizeof(block)), PIPE_BUF);
	LOG(LOG_INFO, "fits", LOG_I("n", 1));
	assert_int_equal(log_dropped(), dropped + 4);
	close(fds[0]);
	close(fds[1]);
}

static void test_closed_sink_drops(void **state UNUSED)
{
	int fds[2];
	uint64_t dropped = log_dropped();

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	log_configure(LOG_TEXT, LOG_INFO, fds[1]);
	LOG(LOG_INFO, "lost", LOG_I("n", 1));
	assert_int_equal(log_dropped(), dropped + 1);
	close(fds[1]);
	log_configure(LOG_TEXT, LOG_INFO, fds[1]); /* no longer a descriptor */
	LOG(LOG_INFO, "lost", LOG_I("n", 1));
	assert_int_equal(log_dropped(), dropped + 2);
}

static void test_prepared_lines_go_out_whole(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	int fd DEFER(fd_close) = memory_file();
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (int i = 0; i < 500; i++)
		buf_add_fmt(&b, "line %d of many\n", i);
	buf_add_fmt(&b, "%*d\n", 3 * PIPE_BUF, 1); /* one line longer than a pipe takes whole */
	BUF_ADD_LIT(&b, "no line feed at the end");
	log_configure(LOG_TEXT, LOG_INFO, fd);
	log_write_lines(b.p, b.n);
	assert_true(str_eq(logged(a, fd), buf_str(&b)));
	log_write_lines(NULL, 0);
	assert_int_equal(logged(a, fd).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_line),
		cmocka_unit_test(test_text_line),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_long_values_are_cut),
		cmocka_unit_test(test_too_many_fields_are_left_out),
		cmocka_unit_test(test_threads_do_not_tear_lines),
		cmocka_unit_test(test_full_pipe_drops),
		cmocka_unit_test(test_closed_sink_drops),
		cmocka_unit_test(test_prepared_lines_go_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
