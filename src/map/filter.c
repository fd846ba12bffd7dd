/*
 * filter.c - evaluates a compiled filter, for its answer alone or with every value on the way.
 */
#include "map/filter_priv.h"

struct eval {
	const struct json *record;
	const struct filter_env *env;
	struct arena *arena;
	struct err *err;
};

/* The value of each node: NULL is nothing. */
static bool value_of(struct eval *x, const struct node *n, const struct json **v);

static bool is_true(const struct json *v)
{
	const struct json *b = v == NULL ? NULL : filter_to_boolean(v);

	return b != NULL && b->type == JSON_TRUE;
}

static bool is_empty(const struct json *v)
{
	return v == NULL ||
	       ((v->type == JSON_STRING || v->type == JSON_ARRAY || v->type == JSON_OBJECT) &&
		       v->n == 0);
}

static bool contains(const struct json *in, const struct json *what)
{
	struct str text, part;

	if (in == NULL || what == NULL)
		return false;
	if (json_is_array(in)) {
		for (json_each (it, in))
			if (filter_equal(it, what))
				return true;
		return false;
	}
	return filter_text(in, &text) && filter_text(what, &part) &&
	       str_find(text, part) != STR_NPOS;
}

static bool at_an_end(const struct json *in, const struct json *what, bool start)
{
	struct str text, part;

	if (in == NULL || what == NULL || !filter_text(in, &text) || !filter_text(what, &part))
		return false;
	return start ? str_starts(text, part) : str_ends(text, part);
}

static bool in_order(enum op op, const struct json *l, const struct json *r)
{
	int order;

	if (!filter_compare(l, r, &order))
		return false;
	switch (op) {
	case OP_GREATERTHAN:
		return order > 0;
	case OP_GREATERTHANEQUALS:
		return order >= 0;
	case OP_LESSTHAN:
		return order < 0;
	default:
		return order <= 0;
	}
}

static bool matches(struct eval *x, const struct node *n, const struct json *v, bool *answer)
{
	struct str text;

	*answer = false;
	if (v == NULL || !filter_text(v, &text) ||
		filter_pattern_matches(n->pattern, text, x->arena, answer, x->err))
		return true;
	if (x->err != NULL)
		snprintf(x->err->field, sizeof(x->err->field), "%s", n->field);
	return false;
}

/* Operators that answer true or false about the values L and R (NULL when there is no second). */
static bool judge(struct eval *x, const struct node *n, const struct json *l, const struct json *r,
	bool *answer)
{
	switch (n->op) {
	case OP_EQUALS:
		*answer = filter_equal(l, r);
		break;
	case OP_NOTEQUALS:
		*answer = !filter_equal(l, r);
		break;
	case OP_CONTAINS:
		*answer = contains(l, r);
		break;
	case OP_DOESNOTCONTAIN:
		*answer = !contains(l, r);
		break;
	case OP_STARTSWITH:
	case OP_ENDSWITH:
		*answer = at_an_end(l, r, n->op == OP_STARTSWITH);
		break;
	case OP_MATCHES:
		return matches(x, n, l, answer);
	case OP_EMPTY:
		*answer = is_empty(l);
		break;
	case OP_NOTEMPTY:
		*answer = !is_empty(l);
		break;
	case OP_NOT:
		*answer = !is_true(l);
		break;
	default:
		*answer = in_order(n->op, l, r);
	}
	return true;
}

/* Operators that make another value of V, which is not nothing. */
static const struct json *change(struct eval *x, enum op op, const struct json *v)
{
	switch (op) {
	case OP_STRING:
		return filter_to_string(x->arena, v);
	case OP_NUMBER:
		return filter_to_number(x->arena, v);
	case OP_BOOLEAN:
		return filter_to_boolean(v);
	case OP_EPOCHTIME:
		return filter_to_epochtime(x->arena, v);
	case OP_LOWERCASE:
	case OP_UPPERCASE:
		return filter_change_case(x->arena, v, op == OP_UPPERCASE);
	default:
		return filter_round(x->arena, v, op);
	}
}

static const struct json *look_up(const struct eval *x, const struct node *n)
{
	const struct json *v = NULL;

	if (n->op == OP_CONSTANT)
		v = n->constant;
	else if (n->op == OP_EXTRACT)
		v = path_get(n->path, x->record);
	else if (x->env != NULL && x->env->get != NULL)
		v = x->env->get(x->env->ctx,
			n->op == OP_SETTINGS ? FILTER_SETTINGS : FILTER_CONTEXT, n->name);
	return v == NULL || v->type == JSON_NULL ? NULL : v;
}

static const struct json *boolean(bool v)
{
	return v ? &json_true : &json_false;
}

/* Stops at the first operand that decides. */
static bool all_or_any(struct eval *x, const struct node *n, const struct json **v)
{
	bool decides = n->op == OP_OR;

	*v = boolean(!decides);
	for (size_t i = 0; i < n->count; i++) {
		const struct json *operand;

		if (!value_of(x, n->operands[i], &operand))
			return false;
		if (is_true(operand) == decides) {
			*v = boolean(decides);
			break;
		}
	}
	return true;
}

/* The value of N, whose operands have the values in V (NULL behind the last). */
static bool apply(struct eval *x, const struct node *n, const struct json *const v[2],
	const struct json **out)
{
	bool answer;

	if (n->op < OP_STRING) {
		*out = look_up(x, n);
	} else if (n->op < OP_EQUALS) {
		*out = v[0] == NULL ? NULL : change(x, n->op, v[0]);
	} else {
		if (!judge(x, n, v[0], v[1], &answer))
			return false;
		*out = boolean(answer);
	}
	return true;
}

static bool value_of(struct eval *x, const struct node *n, const struct json **v)
{
	const struct json *operands[2] = { NULL, NULL };

	if (n->op == OP_AND || n->op == OP_OR)
		return all_or_any(x, n, v);
	for (size_t i = 0; i < n->count; i++)
		if (!value_of(x, n->operands[i], &operands[i]))
			return false;
	return apply(x, n, operands, v);
}

bool filter_passes(const struct filter *f, const struct json *record, const struct filter_env *env,
	struct arena *scratch, bool *passes, struct err *err)
{
	struct eval x = { .record = record, .env = env, .arena = scratch, .err = err };
	struct arena_mark mark = arena_mark(scratch);
	const struct json *v = &json_true;
	bool ok = f->root == NULL || value_of(&x, f->root, &v);

	if (ok)
		*passes = is_true(v);
	arena_rewind(scratch, mark);
	return ok;
}

/* ---- explain ---- */

struct explained {
	const struct json *value;
	struct err err;
	struct explained *operands;
};

/* As value_of(), with a result for every node; false when it, or what it is made of, failed. */
static bool evaluate_all(struct eval *x, const struct node *n, struct explained *e)
{
	const struct json *v[2] = { NULL, NULL };
	bool decides = n->op == OP_OR, ok = true, decided = false;

	e->value = NULL;
	e->operands = arena_array_of(x->arena, struct explained, MAX(n->count, 1));
	for (size_t i = 0; i < n->count; i++) {
		bool good = evaluate_all(x, n->operands[i], &e->operands[i]);

		/* what and, or would not have looked at does not count */
		ok &= good || decided;
		if (n->op == OP_AND || n->op == OP_OR)
			decided |= good && ok && is_true(e->operands[i].value) == decides;
		else
			v[i] = e->operands[i].value;
	}
	if (!ok)
		return false;
	if (n->op == OP_AND || n->op == OP_OR) {
		e->value = boolean(decided == decides);
		return true;
	}
	x->err = &e->err;
	return apply(x, n, v, &e->value);
}

static void write_explained(const struct node *n, const struct explained *e, struct json_build *b)
{
	json_build_object(b);
	json_add_str(b, STR("field"), str_z(n->field));
	json_add_str(b, STR("operator"), str_z(filter_ops[n->op].name));
	if (n->path != NULL || n->name.p != NULL)
		json_add_str(b, STR("name"), n->name);
	json_add_copy(b, STR("value"), e->value);
	if (e->err.code != ERR_NONE)
		json_add_str(b, STR("error"), str_dup(b->arena, str_z(e->err.message)));
	if (n->count > 0) {
		json_build_key(b, STR("operands"));
		json_build_array(b);
		for (size_t i = 0; i < n->count; i++)
			write_explained(n->operands[i], &e->operands[i], b);
		json_build_end(b);
	}
	json_build_end(b);
}

void filter_explain(const struct filter *f, const struct json *record, const struct filter_env *env,
	struct json_build *b)
{
	struct eval x = { .record = record, .env = env, .arena = b->arena };
	struct explained root = { .value = &json_true };
	bool ok = f->root == NULL || evaluate_all(&x, f->root, &root);

	json_build_object(b);
	json_add_bool(b, STR("passes"), ok && is_true(root.value));
	if (f->root != NULL) {
		json_build_key(b, STR("expression"));
		write_explained(f->root, &root, b);
	}
	json_build_end(b);
}
