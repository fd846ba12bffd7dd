/*
 * template.c - a template is a list of parts: literal text, or a placeholder with its path; or it is
 * one of Handlebars, and then all of it.
 */
#include "map/template.h"

#include "crypt/handlebars_crypt.h"

struct part {
	struct str literal; /* when path is NULL */
	struct path *path;
};

struct template
{
	enum template_use use;
	struct str text;
	size_t count, cap;
	struct part *parts;
	struct hbs *hbs; /* of a text with {{; it has no parts */
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

/* The placeholder whose brace stands at *AT. */
static bool read_placeholder(struct arena *a, struct template *t, size_t *at, struct err *err)
{
	struct str text = t->text;
	size_t from = *at + 1, end = from;

	while (end < text.n && text.p[end] != '}' && text.p[end] != '{')
		end++;
	if (end == text.n || text.p[end] != '}')
		return fail(t, *at, "this placeholder is not closed", err);
	struct str inside = str_trim(str_sub(text, from, end - from));

	if (inside.n == 0)
		return fail(t, *at, "this placeholder is empty", err);
	struct part *p = add(a, t);

	*at = end + 1;
	return path_compile(a, inside, false, &p->path, err) ||
	       err_wrap(err, "placeholder at position %zu", from + 1);
}

static bool compile_handlebars(struct arena *a, struct template *t, struct err *err)
{
	static const struct hbs_helpers *const extra[] = { &handlebars_crypt };

	return hbs_compile(a, t->text, &(struct hbs_options){ extra, ARRAY_LEN(extra) }, &t->hbs,
		err);
}

bool template_compile(struct arena *a, struct str text, enum template_use use,
	struct template **out, struct err *err)
{
	struct template *t = arena_new_of(a, struct template);
	struct buf literal DEFER(buf_free) = BUF_INIT(0);
	size_t at = 0;

	t->use = use;
	t->text = str_dup(a, text);
	if (str_find(text, STR("{{")) != STR_NPOS) {
		if (!compile_handlebars(a, t, err))
			return false;
		*out = t;
		return true;
	}
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
	if (t->hbs != NULL)
		return hbs_is_constant(t->hbs);
	return str_eq(template_placeholder(t, 0), STR_NULL);
}

struct str template_placeholder(const struct template *t, size_t i)
{
	if (t->hbs != NULL)
		return hbs_path_at(t->hbs, i);
	for (size_t k = 0; k < t->count; k++)
		if (t->parts[k].path != NULL && i-- == 0)
			return path_text(t->parts[k].path);
	return STR_NULL;
}

bool template_part(const struct template *t, size_t i, struct str *literal,
	const struct path **path)
{
	if (t->hbs != NULL || i >= t->count)
		return false;
	*literal = t->parts[i].literal;
	*path = t->parts[i].path;
	return true;
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
static bool add_value(const struct template *t, const struct json *v, struct buf *out)
{
	bool encode = t->use == TEMPLATE_URI;

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

/* ---- Handlebars ---- */

struct names { /* what a template asks for by name */
	const struct template_env *env;
	const struct json *record;
};

/* Lookups and variables; then, of a record that is an array of rows, the first row's members. */
static bool find_name(void *ctx, struct str name, bool *found, const struct json **v,
	struct err *err)
{
	const struct names *n = ctx;

	*found = false;
	*v = NULL;
	if (n->env != NULL && n->env->value != NULL &&
		!n->env->value(n->env->ctx, name, found, v, err))
		return false;
	if (!*found && json_is_array(n->record)) {
		*v = json_get(json_at(n->record, 0), name);
		*found = *v != NULL;
	}
	return true;
}

static bool render_handlebars(const struct template *t, const struct json *record,
	const struct template_env *env, struct buf *out, size_t *values, struct err *err)
{
	static const struct template_env no_env = { .value = NULL };
	const struct template_env *e = env != NULL ? env : &no_env;
	struct names names = { env, record };
	struct arena *own DEFER(arena_freep) = e->scratch == NULL ? arena_new("template", 0) : NULL;
	const struct hbs_env h = { .context = record,
		.escape = t->use == TEMPLATE_URI ? HBS_URI : HBS_RAW,
		.strict = t->use == TEMPLATE_URI,
		.value = e->value != NULL || json_is_array(record) ? find_name : NULL,
		.ctx = &names,
		.clock = e->clock,
		.rng = e->rng,
		.timezone = e->timezone,
		.scratch = own != NULL ? own : e->scratch };

	return hbs_render(t->hbs, &h, out, values, err);
}

bool template_render(const struct template *t, const struct json *record,
	const struct template_env *env, struct buf *out, size_t *values, struct err *err)
{
	size_t with_value = 0;

	if (t->hbs != NULL)
		return render_handlebars(t, record, env, out, values, err);
	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];
		const struct json *v;

		if (p->path == NULL) {
			buf_add_str(out, p->literal);
			continue;
		}
		if (!find_value(p, record, env, &v, err))
			return false;
		if (add_value(t, v, out))
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
