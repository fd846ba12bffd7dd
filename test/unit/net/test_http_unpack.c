/*
 * test_http_unpack.c - what is packed comes out whole whatever the pieces, what is cut or broken is
 * noticed, and the limit counts what comes out.
 */
#include "test.h"

#define ZLIB_CONST
#include <zlib.h>

#include "net/http_unpack.h"

static struct str packed(struct arena *a, struct str plain, int window)
{
	z_stream z = { .next_in = (const unsigned char *)plain.p, .avail_in = (unsigned)plain.n };
	size_t cap = plain.n + 1000;
	char *out = arena_alloc(a, cap);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return str_of(out, cap - z.avail_out);
}

static enum http_unpack_result feed_all(struct http_unpack *u, struct str in, size_t step,
	struct buf *out, size_t max)
{
	enum http_unpack_result r = HTTP_UNPACK_OK;

	for (size_t at = 0; at < in.n && r == HTTP_UNPACK_OK; at += step)
		r = http_unpack_feed(u, in.p + at, MIN(step, in.n - at), out, max);
	return r;
}

static struct str sample(struct arena *a)
{
	char *p = arena_alloc(a, 50000);

	for (size_t i = 0; i < 50000; i++)
		p[i] = (char)('a' + i * i % 23);
	return str_of(p, 50000);
}

static void whole(void **state UNUSED)
{
	static const size_t steps[] = { 1, 2, 7, 1000, SIZE_MAX / 2 };
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct str plain = sample(a), forms[2] = { packed(a, plain, 31), packed(a, plain, 15) };
	struct http_unpack u = { .z = NULL };

	for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			struct buf out DEFER(buf_free) = BUF_INIT(0);

			assert_true(http_unpack_begin(&u, f == 0 ? STR("gzip") : STR("Deflate")));
			assert_int_equal(feed_all(&u, forms[f], steps[i], &out, plain.n),
				HTTP_UNPACK_OK);
			assert_true(str_eq(buf_str(&out), plain));
			assert_true(http_unpack_is_whole(&u));
		}
	}
	http_unpack_free(&u);
}

static void members(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct buf in DEFER(buf_free) = BUF_INIT(0), out DEFER(buf_free) = BUF_INIT(0);
	struct http_unpack u = { .z = NULL };

	buf_add_str(&in, packed(a, STR("one "), 31));
	buf_add_str(&in, packed(a, STR(""), 31));
	buf_add_str(&in, packed(a, STR("two"), 31));
	for (size_t step = 1; step < in.n + 2; step++) {
		buf_reset(&out);
		assert_true(http_unpack_begin(&u, STR("x-gzip")));
		assert_int_equal(feed_all(&u, buf_str(&in), step, &out, 100), HTTP_UNPACK_OK);
		assert_str(buf_str(&out), "one two");
		assert_true(http_unpack_is_whole(&u));
	}
	/* what follows must be a member too */
	buf_add_str(&in, STR("tail"));
	buf_reset(&out);
	assert_true(http_unpack_begin(&u, STR("gzip")));
	assert_int_equal(feed_all(&u, buf_str(&in), in.n, &out, 100), HTTP_UNPACK_BROKEN);
	http_unpack_free(&u);
}

/* Cut anywhere it is not whole; with any byte changed it never becomes something else. */
static void cut_or_changed(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct str plain = STR("{\"items\":[1,2,3,4,5,6,7,8,9,10],\"next\":null}");
	struct str good = packed(a, plain, 31);
	struct http_unpack u = { .z = NULL };

	for (size_t n = 1; n < good.n; n++) {
		struct buf out DEFER(buf_free) = BUF_INIT(0);

		assert_true(http_unpack_begin(&u, STR("gzip")));
		assert_int_equal(feed_all(&u, str_sub(good, 0, n), n, &out, 1000), HTTP_UNPACK_OK);
		assert_false(http_unpack_is_whole(&u));
	}
	for (size_t at = 10; at < good.n; at++) { /* behind the header, which has no checksum */
		struct buf out DEFER(buf_free) = BUF_INIT(0);
		char *bad = arena_memdup(a, good.p, good.n);

		bad[at] ^= 0x10;
		assert_true(http_unpack_begin(&u, STR("gzip")));
		if (feed_all(&u, str_of(bad, good.n), 5, &out, 1000) == HTTP_UNPACK_OK &&
			http_unpack_is_whole(&u))
			assert_true(str_eq(buf_str(&out), plain));
	}
	http_unpack_free(&u);
}

static void limits(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct str plain = sample(a), good = packed(a, plain, 31);
	static const size_t maxima[] = { 0, 1, 16383, 16384, 16385, 49999 };
	struct http_unpack u = { .z = NULL };

	for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
		struct buf out DEFER(buf_free) = BUF_INIT(0);

		assert_true(http_unpack_begin(&u, STR("gzip")));
		assert_int_equal(feed_all(&u, good, 100, &out, maxima[i]), HTTP_UNPACK_OVER);
		assert_int_equal(out.n, maxima[i]);
		assert_true(str_eq(buf_str(&out), str_sub(plain, 0, maxima[i])) || maxima[i] == 0);
	}
	/* a buffer's own maximum counts too, and exactly it is enough */
	for (size_t less = 0; less < 2; less++) {
		struct buf own DEFER(buf_free) = BUF_INIT(plain.n - less);

		assert_true(http_unpack_begin(&u, STR("gzip")));
		assert_int_equal(feed_all(&u, good, 100, &own, SIZE_MAX),
			less == 0 ? HTTP_UNPACK_OK : HTTP_UNPACK_OVER);
		assert_int_equal(own.n, plain.n - less);
	}
	struct buf out DEFER(buf_free) = BUF_INIT(0);

	assert_true(http_unpack_begin(&u, STR_NULL));
	assert_int_equal(feed_all(&u, STR("12345"), 2, &out, 5), HTTP_UNPACK_OK);
	assert_int_equal(feed_all(&u, STR("6"), 1, &out, 5), HTTP_UNPACK_OVER);
	assert_str(buf_str(&out), "12345");
	http_unpack_free(&u);
}

static void codings(void **state UNUSED)
{
	struct http_unpack u = { .z = NULL };

	assert_true(http_unpack_begin(&u, STR("")));
	assert_true(http_unpack_begin(&u, STR("Identity")));
	assert_true(http_unpack_is_whole(&u));
	assert_false(http_unpack_begin(&u, STR("br")));
	assert_false(http_unpack_begin(&u, STR("gzip, gzip")));
	assert_false(http_unpack_begin(&u, STR("gzipx")));
	/* an empty body is whole whatever it says it is */
	assert_true(http_unpack_begin(&u, STR("gzip")));
	assert_true(http_unpack_is_whole(&u));
	http_unpack_free(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(members),
		cmocka_unit_test(cut_or_changed),
		cmocka_unit_test(limits),
		cmocka_unit_test(codings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
