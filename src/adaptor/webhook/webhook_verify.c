/*
 * webhook_verify.c - proofs: each function says whether one holds, over the bytes as they came.
 *
 * Lengths, names of headers and the form of a signature are no secrets; digests and tokens are only
 * compared by crypt_equal(), tokens by their digests so that their length does not show either.
 */
#include "adaptor/webhook/webhook_priv.h"

#include "data/base64.h"
#include "data/datetime.h"

static const size_t digest_bytes[] = {
	[HMAC_SHA1] = 20,
	[HMAC_SHA256] = 32,
	[HMAC_SHA384] = 48,
	[HMAC_SHA512] = 64,
};
static const char *const digest_labels[] = {
	[HMAC_SHA1] = "sha1=",
	[HMAC_SHA256] = "sha256=",
	[HMAC_SHA384] = "sha384=",
	[HMAC_SHA512] = "sha512=",
};

static bool refuse(struct err *err, const char *why, const char *what)
{
	return err_set(err, ERR_UNAUTHORIZED, "%s%s", why, what);
}

bool webhook_same_secret(struct str given, struct str secret)
{
	unsigned char a[SHA256_BYTES], b[SHA256_BYTES];

	digest_sha256(given, a);
	digest_sha256(secret, b);
	return crypt_equal(a, b, sizeof(a));
}

/* ---- timestamps ---- */

/* The element behind LABEL in a header of several; p NULL: none. */
static struct str labelled(struct str list, char separator, const char *label)
{
	for (int i = 0; i < WEBHOOK_SIGNATURES && list.p != NULL; i++) {
		struct str one = str_trim(str_cut(&list, separator));

		if (str_starts(one, str_z(label)))
			return str_from(one, strlen(label));
	}
	return STR_NULL;
}

static bool in_window(const struct webhook_scheme *s, struct str text, int64_t now_ms,
	struct err *err)
{
	int64_t at_ms, seconds;
	struct err none = ERR_INIT;

	if (s->time_is_iso) {
		if (!datetime_parse_iso(text, DATETIME_ISO, NULL, &at_ms, &none))
			return refuse(err, "the timestamp is no date", "");
	} else {
		if (!str_to_i64(text, &seconds) || seconds < 0 || seconds > DATETIME_MS_MAX / 1000)
			return refuse(err, "the timestamp is no number of seconds", "");
		at_ms = seconds * 1000;
	}
	int64_t off_ms = now_ms > at_ms ? now_ms - at_ms : at_ms - now_ms;

	if (off_ms <= (int64_t)WEBHOOK_WINDOW_S * 1000)
		return true;
	return err_set(err, ERR_UNAUTHORIZED,
		"the timestamp is %lld s %s, and %d s are allowed: a repeat, or a clock is wrong",
		(long long)(off_ms / 1000), now_ms > at_ms ? "old" : "ahead", WEBHOOK_WINDOW_S);
}

static bool read_time(const struct webhook_scheme *s, const struct http_exchange *x,
	struct str signature, struct str *out, struct err *err)
{
	*out = STR_NULL;
	if (s->time_label != NULL) {
		*out = labelled(signature, s->separator, s->time_label);
		return out->p != NULL ||
		       refuse(err, "there is no timestamp in the header ", s->header);
	}
	if (s->time_header == NULL)
		return true;
	*out = http_request_header(x, str_z(s->time_header));
	return out->p != NULL || refuse(err, "there is no header ", s->time_header);
}

/* ---- keyed digests ---- */

/* What the digest is of; the body itself where that is all. */
static bool signed_text(const struct webhook_scheme *s, const struct http_exchange *x,
	struct str time, struct str *out, struct err *err)
{
	struct str body = str_of(x->body, x->body_bytes), id = STR_NULL;
	struct str parts[8];
	size_t count = 0, n = 0;

	*out = body;
	if (strcmp(s->signs, "b") == 0)
		return true;
	if (strchr(s->signs, 'i') != NULL) {
		id = http_request_header(x, str_z(s->id_header));
		if (id.n == 0)
			return refuse(err, "there is no header ", s->id_header);
	}
	for (const char *p = s->signs; *p != '\0'; p++) {
		CHECK(count < ARRAY_LEN(parts));
		parts[count] = *p == 'b' ? body : *p == 't' ? time : *p == 'i' ? id : str_of(p, 1);
		n += parts[count++].n;
	}
	char *text = arena_alloc(x->arena, n + 1), *end = text;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].n > 0)
			memcpy(end, parts[i].p, parts[i].n);
		end += parts[i].n;
	}
	*out = str_of(text, n);
	return true;
}

/* ONE signature without what stands before it; p NULL: it is of another kind. */
static struct str unlabel(const struct webhook_scheme *s, struct str one)
{
	struct str label = str_z(s->label == NULL ? digest_labels[s->algorithm] : s->label);

	if (str_starts(one, label))
		return str_from(one, label.n);
	return s->label == NULL ? one : STR_NULL;
}

/* Senders write digits in one case; so no letter can be changed into one that reads the same. */
static bool of_one_case(struct str hex)
{
	bool lower = false, upper = false;

	for (size_t i = 0; i < hex.n; i++) {
		lower |= hex.p[i] >= 'a';
		upper |= hex.p[i] >= 'A' && hex.p[i] < 'a';
	}
	return !lower || !upper;
}

static bool equals(const struct webhook_scheme *s, struct arena *a, struct str given,
	const unsigned char *digest, size_t n)
{
	unsigned char bytes[HMAC_BYTES_MAX];

	if (s->encoding == WEBHOOK_HEX)
		return given.n == 2 * n && of_one_case(given) && str_hex_get(given, bytes, n) &&
		       crypt_equal(bytes, digest, n);
	struct str text = base64_encode(a, str_of((const char *)digest, n));

	return given.n == text.n && crypt_equal(given.p, text.p, text.n);
}

struct digests {
	unsigned char bytes[2][HMAC_BYTES_MAX];
	size_t count, n;
};

static bool any_equals(const struct webhook_scheme *s, struct arena *a, struct str given,
	const struct digests *d)
{
	bool found = false;

	for (size_t i = 0; i < d->count; i++)
		found |= equals(s, a, given, d->bytes[i], d->n);
	return found;
}

static bool check_signatures(const struct webhook_scheme *s, struct arena *a, struct str list,
	const struct digests *d, struct err *err)
{
	bool found = false, seen = false;

	for (int i = 0; i < WEBHOOK_SIGNATURES && list.p != NULL; i++) {
		struct str one;

		if (s->separator == 0) {
			one = unlabel(s, list);
			list = STR_NULL;
		} else {
			one = unlabel(s, str_trim(str_cut(&list, s->separator)));
		}
		if (one.p == NULL)
			continue;
		seen = true;
		found |= any_equals(s, a, one, d);
	}
	if (!seen)
		return refuse(err, "there is no signature of the expected kind in the header ",
			s->header);
	return found ||
	       refuse(err,
		       "the signature does not match: another key, or the body was changed "
		       "on its way",
		       "");
}

static bool check_hmac(const struct webhook *w, const struct http_exchange *x, int64_t now_ms,
	struct err *err)
{
	const struct webhook_scheme *s = &w->scheme;
	struct str signature = http_request_header(x, str_z(s->header)), time, text;
	struct digests d = { .count = w->key_count, .n = digest_bytes[s->algorithm] };

	if (signature.p == NULL)
		return refuse(err, "there is no header ", s->header);
	if (!read_time(s, x, signature, &time, err) || !signed_text(s, x, time, &text, err))
		return false;
	for (size_t i = 0; i < w->key_count; i++)
		CHECK(hmac(s->algorithm, w->keys[i], text, d.bytes[i]) == d.n);
	if (!check_signatures(s, x->arena, signature, &d, err))
		return false;
	return time.p == NULL || in_window(s, time, now_ms, err);
}

/* ---- shared secrets ---- */

static bool given_token(const struct webhook *w, const struct http_exchange *x,
	const struct json *doc, struct str *out, struct err *err)
{
	const struct json *v;

	switch (w->token_place) {
	case WEBHOOK_IN_HEADER:
		*out = http_request_header(x, w->token_name);
		if (out->p == NULL)
			return refuse(err, "there is no header ", w->token_name.p);
		if (!w->token_bearer)
			return true;
		if (!str_starts_ci(*out, STR("Bearer ")))
			return refuse(err, "there is no \"Bearer\" in the header ",
				w->token_name.p);
		*out = str_trim(str_from(*out, 7));
		return true;
	case WEBHOOK_IN_QUERY:
		*out = http_request_query(x, w->token_name);
		return out->p != NULL ||
		       refuse(err, "there is no query parameter ", w->token_name.p);
	case WEBHOOK_IN_BODY:
		break;
	}
	if (doc == NULL)
		return refuse(err, "the body is not JSON, so that it holds no token", "");
	v = path_get(w->token_path, doc);
	if (!json_is_str(v))
		return refuse(err, "the body holds no text at ", path_text(w->token_path).p);
	*out = json_str(v);
	return true;
}

static bool check_basic(const struct webhook *w, const struct http_exchange *x, struct err *err)
{
	struct str h = http_request_header(x, STR("Authorization")), given;
	struct err none = ERR_INIT;

	if (!str_starts_ci(h, STR("Basic ")))
		return refuse(err, "there is no Authorization header of the Basic scheme", "");
	if (!base64_decode(x->arena, str_trim(str_from(h, 6)), &given, &none))
		return refuse(err, "the Authorization header is not base64", "");
	return webhook_same_secret(given, w->token) ||
	       refuse(err, "user name or password are wrong", "");
}

bool webhook_verify(const struct webhook *w, const struct http_exchange *x, struct str path_token,
	const struct json *doc, int64_t now_ms, struct err *err)
{
	struct str given;

	switch (w->scheme.proof) {
	case WEBHOOK_PROOF_HMAC:
		return check_hmac(w, x, now_ms, err);
	case WEBHOOK_PROOF_BASIC:
		return check_basic(w, x, err);
	case WEBHOOK_PROOF_TOKEN:
		return given_token(w, x, doc, &given, err) &&
		       (webhook_same_secret(given, w->token) ||
			       refuse(err, "the token is another one", ""));
	case WEBHOOK_PROOF_PATH:
		if (path_token.p == NULL)
			return refuse(err, "the path holds no token", "");
		return webhook_same_secret(path_token, w->token) ||
		       refuse(err, "the token in the path is another one", "");
	}
	CHECK(false);
	return false;
}
