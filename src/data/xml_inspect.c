/*
 * xml_inspect.c - a lexer that knows just enough of XML to tell tags from text: it counts attributes
 * and meets declarations. It judges no well-formedness; where the text is broken the parser says so.
 */
#include "data/xml_priv.h"

bool xml_fail_at(struct str text, size_t at, enum err_code code, const char *what, struct err *err)
{
	size_t line = 1, from = 0;

	for (;;) {
		size_t i = str_find_char(str_sub(text, from, at - from), '\n');

		if (i == STR_NPOS)
			break;
		line++;
		from += i + 1;
	}
	return err_set(err, code, "line %zu, column %zu: %s", line, at - from + 1, what);
}

bool xml_encoding_is_safe(struct str name)
{
	static const struct str whole[] = { STR_INIT("UTF-8"), STR_INIT("UTF8"),
		STR_INIT("US-ASCII"), STR_INIT("ASCII"), STR_INIT("LATIN1") };
	static const struct str families[] = { STR_INIT("ISO-8859-"), STR_INIT("WINDOWS-125"),
		STR_INIT("CP125") };

	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (str_eq_ci(name, whole[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (str_starts_ci(name, families[i]))
			return true;
	return false;
}

/* What the first bytes say (XML 1.0, appendix F): an XML text in ASCII begins with neither of these. */
static bool check_encoding(struct str text, struct err *err)
{
	static const struct str wide[] = { STR_INIT("\xFE\xFF"), STR_INIT("\xFF\xFE"),
		STR_INIT("\x00<"), STR_INIT("<\x00"), STR_INIT("\x00\x00"),
		STR_INIT("\x4C\x6F\xA7\x94") };

	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (str_starts(text, wide[i]))
			return err_set(err, ERR_PARSE,
				"line 1, column 1: the document is in UTF-16, UTF-32 or EBCDIC; "
				"it must be UTF-8 or an 8-bit encoding that it declares");
	return true;
}

/* Behind the construct that begins at AT and ends with END; the text's end when it never does. */
static size_t behind(struct str text, size_t at, struct str end)
{
	size_t i = str_find(str_from(text, at), end);

	return i == STR_NPOS ? text.n : at + i + end.n;
}

/* AT stands behind '<'. Quotes may hold '>' and '='. Returns the end of the tag. */
static size_t tag_end(struct str text, size_t at, size_t *attributes)
{
	*attributes = 0;
	for (; at < text.n; at++) {
		char c = text.p[at];

		if (c == '>')
			return at + 1;
		if (c == '=')
			++*attributes;
		if (c != '"' && c != '\'')
			continue;
		size_t i = str_find_char(str_from(text, at + 1), c);

		if (i == STR_NPOS)
			return text.n;
		at += i + 1;
	}
	return at;
}

bool xml_inspect(struct str text, uint32_t attributes_max, struct err *err)
{
	size_t at = 0, i, attributes;
	char what[80];

	if (!check_encoding(text, err))
		return false;
	while (at < text.n && (i = str_find_char(str_from(text, at), '<')) != STR_NPOS) {
		size_t tag = at + i;
		struct str rest = str_from(text, tag);

		if (str_starts(rest, STR("<!--"))) {
			at = behind(text, tag + 4, STR("-->"));
		} else if (str_starts(rest, STR("<![CDATA["))) {
			at = behind(text, tag + 9, STR("]]>"));
		} else if (str_starts(rest, STR("<?"))) {
			at = behind(text, tag + 2, STR("?>"));
		} else if (str_starts(rest, STR("<!"))) {
			return xml_fail_at(text, tag, ERR_PARSE,
				"a DOCTYPE or another declaration is refused here", err);
		} else {
			at = tag_end(text, tag + 1, &attributes);
			if (attributes <= attributes_max)
				continue;
			snprintf(what, sizeof(what), "the element has more than %u attributes",
				attributes_max);
			return xml_fail_at(text, tag, ERR_LIMIT, what, err);
		}
	}
	return true;
}
