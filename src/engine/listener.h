/*
 * listener.h - runs of flows that events feed.
 */
#ifndef ENGINE_LISTENER_H
#define ENGINE_LISTENER_H

#include "engine/engine_priv.h"

/* A run that had this listener as its source has ended. */
void listener_ended(struct engine *e, struct str account_id, struct str export_id);
/* Starts runs for the listeners that engine_listen() was told of. */
void listeners_heard(struct engine *e);
/* Starts runs for the events that are kept: when the engine starts, and when a flow was changed. */
void listeners_resume(struct engine *e);

#endif
