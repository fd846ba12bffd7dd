/*
 * mapping_apply.c - runs a compiled mapping over a record: first what all fields want of it is
 * gathered in one walk, then every field's value is found, then the tree of targets is written in one
 * pass, as nodes or as text; a part of it without any value is left out.
 *
 * A list keeps one cursor for each array that it walks, so that an element is walked once for all
 * fields of its line; fields without a [*] are worked out once for all lines.
 */
#include "map/mapping_apply_priv.h"

static const struct json **new_values(struct mapping_apply *x, size_t n)
{
	return arena_alloc(x->arena, sizeof(struct json *) * MAX(n, 1));
}

static inline bool find_value(struct mapping_apply *x, const struct field *f,
	const struct json **value)
{
	if (!f->as_it_is)
		return mapping_value_of(x, f, value);
	const struct json *v = f->hard_coded;

	if (f->path != NULL)
		v = (f->star != 0 ? x->line : x->slots)[f->slot];
	*value = v == NULL ? f->def : v;
	return true;
}

static bool find_values(struct mapping_apply *x, const struct block *b, const struct json **values)
{
	for (size_t i = 0; i < b->count; i++)
		if (!find_value(x, &b->fields[i], &values[i]))
			return false;
	return true;
}

/* ---- lists ---- */

static size_t elements(const struct mapping_apply *x, const struct star *s,
	const struct json **first)
{
	if (s->slot == GATHER_NPOS)
		return path_star_elements(s->path, x->record, first);
	const struct json *v = x->slots[s->slot];

	if (!json_is_array(v))
		return 0;
	*first = v + 1;
	return v->n;
}

struct lines mapping_begin_lines(struct mapping_apply *x, const struct list *l)
{
	struct lines it = { .list = l };

	it.cursors = arena_alloc(x->arena, sizeof(struct cursor) * MAX(l->star_count, 1));
	x->line = new_values(x, l->slot_count);
	for (size_t i = 0; i < l->star_count; i++) {
		struct cursor *c = &it.cursors[i];

		c->left = elements(x, &l->stars[i], &c->element);
		it.count = MAX(it.count, c->left);
	}
	return it;
}

void mapping_gather_line(struct mapping_apply *x, struct lines *it)
{
	const struct list *l = it->list;

	memset(x->line, 0, sizeof(*x->line) * l->slot_count);
	for (size_t i = 0; i < l->star_count; i++) {
		struct cursor *c = &it->cursors[i];

		if (c->left == 0)
			continue;
		gather_element(l->stars[i].line, c->element, x->line);
		c->left--;
		c->element = json_next(c->element);
	}
	it->line++;
}

/* Goes to the next line that has a value. */
static bool next_line(struct mapping_apply *x, struct lines *it)
{
	const struct block *b = &it->list->block;

	while (it->line < it->count) {
		mapping_gather_line(x, it);
		for (size_t i = 0; i < b->count; i++)
			if (b->fields[i].star != 0 && x->line[b->fields[i].slot] != NULL)
				return true;
	}
	return false;
}

/* Values of the line; of fields without a [*] for the FIRST line only, they stay. */
static bool find_line_values(struct mapping_apply *x, const struct lines *it, bool first,
	const struct json **values)
{
	const struct block *b = &it->list->block;

	for (size_t i = 0; i < b->count; i++)
		if ((first || b->fields[i].star != 0) && !find_value(x, &b->fields[i], &values[i]))
			return err_wrap(x->err, "line %zu", it->line);
	return true;
}

/* ---- to nodes ---- */

static bool has_value(struct mapping_apply *x, const struct target *t,
	const struct json *const *values)
{
	if (t->field != 0)
		return values[t->field - 1] != NULL;
	if (t->list != NULL) {
		struct lines it = mapping_begin_lines(x, t->list);

		return next_line(x, &it);
	}
	for (const struct target *c = t->first; c != NULL; c = c->next)
		if (has_value(x, c, values))
			return true;
	return false;
}

static bool build_object(struct mapping_apply *x, const struct target *t,
	const struct json *const *values, struct json_build *b);

static bool build_list(struct mapping_apply *x, const struct list *l, struct json_build *b)
{
	const struct json **values = new_values(x, l->block.count);
	struct lines it = mapping_begin_lines(x, l);

	json_build_array(b);
	for (bool first = true; next_line(x, &it); first = false)
		if (!find_line_values(x, &it, first, values) ||
			!build_object(x, &l->block.root, values, b))
			return false;
	json_build_end(b);
	return true;
}

static bool build_object(struct mapping_apply *x, const struct target *t,
	const struct json *const *values, struct json_build *b)
{
	json_build_object(b);
	for (const struct target *c = t->first; c != NULL; c = c->next) {
		if (!has_value(x, c, values))
			continue;
		json_build_key(b, c->name);
		if (c->field != 0)
			json_build_copy(b, values[c->field - 1]);
		else if (!(c->list != NULL ? build_list(x, c->list, b)
					   : build_object(x, c, values, b)))
			return false;
	}
	json_build_end(b);
	return true;
}

/* ---- to text ---- */

static bool print_object(struct mapping_apply *x, const struct target *t,
	const struct json *const *values, struct buf *out, bool *any);

static bool print_list(struct mapping_apply *x, const struct list *l, struct buf *out, bool *any)
{
	const struct json **values = new_values(x, l->block.count);
	struct lines it = mapping_begin_lines(x, l);
	bool value;

	*any = false;
	for (; next_line(x, &it); *any = true) {
		buf_add_char(out, *any ? ',' : '[');
		if (!find_line_values(x, &it, !*any, values) ||
			!print_object(x, &l->block.root, values, out, &value))
			return false;
	}
	buf_add_char(out, ']');
	return true;
}

/* *ANY: has it a member? When not, the caller takes back what was written. */
static bool print_object(struct mapping_apply *x, const struct target *t,
	const struct json *const *values, struct buf *out, bool *any)
{
	size_t comma = 1; /* of the key that is left out: the first's */

	buf_add_char(out, '{');
	for (const struct target *c = t->first; c != NULL; c = c->next) {
		struct str key = str_of(c->key.p + comma, c->key.n - comma);

		if (c->field != 0) {
			const struct json *v = values[c->field - 1];

			if (v == NULL)
				continue;
			json_print_behind(out, key, v);
			comma = 0;
			continue;
		}
		size_t mark = out->n;
		bool value;

		buf_add_str(out, key);
		if (!(c->list != NULL ? print_list(x, c->list, out, &value)
				      : print_object(x, c, values, out, &value)))
			return false;
		if (value)
			comma = 0;
		else
			out->n = mark;
	}
	buf_add_char(out, '}');
	*any = comma == 0;
	return true;
}

/* ---- records ---- */

void mapping_gather(struct mapping_apply *x, const struct mapping *m)
{
	x->slots = new_values(x, m->slot_count);
	memset(x->slots, 0, sizeof(*x->slots) * m->slot_count);
	gather_record(m->gather, x->record, x->slots);
}

static bool begin(struct mapping_apply *x, const struct mapping *m, const struct json ***values)
{
	mapping_gather(x, m);
	*values = new_values(x, m->body.count);
	return find_values(x, &m->body, *values);
}

static const struct mapping_env no_env = { .ctx = NULL };

bool mapping_apply(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct json_build *b, struct err *err)
{
	struct buf own DEFER(buf_free) = BUF_INIT(0);
	struct mapping_apply x = { .record = record,
		.env = env == NULL ? &no_env : env,
		.arena = b->arena,
		.err = err };
	const struct json **values;

	if (m->identity) {
		json_build_copy(b, record);
		return true;
	}
	x.scratch = x.env->scratch == NULL ? &own : x.env->scratch;
	return begin(&x, m, &values) && build_object(&x, &m->body.root, values, b);
}

bool mapping_print(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct arena *a, struct buf *out, struct err *err)
{
	struct buf own DEFER(buf_free) = BUF_INIT(0);
	struct mapping_apply x = { .record = record,
		.env = env == NULL ? &no_env : env,
		.arena = a,
		.err = err };
	const struct json **values;
	bool any;

	if (m->identity) {
		json_print(out, record, JSON_COMPACT);
		return true;
	}
	x.scratch = x.env->scratch == NULL ? &own : x.env->scratch;
	return begin(&x, m, &values) && print_object(&x, &m->body.root, values, out, &any);
}
