/*
 * rest_evidence.c - requests and answers as people may see them: bounded, secrets masked.
 *
 * Two nets: header fields and the token's parameter are masked by their name; and wherever a secret
 * of the connection stands in a text, as it is, percent-encoded or escaped in JSON, it is replaced.
 * Masking goes along the whole text and stops when enough is written, so that no bound can cut a
 * secret into a part that is not recognised.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

#define MASK             "******"
#define SECRET_BYTES_MIN 4 /* a shorter text is no secret, and would mask words everywhere */

/* ---- what is secret ---- */

static void add_form_of(struct rest_session *s, unsigned ordinal, unsigned form, struct str text)
{
	struct rest_secrets *l = &s->secrets;
	size_t at;

	for (size_t i = 0; i < l->count; i++)
		if (str_eq(l->list[i].text, text) && !l->list[i].old)
			return;
	if (l->count == l->cap) {
		struct rest_secret *old = l->list;

		l->cap = MAX(l->cap * 2, (size_t)16);
		l->list = arena_array_of(s->arena, struct rest_secret, l->cap);
		if (l->count > 0)
			memcpy(l->list, old, l->count * sizeof(*old));
	}
	for (at = l->count++; at > 0 && l->list[at - 1].text.n < text.n; at--)
		l->list[at] = l->list[at - 1];
	l->list[at] = (struct rest_secret){ text, ordinal, form, false };
}

static void add_forms(struct rest_session *s, unsigned ordinal, struct str secret)
{
	struct buf json DEFER(buf_free) = BUF_INIT(0);

	if (secret.n < SECRET_BYTES_MIN)
		return;
	json_print_str(&json, secret);
	add_form_of(s, ordinal, 0, secret);
	add_form_of(s, ordinal, 1, url_encode_component(s->arena, secret));
	add_form_of(s, ordinal, 2, str_dup(s->arena, str_sub(buf_str(&json), 1, json.n - 2)));
}

void rest_secret_add(struct rest_session *s, struct str secret)
{
	add_forms(s, ++s->secrets.ordinals, secret);
}

void rest_secret_renew(struct rest_session *s, unsigned ordinal, struct str secret)
{
	for (size_t i = 0; i < s->secrets.count; i++)
		if (s->secrets.list[i].ordinal == ordinal)
			s->secrets.list[i].old = true;
	add_forms(s, ordinal, secret);
}

static const struct rest_secret *secret_at(const struct rest_session *s, struct str text)
{
	for (size_t i = 0; i < s->secrets.count; i++)
		if (str_starts(text, s->secrets.list[i].text))
			return &s->secrets.list[i];
	return NULL;
}

/* Adds TEXT, masked, as long as OUT is shorter than ROOM. Returns how much of TEXT that was. */
static size_t add_masked(const struct rest_session *s, struct str text, size_t room,
	struct buf *out)
{
	size_t at = 0;

	while (at < text.n && out->n < room) {
		const struct rest_secret *secret = secret_at(s, str_from(text, at));

		if (secret != NULL) {
			BUF_ADD_LIT(out, MASK);
			at += secret->text.n;
		} else {
			buf_add_char(out, text.p[at++]);
		}
	}
	return at;
}

/*
 * The mark is U+0001 ordinal.form U+0001: neither a URL nor printed JSON nor a header field can hold
 * that character.
 */
struct str rest_hidden(const struct rest_session *s, struct arena *a, struct str text)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (size_t at = 0; at < text.n;) {
		const struct rest_secret *secret = secret_at(s, str_from(text, at));

		if (secret != NULL) {
			buf_add_fmt(&b, "\x01%u.%u\x01", secret->ordinal, secret->form);
			at += secret->text.n;
		} else {
			buf_add_char(&b, text.p[at++]);
		}
	}
	return str_dup(a, buf_str(&b));
}

static void put_back(const struct rest_session *s, struct str mark, struct buf *out)
{
	uint64_t form, ordinal;
	struct str rest = mark, found = STR("");

	if (!str_to_u64(str_cut(&rest, '.'), &ordinal) || !str_to_u64(rest, &form))
		return;
	for (size_t i = 0; i < s->secrets.count; i++) {
		const struct rest_secret *secret = &s->secrets.list[i];

		/* a form that is equal to the secret itself is not listed */
		if (secret->ordinal == ordinal && !secret->old &&
			(secret->form == form || (secret->form == 0 && found.n == 0)))
			found = secret->text;
	}
	buf_add_str(out, found);
}

struct str rest_unhidden(const struct rest_session *s, struct arena *a, struct str text)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	while (text.p != NULL) {
		buf_add_str(&b, str_cut(&text, '\x01'));
		if (text.p != NULL)
			put_back(s, str_cut(&text, '\x01'), &b);
	}
	return str_dup(a, buf_str(&b));
}

struct str rest_masked(const struct rest_session *s, struct arena *a, struct str text)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	add_masked(s, text, SIZE_MAX, &b);
	return str_dup(a, buf_str(&b));
}

/* ---- URLs ---- */

struct str rest_url_for_people(struct arena *a, struct str url)
{
	size_t q = str_find_char(url, '?');

	return str_dup(a, q == STR_NPOS ? url : str_sub(url, 0, q));
}

/* The query with the token's parameter left out, or masked. */
static struct str url_with(const struct rest_session *s, struct arena *a, struct str url,
	bool masked)
{
	size_t q = str_find_char(url, '?');
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	char sep = '?';

	if (s->conn.token_place != REST_TOKEN_URL || q == STR_NPOS)
		return url;
	buf_add_str(&b, str_sub(url, 0, q));
	for (struct str rest = str_from(url, q + 1); rest.p != NULL;) {
		struct str pair = str_cut(&rest, '&'), value = pair, name = str_cut(&value, '=');
		bool token = str_eq(url_decode(a, name, true), s->conn.token_param);

		if (token && !masked)
			continue;
		buf_add_char(&b, sep);
		buf_add_str(&b, token ? name : pair);
		if (token)
			buf_add_str(&b, STR("=" MASK));
		sep = '&';
	}
	return str_dup(a, buf_str(&b));
}

struct str rest_url_without_token(const struct rest_session *s, struct arena *a, struct str url)
{
	return url_with(s, a, url, false);
}

/* ---- evidence ---- */

static bool is_plain_header(struct str name)
{
	return str_starts_ci(name, STR("Accept")) || str_eq_ci(name, STR("Content-Type")) ||
	       str_eq_ci(name, STR("User-Agent")) || str_eq_ci(name, STR("Idempotency-Key"));
}

bool rest_is_secret_name(struct str name)
{
	static const char *const words[] = { "authorization", "cookie", "token", "key", "secret",
		"password", "signature" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (size_t at = 0; at < name.n; at++)
			if (str_starts_ci(str_from(name, at), str_z(words[i])))
				return true;
	return false;
}

static bool is_credential(const struct rest_session *s, struct str name)
{
	if (is_plain_header(name))
		return false;
	for (size_t i = 0; i < s->conn.header_count; i++)
		if (str_eq_ci(s->conn.headers[i].name, name))
			return true;
	return rest_is_secret_name(name);
}

static void add_field(const struct rest_session *s, struct str name, struct str value,
	struct buf *b)
{
	add_masked(s, name, LIMIT_ERROR_EVIDENCE, b);
	buf_add_str(b, STR(": "));
	if (is_credential(s, name))
		BUF_ADD_LIT(b, MASK);
	else
		add_masked(s, value, LIMIT_ERROR_EVIDENCE, b);
	buf_add_char(b, '\n');
}

/* Cut at a character, and never invalid UTF-8. */
static void add_body(const struct rest_session *s, struct str body, struct buf *b)
{
	size_t from = b->n;
	size_t taken = add_masked(s, body, LIMIT_ERROR_EVIDENCE, b);
	struct str added = str_from(buf_str(b), from);
	size_t good = str_utf8_prefix(added);

	if (good + 4 < added.n) { /* not just a character that was cut */
		b->n = from;
		buf_add_fmt(b, "(%zu bytes that are not text)", body.n);
	} else {
		b->n = from + good;
		if (taken < body.n)
			buf_add_fmt(b, "\n... (%zu bytes in all)", body.n);
	}
}

/* Header fields and URLs come from elsewhere and may hold any byte. */
static struct str finish(struct arena *a, struct buf *b)
{
	for (size_t i = 0; i < b->n;) {
		size_t good = str_utf8_prefix(str_from(buf_str(b), i));

		i += good;
		if (i < b->n)
			b->p[i++] = '?';
	}
	return str_dup(a, buf_str(b));
}

static bool is_for(const struct rest_call *c, const char *purpose)
{
	return c->purpose != NULL && strcmp(c->purpose, purpose) == 0;
}

struct str rest_evidence_request(const struct rest_session *s, const struct rest_call *c,
	struct arena *a)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_fmt(&b, "%s ", http_method_name(c->method));
	add_masked(s, url_with(s, a, c->http.url, true), LIMIT_ERROR_EVIDENCE, &b);
	buf_add_str(&b, STR(" HTTP/1.1\n"));
	for (size_t i = 0; i < c->http.header_count; i++)
		add_field(s, c->headers[i].name, c->headers[i].value, &b);
	buf_add_char(&b, '\n');
	if (c->http.body.n > 0 && (is_for(c, "login") || is_for(c, "token")))
		BUF_ADD_LIT(&b, MASK); /* whatever it holds, it is a password */
	else
		add_body(s, c->http.body, &b);
	return finish(a, &b);
}

struct str rest_evidence_response(const struct rest_session *s, const struct rest_call *c,
	struct arena *a)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct str rest = buf_str(&c->http.res_headers);

	if (c->http.status == 0)
		return STR_NULL;
	buf_add_fmt(&b, "HTTP/1.1 %d %s\n", c->http.status, http_status_text(c->http.status));
	while (rest.p != NULL) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');

		if (value.p != NULL)
			add_field(s, name, str_trim(value), &b);
	}
	buf_add_char(&b, '\n');
	if (c->http.res_body.n > 0 && is_for(c, "token") && c->http.status < 400)
		BUF_ADD_LIT(&b, MASK); /* tokens that are not known as secrets yet */
	else
		add_body(s, buf_str(&c->http.res_body), &b);
	return finish(a, &b);
}

void rest_trace(const struct rest_session *s, const struct rest_call *c)
{
	if (s->env->trace == NULL)
		return;
	struct arena *a = arena_new("trace", 0);
	struct adaptor_trace t = { .purpose = c->purpose,
		.request = rest_evidence_request(s, c, a),
		.response = rest_evidence_response(s, c, a),
		.err = &c->http.err,
		.took_us = c->http.took_us };

	s->env->trace(s->env->trace_ctx, &t);
	arena_free(a);
}
