/*
 * rest_connection.c - turns a connection document into the headers and URL parts of a request.
 *
 * Which authentication is meant follows from the fields that are set, as in the product document:
 * `rest.bearerToken` (in a header or the URL, by tokenLocation) or `rest.basicAuth`.
 */
#include "adaptor/rest/rest_priv.h"

#include "core/limits.h"
#include "data/base64.h"

static bool header_add(struct http_header *list, size_t *count, struct str name, struct str value,
	struct err *err)
{
	if (*count == REST_HEADERS_MAX)
		return err_set(err, ERR_LIMIT, "a request can have at most %d headers",
			REST_HEADERS_MAX);
	list[(*count)++] = (struct http_header){ name, value };
	return true;
}

static struct http_header *header_find(struct http_header *list, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_ci(list[i].name, name))
			return &list[i];
	return NULL;
}

/* Adds {name, value} elements; one that is there already gets the new value. */
static bool headers_from(struct http_header *list, size_t *count, const struct json *own,
	struct err *err)
{
	if (!json_is_array(own))
		return true;
	for (json_each (item, own)) {
		struct str name = json_get_str(item, STR("name")),
			   value = json_get_str(item, STR("value"));
		struct http_header *there = header_find(list, *count, name);

		if (name.p == NULL || value.p == NULL)
			continue;
		if (there != NULL)
			there->value = value;
		else if (!header_add(list, count, name, value, err))
			return false;
	}
	return true;
}

static bool read_token(struct arena *a, const struct json *rest, struct rest_connection *out,
	struct err *err)
{
	struct str token = json_get_str(rest, STR("bearerToken"));
	struct str location = json_get_str(rest, STR("tokenLocation"));
	struct str name = json_get_str(rest, STR("authHeader"));
	struct str scheme = json_get_str(rest, STR("authScheme"));

	if (token.p == NULL)
		return true;
	if (str_eq_z(location, "url")) {
		out->token = token;
		out->token_param = json_get_str(rest, STR("tokenParam"));
		if (out->token_param.p == NULL)
			out->token_param = STR("access_token");
		return true;
	}
	if (name.p == NULL)
		name = STR("Authorization");
	if (scheme.p == NULL)
		scheme = STR("Bearer");
	/* an empty scheme means the bare token */
	struct str value = scheme.n == 0 ? token
					 : str_fmt(a, "%.*s %.*s", STR_ARG(scheme), STR_ARG(token));

	return header_add(out->headers, &out->header_count, name, value, err);
}

static bool read_basic(struct arena *a, const struct json *rest, struct rest_connection *out,
	struct err *err)
{
	const struct json *basic = json_get(rest, STR("basicAuth"));
	struct str user = json_get_str(basic, STR("username")),
		   password = json_get_str(basic, STR("password"));

	if (user.p == NULL && password.p == NULL)
		return true;
	struct str pair = str_fmt(a, "%.*s:%.*s", STR_ARG(user), STR_ARG(password));
	struct str value = str_fmt(a, "Basic %.*s", STR_ARG(base64_encode(a, pair)));

	return header_add(out->headers, &out->header_count, STR("Authorization"), value, err);
}

bool rest_connection_read(struct arena *a, const struct json *connection,
	struct rest_connection *out, struct err *err)
{
	const struct json *rest = json_get(connection, STR("rest"));
	int64_t level;

	*out = (struct rest_connection){ .concurrency = LIMIT_CONNECTION_CONCURRENCY_DEFAULT };
	out->base_uri = json_get_str(rest, STR("baseURI"));
	if (out->base_uri.p == NULL)
		return err_set_field(err, ERR_MISSING, "rest.baseURI",
			"the connection has no rest.baseURI");
	if (!url_parse(a, out->base_uri, &out->base, err))
		return err_wrap(err, "rest.baseURI");
	out->insecure_tls = json_get_true(rest, STR("disableStrictSSL"));
	if (json_to_i64(json_get(rest, STR("concurrencyLevel")), &level))
		out->concurrency = (unsigned)level;
	return read_token(a, rest, out, err) && read_basic(a, rest, out, err) &&
	       headers_from(out->headers, &out->header_count, json_get(rest, STR("headers")), err);
}

bool rest_headers(struct arena *a UNUSED, const struct rest_connection *c, const struct json *own,
	bool has_body, struct http_header *out, size_t *count, struct err *err)
{
	memcpy(out, c->headers, c->header_count * sizeof(*out));
	*count = c->header_count;
	if (!headers_from(out, count, own, err))
		return false;
	if (header_find(out, *count, STR("Accept")) == NULL &&
		!header_add(out, count, STR("Accept"), STR("application/json"), err))
		return false;
	return !has_body || header_find(out, *count, STR("Content-Type")) != NULL ||
	       header_add(out, count, STR("Content-Type"), STR("application/json"), err);
}

struct str rest_url_for_people(struct arena *a, struct str url)
{
	size_t q = str_find_char(url, '?');

	return str_dup(a, q == STR_NPOS ? url : str_sub(url, 0, q));
}

struct str rest_url_masked(struct arena *a, const struct rest_connection *c, struct str url)
{
	size_t q = str_find_char(url, '?');
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	char sep = '?';

	if (c->token_param.p == NULL || q == STR_NPOS)
		return url;
	buf_add_str(&b, str_sub(url, 0, q));
	for (struct str rest = str_from(url, q + 1); rest.p != NULL;) {
		struct str pair = str_cut(&rest, '&'), value = pair;

		if (str_eq(url_decode(a, str_cut(&value, '='), true), c->token_param))
			continue;
		buf_add_char(&b, sep);
		buf_add_str(&b, pair);
		sep = '&';
	}
	return str_dup(a, buf_str(&b));
}

struct str rest_url_with_token(struct arena *a, const struct rest_connection *c, struct str url)
{
	if (c->token_param.p == NULL)
		return url;
	return url_add_query(a, rest_url_masked(a, c, url), c->token_param, c->token);
}

struct str rest_url(struct arena *a, const struct rest_connection *c, struct str relative)
{
	return rest_url_with_token(a, c, url_join(a, c->base_uri, relative));
}

bool rest_status_error(const struct http_call *c, struct err *err)
{
	const size_t quote_max = 400;
	struct str body = str_trim(str_sub(buf_str(&c->res_body), 0, quote_max));

	if (body.n == 0)
		return err_set(err, ERR_HTTP_STATUS, "answered status %d with an empty body",
			c->status);
	if (!str_is_utf8(str_sub(buf_str(&c->res_body), 0, c->res_body.n)))
		return err_set(err, ERR_HTTP_STATUS,
			"answered status %d with a body that is not text", c->status);
	while (body.n > 0 && !str_is_utf8(body)) /* the cut may have split a character */
		body.n--;
	return err_set(err, ERR_HTTP_STATUS, "answered status %d: %.*s%s", c->status, STR_ARG(body),
		c->res_body.n > quote_max ? "..." : "");
}

enum http_method rest_method(struct str word, enum http_method otherwise)
{
	return word.p == NULL ? otherwise : http_method_of(word);
}
