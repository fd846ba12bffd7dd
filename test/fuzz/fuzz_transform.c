/*
 * fuzz_transform.c - a JSON array of rules and a record: what compiles makes a value that prints and
 * parses, or says which field failed.
 */
#include "map/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct transform *t, const struct json *record, struct arena *a)
{
	const struct json *again;
	struct json_build b;
	struct err err = ERR_INIT;

	json_build_init(&b, a);
	if (!transform_apply(t, record, &b, &err)) {
		CHECK(err.code == ERR_MAPPING || err.code == ERR_LIMIT);
		return;
	}
	if (!json_parse_copy(a, json_print_arena(a, json_build_done(&b)), &again, &err))
		CHECK(err.code == ERR_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	const struct json *doc, *record;
	struct transform *t;
	struct err err = ERR_INIT;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	if (!json_parse_copy(a, str_of((const char *)data, size), &doc, &err))
		return 0;
	if (!transform_compile(a, json_at(doc, 0), "transform", &t, &err)) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_LIMIT);
		CHECK(str_starts(str_z(err.field), STR("transform.")));
		return 0;
	}
	record = json_at(doc, 1);
	apply(t, record == NULL ? &json_null : record, a);
	return 0;
}
