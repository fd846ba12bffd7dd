/*
 * str.c - plain byte loops; the hot paths (JSON, HTTP) bring their own scanners.
 */
#include "core/str.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_eq_ci(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_of(s.p, prefix.n), prefix);
}

bool str_starts_ci(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_ci(str_of(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

size_t str_find(struct str s, struct str what)
{
	if (what.n == 0)
		return 0;
	if (s.n < what.n)
		return STR_NPOS;
	const char *p = memmem(s.p, s.n, what.p, what.n);

	return p == NULL ? STR_NPOS : (size_t)(p - s.p);
}

size_t str_find_char(struct str s, char c)
{
	const char *p = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return p == NULL ? STR_NPOS : (size_t)(p - s.p);
}

struct str str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	/* NULL + 0 is undefined in C17, and STR_NULL is an ordinary empty text here. */
	return str_of(from == 0 ? s.p : s.p + from, MIN(n, s.n - from));
}

struct str str_from(struct str s, size_t from)
{
	return str_sub(s, from, SIZE_MAX);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_cut(struct str *rest, char sep)
{
	size_t at = str_find_char(*rest, sep);
	struct str part = *rest;

	if (at == STR_NPOS) {
		*rest = STR_NULL;
		return part;
	}
	part.n = at;
	*rest = str_from(*rest, at + 1);
	return part;
}

bool str_to_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)(unsigned char)s.p[i] - '0';

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool neg = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (!str_to_u64(neg ? str_from(s, 1) : s, &v) || v > (uint64_t)INT64_MAX + neg)
		return false;
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

struct str str_dup(struct arena *a, struct str s)
{
	return str_of(arena_strndup(a, s.p, s.n), s.n);
}

const char *str_to_z(struct arena *a, struct str s)
{
	return arena_strndup(a, s.p, s.n);
}

struct str str_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	char small[256]; /* most texts are short: formatted once, then copied */
	va_list again;

	CHECK(fmt != NULL);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, again);

	va_end(again);
	CHECK(n >= 0);
	if ((size_t)n < sizeof(small))
		return str_of(arena_strndup(a, small, (size_t)n), (size_t)n);
	char *p = arena_alloc(a, (size_t)n + 1);

	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return str_of(p, (size_t)n);
}

struct str str_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	struct str s = str_vfmt(a, fmt, ap);

	va_end(ap);
	return s;
}

void str_hex_put(char *out, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_hex_get(struct str s, void *out, size_t n)
{
	unsigned char *b = out;

	if (s.n / 2 != n || s.n % 2 != 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (hex_digit(s.p[i]) < 0)
			return false;
	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)(hex_digit(s.p[2 * i]) << 4 | hex_digit(s.p[2 * i + 1]));
	return true;
}

#define DISTANCE_NAME_MAX 64

unsigned str_distance(struct str a, struct str b, unsigned limit)
{
	unsigned rows[3][DISTANCE_NAME_MAX + 1];

	if (a.n > DISTANCE_NAME_MAX || b.n > DISTANCE_NAME_MAX)
		return limit + 1;
	for (unsigned j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *cur = rows[i % 3], *prev = rows[(i + 2) % 3], *prev2 = rows[(i + 1) % 3];

		cur[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned cost = lower(a.p[i - 1]) != lower(b.p[j - 1]);
			unsigned best = MIN(prev[j] + 1, cur[j - 1] + 1);

			best = MIN(best, prev[j - 1] + cost);
			if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) &&
				lower(a.p[i - 2]) == lower(b.p[j - 1]))
				best = MIN(best, prev2[j - 2] + 1);
			cur[j] = best;
		}
	}
	return MIN(rows[a.n % 3][b.n], limit + 1);
}

/* Length of the UTF-8 character at P (at most N bytes there), or 0. RFC 3629, section 4. */
static size_t utf8_char(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], lo = 0x80, hi = 0xBF;
	size_t len;

	if (c < 0x80)
		return 1;
	if (c >= 0xC2 && c <= 0xDF)
		len = 2;
	else if (c >= 0xE0 && c <= 0xEF)
		len = 3;
	else if (c >= 0xF0 && c <= 0xF4)
		len = 4;
	else
		return 0;
	if (n < len)
		return 0;
	if (c == 0xE0)
		lo = 0xA0;
	else if (c == 0xED)
		hi = 0x9F;
	else if (c == 0xF0)
		lo = 0x90;
	else if (c == 0xF4)
		hi = 0x8F;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return len;
}

size_t str_utf8_prefix(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	while (i < s.n) {
		uint64_t word;

		/* Most text is ASCII: eight bytes at a time while it is. */
		while (s.n - i >= sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			if ((word & 0x8080808080808080u) != 0)
				break;
			i += sizeof(word);
		}
		size_t k = i < s.n ? utf8_char(p + i, s.n - i) : 0;

		if (k == 0)
			break;
		i += k;
	}
	return i;
}

bool str_is_utf8(struct str s)
{
	return str_utf8_prefix(s) == s.n;
}
