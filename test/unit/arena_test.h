/*
 * arena_test.h - for tests that need an arena and nothing else: each begins with an empty one.
 */
#ifndef TEST_UNIT_ARENA_TEST_H
#define TEST_UNIT_ARENA_TEST_H

#include "test.h"

static struct arena *a;

static int arena_begin(void **state UNUSED)
{
	a = arena_new("test", 0);
	return 0;
}

static int arena_end(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

#define ARENA_TEST(fn) cmocka_unit_test_setup_teardown(fn, arena_begin, arena_end)

#endif
