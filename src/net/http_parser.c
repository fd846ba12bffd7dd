/*
 * http_parser.c - finds the next LF with memchr and judges one complete line at a time, so that the
 * outcome cannot depend on how the bytes were cut; only a first byte that can't begin a request is
 * refused before its line is complete. Limits are checked against the line's end, or against what
 * is there when the line has no end yet.
 */
#include "net/http_parser.h"

#include "net/http_class.h"

#define BLANKS_MAX 2

static enum http_parse bad(bool ok)
{
	return ok ? HTTP_PARSE_DONE : HTTP_PARSE_BAD;
}

static struct str span_str(const char *p, struct http_span s)
{
	return str_of(p + s.at, s.n);
}

/* Bytes of X that are below 0x20 or 0x7F have their high bit set; others may, above such a byte. */
static uint64_t control_bytes(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	uint64_t y = x ^ (ones * 0x7F);

	return (((x - ones * 0x20) & ~x) | ((y - ones) & ~y)) & highs;
}

/* The offset of the first byte that may not stand in a field's value, or N. */
static size_t value_run(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint64_t x;

		if (n - i >= sizeof(x)) {
			memcpy(&x, p + i, sizeof(x));
			if (LIKELY(control_bytes(x) == 0)) {
				i += sizeof(x);
				continue;
			}
		}
		if (!http_class(p[i], HTTP_CLASS_VALUE))
			return i;
		i++;
	}
	return n;
}

static size_t class_run(const char *p, size_t n, unsigned classes)
{
	size_t i = 0;

	while (i < n && http_class(p[i], classes))
		i++;
	return i;
}

/* A byte that is not allowed, in words: PLACE is "the method", "the field's value". */
static bool bad_byte(struct err *err, const char *place, char c)
{
	unsigned b = (unsigned char)c;

	if (c == '\r')
		return err_set(err, ERR_BAD_REQUEST, "a CR without LF in %s (RFC 9112, 2.2)",
			place);
	if (c == '\0')
		return err_set(err, ERR_BAD_REQUEST, "a NUL byte in %s (RFC 9110, 5.5)", place);
	if (b < 0x20 || b >= 0x7F)
		return err_set(err, ERR_BAD_REQUEST, "the byte 0x%02X in %s", b, place);
	return err_set(err, ERR_BAD_REQUEST, "the character \"%c\" in %s", c, place);
}

/* ---- the request line ---- */

static bool version_parse(struct http_head *h, struct str v, struct err *err)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' || v.p[5] < '0' ||
		v.p[5] > '9' || v.p[7] < '0' || v.p[7] > '9')
		return err_set(err, ERR_BAD_REQUEST,
			"the request line does not end in a protocol version such as HTTP/1.1 "
			"(RFC 9112, 2.3)");
	if (v.p[5] != '1' || v.p[7] > '1')
		return err_set(err, ERR_HTTP_VERSION,
			"HTTP/%c.%c is not spoken here, only HTTP/1.0 and HTTP/1.1", v.p[5],
			v.p[7]);
	h->minor = (uint8_t)(v.p[7] - '0');
	return true;
}

/* uri-host [ ":" port ] of RFC 9110, 7.2, not empty. */
static bool authority_ok(struct str a)
{
	size_t n = 0;

	if (a.n > 0 && a.p[0] == '[') {
		size_t inner = class_run(a.p + 1, a.n - 1, HTTP_CLASS_ADDRESS);

		if (inner == 0 || inner + 1 >= a.n || a.p[inner + 1] != ']')
			return false;
		n = inner + 2;
	} else {
		while (n < a.n) {
			if (http_class(a.p[n], HTTP_CLASS_HOST))
				n++;
			else if (a.p[n] == '%' && a.n - n > 2 && http_hex(a.p[n + 1]) >= 0 &&
				 http_hex(a.p[n + 2]) >= 0)
				n += 3;
			else
				break;
		}
	}
	if (n == 0)
		return false;
	if (n == a.n)
		return true;
	uint64_t port = 0;

	return a.p[n] == ':' &&
	       (n + 1 == a.n || (str_to_u64(str_from(a, n + 1), &port) && port < 65536));
}

/* http://authority/path: only compared with Host, so that both can't be read differently. */
static bool absolute_parse(struct http_head *h, struct str t, struct err *err)
{
	size_t skip = str_starts_ci(t, STR("http://"))    ? 7
		      : str_starts_ci(t, STR("https://")) ? 8
							  : 0;

	if (skip == 0)
		return err_set(err, ERR_BAD_REQUEST,
			"the request target must be a path that begins with \"/\" (RFC 9112, "
			"3.2.1)");
	struct str rest = str_from(t, skip);
	size_t slash = str_find_char(rest, '/');
	struct str authority = str_sub(rest, 0, slash);

	if (!authority_ok(authority))
		return err_set(err, ERR_BAD_REQUEST,
			"the host in the request target is not valid (RFC 9112, 3.2.2)");
	h->authority = (struct http_span){ h->target.at + (uint32_t)skip, (uint32_t)authority.n };
	h->target.at += (uint32_t)(skip + authority.n);
	h->target.n -= (uint32_t)(skip + authority.n);
	return true;
}

static bool target_parse(struct http_head *h, struct str t, struct err *err)
{
	size_t run = class_run(t.p, t.n, HTTP_CLASS_TARGET);

	if (run < t.n)
		return bad_byte(err, "the request target", t.p[run]);
	if (t.p[0] == '/')
		return true;
	if (str_eq(t, STR("*"))) {
		if (h->method == HTTP_OPTIONS)
			return true;
		return err_set(err, ERR_BAD_REQUEST,
			"the request target \"*\" is for OPTIONS only (RFC 9112, 3.2.4)");
	}
	return absolute_parse(h, t, err);
}

/* method SP request-target SP HTTP-version (RFC 9112, 3). */
static bool request_line(struct http_head *h, const char *p, uint32_t at, uint32_t n,
	struct err *err)
{
	const char *s = p + at;
	size_t m = class_run(s, n, HTTP_CLASS_TOKEN);

	if (m == n || s[m] != ' ')
		return m == n ? err_set(err, ERR_BAD_REQUEST, "the request line has no target")
			      : bad_byte(err, "the method", s[m]);
	h->method_text = (struct http_span){ at, (uint32_t)m };
	h->method = (uint8_t)http_method_of(str_of(s, m));

	const char *t = s + m + 1;
	const char *sp = memchr(t, ' ', n - m - 1);
	size_t tn = sp == NULL ? n - m - 1 : (size_t)(sp - t);

	if (tn == 0)
		return err_set(err, ERR_BAD_REQUEST,
			"two spaces in a row, or no target, in the request line (RFC 9112, 3)");
	h->target = (struct http_span){ at + (uint32_t)m + 1, (uint32_t)tn };
	if (sp == NULL)
		return err_set(err, ERR_HTTP_VERSION,
			"a request line without a version is HTTP/0.9, which is not spoken here");
	return version_parse(h, str_of(sp + 1, n - m - 2 - tn), err) &&
	       target_parse(h, str_of(t, tn), err);
}

/* ---- header fields ---- */

static bool length_parse(struct http_head *h, struct str v, struct err *err)
{
	uint64_t n = 0;

	if (h->has_length)
		return err_set(err, ERR_BAD_REQUEST,
			"Content-Length is present more than once (RFC 9112, 6.3)");
	if (v.n == 0)
		return err_set(err, ERR_BAD_REQUEST, "Content-Length is empty (RFC 9110, 8.6)");
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return err_set(err, ERR_BAD_REQUEST,
				"Content-Length must be one decimal number of digits only (RFC "
				"9110, 8.6)");
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(v.p[i] - '0'), &n))
			return err_set(err, ERR_BAD_REQUEST,
				"Content-Length is too large a number");
	}
	h->has_length = true;
	h->length = n;
	return true;
}

static bool codings_parse(struct http_head *h, struct str v, struct err *err)
{
	struct str rest = v;
	size_t count = 0, chunked = 0;

	if (h->chunked)
		return err_set(err, ERR_BAD_REQUEST,
			"Transfer-Encoding is present more than once (RFC 9112, 6.1)");
	while (rest.p != NULL) {
		struct str coding = str_trim(str_cut(&rest, ','));

		if (coding.n == 0 || !http_class(coding.p[0], HTTP_CLASS_TOKEN))
			return err_set(err, ERR_BAD_REQUEST,
				"Transfer-Encoding has an empty or malformed coding (RFC 9112, "
				"6.1)");
		count++;
		chunked += str_eq_ci(coding, STR("chunked"));
	}
	if (chunked > 1)
		return err_set(err, ERR_BAD_REQUEST,
			"the transfer coding \"chunked\" is repeated (RFC 9112, 6.1)");
	if (chunked == 0 || count > 1)
		return err_set(err, ERR_NOT_IMPLEMENTED,
			"the only transfer coding understood here is \"chunked\" (RFC 9112, 6.1)");
	h->chunked = true;
	return true;
}

static bool host_parse(struct http_head *h, struct http_span at, struct str v, struct err *err)
{
	if (h->has_host)
		return err_set(err, ERR_BAD_REQUEST,
			"Host is present more than once (RFC 9112, 3.2)");
	if (!authority_ok(v))
		return err_set(err, ERR_BAD_REQUEST,
			"Host is not a valid host and port (RFC 9112, 3.2)");
	h->has_host = true;
	h->host = at;
	return true;
}

static bool connection_parse(struct http_head *h, struct str v)
{
	while (v.p != NULL) {
		struct str option = str_trim(str_cut(&v, ','));

		h->close |= str_eq_ci(option, STR("close"));
		h->keep_alive |= str_eq_ci(option, STR("keep-alive"));
	}
	return true;
}

static bool expect_parse(struct http_head *h, struct str v)
{
	if (str_eq_ci(v, STR("100-continue")))
		h->expect_continue = true;
	else
		h->expect_other = true;
	return true;
}

/* The fields that decide how the message is read. Their lengths differ, which makes this cheap. */
static bool field_note(struct http_head *h, const char *p, const struct http_field *f,
	struct err *err)
{
	struct str name = span_str(p, f->name), value = span_str(p, f->value);

	switch (name.n) {
	case 4:
		return !str_eq_ci(name, STR("host")) || host_parse(h, f->value, value, err);
	case 6:
		return !str_eq_ci(name, STR("expect")) || expect_parse(h, value);
	case 10:
		return !str_eq_ci(name, STR("connection")) || connection_parse(h, value);
	case 14:
		return !str_eq_ci(name, STR("content-length")) || length_parse(h, value, err);
	case 17:
		return !str_eq_ci(name, STR("transfer-encoding")) || codings_parse(h, value, err);
	default:
		return true;
	}
}

/* Why the run of token characters, K bytes, is not followed by a colon as it should be. */
static bool bad_name(const char *s, uint32_t n, size_t k, struct err *err)
{
	bool space = k < n && (s[k] == ' ' || s[k] == '\t');

	if (k == 0 && space)
		return err_set(err, ERR_BAD_REQUEST,
			"a header line begins with white space; folded lines are not accepted (RFC "
			"9112, 5.2)");
	if (k == 0 && s[0] == ':')
		return err_set(err, ERR_BAD_REQUEST, "a header field has no name (RFC 9112, 5)");
	if (k == n)
		return err_set(err, ERR_BAD_REQUEST, "a header line has no colon (RFC 9112, 5)");
	if (space)
		return err_set(err, ERR_BAD_REQUEST,
			"white space in a field name or before its colon (RFC 9112, 5.1)");
	return bad_byte(err, "a field name (RFC 9110, 5.1)", s[k]);
}

static bool field_line(struct http_head *h, const char *p, uint32_t at, uint32_t n,
	struct http_field *fields, struct err *err)
{
	const char *s = p + at;
	uint32_t k = (uint32_t)class_run(s, n, HTTP_CLASS_TOKEN);

	if (UNLIKELY(k == 0 || k == n || s[k] != ':'))
		return bad_name(s, n, k, err);
	uint32_t from = k + 1, to = n;
	size_t run = from + value_run(s + from, n - from);

	if (UNLIKELY(run < n))
		return bad_byte(err, "a field value", s[run]);
	while (from < to && (s[from] == ' ' || s[from] == '\t'))
		from++;
	while (to > from && (s[to - 1] == ' ' || s[to - 1] == '\t'))
		to--;
	struct http_field f = { { at, k }, { at + from, to - from } };

	if (fields != NULL)
		fields[h->count] = f;
	h->count++;
	return field_note(h, p, &f, err);
}

/* What can only be judged when all fields are known. */
static bool head_finish(struct http_head *h, const char *p, struct err *err)
{
	if (h->minor == 0 && h->chunked)
		return err_set(err, ERR_BAD_REQUEST,
			"Transfer-Encoding in an HTTP/1.0 request (RFC 9112, 6.1)");
	if (h->has_length && h->chunked)
		return err_set(err, ERR_BAD_REQUEST,
			"Content-Length and Transfer-Encoding are both present (RFC 9112, 6.1)");
	if (h->minor > 0 && !h->has_host)
		return err_set(err, ERR_BAD_REQUEST, "Host is missing (RFC 9112, 3.2)");
	if (h->authority.n > 0 && h->has_host &&
		!str_eq_ci(span_str(p, h->authority), span_str(p, h->host)))
		return err_set(err, ERR_BAD_REQUEST,
			"Host differs from the host in the request target (RFC 9112, 3.2.2)");
	h->bytes = h->line;
	return true;
}

/* Is what ends at END, a line's end or of what is there, within the limits? */
static bool within(const struct http_head *h, const struct http_limits *limits, size_t end,
	bool complete, struct err *err)
{
	if (h->fields == 0) {
		size_t most = limits->line_max + 2;

		if (end - h->line < most || (complete && end - h->line == most))
			return true;
		return err_set(err, ERR_URI_TOO_LONG, "the request line is longer than %zu bytes",
			limits->line_max);
	}
	if (end - h->fields <= limits->headers_max)
		return true;
	return err_set(err, ERR_HEADERS_TOO_LARGE, "the header section is larger than %zu bytes",
		limits->headers_max);
}

/* One line, without its CRLF. Done: the head is complete. */
static enum http_parse line_take(struct http_head *h, const struct http_limits *limits,
	const char *p, uint32_t at, uint32_t n, struct http_field *fields, struct err *err)
{
	if (h->fields != 0) {
		if (n == 0)
			return bad(head_finish(h, p, err));
		if (h->count == limits->count_max) {
			err_set(err, ERR_HEADERS_TOO_LARGE, "there are more than %zu header fields",
				limits->count_max);
			return HTTP_PARSE_BAD;
		}
		return field_line(h, p, at, n, fields, err) ? HTTP_PARSE_MORE : HTTP_PARSE_BAD;
	}
	if (n == 0) {
		if (++h->blanks <= BLANKS_MAX)
			return HTTP_PARSE_MORE;
		err_set(err, ERR_BAD_REQUEST,
			"too many empty lines before the request line (RFC 9112, 2.2)");
		return HTTP_PARSE_BAD;
	}
	if (!request_line(h, p, at, n, err))
		return HTTP_PARSE_BAD;
	h->fields = h->line;
	return HTTP_PARSE_MORE;
}

enum http_parse http_head_feed(struct http_head *h, const struct http_limits *limits, const char *p,
	size_t n, struct http_field *fields, struct err *err)
{
	enum http_parse r = HTTP_PARSE_MORE;

	while (r == HTTP_PARSE_MORE) {
		if (h->fields == 0 && h->line < n && p[h->line] != '\r' && p[h->line] != '\n' &&
			!http_class(p[h->line], HTTP_CLASS_TOKEN))
			return bad(bad_byte(err, "the place of the method", p[h->line]));

		const char *lf = h->seen < n ? memchr(p + h->seen, '\n', n - h->seen) : NULL;
		size_t end = lf == NULL ? n : (size_t)(lf - p) + 1;

		if (!within(h, limits, end, lf != NULL, err))
			return HTTP_PARSE_BAD;
		h->seen = (uint32_t)end;
		if (lf == NULL)
			return HTTP_PARSE_MORE;
		uint32_t at = h->line, len = (uint32_t)end - at;

		if (len < 2 || lf[-1] != '\r') {
			err_set(err, ERR_BAD_REQUEST,
				"a line ends in LF without CR (RFC 9112, 2.2)");
			return HTTP_PARSE_BAD;
		}
		h->line = (uint32_t)end;
		r = line_take(h, limits, p, at, len - 2, fields, err);
	}
	return r;
}
