/*
 * rest_answer.c - the body of an answer as a JSON document.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "data/xml.h"

/* What came instead of JSON, where it can be told by a look at its beginning. */
static const char *looks_like(struct str body)
{
	static const struct {
		const char *start, *words;
	} table[] = {
		{ "<!doctype html", "an HTML page" },
		{ "<html", "an HTML page" },
		{ "<?xml", "XML" },
		{ "<", "XML or HTML" },
		{ "\x1f\x8b", "gzip data without its Content-Encoding" },
		{ "\xff\xfe", "UTF-16 text" },
		{ "\xfe\xff", "UTF-16 text" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_starts_ci(body, str_z(table[i].start)))
			return table[i].words;
	return NULL;
}

/* The beginning, for the message; read before parsing changes the text. */
static struct str quote(struct arena *a, const struct rest_session *s, struct str body)
{
	struct str cut = str_sub(body, 0, 80);

	cut.n = str_utf8_prefix(cut);
	return rest_masked(s, a, cut);
}

static struct str charset_of(struct str content_type)
{
	size_t at = 0;

	while (at < content_type.n && !str_starts_ci(str_from(content_type, at), STR("charset=")))
		at++;
	return str_trim(str_from(content_type, MIN(at + 8, content_type.n)));
}

static bool holds_word(struct str s, struct str word)
{
	for (size_t at = 0; at + word.n <= s.n; at++)
		if (str_starts_ci(str_from(s, at), word))
			return true;
	return false;
}

/* What the answer says of itself goes before what the connection expects. */
bool rest_answer_is_xml(const struct rest_session *s, const struct http_call *c)
{
	struct str type = http_call_header(c, STR("Content-Type"));
	struct str media = str_cut(&type, ';');

	if (holds_word(media, STR("html")) || holds_word(media, STR("json")))
		return false;
	return s->conn.media == REST_XML || holds_word(media, STR("xml"));
}

static bool parse_xml(struct str type, struct arena *a, struct str body, const struct json **doc,
	struct err *err)
{
	if (xml_to_json(a, body, NULL, doc, err))
		return true;
	if (err->code != ERR_LIMIT)
		err->code = ERR_RESPONSE;
	return err_wrap(err, "the answer (%.*s) is not XML", STR_ARG(type));
}

bool rest_answer_parse(const struct rest_session *s, const struct http_call *c, struct arena *a,
	char *text, size_t n, const struct json **doc, struct err *err)
{
	struct str type = http_call_header(c, STR("Content-Type")),
		   body = str_trim(str_of(text, n));
	const char *looks = looks_like(body);
	struct str start = looks == NULL ? STR("") : quote(a, s, body), charset = charset_of(type);
	bool text_is_utf8 = str_is_utf8(body);

	bool xml = rest_answer_is_xml(s, c);

	if (body.n == 0)
		return err_set(err, ERR_RESPONSE,
			"answered status %d with an empty body where %s was expected", c->status,
			xml ? "XML" : "JSON");
	if (type.p == NULL)
		type = STR("no Content-Type");
	if (xml)
		return parse_xml(type, a, str_of(text, n), doc, err);
	if (json_parse(a, text, n, NULL, doc, err))
		return true;
	err->code = ERR_RESPONSE;
	if (!text_is_utf8 && looks == NULL)
		err_hint(err, "JSON is UTF-8 (RFC 8259); the answer's charset is %.*s",
			STR_ARG(charset.n == 0 ? STR("not said") : charset));
	if (looks != NULL)
		return err_wrap(err, "the answer (%.*s) is %s, not JSON; it begins with \"%.*s\"",
			STR_ARG(type), looks, STR_ARG(start));
	return err_wrap(err, "the answer (%.*s) is not JSON", STR_ARG(type));
}
