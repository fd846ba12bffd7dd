/*
 * thread.h - threads, locks and conditions with deadlines on the monotonic clock.
 *
 * Thin over POSIX threads: a failure of the primitives is a programming error and aborts. Locks are
 * held for a few instructions, never across a wait on work, disk or network.
 */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>

#include "core/base.h"

struct mutex {
	pthread_mutex_t m;
};
struct cond {
	pthread_cond_t c;
};
struct thread {
	pthread_t id;
	bool running; /* not joined yet; what follows is thread.c's, until then */
	bool has_ended;
	struct mutex lock;
	struct cond ended;
	void *(*fn)(void *);
	void *arg;
};

/*
 * T stays where it is until it was joined. NAME (at most 15 bytes) shows in top and gdb. Signals are blocked in the new thread, but for those
 * that a fault of its own raises (SIGSEGV and the like).
 */
void thread_start(struct thread *t, const char *name, void *(*fn)(void *), void *arg);
void thread_join(struct thread *t); /* nothing if it does not run */
/* False when it still runs at UNTIL_MS (CLOCK_MONOTONIC, milliseconds). */
MUST_CHECK bool thread_join_until(struct thread *t, int64_t until_ms);

void mutex_init(struct mutex *m);
void mutex_destroy(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

void cond_init(struct cond *c);
void cond_destroy(struct cond *c);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m);
/* False when UNTIL_MS (CLOCK_MONOTONIC, milliseconds) has passed; below 0 counts as passed. */
bool cond_wait_until(struct cond *c, struct mutex *m, int64_t until_ms);

void mutex_unlockp(struct mutex **m); /* for WITH_LOCK */
/* Holds the lock until the enclosing scope ends. */
#define WITH_LOCK(m)          WITH_LOCK_NAMED(m, __LINE__)
#define WITH_LOCK_NAMED(m, n) WITH_LOCK_AS(m, n)
#define WITH_LOCK_AS(m, n)                                             \
	struct mutex *lock_held_##n DEFER(mutex_unlockp) UNUSED = (m); \
	mutex_lock(lock_held_##n)

#endif
