/*
 * test_handlebars_helpers.c - the tables of helpers: every example gives what it says, no name is
 * missing or there twice; rows of what npm's handlebars-helpers 0.10.0 gives for the same template;
 * what helpers refuse.
 */
#include "test.h"

#include "data/handlebars_helper.h"

static const char *const promised[] = { "abs", "add", "addCommas", "after", "and", "arrayify",
	"avg", "base64Decode", "base64Encode", "before", "bytes", "camelcase", "capitalize",
	"capitalizeAll", "ceil", "chop", "compare", "contains", "dashcase", "dateAdd", "dateFormat",
	"decodeURI", "divide", "dotcase", "each", "encodeURI", "eq", "filter", "floor", "getValue",
	"hasNoItems", "hasOwn", "htmlDecode", "htmlEncode", "if", "ifEven", "inArray", "isEmpty",
	"isFalsey", "isTruthy", "join", "jsonEncode", "jsonParse", "jsonSerialize", "log", "lookup",
	"lowercase", "modulo", "multiply", "neither", "not", "occurrences", "or", "ordinalize",
	"padLeft", "padRight", "pascalcase", "pathcase", "pluck", "random", "raw", "regexMatch",
	"regexReplace", "regexSearch", "removefirst", "replace", "replacefirst", "reverse", "round",
	"sanitize", "sentence", "snakecase", "some", "sort", "split", "startsWith", "stripProtocol",
	"stripQuerystring", "substring", "subtract", "sum", "timestamp", "toExponential", "toFixed",
	"toPrecision", "trim", "trimLeft", "trimRight", "truncateWords", "typeOf", "unique",
	"unless", "uppercase", "with" };

struct fixture {
	struct arena *a;
	struct clock_test clock;
	struct rng rng;
};

static bool render(struct fixture *f, const char *text, const char *context, struct str *out,
	struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(1 << 20);
	struct hbs_env env = { .clock = &f->clock.clock, .rng = &f->rng, .scratch = f->a };
	struct hbs *t;

	if (!json_parse_copy(f->a, str_z(context), &env.context, err) ||
		!hbs_compile(f->a, str_z(text), NULL, &t, err) ||
		!hbs_render(t, &env, &b, NULL, err))
		return false;
	*out = str_dup(f->a, buf_str(&b));
	return true;
}

static void check(struct fixture *f, const char *text, const char *context, const char *want)
{
	struct str out;
	struct err err;

	assert_ok(render(f, text, context, &out, &err));
	if (!str_eq_z(out, want))
		fail_msg("%s with %s: \"%.*s\", want \"%s\"", text, context, STR_ARG(out), want);
}

static void examples(void **state)
{
	struct fixture *f = *state;
	const struct hbs_helpers *t;

	for (size_t i = 0; (t = hbs_table_at(NULL, i)) != NULL; i++)
		for (size_t k = 0; k < t->count; k++) {
			const struct hbs_helper *h = &t->rows[k];

			assert_true(h->text[0] != '\0');
			assert_non_null(strstr(h->example, h->name));
			check(f, h->example, h->context, h->result);
		}
}

static void names(void **state UNUSED)
{
	const struct hbs_helpers *t;
	size_t rows = 0;

	for (size_t i = 0; (t = hbs_table_at(NULL, i)) != NULL; i++)
		for (size_t k = 0; k < t->count; k++, rows++) {
			size_t found = 0;

			for (size_t n = 0; n < ARRAY_LEN(promised); n++)
				found += strcmp(promised[n], t->rows[k].name) == 0;
			if (found != 1)
				fail_msg("%s is there %zu times", t->rows[k].name, found);
		}
	assert_int_equal(rows, ARRAY_LEN(promised));
}

/* What handlebars-helpers gives: taken from a run of it. */
static void as_handlebars_helpers(void **state)
{
	static const char context[] =
		"{\"s\":\"foo bar Foo-baz_qux. hello World! yes?\",\"n\":12.345,\"neg\":-3.5,"
		"\"big\":1234567.891,\"arr\":[\"b\",\"a\",\"c\",\"a\"],\"nums\":[3,1,10,2],"
		"\"objs\":[{\"a\":1,\"b\":{\"c\":\"x\"}},{\"a\":2},{\"b\":1}],\"t\":true,\"f\":"
		"false,"
		"\"html\":\"<p class=\\\"x\\\">Hi <b>you</b> a < b <!-- c --></p>\"}";
	static const char *const rows[][2] = {
		{ "{{sentence s}}", "Foo bar foo-baz_qux. Hello world! Yes?" },
		{ "{{capitalizeAll s}}", "Foo Bar Foo-baz_qux. Hello World! Yes?" },
		{ "{{snakecase s}}", "foo_bar_foo_baz_qux_hello_world_yes" },
		{ "{{camelcase s}}", "fooBarFooBazQuxHelloWorldYes" },
		{ "{{chop s}}", "foo bar Foo-baz_qux. hello World! yes" },
		{ "{{sanitize html}}", "Hi you a < b" },
		{ "{{round -0.5}} {{round 2.5}} {{round -2.5}}", "0 3 -2" },
		{ "{{toFixed 2.5}} {{toFixed 1.005 2}} {{toFixed neg}} {{toFixed \"x\"}}",
			"3 1.00 -4 0" },
		{ "{{toFixed 9.995 2}} {{toFixed 1e-7 2}} {{toFixed 99.99 1}}", "9.99 0.00 100.0" },
		{ "{{toExponential n 2}} {{toExponential 99.99 1}} {{toExponential 0 2}}",
			"1.23e+1 1.0e+2 0.00e+0" },
		{ "{{toPrecision big 3}} {{toPrecision n 4}} {{toPrecision 0.00001 1}}",
			"1.23e+6 12.35 0.00001" },
		{ "{{modulo neg 2}} {{divide 1 3}} {{add \"a\" \"b\"}} {{add 1 \"b\"}}",
			"-1.5 0.3333333333333333 ab " },
		{ "{{sum nums 1 \"2\" \"x\"}} {{avg 1 2 4}} {{avg nums}}",
			"19 2.3333333333333335 4" },
		{ "{{bytes 0}} {{bytes s}} {{bytes nul}} {{bytes 1048576 1}}",
			"0 B 38 B 0 B 1 MB" },
		{ "{{ordinalize 11}} {{ordinalize 112}} {{ordinalize 3}} {{ordinalize -1}}",
			"11th 112th 3rd -1st" },
		{ "{{after arr 1}} {{after arr 9}} {{before arr 1}}", "a,c,a  b,a,c" },
		{ "{{join arr}} {{join arr \"-\"}}", "b, a, c, a b-a-c-a" },
		{ "{{pluck objs \"a\"}} {{pluck objs \"b.c\"}}", "1,2 x" },
		{ "{{sort nums}} {{sort arr reverse=true}} {{unique arr}}",
			"1,10,2,3 c,b,a,a b,a,c" },
		{ "{{#filter objs 1 property=\"a\"}}{{a}}{{else}}none{{/filter}}", "1" },
		{ "{{#filter objs 9 property=\"a\"}}{{a}}{{else}}none{{/filter}}", "none" },
		{ "{{contains s \"bar\" 20}} {{contains arr \"a\"}} {{inArray nums \"1\"}}",
			"false true false" },
		{ "{{#compare t \"==\" 1}}Y{{/compare}}{{#compare \"10\" \"<\" \"9\"}}Y{{/compare}}"
		  "{{#compare 10 \"<\" \"9\"}}N{{/compare}}{{#compare arr \"==\" "
		  "\"b,a,c,a\"}}Y{{/compare}}",
			"YYY" },
		{ "{{#compare nul \">=\" 0}}N{{else}}missing{{/compare}}", "missing" },
		{ "{{encodeURI \"a b/\xC3\xA9!'()*~\"}}", "a%20b%2F%C3%A9!'()*~" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(*state, rows[i][0], context, rows[i][1]);
}

static void corners(void **state)
{
	static const char *const rows[][3] = {
		{ "{{uppercase a}} {{lowercase b}}",
			"{\"a\":\"stra\xC3\x9F"
			"e \xC3\xA9\",\"b\":\"\xC3\x89\xD0\x94\"}",
			"STRASSE \xC3\x89 \xC3\xA9\xD0\xB4" },
		{ "{{camelcase \"HTMLParser v2Name\"}} {{snakecase \"\xC3\x89t\xC3\xA9 un\"}}",
			"{}", "htmlParserV2Name \xC3\xA9t\xC3\xA9_un" },
		{ "{{trim n}}{{uppercase t}}{{replace n \"1\" \"2\"}}", "{\"n\":11,\"t\":true}",
			"11TRUE22" },
		{ "[{{uppercase x}}{{trim nul}}{{replace o \"a\" \"b\"}}]",
			"{\"o\":{},\"nul\":null}", "[]" },
		{ "{{split \"a,b,c\"}} {{split \"a,b,c\" \",\" 2}} [{{split \"a\" \",\" 5}}]", "{}",
			"a c []" },
		{ "{{padLeft \"\xF0\x9F\x98\x80\" 5 \"ab\"}}", "{}", "aba\xF0\x9F\x98\x80" },
		{ "{{substring \"abc\" 2 1}}{{substring \"abc\" -5}}", "{}", "babc" },
		{ "{{reverse \"a\xC3\xA9\xF0\x9F\x98\x80\"}} {{reverse x}}", "{\"x\":[1,2]}",
			"\xF0\x9F\x98\x80\xC3\xA9"
			"a 2,1" },
		{ "{{join \"-\" 1 xs null \"z\"}}", "{\"xs\":[\"a\",[\"b\"]]}", "1-a-b--z" },
		{ "{{sort xs number=true reverse=true}}", "{\"xs\":[1,\"10\",9,\"x\"]}",
			"x,10,9,1" },
		{ "{{unique xs}}", "{\"xs\":[1,\"1\",1.0,null,null,true,{},{}]}",
			"1,1,,true,[object Object],[object Object]" },
		{ "{{getValue a.b \"d\"}} {{getValue \"xs.1\"}} {{getValue \"a.b\" 7}}",
			"{\"xs\":[1,2]}", "d 2 7" },
		{ "{{#some xs \"isString\"}}Y{{else}}N{{/some}}", "{\"xs\":[1]}", "N" },
		{ "{{base64Encode \"\xC3\xA9\" \"latin1\"}} {{base64Encode \"ff00\" \"hex\"}} "
		  "{{base64Encode \"a\" \"utf16le\"}}",
			"{}", "6Q== /wA= YQA=" },
		{ "{{base64Decode \"6Q==\" \"latin1\"}} {{base64Decode \"_wA\" \"hex\"}} "
		  "{{base64Decode \"PdgA3g==\" \"ucs2\"}} {{base64Decode \"/w==\"}}",
			"{}", "\xC3\xA9 ff00 \xF0\x9F\x98\x80 \xEF\xBF\xBD" },
		{ "{{htmlDecode \"&#x1F600;&#233;&nosuch;&amp&\"}} {{htmlEncode \"'\"}}", "{}",
			"\xF0\x9F\x98\x80\xC3\xA9&nosuch;&amp& &#39;" },
		{ "{{jsonEncode s}} {{jsonEncode n}} {{jsonSerialize s}} {{jsonSerialize (divide 1 "
		  "0)}}",
			"{\"s\":\"a\\n\\\"\",\"n\":1.50}", "a\\n\\\" 1.50 \"a\\n\\\"\" null" },
		{ "{{regexMatch s \"order id\" 0 \"i\"}} {{regexMatch s \"\\d+$\" \"g\"}} "
		  "[{{regexMatch s \"x+\"}}]",
			"{\"s\":\"ORDER ID: 98765\"}", "ORDER ID 98765 []" },
		{ "{{regexReplace \"a-b\" \"$2$1$$$&$3\" \"(\\w)-(\\w)\"}}", "{}", "ba$a-b$3" },
		{ "{{regexReplace \"aaa\" \"b\" \"a\" \"\"}} {{regexReplace \"aaa\" \"b\" \"a\"}} "
		  "{{regexReplace \"ab\" \"-\" \"\" \"g\"}}",
			"{}", "baa bbb -a-b-" },
		{ "{{regexSearch \"\xF0\x9F\x98\x80x\" \"x\"}} {{regexSearch \"a\" \"b\"}}", "{}",
			"2 -1" },
		{ "{{dateFormat \"YYYY-MM-DD HH:mm Z\" d \"US/Eastern\"}}",
			"{\"d\":\"2020-07-09T19:59:39.156Z\"}", "2020-07-09 15:59 -04:00" },
		{ "{{dateFormat \"\" \"09.07.2020\" \"DD.MM.YYYY\" \"Europe/Berlin\"}}", "{}",
			"2020-07-09T00:00:00.000+02:00" },
		{ "[{{dateFormat \"YYYY\" x}}{{dateAdd x 5}}]", "{}", "[]" },
		{ "{{dateAdd d -1000}} {{dateAdd 1440938160}}", "{\"d\":\"2020-07-09T00:00:00Z\"}",
			"2020-07-08T23:59:59.000Z 2015-08-30T12:36:00.000Z" },
		{ "{{timestamp}} {{timestamp \"X\"}}", "{}",
			"2015-08-30T12:36:00.000Z 1440938160" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(*state, rows[i][0], rows[i][1], rows[i][2]);
}

static void refuses(void **state)
{
	static const char *const rows[][2] = {
		{ "x{{abs a}}", "{{abs}} at position 4 of the template: argument 1 must be a "
				"number, not missing" },
		{ "{{multiply 2 \"x\"}}", "argument 2 must be a number, not \"x\"" },
		{ "{{toFixed 1 101}}", "argument 2 must be from 0 to 100" },
		{ "{{toPrecision 1 0}}", "argument 2 must be from 1 to 100" },
		{ "{{compare 1 \"~\" 2}}", "the operator must be" },
		{ "{{some a b}}", "the condition must be" },
		{ "{{random \"x\"}}", "expected \"crypto\"" },
		{ "{{random 2 1}}", "must not be below" },
		{ "{{random \"number\" 2000}}", "from 1 to 1024" },
		{ "{{base64Decode \"a\"}}", "not base64" },
		{ "{{base64Encode \"a\" \"x\"}}", "must be utf8" },
		{ "{{decodeURI \"%zz\"}}", "not percent-encoded" },
		{ "{{decodeURI \"%ff\"}}", "not percent-encoded UTF-8" },
		{ "{{jsonParse \"{\"}}", "argument 1 is not JSON" },
		{ "{{regexMatch \"a\" \"(\"}}", "the pattern is wrong" },
		{ "{{regexMatch \"a\" \"a\" 0 \"q\"}}", "the flags may be" },
		{ "{{dateFormat \"YYYY\" \"yesterday\"}}", "{{dateFormat}}" },
		{ "{{timestamp \"\" \"Mars/Base\"}}", "Mars/Base" },
		{ "{{dateAdd \"9999-12-31\" 1e20}}", "argument 2 must be a number" },
		{ "{{dateAdd \"9999-12-31\" 9000000000}}", "not in the years" },
	};
	struct str out;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_fails(render(*state, rows[i][0], "{}", &out, &err), ERR_INVALID, rows[i][1]);
}

static void random_texts(void **state)
{
	struct fixture *f = *state;
	struct str out;
	struct err err;
	const char *kinds = "{{random \"crypto\" 40}} {{random \"NUMBER\" 9}} {{random \"uuid\"}} "
			    "{{random \"crypto\"}}";

	assert_ok(render(f, kinds, "{}", &out, &err));
	struct str rest = out, crypto = str_cut(&rest, ' '), number = str_cut(&rest, ' ');
	struct str uuid = str_cut(&rest, ' ');

	assert_int_equal(crypto.n, 40);
	assert_int_equal(number.n, 9);
	for (size_t i = 0; i < number.n; i++)
		assert_true(number.p[i] >= '0' && number.p[i] <= '9');
	assert_int_equal(uuid.n, 36);
	assert_true(uuid.p[14] == '4' && strchr("89ab", uuid.p[19]) != NULL);
	assert_int_equal(rest.n, 32);
	for (int i = 0; i < 50; i++) {
		assert_ok(render(f, "{{random -1 1}}", "{}", &out, &err));
		assert_true(str_eq_z(out, "-1") || str_eq_z(out, "0") || str_eq_z(out, "1"));
	}
}

static void reference(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	hbs_markdown(NULL, 0, &b);
	for (size_t i = 0; i < ARRAY_LEN(promised); i++) {
		char heading[64];

		snprintf(heading, sizeof(heading), "\n### %s\n", promised[i]);
		assert_true(str_find(buf_str(&b), str_z(heading)) != STR_NPOS);
	}
}

static int begin(void **state)
{
	struct arena *a = arena_new("test", 0);
	struct fixture *f = arena_new_of(a, struct fixture);

	f->a = a;
	clock_test_init(&f->clock, 1440938160000);
	rng_test_init(&f->rng, 1);
	*state = f;
	return 0;
}

static int end(void **state)
{
	arena_free(((struct fixture *)*state)->a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(examples, begin, end),
		cmocka_unit_test(names),
		cmocka_unit_test_setup_teardown(as_handlebars_helpers, begin, end),
		cmocka_unit_test_setup_teardown(corners, begin, end),
		cmocka_unit_test_setup_teardown(refuses, begin, end),
		cmocka_unit_test_setup_teardown(random_texts, begin, end),
		cmocka_unit_test(reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
