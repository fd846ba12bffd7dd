/*
 * test_handlebars.c - the engine: what it refuses and where, limits, strict rendering, URIs,
 * variables. That it renders as handlebars.js does is tested against handlebars.js itself, in
 * test/system/handlebars_oracle.test.mjs; the rows here are its corners.
 */
#include "arena_test.h"

#include "core/limits.h"
#include "data/handlebars.h"

static const struct json *json_of(const char *text)
{
	const struct json *v;
	struct err err;

	assert_ok(json_parse_copy(a, str_z(text), &v, &err));
	return v;
}

/* Renders TEXT for CONTEXT; the result lives in the arena. */
static bool render(const char *text, const char *context, const struct hbs_env *more,
	struct str *out, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(100000);
	struct hbs_env env = *more;
	struct hbs *t;

	env.context = json_of(context);
	env.scratch = a;
	if (!hbs_compile(a, str_z(text), NULL, &t, err) || !hbs_render(t, &env, &b, NULL, err))
		return false;
	*out = str_dup(a, buf_str(&b));
	return true;
}

static void check_rows(const char *const (*rows)[3], size_t n, enum hbs_escape escape)
{
	const struct hbs_env env = { .escape = escape };
	struct str out;
	struct err err;

	for (size_t i = 0; i < n; i++) {
		assert_ok(render(rows[i][0], rows[i][1], &env, &out, &err));
		if (!str_eq_z(out, rows[i][2]))
			fail_msg("%s with %s: \"%.*s\", want \"%s\"", rows[i][0], rows[i][1],
				STR_ARG(out), rows[i][2]);
	}
}

static void renders(void **state UNUSED)
{
	static const char *const rows[][3] = {
		{ "", "{}", "" },
		{ "plain { text }", "{}", "plain { text }" },
		{ "{{a.b}} {{a/b}} {{a.[b]}} {{[a].b}}", "{\"a\":{\"b\":1}}", "1 1 1 1" },
		{ "{{a.0}} {{a.[1]}} {{a.1.x}} {{a.length}}", "{\"a\":[5,{\"x\":6}]}",
			"5 [object Object] 6 2" },
		{ "{{n}} {{m}}", "{\"n\":9007199254740993,\"m\":0.10}", "9007199254740993 0.10" },
		{ "{{add 0.1 0.2}} {{multiply \"1e21\" 10}} {{divide 1 3}} {{divide 1 0}}", "{}",
			"0.30000000000000004 1e+22 0.3333333333333333 Infinity" },
		{ "{{x}}|{{y}}|{{z}}|{{o}}",
			"{\"x\":null,\"y\":false,\"z\":[1,null,[2,3]],\"o\":{}}",
			"|false|1,,2,3|[object Object]" },
		{ "{{#each o}}{{@key}}={{this}} {{/each}}",
			"{\"o\":{\"b\":1,\"10\":2,\"a\":3,\"2\":4,\"b\":5}}", "2=4 10=2 b=5 a=3 " },
		{ "{{#each xs as |x i|}}{{i}}{{x}}{{#each ../ys as "
		  "|y|}}{{x}}{{y}}{{@../index}}{{/each}};{{/each}}",
			"{\"xs\":[\"a\",\"b\"],\"ys\":[1]}", "0aa10;1bb11;" },
		{ "{{#if a}}A{{else if b}}B{{else}}C{{/if}}", "{\"b\":1}", "B" },
		{ "{{#if n includeZero=true}}zero{{/if}}{{#if n}}no{{/if}}", "{\"n\":0}", "zero" },
		{ "a\n  {{#if x}}\nb\n  {{/if}}\nc\n", "{\"x\":true}", "a\nb\nc\n" },
		{ "a {{~x~}} b", "{\"x\":1}", "a1b" },
		{ "\\{{a}} \\\\{{a}} {{{{raw}}}}{{a}}{{{{/raw}}}}", "{\"a\":1}",
			"{{a}} \\1 {{a}}" },
		{ "{{\"first name\"}} {{[first name]}}", "{\"first name\":\"Bo\"}", "Bo Bo" },
		{ "{{hash}} {{sum}} {{before}}", "{\"hash\":1,\"sum\":2,\"before\":3}", "1 2 3" },
		{ "{{#hash}}{{x}}{{/hash}}", "{\"hash\":{\"x\":1}}", "1" },
		{ "{{uppercase (lookup names (add i 1))}}", "{\"names\":[\"a\",\"b\"],\"i\":0}",
			"B" },
		{ "{{#uppercase}}a{{x}}{{/uppercase}}", "{\"x\":\"b\"}", "AB" },
		{ "{{s.length}} {{s.[1]}}|{{substring s 0 3}}",
			"{\"s\":\"\xC3\xA9\xF0\x9F\x98\x80x\"}",
			"4 \xEF\xBF\xBD|\xC3\xA9\xF0\x9F\x98\x80" },
	};

	check_rows(rows, ARRAY_LEN(rows), HBS_RAW);
}

static void escapes(void **state UNUSED)
{
	static const char *const html[][3] = {
		{ "{{a}}{{{a}}}{{&a}}", "{\"a\":\"<&>\\\"'`=\"}",
			"&lt;&amp;&gt;&quot;&#x27;&#x60;&#x3D;<&>\"'`=<&>\"'`=" },
		{ "{{#if a}}<b>{{/if}}", "{\"a\":1}", "<b>" },
	};
	static const char *const uri[][3] = {
		{ "/c/{{a}}?x={{{a}}}", "{\"a\":\"a b/\xC3\xA9~\"}",
			"/c/a%20b%2F%C3%A9~?x=a b/\xC3\xA9~" },
		{ "{{jsonSerialize a}}", "{\"a\":[1]}", "%5B1%5D" },
	};

	check_rows(html, ARRAY_LEN(html), HBS_HTML);
	check_rows(uri, ARRAY_LEN(uri), HBS_URI);
}

static void refuses(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{ "{{", "position 3: this mustache is not closed" },
		{ "{{a", "position 4: this mustache is not closed" },
		{ "{{#if", "position 6: this mustache is not closed" },
		{ "ab{{#if x}}c",
			"position 13: expected {{/if}}, which closes the block at position 3" },
		{ "{{#if x}}{{/each}}",
			"position 10: this closes another block than {{#if}} at position 1" },
		{ "x{{/if}}", "position 2: there is no block that this could close" },
		{ "{{else}}", "position 1: there is no block that this could be the {{else}} of" },
		{ "{{> part}}", "position 1: there are no partials" },
		{ "{{#> part}}{{/part}}", "position 1: there are no partials" },
		{ "{{* deco}}", "position 1: there are no decorators" },
		{ "{{#*inline \"x\"}}{{/inline}}", "position 1: there are no decorators" },
		{ "{{a..b.c/..}}", "can't stand inside a path" },
		{ "{{foo 1}}", "position 3: there is no helper \"foo\"" },
		{ "{{uppercaze a}}", "\"uppercase\"" },
		{ "{{a (upercase b)}}", "\"uppercase\"" },
		{ "{{if a}}", "if can only be used as a block" },
		{ "{{#if}}x{{/if}}", "if takes 1 argument, here are 0" },
		{ "{{#each a b}}x{{/each}}", "each takes 1 argument, here are 2" },
		{ "{{replace a}}", "replace takes at least 2 arguments, here are 1" },
		{ "{{lookup a b c}}", "lookup takes at most 2 arguments, here are 3" },
		{ "{{join a=1 b}}", "expected name=value" },
		{ "{{\"a}}", "position 3: this text is not closed" },
		{ "{{[a}}", "this name in brackets is not closed" },
		{ "{{!-- a }}", "this comment is not closed by --}}" },
		{ "{{! a }", "this comment is not closed by }}" },
		{ "{{{a}}", "expected an argument or '}}}'" },
		{ "{\"a\":{{b}}}", "put a space between '}}' and the '}' behind it" },
		{ "{{{{raw}}}} x", "this raw block is not closed" },
		{ "{{a\\b}}", "position 3: this character has no meaning here" },
		{ "{{^a}}{{else if b}}{{/a}}", "no {{else name}}" },
		{ "{{#each a as ||}}{{/each}}", "expected a name" },
	};
	const struct hbs_env env = { .escape = HBS_RAW };
	struct str out = STR("untouched");
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_fails(render(rows[i][0], "{}", &env, &out, &err), ERR_INVALID, rows[i][1]);
	struct hbs *t = NULL;

	assert_fails(hbs_compile(a, str_of("a\0b", 3), NULL, &t, &err), ERR_INVALID,
		"position 2: a NUL byte");
	assert_str(out, "untouched");
}

static void limits(void **state UNUSED)
{
	const struct hbs_env env = { .escape = HBS_RAW };
	struct buf deep DEFER(buf_free) = BUF_INIT(0), list DEFER(buf_free) = BUF_INIT(0);
	struct str out;
	struct err err;

	for (size_t i = 0; i <= LIMIT_TEMPLATE_DEPTH; i++)
		BUF_ADD_LIT(&deep, "{{#a}}");
	buf_add_char(&deep, '\0');
	assert_fails(render(deep.p, "{}", &env, &out, &err), ERR_LIMIT, "more than 100 levels");
	buf_reset(&deep);
	for (size_t i = 0; i <= LIMIT_TEMPLATE_DEPTH + 1; i++)
		buf_add_str(&deep, i == 0 ? STR("{{not ") : STR("(not "));
	buf_add_char(&deep, '\0');
	assert_fails(render(deep.p, "{}", &env, &out, &err), ERR_LIMIT, "more than 100 levels");

	BUF_ADD_LIT(&list, "{\"x\":[0");
	for (size_t i = 0; i < 300; i++)
		BUF_ADD_LIT(&list, ",0");
	BUF_ADD_LIT(&list, "]}");
	buf_add_char(&list, '\0');
	assert_fails(
		render("{{#each x}}{{#each @root.x}}{{#each @root.x}}{{/each}}{{/each}}{{/each}}",
			list.p, &env, &out, &err),
		ERR_LIMIT, "more than 5000000 steps");
	assert_fails(render("{{#each x}}{{#each ../x}}0123456789{{/each}}{{/each}}", list.p, &env,
			     &out, &err),
		ERR_LIMIT, "longer than 100000 bytes");
	assert_fails(render("{{padLeft \"\" 9000000}}", "{}", &env, &out, &err), ERR_INVALID,
		"from 0 to 8388608");
	assert_fails(render("{{replace (padLeft \"\" 8000000) \" \" \"ab\"}}", "{}", &env, &out,
			     &err),
		ERR_LIMIT, "more than 8388608 bytes");
	assert_fails(render("{{#each x}}{{#if (padLeft \"\" 1000000)}}{{/if}}{{/each}}", list.p,
			     &env, &out, &err),
		ERR_LIMIT, "bytes for intermediate values");
	assert_fails(render("{{regexMatch (padLeft \"b\" 30 \"a\") \"(a+)+$\"}}", "{}", &env, &out,
			     &err),
		ERR_LIMIT, "too many tries");
	assert_fails(render("{{regexMatch (padLeft \"\" 70000) \"x\"}}", "{}", &env, &out, &err),
		ERR_INVALID, "more than 65536 bytes");
}

static void strict(void **state UNUSED)
{
	const struct hbs_env text = { .strict = true }, uri = { .escape = HBS_URI, .strict = true };
	struct str out;
	struct err err;

	assert_fails(render("/c/{{a.b}}", "{\"a\":{}}", &text, &out, &err), ERR_MISSING_VALUE,
		"no value for {{a.b}}");
	assert_fails(render("{{{a}}}", "{\"a\":null}", &text, &out, &err), ERR_MISSING_VALUE,
		"{{a}}");
	assert_ok(render("[{{a}}]", "{\"a\":\"\"}", &text, &out, &err));
	assert_fails(render("[{{a}}]", "{\"a\":\"\"}", &uri, &out, &err), ERR_MISSING_VALUE,
		"{{a}}");
	assert_ok(render("{{getValue \"a\" \"none\"}}{{#if a}}{{/if}}", "{}", &uri, &out, &err));
	assert_str(out, "none");
}

static bool variable(void *ctx, struct str name, bool *found, const struct json **v,
	struct err *err)
{
	*found = true;
	*v = NULL;
	if (str_eq(name, STR("lookup.broken")))
		return err_set(err, ERR_TIMEOUT, "no answer");
	if (str_eq(name, STR("lookup.id")) || str_eq(name, STR("settings")))
		*v = ctx;
	else if (!str_eq(name, STR("nothing")))
		*found = false;
	return true;
}

static void variables(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{ "{{lookup.id.x}} {{settings.x}} {{@root.settings.x}}", "1 1 1" },
		{ "{{settings}}", "[object Object]" },
		{ "{{this.settings}} {{nothing}}{{x}}", "own 2" },
		{ "{{#each xs}}{{settings}}{{../settings.x}}{{/each}}", "in1" },
		{ "{{getValue \"settings.x\"}} {{lookup \"id\" \"x\"}} {{lookup \"text\" 0}}",
			"1 1 t" },
	};
	struct hbs_env env = { .value = variable, .ctx = NULL };
	const char *context = "{\"settings\":\"own\",\"x\":2,\"nothing\":\"hidden\","
			      "\"xs\":[{\"settings\":\"in\"}]}";
	struct str out;
	struct err err;

	env.ctx = (void *)(uintptr_t)json_of("{\"x\":1}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(render(rows[i][0], context, &env, &out, &err));
		assert_str(out, rows[i][1]);
	}
	assert_fails(render("{{lookup.broken.x}}", context, &env, &out, &err), ERR_TIMEOUT,
		"no answer");
}

static void tells(void **state UNUSED)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	const struct hbs_env env = { .context = json_of("{\"a\":1,\"b\":null}"), .scratch = a };
	struct hbs *t;
	struct err err;
	size_t values;

	assert_ok(hbs_compile(a, STR("{{a}} {{b}} {{c.d}} {{uppercase b}} {{lowercase \"X\"}}"),
		NULL, &t, &err));
	assert_false(hbs_is_constant(t));
	assert_str(hbs_path_at(t, 0), "a");
	assert_str(hbs_path_at(t, 2), "c.d");
	assert_str(hbs_path_at(t, 3), "b");
	assert_null(hbs_path_at(t, 4).p);
	assert_ok(hbs_render(t, &env, &b, &values, &err));
	assert_int_equal(values, 2);
	assert_str(buf_str(&b), "1    x");
	assert_ok(hbs_compile(a, STR("x \\{{y}}{{! note }}"), NULL, &t, &err));
	assert_true(hbs_is_constant(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(renders),
		ARENA_TEST(escapes),
		ARENA_TEST(refuses),
		ARENA_TEST(limits),
		ARENA_TEST(strict),
		ARENA_TEST(variables),
		ARENA_TEST(tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
