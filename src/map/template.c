/*
 * template.c - a template is a list of parts: literal text, or a placeholder with its path.
 */
#include "map/template.h"

struct part {
	struct str literal; /* when path is NULL */
	struct path *path;
	bool raw; /* triple braces: not encoded in a URI */
};

struct template
{
	enum template_use use;
	struct str text;
	size_t count, cap;
	struct part *parts;
};

static struct part *add(struct arena *a, struct template *t)
{
	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 4 : t->cap * 2;

		t->parts = arena_grow(a, t->parts, t->cap * sizeof(*t->parts),
			cap * sizeof(*t->parts));
		t->cap = cap;
	}
	struct part *p = &t->parts[t->count++];

	*p = (struct part){ .path = NULL };
	return p;
}

static bool fail(const struct template *t, size_t at, const char *what, struct err *err)
{
	return err_set(err, ERR_INVALID, "template \"%.*s\", position %zu: %s",
		STR_ARG(str_sub(t->text, 0, 200)), at + 1, what);
}

/* The placeholder whose braces begin at *AT. */
static bool read_placeholder(struct arena *a, struct template *t, size_t *at, struct err *err)
{
	struct str text = t->text;
	size_t braces = 0, from, end;

	while (*at + braces < text.n && braces < 3 && text.p[*at + braces] == '{')
		braces++;
	from = *at + braces;
	end = from;
	while (end < text.n && text.p[end] != '}' && text.p[end] != '{')
		end++;
	for (size_t i = 0; i < braces; i++)
		if (end + i >= text.n || text.p[end + i] != '}')
			return fail(t, *at, "this placeholder is not closed", err);
	struct str inside = str_trim(str_sub(text, from, end - from));

	if (inside.n == 0)
		return fail(t, *at, "this placeholder is empty", err);
	if (braces > 1 && str_find_char(inside, ' ') != STR_NPOS)
		return fail(t, *at, "handlebars helpers are not known to this version", err);
	struct part *p = add(a, t);

	p->raw = braces == 3;
	*at = end + braces;
	return path_compile(a, inside, false, &p->path, err) ||
	       err_wrap(err, "placeholder at position %zu", from + 1);
}

bool template_compile(struct arena *a, struct str text, enum template_use use,
	struct template **out, struct err *err)
{
	struct template *t = arena_new_of(a, struct template);
	struct buf literal DEFER(buf_free) = BUF_INIT(0);
	size_t at = 0;

	t->use = use;
	t->text = str_dup(a, text);
	while (at < text.n) {
		char c = text.p[at];

		if (c == '{') {
			if (literal.n > 0)
				add(a, t)->literal = str_dup(a, buf_str(&literal));
			buf_reset(&literal);
			if (!read_placeholder(a, t, &at, err))
				return false;
			continue;
		}
		if (c == '}')
			return fail(t, at, "'}' without '{'", err);
		if (c == '\\' && at + 1 < text.n &&
			(text.p[at + 1] == '{' || text.p[at + 1] == '}'))
			c = text.p[++at];
		buf_add_char(&literal, c);
		at++;
	}
	if (literal.n > 0)
		add(a, t)->literal = str_dup(a, buf_str(&literal));
	*out = t;
	return true;
}

bool template_is_constant(const struct template *t)
{
	return str_eq(template_placeholder(t, 0), STR_NULL);
}

struct str template_placeholder(const struct template *t, size_t i)
{
	for (size_t k = 0; k < t->count; k++)
		if (t->parts[k].path != NULL && i-- == 0)
			return path_text(t->parts[k].path);
	return STR_NULL;
}

static void add_encoded(struct buf *out, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
		char e[3] = { '%', digits[c >> 4], digits[c & 15] };

		buf_add(out, plain ? (const char *)&s.p[i] : e, plain ? 1 : 3);
	}
}

/* Adds a value as text; false when it is none (missing, null). */
static bool add_value(const struct template *t, const struct part *p, const struct json *v,
	struct buf *out)
{
	bool encode = t->use == TEMPLATE_URI && !p->raw;

	if (v == NULL || v->type == JSON_NULL)
		return false;
	if (v->type == JSON_STRING || v->type == JSON_NUMBER) {
		if (encode)
			add_encoded(out, json_str(v));
		else
			buf_add_str(out, json_str(v));
		return t->use == TEMPLATE_TEXT || v->n > 0;
	}
	struct buf text DEFER(buf_free) = BUF_INIT(out->max);

	json_print(&text, v, JSON_COMPACT);
	if (encode)
		add_encoded(out, buf_str(&text));
	else
		buf_add_str(out, buf_str(&text));
	return true;
}

static bool find_value(const struct part *p, const struct json *record,
	const struct template_env *env, const struct json **v, struct err *err)
{
	bool found = false;

	*v = NULL;
	if (env != NULL && env->value != NULL &&
		!env->value(env->ctx, path_text(p->path), &found, v, err))
		return false;
	if (!found)
		*v = path_get(p->path, record);
	return true;
}

bool template_render(const struct template *t, const struct json *record,
	const struct template_env *env, struct buf *out, size_t *values, struct err *err)
{
	size_t with_value = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];
		const struct json *v;

		if (p->path == NULL) {
			buf_add_str(out, p->literal);
			continue;
		}
		if (!find_value(p, record, env, &v, err))
			return false;
		if (add_value(t, p, v, out))
			with_value++;
		else if (t->use == TEMPLATE_URI)
			return err_set(err, ERR_MISSING_VALUE, "the record has no value for {%.*s}",
				STR_ARG(path_text(p->path)));
	}
	if (out->over)
		return err_set(err, ERR_LIMIT, "the text is longer than %zu bytes", out->max);
	if (values != NULL)
		*values = with_value;
	return true;
}
