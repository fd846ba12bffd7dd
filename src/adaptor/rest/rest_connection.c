/*
 * rest_connection.c - a connection document as the parts of a request that are the connection's.
 *
 * `authType` says which credentials are used; where it is not set, as in the product document, the
 * fields that are filled say it. Header values and the bodies of login and ping may hold
 * placeholders for the connection's own values, `{{connection.rest.encrypted.key}}`.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"
#include "data/base64.h"

bool rest_connection_text(const struct rest_session *s, struct arena *a, struct str text,
	struct str *out, struct err *err)
{
	struct rest_render r = { .arena = a, .record = s->variables, .doubles_only = true };

	return rest_render_text(&r, text, out, err);
}

bool rest_connection_body(const struct rest_session *s, struct arena *a, const struct json *value,
	struct str *out, struct err *err)
{
	struct rest_render r = { .arena = a, .record = s->variables, .doubles_only = true };

	return rest_render_body(&r, s, value, out, err);
}

/* Is this kind of authentication used? FILLED: the fields for it are there. */
static bool uses(const struct json *rest, const char *kind, bool filled)
{
	struct str type = json_get_str(rest, STR("authType"));

	return filled && (type.p == NULL || str_eq_z(type, kind));
}

/* Where the token goes. */
static void read_token_place(struct rest_connection *c, const struct json *rest)
{
	struct str location = json_get_str(rest, STR("tokenLocation"));

	c->token_place = str_eq_z(location, "url")    ? REST_TOKEN_URL
			 : str_eq_z(location, "body") ? REST_TOKEN_BODY
						      : REST_TOKEN_NONE;
	c->token_param = json_get_str(rest, STR("tokenParam"));
	if (c->token_param.p == NULL)
		c->token_param = STR("access_token");
	c->oauth.header = json_get_str(rest, STR("authHeader"));
	if (c->oauth.header.p == NULL)
		c->oauth.header = STR("Authorization");
	c->oauth.scheme = json_get_str(rest, STR("authScheme"));
	if (c->oauth.scheme.p == NULL)
		c->oauth.scheme = STR("Bearer");
}

bool rest_token_use(struct rest_session *s, struct str token, struct err *err)
{
	struct rest_connection *c = &s->conn;
	const struct http_header *there;
	struct str before = c->oauth.field;

	c->token = token;
	if (c->token_place != REST_TOKEN_NONE)
		return true;
	/* an empty scheme means the bare token */
	c->oauth.field = c->oauth.scheme.n == 0 ? token
						: str_fmt(s->arena, "%.*s %.*s",
							  STR_ARG(c->oauth.scheme), STR_ARG(token));
	there = rest_header_find(c->headers, c->header_count, c->oauth.header);
	if (there != NULL && there->value.p != before.p)
		return true; /* a header of the document's own wins */
	return rest_header_put(c->headers, &c->header_count, c->oauth.header, c->oauth.field, err);
}

static bool read_token(struct rest_session *s, const struct json *rest, struct err *err)
{
	struct str token = json_get_str(rest, STR("bearerToken"));
	bool oauth = uses(rest, "oauth", true) &&
		     (json_get(rest, STR("authType")) != NULL ||
			     json_get_str(rest, STR("refreshToken")).p != NULL);

	read_token_place(&s->conn, rest);
	if (!oauth && !uses(rest, "token", token.p != NULL)) {
		s->conn.token_place = REST_TOKEN_NONE;
		return true;
	}
	rest_secret_add(s, token);
	s->conn.oauth.ordinal = s->secrets.ordinals;
	if (oauth && !rest_oauth_read(s, rest, err))
		return false;
	return token.p == NULL || rest_token_use(s, token, err);
}

static bool read_basic(struct rest_session *s, const struct json *rest, struct err *err)
{
	const struct json *basic = json_get(rest, STR("basicAuth"));
	struct str user = json_get_str(basic, STR("username")),
		   password = json_get_str(basic, STR("password"));

	if (!uses(rest, "basic", user.p != NULL || password.p != NULL))
		return true;
	struct str pair = base64_encode(s->arena,
		str_fmt(s->arena, "%.*s:%.*s", STR_ARG(user), STR_ARG(password)));

	rest_secret_add(s, password);
	rest_secret_add(s, pair);
	return rest_header_put(s->conn.headers, &s->conn.header_count, STR("Authorization"),
		str_fmt(s->arena, "Basic %.*s", STR_ARG(pair)), err);
}

static bool read_login(struct rest_session *s, const struct json *rest, struct err *err)
{
	const struct json *cookie = json_get(rest, STR("cookieAuth"));
	struct rest_login *login = &s->conn.login;
	struct str uri = json_get_str(cookie, STR("uri"));

	if (!uses(rest, "cookie", uri.p != NULL))
		return true;
	login->wanted = true;
	login->method = rest_method(json_get_str(cookie, STR("method")), HTTP_POST);
	if (!json_to_i64(json_get(cookie, STR("successStatusCode")), &login->status))
		login->status = 0;
	if (!rest_connection_text(s, s->arena, uri, &login->uri, err))
		return err_wrap(err, "rest.cookieAuth.uri");
	return rest_connection_body(s, s->arena, json_get(cookie, STR("body")), &login->body,
		       err) ||
	       err_wrap(err, "rest.cookieAuth.body");
}

/* The headers of the document win over the credentials' of the same name. */
static bool read_headers(struct rest_session *s, const struct json *rest, struct err *err)
{
	struct rest_connection *c = &s->conn;
	const struct json *list = json_get(rest, STR("headers"));

	if (!json_is_array(list))
		return true;
	for (json_each (item, list)) {
		struct str name = json_get_str(item, STR("name")), value;

		if (!rest_connection_text(s, s->arena, json_get_str(item, STR("value")), &value,
			    err))
			return err_wrap(err, "the connection's header %.*s", STR_ARG(name));
		if (rest_is_secret_name(name))
			rest_secret_add(s, value);
		if (name.p != NULL && value.p != NULL &&
			!rest_header_put(c->headers, &c->header_count, name, value, err))
			return false;
	}
	return true;
}

static enum rest_media read_media(const struct json *rest)
{
	struct str word = json_get_str(rest, STR("mediaType"));

	return str_eq_z(word, "urlencoded") ? REST_FORM
	       : str_eq_z(word, "xml")      ? REST_XML
					    : REST_JSON;
}

/* Every text of the map `encrypted` is a secret; the names are none. */
static void add_secrets(struct rest_session *s, const struct json *v)
{
	if (v == NULL)
		return;
	if (v->type == JSON_STRING || v->type == JSON_NUMBER)
		rest_secret_add(s, json_str(v));
	else if (v->type == JSON_ARRAY)
		for (json_each (it, v))
			add_secrets(s, it);
	else if (v->type == JSON_OBJECT)
		for (json_each_member(key, v))
			add_secrets(s, json_value(key));
}

bool rest_connection_read(struct rest_session *s, const struct json *connection, struct err *err)
{
	const struct json *rest = json_get(connection, STR("rest"));
	struct rest_connection *c = &s->conn;
	int64_t level;

	c->level = LIMIT_CONNECTION_CONCURRENCY_DEFAULT;
	c->base_uri = json_get_str(rest, STR("baseURI"));
	if (c->base_uri.p == NULL)
		return err_set_field(err, ERR_MISSING, "rest.baseURI",
			"the connection has no rest.baseURI");
	if (!url_parse(s->arena, c->base_uri, &c->base, err))
		return err_wrap(err, "rest.baseURI");
	c->media = read_media(rest);
	c->insecure_tls = json_get_true(rest, STR("disableStrictSSL"));
	c->retry_header = json_get_str(rest, STR("retryHeader"));
	if (c->retry_header.n == 0)
		c->retry_header = STR("Retry-After");
	if (json_to_i64(json_get(rest, STR("concurrencyLevel")), &level))
		c->level = (unsigned)level;
	add_secrets(s, json_get(rest, STR("encrypted")));
	return read_token(s, rest, err) && read_basic(s, rest, err) && read_login(s, rest, err) &&
	       read_headers(s, rest, err);
}
