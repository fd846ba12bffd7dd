/*
 * handlebars_lex.c - the tokens of handlebars.js 4.7, rule by rule in the order of its lexer, since
 * which rule comes first decides what `{{else}}`, `}}}` or `1.5` are.
 *
 * One rule differs: behind a separator of a path a number or word is a name, so that `a.0` works.
 */
#include "data/handlebars_priv.h"

bool lex_fail(size_t at, struct err *err, const char *fmt, ...)
{
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, ERR_INVALID, "position %zu: %s", at + 1, what);
}

static struct str rest(const struct lexer *l)
{
	return str_from(l->s, l->at);
}

static char peek(const struct lexer *l, size_t i)
{
	return l->at + i < l->s.n ? l->s.p[l->at + i] : '\0';
}

/* The next N bytes are the token. */
static bool take(struct lexer *l, struct token *t, enum token_kind kind, size_t n)
{
	*t = (struct token){ .kind = kind, .text = str_sub(l->s, l->at, n), .at = l->at };
	l->at += n;
	l->last = kind;
	return true;
}

/* ---- text between mustaches ---- */

static bool lex_text(struct lexer *l, struct token *t, struct err *err)
{
	struct str s = rest(l);
	size_t n = str_find(s, STR("{{"));

	if (s.n == 0)
		return take(l, t, T_EOF, 0);
	if (n == STR_NPOS)
		return take(l, t, T_CONTENT, s.n);
	size_t keep = n;

	l->mode = LEX_MUSTACHE;
	if (n > 0 && s.p[n - 1] == '\\') {
		keep--; /* \{{ is text, \\{{ a backslash and a mustache */
		if (n < 2 || s.p[n - 2] != '\\')
			l->mode = LEX_ESCAPED;
	}
	if (keep == 0) {
		l->at += n;
		return lex_next(l, t, err);
	}
	take(l, t, T_CONTENT, keep);
	l->at += n - keep;
	return true;
}

/* What stands behind \{{, up to the next mustache. */
static bool lex_escaped(struct lexer *l, struct token *t)
{
	struct str s = rest(l);
	size_t n = 2;

	while (n < s.n && !str_starts(str_from(s, n), STR("{{")) &&
		!str_starts(str_from(s, n), STR("\\{{")) &&
		!str_starts(str_from(s, n), STR("\\\\{{")))
		n++;
	l->mode = LEX_TEXT;
	return take(l, t, T_CONTENT, n);
}

static bool id_char(struct str s)
{
	static const char no[] = "!\"#%&'()*+,./;<=>@[\\]^`{|}~";

	return s.n > 0 && s.p[0] != '\0' && js_space_first(s) == 0 && strchr(no, s.p[0]) == NULL;
}

static size_t id_length(struct str s)
{
	size_t n = 0;

	while (id_char(str_from(s, n)))
		n++;
	return n;
}

/* Does one of SET or white space come next? */
static bool before(struct str s, const char *set)
{
	return s.n > 0 && s.p[0] != '\0' && (strchr(set, s.p[0]) != NULL || js_space_first(s) > 0);
}

static bool lex_raw_block(struct lexer *l, struct token *t, struct err *err)
{
	struct str s = rest(l);

	if (str_starts(s, STR("{{{{")) && s.n > 4 && s.p[4] != '/') {
		l->raw++;
		return take(l, t, T_CONTENT, 4);
	}
	if (str_starts(s, STR("{{{{/"))) {
		size_t n = id_length(str_from(s, 5));

		if (n > 0 && str_starts(str_from(s, 5 + n), STR("}}}}"))) {
			if (--l->raw > 0)
				return take(l, t, T_CONTENT, n + 9);
			l->mode = LEX_TEXT;
			take(l, t, T_END_RAWBLOCK, n + 9);
			t->text = str_sub(s, 5, n);
			return true;
		}
	}
	size_t next = str_find(str_from(s, 1), STR("{{{{"));

	if (s.n == 0 || next == STR_NPOS)
		return lex_fail(l->at, err, "this raw block is not closed");
	return take(l, t, T_CONTENT, next + 1);
}

/* ---- inside a mustache ---- */

static bool lex_comment(struct lexer *l, struct token *t, struct err *err)
{
	struct str s = rest(l);
	size_t end = 0;

	for (;; end += 2) {
		size_t at = str_find(str_from(s, end), STR("--"));

		if (at == STR_NPOS)
			return lex_fail(l->at, err, "this comment is not closed by --}}");
		end += at;
		if (str_starts(str_from(s, end + 2), STR("}}")) ||
			str_starts(str_from(s, end + 2), STR("~}}")))
			break;
		if (str_starts(str_from(s, end), STR("---")))
			end--; /* the last two of a row of dashes count */
	}
	l->mode = LEX_TEXT;
	return take(l, t, T_COMMENT, end + (s.p[end + 2] == '~' ? 5 : 4));
}

static size_t spaces(struct str s)
{
	return s.n - js_trim_left(s).n;
}

/* Length of `^}}`, `else}}` and the like at S with white space and ~; 0 when it is not that. */
static size_t inverse_length(struct str s, size_t n)
{
	n += spaces(str_from(s, n));
	if (str_starts(str_from(s, n), STR("~")))
		n++;
	return str_starts(str_from(s, n), STR("}}")) ? n + 2 : 0;
}

static bool word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_';
}

/* {{else}}, {{else name and {{ name; N bytes of the opening braces were seen. */
static bool lex_else(struct lexer *l, struct token *t, size_t n)
{
	struct str s = rest(l);
	size_t word = n + spaces(str_from(s, n)), whole;

	if (!str_starts(str_from(s, word), STR("else")))
		return false;
	whole = inverse_length(s, word + 4);
	if (whole > 0) {
		l->mode = LEX_TEXT;
		return take(l, t, T_INVERSE, whole);
	}
	return !word_char(peek(l, word + 4)) && take(l, t, T_OPEN_CHAIN, word + 4);
}

static bool lex_open(struct lexer *l, struct token *t, struct err *err)
{
	struct str s = rest(l);
	size_t n = peek(l, 2) == '~' ? 3 : 2, whole;

	switch (peek(l, n)) {
	case '>':
		return lex_fail(l->at, err, "there are no partials here");
	case '#':
		if (peek(l, n + 1) == '>')
			return lex_fail(l->at, err, "there are no partials here");
		if (peek(l, n + 1) == '*')
			return lex_fail(l->at, err, "there are no decorators here");
		return take(l, t, T_OPEN_BLOCK, n + 1);
	case '*':
		return lex_fail(l->at, err, "there are no decorators here");
	case '/':
		return take(l, t, T_OPEN_END, n + 1);
	case '^':
		whole = inverse_length(s, n + 1);
		if (whole == 0)
			return take(l, t, T_OPEN_INVERSE, n + 1);
		l->mode = LEX_TEXT;
		return take(l, t, T_INVERSE, whole);
	case '{':
		return take(l, t, T_OPEN_RAW, n + 1);
	case '&':
		return take(l, t, T_OPEN, n + 1);
	case '!':
		if (str_starts(str_from(s, n), STR("!--"))) {
			l->mode = LEX_COMMENT;
			return lex_comment(l, t, err);
		}
		whole = str_find(s, STR("}}"));
		if (whole == STR_NPOS)
			return lex_fail(l->at, err, "this comment is not closed by }}");
		l->mode = LEX_TEXT;
		return take(l, t, T_COMMENT, whole + 2);
	default:
		return lex_else(l, t, n) || take(l, t, T_OPEN, n);
	}
}

/*
 * Text in CLOSE, which begins at S; a backslash before CLOSE keeps it inside. When the end is
 * missing the last such CLOSE was the end after all. 0: not closed.
 */
static size_t quoted_length(struct str s, char close)
{
	size_t last = 0;

	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == close)
			last = ++i + 1;
		else if (s.p[i] == close)
			return i + 1;
	}
	return last;
}

/* Takes off backslashes before CLOSE (and before backslashes where BOTH). */
static struct str unescape(struct arena *a, struct str s, char close, bool both)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n &&
			(s.p[i + 1] == close || (both && s.p[i + 1] == '\\')))
			i++;
		p[n++] = s.p[i];
	}
	return str_of(p, n);
}

static bool lex_quoted(struct lexer *l, struct token *t, struct err *err)
{
	char open = peek(l, 0), close = open == '[' ? ']' : open;
	size_t n = quoted_length(rest(l), close);

	if (n == 0)
		return lex_fail(l->at, err, "this %s is not closed",
			open == '[' ? "name in brackets" : "text");
	take(l, t, open == '[' ? T_ID : T_STRING, n);
	if (open == '[')
		t->text = unescape(l->arena, t->text, close, true);
	else
		t->text = unescape(l->arena, str_sub(t->text, 1, n - 2), close, false);
	return true;
}

static size_t number_length(struct str s)
{
	size_t i = s.n > 0 && s.p[0] == '-', from = i;

	while (i < s.n && (unsigned)(s.p[i] - '0') <= 9)
		i++;
	if (i == from)
		return 0;
	size_t whole = i;

	if (i < s.n && s.p[i] == '.') {
		for (i++; i < s.n && (unsigned)(s.p[i] - '0') <= 9; i++)
			;
		if (i > whole + 1 && before(str_from(s, i), "~})"))
			return i;
	}
	return before(str_from(s, whole), "~})") ? whole : 0;
}

/* Literals, `as |` and names. */
static bool lex_word(struct lexer *l, struct token *t, struct err *err)
{
	static const struct {
		const char *word;
		enum token_kind kind;
	} words[] = { { "true", T_TRUE }, { "false", T_FALSE }, { "undefined", T_UNDEFINED },
		{ "null", T_NULL } };
	struct str s = rest(l);
	size_t n;

	if (l->last != T_SEP) {
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			n = strlen(words[i].word);
			if (str_starts(s, str_z(words[i].word)) && before(str_from(s, n), "~})"))
				return take(l, t, words[i].kind, n);
		}
		n = number_length(s);
		if (n > 0)
			return take(l, t, T_NUMBER, n);
	}
	if (str_starts(s, STR("as"))) {
		n = spaces(str_from(s, 2));
		if (n > 0 && peek(l, 2 + n) == '|')
			return take(l, t, T_PARAMS, 3 + n);
	}
	n = id_length(s);
	if (n > 0 && before(str_from(s, n), "=~}/.)|"))
		return take(l, t, T_ID, n);
	if (n == s.n)
		return lex_fail(l->s.n, err, "this mustache is not closed");
	return lex_fail(l->at, err, "this character has no meaning here");
}

static bool lex_close(struct lexer *l, struct token *t)
{
	struct str s = rest(l);

	if (str_starts(s, STR("}}}}"))) {
		l->raw++;
		return take(l, t, T_CLOSE_RAWBLOCK, 4);
	}
	l->mode = LEX_TEXT;
	if (str_starts(s, STR("}}}")))
		return take(l, t, T_CLOSE_RAW, 3);
	if (str_starts(s, STR("}~}}")))
		return take(l, t, T_CLOSE_RAW, 4);
	if (str_starts(s, STR("~}}")))
		return take(l, t, T_CLOSE, 3);
	if (str_starts(s, STR("}}")))
		return take(l, t, T_CLOSE, 2);
	l->mode = LEX_MUSTACHE;
	return false;
}

static bool lex_mustache(struct lexer *l, struct token *t, struct err *err)
{
	char c;

	l->at += spaces(rest(l));
	if (str_starts(rest(l), STR("{{{{")))
		return take(l, t, T_OPEN_RAWBLOCK, 4);
	if (str_starts(rest(l), STR("{{")))
		return lex_open(l, t, err);
	switch (c = peek(l, 0)) {
	case '(':
		return take(l, t, T_OPEN_SEXPR, 1);
	case ')':
		return take(l, t, T_CLOSE_SEXPR, 1);
	case '=':
		return take(l, t, T_EQUALS, 1);
	case '@':
		return take(l, t, T_DATA, 1);
	case '|':
		return take(l, t, T_BAR, 1);
	case '/':
		return take(l, t, T_SEP, 1);
	case '.':
		if (peek(l, 1) == '.')
			return take(l, t, T_ID, 2);
		return take(l, t, before(str_from(rest(l), 1), "=~}/.)|") ? T_ID : T_SEP, 1);
	case '"':
	case '\'':
	case '[':
		return lex_quoted(l, t, err);
	default:
		return lex_close(l, t) || lex_word(l, t, err);
	}
}

bool lex_next(struct lexer *l, struct token *t, struct err *err)
{
	if (l->raw > 0)
		return lex_raw_block(l, t, err);
	switch (l->mode) {
	case LEX_ESCAPED:
		return lex_escaped(l, t);
	case LEX_MUSTACHE:
		return lex_mustache(l, t, err);
	case LEX_COMMENT:
		return lex_comment(l, t, err);
	default:
		return lex_text(l, t, err);
	}
}
