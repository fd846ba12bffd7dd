/*
 * Arenas: what is handed out, what a rewind and a reset take back, and that secrets do not stay.
 */
#include "test.h"

#include <string.h>

static void test_alloc_is_aligned_and_apart(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	unsigned char *p[200];

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		size_t n = i * 7 % 129;

		p[i] = arena_alloc(a, n);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, n);
	}
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		for (size_t k = 0; k < i * 7 % 129; k++)
			assert_int_equal(p[i][k], (unsigned char)i);
}

static void test_large_and_small_alternate(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char *small = arena_strndup(a, "small", 5);
	char *large = arena_alloc(a, (size_t)3 << 20);

	memset(large, 'x', (size_t)3 << 20);
	char *after = arena_strndup(a, "after", 5);

	assert_string_equal(small, "small");
	assert_string_equal(after, "after");
	assert_int_equal(large[((size_t)3 << 20) - 1], 'x');
	assert_int_equal(arena_used(a), ((size_t)3 << 20) + 32);
}

static void test_zalloc_array_memdup_strndup(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	memset(arena_alloc(a, 1000), 0xFF, 1000);
	arena_reset(a);
	unsigned char *z = arena_zalloc(a, 1000);

	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(z[i], 0);
	int *ints = arena_array_of(a, int, 5);

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(ints[i], 0);
	assert_memory_equal(arena_memdup(a, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_memdup(a, NULL, 0));
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
}

static void array_too_large(void *arg)
{
	arena_array(arg, 16, SIZE_MAX / 8);
}

static void alloc_too_large(void *arg)
{
	arena_alloc(arg, SIZE_MAX - 4);
}

static void test_sizes_that_overflow_abort(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_true(test_aborts(array_too_large, a));
	assert_true(test_aborts(alloc_too_large, a));
}

static void test_grow_in_place_and_by_copy(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char *p = arena_grow(a, NULL, 0, 10);

	memcpy(p, "0123456789", 10);
	assert_ptr_equal(arena_grow(a, p, 10, 4), p);
	char *q = arena_grow(a, p, 10, 100); /* the latest: in place */

	assert_ptr_equal(q, p);
	memset(q + 10, 'x', 90);
	arena_alloc(a, 1);
	char *r = arena_grow(a, q, 100, 200); /* not the latest any more */

	assert_ptr_not_equal(r, q);
	assert_memory_equal(r, "0123456789xxxx", 14);
	char *s = arena_grow(a, r, 200, 100000); /* the chunk is too small */

	assert_memory_equal(s, "0123456789xxxx", 14);
	memset(s, 'y', 100000);
}

static void test_grow_within_the_rounding(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char *p = arena_memdup(a, "12345", 5);

	arena_alloc(a, 16);
	assert_ptr_equal(arena_grow(a, p, 5, 16), p);
	p[15] = 'z';
}

static void test_rewind_takes_back(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char *kept = arena_strndup(a, "kept", 4);
	struct arena_mark m = arena_mark(a);
	size_t used = arena_used(a);
	char *gone = arena_alloc(a, 100);

	for (int i = 0; i < 100; i++)
		arena_alloc(a, 10000);
	arena_rewind(a, m);
	assert_int_equal(arena_used(a), used);
	assert_string_equal(kept, "kept");
	assert_ptr_equal(arena_alloc(a, 100), gone);
}

static void test_rewind_to_the_empty_arena(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct arena_mark m = arena_mark(a);

	arena_alloc(a, 50000);
	arena_alloc(a, 50000);
	arena_rewind(a, m);
	assert_int_equal(arena_used(a), 0);
	memset(arena_alloc(a, 10), 1, 10);
}

static void stale_rewind(void *arg)
{
	struct arena *a = arg;

	arena_alloc(a, 10);
	arena_alloc(a, 100000);
	struct arena_mark m = arena_mark(a);

	arena_reset(a);
	arena_rewind(a, m);
}

static void test_rewind_behind_a_reset_aborts(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_true(test_aborts(stale_rewind, a));
}

static void test_reset_keeps_the_first_chunk(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	arena_reset(a);
	void *first = arena_alloc(a, 10);

	for (int i = 0; i < 10; i++)
		arena_alloc(a, 100000);
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	assert_ptr_equal(arena_alloc(a, 10), first);
}

static void test_reset_gives_a_large_first_chunk_back(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	arena_alloc(a, (size_t)8 << 20);
	arena_reset(a);
	/* The next chunk is an ordinary one again: a mark in it has room for less than 8 MiB. */
	char *p = arena_alloc(a, 16);

	arena_alloc(a, 1 << 20);
	struct arena_mark m = arena_mark(a);

	memset(p, 1, 16);
	arena_reset(a);
	assert_ptr_not_equal(arena_mark(a).chunk, m.chunk);
}

static bool holds(const unsigned char *p, size_t n, const char *what)
{
	return memmem(p, n, what, strlen(what)) != NULL;
}

static void test_wipe_reaches_what_was_rewound(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	unsigned char *base = arena_alloc(a, 16);

	memset(base, 0, 16);
	struct arena_mark m = arena_mark(a);

	arena_strndup(a, "hunter2 hunter2", 15);
	arena_rewind(a, m);
	arena_wipe(a);
	assert_int_equal(arena_used(a), 0);
	unsigned char *all = arena_alloc(a, 2000);

	assert_ptr_equal(all, base);
	assert_false(holds(all, 2000, "hunter2"));
}

static void test_check_speaks_of_the_cap(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("page", 2 << 20);
	struct arena *small DEFER(arena_freep) = arena_new("request", 100);
	struct arena *any DEFER(arena_freep) = arena_new("test", 0);
	struct err err = ERR_INIT;

	assert_ok(arena_check(a, &err));
	arena_alloc(a, 2 << 20);
	assert_ok(arena_check(a, &err));
	arena_alloc(a, 1);
	assert_fails(arena_check(a, &err), ERR_LIMIT, "the page needs more than 2 MB of memory");
	arena_reset(a);
	assert_ok(arena_check(a, &err));
	arena_alloc(small, 101);
	assert_fails(arena_check(small, &err), ERR_LIMIT, "the request needs more than 100 bytes");
	arena_alloc(any, 5 << 20);
	assert_ok(arena_check(any, &err));
}

static void test_free_of_null(void **state UNUSED)
{
	struct arena *a = NULL;

	arena_free(NULL);
	arena_freep(&a);
	assert_null(a);
	a = arena_new("test", 0);
	arena_freep(&a);
	assert_null(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc_is_aligned_and_apart),
		cmocka_unit_test(test_large_and_small_alternate),
		cmocka_unit_test(test_zalloc_array_memdup_strndup),
		cmocka_unit_test(test_sizes_that_overflow_abort),
		cmocka_unit_test(test_grow_in_place_and_by_copy),
		cmocka_unit_test(test_grow_within_the_rounding),
		cmocka_unit_test(test_rewind_takes_back),
		cmocka_unit_test(test_rewind_to_the_empty_arena),
		cmocka_unit_test(test_rewind_behind_a_reset_aborts),
		cmocka_unit_test(test_reset_keeps_the_first_chunk),
		cmocka_unit_test(test_reset_gives_a_large_first_chunk_back),
		cmocka_unit_test(test_wipe_reaches_what_was_rewound),
		cmocka_unit_test(test_check_speaks_of_the_cap),
		cmocka_unit_test(test_free_of_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
