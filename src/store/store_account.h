/*
 * store_account.h - accounts and their tokens; part of the front door, see store.h for the rules.
 */
#ifndef STORE_STORE_ACCOUNT_H
#define STORE_STORE_ACCOUNT_H

#include "store/store_conn.h"

/* ---- accounts ---- */

struct store_account {
	struct str id; /* 24 hex */
	struct str name;
	int64_t created_ms;
	uint32_t rate_bucket, rate_refill; /* 0: the defaults */
};
MUST_CHECK bool store_account_add(struct store_conn *c, const struct store_account *a,
	struct err *err); /* W; ERR_CONFLICT when the name is taken */
MUST_CHECK bool store_account_update(struct store_conn *c, const struct store_account *a,
	struct err *err); /* W; by id: name and rates */
/* By name or id: false with ERR_NOT_FOUND. */
MUST_CHECK bool store_account_get(struct store_conn *c, struct arena *a, struct str name_or_id,
	struct store_account *out, struct err *err);
MUST_CHECK bool store_account_list(struct store_conn *c, struct arena *a,
	struct store_account **out, size_t *count, struct err *err);

/* The time zone of an account's schedules. */
struct store_timezone {
	struct str name;  /* p NULL: not set */
	int64_t since_ms; /* when it was set so */
};
MUST_CHECK bool store_timezone_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct store_timezone *out, struct err *err);
MUST_CHECK bool store_timezone_put(struct store_conn *c, struct str account_id,
	const struct store_timezone *z, struct err *err); /* W */

/* ---- tokens: only SHA-256 of a token is kept ---- */

struct store_token {
	struct str id;
	struct str account_id;
	struct str name;
	struct str scope;        /* "*" */
	struct str connector_id; /* p NULL: not limited to a connector */
	int64_t created_ms;
	int64_t expires_ms;                /* 0: never */
	uint32_t rate_bucket, rate_refill; /* of its account; filled by store_token_find() */
};
MUST_CHECK bool store_token_add(struct store_conn *c, const struct store_token *t,
	const unsigned char hash[32], struct err *err); /* W */
MUST_CHECK bool store_token_find(struct store_conn *c, struct arena *a,
	const unsigned char hash[32], struct store_token *out,
	struct err *err); /* ERR_UNAUTHORIZED: unknown, or expired by the store's clock */
MUST_CHECK bool store_token_list(struct store_conn *c, struct arena *a, struct str account_id,
	struct store_token **out, size_t *count, struct err *err);
MUST_CHECK bool store_token_remove(struct store_conn *c, struct str account_id, struct str id,
	struct err *err); /* W; ERR_NOT_FOUND */
/* Grows with every change of tokens or accounts: caches keyed by it are never stale. Any thread. */
uint64_t store_token_epoch(struct store *s);

#endif
