/*
 * openapi.c - a type's tables as JSON Schema (2020-12, as OpenAPI 3.1 uses it).
 *
 * One schema serves requests and answers: readOnly and writeOnly say which field stands where.
 * Words for what JSON Schema can't say (conditions, inert fields) go into the description.
 */
#include "schema/schema_priv.h"

static void add_z(struct json_build *b, const char *name, const char *text)
{
	json_add_str(b, str_z(name), str_z(text));
}

static void add_words(struct json_build *b, const char *name, const char *words)
{
	struct str rest = str_z(words);

	json_build_key(b, str_z(name));
	json_build_array(b);
	while (rest.p != NULL)
		json_build_str(b, str_cut(&rest, '|'));
	json_build_end(b);
}

static void put_properties(struct json_build *b, const struct node *n);

static void put_text_limits(struct json_build *b, const struct fld *f)
{
	add_z(b, "type", "string");
	if (f->max == 0 || f->min > 0)
		json_add_i64(b, STR("minLength"), 1);
	json_add_i64(b, STR("maxLength"), f->max > 0 ? f->max : SCHEMA_TEXT_MAX);
}

static void put_map_values(struct json_build *b, const struct node *n)
{
	bool secret = node_is(n, FLD_SECRET);

	if (n->fld->values == NULL && !secret) {
		json_build_bool(b, true);
		return;
	}
	json_build_object(b);
	if (secret) {
		add_z(b, "type", "string");
		add_z(b, "format", "password");
	} else {
		add_words(b, "type", "string|number|boolean");
	}
	json_build_end(b);
}

/* The members that say what one value is, without those about the field. */
static void put_type(struct json_build *b, const struct node *n)
{
	const struct fld *f = n->fld;

	switch (f->type) {
	case FLD_STR:
		put_text_limits(b, f);
		if (node_is(n, FLD_SECRET))
			add_z(b, "format", "password");
		break;
	case FLD_TOKEN:
		put_text_limits(b, f);
		add_z(b, "pattern", "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$");
		break;
	case FLD_URL:
		put_text_limits(b, f);
		add_z(b, "format", "uri");
		break;
	case FLD_BOOL:
		add_z(b, "type", "boolean");
		break;
	case FLD_INT:
		add_z(b, "type", "integer");
		json_add_i64(b, STR("minimum"), f->min);
		json_add_i64(b, STR("maximum"), f->max);
		break;
	case FLD_ENUM:
		add_z(b, "type", "string");
		add_words(b, "enum", f->values);
		break;
	case FLD_REF:
		add_z(b, "type", "string");
		add_z(b, "pattern", "^[0-9a-f]{24}$");
		break;
	case FLD_TIME:
		add_z(b, "type", "string");
		add_z(b, "format", "date-time");
		break;
	case FLD_OBJECT:
		put_properties(b, n);
		break;
	case FLD_MAP:
		add_z(b, "type", "object");
		json_build_key(b, STR("additionalProperties"));
		put_map_values(b, n);
		break;
	case FLD_ANY:
		break;
	}
}

static void put_array_of(struct json_build *b, const struct node *n)
{
	add_z(b, "type", "array");
	json_build_key(b, STR("items"));
	json_build_object(b);
	put_type(b, n);
	json_build_end(b);
}

static void put_shape(struct json_build *b, const struct node *n)
{
	if (node_is(n, FLD_LIST)) {
		put_array_of(b, n);
	} else if (node_is(n, FLD_LIST_OR_ONE)) {
		json_build_key(b, STR("anyOf"));
		json_build_array(b);
		json_build_object(b);
		put_type(b, n);
		json_build_end(b);
		json_build_object(b);
		put_array_of(b, n);
		json_build_end(b);
		json_build_end(b);
	} else {
		put_type(b, n);
	}
}

static struct str description(struct json_build *b, const struct node *n)
{
	const struct fld *f = n->fld;
	struct arena *a = b->arena;
	struct str s = str_z(f->text);

	if (n->when_node != NULL)
		s = str_fmt(a, "%.*s Only when %s is %.*s.", STR_ARG(s), n->when_node->fld->path,
			STR_ARG(words_join(a, str_to_z(a, n->when_values), " or ")));
	if (node_is(n, FLD_INERT | FLD_UNUSED))
		s = str_fmt(a, "%.*s Stored; not acted on by this version.", STR_ARG(s));
	if (f->values_inert != NULL)
		s = str_fmt(a, "%.*s Stored but not acted on by this version: %.*s.", STR_ARG(s),
			STR_ARG(words_join(a, f->values_inert, ", ")));
	if (node_is(n, FLD_LIST_INERT))
		s = str_fmt(a, "%.*s An array is stored but not acted on by this version.",
			STR_ARG(s));
	return s;
}

static void put_field(struct json_build *b, const struct node *n)
{
	const struct fld *f = n->fld;

	json_build_key(b, n->name);
	json_build_object(b);
	put_shape(b, n);
	json_add_str(b, STR("description"), description(b, n));
	json_add_copy(b, STR("default"), n->def);
	if (node_is(n, FLD_READ_ONLY))
		json_add_bool(b, STR("readOnly"), true);
	if (node_is(n, FLD_SECRET))
		json_add_bool(b, STR("writeOnly"), true);
	if (f->example != NULL) {
		const struct json *example;
		struct err err = ERR_INIT;

		CHECK(json_parse_copy(b->arena, str_z(f->example), &example, &err));
		json_build_key(b, STR("examples"));
		json_build_array(b);
		json_build_copy(b, example);
		json_build_end(b);
	}
	json_build_end(b);
}

static bool always_required(const struct node *n)
{
	return node_is(n, FLD_REQUIRED) && n->when_node == NULL;
}

static void put_properties(struct json_build *b, const struct node *n)
{
	size_t required = 0;

	add_z(b, "type", "object");
	json_build_key(b, STR("properties"));
	json_build_object(b);
	for (each_kid(k, n)) {
		put_field(b, k);
		required += always_required(k);
	}
	json_build_end(b);
	if (required > 0) {
		json_build_key(b, STR("required"));
		json_build_array(b);
		for (each_kid(k, n))
			if (always_required(k))
				json_build_str(b, k->name);
		json_build_end(b);
	}
	json_add_bool(b, STR("additionalProperties"), false);
}

void schema_openapi(const struct schema *s, struct json_build *b)
{
	const char *const *example = s->def->examples;

	json_build_object(b);
	add_z(b, "title", s->def->title);
	add_z(b, "description", s->def->text);
	put_properties(b, &s->root);
	if (example != NULL && *example != NULL) {
		json_build_key(b, STR("examples"));
		json_build_array(b);
		for (; *example != NULL; example++) {
			const struct json *doc;
			struct err err = ERR_INIT;

			CHECK(json_parse_copy(b->arena, str_z(*example), &doc, &err));
			json_build_copy(b, doc);
		}
		json_build_end(b);
	}
	json_build_end(b);
}
