/*
 * handlebars_case.c - helpers that change the case of text.
 *
 * ASCII is changed in place; other letters by the C library's tables of Unicode, one to one, in a
 * locale object of our own (the process's locale stays "C"). Names such as getUserProfile are cut
 * into words at anything that is no letter or digit and where a lower-case letter meets a capital.
 */
#include "data/handlebars_priv.h"

#include <locale.h>
#include <wctype.h>

#define TEXT_BUF BUF_INIT(LIMIT_TEMPLATE_VALUE)

static bool is_ascii(struct str s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all < 0x80;
}

static char ascii_case(char c, bool upper)
{
	if (upper)
		return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Bytes of the UTF-8 character at S, its code in *CODE. */
static size_t read_char(struct str s, uint32_t *code)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	*code = n == 1 ? c : c & (0x7Fu >> n);
	for (size_t i = 1; i < n && i < s.n; i++)
		*code = *code << 6 | ((unsigned char)s.p[i] & 0x3Fu);
	return MIN(n, s.n);
}

static void add_char(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_add_char(b, (char)c);
		return;
	}
	unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned i = n; i-- > 0;) {
		unsigned bits = (c >> (6 * i)) & 0x3F;

		buf_add_char(b,
			(char)(i == n - 1 ? (0xF00u >> n & 0xFF) | (c >> (6 * i)) : 0x80 | bits));
	}
}

static void free_locale(locale_t *l)
{
	if (*l != (locale_t)0)
		freelocale(*l);
}

struct str to_case(struct arena *a, struct str s, bool upper)
{
	if (is_ascii(s)) {
		char *p = arena_alloc(a, s.n + 1);

		for (size_t i = 0; i < s.n; i++)
			p[i] = ascii_case(s.p[i], upper);
		return str_of(p, s.n);
	}
	locale_t l DEFER(free_locale) = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	uint32_t c;

	for (size_t i = 0; i < s.n;) {
		i += read_char(str_from(s, i), &c);
		if (upper && c == 0xDF) { /* sharp s has no single capital in use */
			BUF_ADD_LIT(&b, "SS");
			continue;
		}
		if (c < 0x80)
			c = (unsigned char)ascii_case((char)c, upper);
		else if (l != (locale_t)0)
			c = upper ? towupper_l(c, l) : towlower_l(c, l);
		add_char(&b, c);
	}
	return str_dup(a, buf_str(&b));
}

/* ---- words ---- */

static bool is_letter(struct str s)
{
	char c = s.p[0];

	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       ((unsigned char)c >= 0x80 && js_space_first(s) == 0);
}

static size_t char_bytes(struct str s)
{
	uint32_t c;

	return read_char(s, &c);
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Does a new word begin with the capital at I, inside a run of letters? */
static bool word_begins(struct str s, size_t i)
{
	if (!is_upper(s.p[i]))
		return false;
	if (!is_upper(s.p[i - 1]))
		return true;
	return i + 1 < s.n && is_lower(s.p[i + 1]); /* HTMLParser: HTML, Parser */
}

/* The next word of *S, which moves behind it; empty at the end. */
static struct str next_word(struct str *s)
{
	while (s->n > 0 && !is_letter(*s))
		*s = str_from(*s, MAX(js_space_first(*s), 1));
	size_t n = s->n > 0 ? char_bytes(*s) : 0;

	while (n < s->n && is_letter(str_from(*s, n)) && !word_begins(*s, n))
		n += char_bytes(str_from(*s, n));
	struct str word = str_sub(*s, 0, n);

	*s = str_from(*s, n);
	return word;
}

static struct str capitalized(struct arena *a, struct str word)
{
	size_t n = word.n > 0 ? char_bytes(word) : 0;
	struct str first = to_case(a, str_sub(word, 0, n), true);

	return str_fmt(a, "%.*s%.*s", STR_ARG(first), STR_ARG(str_from(word, n)));
}

/* Words in lower case with BY between them; capitals from word number CAPITALS on. */
static bool join_words(struct hbs_call *c, const char *by, size_t capitals,
	const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct arena *a = hbs_scratch(c);
	struct str rest = arg_text(c, 0), word;

	for (size_t n = 0; (word = next_word(&rest)).n > 0; n++) {
		word = to_case(a, word, false);
		if (n > 0)
			buf_add_str(&b, str_z(by));
		buf_add_str(&b, n >= capitals ? capitalized(a, word) : word);
	}
	return give_buf(c, &b, result, err);
}

static bool fn_camel(struct hbs_call *c, const struct json **result, struct err *err)
{
	return join_words(c, "", 1, result, err);
}

static bool fn_pascal(struct hbs_call *c, const struct json **result, struct err *err)
{
	return join_words(c, "", 0, result, err);
}

static bool fn_snake(struct hbs_call *c, const struct json **result, struct err *err)
{
	return join_words(c, "_", SIZE_MAX, result, err);
}

static bool fn_dash(struct hbs_call *c, const struct json **result, struct err *err)
{
	return join_words(c, "-", SIZE_MAX, result, err);
}

static bool fn_dot(struct hbs_call *c, const struct json **result, struct err *err)
{
	return join_words(c, ".", SIZE_MAX, result, err);
}

static bool fn_path(struct hbs_call *c, const struct json **result, struct err *err)
{
	return join_words(c, "/", SIZE_MAX, result, err);
}

/* ---- whole texts ---- */

static bool change(struct hbs_call *c, bool upper, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;

	if (hbs_argc(c) > 0) {
		*result = hbs_new_str(c, to_case(hbs_scratch(c), arg_text(c, 0), upper));
		return true;
	}
	struct buf *out = c->run->out;

	c->run->out = &b;
	bool ok = hbs_run(c, true, hbs_this(c), err);

	c->run->out = out;
	if (!ok || !give_buf(c, &b, result, err))
		return false;
	*result = hbs_new_str(c, to_case(hbs_scratch(c), json_str(*result), upper));
	return true;
}

static bool fn_upper(struct hbs_call *c, const struct json **result, struct err *err)
{
	return change(c, true, result, err);
}

static bool fn_lower(struct hbs_call *c, const struct json **result, struct err *err)
{
	return change(c, false, result, err);
}

static bool fn_capitalize(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	*result = hbs_new_str(c, capitalized(hbs_scratch(c), arg_text(c, 0)));
	return true;
}

static bool fn_capitalize_all(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0);
	bool inside = false;

	for (size_t i = 0; i < s.n;) {
		size_t n = char_bytes(str_from(s, i));
		struct str one = str_sub(s, i, n);

		if (js_space_first(one) > 0)
			inside = false;
		else if (!inside && (is_letter(one) || one.p[0] == '_')) {
			inside = true;
			one = to_case(hbs_scratch(c), one, true);
		}
		buf_add_str(&b, one);
		i += n;
	}
	return give_buf(c, &b, result, err);
}

static bool ends_sentence(char c)
{
	return c == '.' || c == '?' || c == '!';
}

static bool fn_sentence(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct arena *a = hbs_scratch(c);
	struct str s = arg_text(c, 0);

	while (s.n > 0) {
		size_t space = s.n - js_trim_left(s).n;

		buf_add(&b, s.p, space);
		s = str_from(s, space);
		if (s.n == 0)
			break;
		size_t n = char_bytes(s);

		while (n < s.n && !ends_sentence(s.p[n]))
			n++;
		while (n < s.n && ends_sentence(s.p[n]))
			n++;
		buf_add_str(&b, capitalized(a, to_case(a, str_sub(s, 0, n), false)));
		s = str_from(s, n);
	}
	return give_buf(c, &b, result, err);
}

static bool fn_chop(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	struct str s = arg_text(c, 0);

	while (s.n > 0 && !is_letter(s))
		s = str_from(s, MAX(js_space_first(s), 1));
	for (size_t n; s.n > 0; s.n -= n) {
		n = MAX(js_space_last(s), 1);
		if (js_space_last(s) == 0 &&
			((unsigned char)s.p[s.n - 1] >= 0x80 || is_letter(str_from(s, s.n - 1))))
			break;
	}
	*result = hbs_new_str(c, s);
	return true;
}

static const struct hbs_helper rows[] = {
	{ "uppercase", fn_upper, HBS_TEXT, 1, 1, "text", "In capitals.",
		"{{uppercase \"library\"}}", "{}", "LIBRARY" },
	{ "lowercase", fn_lower, HBS_TEXT, 1, 1, "text", "In lower case.",
		"{{lowercase \"HERE WE GO!\"}}", "{}", "here we go!" },
	{ "capitalize", fn_capitalize, HBS_INLINE, 1, 1, "text", "With a capital first letter.",
		"{{capitalize \"hello world\"}}", "{}", "Hello world" },
	{ "capitalizeAll", fn_capitalize_all, HBS_INLINE, 1, 1, "text",
		"With a capital first letter of every word.",
		"{{capitalizeAll \"the quick brown fox\"}}", "{}", "The Quick Brown Fox" },
	{ "sentence", fn_sentence, HBS_INLINE, 1, 1, "text",
		"In lower case with a capital at the start of every sentence.",
		"{{sentence \"hello World. GOODBYE world.\"}}", "{}",
		"Hello world. Goodbye world." },
	{ "camelcase", fn_camel, HBS_INLINE, 1, 1, "text",
		"The words put together, with capitals from the second on.",
		"{{camelcase \"hand crafted item\"}}", "{}", "handCraftedItem" },
	{ "pascalcase", fn_pascal, HBS_INLINE, 1, 1, "text",
		"The words put together, all with capitals.",
		"{{pascalcase \"new-arrival-products\"}}", "{}", "NewArrivalProducts" },
	{ "snakecase", fn_snake, HBS_INLINE, 1, 1, "text",
		"The words in lower case with `_` between them.",
		"{{snakecase \"getUserProfile\"}}", "{}", "get_user_profile" },
	{ "dashcase", fn_dash, HBS_INLINE, 1, 1, "text",
		"The words in lower case with `-` between them.", "{{dashcase \"getUserProfile\"}}",
		"{}", "get-user-profile" },
	{ "dotcase", fn_dot, HBS_INLINE, 1, 1, "text",
		"The words in lower case with `.` between them.",
		"{{dotcase \"Customer Profile Data\"}}", "{}", "customer.profile.data" },
	{ "pathcase", fn_path, HBS_INLINE, 1, 1, "text",
		"The words in lower case with `/` between them.", "{{pathcase \"getUserProfile\"}}",
		"{}", "get/user/profile" },
	{ "chop", fn_chop, HBS_INLINE, 1, 1, "text",
		"Without anything but letters and digits at both ends.", "{{chop \"_ABC_\"}}", "{}",
		"ABC" },
};

const struct hbs_helpers hbs_case_helpers = { "Case", rows, ARRAY_LEN(rows) };
