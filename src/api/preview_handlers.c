/*
 * preview_handlers.c - exports and imports tried out before they are saved.
 *
 * The body is the document, as for a create, and beside its fields what it is tried with: postData of
 * an export, data of an import.
 */
#include "api/calls_priv.h"

/* The member that is no field; taken out of *BODY. */
static const struct json *take_member(struct api_request *rq, const struct json **body,
	const char *name)
{
	const struct json *v = json_get(*body, str_z(name));

	if (v != NULL)
		*body = call_without(rq->x->arena, *body, name);
	return v;
}

static bool is_document(struct api_request *rq)
{
	struct err err = ERR_INIT;

	if (json_is_object(rq->body))
		return true;
	err_set(&err, ERR_INVALID, "the body must be the document, an object; found %s",
		json_type_phrase(rq->body->type));
	api_fail(rq, &err);
	return false;
}

void handle_export_preview(struct api_request *rq)
{
	struct invocation *v DEFER(call_endp) = NULL;
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	const struct json *body = rq->body, *given;
	struct problems p;

	if (!is_document(rq) || (v = call_begin(rq)) == NULL || !call_overrides(rq, v))
		return;
	problems_init(&p, rq->x->arena);
	given = take_member(rq, &body, "postData");
	if (given != NULL && !json_is_object(given))
		problems_add(&p, ERR_INVALID, "postData", NULL,
			"postData must be an object, whose members placeholders stand for");
	if (p.count == 0 && invoke_unsaved(v, "export", body, STR_NULL, &p)) {
		invoke_preview_export(v, given, &out);
		call_answer(rq, &out);
	} else {
		api_fail_all(rq, &p);
	}
}

/* One record, or an array of them. */
static const struct json *sample(struct arena *a, const struct json *data)
{
	struct json_build b;

	if (!json_is_object(data))
		return data;
	json_build_init(&b, a);
	json_build_array(&b);
	json_build_copy(&b, data);
	json_build_end(&b);
	return json_build_done(&b);
}

void handle_import_preview(struct api_request *rq)
{
	struct invocation *v DEFER(call_endp) = NULL;
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	const struct json *body = rq->body, *data;
	struct problems p;
	struct err err = ERR_INIT;

	if (!is_document(rq) || (v = call_begin(rq)) == NULL || !call_overrides(rq, v))
		return;
	problems_init(&p, rq->x->arena);
	data = sample(rq->x->arena, take_member(rq, &body, "data"));
	if (!call_records(data, "data", &err))
		problems_add_err(&p, &err);
	if (p.count == 0 && invoke_unsaved(v, "import", body, STR_NULL, &p)) {
		invoke_preview_import(v, data, &out);
		call_answer(rq, &out);
	} else {
		api_fail_all(rq, &p);
	}
}
