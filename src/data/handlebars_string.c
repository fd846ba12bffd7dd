/*
 * handlebars_string.c - helpers that cut, join, search and pad text.
 *
 * Text arguments are strings, numbers or booleans; anything else counts as empty.
 */
#include "data/handlebars_priv.h"

#define TEXT_BUF BUF_INIT(LIMIT_TEMPLATE_VALUE)

bool give_buf(struct hbs_call *c, const struct buf *b, const struct json **result, struct err *err)
{
	if (b->over)
		return err_set(err, ERR_LIMIT, "{{%s}} makes a text of more than %d bytes",
			c->expr->fn->name, LIMIT_TEMPLATE_VALUE);
	*result = hbs_new_str(c, str_dup(hbs_scratch(c), buf_str(b)));
	return true;
}

static bool give(struct hbs_call *c, struct str s, const struct json **result)
{
	*result = hbs_new_str(c, s);
	return true;
}

static bool fn_trim(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	return give(c, js_trim_right(js_trim_left(arg_text(c, 0))), result);
}

static bool fn_trim_left(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	return give(c, js_trim_left(arg_text(c, 0)), result);
}

static bool fn_trim_right(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	return give(c, js_trim_right(arg_text(c, 0)), result);
}

#define PAD_CHUNK 4096 /* bytes of the fill that are added at once */

/* UNITS units of FILL, over and over. */
static void add_fill(struct arena *a, struct buf *b, struct str fill, size_t units)
{
	struct buf chunk DEFER(buf_free) = BUF_INIT(0);
	size_t unit = js_length(fill), copies = 0;

	while (chunk.n < PAD_CHUNK && (copies + 1) * unit <= units) {
		buf_add_str(&chunk, fill);
		copies++;
	}
	for (; copies > 0 && units >= copies * unit && !b->over; units -= copies * unit)
		buf_add_str(b, buf_str(&chunk));
	for (; units >= unit && !b->over; units -= unit)
		buf_add_str(b, fill);
	buf_add_str(b, js_slice(a, fill, 0, units));
}

static bool pad(struct hbs_call *c, bool left, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0), fill = arg_text(c, 2);
	size_t length, have = js_length(s);

	if (!need_count(c, 1, 0, LIMIT_TEMPLATE_VALUE, 0, &length, err))
		return false;
	if (fill.n == 0)
		fill = STR(" ");
	size_t missing = length > have ? length - have : 0;

	if (!left)
		buf_add_str(&b, s);
	add_fill(hbs_scratch(c), &b, fill, missing);
	if (left)
		buf_add_str(&b, s);
	return give_buf(c, &b, result, err);
}

static bool fn_pad_left(struct hbs_call *c, const struct json **result, struct err *err)
{
	return pad(c, true, result, err);
}

static bool fn_pad_right(struct hbs_call *c, const struct json **result, struct err *err)
{
	return pad(c, false, result, err);
}

static bool fn_substring(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	struct str s = arg_text(c, 0);
	double n = (double)js_length(s), from = 0, to = n;

	if (!hbs_number(hbs_arg(c, 1), &from))
		from = 0;
	if (hbs_argc(c) > 2 && !hbs_number(hbs_arg(c, 2), &to))
		to = hbs_arg(c, 2) == NULL ? n : 0;
	from = MAX(0, MIN(from, n));
	to = MAX(0, MIN(to, n));
	return give(c, js_slice(hbs_scratch(c), s, (size_t)MIN(from, to), (size_t)MAX(from, to)),
		result);
}

/* As str_find(); one byte, the usual case, by memchr(), which stops where it finds. */
static size_t find(struct str s, struct str what)
{
	return what.n == 1 ? str_find_char(s, what.p[0]) : str_find(s, what);
}

static bool fn_split(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct str s = arg_text(c, 0), by = arg_text(c, 1);
	size_t index;

	if (!need_count(c, 2, 0, UINT32_MAX, 0, &index, err))
		return false;
	if (by.n == 0)
		by = STR(",");
	for (size_t i = 0;; i++) {
		size_t at = find(s, by);

		if (i == index)
			return give(c, str_sub(s, 0, at), result);
		if (at == STR_NPOS)
			return true;
		s = str_from(s, at + by.n);
	}
}

static bool fn_truncate_words(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0), suffix = STR("\xE2\x80\xA6");
	size_t limit, words = 0, i;

	if (!need_count(c, 1, 0, UINT32_MAX, UINT32_MAX, &limit, err))
		return false;
	if (json_is_str(hbs_arg(c, 2)))
		suffix = json_str(hbs_arg(c, 2));
	for (i = 0; i < s.n; i++)
		if ((s.p[i] == ' ' || s.p[i] == '\t') && ++words == limit)
			break;
	if (i == s.n && words < limit)
		return give(c, s, result);
	for (size_t k = 0; limit > 0 && k < i; k++)
		buf_add_char(&b, s.p[k] == '\t' ? ' ' : s.p[k]);
	struct str kept = js_trim_right(js_trim_left(buf_str(&b)));

	*result = hbs_new_str(c,
		str_fmt(hbs_scratch(c), "%.*s%.*s", STR_ARG(kept), STR_ARG(suffix)));
	return true;
}

/* The characters of S backwards. */
static struct str reversed(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t end = s.n;

	for (size_t i = 0; i < s.n;) {
		size_t k = 1;

		while (i + k < s.n && ((unsigned char)s.p[i + k] & 0xC0) == 0x80)
			k++;
		end -= k;
		memcpy(p + end, s.p + i, k);
		i += k;
	}
	return str_of(p, s.n);
}

static bool fn_reverse(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0);
	struct json_build b;

	if (!json_is_array(v))
		return give(c, reversed(hbs_scratch(c), arg_text(c, 0)), result);
	if (!hbs_steps(c, v->n, err))
		return false;
	const struct json **items = arena_array_of(hbs_scratch(c), const struct json *, v->n + 1);
	size_t n = 0;

	for (json_each (it, v))
		items[n++] = it;
	json_build_init(&b, hbs_scratch(c));
	json_build_array(&b);
	while (n > 0)
		json_build_copy(&b, items[--n]);
	json_build_end(&b);
	*result = json_build_done(&b);
	return true;
}

static bool fn_occurrences(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	struct str s = arg_text(c, 0), what = arg_text(c, 1);
	size_t n = 0, at;

	while (what.n > 0 && (at = find(s, what)) != STR_NPOS) {
		n++;
		s = str_from(s, at + what.n);
	}
	*result = hbs_new_number(c, (double)n);
	return true;
}

static bool replace(struct hbs_call *c, struct str with, size_t most, const struct json **result,
	struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	struct str s = arg_text(c, 0), what = arg_text(c, 1);
	size_t at;

	for (; most > 0 && what.n > 0 && (at = find(s, what)) != STR_NPOS && !b.over; most--) {
		buf_add(&b, s.p, at);
		buf_add_str(&b, with);
		s = str_from(s, at + what.n);
	}
	buf_add_str(&b, s);
	return give_buf(c, &b, result, err);
}

static bool fn_replace(struct hbs_call *c, const struct json **result, struct err *err)
{
	return replace(c, arg_text(c, 2), SIZE_MAX, result, err);
}

static bool fn_replace_first(struct hbs_call *c, const struct json **result, struct err *err)
{
	return replace(c, arg_text(c, 2), 1, result, err);
}

static bool fn_remove_first(struct hbs_call *c, const struct json **result, struct err *err)
{
	return replace(c, STR(""), 1, result, err);
}

/* One value of a join, arrays element by element; nothing for null and missing. */
static void join_value(struct hbs_call *c, struct buf *b, struct str by, size_t *n,
	const struct json *v)
{
	if (json_is_array(v)) {
		for (json_each (it, v))
			join_value(c, b, by, n, it);
		return;
	}
	if ((*n)++ > 0)
		buf_add_str(b, by);
	if (v != NULL && v->type != JSON_NULL)
		buf_add_str(b, hbs_str(c, v));
}

static bool fn_join(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = TEXT_BUF;
	bool list_first = json_is_array(hbs_arg(c, 0));
	struct str by = list_first ? STR(", ") : arg_text(c, 0);
	size_t n = 0;

	if (list_first && json_is_str(hbs_arg(c, 1)))
		by = json_str(hbs_arg(c, 1));
	if (list_first)
		join_value(c, &b, by, &n, hbs_arg(c, 0));
	for (size_t i = 1; !list_first && i < hbs_argc(c); i++)
		join_value(c, &b, by, &n, hbs_arg(c, i));
	return give_buf(c, &b, result, err);
}

static bool fn_starts_with(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct str prefix = arg_text(c, 0), s = arg_text(c, 1);

	return hbs_choose(c, s.n > 0 && str_starts(s, prefix), result, err);
}

/* ---- tags ---- */

enum tag_state { OUTSIDE, IN_TAG, IN_COMMENT };

struct stripper {
	struct buf out;
	enum tag_state state;
	size_t tag; /* bytes of the tag so far */
	char last[3];
	unsigned nested;
	char quote;
};

static void keep_last(struct stripper *t, char c)
{
	if (t->tag < 3)
		t->last[t->tag] = c;
	t->tag++;
}

static void in_tag(struct stripper *t, char c)
{
	if (t->quote != '\0') {
		t->quote = c == t->quote ? '\0' : t->quote;
		keep_last(t, c);
		return;
	}
	switch (c) {
	case '<':
		t->nested++;
		return;
	case '>':
		if (t->nested > 0)
			t->nested--;
		else
			t->state = OUTSIDE;
		return;
	case '"':
	case '\'':
		t->quote = c;
		break;
	case ' ':
	case '\n':
		if (t->tag == 1) { /* "a < b" is no tag */
			t->state = OUTSIDE;
			BUF_ADD_LIT(&t->out, "< ");
			return;
		}
		break;
	default:
		break;
	}
	keep_last(t, c);
	if (t->tag == 4 && c == '-' && memcmp(t->last, "<!-", 3) == 0)
		t->state = IN_COMMENT;
}

static bool fn_sanitize(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct stripper t = { .out = TEXT_BUF };
	struct str s = arg_text(c, 0);

	for (size_t i = 0; i < s.n; i++) {
		if (t.state == OUTSIDE && s.p[i] == '<') {
			t.state = IN_TAG;
			t.tag = 0;
			keep_last(&t, '<');
		} else if (t.state == OUTSIDE) {
			buf_add_char(&t.out, s.p[i]);
		} else if (t.state == IN_TAG) {
			in_tag(&t, s.p[i]);
		} else if (s.p[i] == '>' && i >= 2 && s.p[i - 1] == '-' && s.p[i - 2] == '-') {
			t.state = OUTSIDE;
		}
	}
	bool ok = give_buf(c, &t.out, result, err);

	if (ok)
		*result = hbs_new_str(c, js_trim_right(js_trim_left(json_str(*result))));
	buf_free(&t.out);
	return ok;
}

static const struct hbs_helper rows[] = {
	{ "trim", fn_trim, HBS_INLINE, 1, 1, "text", "Without white space at both ends.",
		"[{{trim name}}]", "{\"name\":\"  Lalo \"}", "[Lalo]" },
	{ "trimLeft", fn_trim_left, HBS_INLINE, 1, 1, "text", "Without white space at the start.",
		"[{{trimLeft \" ABC \"}}]", "{}", "[ABC ]" },
	{ "trimRight", fn_trim_right, HBS_INLINE, 1, 1, "text", "Without white space at the end.",
		"[{{trimRight \" ABC \"}}]", "{}", "[ ABC]" },
	{ "padLeft", fn_pad_left, HBS_INLINE, 2, 3, "text length fill",
		"Filled up at the start to that length; with spaces when fill is not given.",
		"{{padLeft id 10 \"0\"}}", "{\"id\":\"CUST123\"}", "000CUST123" },
	{ "padRight", fn_pad_right, HBS_INLINE, 2, 3, "text length fill",
		"Filled up at the end to that length; with spaces when fill is not given.",
		"{{padRight code 6 \"*\"}}", "{\"code\":\"XYZ\"}", "XYZ***" },
	{ "substring", fn_substring, HBS_INLINE, 2, 3, "text from to",
		"From one index up to, not including, the other; to the end when `to` is not "
		"given. "
		"Indexes begin at 0.",
		"{{substring \"Celigo\" 1 4}}", "{}", "eli" },
	{ "split", fn_split, HBS_INLINE, 1, 3, "text separator index",
		"The part with that index (from 0, which is meant when none is given) of the text "
		"cut at "
		"each separator (a comma when none is given).",
		"{{split \"Hillary-Ann-Swank\" \"-\" 1}}", "{}", "Ann" },
	{ "truncateWords", fn_truncate_words, HBS_INLINE, 1, 3, "text count suffix",
		"The first words; where some were left out the suffix (\xE2\x80\xA6 when none is "
		"given) "
		"follows.",
		"{{truncateWords \"foo bar baz\" 2}}", "{}", "foo bar\xE2\x80\xA6" },
	{ "reverse", fn_reverse, HBS_INLINE, 1, 1, "value",
		"The characters of a text, or the elements of an array, backwards.",
		"{{reverse \"abcde\"}}", "{}", "edcba" },
	{ "occurrences", fn_occurrences, HBS_INLINE, 2, 2, "text part",
		"How often the part stands in the text.",
		"{{occurrences \"foo bar foo bar baz\" \"foo\"}}", "{}", "2" },
	{ "replace", fn_replace, HBS_INLINE, 2, 3, "text old new",
		"With every old replaced by new.", "{{replace \"these & those\" \"&\" \"and\"}}",
		"{}", "these and those" },
	{ "replacefirst", fn_replace_first, HBS_INLINE, 2, 3, "text old new",
		"With the first old replaced by new.", "{{replacefirst \"a b a b\" \"a\" \"z\"}}",
		"{}", "z b a b" },
	{ "removefirst", fn_remove_first, HBS_INLINE, 2, 2, "text part",
		"Without the first occurrence of the part.", "{{removefirst \"abcabc\" \"abc\"}}",
		"{}", "abc" },
	{ "join", fn_join, HBS_INLINE, 1, HBS_ARGS_ANY, "separator value ...",
		"The values with the separator between them, arrays element by element. Also "
		"`{{join "
		"array separator}}`, with \", \" when no separator is given.",
		"{{join \"/\" \"root\" \"images\" \"logo.png\"}}", "{}", "root/images/logo.png" },
	{ "startsWith", fn_starts_with, HBS_CHOICE, 2, 2, "prefix text",
		"Does the text begin with the prefix?",
		"{{#startsWith \"Hello\" greeting}}yes{{else}}no{{/startsWith}}",
		"{\"greeting\":\"Hello world\"}", "yes" },
	{ "sanitize", fn_sanitize, HBS_INLINE, 1, 1, "text", "Without markup tags and comments.",
		"{{sanitize html}}", "{\"html\":\"<p>Hello <b>World</b></p>\"}", "Hello World" },
};

const struct hbs_helpers hbs_string_helpers = { "Text", rows, ARRAY_LEN(rows) };
