/*
 * rest_oauth.c - tokens that end, and the grant that fetches new ones (RFC 6749, section 6).
 *
 * The stored connection is the truth about its tokens. A session looks there before its first call, when its token
 * ends and when the token is refused; only when what is stored is the token that it has does it ask the
 * application, in its turn (vault.h). What the application answers is stored before it is used: the
 * refresh token may have been replaced, and then the old one is worth nothing.
 */
#include "adaptor/rest/rest_session_priv.h"
#include "adaptor/rest/rest_token.h"

#include "core/limits.h"
#include "data/base64.h"
#include "data/datetime.h"

#define TOKEN_BODY_MAX   65536
#define TOKEN_TIMEOUT_MS INT64_C(30000)
#define TOKEN_TURN_MS    INT64_C(45000) /* how long to wait for who has it */
#define FAILED_MS        700            /* below the first pause between attempts, rest_retry.c */
#define DESCRIPTION_MAX  300

static int64_t ends_of(const struct json *rest)
{
	struct err err = ERR_INIT;
	int64_t ms;

	return datetime_parse_iso(json_get_str(rest, STR("tokenExpiresAt")), DATETIME_ISO, NULL,
		       &ms, &err)
		       ? ms
		       : 0;
}

struct str rest_oauth_scope(struct arena *a, const struct json *doc)
{
	const struct json *list = json_get(doc, STR("scope"));
	struct str between = json_get_str(doc, STR("scopeDelimiter"));
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	if (!json_is_array(list) || list->n == 0)
		return STR_NULL;
	if (between.p == NULL)
		between = STR(" ");
	for (json_each (it, list)) {
		if (b.n > 0)
			buf_add_str(&b, between);
		buf_add_str(&b, json_str(it));
	}
	return str_dup(a, buf_str(&b));
}

bool rest_oauth_read(struct rest_session *s, const struct json *rest, struct err *err)
{
	struct rest_oauth *o = &s->conn.oauth;
	const struct json *connection = json_get(s->variables, STR("connection"));

	o->wanted = true;
	o->in_body = str_eq_z(json_get_str(rest, STR("tokenAuth")), "body");
	o->connection_id = json_get_str(connection, STR("_id"));
	o->iclient_id = json_get_str(rest, STR("_iClientId"));
	o->token_uri = json_get_str(rest, STR("tokenURI"));
	o->scope = rest_oauth_scope(s->arena, rest);
	o->ends_ms = ends_of(rest);
	rest_secret_add(s, json_get_str(rest, STR("refreshToken")));
	return o->token_uri.p != NULL || err_set_field(err, ERR_MISSING, "rest.tokenURI",
						 "the connection has no rest.tokenURI, where new "
						 "tokens are fetched");
}

/* ---- what is stored ---- */

/* One attempt to come to another token. */
struct renewal {
	struct rest_session *s;
	struct arena *arena;     /* wiped behind it */
	bool refused;            /* the application refuses the token in use */
	const struct json *rest; /* of the stored connection */
	struct str refresh_token;
	const struct grant_request *grant; /* NULL: by the refresh token */
	int64_t now_ms;                    /* when it was asked */
};

static bool same_origin(struct arena *a, struct str x, struct str y)
{
	struct err err = ERR_INIT;
	struct url ux, uy;

	return url_parse(a, x, &ux, &err) && url_parse(a, y, &uy, &err) &&
	       url_same_origin(&ux, &uy);
}

/* Are the stored tokens for the application and client that this session was opened for? */
static bool is_same_grant(const struct renewal *r)
{
	const struct rest_connection *c = &r->s->conn;

	return same_origin(r->arena, json_get_str(r->rest, STR("baseURI")), c->base_uri) &&
	       str_eq(json_get_str(r->rest, STR("tokenURI")), c->oauth.token_uri) &&
	       str_eq(json_get_str(r->rest, STR("_iClientId")), c->oauth.iclient_id);
}

static bool use(struct rest_session *s, struct str token, int64_t ends_ms, struct err *err)
{
	struct str kept = str_dup(s->arena, token);

	s->conn.oauth.ends_ms = ends_ms;
	if (str_eq(kept, s->conn.token))
		return true;
	rest_secret_renew(s, s->conn.oauth.ordinal, kept);
	s->logins++;
	return rest_token_use(s, kept, err);
}

static bool is_over(const struct rest_session *s, int64_t ends_ms)
{
	return ends_ms != 0 && clock_wall_ms(s->env->clock) >= ends_ms;
}

/* *FOUND: the stored token is one to go on with, and is used now. */
static bool look(struct renewal *r, bool *found, struct err *err)
{
	struct rest_session *s = r->s;
	const struct json *connection;
	struct str token;

	*found = false;
	if (!vault_open(s->env->vault, s->env->account_id, "connection",
		    s->conn.oauth.connection_id, r->arena, &connection, err))
		return err_wrap(err, "the connection's tokens");
	r->rest = json_get(connection, STR("rest"));
	if (!is_same_grant(r))
		return err_set(err, ERR_INVALID,
			"the connection names another application or client than when this began: "
			"its tokens are not sent there");
	token = json_get_str(r->rest, STR("bearerToken"));
	r->refresh_token = json_get_str(r->rest, STR("refreshToken"));
	if (token.p == NULL || (r->refused && str_eq(token, s->conn.token)))
		return true;
	if (is_over(s, ends_of(r->rest)) && r->refresh_token.p != NULL)
		return true;
	*found = true;
	return use(s, token, ends_of(r->rest), err);
}

/* ---- the request ---- */

/* A client's id and secret; a secret goes to the origin that its iClient names. */
static bool read_client(const struct renewal *r, struct str *id, struct str *secret,
	struct err *err)
{
	const struct rest_session *s = r->s;
	struct str uri = s->conn.oauth.token_uri, own;
	const struct json *client;

	if (s->conn.oauth.iclient_id.p == NULL)
		return err_set_field(err, ERR_MISSING, "rest._iClientId",
			"the connection names no iClient, whose client id fetches new tokens");
	if (!vault_open(s->env->vault, s->env->account_id, "iclient", s->conn.oauth.iclient_id,
		    r->arena, &client, err))
		return err_wrap(err, "the connection's iClient");
	*id = json_get_str(client, STR("clientId"));
	*secret = json_get_str(client, STR("clientSecret"));
	own = json_get_str(client, STR("tokenURI"));
	if (secret->n == 0 || same_origin(r->arena, own, uri))
		return true;
	if (own.p == NULL)
		return err_set(err, ERR_EGRESS,
			"the iClient has a clientSecret and does not say by tokenURI where it may "
			"be sent");
	return err_set(err, ERR_EGRESS,
		"the iClient's clientSecret is for the server of its own tokenURI, and "
		"rest.tokenURI is on another");
}

static void add_pair(struct arena *a, struct buf *form, const char *name, struct str value)
{
	if (form->n > 0)
		buf_add_char(form, '&');
	buf_add_fmt(form, "%s=", name);
	buf_add_str(form, url_encode_component(a, value));
}

static void add_grant(const struct renewal *r, struct buf *form)
{
	const struct grant_request *g = r->grant;

	if (g != NULL) {
		add_pair(r->arena, form, "grant_type", STR("authorization_code"));
		add_pair(r->arena, form, "code", g->code);
		add_pair(r->arena, form, "redirect_uri", g->redirect_uri);
		add_pair(r->arena, form, "code_verifier", g->verifier);
		return;
	}
	add_pair(r->arena, form, "grant_type", STR("refresh_token"));
	add_pair(r->arena, form, "refresh_token", r->refresh_token);
	if (r->s->conn.oauth.scope.p != NULL)
		add_pair(r->arena, form, "scope", r->s->conn.oauth.scope);
}

static bool put_client(struct rest_call *c, const struct renewal *r, struct buf *form,
	struct err *err)
{
	struct str id, secret, pair;
	struct rest_session *s = r->s;

	if (!read_client(r, &id, &secret, err))
		return false;
	rest_secret_add(s, str_dup(s->arena, secret));
	if (s->conn.oauth.in_body || secret.n == 0) {
		add_pair(r->arena, form, "client_id", id);
		if (secret.n > 0)
			add_pair(r->arena, form, "client_secret", secret);
		return true;
	}
	/* both are encoded as in a form first (RFC 6749, 2.3.1) */
	pair = base64_encode(r->arena,
		str_fmt(r->arena, "%.*s:%.*s", STR_ARG(url_encode_component(r->arena, id)),
			STR_ARG(url_encode_component(r->arena, secret))));
	return rest_header_put(c->headers, &c->http.header_count, STR("Authorization"),
		str_fmt(r->arena, "Basic %.*s", STR_ARG(pair)), err);
}

/* Nothing of the connection's own headers is for this server. */
static bool fill(struct rest_call *c, const struct renewal *r, struct buf *form, struct err *err)
{
	const struct rest_connection *conn = &r->s->conn;
	struct http_call *h = &c->http;

	c->purpose = "token";
	c->method = h->method = HTTP_POST;
	h->url = conn->oauth.token_uri;
	h->headers = c->headers;
	h->body_max = TOKEN_BODY_MAX;
	h->redirects_max = 0;
	h->timeout_ms = r->s->env->timeout_ms > 0 ? MIN(r->s->env->timeout_ms, TOKEN_TIMEOUT_MS)
						  : TOKEN_TIMEOUT_MS;
	h->insecure_tls = conn->insecure_tls && same_origin(r->arena, h->url, conn->base_uri);
	add_grant(r, form);
	if (!put_client(c, r, form, err) ||
		!rest_header_put(c->headers, &h->header_count, STR("Accept"),
			STR("application/json"), err) ||
		!rest_header_put(c->headers, &h->header_count, STR("Content-Type"),
			STR("application/x-www-form-urlencoded"), err))
		return false;
	h->body = buf_str(form);
	return true;
}

/* ---- the answer ---- */

static bool refused(const struct renewal *r, int status, const struct rest_token_answer *t,
	struct err *err)
{
	struct str why = rest_masked(r->s, r->arena, str_sub(t->description, 0, DESCRIPTION_MAX));

	return err_set(err, ERR_HTTP_STATUS, "answered status %d: %.*s%s%.*s", status,
		STR_ARG(rest_masked(r->s, r->arena, str_sub(t->error, 0, DESCRIPTION_MAX))),
		why.n > 0 ? ": " : "", STR_ARG(why));
}

static bool judge(const struct renewal *r, const struct http_call *h, struct rest_token_answer *t,
	struct err *err)
{
	struct err said = ERR_INIT, unread = ERR_INIT;

	if (h->status == 408 || h->status == 429 || h->status >= 500) {
		(void)rest_status_error(r->s, h, &said);
		err->retry_after_s = said.retry_after_s;
		return err_set(err, ERR_CONNECT, "%s", said.message);
	}
	bool read = rest_token_read(r->arena, buf_str(&h->res_body), t, &unread);

	if (read && t->error.n > 0)
		return refused(r, h->status, t, err);
	if (h->status >= 400)
		return rest_status_error(r->s, h, err);
	if (h->status != 200 && h->status != 201)
		return err_set(err, ERR_RESPONSE,
			"answered status %d, which is no token (redirects are not followed)",
			h->status);
	if (!read)
		*err = unread;
	return read;
}

/* Not to be canceled: a refresh token that is replaced in an answer which nobody waits for is lost. */
static bool send(struct renewal *r, struct rest_call *c, struct err *err)
{
	struct rest_session *s = r->s;
	struct http_pool *pool = http_pool_new(&(struct http_pool_config){ .egress = s->env->egress,
		.concurrency = 1,
		.ca_file = s->env->ca_file });

	r->now_ms = clock_wall_ms(s->env->clock);
	bool answered = http_pool_run(pool, &c->http);

	http_pool_free(pool);
	rest_trace(s, c);
	if (!answered)
		*err = c->http.err;
	return answered;
}

/* Asks the application for another token. */
static bool ask(struct renewal *r, struct rest_token_answer *t, struct err *err)
{
	struct buf form DEFER(buf_free) = BUF_INIT(0);
	struct rest_call c DEFER(rest_call_free);

	rest_call_init(&c);
	bool ok = fill(&c, r, &form, err) && send(r, &c, err) && judge(r, &c.http, t, err);

	if (form.p != NULL)
		explicit_bzero(form.p, form.n);
	if (c.http.res_body.p != NULL)
		explicit_bzero(c.http.res_body.p, c.http.res_body.n);
	return ok || err_wrap(err, "token endpoint %.*s",
			     STR_ARG(rest_url_for_people(r->arena, r->s->conn.oauth.token_uri)));
}

/* On disk before it is used: a refresh token that was replaced is worth nothing. */
static bool keep(const struct renewal *r, const struct rest_token_answer *t, int64_t ends_ms,
	struct err *err)
{
	const struct rest_session *s = r->s;
	struct json_build b;

	json_build_init(&b, r->arena);
	json_build_object(&b);
	json_build_key(&b, STR("rest"));
	json_build_object(&b);
	json_add_str(&b, STR("bearerToken"), t->access_token);
	if (t->refresh_token.p != NULL)
		json_add_str(&b, STR("refreshToken"), t->refresh_token);
	json_build_key(&b, STR("tokenExpiresAt"));
	if (ends_ms != 0)
		json_build_str(&b, time_iso(r->arena, ends_ms));
	else
		json_build_null(&b);
	json_build_end(&b);
	json_build_end(&b);
	return vault_save(s->env->vault, s->env->account_id, s->conn.oauth.connection_id,
		       r->refresh_token, json_build_done(&b), r->arena, err) ||
	       err_wrap(err, "the new token can't be kept");
}

/* In its turn: somebody may have been faster. */
static bool renew_in_turn(struct renewal *r, bool *found, struct err *err)
{
	struct rest_token_answer t;
	int64_t ends_ms;

	if (!look(r, found, err))
		return false;
	if (r->grant != NULL)
		r->refresh_token =
			STR_NULL; /* whatever is stored: the user has given access anew */
	else if (*found || r->refresh_token.p == NULL)
		return true;
	rest_secret_add(r->s,
		str_dup(r->s->arena, r->grant != NULL ? r->grant->code : r->refresh_token));
	if (!ask(r, &t, err))
		return false;
	ends_ms = rest_token_ends_ms(r->now_ms, t.expires_in_s);
	*found = keep(r, &t, ends_ms, err) && use(r->s, t.access_token, ends_ms, err);
	return *found;
}

/* A code is no refresh token: what becomes of the one says nothing about the other. */
static bool is_told_to_others(const struct renewal *r, const struct err *err)
{
	/* a cancel is that of one call */
	return r->grant == NULL && err->code != ERR_CANCELED;
}

static enum vault_state wait_for_turn(const struct renewal *r, struct vault_turn *turn,
	struct err *err)
{
	const struct rest_session *s = r->s;
	const int64_t end = clock_mono_ms(clock_system()) + TOKEN_TURN_MS;
	const struct err none = ERR_INIT;
	enum vault_state state = VAULT_WAITS;
	int64_t now;

	while (state == VAULT_WAITS && !rest_session_canceled(s, err) &&
		(now = clock_mono_ms(clock_system())) < end) {
		state = vault_enter(s->env->vault, turn, MIN(end, now + REST_POLL_MS));
		if (state != VAULT_FAILED || r->grant == NULL)
			continue;
		vault_leave(s->env->vault, turn, &none);
		state = VAULT_WAITS;
	}
	return state;
}

static bool renew_behind_others(struct renewal *r, bool *found, struct err *err)
{
	const struct rest_session *s = r->s;
	struct vault_turn turn = { .connection_id = s->conn.oauth.connection_id };
	const struct err none = ERR_INIT;
	enum vault_state state = wait_for_turn(r, &turn, err);
	bool ok = false;

	if (state == VAULT_MINE)
		ok = renew_in_turn(r, found, err);
	else if (state == VAULT_FAILED)
		*err = turn.err;
	else if (err->code == ERR_NONE)
		err_set(err, ERR_TIMEOUT,
			"a new token, which another call asked for, did not come within %lld s",
			(long long)(TOKEN_TURN_MS / 1000));
	vault_leave(s->env->vault, &turn, is_told_to_others(r, err) ? err : &none);
	return ok;
}

/* *FOUND: another token is used now. */
static bool renew(struct rest_session *s, bool was_refused, bool *found, struct err *err)
{
	struct rest_oauth *o = &s->conn.oauth;
	struct renewal r = { .s = s, .refused = was_refused };

	*found = false;
	if (o->failed.code != ERR_NONE && clock_mono_ms(s->env->clock) < o->failed_until_ms) {
		*err = o->failed;
		return false;
	}
	r.arena = arena_new("tokens", 0);
	bool ok = look(&r, found, err);

	if (ok && !*found && r.refresh_token.p != NULL)
		ok = renew_behind_others(&r, found, err);
	arena_wipe(r.arena);
	arena_free(r.arena);
	o->looked = ok;
	if (ok)
		return true;
	/* what the application refused once it refuses again; the rest may pass */
	o->failed = *err;
	o->failed_until_ms = err->code == ERR_HTTP_STATUS
				     ? INT64_MAX
				     : clock_mono_ms(s->env->clock) + FAILED_MS;
	s->login_status = err->code == ERR_HTTP_STATUS ? 401 : 0;
	return false;
}

static bool is_kept(const struct rest_session *s)
{
	return s->env->vault != NULL && s->conn.oauth.connection_id.p != NULL;
}

bool rest_oauth_ready(struct rest_session *s, struct err *err)
{
	const struct rest_oauth *o = &s->conn.oauth;
	bool found;

	if (!o->wanted)
		return true;
	if (!is_kept(s))
		return s->conn.token.p != NULL ||
		       err_set_field(err, ERR_MISSING, "rest.bearerToken",
			       "the connection has no rest.bearerToken, and as it is not saved "
			       "none "
			       "is fetched: a new refresh token that came with it would be lost");
	if (o->looked && !is_over(s, o->ends_ms))
		return true;
	if (!renew(s, false, &found, err))
		return false;
	if (found)
		return true;
	s->login_status = 401;
	return err_set(err, ERR_HTTP_STATUS,
		"the connection has neither rest.bearerToken nor rest.refreshToken: nobody has "
		"granted access yet");
}

bool rest_oauth_exchange(struct rest_session *s, const struct grant_request *grant, struct err *err)
{
	struct renewal r = { .s = s, .grant = grant, .arena = arena_new("tokens", 0) };
	bool found, ok = renew_behind_others(&r, &found, err);

	arena_wipe(r.arena);
	arena_free(r.arena);
	return ok;
}

enum rest_renewal rest_oauth_refused(struct rest_session *s, struct err *err)
{
	bool found;

	if (!is_kept(s))
		return REST_RENEWED_NONE;
	if (!renew(s, true, &found, err))
		return REST_RENEWAL_FAILED;
	return found ? REST_RENEWED : REST_RENEWED_NONE;
}
