/*
 * retention.h - forgetting what is too old or too much, run by the timer.
 */
#ifndef ENGINE_RETENTION_H
#define ENGINE_RETENTION_H

#include "engine/engine_priv.h"

/* Forgets jobs that are too old, in a slice; true: more is due. */
bool retention_slice(struct engine *e);
/* Forgets evidence over its budget, cfg.evidence_max; measures all of it first. */
void retention_evidence(struct engine *e);

#endif
