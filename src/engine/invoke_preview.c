/*
 * invoke_preview.c - a call that is tried out: every stage with what went in and came out of it.
 *
 * An export:  request, raw, parse, transform (transform and filter).
 * An import:  filter, lookup (requests and answers), mapping, request (what would be sent).
 * The stage at which it ends has the error; those behind it are missing.
 */
#include "engine/invoke_priv.h"

#include "core/limits.h"
#include "engine/exchange.h"
#include "engine/step.h"

static void open_stage(struct json_build *b, const char *name)
{
	json_build_object(b);
	json_add_str(b, STR("name"), str_z(name));
	json_build_key(b, STR("data"));
	json_build_array(b);
}

/* FAILURE NULL: none. */
static void close_stage(struct json_build *b, const struct err *failure)
{
	json_build_end(b);
	json_build_key(b, STR("errors"));
	json_build_array(b);
	if (failure != NULL)
		invoke_add_error(b, failure, NULL);
	json_build_end(b);
	json_build_end(b);
}

static void add_request(struct json_build *b, const struct exchange *x)
{
	json_build_object(b);
	json_add_str(b, STR("purpose"), str_z(x->purpose));
	exchange_add_request(b, x->request);
	json_build_end(b);
}

static void add_response(struct json_build *b, const struct exchange *x)
{
	json_build_object(b);
	json_add_str(b, STR("purpose"), str_z(x->purpose));
	if (x->response.p != NULL)
		exchange_add_response(b, x->response);
	json_add_str(b, STR("error"), x->failure);
	json_build_end(b);
}

/* ---- exports ---- */

/* A preview asks once: somebody waits. */
static const struct json *asked_once(struct invocation *v)
{
	struct json_build b;

	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_add_i64(&b, STR("maxAttempts"), 1);
	json_build_end(&b);
	return schema_merge_patch(v->arena, v->doc, json_build_done(&b));
}

/* The elements of a printed list; of errors those that this stage (SOURCE) made. */
static void add_parsed(struct json_build *b, struct invocation *v, const struct buf *list,
	const char *source)
{
	struct str text = str_fmt(v->arena, "[%.*s]", STR_ARG(buf_str(list)));
	const struct json *doc;
	struct err err = ERR_INIT;

	if (!json_parse_copy(v->arena, text, &doc, &err))
		return; /* cut by its bound */
	for (json_each (it, doc))
		if (source == NULL || str_eq_z(json_get_str(it, STR("source")), source))
			json_build_copy(b, it);
}

/* A stage in which each record may fail for itself. */
static void add_record_stage(struct json_build *b, struct invocation *v, const char *name,
	const struct buf *data, const struct buf *errors, const char *source)
{
	open_stage(b, name);
	add_parsed(b, v, data, NULL);
	json_build_end(b);
	json_build_key(b, STR("errors"));
	json_build_array(b);
	add_parsed(b, v, errors, source);
	json_build_end(b);
	json_build_end(b);
}

/* At which stage an export ended with an error; NULL: it did not. */
static const char *failed_stage(const struct invocation *v, const struct err *err)
{
	const struct exchange *last = v->exchange_count == 0 ? NULL
							     : &v->exchanges[v->exchange_count - 1];

	if (err->code == ERR_NONE)
		return NULL;
	if (last == NULL || last->response.p == NULL || last->failure.p != NULL)
		return "request";
	return err->code == ERR_HTTP_STATUS || exchange_status(last->response) >= 300 ? "raw"
										      : "parse";
}

static void add_export_stages(struct invocation *v, const struct export_take *t,
	const struct err *err, struct json_build *b)
{
	const char *failed = failed_stage(v, err);

	open_stage(b, "request");
	for (size_t i = 0; i < v->exchange_count; i++)
		add_request(b, &v->exchanges[i]);
	close_stage(b, failed != NULL && strcmp(failed, "request") == 0 ? err : NULL);
	if (v->exchange_count == 0)
		return;
	open_stage(b, "raw");
	for (size_t i = 0; i < v->exchange_count; i++)
		add_response(b, &v->exchanges[i]);
	close_stage(b, failed != NULL && strcmp(failed, "raw") == 0 ? err : NULL);
	if (failed != NULL && strcmp(failed, "parse") != 0)
		return;
	open_stage(b, "parse");
	add_parsed(b, v, t->parsed, NULL);
	close_stage(b, failed != NULL ? err : NULL);
	if (failed != NULL)
		return;
	add_record_stage(b, v, "transform", t->transformed, t->errors, "transform");
	add_record_stage(b, v, "filter", t->data, t->errors, "output_filter");
}

void invoke_preview_export(struct invocation *v, const struct json *variables, struct buf *out)
{
	struct buf data DEFER(buf_free) = BUF_INIT(LIMIT_INVOKE_BYTES);
	struct buf errors DEFER(buf_free) = BUF_INIT(0);
	struct buf parsed DEFER(buf_free) = BUF_INIT(LIMIT_INVOKE_BYTES);
	struct buf transformed DEFER(buf_free) = BUF_INIT(LIMIT_INVOKE_BYTES);
	struct export_take t = { .limit = PREVIEW_RECORDS,
		.data = &data,
		.errors = &errors,
		.parsed = &parsed,
		.transformed = &transformed };
	struct err err = ERR_INIT;
	struct json_build b;
	int64_t limit;

	if (json_to_i64(json_get_path(v->doc, STR("test.limit")), &limit))
		t.limit = (size_t)limit;
	v->doc = asked_once(v);
	invoke_watch(v);
	if (!invoke_take(v, invoke_variables(v, variables), &t, &err))
		t.done = false; /* ERR becomes its stage's */
	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_build_key(&b, STR("data"));
	json_build_array(&b);
	add_parsed(&b, v, &data, NULL);
	json_build_end(&b);
	json_build_key(&b, STR("stages"));
	json_build_array(&b);
	add_export_stages(v, &t, &err, &b);
	json_build_end(&b);
	json_add_str(&b, STR("zeroReason"), t.zero_reason);
	json_build_end(&b);
	json_print(out, json_build_done(&b), JSON_COMPACT);
}

/* ---- imports ---- */

static bool failed_at(const struct delivery *d, const char *stage)
{
	return d->err.code != ERR_NONE && d->stage != NULL && strcmp(d->stage, stage) == 0;
}

/* Errors of the records that failed at STAGE; they name the record. */
static void close_stage_of(struct json_build *b, const struct delivery *d, size_t n,
	const char *stage, bool rest)
{
	json_build_end(b);
	json_build_key(b, STR("errors"));
	json_build_array(b);
	for (size_t i = 0; i < n; i++) {
		bool here = failed_at(&d[i], stage) ||
			    (rest && d[i].err.code != ERR_NONE && !failed_at(&d[i], "lookup") &&
				    !failed_at(&d[i], "mapping") &&
				    !failed_at(&d[i], "input_filter"));

		if (!here)
			continue;
		json_build_object(b);
		json_add_i64(b, STR("record"), (int64_t)i);
		json_add_str(b, STR("code"), str_z(err_info(d[i].err.code)->wire));
		json_add_str(b, STR("message"), str_z(d[i].err.message));
		if (d[i].err.field[0] != '\0')
			json_add_str(b, STR("field"), str_z(d[i].err.field));
		json_build_end(b);
	}
	json_build_end(b);
	json_build_end(b);
}

static void add_filter_stage(struct json_build *b, const struct delivery *d, size_t n)
{
	open_stage(b, "filter");
	for (size_t i = 0; i < n; i++) {
		json_build_object(b);
		json_add_i64(b, STR("record"), (int64_t)i);
		json_add_bool(b, STR("passes"), !d[i].ignored);
		json_add_str(b, STR("reason"), d[i].reason);
		json_build_end(b);
	}
	close_stage_of(b, d, n, "input_filter", false);
}

static void add_lookup_stage(struct json_build *b, const struct invocation *v,
	const struct delivery *d, size_t n)
{
	open_stage(b, "lookup");
	for (size_t i = 0; i < v->exchange_count; i++) {
		json_build_object(b);
		json_build_key(b, STR("request"));
		add_request(b, &v->exchanges[i]);
		json_build_key(b, STR("raw"));
		add_response(b, &v->exchanges[i]);
		json_build_end(b);
	}
	close_stage_of(b, d, n, "lookup", false);
}

static void add_mapped(struct json_build *b, const struct delivery *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (d[i].mapped != NULL && !d[i].ignored)
			json_build_copy(b, d[i].mapped);
		else
			json_build_null(b);
	}
}

static void add_requests(struct json_build *b, const struct invocation *v, struct step *step,
	const struct delivery *d, size_t n)
{
	open_stage(b, "request");
	for (size_t i = 0; i < n; i++) {
		struct str text = STR_NULL;

		if (d[i].err.code == ERR_NONE && !d[i].ignored)
			text = step_show_request(step, &d[i], v->arena);
		if (text.p == NULL) {
			json_build_null(b);
			continue;
		}
		json_build_object(b);
		exchange_add_request(b, text);
		json_build_end(b);
	}
	close_stage_of(b, d, n, "submit", true);
}

static void add_import(struct invocation *v, struct step *step, struct delivery *d, size_t n,
	struct json_build *b)
{
	json_build_key(b, STR("data"));
	json_build_array(b);
	add_mapped(b, d, n);
	json_build_end(b);
	json_build_key(b, STR("stages"));
	json_build_array(b);
	add_filter_stage(b, d, n);
	add_lookup_stage(b, v, d, n);
	open_stage(b, "mapping");
	add_mapped(b, d, n);
	close_stage_of(b, d, n, "mapping", false);
	add_requests(b, v, step, d, n);
	json_build_end(b);
}

/* It can't even be opened: what the document says does not go together. */
static void add_unopened(struct json_build *b, const struct err *err)
{
	json_build_key(b, STR("data"));
	json_build_array(b);
	json_build_end(b);
	json_build_key(b, STR("stages"));
	json_build_array(b);
	open_stage(b, "request");
	close_stage(b, err);
	json_build_end(b);
}

void invoke_preview_import(struct invocation *v, const struct json *records, struct buf *out)
{
	size_t n = MIN((size_t)records->n, (size_t)PREVIEW_RECORDS);
	struct delivery *d = arena_array_of(v->arena, struct delivery, n);
	const struct json *at = records + 1;
	struct err err = ERR_INIT;
	struct step *step = NULL;
	struct json_build b;

	for (size_t i = 0; i < n; i++, at = json_next(at))
		d[i].source = at;
	invoke_watch(v);
	json_build_init(&b, v->arena);
	json_build_object(&b);
	if (!invoke_open_step(v, &step, &err)) {
		add_unopened(&b, &err);
	} else {
		if (!step_prepare(step, d, n, v->arena, &err)) {
			(void)invoke_ended(v, &err);
			for (size_t i = 0; i < n; i++)
				if (d[i].err.code == ERR_NONE || d[i].err.code == ERR_CANCELED)
					d[i].err = err;
		}
		add_import(v, step, d, n, &b);
	}
	json_build_end(&b);
	json_print(out, json_build_done(&b), JSON_COMPACT);
	step_close(step);
}
