/*
 * bucket.h - a token bucket: SIZE takes at once, then REFILL a second.
 *
 * Its level is kept as a time, the instant at which it would be full again: it needs no timer and
 * nothing to be added up. Zeroed memory is a full bucket. The caller's lock covers it.
 */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	int64_t full_at_ns; /* monotonic: when it is full again */
	int64_t seen_ns;    /* the latest NOW_US it was asked with */
};

/* Takes one; false, with the ns until one could be taken in *WAIT_NS, when there is none. NOW_US is
 * monotonic; takers may come out of order, as threads do that read the clock before they get the
 * lock: an earlier NOW_US counts as the latest seen. 1 <= REFILL <= 10^9, SIZE >= 1. */
static inline bool bucket_take(struct bucket *b, uint32_t size, uint32_t refill, int64_t now_us,
	int64_t *wait_ns)
{
	int64_t cost_ns = 1000000000 / refill, room_ns = cost_ns * size;
	int64_t now_ns = now_us * 1000;

	if (now_ns > b->seen_ns)
		b->seen_ns = now_ns;
	else
		now_ns = b->seen_ns;
	int64_t full_at_ns = (b->full_at_ns > now_ns ? b->full_at_ns : now_ns) + cost_ns;

	*wait_ns = full_at_ns - now_ns - room_ns;
	if (*wait_ns > 0)
		return false;
	b->full_at_ns = full_at_ns;
	return true;
}

#endif
