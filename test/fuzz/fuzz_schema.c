/*
 * fuzz_schema.c - any JSON against every type of resource, alone and as a patch on an example.
 *
 * What passes must pass again unchanged, and be masked, walked and patched without a fault.
 */
#include "resource/resource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct schema *s, const struct json *doc, struct arena *a)
{
	const struct json *again = NULL;
	struct problems p;
	struct json_build b;

	problems_init(&p, a);
	/* the mask is refused where nothing is stored; everything else must stand */
	CHECK(schema_validate(s, doc, doc, a, &again, &p));
	CHECK(json_equal(doc, again));
	json_build_init(&b, a);
	schema_mask(s, doc, &b);
	CHECK(schema_validate(s, json_build_done(&b), doc, a, &again, &p));
	CHECK(json_equal(doc, again));
	schema_first_inert(s, doc, a);
}

static void try(const struct schema *s, const struct json *body, struct arena *a)
{
	const struct json *doc;
	struct problems p;

	problems_init(&p, a);
	if (schema_validate(s, body, NULL, a, &doc, &p))
		check_again(s, doc, a);
	else
		CHECK(p.count > 0 && problems_status(&p) >= 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *tables, *a;
	static struct resources *types;
	const struct resources_config none = { .store = NULL };
	const struct json *body, *example;
	struct err err = ERR_INIT;

	if (types == NULL) {
		tables = arena_new("tables", 0);
		a = arena_new("input", 0);
		types = resources_new(tables, &none);
	}
	arena_reset(a);
	if (!json_parse_copy(a, str_of((const char *)data, size), &body, &err))
		return 0;
	for (size_t i = 0; resources_at(types, i) != NULL; i++) {
		const struct schema *s = resources_at(types, i);

		try(s, body, a);
		err_clear(&err);
		CHECK(json_parse_copy(a, str_z(schema_def(s)->examples[0]), &example, &err));
		try(s, schema_merge_patch(a, example, body), a);
	}
	return 0;
}
