/*
 * handlebars_encode.c - helpers that write text in another form: base64, HTML, URI, JSON.
 */
#include "data/handlebars_priv.h"

#include <math.h>

#include "data/base64.h"

#define TEXT_BUF BUF_INIT(LIMIT_TEMPLATE_VALUE)

static void add_utf8(struct buf *b, uint32_t c)
{
	char z[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if ((c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF) {
		BUF_ADD_LIT(b, "\xEF\xBF\xBD");
		return;
	}
	for (size_t i = n; i-- > 1; c >>= 6)
		z[i] = (char)(0x80 | (c & 0x3F));
	z[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xFF) | c);
	buf_add(b, z, n);
}

/* The next character of valid UTF-8. */
static uint32_t take_char(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
	uint32_t code = n == 1 ? c : c & (0x7Fu >> n);

	for (size_t i = 1; i < n && i < s->n; i++)
		code = code << 6 | ((unsigned char)s->p[i] & 0x3Fu);
	*s = str_from(*s, n);
	return code;
}

/* ---- base64 ---- */

enum charset { UTF8, LATIN1, ASCII, UTF16, HEX, BASE64, UNKNOWN };

static enum charset charset_of(struct hbs_call *c, size_t i)
{
	static const struct {
		const char *name;
		enum charset set;
	} names[] = { { "utf8", UTF8 }, { "utf-8", UTF8 }, { "latin1", LATIN1 },
		{ "binary", LATIN1 }, { "ascii", ASCII }, { "ucs2", UTF16 }, { "ucs-2", UTF16 },
		{ "utf16le", UTF16 }, { "utf-16le", UTF16 }, { "hex", HEX }, { "base64", BASE64 } };
	struct str name = arg_text(c, i);

	if (name.n == 0)
		return UTF8;
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (str_eq_ci(name, str_z(names[k].name)))
			return names[k].set;
	return UNKNOWN;
}

static bool unknown_charset(struct hbs_call *c, struct err *err)
{
	return hbs_fail(c, err,
		"argument 2 must be utf8, ascii, latin1, binary, utf16le, ucs2 or hex");
}

/* S as units of one or two bytes, the low one first. */
static void add_units(struct buf *b, struct str s, bool wide)
{
	while (s.n > 0) {
		uint32_t c = take_char(&s);

		if (c > 0xFFFF) {
			uint32_t high = 0xD800 + ((c - 0x10000) >> 10);

			buf_add_char(b, (char)(high & 0xFF));
			if (wide)
				buf_add_char(b, (char)(high >> 8));
			c = 0xDC00 + ((c - 0x10000) & 0x3FF);
		}
		buf_add_char(b, (char)(c & 0xFF));
		if (wide)
			buf_add_char(b, (char)(c >> 8));
	}
}

static bool fn_base64_encode(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0), bytes = s;
	enum charset set = charset_of(c, 1);

	if (set == UNKNOWN || set == BASE64)
		return unknown_charset(c, err);
	if (set == HEX) {
		char *p = arena_alloc(hbs_scratch(c), s.n / 2 + 1);

		if (!str_hex_get(s, p, s.n / 2))
			return hbs_fail(c, err, "argument 1 is not hexadecimal");
		bytes = str_of(p, s.n / 2);
	} else if (set != UTF8) {
		add_units(&b, s, set == UTF16);
		bytes = buf_str(&b);
	}
	*result = hbs_new_str(c, base64_encode(hbs_scratch(c), bytes));
	return true;
}

/* The alphabet of URLs, line breaks and missing padding are taken as well. */
static struct str plain_base64(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 4);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '-' ? '+' : s.p[i] == '_' ? '/' : s.p[i];

		if (js_space_first(str_of(&c, 1)) == 0 && c != '=')
			p[n++] = c;
	}
	while (n % 4 != 0)
		p[n++] = '=';
	return str_of(p, n);
}

/* Bytes as UTF-8; what is none becomes U+FFFD. */
static void add_lossy(struct buf *b, struct str s)
{
	while (s.n > 0) {
		size_t good = str_utf8_prefix(s);

		buf_add(b, s.p, good);
		s = str_from(s, good);
		if (s.n == 0)
			break;
		BUF_ADD_LIT(b, "\xEF\xBF\xBD");
		s = str_from(s, 1);
	}
}

static void add_utf16(struct buf *b, struct str s)
{
	uint32_t high = 0;

	for (size_t i = 0; i + 1 < s.n; i += 2) {
		uint32_t u = (unsigned char)s.p[i] | (uint32_t)(unsigned char)s.p[i + 1] << 8;

		if (high != 0 && u >= 0xDC00 && u <= 0xDFFF) {
			add_utf8(b, 0x10000 + ((high - 0xD800) << 10) + (u - 0xDC00));
			high = 0;
			continue;
		}
		if (high != 0)
			add_utf8(b, high);
		high = u >= 0xD800 && u <= 0xDBFF ? u : 0;
		if (high == 0)
			add_utf8(b, u);
	}
	if (high != 0)
		add_utf8(b, high);
}

static bool fn_base64_decode(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct arena *a = hbs_scratch(c);
	struct str bytes = STR("");
	enum charset set = charset_of(c, 1);
	struct err why = ERR_INIT;

	if (set == UNKNOWN)
		return unknown_charset(c, err);
	if (!base64_decode(a, plain_base64(a, arg_text(c, 0)), &bytes, &why))
		return hbs_fail(c, err, "argument 1 is not base64");
	switch (set) {
	case HEX: {
		char *p = arena_alloc(a, 2 * bytes.n + 1);

		str_hex_put(p, bytes.p, bytes.n);
		buf_add(&b, p, 2 * bytes.n);
		break;
	}
	case BASE64:
		buf_add_str(&b, base64_encode(a, bytes));
		break;
	case UTF16:
		add_utf16(&b, bytes);
		break;
	case LATIN1:
	case ASCII:
		for (size_t i = 0; i < bytes.n; i++)
			add_utf8(&b, (unsigned char)bytes.p[i] & (set == ASCII ? 0x7F : 0xFF));
		break;
	default:
		add_lossy(&b, bytes);
	}
	return give_buf(c, &b, result, err);
}

/* ---- HTML ---- */

static const struct {
	const char *name;
	uint32_t code;
} entities[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "#39", '\'' },
	{ "apos", '\'' }, { "nbsp", 0xA0 }, { "copy", 0xA9 }, { "reg", 0xAE }, { "trade", 0x2122 },
	{ "hellip", 0x2026 }, { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 },
	{ "rsquo", 0x2019 }, { "ldquo", 0x201C }, { "rdquo", 0x201D }, { "laquo", 0xAB },
	{ "raquo", 0xBB }, { "bull", 0x2022 }, { "middot", 0xB7 }, { "deg", 0xB0 },
	{ "times", 0xD7 }, { "cent", 0xA2 }, { "pound", 0xA3 }, { "yen", 0xA5 }, { "euro", 0x20AC },
	{ "sect", 0xA7 }, { "frac12", 0xBD }, { "plusmn", 0xB1 } };

#define ENTITIES_ENCODED 5 /* the first of them are what htmlEncode writes */

static bool fn_html_encode(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0);

	for (size_t i = 0; i < s.n; i++) {
		size_t k = 0;

		while (k < ENTITIES_ENCODED && entities[k].code != (unsigned char)s.p[i])
			k++;
		if (k == ENTITIES_ENCODED)
			buf_add_char(&b, s.p[i]);
		else
			buf_add_fmt(&b, "&%s;", entities[k].name);
	}
	return give_buf(c, &b, result, err);
}

/* The character that the text between & and ; stands for; 0: none. */
static uint32_t entity(struct str name)
{
	uint64_t code = 0;

	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (str_eq_z(name, entities[i].name))
			return entities[i].code;
	if (name.n < 2 || name.n > 9 || name.p[0] != '#')
		return 0;
	if ((name.p[1] | 0x20) != 'x')
		return str_to_u64(str_from(name, 1), &code) && code <= 0x10FFFF ? (uint32_t)code
										: 0;
	for (size_t i = 2; i < name.n; i++) {
		char c = name.p[i];
		unsigned d = (unsigned)(c - '0') <= 9 ? (unsigned)(c - '0')
			     : (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
				     ? (unsigned)((c | 0x20) - 'a') + 10
				     : 99;

		if (d > 15)
			return 0;
		code = code * 16 + d;
	}
	return code <= 0x10FFFF ? (uint32_t)code : 0;
}

static bool fn_html_decode(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0);

	for (size_t i = 0; i < s.n;) {
		size_t end = s.p[i] == '&' ? str_find_char(str_sub(s, i, 12), ';') : STR_NPOS;
		uint32_t code = end == STR_NPOS ? 0 : entity(str_sub(s, i + 1, end - 1));

		if (code == 0) {
			buf_add_char(&b, s.p[i++]);
			continue;
		}
		add_utf8(&b, code);
		i += end + 1;
	}
	return give_buf(c, &b, result, err);
}

/* ---- URI ---- */

static bool fn_encode_uri(struct hbs_call *c, const struct json **result, struct err *err)
{
	static const char plain[] = "-_.!~*'()";
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
			(ch >= 'a' && ch <= 'z') || memchr(plain, ch, sizeof(plain) - 1) != NULL)
			buf_add_char(&b, (char)ch);
		else
			buf_add_fmt(&b, "%%%02X", ch);
	}
	return give_buf(c, &b, result, err);
}

static bool fn_decode_uri(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0);

	for (size_t i = 0; i < s.n; i++) {
		char byte = s.p[i];

		if (byte == '%') {
			if (!str_hex_get(str_sub(s, i + 1, 2), &byte, 1))
				return hbs_fail(c, err, "argument 1 is not percent-encoded text");
			i += 2;
		}
		buf_add_char(&b, byte);
	}
	if (!str_is_utf8(buf_str(&b)))
		return hbs_fail(c, err, "argument 1 is not percent-encoded UTF-8");
	return give_buf(c, &b, result, err);
}

static bool fn_strip_protocol(struct hbs_call *c, const struct json **result,
	struct err *err UNUSED)
{
	struct str s = arg_text(c, 0);
	size_t at = str_find(s, STR("://"));
	bool scheme = at != STR_NPOS && at > 0;

	for (size_t i = 0; scheme && i < at; i++) {
		char ch = (char)(s.p[i] | 0x20);

		scheme = (ch >= 'a' && ch <= 'z') ||
			 (i > 0 && strchr("0123456789+-.", s.p[i]) != NULL && s.p[i] != '\0');
	}
	*result = hbs_new_str(c, scheme ? str_from(s, at + 1) : s);
	return true;
}

static bool fn_strip_query(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	struct str s = arg_text(c, 0);

	*result = hbs_new_str(c, str_sub(s, 0, str_find_char(s, '?')));
	return true;
}

/* ---- JSON ---- */

static bool fn_json_encode(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;

	*result = hbs_arg(c, 0);
	if (!json_is_str(*result))
		return true;
	json_print_str(&b, json_str(*result));
	if (b.over)
		return give_buf(c, &b, result, err);
	*result = hbs_new_str(c, str_dup(hbs_scratch(c), str_of(b.p + 1, b.n - 2)));
	return true;
}

static bool fn_json_parse(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct err why = ERR_INIT;
	struct str s = arg_text(c, 0);

	if (!hbs_steps(c, s.n / 16, err))
		return false;
	return json_parse_copy(hbs_scratch(c), s, result, &why) ||
	       hbs_fail(c, err, "argument 1 is not JSON: %s", why.message);
}

static bool fn_json_serialize(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	const struct json *v = hbs_arg(c, 0);

	if (v == NULL)
		return true;
	if (v->type == JSON_NUMBER && !isfinite(js_to_number(v)))
		v = &json_null;
	json_print(&b, v, JSON_COMPACT);
	return give_buf(c, &b, result, err);
}

static const struct hbs_helper rows[] = {
	{ "base64Encode", fn_base64_encode, HBS_INLINE, 1, 2, "text charset",
		"In base64; the text's bytes are of that charset: utf8 (meant when none is given), "
		"ascii, latin1, binary, utf16le, ucs2, or the text is hex.",
		"{{{base64Encode \"jane.doe@example.com\"}}}", "{}",
		"amFuZS5kb2VAZXhhbXBsZS5jb20=" },
	{ "base64Decode", fn_base64_decode, HBS_INLINE, 1, 2, "text charset",
		"Out of base64, in either alphabet, padded or not; charsets as above.",
		"{{base64Decode \"U29tZSBlbmNvZGVkIHZhbHVl\"}}", "{}", "Some encoded value" },
	{ "htmlEncode", fn_html_encode, HBS_INLINE, 1, 1, "text",
		"With entities for `&`, `<`, `>`, `\"` and `'`.", "{{{htmlEncode \"<p>&</p>\"}}}",
		"{}", "&lt;p&gt;&amp;&lt;/p&gt;" },
	{ "htmlDecode", fn_html_decode, HBS_INLINE, 1, 1, "text",
		"With characters for entities: those of numbers and the common names.",
		"{{{htmlDecode \"&lt;p&gt;Hello &amp; welcome&#33;\"}}}", "{}",
		"<p>Hello & welcome!" },
	{ "encodeURI", fn_encode_uri, HBS_INLINE, 1, 1, "text",
		"Percent-encoded as a component of a URI.",
		"{{{encodeURI \"overseas order/flow\"}}}", "{}", "overseas%20order%2Fflow" },
	{ "decodeURI", fn_decode_uri, HBS_INLINE, 1, 1, "text", "Percent-decoded.",
		"{{{decodeURI \"overseas%20order%20flow\"}}}", "{}", "overseas order flow" },
	{ "stripProtocol", fn_strip_protocol, HBS_INLINE, 1, 1, "url", "Without the scheme.",
		"{{stripProtocol \"http://foo.bar/image.png\"}}", "{}", "//foo.bar/image.png" },
	{ "stripQuerystring", fn_strip_query, HBS_INLINE, 1, 1, "url",
		"Without the query and what follows it.",
		"{{stripQuerystring \"https://example.com/product?ref=ads\"}}", "{}",
		"https://example.com/product" },
	{ "jsonEncode", fn_json_encode, HBS_INLINE, 1, 1, "value",
		"A text as it stands inside the quotes of JSON; other values as they are.",
		"{{{jsonEncode note}}}", "{\"note\":\"say \\\"hi\\\"\"}", "say \\\"hi\\\"" },
	{ "jsonParse", fn_json_parse, HBS_INLINE, 1, 1, "text",
		"The value that the text is JSON of.",
		"{{#with (jsonParse payload)}}{{id}}{{/with}}", "{\"payload\":\"{\\\"id\\\":7}\"}",
		"7" },
	{ "jsonSerialize", fn_json_serialize, HBS_INLINE, 1, 1, "value", "The value as JSON.",
		"{{{jsonSerialize items}}}", "{\"items\":[{\"sku\":\"A\",\"n\":1.50}]}",
		"[{\"sku\":\"A\",\"n\":1.50}]" },
};

const struct hbs_helpers hbs_encode_helpers = { "Encoding", rows, ARRAY_LEN(rows) };
