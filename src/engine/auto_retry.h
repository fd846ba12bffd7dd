/*
 * auto_retry.h - retries that nobody has to ask for, run by the timer.
 */
#ifndef ENGINE_AUTO_RETRY_H
#define ENGINE_AUTO_RETRY_H

#include "engine/engine_priv.h"

/* Queues retries of the errors that are due. */
void auto_retry_run(struct engine *e);

#endif
