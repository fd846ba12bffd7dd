/*
 * test_routes.c - from a path to its route: each row of the table is reached, whatever the letter case, and what
 * no row has gets none.
 */
#include "api_world.h"

#define ID "507f1f77bcf86cd799439011"

static struct route_match find(struct world *w, enum http_method method, const char *path)
{
	struct route_match m;

	route_find(w->r, w->a, method, str_z(path), &m);
	return m;
}

/* PATTERN as a path: SEGMENT for {resource}, an id for what is no apiIdentifier. */
static const char *path_of(struct world *w, const char *pattern, const char *segment)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct str rest = str_from(str_z(pattern), 1);

	while (rest.p != NULL) {
		struct str s = str_cut(&rest, '/');

		buf_add_char(&b, '/');
		buf_add_str(&b, str_eq_z(s, "{resource}")        ? str_z(segment)
				: str_eq_z(s, "{apiIdentifier}") ? STR("e0123abcd")
				: s.p[0] == '{'                  ? STR(ID)
								 : s);
	}
	return str_to_z(w->a, buf_str(&b));
}

static const char *upper(struct world *w, const char *path)
{
	char *p = arena_strndup(w->a, path, strlen(path));

	for (char *c = p; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 0x20);
	return p;
}

static void finds(struct world *w, const struct route *want, const char *path,
	const struct schema *s)
{
	struct route_match m = find(w, want->method, path);

	if (m.route != want || m.schema != s)
		fail_msg("%s %s: found %s", http_method_name(want->method), path,
			m.route == NULL ? "nothing" : m.route->pattern);
}

static void each_route_is_reached_by_its_pattern(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		bool generic = strstr(r->pattern, "{resource}") != NULL;
		const struct schema *s = NULL;
		size_t k = 0;

		do {
			s = generic ? resources_at(w->r, k++) : NULL;
			if (generic && s == NULL)
				break;
			const char *path = path_of(w, r->pattern,
				generic ? schema_def(s)->segment : "");

			finds(w, r, path, s);
			finds(w, r, str_fmt(w->a, "%s/", path).p, s);
			if (strstr(r->pattern, "{apiIdentifier}") == NULL)
				finds(w, r, upper(w, path), s);
		} while (generic);
	}
}

static void each_operation_has_its_own_id(void **state UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		assert_true(routes[i].fn != NULL && routes[i].summary[0] != '\0');
		assert_in_range(routes[i].success, 200, 204);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(routes[i].id, routes[k].id);
			if (routes[i].method == routes[k].method)
				assert_string_not_equal(routes[i].pattern, routes[k].pattern);
		}
	}
}

static void parameters_are_decoded(void **state)
{
	struct world *w = *state;
	struct route_match m = find(w, HTTP_GET, "/v1/state/a%2Fb%20c");

	assert_string_equal(m.route->pattern, "/v1/state/{key}");
	assert_int_equal(m.param_count, 1);
	assert_str(m.params[0], "a/b c");
	m = find(w, HTTP_POST, "/v1/exports/" ID "/S3CRET/data");
	assert_int_equal(m.param_count, 2);
	assert_str(m.params[0], ID);
	assert_str(m.params[1], "S3CRET");
	m = find(w, HTTP_HEAD, "/v1/flows/" ID); /* as GET */
	assert_string_equal(m.route->pattern, "/v1/{resource}/{_id}");
	assert_string_equal(schema_def(m.schema)->type, "flow");
}

static void what_is_not_there(void **state)
{
	struct world *w = *state;
	static const char *const paths[] = { "/", "", "/v2/flows", "/v1", "/v1/flow",
		"/v1/flows/a/b/c", "//v1/flows", "/v1//flows", "/e0123abc", "/e0123abcdef",
		"/x0123abcd", "/e0123abcg", "/a/b/c/d/e/f/g/h/i/j", "/v1/flows%2F" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct route_match m = find(w, HTTP_POST, paths[i]);

		if (m.route != NULL || m.allowed != 0)
			fail_msg("%s: found %s, methods %x", paths[i],
				m.route == NULL ? "nothing" : m.route->pattern, m.allowed);
	}
}

static void other_methods_are_told(void **state)
{
	struct world *w = *state;
	struct route_match m = find(w, HTTP_DELETE, "/v1/flows");

	assert_null(m.route);
	assert_int_equal(m.allowed, 1u << HTTP_GET | 1u << HTTP_POST);
	m = find(w, HTTP_OTHER, "/v1/flows/" ID);
	assert_int_equal(m.allowed,
		1u << HTTP_GET | 1u << HTTP_PUT | 1u << HTTP_PATCH | 1u << HTTP_DELETE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(each_route_is_reached_by_its_pattern),
		T(each_operation_has_its_own_id),
		T(parameters_are_decoded),
		T(what_is_not_there),
		T(other_methods_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
