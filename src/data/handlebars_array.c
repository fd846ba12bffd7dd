/*
 * handlebars_array.c - helpers over arrays and objects, and finding values by name.
 */
#include "data/handlebars_priv.h"

#include <math.h>

const struct json *get_path(struct arena *a, const struct json *v, struct str path)
{
	const struct json *whole = json_get(v, path);
	struct str rest = path;

	if (path.n == 0 || whole != NULL)
		return whole != NULL ? whole : v;
	while (rest.p != NULL && v != NULL && v->type != JSON_NULL)
		v = js_property(a, v, str_cut(&rest, '.'));
	return rest.p == NULL ? v : NULL;
}

/* The elements of an array, in the scratch arena. */
static bool elements(struct hbs_call *c, const struct json *v, const struct json ***out,
	struct err *err)
{
	size_t n = 0;

	if (!hbs_steps(c, v->n, err))
		return false;
	*out = arena_array_of(hbs_scratch(c), const struct json *, v->n + 1);
	for (json_each (it, v))
		(*out)[n++] = it;
	return true;
}

/* A new array of N values. */
static const struct json *new_array(struct hbs_call *c, const struct json *const *values, size_t n)
{
	struct json_build b;

	json_build_init(&b, hbs_scratch(c));
	json_build_array(&b);
	for (size_t i = 0; i < n; i++)
		json_build_copy(&b, values[i] == NULL ? &json_null : values[i]);
	json_build_end(&b);
	return json_build_done(&b);
}

/* What is left of an array or text without N at the start, or at the end. */
static bool cut(struct hbs_call *c, bool start, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0), **items;
	size_t n, have;

	if (!need_count(c, 1, 0, UINT32_MAX, 0, &n, err))
		return false;
	if (!json_is_array(v)) {
		struct str s = arg_text(c, 0);

		have = js_length(s);
		n = MIN(n, have);
		*result = hbs_new_str(c,
			js_slice(hbs_scratch(c), s, start ? n : 0, start ? have : have - n));
		return true;
	}
	have = v->n;
	n = MIN(n, have);
	if (!elements(c, v, &items, err))
		return false;
	*result = new_array(c, start ? items + n : items, have - n);
	return true;
}

static bool fn_after(struct hbs_call *c, const struct json **result, struct err *err)
{
	return cut(c, true, result, err);
}

static bool fn_before(struct hbs_call *c, const struct json **result, struct err *err)
{
	return cut(c, false, result, err);
}

static bool fn_arrayify(struct hbs_call *c, const struct json **result, struct err *err UNUSED)
{
	const struct json *v = hbs_arg(c, 0);

	*result = json_is_array(v) ? v : new_array(c, &v, hbs_truthy(v));
	return true;
}

static bool fn_pluck(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0), **items;
	size_t n = 0;

	if (!json_is_array(v)) {
		*result = &json_empty_string;
		return true;
	}
	if (!elements(c, v, &items, err))
		return false;
	for (size_t i = 0; i < v->n; i++) {
		const struct json *found = get_path(hbs_scratch(c), items[i], arg_text(c, 1));

		if (found != NULL)
			items[n++] = found;
	}
	*result = new_array(c, items, n);
	return true;
}

/* ---- sort ---- */

struct sort_item {
	const struct json *v;
	struct str text;
	double number;
	size_t at;
};

static int by_text(const void *a, const void *b)
{
	const struct sort_item *x = a, *y = b;
	int order = js_compare_text(x->text, y->text);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static int by_number(const void *a, const void *b)
{
	const struct sort_item *x = a, *y = b;

	if (x->number != y->number && !(isnan(x->number) && isnan(y->number))) {
		if (isnan(x->number) || isnan(y->number))
			return isnan(x->number) ? 1 : -1; /* what is no number comes last */
		return x->number < y->number ? -1 : 1;
	}
	return (x->at > y->at) - (x->at < y->at);
}

static bool wanted(const struct json *v)
{
	return hbs_truthy(v) && !(json_is_str(v) && str_eq(json_str(v), STR("false")));
}

static bool fn_sort(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0), **items;
	bool numbers = wanted(hbs_hash(c, "number")), reverse = wanted(hbs_hash(c, "reverse"));

	if (!json_is_array(v)) {
		*result = &json_empty_string;
		return true;
	}
	if (!elements(c, v, &items, err))
		return false;
	struct sort_item *sorted = arena_array_of(hbs_scratch(c), struct sort_item, v->n + 1);

	for (size_t i = 0; i < v->n; i++) {
		sorted[i] = (struct sort_item){ .v = items[i], .number = JS_NAN, .at = i };
		if (!numbers)
			sorted[i].text = hbs_str(c, items[i]);
		else if (!hbs_number(items[i], &sorted[i].number))
			sorted[i].number = JS_NAN;
	}
	qsort(sorted, v->n, sizeof(*sorted), numbers ? by_number : by_text);
	for (size_t i = 0; i < v->n; i++)
		items[i] = sorted[reverse ? v->n - 1 - i : i].v;
	*result = new_array(c, items, v->n);
	return true;
}

/* A text that is equal for values that are strictly equal; p NULL for arrays and objects. */
static struct str identity(struct arena *a, const struct json *v)
{
	switch (v->type) {
	case JSON_STRING:
		return str_fmt(a, "s%.*s", STR_ARG(json_str(v)));
	case JSON_NUMBER:
		return str_fmt(a, "n%.*s", STR_ARG(json_str(js_new_number(a, js_to_number(v)))));
	case JSON_ARRAY:
	case JSON_OBJECT:
		return STR_NULL;
	default:
		return js_to_str(a, v);
	}
}

static bool fn_unique(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0), **items;
	struct arena *a = hbs_scratch(c);
	size_t n = 0;

	if (!json_is_array(v)) {
		*result = &json_empty_string;
		return true;
	}
	if (!elements(c, v, &items, err))
		return false;
	struct map *seen = map_new(a);

	for (size_t i = 0; i < v->n; i++) {
		struct str key = identity(a, items[i]);

		if (key.p == NULL || map_put(seen, key, a) == NULL)
			items[n++] = items[i];
	}
	*result = new_array(c, items, n);
	return true;
}

/* ---- blocks over arrays ---- */

static bool fn_filter(struct hbs_call *c, const struct json **result UNUSED, struct err *err)
{
	const struct json *list = hbs_arg(c, 0), *value = hbs_arg(c, 1);
	const struct json *of = hbs_argc(c) > 2                   ? hbs_arg(c, 2)
				: hbs_hash(c, "property") != NULL ? hbs_hash(c, "property")
								  : hbs_hash(c, "prop");
	size_t found = 0;

	if (json_is_array(list)) {
		for (json_each (it, list)) {
			const struct json *v = json_is_str(of)
						       ? get_path(hbs_scratch(c), it, json_str(of))
						       : it;

			if (!hbs_steps(c, 1, err))
				return false;
			if (!js_equal_strict(v, value))
				continue;
			found++;
			if (!hbs_run(c, true, it, err))
				return false;
		}
	}
	return found > 0 || hbs_run(c, false, hbs_this(c), err);
}

static bool is_kind(const struct json *v, struct str kind, bool *known)
{
	bool boolean = v->type == JSON_TRUE || v->type == JSON_FALSE;
	const struct {
		const char *name;
		bool yes;
	} kinds[] = { { "isTruthy", hbs_truthy(v) }, { "isFalsy", !hbs_truthy(v) },
		{ "isFalsey", !hbs_truthy(v) }, { "isArray", json_is_array(v) },
		{ "isObject", json_is_object(v) }, { "isString", json_is_str(v) },
		{ "isNumber", v->type == JSON_NUMBER }, { "isBoolean", boolean } };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq_z(kind, kinds[i].name)) {
			*known = true;
			return kinds[i].yes;
		}
	*known = false;
	return false;
}

static bool fn_some(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *list = hbs_arg(c, 0);
	struct str kind = json_is_str(hbs_arg(c, 1)) ? arg_text(c, 1) : hbs_arg_word(c, 1);
	bool known, some = false;

	is_kind(&json_null, kind, &known);
	if (!known)
		return hbs_fail(c, err,
			"the condition must be isTruthy, isFalsy, isArray, isObject, isString, "
			"isNumber or isBoolean");
	if (json_is_array(list)) {
		if (!hbs_steps(c, list->n, err))
			return false;
		for (json_each (it, list))
			some = some || is_kind(it, kind, &known);
	}
	return hbs_choose(c, some, result, err);
}

static bool has_element(struct hbs_call *c, const struct json *list, const struct json *v,
	size_t from)
{
	size_t i = 0;
	bool found = false;

	for (json_each (it, list))
		found = found || (i++ >= from && js_equal_strict(it, v));
	return found && hbs_argc(c) > 0;
}

static bool fn_in_array(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *list = hbs_arg(c, 0);

	if (json_is_array(list) && !hbs_steps(c, list->n, err))
		return false;
	return hbs_choose(c, json_is_array(list) && has_element(c, list, hbs_arg(c, 1), 0), result,
		err);
}

static bool fn_contains(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *in = hbs_arg(c, 0), *v = hbs_arg(c, 1);
	size_t from;
	bool found = false;

	if (!need_count(c, 2, 0, UINT32_MAX, 0, &from, err))
		return false;
	if (v != NULL && v->type != JSON_NULL && json_is_array(in)) {
		if (!hbs_steps(c, in->n, err))
			return false;
		found = has_element(c, in, v, from);
	} else if (v != NULL && v->type != JSON_NULL && json_is_str(in)) {
		struct str s = json_str(in);

		s = js_slice(hbs_scratch(c), s, from, js_length(s));
		found = str_find(s, hbs_str(c, v)) != STR_NPOS;
	}
	return hbs_choose(c, found, result, err);
}

static bool no_items(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL || (v->type >= JSON_ARRAY && v->n == 0);
}

static bool fn_is_empty(struct hbs_call *c, const struct json **result, struct err *err)
{
	return hbs_choose(c, no_items(hbs_arg(c, 0)), result, err);
}

static bool fn_has_no_items(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0);

	return hbs_choose(c, no_items(v) || (json_is_str(v) && v->n == 0), result, err);
}

static bool fn_has_own(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = js_property(hbs_scratch(c), hbs_arg(c, 0),
		hbs_str(c, hbs_arg(c, 1)));

	return hbs_choose(c, v != NULL, result, err);
}

static bool fn_get_value(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0);

	if (hbs_arg_is_literal(c, 0) && !hbs_path(c, json_str(v), &v, err))
		return false;
	*result = v == NULL || v->type == JSON_NULL ? hbs_arg(c, 1) : v;
	return true;
}

static const struct hbs_helper rows[] = {
	{ "after", fn_after, HBS_INLINE, 2, 2, "array n", "Without the first n elements.",
		"{{after letters 2}}", "{\"letters\":[\"a\",\"b\",\"c\",\"d\"]}", "c,d" },
	{ "before", fn_before, HBS_INLINE, 2, 2, "array n", "Without the last n elements.",
		"{{before letters 2}}", "{\"letters\":[\"a\",\"b\",\"c\",\"d\"]}", "a,b" },
	{ "arrayify", fn_arrayify, HBS_INLINE, 1, 1, "value",
		"The value as an array of one; an array as it is; an empty array for what is "
		"false.",
		"{{jsonSerialize (arrayify \"foo\")}}", "{}", "[\"foo\"]" },
	{ "pluck", fn_pluck, HBS_INLINE, 2, 2, "array path",
		"What stands at that path in each element; elements without it are left out.",
		"{{pluck products \"sku\"}}",
		"{\"products\":[{\"sku\":\"A1\"},{\"sku\":\"A2\"},{}]}", "A1,A2" },
	{ "sort", fn_sort, HBS_INLINE, 1, 1, "array number=true reverse=true",
		"Sorted as text; with `number=true` as numbers, with `reverse=true` downwards.",
		"{{sort items number=\"true\"}}", "{\"items\":[\"2\",\"10\",\"1\"]}", "1,2,10" },
	{ "unique", fn_unique, HBS_INLINE, 1, 1, "array",
		"Without texts, numbers and booleans that were there before.", "{{unique tags}}",
		"{\"tags\":[\"A\",\"B\",\"A\",\"C\",\"B\"]}", "A,B,C" },
	{ "filter", fn_filter, HBS_BLOCK, 2, 3, "array value path",
		"The content for each element that equals the value, or has it at that path (also "
		"`property=`); `{{else}}` when none does.",
		"{{#filter lines \"custom\" \"tag\"}}{{sku}}{{else}}none{{/filter}}",
		"{\"lines\":[{\"sku\":\"A\"},{\"sku\":\"B\",\"tag\":\"custom\"}]}", "B" },
	{ "some", fn_some, HBS_CHOICE, 2, 2, "array condition",
		"Is the condition true of an element? Conditions are isTruthy, isFalsy, isArray, "
		"isObject, isString, isNumber, isBoolean.",
		"{{#some values isNumber}}a number{{else}}none{{/some}}", "{\"values\":[\"a\",1]}",
		"a number" },
	{ "inArray", fn_in_array, HBS_CHOICE, 2, 2, "array value",
		"Is the value, with its type, an element?",
		"{{#inArray tags \"priority\"}}high{{else}}regular{{/inArray}}",
		"{\"tags\":[\"new\",\"priority\"]}", "high" },
	{ "contains", fn_contains, HBS_CHOICE, 2, 3, "collection value from",
		"Is the value an element of the array, or part of the text, from that index on?",
		"{{#contains sku \"45\"}}found{{else}}missing{{/contains}}", "{\"sku\":\"12345\"}",
		"found" },
	{ "isEmpty", fn_is_empty, HBS_CHOICE, 1, 1, "collection",
		"Is it an empty array or object, null or missing?",
		"{{#isEmpty lines}}empty{{else}}lines{{/isEmpty}}", "{\"lines\":[]}", "empty" },
	{ "hasNoItems", fn_has_no_items, HBS_CHOICE, 1, 1, "collection",
		"As isEmpty, and for an empty text.", "{{hasNoItems lines}}", "{\"lines\":[]}",
		"true" },
	{ "hasOwn", fn_has_own, HBS_CHOICE, 2, 2, "object name",
		"Has the object a member of that name?", "{{hasOwn config \"theme\"}}",
		"{\"config\":{\"theme\":null}}", "true" },
	{ "getValue", fn_get_value, HBS_INLINE, 1, 2, "path default",
		"What stands at that path (written as a text, or a field), or the default when it "
		"is "
		"missing or null.",
		"{{getValue \"shipping.number\" \"none\"}}", "{\"shipping\":{}}", "none" },
};

const struct hbs_helpers hbs_array_helpers = { "Arrays and objects", rows, ARRAY_LEN(rows) };
