/*
 * mapping_apply.c - runs a compiled mapping over a record: first every field's value is found, then
 * the tree of targets is written in one pass; a part of it without any value is left out.
 */
#include "map/mapping_priv.h"

#define VALUE_SHOWN 80

struct apply {
	const struct json *record;
	const struct mapping_env *env;
	struct json_build *b;
	struct err *err;
	size_t line; /* of a list */
};

static struct json *new_text(struct arena *a, struct str s)
{
	struct json *v = arena_new_of(a, struct json);

	v->type = JSON_STRING;
	v->n = (uint32_t)s.n;
	v->s = s.p;
	return v;
}

/* A value as text, for lookups' keys and dataType string. */
static struct str text_of(struct arena *a, const struct json *v)
{
	if (v->type == JSON_STRING || v->type == JSON_NUMBER)
		return json_str(v);
	return json_print_arena(a, v);
}

static bool fail_value(struct apply *x, const struct field *f, enum err_code code,
	const struct json *v, const char *what)
{
	struct str text = v == NULL ? STR("no value") : json_print_arena(x->b->arena, v);

	return err_set_field(x->err, code, str_to_z(x->b->arena, f->generate),
		"field \"%.*s\": %.*s%s %s", STR_ARG(f->generate),
		STR_ARG(str_sub(text, 0, VALUE_SHOWN)), text.n > VALUE_SHOWN ? "..." : "", what);
}

/* ---- lookups ---- */

static bool look_up(struct apply *x, const struct field *f, const struct json **v)
{
	const struct lookup *l = f->lookup;
	const struct json *asked = *v, *found = NULL;

	if (l->map != NULL) {
		if (asked != NULL && asked->type != JSON_NULL)
			found = map_get(l->map, text_of(x->b->arena, asked));
		else if (f->path != NULL || f->template != NULL) {
			*v = NULL; /* nothing to look up: as a field without a value */
			return true;
		}
	} else if (x->env == NULL || x->env->lookup == NULL) {
		return err_set_field(x->err, ERR_UNSUPPORTED, str_to_z(x->b->arena, f->generate),
			"lookup \"%.*s\" asks the application, which this version can't do yet",
			STR_ARG(l->name));
	} else if (!x->env->lookup(x->env->ctx, l->name, asked, x->record, &found, x->err)) {
		return false;
	}
	/* of other lookups the environment has judged already whether nothing is a failure */
	if (found == NULL && l->map != NULL && !l->allow_failures)
		return fail_value(x, f, ERR_LOOKUP, asked,
			str_fmt(x->b->arena, "is not in lookup \"%.*s\"", STR_ARG(l->name)).p);
	*v = found == NULL ? l->def : found;
	return true;
}

/* ---- dataType ---- */

static const struct json *to_string(struct arena *a, const struct json *v)
{
	return v->type == JSON_STRING ? v : new_text(a, text_of(a, v));
}

/* A text that is a JSON number becomes one, with the lexeme it has. */
static const struct json *to_number(struct arena *a, const struct json *v)
{
	const struct json *n;
	struct err ignored = ERR_INIT;

	if (v->type == JSON_NUMBER)
		return v;
	if (v->type == JSON_TRUE || v->type == JSON_FALSE) {
		struct json *d = new_text(a, v->type == JSON_TRUE ? STR("1") : STR("0"));

		d->type = JSON_NUMBER;
		return d;
	}
	if (v->type != JSON_STRING || !json_parse_copy(a, str_trim(json_str(v)), &n, &ignored))
		return NULL;
	return n->type == JSON_NUMBER ? n : NULL;
}

static const struct json *to_boolean(const struct json *v)
{
	static const struct {
		const char *word;
		const struct json *value;
	} words[] = { { "true", &json_true }, { "false", &json_false }, { "1", &json_true },
		{ "0", &json_false } };

	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		return v;
	if (v->type != JSON_STRING && v->type != JSON_NUMBER)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_ci(json_str(v), str_z(words[i].word)))
			return words[i].value;
	return NULL;
}

static const struct json *to_array(struct arena *a, const struct json *v, enum data_type element);

/* NULL: V can't be one. null passes every type. */
static const struct json *convert(struct arena *a, const struct json *v, enum data_type type)
{
	if (v->type == JSON_NULL)
		return v;
	switch (type) {
	case DATA_STRING:
		return to_string(a, v);
	case DATA_NUMBER:
		return to_number(a, v);
	case DATA_BOOLEAN:
		return to_boolean(v);
	case DATA_STRING_ARRAY:
		return to_array(a, v, DATA_STRING);
	case DATA_NUMBER_ARRAY:
		return to_array(a, v, DATA_NUMBER);
	case DATA_BOOLEAN_ARRAY:
		return to_array(a, v, DATA_BOOLEAN);
	case DATA_OBJECT_ARRAY:
		return to_array(a, v, DATA_AS_IS);
	default:
		return v;
	}
}

static const struct json *to_array(struct arena *a, const struct json *v, enum data_type element)
{
	struct json_build b;
	bool many = json_is_array(v);
	const struct json *it = many ? v + 1 : v;
	size_t n = many ? v->n : 1;

	json_build_init(&b, a);
	json_build_array(&b);
	for (size_t i = 0; i < n; i++, it = json_next(it)) {
		const struct json *e = convert(a, it, element);

		if (e == NULL)
			return NULL;
		json_build_copy(&b, e);
	}
	json_build_end(&b);
	return json_build_done(&b);
}

/* ---- fields ---- */

static bool render(struct apply *x, const struct field *f, const struct json **v)
{
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	size_t values;

	if (!template_render(f->template, x->record, NULL, &text, &values, x->err))
		return false;
	*v = values == 0 && !template_is_constant(f->template)
		     ? NULL
		     : new_text(x->b->arena, str_dup(x->b->arena, buf_str(&text)));
	return true;
}

/* The field's value, or NULL in *V when it has none. */
static bool value_of(struct apply *x, const struct field *f, const struct json **v)
{
	static const char *const type_words[] = { "", "a string", "a number", "a boolean",
		"a list of strings", "a list of numbers", "a list of booleans",
		"a list of objects" };

	*v = f->hard_coded;
	if (f->path != NULL)
		*v = path_has_star(f->path) ? path_get_star(f->path, x->record, x->line)
					    : path_get(f->path, x->record);
	else if (f->template != NULL && !render(x, f, v))
		return false;
	if (f->lookup != NULL && !look_up(x, f, v))
		return false;
	if (*v == NULL)
		*v = f->def;
	if (*v == NULL || f->type == DATA_AS_IS)
		return true;
	const struct json *as = convert(x->b->arena, *v, f->type);

	if (as == NULL)
		return fail_value(x, f, ERR_MAPPING, *v,
			str_fmt(x->b->arena, "can't be made %s", type_words[f->type]).p);
	*v = as;
	return true;
}

static const struct json **values_of(struct apply *x, const struct block *b)
{
	const struct json **values = arena_alloc(x->b->arena, sizeof(*values) * MAX(b->count, 1));

	for (size_t i = 0; i < b->count; i++)
		if (!value_of(x, &b->fields[i], &values[i]))
			return NULL;
	return values;
}

/* ---- writing ---- */

/* Lines of a list: the longest of the arrays that its stars walk. */
static size_t line_count(const struct list *l, const struct json *record)
{
	size_t n = 0;

	for (size_t i = 0; i < l->block.count; i++) {
		const struct path *p = l->block.fields[i].path;
		const struct json *arr = p != NULL && path_has_star(p) ? path_star_array(p, record)
								       : NULL;

		if (json_is_array(arr))
			n = MAX(n, (size_t)arr->n);
	}
	return n;
}

static bool line_has_star_value(const struct list *l, const struct json *record, size_t line)
{
	for (size_t i = 0; i < l->block.count; i++) {
		const struct path *p = l->block.fields[i].path;

		if (p != NULL && path_has_star(p) && path_get_star(p, record, line) != NULL)
			return true;
	}
	return false;
}

static bool has_value(const struct apply *x, const struct target *t,
	const struct json *const *values)
{
	if (t->field != 0)
		return values[t->field - 1] != NULL;
	if (t->list != NULL)
		return line_count(t->list, x->record) > 0;
	for (const struct target *c = t->first; c != NULL; c = c->next)
		if (has_value(x, c, values))
			return true;
	return false;
}

static bool write_object(struct apply *x, const struct target *t, const struct json *const *values);

static bool write_list(struct apply *x, const struct list *l)
{
	size_t n = line_count(l, x->record);

	json_build_array(x->b);
	for (x->line = 0; x->line < n; x->line++) {
		if (!line_has_star_value(l, x->record, x->line))
			continue;
		const struct json **values = values_of(x, &l->block);

		if (values == NULL)
			return err_wrap(x->err, "line %zu", x->line + 1);
		if (!write_object(x, &l->block.root, values))
			return false;
	}
	json_build_end(x->b);
	return true;
}

static bool write_object(struct apply *x, const struct target *t, const struct json *const *values)
{
	json_build_object(x->b);
	for (const struct target *c = t->first; c != NULL; c = c->next) {
		if (!has_value(x, c, values))
			continue;
		json_build_key(x->b, c->name);
		if (c->field != 0)
			json_build_copy(x->b, values[c->field - 1]);
		else if (!(c->list != NULL ? write_list(x, c->list) : write_object(x, c, values)))
			return false;
	}
	json_build_end(x->b);
	return true;
}

bool mapping_apply(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct json_build *b, struct err *err)
{
	struct apply x = { .record = record, .env = env, .b = b, .err = err };

	if (m->identity) {
		json_build_copy(b, record);
		return true;
	}
	const struct json **values = values_of(&x, &m->body);

	return values != NULL && write_object(&x, &m->body.root, values);
}
