/*
 * test_gather.c - what one walk finds for many paths is what each path finds by itself.
 */
#include "map_test.h"

#include "map/gather.h"

static const char *const docs[] = {
	"{}",
	"7",
	"[]",
	"[{'a':1,'b':{'c':2}},{'a':3}]",
	"{'a':1,'b':2}",
	"{'a':{'b':{'c':1}},'b':{'c':2,'c':3}}",
	"{'a':{'b':1},'a':{'c':2}}",
	"{'a':{'b':1},'a':5}",
	"{'':1,'a':{'':2}}",
	"{'a':[{'b':1},{'b':2}],'0':4}",
	("{'name_1':1,'nbme_1':2,'name_2':3,'nameX1':4,'a long name of two dozen':5,"
	 "'a long name of two dozeN':6,'abc':7,'abd':8,'abcdefgh':9,'abcdeXgh':10}"),
};

static const char *const paths[] = { "a", "b", "a.b", "a.b.c", "a.c", "b.c", "['']", "a['']",
	"a.0.b", "a[1].b", "0", "[0].a", "1.a", "name_1", "name_2", "nameX1",
	"a long name of two dozen", "abc", "abcdefgh", "a" };

static void test_as_each_path(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct path *p[ARRAY_LEN(paths)];
	size_t at[ARRAY_LEN(paths)], count = 0, found = 0;
	struct gather *g = gather_new(a, &count);
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_ok(path_compile(a, map_quotes(a, paths[i]), false, &p[i], &err));
		at[i] = gather_add(g, p[i]);
		assert_true(at[i] < count);
	}
	assert_int_equal(at[0], at[ARRAY_LEN(paths) - 1]);
	gather_finish(g);
	for (size_t d = 0; d < ARRAY_LEN(docs); d++) {
		const struct json *doc = map_json(a, docs[d]);
		const struct json **slots = arena_array_of(a, const struct json *, count);

		gather_record(g, doc, slots);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
			if (slots[at[i]] != path_get(p[i], doc))
				fail_msg("%s in %s", paths[i], docs[d]);
			found += slots[at[i]] != NULL;
		}
	}
	assert_in_range(found, 25, 100);
	arena_free(a);
}

static void test_elements(void **state UNUSED)
{
	static const char *const stars[] = { "[*]", "a[*].b", "a[*].b.c", "a[*][*].b", "a.0[*].b" };
	struct arena *a = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(stars); i++) {
		size_t count = 0;
		struct gather *of_record = gather_new(a, &count), *g = gather_new(a, &count);
		struct path *p;
		struct err err;

		assert_ok(path_compile(a, map_quotes(a, stars[i]), true, &p, &err));
		size_t star = gather_add_star(of_record, p), behind = gather_add_behind_star(g, p);

		assert_int_equal(star == GATHER_NPOS, i == 0 || i == 4);
		gather_finish(of_record);
		gather_finish(g);
		for (size_t d = 0; d < ARRAY_LEN(docs); d++) {
			const struct json *doc = map_json(a, docs[d]);
			const struct json **slots = arena_array_of(a, const struct json *, count);

			gather_element(g, doc, slots);
			assert_ptr_equal(slots[behind], path_get_behind_star(p, doc));
		}
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_each_path),
		cmocka_unit_test(test_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
