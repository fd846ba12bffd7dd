/*
 * handlebars_driver.c - renders templates for tests that compare with handlebars.js.
 *
 * Reads JSON lines {"template", "context", "escape": "html"|"raw"|"uri"} from standard input and
 * answers one line each: {"output": ...} or {"error": code, "message": ..., "compiled": boolean}.
 */
#include "data/handlebars.h"

#define OUTPUT_MAX (1 << 20)

static void answer(struct arena *a, const struct buf *out, bool compiled, const struct err *err)
{
	struct json_build b;
	struct buf line DEFER(buf_free) = BUF_INIT(0);

	json_build_init(&b, a);
	json_build_object(&b);
	if (err->code == ERR_NONE) {
		json_add_str(&b, STR("output"), out->n == 0 ? STR("") : buf_str(out));
	} else {
		json_add_str(&b, STR("error"), str_z(err_info(err->code)->wire));
		json_add_str(&b, STR("message"), str_z(err->message));
		json_add_str(&b, STR("hint"), str_z(err->hint));
		json_add_bool(&b, STR("compiled"), compiled);
	}
	json_build_end(&b);
	json_print(&line, json_build_done(&b), JSON_COMPACT);
	buf_add_char(&line, '\n');
	CHECK(fwrite(line.p, 1, line.n, stdout) == line.n);
}

static void run(struct arena *a, struct str line)
{
	struct buf out DEFER(buf_free) = BUF_INIT(OUTPUT_MAX);
	struct err err = ERR_INIT;
	const struct json *doc;
	struct hbs *t = NULL;

	CHECK(json_parse_copy(a, line, &doc, &err));
	struct str escape = json_get_str(doc, STR("escape"));
	const struct hbs_env env = { .context = json_get(doc, STR("context")),
		.escape = str_eq(escape, STR("html"))  ? HBS_HTML
			  : str_eq(escape, STR("uri")) ? HBS_URI
						       : HBS_RAW,
		.scratch = a };

	bool compiled = hbs_compile(a, json_get_str(doc, STR("template")), NULL, &t, &err);
	bool rendered = compiled && hbs_render(t, &env, &out, NULL, &err);

	CHECK(rendered == (err.code == ERR_NONE));
	answer(a, &out, compiled, &err);
}

int main(void)
{
	struct arena *a DEFER(arena_freep) = arena_new("line", 0);
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		arena_reset(a);
		run(a, str_of(line, (size_t)n));
	}
	free(line);
	return 0;
}
