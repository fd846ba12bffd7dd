/*
 * Wire conversations: every .talk file of the folder given is a test.
 */
#include "test.h"

#include <dirent.h>
#include <stdio.h>

#include "net/http_client.h"
#include "talk.h"

#define FILES_MAX 512

static void test_talk(void **state)
{
	talk_play(*state);
}

static int by_name(const void *a, const void *b)
{
	const struct CMUnitTest *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new("process", 0);
	struct CMUnitTest *tests = arena_array_of(a, struct CMUnitTest, FILES_MAX);
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *e;
	size_t n = 0;

	if (dir == NULL) {
		fprintf(stderr, "usage: test_talk FOLDER\n");
		return 2;
	}
	while ((e = readdir(dir)) != NULL && n < FILES_MAX) {
		struct str name = str_dup(a, str_z(e->d_name));
		struct str path = str_fmt(a, "%s/%.*s", argv[1], STR_ARG(name));

		if (str_ends(name, STR(".talk")))
			tests[n++] = (struct CMUnitTest){ .name = name.p,
				.test_func = test_talk,
				.initial_state = (void *)(uintptr_t)path.p };
	}
	closedir(dir);
	qsort(tests, n, sizeof(*tests), by_name);
	http_client_global_init();
	int failed = _cmocka_run_group_tests("talk", tests, n, NULL, NULL);

	http_client_global_cleanup();
	arena_free(a);
	return n == 0 ? 1 : failed;
}
