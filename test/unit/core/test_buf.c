/*
 * Buffers: growth, the maximum and what happens at it to the byte, and what is given back.
 */
#include "test.h"

#include <string.h>

#include "core/buf.h"

static void test_adds_grow(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add(&b, NULL, 0);
	assert_int_equal(b.n, 0);
	for (int i = 0; i < 1000; i++)
		buf_add_fmt(&b, "%d,", i % 10);
	assert_int_equal(b.n, 2000);
	assert_memory_equal(b.p, "0,1,2,3,", 8);
	assert_false(b.over);
	buf_reset(&b);
	BUF_ADD_LIT(&b, "abc");
	buf_add_char(&b, 'd');
	buf_add_str(&b, STR("ef"));
	assert_str(buf_str(&b), "abcdef");
}

static void test_add_u64(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_u64(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_u64(&b, 1234567890);
	buf_add_char(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	assert_str(buf_str(&b), "0 1234567890 18446744073709551615");
}

static void test_the_maximum_is_exact(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(10);

	BUF_ADD_LIT(&b, "0123456789");
	assert_false(b.over);
	assert_int_equal(b.n, 10);
	buf_add_char(&b, 'x');
	assert_true(b.over);
	assert_int_equal(b.n, 10);
	buf_drop(&b, 5);
	buf_add_char(&b, 'x'); /* over stays until a reset */
	assert_int_equal(b.n, 5);
	buf_reset(&b);
	assert_false(b.over);
	for (int i = 0; i < 10; i++)
		buf_add_char(&b, 'y');
	assert_false(b.over);
	buf_add_char(&b, 'y');
	assert_true(b.over);
}

static void test_fmt_at_the_maximum(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(300);

	buf_add_fmt(&b, "%300d", 7); /* longer than the stack's buffer, exactly the maximum */
	assert_false(b.over);
	assert_int_equal(b.n, 300);
	assert_int_equal(b.p[299], '7');
	buf_reset(&b);
	buf_add_fmt(&b, "%301d", 7);
	assert_true(b.over);
	assert_int_equal(b.n, 0);
	buf_reset(&b);
	buf_add_fmt(&b, "%255d", 1);
	buf_add_fmt(&b, "%45d", 2);
	assert_false(b.over);
	assert_int_equal(b.n, 300);
}

static void test_room(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(100);
	char *p = buf_room(&b, 0);

	assert_non_null(p);
	p = buf_room(&b, 60);
	assert_non_null(p);
	memset(p, 'a', 60);
	b.n += 60;
	assert_non_null(buf_room(&b, 40));
	assert_int_equal(b.n, 60);
	assert_null(buf_room(&b, 41));
	assert_true(b.over);
	assert_null(buf_room(&b, 1));
}

static void huge_room(void *arg)
{
	buf_room(arg, SIZE_MAX - 3);
}

static void test_room_that_overflows_aborts(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	BUF_ADD_LIT(&b, "some content");
	assert_true(test_aborts(huge_room, &b));
}

static void drop_too_many(void *arg)
{
	buf_drop(arg, 4);
}

static void test_drop(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_drop(&b, 0);
	BUF_ADD_LIT(&b, "abcdef");
	buf_drop(&b, 2);
	assert_str(buf_str(&b), "cdef");
	buf_drop(&b, 4);
	assert_int_equal(b.n, 0);
	BUF_ADD_LIT(&b, "xyz");
	assert_true(test_aborts(drop_too_many, &b));
}

static void test_shrink(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_fmt(&b, "%10000d", 1);
	buf_shrink(&b, 1000); /* the content does not fit */
	assert_int_equal(b.n, 10000);
	buf_drop(&b, 9990);
	buf_shrink(&b, 1000);
	assert_int_equal(b.cap, 1000);
	assert_str(buf_str(&b), "         1");
	buf_reset(&b);
	buf_shrink(&b, 1000); /* not above it */
	assert_int_equal(b.cap, 1000);
	buf_shrink(&b, 0);
	assert_null(b.p);
	BUF_ADD_LIT(&b, "again");
	assert_str(buf_str(&b), "again");
}

static void test_free_keeps_the_maximum(void **state UNUSED)
{
	struct buf b = BUF_INIT(5);

	BUF_ADD_LIT(&b, "123456");
	assert_true(b.over);
	buf_free(&b);
	assert_false(b.over);
	assert_null(b.p);
	assert_int_equal(b.max, 5);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adds_grow),
		cmocka_unit_test(test_add_u64),
		cmocka_unit_test(test_the_maximum_is_exact),
		cmocka_unit_test(test_fmt_at_the_maximum),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_room_that_overflows_aborts),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_free_keeps_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
