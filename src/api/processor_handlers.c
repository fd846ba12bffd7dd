/*
 * processor_handlers.c - one step of a flow on given data, without a flow: what an editor or a test needs.
 *
 * Pure computations on the request's own arena; nothing is stored and nothing is asked of an
 * application.
 */
#include "api/handlers_priv.h"

#include "core/limits.h"
#include "crypt/handlebars_crypt.h"
#include "map/filter.h"
#include "map/mapping.h"
#include "map/transform.h"

#define TEXT_MAX ((size_t)LIMIT_REQUEST_BODY)

/* What is tried and on which data: members of the body that must be there, besides those of NAMES that
 * may. Answers 422 itself. */
static bool read_body(struct api_request *rq, const char *names, const char *what,
	const struct json **step, const struct json **data)
{
	struct problems p;

	problems_init(&p, rq->x->arena);
	(void)schema_check_members(rq->body, names, &p);
	*step = json_get(rq->body, str_z(what));
	*data = json_get(rq->body, STR("data"));
	if (*step == NULL)
		problems_add(&p, ERR_MISSING, what, NULL, "the body must have \"%s\"", what);
	if (*data == NULL)
		problems_add(&p, ERR_MISSING, "data", NULL, "the body must have \"data\"");
	if (p.count > 0)
		api_fail_all(rq, &p);
	return p.count == 0;
}

/* ---- mapping ---- */

/* {mapping, lookups?, data} -> {data, fields} */
void handle_process_mapping(struct api_request *rq)
{
	struct arena *a = rq->x->arena;
	struct err err = ERR_INIT;
	struct json_build b, mapped;
	struct mapping *m;
	const struct json *mapping, *data;

	if (!read_body(rq, "mapping|lookups|data", "mapping", &mapping, &data))
		return;
	json_build_init(&mapped, a);
	if (!mapping_compile(a, mapping, json_get(rq->body, STR("lookups")), &m, &err) ||
		!mapping_apply(m, data, NULL, &mapped, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("data"), json_build_done(&mapped));
	json_build_key(&b, STR("fields"));
	mapping_explain(m, data, NULL, &b);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

/* ---- template ---- */

/* As in a page: {{x}} is escaped for HTML. */
static bool render_html(struct api_request *rq, struct str text, const struct json *data,
	struct buf *out, struct err *err)
{
	static const struct hbs_helpers *const extra[] = { &handlebars_crypt };
	const struct hbs_options options = { extra, ARRAY_LEN(extra) };
	const struct hbs_env env = { .context = data,
		.escape = HBS_HTML,
		.clock = rq->api->cfg.clock,
		.rng = rq->api->cfg.rng,
		.scratch = rq->x->arena };
	struct hbs *t;

	return hbs_compile(rq->x->arena, text, &options, &t, err) &&
	       hbs_render(t, &env, out, NULL, err);
}

static bool render(struct api_request *rq, struct str text, const struct json *data,
	struct buf *out, struct err *err)
{
	const struct template_env env = { .clock = rq->api->cfg.clock,
		.rng = rq->api->cfg.rng,
		.scratch = rq->x->arena };
	const struct json *use = json_get(rq->body, STR("use"));
	struct str word = use == NULL ? STR("text") : json_is_str(use) ? json_str(use) : STR("");
	bool uri = str_eq_z(word, "uri");
	struct template *t;

	if (str_eq_z(word, "html"))
		return render_html(rq, text, data, out, err);
	if (!uri && !str_eq_z(word, "text"))
		return err_set_field(err, ERR_INVALID, "use", "use must be text, uri or html");
	return template_compile(rq->x->arena, text, uri ? TEMPLATE_URI : TEMPLATE_TEXT, &t, err) &&
	       template_render(t, data, &env, out, NULL, err);
}

/* {template, data, use} -> {text} */
void handle_process_template(struct api_request *rq)
{
	struct buf out DEFER(buf_free) = BUF_INIT(TEXT_MAX);
	struct err err = ERR_INIT;
	struct json_build b;
	const struct json *text, *data;
	bool ok = true;

	if (!read_body(rq, "template|data|use", "template", &text, &data))
		return;
	if (!json_is_str(text))
		ok = err_set_field(&err, ERR_INVALID, "template", "template must be a string");
	if (ok && !render(rq, json_str(text), data, &out, &err)) {
		ok = false;
		if (err.field[0] == '\0')
			snprintf(err.field, sizeof(err.field), "template");
	}
	if (ok && out.over)
		ok = err_set(&err, ERR_LIMIT, "the text is larger than %zu bytes", TEXT_MAX);
	if (!ok) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_add_str(&b, STR("text"), out.n == 0 ? STR("") : buf_str(&out));
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

/* ---- filter and transform ---- */

/* The rules alone stand for {"rules": them}. */
static const struct json *with_rules(struct arena *a, const struct json *v)
{
	struct json_build b;

	if (!json_is_array(v))
		return v;
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("rules"), v);
	json_build_end(&b);
	return json_build_done(&b);
}

/* {filter, data} -> {passes, expression} */
void handle_process_filter(struct api_request *rq)
{
	struct arena *a = rq->x->arena;
	struct err err = ERR_INIT;
	struct json_build b;
	struct filter *f;
	const struct json *filter, *data;

	if (!read_body(rq, "filter|data", "filter", &filter, &data))
		return;
	if (!filter_compile(a, with_rules(a, filter), "filter", &f, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, a);
	filter_explain(f, data, NULL, &b);
	api_answer_build(rq, 200, &b);
}

/* {transform, data} -> {data} */
void handle_process_transform(struct api_request *rq)
{
	struct arena *a = rq->x->arena;
	struct err err = ERR_INIT;
	struct json_build b;
	struct transform *t;
	const struct json *transform, *data;

	if (!read_body(rq, "transform|data", "transform", &transform, &data))
		return;
	json_build_init(&b, a);
	json_build_object(&b);
	json_build_key(&b, STR("data"));
	if (!transform_compile(a, with_rules(a, transform), "transform", &t, &err) ||
		!transform_apply(t, data, &b, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

/* ---- what there is ---- */

static const struct {
	const char *name, *takes, *answers, *text;
} processors[] = {
	{ "mapping", "mapping, lookups, data", "data, fields",
		"What an import's mapping makes of a record, and why for each field." },
	{ "template", "template, data, use", "text",
		"A text with placeholders or Handlebars; use is text, uri or html." },
	{ "filter", "filter, data", "passes, expression",
		"Whether a record passes, with the value of each part of the filter." },
	{ "transform", "transform, data", "data", "What a transform makes of a record." },
};

static void add_helpers(struct json_build *b)
{
	static const struct hbs_helpers *const extra[] = { &handlebars_crypt };
	static const char *const forms[] = { "inline", "block", "choice", "text" };
	const struct hbs_options options = { extra, ARRAY_LEN(extra) };
	const struct hbs_helpers *table;

	json_build_key(b, STR("helpers"));
	json_build_array(b);
	for (size_t i = 0; (table = hbs_table_at(&options, i)) != NULL; i++) {
		for (size_t k = 0; k < table->count; k++) {
			const struct hbs_helper *h = &table->rows[k];

			json_build_object(b);
			json_add_str(b, STR("name"), str_z(h->name));
			json_add_str(b, STR("topic"), str_z(table->topic));
			json_add_str(b, STR("form"), str_z(forms[h->form]));
			json_add_str(b, STR("args"), str_z(h->args));
			json_add_str(b, STR("text"), str_z(h->text));
			json_add_str(b, STR("example"), str_z(h->example));
			json_add_str(b, STR("context"), str_z(h->context));
			json_add_str(b, STR("result"), str_z(h->result));
			json_build_end(b);
		}
	}
	json_build_end(b);
}

void handle_processors(struct api_request *rq)
{
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_build_key(&b, STR("processors"));
	json_build_array(&b);
	for (size_t i = 0; i < ARRAY_LEN(processors); i++) {
		json_build_object(&b);
		json_add_str(&b, STR("name"), str_z(processors[i].name));
		json_add_str(&b, STR("route"),
			str_fmt(b.arena, "/v1/processors/%s", processors[i].name));
		json_add_str(&b, STR("takes"), str_z(processors[i].takes));
		json_add_str(&b, STR("answers"), str_z(processors[i].answers));
		json_add_str(&b, STR("description"), str_z(processors[i].text));
		json_build_end(&b);
	}
	json_build_end(&b);
	add_helpers(&b);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}
