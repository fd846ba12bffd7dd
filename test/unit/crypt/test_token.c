/*
 * test_token.c - forms, order and spread of what is made of randomness.
 */
#include "test.h"

#include "crypt/token.h"

static void ids(void **state UNUSED)
{
	struct rng rng;
	struct id a, b;

	rng_test_init(&rng, 1);
	id_new(&a, 1497907629945, &rng); /* 2017-06-19T21:27:09.945Z */
	id_new(&b, 1497907629945, &rng);
	assert_str(str_sub(id_str(&a), 0, 8), "594841ad");
	assert_true(id_valid(id_str(&a)));
	assert_int_equal(strlen(a.s), ID_LEN);
	assert_string_not_equal(a.s, b.s);
	id_new(&b, 1497907630000, &rng);
	assert_true(str_cmp(id_str(&a), id_str(&b)) < 0);
	/* Seconds are unsigned: ids sort past January 2038. */
	id_new(&b, INT64_C(4102444800000), &rng);
	assert_str(str_sub(id_str(&b), 0, 8), "f4865700");
}

static void id_forms(void **state UNUSED)
{
	assert_true(id_valid(STR("0123456789abcdef01234567")));
	assert_false(id_valid(STR("0123456789abcdef0123456")));
	assert_false(id_valid(STR("0123456789abcdef012345678")));
	assert_false(id_valid(STR("0123456789ABCDEF01234567")));
	assert_false(id_valid(STR("0123456789abcdef0123456g")));
	assert_false(id_valid(STR("0123456789abcdef0123456/")));
	assert_false(id_valid(STR("0123456789abcdef0123456:")));
	assert_false(id_valid(STR("0123456789abcdef0123456`")));
	assert_false(id_valid(STR_NULL));
}

static bool is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void tokens(void **state UNUSED)
{
	char t[TOKEN_LEN + 1], u[TOKEN_LEN + 1];
	unsigned seen[128] = { 0 };
	struct rng rng;

	rng_test_init(&rng, 7);
	for (int round = 0; round < 1000; round++) {
		token_new(t, &rng);
		assert_int_equal(strlen(t), TOKEN_LEN);
		assert_memory_equal(t, "iio_", 4);
		for (size_t i = 4; i < TOKEN_LEN; i++) {
			assert_true(is_base62(t[i]));
			seen[(unsigned char)t[i]]++;
		}
	}
	/* 40,000 letters of 62: about 645 each, give or take 25. */
	for (int c = 0; c < 128; c++)
		if (is_base62((char)c))
			assert_in_range(seen[c], 500, 800);
	token_new(t, rng_system());
	token_new(u, rng_system());
	assert_string_not_equal(t, u);
}

static void api_identifiers(void **state UNUSED)
{
	char t[API_IDENTIFIER_LEN + 1];
	struct rng rng;
	unsigned char raw[4];

	rng_test_init(&rng, 3);
	api_identifier_new(t, 'e', &rng);
	assert_int_equal(strlen(t), API_IDENTIFIER_LEN);
	assert_int_equal(t[0], 'e');
	assert_true(str_hex_get(str_z(t + 1), raw, sizeof(raw)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(id_forms),
		cmocka_unit_test(tokens),
		cmocka_unit_test(api_identifiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
