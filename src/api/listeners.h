/*
 * listeners.h - exports that take events in, compiled and kept: by _id and by apiIdentifier.
 *
 * An event must not cost reading, parsing and unsealing an export. What was compiled is kept until
 * any export changes (store_export_epoch()). Beside it stand the
 * listener's budget and the log of its last requests, which outlive changes. The table is bounded:
 * the listener that was used longest ago makes room, and its log goes with it.
 *
 * Any thread; loading reads the store, nothing else blocks.
 */
#ifndef API_LISTENERS_H
#define API_LISTENERS_H

#include <stdatomic.h>

#include "adaptor/webhook/webhook.h"
#include "api/api.h"

#define LISTENERS_MAX            1024
#define LISTENER_REASON_MAX      160
#define LISTENER_LOGGED_ID_MAX   64
#define LISTENER_LOGGED_PEER_MAX 48

struct listeners;
struct listeners *listeners_new(struct arena *a, const struct api_config *cfg);
void listeners_free(struct listeners *l); /* every listener must have been released */

/* A listener as its export said; shared, read-only. */
struct listener {
	atomic_uint refs;
	struct arena *arena; /* wiped at the end: it holds secrets */
	char account_id[ID_LEN + 1], export_id[ID_LEN + 1];
	const struct webhook *webhook;
};
/* ERR_NOT_FOUND: no export has this _id or apiIdentifier, or it is no listener. ERR_STORE, ERR_CRYPT. */
MUST_CHECK bool listener_acquire(struct listeners *l, struct str key, struct listener **out,
	struct err *err);
void listener_release(struct listener *l);
/* Takes one from the listener's bucket: NOW_US is monotonic. ERR_RATE with retry_after_s. */
MUST_CHECK bool listener_take(struct listeners *l, const struct listener *who, int64_t now_us,
	struct err *err);

/* One request, for the listener's log; never a header's value, a query or a body. */
struct listener_entry {
	int64_t time_ms;
	int status;
	bool duplicate;
	const char *method; /* static */
	uint32_t bytes;
	char event_id[LISTENER_LOGGED_ID_MAX + 1]; /* "" : none */
	char peer[LISTENER_LOGGED_PEER_MAX + 1];
	char reason[LISTENER_REASON_MAX + 1]; /* of a refusal; "" : accepted */
};
void listener_log(struct listeners *l, struct str export_id, const struct listener_entry *e);
/* Copies the newest entries first into A; returns how many. */
size_t listener_log_read(struct listeners *l, struct arena *a, struct str export_id,
	struct listener_entry **out);

/* Events on their way to the disk: each begin is ended by one end; wait returns when all are. */
void listeners_write_begin(struct listeners *l);
void listeners_write_end(struct listeners *l);
void listeners_write_wait(struct listeners *l);

#endif
