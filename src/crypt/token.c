/*
 * token.c - random bytes written in hexadecimal or base62.
 */
#include "crypt/token.h"

void id_new(struct id *out, int64_t wall_ms, struct rng *rng)
{
	uint32_t seconds = (uint32_t)(wall_ms / 1000);
	unsigned char raw[ID_LEN / 2];

	for (int i = 0; i < 4; i++)
		raw[i] = (unsigned char)(seconds >> (24 - 8 * i));
	rng_fill(rng, raw + 4, sizeof(raw) - 4);
	str_hex_put(out->s, raw, sizeof(raw));
	out->s[ID_LEN] = '\0';
}

bool id_valid(struct str s)
{
	if (s.n != ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

void token_new(char out[TOKEN_LEN + 1], struct rng *rng)
{
	static const char base62[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char raw[64];
	size_t n = 4;

	memcpy(out, "iio_", 4);
	while (n < TOKEN_LEN) {
		rng_fill(rng, raw, sizeof(raw));
		/* Bytes from 248 up would make the first letters likelier than the others. */
		for (size_t i = 0; i < sizeof(raw) && n < TOKEN_LEN; i++)
			if (raw[i] < 248)
				out[n++] = base62[raw[i] % 62];
	}
	out[n] = '\0';
	explicit_bzero(raw, sizeof(raw));
}

void api_identifier_new(char out[API_IDENTIFIER_LEN + 1], char letter, struct rng *rng)
{
	unsigned char raw[(API_IDENTIFIER_LEN - 1) / 2];

	rng_fill(rng, raw, sizeof(raw));
	out[0] = letter;
	str_hex_put(out + 1, raw, sizeof(raw));
	out[API_IDENTIFIER_LEN] = '\0';
}
