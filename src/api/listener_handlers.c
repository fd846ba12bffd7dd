/*
 * listener_handlers.c - events that applications post: verify, store, answer when it is on disk.
 *
 * An intake runs on the event loop's thread: the listener is kept compiled, a digest of a usual body
 * takes microseconds, and the answer is made on the store's writer thread when the commit is on
 * disk, so that an event occupies no thread while it waits. Bodies that are large go to the pool,
 * where their reading holds nobody up. What a sender may not learn stands in the listener's log only.
 */
#include "api/handlers_priv.h"

#include "api/listeners.h"
#include "core/limits.h"

#define LOOP_BODY_MAX   ((size_t)65536) /* larger ones are verified in the pool */
#define STORE_RETRY_S   5
#define NO_SNIFF_HEADER "X-Content-Type-Options"

struct intake {
	struct api_request *rq;
	struct listener *listener;
	int success; /* of the route */
	struct webhook_event event;
	struct store_event row;
	int64_t dedupe_ms;
	bool duplicate;
	struct err err;
};

/* ---- answers ---- */

static void text_answer(struct api_request *rq, int status, struct str body, struct str type)
{
	rq->x->status = status;
	rq->x->res_body = body;
	if (body.n == 0)
		return;
	api_header(rq, "Content-Type", type);
	api_header(rq, NO_SNIFF_HEADER, STR("nosniff"));
}

/* Copies it: the listener may be gone when the answer is sent. */
static void listener_answer(struct api_request *rq, int status, const struct webhook_answer *w)
{
	struct arena *a = rq->x->arena;

	text_answer(rq, status, str_dup(a, w->body), w->media_type);
	for (size_t i = 0; i < w->header_count; i++)
		http_response_header(rq->x, str_dup(a, w->headers[i].name),
			str_dup(a, w->headers[i].value));
}

static void put_text(char *out, size_t max, struct str s)
{
	size_t n = MIN(s.n, max);

	n = str_utf8_prefix(str_sub(s, 0, n));
	if (n > 0)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

static void log_request(const struct intake *in)
{
	const struct http_exchange *x = in->rq->x;
	struct listener_entry e = { .time_ms = clock_wall_ms(in->rq->api->cfg.clock),
		.status = x->status,
		.duplicate = in->duplicate,
		.method = http_method_name(x->method),
		.bytes = (uint32_t)x->body_bytes };

	put_text(e.event_id, LISTENER_LOGGED_ID_MAX, in->row.event_id);
	put_text(e.peer, LISTENER_LOGGED_PEER_MAX, x->peer);
	put_text(e.reason, LISTENER_REASON_MAX, str_z(in->err.message));
	listener_log(in->rq->api->listeners, str_of(in->listener->export_id, ID_LEN), &e);
}

static void unauthorized(struct api_request *rq)
{
	text_answer(rq, 401, STR("Unauthorized"), STR("text/plain; charset=utf-8"));
}

static void succeeded(struct intake *in)
{
	struct webhook_answer a = webhook_success(in->listener->webhook);

	listener_answer(in->rq, a.status == 0 ? in->success : a.status, &a);
	if (in->row.event_id.p != NULL)
		api_header(in->rq, "Integrator-Event-Id", in->row.event_id);
}

static void failed(struct intake *in, const struct err *err)
{
	in->err = *err;
	if (err->code == ERR_STORE && in->err.retry_after_s == 0)
		in->err.retry_after_s = STORE_RETRY_S;
	api_fail(in->rq, &in->err);
}

/* The exchange may be finished from here on: IN is gone then. */
static void end_intake(struct intake *in)
{
	log_request(in);
	listener_release(in->listener);
}

/* ---- storing ---- */

static bool store_intake(struct store_conn *c, void *arg, struct err *err)
{
	struct intake *in = arg;

	return store_event_add(c, &in->row, in->dedupe_ms, &in->duplicate, err);
}

static void stored(struct intake *in, bool ok, const struct err *err)
{
	struct engine *engine = in->rq->api->cfg.engine;

	if (!ok) {
		failed(in, err);
		return;
	}
	succeeded(in);
	if (!in->duplicate)
		engine_listen(engine, in->row.account_id, in->row.export_id);
}

/* On the store's writer thread. */
static void stored_async(void *arg, bool ok, const struct err *err)
{
	struct intake *in = arg;
	struct listeners *all = in->rq->api->listeners;
	struct http_exchange *x = in->rq->x;

	stored(in, ok, err);
	end_intake(in);
	http_exchange_finish(x);
	listeners_write_end(all);
}

/* True: the exchange will be finished by another thread. */
static bool store(struct intake *in)
{
	struct api_request *rq = in->rq;
	struct err err = ERR_INIT;

	if (rq->in_pool) {
		stored(in, store_write(rq->api->cfg.store, store_intake, in, &err), &err);
		return false;
	}
	listeners_write_begin(rq->api->listeners);
	rq->suspended = true;
	if (store_write_async(rq->api->cfg.store, rq->x->arena, store_intake, in, stored_async, in,
		    &err))
		return true;
	rq->suspended = false;
	listeners_write_end(rq->api->listeners);
	failed(in, &err);
	return false;
}

/* ---- intake ---- */

/* The sender's id is what repeats are known by; without one the event gets an id of ours. */
static void fill_row(struct intake *in)
{
	struct api_request *rq = in->rq;
	struct store_event *row = &in->row;
	struct id *made;

	row->account_id = str_of(in->listener->account_id, ID_LEN);
	row->export_id = str_of(in->listener->export_id, ID_LEN);
	row->received_ms = clock_wall_ms(rq->api->cfg.clock);
	row->body = in->event.body;
	row->event_id = in->event.id;
	in->dedupe_ms = webhook_dedupe_ms(in->listener->webhook);
	if (row->event_id.p != NULL)
		return;
	made = arena_new_of(rq->x->arena, struct id);
	id_new(made, row->received_ms, rq->api->cfg.rng);
	row->event_id = id_str(made);
	in->dedupe_ms = 0;
}

/* Verifies and answers what is not to be stored. True: it is to be stored. */
static bool receive(struct intake *in, struct str path_token)
{
	struct api_request *rq = in->rq;
	const struct webhook *w = in->listener->webhook;
	struct err err = ERR_INIT;
	struct webhook_answer a;

	switch (webhook_receive(w, rq->x, path_token, clock_wall_ms(rq->api->cfg.clock), &in->event,
		&in->err)) {
	case WEBHOOK_UNAUTHORIZED:
		unauthorized(rq);
		return false;
	case WEBHOOK_REFUSED:
		api_fail(rq, &in->err);
		return false;
	case WEBHOOK_CHALLENGE:
		a = webhook_challenge(w, rq->x->arena, in->event.challenge);
		listener_answer(rq, a.status, &a);
		return false;
	case WEBHOOK_EMPTY:
		succeeded(in);
		return false;
	case WEBHOOK_EVENT:
		break;
	}
	if (listener_take(rq->api->listeners, in->listener, rq->x->started_us, &err))
		return true;
	failed(in, &err);
	return false;
}

void listener_intake(struct api_request *rq, struct listener *l, struct str path_token, int success)
{
	struct intake *in;

	if (!rq->in_pool && rq->x->body_bytes > LOOP_BODY_MAX) {
		listener_release(l); /* the pool begins anew */
		api_to_pool(rq);
		return;
	}
	in = arena_new_of(rq->x->arena, struct intake);
	in->rq = rq;
	in->listener = l;
	in->success = success;
	if (receive(in, path_token)) {
		fill_row(in);
		if (store(in))
			return;
	}
	end_intake(in);
}

void handle_event(struct api_request *rq)
{
	struct listener *l;
	struct err err = ERR_INIT;

	if (listener_acquire(rq->api->listeners, rq->match.params[0], &l, &err))
		listener_intake(rq, l, rq->match.param_count > 1 ? rq->match.params[1] : STR_NULL,
			204);
	else
		api_fail(rq, &err);
}

/* A sender tries out the URL before it posts: HEAD is answered, GET with a challenge or the secret too. */
void handle_event_handshake(struct api_request *rq)
{
	struct listener *l;
	struct err err = ERR_INIT;
	struct str challenge;

	if (!listener_acquire(rq->api->listeners, rq->match.params[0], &l, &err)) {
		api_fail(rq, &err);
		return;
	}
	if (webhook_handshake(l->webhook, rq->x, &challenge)) {
		struct webhook_answer a = webhook_challenge(l->webhook, rq->x->arena, challenge);

		listener_answer(rq, a.status, &a);
	} else if (rq->x->method == HTTP_HEAD ||
		   (rq->match.param_count > 1 &&
			   webhook_path_is(l->webhook, rq->match.params[1]))) {
		rq->x->status = 200;
	} else {
		err_set(&err, ERR_METHOD, "events are posted here, and this GET has no challenge");
		api_fail(rq, &err);
		api_header(rq, "Allow", STR("POST, PUT"));
	}
	listener_release(l);
}

/* ---- what a listener's owner sees ---- */

/* The export that the path names, when the caller has it and it is a listener; answers 404 itself. */
static bool own_listener(struct api_request *rq, struct store_conn *c, struct err *err)
{
	struct store_resource row;
	const struct json *doc;
	struct str id = rq->match.params[0];

	if (!store_resource_get(c, rq->x->arena, caller_account(&rq->caller), STR("export"), id,
		    &row, err) ||
		!json_parse_copy(rq->x->arena, row.document, &doc, err))
		return false;
	return str_eq_z(json_get_str(doc, STR("type")), "webhook") ||
	       err_set(err, ERR_NOT_FOUND, "export %.*s is no listener", STR_ARG(id));
}

static void add_entry(struct json_build *b, const struct listener_entry *e)
{
	json_build_object(b);
	json_add_str(b, STR("time"), time_iso(b->arena, e->time_ms));
	json_add_str(b, STR("method"), str_z(e->method));
	json_add_i64(b, STR("status"), e->status);
	if (e->reason[0] != '\0')
		json_add_str(b, STR("reason"), str_z(e->reason));
	if (e->event_id[0] != '\0')
		json_add_str(b, STR("eventId"), str_z(e->event_id));
	if (e->duplicate)
		json_add_bool(b, STR("duplicate"), true);
	json_add_i64(b, STR("bytes"), e->bytes);
	json_add_str(b, STR("peer"), str_z(e->peer));
	json_build_end(b);
}

void handle_listener_requests(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct listener_entry *list;
	struct json_build b;
	struct err err = ERR_INIT;
	size_t n;

	if (!store_read_begin(rq->api->cfg.store, &c, &err) || !own_listener(rq, c, &err)) {
		api_fail(rq, &err);
		return;
	}
	n = listener_log_read(rq->api->listeners, rq->x->arena, rq->match.params[0], &list);
	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	for (size_t i = 0; i < n; i++)
		add_entry(&b, &list[i]);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

#define FLOWS_SHOWN 100

static bool add_waiting(struct api_request *rq, struct store_conn *c, struct json_build *b,
	int64_t after_seq, struct err *err)
{
	uint64_t waiting;
	int64_t oldest;

	if (!store_event_waiting(c, caller_account(&rq->caller), rq->match.params[0], after_seq,
		    &waiting, &oldest, err))
		return false;
	json_add_i64(b, STR("waiting"), (int64_t)waiting);
	if (waiting > 0)
		json_add_str(b, STR("oldest"), time_iso(b->arena, oldest));
	return true;
}

static bool add_flow(struct api_request *rq, struct store_conn *c, struct json_build *b,
	const struct store_resource *flow, bool *enabled, struct err *err)
{
	struct str account = caller_account(&rq->caller);
	struct store_resource row;
	const struct json *doc;
	int64_t place;

	if (!store_resource_get(c, b->arena, account, STR("flow"), flow->id, &row, err) ||
		!json_parse_copy(b->arena, row.document, &doc, err) ||
		!store_listener_place(c, account, rq->match.params[0], flow->id, &place, err))
		return false;
	json_build_object(b);
	json_add_str(b, STR("_id"), flow->id);
	json_add_str(b, STR("name"), json_get_str(doc, STR("name")));
	json_add_bool(b, STR("disabled"), json_get_true(doc, STR("disabled")));
	*enabled |= !json_get_true(doc, STR("disabled"));
	if (!add_waiting(rq, c, b, place, err))
		return false;
	json_build_end(b);
	return true;
}

static bool add_flows(struct api_request *rq, struct store_conn *c, struct json_build *b,
	struct err *err)
{
	struct store_resource *who = arena_array_of(b->arena, struct store_resource, FLOWS_SHOWN);
	bool enabled = false;
	size_t n;

	if (!store_resource_referrers(c, b->arena, caller_account(&rq->caller), STR("export"),
		    rq->match.params[0], who, FLOWS_SHOWN, &n, err))
		return false;
	json_build_key(b, STR("flows"));
	json_build_array(b);
	for (size_t i = 0; i < MIN(n, (size_t)FLOWS_SHOWN); i++)
		if (str_eq_z(who[i].type, "flow") && !add_flow(rq, c, b, &who[i], &enabled, err))
			return false;
	json_build_end(b);
	if (!enabled)
		json_add_str(b, STR("keeps"),
			STR("no enabled flow takes the events: they are kept until one does"));
	return true;
}

void handle_listener_state(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct json_build b;
	struct err err = ERR_INIT;

	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_add_str(&b, STR("_exportId"), rq->match.params[0]);
	if (store_read_begin(rq->api->cfg.store, &c, &err) && own_listener(rq, c, &err) &&
		add_waiting(rq, c, &b, 0, &err) && add_flows(rq, c, &b, &err)) {
		json_build_end(&b);
		api_answer_build(rq, 200, &b);
	} else {
		api_fail(rq, &err);
	}
}
