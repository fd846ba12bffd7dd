/*
 * test_path.c - what a path may be, what it finds, the arrays that stars walk, and the nearest array
 * that an empty export is explained with.
 */
#include "map_test.h"

static void check_get(const char *path, const char *doc, const char *want)
{
	struct arena *a = arena_new("test", 0);
	struct path *p;
	struct err err;

	assert_ok(path_compile(a, map_quotes(a, path), false, &p, &err));
	assert_str(path_text(p), map_quotes(a, path).p);
	assert_false(path_has_star(p));
	const struct json *v = path_get(p, map_json(a, doc));

	if (v == NULL)
		assert_null(want);
	else
		assert_str(json_print_arena(a, v), want);
	arena_free(a);
}

static void test_get(void **state UNUSED)
{
	check_get("a", "{'a':1}", "1");
	check_get("a.b.c", "{'a':{'b':{'c':1}}}", "1");
	check_get("a.b.c", "{'a':{'b':[]}}", NULL);
	check_get("a.0.b", "{'a':[{'b':1}]}", "1");
	check_get("a.0.b", "{'a':{'0':{'b':2}}}", "2");
	check_get("a[1]", "{'a':[1,2]}", "2");
	check_get("a[1]", "{'a':{'1':2}}", NULL);
	check_get("a[2]", "{'a':[1,2]}", NULL);
	check_get("a['x.y'].b", "{'a':{'x.y':{'b':3}}}", "3");
	check_get("['a']", "{'a':4}", "4");
	check_get("['\\'']", "{'a':4}", NULL);
	check_get("a b.c-d", "{'a b':{'c-d':5}}", "5");
	check_get("a", "{'a':1,'a':2}", "2");
	check_get("a", "{'a':null}", "null");
	check_get("a.b", "{'a':null}", NULL);
	check_get("a", "7", NULL);
	check_get("99999999999999999999", "[1]", NULL);
}

/* Of a record that is an array of rows, the first is meant, unless the path counts itself. */
static void test_rows(void **state UNUSED)
{
	check_get("a", "[{'a':1},{'a':2}]", "1");
	check_get("1.a", "[{'a':1},{'a':2}]", "2");
	check_get("[1].a", "[{'a':1},{'a':2}]", "2");
	check_get("a", "[]", NULL);
}

static void test_faults(void **state UNUSED)
{
	static const struct {
		const char *path, *words;
	} cases[] = {
		{ "", "position 1: expected a name" },
		{ ".a", "position 1: expected a name" },
		{ "a.", "position 3: expected a name" },
		{ "a..b", "position 3: expected a name" },
		{ "a]", "position 2: this character" },
		{ "a{b}", "position 2: this character" },
		{ "a[", "position 3: expected an index" },
		{ "a[x]", "position 3: expected an index" },
		{ "a[1", "position 4: expected ']'" },
		{ "a[1]b", "position 5: expected '.' or '['" },
		{ "a['b", "position 5: expected '\"'" },
		{ "a['b'", "position 6: expected ']'" },
		{ "a[*]", "list only" },
		{ "*", "list only" },
		{ "*.a", "list only" },
	};
	struct arena *a = arena_new("test", 0);
	struct path *p = NULL;
	struct err err;
	char deep[2 * PATH_STEPS_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_fails(path_compile(a, map_quotes(a, cases[i].path), false, &p, &err),
			ERR_INVALID, cases[i].words);
	}
	for (size_t i = 0; i <= PATH_STEPS_MAX; i++)
		memcpy(deep + 2 * i, "a.", 2);
	assert_fails(path_compile(a, str_of(deep, sizeof(deep) - 1), false, &p, &err), ERR_INVALID,
		"too many steps");
	assert_null(p);
	assert_ok(path_compile(a, str_of(deep, sizeof(deep) - 3), false, &p, &err));
	arena_free(a);
}

/* How many elements, the first, and what is behind the star in it. */
static void check_star(const char *path, const char *doc, size_t n, const char *first)
{
	struct arena *a = arena_new("test", 0);
	const struct json *element = NULL, *v;
	struct path *p;
	struct err err;

	assert_ok(path_compile(a, map_quotes(a, path), true, &p, &err));
	assert_true(path_has_star(p));
	assert_int_equal(path_star_elements(p, map_json(a, doc), &element), n);
	v = n == 0 ? NULL : path_get_behind_star(p, element);
	if (v == NULL)
		assert_null(first);
	else
		assert_str(json_print_arena(a, v), first);
	arena_free(a);
}

static void test_stars(void **state UNUSED)
{
	check_star("a[*].b", "{'a':[{'b':1},{'b':2}]}", 2, "1");
	check_star("a.b[*]", "{'a':{'b':[1,2,3]}}", 3, "1");
	check_star("a[*][*]", "{'a':[[7,8]]}", 1, "7");
	check_star("a[*].b", "{'a':[]}", 0, NULL);
	check_star("a[*].b", "{'a':{'b':1}}", 0, NULL);
	check_star("a[*].b", "{}", 0, NULL);
	check_star("a[*]", "[{'a':[1,2]},{'a':[3]}]", 2, "1");
	check_star("[*].b", "[{'b':1},{'b':2}]", 2, "1");
	check_star("*.b", "[{'b':1},{'b':2}]", 2, "1");
	check_star("*[0]", "[[5],[6]]", 2, "5");
	check_star("*", "[5,6]", 2, "5");
	check_star("*.b", "{'b':1}", 1, "1");
	check_star("1.a[*]", "[0,{'a':[4]}]", 1, "4");
}

static bool same(const char *x, const char *y)
{
	struct arena *a = arena_new("test", 0);
	struct path *p, *q;
	struct err err;
	bool result;

	assert_ok(path_compile(a, map_quotes(a, x), true, &p, &err));
	assert_ok(path_compile(a, map_quotes(a, y), true, &q, &err));
	result = path_same_star(p, q) && path_same_star(q, p);
	arena_free(a);
	return result;
}

static void test_same_star(void **state UNUSED)
{
	assert_true(same("a.b[*].c", "a.b[*].d"));
	assert_true(same("a['b'][*].c", "a.b[*]"));
	assert_true(same("*.a", "[*].b"));
	assert_true(same("a[1].b[*]", "a[1].b[*].c"));
	assert_false(same("a.b[*].c", "a.c[*].c"));
	assert_false(same("a[*].b[*]", "a.b[*]"));
	assert_false(same("a[1].b[*]", "a[2].b[*]"));
	/* "1" alone may be a name, in brackets it is an index */
	assert_false(same("a[1].b[*]", "a.1.b[*]"));
}

static void check_nearest(const char *doc, const char *path, size_t length)
{
	struct arena *a = arena_new("test", 0);
	size_t n = 99;
	struct str p = path_nearest_array(a, map_json(a, doc), &n);

	if (path == NULL)
		assert_null(p.p);
	else
		assert_str(p, path);
	assert_int_equal(n, length);
	arena_free(a);
}

static void test_nearest_array(void **state UNUSED)
{
	check_nearest("{'data':{'items':[1,2]},'errors':[]}", "data.items", 2);
	check_nearest("{'a':[],'b':[]}", "a", 0);
	check_nearest("{'a':{'b':{'c':[1]}}}", "a.b.c", 1);
	check_nearest("{'a':{'b':{'c':{'d':[1]}}}}", NULL, 0);
	check_nearest("[1,2]", NULL, 0);
	check_nearest("{'a':1}", NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_stars),
		cmocka_unit_test(test_same_star),
		cmocka_unit_test(test_nearest_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
