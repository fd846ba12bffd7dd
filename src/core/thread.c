/*
 * thread.c - POSIX threads; conditions use CLOCK_MONOTONIC so that a change of the wall clock moves
 * no deadline. A thread tells by a condition that it ends, so that a join with a deadline needs nothing
 * beyond POSIX, which neither other C libraries nor ThreadSanitizer have.
 */
#include "core/thread.h"

#include <errno.h>
#include <signal.h>

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	void *result = t->fn(t->arg);

	WITH_LOCK(&t->lock);
	t->has_ended = true;
	cond_signal(&t->ended);
	return result;
}

void thread_start(struct thread *t, const char *name, void *(*fn)(void *), void *arg)
{
	/* A blocked fault kills without its handler: a sanitizer's report would be lost. */
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	sigset_t mask, old;

	CHECK(strlen(name) <= 15);
	t->fn = fn;
	t->arg = arg;
	t->has_ended = false;
	mutex_init(&t->lock);
	cond_init(&t->ended);
	sigfillset(&mask);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigdelset(&mask, faults[i]);
	CHECK(pthread_sigmask(SIG_SETMASK, &mask, &old) == 0);
	CHECK(pthread_create(&t->id, NULL, thread_main, t) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
	pthread_setname_np(t->id, name); /* fails for a thread that has already ended */
	t->running = true;
}

void thread_join(struct thread *t)
{
	if (!t->running)
		return;
	CHECK(pthread_join(t->id, NULL) == 0);
	cond_destroy(&t->ended);
	mutex_destroy(&t->lock);
	t->running = false;
}

bool thread_join_until(struct thread *t, int64_t until_ms)
{
	if (!t->running)
		return true;
	mutex_lock(&t->lock);
	while (!t->has_ended && cond_wait_until(&t->ended, &t->lock, until_ms))
		;
	bool has_ended = t->has_ended;

	mutex_unlock(&t->lock);
	if (has_ended)
		thread_join(t);
	return has_ended;
}

void mutex_init(struct mutex *m)
{
	CHECK(pthread_mutex_init(&m->m, NULL) == 0);
}

void mutex_destroy(struct mutex *m)
{
	pthread_mutex_destroy(&m->m);
}

void mutex_lock(struct mutex *m)
{
	CHECK(pthread_mutex_lock(&m->m) == 0);
}

void mutex_unlock(struct mutex *m)
{
	CHECK(pthread_mutex_unlock(&m->m) == 0);
}

void mutex_unlockp(struct mutex **m)
{
	mutex_unlock(*m);
}

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	CHECK(pthread_condattr_init(&attr) == 0);
	CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&c->c, &attr) == 0);
	pthread_condattr_destroy(&attr);
}

void cond_destroy(struct cond *c)
{
	pthread_cond_destroy(&c->c);
}

void cond_signal(struct cond *c)
{
	pthread_cond_signal(&c->c);
}

void cond_broadcast(struct cond *c)
{
	pthread_cond_broadcast(&c->c);
}

void cond_wait(struct cond *c, struct mutex *m)
{
	CHECK(pthread_cond_wait(&c->c, &m->m) == 0);
}

bool cond_wait_until(struct cond *c, struct mutex *m, int64_t until_ms)
{
	until_ms = MAX(until_ms, 0);

	struct timespec ts = { until_ms / 1000, until_ms % 1000 * 1000000 };
	int e = pthread_cond_timedwait(&c->c, &m->m, &ts);

	CHECK(e == 0 || e == ETIMEDOUT);
	return e == 0;
}
