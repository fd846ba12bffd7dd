/*
 * json_parse.c - text to tape in one pass, without recursion.
 *
 * The innermost open container's node holds its parent's index where its span will be, so the tape
 * itself is the stack. Strings are scanned 16 bytes at a time for the four kinds of bytes that
 * matter (quote, backslash, control, non-ASCII) and unescaped in place. Line numbers are counted
 * where line feeds can be: in white space.
 */
#ifdef __SSE2__
#include <emmintrin.h> /* first: it mentions malloc, which ours forbid */
#endif

#include "data/json.h"

#include "core/limits.h"

#define NO_PARENT UINT64_MAX

struct parser {
	struct arena *arena;
	char *p, *end;
	const char *start, *line_start;
	uint32_t line, depth, depth_max;
	struct json *nodes;
	size_t count, cap;
	uint64_t parent; /* index of the innermost open container */
	struct err *err;
};

static bool fail_at(struct parser *ps, const char *at, const char *expected)
{
	size_t col = (size_t)(at - ps->line_start) + 1;

	if (at >= ps->end)
		return err_set(ps->err, ERR_JSON,
			"line %u, column %zu: expected %s, but the text ends", ps->line, col,
			expected);
	unsigned char c = (unsigned char)*at;

	if (c > 0x20 && c < 0x7F)
		return err_set(ps->err, ERR_JSON, "line %u, column %zu: expected %s, found '%c'",
			ps->line, col, expected, c);
	return err_set(ps->err, ERR_JSON, "line %u, column %zu: expected %s, found byte 0x%02x",
		ps->line, col, expected, c);
}

static bool fail_in(struct parser *ps, const char *at, const char *what)
{
	return err_set(ps->err, ERR_JSON, "line %u, column %zu: %s", ps->line,
		(size_t)(at - ps->line_start) + 1, what);
}

static inline void skip_space(struct parser *ps)
{
	char *p = ps->p, *end = ps->end;

	while (p < end && (unsigned char)*p <= ' ') {
		if (*p == '\n') {
			ps->line++;
			ps->line_start = p + 1;
		} else if (*p != ' ' && *p != '\t' && *p != '\r') {
			break;
		}
		p++;
	}
	ps->p = p;
}

static __attribute__((noinline)) void grow(struct parser *ps)
{
	size_t cap = ps->cap + ps->cap / 2 + 16;

	ps->nodes = arena_grow(ps->arena, ps->nodes, ps->cap * sizeof(struct json),
		cap * sizeof(struct json));
	ps->cap = cap;
}

static inline void push(struct parser *ps, struct json v)
{
	if (UNLIKELY(ps->count == ps->cap))
		grow(ps);
	ps->nodes[ps->count++] = v;
}

/* The first byte at or behind P that is '"', '\\', a control or not ASCII; END when there is none. */
static inline char *scan_plain(char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(0x20);

	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* signed compare: bytes from 0x80 up are negative, hence also below 0x20 */
		__m128i m = _mm_or_si128(_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
		int bits = _mm_movemask_epi8(m);

		if (bits != 0)
			return p + __builtin_ctz((unsigned)bits);
		p += 16;
	}
#endif
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
		*p != '\\')
		p++;
	return p;
}

/* Length of the valid multi-byte character at P, or 0 (RFC 3629, section 4). */
static inline size_t utf8_multi(const char *at, const char *end)
{
	const unsigned char *p = (const unsigned char *)at;
	size_t left = (size_t)(end - at);
	unsigned char c = p[0];

	if (c >= 0xC2 && c <= 0xDF)
		return left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
	if (c >= 0xE0 && c <= 0xEF) {
		unsigned char lo = c == 0xE0 ? 0xA0 : 0x80, hi = c == 0xED ? 0x9F : 0xBF;

		return left >= 3 && p[1] >= lo && p[1] <= hi && (p[2] & 0xC0) == 0x80 ? 3 : 0;
	}
	if (c >= 0xF0 && c <= 0xF4) {
		unsigned char lo = c == 0xF0 ? 0x90 : 0x80, hi = c == 0xF4 ? 0x8F : 0xBF;

		return left >= 4 && p[1] >= lo && p[1] <= hi && (p[2] & 0xC0) == 0x80 &&
				       (p[3] & 0xC0) == 0x80
			       ? 4
			       : 0;
	}
	return 0;
}

static bool hex4(const char *p, const char *end, unsigned *out)
{
	unsigned char b[2];

	if (end - p < 4 || !str_hex_get(str_of(p, 4), b, 2))
		return false;
	*out = (unsigned)b[0] << 8 | b[1];
	return true;
}

static char *put_utf8(char *d, unsigned c)
{
	if (c < 0x80) {
		*d++ = (char)c;
	} else if (c < 0x800) {
		*d++ = (char)(0xC0 | c >> 6);
		*d++ = (char)(0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		*d++ = (char)(0xE0 | c >> 12);
		*d++ = (char)(0x80 | (c >> 6 & 0x3F));
		*d++ = (char)(0x80 | (c & 0x3F));
	} else {
		*d++ = (char)(0xF0 | c >> 18);
		*d++ = (char)(0x80 | (c >> 12 & 0x3F));
		*d++ = (char)(0x80 | (c >> 6 & 0x3F));
		*d++ = (char)(0x80 | (c & 0x3F));
	}
	return d;
}

/* The escape at *P (a backslash); writes its character at *D and moves both. */
static bool unescape(struct parser *ps, char **p, char **d)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char *s = *p;
	unsigned c, low;

	if (ps->end - s < 2)
		return fail_at(ps, ps->end, "the rest of an escape");
	const char *k = memchr(from, s[1], sizeof(from) - 1);

	if (k != NULL) {
		*(*d)++ = to[k - from];
		*p = s + 2;
		return true;
	}
	if (s[1] != 'u')
		return fail_at(ps, s + 1, "one of \"\\/bfnrtu behind a backslash");
	if (!hex4(s + 2, ps->end, &c))
		return fail_in(ps, s, "\\u must be followed by four hexadecimal digits");
	s += 6;
	if (c >= 0xD800 && c <= 0xDFFF) {
		bool pair = c <= 0xDBFF && ps->end - s >= 6 && s[0] == '\\' && s[1] == 'u' &&
			    hex4(s + 2, ps->end, &low) && low >= 0xDC00 && low <= 0xDFFF;

		if (!pair)
			return fail_in(ps, *p, "half of a surrogate pair stands for no character");
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		s += 6;
	}
	*d = put_utf8(*d, c);
	*p = s;
	return true;
}

/* The rest of a string that holds an escape, from P on; it is packed to the left, behind D. */
static bool string_escaped(struct parser *ps, char *first, char *p)
{
	char *d = p;

	for (;;) {
		char *q = scan_plain(p, ps->end);

		memmove(d, p, (size_t)(q - p));
		d += q - p;
		p = q;
		if (p >= ps->end)
			return fail_at(ps, p, "'\"' at the end of a string");
		if (*p == '"')
			break;
		if (*p == '\\') {
			if (!unescape(ps, &p, &d))
				return false;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return fail_in(ps, p, "a control character in a string must be escaped");
		size_t k = utf8_multi(p, ps->end);

		if (k == 0)
			return fail_in(ps, p, "the string is not valid UTF-8");
		memmove(d, p, k);
		d += k;
		p += k;
	}
	push(ps, (struct json){ JSON_STRING, .n = (uint32_t)(d - first), .s = first });
	ps->p = p + 1;
	return true;
}

/* A string at the quote ps->p. */
static inline bool string(struct parser *ps)
{
	char *first = ps->p + 1, *p = first;

	for (;;) {
		p = scan_plain(p, ps->end);
		if (UNLIKELY(p >= ps->end))
			return fail_at(ps, p, "'\"' at the end of a string");
		if (LIKELY(*p == '"'))
			break;
		if (*p == '\\')
			return string_escaped(ps, first, p);
		if ((unsigned char)*p < 0x20)
			return fail_in(ps, p, "a control character in a string must be escaped");
		size_t k = utf8_multi(p, ps->end);

		if (k == 0)
			return fail_in(ps, p, "the string is not valid UTF-8");
		p += k;
	}
	push(ps, (struct json){ JSON_STRING, 1, (uint32_t)(p - first), .s = first });
	ps->p = p + 1;
	return true;
}

static inline bool is_digit(const char *p, const char *end)
{
	return p < end && (unsigned)(*p - '0') <= 9;
}

static inline bool digits(struct parser *ps, char **p)
{
	if (!is_digit(*p, ps->end))
		return fail_at(ps, *p, "a digit");
	while (is_digit(*p, ps->end))
		(*p)++;
	return true;
}

static inline bool number(struct parser *ps)
{
	char *p = ps->p;

	if (*p == '-')
		p++;
	if (p < ps->end && *p == '0') {
		p++;
		if (is_digit(p, ps->end))
			return fail_in(ps, p, "a number can't begin with 0 and another digit");
	} else if (!digits(ps, &p)) {
		return false;
	}
	if (p < ps->end && *p == '.') {
		p++;
		if (!digits(ps, &p))
			return false;
	}
	if (p < ps->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < ps->end && (*p == '+' || *p == '-'))
			p++;
		if (!digits(ps, &p))
			return false;
	}
	push(ps, (struct json){ JSON_NUMBER, .n = (uint32_t)(p - ps->p), .s = ps->p });
	ps->p = p;
	return true;
}

static inline bool literal(struct parser *ps, const char *word, size_t n, enum json_type type)
{
	if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, word, n) != 0)
		return fail_at(ps, ps->p, "a value");
	push(ps, (struct json){ (uint16_t)type });
	ps->p += n;
	return true;
}

static inline bool open(struct parser *ps, enum json_type type)
{
	if (UNLIKELY(ps->depth == ps->depth_max))
		return err_set(ps->err, ERR_LIMIT,
			"line %u, column %zu: more than %u arrays and objects inside each other",
			ps->line, (size_t)(ps->p - ps->line_start) + 1, ps->depth_max);
	push(ps, (struct json){ (uint16_t)type, .span = ps->parent });
	ps->parent = ps->count - 1;
	ps->depth++;
	ps->p++;
	return true;
}

static inline void close(struct parser *ps)
{
	struct json *v = &ps->nodes[ps->parent];
	uint64_t outer = v->span;

	v->span = ps->count - ps->parent;
	ps->parent = outer;
	ps->depth--;
	ps->p++;
}

/* A value that is no container, at ps->p. */
static inline bool scalar(struct parser *ps)
{
	switch (*ps->p) {
	case '"':
		return string(ps);
	case 't':
		return literal(ps, "true", 4, JSON_TRUE);
	case 'f':
		return literal(ps, "false", 5, JSON_FALSE);
	case 'n':
		return literal(ps, "null", 4, JSON_NULL);
	default:
		if (*ps->p != '-' && !is_digit(ps->p, ps->end))
			return fail_at(ps, ps->p, "a value");
		return number(ps);
	}
}

static bool key(struct parser *ps, const char *expected)
{
	skip_space(ps);
	if (ps->p >= ps->end || *ps->p != '"')
		return fail_at(ps, ps->p, expected);
	if (!string(ps))
		return false;
	skip_space(ps);
	if (ps->p >= ps->end || *ps->p != ':')
		return fail_at(ps, ps->p, "':' behind a name");
	ps->p++;
	ps->nodes[ps->parent].n++;
	return true;
}

/* Is the container just opened empty? Then closes it. */
static inline bool empty(struct parser *ps, char closer)
{
	skip_space(ps);
	if (ps->p >= ps->end || *ps->p != closer)
		return false;
	close(ps);
	return true;
}

enum next { NEXT_VALUE, NEXT_END, NEXT_FAILED };

/* Behind a value: closes what closes here, passes a comma (and in an object the next name). */
static inline enum next after(struct parser *ps)
{
	for (;;) {
		if (ps->parent == NO_PARENT)
			return NEXT_END;
		bool object = ps->nodes[ps->parent].type == JSON_OBJECT;

		skip_space(ps);
		char c = ps->p < ps->end ? *ps->p : '\0';

		if (c == ',') {
			ps->p++;
			if (!object)
				ps->nodes[ps->parent].n++;
			else if (!key(ps, "a name in quotes behind ','"))
				return NEXT_FAILED;
			return NEXT_VALUE;
		}
		if (c != (object ? '}' : ']')) {
			fail_at(ps, ps->p, object ? "',' or '}'" : "',' or ']'");
			return NEXT_FAILED;
		}
		close(ps);
	}
}

static bool document(struct parser *ps)
{
	enum next next = NEXT_VALUE;

	while (next == NEXT_VALUE) {
		skip_space(ps);
		if (ps->p >= ps->end)
			return fail_at(ps, ps->p, "a value");
		if (*ps->p == '{') {
			if (!open(ps, JSON_OBJECT))
				return false;
			if (!empty(ps, '}')) {
				if (!key(ps, "a name in quotes, or '}'"))
					return false;
				continue;
			}
		} else if (*ps->p == '[') {
			if (!open(ps, JSON_ARRAY))
				return false;
			if (!empty(ps, ']')) {
				ps->nodes[ps->parent].n = 1;
				continue;
			}
		} else if (!scalar(ps)) {
			return false;
		}
		next = after(ps);
	}
	if (next == NEXT_FAILED)
		return false;
	skip_space(ps);
	return ps->p == ps->end || fail_at(ps, ps->p, "the end of the text");
}

bool json_parse(struct arena *a, char *text, size_t n, const struct json_limits *limits,
	const struct json **root, struct err *err)
{
	size_t bytes_max = limits != NULL && limits->bytes_max != 0 ? limits->bytes_max
								    : UINT32_MAX;
	struct parser ps = { .arena = a,
		.p = text,
		.end = text + n,
		.start = text,
		.line_start = text,
		.line = 1,
		.parent = NO_PARENT,
		.err = err };

	ps.depth_max = limits != NULL && limits->depth_max != 0 ? limits->depth_max
								: LIMIT_JSON_DEPTH;
	if (n > bytes_max)
		return err_set(err, ERR_LIMIT,
			"the JSON text has %zu bytes, more than the limit of %zu", n, bytes_max);
	CHECK(ps.depth_max <= JSON_BUILD_DEPTH_MAX);
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		ps.p += 3;
		ps.line_start = ps.p; /* editors don't show it: columns count from behind it */
	}
	ps.cap = n / 6 + 8;
	ps.nodes = arena_alloc(a, ps.cap * sizeof(struct json));
	if (!document(&ps))
		return false;
	*root = ps.nodes;
	return true;
}

bool json_parse_copy(struct arena *a, struct str text, const struct json **root, struct err *err)
{
	return json_parse(a, arena_strndup(a, text.p, text.n), text.n, NULL, root, err);
}
