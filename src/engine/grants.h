/*
 * grants.h - access that users give in their browsers (OAuth 2.0, authorization code with PKCE).
 *
 * Between the URL that a user opens and the application's calling back stands a random state: it is good once,
 * for ten minutes, in this process. A restart in between forgets it, and the user begins anew.
 *
 * Any thread; functions of an invocation are as those of invoke.h.
 */
#ifndef ENGINE_GRANTS_H
#define ENGINE_GRANTS_H

#include "engine/invoke.h"

#define GRANTS_MAX    64 /* under way at once; beyond, the oldest must begin anew */
#define GRANT_MS      INT64_C(600000)
#define GRANT_HEX     64 /* digits of a state, and of a verifier */
#define GRANT_URI_MAX 2048

struct grants *grants_new(struct arena *a);
void grants_destroy(struct grants *g);

/* What a state stands for. */
struct grant_claim {
	char account_id[ID_LEN + 1], connector_id[ID_LEN + 1], connection_id[ID_LEN + 1];
	char verifier[GRANT_HEX + 1];
	char redirect_uri[GRANT_URI_MAX], token_uri[GRANT_URI_MAX];
};

/*
 * Where the user goes to give access through V's connection (invoke_connection()); *URL lives with the
 * invocation. ERR_MISSING names the field that is not set, ERR_UNSUPPORTED: no connection of OAuth 2.0.
 */
MUST_CHECK bool invoke_grant_url(struct invocation *v, struct str redirect_uri, struct str *url,
	struct err *err);
/* Takes the state back, for ever. ERR_FORBIDDEN: it is not known, was taken before, or is too old. */
MUST_CHECK bool grant_claim(struct engine *e, struct str state, struct grant_claim *out,
	struct err *err);
/*
 * The application gave CODE: exchanges it and stores the tokens with V's connection, which must be the claim's.
 * ERR_CONFLICT: it names another token endpoint by now.
 */
MUST_CHECK bool invoke_grant(struct invocation *v, const struct grant_claim *claim, struct str code,
	struct err *err);

#endif
