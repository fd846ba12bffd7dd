/*
 * invoke_handlers.c - exports and imports invoked: by apiIdentifier, by _id, and such as are not
 * stored (virtual ones, at a connection).
 *
 * What stands behind an apiIdentifier decides what a post means. A listener takes the body in as an
 * event, and verifies it itself; so the route needs no token, and whatever else is to be invoked asks
 * for one here.
 */
#include "api/calls_priv.h"

#include "api/listeners.h"
#include "core/limits.h"

#define INVOKE_SUCCESS 200

/* ---- what handlers of calls share ---- */

struct invocation *call_begin(struct api_request *rq)
{
	/* who has given a key comes back for the answer */
	bool keeps = http_request_header(rq->x, STR("Idempotency-Key")).p != NULL;
	struct invoke_who who = { caller_account(&rq->caller), str_z(rq->caller.connector_id),
		keeps ? NULL : &rq->x->left };
	struct invocation *v = NULL;
	struct err err = ERR_INIT;

	if (invoke_begin(rq->api->cfg.engine, &who, &v, &err))
		return v;
	api_fail(rq, &err);
	return NULL;
}

void call_endp(struct invocation **v)
{
	invoke_end(*v);
}

void call_answer(struct api_request *rq, const struct buf *json)
{
	api_answer(rq, INVOKE_SUCCESS, str_dup(rq->x->arena, buf_str(json)));
}

void call_fail(struct api_request *rq, struct invocation *v, const struct err *err)
{
	struct buf body DEFER(buf_free) = BUF_INIT(0);
	int status;

	invoke_failure(v, err, &body, &status);
	api_answer(rq, status, str_dup(rq->x->arena, buf_str(&body)));
	if (err->retry_after_s > 0)
		api_header(rq, "Retry-After", str_fmt(rq->x->arena, "%u", err->retry_after_s));
}

bool call_overrides(struct api_request *rq, struct invocation *v)
{
	struct str uri = http_request_header(rq->x, STR("Integrator-Relative-URI")),
		   type = http_request_header(rq->x, STR("Integrator-Record-Type"));
	struct err err = ERR_INIT;

	if (str_is_utf8(uri) && str_is_utf8(type)) {
		invoke_override(v, uri, type);
		return true;
	}
	err_set_field(&err, ERR_INVALID,
		str_is_utf8(uri) ? "Integrator-Record-Type" : "Integrator-Relative-URI",
		"the header's value is not UTF-8");
	api_fail(rq, &err);
	return false;
}

bool call_records(const struct json *value, const char *what, struct err *err)
{
	if (json_is_array(value))
		return true;
	if (value == NULL)
		err_set_field(err, ERR_MISSING, what[0] == 't' ? "" : what,
			"%s is missing: it should be a JSON array of records", what);
	else
		err_set_field(err, ERR_INVALID, what[0] == 't' ? "" : what,
			"%s should be a JSON array of records; found %s", what,
			json_type_phrase(value->type));
	return err_hint(err, "one record goes as an array of one: [{...}]");
}

bool call_member(const struct json *body, const char *name, const struct json **out,
	struct err *err)
{
	const struct json *v = json_get(body, str_z(name));

	if (json_is_object(v)) {
		*out = v;
		return true;
	}
	if (v == NULL)
		return err_set_field(err, ERR_MISSING, name,
			"%s is missing: the body is an object that holds it", name);
	return err_set_field(err, ERR_INVALID, name, "%s must be an object; found %s", name,
		json_type_phrase(v->type));
}

const struct json *call_without(struct arena *a, const struct json *body, const char *name)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	for (json_each_member(key, body))
		if (!str_eq_z(json_str(key), name))
			json_add_copy(&b, json_str(key), json_value(key));
	json_build_end(&b);
	return json_build_done(&b);
}

/* ---- stored ones ---- */

static bool run_import(struct api_request *rq, struct invocation *v, struct buf *out,
	struct err *err)
{
	struct str key = str_trim(http_request_header(rq->x, STR("Idempotency-Key")));

	if (rq->body == NULL && !api_read_body(rq, LIMIT_REQUEST_BODY, err))
		return false;
	return call_records(rq->body, "the body", err) &&
	       invoke_import(v, rq->body, key.n == 0 ? STR_NULL : key, out, err);
}

static bool run_export(struct api_request *rq, struct invocation *v, struct buf *out,
	struct err *err)
{
	if (rq->body == NULL && rq->x->body_bytes > 0 &&
		!api_read_body(rq, LIMIT_REQUEST_BODY, err))
		return false;
	if (rq->body != NULL && !json_is_object(rq->body))
		return err_set(err, ERR_INVALID,
			"the body of an export's invocation is an object, whose members "
			"placeholders stand for; found %s",
			json_type_phrase(rq->body->type));
	return invoke_export(v, rq->body, out, err);
}

static void invoke_one(struct api_request *rq, const char *type)
{
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	if (v == NULL || !call_overrides(rq, v))
		return;
	if (invoke_stored(v, type, rq->match.params[0], &err) &&
		(invoke_is_import(v) ? run_import(rq, v, &out, &err)
				     : run_export(rq, v, &out, &err)))
		call_answer(rq, &out);
	else
		call_fail(rq, v, &err);
}

static void invoke_identified(struct api_request *rq)
{
	invoke_one(rq, NULL);
}

void handle_export_invoke(struct api_request *rq)
{
	invoke_one(rq, "export");
}

void handle_import_invoke(struct api_request *rq)
{
	invoke_one(rq, "import");
}

static bool is_import_identifier(struct str key)
{
	return key.n > 0 && key.p[0] == 'i';
}

/* On the event loop: whose it is, and to whom it goes. */
static void route_invoke(struct api_request *rq)
{
	struct str key = rq->match.params[0];
	struct err err = ERR_INIT;
	struct listener *l;

	if (!is_import_identifier(key)) {
		if (listener_acquire(rq->api->listeners, key, &l, &err)) {
			listener_intake(rq, l, STR_NULL, INVOKE_SUCCESS);
			return;
		}
		if (err.code != ERR_NOT_FOUND) {
			api_fail(rq, &err);
			return;
		}
		err_clear(&err);
	}
	if (auth_check(rq->api->auth, rq->x, &rq->caller, &err))
		api_to_calls(rq);
	else
		api_fail(rq, &err);
}

void handle_invoke(struct api_request *rq)
{
	if (!rq->called)
		route_invoke(rq);
	else if (is_import_identifier(rq->match.params[0]))
		api_once(rq, invoke_identified);
	else
		invoke_identified(rq);
}

/* ---- virtual ones ---- */

typedef bool (*virtual_fn)(struct invocation *v, const struct json *body, struct buf *out,
	struct err *err);

/* MEMBERS: what the body may have. */
static void call_virtual(struct api_request *rq, const char *type, const char *members,
	virtual_fn fn)
{
	if (!api_check_members(rq, members))
		return;
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	const struct json *doc;
	struct problems p;
	struct err err = ERR_INIT;

	if (v == NULL || !call_overrides(rq, v))
		return;
	problems_init(&p, rq->x->arena);
	if (!call_member(rq->body, type, &doc, &err))
		api_fail(rq, &err);
	else if (!invoke_unsaved(v, type, doc, rq->match.params[0], &p))
		api_fail_all(rq, &p);
	else if (fn(v, rq->body, &out, &err))
		call_answer(rq, &out);
	else
		call_fail(rq, v, &err);
}

static bool virtual_export(struct invocation *v, const struct json *body, struct buf *out,
	struct err *err)
{
	const struct json *data = json_get(body, STR("data"));

	if (data != NULL && !json_is_object(data))
		return err_set_field(err, ERR_INVALID, "data",
			"data must be an object, whose members placeholders stand for");
	return invoke_export(v, data, out, err);
}

static bool virtual_page(struct invocation *v, const struct json *body UNUSED, struct buf *out,
	struct err *err)
{
	return invoke_export_page(v, NULL, out, err);
}

static bool virtual_import(struct invocation *v, const struct json *body, struct buf *out,
	struct err *err)
{
	const struct json *data = json_get(body, STR("data"));

	return call_records(data, "data", err) && invoke_import(v, data, STR_NULL, out, err);
}

static bool virtual_map(struct invocation *v, const struct json *body, struct buf *out,
	struct err *err)
{
	const struct json *data = json_get(body, STR("data"));

	return call_records(data, "data", err) && invoke_map(v, data, out, err);
}

void handle_connection_export(struct api_request *rq)
{
	call_virtual(rq, "export", "export|data", virtual_export);
}

static void next_page(struct api_request *rq, const struct json *state)
{
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	if (v == NULL)
		return;
	if (invoke_connection(v, rq->match.params[0], &err) &&
		invoke_export_page(v, state, &out, &err))
		call_answer(rq, &out);
	else
		call_fail(rq, v, &err);
}

void handle_connection_export_pages(struct api_request *rq)
{
	const struct json *state;
	struct err err = ERR_INIT;

	if (json_get(rq->body, STR("pagedExportState")) == NULL)
		call_virtual(rq, "export", "export|pagedExportState", virtual_page);
	else if (call_member(rq->body, "pagedExportState", &state, &err))
		next_page(rq, state);
	else
		api_fail(rq, &err);
}

void handle_connection_import(struct api_request *rq)
{
	call_virtual(rq, "import", "import|data", virtual_import);
}

void handle_connection_import_map(struct api_request *rq)
{
	call_virtual(rq, "import", "import|data", virtual_map);
}
