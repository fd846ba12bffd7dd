/*
 * The token bucket: its size at once, its refill, the wait it tells, and takers out of order.
 */
#include "test.h"

#include "core/bucket.h"

#define START_US 5000000

static uint32_t take_all(struct bucket *b, int64_t now_us)
{
	uint32_t n = 0;
	int64_t wait_ns;

	while (bucket_take(b, 100, 30, now_us, &wait_ns))
		n++;
	return n;
}

static void test_size_at_once_then_refill(void **state UNUSED)
{
	struct bucket b = { 0 };

	assert_int_equal(take_all(&b, START_US), 100);
	assert_int_equal(take_all(&b, START_US), 0);
	assert_int_equal(take_all(&b, START_US + 1000000), 30);
	assert_int_equal(take_all(&b, START_US + 3600000000), 100); /* never more than its size */
}

static void test_wait_is_enough(void **state UNUSED)
{
	struct bucket b = { 0 };
	int64_t wait_ns, next_ns;

	take_all(&b, START_US);
	assert_false(bucket_take(&b, 100, 30, START_US, &wait_ns));
	assert_in_range(wait_ns, 1, 1000000000 / 30);
	assert_false(bucket_take(&b, 100, 30, START_US + wait_ns / 1000 - 1, &next_ns));
	assert_true(bucket_take(&b, 100, 30, START_US + wait_ns / 1000 + 1, &next_ns));
}

/* The first to get the lock may have read the clock last; the others still get all of the bucket. */
static void test_takers_out_of_order(void **state UNUSED)
{
	struct bucket b = { 0 };
	int64_t wait_ns;

	assert_true(bucket_take(&b, 100, 30, START_US + 2000, &wait_ns));
	assert_int_equal(take_all(&b, START_US), 99);
	assert_int_equal(take_all(&b, START_US - 2000000), 0);
}

static void test_extremes(void **state UNUSED)
{
	struct bucket b = { 0 };
	int64_t wait_ns;

	assert_true(bucket_take(&b, 1, 1, 0, &wait_ns));
	assert_false(bucket_take(&b, 1, 1, 0, &wait_ns));
	assert_int_equal(wait_ns, 1000000000);
	b = (struct bucket){ 0 };
	for (int i = 0; i < 1000; i++)
		assert_true(bucket_take(&b, UINT32_MAX, 1, INT64_C(1) << 40, &wait_ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_at_once_then_refill),
		cmocka_unit_test(test_wait_is_enough),
		cmocka_unit_test(test_takers_out_of_order),
		cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
