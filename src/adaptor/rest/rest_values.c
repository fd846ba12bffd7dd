/*
 * rest_values.c - what placeholders of an import stand for, and bodies made from templates.
 *
 * A lookup's name wins over a field's. In URIs and headers the record comes next, then the mapped
 * record; in bodies, which say how the mapped record is to be sent, it is the other way round. What
 * neither has may be a variable of the call. Paths of placeholders are compiled when they are first
 * asked for and kept for the session: there are only as many as the import's texts name.
 */
#include "adaptor/rest/rest_sink_priv.h"

static const struct path *path_of(struct sink *s, struct str name)
{
	struct path *p = map_get(s->paths, name);
	struct err ignored = ERR_INIT;

	if (p != NULL || !path_compile(s->arena, name, false, &p, &ignored))
		return p;
	map_put(s->paths, path_text(p), p);
	return p;
}

/* "lookup.NAME" is the later spelling of NAME. */
static struct str lookup_name(struct str name)
{
	return str_starts(name, STR("lookup.")) ? str_from(name, 7) : name;
}

static bool find_value(void *ctx, struct str name, bool *found, const struct json **value,
	struct err *err UNUSED)
{
	const struct values *v = ctx;
	struct str lookup = lookup_name(name);

	*value = NULL;
	*found = rest_lookup_find(v->sink, lookup) != NULL;
	if (*found) {
		*value = json_get(v->lookups, lookup);
		return true;
	}
	if (v->mapped == NULL && v->sink->variables == NULL)
		return true;
	const struct path *p = path_of(v->sink, name);

	if (p == NULL)
		return true;
	if (v->mapped_first && v->mapped != NULL)
		*value = path_get(p, v->mapped);
	if (*value == NULL && path_get(p, v->record) != NULL)
		return true;
	if (*value == NULL && !v->mapped_first && v->mapped != NULL)
		*value = path_get(p, v->mapped);
	if (*value == NULL && v->sink->variables != NULL)
		*value = path_get(p, v->sink->variables);
	*found = *value != NULL;
	return true;
}

bool rest_values_render(const struct template *t, const struct values *v, struct buf *out,
	struct err *err)
{
	struct template_env env = { .value = find_value, .ctx = (void *)(uintptr_t)v };

	return template_render(t, v->record, &env, out, NULL, err);
}

/* ---- URIs ---- */

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7F;
}

/* Bytes that no URL may hold (RFC 3986) and that nobody means otherwise. */
static bool needs_escape(unsigned char c)
{
	return c == ' ' || c >= 0x80 || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' ||
	       c == '`' || c == '{' || c == '|' || c == '}';
}

/* Escapes OUT from FROM on, from its end, in place. */
static bool escape_from(struct buf *out, size_t from, size_t count)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = out->n;

	if (count == 0)
		return true;
	if (buf_room(out, 2 * count) == NULL)
		return false;
	out->n = n + 2 * count;
	for (size_t to = out->n; n > from && to > n;) {
		unsigned char c = (unsigned char)out->p[--n];

		if (!needs_escape(c)) {
			out->p[--to] = (char)c;
			continue;
		}
		out->p[--to] = digits[c & 15];
		out->p[--to] = digits[c >> 4];
		out->p[--to] = '%';
	}
	return true;
}

bool rest_values_uri(const struct template *t, const struct values *v, struct buf *out,
	struct err *err)
{
	size_t from = out->n, escapes = 0;

	if (!rest_values_render(t, v, out, err))
		return false;
	for (size_t i = from; i < out->n; i++) {
		unsigned char c = (unsigned char)out->p[i];

		if (is_control(c))
			return err_set(err, ERR_INVALID,
				"a value puts a control character (byte %02X) into the URI", c);
		escapes += needs_escape(c);
	}
	if (out->over || !escape_from(out, from, escapes) || out->n - from > URL_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "the URI is longer than %d bytes", URL_BYTES_MAX);
	return true;
}

/* ---- bodies ---- */

struct body_part {
	struct str literal; /* before the template */
	struct template *template;
};

struct body {
	struct body_part *parts;
	size_t count, cap;
	struct str tail; /* behind the last template */
	bool json;       /* values are escaped as in a JSON string */
};

struct body_compiler {
	struct arena *arena;
	struct body *body;
	struct buf literal;
	const char *field;
	struct err *err;
};

static bool add_template(struct body_compiler *c, struct str text)
{
	struct body *b = c->body;
	struct template *t;

	if (!template_compile(c->arena, text, TEMPLATE_TEXT, &t, c->err))
		return rest_fault(c->err, c->field);
	if (b->count == b->cap) {
		size_t cap = b->cap == 0 ? 4 : b->cap * 2;

		b->parts = arena_grow(c->arena, b->parts, b->cap * sizeof(*b->parts),
			cap * sizeof(*b->parts));
		b->cap = cap;
	}
	b->parts[b->count++] = (struct body_part){ str_dup(c->arena, buf_str(&c->literal)), t };
	buf_reset(&c->literal);
	return true;
}

/* Prints V into the literal, but for strings with placeholders, each of which becomes a part. */
static bool add_json(struct body_compiler *c, const struct json *v)
{
	const char *sep = "";

	if (v->type == JSON_STRING && str_find_char(json_str(v), '{') != STR_NPOS) {
		buf_add_char(&c->literal, '"');
		if (!add_template(c, json_str(v)))
			return false;
		buf_add_char(&c->literal, '"');
		return true;
	}
	if (v->type < JSON_ARRAY) {
		json_print(&c->literal, v, JSON_COMPACT);
		return true;
	}
	buf_add_char(&c->literal, v->type == JSON_ARRAY ? '[' : '{');
	if (v->type == JSON_ARRAY)
		for (json_each (it, v)) {
			buf_add_str(&c->literal, str_z(sep));
			sep = ",";
			if (!add_json(c, it))
				return false;
		}
	else
		for (json_each_member(key, v)) {
			buf_add_str(&c->literal, str_z(sep));
			sep = ",";
			json_print_str(&c->literal, json_str(key));
			buf_add_char(&c->literal, ':');
			if (!add_json(c, json_value(key)))
				return false;
		}
	buf_add_char(&c->literal, v->type == JSON_ARRAY ? ']' : '}');
	return true;
}

/* How many braces of this kind stand at AT. */
static size_t run_of(struct str s, size_t at, char brace)
{
	size_t n = 0;

	while (at + n < s.n && s.p[at + n] == brace)
		n++;
	return n;
}

/* In a text with `{{` the single braces stand for themselves: {"id":{{id}}}. */
static struct str escape_single_braces(struct arena *a, struct str text)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	if (str_find(text, STR("{{")) == STR_NPOS)
		return text;
	for (size_t at = 0; at < text.n;) {
		size_t open = run_of(text, at, '{'), want = MIN(open, (size_t)3);
		size_t close = open < 2 ? STR_NPOS
					: str_find(str_from(text, at),
						  want == 3 ? STR("}}}") : STR("}}"));

		if (close != STR_NPOS) {
			buf_add_str(&b, str_sub(text, at, close + want));
			at += close + want;
			continue;
		}
		if (text.p[at] == '{' || text.p[at] == '}')
			buf_add_char(&b, '\\');
		buf_add_char(&b, text.p[at++]);
	}
	return str_dup(a, buf_str(&b));
}

/* V, or the JSON that a string holds; NULL: the string is a text. */
static const struct json *as_json(struct arena *a, const struct json *v)
{
	const struct json *inside;
	struct err ignored = ERR_INIT;

	if (v->type != JSON_STRING)
		return v;
	if (!json_parse_copy(a, json_str(v), &inside, &ignored) || inside->type < JSON_ARRAY)
		return NULL;
	return inside;
}

bool rest_body_compile(struct arena *a, const struct json *v, const char *field, struct body **out,
	struct err *err)
{
	struct body_compiler c = { .arena = a, .field = field, .err = err };
	const struct json *value = as_json(a, v);
	struct err fault = ERR_INIT;

	c.body = arena_new_of(a, struct body);
	if (value != NULL) {
		c.err = &fault;
		c.body->json = true;
	}
	bool ok = value != NULL && add_json(&c, value);

	/* a template that spans several strings of a JSON text is one of the text */
	if (!ok && v->type == JSON_STRING) {
		*c.body = (struct body){ .json = false };
		buf_reset(&c.literal);
		c.err = err;
		ok = add_template(&c, escape_single_braces(a, json_str(v)));
	} else if (!ok) {
		*err = fault;
	}
	c.body->tail = str_dup(a, buf_str(&c.literal));
	buf_free(&c.literal);
	*out = c.body;
	return ok;
}

/* Renders a template into OUT as the inside of a JSON string. */
static bool render_escaped(const struct template *t, const struct values *v, struct buf *out,
	struct err *err)
{
	struct buf *text = &v->sink->more;

	buf_reset(text);
	if (!rest_values_render(t, v, text, err))
		return false;
	size_t from = out->n;

	json_print_str(out, buf_str(text));
	if (out->over)
		return true;
	memmove(out->p + from, out->p + from + 1, out->n - from - 2); /* without its quotes */
	out->n -= 2;
	return true;
}

bool rest_body_render(const struct body *b, const struct values *v, struct buf *out,
	struct err *err)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct body_part *part = &b->parts[i];

		buf_add_str(out, part->literal);
		if (!(b->json ? render_escaped(part->template, v, out, err)
			      : rest_values_render(part->template, v, out, err)))
			return false;
	}
	buf_add_str(out, b->tail);
	return true;
}

/* ---- which lookups a text needs ---- */

bool rest_template_names(const struct template *t, struct str lookup)
{
	struct str name;

	for (size_t i = 0; (name = template_placeholder(t, i)).p != NULL; i++)
		if (str_eq(lookup_name(name), lookup))
			return true;
	return false;
}

bool rest_body_names(const struct body *b, struct str lookup)
{
	for (size_t i = 0; b != NULL && i < b->count; i++)
		if (rest_template_names(b->parts[i].template, lookup))
			return true;
	return false;
}
