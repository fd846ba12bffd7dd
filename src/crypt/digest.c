/*
 * digest.c - one-shot calls of OpenSSL; only SHA-256 itself is kept between them.
 */
#include "crypt/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

/* OpenSSL wants a pointer even for nothing. */
static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *)(s.p == NULL ? "" : s.p);
}

/* EVP_sha256() would have OpenSSL look for an implementation at every call, which costs more than the digest. */
static const EVP_MD *fetched;

static void fetch(void)
{
	fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void digest_sha256(struct str data, unsigned char out[SHA256_BYTES])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned int n = 0;

	pthread_once(&once, fetch);
	CHECK(fetched != NULL && EVP_Digest(bytes_of(data), data.n, out, &n, fetched, NULL) == 1);
	CHECK(n == SHA256_BYTES);
}

size_t hmac(enum hmac_algorithm alg, struct str key, struct str data,
	unsigned char out[HMAC_BYTES_MAX])
{
	static const EVP_MD *(*const mds[])(void) = {
		[HMAC_SHA1] = EVP_sha1,
		[HMAC_SHA256] = EVP_sha256,
		[HMAC_SHA384] = EVP_sha384,
		[HMAC_SHA512] = EVP_sha512,
	};
	unsigned int n = 0;

	CHECK((size_t)alg < ARRAY_LEN(mds) && key.n <= INT32_MAX);
	CHECK(HMAC(mds[alg](), bytes_of(key), (int)key.n, bytes_of(data), data.n, out, &n) != NULL);
	return n;
}

bool crypt_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
