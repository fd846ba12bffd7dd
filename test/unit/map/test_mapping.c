/*
 * test_mapping.c - each step of a field on its own, lists, records that are rows, and every fault
 * that compiling finds.
 */
#include "map_test.h"

#define FIELD(members)           "{'fields':[{'generate':'x'," members "}]}"
#define X(members, record, want) assert_maps(FIELD(members), NULL, record, NULL, want)
#define X_FAILS(members, record, words) \
	assert_map_fails(FIELD(members), NULL, record, NULL, ERR_MAPPING, "x", words)

static void test_identity(void **state UNUSED)
{
	assert_maps(NULL, NULL, "{'a':[1,{'b':0.10}]}", NULL, "{'a':[1,{'b':0.10}]}");
	assert_maps("null", NULL, "[1,2]", NULL, "[1,2]");
	assert_maps("{}", NULL, "{'a':1}", NULL, "{}");
}

static void test_sources(void **state UNUSED)
{
	X("'extract':'a'", "{'a':[1,{'b':0.10}]}", "{'x':[1,{'b':0.10}]}");
	X("'extract':'a'", "{'a':null}", "{'x':null}");
	X("'extract':'a'", "{}", "{}");
	X("'extract':'a'", "{'a':''}", "{'x':''}");
	X("'extract':'{a}-{b}'", "{'a':1,'b':true}", "{'x':'1-true'}");
	X("'extract':'{a}-{b}'", "{'b':2}", "{'x':'-2'}");
	X("'extract':'{a}-{b}'", "{'c':2}", "{}");
	X("'hardCodedValue':''", "{}", "{'x':''}");
	X("'hardCodedValue':null", "{}", "{'x':null}");
	X("'hardCodedValue':{'a':[]}", "{}", "{'x':{'a':[]}}");
	X("'extract':'a','default':7", "{}", "{'x':7}");
	X("'extract':'a','default':null", "{}", "{'x':null}");
	X("'extract':'a','default':7", "{'a':null}", "{'x':null}");
	X("'default':7", "{}", "{'x':7}");
}

static void test_types(void **state UNUSED)
{
	X("'extract':'a','dataType':'string'", "{'a':1.50}", "{'x':'1.50'}");
	X("'extract':'a','dataType':'string'", "{'a':true}", "{'x':'true'}");
	X("'extract':'a','dataType':'string'", "{'a':false}", "{'x':'false'}");
	X("'extract':'a','dataType':'number'", "{'a':' 9007199254740993 '}",
		"{'x':9007199254740993}");
	X("'extract':'a','dataType':'number'", "{'a':'-1.5E+7'}", "{'x':-1.5E+7}");
	X("'extract':'a','dataType':'number'", "{'a':true}", "{'x':1}");
	X("'extract':'a','dataType':'boolean'", "{'a':'TRUE'}", "{'x':true}");
	X("'extract':'a','dataType':'boolean'", "{'a':0}", "{'x':false}");
	X("'extract':'a','dataType':'stringarray'", "{'a':[1,'b',null]}", "{'x':['1','b',null]}");
	X("'extract':'a','dataType':'stringarray'", "{'a':1}", "{'x':['1']}");
	X("'extract':'a','dataType':'numberarray'", "{'a':['1',2]}", "{'x':[1,2]}");
	X("'extract':'a','dataType':'booleanarray'", "{'a':['1','false']}", "{'x':[true,false]}");
	X("'extract':'a','dataType':'objectarray'", "{'a':{'b':1}}", "{'x':[{'b':1}]}");
	X("'extract':'a','dataType':'number'", "{'a':null}", "{'x':null}");
	X("'hardCodedValue':'7','dataType':'number'", "{}", "{'x':7}");
}

static void test_types_refused(void **state UNUSED)
{
	static const char *const not_numbers[] = { "''", "'007'", "'+5'", "'.5'", "'5.'", "'1e'",
		"'1,000'", "'abc'", "'-'", "[1]", "{}" };

	for (size_t i = 0; i < ARRAY_LEN(not_numbers); i++) {
		char record[64];

		snprintf(record, sizeof(record), "{'a':%s}", not_numbers[i]);
		X_FAILS("'extract':'a','dataType':'number'", record, "can't be made a number");
	}
	X_FAILS("'extract':'a','dataType':'boolean'", "{'a':'yes'}",
		"field \"x\": \"yes\" can't be made a boolean");
	X_FAILS("'extract':'a','dataType':'numberarray'", "{'a':[1,'b']}",
		"[1,\"b\"] can't be made a list of numbers");
	X_FAILS("'extract':'a','dataType':'objectarray'", "{'a':[1]}", "a list of objects");
}

static void hint_is(const char *type, const char *value, const char *words)
{
	struct arena *a = arena_new("test", 0);
	struct err err = ERR_INIT;
	const char *mapping =
		str_fmt(a, "{'fields':[{'extract':'a','generate':'x','dataType':'%s'}]}", type).p;
	struct str out = map_run(a, mapping, NULL, str_fmt(a, "{'a':%s}", value).p, NULL, &err);

	assert_null(out.p);
	if (words[0] == '\0' ? err.hint[0] != '\0' : strstr(err.hint, words) == NULL)
		fail_msg("%s as %s: the hint is \"%s\"", value, type, err.hint);
	arena_free(a);
}

static void test_what_to_do_about_refused_types(void **state UNUSED)
{
	hint_is("number", "'004'", "lose the leading zeros: set dataType to string");
	hint_is("number", "' 007 '", "leading zeros");
	hint_is("numberarray", "[1,'x','04']", "thousands separators");
	hint_is("numberarray", "['1','04']", "leading zeros");
	hint_is("numberarray", "'04'", "leading zeros");
	hint_is("number", "'1,000'", "no thousands separators");
	hint_is("number", "[1]", "");
	hint_is("boolean", "'yes'", "true, false, 1 and 0");
	hint_is("objectarray", "[1]", "");
}

static void test_dates(void **state UNUSED)
{
	X("'extract':'a','extractDateFormat':'MM/DD/YYYY','generateDateFormat':'YYYY-MM-DD'",
		"{'a':'06/19/2017'}", "{'x':'2017-06-19'}");
	X("'extract':'a','extractDateFormat':'MM/DD/YYYY HH:mm','extractDateTimezone':"
	  "'America/New_York','generateDateFormat':'YYYY-MM-DD HH:mm Z','generateDateTimezone':"
	  "'Europe/Berlin'",
		"{'a':'06/19/2017 17:27'}", "{'x':'2017-06-19 23:27 +02:00'}");
	/* what is not said: ISO 8601 or an epoch, UTC; the zone to write in is the one read in */
	X("'extract':'a','generateDateFormat':'ll'", "{'a':'2017-06-19T21:27:09Z'}",
		"{'x':'Jun 19, 2017'}");
	X("'extract':'a','generateDateFormat':'ll'", "{'a':1497907629}", "{'x':'Jun 19, 2017'}");
	X("'extract':'a','generateDateFormat':'ll'", "{'a':'1497907629945'}",
		"{'x':'Jun 19, 2017'}");
	X("'extract':'a','extractDateFormat':'YYYY-MM-DD','extractDateTimezone':'Asia/Tokyo',"
	  "'generateDateFormat':'D.M.YYYY'",
		"{'a':'2017-06-19'}", "{'x':'19.6.2017'}");
	X("'extract':'a','extractDateFormat':'X'", "{'a':1497907629}",
		"{'x':'2017-06-19T21:27:09.000Z'}");
	X("'extract':'a','generateDateTimezone':'+05:30'", "{'a':'2017-06-19'}",
		"{'x':'2017-06-19T05:30:00.000+05:30'}");
	/* a number, where one is asked for */
	X("'extract':'a','generateDateFormat':'X','dataType':'number'", "{'a':'2017-06-19'}",
		"{'x':1497830400}");
	/* null stays; fixed values and defaults are written as they stand */
	X("'extract':'a','generateDateFormat':'ll'", "{'a':null}", "{'x':null}");
	X("'extract':'a','generateDateFormat':'ll','default':'never'", "{}", "{'x':'never'}");
	X("'hardCodedValue':'today','generateDateFormat':'ll'", "{}", "{'x':'today'}");
	X("'extract':'a','generateDateFormat':'ll','discardIfEmpty':true", "{'a':''}", "{}");
}

static void test_dates_refused(void **state UNUSED)
{
	X_FAILS("'extract':'a','extractDateFormat':'MM/DD/YYYY'", "{'a':'19/06/2017'}",
		"field \"x\": \"19/06/2017\" can't be read as a date: date \"19/06/2017\", "
		"position "
		"1: MM needs");
	X_FAILS("'extract':'a','generateDateFormat':'ll'", "{'a':''}", "can't be read as a date");
	X_FAILS("'extract':'a','generateDateFormat':'ll'", "{'a':[1]}", "found an array");
}

#define MAPPED                   "[{'name':'m','map':{'a':'A','e':''}},{'name':'n','map':{'a':1}}]"
#define W(members, record, want) assert_maps(FIELD(members), MAPPED, record, NULL, want)

static void test_conditions(void **state UNUSED)
{
#define WHEN(w) "'extract':'a','conditional':{'when':'" w "'}"
	X(WHEN("extract_not_empty"), "{'a':1}", "{'x':1}");
	X(WHEN("extract_not_empty") ",'default':7", "{'a':''}", "{}");
	X(WHEN("extract_not_empty") ",'default':7", "{}", "{}");
	X(WHEN("extract_not_empty"), "{'a':[]}", "{}");
	X(WHEN("extract_not_empty"), "{'a':null}", "{}");
	W(WHEN("lookup_not_empty") ",'lookupName':'m'", "{'a':'a'}", "{'x':'A'}");
	W(WHEN("lookup_not_empty") ",'lookupName':'m'", "{'a':'b'}", "{}");
	W(WHEN("lookup_not_empty") ",'lookupName':'m'", "{'a':'e'}", "{}");
	W(WHEN("lookup_empty") ",'lookupName':'m','default':7", "{'a':'b'}", "{'x':7}");
	W(WHEN("lookup_empty") ",'lookupName':'m','default':7", "{'a':'a'}", "{}");
	/* another lookup decides */
	W("'extract':'a','conditional':{'when':'lookup_empty','lookupName':'n'}", "{'a':'b'}",
		"{'x':'b'}");
	W("'extract':'a','conditional':{'when':'lookup_empty','lookupName':'n'}", "{'a':'a'}",
		"{}");
	/* which does not excuse the field's own */
	assert_map_fails(FIELD("'extract':'a','lookupName':'m','conditional':{'when':"
			       "'lookup_empty','lookupName':'n'}"),
		MAPPED, "{'a':'b'}", NULL, ERR_LOOKUP, "x", "lookup \"m\"");
}

static void test_fate(void **state UNUSED)
{
	struct arena *a = arena_new("test", 0);
	struct mapping_env created = { .fate = MAPPING_CREATES }, updated = created;

	updated.fate = MAPPING_UPDATES;
	assert_maps(FIELD(WHEN("record_created")), NULL, "{'a':1}", &created, "{'x':1}");
	assert_maps(FIELD(WHEN("record_created")), NULL, "{'a':1}", &updated, "{}");
	assert_maps(FIELD(WHEN("record_updated")), NULL, "{'a':1}", &created, "{}");
	assert_maps(FIELD(WHEN("record_updated")), NULL, "{'a':1}", &updated, "{'x':1}");
	X_FAILS(WHEN("record_updated"), "{'a':1}", "created or updated, and that is not known");

	assert_maps(FIELD(WHEN("ignore_if_set")), NULL, "{'a':1}", &created, "{'x':1}");
	assert_map_fails(FIELD(WHEN("ignore_if_set")), NULL, "{'a':1}", &updated, ERR_MAPPING, "x",
		"what the application has already");
	updated.existing = map_json(a, "{'x':''}");
	assert_maps(FIELD(WHEN("ignore_if_set")), NULL, "{'a':1}", &updated, "{'x':1}");
	updated.existing = map_json(a, "{'x':0}");
	assert_maps(FIELD(WHEN("ignore_if_set")), NULL, "{'a':1}", &updated, "{}");
	arena_free(a);
}

static void test_discard(void **state UNUSED)
{
	static const char *const empty[] = { "null", "''", "[]", "{}" };

	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		char record[32];

		snprintf(record, sizeof(record), "{'a':%s}", empty[i]);
		X("'extract':'a','discardIfEmpty':true", record, "{}");
		X("'extract':'a','discardIfEmpty':'true'", record, "{}");
	}
	X("'extract':'a','discardIfEmpty':true", "{'a':0}", "{'x':0}");
	X("'extract':'a','discardIfEmpty':true", "{'a':false}", "{'x':false}");
	X("'extract':'a','discardIfEmpty':true,'default':7", "{}", "{'x':7}");
	X("'extract':'a','discardIfEmpty':true,'default':''", "{}", "{}");
}

static void test_static_lookups(void **state UNUSED)
{
	static const char lookups[] =
		"[{'name':'l','map':{'1':'one','true':'yes','[1]':null},'allowFailures':true,"
		"'default':'?'},{'name':'plain','map':{'1':'one'}}]";

	assert_maps(FIELD("'extract':'a','lookupName':'l'"), lookups, "{'a':1}", NULL,
		"{'x':'one'}");
	assert_maps(FIELD("'extract':'a','lookup':'l'"), lookups, "{'a':true}", NULL,
		"{'x':'yes'}");
	assert_maps(FIELD("'extract':'a','lookupName':'l'"), lookups, "{'a':[1]}", NULL,
		"{'x':null}");
	assert_maps(FIELD("'extract':'a','lookupName':'l'"), lookups, "{'a':2}", NULL, "{'x':'?'}");
	assert_maps(FIELD("'extract':'a','lookupName':'l'"), lookups, "{}", NULL, "{}");
	assert_maps(FIELD("'extract':'{a}','lookupName':'plain'"), lookups, "{'a':1}", NULL,
		"{'x':'one'}");
	assert_map_fails(FIELD("'extract':'a','lookupName':'plain'"), lookups, "{'a':2}", NULL,
		ERR_LOOKUP, "x", "field \"x\": 2 is not in lookup \"plain\"");
}

#define LIST(fields)            "{'lists':[{'generate':'to.l','fields':[" fields "]}]}"
#define L(fields, record, want) assert_maps(LIST(fields), NULL, record, NULL, want)

static void test_lists(void **state UNUSED)
{
	static const char two[] = LIST("{'extract':'a[*].v','generate':'v'},"
				       "{'extract':'b[*]','generate':'w'},"
				       "{'extract':'c','generate':'c'}");

	assert_maps(two, NULL, "{'a':[{'v':1},{'v':2}],'b':[3],'c':9}", NULL,
		"{'to':{'l':[{'v':1,'w':3,'c':9},{'v':2,'c':9}]}}");
	/* lines without any [*] value are not made; a list without lines is left out */
	assert_maps(two, NULL, "{'a':[{'u':1},{'v':2}],'c':9}", NULL,
		"{'to':{'l':[{'v':2,'c':9}]}}");
	assert_maps(two, NULL, "{'a':[{'u':1}],'b':{},'c':9}", NULL, "{}");
	assert_maps(two, NULL, "{'c':9}", NULL, "{}");
	assert_maps(two, NULL, "{'a':[{'v':null}]}", NULL, "{'to':{'l':[{'v':null}]}}");
	/* deeper arrays, more stars, quoted names */
	L("{'extract':'o.a[*].b[*].c','generate':'c'}", "{'o':{'a':[{'b':[{'c':1},{'c':2}]}]}}",
		"{'to':{'l':[{'c':1}]}}");
	L("{'extract':'o[1].a[*]','generate':'c'},{'extract':'o.1.a[*]','generate':'d'}",
		"{'o':[0,{'a':[5]}]}", "{'to':{'l':[{'c':5,'d':5}]}}");
	L("{'extract':'[\\'x.y\\'][*].v','generate':'v.w'}", "{'x.y':[{'v':1}]}",
		"{'to':{'l':[{'v':{'w':1}}]}}");
	/* several lists share a parent, in the order of first mention */
	assert_maps("{'fields':[{'extract':'c','generate':'o.c'}],'lists':[{'generate':'o.l',"
		    "'fields':[{'extract':'a[*]','generate':'v'}]},{'generate':'m','fields':["
		    "{'extract':'a[*]','generate':'w'}]}]}",
		NULL, "{'a':[1,2],'c':3}", NULL,
		"{'o':{'c':3,'l':[{'v':1},{'v':2}]},'m':[{'w':1},{'w':2}]}");
}

static void test_list_errors_name_the_line(void **state UNUSED)
{
	assert_map_fails(LIST("{'extract':'a[*]','generate':'v','dataType':'number'}"), NULL,
		"{'a':['1','two']}", NULL, ERR_MAPPING, "v",
		"line 2: field \"v\": \"two\" can't be made a number");
}

/* A record that is an array of rows. */
static void test_rows(void **state UNUSED)
{
	static const char order[] =
		"{'fields':[{'extract':'id','generate':'id'},{'extract':'1.id','generate':'second'}"
		","
		"{'extract':'{id}/"
		"{sku}','generate':'text'}],'lists':[{'generate':'lines','fields':["
		"{'extract':'*.sku','generate':'sku'},{'extract':'[*].n','generate':'n'},"
		"{'extract':'id','generate':'order'},{'extract':'tags[*]','generate':'tag'}]}]}";

	assert_maps("{'fields':[{'extract':'id','generate':'id'}],'lists':[{'generate':'l',"
		    "'fields':[{'extract':'*.sku','generate':'sku'},{'extract':'id',"
		    "'generate':'order'}]}]}",
		NULL, "[{'id':1,'sku':'A'},{'id':2,'sku':'B'}]", NULL,
		"{'id':1,'l':[{'sku':'A','order':1},{'sku':'B','order':1}]}");
	/* the same mapping takes a record that is not grouped */
	assert_maps("{'lists':[{'generate':'l','fields':[{'extract':'[*].sku','generate':'s'}]}]}",
		NULL, "{'sku':'A'}", NULL, "{'l':[{'s':'A'}]}");
	assert_maps("{'lists':[{'generate':'l','fields':[{'extract':'*','generate':'s'}]}]}", NULL,
		"[1,[2]]", NULL, "{'l':[{'s':1},{'s':[2]}]}");
	assert_maps(order, NULL, "[{'id':1,'sku':'A','n':1,'tags':['t']},{'id':2,'sku':'B'}]", NULL,
		"{'id':1,'second':2,'text':'1/A','lines':[{'sku':'A','n':1,'order':1,'tag':'t'},"
		"{'sku':'B','order':1}]}");
	assert_maps(order, NULL, "[]", NULL, "{}");
}

/* ---- faults ---- */

#define FAULT(mapping, field_, words) \
	assert_map_fails(mapping, MAPPED, "{}", NULL, ERR_INVALID, field_, words)

static void test_faults(void **state UNUSED)
{
	FAULT("{'fields':[{'extract':'a'}]}", "mapping.fields.0.generate", "needs the name");
	FAULT(FIELD("'x':1"), "mapping.fields.0.extract", "needs an extract");
	FAULT(FIELD("'extract':'a','hardCodedValue':1"), "mapping.fields.0.hardCodedValue",
		"either");
	FAULT(FIELD("'extract':'a..b'"), "mapping.fields.0.extract", "position 3");
	FAULT(FIELD("'extract':'a[*]'"), "mapping.fields.0.extract", "list only");
	FAULT(FIELD("'extract':'*.a'"), "mapping.fields.0.extract", "list only");
	FAULT(FIELD("'extract':'a','lookupName':'none'"), "mapping.fields.0.lookupName",
		"no lookup named \"none\"");
	FAULT(FIELD("'extract':'a','lookup':'none'"), "mapping.fields.0.lookup", "none");
	FAULT(FIELD("'extract':'a','dataType':'date'"), "mapping.fields.0.dataType", "\"date\"");
	FAULT("{'fields':[{'extract':'a','generate':'x'},{'extract':'b','generate':'x'}]}",
		"mapping.fields.1.generate", "generated twice");
	FAULT("{'fields':[{'extract':'a','generate':'x'},{'extract':'b','generate':'x.y'}]}",
		"mapping.fields.1.generate", "inside a value");
	FAULT("{'fields':[{'extract':'a','generate':'x..y'}]}", "mapping.fields.0.generate",
		"empty name");
	FAULT("{'lists':[{'fields':[]}]}", "mapping.lists.0.generate", "needs the name");
	FAULT("{'lists':[{'generate':'l','fields':[{'extract':'a[','generate':'v'}]}]}",
		"mapping.lists.0.fields.0.extract", "path \"a[\"");
}

static void test_faults_of_conditions_and_dates(void **state UNUSED)
{
	FAULT(FIELD(WHEN("sometimes")), "mapping.fields.0.conditional.when", "\"sometimes\"");
	FAULT(FIELD("'hardCodedValue':1,'conditional':{'when':'extract_not_empty'}"),
		"mapping.fields.0.conditional.when", "needs an extract");
	FAULT(FIELD(WHEN("lookup_empty")), "mapping.fields.0.conditional.when", "needs a lookup");
	FAULT(FIELD("'extract':'a','conditional':{'when':'lookup_empty','lookupName':'none'}"),
		"mapping.fields.0.conditional.lookupName", "none");
	FAULT(FIELD("'extract':'a','conditional':{'lookupName':'m'}"),
		"mapping.fields.0.conditional.when", "needs a when");
	FAULT(LIST("{'extract':'a[*]','generate':'v','conditional':{'when':'ignore_if_set'}}"),
		"mapping.lists.0.fields.0.conditional.when", "no meaning in a list");
	FAULT(FIELD("'extract':'a','extractDateFormat':'MM/DD'"),
		"mapping.fields.0.extractDateFormat", "needs a year");
	FAULT(FIELD("'extract':'a','extractDateTimezone':'Mars/Base'"),
		"mapping.fields.0.extractDateTimezone", "no time zone named");
	FAULT(FIELD("'extract':'a','generateDateTimezone':'../../etc/passwd'"),
		"mapping.fields.0.generateDateTimezone", "no time zone named");
}

static void test_depth(void **state UNUSED)
{
	char mapping[512] = "{'fields':[{'extract':'a','generate':'";
	size_t n = strlen(mapping);

	for (size_t i = 0; i < PATH_STEPS_MAX; i++) {
		memcpy(mapping + n, "b.", 2);
		n += 2;
	}
	snprintf(mapping + n, sizeof(mapping) - n, "c'}]}");
	FAULT(mapping, "mapping.fields.0.generate", "more than 32 names");
}

/* With a scratch buffer, records of a page allocate from the arena alone. */
static void test_scratch(void **state UNUSED)
{
	struct buf scratch DEFER(buf_free) = BUF_INIT(0);
	struct mapping_env env = { .scratch = &scratch };

	assert_maps(FIELD("'extract':'{a} {a}'"), NULL, "{'a':'long'}", &env, "{'x':'long long'}");
	assert_maps(FIELD("'extract':'{a}'"), NULL, "{'a':1}", &env, "{'x':'1'}");
	assert_maps(FIELD("'extract':'{a}'"), NULL, "{'a':[1]}", &env, "{'x':'[1]'}");
	assert_true(scratch.cap > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_types_refused),
		cmocka_unit_test(test_what_to_do_about_refused_types),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_dates_refused),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_fate),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_static_lookups),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_errors_name_the_line),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_faults_of_conditions_and_dates),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
