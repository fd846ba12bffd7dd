/*
 * test_mapping_explain.c - why a field has the value that it has, or none.
 */
#include "map_test.h"

static void explains(const char *mapping, const char *lookups, const char *record, const char *want)
{
	struct arena *a = arena_new("test", 0);
	struct err err;
	struct mapping *m;
	struct json_build b;

	assert_ok(mapping_compile(a, map_json(a, mapping), map_json(a, lookups), &m, &err));
	json_build_init(&b, a);
	mapping_explain(m, map_json(a, record), NULL, &b);
	assert_str(json_print_arena(a, json_build_done(&b)), map_quotes(a, want).p);
	arena_free(a);
}

static void test_fields(void **state UNUSED)
{
	explains(NULL, NULL, "{}", "[]");
	explains("{'fields':[{'generate':'a.b','extract':'x'},{'generate':'c','hardCodedValue':"
		 "null}]}",
		NULL, "{'x':1.50}",
		"[{'generate':'a.b','value':1.50},{'generate':'c','value':null}]");
	explains("{'fields':[{'generate':'a','extract':'x'}]}", NULL, "{}",
		"[{'generate':'a','omitted':'the extract has no value in this record'}]");
	explains("{'fields':[{'generate':'a','extract':'x','discardIfEmpty':true}]}", NULL,
		"{'x':[]}",
		"[{'generate':'a','omitted':'it is empty, and discardIfEmpty is set'}]");
	explains("{'fields':[{'generate':'a','extract':'x','discardIfEmpty':true}]}", NULL, "{}",
		"[{'generate':'a','omitted':'the extract has no value in this record'}]");
	explains("{'fields':[{'generate':'a','default':1,'conditional':{'when':"
		 "'extract_not_empty'},'extract':'x'}]}",
		NULL, "{}", "[{'generate':'a','omitted':'its condition does not hold'}]");
}

static void test_lookups(void **state UNUSED)
{
	static const char *const soft = "[{'name':'l','map':{'k':'v'},'allowFailures':true}]";
	static const char *const hard = "[{'name':'l','map':{'k':'v'}}]";
	static const char *const mapping =
		"{'fields':[{'generate':'a','extract':'x','lookupName':'l'}]}";

	explains(mapping, soft, "{'x':'k'}", "[{'generate':'a','value':'v'}]");
	explains(mapping, soft, "{'x':'q'}",
		"[{'generate':'a','omitted':'the lookup has nothing for the value'}]");
	explains(mapping, soft, "{}",
		"[{'generate':'a','omitted':'the extract has no value in this record'}]");
	/* an error of one field leaves the others */
	explains("{'fields':[{'generate':'a','extract':'x','lookupName':'l'},{'generate':'b',"
		 "'extract':'x'}]}",
		hard, "{'x':5}",
		"[{'generate':'a','error':{'code':'lookup_failed','message':'field \\'a\\': 5 is "
		"not in "
		"lookup \\'l\\''}},{'generate':'b','value':5}]");
}

static void test_lists(void **state UNUSED)
{
	explains("{'lists':[{'generate':'o.lines','fields':[{'generate':'sku','extract':'i[*].s'},"
		 "{'generate':'id','extract':'id'}]}]}",
		NULL, "{'id':7,'i':[{'s':'A'},{}]}",
		"[{'generate':'o.lines','elements':2,'lines':[[{'generate':'sku','value':'A'},"
		"{'generate':'id','value':7}],[{'generate':'sku','omitted':'the extract has no "
		"value in "
		"this record'},{'generate':'id','value':7}]]}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
