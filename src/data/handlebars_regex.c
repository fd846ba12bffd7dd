/*
 * handlebars_regex.c - regular expressions in the syntax of JavaScript, by PCRE2.
 *
 * PCRE2 takes its memory from the scratch arena. A pattern that tries too much is stopped: the text
 * has a limit, and PCRE2 calls us at every item of the pattern it tries, which counts as steps. Its
 * own limit on tries would begin anew at every place of the text.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#define CORE_ALLOCATES        /* pcre2.h has members of these names; nothing here is taken from the heap */
#include <pcre2.h>

#include "data/handlebars_priv.h"

#define TRIES_STEP  4 /* tries that make a step */
#define MATCH_STEPS 8 /* steps of each match */
#define TRIES_DEPTH 10000
#define TRIES_HEAP  20000 /* KiB */

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	bool global;
	struct str subject;
};

static void *take(size_t n, void *arena)
{
	return arena_alloc(arena, n);
}

static void give_back(void *p UNUSED, void *arena UNUSED)
{
}

static int count_try(pcre2_callout_block *block UNUSED, void *run)
{
	struct run *r = run;

	if (++r->tries % TRIES_STEP == 0)
		r->steps++;
	return r->steps > LIMIT_TEMPLATE_STEPS ? PCRE2_ERROR_CALLOUT : 0;
}

static bool read_flags(struct hbs_call *c, struct str flags, uint32_t *options, bool *global,
	struct err *err)
{
	*global = false;
	for (size_t i = 0; i < flags.n; i++)
		switch (flags.p[i]) {
		case 'g':
			*global = true;
			break;
		case 'i':
			*options |= PCRE2_CASELESS;
			break;
		case 'm':
			*options |= PCRE2_MULTILINE;
			break;
		case 's':
			*options |= PCRE2_DOTALL;
			break;
		case 'u':
			break; /* always on */
		default:
			return hbs_fail(c, err, "the flags may be g, i, m, s and u, not \"%.*s\"",
				STR_ARG(str_sub(flags, 0, 20)));
		}
	return true;
}

static bool compile(struct hbs_call *c, struct str subject, struct str pattern, struct str flags,
	struct regex *r, struct err *err)
{
	struct arena *a = hbs_scratch(c);
	pcre2_general_context *memory = pcre2_general_context_create(take, give_back, a);
	pcre2_compile_context *how = pcre2_compile_context_create(memory);
	uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_ALT_BSUX |
			   PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
			   PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
	int why;
	PCRE2_SIZE at;
	unsigned char text[120];

	if (!read_flags(c, flags, &options, &r->global, err))
		return false;
	if (subject.n > LIMIT_TEMPLATE_REGEX)
		return hbs_fail(c, err, "the text has more than %d bytes", LIMIT_TEMPLATE_REGEX);
	if (!str_is_utf8(pattern))
		return hbs_fail(c, err, "the pattern is not UTF-8");
	if ((options & PCRE2_MULTILINE) != 0)
		options &= ~(uint32_t)PCRE2_DOLLAR_ENDONLY;
	pcre2_set_newline(how, PCRE2_NEWLINE_ANYCRLF);
	pcre2_set_compile_extra_options(how, PCRE2_EXTRA_ALT_BSUX);
	r->code = pcre2_compile((PCRE2_SPTR)(pattern.n == 0 ? "" : pattern.p), pattern.n, options,
		&why, &at, how);
	if (r->code == NULL) {
		pcre2_get_error_message(why, text, sizeof(text));
		return hbs_fail(c, err, "the pattern is wrong at its position %zu: %s", at + 1,
			(char *)text);
	}
	r->data = pcre2_match_data_create_from_pattern(r->code, memory);
	r->limits = pcre2_match_context_create(memory);
	pcre2_set_callout(r->limits, count_try, c->run);
	pcre2_set_depth_limit(r->limits, TRIES_DEPTH);
	pcre2_set_heap_limit(r->limits, TRIES_HEAP);
	r->subject = subject.n == 0 ? STR("") : subject;
	return true;
}

/* The next match from FROM on; *FOUND false: none. */
static bool match(struct hbs_call *c, struct regex *r, size_t from, bool *found, struct err *err)
{
	int n = pcre2_match(r->code, (PCRE2_SPTR)r->subject.p, r->subject.n, from,
		PCRE2_NO_UTF_CHECK, r->data, r->limits);

	if (n < 0 && n != PCRE2_ERROR_NOMATCH)
		return err_set(err, ERR_LIMIT,
			"{{%s}} at position %zu of the template: the pattern takes too many tries "
			"on "
			"this text",
			c->expr->fn->name, c->expr->at + 1);
	*found = n >= 0;
	size_t end = n >= 0 ? pcre2_get_ovector_pointer(r->data)[1] : r->subject.n;

	return hbs_steps(c, MATCH_STEPS + (end > from ? (end - from) / 16 : 0), err);
}

/* Where to look on behind a match: one character further when it was empty. */
static size_t behind(const struct regex *r, size_t begin, size_t end)
{
	if (end > begin)
		return end;
	for (end++; end < r->subject.n && ((unsigned char)r->subject.p[end] & 0xC0) == 0x80; end++)
		;
	return end;
}

static bool fn_regex_match(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct regex r;
	double index = 0;
	bool numbered = hbs_number(hbs_arg(c, 2), &index), found = true;
	struct str flags = numbered || hbs_argc(c) > 3 ? arg_text(c, 3) : arg_text(c, 2);

	if (!compile(c, arg_text(c, 0), arg_text(c, 1), flags, &r, err))
		return false;
	size_t from = 0;

	for (double i = 0; from <= r.subject.n; i++) {
		if (!match(c, &r, from, &found, err))
			return false;
		if (!found)
			break;
		const PCRE2_SIZE *o = pcre2_get_ovector_pointer(r.data);

		if (i >= index) {
			*result = hbs_new_str(c,
				str_sub(r.subject, o[0], o[1] > o[0] ? o[1] - o[0] : 0));
			break;
		}
		from = behind(&r, o[0], o[1]);
	}
	return true;
}

/* A group of the match at hand. */
static struct str group(const struct regex *r, unsigned i)
{
	const PCRE2_SIZE *o = pcre2_get_ovector_pointer(r->data) + 2 * (size_t)i;

	return i < pcre2_get_ovector_count(r->data) && o[0] != PCRE2_UNSET && o[1] > o[0]
		       ? str_sub(r->subject, o[0], o[1] - o[0])
		       : STR("");
}

/* Adds WITH: $$ is a dollar, $& the match, $` and $' what is around it, $1 to $99 its groups. */
static void add_replacement(struct buf *b, const struct regex *r, struct str with)
{
	const PCRE2_SIZE *o = pcre2_get_ovector_pointer(r->data);
	unsigned groups = pcre2_get_ovector_count(r->data);

	for (size_t i = 0; i < with.n; i++) {
		char c = i + 1 < with.n ? with.p[i + 1] : '\0';
		unsigned d = (unsigned)(c - '0'), two = 0;

		if (with.p[i] != '$') {
			buf_add_char(b, with.p[i]);
			continue;
		}
		if (d <= 9 && i + 2 < with.n && (unsigned)(with.p[i + 2] - '0') <= 9)
			two = d * 10 + (unsigned)(with.p[i + 2] - '0');
		if (c == '$') {
			buf_add_char(b, '$');
		} else if (c == '&') {
			buf_add_str(b, group(r, 0));
		} else if (c == '`') {
			buf_add_str(b, str_sub(r->subject, 0, o[0]));
		} else if (c == '\'') {
			buf_add_str(b, str_from(r->subject, o[1]));
		} else if (two > 0 && two < groups) {
			buf_add_str(b, group(r, two));
			i++;
		} else if (d >= 1 && d <= 9 && d < groups) {
			buf_add_str(b, group(r, d));
		} else {
			buf_add_char(b, '$');
			continue;
		}
		i++;
	}
}

static bool fn_regex_replace(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(LIMIT_TEMPLATE_VALUE);
	struct regex r;
	size_t from = 0, kept = 0;
	bool found = true;

	if (!compile(c, arg_text(c, 0), arg_text(c, 2), arg_text(c, 3), &r, err))
		return false;
	r.global = r.global || hbs_argc(c) < 4;
	while (from <= r.subject.n && !b.over) {
		if (!match(c, &r, from, &found, err))
			return false;
		if (!found)
			break;
		const PCRE2_SIZE *o = pcre2_get_ovector_pointer(r.data);

		buf_add_str(&b, str_sub(r.subject, kept, o[0] > kept ? o[0] - kept : 0));
		add_replacement(&b, &r, arg_text(c, 1));
		kept = MAX(o[1], kept);
		from = behind(&r, o[0], o[1]);
		if (!r.global)
			break;
	}
	buf_add_str(&b, str_from(r.subject, kept));
	return give_buf(c, &b, result, err);
}

static bool fn_regex_search(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct regex r;
	bool found;

	if (!compile(c, arg_text(c, 0), arg_text(c, 1), arg_text(c, 2), &r, err) ||
		!match(c, &r, 0, &found, err))
		return false;
	size_t at = found ? pcre2_get_ovector_pointer(r.data)[0] : 0;

	*result = hbs_new_number(c, found ? (double)js_length(str_sub(r.subject, 0, at)) : -1);
	return true;
}

static const struct hbs_helper rows[] = {
	{ "regexMatch", fn_regex_match, HBS_INLINE, 2, 4, "text pattern index flags",
		"The match with that index (from 0, which is meant when none is given). Patterns "
		"and "
		"flags (g, i, m, s, u) are JavaScript's.",
		"{{regexMatch \"IDs: 12345 and 67890\" \"[0-9]{5}\" 1}}", "{}", "67890" },
	{ "regexReplace", fn_regex_replace, HBS_INLINE, 3, 4, "text new pattern flags",
		"With every match replaced by new, in which `$&` is the match and `$1` its first "
		"group. "
		"When flags are given and `g` is not among them, only the first match.",
		"{{regexReplace \"ABC-123 45\" \"\" \"[ -]\" \"g\"}}", "{}", "ABC12345" },
	{ "regexSearch", fn_regex_search, HBS_INLINE, 2, 3, "text pattern flags",
		"The index of the first match, from 0; -1 when there is none.",
		"{{regexSearch \"$1499.95\" \"\\.\"}}", "{}", "5" },
};

const struct hbs_helpers hbs_regex_helpers = { "Regular expressions", rows, ARRAY_LEN(rows) };
