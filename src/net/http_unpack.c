/*
 * http_unpack.c - zlib's inflate over a window of 16 KB of output; the stream's state is made once
 * and reset for each answer, since making one costs 40 KB of memory each time.
 */
#define CORE_ALLOCATES /* zlib does, and the state outlives any arena of a caller's */
#include "net/http_unpack.h"

#define ZLIB_CONST /* what is read is not written to */
#include <zlib.h>

#define WINDOW_ANY   (15 + 32) /* 32 KB; the header says whether it is gzip or zlib */
#define UNPACK_BYTES 16384

bool http_unpack_begin(struct http_unpack *u, struct str coding)
{
	u->active = coding.n > 0 && !str_eq_ci(coding, STR("identity"));
	u->began = u->ended = false;
	if (!u->active)
		return true;
	if (!str_eq_ci(coding, STR("gzip")) && !str_eq_ci(coding, STR("x-gzip")) &&
		!str_eq_ci(coding, STR("deflate")))
		return false;
	if (u->z == NULL) {
		u->z = calloc(1, sizeof(*u->z));
		CHECK(u->z != NULL && inflateInit2(u->z, WINDOW_ANY) == Z_OK);
	} else {
		CHECK(inflateReset(u->z) == Z_OK);
	}
	return true;
}

/* Inflates once into OUT, which has ROOM bytes left. */
static enum http_unpack_result inflate_some(struct http_unpack *u, struct buf *out, size_t room)
{
	unsigned char
		beyond; /* where a byte goes that must not be, so that the end can be reached */
	size_t want = MIN(room, (size_t)UNPACK_BYTES);
	char *d = want == 0 ? NULL : buf_room(out, want);

	u->z->next_out = want == 0 ? &beyond : (unsigned char *)d;
	u->z->avail_out = want == 0 ? 1 : (unsigned)want;
	int r = inflate(u->z, Z_NO_FLUSH);

	u->ended = r == Z_STREAM_END;
	if (want == 0 && u->z->avail_out == 0)
		return HTTP_UNPACK_OVER;
	out->n += want == 0 ? 0 : want - u->z->avail_out;
	/* no progress is no fault: all input may be taken and nothing come of it yet */
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? HTTP_UNPACK_OK
								  : HTTP_UNPACK_BROKEN;
}

enum http_unpack_result http_unpack_feed(struct http_unpack *u, const char *p, size_t n,
	struct buf *out, size_t out_max)
{
	enum http_unpack_result r;

	if (out->max != 0)
		out_max = MIN(out_max, out->max);
	if (!u->active) {
		if (n > out_max - MIN(out->n, out_max))
			return HTTP_UNPACK_OVER;
		buf_add(out, p, n);
		return HTTP_UNPACK_OK;
	}
	CHECK(n <= UINT32_MAX);
	u->began = u->began || n > 0;
	u->z->next_in = (const unsigned char *)p;
	u->z->avail_in = (unsigned)n;
	do {
		if (u->ended && u->z->avail_in > 0) /* the next member (RFC 1952, 2.2) */
			CHECK(inflateReset(u->z) == Z_OK);
		r = inflate_some(u, out, out_max - MIN(out->n, out_max));
		if (r != HTTP_UNPACK_OK)
			return r;
	} while (u->z->avail_in > 0 || (u->z->avail_out == 0 && !u->ended));
	return HTTP_UNPACK_OK;
}

bool http_unpack_is_whole(const struct http_unpack *u)
{
	return !u->active || !u->began || u->ended;
}

void http_unpack_free(struct http_unpack *u)
{
	if (u->z != NULL)
		inflateEnd(u->z);
	free(u->z);
	u->z = NULL;
}
