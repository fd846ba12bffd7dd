/*
 * webhook_body.c - bodies as JSON: forms and XML become objects, what else parses as JSON is JSON whatever
 * its sender calls it, the rest is refused.
 *
 * Stored events are joined to an array for their page, so one level of depth is kept free for that,
 * and a byte order mark, which would then stand inside a text, goes.
 */
#include "adaptor/webhook/webhook_priv.h"

#include "core/limits.h"
#include "core/map.h"
#include "data/xml.h"
#include "net/url.h"

static bool is_type(struct str content_type, const char *want)
{
	struct str media = content_type;

	return str_eq_ci(str_trim(str_cut(&media, ';')), str_z(want));
}

static bool parse(struct arena *a, struct str text, const struct json **doc, struct err *err)
{
	static const struct json_limits limits = { .depth_max = LIMIT_JSON_DEPTH - 1 };
	struct str copy = str_dup(a, text);

	return json_parse(a, (char *)(uintptr_t)copy.p, copy.n, &limits, doc, err);
}

static bool is_xml(struct str content_type)
{
	struct str media = content_type;

	media = str_trim(str_cut(&media, ';'));
	return str_eq_ci(media, STR("application/xml")) || str_eq_ci(media, STR("text/xml")) ||
	       (media.n > 4 && str_eq_ci(str_from(media, media.n - 4), STR("+xml")));
}

static bool xml_to_text(struct arena *a, struct str body, struct str *text, const struct json **doc,
	struct err *err)
{
	if (!xml_to_json(a, body, NULL, doc, err))
		return false;
	*text = json_print_arena(a, *doc);
	return true;
}

/* ---- forms ---- */

struct field {
	struct str name;
	struct str *values;
	size_t count;
};

static bool read_form(struct arena *a, struct str body, struct map *fields, struct err *err)
{
	for (unsigned n = 1; body.p != NULL && body.n > 0; n++) {
		struct str value = str_cut(&body, '&'), name = str_cut(&value, '=');

		if (n > WEBHOOK_FORM_FIELDS)
			return err_set(err, ERR_LIMIT, "the form has more than %d fields",
				WEBHOOK_FORM_FIELDS);
		name = url_decode(a, name, true);
		value = value.p == NULL ? STR("") : url_decode(a, value, true);
		if (!str_is_utf8(name) || !str_is_utf8(value))
			return err_set(err, ERR_JSON, "field %u of the form is not UTF-8", n);
		if (name.n == 0 && value.n == 0)
			continue;
		struct field *f = map_get(fields, name);

		if (f == NULL) {
			f = arena_new_of(a, struct field);
			f->name = name;
			map_put(fields, name, f);
		}
		f->values = arena_grow(a, f->values, f->count * sizeof(value),
			(f->count + 1) * sizeof(value));
		f->values[f->count++] = value;
	}
	return true;
}

static const struct json *form_object(struct arena *a, const struct map *fields)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	for (size_t i = 0; i < map_count(fields); i++) {
		const struct field *f = map_value_at(fields, i);

		json_build_key(&b, f->name);
		if (f->count > 1)
			json_build_array(&b);
		for (size_t k = 0; k < f->count; k++)
			json_build_str(&b, f->values[k]);
		if (f->count > 1)
			json_build_end(&b);
	}
	json_build_end(&b);
	return json_build_done(&b);
}

static bool form_to_json(struct arena *a, struct str body, struct str *text,
	const struct json **doc, struct err *err)
{
	struct map *fields = map_new(a);
	struct err none = ERR_INIT;

	if (!read_form(a, body, fields, err))
		return false;
	const struct field *only = map_get(fields, STR("payload"));

	/* GitHub and Slack send JSON this way */
	if (map_count(fields) == 1 && only != NULL && only->count == 1 &&
		parse(a, only->values[0], doc, &none) && (*doc)->type >= JSON_ARRAY) {
		*text = only->values[0];
		return true;
	}
	*doc = form_object(a, fields);
	*text = json_print_arena(a, *doc);
	return true;
}

bool webhook_read_body(struct arena *a, struct str content_type, struct str body, struct str *text,
	const struct json **doc, struct err *err)
{
	struct err why = ERR_INIT;

	if (is_type(content_type, "application/x-www-form-urlencoded"))
		return form_to_json(a, body, text, doc, err);
	if (is_xml(content_type))
		return xml_to_text(a, body, text, doc, err);
	if (str_starts(body, STR("\xef\xbb\xbf")))
		body = str_from(body, 3);
	if (body.n == 0)
		return err_set(err, ERR_JSON, "the body is empty where JSON is expected");
	if (parse(a, body, doc, &why)) {
		*text = body;
		return true;
	}
	if (content_type.p == NULL || is_type(content_type, "application/json") ||
		str_find(content_type, STR("+json")) != STR_NPOS) {
		*err = why;
		return false;
	}
	err_set(err, ERR_MEDIA_TYPE, "the body is %.*s and no JSON",
		STR_ARG(str_sub(content_type, 0, 100)));
	return err_hint(err,
		"send application/json, application/xml or application/x-www-form-urlencoded");
}
