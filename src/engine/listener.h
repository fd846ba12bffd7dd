/*
 * listener.h - runs of flows that events feed.
 */
#ifndef ENGINE_LISTENER_H
#define ENGINE_LISTENER_H

#include "engine/engine_priv.h"

/* A run that had this listener as its source has ended. */
void listener_ended(struct engine *e, struct str account_id, struct str export_id);
/*
 * The body of the thread that starts runs for the listeners that engine_listen() was told of: neither
 * who took an event in nor the timer, which waits for applications at times, can do that.
 */
void *listeners_main(void *arg);
/* Starts runs for the events that are kept: when the engine starts, and when a flow was changed. */
void listeners_resume(struct engine *e);

#endif
