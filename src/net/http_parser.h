/*
 * http_parser.h - the grammar of an HTTP/1 request (RFC 9112), strict and incremental.
 *
 * Used by http_server.h alone; apart from it so that it can be tested and fuzzed as what it is: a
 * pure function over bytes. Nothing is allocated and nothing is kept but the small states below,
 * which hold offsets instead of pointers, so that the bytes may move between two calls. However the
 * bytes are cut into pieces, the outcome is the same.
 *
 * Errors: ERR_BAD_REQUEST, ERR_URI_TOO_LONG, ERR_HEADERS_TOO_LARGE, ERR_TOO_LARGE,
 * ERR_NOT_IMPLEMENTED, ERR_HTTP_VERSION; the message names the fault and the RFC's section. After
 * HTTP_PARSE_BAD a state must not be used again.
 */
#ifndef NET_HTTP_PARSER_H
#define NET_HTTP_PARSER_H

#include "net/http_server.h"

struct http_limits {
	size_t line_max;    /* bytes of the request line, without CRLF */
	size_t headers_max; /* bytes of the header section with all its CRLFs */
	size_t count_max;   /* header fields */
};

enum http_parse { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_BAD };

struct http_span { /* offsets into the bytes of the request */
	uint32_t at, n;
};

struct http_field {
	struct http_span name, value;
};

/* Request line and header section. Begin with all zero. */
struct http_head {
	/* How far it is. */
	uint32_t line;   /* where the first line that is not complete begins */
	uint32_t seen;   /* there is no LF between `line` and here */
	uint32_t fields; /* where the header section begins; 0: in the request line */
	uint8_t blanks;  /* empty lines before the request line */

	/* What it says; valid after HTTP_PARSE_DONE. */
	uint8_t minor;
	uint8_t method; /* enum http_method */
	bool has_length, chunked, has_host;
	bool close, keep_alive; /* options of Connection */
	bool expect_continue, expect_other;
	uint64_t length; /* Content-Length */
	struct http_span method_text;
	struct http_span target;    /* what follows the authority, when there is one */
	struct http_span authority; /* of a target in absolute-form; n is 0 otherwise */
	struct http_span host;
	uint32_t count; /* fields */
	uint32_t bytes; /* from the request's first byte to behind the empty line */
};

/*
 * P and N are all bytes since the request's first, from earlier calls too, and may hold more behind
 * the header section. FIELDS has room for count_max entries, or is NULL to validate only: the
 * entries found by an earlier call are not found again, so that a caller that can't keep them
 * parses the whole head once more with a fresh state when it is complete.
 */
enum http_parse http_head_feed(struct http_head *h, const struct http_limits *limits, const char *p,
	size_t n, struct http_field *fields, struct err *err);

/* A chunked body (RFC 9112, 7.1). Begin with all zero and `max` set. */
struct http_chunks {
	uint64_t max;   /* bytes of the body; beyond it ERR_TOO_LARGE at the chunk's size */
	uint64_t total; /* announced so far */
	uint64_t left;  /* of the present chunk */
	uint32_t extra; /* bytes of extensions and trailers so far */
	uint8_t digits; /* of the present chunk's size */
	uint8_t state;
	uint8_t name_at, framing; /* of a trailer's name: bytes so far, what it may still become */
};

/* Extensions and trailers of a body, which are validated and dropped, may have so many bytes. */
#define HTTP_CHUNK_EXTRA_MAX 4096

/*
 * Reads from P up to the end of a run of data, of the body or of P: *USED bytes of it. *DATA is the
 * run inside P (n 0: none). To be called again while it returns HTTP_PARSE_MORE and bytes are left.
 */
enum http_parse http_chunks_feed(struct http_chunks *c, const char *p, size_t n, size_t *used,
	struct str *data, struct err *err);

#endif
