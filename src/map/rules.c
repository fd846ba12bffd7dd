/*
 * rules.c - finds the rules of a filter or transform in either of their two places.
 */
#include "map/rules_priv.h"

bool rules_find(struct arena *a, const struct json *doc, const char *at, const char *expected,
	const struct json **rules, const char **field, struct err *err)
{
	const struct json *own = json_get(doc, STR("rules"));
	const struct json *inner = json_get_path(doc, STR("expression.rules"));
	const struct json *found = inner != NULL ? inner : own;

	*field = str_fmt(a, inner != NULL ? "%s.expression.rules" : "%s.rules", at).p;
	if (own != NULL && inner != NULL && !json_equal(own, inner))
		return err_set_field(err, ERR_INVALID, *field,
			"%s and %s.rules differ; only one of them is needed", *field, at);
	*rules = found == NULL || found->type == JSON_NULL ? NULL : found;
	return *rules == NULL || json_is_array(*rules) ||
	       err_set_field(err, ERR_INVALID, *field, "expected an array, such as %s; found %s",
		       expected, json_type_phrase((*rules)->type));
}
