/*
 * mapping_field.c - one field's value: extract, lookup, condition, default, date, type.
 */
#include "map/mapping_apply_priv.h"

#define VALUE_SHOWN 80

const struct json mapping_nothing = { .type = JSON_NULL };

static bool fail_value(struct mapping_apply *x, const struct field *f, enum err_code code,
	const struct json *v, const char *what)
{
	struct str text = v == NULL ? STR("no value") : json_print_arena(x->arena, v);

	return err_set_field(x->err, code, str_to_z(x->arena, f->generate),
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
			*found = map_get(l->map, mapping_text_of(x->arena, asked));
		return true;
	}
	if (x->env->lookup == NULL)
		return err_set_field(x->err, ERR_UNSUPPORTED, str_to_z(x->arena, f->generate),
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
			str_fmt(x->arena, "is not in lookup \"%.*s\"", STR_ARG(l->name)).p);
	*v = l->allow_failures ? l->def : NULL;
	return true;
}

/* ---- conditions ---- */

static bool fail_fate(struct mapping_apply *x, const struct field *f, const char *what)
{
	return err_set_field(x->err, ERR_MAPPING, str_to_z(x->arena, f->generate),
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
		     : mapping_new_text(x->arena, str_dup(x->arena, buf_str(x->scratch)));
	return true;
}

/* The length of the pieces together; false when one has no plain text, or it is too long. */
static bool measure(const struct mapping_apply *x, const struct field *f, size_t *n, bool *any)
{
	for (size_t i = 0; i < f->piece_count; i++) {
		const struct piece *p = &f->pieces[i];
		const struct json *v = p->slot == GATHER_NPOS ? NULL : x->slots[p->slot];

		*n += p->literal.n;
		if (v == NULL || v->type == JSON_NULL)
			continue;
		if (v->type != JSON_STRING && v->type != JSON_NUMBER)
			return false;
		*n += v->n;
		*any = true;
	}
	return *n <= UINT32_MAX && (x->scratch->max == 0 || *n <= x->scratch->max);
}

/* A template whose values are texts and numbers, as nearly all are: written in one go. */
static bool join(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	size_t n = 0;
	bool any = false;

	*v = NULL;
	if (!measure(x, f, &n, &any))
		return render(x, f, v);
	if (!any)
		return true;
	struct json *text = arena_alloc(x->arena, sizeof(*text) + n);
	char *d = (char *)(text + 1);

	*text = (struct json){ JSON_STRING, f->plain, (uint32_t)n, .s = d };
	for (size_t i = 0; i < f->piece_count; i++) {
		const struct piece *p = &f->pieces[i];
		const struct json *value = p->slot == GATHER_NPOS ? NULL : x->slots[p->slot];

		if (p->literal.n > 0) {
			d = mempcpy(d, p->literal.p, p->literal.n);
		} else if (value != NULL && value->type != JSON_NULL && value->n > 0) {
			d = mempcpy(d, value->s, value->n);
			text->plain &= value->plain | (value->type == JSON_NUMBER);
		}
	}
	*v = text;
	return true;
}

static bool extract(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	*v = f->hard_coded;
	if (f->template != NULL)
		return f->pieces != NULL ? join(x, f, v) : render(x, f, v);
	if (f->path != NULL)
		*v = f->star != 0 ? x->line[f->slot] : x->slots[f->slot];
	return true;
}

static bool to_type(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	const struct json *as = mapping_convert(x->arena, *v, f->type);

	if (as == NULL) {
		fail_value(x, f, ERR_MAPPING, *v,
			str_fmt(x->arena, "can't be made %s", mapping_type_words(f->type)).p);
		return err_hint(x->err, "%s", mapping_convert_hint(x->arena, *v, f->type));
	}
	*v = as;
	return true;
}

static bool to_date(struct mapping_apply *x, const struct field *f, const struct json **v)
{
	struct err why = ERR_INIT;

	if (mapping_convert_date(x->arena, f->dates, v, &why))
		return true;
	fail_value(x, f, ERR_MAPPING, *v,
		str_fmt(x->arena, "can't be read as a date: %s", why.message).p);
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
