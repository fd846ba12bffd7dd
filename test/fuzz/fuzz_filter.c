/*
 * fuzz_filter.c - a JSON array of rules and a record: what compiles must answer, the same each time, and
 * be explained with the same answer; the tests of opposites must be opposites.
 */
#include "map/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool explained_answer(const struct filter *f, const struct json *record, struct arena *a)
{
	const struct json *doc;
	struct json_build b;
	struct err err = ERR_INIT;

	json_build_init(&b, a);
	filter_explain(f, record, NULL, &b);
	/* it must print and, but for its depth, parse */
	if (!json_parse_copy(a, json_print_arena(a, json_build_done(&b)), &doc, &err))
		CHECK(err.code == ERR_LIMIT);
	return json_get_true(json_build_done(&b), STR("passes"));
}

/* {"rules": RULES}, or its opposite. */
static const struct json *document(struct arena *a, const struct json *rules, bool opposite)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_build_key(&b, STR("rules"));
	if (opposite) {
		json_build_array(&b);
		json_build_str(&b, STR("not"));
		json_build_copy(&b, rules);
		json_build_end(&b);
	} else {
		json_build_copy(&b, rules);
	}
	json_build_end(&b);
	return json_build_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	const struct json *doc, *rules, *record;
	struct filter *f, *opposite;
	struct err err = ERR_INIT;
	bool passes, again;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	if (!json_parse_copy(a, str_of((const char *)data, size), &doc, &err) ||
		!json_is_array(rules = json_at(doc, 0)))
		return 0;
	record = json_at(doc, 1) == NULL ? &json_null : json_at(doc, 1);
	if (!filter_compile(a, document(a, rules, false), "filter", &f, &err)) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_LIMIT);
		CHECK(str_starts(str_z(err.field), STR("filter.rules")));
		return 0;
	}
	if (!filter_passes(f, record, NULL, a, &passes, &err)) {
		CHECK(err.code == ERR_LIMIT);
		CHECK(!explained_answer(f, record, a));
		return 0;
	}
	CHECK(filter_passes(f, record, NULL, a, &again, &err) && again == passes);
	CHECK(explained_answer(f, record, a) == passes);
	/* a list of rules, or one at the limit of depth, is no operand */
	if (filter_compile(a, document(a, rules, true), "filter", &opposite, NULL))
		CHECK(filter_passes(opposite, record, NULL, a, &again, &err) && again == !passes);
	return 0;
}
