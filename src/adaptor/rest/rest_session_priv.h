/*
 * rest_session_priv.h - what the files behind a session share.
 */
#ifndef ADAPTOR_REST_REST_SESSION_PRIV_H
#define ADAPTOR_REST_REST_SESSION_PRIV_H

#include "adaptor/rest/rest_oauth_priv.h"

enum rest_media { REST_JSON, REST_FORM, REST_XML };
enum rest_token_place { REST_TOKEN_NONE, REST_TOKEN_URL, REST_TOKEN_BODY };

/* What is sent to be let in. */
struct rest_login {
	bool wanted;
	struct str uri, body;
	enum http_method method;
	int64_t status; /* of a success; 0: any below 400 */
};

/* A connection document, read; its strings live in the session's arena or in the document. */
struct rest_connection {
	struct str base_uri;
	struct url base;
	enum rest_media media;
	struct http_header headers[REST_HEADERS_MAX]; /* its own, with credentials */
	size_t header_count;
	enum rest_token_place token_place; /* in headers: REST_TOKEN_NONE */
	struct str token_param, token;
	struct rest_oauth oauth;
	struct str retry_header;
	struct rest_login login;
	unsigned concurrency; /* of this session's calls */
	unsigned level; /* the document's concurrencyLevel, over all that use the connection */
	bool insecure_tls;
};

#define REST_COOKIES_MAX  50
#define REST_COOKIE_BYTES 4096
struct rest_cookie {
	struct buf name, value; /* an empty name: a free place */
	bool secure;            /* over https only */
};

/* One form of one secret. */
struct rest_secret {
	struct str text;
	unsigned ordinal; /* of the secret in the document */
	unsigned form;    /* 0: as it is, 1: percent-encoded, 2: escaped in JSON */
	bool old;         /* another has taken its place; still masked */
};
struct rest_secrets {
	struct rest_secret *list; /* longest text first */
	size_t count, cap;
	unsigned ordinals;
};

struct rest_session {
	struct arena *arena, *scratch; /* scratch: of one call's preparation */
	const struct adaptor_env *env;
	const struct json *variables;
	struct rest_connection conn;
	struct http_pool *pool;
	struct gate *gate; /* NULL: none counts */
	struct rest_call *queued,
		*queued_last;        /* at the gate, in the order in which they are let in */
	size_t in_air;               /* those among them */
	struct rest_cookie *cookies; /* REST_COOKIES_MAX; NULL: the connection does not log in */
	unsigned logins;             /* how often, or how often the token was renewed */
	int login_status;            /* of the last; 0: no answer came */
	struct rest_secrets secrets;
};

/* ---- rest_connection.c ---- */
MUST_CHECK bool rest_connection_read(struct rest_session *s, const struct json *connection,
	struct err *err);
/* TEXT with its {{...}} as the session's variables say; a text without any stays as it is. */
MUST_CHECK bool rest_connection_text(const struct rest_session *s, struct arena *a, struct str text,
	struct str *out, struct err *err);
/* A body of the connection document: a text, or JSON whose strings are such texts. */
MUST_CHECK bool rest_connection_body(const struct rest_session *s, struct arena *a,
	const struct json *value, struct str *out, struct err *err);

/* ---- rest_render.c ---- */
/* Placeholders for members of RECORD; results live in the arena. */
struct rest_render {
	struct arena *arena;
	const struct json *record;
	bool doubles_only;           /* `{x}` is no placeholder, `{{x}}` is */
	bool only_reads;             /* no values are wanted, only whether it can be read */
	size_t placeholders, values; /* adds up: how many there were, how many had a value */
};
/* As TEMPLATE_URI: each placeholder must have a value. */
MUST_CHECK bool rest_render_uri(struct rest_render *r, struct str text, struct str *out,
	struct err *err);
/* Braces that are no placeholder stay what they are. */
MUST_CHECK bool rest_render_text(struct rest_render *r, struct str text, struct str *out,
	struct err *err);
/* A text (where only `{{x}}` is a placeholder), or JSON whose strings are such texts, printed in the
 * connection's media type. NULL: empty. */
MUST_CHECK bool rest_render_body(struct rest_render *r, const struct rest_session *s,
	const struct json *value, struct str *out, struct err *err);

/* ---- rest_session.c ---- */
struct http_header *rest_header_find(struct http_header *list, size_t count, struct str name);
MUST_CHECK bool rest_header_put(struct http_header *list, size_t *count, struct str name,
	struct str value, struct err *err);
/* Fills the call's `http` with its own and the connection's part; the scratch arena begins anew. */
MUST_CHECK bool rest_call_complete(struct rest_session *s, struct rest_call *c, struct err *err);

/* ---- rest_gate.c ---- */
void rest_gate_init(struct rest_session *s, const struct json *connection);
/* Sends the call, or lets it queue for being sent. One that is inside already is sent. */
void rest_gate_launch(struct rest_session *s, struct rest_call *c);
/* Waits until the call is inside: for a login, which goes before all others of the session. */
MUST_CHECK bool rest_gate_pass(struct rest_session *s, struct rest_call *c, struct err *err);
/*
 * Sends what was let in. When nothing of the session is on its way but calls queue, waits for the first
 * of them, until UNTIL_MS at most. One that can't wait any longer is handed back, with http.err set;
 * NULL: there is none.
 */
struct rest_call *rest_gate_look(struct rest_session *s, int64_t until_ms);
void rest_gate_leave(struct rest_session *s, struct rest_call *c);

/* ---- rest_login.c ---- */
MUST_CHECK bool rest_login(struct rest_session *s, struct err *err);
/* Keeps what the answer sets, when it came from the connection's own origin. */
void rest_cookies_take(struct rest_session *s, const struct http_call *c);
/* The Cookie header's value; empty: none. */
void rest_cookies_put(const struct rest_session *s, struct buf *out);

/* ---- rest_proxy.c ---- */
MUST_CHECK bool rest_proxy(const struct adaptor_env *env, const struct json *connection,
	const struct proxy_request *rq, struct arena *a, struct proxy_answer *out, struct err *err);

/* ---- rest_body.c ---- */
struct str rest_media_type(enum rest_media m); /* of a request's body */
/* BODY with the token in it. */
MUST_CHECK bool rest_body_with_token(const struct rest_session *s, struct str body, struct buf *out,
	struct err *err);

/* ---- rest_evidence.c ---- */
/* One finished exchange, for whoever watches. */
void rest_trace(const struct rest_session *s, const struct rest_call *c);
void rest_secret_add(struct rest_session *s, struct str secret);
/* Does a field of this name usually hold a secret? */
bool rest_is_secret_name(struct str name);

#endif
