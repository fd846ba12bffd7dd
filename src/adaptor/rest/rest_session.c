/*
 * rest_session.c - sessions, and the life of a call in one.
 *
 * A call is completed each time it is sent - URL, header list, body - because what the session adds
 * can change in between: a cookie, after a new login. All of it stands in buffers of the call, so
 * that a call that waits in the pool keeps what it was given.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

struct http_header *rest_header_find(struct http_header *list, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_ci(list[i].name, name))
			return &list[i];
	return NULL;
}

bool rest_header_put(struct http_header *list, size_t *count, struct str name, struct str value,
	struct err *err)
{
	struct http_header *there = rest_header_find(list, *count, name);

	if (there != NULL) {
		there->value = value;
		return true;
	}
	if (*count == REST_HEADERS_MAX)
		return err_set(err, ERR_LIMIT, "a request can have at most %d headers",
			REST_HEADERS_MAX);
	list[(*count)++] = (struct http_header){ name, value };
	return true;
}

bool rest_headers_read(const struct json *list, struct http_header *out, size_t *count,
	struct err *err)
{
	*count = 0;
	if (!json_is_array(list))
		return true;
	for (json_each (item, list)) {
		struct str name = json_get_str(item, STR("name")),
			   value = json_get_str(item, STR("value"));

		if (name.p != NULL && value.p != NULL &&
			!rest_header_put(out, count, name, value, err))
			return false;
	}
	return true;
}

enum http_method rest_method(struct str word, enum http_method otherwise)
{
	return word.p == NULL ? otherwise : http_method_of(word);
}

/* ---- sessions ---- */

static const struct json *make_variables(struct arena *a, const struct json *connection)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("connection"), connection);
	json_build_end(&b);
	return json_build_done(&b);
}

bool rest_session_open(const struct adaptor_env *env, const struct json *connection,
	unsigned concurrency, struct rest_session **out, struct err *err)
{
	struct arena *a = arena_new("session", 0);
	struct rest_session *s = arena_new_of(a, struct rest_session);

	s->arena = a;
	s->scratch = arena_new("call", 0);
	s->env = env;
	s->variables = make_variables(a, connection);
	if (!rest_connection_read(s, connection, err)) {
		rest_session_close(s);
		return false;
	}
	s->conn.concurrency = concurrency != 0 ? concurrency : s->conn.level;
	rest_gate_init(s, connection);
	if (s->conn.login.wanted) {
		s->cookies = arena_array_of(a, struct rest_cookie, REST_COOKIES_MAX);
		for (size_t i = 0; i < REST_COOKIES_MAX; i++) {
			s->cookies[i].name = (struct buf)BUF_INIT(REST_COOKIE_BYTES);
			s->cookies[i].value = (struct buf)BUF_INIT(REST_COOKIE_BYTES);
		}
	}
	s->pool = http_pool_new(&(struct http_pool_config){ .egress = env->egress,
		.concurrency = s->conn.concurrency,
		.ca_file = env->ca_file });
	*out = s;
	return true;
}

void rest_session_close(struct rest_session *s)
{
	if (s == NULL)
		return;
	CHECK(s->in_air == 0);
	http_pool_free(s->pool);
	for (size_t i = 0; s->cookies != NULL && i < REST_COOKIES_MAX; i++) {
		buf_free(&s->cookies[i].name);
		buf_free(&s->cookies[i].value);
	}
	arena_wipe(s->scratch);
	arena_free(s->scratch);
	struct arena *a = s->arena;

	arena_wipe(a);
	arena_free(a);
}

unsigned rest_session_concurrency(const struct rest_session *s)
{
	return s->conn.concurrency;
}

const struct json *rest_session_variables(const struct rest_session *s)
{
	return s->variables;
}

/* ---- calls ---- */

void rest_call_init(struct rest_call *c)
{
	memset(c, 0, sizeof(*c));
	http_call_init(&c->http);
	c->url = (struct buf)BUF_INIT(URL_BYTES_MAX);
	c->text = (struct buf)BUF_INIT(0);
	c->cookie = (struct buf)BUF_INIT(LIMIT_REQUEST_HEADERS);
}

void rest_call_free(struct rest_call *c)
{
	http_call_free(&c->http);
	buf_free(&c->url);
	buf_free(&c->text);
	buf_free(&c->cookie);
}

static bool is_absolute(struct str uri)
{
	return str_starts_ci(uri, STR("http://")) || str_starts_ci(uri, STR("https://"));
}

struct str rest_absolute(const struct rest_session *s, struct arena *a, struct str uri)
{
	return is_absolute(uri) ? uri : url_join(a, s->conn.base_uri, uri);
}

static bool put_url(struct rest_session *s, struct rest_call *c, struct err *err)
{
	struct arena *a = s->scratch;
	struct str url = c->uri;
	struct url parsed;

	if (!is_absolute(url)) {
		url = rest_absolute(s, a, url);
	} else if (!url_parse(a, url, &parsed, err)) {
		return false;
	} else if (!url_same_origin(&parsed, &s->conn.base)) {
		return err_set(err, ERR_EGRESS,
			"%.*s is another server, and the credentials of the connection are for "
			"%.*s only",
			STR_ARG(url_origin(a, &parsed)), STR_ARG(url_origin(a, &s->conn.base)));
	}
	if (s->conn.token_place == REST_TOKEN_URL)
		url = url_add_query(a, rest_url_without_token(s, a, url), s->conn.token_param,
			s->conn.token);
	buf_reset(&c->url);
	buf_add_str(&c->url, url);
	if (c->url.over)
		return err_set(err, ERR_LIMIT, "the request's URL is longer than %d bytes",
			URL_BYTES_MAX);
	c->http.url = buf_str(&c->url);
	return true;
}

static bool put_body(struct rest_session *s, struct rest_call *c, struct err *err)
{
	c->http.body = c->body;
	if (s->conn.token_place != REST_TOKEN_BODY)
		return true;
	if (c->method == HTTP_GET || c->method == HTTP_HEAD)
		return err_set(err, ERR_INVALID,
			"the connection sends its token in the body (rest.tokenLocation), and a %s "
			"has none",
			http_method_name(c->method));
	buf_reset(&c->text);
	if (!rest_body_with_token(s, c->body, &c->text, err))
		return false;
	c->http.body = buf_str(&c->text);
	return true;
}

/* PUT unless the request has it already. */
static bool put_default(struct rest_call *c, struct str name, struct str value, struct err *err)
{
	return rest_header_find(c->headers, c->http.header_count, name) != NULL ||
	       rest_header_put(c->headers, &c->http.header_count, name, value, err);
}

static bool put_headers(struct rest_session *s, struct rest_call *c, struct err *err)
{
	size_t *count = &c->http.header_count;
	struct str accept = s->conn.media == REST_XML
				    ? STR("application/xml, application/json;q=0.9")
				    : STR("application/json");

	memcpy(c->headers, s->conn.headers, s->conn.header_count * sizeof(c->headers[0]));
	*count = s->conn.header_count;
	for (size_t i = 0; i < c->own_count; i++)
		if (!rest_header_put(c->headers, count, c->own[i].name, c->own[i].value, err))
			return false;
	c->http.headers = c->headers;
	if (!put_default(c, STR("Accept"), accept, err))
		return false;
	if (c->http.body.n > 0 &&
		!put_default(c, STR("Content-Type"),
			c->content_type.p != NULL ? c->content_type
						  : rest_media_type(s->conn.media),
			err))
		return false;
	if (s->cookies == NULL)
		return true;
	buf_reset(&c->cookie);
	rest_cookies_put(s, &c->cookie);
	return c->cookie.n == 0 ||
	       rest_header_put(c->headers, count, STR("Cookie"), buf_str(&c->cookie), err);
}

bool rest_call_complete(struct rest_session *s, struct rest_call *c, struct err *err)
{
	arena_reset(s->scratch);
	c->http.method = c->method;
	c->http.body_max = c->body_max;
	c->http.redirects_max = c->no_redirects ? 0 : LIMIT_REDIRECTS;
	c->http.timeout_ms = s->env->timeout_ms;
	c->http.insecure_tls = s->conn.insecure_tls;
	c->http.user = c;
	c->login = s->logins;
	return put_url(s, c, err) && put_body(s, c, err) && put_headers(s, c, err);
}

/* A call that was not sent because there is no token for it is one that was refused. */
static void not_let_in(struct rest_call *c, const struct err *err)
{
	buf_reset(&c->http.res_headers);
	buf_reset(&c->http.res_body);
	c->http.url = c->uri;
	c->http.sent = false;
	c->http.status = err->code == ERR_HTTP_STATUS ? 401 : 0;
}

/* The call is completed before the login too: a call that can't be made asks for none. */
static bool ready(struct rest_session *s, struct rest_call *c, struct err *err)
{
	if (!rest_oauth_ready(s, err)) {
		not_let_in(c, err);
		return false;
	}
	if (!rest_call_complete(s, c, err))
		return false;
	if (s->cookies == NULL || s->logins > 0)
		return true;
	return rest_gate_pass(s, c, err) && rest_login(s, err) && rest_call_complete(s, c, err);
}

bool rest_session_submit(struct rest_session *s, struct rest_call *c, struct err *err)
{
	c->again = false;
	if (!ready(s, c, err)) {
		rest_gate_leave(s, c);
		c->http.err = *err;
		return false;
	}
	s->in_air++;
	rest_gate_launch(s, c);
	return true;
}

/* False: there is no other login, or it failed (ERR). */
static bool let_in_again(struct rest_session *s, const struct rest_call *c, struct err *err)
{
	/* another call may have seen the end of the same login and asked for a new one */
	if (c->login != s->logins)
		return true;
	return s->cookies != NULL ? rest_login(s, err) : rest_oauth_refused(s, err) == REST_RENEWED;
}

/* Was the call refused for a login or token that has ended, and is it on its way again? */
static bool goes_again(struct rest_session *s, struct rest_call *c)
{
	struct err err = ERR_INIT;

	if ((s->cookies == NULL && !s->conn.oauth.wanted) || c->again ||
		c->http.err.code != ERR_NONE || c->http.status != 401)
		return false;
	c->again = true;
	if (!let_in_again(s, c, &err) || !rest_call_complete(s, c, &err)) {
		c->http.err = err;
		c->http.sent = c->http.sent &&
			       err.code == ERR_NONE; /* the 401 settled the outcome */
		return false;
	}
	s->in_air++;
	rest_gate_launch(s, c);
	return true;
}

bool rest_session_canceled(const struct rest_session *s, struct err *err)
{
	if (s->env->canceled == NULL || !atomic_load(s->env->canceled))
		return false;
	err_set(err, ERR_CANCELED, "the job was canceled");
	return true;
}

struct rest_call *rest_session_next(struct rest_session *s, int64_t until_ms)
{
	int64_t poll_ms = clock_mono_ms(clock_system()) + REST_POLL_MS;

	if (rest_session_canceled(s, NULL))
		http_pool_cancel(s->pool);
	struct rest_call *c = rest_gate_look(s, MIN(until_ms, poll_ms));

	if (c != NULL) {
		s->in_air--;
		return c;
	}
	struct http_call *h = http_pool_next(s->pool, MIN(until_ms, poll_ms));

	if (h == NULL)
		return NULL;
	c = h->user;
	s->in_air--;
	rest_trace(s, c);
	if (s->cookies != NULL && h->err.code == ERR_NONE)
		rest_cookies_take(s, h);
	if (goes_again(s, c))
		return NULL; /* by the same pass */
	rest_gate_leave(s, c);
	return c;
}

bool rest_session_run(struct rest_session *s, struct rest_call *c, struct err *err)
{
	if (!rest_session_submit(s, c, err))
		return false;
	while (rest_session_next(s, INT64_MAX) == NULL)
		CHECK(s->in_air > 0);
	if (c->http.err.code == ERR_NONE)
		return true;
	*err = c->http.err;
	return false;
}

bool rest_session_wait(struct rest_session *s, int64_t ms, struct err *err)
{
	int64_t end = clock_mono_ms(s->env->clock) + ms, left;

	while ((left = end - clock_mono_ms(s->env->clock)) > 0) {
		if (rest_session_canceled(s, err))
			return false;
		clock_sleep_ms(s->env->clock, MIN(left, REST_POLL_MS));
	}
	return !rest_session_canceled(s, err);
}
