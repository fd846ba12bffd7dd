/*
 * base64.c - three bytes to four letters by table; back by searching ranges, not tables, since
 * nothing that is decoded here is large.
 */
#include "data/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str base64_encode(struct arena *a, struct str bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t len = base64_len(bytes.n), i = 0;
	char *out = arena_alloc(a, len + 1), *o = out;

	for (; i + 3 <= bytes.n; i += 3, o += 4) {
		o[0] = letters[p[i] >> 2];
		o[1] = letters[(p[i] & 3) << 4 | p[i + 1] >> 4];
		o[2] = letters[(p[i + 1] & 15) << 2 | p[i + 2] >> 6];
		o[3] = letters[p[i + 2] & 63];
	}
	if (i < bytes.n) {
		bool two = i + 2 == bytes.n;

		o[0] = letters[p[i] >> 2];
		o[1] = letters[(p[i] & 3) << 4 | (two ? p[i + 1] >> 4 : 0)];
		o[2] = two ? letters[(p[i + 1] & 15) << 2] : '=';
		o[3] = '=';
	}
	out[len] = '\0';
	return str_of(out, len);
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* How many '=' end the text: 0, 1 or 2. */
static size_t padding_of(struct str text)
{
	size_t n = 0;

	while (n < 2 && n < text.n && text.p[text.n - 1 - n] == '=')
		n++;
	return n;
}

bool base64_decode(struct arena *a, struct str text, struct str *bytes, struct err *err)
{
	size_t pad = padding_of(text), n = text.n - pad, k = 0;
	unsigned char *out = arena_alloc(a,
		n / 4 * 3 + 4); /* a text that ends inside a group too */
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		int v = value_of(text.p[i]);

		if (v < 0)
			return err_set(err, ERR_INVALID,
				"not base64: unexpected byte at offset %zu", i);
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 != 0)
			out[k++] = (unsigned char)(bits >> (6 - i % 4 * 2));
	}
	if (text.n % 4 != 0)
		return err_set(err, ERR_INVALID,
			"not base64: it ends at offset %zu inside a group of four", text.n);
	/* The last letter before padding carries bits that no byte takes. */
	if (pad > 0 && (bits & (pad == 2 ? 15u : 3u)) != 0)
		return err_set(err, ERR_INVALID, "not base64: stray bits at offset %zu", n - 1);
	k = n * 3 / 4;
	out[k] = '\0';
	*bytes = str_of((char *)out, k);
	return true;
}
