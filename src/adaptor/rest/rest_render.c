/*
 * rest_render.c - texts and JSON values with placeholders, as requests need them.
 *
 * The templates of `map/` know `{name}` beside `{{name}}`. In texts that are full of braces of their
 * own, such as a JSON body written as one string, only the double ones can be meant: the single ones
 * are escaped before the template is compiled.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"
#include "map/template.h"

/* TEXT with every brace outside of `{{...}}` escaped. */
static struct str escape_single(struct arena *a, struct str text)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (size_t i = 0; i < text.n;) {
		struct str rest = str_from(text, i);
		bool raw = str_starts(rest, STR("{{{"));
		size_t end = str_starts(rest, STR("{{"))
				     ? str_find(rest, raw ? STR("}}}") : STR("}}"))
				     : STR_NPOS;

		if (end != STR_NPOS) {
			end += raw ? 3 : 2;
			buf_add_str(&b, str_sub(rest, 0, end));
			i += end;
			continue;
		}
		if (text.p[i] == '{' || text.p[i] == '}' || text.p[i] == '\\')
			buf_add_char(&b, '\\');
		buf_add_char(&b, text.p[i++]);
	}
	return str_dup(a, buf_str(&b));
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
	bool doubles = str_find(text, STR("{{")) != STR_NPOS;
	struct template *t;
	struct err ignored = ERR_INIT;

	*out = text;
	if (str_find_char(text, '{') == STR_NPOS || (r->doubles_only && !doubles))
		return true;
	if (doubles)
		return template_compile(r->arena, escape_single(r->arena, text), TEMPLATE_TEXT, &t,
			       err) &&
		       render(r, t, out, err);
	/* single braces that are no placeholder are just braces */
	if (!template_compile(r->arena, text, TEMPLATE_TEXT, &t, &ignored))
		return true;
	return render(r, t, out, err);
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
