/*
 * rest_proxy.c - a request of the user's own, sent with the connection's authentication.
 *
 * What the client sent goes out as it is, but for the fields that belong to one hop (RFC 9110,
 * 7.6.1) or to this server; credentials are the connection's, and win over what was passed on.
 */
#include "adaptor/rest/rest_session_priv.h"

static const char *const hop_by_hop[] = { "Connection", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
	"Upgrade" };
/* Ours, or made anew by the client for this transfer. */
static const char *const not_sent[] = { "Host", "Content-Length", "Expect", "Authorization",
	"Cookie", "Accept-Encoding", "Content-Type" };
/* The answer's body is handed on decoded and in one piece. */
static const char *const not_answered[] = { "Content-Length", "Content-Encoding", "Set-Cookie" };

static bool is_in(struct str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_ci(name, str_z(list[i])))
			return true;
	return false;
}

/* A field that the Connection field names belongs to that hop too. */
static bool is_named(struct str name, struct str connection)
{
	while (connection.p != NULL)
		if (str_eq_ci(str_trim(str_cut(&connection, ',')), name))
			return true;
	return false;
}

static bool take_headers(struct rest_session *s, const struct proxy_request *rq,
	struct http_header *own, size_t *count, struct err *err)
{
	struct str connection = STR_NULL;

	*count = 0;
	for (size_t i = 0; i < rq->header_count; i++)
		if (str_eq_ci(rq->headers[i].name, STR("Connection")))
			connection = rq->headers[i].value;
	for (size_t i = 0; i < rq->header_count; i++) {
		struct str name = rq->headers[i].name;

		if (is_in(name, hop_by_hop, ARRAY_LEN(hop_by_hop)) ||
			is_in(name, not_sent, ARRAY_LEN(not_sent)) || is_named(name, connection) ||
			str_starts_ci(name, STR("Integrator-")) ||
			rest_header_find(s->conn.headers, s->conn.header_count, name) != NULL)
			continue;
		if (!rest_header_put(own, count, name, rq->headers[i].value, err))
			return false;
	}
	return true;
}

static void answer_headers(const struct http_call *c, struct arena *a, struct proxy_answer *out)
{
	struct str rest = buf_str(&c->res_headers),
		   connection = http_call_header(c, STR("Connection"));
	size_t lines = 1;

	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	out->headers = arena_array_of(a, struct http_header, lines);
	while (rest.p != NULL) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');

		if (value.p == NULL || is_in(name, hop_by_hop, ARRAY_LEN(hop_by_hop)) ||
			is_in(name, not_answered, ARRAY_LEN(not_answered)) ||
			is_named(name, connection))
			continue;
		out->headers[out->header_count++] = (struct http_header){ str_dup(a, name),
			str_dup(a, str_trim(value)) };
	}
}

static bool run(struct rest_session *s, struct rest_call *c, const struct proxy_request *rq,
	struct arena *a, struct proxy_answer *out, struct err *err)
{
	struct http_header own[REST_HEADERS_MAX];
	struct str type;

	c->purpose = "proxy";
	c->method = http_method_of(rq->method);
	if (c->method == HTTP_OTHER)
		return err_set_field(err, ERR_INVALID, "Integrator-Method",
			"Integrator-Method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; "
			"found \"%.*s\"",
			STR_ARG(str_sub(rq->method, 0, 64)));
	c->uri = rq->relative_uri;
	c->body = rq->body;
	c->content_type = rq->content_type;
	c->own = own;
	c->no_redirects = true;
	if (!take_headers(s, rq, own, &c->own_count, err) || !rest_session_run(s, c, err))
		return false;
	type = http_call_header(&c->http, STR("Content-Type"));
	*out = (struct proxy_answer){ .status = c->http.status,
		.content_type = type.p == NULL ? STR_NULL : str_dup(a, type),
		.body = str_dup(a, buf_str(&c->http.res_body)) };
	answer_headers(&c->http, a, out);
	return true;
}

bool rest_proxy(const struct adaptor_env *env, const struct json *connection,
	const struct proxy_request *rq, struct arena *a, struct proxy_answer *out, struct err *err)
{
	struct rest_session *s;
	struct rest_call c DEFER(rest_call_free);

	rest_call_init(&c);
	if (!rest_session_open(env, connection, 1, &s, err))
		return false;
	bool ok = run(s, &c, rq, a, out, err);

	rest_session_close(s);
	return ok;
}
