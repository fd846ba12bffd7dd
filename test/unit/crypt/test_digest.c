/*
 * test_digest.c - known answers: FIPS 180-4 for SHA-256, RFC 2202 and RFC 4231 for HMAC, and the
 * signature of a webhook's body.
 */
#include "test.h"

#include "crypt/digest.h"
#include "data/base64.h"

static void assert_hex(const unsigned char *bytes, size_t n, const char *want)
{
	char hex[2 * HMAC_BYTES_MAX];

	str_hex_put(hex, bytes, n);
	assert_str(str_of(hex, 2 * n), want);
}

static struct str repeat(struct arena *a, int byte, size_t n)
{
	return str_of(memset(arena_alloc(a, n), byte, n), n);
}

static void sha256(void **state UNUSED)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	unsigned char out[SHA256_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		digest_sha256(str_z(rows[i].text), out);
		assert_hex(out, sizeof(out), rows[i].hex);
	}
	digest_sha256(repeat(a, 'a', 1000000), out);
	assert_hex(out, sizeof(out),
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	digest_sha256(STR_NULL, out);
	assert_hex(out, sizeof(out), rows[0].hex);
}

struct hmac_row {
	struct str key, data;
	const char *sha1, *sha256, *sha384, *sha512; /* NULL: the RFC has none */
};

static void check_row(const struct hmac_row *r)
{
	const char *want[] = { r->sha1, r->sha256, r->sha384, r->sha512 };
	unsigned char out[HMAC_BYTES_MAX];

	for (size_t alg = 0; alg < ARRAY_LEN(want); alg++) {
		if (want[alg] == NULL)
			continue;
		size_t n = hmac((enum hmac_algorithm)alg, r->key, r->data, out);

		assert_int_equal(2 * n, strlen(want[alg]));
		assert_hex(out, n, want[alg]);
	}
}

static void hmac_rfc4231(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	unsigned char counting[25];

	for (size_t i = 0; i < sizeof(counting); i++)
		counting[i] = (unsigned char)(i + 1);

	const struct hmac_row rows[] = {
		{ repeat(a, 0x0b, 20), STR("Hi There"), NULL,
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
			"afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
			"faea9ea9076ede7f4af152e8b2fa9cb6",
			"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
			"daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
		{ STR("Jefe"), STR("what do ya want for nothing?"), NULL,
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
			"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
			"8e2240ca5e69e2c78b3239ecfab21649",
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
			"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
		{ repeat(a, 0xaa, 20), repeat(a, 0xdd, 50), NULL,
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
			"88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
			"2a5ab39dc13814b94e3ab6e101a34f27",
			"fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
			"bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" },
		{ str_of((char *)counting, sizeof(counting)), repeat(a, 0xcd, 50), NULL,
			"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b", NULL,
			NULL },
		{ repeat(a, 0xaa, 131),
			STR("Test Using Larger Than Block-Size Key - Hash Key First"), NULL,
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
			"4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
			"0c2ef6ab4030fe8296248df163f44952",
			"80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
			"6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void hmac_rfc2202(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct hmac_row rows[] = {
		{ repeat(a, 0x0b, 20), STR("Hi There"),
			"b617318655057264e28bc0b6fb378c8ef146be00" },
		{ STR("Jefe"), STR("what do ya want for nothing?"),
			"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ repeat(a, 0xaa, 20), repeat(a, 0xdd, 50),
			"125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
		{ repeat(a, 0x0c, 20), STR("Test With Truncation"),
			"4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
		{ repeat(a, 0xaa, 80),
			STR("Test Using Larger Than Block-Size Key - Hash Key First"),
			"aa4ae5e15272d00e95705637ce8a3b55ed402112" },
		{ repeat(a, 0xaa, 80),
			STR("Test Using Larger Than Block-Size Key and Larger Than One Block-Size "
			    "Data"),
			"e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void webhook_vector(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct str key = STR("secret"), body = STR("{\"hello\":\"world\"}");
	const struct hmac_row row = { key, body, "c9bd3c44a91cfe176f71afcc1e08240555f0ce8b",
		"2677ad3e7c090b2fa2c0fb13020d66d5420879b8316eb356a2d60fb9073bc778" };
	unsigned char out[HMAC_BYTES_MAX];
	size_t n;

	check_row(&row);
	n = hmac(HMAC_SHA256, key, body, out);
	assert_str(base64_encode(a, str_of((char *)out, n)),
		"JnetPnwJCy+iwPsTAg1m1UIIebgxbrNWotYPuQc7x3g=");
}

static void empty_key_and_data(void **state UNUSED)
{
	unsigned char out[HMAC_BYTES_MAX];

	assert_int_equal(hmac(HMAC_SHA256, STR_NULL, STR_NULL, out), 32);
	assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void equal(void **state UNUSED)
{
	unsigned char a[32], b[32];

	memset(a, 7, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(crypt_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a) * 8; i++) {
		b[i / 8] ^= (unsigned char)(1 << i % 8);
		assert_false(crypt_equal(a, b, sizeof(a)));
		b[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	assert_true(crypt_equal(a, b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(hmac_rfc4231),
		cmocka_unit_test(hmac_rfc2202),
		cmocka_unit_test(webhook_vector),
		cmocka_unit_test(empty_key_and_data),
		cmocka_unit_test(equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
