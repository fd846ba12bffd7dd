/*
 * filter_compile.c - JSON of a filter to nodes; all faults of an expression are found here.
 */
#include "core/limits.h"
#include "map/filter_priv.h"
#include "map/rules_priv.h"

const struct filter_op filter_ops[OP_COUNT] = {
	[OP_CONSTANT] = { NULL, 0, 0 },
	[OP_EXTRACT] = { "extract", 1, 1 },
	[OP_SETTINGS] = { "settings", 1, 1 },
	[OP_CONTEXT] = { "context", 1, 1 },
	[OP_STRING] = { "string", 1, 1 },
	[OP_NUMBER] = { "number", 1, 1 },
	[OP_BOOLEAN] = { "boolean", 1, 1 },
	[OP_EPOCHTIME] = { "epochtime", 1, 1 },
	[OP_LOWERCASE] = { "lowercase", 1, 1 },
	[OP_UPPERCASE] = { "uppercase", 1, 1 },
	[OP_FLOOR] = { "floor", 1, 1 },
	[OP_CEILING] = { "ceiling", 1, 1 },
	[OP_ABS] = { "abs", 1, 1 },
	[OP_EQUALS] = { "equals", 2, 2 },
	[OP_NOTEQUALS] = { "notequals", 2, 2 },
	[OP_GREATERTHAN] = { "greaterthan", 2, 2 },
	[OP_GREATERTHANEQUALS] = { "greaterthanequals", 2, 2 },
	[OP_LESSTHAN] = { "lessthan", 2, 2 },
	[OP_LESSTHANEQUALS] = { "lessthanequals", 2, 2 },
	[OP_CONTAINS] = { "contains", 2, 2 },
	[OP_DOESNOTCONTAIN] = { "doesnotcontain", 2, 2 },
	[OP_STARTSWITH] = { "startswith", 2, 2 },
	[OP_ENDSWITH] = { "endswith", 2, 2 },
	[OP_MATCHES] = { "matches", 2, 2 },
	[OP_EMPTY] = { "empty", 1, 1 },
	[OP_NOTEMPTY] = { "notempty", 1, 1 },
	[OP_AND] = { "and", 1, FILTER_ANY_NUMBER },
	[OP_OR] = { "or", 1, FILTER_ANY_NUMBER },
	[OP_NOT] = { "not", 1, 1 },
};

struct compiler {
	struct arena *arena;
	struct err *err;
	size_t nodes;
};

/* Puts the field's place into an error that a path or pattern reported. */
static bool place(struct compiler *c, const char *field)
{
	if (c->err != NULL)
		snprintf(c->err->field, sizeof(c->err->field), "%s", field);
	return false;
}

static const char *field_at(struct compiler *c, const char *field, size_t i)
{
	return str_fmt(c->arena, "%s.%zu", field, i).p;
}

/* The operator of this name; OP_CONSTANT when there is none, which NEAREST may help with. */
static enum op find_op(struct str name, const char **nearest)
{
	unsigned best = 3;

	*nearest = NULL;
	for (enum op op = OP_CONSTANT + 1; op < OP_COUNT; op++) {
		struct str known = str_z(filter_ops[op].name);
		unsigned d = str_distance(name, known, best);

		if (str_eq(name, known))
			return op;
		if (d < best && d < known.n) {
			best = d;
			*nearest = filter_ops[op].name;
		}
	}
	return OP_CONSTANT;
}

static bool read_op(struct compiler *c, const struct json *v, const char *field, enum op *op)
{
	const struct json *name = json_at(v, 0);
	const char *nearest, *at = field_at(c, field, 0);

	if (name == NULL)
		return err_set_field(c->err, ERR_INVALID, field,
			"an expression needs an operator, such as [\"equals\", ...]");
	if (name->type != JSON_STRING)
		return err_set_field(c->err, ERR_INVALID, at,
			"an expression begins with its operator's name, a string; found %s",
			json_type_phrase(name->type));
	*op = find_op(json_str(name), &nearest);
	if (*op != OP_CONSTANT)
		return true;
	err_set_field(c->err, ERR_INVALID, at, "there is no operator \"%.*s\"",
		STR_ARG(json_str(name)));
	return nearest != NULL ? err_hint(c->err, "did you mean %s?", nearest)
			       : err_hint(c->err, "constant lists can't be compared with");
}

static bool check_count(struct compiler *c, enum op op, size_t n, const char *field)
{
	const struct filter_op *o = &filter_ops[op];

	if (n >= o->operands_min && n <= o->operands_max)
		return true;
	return err_set_field(c->err, ERR_INVALID, field, "%s takes %s%u operand%s; found %zu",
		o->name, o->operands_max == FILTER_ANY_NUMBER ? "at least " : "", o->operands_min,
		o->operands_min == 1 ? "" : "s", n);
}

/* Operators whose operand names something: it must be known now. */
static bool read_name(struct compiler *c, struct node *n, const struct json *v)
{
	const char *field = field_at(c, n->field, 1);

	if (!json_is_str(v) || v->n == 0)
		return err_set_field(c->err, ERR_INVALID, field,
			"%s takes a name: a string that is not empty", filter_ops[n->op].name);
	n->name = json_str(v);
	return n->op != OP_EXTRACT || path_compile(c->arena, n->name, false, &n->path, c->err) ||
	       place(c, field);
}

static bool read_pattern(struct compiler *c, struct node *n)
{
	const struct node *operand = n->operands[1];

	if (operand->op != OP_CONSTANT || !json_is_str(operand->constant))
		return err_set_field(c->err, ERR_INVALID, operand->field,
			"the pattern of matches must be a constant string");
	return filter_pattern_compile(c->arena, json_str(operand->constant), &n->pattern, c->err) ||
	       place(c, operand->field);
}

static struct node *compile(struct compiler *c, const struct json *v, const char *field,
	unsigned depth);

static bool read_operands(struct compiler *c, struct node *n, const struct json *v, unsigned depth)
{
	size_t i = 0;

	n->operands = arena_array_of(c->arena, struct node *, v->n);
	for (json_each (it, v)) {
		if (i > 0) {
			struct node *operand = compile(c, it, field_at(c, n->field, i), depth + 1);

			if (operand == NULL)
				return false;
			n->operands[n->count++] = operand;
		}
		i++;
	}
	return n->op != OP_MATCHES || read_pattern(c, n);
}

static bool read_expression(struct compiler *c, struct node *n, const struct json *v,
	unsigned depth)
{
	if (!read_op(c, v, n->field, &n->op) || !check_count(c, n->op, v->n - 1, n->field))
		return false;
	if (n->op == OP_EXTRACT || n->op == OP_SETTINGS || n->op == OP_CONTEXT)
		return read_name(c, n, json_at(v, 1));
	return read_operands(c, n, v, depth);
}

/* NULL: a fault, told in c->err. */
static struct node *compile(struct compiler *c, const struct json *v, const char *field,
	unsigned depth)
{
	struct node *n = arena_new_of(c->arena, struct node);

	n->field = field;
	if (depth > LIMIT_FILTER_DEPTH || ++c->nodes > LIMIT_FILTER_NODES) {
		err_set_field(c->err, ERR_LIMIT, field,
			"a filter may have %d expressions, %d inside each other",
			LIMIT_FILTER_NODES, LIMIT_FILTER_DEPTH);
		return NULL;
	}
	if (json_is_object(v)) {
		err_set_field(c->err, ERR_INVALID, field,
			"an object is no expression; expected an array or a constant");
		return NULL;
	}
	if (v->type != JSON_ARRAY) {
		n->op = OP_CONSTANT;
		n->constant = v->type == JSON_NULL ? NULL : v;
		return n;
	}
	return read_expression(c, n, v, depth) ? n : NULL;
}

/* [[...], [...]]: all of them must hold. */
static struct node *compile_list(struct compiler *c, const struct json *rules, const char *field)
{
	struct node *n = arena_new_of(c->arena, struct node);

	n->op = OP_AND;
	n->field = field;
	n->operands = arena_array_of(c->arena, struct node *, rules->n);
	for (json_each (it, rules)) {
		struct node *operand = compile(c, it, field_at(c, field, n->count), 1);

		if (operand == NULL)
			return NULL;
		n->operands[n->count++] = operand;
	}
	return n;
}

bool filter_compile(struct arena *a, const struct json *filter, const char *at, struct filter **out,
	struct err *err)
{
	struct compiler c = { .arena = a, .err = err };
	struct filter *f = arena_new_of(a, struct filter);
	const struct json *rules;
	const char *field;

	if (!rules_find(a, filter, at,
		    "[\"equals\", [\"string\", [\"extract\", \"status\"]], \"open\"]", &rules,
		    &field, err))
		return false;
	if (rules != NULL && rules->n > 0) {
		f->root = json_is_array(json_at(rules, 0)) ? compile_list(&c, rules, field)
							   : compile(&c, rules, field, 1);
		if (f->root == NULL)
			return false;
	}
	*out = f;
	return true;
}
