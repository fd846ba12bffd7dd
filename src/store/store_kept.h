/*
 * store_kept.h - answers kept for repeated requests, and settings; see store.h.
 */
#ifndef STORE_STORE_KEPT_H
#define STORE_STORE_KEPT_H

#include "store/store_conn.h"

/* ---- answers kept for repeated requests (Idempotency-Key), and settings of the installation ---- */

#define STORE_IDEMPOTENCY_MS 86400000 /* an answer counts for 24 hours */

struct store_idempotency {
	struct str account_id, key;
	int64_t created_ms;
	uint32_t status;     /* HTTP, of the answer; 0: there is none yet */
	struct str response; /* what was answered, sealed; p NULL */
	unsigned char
		request_hash[32]; /* SHA-256 of what was asked: the same key may not ask another */
};
/* ERR_NOT_FOUND when there is none, or it is older than 24 hours at NOW_MS. */
MUST_CHECK bool store_idempotency_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str key, int64_t now_ms, struct store_idempotency *out, struct err *err);
/* W; in the unit that makes what the answer tells of. Replaces one that was too old at created_ms;
 * ERR_CONFLICT when one is there. */
MUST_CHECK bool store_idempotency_put(struct store_conn *c, const struct store_idempotency *i,
	struct err *err);
/* W; the answer to what was put with status 0. With created_ms 0 it counts no more: the key is free. */
MUST_CHECK bool store_idempotency_finish(struct store_conn *c, const struct store_idempotency *i,
	struct err *err);
/* W; removes up to LIMIT of those that are too old at NOW_MS. */
MUST_CHECK bool store_idempotency_purge(struct store_conn *c, int64_t now_ms, size_t limit,
	uint64_t *removed, struct err *err);

MUST_CHECK bool store_setting_get(struct store_conn *c, struct arena *a, struct str key,
	struct str *value, struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool store_setting_put(struct store_conn *c, struct str key, struct str value,
	struct err *err); /* W */

#endif
