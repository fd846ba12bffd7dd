/*
 * rest_grant.c - access that a user gives in a browser: the URL of the application's page, and the code that comes
 * back from there (RFC 6749, 4.1), bound to us by a verifier that only its digest was told of (RFC 7636).
 */
#include "adaptor/rest/rest_session_priv.h"

#include "crypt/digest.h"
#include "data/base64.h"

/* BASE64URL(SHA256(verifier)), without padding. */
static struct str challenge(struct arena *a, struct str verifier)
{
	unsigned char digest[SHA256_BYTES];

	digest_sha256(verifier, digest);
	struct str text = base64_encode(a, str_of((const char *)digest, sizeof(digest)));
	char *p = arena_memdup(a, text.p, text.n);
	size_t n = 0;

	for (; n < text.n && p[n] != '='; n++)
		p[n] = p[n] == '+' ? '-' : p[n] == '/' ? '_' : p[n];
	return str_of(p, n);
}

static bool missing(const char *field, struct err *err)
{
	return err_set_field(err, ERR_MISSING, field,
		"%s is required for giving access in a browser", field);
}

/* A session of a connection that proves itself by OAuth 2.0 and is stored. */
static bool open_session(const struct adaptor_env *env, const struct json *connection,
	struct rest_session **out, struct err *err)
{
	struct rest_session *s;

	if (!rest_session_open(env, connection, 1, &s, err))
		return false;
	if (s->conn.oauth.wanted && env->vault != NULL && s->conn.oauth.connection_id.p != NULL) {
		*out = s;
		return true;
	}
	rest_session_close(s);
	return err_set_field(err, ERR_UNSUPPORTED, "rest.authType",
		"only a stored connection of rest.authType oauth is given access in a browser");
}

static bool make_url(const struct rest_session *s, const struct json *rest,
	const struct grant_request *rq, struct arena *a, struct str *out, struct err *err)
{
	struct str url = json_get_str(rest, STR("authURI")), scope = s->conn.oauth.scope;
	const struct json *client;

	if (url.p == NULL)
		return missing("rest.authURI", err);
	if (s->conn.oauth.iclient_id.p == NULL)
		return missing("rest._iClientId", err);
	if (!vault_open(s->env->vault, s->env->account_id, "iclient", s->conn.oauth.iclient_id, a,
		    &client, err))
		return err_wrap(err, "the connection's iClient");
	if (scope.p == NULL)
		scope = rest_oauth_scope(a, client);
	url = url_add_query(a, url, STR("response_type"), STR("code"));
	url = url_add_query(a, url, STR("client_id"), json_get_str(client, STR("clientId")));
	url = url_add_query(a, url, STR("redirect_uri"), rq->redirect_uri);
	if (scope.p != NULL)
		url = url_add_query(a, url, STR("scope"), scope);
	url = url_add_query(a, url, STR("state"), rq->state);
	url = url_add_query(a, url, STR("code_challenge"), challenge(a, rq->verifier));
	*out = url_add_query(a, url, STR("code_challenge_method"), STR("S256"));
	return true;
}

bool rest_grant_url(const struct adaptor_env *env, const struct json *connection,
	const struct grant_request *rq, struct arena *a, struct str *url, struct err *err)
{
	struct rest_session *s;
	struct str made;

	if (!open_session(env, connection, &s, err))
		return false;
	bool ok = make_url(s, json_get(connection, STR("rest")), rq, a, &made, err);

	if (ok)
		*url = str_dup(a, made);
	rest_session_close(s);
	return ok;
}

bool rest_grant_take(const struct adaptor_env *env, const struct json *connection,
	const struct grant_request *rq, struct err *err)
{
	struct rest_session *s;

	if (!open_session(env, connection, &s, err))
		return false;
	bool ok = rest_oauth_exchange(s, rq, err);

	rest_session_close(s);
	return ok;
}
