/*
 * vault.h - credentials that change by themselves (OAuth 2.0 tokens): where they are kept, and whose turn
 * it is to renew them.
 *
 * They are kept in the stored documents, which an adaptor can't reach: whoever runs it lends the functions. A
 * connection is renewed by one thread of the process at a time. Those that wait meanwhile find the new
 * credentials stored, or are told why there are none: nobody asks for the same again.
 *
 * Any thread. A turn is its caller's, and lives on its stack.
 */
#ifndef ADAPTOR_VAULT_H
#define ADAPTOR_VAULT_H

#include "data/json.h"

struct vault;

struct vault_ops {
	/* The stored document of TYPE ("connection", "iclient"), secrets open, in A: wipe it. ERR_NOT_FOUND,
	 * ERR_STORE, ERR_CRYPT. */
	bool (*open)(void *ctx, struct str account_id, const char *type, struct str id,
		struct arena *a, const struct json **doc, struct err *err);
	/*
	 * Merges PATCH (RFC 7396) into the stored connection, in one transaction; it is on disk when this
	 * returns. ERR_CONFLICT: its rest.refreshToken is not USED any more (p NULL: any), and nothing was
	 * changed.
	 */
	bool (*save)(void *ctx, struct str account_id, struct str connection_id, struct str used,
		const struct json *patch, struct arena *a, struct err *err);
};
struct vault *vault_new(struct arena *a, const struct vault_ops *ops, void *ctx);
void vault_destroy(struct vault *v);

/* As the functions of vault_ops. */
MUST_CHECK bool vault_open(const struct vault *v, struct str account_id, const char *type,
	struct str id, struct arena *a, const struct json **doc, struct err *err);
MUST_CHECK bool vault_save(const struct vault *v, struct str account_id, struct str connection_id,
	struct str used, const struct json *patch, struct arena *a, struct err *err);

enum vault_state { VAULT_OUT, VAULT_WAITS, VAULT_MINE, VAULT_FAILED };
struct vault_turn {
	struct str connection_id;
	enum vault_state state; /* the vault's, as all that follows */
	struct err err;         /* VAULT_FAILED: why whoever had the turn got nothing */
	struct vault_turn *next;
};

/*
 * Waits until UNTIL_MS (monotonic) at most. VAULT_MINE: leave it in the end. VAULT_FAILED: another had it
 * meanwhile, and failed. VAULT_WAITS: neither yet; call again, or leave.
 */
MUST_CHECK enum vault_state vault_enter(struct vault *v, struct vault_turn *t, int64_t until_ms);
/* FAILED is told to those that wait; ERR_NONE: they look for themselves. Nothing when outside. */
void vault_leave(struct vault *v, struct vault_turn *t, const struct err *failed);

#endif
