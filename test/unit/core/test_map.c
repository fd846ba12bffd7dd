/*
 * The map: look-ups and order through many growths, replacing, and odd keys.
 */
#include "test.h"

#include "core/map.h"

static void test_empty(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct map *m = map_new(a);

	assert_int_equal(map_count(m), 0);
	assert_null(map_get(m, STR("a")));
	assert_null(map_get(m, STR_NULL));
}

static void test_many_in_order(void **state UNUSED)
{
	enum { COUNT = 5000 };
	static int values[COUNT];
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct map *m = map_new(a);

	for (int i = 0; i < COUNT; i++) {
		assert_null(map_put(m, str_fmt(a, "key%d", i * 7919 % COUNT), &values[i]));
		assert_int_equal(map_count(m), i + 1);
	}
	for (int i = 0; i < COUNT; i++) {
		struct str key = str_fmt(a, "key%d", i * 7919 % COUNT);

		assert_ptr_equal(map_get(m, key), &values[i]);
		assert_true(str_eq(map_key_at(m, (size_t)i), key));
		assert_ptr_equal(map_value_at(m, (size_t)i), &values[i]);
	}
	assert_null(map_get(m, STR("key5000")));
	assert_null(map_get(m, STR("key")));
}

static void test_replace_keeps_the_place(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct map *m = map_new(a);
	int one, two, three;

	assert_null(map_put(m, STR("a"), &one));
	assert_null(map_put(m, STR("b"), &two));
	assert_ptr_equal(map_put(m, STR("a"), &three), &one);
	assert_int_equal(map_count(m), 2);
	assert_ptr_equal(map_get(m, STR("a")), &three);
	assert_str(map_key_at(m, 0), "a");
	assert_str(map_key_at(m, 1), "b");
}

static void test_replace_when_full(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct map *m = map_new(a);
	int v[9];

	for (int i = 0; i < 8; i++)
		map_put(m, str_fmt(a, "%d", i), &v[i]);
	assert_ptr_equal(map_put(m, STR("3"), &v[8]), &v[3]);
	assert_int_equal(map_count(m), 8);
	assert_ptr_equal(map_get(m, STR("3")), &v[8]);
	assert_ptr_equal(map_get(m, STR("7")), &v[7]);
}

static void test_keys_are_bytes(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct map *m = map_new(a);
	int v[5];

	map_put(m, STR(""), &v[0]);
	map_put(m, STR("a\0b"), &v[1]);
	map_put(m, STR("a"), &v[2]);
	map_put(m, STR("A"), &v[3]);
	map_put(m, STR("a\0c"), &v[4]);
	assert_ptr_equal(map_get(m, STR_NULL), &v[0]);
	assert_ptr_equal(map_get(m, STR("a\0b")), &v[1]);
	assert_ptr_equal(map_get(m, STR("a")), &v[2]);
	assert_ptr_equal(map_get(m, STR("A")), &v[3]);
	assert_ptr_equal(map_get(m, STR("a\0c")), &v[4]);
	assert_null(map_get(m, STR("a\0")));
}

static void put_null(void *arg)
{
	map_put(arg, STR("a"), NULL);
}

static void key_past_the_end(void *arg)
{
	map_key_at(arg, 0);
}

static void test_misuse_aborts(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_true(test_aborts(put_null, map_new(a)));
	assert_true(test_aborts(key_past_the_end, map_new(a)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many_in_order),
		cmocka_unit_test(test_replace_keeps_the_place),
		cmocka_unit_test(test_replace_when_full),
		cmocka_unit_test(test_keys_are_bytes),
		cmocka_unit_test(test_misuse_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
