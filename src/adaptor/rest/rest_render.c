/*
 * rest_render.c - texts and JSON values with placeholders, as requests need them.
 *
 * Bodies and headers are full of braces that mean nothing. A text is therefore rendered placeholder by
 * placeholder, and what stands between them is copied; only what reaches over text, such as a block, is
 * one template. `{x}` is a placeholder where it looks like a path, and where no `{{` shows that the
 * text means the double ones; in a JSON body that is written as one string it never is.
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
static size_t placeholder(bool doubles_only, struct str s)
{
	bool raw = str_starts(s, STR("{{{"));

	if (str_starts(s, STR("{{"))) {
		size_t end = str_find(s, raw ? STR("}}}") : STR("}}"));

		return end == STR_NPOS ? 0 : end + (raw ? 3 : 2);
	}
	return doubles_only || s.p[0] != '{' ? 0 : single_placeholder(s);
}

/* Blocks and their kin reach over the text between them. */
static bool is_whole(struct str text)
{
	static const char *const marks[] = { "{{#", "{{^", "{{~", "~}}", "{{!", "\\{{" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (str_find(text, str_z(marks[i])) != STR_NPOS)
			return true;
	return false;
}

/* Adds the rendered TEXT, a template as a whole. */
static bool render(struct rest_render *r, struct str text, enum template_use use, struct buf *out,
	struct err *err)
{
	struct template *t;
	size_t values = 0;

	if (!template_compile(r->arena, text, use, &t, err))
		return false;
	if (r->only_reads)
		return true;
	if (!template_render(t, r->record, NULL, out, &values, err))
		return false;
	for (size_t i = 0; template_placeholder(t, i).p != NULL; i++)
		r->placeholders++;
	r->values += values;
	return true;
}

bool rest_render_uri(struct rest_render *r, struct str text, struct str *out, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(LIMIT_RESOURCE_DOCUMENT);

	if (!render(r, text, TEMPLATE_URI, &b, err))
		return false;
	*out = str_dup(r->arena, buf_str(&b));
	return true;
}

bool rest_render_text(struct rest_render *r, struct str text, struct str *out, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(LIMIT_RESOURCE_DOCUMENT);
	bool doubles = str_find(text, STR("{{")) != STR_NPOS;

	*out = text;
	if (str_find_char(text, '{') == STR_NPOS)
		return true;
	if (doubles && is_whole(text)) {
		if (!render(r, text, TEMPLATE_TEXT, &b, err))
			return false;
		*out = str_dup(r->arena, buf_str(&b));
		return true;
	}
	for (size_t i = 0; i < text.n;) {
		size_t n = placeholder(r->doubles_only || doubles, str_from(text, i));

		if (n == 0)
			buf_add_char(&b, text.p[i++]);
		else if (!render(r, str_sub(text, i, n), TEMPLATE_TEXT, &b, err))
			return false;
		i += n;
	}
	if (b.over)
		return err_set(err, ERR_LIMIT, "the text is longer than %zu bytes", b.max);
	*out = str_dup(r->arena, buf_str(&b));
	return true;
}

bool rest_text_check(struct arena *a, struct str text, bool doubles_only, struct err *err)
{
	struct rest_render r = { .arena = a, .doubles_only = doubles_only, .only_reads = true };
	struct str ignored;

	return rest_render_text(&r, text, &ignored, err);
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
