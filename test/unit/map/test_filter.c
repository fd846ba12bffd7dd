/*
 * test_filter.c - filters: what each operator answers, what faults are told, what is explained.
 */
#include "test.h"

#include "core/thread.h"
#include "map/filter.h"

static const struct json *parse(struct arena *a, const char *text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(a, str_z(text), &doc, &err))
		fail_msg("%s: %s", text, err.message);
	return doc;
}

static const char *const record =
	"{\"status\":\"open\",\"id\":9007199254740993,\"price\":0.10,\"qty\":\"12\",\"none\":null,"
	"\"yes\":true,\"no\":false,\"tags\":[\"a\",\"B\",3.0],\"empty\":\"\",\"list\":[],\"obj\":{}"
	","
	"\"addr\":{\"city\":\"K\xC3\xB8"
	"benhavn\",\"zip\":1000},\"lines\":[{\"sku\":\"x\"}],"
	"\"at\":\"2024-02-29T12:30:00.5+02:00\",\"neg\":-1.5}";

static const struct json *env_get(void *ctx, enum filter_source source, struct str name)
{
	const struct json *doc = ctx;

	return json_get(json_get(doc, source == FILTER_SETTINGS ? STR("settings") : STR("context")),
		name);
}

static struct filter *compile(struct arena *a, const char *rules)
{
	struct filter *f;
	struct err err = ERR_INIT;
	const char *text = str_fmt(a, "{\"version\":\"1\",\"rules\":%s}", rules).p;

	if (!filter_compile(a, parse(a, text), "filter", &f, &err))
		fail_msg("%s: %s: %s", rules, err.field, err.message);
	return f;
}

static bool passes(const char *rules)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	union {
		const struct json *doc;
		void *ctx;
	} known = { parse(a, "{\"settings\":{\"flow.min\":5},\"context\":{\"mode\":\"full\"}}") };
	const struct filter_env env = { env_get, known.ctx };
	struct filter *f = compile(a, rules);
	size_t used = arena_used(a);
	struct err err = ERR_INIT;
	bool answer = false;

	if (!filter_passes(f, parse(a, record), &env, a, &answer, &err))
		fail_msg("%s: %s", rules, err.message);
	assert_true(used > 0);
	return answer;
}

#define PASSES(rules) assert_true(passes(rules))
#define DROPS(rules)  assert_false(passes(rules))

static void constants_and_conditions(void **state UNUSED)
{
	PASSES("[]");
	PASSES("null");
	PASSES("[\"and\",[\"equals\",[\"string\",[\"extract\",\"status\"]],\"open\"],"
	       "[\"or\",[\"equals\",[\"extract\",\"qty\"],\"13\"],[\"extract\",\"yes\"]]]");
	PASSES("[[\"extract\",\"yes\"],[\"not\",[\"extract\",\"no\"]]]");
	DROPS("[[\"extract\",\"yes\"],[\"extract\",\"no\"]]");
	DROPS("[\"and\",true,[\"extract\",\"missing\"]]");
	DROPS("[\"or\",false,null,\"\",\"maybe\",0]");
	PASSES("[\"or\",\"TRUE\"]");
	PASSES("[\"not\",[\"extract\",\"none\"]]");
}

static void equality(void **state UNUSED)
{
	PASSES("[\"equals\",[\"extract\",\"id\"],9007199254740993]");
	DROPS("[\"equals\",[\"extract\",\"id\"],9007199254740992]");
	PASSES("[\"equals\",[\"extract\",\"price\"],1e-1]");
	PASSES("[\"equals\",0,-0.0e5]");
	DROPS("[\"equals\",[\"extract\",\"qty\"],12]");
	PASSES("[\"equals\",[\"number\",[\"extract\",\"qty\"]],12.0]");
	PASSES("[\"equals\",[\"string\",12],[\"extract\",\"qty\"]]");
	PASSES("[\"equals\",[\"extract\",\"missing\"],[\"extract\",\"none\"]]");
	PASSES("[\"equals\",[\"extract\",\"missing\"],null]");
	DROPS("[\"equals\",[\"extract\",\"missing\"],\"\"]");
	PASSES("[\"notequals\",[\"extract\",\"missing\"],\"x\"]");
	DROPS("[\"equals\",[\"extract\",\"yes\"],\"true\"]");
	PASSES("[\"equals\",[\"extract\",\"lines\"],[\"extract\",\"lines\"]]");
	DROPS("[\"equals\",[\"extract\",\"list\"],[\"extract\",\"obj\"]]");
	PASSES("[\"equals\",[\"extract\",\"addr.zip\"],1e3]");
	PASSES("[\"equals\",[\"extract\",\"lines[0].sku\"],\"x\"]");
}

static void order(void **state UNUSED)
{
	PASSES("[\"greaterthan\",[\"extract\",\"id\"],9007199254740992]");
	DROPS("[\"greaterthan\",[\"extract\",\"id\"],9007199254740993]");
	PASSES("[\"greaterthanequals\",[\"extract\",\"id\"],9007199254740993.00]");
	PASSES("[\"lessthan\",[\"extract\",\"neg\"],-1.49]");
	PASSES("[\"lessthan\",-2,[\"extract\",\"neg\"]]");
	PASSES("[\"lessthan\",0.1,1e400]");
	PASSES("[\"greaterthan\",1e-400,0]");
	PASSES("[\"greaterthan\",-1e99999999999,-1e999999999999]");
	PASSES("[\"lessthanequals\",\"9\",\"9a\"]");
	PASSES("[\"lessthan\",[\"extract\",\"qty\"],\"9\"]"); /* as text */
	DROPS("[\"lessthan\",[\"number\",[\"extract\",\"qty\"]],9]");
	DROPS("[\"lessthan\",[\"extract\",\"missing\"],5]");
	DROPS("[\"greaterthanequals\",[\"extract\",\"missing\"],5]");
	DROPS("[\"greaterthan\",[\"extract\",\"qty\"],5]");
	PASSES("[\"greaterthan\",true,false]");
}

static void texts(void **state UNUSED)
{
	PASSES("[\"contains\",[\"extract\",\"status\"],\"pe\"]");
	PASSES("[\"contains\",[\"extract\",\"id\"],\"0993\"]");
	PASSES("[\"contains\",[\"extract\",\"tags\"],3]");
	DROPS("[\"contains\",[\"extract\",\"tags\"],\"b\"]");
	PASSES("[\"doesnotcontain\",[\"extract\",\"missing\"],\"b\"]");
	DROPS("[\"contains\",[\"extract\",\"addr\"],\"city\"]");
	PASSES("[\"startswith\",[\"extract\",\"status\"],\"op\"]");
	PASSES("[\"endswith\",[\"extract\",\"status\"],\"en\"]");
	DROPS("[\"startswith\",[\"extract\",\"missing\"],\"\"]");
	PASSES("[\"matches\",[\"extract\",\"status\"],\"^o.+n$\"]");
	PASSES("[\"matches\",[\"extract\",\"addr.city\"],\"^K.b\"]");
	PASSES("[\"matches\",[\"extract\",\"addr.city\"],\"\\\\u00f8\"]");
	DROPS("[\"matches\",[\"extract\",\"missing\"],\"\"]");
	PASSES("[\"equals\",[\"uppercase\",[\"extract\",\"addr.city\"]],\"K\xC3\x98"
	       "BENHAVN\"]");
	PASSES("[\"equals\",[\"lowercase\","
	       "\"\xC5\xB8\xCE\xA3\xD0\xAF\xE1\xBA\xA4\xF0\x9F\x98\x80Z\"],"
	       "\"\xC3\xBF\xCF\x83\xD1\x8F\xE1\xBA\xA5\xF0\x9F\x98\x80z\"]");
	PASSES("[\"empty\",[\"lowercase\",5]]");
}

static void emptiness(void **state UNUSED)
{
	PASSES("[\"and\",[\"empty\",[\"extract\",\"missing\"]],[\"empty\",[\"extract\",\"none\"]],"
	       "[\"empty\",[\"extract\",\"empty\"]],[\"empty\",[\"extract\",\"list\"]],"
	       "[\"empty\",[\"extract\",\"obj\"]]]");
	DROPS("[\"or\",[\"empty\",0],[\"empty\",false],[\"empty\",\" \"],"
	      "[\"empty\",[\"extract\",\"tags\"]]]");
	PASSES("[\"notempty\",[\"extract\",\"status\"]]");
	DROPS("[\"notempty\",[\"extract\",\"missing\"]]");
}

/* [OPERATOR, OPERAND] as JSON; "nothing" when it has no value. */
static const char *value(struct arena *a, const char *expression)
{
	struct json_build b;

	json_build_init(&b, a);
	filter_explain(compile(a, expression), parse(a, record), NULL, &b);
	const struct json *v = json_get_path(json_build_done(&b), STR("expression.value"));

	return v == NULL ? "nothing" : str_to_z(a, json_print_arena(a, v));
}

static void coercions_and_transforms(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{ "[\"string\",1.50]", "\"1.50\"" },
		{ "[\"string\",true]", "\"true\"" },
		{ "[\"string\",[\"extract\",\"tags\"]]", "\"[\\\"a\\\",\\\"B\\\",3.0]\"" },
		{ "[\"string\",[\"extract\",\"missing\"]]", "nothing" },
		{ "[\"number\",\" 007.50 \"]", "7.50" },
		{ "[\"number\",\"+.5e+3\"]", "0.5e+3" },
		{ "[\"number\",\"5.\"]", "5" },
		{ "[\"number\",\"-12\"]", "-12" },
		{ "[\"number\",\"\"]", "nothing" },
		{ "[\"number\",\".\"]", "nothing" },
		{ "[\"number\",\"1,000\"]", "nothing" },
		{ "[\"number\",\"1e\"]", "nothing" },
		{ "[\"number\",\"0x10\"]", "nothing" },
		{ "[\"number\",\"NaN\"]", "nothing" },
		{ "[\"number\",true]", "1" },
		{ "[\"number\",[\"extract\",\"obj\"]]", "nothing" },
		{ "[\"boolean\",\"False\"]", "false" },
		{ "[\"boolean\",\" 1 \"]", "true" },
		{ "[\"boolean\",0.00]", "false" },
		{ "[\"boolean\",-3]", "true" },
		{ "[\"boolean\",\"no\"]", "nothing" },
		{ "[\"boolean\",[\"extract\",\"list\"]]", "nothing" },
		{ "[\"epochtime\",[\"extract\",\"at\"]]", "1709202600500" },
		{ "[\"epochtime\",\"2024-02-29\"]", "1709164800000" },
		{ "[\"epochtime\",\"1969-12-31 23:59:59.9999Z\"]", "-1" },
		{ "[\"epochtime\",\"2024-02-29T00:00-0530\"]", "1709184600000" },
		{ "[\"epochtime\",\"2023-02-29\"]", "nothing" },
		{ "[\"epochtime\",\"2024-02-29T25:00\"]", "nothing" },
		{ "[\"epochtime\",\"2024-02-29T10:00+2\"]", "nothing" },
		{ "[\"epochtime\",\"yesterday\"]", "nothing" },
		{ "[\"epochtime\",1709164800000]", "1709164800000" },
		{ "[\"epochtime\",true]", "nothing" },
		{ "[\"floor\",[\"extract\",\"neg\"]]", "-2" },
		{ "[\"ceiling\",[\"extract\",\"neg\"]]", "-1" },
		{ "[\"floor\",9007199254740993.5]", "9007199254740993" },
		{ "[\"ceiling\",99.01]", "100" },
		{ "[\"ceiling\",9.99e1]", "100" },
		{ "[\"floor\",-0.001]", "-1" },
		{ "[\"ceiling\",-0.001]", "0" },
		{ "[\"floor\",0.999]", "0" },
		{ "[\"ceiling\",1e-400]", "1" },
		{ "[\"ceiling\",0e-5]", "0e-5" },
		{ "[\"floor\",5.000]", "5.000" },
		{ "[\"floor\",1e400]", "1e400" },
		{ "[\"abs\",[\"extract\",\"neg\"]]", "1.5" },
		{ "[\"abs\",2]", "2" },
		{ "[\"abs\",\"-2\"]", "nothing" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const char *got = value(a, rows[i][0]);

		if (strcmp(got, rows[i][1]) != 0)
			fail_msg("%s: got %s, want %s", rows[i][0], got, rows[i][1]);
	}
}

static void environment(void **state UNUSED)
{
	PASSES("[\"equals\",[\"settings\",\"flow.min\"],5]");
	PASSES("[\"equals\",[\"context\",\"mode\"],\"full\"]");
	PASSES("[\"empty\",[\"settings\",\"flow.max\"]]");
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_string_equal(value(a, "[\"empty\",[\"settings\",\"flow.min\"]]"), "true");
}

static void faults_are_placed(void **state UNUSED)
{
	static const struct {
		const char *rules, *field, *words;
	} rows[] = {
		{ "[\"eqals\",1,2]", "filter.rules.0", "did you mean equals?" },
		{ "[\"and\",true,[\"equals\",1,[\"lower\",\"x\"]]]", "filter.rules.2.2.0",
			"no operator \"lower\"" },
		{ "[\"and\",[\"equals\",1]]", "filter.rules.1",
			"equals takes 2 operands; found 1" },
		{ "[\"and\"]", "filter.rules", "and takes at least 1 operand; found 0" },
		{ "[\"extract\",\"a..b\"]", "filter.rules.1", "position 3" },
		{ "[\"extract\",[\"string\",\"a\"]]", "filter.rules.1", "takes a name" },
		{ "[\"extract\",\"a[*]\"]", "filter.rules.1", "[*]" },
		{ "[\"matches\",\"a\",[\"extract\",\"a\"]]", "filter.rules.2", "constant string" },
		{ "[\"matches\",\"a\",\"(x\"]", "filter.rules.2",
			"the pattern is wrong at position 3" },
		{ "[\"matches\",\"a\",\"\\\\C\"]", "filter.rules.2", "the pattern is wrong" },
		{ "[[\"not\",true],[\"not\",{}]]", "filter.rules.1.1",
			"an object is no expression" },
		{ "[\"not\",[]]", "filter.rules.1", "needs an operator" },
		{ "[1]", "filter.rules.0", "operator's name, a string; found a number" },
		{ "[\"\"]", "filter.rules.0", "no operator" },
		{ "\"status\"", "filter.rules", "expected an array, such as" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct json *doc = parse(a, str_fmt(a, "{\"rules\":%s}", rows[i].rules).p);
		struct filter *f = NULL;
		struct err err;

		assert_fails(filter_compile(a, doc, "filter", &f, &err), ERR_INVALID,
			rows[i].words);
		assert_string_equal(err.field, rows[i].field);
		assert_null(f);
		assert_false(filter_compile(a, doc, "filter", &f, NULL));
	}
}

static void both_places_of_rules(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const char *inner = "{\"type\":\"expression\",\"expression\":{\"version\":\"1\",\"rules\":"
			    "[\"not\",true]},\"version\":\"1\"}";
	struct filter *f;
	struct err err;
	bool answer = true;

	assert_ok(filter_compile(a, parse(a, inner), "filter", &f, &err));
	assert_ok(filter_passes(f, &json_null, NULL, a, &answer, &err));
	assert_false(answer);
	assert_ok(filter_compile(a,
		parse(a, "{\"rules\":[\"not\",1],\"expression\":{\"rules\":"
			 "[\"not\",1]}}"),
		"filter", &f, &err));
	assert_fails(filter_compile(a,
			     parse(a, "{\"rules\":[],\"expression\":{\"rules\":"
				      "[\"not\",1]}}"),
			     "inputFilter", &f, &err),
		ERR_INVALID, "differ");
	assert_string_equal(err.field, "inputFilter.expression.rules");
	assert_ok(filter_compile(a, NULL, "filter", &f, &err));
	assert_ok(filter_passes(f, &json_null, NULL, a, &answer, &err));
	assert_true(answer);
}

static void limits(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct filter *f;
	struct err err;
	bool answer;

	BUF_ADD_LIT(&b, "{\"rules\":");
	for (size_t i = 0; i < 60; i++)
		BUF_ADD_LIT(&b, "[\"not\",");
	BUF_ADD_LIT(&b, "true");
	for (size_t i = 0; i < 60; i++)
		BUF_ADD_LIT(&b, "]");
	BUF_ADD_LIT(&b, "}");
	assert_fails(filter_compile(a, parse(a, str_to_z(a, buf_str(&b))), "filter", &f, &err),
		ERR_LIMIT, "inside each other");
	buf_reset(&b);
	BUF_ADD_LIT(&b, "{\"rules\":[\"and\"");
	for (size_t i = 0; i < 5000; i++)
		BUF_ADD_LIT(&b, ",1");
	BUF_ADD_LIT(&b, "]}");
	assert_fails(filter_compile(a, parse(a, str_to_z(a, buf_str(&b))), "filter", &f, &err),
		ERR_LIMIT, "2000 expressions");
	assert_string_equal(err.field, "filter.rules.2000");
	/* what a backtracking matcher would need minutes for */
	f = compile(a, "[\"matches\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\",\"^(a+)+$\"]");
	answer = true;
	assert_fails(filter_passes(f, &json_null, NULL, a, &answer, &err), ERR_LIMIT,
		"too many steps");
	assert_string_equal(err.field, "filter.rules");
	assert_true(answer);
}

static const char *explain(struct arena *a, const char *rules)
{
	struct json_build b;

	json_build_init(&b, a);
	filter_explain(compile(a, rules), parse(a, record), NULL, &b);
	return str_to_z(a, json_print_arena(a, json_build_done(&b)));
}

static void explains(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_string_equal(explain(a, "[]"), "{\"passes\":true}");
	assert_string_equal(explain(a, "[\"and\",[\"equals\",[\"extract\",\"status\"],\"closed\"],"
				       "[\"empty\",[\"extract\",\"x\"]]]"),
		"{\"passes\":false,\"expression\":{\"field\":\"filter.rules\",\"operator\":\"and\","
		"\"value\":false,\"operands\":["
		"{\"field\":\"filter.rules.1\",\"operator\":\"equals\",\"value\":false,"
		"\"operands\":["
		"{\"field\":\"filter.rules.1.1\",\"operator\":\"extract\",\"name\":\"status\","
		"\"value\":\"open\"},{\"field\":\"filter.rules.1.2\",\"value\":\"closed\"}]},"
		"{\"field\":\"filter.rules.2\",\"operator\":\"empty\",\"value\":true,\"operands\":["
		"{\"field\":\"filter.rules.2.1\",\"operator\":\"extract\",\"name\":\"x\"}]}]}}");
}

/* The answer that is explained is the answer: also around an operand that fails. */
static void explains_what_happens(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const char *bad = "[\"matches\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\",\"^(a+)+$\"]";
	const char *got = explain(a, str_fmt(a, "[\"or\",true,%s]", bad).p);

	assert_non_null(strstr(got, "{\"passes\":true"));
	assert_non_null(strstr(got, "\"error\":\"the pattern needs too many steps"));
	got = explain(a, str_fmt(a, "[\"or\",%s,true]", bad).p);
	assert_non_null(strstr(got, "{\"passes\":false,\"expression\":{\"field\":\"filter.rules\","
				    "\"operator\":\"or\",\"operands\""));
}

struct shared {
	const struct filter *filter;
	const struct json *record;
	_Atomic unsigned passed;
};

static void *pass_often(void *arg)
{
	struct arena *scratch DEFER(arena_freep) = arena_new("scratch", 0);
	struct shared *s = arg;
	struct err err = ERR_INIT;
	bool answer;

	for (size_t i = 0; i < 200; i++)
		if (filter_passes(s->filter, s->record, NULL, scratch, &answer, &err) && answer)
			s->passed++;
	return NULL;
}

static void threads_share_a_filter(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct shared s = {
		.filter = compile(a,
			"[\"and\",[\"matches\",[\"uppercase\",[\"extract\",\"status\"]],"
			"\"^O(P+)EN$\"],[\"equals\",[\"ceiling\",[\"extract\",\"price\"]],1]]"),
		.record = parse(a, record)
	};
	struct thread threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_start(&threads[i], "filter", pass_often, &s);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	assert_int_equal(s.passed, 800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_and_conditions),
		cmocka_unit_test(equality),
		cmocka_unit_test(order),
		cmocka_unit_test(texts),
		cmocka_unit_test(emptiness),
		cmocka_unit_test(coercions_and_transforms),
		cmocka_unit_test(environment),
		cmocka_unit_test(faults_are_placed),
		cmocka_unit_test(both_places_of_rules),
		cmocka_unit_test(limits),
		cmocka_unit_test(explains),
		cmocka_unit_test(explains_what_happens),
		cmocka_unit_test(threads_share_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
