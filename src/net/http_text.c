/*
 * http_text.c - words of HTTP (methods, status texts) and look-ups in a request; queries are walked
 * each time, since they are short and most handlers ask once.
 */
#include "net/http_class.h"
#include "net/http_server.h"

static const struct str method_names[] = {
	[HTTP_GET] = STR_INIT("GET"),
	[HTTP_HEAD] = STR_INIT("HEAD"),
	[HTTP_POST] = STR_INIT("POST"),
	[HTTP_PUT] = STR_INIT("PUT"),
	[HTTP_PATCH] = STR_INIT("PATCH"),
	[HTTP_DELETE] = STR_INIT("DELETE"),
	[HTTP_OPTIONS] = STR_INIT("OPTIONS"),
};

enum http_method http_method_of(struct str token)
{
	for (size_t i = 0; i < ARRAY_LEN(method_names); i++)
		if (str_eq(token, method_names[i]))
			return (enum http_method)i;
	return HTTP_OTHER;
}

const char *http_method_name(enum http_method m)
{
	return (size_t)m < ARRAY_LEN(method_names) ? method_names[m].p : "OTHER";
}

/* RFC 9110, 15, and those of RFC 6585. */
static const struct {
	int status;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 424, "Failed Dependency" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "";
}

struct str http_request_header(const struct http_exchange *x, struct str name)
{
	for (size_t i = 0; i < x->header_count; i++)
		if (str_eq_ci(x->headers[i].name, name))
			return x->headers[i].value;
	return STR_NULL;
}

/*
 * Takes one decoded byte from *S (not empty): '+' is a space, %XX a byte, anything else itself.
 */
static char decoded_byte(struct str *s)
{
	char c = s->p[0];
	size_t used = 1;

	if (c == '+') {
		c = ' ';
	} else if (c == '%' && s->n > 2) {
		int high = http_hex(s->p[1]), low = http_hex(s->p[2]);

		if (high >= 0 && low >= 0) {
			c = (char)(high << 4 | low);
			used = 3;
		}
	}
	*s = str_from(*s, used);
	return c;
}

static struct str decoded(struct arena *a, struct str s)
{
	if (str_find_char(s, '%') == STR_NPOS && str_find_char(s, '+') == STR_NPOS)
		return s;
	char *d = arena_alloc(a, s.n);
	size_t n = 0;

	while (s.n > 0)
		d[n++] = decoded_byte(&s);
	return str_of(d, n);
}

static bool decodes_to(struct str s, struct str want)
{
	size_t i = 0;

	while (s.n > 0) {
		if (i == want.n || decoded_byte(&s) != want.p[i])
			return false;
		i++;
	}
	return i == want.n;
}

/* The next pair from offset *AT that is not empty, not decoded. VALUE is "" without '='. */
static bool next_pair(struct str query, size_t *at, struct str *name, struct str *value)
{
	while (query.p != NULL && *at < query.n) {
		struct str rest = str_from(query, *at);
		struct str pair = str_cut(&rest, '&');

		*at = rest.p == NULL ? query.n : (size_t)(rest.p - query.p);
		if (pair.n == 0)
			continue;
		*name = str_cut(&pair, '=');
		*value = pair.p == NULL ? STR("") : pair;
		return true;
	}
	return false;
}

struct str http_request_query(const struct http_exchange *x, struct str name)
{
	struct str n, v;

	for (size_t at = 0; next_pair(x->query, &at, &n, &v);)
		if (decodes_to(n, name))
			return decoded(x->arena, v);
	return STR_NULL;
}

bool http_request_query_next(const struct http_exchange *x, size_t *at, struct str *name,
	struct str *value)
{
	struct str n, v;

	if (!next_pair(x->query, at, &n, &v))
		return false;
	*name = decoded(x->arena, n);
	*value = decoded(x->arena, v);
	return true;
}

static bool splits_response(struct str s)
{
	return str_find_char(s, '\r') != STR_NPOS || str_find_char(s, '\n') != STR_NPOS ||
	       str_find_char(s, '\0') != STR_NPOS;
}

/* Fields that the server writes itself; a second one would contradict it. */
static bool is_servers_own(struct str name)
{
	return (name.n == 4 && str_eq_ci(name, STR("date"))) ||
	       (name.n == 10 && str_eq_ci(name, STR("connection"))) ||
	       (name.n == 14 && str_eq_ci(name, STR("content-length"))) ||
	       (name.n == 17 && str_eq_ci(name, STR("transfer-encoding")));
}

void http_response_header(struct http_exchange *x, struct str name, struct str value)
{
	CHECK(name.n > 0 && !splits_response(name) && !splits_response(value));
	CHECK(!is_servers_own(name));
	if (x->res_header_count == x->res_header_cap) {
		size_t cap = MAX(x->res_header_cap * 2, (size_t)8);

		x->res_headers = arena_grow(x->arena, x->res_headers,
			x->res_header_count * sizeof(struct http_header),
			cap * sizeof(struct http_header));
		x->res_header_cap = cap;
	}
	x->res_headers[x->res_header_count++] = (struct http_header){ name, value };
}
