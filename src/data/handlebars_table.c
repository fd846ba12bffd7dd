/*
 * handlebars_table.c - all tables of helpers in one order, finding a name in them, and the reference
 * page; and the helpers that handlebars.js brings itself.
 */
#include "data/handlebars_priv.h"

/* ---- the helpers of handlebars.js ---- */

static bool fn_if(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0);
	bool zero = hbs_truthy(hbs_hash(c, "includeZero"));

	return hbs_choose(c, (zero || hbs_truthy(v)) && !js_empty(v), result, err);
}

static bool fn_unless(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *v = hbs_arg(c, 0);
	bool zero = hbs_truthy(hbs_hash(c, "includeZero"));

	return hbs_choose(c, !((zero || hbs_truthy(v)) && !js_empty(v)), result, err);
}

static bool fn_each(struct hbs_call *c, const struct json **result UNUSED, struct err *err)
{
	return run_each(c, hbs_arg(c, 0), err);
}

static bool fn_with(struct hbs_call *c, const struct json **result UNUSED, struct err *err)
{
	const struct json *v = hbs_arg(c, 0);

	if (js_empty(v))
		return hbs_run(c, false, hbs_this(c), err);
	return run_program(c->run, c->block->program, c->scope, v, NULL, &v, 1, err);
}

/* {{lookup "states" code}}: a lookup of the environment by name, else a text of the template. */
static bool named_lookup(struct hbs_call *c, const struct json **of, struct err *err)
{
	const struct hbs_env *env = c->run->env;
	bool found = false;
	const struct json *v = NULL;

	if (env->value == NULL || !json_is_str(*of))
		return true;
	struct str name = str_fmt(c->run->scratch, "lookup.%.*s", STR_ARG(json_str(*of)));

	if (!env->value(env->ctx, name, &found, &v, err))
		return false;
	if (found && v != NULL && v->type >= JSON_ARRAY)
		*of = v;
	return true;
}

static bool fn_lookup(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct json *of = hbs_arg(c, 0);

	if (!named_lookup(c, &of, err) ||
		!hbs_steps(c, js_property_steps(of, hbs_str(c, hbs_arg(c, 1))), err))
		return false;
	*result = hbs_truthy(of) && hbs_argc(c) > 1
			  ? js_property(c->run->scratch, of, hbs_str(c, hbs_arg(c, 1)))
		  : hbs_truthy(of) ? NULL
				   : of;
	return true;
}

static bool fn_log(struct hbs_call *c UNUSED, const struct json **result UNUSED,
	struct err *err UNUSED)
{
	return true;
}

static bool fn_raw(struct hbs_call *c, const struct json **result UNUSED, struct err *err)
{
	return hbs_run(c, true, hbs_this(c), err);
}

static const struct hbs_helper rows[] = {
	{ "if", fn_if, HBS_BLOCK, 1, 1, "value",
		"The content when the value is true, else what stands behind `{{else}}`. False are "
		"`false`, `null`, a missing value, `\"\"`, `0` (but with `includeZero=true`) and "
		"an "
		"empty array. `{{else if other}}` goes on asking.",
		"{{#if paid}}paid{{else}}open{{/if}}", "{\"paid\":false}", "open" },
	{ "unless", fn_unless, HBS_BLOCK, 1, 1, "value", "The opposite of `if`.",
		"{{#unless paid}}open{{/unless}}", "{\"paid\":0}", "open" },
	{ "each", fn_each, HBS_BLOCK, 1, 1, "list",
		"The content for each element of an array or member of an object, with it as "
		"`this`; "
		"`@index`, `@key`, `@first`, `@last` tell where it stands, `as |item key|` names "
		"them. "
		"`{{else}}` when there is none.",
		"{{#each items}}{{@index}}:{{sku}}{{#unless @last}}, {{/unless}}{{/each}}",
		"{\"items\":[{\"sku\":\"A\"},{\"sku\":\"B\"}]}", "0:A, 1:B" },
	{ "with", fn_with, HBS_BLOCK, 1, 1, "value",
		"The content with the value as `this`; `{{else}}` when it is empty.",
		"{{#with author}}{{first}} {{last}}{{/with}}",
		"{\"author\":{\"first\":\"Charles\",\"last\":\"Dickens\"}}", "Charles Dickens" },
	{ "lookup", fn_lookup, HBS_INLINE, 1, 2, "object name",
		"The member of that name, or the element of an array. With a text as object the "
		"lookup "
		"of that name, where there is one.",
		"{{lookup prices code}}", "{\"prices\":{\"A1\":9.50},\"code\":\"A1\"}", "9.50" },
	{ "log", fn_log, HBS_INLINE, 0, HBS_ARGS_ANY, "value ...", "Nothing: no log is kept.",
		"a{{log \"here\"}}b", "{}", "ab" },
	{ "raw", fn_raw, HBS_BLOCK, 0, 0, "",
		"The content of a raw block as it stands: `{{{{raw}}}} ... {{{{/raw}}}}`.",
		"{{{{raw}}}}{{name}}{{{{/raw}}}}", "{\"name\":\"x\"}", "{{name}}" },
};

const struct hbs_helpers hbs_builtin_helpers = { "Control", rows, ARRAY_LEN(rows) };

/* ---- all tables ---- */

const struct hbs_helpers *hbs_table_at(const struct hbs_options *extra, size_t i)
{
	static const struct hbs_helpers *const own[] = { &hbs_builtin_helpers, &hbs_logic_helpers,
		&hbs_string_helpers, &hbs_case_helpers, &hbs_math_helpers, &hbs_format_helpers,
		&hbs_array_helpers, &hbs_encode_helpers, &hbs_regex_helpers, &hbs_date_helpers };

	if (i < ARRAY_LEN(own))
		return own[i];
	i -= ARRAY_LEN(own);
	return extra != NULL && i < extra->extra_count ? extra->extra[i] : NULL;
}

const struct hbs_helper *hbs_find(const struct hbs_options *extra, struct str name)
{
	const struct hbs_helper *found = NULL;
	const struct hbs_helpers *t;

	for (size_t i = 0; (t = hbs_table_at(extra, i)) != NULL; i++)
		for (size_t k = 0; k < t->count; k++)
			if (str_eq_z(name, t->rows[k].name))
				found = &t->rows[k];
	return found;
}

/* ---- the reference ---- */

static void put_usage(const struct hbs_helper *h, struct buf *out)
{
	bool block = h->form == HBS_BLOCK;
	const char *gap = h->args[0] != '\0' ? " " : "";

	if (str_eq_z(str_z(h->name), "raw"))
		BUF_ADD_LIT(out, "`{{{{raw}}}} ... {{{{/raw}}}}`");
	else
		buf_add_fmt(out, "`{{%s%s%s%s}}`", block ? "#" : "", h->name, gap, h->args);
	if (h->form == HBS_CHOICE)
		buf_add_fmt(out, " or `{{#%s%s%s}} ... {{else}} ... {{/%s}}`", h->name, gap,
			h->args, h->name);
	if (h->form == HBS_TEXT)
		buf_add_fmt(out, " or `{{#%s}} ... {{/%s}}`", h->name, h->name);
}

/* Code in backquotes, with more of them than stand in it. */
static void put_code(const char *z, struct buf *out)
{
	const char *fence = strchr(z, '`') != NULL ? "`` " : "`";

	buf_add_fmt(out, "%s%s%s", fence, z, strchr(z, '`') != NULL ? " ``" : "`");
}

void hbs_markdown(const struct hbs_helpers *const *extra, size_t extra_count, struct buf *out)
{
	const struct hbs_options options = { extra, extra_count };
	const struct hbs_helpers *t;

	BUF_ADD_LIT(out,
		"# Handlebars helpers\n\n"
		"Templates (`{{...}}`) mean what they mean to handlebars.js 4.7. `{{x}}` is "
		"escaped "
		"for where the text goes (percent-encoded in a URI), `{{{x}}}` is not. These "
		"helpers "
		"can be used in every template. Text helpers take numbers and booleans by their "
		"text, and give nothing for other values.\n");
	for (size_t i = 0; (t = hbs_table_at(&options, i)) != NULL; i++) {
		buf_add_fmt(out, "\n## %s\n", t->topic);
		for (size_t k = 0; k < t->count; k++) {
			const struct hbs_helper *h = &t->rows[k];

			buf_add_fmt(out, "\n### %s\n\n", h->name);
			put_usage(h, out);
			buf_add_fmt(out, "\n\n%s\n\nExample: ", h->text);
			put_code(h->example, out);
			if (strcmp(h->context, "{}") != 0) {
				BUF_ADD_LIT(out, " with ");
				put_code(h->context, out);
			}
			BUF_ADD_LIT(out, " gives ");
			put_code(h->result, out);
			BUF_ADD_LIT(out, "\n");
		}
	}
}
