/*
 * digest.h - SHA-256 and HMAC over OpenSSL's EVP, and comparison in constant time.
 *
 * Pure; any thread. A failure of the library here is a programming error (CHECK).
 */
#ifndef CRYPT_DIGEST_H
#define CRYPT_DIGEST_H

#include "core/str.h"

#define SHA256_BYTES 32

void digest_sha256(struct str data, unsigned char out[SHA256_BYTES]);

enum hmac_algorithm { HMAC_SHA1, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512 };
#define HMAC_BYTES_MAX 64
/* Returns the number of bytes written to OUT. */
size_t hmac(enum hmac_algorithm alg, struct str key, struct str data,
	unsigned char out[HMAC_BYTES_MAX]);

/* Time depends on N alone. */
bool crypt_equal(const void *a, const void *b, size_t n);

#endif
