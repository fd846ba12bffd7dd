/*
 * fault.c - one row of atomics per place; a flag over all of them keeps the unarmed path short.
 */
#include "store/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* The fault table: one of the two globals of the program. */
static struct {
	_Atomic bool armed;
	struct {
		_Atomic int action;
		_Atomic uint64_t at, count;
	} rows[FAULT_COUNT];
} table;

void fault_arm(enum fault_point p, enum fault_action action, uint64_t n)
{
	CHECK(p < FAULT_COUNT);
	atomic_store(&table.rows[p].at, n);
	atomic_store(&table.rows[p].count, 0);
	atomic_store(&table.rows[p].action, (int)action);
	atomic_store(&table.armed, true);
}

void fault_reset(void)
{
	atomic_store(&table.armed, false);
	for (int p = 0; p < FAULT_COUNT; p++) {
		atomic_store(&table.rows[p].action, FAULT_OFF);
		atomic_store(&table.rows[p].count, 0);
	}
}

uint64_t fault_count(enum fault_point p)
{
	return atomic_load(&table.rows[p].count);
}

bool fault_hit(enum fault_point p)
{
	if (LIKELY(!atomic_load_explicit(&table.armed, memory_order_relaxed)))
		return false;

	uint64_t n = atomic_fetch_add(&table.rows[p].count, 1) + 1,
		 at = atomic_load(&table.rows[p].at);

	switch ((enum fault_action)atomic_load(&table.rows[p].action)) {
	case FAULT_OFF:
		return false;
	case FAULT_ONCE:
		return n == at;
	case FAULT_FOR_EVER:
		return n >= at;
	case FAULT_KILL:
		if (n == at)
			kill(getpid(), SIGKILL);
		return false;
	}
	return false;
}
