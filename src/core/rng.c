/*
 * rng.c - getrandom(2); for tests SplitMix64.
 */
#include "core/rng.h"

#include <errno.h>
#include <sys/random.h>

static void system_fill(struct rng *r UNUSED, void *out, size_t n)
{
	unsigned char *p = out;

	while (n > 0) {
		ssize_t k = getrandom(p, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		CHECK(k > 0);
		p += k;
		n -= (size_t)k;
	}
}

struct rng *rng_system(void)
{
	static struct rng system_rng = { system_fill, 0 };

	return &system_rng;
}

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15u);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static void test_fill(struct rng *r, void *out, size_t n)
{
	unsigned char *p = out;

	while (n > 0) {
		uint64_t v = splitmix(&r->state);
		size_t k = MIN(n, sizeof(v));

		memcpy(p, &v, k);
		p += k;
		n -= k;
	}
}

void rng_test_init(struct rng *r, uint64_t seed)
{
	*r = (struct rng){ test_fill, seed };
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
	CHECK(bound > 0);
	/* The lowest 2^64 mod BOUND values would make some results likelier than others. */
	uint64_t v, reject = (0 - bound) % bound;

	do {
		rng_fill(r, &v, sizeof(v));
	} while (v < reject);
	return v % bound;
}
