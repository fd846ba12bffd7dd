/*
 * rest_text.c - bodies with placeholders.
 *
 * A body that is JSON is printed once, and cut where its strings have placeholders, so that a record
 * costs the filling of the gaps and what fills them is escaped. What is no JSON is one template.
 */
#include "adaptor/rest/rest_sink_priv.h"

struct text_part {
	struct str literal; /* before the template */
	struct template *template;
};

struct rest_text {
	struct text_part *parts;
	size_t count, cap;
	struct str tail; /* behind the last template */
	bool json;       /* values are escaped as in a JSON string */
};

struct text_compiler {
	struct arena *arena;
	struct rest_text *text;
	struct buf literal;
	struct err *err;
};

static bool add_template(struct text_compiler *c, struct str text)
{
	struct rest_text *b = c->text;
	struct template *t;

	if (!template_compile(c->arena, text, TEMPLATE_TEXT, &t, c->err))
		return false;
	if (b->count == b->cap) {
		size_t cap = b->cap == 0 ? 4 : b->cap * 2;

		b->parts = arena_grow(c->arena, b->parts, b->cap * sizeof(*b->parts),
			cap * sizeof(*b->parts));
		b->cap = cap;
	}
	b->parts[b->count++] = (struct text_part){ str_dup(c->arena, buf_str(&c->literal)), t };
	buf_reset(&c->literal);
	return true;
}

/* Prints V into the literal, but for strings with placeholders, each of which becomes a part. */
static bool add_json(struct text_compiler *c, const struct json *v)
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

bool rest_text_compile(struct arena *a, const struct json *v, struct rest_text **out,
	struct err *err)
{
	struct text_compiler c = { .arena = a, .err = err };
	const struct json *value = as_json(a, v);
	struct err fault = ERR_INIT;

	c.text = arena_new_of(a, struct rest_text);
	if (value != NULL) {
		c.err = &fault;
		c.text->json = true;
	}
	bool ok = value != NULL && add_json(&c, value);

	/* a template that spans several strings of a JSON text is one of the text */
	if (!ok && v->type == JSON_STRING) {
		*c.text = (struct rest_text){ .json = false };
		buf_reset(&c.literal);
		c.err = err;
		ok = add_template(&c, json_str(v));
	} else if (!ok) {
		*err = fault;
	}
	c.text->tail = str_dup(a, buf_str(&c.literal));
	buf_free(&c.literal);
	*out = c.text;
	return ok;
}

bool rest_import_text_check(struct arena *a, const struct json *value, struct err *err)
{
	struct rest_text *ignored;

	return rest_text_compile(a, value, &ignored, err);
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

bool rest_text_render(const struct rest_text *b, const struct values *v, struct buf *out,
	struct err *err)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct text_part *part = &b->parts[i];

		buf_add_str(out, part->literal);
		if (!(b->json ? render_escaped(part->template, v, out, err)
			      : rest_values_render(part->template, v, out, err)))
			return false;
	}
	buf_add_str(out, b->tail);
	return true;
}

bool rest_text_names(const struct rest_text *b, struct str lookup)
{
	for (size_t i = 0; b != NULL && i < b->count; i++)
		if (rest_values_names(b->parts[i].template, lookup))
			return true;
	return false;
}
