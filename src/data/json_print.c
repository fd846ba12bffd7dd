/*
 * json_print.c - tape to text: one walk along the tape, with a small stack of open containers.
 *
 * Room for the worst case of a node is taken once, then bytes are written without checks.
 */
#ifdef __SSE2__
#include <emmintrin.h> /* first: it mentions malloc, which ours forbid */
#endif

#include "data/json.h"

static size_t plain_prefix(const char *s, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i top = _mm_set1_epi8(0x1F);

	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, top), v); /* unsigned v <= 0x1F */
		int bits = _mm_movemask_epi8(_mm_or_si128(low,
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash))));

		if (bits != 0)
			return i + (size_t)__builtin_ctz((unsigned)bits);
	}
#endif
	while (i < n && (unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

static char *escape(char *d, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *k = memchr(from, c, sizeof(from) - 1);

	*d++ = '\\';
	if (k != NULL) {
		*d++ = to[k - from];
		return d;
	}
	memcpy(d, "u00", 3);
	str_hex_put(d + 3, &c, 1);
	return d + 5;
}

/* S with escapes, in quotes; D has room for 6 * s.n + 2 bytes. */
static char *put_escaped(char *d, struct str s)
{
	*d++ = '"';
	for (size_t i = 0; i < s.n;) {
		size_t k = plain_prefix(s.p + i, s.n - i);

		d = mempcpy(d, s.p + i, k);
		i += k;
		if (i < s.n)
			d = escape(d, (unsigned char)s.p[i++]);
	}
	*d++ = '"';
	return d;
}

static size_t escaped_length(struct str s)
{
	size_t n = s.n + 2;
	char e[8];

	for (size_t i = 0; i < s.n; i++) {
		i += plain_prefix(s.p + i, s.n - i);
		if (i < s.n)
			n += (size_t)(escape(e, (unsigned char)s.p[i]) - e) - 1;
	}
	return n;
}

void json_print_str(struct buf *out, struct str s)
{
	size_t n = 6 * s.n + 2;
	char *d;

	/* near the buffer's maximum only the exact length tells whether it fits */
	if (UNLIKELY(out->max != 0 && n > out->max - MIN(out->n, out->max)))
		n = escaped_length(s);
	d = buf_room(out, n);

	if (d != NULL)
		out->n += (size_t)(put_escaped(d, s) - d);
}

/* Short runs, which most strings are, without a call: two copies that may overlap. */
static inline char *put(char *d, const char *s, size_t n)
{
	if (n > 32) {
		memcpy(d, s, n);
	} else if (n > 16) {
		memcpy(d, s, 16);
		memcpy(d + n - 16, s + n - 16, 16);
	} else if (n >= 8) {
		memcpy(d, s, 8);
		memcpy(d + n - 8, s + n - 8, 8);
	} else if (n >= 4) {
		memcpy(d, s, 4);
		memcpy(d + n - 4, s + n - 4, 4);
	} else {
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
	}
	return d + n;
}

#define EACH_BYTE(c) (0x0101010101010101ULL * (c))

/*
 * Does one of eight bytes need an escape? A byte below N has its top bit set in (w - N) & ~w; a
 * borrow from a lower byte can only follow a byte for which the answer is yes already.
 */
static inline bool needs_escape(uint64_t w)
{
	uint64_t quote = w ^ EACH_BYTE('"'), slash = w ^ EACH_BYTE('\\');

	return ((((w - EACH_BYTE(0x20)) & ~w) | ((quote - EACH_BYTE(1)) & ~quote) |
			((slash - EACH_BYTE(1)) & ~slash)) &
		       EACH_BYTE(0x80)) != 0;
}

/* Does it print as it stands? */
static inline bool is_plain(const struct json *v)
{
	const char *s = v->s;
	size_t n = v->n;

	if (v->plain != 0)
		return true;
	if (n > 16)
		return plain_prefix(s, n) == n;
	if (n >= 8)
		return !needs_escape(str_load8(s)) && !needs_escape(str_load8(s + n - 8));
	if (n >= 4)
		return !needs_escape(str_load4(s) | (uint64_t)str_load4(s + n - 4) << 32);
	return plain_prefix(s, n) == n;
}

static inline bool string(struct buf *out, const struct json *v)
{
	if (UNLIKELY(!is_plain(v))) {
		json_print_str(out, json_str(v));
		return !out->over;
	}
	char *d = buf_room(out, (size_t)v->n + 2);

	if (d == NULL)
		return false;
	*d = '"';
	*put(d + 1, v->s, v->n) = '"';
	out->n += (size_t)v->n + 2;
	return true;
}

/* A value that is no container. */
static inline bool scalar(struct buf *out, const struct json *v)
{
	char *d;

	switch (v->type) {
	case JSON_STRING:
		return string(out, v);
	case JSON_NUMBER:
		d = buf_room(out, v->n);
		if (d == NULL)
			return false;
		put(d, v->s, v->n);
		out->n += v->n;
		break;
	case JSON_TRUE:
		BUF_ADD_LIT(out, "true");
		break;
	case JSON_FALSE:
		BUF_ADD_LIT(out, "false");
		break;
	default:
		BUF_ADD_LIT(out, "null");
	}
	return !out->over;
}

static void newline(struct buf *out, enum json_style style, size_t depth)
{
	if (style == JSON_COMPACT)
		return;
	buf_add_char(out, '\n');
	while (depth-- > 0)
		BUF_ADD_LIT(out, "  ");
}

struct level {
	const struct json *end;
	bool object;
};

/* A member's name and what stands between it and its value. */
static inline bool name(struct buf *out, const struct json *key, enum json_style style)
{
	if (!string(out, key))
		return false;
	buf_add_char(out, ':');
	if (style == JSON_PRETTY)
		buf_add_char(out, ' ');
	return true;
}

void json_print(struct buf *out, const struct json *root, enum json_style style)
{
	struct level stack[JSON_BUILD_DEPTH_MAX], *in = stack; /* the innermost is in[-1] */
	const struct json *v = root;

	if (root->type < JSON_ARRAY) {
		(void)scalar(out, root);
		return;
	}
	for (;;) {
		bool empty = false;

		if (in > stack && in[-1].object && !name(out, v++, style))
			return;
		if (v->type < JSON_ARRAY) {
			if (!scalar(out, v++))
				return;
		} else {
			CHECK(in < stack + JSON_BUILD_DEPTH_MAX);
			*in = (struct level){ json_next(v), v->type == JSON_OBJECT };
			buf_add_char(out, in->object ? '{' : '[');
			in++;
			v++;
			empty = v == in[-1].end;
			if (!empty) {
				newline(out, style, (size_t)(in - stack));
				continue;
			}
		}
		for (; in > stack && v == in[-1].end; empty = false) {
			in--;
			if (!empty)
				newline(out, style, (size_t)(in - stack));
			buf_add_char(out, in->object ? '}' : ']');
		}
		if (in == stack)
			return;
		buf_add_char(out, ',');
		newline(out, style, (size_t)(in - stack));
	}
}

static __attribute__((noinline)) void behind(struct buf *out, struct str prefix,
	const struct json *v)
{
	buf_add_str(out, prefix);
	json_print(out, v, JSON_COMPACT);
}

void json_print_behind(struct buf *out, struct str prefix, const struct json *v)
{
	static const struct str words[] = { STR_INIT("null"), STR_INIT("false"), STR_INIT("true") };
	size_t quotes = v->type == JSON_STRING;
	struct str text = v->type <= JSON_TRUE ? words[v->type] : str_of(v->s, v->n);

	/* what is written to spare a choice stays within the capacity, content within the maximum */
	if (UNLIKELY(v->type >= JSON_ARRAY || v->plain < quotes || out->over ||
		     prefix.n > JSON_PREFIX_PAD ||
		     out->cap - out->n < text.n + 2 * JSON_PREFIX_PAD)) {
		behind(out, prefix, v);
		return;
	}
	char *d = out->p + out->n;

	memcpy(d, prefix.p, JSON_PREFIX_PAD);
	d += prefix.n;
	*d = '"';
	d = put(d + quotes, text.p, text.n);
	*d = '"';
	out->n = (size_t)(d + quotes - out->p);
}

struct str json_print_arena(struct arena *a, const struct json *v)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	size_t guess = 0;

	/* what most documents print to, so that the buffer need not grow */
	for (const struct json *n = v, *end = json_next(v); n < end; n++)
		guess += (n->type < JSON_ARRAY ? n->n : 0) + 4;
	(void)buf_room(&b, guess);
	json_print(&b, v, JSON_COMPACT);
	return str_dup(a, buf_str(&b));
}
