/*
 * json_parse.c - text to tape in one pass, without recursion.
 *
 * An open container's node holds how far behind its parent it stands where its span will be, so the
 * tape itself is the stack. Strings are scanned 16 bytes at a time for the four kinds of bytes that
 * matter (quote, backslash, control, non-ASCII) and unescaped in place. Line numbers are counted
 * where line feeds can be: in white space.
 */
#ifdef __SSE2__
#include <emmintrin.h> /* first: it mentions malloc, which ours forbid */
#endif

#include "data/json.h"

#include "core/limits.h"

struct parser {
	struct arena *arena;
	const char *end, *line_start;
	uint32_t line, depth, depth_max;
	struct json *nodes, *at, *limit; /* the first, the next, the end of the room */
	struct json *in;                 /* the innermost open container; NULL: none */
	struct err *err;
};

/* Called once or twice for each node, with the place in the text in a register. */
#define HOT static inline __attribute__((always_inline))

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

/* For functions that return where the text goes on. */
static inline char *failed(bool refused UNUSED)
{
	return NULL;
}

static __attribute__((noinline)) char *skip_more(struct parser *ps, char *p)
{
	while (p < ps->end && (unsigned char)*p <= ' ') {
		if (*p == '\n') {
			ps->line++;
			ps->line_start = p + 1;
		} else if (*p != ' ' && *p != '\t' && *p != '\r') {
			break;
		}
		p++;
	}
	return p;
}

HOT char *skip_space(struct parser *ps, char *p)
{
	return LIKELY(p < ps->end && (unsigned char)*p > ' ') ? p : skip_more(ps, p);
}

static __attribute__((noinline)) void grow(struct parser *ps)
{
	size_t count = (size_t)(ps->at - ps->nodes), cap = count + count / 2 + 16;
	size_t in = ps->in == NULL ? 0 : (size_t)(ps->in - ps->nodes);

	ps->nodes = arena_grow(ps->arena, ps->nodes, count * sizeof(struct json),
		cap * sizeof(struct json));
	ps->at = ps->nodes + count;
	ps->limit = ps->nodes + cap;
	if (ps->in != NULL)
		ps->in = ps->nodes + in;
}

HOT void push(struct parser *ps, struct json v)
{
	if (UNLIKELY(ps->at == ps->limit))
		grow(ps);
	*ps->at++ = v;
}

#ifdef __SSE2__
/* A bit for each of the 16 bytes at P that is '"', '\\', a control or not ASCII. */
HOT unsigned special(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	/* signed compare: bytes from 0x80 up are negative, hence also below 0x20 */
	__m128i m = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
		_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
			_mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

	return (unsigned)_mm_movemask_epi8(m);
}
#endif

/* The first byte at or behind P that is special; END when there is none. */
static __attribute__((noinline)) char *scan(char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		unsigned bits = special(p);

		if (bits != 0)
			return p + __builtin_ctz(bits);
	}
#endif
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
		*p != '\\')
		p++;
	return p;
}

/* Length of the valid multi-byte character at P, or 0 (RFC 3629, section 4). */
HOT size_t utf8_multi(const char *at, const char *end)
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
static char *string_escaped(struct parser *ps, char *first, char *p)
{
	char *d = p;

	for (;;) {
		char *q = scan(p, ps->end);

		memmove(d, p, (size_t)(q - p));
		d += q - p;
		p = q;
		if (p >= ps->end)
			return failed(fail_at(ps, p, "'\"' at the end of a string"));
		if (*p == '"')
			break;
		if (*p == '\\') {
			if (!unescape(ps, &p, &d))
				return NULL;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return failed(
				fail_in(ps, p, "a control character in a string must be escaped"));
		size_t k = utf8_multi(p, ps->end);

		if (k == 0)
			return failed(fail_in(ps, p, "the string is not valid UTF-8"));
		memmove(d, p, k);
		d += k;
		p += k;
	}
	push(ps, (struct json){ JSON_STRING, .n = (uint32_t)(d - first), .s = first });
	return p + 1;
}

/* The string FIRST, of which all before P is plain. */
static __attribute__((noinline)) char *string_rest(struct parser *ps, char *first, char *p)
{
	for (p = scan(p, ps->end); p < ps->end && *p != '"'; p = scan(p, ps->end)) {
		if (*p == '\\')
			return string_escaped(ps, first, p);
		if ((unsigned char)*p < 0x20)
			return failed(
				fail_in(ps, p, "a control character in a string must be escaped"));
		size_t k = utf8_multi(p, ps->end);

		if (k == 0)
			return failed(fail_in(ps, p, "the string is not valid UTF-8"));
		p += k;
	}
	if (p >= ps->end)
		return failed(fail_at(ps, p, "'\"' at the end of a string"));
	push(ps, (struct json){ JSON_STRING, 1, (uint32_t)(p - first), .s = first });
	return p + 1;
}

/* A string at the quote P: most end within 16 bytes, and hold nothing special. */
HOT char *string(struct parser *ps, char *p)
{
	char *first = p + 1;

#ifdef __SSE2__
	if (LIKELY(ps->end - first >= 16)) {
		unsigned bits = special(first), n = bits != 0 ? (unsigned)__builtin_ctz(bits) : 16;

		if (LIKELY(bits != 0 && first[n] == '"')) {
			push(ps, (struct json){ JSON_STRING, 1, n, .s = first });
			return first + n + 1;
		}
		return string_rest(ps, first, first + n);
	}
#endif
	return string_rest(ps, first, first);
}

HOT bool is_digit(const char *p, const char *end)
{
	return p < end && (unsigned)(*p - '0') <= 9;
}

HOT char *digits(struct parser *ps, char *p)
{
	if (UNLIKELY(!is_digit(p, ps->end)))
		return failed(fail_at(ps, p, "a digit"));
	do
		p++;
	while (is_digit(p, ps->end));
	return p;
}

/* The fraction and the exponent of the number FROM, whose next byte is P. */
static __attribute__((noinline)) char *number_rest(struct parser *ps, char *from, char *p)
{
	if (*p == '.') {
		p = digits(ps, p + 1);
		if (p == NULL)
			return NULL;
	}
	if (p < ps->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < ps->end && (*p == '+' || *p == '-'))
			p++;
		p = digits(ps, p);
		if (p == NULL)
			return NULL;
	}
	push(ps, (struct json){ JSON_NUMBER, .n = (uint32_t)(p - from), .s = from });
	return p;
}

HOT char *number(struct parser *ps, char *from)
{
	char *p = from + (*from == '-');

	if (p < ps->end && *p == '0') {
		p++;
		if (is_digit(p, ps->end))
			return failed(
				fail_in(ps, p, "a number can't begin with 0 and another digit"));
	} else {
		p = digits(ps, p);
		if (UNLIKELY(p == NULL))
			return NULL;
	}
	if (p < ps->end && (*p == '.' || *p == 'e' || *p == 'E'))
		return number_rest(ps, from, p);
	push(ps, (struct json){ JSON_NUMBER, .n = (uint32_t)(p - from), .s = from });
	return p;
}

HOT char *literal(struct parser *ps, char *p, const char *word, size_t n, enum json_type type)
{
	if ((size_t)(ps->end - p) < n || memcmp(p, word, n) != 0)
		return failed(fail_at(ps, p, "a value"));
	push(ps, (struct json){ (uint16_t)type });
	return p + n;
}

/* Opens a container; the caller has seen its bracket at P. */
HOT char *open(struct parser *ps, char *p, enum json_type type)
{
	if (UNLIKELY(ps->depth == ps->depth_max))
		return failed(err_set(ps->err, ERR_LIMIT,
			"line %u, column %zu: more than %u arrays and objects inside each other",
			ps->line, (size_t)(p - ps->line_start) + 1, ps->depth_max));
	push(ps, (struct json){ (uint16_t)type });
	struct json *v = ps->at - 1;

	v->span = ps->in == NULL ? 0 : (uint64_t)(v - ps->in);
	ps->in = v;
	ps->depth++;
	return skip_space(ps, p + 1);
}

HOT void close(struct parser *ps)
{
	struct json *v = ps->in;

	ps->in = v->span == 0 ? NULL : v - v->span;
	v->span = (uint64_t)(ps->at - v);
	ps->depth--;
}

/* A value that is no container, at P. */
HOT char *scalar(struct parser *ps, char *p)
{
	switch (*p) {
	case '"':
		return string(ps, p);
	case 't':
		return literal(ps, p, "true", 4, JSON_TRUE);
	case 'f':
		return literal(ps, p, "false", 5, JSON_FALSE);
	case 'n':
		return literal(ps, p, "null", 4, JSON_NULL);
	default:
		if (UNLIKELY(*p != '-' && !is_digit(p, ps->end)))
			return failed(fail_at(ps, p, "a value"));
		return number(ps, p);
	}
}

/* Behind white space, if any; is it C that stands there? */
HOT bool meets(struct parser *ps, char **p, char c)
{
	if (LIKELY(*p < ps->end && **p == c))
		return true;
	*p = skip_more(ps, *p);
	return *p < ps->end && **p == c;
}

/* A name and its colon. */
HOT char *key(struct parser *ps, char *p, const char *expected)
{
	if (UNLIKELY(!meets(ps, &p, '"')))
		return failed(fail_at(ps, p, expected));
	p = string(ps, p);
	if (UNLIKELY(p == NULL))
		return NULL;
	if (UNLIKELY(!meets(ps, &p, ':')))
		return failed(fail_at(ps, p, "':' behind a name"));
	return p + 1;
}

/* Opens containers down to the first value that is none, or is empty, and takes that. */
HOT char *value(struct parser *ps, char *p)
{
	for (;;) {
		p = skip_space(ps, p);
		if (UNLIKELY(p >= ps->end))
			return failed(fail_at(ps, p, "a value"));
		bool object = *p == '{';

		if (!object && *p != '[')
			return scalar(ps, p);
		p = open(ps, p, object ? JSON_OBJECT : JSON_ARRAY);
		if (UNLIKELY(p == NULL))
			return NULL;
		if (p < ps->end && *p == (object ? '}' : ']')) {
			close(ps);
			return p + 1;
		}
		ps->in->n = 1;
		if (object)
			p = key(ps, p, "a name in quotes, or '}'");
		if (UNLIKELY(p == NULL))
			return NULL;
	}
}

/* Behind a value: closes what closes here; passes a comma and, in an object, the next name. */
HOT char *after(struct parser *ps, char *p)
{
	while (ps->in != NULL) {
		bool object = ps->in->type == JSON_OBJECT;

		if (LIKELY(meets(ps, &p, ','))) {
			ps->in->n++;
			return object ? key(ps, p + 1, "a name in quotes behind ','") : p + 1;
		}
		if (UNLIKELY(p >= ps->end || *p != (object ? '}' : ']')))
			return failed(fail_at(ps, p, object ? "',' or '}'" : "',' or ']'"));
		close(ps);
		p++;
	}
	return p;
}

static bool document(struct parser *ps, char *p)
{
	do {
		p = value(ps, p);
		if (UNLIKELY(p == NULL))
			return false;
		p = after(ps, p);
		if (UNLIKELY(p == NULL))
			return false;
	} while (ps->in != NULL);
	p = skip_space(ps, p);
	return p == ps->end || fail_at(ps, p, "the end of the text");
}

bool json_parse(struct arena *a, char *text, size_t n, const struct json_limits *limits,
	const struct json **root, struct err *err)
{
	size_t bytes_max = limits != NULL && limits->bytes_max != 0 ? limits->bytes_max
								    : UINT32_MAX;
	struct parser ps = { .arena = a,
		.end = text + n,
		.line_start = text,
		.line = 1,
		.err = err };

	ps.depth_max = limits != NULL && limits->depth_max != 0 ? limits->depth_max
								: LIMIT_JSON_DEPTH;
	if (n > bytes_max)
		return err_set(err, ERR_LIMIT,
			"the JSON text has %zu bytes, more than the limit of %zu", n, bytes_max);
	CHECK(ps.depth_max <= JSON_BUILD_DEPTH_MAX);
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		ps.line_start += 3; /* editors don't show it: columns count from behind it */
	size_t cap = n / 6 + 8;

	ps.nodes = ps.at = arena_alloc(a, cap * sizeof(struct json));
	ps.limit = ps.nodes + cap;
	if (!document(&ps, text + (ps.line_start - text)))
		return false;
	*root = ps.nodes;
	return true;
}

bool json_parse_copy(struct arena *a, struct str text, const struct json **root, struct err *err)
{
	return json_parse(a, arena_strndup(a, text.p, text.n), text.n, NULL, root, err);
}
