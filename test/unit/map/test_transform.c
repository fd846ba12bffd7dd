/*
 * test_transform.c - rules of a transform over a record, lists and sets, and where faults are told.
 */
#include "test.h"

#include "map/transform.h"

static const struct json *parse(struct arena *a, const char *text)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(a, str_z(text), &doc, &err))
		fail_msg("%s: %s", text, err.message);
	return doc;
}

static void check(const char *document, const char *want)
{
	static const char *const record =
		"{\"order\":{\"id\":7,\"total\":1.50},\"who\":{\"first\":\"Ann\",\"last\":\"Bo\"},"
		"\"items\":[{\"sku\":\"a\",\"n\":1},{\"sku\":\"b\"}],\"notes\":[\"x\",\"y\"]}";
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct transform *t;
	struct json_build b;
	struct err err;

	assert_ok(transform_compile(a, parse(a, document), "transform", &t, &err));
	json_build_init(&b, a);
	assert_ok(transform_apply(t, parse(a, record), &b, &err));
	assert_str(json_print_arena(a, json_build_done(&b)), want);
}

static void rules(void **state UNUSED)
{
	check("{\"version\":\"1\",\"rules\":[[{\"extract\":\"order.id\",\"generate\":\"id\"},"
	      "{\"extract\":\"order.total\",\"generate\":\"sum.amount\"},"
	      "{\"extract\":\"missing\",\"generate\":\"gone\"}]]}",
		"{\"id\":7,\"sum\":{\"amount\":1.50}}");
	check("{\"type\":\"expression\",\"expression\":{\"version\":\"1\",\"rules\":[[{\"extract\":"
	      "\"{who.first} {who.last}\",\"generate\":\"name\"},"
	      "{\"hardCodedValue\":true,\"generate\":\"new\"}]]}}",
		"{\"name\":\"Ann Bo\",\"new\":true}");
	check("{\"rules\":[{\"extract\":\"order.id\",\"generate\":\"id\",\"dataType\":\"string\"}]"
	      "}",
		"{\"id\":\"7\"}");
}

static void lists(void **state UNUSED)
{
	check("{\"rules\":[[{\"extract\":\"items[*].sku\",\"generate\":\"o.lines[*].code\"},"
	      "{\"extract\":\"order.id\",\"generate\":\"id\"},"
	      "{\"extract\":\"items[*].n\",\"generate\":\"o.lines[*].q.n\"},"
	      "{\"extract\":\"notes[*]\",\"generate\":\"remarks[*].text\"},"
	      "{\"extract\":\"order.id\",\"generate\":\"o.lines[*].order\"}]]}",
		"{\"id\":7,\"o\":{\"lines\":[{\"code\":\"a\",\"q\":{\"n\":1},\"order\":7},"
		"{\"code\":\"b\",\"order\":7}]},\"remarks\":[{\"text\":\"x\"},{\"text\":\"y\"}]}");
}

static void sets_follow_each_other(void **state UNUSED)
{
	check("{\"rules\":[[{\"extract\":\"order\",\"generate\":\"o\"}],[],"
	      "[{\"extract\":\"o.id\",\"generate\":\"x\"},{\"extract\":\"who\",\"generate\":\"y\"}]"
	      "]}",
		"{\"x\":7}");
}

static void without_rules_records_pass(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	static const char *const documents[] = { "{}", "{\"rules\":[]}", "{\"rules\":[[]]}",
		"{\"rules\":null}",
		"{\"type\":\"expression\",\"expression\":{\"version\":\"1\"}}" };
	struct transform *t;
	struct json_build b;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		assert_ok(transform_compile(a, parse(a, documents[i]), "transform", &t, &err));
		json_build_init(&b, a);
		assert_ok(transform_apply(t, parse(a, "{\"a\":[1]}"), &b, &err));
		assert_str(json_print_arena(a, json_build_done(&b)), "{\"a\":[1]}");
	}
	assert_ok(transform_compile(a, NULL, "transform", &t, &err));
}

static void faults_are_placed(void **state UNUSED)
{
	static const struct {
		const char *rules, *field, *words;
	} rows[] = {
		{ "[[{\"extract\":\"a\",\"generate\":\"x[*].y\"},{\"extract\":\"a..b\","
		  "\"generate\":\"z\"}]]",
			"transform.rules.0.1.extract", "position 3" },
		{ "[[{\"extract\":\"a\",\"generate\":\"z\"}],[{\"extract\":\"a\",\"generate\":"
		  "\"z\"},"
		  "{\"extract\":\"b[\",\"generate\":\"x[*].y\"}]]",
			"transform.rules.1.1.extract", "position" },
		{ "[[{\"extract\":\"a\",\"generate\":\"z\"},{\"extract\":\"b\",\"generate\":\"z\"}]"
		  "]",
			"transform.rules.0.1.generate", "twice" },
		{ "[[{\"extract\":\"a\",\"generate\":\"z\"},{\"extract\":\"b[*]\","
		  "\"generate\":\"z[*].y\"}]]",
			"transform.rules.0.1.generate", "twice" },
		{ "[[{\"extract\":\"b[*]\",\"generate\":\"z\"}]]", "transform.rules.0.0.extract",
			"[*]" },
		{ "[[{\"extract\":\"a\"}]]", "transform.rules.0.0.generate", "name it generates" },
		{ "[[{\"generate\":\"a\"}]]", "transform.rules.0.0.extract", "needs an extract" },
		{ "[[{\"extract\":\"a\",\"generate\":\"b[*]\"}]]", "transform.rules.0.0.generate",
			"lines[*].sku" },
		{ "[[{\"extract\":\"a\",\"generate\":\"[*].b\"}]]", "transform.rules.0.0.generate",
			"lines[*].sku" },
		{ "[[{\"extract\":\"a\",\"generate\":\"b[*].c[*].d\"}]]",
			"transform.rules.0.0.generate", "arrays of arrays" },
		{ "[[{\"extract\":\"a\",\"generate\":\"b\",\"lookupName\":\"l\"}]]",
			"transform.rules.0.0.lookupName", "a rule has extract" },
		{ "[[{\"extract\":[\"a\"],\"generate\":\"b\"}]]", "transform.rules.0.0.extract",
			"must be a string" },
		{ "[[\"a\"]]", "transform.rules.0.0", "a rule is an object" },
		{ "[\"a\"]", "transform.rules.0", "a set of rules is an array; found a string" },
		{ "\"a\"", "transform.rules", "expected an array, such as" },
		{ "[[{\"extract\":\"a\",\"generate\":\"b\",\"dataType\":\"colour\"}]]",
			"transform.rules.0.0.dataType", "colour" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a DEFER(arena_freep) = arena_new("test", 0);
		const struct json *doc = parse(a, str_fmt(a, "{\"rules\":%s}", rows[i].rules).p);
		struct transform *t = NULL;
		struct err err;

		assert_fails(transform_compile(a, doc, "transform", &t, &err), ERR_INVALID,
			rows[i].words);
		assert_string_equal(err.field, rows[i].field);
		assert_null(t);
	}
}

static void record_faults_name_the_field(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct transform *t;
	struct json_build b;
	struct err err;

	assert_ok(transform_compile(a,
		parse(a, "{\"rules\":[[{\"extract\":\"a\",\"generate\":\"n\",\"dataType\":"
			 "\"number\"}],[{\"extract\":\"n\",\"generate\":\"m\"}]]}"),
		"transform", &t, &err));
	json_build_init(&b, a);
	assert_fails(transform_apply(t, parse(a, "{\"a\":\"x\"}"), &b, &err), ERR_MAPPING,
		"can't be made a number");
	assert_string_equal(err.field, "n");
}

/* Each set doubles what the one before made. */
static void growth_ends_at_the_cap(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct arena *page DEFER(arena_freep) = arena_new("page", 100000);
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	struct transform *t;
	struct json_build b;
	struct err err;

	BUF_ADD_LIT(&text, "{\"rules\":[");
	for (size_t i = 0; i < 12; i++)
		buf_add_fmt(&text,
			"%s[{\"extract\":\"a\",\"generate\":\"a.x\"},"
			"{\"extract\":\"a\",\"generate\":\"a.y\"}]",
			i > 0 ? "," : "");
	BUF_ADD_LIT(&text, "]}");
	assert_ok(
		transform_compile(a, parse(a, str_to_z(a, buf_str(&text))), "transform", &t, &err));
	json_build_init(&b, page);
	assert_fails(transform_apply(t, parse(a, "{\"a\":1}"), &b, &err), ERR_LIMIT, "page");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(lists),
		cmocka_unit_test(sets_follow_each_other),
		cmocka_unit_test(without_rules_records_pass),
		cmocka_unit_test(faults_are_placed),
		cmocka_unit_test(record_faults_name_the_field),
		cmocka_unit_test(growth_ends_at_the_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
