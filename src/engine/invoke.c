/*
 * invoke.c - the life of a call: begun, found, canceled when it is late, and why it failed.
 */
#include "engine/invoke_priv.h"

#include "core/limits.h"
#include "engine/exchange.h"
#include "engine/offline.h"

/* ---- deadlines ---- */

struct calls {
	struct mutex lock;
	struct cond tick;
	struct thread thread;
	struct invocation *list;
	bool aborting, stopping;
};

#define LOOK_MS 250 /* for callers that have left */

static bool has_left(const struct invocation *v)
{
	return v->who.left != NULL && atomic_load(v->who.left);
}

/* Under the lock. Cancels what is late, or for nobody; when to look again. */
static int64_t cancel_late(struct calls *c)
{
	int64_t now = clock_mono_ms(clock_system()), next = now + LIMIT_CALL_MS;

	for (struct invocation *v = c->list; v != NULL; v = v->next) {
		if (c->aborting || v->due_ms <= now || has_left(v))
			atomic_store(&v->canceled, true);
		else
			next = MIN(next, v->who.left != NULL ? now + LOOK_MS : v->due_ms);
	}
	return next;
}

static void *calls_main(void *arg)
{
	struct calls *c = arg;

	WITH_LOCK(&c->lock);
	while (!c->stopping)
		(void)cond_wait_until(&c->tick, &c->lock, cancel_late(c));
	return NULL;
}

struct calls *calls_start(struct engine *e)
{
	struct calls *c = arena_new_of(e->arena, struct calls);

	mutex_init(&c->lock);
	cond_init(&c->tick);
	thread_start(&c->thread, "deadlines", calls_main, c);
	return c;
}

void engine_calls_abort(struct engine *e)
{
	WITH_LOCK(&e->calls->lock);
	e->calls->aborting = true;
	cond_signal(&e->calls->tick);
}

void calls_stop(struct calls *c)
{
	mutex_lock(&c->lock);
	CHECK(c->list == NULL);
	c->stopping = true;
	cond_signal(&c->tick);
	mutex_unlock(&c->lock);
	thread_join(&c->thread);
	mutex_destroy(&c->lock);
	cond_destroy(&c->tick);
}

bool invoke_begin(struct engine *e, const struct invoke_who *who, struct invocation **out,
	struct err *err)
{
	struct arena *a = arena_new("call", 0);
	struct invocation *v = arena_new_of(a, struct invocation);
	struct calls *c = e->calls;

	v->engine = e;
	v->arena = a;
	v->who = *who;
	v->env = engine_env(e, who->account_id);
	v->env.canceled = &v->canceled;
	v->env.gate_wait_ms = LIMIT_CALL_GATE_MS;
	v->env.retry_within_ms = LIMIT_CALL_RETRY_MS;
	v->due_ms = clock_mono_ms(clock_system()) + LIMIT_CALL_MS;
	mutex_lock(&c->lock);
	bool aborting = c->aborting;

	if (!aborting) {
		if (c->list == NULL)
			cond_signal(&c->tick); /* there is somebody to look for */
		v->next = c->list;
		c->list = v;
	}
	mutex_unlock(&c->lock);
	if (aborting) {
		arena_free(a);
		return err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");
	}
	*out = v;
	return true;
}

void invoke_end(struct invocation *v)
{
	struct invocation **at;

	if (v == NULL)
		return;
	struct calls *c = v->engine->calls;

	mutex_lock(&c->lock);
	for (at = &c->list; *at != v; at = &(*at)->next)
		CHECK(*at != NULL);
	*at = v->next;
	mutex_unlock(&c->lock);
	struct arena *a = v->arena;

	arena_wipe(a);
	arena_free(a);
}

struct arena *invoke_arena(const struct invocation *v)
{
	return v->arena;
}

bool invoke_ended(const struct invocation *v, struct err *err)
{
	bool late = clock_mono_ms(clock_system()) >= v->due_ms;

	err_clear(err);
	if (!late && has_left(v))
		return err_set(err, ERR_CANCELED, "nobody waits for the answer any more");
	if (!late)
		return err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");
	err_set(err, ERR_TIMEOUT, "the call was not done within %d s", LIMIT_CALL_MS / 1000);
	return err_hint(err, "run it as a flow, which may take as long as it needs");
}

/* ---- what is called ---- */

static bool check_owner(const struct invocation *v, const struct store_resource *row,
	struct err *err)
{
	if (v->who.connector_id.n == 0 || str_eq(row->connector_id, v->who.connector_id))
		return true;
	return err_set(err, ERR_FORBIDDEN,
		"the token belongs to a connector, and this %.*s does not", STR_ARG(row->type));
}

static bool open_connection(struct invocation *v, struct store_conn *c, struct str id,
	bool as_called, struct err *err)
{
	const struct engine *e = v->engine;
	struct store_resource row;

	if (!store_resource_get(c, v->arena, v->who.account_id, STR("connection"), id, &row, err) ||
		(as_called && !check_owner(v, &row, err)) ||
		!resource_open_text(e->cfg.resources, v->arena, v->who.account_id,
			STR("connection"), id, row.document, &v->connection, err))
		return false;
	v->connection_id = id;
	return engine_check_inert(e, v->arena, "connection", v->connection, err);
}

/* What the document needs, for calls of its type. */
static bool complete(struct invocation *v, struct store_conn *c, struct err *err)
{
	struct str id = json_get_str(v->doc, STR("_connectionId"));

	if (str_eq_z(json_get_str(v->doc, STR("type")), "webhook"))
		return err_set_field(err, ERR_FLOW, "type",
			"the export is a listener: events are posted to it, and it asks nobody");
	if (id.p == NULL)
		return err_set_field(err, ERR_MISSING, "_connectionId",
			"the %s has no _connectionId", v->type);
	if (!engine_check_inert(v->engine, v->arena, v->type, v->doc, err) ||
		!open_connection(v, c, id, false, err))
		return false;
	if (json_get_true(v->connection, STR("offline"))) {
		err_set(err, ERR_OFFLINE, "Connection is offline");
		return err_hint(err, "GET /v1/connections/%.*s/ping says why, and brings it back",
			STR_ARG(id));
	}
	debug_log_watch(v->engine->debug, v->arena, v->connection, v->type, v->doc, &v->env);
	return true;
}

static bool find(struct invocation *v, struct store_conn *c, const char *type, struct str key,
	struct store_resource *row, struct err *err)
{
	if (type != NULL)
		return store_resource_get(c, v->arena, v->who.account_id, str_z(type), key, row,
			err);
	return store_resource_by_api_identifier(c, v->arena, v->who.account_id, key, row, err);
}

bool invoke_stored(struct invocation *v, const char *type, struct str key, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_resource row;

	if (!store_read_begin(v->engine->cfg.store, &c, err) || !find(v, c, type, key, &row, err) ||
		!check_owner(v, &row, err))
		return false;
	v->type = str_to_z(v->arena, row.type);
	return resource_open_text(v->engine->cfg.resources, v->arena, v->who.account_id, row.type,
		       row.id, row.document, &v->doc, err) &&
	       complete(v, c, err);
}

/* The document at the connection of the call. */
static const struct json *with_connection(struct invocation *v, const struct json *body,
	struct str connection_id, struct problems *p)
{
	const struct json *own = json_get(body, STR("_connectionId"));
	struct json_build b;

	if (connection_id.p == NULL || !json_is_object(body))
		return body;
	if (own != NULL && !(json_is_str(own) && str_eq(json_str(own), connection_id))) {
		problems_add(p, ERR_INVALID, "_connectionId", NULL,
			"_connectionId is another connection than the one in the path");
		return NULL;
	}
	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_add_str(&b, STR("_connectionId"), connection_id);
	json_build_end(&b);
	return schema_merge_patch(v->arena, body, json_build_done(&b));
}

bool invoke_unsaved(struct invocation *v, const char *type, const struct json *body,
	struct str connection_id, struct problems *p)
{
	const struct engine *e = v->engine;
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;

	v->type = type;
	body = with_connection(v, body, connection_id, p);
	if (body == NULL || !resource_check(e->cfg.resources, v->who.account_id,
				    resources_by_type(e->cfg.resources, str_z(type)), body,
				    v->arena, &v->doc, p))
		return false;
	return (store_read_begin(e->cfg.store, &c, &err) && complete(v, c, &err)) ||
	       problems_add_err(p, &err);
}

bool invoke_connection(struct invocation *v, struct str id, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	if (!store_read_begin(v->engine->cfg.store, &c, err) ||
		!open_connection(v, c, id, true, err))
		return false;
	debug_log_watch(v->engine->debug, v->arena, v->connection, "connection", NULL, &v->env);
	return true;
}

bool invoke_unsaved_connection(struct invocation *v, const struct json *body, struct problems *p)
{
	const struct engine *e = v->engine;
	struct err err = ERR_INIT;

	v->env.vault = NULL; /* whatever _id it has: its tokens are not those that are stored */
	if (!resource_check(e->cfg.resources, v->who.account_id,
		    resources_by_type(e->cfg.resources, STR("connection")), body, v->arena,
		    &v->connection, p))
		return false;
	return engine_check_inert(e, v->arena, "connection", v->connection, &err) ||
	       problems_add_err(p, &err);
}

bool invoke_is_import(const struct invocation *v)
{
	return v->type != NULL && strcmp(v->type, "import") == 0;
}

void invoke_override(struct invocation *v, struct str relative_uri, struct str record_type)
{
	v->call.relative_uri = relative_uri;
	v->call.record_type = record_type;
}

/* ---- exchanges ---- */

struct watch {
	struct invocation *v;
	void (*next)(void *ctx, const struct adaptor_trace *t);
	void *next_ctx;
};

static void on_trace(void *ctx, const struct adaptor_trace *t)
{
	const struct watch *w = ctx;
	struct invocation *v = w->v;
	size_t at = MIN(v->exchange_count, (size_t)EXCHANGES_MAX - 1);

	v->exchanges[at] = (struct exchange){ .purpose = t->purpose,
		.request = str_dup(v->arena, t->request),
		.response = t->response.p == NULL ? STR_NULL : str_dup(v->arena, t->response),
		.failure = t->err->code == ERR_NONE ? STR_NULL
						    : str_dup(v->arena, str_z(t->err->message)) };
	v->exchange_count = at + 1;
	if (w->next != NULL)
		w->next(w->next_ctx, t);
}

void invoke_watch(struct invocation *v)
{
	struct watch *w = arena_new_of(v->arena, struct watch);

	*w = (struct watch){ v, v->env.trace, v->env.trace_ctx };
	v->env.trace = on_trace;
	v->env.trace_ctx = w;
}

/* ---- ping and proxy ---- */

static void add_pong(const struct ping_result *r, struct json_build *b)
{
	int code = r->status >= 300 ? r->status : r->status == 0 ? 502 : 422;

	json_build_object(b);
	json_add_i64(b, STR("code"), r->ok ? 200 : code);
	if (!r->ok) {
		json_add_str(b, STR("message"), r->message);
		json_build_key(b, STR("errors"));
		json_build_array(b);
		json_build_object(b);
		json_add_i64(b, STR("code"), code);
		json_add_str(b, STR("message"), r->message);
		json_build_end(b);
		json_build_end(b);
	}
	json_build_end(b);
}

bool invoke_ping(struct invocation *v, struct buf *out, struct err *err)
{
	const struct adaptor *ad;
	struct ping_result pong = { .ok = false };
	struct json_build b;

	if (!adaptor_of(v->connection, &ad, err))
		return false;
	if (ad->connection == NULL || ad->connection->ping == NULL)
		return err_set(err, ERR_UNSUPPORTED, "%s connections can't be pinged", ad->name);
	if (!ad->connection->ping(&v->env, v->connection, v->arena, &pong, err))
		return err->code == ERR_CANCELED ? invoke_ended(v, err) : false;
	if (pong.ok && v->connection_id.p != NULL)
		connection_pinged(v->engine, v->who.account_id, v->connection_id);
	json_build_init(&b, v->arena);
	add_pong(&pong, &b);
	json_print(out, json_build_done(&b), JSON_COMPACT);
	return true;
}

bool invoke_proxy(struct invocation *v, const struct proxy_request *rq, struct proxy_answer *out,
	struct err *err)
{
	const struct adaptor *ad;

	if (!adaptor_of(v->connection, &ad, err))
		return false;
	if (ad->connection == NULL || ad->connection->proxy == NULL)
		return err_set(err, ERR_UNSUPPORTED, "%s connections have no proxy", ad->name);
	return ad->connection->proxy(&v->env, v->connection, rq, v->arena, out, err) ||
	       (err->code == ERR_CANCELED && invoke_ended(v, err));
}

/* ---- failures ---- */

/* What an application says: {"errors":[{code,message}]}, {"error":{...}}, {"code","message"} ... */
static const struct json *error_in(const struct json *doc)
{
	const struct json *errors = json_get(doc, STR("errors")),
			  *error = json_get(doc, STR("error"));

	if (json_is_array(errors) && json_is_object(json_at(errors, 0)))
		return json_at(errors, 0);
	if (json_is_object(errors))
		return errors;
	return json_is_object(error) ? error : doc;
}

static const struct json *first_of(const struct json *obj, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct json *v = json_get(obj, str_z(names[i]));

		if (v != NULL && (v->type == JSON_NUMBER || (v->type == JSON_STRING && v->n > 0)))
			return v;
	}
	return NULL;
}

/* Code and message of the application; either may be NULL. */
static void read_answer(struct invocation *v, struct str response, const struct json **code,
	const struct json **message)
{
	static const char *const codes[] = { "code", "error_code", "errorCode", "status", "type" },
				 *const messages[] = { "message", "error_description", "detail",
					 "description", "title", "error" };
	const struct json *doc, *at;
	struct err none = ERR_INIT;

	*code = *message = NULL;
	if (!json_parse_copy(v->arena, exchange_body(response), &doc, &none))
		return;
	at = error_in(doc);
	*code = first_of(at, codes, ARRAY_LEN(codes));
	*message = first_of(at, messages, ARRAY_LEN(messages));
}

static int status_of(const struct err *err, int target)
{
	if (err->code != ERR_HTTP_STATUS || target < 400 || target >= 500 || target == 408)
		return err_info(err->code)->status;
	return target == 429 ? 429 : 422;
}

static void add_target_error(struct invocation *v, struct json_build *b, const struct err *err,
	int target)
{
	const struct json *code, *message;

	read_answer(v, v->exchanges[v->exchange_count - 1].response, &code, &message);
	json_build_object(b);
	json_build_key(b, STR("code"));
	if (code != NULL)
		json_build_copy(b, code);
	else
		json_build_i64(b, target);
	if (json_is_str(message))
		json_add_copy(b, STR("message"), message);
	else
		json_add_str(b, STR("message"), str_z(err->message));
	json_add_str(b, STR("source"), STR("application"));
	json_add_i64(b, STR("statusCode"), target);
	json_add_str(b, STR("detail"), str_z(err->message));
	json_build_end(b);
}

void invoke_add_error(struct json_build *b, const struct err *err, const char *source)
{
	json_build_object(b);
	if (err->field[0] != '\0')
		json_add_str(b, STR("field"), str_dup(b->arena, str_z(err->field)));
	json_add_str(b, STR("code"), str_z(err_info(err->code)->wire));
	json_add_str(b, STR("message"), str_dup(b->arena, str_z(err->message)));
	if (err->hint[0] != '\0')
		json_add_str(b, STR("hint"), str_dup(b->arena, str_z(err->hint)));
	if (source != NULL)
		json_add_str(b, STR("source"), str_z(source));
	json_build_end(b);
}

void invoke_failure(struct invocation *v, const struct err *err, struct buf *out, int *status)
{
	struct json_build b;
	int target = 0;

	if (err->code == ERR_HTTP_STATUS && v->exchange_count > 0)
		target = exchange_status(v->exchanges[v->exchange_count - 1].response);
	*status = status_of(err, target);
	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_build_key(&b, STR("errors"));
	json_build_array(&b);
	if (target >= 400)
		add_target_error(v, &b, err, target);
	else
		invoke_add_error(&b, err, NULL);
	json_build_end(&b);
	json_build_end(&b);
	json_print(out, json_build_done(&b), JSON_COMPACT);
}

/* ---- the debug log ---- */

bool engine_debug_print(struct engine *e, struct str account_id, struct str connection_id,
	struct str resource_id, struct arena *a, struct buf *out, struct str *until,
	struct err *err)
{
	const struct schema *s = resources_by_type(e->cfg.resources, STR("connection"));
	struct resource_view view;
	const struct json *doc;

	if (!resource_get(e->cfg.resources, account_id, s, connection_id, a, &view, err) ||
		!json_parse_copy(a, view.json, &doc, err))
		return false;
	*until = json_get_str(doc, STR("debugDate"));
	debug_log_print(e->debug, connection_id, resource_id, out);
	return true;
}
