/*
 * webhook.c - a listener from its document, and the way of a request through it: proof, body, id,
 * challenge, records.
 */
#include "adaptor/webhook/webhook_priv.h"

#include "data/base64.h"

/* ---- compile ---- */

struct compile {
	struct arena *arena;
	const struct json *doc;
	struct webhook *w;
	struct err *err;
};

static struct str text_of(const struct compile *c, const char *name)
{
	struct str s = json_get_str(c->doc, str_z(name));

	return s.p == NULL ? s : str_dup(c->arena, s);
}

static bool missing(struct compile *c, const char *name)
{
	char field[64];

	snprintf(field, sizeof(field), "webhook.%s", name);
	return err_set_field(c->err, ERR_MISSING, field, "%s is not set", field);
}

static bool need(struct compile *c, const char *name, struct str *out)
{
	*out = text_of(c, name);
	return out->n > 0 || missing(c, name);
}

static bool compile_path(struct compile *c, const char *name, struct path **out)
{
	struct str s = text_of(c, name);
	char field[64];

	snprintf(field, sizeof(field), "webhook.%s", name);
	return s.p == NULL || path_compile(c->arena, s, false, out, c->err) ||
	       err_wrap(c->err, "%s", field);
}

static bool word(const struct compile *c, const char *name, const char *const *words, size_t n,
	unsigned *out)
{
	struct str s = json_get_str(c->doc, str_z(name));

	for (unsigned i = 0; i < n; i++) {
		if (str_eq_z(s, words[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool add_key(struct compile *c, const char *name)
{
	struct str key = text_of(c, name);
	struct webhook *w = c->w;

	if (key.p == NULL)
		return true;
	if (w->scheme.key_is_base64) {
		struct err none = ERR_INIT;

		if (str_starts(key, STR("whsec_")))
			key = str_from(key, 6);
		if (!base64_decode(c->arena, key, &key, &none) || key.n == 0)
			return err_set_field(c->err, ERR_INVALID, "webhook.key",
				"webhook.%s is not base64 behind whsec_", name);
	}
	w->keys[w->key_count++] = key;
	return true;
}

static bool compile_hmac(struct compile *c)
{
	struct webhook *w = c->w;

	if (!add_key(c, "key") || !add_key(c, "previousKey"))
		return false;
	w->token = text_of(c, "token");
	return json_get_str(c->doc, STR("key")).n > 0 || missing(c, "key");
}

static bool custom_hmac(struct compile *c)
{
	static const char *const algorithms[] = { "sha1", "sha256", "sha384", "sha512" };
	static const char *const encodings[] = { "hex", "base64" };
	struct webhook_scheme *s = &c->w->scheme;
	struct str header;
	unsigned algorithm, encoding;

	if (!word(c, "algorithm", algorithms, ARRAY_LEN(algorithms), &algorithm))
		return missing(c, "algorithm");
	if (!word(c, "encoding", encodings, ARRAY_LEN(encodings), &encoding))
		return missing(c, "encoding");
	if (!need(c, "header", &header))
		return false;
	*s = (struct webhook_scheme){ .proof = WEBHOOK_PROOF_HMAC,
		.header = header.p,
		.algorithm = (enum hmac_algorithm)algorithm,
		.encoding = (enum webhook_encoding)encoding,
		.signs = "b" };
	return compile_hmac(c);
}

static bool custom_token(struct compile *c)
{
	static const char *const places[] = { "body", "header", "queryParam" };
	struct webhook *w = c->w;
	unsigned place = WEBHOOK_IN_BODY;

	w->scheme.proof = WEBHOOK_PROOF_TOKEN;
	(void)word(c, "tokenLocation", places, ARRAY_LEN(places), &place); /* else in the body */
	w->token_place = (enum webhook_place)place;
	w->token_bearer = str_eq_z(json_get_str(c->doc, STR("tokenHeaderScheme")), "bearer");
	if (!need(c, "token", &w->token))
		return false;
	switch (w->token_place) {
	case WEBHOOK_IN_HEADER:
		return need(c, "tokenHeaderName", &w->token_name);
	case WEBHOOK_IN_QUERY:
		return need(c, "tokenQueryParamName", &w->token_name);
	case WEBHOOK_IN_BODY:
		break;
	}
	return compile_path(c, "path", &w->token_path) &&
	       (w->token_path != NULL || missing(c, "path"));
}

static bool custom_basic(struct compile *c)
{
	struct str user, password;

	c->w->scheme.proof = WEBHOOK_PROOF_BASIC;
	if (!need(c, "username", &user) || !need(c, "password", &password))
		return false;
	c->w->token = str_fmt(c->arena, "%.*s:%.*s", STR_ARG(user), STR_ARG(password));
	return true;
}

static bool custom_path(struct compile *c)
{
	c->w->scheme.proof = WEBHOOK_PROOF_PATH;
	return need(c, "token", &c->w->token);
}

bool webhook_by_path(const struct webhook_scheme *s, const struct json *webhook)
{
	return s->or_path && json_get(webhook, STR("token")) != NULL &&
	       json_get(webhook, STR("key")) == NULL;
}

static bool compile_preset(struct compile *c, const struct webhook_scheme *s)
{
	struct webhook *w = c->w;

	w->scheme = *s;
	w->id_header = str_z(s->id_header);
	if (s->id_path != NULL)
		CHECK(path_compile(c->arena, str_z(s->id_path), false, &w->id_path, c->err));
	w->challenge_query = str_z(s->challenge_query);
	if (s->proof == WEBHOOK_PROOF_PATH || webhook_by_path(s, c->doc))
		return custom_path(c);
	if (s->proof == WEBHOOK_PROOF_HMAC)
		return compile_hmac(c);
	w->token_place = WEBHOOK_IN_HEADER;
	w->token_name = str_z(s->header);
	return need(c, "token", &w->token);
}

static bool compile_proof(struct compile *c)
{
	static const struct {
		const char *verify;
		bool (*fn)(struct compile *c);
	} kinds[] = {
		{ "hmac", custom_hmac },
		{ "token", custom_token },
		{ "basic", custom_basic },
		{ "secret_url", custom_path },
	};
	struct str provider = json_get_str(c->doc, STR("provider"));
	struct str verify = json_get_str(c->doc, STR("verify"));
	const struct webhook_scheme *s;

	if (provider.p == NULL || str_eq_z(provider, "custom"))
		provider = verify;
	s = webhook_scheme_of(provider);
	if (s != NULL)
		return compile_preset(c, s);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq_z(provider, kinds[i].verify))
			return kinds[i].fn(c);
	return missing(c, "verify");
}

static struct str media_type_of(const struct compile *c, const char *name)
{
	static const char *const words[] = { "plaintext", "json", "xml" };
	static const char *const types[] = { "text/plain; charset=utf-8", "application/json",
		"application/xml" };
	unsigned i = 0;

	(void)word(c, name, words, ARRAY_LEN(words), &i); /* else plain text */
	return str_z(types[i]);
}

static void compile_headers(const struct compile *c, const char *name, struct webhook_answer *out)
{
	const struct json *list = json_get(c->doc, str_z(name));
	struct http_header *headers;

	if (!json_is_array(list))
		return;
	headers = arena_array_of(c->arena, struct http_header, list->n + 1);
	for (json_each (it, list))
		headers[out->header_count++] = (struct http_header){
			str_dup(c->arena, json_get_str(it, STR("name"))),
			str_dup(c->arena, json_get_str(it, STR("value")))
		};
	out->headers = headers;
}

static bool compile_answers(struct compile *c)
{
	struct webhook *w = c->w;
	int64_t n;

	w->success = (struct webhook_answer){ .body = text_of(c, "successBody"),
		.media_type = media_type_of(c, "successMediaType") };
	compile_headers(c, "successResponseHeaders", &w->success);
	if (json_to_i64(json_get(c->doc, STR("successStatusCode")), &n))
		w->success.status = (int)n;
	else if (w->success.body.n > 0)
		w->success.status = 200;
	w->challenged = (struct webhook_answer){ .status = 200,
		.body = text_of(c, "challengeSuccessBody"),
		.media_type = media_type_of(c, "challengeSuccessMediaType") };
	if (json_to_i64(json_get(c->doc, STR("challengeSuccessStatusCode")), &n))
		w->challenged.status = (int)n;
	compile_headers(c, "challengeSuccessResponseHeaders", &w->challenged);
	if (json_get(c->doc, STR("challengeQueryParam")) != NULL)
		w->challenge_query = text_of(c, "challengeQueryParam");
	return compile_path(c, "challengePath", &w->challenge_path);
}

static bool compile_id(struct compile *c)
{
	struct webhook *w = c->w;
	int64_t hours;

	if (!json_to_i64(json_get(c->doc, STR("dedupeWindow")), &hours))
		hours = WEBHOOK_DEDUPE_HOURS;
	w->dedupe_ms = hours * 3600 * 1000;
	/* what the export says goes before what the preset knows */
	if (json_get(c->doc, STR("idHeader")) != NULL || json_get(c->doc, STR("idPath")) != NULL)
		w->id_header = text_of(c, "idHeader");
	return compile_path(c, "idPath", &w->id_path);
}

bool webhook_compile(struct arena *a, const struct json *webhook, const struct webhook **out,
	struct err *err)
{
	struct compile c = { a, webhook, arena_new_of(a, struct webhook), err };

	if (!compile_proof(&c) || !compile_id(&c) || !compile_answers(&c))
		return false;
	*out = c.w;
	return true;
}

/* ---- what a request holds ---- */

/* The id as it can stand in a header of an answer: printable ASCII, or else its digest. */
static struct str plain_id(struct arena *a, struct str id)
{
	unsigned char digest[SHA256_BYTES];
	char *hex;
	bool plain = id.n <= WEBHOOK_ID_MAX;

	for (size_t i = 0; plain && i < id.n; i++)
		plain = id.p[i] > ' ' && id.p[i] <= '~';
	if (plain)
		return id;
	digest_sha256(id, digest);
	hex = arena_alloc(a, sizeof(digest) * 2);
	str_hex_put(hex, digest, sizeof(digest));
	return str_of(hex, sizeof(digest) * 2);
}

static struct str event_id(const struct webhook *w, const struct http_exchange *x,
	const struct json *doc)
{
	struct str id = w->id_header.p == NULL ? STR_NULL : http_request_header(x, w->id_header);
	const struct json *v = w->id_path == NULL || id.n > 0 ? NULL : path_get(w->id_path, doc);

	if (v != NULL && (v->type == JSON_STRING || v->type == JSON_NUMBER))
		id = json_str(v);
	return id.n == 0 ? STR_NULL : plain_id(x->arena, id);
}

/* What can be sent back in any media type without being read as anything else. */
static bool is_challenge(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"\\<>&'", s.p[i]) != NULL)
			return false;
	return s.n > 0 && s.n <= WEBHOOK_CHALLENGE_MAX;
}

static bool has_challenge(const struct webhook *w, const struct json *doc, struct str *out)
{
	const char *type = w->scheme.challenge_type;
	const struct json *v = NULL;

	if (w->challenge_path != NULL)
		v = path_get(w->challenge_path, doc);
	else if (type != NULL && str_eq_z(json_get_str(doc, STR("type")), type))
		v = json_get(doc, STR("challenge"));
	if (!json_is_str(v) || !is_challenge(json_str(v)))
		return false;
	*out = json_str(v);
	return true;
}

static bool check_records(const struct json *doc, struct err *err)
{
	size_t i = 0;

	if (json_is_object(doc))
		return true;
	if (!json_is_array(doc))
		return err_set(err, ERR_INVALID,
			"the event must be an object, or an array of objects; found %s",
			json_type_phrase((enum json_type)doc->type));
	for (json_each (it, doc)) {
		if (!json_is_object(it))
			return err_set(err, ERR_INVALID,
				"element %zu of the event must be an object; found %s", i,
				json_type_phrase((enum json_type)it->type));
		i++;
	}
	return true;
}

enum webhook_verdict webhook_receive(const struct webhook *w, const struct http_exchange *x,
	struct str path_token, int64_t now_ms, struct webhook_event *out, struct err *err)
{
	bool token_in_body = w->scheme.proof == WEBHOOK_PROOF_TOKEN &&
			     w->token_place == WEBHOOK_IN_BODY;
	struct str type = http_request_header(x, STR("Content-Type"));
	struct str coding = http_request_header(x, STR("Content-Encoding"));
	struct str body = str_of(x->body, x->body_bytes);
	const struct json *doc = NULL;
	struct err unread = ERR_INIT;
	bool read = false;

	*out = (struct webhook_event){ .body = STR_NULL };
	if (token_in_body)
		read = webhook_read_body(x->arena, type, body, &out->body, &doc, &unread);
	if (!webhook_verify(w, x, path_token, doc, now_ms, err))
		return WEBHOOK_UNAUTHORIZED;
	if (coding.n > 0 && !str_eq_ci(coding, STR("identity"))) {
		err_set(err, ERR_MEDIA_TYPE, "the body's Content-Encoding is %.*s",
			STR_ARG(str_sub(coding, 0, 40)));
		err_hint(err, "send it as it is, without compression");
		return WEBHOOK_REFUSED;
	}
	if (!read && !webhook_read_body(x->arena, type, body, &out->body, &doc, err))
		return WEBHOOK_REFUSED;
	if (has_challenge(w, doc, &out->challenge))
		return WEBHOOK_CHALLENGE;
	if (!check_records(doc, err))
		return WEBHOOK_REFUSED;
	out->id = event_id(w, x, doc);
	return doc->n == 0 && json_is_array(doc) ? WEBHOOK_EMPTY : WEBHOOK_EVENT;
}

bool webhook_handshake(const struct webhook *w, const struct http_exchange *x,
	struct str *challenge)
{
	const char *token_query = w->scheme.challenge_token_query;

	if (w->challenge_query.p == NULL)
		return false;
	*challenge = http_request_query(x, w->challenge_query);
	if (challenge->p == NULL || !is_challenge(*challenge))
		return false;
	if (token_query == NULL)
		return true;
	struct str given = http_request_query(x, str_z(token_query));

	return given.p != NULL && w->token.p != NULL && webhook_same_secret(given, w->token);
}

bool webhook_path_is(const struct webhook *w, struct str token)
{
	return w->scheme.proof == WEBHOOK_PROOF_PATH && token.p != NULL &&
	       webhook_same_secret(token, w->token);
}

/* ---- answers ---- */

struct webhook_answer webhook_success(const struct webhook *w)
{
	return w->success;
}

struct webhook_answer webhook_challenge(const struct webhook *w, struct arena *a,
	struct str challenge)
{
	static const struct str place = STR_INIT("{{challenge}}");
	struct webhook_answer answer = w->challenged;
	size_t at = str_find(answer.body, place);

	if (answer.body.n == 0)
		answer.body = challenge;
	else if (at != STR_NPOS)
		answer.body = str_fmt(a, "%.*s%.*s%.*s", STR_ARG(str_sub(answer.body, 0, at)),
			STR_ARG(challenge), STR_ARG(str_from(answer.body, at + place.n)));
	return answer;
}

int64_t webhook_dedupe_ms(const struct webhook *w)
{
	return w->dedupe_ms;
}
