/*
 * setup.h - opening a data directory: the store, the key, and what the first run makes.
 */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include "cli/options.h"
#include "crypt/seal.h"
#include "store/store.h"

MUST_CHECK bool setup_store(struct arena *a, const struct options *o, bool create,
	struct store **out, struct err *err);
/* The key file; made on an empty store only. ERR_CONFIG when it is missing beside data. */
MUST_CHECK bool setup_keys(struct arena *a, const struct options *o, struct store *store,
	struct key_ring **out, struct err *err);
/* On an empty store: the account "default" and its token, printed once and kept in DIR/token (0600). */
MUST_CHECK bool setup_first_run(struct arena *a, const struct options *o, struct store *store,
	struct err *err);

/* Adds a token to an account; TOKEN has TOKEN_LEN + 1 bytes. */
MUST_CHECK bool setup_token_add(struct store *store, struct str account_id, struct str name,
	char *token, struct err *err);

#endif
