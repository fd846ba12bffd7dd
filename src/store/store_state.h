/*
 * store_state.h - values that users keep by key, for the account or for one resource; see store.h.
 */
#ifndef STORE_STORE_STATE_H
#define STORE_STORE_STATE_H

#include "store/store_conn.h"

/* SCOPE: "" for the account, "integration/5560092e..." for a resource: store_resource_remove() takes the
 * values of that with it. */
struct store_state_key {
	struct str account_id, scope, key;
};
MUST_CHECK bool store_state_get(struct store_conn *c, struct arena *a,
	const struct store_state_key *k, struct str *value, struct err *err); /* ERR_NOT_FOUND */
/* *CREATED: there was none. W */
MUST_CHECK bool store_state_put(struct store_conn *c, const struct store_state_key *k,
	struct str value, int64_t now_ms, bool *created, struct err *err);
MUST_CHECK bool store_state_remove(struct store_conn *c, const struct store_state_key *k,
	struct err *err); /* W; ERR_NOT_FOUND */
MUST_CHECK bool store_state_remove_all(struct store_conn *c, struct str account_id,
	struct str scope, struct err *err); /* W */
MUST_CHECK bool store_state_count(struct store_conn *c, struct str account_id, struct str scope,
	uint64_t *count, struct err *err);
/* In order. */
MUST_CHECK bool store_state_keys(struct store_conn *c, struct str account_id, struct str scope,
	bool (*fn)(void *arg, struct str key), void *arg, struct err *err);

#endif
