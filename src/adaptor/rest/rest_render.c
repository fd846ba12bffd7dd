/*
 * rest_render.c - texts and JSON values with placeholders, as requests need them.
 *
 * The templates of `map/` know `{name}` beside `{{name}}`, and a brace of any other meaning must be
 * escaped. Bodies and headers are full of such braces: they are escaped here, before the template is
 * compiled. In a JSON body that is written as one string, only double braces can be meant.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"
#include "map/template.h"

/* The length of a `{path}` at the start of S; 0: it begins with no such thing. */
static size_t single_placeholder(struct str s)
{
	static const char others[] = "_.$-[]*@ ";
	size_t n = 1;

	while (n < s.n && s.p[n] != '}' &&
		((s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
			(s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] & 0x80) != 0 ||
			strchr(others, s.p[n]) != NULL))
		n++;
	struct str path = str_sub(s, 1, n - 1);

	return n < s.n && s.p[n] == '}' && path.n > 0 && str_trim(path).n == path.n ? n + 1 : 0;
}

/* The length of the placeholder at the start of S; 0: there is none. */
static size_t placeholder(const struct rest_render *r, struct str s)
{
	bool raw = str_starts(s, STR("{{{"));

	if (str_starts(s, STR("{{"))) {
		size_t end = str_find(s, raw ? STR("}}}") : STR("}}"));

		return end == STR_NPOS ? 0 : end + (raw ? 3 : 2);
	}
	return r->doubles_only || s.p[0] != '{' ? 0 : single_placeholder(s);
}

/* TEXT with every brace that belongs to no placeholder escaped. */
static struct str escape_others(const struct rest_render *r, struct str text)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (size_t i = 0; i < text.n;) {
		size_t n = placeholder(r, str_from(text, i));

		if (n == 0 && (text.p[i] == '{' || text.p[i] == '}'))
			buf_add_char(&b, '\\');
		buf_add_str(&b, str_sub(text, i, MAX(n, (size_t)1)));
		i += MAX(n, (size_t)1);
	}
	return str_dup(r->arena, buf_str(&b));
}

static bool render(struct rest_render *r, const struct template *t, struct str *out,
	struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(LIMIT_RESOURCE_DOCUMENT);
	size_t values = 0;

	if (!template_render(t, r->record, NULL, &b, &values, err))
		return false;
	for (size_t i = 0; template_placeholder(t, i).p != NULL; i++)
		r->placeholders++;
	r->values += values;
	*out = str_dup(r->arena, buf_str(&b));
	return true;
}

bool rest_render_uri(struct rest_render *r, struct str text, struct str *out, struct err *err)
{
	struct template *t;

	return template_compile(r->arena, text, TEMPLATE_URI, &t, err) && render(r, t, out, err);
}

bool rest_render_text(struct rest_render *r, struct str text, struct str *out, struct err *err)
{
	struct template *t;

	*out = text;
	if (str_find_char(text, '{') == STR_NPOS)
		return true;
	return template_compile(r->arena, escape_others(r, text), TEMPLATE_TEXT, &t, err) &&
	       render(r, t, out, err);
}

static bool build(struct rest_render *r, const struct json *v, struct json_build *b,
	struct err *err)
{
	struct str text;

	if (v->type == JSON_STRING) {
		if (!rest_render_text(r, json_str(v), &text, err))
			return false;
		json_build_str(b, text);
	} else if (v->type == JSON_ARRAY) {
		json_build_array(b);
		for (json_each (it, v))
			if (!build(r, it, b, err))
				return false;
		json_build_end(b);
	} else if (v->type == JSON_OBJECT) {
		json_build_object(b);
		for (json_each_member(key, v)) {
			json_build_key(b, json_str(key));
			if (!build(r, json_value(key), b, err))
				return false;
		}
		json_build_end(b);
	} else {
		json_build_copy(b, v);
	}
	return true;
}

bool rest_render_body(struct rest_render *r, const struct rest_session *s, const struct json *value,
	struct str *out, struct err *err)
{
	struct buf text DEFER(buf_free) = BUF_INIT(LIMIT_RESPONSE_BODY);
	struct json_build b;
	bool ok;

	*out = STR("");
	if (value == NULL || value->type == JSON_NULL)
		return true;
	if (value->type == JSON_STRING) {
		bool before = r->doubles_only;

		r->doubles_only = true;
		ok = rest_render_text(r, json_str(value), out, err);
		r->doubles_only = before;
		return ok;
	}
	json_build_init(&b, r->arena);
	if (!build(r, value, &b, err) || !rest_body_print(s, json_build_done(&b), &text, err))
		return false;
	*out = str_dup(r->arena, buf_str(&text));
	return true;
}
