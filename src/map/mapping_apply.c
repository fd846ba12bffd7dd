/*
 * mapping_apply.c - runs a compiled mapping over a record: first every field's value is found, then
 * the tree of targets is written in one pass; a part of it without any value is left out.
 *
 * A list keeps one cursor for each array that it walks, so that an element is reached once for all
 * fields of its line; fields without a [*] are worked out once for all lines.
 */
#include "map/mapping_apply_priv.h"

#define VALUE_SHOWN 80

const struct json mapping_nothing = { .type = JSON_NULL };

static bool fail_value(struct mapping_apply *x, const struct field *f, enum err_code code,
	const struct json *v, const char *what)
{
	struct str text = v == NULL ? STR("no value") : json_print_arena(x->b->arena, v);

	return err_set_field(x->err, code, str_to_z(x->b->arena, f->generate),
		"field \"%.*s\": %.*s%s %s", STR_ARG(f->generate),
		STR_ARG(str_sub(text, 0, VALUE_SHOWN)), text.n > VALUE_SHOWN ? "..." : "", what);
}

/* ---- lookups ---- */

/* An extract without a value: there is nothing to look up. */
static bool nothing_to_ask(const struct field *f, const struct json *asked)
{
	return (f->path != NULL || f->template != NULL) &&
	       (asked == NULL || asked->type == JSON_NULL);
}

/* What a lookup has for a value; NULL in *FOUND: nothing. */
static bool ask(struct mapping_apply *x, const struct field *f, const struct lookup *l,
	const struct json *asked, const struct json **found)
{
	*found = NULL;
	if (nothing_to_ask(f, asked))
		return true;
	if (l->map != NULL) {
		if (asked != NULL)
			*found = map_get(l->map, mapping_text_of(x->b->arena, asked));
		return true;
	}
	if (x->env->lookup == NULL)
		return err_set_field(x->err, ERR_UNSUPPORTED, str_to_z(x->b->arena, f->generate),
			"lookup \"%.*s\" asks the application, which this version can't do yet",
			STR_ARG(l->name));
	return x->env->lookup(x->env->ctx, l->name, asked, x->record, found, x->err);
}

/* Replaces *V by what the field's lookup has for it. */
static bool look_up(struct mapping_apply *x, const struct field *f, const struct json **v,
	bool *found)
{
	const struct lookup *l = f->lookup;
	const struct json *asked = *v;
	bool conditional = (f->when == WHEN_LOOKUP_EMPTY || f->when == WHEN_LOOKUP_NOT_EMPTY) &&
			   f->when_lookup == NULL;

	if (!ask(x, f, l, asked, v))
		return false;
	bool judged = *v == &mapping_nothing;

	if (judged)
		*v = NULL;
	*found = !mapping_is_empty(*v);
	if (*v != NULL || nothing_to_ask(f, asked))
		return true; /* the latter is as a field without a value */
	if (!judged && !l->allow_failures && !conditional)
		return fail_value(x, f, ERR_LOOKUP, asked,
			str_fmt(x->b->arena, "is not in lookup \"%.*s\"", STR_ARG(l->name)).p);
	*v = l->allow_failures ? l->def : NULL;
	return true;
}

/* ---- conditions ---- */

static bool fail_fate(struct mapping_apply *x, const struct field *f, const char *what)
{
	return err_set_field(x->err, ERR_MAPPING, str_to_z(x->b->arena, f->generate),
		"field \"%.*s\" has a condition on %s, and that is not known here",
		STR_ARG(f->generate), what);
}

static bool check_if_set(struct mapping_apply *x, const struct field *f, bool *holds)
{
	*holds = true;
	if (x->env->fate == MAPPING_CREATES)
		return true;
	if (x->env->fate == MAPPING_FATE_UNKNOWN || x->env->existing == NULL)
		return fail_fate(x, f, "what the application has already");
	*holds = mapping_is_empty(json_get_path(x->env->existing, f->generate));
	return true;
}

/* EXTRACTED is what the record has, FOUND whether the field's own lookup had something. */
static bool check_when(struct mapping_apply *x, const struct field *f, const struct json *extracted,
	bool found, bool *holds)
{
	const struct json *other;

	switch (f->when) {
	case WHEN_EXTRACT_NOT_EMPTY:
		*holds = !mapping_is_empty(extracted);
		return true;
	case WHEN_LOOKUP_EMPTY:
	case WHEN_LOOKUP_NOT_EMPTY:
		if (f->when_lookup != NULL) {
			if (!ask(x, f, f->when_lookup, extracted, &other))
				return false;
			found = !mapping_is_empty(other);
		}
		*holds = found == (f->when == WHEN_LOOKUP_NOT_EMPTY);
		return true;
	case WHEN_RECORD_CREATED:
	case WHEN_RECORD_UPDATED:
		if (x->env->fate == MAPPING_FATE_UNKNOWN)
			return fail_fate(x, f, "whether the record is created or updated");
		*holds = (x->env->fate == MAPPING_CREATES) == (f->when == WHEN_RECORD_CREATED);
		return true;
	case WHEN_IGNORE_IF_SET:
		return check_if_set(x, f, holds);
	default:
		*holds = true;
		return true;
	}
}

/* ---- fields ---- */

static bool render(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	size_t values;

	buf_reset(x->scratch);
	if (!template_render(f->template, x->record, NULL, x->scratch, &values, x->err))
		return false;
	*v = values == 0 && !template_is_constant(f->template)
		     ? NULL
		     : mapping_new_text(x->b->arena, str_dup(x->b->arena, buf_str(x->scratch)));
	return true;
}

static bool extract(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	*v = f->hard_coded;
	if (f->template != NULL)
		return render(x, f, v);
	if (f->star != 0) {
		const struct json *element = x->cursors[f->star - 1].element;

		*v = element == NULL ? NULL : path_get_behind_star(f->path, element);
	} else if (f->path != NULL) {
		*v = path_get(f->path, x->record);
	}
	return true;
}

static bool to_type(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	const struct json *as = mapping_convert(x->b->arena, *v, f->type);

	if (as == NULL)
		return fail_value(x, f, ERR_MAPPING, *v,
			str_fmt(x->b->arena, "can't be made %s", mapping_type_words(f->type)).p);
	*v = as;
	return true;
}

static bool to_date(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	struct err why = ERR_INIT;

	if (mapping_convert_date(x->b->arena, f->dates, v, &why))
		return true;
	fail_value(x, f, ERR_MAPPING, *v,
		str_fmt(x->b->arena, "can't be read as a date: %s", why.message).p);
	return err_hint(x->err, "%s", why.hint);
}

bool mapping_value_of(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	const struct json *extracted;
	bool found = false, holds = true;

	if (!extract(x, f, v))
		return false;
	extracted = *v;
	x->why = "the extract has no value in this record";
	if (f->lookup != NULL) {
		if (!look_up(x, f, v, &found))
			return false;
		if (extracted != NULL)
			x->why = "the lookup has nothing for the value";
	}
	if (f->when != WHEN_ALWAYS) {
		if (!check_when(x, f, extracted, found, &holds))
			return false;
		if (!holds) {
			x->why = "its condition does not hold";
			*v = NULL;
			return true;
		}
	}
	bool own = *v != NULL;

	if (!own)
		*v = f->def;
	if (f->discard_if_empty && *v != NULL && mapping_is_empty(*v)) {
		x->why = "it is empty, and discardIfEmpty is set";
		*v = NULL;
	} else if (own && f->dates != NULL && f->hard_coded == NULL && !to_date(x, f, v))
		return false;
	return *v == NULL || f->type == DATA_AS_IS || to_type(x, f, v);
}

static const struct json **values_of(struct mapping_apply *x, const struct block *b)
{
	const struct json **values = arena_alloc(x->b->arena, sizeof(*values) * MAX(b->count, 1));

	for (size_t i = 0; i < b->count; i++)
		if (!mapping_value_of(x, &b->fields[i], &values[i]))
			return NULL;
	return values;
}

/* ---- lists ---- */

size_t mapping_begin_list(const struct mapping_apply *x, const struct list *l,
	struct cursor *cursors)
{
	size_t n = 0;

	for (size_t i = 0; i < l->star_count; i++) {
		struct cursor *c = &cursors[i];

		c->left = path_star_elements(l->stars[i], x->record, &c->element);
		if (c->left == 0)
			c->element = NULL;
		n = MAX(n, c->left);
	}
	return n;
}

void mapping_next_line(const struct list *l, struct cursor *cursors)
{
	for (size_t i = 0; i < l->star_count; i++) {
		struct cursor *c = &cursors[i];

		if (c->left > 0)
			c->element = --c->left == 0 ? NULL : json_next(c->element);
	}
}

static bool line_has_value(const struct list *l, const struct cursor *cursors)
{
	for (size_t i = 0; i < l->block.count; i++) {
		const struct field *f = &l->block.fields[i];

		if (f->star != 0 && cursors[f->star - 1].element != NULL &&
			path_get_behind_star(f->path, cursors[f->star - 1].element) != NULL)
			return true;
	}
	return false;
}

struct cursor *mapping_new_cursors(struct mapping_apply *x, const struct list *l)
{
	return arena_alloc(x->b->arena, sizeof(struct cursor) * MAX(l->star_count, 1));
}

static bool list_has_line(struct mapping_apply *x, const struct list *l)
{
	struct cursor *cursors = mapping_new_cursors(x, l);

	for (size_t n = mapping_begin_list(x, l, cursors); n > 0; n--) {
		if (line_has_value(l, cursors))
			return true;
		mapping_next_line(l, cursors);
	}
	return false;
}

/* ---- writing ---- */

static bool has_value(struct mapping_apply *x, const struct target *t,
	const struct json *const *values)
{
	if (t->field != 0)
		return values[t->field - 1] != NULL;
	if (t->list != NULL)
		return list_has_line(x, t->list);
	for (const struct target *c = t->first; c != NULL; c = c->next)
		if (has_value(x, c, values))
			return true;
	return false;
}

static bool write_object(struct mapping_apply *x, const struct target *t,
	const struct json *const *values);

static bool write_lines(struct mapping_apply *x, const struct list *l, struct cursor *cursors,
	size_t n, const struct json **values)
{
	const struct block *b = &l->block;
	bool first = true;

	for (size_t line = 0; line < n; line++, mapping_next_line(l, cursors)) {
		if (!line_has_value(l, cursors))
			continue;
		for (size_t i = 0; i < b->count; i++)
			if ((first || b->fields[i].star != 0) &&
				!mapping_value_of(x, &b->fields[i], &values[i]))
				return err_wrap(x->err, "line %zu", line + 1);
		first = false;
		if (!write_object(x, &b->root, values))
			return false;
	}
	return true;
}

static bool write_list(struct mapping_apply *x, const struct list *l)
{
	struct cursor *cursors = mapping_new_cursors(x, l);
	size_t n = mapping_begin_list(x, l, cursors);
	const struct json **values = arena_alloc(x->b->arena,
		sizeof(*values) * MAX(l->block.count, 1));

	json_build_array(x->b);
	x->cursors = cursors;
	if (!write_lines(x, l, cursors, n, values))
		return false;
	json_build_end(x->b);
	return true;
}

static bool write_object(struct mapping_apply *x, const struct target *t,
	const struct json *const *values)
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
	static const struct mapping_env none = { .ctx = NULL };
	struct buf own DEFER(buf_free) = BUF_INIT(0);
	struct mapping_apply x = { .record = record,
		.env = env == NULL ? &none : env,
		.b = b,
		.err = err };

	if (m->identity) {
		json_build_copy(b, record);
		return true;
	}
	x.scratch = x.env->scratch == NULL ? &own : x.env->scratch;
	const struct json **values = values_of(&x, &m->body);

	return values != NULL && write_object(&x, &m->body.root, values);
}
