/*
 * Randomness: the test source repeats, bounds hold without bias, the system source fills every byte.
 */
#include "test.h"

#include <string.h>

#include "core/rng.h"

static void test_seed_repeats(void **state UNUSED)
{
	struct rng a, b, c;
	unsigned char x[37], y[37], z[37];

	rng_test_init(&a, 42);
	rng_test_init(&b, 42);
	rng_test_init(&c, 43);
	rng_fill(&a, x, sizeof(x));
	rng_fill(&b, y, sizeof(y));
	rng_fill(&c, z, sizeof(z));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_not_equal(x, z, sizeof(x));
	rng_fill(&b, y, sizeof(y));
	assert_memory_not_equal(x, y, sizeof(x));
	rng_fill(&a, NULL, 0);
}

/* The first outputs of SplitMix64 for seed 0, as its authors publish them. */
static void test_splitmix_vector(void **state UNUSED)
{
	struct rng r;
	uint64_t v[3];

	rng_test_init(&r, 0);
	rng_fill(&r, v, sizeof(v));
	assert_true(v[0] == 0xE220A8397B1DCDAFu);
	assert_true(v[1] == 0x6E789E6AA1B965F4u);
	assert_true(v[2] == 0x06C45D188009454Fu);
}

/* A source that always gives one value, then others: shows which draws are thrown away. */
struct scripted {
	struct rng rng;
	const uint64_t *values;
	size_t next;
};

static void scripted_fill(struct rng *r, void *out, size_t n)
{
	struct scripted *s = (struct scripted *)r;

	assert_int_equal(n, sizeof(uint64_t));
	memcpy(out, &s->values[s->next++], n);
}

static void test_below_rejects_the_uneven_rest(void **state UNUSED)
{
	static const uint64_t values[] = { 0, UINT64_MAX / 2, 7 };
	uint64_t bound = ((uint64_t)1 << 63) + 1; /* 2^64 mod bound is 2^63 - 1 */
	struct scripted s = { { scripted_fill, 0 }, values, 0 };

	s.next = 1; /* 2^63 - 1 itself is the first that counts */
	assert_true(rng_below(&s.rng, bound) == UINT64_MAX / 2);
	static const uint64_t rejected[] = { 0, UINT64_MAX / 2 - 1, UINT64_MAX };
	struct scripted t = { { scripted_fill, 0 }, rejected, 0 };

	assert_true(rng_below(&t.rng, bound) == UINT64_MAX - bound);
	assert_int_equal(t.next, 3);
}

static void test_below_stays_below(void **state UNUSED)
{
	struct rng r;
	int seen[7] = { 0 };

	rng_test_init(&r, 1);
	for (int i = 0; i < 7000; i++) {
		uint64_t v = rng_below(&r, 7);

		assert_true(v < 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(rng_below(&r, 1), 0);
}

static void below_zero(void *arg)
{
	rng_below(arg, 0);
}

static void test_below_zero_aborts(void **state UNUSED)
{
	struct rng r;

	rng_test_init(&r, 1);
	assert_true(test_aborts(below_zero, &r));
}

static void test_system_fills_every_byte(void **state UNUSED)
{
	/* Larger than what getrandom() gives in one call without interruption (256 bytes). */
	unsigned char x[1000], seen[1000] = { 0 };

	for (int round = 0; round < 8; round++) {
		memset(x, 0, sizeof(x));
		rng_fill(rng_system(), x, sizeof(x));
		for (size_t i = 0; i < sizeof(x); i++)
			seen[i] |= x[i];
	}
	for (size_t i = 0; i < sizeof(x); i++)
		assert_int_not_equal(seen[i], 0); /* 1 in 2^54 that chance does this */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed_repeats),
		cmocka_unit_test(test_splitmix_vector),
		cmocka_unit_test(test_below_rejects_the_uneven_rest),
		cmocka_unit_test(test_below_stays_below),
		cmocka_unit_test(test_below_zero_aborts),
		cmocka_unit_test(test_system_fills_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
