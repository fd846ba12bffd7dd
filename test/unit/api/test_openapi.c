/*
 * test_openapi.c - the OpenAPI document and the page of routes: all routes are in them, and all references lead
 * somewhere.
 */
#include "api_world.h"

static const struct json *document(struct world *w)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	api_openapi(w->r, &b);
	return parse(w, str_dup(w->a, buf_str(&b)));
}

static const char *method_key(struct world *w, enum http_method m)
{
	char *p = arena_strndup(w->a, http_method_name(m), strlen(http_method_name(m)));

	for (char *c = p; *c != '\0'; c++)
		*c = (char)(*c | 0x20);
	return p;
}

static void each_route_has_its_operation(void **state)
{
	struct world *w = *state;
	const struct json *paths = json_get(document(w), STR("paths"));

	assert_true(json_is_object(paths));
	for (size_t i = 0; i < route_count; i++) {
		if (strstr(routes[i].pattern, "{resource}") != NULL)
			continue;
		const struct json *op = json_get(json_get(paths, str_z(routes[i].pattern)),
			str_z(method_key(w, routes[i].method)));

		if (!str_eq_z(json_get_str(op, STR("operationId")), routes[i].id))
			fail_msg("%s", routes[i].pattern);
	}
	for (size_t k = 0; resources_at(w->r, k) != NULL; k++) {
		const char *segment = schema_def(resources_at(w->r, k))->segment;
		const struct json *of = json_get(paths, str_fmt(w->a, "/v1/%s/{_id}", segment));

		assert_true(json_is_object(json_get(of, STR("get"))));
		assert_true(json_is_object(json_get(of, STR("patch"))));
	}
}

/* "#/components/..." of every $ref leads to something. */
static void references_resolve(void **state)
{
	struct world *w = *state;
	const struct json *doc = document(w), *end = json_next(doc);
	size_t refs = 0;

	for (const struct json *v = doc; v < end; v++) {
		if (v->type != JSON_STRING || !str_starts(json_str(v), STR("#/")))
			continue;
		struct str rest = str_from(json_str(v), 2);
		const struct json *at = doc;

		refs++;
		while (rest.p != NULL && at != NULL)
			at = json_get(at, str_cut(&rest, '/'));
		if (at == NULL)
			fail_msg("%.*s leads nowhere", STR_ARG(json_str(v)));
	}
	assert_true(refs > 50);
}

static void the_page_lists_each_route(void **state)
{
	struct world *w = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	api_markdown(w->r, &b);
	for (size_t i = 0; i < route_count; i++)
		if (strstr(routes[i].pattern, "{resource}") == NULL &&
			str_find(buf_str(&b), str_fmt(w->a, "| %s | `%s` | %d | ",
						      http_method_name(routes[i].method),
						      routes[i].pattern, routes[i].success)) ==
				STR_NPOS)
			fail_msg("%s", routes[i].pattern);
	assert_true(str_find(buf_str(&b), STR("| POST | `/v1/connections` | 201 | Connection:")) !=
		    STR_NPOS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(each_route_has_its_operation),
		T(references_resolve),
		T(the_page_lists_each_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
