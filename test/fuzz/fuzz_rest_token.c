/*
 * fuzz_rest_token.c - answers of token endpoints: what is taken for a token can stand in a header, and the time it is
 * good for never runs backwards.
 */
#include "adaptor/rest/rest_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(struct str s)
{
	CHECK(s.n > 0 && s.n <= REST_TOKEN_BYTES_MAX);
	for (size_t i = 0; i < s.n; i++)
		CHECK(s.p[i] > 0x20 && s.p[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new("fuzz", 0);
	struct rest_token_answer t;
	struct err err = ERR_INIT;

	if (rest_token_read(a, str_of((const char *)data, size), &t, &err)) {
		CHECK((t.error.n > 0) != (t.access_token.p != NULL));
		if (t.access_token.p != NULL)
			check_token(t.access_token);
		if (t.refresh_token.p != NULL)
			check_token(t.refresh_token);
		CHECK(t.expires_in_s >= 0);
		CHECK(t.expires_in_s == 0 || rest_token_ends_ms(1, t.expires_in_s) > 1);
	} else {
		CHECK(err.code == ERR_RESPONSE);
	}
	arena_free(a);
	return 0;
}
