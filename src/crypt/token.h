/*
 * token.h - ids and secrets made of randomness.
 *
 * Any thread with the system source.
 */
#ifndef CRYPT_TOKEN_H
#define CRYPT_TOKEN_H

#include "core/clock.h"
#include "core/rng.h"
#include "core/str.h"

/* Resource ids: 24 lower-case hex digits, 4 bytes of seconds since 1970, then 8 random bytes: they
 * sort by creation to the second, and nobody can guess the next. */
#define ID_LEN 24
struct id {
	char s[ID_LEN + 1];
};
void id_new(struct id *out, int64_t wall_ms, struct rng *rng);
bool id_valid(struct str s); /* 24 hex digits, lower case */
static inline struct str id_str(const struct id *id)
{
	return str_of(id->s, ID_LEN);
}

/* API tokens: "iio_" and 40 characters of base62, 238 bits: scanners can find a leaked one. */
#define TOKEN_LEN 44
void token_new(char out[TOKEN_LEN + 1], struct rng *rng);

/* apiIdentifier: LETTER ('e' or 'i') and 8 hex digits. */
#define API_IDENTIFIER_LEN 9
void api_identifier_new(char out[API_IDENTIFIER_LEN + 1], char letter, struct rng *rng);

#endif
