/*
 * rest_priv.h - what the REST source and sink share: the connection, and requests made from it.
 */
#ifndef ADAPTOR_REST_REST_PRIV_H
#define ADAPTOR_REST_REST_PRIV_H

#include "adaptor/rest/rest.h"
#include "net/http_client.h"
#include "net/url.h"

#define REST_HEADERS_MAX 64

/* A connection made ready: read-only once made; its strings live in the arena it was made in. */
struct rest_connection {
	struct str base_uri;
	struct url base;
	struct http_header
		headers[REST_HEADERS_MAX]; /* the connection's own, with its credentials */
	size_t header_count;
	struct str token_param; /* p NULL: the token is not in the URL */
	struct str token;
	unsigned concurrency;
	bool insecure_tls;
};

MUST_CHECK bool rest_connection_read(struct arena *a, const struct json *connection,
	struct rest_connection *out, struct err *err);

/* The connection's headers, then those of OWN (`headers` of an export or import: [{name, value}]),
 * which win over the connection's of the same name, then JSON media types where none were given. */
MUST_CHECK bool rest_headers(struct arena *a, const struct rest_connection *c,
	const struct json *own, bool has_body, struct http_header *out, size_t *count,
	struct err *err);

/* Base and relative URI joined, with the token where it belongs into the URL. */
struct str rest_url(struct arena *a, const struct rest_connection *c, struct str relative);

/* URL with the connection's token as its parameter, in place of any value that stands there. */
struct str rest_url_with_token(struct arena *a, const struct rest_connection *c, struct str url);

/* URL without its query, which may hold secrets: for messages. */
struct str rest_url_for_people(struct arena *a, struct str url);

/* URL without the token's parameter: for evidence, logs and cursors. */
struct str rest_url_masked(struct arena *a, const struct rest_connection *c, struct str url);

/* An answer with an error status as an error: the status and the beginning of its body. */
bool rest_status_error(const struct http_call *c, struct err *err);

enum http_method rest_method(struct str word, enum http_method otherwise);

extern const struct source_ops rest_source_ops;
extern const struct sink_ops rest_sink_ops;

#endif
