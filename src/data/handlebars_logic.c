/*
 * handlebars_logic.c - helpers that compare and combine: booleans inline, branches as blocks.
 */
#include "data/handlebars_priv.h"

#include <math.h>

static bool fn_and(struct hbs_call *c, const struct json **result, struct err *err)
{
	bool all = true;

	for (size_t i = 0; i < hbs_argc(c); i++)
		all = all && hbs_truthy(hbs_arg(c, i));
	return hbs_choose(c, all, result, err);
}

static bool any(const struct hbs_call *c)
{
	bool one = false;

	for (size_t i = 0; i < hbs_argc(c); i++)
		one = one || hbs_truthy(hbs_arg(c, i));
	return one;
}

static bool fn_or(struct hbs_call *c, const struct json **result, struct err *err)
{
	return hbs_choose(c, any(c), result, err);
}

static bool fn_neither(struct hbs_call *c, const struct json **result, struct err *err)
{
	return hbs_choose(c, !any(c), result, err);
}

static bool fn_truthy(struct hbs_call *c, const struct json **result, struct err *err)
{
	return hbs_choose(c, hbs_truthy(hbs_arg(c, 0)), result, err);
}

static bool fn_falsy(struct hbs_call *c, const struct json **result, struct err *err)
{
	return hbs_choose(c, !hbs_truthy(hbs_arg(c, 0)), result, err);
}

static bool fn_eq(struct hbs_call *c, const struct json **result, struct err *err)
{
	return hbs_choose(c, js_equal_loose(hbs_scratch(c), hbs_arg(c, 0), hbs_arg(c, 1)), result,
		err);
}

static const char *type_name(const struct json *v)
{
	if (v == NULL)
		return "undefined";
	return v->type == JSON_NULL ? "object" : json_type_name(v->type);
}

static bool fn_type_of(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	*result = hbs_new_str(c, str_z(type_name(hbs_arg(c, 0))));
	return true;
}

static bool fn_if_even(struct hbs_call *c, const struct json **result, struct err *err)
{
	double v;

	return hbs_choose(c, hbs_number(hbs_arg(c, 0), &v) && fmod(v, 2) == 0, result, err);
}

/* -1, 0, 1, or 2 where no order holds: the relational comparison of JavaScript. */
static int order(struct arena *a, const struct json *x, const struct json *y)
{
	double p, q;

	if (x != NULL && x->type >= JSON_ARRAY)
		x = js_new_str(a, js_to_str(a, x));
	if (y != NULL && y->type >= JSON_ARRAY)
		y = js_new_str(a, js_to_str(a, y));
	if (json_is_str(x) && json_is_str(y))
		return js_compare_text(json_str(x), json_str(y));
	p = json_is_str(x) ? js_parse_number(a, json_str(x)) : js_to_number(x);
	q = json_is_str(y) ? js_parse_number(a, json_str(y)) : js_to_number(y);
	if (isnan(p) || isnan(q))
		return 2;
	return (p > q) - (p < q);
}

static bool fn_compare(struct hbs_call *c, const struct json **result, struct err *err)
{
	struct arena *arena = hbs_scratch(c);
	const struct json *a = hbs_arg(c, 0), *b = hbs_arg(c, 2);
	struct str op = arg_text(c, 1);
	int way = order(arena, a, b);
	const char *type = type_name(a);
	const struct {
		const char *op;
		bool yes;
	} ops[] = { { "==", js_equal_loose(arena, a, b) }, { "!=", !js_equal_loose(arena, a, b) },
		{ "===", js_equal_strict(a, b) }, { "!==", !js_equal_strict(a, b) },
		{ "<", way == -1 }, { ">", way == 1 }, { "<=", way == -1 || way == 0 },
		{ ">=", way == 0 || way == 1 },
		{ "typeof", json_is_str(b) &&
				    str_eq_z(json_str(b), json_is_array(a) ? "object" : type) } };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (str_eq_z(op, ops[i].op))
			return hbs_choose(c, ops[i].yes, result, err);
	return hbs_fail(c, err,
		"the operator must be ==, ===, !=, !==, <, >, <=, >= or typeof, not \"%.*s\"",
		STR_ARG(str_sub(op, 0, 40)));
}

static const struct hbs_helper rows[] = {
	{ "compare", fn_compare, HBS_CHOICE, 3, 3, "a operator b",
		"Compares with `==`, `===`, `!=`, `!==`, `<`, `>`, `<=`, `>=` as JavaScript does, "
		"or "
		"the type of a with `typeof`.",
		"{{#compare state \"===\" \"NE\"}}+{{qty}}{{else}}{{qty}}{{/compare}}",
		"{\"state\":\"NE\",\"qty\":3}", "+3" },
	{ "eq", fn_eq, HBS_CHOICE, 2, 2, "a b", "Are they equal, by `==` of JavaScript?",
		"{{eq 5 \"5\"}}", "{}", "true" },
	{ "and", fn_and, HBS_CHOICE, 1, HBS_ARGS_ANY, "value ...",
		"Are all true? (As to JavaScript: `[]` and `\"0\"` are true, `0` and `\"\"` are "
		"not.)",
		"{{#and first last}}{{first}} {{last}}{{else}}?{{/and}}",
		"{\"first\":\"Ann\",\"last\":\"Lee\"}", "Ann Lee" },
	{ "or", fn_or, HBS_CHOICE, 1, HBS_ARGS_ANY, "value ...", "Is one true?",
		"{{#or a b}}one{{else}}none{{/or}}", "{\"a\":0,\"b\":1}", "one" },
	{ "neither", fn_neither, HBS_CHOICE, 2, HBS_ARGS_ANY, "value ...", "Is none true?",
		"{{#neither a b}}none{{else}}one{{/neither}}", "{\"a\":0}", "none" },
	{ "not", fn_falsy, HBS_CHOICE, 1, 1, "value", "Is it false?",
		"{{#not count}}none{{else}}some{{/not}}", "{\"count\":0}", "none" },
	{ "isTruthy", fn_truthy, HBS_CHOICE, 1, 1, "value", "Is it true?", "{{isTruthy \"hello\"}}",
		"{}", "true" },
	{ "isFalsey", fn_falsy, HBS_CHOICE, 1, 1, "value", "Is it false?", "{{isFalsey \"\"}}",
		"{}", "true" },
	{ "ifEven", fn_if_even, HBS_CHOICE, 1, 1, "number", "Is it an even number?",
		"{{#ifEven n}}even{{else}}odd{{/ifEven}}", "{\"n\":\"4\"}", "even" },
	{ "typeOf", fn_type_of, HBS_INLINE, 1, 1, "value",
		"`string`, `number`, `boolean`, `array`, `object` (also of null) or `undefined`.",
		"{{typeOf items}}", "{\"items\":[]}", "array" },
};

const struct hbs_helpers hbs_logic_helpers = { "Conditions", rows, ARRAY_LEN(rows) };
