/*
 * rest_priv.h - what the REST source and sink share: a session, and calls made in it.
 *
 * A session is a connection document made ready: where the application is, what it takes as proof,
 * the pool of transport connections, the cookies of a login, what must be masked. A caller says
 * what is its own of a request (struct rest_call) and the session adds what is the connection's.
 *
 * A session belongs to one thread at a time. The documents must outlive it.
 */
#ifndef ADAPTOR_REST_REST_PRIV_H
#define ADAPTOR_REST_REST_PRIV_H

#include "adaptor/rest/rest.h"
#include "net/http_client.h"
#include "net/url.h"

#define REST_HEADERS_MAX 64
#define REST_POLL_MS     250 /* how late a cancel may be noticed */

struct rest_session;

/* Nothing is sent. CONCURRENCY: calls in the air at once; 0: the connection's concurrencyLevel. */
MUST_CHECK bool rest_session_open(const struct adaptor_env *env, const struct json *connection,
	unsigned concurrency, struct rest_session **out, struct err *err);
/* Wipes what was secret. NULL is allowed. */
void rest_session_close(struct rest_session *s);
unsigned rest_session_concurrency(const struct rest_session *s);
/* {"connection": {...}}, secrets in clear: what `{{connection.rest.encrypted.x}}` stands for. Only
 * for texts that go into a call, never for one that is kept. */
const struct json *rest_session_variables(const struct rest_session *s);

/* ---- calls ---- */

struct rest_call {
	/* In: must live until the call is finished. */
	const char *purpose; /* of struct adaptor_trace */
	enum http_method method;
	struct str uri;                /* relative to the base URI, or absolute on its origin */
	const struct http_header *own; /* win over the connection's of the same name */
	size_t own_count;
	struct str body;         /* as rest_body_print() makes it; n 0: none */
	struct str content_type; /* p NULL: that of the connection's mediaType */
	size_t body_max;         /* of the answer; 0: LIMIT_RESPONSE_BODY */
	bool no_redirects;       /* a redirect is the answer; else GET and HEAD follow it */
	void *user;

	/* Out: http.err, http.status, http.res_headers, http.res_body, http.sent ... */
	struct http_call http;

	/* The session's. */
	struct http_header headers[REST_HEADERS_MAX];
	struct buf url, text, cookie;
	struct gate_pass pass;
	int64_t pass_until_ms; /* monotonic: how long it may queue at the gate */
	struct rest_call *next_queued;
	unsigned login; /* number of the login whose cookies were sent */
	bool again;     /* it was sent again behind a new login */
};
void rest_call_init(struct rest_call *c);
void rest_call_free(struct rest_call *c);

/*
 * Adds what is the connection's - base URI, credentials, headers, media types - and sends. Logs in
 * before the first call of a cookie connection. False: the call is not in the air; http.err says why
 * too, for rest_retry_in().
 */
MUST_CHECK bool rest_session_submit(struct rest_session *s, struct rest_call *c, struct err *err);
/*
 * The next finished call. Waits until UNTIL_MS (monotonic, of clock_system()) at most, REST_POLL_MS
 * when that is sooner; NULL: none yet, or none in the air. Once the job is canceled every call in
 * the air ends with ERR_CANCELED. A 401 of a cookie connection logs in again and sends once more.
 */
struct rest_call *rest_session_next(struct rest_session *s, int64_t until_ms);
/* Submits one call and waits: true when an answer came, whatever its status. */
MUST_CHECK bool rest_session_run(struct rest_session *s, struct rest_call *c, struct err *err);
/* A wait through env->clock. False with ERR_CANCELED. */
MUST_CHECK bool rest_session_wait(struct rest_session *s, int64_t ms, struct err *err);
bool rest_session_canceled(const struct rest_session *s, struct err *err);

/* ---- the parts of a request ---- */

/* `headers` of a document, [{name, value}], into OUT (REST_HEADERS_MAX); the last of a name wins. */
MUST_CHECK bool rest_headers_read(const struct json *list, struct http_header *out, size_t *count,
	struct err *err);
/*
 * VALUE in the connection's mediaType: JSON, or a form: `a=1&b[c]=2&d[0]=3`, percent-encoded; true,
 * false and numbers as they are written in JSON, null as nothing. A string goes as it stands.
 */
MUST_CHECK bool rest_body_print(const struct rest_session *s, const struct json *value,
	struct buf *out, struct err *err);
bool rest_body_is_json(const struct rest_session *s); /* else a form */
/* p NULL: OTHERWISE. */
enum http_method rest_method(struct str word, enum http_method otherwise);

/* ---- answers ---- */

/* The body, parsed in place: JSON, or XML turned into records where the connection's mediaType or the
 * answer's Content-Type says so. ERR_RESPONSE says what came instead. */
MUST_CHECK bool rest_answer_parse(const struct rest_session *s, const struct http_call *c,
	struct arena *a, char *text, size_t n, const struct json **doc, struct err *err);
/* Is the answer to be read as XML? */
bool rest_answer_is_xml(const struct rest_session *s, const struct http_call *c);
/* An answer with an error status as an error: the status and the beginning of its body. Sets
 * retry_after_s where the answer said it. */
bool rest_status_error(const struct rest_session *s, const struct http_call *c, struct err *err);

/*
 * May the call be tried again behind ATTEMPT attempts (from 1), and when? Connection errors, 408,
 * 423, 429, 5xx, and a 409 that says when to come back: by Retry-After (the connection's
 * retryHeader), at most LIMIT_RETRY_AFTER_MAX_S, else 1 s, 5 s, 30 s, 2 min, each +-20 %. A wait above
 * LIMIT_INLINE_WAIT_S is not for a worker. False, too, for what env.retry_within_ms excludes.
 */
bool rest_retry_in(struct rest_session *s, const struct http_call *c, unsigned attempt,
	int64_t *wait_ms);
/* Tells whoever asks that the call will be tried again in WAIT_MS. */
void rest_tell_wait(const struct rest_session *s, const struct http_call *c, int64_t wait_ms);

/* ---- for people: bounded, secrets masked ---- */

/* TEXT with every secret of the connection as ******. */
struct str rest_masked(const struct rest_session *s, struct arena *a, struct str text);
/*
 * For texts that are kept and sent later: each secret is replaced by a mark that says which it is, and
 * put back as the connection has it then.
 */
struct str rest_hidden(const struct rest_session *s, struct arena *a, struct str text);
struct str rest_unhidden(const struct rest_session *s, struct arena *a, struct str text);
/* A relative URI below the connection's base; an absolute one as it is. */
struct str rest_absolute(const struct rest_session *s, struct arena *a, struct str uri);
/* The URL without the parameter that carries the token: for cursors. */
struct str rest_url_without_token(const struct rest_session *s, struct arena *a, struct str url);
/* The URL without its query, which may hold secrets. */
struct str rest_url_for_people(struct arena *a, struct str url);
/* Evidence: start line, header fields, empty line, body; at most LIMIT_ERROR_EVIDENCE. */
struct str rest_evidence_request(const struct rest_session *s, const struct rest_call *c,
	struct arena *a);
struct str rest_evidence_response(const struct rest_session *s, const struct rest_call *c,
	struct arena *a);

extern const struct connection_ops rest_connection_ops;
extern const struct source_ops rest_source_ops;
extern const struct sink_ops rest_sink_ops;

#endif
