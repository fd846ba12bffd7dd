/*
 * handlebars_crypt.c - digests and signatures as text, in hex or base64.
 *
 * aws4 signs the request that the variable `aws4` describes ({method, host, path, query, body}),
 * following "Create a signed AWS API request" of the IAM documentation: canonical request, string to
 * sign, a key derived for day, region and service. What the variable lacks is a GET of "/" at
 * SERVICE.REGION.amazonaws.com with an empty body.
 */
#include "crypt/handlebars_crypt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypt/digest.h"
#include "data/base64.h"

static struct str text(const struct hbs_call *c, size_t i)
{
	struct str s;

	return hbs_text(hbs_arg(c, i), &s) ? s : STR("");
}

static const EVP_MD *algorithm(struct hbs_call *c, struct err *err)
{
	static const struct {
		const char *name;
		const EVP_MD *(*md)(void);
	} known[] = { { "md5", EVP_md5 }, { "sha1", EVP_sha1 }, { "sha224", EVP_sha224 },
		{ "sha256", EVP_sha256 }, { "sha384", EVP_sha384 }, { "sha512", EVP_sha512 } };
	struct str name = text(c, 0);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_ci(name, str_z(known[i].name)))
			return known[i].md();
	hbs_fail(c, err,
		"the algorithm must be md5, sha1, sha224, sha256, sha384 or sha512, not \"%.*s\"",
		STR_ARG(str_sub(name, 0, 40)));
	return NULL;
}

static bool give(struct hbs_call *c, struct str encoding, const unsigned char *bytes, size_t n,
	const struct json **result, struct err *err)
{
	struct arena *a = hbs_scratch(c);

	if (str_eq_ci(encoding, STR("base64"))) {
		*result = hbs_new_str(c, base64_encode(a, str_of((const char *)bytes, n)));
		return true;
	}
	if (!str_eq_ci(encoding, STR("hex")))
		return hbs_fail(c, err, "the encoding must be hex or base64, not \"%.*s\"",
			STR_ARG(str_sub(encoding, 0, 40)));
	char *p = arena_alloc(a, 2 * n);

	str_hex_put(p, bytes, n);
	*result = hbs_new_str(c, str_of(p, 2 * n));
	return true;
}

static bool fn_hash(struct hbs_call *c, const struct json **result, struct err *err)
{
	const EVP_MD *md = algorithm(c, err);
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n;
	struct str s = text(c, 2);

	if (md == NULL)
		return false;
	CHECK(EVP_Digest(s.p, s.n, out, &n, md, NULL) == 1);
	return give(c, text(c, 1), out, n, result, err);
}

static bool fn_hmac(struct hbs_call *c, const struct json **result, struct err *err)
{
	const EVP_MD *md = algorithm(c, err);
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n;
	struct str key = text(c, 1), s = text(c, 3), form = text(c, 4);
	struct err why = ERR_INIT;

	if (md == NULL)
		return false;
	if (str_eq_ci(form, STR("base64"))) {
		if (!base64_decode(hbs_scratch(c), key, &key, &why))
			return hbs_fail(c, err, "the key is not base64");
	} else if (form.n > 0 && !str_eq_ci(form, STR("utf8"))) {
		return hbs_fail(c, err, "the encoding of the key must be utf8 or base64");
	}
	if (key.n > INT32_MAX)
		return hbs_fail(c, err, "the key is too long");
	CHECK(HMAC(md, key.n == 0 ? "" : key.p, (int)key.n, (const unsigned char *)s.p, s.n, out,
		      &n) != NULL);
	return give(c, text(c, 2), out, n, result, err);
}

/* ---- AWS Signature Version 4 ---- */

struct aws_request {
	struct str method, host, path, query, body;
	struct str token, region, service;
	char time[17]; /* YYYYMMDDTHHMMSSZ */
};

static struct str hex_sha256(struct arena *a, struct str s)
{
	unsigned char out[SHA256_BYTES];
	char *p = arena_alloc(a, 2 * sizeof(out));

	digest_sha256(s, out);
	str_hex_put(p, out, sizeof(out));
	return str_of(p, 2 * sizeof(out));
}

static bool read_request(struct hbs_call *c, struct aws_request *r, struct err *err)
{
	struct arena *a = hbs_scratch(c);
	const struct json *v;
	char iso[TIME_ISO_LEN + 1];

	if (!hbs_path(c, STR("aws4"), &v, err))
		return false;
	r->method = json_get_str(v, STR("method"));
	r->host = json_get_str(v, STR("host"));
	r->path = json_get_str(v, STR("path"));
	r->query = json_get_str(v, STR("query"));
	r->body = json_get_str(v, STR("body"));
	r->token = text(c, 2);
	r->region = text(c, 3);
	r->service = text(c, 4);
	if (r->method.n == 0)
		r->method = STR("GET");
	if (r->host.n == 0)
		r->host = str_fmt(a, "%.*s.%.*s.amazonaws.com", STR_ARG(r->service),
			STR_ARG(r->region));
	if (r->path.n == 0)
		r->path = STR("/");
	time_fmt_iso(hbs_now_ms(c), iso);
	snprintf(r->time, sizeof(r->time), "%.4s%.2s%.2sT%.2s%.2s%.2sZ", iso, iso + 5, iso + 8,
		iso + 11, iso + 14, iso + 17);
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The parameters in order, each with its '='. They are encoded already. */
static struct str canonical_query(struct arena *a, struct str query)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	size_t n = 0, cap = 1;

	for (size_t i = 0; i < query.n; i++)
		cap += query.p[i] == '&';
	struct str *parts = arena_array_of(a, struct str, cap), rest = query;

	while (rest.p != NULL && query.n > 0)
		parts[n++] = str_cut(&rest, '&');
	qsort(parts, n, sizeof(*parts), by_bytes);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&b, '&');
		buf_add_str(&b, parts[i]);
		if (str_find_char(parts[i], '=') == STR_NPOS)
			buf_add_char(&b, '=');
	}
	return str_dup(a, buf_str(&b));
}

static struct str canonical_request(struct arena *a, const struct aws_request *r,
	struct str signed_headers)
{
	struct str token = r->token.n == 0
				   ? STR("")
				   : str_fmt(a, "x-amz-security-token:%.*s\n", STR_ARG(r->token));

	return str_fmt(a, "%.*s\n%.*s\n%.*s\nhost:%.*s\nx-amz-date:%s\n%.*s\n%.*s\n%.*s",
		STR_ARG(r->method), STR_ARG(r->path), STR_ARG(canonical_query(a, r->query)),
		STR_ARG(r->host), r->time, STR_ARG(token), STR_ARG(signed_headers),
		STR_ARG(hex_sha256(a, r->body)));
}

static struct str hmac_step(struct arena *a, struct str key, struct str data)
{
	unsigned char out[HMAC_BYTES_MAX];
	size_t n = hmac(HMAC_SHA256, key, data, out);

	return str_of(arena_memdup(a, out, n), n);
}

static bool fn_aws4(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct arena *a = hbs_scratch(c);
	struct aws_request r;
	struct str access = text(c, 0), secret = text(c, 1);

	if (!read_request(c, &r, err))
		return false;
	if (access.n == 0 || secret.n == 0 || r.region.n == 0 || r.service.n == 0)
		return hbs_fail(c, err, "access key, secret key, region and service are needed");
	struct str headers = r.token.n == 0 ? STR("host;x-amz-date")
					    : STR("host;x-amz-date;x-amz-security-token");
	struct str day = str_of(r.time, 8);
	struct str scope = str_fmt(a, "%.8s/%.*s/%.*s/aws4_request", r.time, STR_ARG(r.region),
		STR_ARG(r.service));
	struct str request = canonical_request(a, &r, headers);
	struct str to_sign = str_fmt(a, "AWS4-HMAC-SHA256\n%s\n%.*s\n%.*s", r.time, STR_ARG(scope),
		STR_ARG(hex_sha256(a, request)));
	struct str key = hmac_step(a, str_fmt(a, "AWS4%.*s", STR_ARG(secret)), day);

	key = hmac_step(a, key, r.region);
	key = hmac_step(a, key, r.service);
	key = hmac_step(a, key, STR("aws4_request"));
	key = hmac_step(a, key, to_sign);
	char hex[2 * SHA256_BYTES];

	str_hex_put(hex, key.p, key.n);
	*result = hbs_new_str(c,
		str_fmt(a,
			"AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, "
			"Signature=%.*s",
			STR_ARG(access), STR_ARG(scope), STR_ARG(headers), (int)sizeof(hex), hex));
	return true;
}

static const struct hbs_helper rows[] = {
	{ "hash", fn_hash, HBS_INLINE, 3, 3, "algorithm encoding text",
		"The digest of the text: md5, sha1, sha224, sha256, sha384 or sha512, in hex or "
		"base64.",
		"{{hash \"sha256\" \"hex\" \"HelloWorld\"}}", "{}",
		"872e4e50ce9990d8b041330c47c9ddd11bec6b503ae9386a99da8584e9bb12c4" },
	{ "hmac", fn_hmac, HBS_INLINE, 4, 5, "algorithm key encoding text keyEncoding",
		"The keyed digest (RFC 2104) of the text, in hex or base64. The key is text (utf8) "
		"or "
		"base64.",
		"{{hmac \"sha256\" \"key\" \"hex\" \"The quick brown fox jumps over the lazy "
		"dog\"}}",
		"{}", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8" },
	{ "aws4", fn_aws4, HBS_INLINE, 5, 5, "accessKey secretKey sessionToken region service",
		"The Authorization header of AWS Signature Version 4 for the request in `aws4` "
		"(`{method, host, path, query, body}`; else a GET of `/` at "
		"service.region.amazonaws.com). It signs the headers host and x-amz-date, which "
		"must be "
		"sent as `{{timestamp \"YYYYMMDD[T]HHmmss[Z]\" \"UTC\"}}` of the same template, "
		"and "
		"x-amz-security-token where there is a session token.",
		"{{{aws4 \"AKIDEXAMPLE\" \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\" null "
		"\"us-east-1\" "
		"\"service\"}}}",
		"{\"aws4\":{\"host\":\"example.amazonaws.com\"}}",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		"SignedHeaders=host;x-amz-date, "
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
};

const struct hbs_helpers handlebars_crypt = { "Signatures", rows, ARRAY_LEN(rows) };
