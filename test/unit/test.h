/*
 * test.h - what every unit test includes first: cmocka, and checks in the words of this codebase.
 */
#ifndef TEST_UNIT_TEST_H
#define TEST_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

/* Compares a struct str with a literal or C string and prints both when they differ. */
#define assert_str(s, z)                                                                        \
	do {                                                                                    \
		struct str got_ = (s), want_ = str_z(z);                                        \
		if (!str_eq(got_, want_))                                                       \
			fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(got_), STR_ARG(want_)); \
	} while (0)

/* The call must succeed; else its error is printed. Uses a struct err named `err` in scope. */
#define assert_ok(call)                                                                      \
	do {                                                                                 \
		err = (struct err)ERR_INIT;                                                  \
		if (!(call))                                                                 \
			fail_msg("%s: %s %s", #call, err_info(err.code)->wire, err.message); \
	} while (0)

/* The call must fail with this code and a message (or hint) that holds TEXT. */
#define assert_fails(call, code_, text)                                                            \
	do {                                                                                       \
		err = (struct err)ERR_INIT;                                                        \
		if (call)                                                                          \
			fail_msg("%s succeeded", #call);                                           \
		if (err.code != (code_) ||                                                         \
			(strstr(err.message, (text)) == NULL && strstr(err.hint, (text)) == NULL)) \
			fail_msg("%s: got %s: %s [%s] %s", #call, err_info(err.code)->wire,        \
				err.message, err.field, err.hint);                                 \
	} while (0)

/* Runs FN(ARG) in a child; true when it ended by a failed CHECK. */
static inline bool test_aborts(void (*fn)(void *), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		static const int caught[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };

		for (size_t i = 0; i < ARRAY_LEN(caught); i++)
			signal(caught[i],
				SIG_DFL); /* cmocka's handler would go on with the tests */
		close(STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
