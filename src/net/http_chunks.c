/*
 * http_chunks.c - a machine that takes one byte of the framing at a time and hands the data through
 * in runs. The grammar allows white space around extensions for the sake of old senders; it is
 * refused here, since servers that read it differently can be played against each other.
 */
#include "net/http_class.h"
#include "net/http_parser.h"

#define DIGITS_MAX 16

enum state {
	SIZE, /* the first must be 0, the beginning */
	SIZE_LF,
	EXT_NAME_FIRST,
	EXT_NAME,
	EXT_VALUE_FIRST,
	EXT_VALUE,
	EXT_QUOTED,
	EXT_ESCAPED,
	EXT_QUOTED_END,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE_FIRST, /* of a trailer, or the CR of the end */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	END,
};

static bool fail(struct err *err, const char *what)
{
	return err_set(err, ERR_BAD_REQUEST, "%s (RFC 9112, 7.1)", what);
}

static bool size_digit(struct http_chunks *c, int digit, struct err *err)
{
	if (c->digits == DIGITS_MAX)
		return fail(err, "a chunk size has more than 16 digits");
	c->digits++;
	c->left = c->left << 4 | (unsigned)digit;
	return true;
}

/* The size is known: is there room for the chunk? */
static bool size_end(struct http_chunks *c, struct err *err)
{
	if (c->left > c->max - MIN(c->total, c->max))
		return err_set(err, ERR_TOO_LARGE, "the body is larger than %llu bytes",
			(unsigned long long)c->max);
	c->total += c->left;
	return true;
}

static bool size_byte(struct http_chunks *c, char b, struct err *err)
{
	int digit = http_hex(b);

	if (digit >= 0)
		return size_digit(c, digit, err);
	if (c->digits == 0)
		return fail(err, "a chunk does not begin with its size in hexadecimal digits");
	if (b != '\r' && b != ';')
		return fail(err, "a chunk size is followed by something else than CRLF or \";\"");
	c->state = b == '\r' ? SIZE_LF : EXT_NAME_FIRST;
	return size_end(c, err);
}

/* chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] ), without white space. */
static bool extension_byte(struct http_chunks *c, char b, struct err *err)
{
	bool token = http_class(b, HTTP_CLASS_TOKEN), may_end = false;

	if (++c->extra > HTTP_CHUNK_EXTRA_MAX)
		return fail(err, "the chunk extensions are too long");
	switch (c->state) {
	case EXT_NAME_FIRST:
	case EXT_NAME:
		may_end = c->state == EXT_NAME;
		if (token || (may_end && b == '=')) {
			c->state = token ? EXT_NAME : EXT_VALUE_FIRST;
			return true;
		}
		break;
	case EXT_VALUE_FIRST:
	case EXT_VALUE:
		may_end = c->state == EXT_VALUE;
		if (token || (!may_end && b == '"')) {
			c->state = token ? EXT_VALUE : EXT_QUOTED;
			return true;
		}
		break;
	case EXT_QUOTED:
	case EXT_ESCAPED:
		if (!http_class(b, HTTP_CLASS_VALUE))
			break;
		if (c->state == EXT_ESCAPED || (b != '"' && b != '\\'))
			c->state = EXT_QUOTED;
		else
			c->state = b == '"' ? EXT_QUOTED_END : EXT_ESCAPED;
		return true;
	default: /* EXT_QUOTED_END */
		may_end = true;
	}
	if (!may_end || (b != ';' && b != '\r'))
		return fail(err, "a chunk extension is malformed");
	c->state = b == ';' ? EXT_NAME_FIRST : SIZE_LF;
	return true;
}

/*
 * Trailers are dropped here, but whoever merges them into the header section must not find there how
 * to read the message, or for whom it is (RFC 9110, 6.5.1).
 */
static const struct str framing_names[] = { STR_INIT("content-length"), STR_INIT("host"),
	STR_INIT("transfer-encoding") };

/* Notes a byte of a trailer's name; bit I of `framing` says that it may be framing_names[I]. */
static void name_byte(struct http_chunks *c, char b)
{
	if (c->state == LINE_FIRST) {
		c->name_at = 0;
		c->framing = (1u << ARRAY_LEN(framing_names)) - 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(framing_names); i++) {
		struct str name = framing_names[i];

		if (c->name_at >= name.n || name.p[c->name_at] != (b | 0x20))
			c->framing &= (uint8_t) ~(1u << i);
	}
	c->name_at = (uint8_t)MIN(c->name_at + 1, UINT8_MAX);
}

static bool name_frames(const struct http_chunks *c)
{
	for (size_t i = 0; i < ARRAY_LEN(framing_names); i++)
		if ((c->framing >> i & 1) != 0 && c->name_at == framing_names[i].n)
			return true;
	return false;
}

static bool trailer_byte(struct http_chunks *c, char b, struct err *err)
{
	if (++c->extra > HTTP_CHUNK_EXTRA_MAX)
		return err_set(err, ERR_HEADERS_TOO_LARGE,
			"chunk extensions and trailers are larger than %d bytes",
			HTTP_CHUNK_EXTRA_MAX);
	if (c->state == TRAILER_VALUE) {
		if (b == '\r')
			c->state = TRAILER_LF;
		else if (!http_class(b, HTTP_CLASS_VALUE))
			return fail(err, "a trailer field's value holds a control byte");
		return true;
	}
	if (c->state == LINE_FIRST && b == '\r') {
		c->state = END_LF;
		return true;
	}
	if (http_class(b, HTTP_CLASS_TOKEN)) {
		name_byte(c, b);
		c->state = TRAILER_NAME;
		return true;
	}
	if (c->state == LINE_FIRST || b != ':')
		return fail(err, "a trailer line is malformed");
	if (name_frames(c))
		return fail(err, "a trailer has the name of a field that frames a message");
	c->state = TRAILER_VALUE;
	return true;
}

/* The states in which exactly one byte is right. */
static bool fixed_byte(struct http_chunks *c, char b, struct err *err)
{
	if (b != (c->state == DATA_CR ? '\r' : '\n'))
		return fail(err, c->state == DATA_CR || c->state == DATA_LF
					 ? "a chunk's data is not followed by CRLF"
					 : "a line of the chunked body has CR without LF");
	switch (c->state) {
	case SIZE_LF:
		c->state = c->left > 0 ? DATA : LINE_FIRST;
		break;
	case DATA_CR:
		c->state = DATA_LF;
		break;
	case DATA_LF:
		c->state = SIZE;
		c->digits = 0;
		break;
	case TRAILER_LF:
		c->state = LINE_FIRST;
		break;
	default: /* END_LF */
		c->state = END;
	}
	return true;
}

static bool framing_byte(struct http_chunks *c, char b, struct err *err)
{
	switch (c->state) {
	case SIZE:
		return size_byte(c, b, err);
	case EXT_NAME_FIRST:
	case EXT_NAME:
	case EXT_VALUE_FIRST:
	case EXT_VALUE:
	case EXT_QUOTED:
	case EXT_ESCAPED:
	case EXT_QUOTED_END:
		return extension_byte(c, b, err);
	case LINE_FIRST:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return trailer_byte(c, b, err);
	default:
		return fixed_byte(c, b, err);
	}
}

enum http_parse http_chunks_feed(struct http_chunks *c, const char *p, size_t n, size_t *used,
	struct str *data, struct err *err)
{
	size_t i = 0;

	*data = STR_NULL;
	for (; i < n && c->state != END && data->n == 0; i++) {
		if (c->state == DATA) {
			*data = str_of(p + i, MIN(n - i, c->left));
			c->left -= data->n;
			if (c->left == 0)
				c->state = DATA_CR;
			i += data->n - 1;
		} else if (!framing_byte(c, p[i], err)) {
			*used = i;
			return HTTP_PARSE_BAD;
		}
	}
	*used = i;
	return c->state == END ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}
