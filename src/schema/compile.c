/*
 * compile.c - flat tables to a tree, checked as it is built.
 *
 * Rows come in any order that names an object before its fields. Whatever is wrong with a table is
 * a programming error and stops the program at its start, not when a user meets the row.
 */
#include "schema/schema_priv.h"

const struct res_def *schema_def(const struct schema *s)
{
	return s->def;
}

bool schema_has_secrets(const struct schema *s)
{
	return s->root.any_secret;
}

const struct node *node_kid(const struct node *n, struct str name)
{
	for (each_kid(k, n))
		if (str_eq(k->name, name))
			return k;
	return NULL;
}

const struct node *node_find(const struct schema *s, struct str path)
{
	const struct node *n = &s->root;

	while (path.p != NULL && n != NULL) {
		struct str name = str_cut(&path, '.');

		if (str_ends(name, STR("[]")))
			name.n -= 2;
		n = node_kid(n, name);
	}
	return n;
}

const struct json *node_value(const struct node *n, const struct json *root)
{
	if (n->parent == NULL)
		return root;
	return json_get(node_value(n->parent, root), n->name);
}

const struct json *schema_default(const struct schema *s, struct str path)
{
	const struct node *n = node_find(s, path);

	CHECK(n != NULL);
	return n->def;
}

const struct json *schema_get(const struct schema *s, const struct json *doc, struct str path)
{
	const struct node *n = node_find(s, path);

	CHECK(n != NULL);
	const struct json *v = node_value(n, doc);

	return v != NULL ? v : n->def;
}

bool words_have(const char *list, struct str word)
{
	struct str rest = str_z(list);

	while (rest.p != NULL)
		if (str_eq(str_cut(&rest, '|'), word))
			return true;
	return false;
}

struct str words_join(struct arena *a, const char *list, const char *last)
{
	struct str rest = str_z(list), out = str_cut(&rest, '|');

	while (rest.p != NULL) {
		struct str word = str_cut(&rest, '|');

		out = str_fmt(a, "%.*s%s%.*s", STR_ARG(out), rest.p == NULL ? last : ", ",
			STR_ARG(word));
	}
	return out;
}

/* The object that PATH's row belongs to; *NAME becomes the last word. */
static struct node *parent_of(struct schema *s, struct str path, struct str *name)
{
	struct node *n = &s->root;

	for (;;) {
		struct str word = str_cut(&path, '.');

		if (path.p == NULL) {
			*name = word;
			return n;
		}
		bool element = str_ends(word, STR("[]"));

		if (element)
			word.n -= 2;
		struct node *k = n->first;

		while (k != NULL && !str_eq(k->name, word))
			k = k->next;
		CHECK(k != NULL); /* an object's row stands above those of its fields */
		CHECK(k->fld->type == FLD_OBJECT);
		CHECK(node_has_elements(k) == element);
		n = k;
	}
}

static void check_row(const struct fld *f)
{
	const unsigned texts = 1u << FLD_STR | 1u << FLD_URL | 1u << FLD_TOKEN;

	CHECK(f->text != NULL && strlen(f->text) > 10);
	CHECK(f->type != FLD_ENUM || f->values != NULL);
	CHECK(f->type != FLD_REF || f->values != NULL);
	CHECK(f->type != FLD_INT || f->min < f->max);
	CHECK((f->flags & FLD_SECRET) == 0 || f->type == FLD_STR || f->type == FLD_MAP);
	CHECK((f->flags & FLD_LIST_INERT) == 0 || (f->flags & FLD_LIST_OR_ONE) != 0);
	CHECK((f->flags & FLD_SECRETS_GO) == 0 || f->type == FLD_URL);
	CHECK((f->min == 0 && f->max == 0) || f->type == FLD_INT || (texts >> f->type & 1) != 0);
	for (struct str rest = str_z(f->values_inert); rest.p != NULL;)
		CHECK(words_have(f->values, str_cut(&rest, '|')));
	for (struct str rest = str_z(f->values_later); rest.p != NULL;)
		CHECK(!words_have(f->values, str_cut(&rest, '|')));
}

static void mark_up(struct node *n)
{
	bool secret = node_is(n, FLD_SECRET), ref = n->fld->type == FLD_REF;
	bool inert = node_is(n, FLD_INERT | FLD_LIST_INERT) || n->fld->values_inert != NULL;

	for (struct node *up = n; up != NULL; up = up->parent) {
		up->any_secret |= secret;
		up->any_ref |= ref;
		up->any_inert |= inert;
		up->any_receiver |= node_is(n, FLD_SECRETS_GO);
	}
}

static void compile_row(struct schema *s, struct arena *a, const struct fld *f)
{
	struct node *n = arena_new_of(a, struct node);

	check_row(f);
	n->fld = f;
	n->parent = parent_of(s, str_z(f->path), &n->name);
	CHECK(n->name.n > 0 && node_kid(n->parent, n->name) == NULL);
	n->index = n->parent->kid_count++;
	if (n->parent->last == NULL)
		n->parent->first = n;
	else
		n->parent->last->next = n;
	n->parent->last = n;
	mark_up(n);
	if (f->def != NULL) {
		struct err err = ERR_INIT;

		CHECK(json_parse_copy(a, str_z(f->def), &n->def, &err));
	}
}

static void compile_when(struct schema *s, struct node *n)
{
	for (struct node *k = n->first; k != NULL; k = k->next) {
		if (k->fld->when != NULL) {
			struct str values = str_z(k->fld->when), path = str_cut(&values, '=');

			k->when_node = node_find(s, path);
			k->when_values = values;
			CHECK(k->when_node != NULL && k->when_node->fld->type == FLD_ENUM);
			CHECK(values.p != NULL && values.n > 0);
		}
		compile_when(s, k);
	}
}

struct schema *schema_compile(struct arena *a, const struct res_def *def)
{
	static const struct fld root = { .path = "", .type = FLD_OBJECT };
	struct schema *s = arena_new_of(a, struct schema);

	s->def = def;
	s->root.fld = &root;
	for (const struct fld *const *t = def->tables; *t != NULL; t++)
		for (const struct fld *f = *t; f->path != NULL; f++)
			compile_row(s, a, f);
	compile_when(s, &s->root);
	return s;
}
