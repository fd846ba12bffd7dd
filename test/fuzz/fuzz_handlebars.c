/*
 * fuzz_handlebars.c - a template, a line "%%", and the JSON it is rendered for, each way of escaping.
 *
 * An error must say something; a rendering must give the same again, and UTF-8 for UTF-8.
 */
#include "crypt/handlebars_crypt.h"

#define OUTPUT_MAX 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const struct hbs *t, const struct hbs_env *env, struct buf *out)
{
	struct err err = ERR_INIT;

	if (!hbs_render(t, env, out, NULL, &err))
		CHECK(err.code != ERR_NONE && err.message[0] != '\0');
}

static void render_twice(const struct hbs *t, struct hbs_env env, bool utf8)
{
	struct buf one DEFER(buf_free) = BUF_INIT(OUTPUT_MAX);
	struct buf two DEFER(buf_free) = BUF_INIT(OUTPUT_MAX);
	struct clock_test clock;
	struct rng rng;

	clock_test_init(&clock, 1440938160000);
	env.clock = &clock.clock;
	env.rng = &rng;
	rng_test_init(&rng, 1);
	render(t, &env, &one);
	rng_test_init(&rng, 1);
	render(t, &env, &two);
	CHECK(str_eq(buf_str(&one), buf_str(&two)));
	CHECK(!utf8 || str_is_utf8(buf_str(&one)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hbs_helpers *const extra[] = { &handlebars_crypt };
	const struct hbs_options options = { extra, ARRAY_LEN(extra) };
	static struct arena *a;
	struct str text = str_of((const char *)data, size), context = STR("{}");
	size_t cut = str_find(text, STR("\n%%\n"));
	struct hbs_env env = { .timezone = STR("Europe/Berlin") };
	struct err err = ERR_INIT;
	struct hbs *t;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	env.scratch = a;
	if (cut != STR_NPOS) {
		context = str_from(text, cut + 4);
		text = str_sub(text, 0, cut);
	}
	if (!json_parse_copy(a, context, &env.context, &err)) {
		err_clear(&err);
		env.context = NULL;
	}
	if (!hbs_compile(a, text, &options, &t, &err)) {
		CHECK(err.code != ERR_NONE && err.message[0] != '\0');
		return 0;
	}
	for (env.escape = HBS_RAW; env.escape <= HBS_URI; env.escape++) {
		env.strict = env.escape == HBS_URI;
		render_twice(t, env, str_is_utf8(text));
	}
	return 0;
}
