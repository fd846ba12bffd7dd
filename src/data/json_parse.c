/*
 * json_parse.c - text to tape in one pass, without recursion.
 *
 * An open container's node holds how far behind its parent it stands where its span will be, so the
 * tape itself is the stack. Strings are scanned 16 bytes at a time for the four kinds of bytes that
 * matter (quote, backslash, control, non-ASCII) and unescaped in place. Line numbers are counted
 * where line feeds can be: in white space.
 *
 * Most names, strings and numbers are short and plain: usual_...() take these from one load of 16
 * bytes, and leave whatever is longer, odd, wrong or near the end of the text as it is, for the
 * function that looks at each byte and knows the errors.
 */
#ifdef __SSE2__
#include <emmintrin.h> /* first: it mentions malloc, which ours forbid */
#endif

#include "data/json.h"

#include "core/limits.h"

#define MARKED_BYTES 4096

/* The special bytes still ahead among the 64 at BASE, a bit for each. */
struct ahead {
	const char *base;
	uint64_t specials;
};

struct parser {
	struct arena *arena;
	const char *end, *line_start;
	uint32_t line, depth, depth_max;
	struct json *nodes, *room_end; /* the first; where there is no more room for a turn's */
	struct json *in;               /* the innermost open container, if depth is not 0 */
	struct err *err;
	const char *text, *marked, *marked_end;                        /* see mark() */
	uint16_t specials[MARKED_BYTES / 16], ends[MARKED_BYTES / 16]; /* a bit a byte */
};

/* Where the text goes on, and the next node; two registers. P is NULL behind an error. */
struct place {
	char *p;
	struct json *at;
};

/* Pushed between two looks at the room: a value, the next name and its value. */
#define NODES_A_TURN 3

/* Called once or twice for each node. */
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

static inline struct place failed(bool refused UNUSED)
{
	return (struct place){ NULL, NULL };
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

static void set_room(struct parser *ps, struct json *nodes, size_t cap)
{
	ps->in = nodes + (ps->in - ps->nodes);
	ps->nodes = nodes;
	ps->room_end = nodes + cap - NODES_A_TURN;
}

static __attribute__((noinline)) struct json *grow(struct parser *ps, struct json *at)
{
	size_t count = (size_t)(at - ps->nodes), cap = count + count / 2 + 16;

	set_room(ps,
		arena_grow(ps->arena, ps->nodes, count * sizeof(struct json),
			cap * sizeof(struct json)),
		cap);
	return ps->nodes + count;
}

/* There is room since the last turn(). */
HOT struct place push(struct place c, char *p, struct json v)
{
	*c.at = v;
	return (struct place){ p, c.at + 1 };
}

#ifdef __SSE2__
HOT __m128i load_16(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* A bit for each of the 16 bytes that is '"', '\\', a control or not ASCII. */
HOT unsigned special(__m128i v)
{
	/* 0x02 takes '"' to 0x20, and only controls stay below that; signed, so from 0x80 up too */
	__m128i m = _mm_cmplt_epi8(_mm_xor_si128(v, _mm_set1_epi8(0x02)), _mm_set1_epi8(0x21));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(m, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
}

/* A bit for each of the 16 bytes that is ',', ']', '}' or another that is in no usual number. */
HOT unsigned number_end(__m128i v)
{
	return (unsigned)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(0x71)), _mm_set1_epi8('}')));
}

/*
 * Marks the text around P and behind. Where a string ends is then known without a look at the text
 * between: of many strings at once, instead of one behind the other. Near the end of the text
 * nothing is marked.
 */
static __attribute__((noinline)) void mark(struct parser *ps, const char *p)
{
	size_t blocks;

	p -= (p - ps->text) % 64;
	blocks = MIN((size_t)(ps->end - p), (size_t)MARKED_BYTES) / 64;
	ps->marked = ps->marked_end = p;
	if (blocks > 1)
		ps->marked_end += (blocks - 1) * 64; /* the last is for what is read ahead */
	for (size_t i = 0; i < blocks * 4; i++) {
		__m128i v = load_16(p + i * 16);

		ps->specials[i] = (uint16_t)special(v);
		ps->ends[i] = (uint16_t)number_end(v);
	}
}

HOT bool is_marked(const struct parser *ps, const char *p)
{
	return p >= ps->marked && p < ps->marked_end;
}

/* 64 marks from the I-th byte on, which is a multiple of 8. */
HOT uint64_t load_marks(const uint16_t *marks, size_t i)
{
	uint64_t bits;

	memcpy(&bits, (const char *)marks + i / 8, sizeof(bits));
	return bits;
}

/* The next special byte; NULL: none near. */
HOT const char *next_special(const struct parser *ps, struct ahead *h)
{
	if (h->specials == 0) {
		h->base += 64;
		if (UNLIKELY(!is_marked(ps, h->base)))
			return NULL;
		h->specials = load_marks(ps->specials, (size_t)(h->base - ps->marked));
		if (UNLIKELY(h->specials == 0))
			return NULL;
	}
	const char *at = h->base + __builtin_ctzll(h->specials);

	h->specials &= h->specials - 1;
	return at;
}

/* The next is the one behind the special byte P; false: P is not marked. */
static __attribute__((noinline)) bool look_ahead(const struct parser *ps, struct ahead *h,
	const char *p)
{
	if (!is_marked(ps, p))
		return false;
	size_t i = (size_t)(p - ps->marked);

	h->base = p - i % 64;
	h->specials = load_marks(ps->specials, i - i % 64) & (~(uint64_t)1 << i % 64);
	return true;
}

/* The ends of numbers from P on, which is marked: a bit each, zeros beyond 56. */
HOT uint64_t ends_at(const struct parser *ps, const char *p)
{
	size_t i = (size_t)(p - ps->marked);

	return load_marks(ps->ends, i) >> i % 8;
}
#endif

/* The first byte at or behind P that is special; END when there is none. */
static __attribute__((noinline)) char *scan(char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		unsigned bits = special(load_16(p));

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

/* The rest of a string that holds an escape, from the backslash on; it is packed to the left. */
static struct place string_escaped(struct parser *ps, struct place c, char *first)
{
	char *p = c.p, *d = p;

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
				return failed(false);
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
	return push(c, p + 1, (struct json){ JSON_STRING, .n = (uint32_t)(d - first), .s = first });
}

/* A string; the place is at its quote. */
static __attribute__((noinline)) struct place string(struct parser *ps, struct place c)
{
	char *first = ++c.p;

	for (c.p = scan(c.p, ps->end); c.p < ps->end && *c.p != '"'; c.p = scan(c.p, ps->end)) {
		if (*c.p == '\\')
			return string_escaped(ps, c, first);
		if ((unsigned char)*c.p < 0x20)
			return failed(fail_in(ps, c.p,
				"a control character in a string must be escaped"));
		size_t k = utf8_multi(c.p, ps->end);

		if (k == 0)
			return failed(fail_in(ps, c.p, "the string is not valid UTF-8"));
		c.p += k;
	}
	if (c.p >= ps->end)
		return failed(fail_at(ps, c.p, "'\"' at the end of a string"));
	return push(c, c.p + 1,
		(struct json){ JSON_STRING, 1, (uint32_t)(c.p - first), .s = first });
}

static bool is_digit(const char *p, const char *end)
{
	return p < end && (unsigned)(*p - '0') <= 9;
}

/* NULL, and the error, when there is none. */
static char *digits(struct parser *ps, char *p)
{
	if (!is_digit(p, ps->end)) {
		fail_at(ps, p, "a digit");
		return NULL;
	}
	while (is_digit(p, ps->end))
		p++;
	return p;
}

static __attribute__((noinline)) struct place number(struct parser *ps, struct place c)
{
	char *p = c.p + (*c.p == '-');
	bool zero = p < ps->end && *p == '0';

	if (zero && is_digit(p + 1, ps->end))
		return failed(fail_in(ps, p + 1, "a number can't begin with 0 and another digit"));
	p = digits(ps, p);
	if (p != NULL && p < ps->end && *p == '.')
		p = digits(ps, p + 1);
	if (p != NULL && p < ps->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < ps->end && (*p == '+' || *p == '-'))
			p++;
		p = digits(ps, p);
	}
	if (p == NULL)
		return failed(false);
	return push(c, p, (struct json){ JSON_NUMBER, .n = (uint32_t)(p - c.p), .s = c.p });
}

#ifdef __SSE2__
/* A plain string; the place is at its quote. */
HOT bool usual_string(const struct parser *ps, struct ahead *h, struct place *c)
{
	char *first = c->p + 1;

	if (UNLIKELY(next_special(ps, h) != c->p) && !look_ahead(ps, h, c->p))
		return false;
	const char *end = next_special(ps, h);

	if (UNLIKELY(end == NULL || *end != '"'))
		return false;
	size_t n = (size_t)(end - first);

	*c = push(*c, first + n + 1, (struct json){ JSON_STRING, 1, (uint32_t)n, .s = first });
	return true;
}

/* A number of up to 16 bytes without sign or exponent; the place is marked. */
HOT bool usual_number(const struct parser *ps, struct place *c)
{
	char *p = c->p;
	size_t minus = *p == '-';
	uint64_t ends = ends_at(ps, p) >> minus; /* the sign has a mark too */

	p += minus;
	if (UNLIKELY((ends & 0xFFFF) == 0))
		return false;
	unsigned n = (unsigned)__builtin_ctzll(ends);
	__m128i v = _mm_sub_epi8(load_16(p), _mm_set1_epi8('0'));
	__m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v);
	/* a bit for each byte that is no digit; that of the end closes the row */
	unsigned others = ~(unsigned)_mm_movemask_epi8(digit) & ((2u << n) - 1);
	unsigned whole = (unsigned)__builtin_ctz(others);

	if (UNLIKELY(whole == 0 || (*p == '0' && whole > 1)))
		return false;
	if (whole != n &&
		UNLIKELY(p[whole] != '.' || others != (1u << n | 1u << whole) || whole + 1 == n))
		return false;
	*c = push(*c, p + n, (struct json){ JSON_NUMBER, .n = n + (uint32_t)minus, .s = c->p });
	return true;
}
#else /* nothing is marked */
static void mark(struct parser *ps UNUSED, const char *p UNUSED)
{
}

HOT bool usual_string(const struct parser *ps UNUSED, struct ahead *h UNUSED,
	struct place *c UNUSED)
{
	return false;
}

HOT bool usual_number(const struct parser *ps UNUSED, struct place *c UNUSED)
{
	return false;
}
#endif

HOT struct place literal(struct parser *ps, struct place c, const char *word, size_t n,
	enum json_type type)
{
	if ((size_t)(ps->end - c.p) < n || memcmp(c.p, word, n) != 0)
		return failed(fail_at(ps, c.p, "a value"));
	return push(c, c.p + n, (struct json){ (uint16_t)type });
}

/* A value that is no container, of whatever shape. */
static __attribute__((noinline)) struct place scalar(struct parser *ps, struct place c)
{
	switch (*c.p) {
	case '"':
		return string(ps, c);
	case 't':
		return literal(ps, c, "true", 4, JSON_TRUE);
	case 'f':
		return literal(ps, c, "false", 5, JSON_FALSE);
	case 'n':
		return literal(ps, c, "null", 4, JSON_NULL);
	default:
		if (*c.p != '-' && !is_digit(c.p, ps->end))
			return failed(fail_at(ps, c.p, "a value"));
		return number(ps, c);
	}
}

/* The caller has seen its bracket. */
HOT struct place open(struct parser *ps, struct place c, enum json_type type)
{
	struct json *v = c.at;

	if (UNLIKELY(ps->depth == ps->depth_max))
		return failed(err_set(ps->err, ERR_LIMIT,
			"line %u, column %zu: more than %u arrays and objects inside each other",
			ps->line, (size_t)(c.p - ps->line_start) + 1, ps->depth_max));
	c = push(c, skip_space(ps, c.p + 1), (struct json){ (uint16_t)type });
	v->span = (uint64_t)(v - ps->in);
	ps->in = v;
	ps->depth++;
	return c;
}

HOT struct place close(struct parser *ps, struct place c)
{
	struct json *v = ps->in;

	ps->in = v - v->span;
	v->span = (uint64_t)(c.at - v);
	ps->depth--;
	c.p++;
	return c;
}

/* To be called before a name, or an element. */
HOT struct place turn(struct parser *ps, struct place c)
{
	if (UNLIKELY(c.at > ps->room_end))
		c.at = grow(ps, c.at);
	if (UNLIKELY(c.p >= ps->marked_end))
		mark(ps, c.p);
	return c;
}

/* A name and its colon, with white space before and between them. */
static __attribute__((noinline)) struct place spaced_key(struct parser *ps, struct place c,
	const char *expected)
{
	c.p = skip_more(ps, c.p);
	if (c.p >= ps->end || *c.p != '"')
		return failed(fail_at(ps, c.p, expected));
	c = string(ps, c);
	if (c.p == NULL)
		return c;
	c.p = skip_more(ps, c.p);
	if (c.p >= ps->end || *c.p != ':')
		return failed(fail_at(ps, c.p, "':' behind a name"));
	c.p++;
	return c;
}

HOT bool usual_scalar(const struct parser *ps, struct ahead *h, struct place *c)
{
	if (*c->p == '"')
		return usual_string(ps, h, c);
	return *c->p <= '9' && c->p < ps->marked_end && usual_number(ps, c);
}

/* A name and its colon; then, when it is a usual string or number, its value: *VALUED. */
HOT struct place member(struct parser *ps, struct ahead *h, struct place c, const char *expected,
	bool *valued)
{
	*valued = false;
	c = turn(ps, c);
	struct place k = c;

	if (UNLIKELY(c.p >= ps->marked_end || *c.p != '"' || !usual_string(ps, h, &k) ||
		     *k.p != ':'))
		return spaced_key(ps, c, expected);
	k.p++;
	*valued = usual_scalar(ps, h, &k);
	return k;
}

/* Opens containers down to the first value that is none, or is empty, and takes that. */
HOT struct place value(struct parser *ps, struct ahead *h, struct place c)
{
	for (bool valued = false; !valued;) {
		c.p = skip_space(ps, c.p);
		if (UNLIKELY(c.p >= ps->end))
			return failed(fail_at(ps, c.p, "a value"));
		bool object = *c.p == '{';

		if (!object && *c.p != '[')
			return usual_scalar(ps, h, &c) ? c : scalar(ps, c);
		c = open(ps, c, object ? JSON_OBJECT : JSON_ARRAY);
		if (UNLIKELY(c.p == NULL))
			return c;
		if (c.p < ps->end && *c.p == (object ? '}' : ']'))
			return close(ps, c);
		ps->in->n = 1;
		c = object ? member(ps, h, c, "a name in quotes, or '}'", &valued) : turn(ps, c);
		if (UNLIKELY(c.p == NULL))
			return c;
	}
	return c;
}

/* Behind a value: closes what closes here; passes a comma and the members that are usual. */
HOT struct place after(struct parser *ps, struct ahead *h, struct place c)
{
	while (ps->depth != 0) {
		bool object = ps->in->type == JSON_OBJECT, valued = true;

		while (LIKELY(c.p < ps->end) && *c.p == ',') {
			ps->in->n++;
			c.p++;
			if (!object)
				return turn(ps, c);
			c = member(ps, h, c, "a name in quotes behind ','", &valued);
			if (!valued)
				return c;
		}
		if (UNLIKELY(c.p >= ps->end || *c.p != (object ? '}' : ']'))) {
			c.p = skip_more(ps, c.p);
			if (c.p < ps->end && *c.p == ',')
				continue;
			if (c.p >= ps->end || *c.p != (object ? '}' : ']'))
				return failed(
					fail_at(ps, c.p, object ? "',' or '}'" : "',' or ']'"));
		}
		c = close(ps, c);
	}
	return c;
}

static bool document(struct parser *ps, char *p)
{
	struct place c = { p, ps->nodes };
	/* from the text's begin, not P: marks are taken in steps of 64 bytes from there */
	struct ahead h = { ps->text, 0 };

	do {
		c = value(ps, &h, c);
		if (UNLIKELY(c.p == NULL))
			return false;
		c = after(ps, &h, c);
		if (UNLIKELY(c.p == NULL))
			return false;
	} while (ps->depth != 0);
	c.p = skip_space(ps, c.p);
	return c.p == ps->end || fail_at(ps, c.p, "the end of the text");
}

bool json_parse(struct arena *a, char *text, size_t n, const struct json_limits *limits,
	const struct json **root, struct err *err)
{
	size_t bytes_max = limits != NULL && limits->bytes_max != 0 ? limits->bytes_max
								    : UINT32_MAX;
	struct parser ps; /* its marks are left as they are until they are made */

	ps.arena = a;
	ps.text = ps.line_start = ps.marked = ps.marked_end = text;
	ps.end = text + n;
	ps.line = 1;
	ps.depth = 0;
	ps.depth_max = limits != NULL && limits->depth_max != 0 ? limits->depth_max
								: LIMIT_JSON_DEPTH;
	ps.nodes = ps.in = NULL;
	ps.err = err;
	if (n > bytes_max)
		return err_set(err, ERR_LIMIT,
			"the JSON text has %zu bytes, more than the limit of %zu", n, bytes_max);
	CHECK(ps.depth_max <= JSON_BUILD_DEPTH_MAX);
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		ps.line_start += 3; /* editors don't show it: columns count from behind it */
	size_t cap = n / 6 + 8;

	set_room(&ps, arena_alloc(a, cap * sizeof(struct json)), cap);
	if (!document(&ps, text + (ps.line_start - text)))
		return false;
	*root = ps.nodes;
	return true;
}

bool json_parse_copy(struct arena *a, struct str text, const struct json **root, struct err *err)
{
	return json_parse(a, arena_strndup(a, text.p, text.n), text.n, NULL, root, err);
}
