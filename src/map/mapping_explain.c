/*
 * mapping_explain.c - what a mapping does with one record, field by field.
 */
#include "map/mapping_apply_priv.h"

#define LINES_SHOWN 20

static void explain_field(struct mapping_apply *x, const struct field *f, struct json_build *out)
{
	const struct json *v = NULL;
	struct err err = ERR_INIT;

	json_build_object(out);
	json_add_str(out, STR("generate"), f->generate);
	x->err = &err;
	if (!mapping_value_of(x, f, &v)) {
		json_build_key(out, STR("error"));
		json_build_object(out);
		json_add_str(out, STR("code"), str_z(err_info(err.code)->wire));
		json_add_str(out, STR("message"), str_dup(out->arena, str_z(err.message)));
		json_build_end(out);
	} else if (v == NULL) {
		json_add_str(out, STR("omitted"), str_z(x->why));
	} else {
		json_add_copy(out, STR("value"), v);
	}
	json_build_end(out);
}

static void explain_fields(struct mapping_apply *x, const struct block *b, struct json_build *out)
{
	json_build_array(out);
	for (size_t i = 0; i < b->count; i++)
		explain_field(x, &b->fields[i], out);
	json_build_end(out);
}

static void explain_list(struct mapping_apply *x, const struct list *l, struct str path,
	struct json_build *out)
{
	struct lines it = mapping_begin_lines(x, l);

	json_build_object(out);
	json_add_str(out, STR("generate"), path);
	json_add_i64(out, STR("elements"), (int64_t)it.count);
	json_build_key(out, STR("lines"));
	json_build_array(out);
	while (it.line < MIN(it.count, (size_t)LINES_SHOWN)) {
		mapping_gather_line(x, &it);
		explain_fields(x, &l->block, out);
	}
	json_build_end(out);
	json_build_end(out);
}

/* The lists stand in the tree of targets, whose depth the compiler has bounded. */
static void explain_lists(struct mapping_apply *x, const struct target *t, struct str path,
	struct json_build *out)
{
	for (const struct target *c = t->first; c != NULL; c = c->next) {
		struct str at = path.n == 0 ? c->name
					    : str_fmt(out->arena, "%.*s.%.*s", STR_ARG(path),
						      STR_ARG(c->name));

		if (c->list != NULL)
			explain_list(x, c->list, at, out);
		else
			explain_lists(x, c, at, out);
	}
}

void mapping_explain(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct json_build *b)
{
	static const struct mapping_env none = { .ctx = NULL };
	struct buf own DEFER(buf_free) = BUF_INIT(0);
	struct mapping_apply x = { .record = record,
		.env = env == NULL ? &none : env,
		.arena = b->arena };

	x.scratch = x.env->scratch == NULL ? &own : x.env->scratch;
	json_build_array(b);
	if (!m->identity) {
		mapping_gather(&x, m);
		for (size_t i = 0; i < m->body.count; i++)
			explain_field(&x, &m->body.fields[i], b);
		explain_lists(&x, &m->body.root, STR(""), b);
	}
	json_build_end(b);
}
