/*
 * test_template.c - texts with placeholders in single and double braces, in text and in URIs; and
 * what they may stand for.
 */
#include "map_test.h"

#include "arena_test.h"

#include "map/template.h"

struct row {
	const char *text, *record, *want;
	size_t values;
};

static bool answer(void *ctx UNUSED, struct str name, bool *found, const struct json **v,
	struct err *err UNUSED)
{
	*found = str_eq(name, STR("idLookup")) || str_eq(name, STR("lookup.idLookup"));
	*v = *found ? map_json(a, "{'id':7}") : NULL;
	return true;
}

static bool render(const char *text, enum template_use use, const char *record,
	const struct template_env *env, struct str *out, size_t *values, struct err *err)
{
	struct buf b DEFER(buf_free) = BUF_INIT(1000);
	struct template *t;

	if (!template_compile(a, str_z(text), use, &t, err) ||
		!template_render(t, map_json(a, record), env, &b, values, err))
		return false;
	*out = str_dup(a, buf_str(&b));
	return true;
}

static void check(const struct row *rows, size_t n, enum template_use use,
	const struct template_env *env)
{
	for (size_t i = 0; i < n; i++) {
		struct str out;
		struct err err;
		size_t values;

		assert_ok(render(rows[i].text, use, rows[i].record, env, &out, &values, &err));
		assert_str(out, rows[i].want);
		assert_int_equal(values, rows[i].values);
	}
}

static void text(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{first} {last}", "{'first':'Ann','last':'Lee'}", "Ann Lee", 2 },
		{ "{a.b.0.c} {x}", "{'a':{'b':[{'c':1.50}]}}", "1.50 ", 1 },
		{ "\\{a\\} {a}", "{'a':[1,{'b':null}]}", "{a} [1,{\"b\":null}]", 1 },
		{ "{{first}} {{{last}}}", "{'first':'A & B','last':'<C>'}", "A & B <C>", 2 },
		{ "{{a.0}} {b} {{uppercase c}}", "{'a':[5],'b':1,'c':'x'}", "5 {b} X", 2 },
		{ "{{a}}{{#if b}}x{{/if}}", "{'a':null}", "", 0 },
		{ "{{name}} {{#each this}}{{n}}{{/each}} {{lookup.x}}",
			"[{'name':'first','n':1},{'n':2}]", "first 12 ", 3 },
	};

	check(rows, ARRAY_LEN(rows), TEMPLATE_TEXT, NULL);
}

static void uri(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "/c/{id}?q={q}", "{'id':1,'q':'a b/c'}", "/c/1?q=a%20b%2Fc", 2 },
		{ "/c/{{id}}?q={{q}}&r={{{q}}}", "{'id':1,'q':'a b/c'}", "/c/1?q=a%20b%2Fc&r=a b/c",
			3 },
		{ "/c{{#if id}}/{{id}}{{/if}}", "{}", "/c", 0 },
		{ "/c/{{getValue \"id\" \"new one\"}}", "{}", "/c/new%20one", 1 },
	};
	struct str out;
	struct err err;

	check(rows, ARRAY_LEN(rows), TEMPLATE_URI, NULL);
	assert_fails(render("/c/{id}", TEMPLATE_URI, "{'id':''}", NULL, &out, NULL, &err),
		ERR_MISSING_VALUE, "{id}");
	assert_fails(render("/c/{{id}}", TEMPLATE_URI, "{'id':''}", NULL, &out, NULL, &err),
		ERR_MISSING_VALUE, "{{id}}");
	assert_fails(render("/c/{{a.id}}", TEMPLATE_URI, "{'a':{}}", NULL, &out, NULL, &err),
		ERR_MISSING_VALUE, "{{a.id}}");
	assert_fails(render("{{padLeft \"\" 2000}}", TEMPLATE_TEXT, "{}", NULL, &out, NULL, &err),
		ERR_LIMIT, "longer than 1000 bytes");
}

static void names(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "{{idLookup.id}} {{lookup.idLookup.id}} {{this.idLookup}}", "{'idLookup':'own'}",
			"7 7 own", 3 },
		{ "{idLookup} {x}", "{'idLookup':'own','x':1}", "{\"id\":7} 1", 2 },
	};
	const struct template_env env = { .value = answer };

	check(rows, ARRAY_LEN(rows), TEMPLATE_TEXT, &env);
}

static void clock_of_the_environment(void **state UNUSED)
{
	struct clock_test clock;
	struct template_env env = { .clock = &clock.clock, .timezone = STR("US/Eastern") };
	struct str out;
	struct err err;

	clock_test_init(&clock, 1440938160000);
	assert_ok(render("{{timestamp \"HH:mm\"}}", TEMPLATE_TEXT, "{}", &env, &out, NULL, &err));
	assert_str(out, "08:36");
}

static void tells(void **state UNUSED)
{
	struct template *t = NULL;
	struct err err;

	assert_ok(template_compile(a, STR("{a.b} {c}"), TEMPLATE_TEXT, &t, &err));
	assert_str(template_placeholder(t, 1), "c");
	assert_null(template_placeholder(t, 2).p);
	assert_ok(template_compile(a, STR("{{a.b}} {{hash \"md5\" \"hex\" c}}"), TEMPLATE_TEXT, &t,
		&err));
	assert_str(template_placeholder(t, 0), "a.b");
	assert_str(template_placeholder(t, 1), "c");
	assert_false(template_is_constant(t));
	assert_ok(template_compile(a, STR("/fixed"), TEMPLATE_URI, &t, &err));
	assert_true(template_is_constant(t));
	assert_ok(template_compile(a, STR("\\{{x}}"), TEMPLATE_URI, &t, &err));
	assert_true(template_is_constant(t));
	t = NULL;
	assert_fails(template_compile(a, STR("/c/{id"), TEMPLATE_URI, &t, &err), ERR_INVALID,
		"position 4: this placeholder is not closed");
	assert_fails(template_compile(a, STR("/c/{}"), TEMPLATE_URI, &t, &err), ERR_INVALID,
		"position 4: this placeholder is empty");
	assert_fails(template_compile(a, STR("/c/x}"), TEMPLATE_URI, &t, &err), ERR_INVALID,
		"position 5: '}' without '{'");
	assert_fails(template_compile(a, STR("/c/{{if}}"), TEMPLATE_URI, &t, &err), ERR_INVALID,
		"position 6: if can only be used as a block");
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(text),
		ARENA_TEST(uri),
		ARENA_TEST(names),
		ARENA_TEST(clock_of_the_environment),
		ARENA_TEST(tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
