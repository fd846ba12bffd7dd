/*
 * walk.c - walks over documents that were validated: masks, seals, references, what is inert.
 *
 * The tree knows what stands below each row, so parts without secrets are copied as whole runs of
 * nodes, and parts without references are skipped.
 */
#include "schema/schema_priv.h"

/* ---- secrets ---- */

struct secrets {
	struct json_build *b;
	schema_secret_fn fn; /* NULL: mask */
	void *ctx;
	struct err *err;
	struct walk_path path;
};

static bool put_secret(struct secrets *w, const struct json *v)
{
	struct str s = STR(SCHEMA_MASK);

	if (v->type != JSON_STRING) {
		json_build_copy(w->b, v);
		return true;
	}
	if (w->fn != NULL && !w->fn(w->ctx, str_of(w->path.s, w->path.n), json_str(v), &s, w->err))
		return false;
	json_build_str(w->b, s);
	return true;
}

static bool map_value(struct secrets *w, const struct node *n, const struct json *v, bool element);

static bool map_elements(struct secrets *w, const struct node *n, const struct json *v)
{
	size_t i = 0;

	json_build_array(w->b);
	for (json_each (it, v)) {
		size_t old = walk_path_push_index(&w->path, i++);

		if (!map_value(w, n, it, true))
			return false;
		walk_path_pop(&w->path, old);
	}
	json_build_end(w->b);
	return true;
}

/* A map whose values are secrets: their names are none. */
static bool map_secret_map(struct secrets *w, const struct json *v)
{
	json_build_object(w->b);
	for (json_each_member(key, v)) {
		size_t old = walk_path_push(&w->path, json_str(key));

		json_build_key(w->b, json_str(key));
		if (!put_secret(w, json_value(key)))
			return false;
		walk_path_pop(&w->path, old);
	}
	json_build_end(w->b);
	return true;
}

static bool map_value(struct secrets *w, const struct node *n, const struct json *v, bool element)
{
	if (n == NULL || !n->any_secret) {
		json_build_copy(w->b, v);
		return true;
	}
	if (!element && v->type == JSON_ARRAY && node_has_elements(n))
		return map_elements(w, n, v);
	if (n->fld->type == FLD_MAP && v->type == JSON_OBJECT)
		return map_secret_map(w, v);
	if (n->fld->type != FLD_OBJECT || v->type != JSON_OBJECT)
		return put_secret(w, v);
	json_build_object(w->b);
	for (json_each_member(key, v)) {
		size_t old = walk_path_push(&w->path, json_str(key));

		json_build_key(w->b, json_str(key));
		if (!map_value(w, node_kid(n, json_str(key)), json_value(key), false))
			return false;
		walk_path_pop(&w->path, old);
	}
	json_build_end(w->b);
	return true;
}

void schema_mask(const struct schema *s, const struct json *doc, struct json_build *b)
{
	struct secrets w = { .b = b };

	CHECK(map_value(&w, &s->root, doc, false));
}

bool schema_map_secrets(const struct schema *s, const struct json *doc, struct json_build *b,
	schema_secret_fn fn, void *ctx, struct err *err)
{
	struct secrets w = { .b = b, .fn = fn, .ctx = ctx, .err = err };

	return map_value(&w, &s->root, doc, false);
}

/* ---- references ---- */

struct refs {
	schema_ref_fn fn;
	void *ctx;
	struct walk_path path;
};

static void each_ref(struct refs *w, const struct node *n, const struct json *v)
{
	if (n == NULL || !n->any_ref)
		return;
	if (v->type == JSON_ARRAY) {
		size_t i = 0;

		for (json_each (it, v)) {
			size_t old = walk_path_push_index(&w->path, i++);

			each_ref(w, n, it);
			walk_path_pop(&w->path, old);
		}
	} else if (v->type == JSON_OBJECT) {
		for (json_each_member(key, v)) {
			size_t old = walk_path_push(&w->path, json_str(key));

			each_ref(w, node_kid(n, json_str(key)), json_value(key));
			walk_path_pop(&w->path, old);
		}
	} else if (v->type == JSON_STRING && n->fld->type == FLD_REF) {
		w->fn(w->ctx, str_of(w->path.s, w->path.n), n->fld->values, json_str(v));
	}
}

void schema_each_ref(const struct schema *s, const struct json *doc, schema_ref_fn fn, void *ctx)
{
	struct refs w = { .fn = fn, .ctx = ctx };

	each_ref(&w, &s->root, doc);
}

struct new_refs {
	struct json_build *b;
	schema_new_ref_fn fn;
	void *ctx;
};

static void map_refs(struct new_refs *w, const struct node *n, const struct json *v)
{
	if (n == NULL || !n->any_ref) {
		json_build_copy(w->b, v);
	} else if (v->type == JSON_ARRAY) {
		json_build_array(w->b);
		for (json_each (it, v))
			map_refs(w, n, it);
		json_build_end(w->b);
	} else if (v->type == JSON_OBJECT) {
		json_build_object(w->b);
		for (json_each_member(key, v)) {
			json_build_key(w->b, json_str(key));
			map_refs(w, node_kid(n, json_str(key)), json_value(key));
		}
		json_build_end(w->b);
	} else if (v->type == JSON_STRING && n->fld->type == FLD_REF) {
		json_build_str(w->b, w->fn(w->ctx, n->fld->values, json_str(v)));
	} else {
		json_build_copy(w->b, v);
	}
}

void schema_map_refs(const struct schema *s, const struct json *doc, struct json_build *b,
	schema_new_ref_fn fn, void *ctx)
{
	struct new_refs w = { b, fn, ctx };

	map_refs(&w, &s->root, doc);
}

/* ---- what this version can't act on ---- */

/* False, empty and default values ask for nothing. */
static bool asks_for_something(const struct node *n, const struct json *v)
{
	if (v->type == JSON_NULL || v->type == JSON_FALSE)
		return false;
	if (v->type >= JSON_ARRAY && v->n == 0)
		return false;
	return n->def == NULL || !json_equal(n->def, v);
}

static bool is_inert(const struct node *n, const struct json *v, bool element)
{
	if (node_is(n, FLD_INERT) && !element)
		return asks_for_something(n, v);
	if (node_is(n, FLD_LIST_INERT) && v->type == JSON_ARRAY)
		return true;
	return json_is_str(v) && n->fld->values_inert != NULL &&
	       words_have(n->fld->values_inert, json_str(v));
}

/* True when found: PATH then names it. */
static bool find_inert(const struct node *n, const struct json *v, bool element,
	struct walk_path *path)
{
	if (n == NULL || !n->any_inert)
		return false;
	if (is_inert(n, v, element))
		return true;
	if (v->type == JSON_ARRAY && !element && node_has_elements(n)) {
		size_t i = 0;

		for (json_each (it, v)) {
			size_t old = walk_path_push_index(path, i++);

			if (find_inert(n, it, true, path))
				return true;
			walk_path_pop(path, old);
		}
	} else if (v->type == JSON_OBJECT && n->fld->type == FLD_OBJECT) {
		for (json_each_member(key, v)) {
			size_t old = walk_path_push(path, json_str(key));

			if (find_inert(node_kid(n, json_str(key)), json_value(key), false, path))
				return true;
			walk_path_pop(path, old);
		}
	}
	return false;
}

struct str schema_first_inert(const struct schema *s, const struct json *doc, struct arena *a)
{
	struct walk_path path = { .n = 0 };

	if (!find_inert(&s->root, doc, false, &path))
		return STR_NULL;
	return str_dup(a, str_of(path.s, path.n));
}

/* ---- the server's fields ---- */

void schema_stamp(const struct schema *s, const struct json *doc, const struct json *server,
	struct json_build *b)
{
	json_build_object(b);
	for (each_kid(k, &s->root))
		json_add_copy(b, k->name,
			json_get(node_is(k, FLD_READ_ONLY) ? server : doc, k->name));
	json_build_end(b);
}
