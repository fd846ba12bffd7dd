/*
 * http_unpack.h - undoes the content coding of an answer, piece by piece.
 *
 * Ours and not libcurl's, because libcurl takes a gzip stream that was cut short for a whole one when
 * the end of the connection ends the body: half an answer would pass for all of it. Knows gzip (with
 * several members) and deflate in its zlib form; one thread at a time.
 */
#ifndef NET_HTTP_UNPACK_H
#define NET_HTTP_UNPACK_H

#include "core/buf.h"

/* What to say in Accept-Encoding. */
#define HTTP_UNPACK_ACCEPTS "gzip"

enum http_unpack_result {
	HTTP_UNPACK_OK,
	HTTP_UNPACK_BROKEN,
	HTTP_UNPACK_OVER, /* OUT would pass its limit; what fitted is in it */
};

struct http_unpack {
	struct z_stream_s *z; /* NULL until the first use; kept for the next answer */
	bool active;          /* the body is packed */
	bool began, ended;
};

/* For a new answer with this Content-Encoding (p NULL: none). False: a coding that is not known. */
MUST_CHECK bool http_unpack_begin(struct http_unpack *u, struct str coding);
/* Adds what N bytes at P become to OUT, which may get OUT_MAX bytes in all, and no more than its own
 * maximum. */
MUST_CHECK enum http_unpack_result http_unpack_feed(struct http_unpack *u, const char *p, size_t n,
	struct buf *out, size_t out_max);
/* At the end of the body: did what was packed end too? An empty body is whole. */
bool http_unpack_is_whole(const struct http_unpack *u);
void http_unpack_free(struct http_unpack *u);

#endif
