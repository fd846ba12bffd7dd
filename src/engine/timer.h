/*
 * timer.h - the engine's clockwork.
 */
#ifndef ENGINE_TIMER_H
#define ENGINE_TIMER_H

#include "engine/engine_priv.h"

/* Flows were changed: the timer reads them again. Any thread. */
void engine_look(struct engine *e);

/* The timer thread's body: due schedules, leases, purges. */
void *timer_main(void *arg);

#endif
