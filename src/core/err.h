/*
 * err.h - every failure is one struct err, filled once, spoken in the user's words.
 *
 * The function that meets the failure fills it with err_set(); callers that know more of the
 * context wrap it as it rises (err_wrap: `export "Orders", page 3: ...`) and never overwrite it.
 * Nothing here allocates, and no secret may be passed to it. Callees do not log: whoever ends the
 * error's way does. One thread at a time, as any local variable.
 *
 * ERR_TABLE drives API status codes, retry policy and docs/reference/errors.md.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include "core/base.h"

enum err_retry {
	ERR_RETRY_NO,  /* the same again fails the same way */
	ERR_RETRY_YES, /* may pass by itself: back off and try again */
};

/* X(symbol, wire code, HTTP status, may a retry help, words for the reference page) */
/* clang-format off */
#define ERR_TABLE(X) \
	X(ERR_NONE, "none", 200, ERR_RETRY_NO, "No error.") \
	X(ERR_BAD_REQUEST, "bad_request", 400, ERR_RETRY_NO, "The request can't be understood as HTTP.") \
	X(ERR_JSON, "invalid_json", 400, ERR_RETRY_NO, "The text is not JSON (RFC 8259); the message names line, column and what was expected.") \
	X(ERR_PARSE, "parse_failed", 422, ERR_RETRY_NO, "The text is not the CSV or XML that it should be; the message names the place and what was expected.") \
	X(ERR_QUERY, "invalid_query_params", 400, ERR_RETRY_NO, "A query parameter is unknown or has a value that can't be used.") \
	X(ERR_JOB_QUERY, "invalid_query", 400, ERR_RETRY_NO, "A list of jobs must say whose: the message names the parameters of which one is needed.") \
	X(ERR_CONNECTION_MAP, "invalid_connectionMap", 400, ERR_RETRY_NO, "A clone must say by connectionMap which connection takes the place of each that is used.") \
	X(ERR_UNAUTHORIZED, "unauthorized", 401, ERR_RETRY_NO, "The token is missing, unknown, expired or revoked.") \
	X(ERR_FORBIDDEN, "access_restricted", 403, ERR_RETRY_NO, "The token is known but may not do this.") \
	X(ERR_NOT_FOUND, "not_found", 404, ERR_RETRY_NO, "There is no such thing, or it is not yours.") \
	X(ERR_METHOD, "method_not_allowed", 405, ERR_RETRY_NO, "The path exists but not with this method; see the Allow header.") \
	X(ERR_CONFLICT, "conflict", 409, ERR_RETRY_NO, "Something else stands in the way, such as a resource that refers to this one.") \
	X(ERR_FENCED, "fenced", 409, ERR_RETRY_NO, "Somebody else has taken this job over; the first holder stops.") \
	X(ERR_PRECONDITION, "precondition_failed", 412, ERR_RETRY_NO, "If-Match names another version than the stored one: read again, change, send again.") \
	X(ERR_TOO_LARGE, "too_large", 413, ERR_RETRY_NO, "The body is larger than the limit that the message names.") \
	X(ERR_URI_TOO_LONG, "uri_too_long", 414, ERR_RETRY_NO, "The request target is longer than the limit.") \
	X(ERR_MEDIA_TYPE, "unsupported_media_type", 415, ERR_RETRY_NO, "The body must be application/json.") \
	X(ERR_INVALID, "invalid_field", 422, ERR_RETRY_NO, "A field's value does not fit its description.") \
	X(ERR_MISSING, "missing_required_field", 422, ERR_RETRY_NO, "A field that must be there is not.") \
	X(ERR_UNKNOWN_FIELD, "unknown_field", 422, ERR_RETRY_NO, "There is no field of this name; the hint names the nearest.") \
	X(ERR_READ_ONLY, "read_only_field", 422, ERR_RETRY_NO, "The server sets this field; a body may only repeat its present value.") \
	X(ERR_REF, "invalid_ref", 422, ERR_RETRY_NO, "The id refers to nothing that you have.") \
	X(ERR_UNSUPPORTED, "unsupported_field", 422, ERR_RETRY_NO, "The field can be stored but this version can't act on it yet.") \
	X(ERR_FLOW, "invalid_flow", 422, ERR_RETRY_NO, "The flow can't be run as it is, for example because it is disabled.") \
	X(ERR_OFFLINE, "connection_offline", 422, ERR_RETRY_YES, "The connection is offline, so that nothing can be asked through it.") \
	X(ERR_RATE, "rate_limited", 429, ERR_RETRY_YES, "Too many requests; Retry-After says when to come back.") \
	X(ERR_HEADERS_TOO_LARGE, "headers_too_large", 431, ERR_RETRY_NO, "The header section is larger than the limit.") \
	X(ERR_INTERNAL, "unexpected_error", 500, ERR_RETRY_YES, "A fault of ours; the request id finds it in the log.") \
	X(ERR_NOT_IMPLEMENTED, "not_implemented", 501, ERR_RETRY_NO, "The request asks for a part of HTTP that this server does not speak.") \
	X(ERR_OVERLOADED, "overloaded", 503, ERR_RETRY_YES, "The server has no room for this now.") \
	X(ERR_STORE, "store_failed", 503, ERR_RETRY_YES, "The store could not read or write; nothing was acknowledged that is not on disk.") \
	X(ERR_SHUTTING_DOWN, "shutting_down", 503, ERR_RETRY_YES, "The server is draining; ask again in a moment.") \
	X(ERR_HTTP_VERSION, "http_version_not_supported", 505, ERR_RETRY_NO, "Only HTTP/1.0 and HTTP/1.1 are spoken.") \
	X(ERR_TIMEOUT, "timeout", 504, ERR_RETRY_YES, "The other side did not answer within its deadline.") \
	X(ERR_CONNECT, "connection_failed", 502, ERR_RETRY_YES, "The other side could not be reached, or closed the connection.") \
	X(ERR_TLS, "tls_failed", 502, ERR_RETRY_NO, "The other side's certificate or TLS set-up was refused.") \
	X(ERR_DNS, "host_not_found", 502, ERR_RETRY_YES, "The host name has no address.") \
	X(ERR_EGRESS, "egress_denied", 403, ERR_RETRY_NO, "The address is one that this server's operator does not let flows reach.") \
	X(ERR_RESPONSE, "invalid_response", 502, ERR_RETRY_NO, "The other side answered something that can't be used.") \
	X(ERR_HTTP_STATUS, "http_status", 502, ERR_RETRY_NO, "The other side answered with an error status.") \
	X(ERR_LIMIT, "limit_exceeded", 422, ERR_RETRY_NO, "A limit on size, depth or count was reached; the message names it.") \
	X(ERR_PAGING_LOOP, "paging_loop", 502, ERR_RETRY_NO, "The source's next page was already fetched in this run.") \
	X(ERR_MISSING_VALUE, "missing_value", 422, ERR_RETRY_NO, "A placeholder in a URI has no value in this record.") \
	X(ERR_MAPPING, "mapping_failed", 422, ERR_RETRY_NO, "The mapping could not make the target record; the message names the field.") \
	X(ERR_LOOKUP, "lookup_failed", 422, ERR_RETRY_NO, "A lookup found nothing, or several, where one was needed.") \
	X(ERR_INTERRUPTED, "interrupted", 500, ERR_RETRY_YES, "The server stopped while this was under way.") \
	X(ERR_POISON, "quarantined", 500, ERR_RETRY_NO, "The job ended the server each time it was begun, or what it had in work could not be read, and it was put aside.") \
	X(ERR_CANCELED, "canceled", 409, ERR_RETRY_NO, "Somebody canceled this.") \
	X(ERR_CONFIG, "invalid_configuration", 500, ERR_RETRY_NO, "An option, the configuration file or a variable is wrong.") \
	X(ERR_IO, "io_failed", 500, ERR_RETRY_YES, "A file or socket of this machine could not be used.") \
	X(ERR_CRYPT, "crypt_failed", 500, ERR_RETRY_NO, "A sealed value could not be opened: wrong key, or the data was changed.")
/* clang-format on */

/* clang-format off */
enum err_code {
#define X(sym, wire, status, retry, words) sym,
	ERR_TABLE(X)
#undef X
	ERR_COUNT
};
/* clang-format on */

#define ERR_MESSAGE_MAX 1024
#define ERR_FIELD_MAX   160
#define ERR_HINT_MAX    256

/*
 * The texts are valid UTF-8 without control characters whatever went into them (other bytes become
 * '?'), and end in "..." on a character border where they were too long.
 */
struct err {
	enum err_code code;
	char field[ERR_FIELD_MAX];     /* dotted path of the field at fault, or "" */
	char message[ERR_MESSAGE_MAX]; /* what happened, in the user's words */
	char hint[ERR_HINT_MAX];       /* what the user can do, or "" */
	uint32_t retry_after_s;        /* 0: not said */
};

/* clang-format off */
#define ERR_INIT { .code = ERR_NONE }
/* clang-format on */

struct err_info {
	const char *symbol;
	const char *wire; /* the `code` of an API error */
	int status;       /* HTTP */
	enum err_retry retry;
	const char *words;
};

const struct err_info *err_info(enum err_code code);

/*
 * Fills ERR (which must hold ERR_NONE) and returns false, so that `return err_set(...)` reads well.
 * ERR may be NULL where the caller does not care.
 */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
/* As err_set(), with ": " and the text of errno value E appended. */
bool err_set_errno(struct err *err, enum err_code code, int e, const char *fmt, ...) PRINTF(4, 5);
/* As err_set(), naming the field. */
bool err_set_field(struct err *err, enum err_code code, const char *field, const char *fmt, ...)
	PRINTF(4, 5);

/* Puts "<text>: " before the message. Returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* Sets the hint unless one is there. Returns false. */
bool err_hint(struct err *err, const char *fmt, ...) PRINTF(2, 3);
void err_clear(struct err *err);

#endif
