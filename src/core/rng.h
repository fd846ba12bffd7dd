/*
 * rng.h - the only place that randomness comes from.
 *
 * The system source is the kernel's (getrandom), fit for keys and tokens, callable from any thread.
 * A test source repeats for a seed and is for one thread.
 */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include "core/base.h"

struct rng {
	void (*fill)(struct rng *r, void *out, size_t n);
	uint64_t state; /* of a test source */
};

struct rng *rng_system(void);
void rng_test_init(struct rng *r, uint64_t seed);

static inline void rng_fill(struct rng *r, void *out, size_t n)
{
	r->fill(r, out, n);
}
/* Uniform in [0, bound), bound > 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);

#endif
