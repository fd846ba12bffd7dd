/*
 * fuzz_mapping.c - {"mapping":..., "lookups":..., "record":...}: compiled as a saved import's would
 * be, then run over the record in each fate. What comes out must be JSON that reads back the same, and
 * mapping_print() must print just that, or fail in the same words.
 */
#include "map/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool answer(void *ctx UNUSED, struct str name, const struct json *value,
	const struct json *record, const struct json **result, struct err *err)
{
	if (name.n % 3 == 0)
		return err_set(err, ERR_LOOKUP, "no");
	*result = name.n % 3 == 1 ? NULL : value == NULL ? record : value;
	return true;
}

static void check_print(const struct mapping *m, const struct json *record,
	const struct mapping_env *env, struct arena *a, const struct json *made,
	const struct err *why)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	bool ok = mapping_print(m, record, env, a, &out, &err);

	CHECK(ok == (made != NULL));
	if (ok)
		CHECK(str_eq(buf_str(&out), json_print_arena(a, made)));
	else
		CHECK(err.code == why->code && strcmp(err.message, why->message) == 0);
}

static void apply(const struct mapping *m, const struct json *record, const struct mapping_env *env,
	struct arena *a)
{
	struct json_build b;
	const struct json *again = NULL;
	struct err err = ERR_INIT;

	json_build_init(&b, a);
	if (!mapping_apply(m, record, env, &b, &err)) {
		CHECK(err.code != ERR_NONE && err.message[0] != '\0');
		check_print(m, record, env, a, NULL, &err);
		return;
	}
	const struct json *out = json_build_done(&b);

	check_print(m, record, env, a, out, &err);

	CHECK(json_parse_copy(a, json_print_arena(a, out), &again, &err));
	CHECK(json_equal(out, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct buf scratch DEFER(buf_free) = BUF_INIT(0);
	struct mapping_env env = { .lookup = answer, .scratch = &scratch };
	const struct json *doc, *record;
	struct mapping *m;
	struct err err = ERR_INIT;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	if (!json_parse_copy(a, str_of((const char *)data, size), &doc, &err))
		return 0;
	if (!mapping_compile(a, json_get(doc, STR("mapping")), json_get(doc, STR("lookups")), &m,
		    &err)) {
		CHECK(err.code != ERR_NONE && err.field[0] != '\0');
		return 0;
	}
	record = json_get(doc, STR("record"));
	if (record == NULL)
		record = doc;
	apply(m, record, NULL, a);
	for (env.fate = MAPPING_FATE_UNKNOWN; env.fate <= MAPPING_UPDATES; env.fate++) {
		env.existing = env.fate == MAPPING_UPDATES ? record : NULL;
		apply(m, record, &env, a);
	}
	return 0;
}
