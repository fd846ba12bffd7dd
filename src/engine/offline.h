/*
 * offline.h - connections that go offline, and their probes.
 */
#ifndef ENGINE_OFFLINE_H
#define ENGINE_OFFLINE_H

#include "engine/engine_priv.h"

#define PROBE_FIRST_MS INT64_C(5000)
#define PROBE_LAST_MS  INT64_C(300000)

/*
 * Pings the connection; when that fails too it is set offline, to be probed until it answers. False:
 * it is not offline. *WHY is the ping's message.
 */
bool connection_goes_offline(struct engine *e, const struct adaptor_env *env, struct str account_id,
	struct str id, const struct json *connection, struct arena *a, struct str *why);

/* Probes what is due. Blocks for as long as applications take to say that they are not there. */
void probes_run(struct engine *e);
/* The probing thread's body. A thread of its own, because an application that is out of reach takes its time
 * to say so. */
void *probes_main(void *arg);
/* A ping of somebody succeeded: a connection that went offline by itself is online again. May block on
 * the store. */
void connection_pinged(struct engine *e, struct str account_id, struct str id);
/* The connection can be used again: jobs that wait for it may be claimed. */
void connection_is_back(struct engine *e, struct str account_id, struct str id);

#endif
