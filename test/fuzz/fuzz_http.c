/*
 * fuzz_http.c - any bytes as HTTP requests: whole, byte by byte and in pieces of odd sizes they must
 * give the same verdict in the same words, the same fields and the same body.
 */
#include "core/buf.h"
#include "net/http_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS   16
#define BODY_MAX 4096

static const struct http_limits limits = { .line_max = 512,
	.headers_max = 2048,
	.count_max = FIELDS };

struct outcome {
	enum http_parse head_result, body_result;
	struct http_head head;
	struct http_field fields[FIELDS];
	size_t used; /* by head and body */
	struct buf body;
	struct err err;
};

static size_t step_of(size_t step, size_t at)
{
	return step != 0 ? step : 1 + at * 7 % 13; /* 0: odd sizes */
}

/* As a connection that has buffered N bytes so far would ask. */
static void feed_head(struct outcome *o, const char *p, size_t size, size_t step)
{
	size_t n = 0;

	while (o->head_result == HTTP_PARSE_MORE && n < size) {
		n = MIN(n + step_of(step, n), size);
		/* a copy of what is there, so that a sanitizer sees any read beyond it */
		struct arena *a DEFER(arena_freep) = arena_new("bytes", 0);

		o->head_result = http_head_feed(&o->head, &limits, arena_memdup(a, p, n), n,
			o->fields, &o->err);
	}
}

static void feed_chunks(struct outcome *o, const char *p, size_t size, size_t step)
{
	struct http_chunks c = { .max = BODY_MAX };
	size_t n = 0, at = 0, used;
	struct str data;

	o->body_result = HTTP_PARSE_MORE;
	while (o->body_result == HTTP_PARSE_MORE && n < size) {
		n = MIN(n + step_of(step, n), size);
		while (o->body_result == HTTP_PARSE_MORE && at < n) {
			o->body_result = http_chunks_feed(&c, p + at, n - at, &used, &data,
				&o->err);
			CHECK(used <= n - at);
			CHECK(used > 0 || o->body_result == HTTP_PARSE_BAD);
			at += used;
			buf_add_str(&o->body, data);
		}
	}
	CHECK(o->body.n <= BODY_MAX);
	o->used += at;
}

static void run(struct outcome *o, const char *p, size_t size, size_t step)
{
	memset(o, 0, sizeof(*o));
	o->head_result = HTTP_PARSE_MORE;
	feed_head(o, p, size, step);
	if (o->head_result != HTTP_PARSE_DONE)
		return;
	CHECK(o->head.bytes <= size && !(o->head.chunked && o->head.has_length));
	o->used = o->head.bytes;
	if (o->head.chunked)
		feed_chunks(o, p + o->used, size - o->used, step);
}

/* What was understood holds nothing that another reader could understand differently. */
static void check_head(const struct outcome *o, const char *p)
{
	CHECK(o->head.count <= FIELDS && (o->head.has_host || o->head.minor == 0));
	for (uint32_t i = 0; i < o->head.count; i++) {
		const struct http_field *f = &o->fields[i];

		CHECK(f->name.n > 0 && p[f->name.at + f->name.n] == ':');
		for (uint32_t k = 0; k < f->value.n; k++)
			CHECK(memchr("\r\n\0", p[f->value.at + k], 3) == NULL);
	}
	for (uint32_t k = 0; k < o->head.target.n; k++)
		CHECK((unsigned char)p[o->head.target.at + k] > 0x20);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
	CHECK(a->head_result == b->head_result && a->body_result == b->body_result);
	CHECK(a->err.code == b->err.code && strcmp(a->err.message, b->err.message) == 0);
	if (a->head_result != HTTP_PARSE_DONE)
		return;
	CHECK(memcmp(&a->head, &b->head, sizeof(a->head)) == 0);
	CHECK(memcmp(a->fields, b->fields, a->head.count * sizeof(a->fields[0])) == 0);
	CHECK(a->used == b->used && str_eq(buf_str(&a->body), buf_str(&b->body)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole, pieces;
	const char *p = (const char *)data;

	while (size > 0) {
		run(&whole, p, size, size);
		for (size_t step = 0; step < 2; step++) {
			run(&pieces, p, size, step);
			check_same(&whole, &pieces);
			buf_free(&pieces.body);
		}
		bool done = whole.head_result == HTTP_PARSE_DONE &&
			    (!whole.head.chunked || whole.body_result == HTTP_PARSE_DONE);

		if (whole.head_result == HTTP_PARSE_DONE)
			check_head(&whole, p);
		CHECK((whole.err.code == ERR_NONE) == (whole.head_result != HTTP_PARSE_BAD &&
							      whole.body_result != HTTP_PARSE_BAD));
		buf_free(&whole.body);
		if (!done || whole.head.length > size - whole.used)
			return 0;
		/* what follows is the next request */
		p += whole.used + whole.head.length;
		size -= whole.used + whole.head.length;
	}
	return 0;
}
