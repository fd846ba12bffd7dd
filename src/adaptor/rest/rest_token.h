/*
 * rest_token.h - what a token endpoint answers (RFC 6749, sections 5.1 and 5.2), and until when a token is
 * good. Pure; any thread.
 */
#ifndef ADAPTOR_REST_REST_TOKEN_H
#define ADAPTOR_REST_REST_TOKEN_H

#include "data/json.h"

#define REST_TOKEN_BYTES_MAX 16384

/* Texts live in the arena. Either the access token is there or ERROR is. */
struct rest_token_answer {
	struct str access_token;
	struct str refresh_token; /* p NULL: the old one stays */
	int64_t expires_in_s;     /* 0: not said */
	struct str error;         /* "invalid_grant" */
	struct str description;   /* p NULL: none */
};

/*
 * BODY is the application's and may be anything. expires_in may be a text, or have a fraction; one that is
 * no number, or not above 0, is not said. Tokens are 1 to REST_TOKEN_BYTES_MAX visible characters. ERR_RESPONSE
 * never quotes BODY, which may hold a token.
 */
MUST_CHECK bool rest_token_read(struct arena *a, struct str body, struct rest_token_answer *out,
	struct err *err);

/*
 * When to renew a token that was asked for at NOW_MS (wall): a quarter of its life before its end, a minute at
 * most. 0: EXPIRES_IN_S is 0, nobody knows.
 */
int64_t rest_token_ends_ms(int64_t now_ms, int64_t expires_in_s);

#endif
