/*
 * rest_oauth_priv.h - tokens of a session: where they stand, and how new ones are fetched.
 */
#ifndef ADAPTOR_REST_REST_OAUTH_PRIV_H
#define ADAPTOR_REST_REST_OAUTH_PRIV_H

#include "adaptor/rest/rest_priv.h"

/* How new tokens are fetched (OAuth 2.0), and what came of it. */
struct rest_oauth {
	bool wanted;
	bool in_body; /* client id and secret go into the form, not into a header */
	struct str connection_id, iclient_id; /* p NULL: not stored; none */
	struct str token_uri, scope;          /* p NULL: none */
	int64_t ends_ms;                      /* wall; when to renew the token; 0: nobody knows */
	bool looked;                          /* at what is stored */
	struct err failed;                    /* told again, instead of asking again ... */
	int64_t failed_until_ms;              /* ... until then; monotonic, of env->clock */
	struct str header, scheme;            /* where a token goes that goes into a header */
	struct str field;                     /* what stands in it; p NULL: no token yet */
	unsigned ordinal;                     /* of the token among the secrets */
};

/* ---- rest_connection.c ---- */
/* From now on calls are sent with this token, which lives in the session's arena or the document. */
MUST_CHECK bool rest_token_use(struct rest_session *s, struct str token, struct err *err);

/* ---- rest_oauth.c ---- */
MUST_CHECK bool rest_oauth_read(struct rest_session *s, const struct json *rest, struct err *err);
/* There is a token, and it has not ended as far as is known: fetches one else. */
MUST_CHECK bool rest_oauth_ready(struct rest_session *s, struct err *err);
/*
 * The application refused the token in use. RENEWED: there is another. NONE: there is no way to one. FAILED:
 * ERR_HTTP_STATUS where the application does not let us have one, else what stood in the way.
 */
enum rest_renewal { REST_RENEWED, REST_RENEWED_NONE, REST_RENEWAL_FAILED };
MUST_CHECK enum rest_renewal rest_oauth_refused(struct rest_session *s, struct err *err);

/* The scopes of a connection or iClient with their delimiter between them; p NULL: none. */
struct str rest_oauth_scope(struct arena *a, const struct json *doc);
/* Fetches tokens for a code that a user's browser brought. */
MUST_CHECK bool rest_oauth_exchange(struct rest_session *s, const struct grant_request *grant,
	struct err *err);

/* ---- rest_grant.c ---- */
MUST_CHECK bool rest_grant_url(const struct adaptor_env *env, const struct json *connection,
	const struct grant_request *rq, struct arena *a, struct str *url, struct err *err);
MUST_CHECK bool rest_grant_take(const struct adaptor_env *env, const struct json *connection,
	const struct grant_request *rq, struct err *err);

/* ---- rest_evidence.c ---- */
/* SECRET takes the place of the one that had ORDINAL, which stays masked. */
void rest_secret_renew(struct rest_session *s, unsigned ordinal, struct str secret);

#endif
