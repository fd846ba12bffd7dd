/*
 * retry_ask.h - what engine_retry() does, for whoever has begun: see bulk.h.
 */
#ifndef ENGINE_RETRY_ASK_H
#define ENGINE_RETRY_ASK_H

#include "engine/engine_priv.h"

MUST_CHECK bool retry_ask(struct engine *e, struct str account_id, const struct retry_ask *asks,
	size_t n, struct arena *a, struct retry_jobs *out, struct err *err);

#endif
