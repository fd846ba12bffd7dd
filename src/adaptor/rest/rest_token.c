/*
 * rest_token.c - the answer of a token endpoint, read with mistrust.
 *
 * Applications say expires_in in many ways; it is only a hint, since a 401 renews the token too, so what can't be
 * read is not said. A token is sent in a header and must not be able to be anything else.
 */
#include "adaptor/rest/rest_token.h"

#define EXPIRES_MAX_S (INT64_C(10) * 365 * 24 * 3600)
#define MARGIN_MAX_S  60

/* VSCHAR of RFC 6749, appendix A, without the space. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= REST_TOKEN_BYTES_MAX;
}

static int64_t read_seconds(const struct json *v)
{
	double d;
	int64_t n;

	if (v == NULL)
		return 0;
	if (json_is_str(v))
		return str_to_i64(str_trim(json_str(v)), &n) && n > 0 ? MIN(n, EXPIRES_MAX_S) : 0;
	if (v->type != JSON_NUMBER || !json_to_double(v, &d) || !(d >= 1))
		return 0;
	return d < (double)EXPIRES_MAX_S ? (int64_t)d : EXPIRES_MAX_S;
}

static bool take_token(const struct json *doc, const char *name, struct str *out, struct err *err)
{
	const struct json *v = json_get(doc, str_z(name));

	*out = STR_NULL;
	if (v == NULL || v->type == JSON_NULL)
		return true;
	if (!json_is_str(v) || !is_token(json_str(v)))
		return err_set(err, ERR_RESPONSE,
			"answered with something under %s that is no token: 1 to %d visible ASCII "
			"characters were expected",
			name, REST_TOKEN_BYTES_MAX);
	*out = json_str(v);
	return true;
}

bool rest_token_read(struct arena *a, struct str body, struct rest_token_answer *out,
	struct err *err)
{
	struct rest_token_answer t = { .expires_in_s = 0 };
	struct err parse = ERR_INIT;
	const struct json *doc;

	if (!json_parse_copy(a, body, &doc, &parse) || !json_is_object(doc))
		return err_set(err, ERR_RESPONSE,
			"answered with something that is no JSON object (RFC 6749, 5.1)");
	t.error = json_get_str(doc, STR("error"));
	t.description = json_get_str(doc, STR("error_description"));
	if (t.error.n == 0 && (!take_token(doc, "access_token", &t.access_token, err) ||
				      !take_token(doc, "refresh_token", &t.refresh_token, err)))
		return false;
	if (t.error.n == 0 && t.access_token.p == NULL)
		return err_set(err, ERR_RESPONSE, "answered without access_token");
	t.expires_in_s = read_seconds(json_get(doc, STR("expires_in")));
	*out = t;
	return true;
}

int64_t rest_token_ends_ms(int64_t now_ms, int64_t expires_in_s)
{
	int64_t margin = MIN(expires_in_s / 4, (int64_t)MARGIN_MAX_S);

	return expires_in_s <= 0 ? 0 : now_ms + (MIN(expires_in_s, EXPIRES_MAX_S) - margin) * 1000;
}
