/*
 * check_text.c - placeholders and mappings are read when a document is saved, so that no run is the first to
 * find that they can't be.
 *
 * The adaptor's own readers say what can be read. A mapping's compiler stops at its first fault; to tell all
 * at once each field is then compiled alone.
 */
#include "adaptor/rest/rest.h"
#include "map/mapping.h"
#include "resource/resource_priv.h"

/* Compiling fields alone costs the lookups' table each time: beyond this, the first fault must do. */
#define FIELDS_ALONE_MAX 500

void res_add_fault(struct problems *p, const char *field, const struct err *err)
{
	struct err named = ERR_INIT;

	err_set_field(&named, err->code, field, "%s: %s", field, err->message);
	if (err->hint[0] != '\0')
		err_hint(&named, "%s", err->hint);
	problems_add_err(p, &named);
}

/* ---- placeholders ---- */

static void check_texts(const struct json *v, const char *field, bool doubles_only,
	struct problems *p)
{
	struct err err = ERR_INIT;

	if (v->type == JSON_STRING) {
		if (!rest_text_check(p->arena, json_str(v), doubles_only, &err))
			res_add_fault(p, field, &err);
	} else if (v->type == JSON_ARRAY) {
		for (json_each (it, v))
			check_texts(it, field, doubles_only, p);
	} else if (v->type == JSON_OBJECT) {
		for (json_each_member(key, v))
			check_texts(json_value(key), field, doubles_only, p);
	}
}

void res_check_text_at(const struct json *doc, const char *path, bool doubles_only,
	struct problems *p)
{
	const struct json *v = res_at(doc, path);

	if (v != NULL)
		check_texts(v, path, doubles_only, p);
}

void res_check_body_at(const struct json *doc, const char *path, bool doubles_only,
	struct problems *p)
{
	const struct json *v = res_at(doc, path);

	if (v != NULL)
		check_texts(v, path, doubles_only || json_is_str(v), p);
}

void res_check_header_texts(const struct json *doc, const char *path, bool doubles_only,
	struct problems *p)
{
	const struct json *list = res_at(doc, path), *v;
	size_t i = 0;

	if (!json_is_array(list))
		return;
	for (json_each (it, list)) {
		const char *field = str_fmt(p->arena, "%s.%zu.value", path, i++).p;

		v = json_get(it, STR("value"));
		if (v != NULL)
			check_texts(v, field, doubles_only, p);
	}
}

void res_check_import_text(const struct json *value, const char *field, struct problems *p)
{
	struct err err = ERR_INIT;

	if (value != NULL && value->type != JSON_NULL &&
		!rest_import_text_check(p->arena, value, &err))
		res_add_fault(p, field, &err);
}

/* ---- mappings ---- */

struct alone {
	const struct json *lookups;
	struct arena *scratch;
	size_t fields;
	struct problems *p;
};

/* Does P tell of the value at PATH, or of what it holds? */
static bool is_told(const struct problems *p, struct str path)
{
	for (size_t i = 0; i < p->count; i++) {
		struct str field = str_z(p->list[i].field);

		if (str_starts(field, path) && (field.n == path.n || field.p[path.n] == '.'))
			return true;
	}
	return false;
}

/* LIST: the field is one of this list's; NULL: of the record's. PATH: where it stands. */
static void check_alone(struct alone *x, const struct json *list, const struct json *field,
	struct str path)
{
	struct arena_mark mark = arena_mark(x->scratch);
	struct str at = list == NULL ? STR("mapping.fields.0") : STR("mapping.lists.0.fields.0");
	struct err err = ERR_INIT;
	struct json_build b;
	struct mapping *m;

	if (++x->fields > FIELDS_ALONE_MAX || is_told(x->p, path))
		return;
	json_build_init(&b, x->scratch);
	json_build_object(&b);
	if (list != NULL) {
		json_build_key(&b, STR("lists"));
		json_build_array(&b);
		json_build_object(&b);
		json_add_copy(&b, STR("generate"), json_get(list, STR("generate")));
	}
	json_build_key(&b, STR("fields"));
	json_build_array(&b);
	json_build_copy(&b, field);
	json_build_end(&b);
	if (list != NULL) {
		json_build_end(&b);
		json_build_end(&b);
	}
	json_build_end(&b);
	if (!mapping_compile(x->scratch, json_build_done(&b), x->lookups, &m, &err) &&
		str_starts(str_z(err.field), at)) {
		struct err named = err;

		snprintf(named.field, sizeof(named.field), "%.*s%s", STR_ARG(path),
			err.field + at.n);
		problems_add_err(x->p, &named);
	}
	arena_rewind(x->scratch, mark);
}

static void check_fields_alone(struct alone *x, const struct json *list, const struct json *fields,
	struct str path)
{
	size_t i = 0;

	if (!json_is_array(fields))
		return;
	for (json_each (it, fields))
		check_alone(x, list, it, str_fmt(x->p->arena, "%.*s.%zu", STR_ARG(path), i++));
}

void res_check_mapping(const struct json *doc, struct problems *p)
{
	struct arena *scratch DEFER(arena_freep) = arena_new("check", 0);
	const struct json *mapping = json_get(doc, STR("mapping")),
			  *lists = json_get(mapping, STR("lists"));
	struct alone x = { res_at(doc, "rest.lookups"), scratch, 0, p };
	size_t before = p->count, i = 0;
	struct err err = ERR_INIT;
	struct mapping *m;

	/* beside lookups that are at fault nothing can be said */
	if (is_told(p, STR("rest.lookups")) || !json_is_object(json_get(doc, STR("rest"))) ||
		mapping_compile(p->arena, mapping, x.lookups, &m, &err))
		return;
	check_fields_alone(&x, NULL, json_get(mapping, STR("fields")), STR("mapping.fields"));
	if (json_is_array(lists))
		for (json_each (list, lists))
			check_fields_alone(&x, list, json_get(list, STR("fields")),
				str_fmt(p->arena, "mapping.lists.%zu.fields", i++));
	/* no field alone: it is about how they stand together, unless a value at fault misleads */
	if (p->count == before && !is_told(p, STR("mapping")))
		problems_add_err(p, &err);
}
