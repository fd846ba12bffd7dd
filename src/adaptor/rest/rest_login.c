/*
 * rest_login.c - connections that are let in by a login: one request whose answer sets cookies.
 *
 * A small jar for one origin. Domain and Path of a cookie are not looked at: cookies go back to the
 * origin that set them, to every path of it, and nowhere else. Answers of later calls may renew them.
 */
#include "adaptor/rest/rest_fields.h"
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

static struct rest_cookie *find_cookie(struct rest_session *s, struct str name)
{
	for (size_t i = 0; i < REST_COOKIES_MAX; i++)
		if (str_eq(buf_str(&s->cookies[i].name), name))
			return &s->cookies[i];
	return NULL;
}

/* Beyond REST_COOKIES_MAX cookies new ones are not kept, and none of more than REST_COOKIE_BYTES. */
static void take_cookie(struct rest_session *s, struct str field)
{
	struct rest_set_cookie got;

	if (!rest_set_cookie_read(field, &got) || got.name.n + got.value.n > REST_COOKIE_BYTES)
		return;
	struct rest_cookie *c = find_cookie(s, got.name);

	if (c == NULL)
		c = find_cookie(s, STR(""));
	if (c == NULL)
		return;
	buf_reset(&c->name);
	buf_reset(&c->value);
	c->secure = got.secure;
	if (got.ended)
		return;
	buf_add_str(&c->name, got.name);
	buf_add_str(&c->value, got.value);
}

void rest_cookies_take(struct rest_session *s, const struct http_call *c)
{
	struct str rest = buf_str(&c->res_headers);
	struct url from;
	struct err err = ERR_INIT;

	if (!url_parse(s->scratch, str_z(c->res_url), &from, &err) ||
		!url_same_origin(&from, &s->conn.base))
		return;
	while (rest.p != NULL) {
		struct str line = str_cut(&rest, '\n');
		struct str name = str_cut(&line, ':');

		if (line.p != NULL && str_eq_ci(name, STR("Set-Cookie")))
			take_cookie(s, str_trim(line));
	}
}

void rest_cookies_put(const struct rest_session *s, struct buf *out)
{
	bool tls = str_eq_z(s->conn.base.scheme, "https");

	for (size_t i = 0; i < REST_COOKIES_MAX; i++) {
		const struct rest_cookie *c = &s->cookies[i];

		if (c->name.n == 0 || (c->secure && !tls))
			continue;
		if (out->n > 0)
			buf_add_str(out, STR("; "));
		buf_add_str(out, buf_str(&c->name));
		buf_add_char(out, '=');
		buf_add_str(out, buf_str(&c->value));
	}
}

static void forget_cookies(struct rest_session *s)
{
	for (size_t i = 0; i < REST_COOKIES_MAX; i++) {
		buf_reset(&s->cookies[i].name);
		buf_reset(&s->cookies[i].value);
	}
}

static bool has_cookie(const struct rest_session *s)
{
	for (size_t i = 0; i < REST_COOKIES_MAX; i++)
		if (s->cookies[i].name.n > 0)
			return true;
	return false;
}

static bool judge(struct rest_session *s, const struct http_call *c, struct err *err)
{
	int64_t want = s->conn.login.status;

	if (want == 0 ? c->status >= 400 : c->status != want)
		return rest_status_error(s, c, err);
	rest_cookies_take(s, c);
	return has_cookie(s) ||
	       err_set(err, ERR_HTTP_STATUS, "answered status %d without a cookie", c->status);
}

/*
 * The login has a pool of its own: calls of the session may be in the air, and they must not be
 * handed out here. A redirect is not followed, since it is the answer that sets the cookies.
 */
static bool log_in(struct rest_session *s, struct rest_call *c, struct err *err)
{
	struct http_pool *pool = http_pool_new(&(struct http_pool_config){ .egress = s->env->egress,
		.concurrency = 1,
		.ca_file = s->env->ca_file });
	bool ok;

	http_pool_submit(pool, &c->http);
	while (http_pool_next(pool, clock_mono_ms(clock_system()) + REST_POLL_MS) == NULL)
		if (rest_session_canceled(s, NULL))
			http_pool_cancel(pool);
	http_pool_free(pool);
	rest_trace(s, c);
	s->login_status = c->http.status;
	ok = c->http.err.code == ERR_NONE;
	if (!ok)
		*err = c->http.err;
	return ok && judge(s, &c->http, err);
}

bool rest_login(struct rest_session *s, struct err *err)
{
	const struct rest_login *login = &s->conn.login;
	struct rest_call c DEFER(rest_call_free);

	rest_call_init(&c);
	c.purpose = "login";
	c.method = login->method;
	c.uri = login->uri;
	c.body = login->body;
	c.no_redirects = true;
	forget_cookies(s);
	bool ok = rest_call_complete(s, &c, err) && log_in(s, &c, err);

	if (!ok)
		return err_wrap(err, "login at %.*s",
			STR_ARG(rest_url_for_people(s->scratch, c.http.url)));
	s->logins++;
	return true;
}
