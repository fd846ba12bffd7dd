/*
 * api.c - a request's way: request id, route, token, body, handler; and the pool of slow handlers.
 */
#include "api/watch_priv.h"

#include "api/handlers_priv.h"
#include "api/listeners.h"
#include "core/limits.h"
#include "core/log.h"
#include "engine/invoke.h"

#define ID_BYTES 16
#define ID_BATCH 64

/* Random bytes for the request ids of one event loop: a system call for many. */
struct id_batch {
	unsigned char bytes[ID_BATCH][ID_BYTES];
	size_t left;
};

/* ---- ids ---- */

static bool is_id_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '_' || c == '.';
}

/* On the loop's own thread, so without a lock. */
static const unsigned char *next_id(struct api *api, unsigned loop)
{
	struct id_batch *b = &api->ids[loop];

	if (b->left == 0) {
		rng_fill(api->cfg.rng, b->bytes, sizeof(b->bytes));
		b->left = ID_BATCH;
	}
	return b->bytes[--b->left];
}

/* Takes over the client's Request-Id when it is harmless, else makes one. */
static void set_request_id(struct api_request *rq)
{
	struct str given = http_request_header(rq->x, STR("Request-Id"));
	bool ok = given.n > 0 && given.n <= REQUEST_ID_MAX;

	for (size_t i = 0; ok && i < given.n; i++)
		ok = is_id_char(given.p[i]);
	if (ok) {
		memcpy(rq->request_id, given.p, given.n);
		rq->request_id[given.n] = '\0';
		return;
	}
	str_hex_put(rq->request_id, next_id(rq->api, rq->x->loop), ID_BYTES);
	rq->request_id[2 * ID_BYTES] = '\0';
}

/* W3C Trace Context: 00-<32 hex trace id>-<16 hex parent>-<2 hex flags>. */
static void set_trace_id(struct api_request *rq)
{
	struct str given = http_request_header(rq->x, STR("traceparent"));
	unsigned char id[16];

	if (given.n == 55 && given.p[2] == '-' && given.p[35] == '-' &&
		str_hex_get(str_sub(given, 3, 32), id, 16))
		memcpy(rq->trace_id, given.p + 3, 32);
}

/* ---- handlers ---- */

static bool is_json_type(struct str type)
{
	struct str media = type;

	media = str_trim(str_cut(&media, ';'));
	return str_eq_ci(media, STR("application/json")) ||
	       str_eq_ci(media, STR("application/merge-patch+json"));
}

bool api_read_body(struct api_request *rq, size_t max, struct err *err)
{
	struct http_exchange *x = rq->x;
	struct str type = http_request_header(x, STR("Content-Type"));

	if (type.p != NULL && !is_json_type(type)) {
		err_set(err, ERR_MEDIA_TYPE, "the body is %.*s, and this needs application/json",
			STR_ARG(type));
		return err_hint(err, "send the header \"Content-Type: application/json\"");
	}
	if (x->body_bytes == 0)
		return err_set(err, ERR_JSON, "the request has no body where JSON is expected");
	if (x->body_bytes > max)
		return err_set(err, ERR_TOO_LARGE,
			"the body has %zu bytes, more than the limit of %zu", x->body_bytes, max);
	return json_parse(x->arena, x->body, x->body_bytes, NULL, &rq->body, err);
}

static void run_with_body(struct api_request *rq)
{
	unsigned flags = rq->match.route->flags;
	bool left_out = rq->x->body_bytes == 0 && (flags & ROUTE_BODY_MAYBE) != 0;
	size_t max = (flags & ROUTE_DATA) != 0 ? LIMIT_REQUEST_BODY : LIMIT_RESOURCE_DOCUMENT;
	struct err err = ERR_INIT;

	if ((flags & ROUTE_BODY) != 0 && !left_out && !api_read_body(rq, max, &err))
		api_fail(rq, &err);
	else
		rq->match.route->fn(rq);
}

/* Runs the handler; on the loop's thread or a pool's. */
static void run_handler(struct api_request *rq)
{
	if ((rq->match.route->flags & ROUTE_ONCE) != 0)
		api_once(rq, run_with_body);
	else
		run_with_body(rq);
}

static void *pool_main(void *arg)
{
	struct queue *q = arg;
	struct api_request *rq;

	while ((rq = queue_get(q, INT64_MAX)) != NULL) {
		rq->in_pool = true;
		/* a streaming handler may have given the request away */
		bool own = (rq->match.route->flags & ROUTE_STREAM) != 0;
		struct http_exchange *x = rq->x;

		run_handler(rq);
		if (!own)
			http_exchange_finish(x);
	}
	return NULL;
}

static enum http_verdict overloaded(struct api_request *rq)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_OVERLOADED,
		"too many requests wait already for the disk (%d) or for applications (%d)",
		POOL_QUEUE, CALL_QUEUE);
	err.retry_after_s = 1;
	api_fail(rq, &err);
	return HTTP_DONE;
}

static void hand_over(struct api_request *rq, struct queue *q)
{
	CHECK(!rq->in_pool);
	rq->suspended = true; /* before it is another thread's */
	if (queue_try_put(q, rq))
		return;
	rq->suspended = false;
	(void)overloaded(rq);
}

void api_to_pool(struct api_request *rq)
{
	hand_over(rq, rq->api->slow);
}

void api_to_calls(struct api_request *rq)
{
	rq->called = true;
	hand_over(rq, rq->api->calls);
}

static void no_route(struct api_request *rq)
{
	static const enum http_method methods[] = { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH,
		HTTP_DELETE };
	struct http_exchange *x = rq->x;
	struct buf allow DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	if (rq->match.allowed == 0) {
		err_set(&err, ERR_NOT_FOUND, "there is no route %.*s %.*s", STR_ARG(x->method_text),
			STR_ARG(str_sub(x->path, 0, 200)));
		api_fail(rq, &err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if ((rq->match.allowed & 1u << methods[i]) != 0)
			buf_add_fmt(&allow, "%s%s", allow.n == 0 ? "" : ", ",
				http_method_name(methods[i]));
	err_set(&err, ERR_METHOD, "%.*s does not take %.*s", STR_ARG(str_sub(x->path, 0, 200)),
		STR_ARG(x->method_text));
	api_fail(rq, &err);
	api_header(rq, "Allow", str_dup(x->arena, buf_str(&allow)));
}

static struct api_request *request_new(struct api *api, struct http_exchange *x)
{
	struct api_request *rq = arena_new_of(x->arena, struct api_request);

	rq->api = api;
	rq->x = x;
	x->user = rq;
	set_request_id(rq);
	set_trace_id(rq);
	api_header(rq, "Request-Id", str_z(rq->request_id));
	return rq;
}

static enum http_verdict on_request(void *ctx, struct http_exchange *x)
{
	struct api *api = ctx;
	struct api_request *rq = request_new(api, x);
	struct err err = ERR_INIT;

	route_find(api->cfg.resources, x->arena, x->method, x->path, &rq->match);
	bool open = rq->match.route != NULL && (rq->match.route->flags & ROUTE_OPEN) != 0;

	/* without a token nobody learns which routes there are */
	if (!open && !auth_check(api->auth, x, &rq->caller, &err)) {
		api_fail(rq, &err);
		return HTTP_DONE;
	}
	if (rq->match.route == NULL) {
		no_route(rq);
		return HTTP_DONE;
	}
	/* probes and senders of events put into a query what they like */
	if (!open && !route_check_query(rq->match.route, x, &err)) {
		api_fail(rq, &err);
		return HTTP_DONE;
	}
	struct queue *q = (rq->match.route->flags & ROUTE_CALL) != 0 ? api->calls : api->slow;

	if ((rq->match.route->flags & (ROUTE_SLOW | ROUTE_CALL)) == 0) {
		run_handler(rq);
		return rq->suspended ? HTTP_SUSPENDED : HTTP_DONE;
	}
	return queue_try_put(q, rq) ? HTTP_SUSPENDED : overloaded(rq);
}

static void on_refused(void *ctx, struct http_exchange *x, const struct err *err)
{
	struct api_request *rq = request_new(ctx, x);
	int status = x->status;

	api_fail(rq, err);
	if (status != 0) /* the server knows better than the table, as with 408 */
		x->status = status;
}

static void on_finished(void *ctx, struct http_exchange *x, uint64_t bytes_sent)
{
	struct api *api = ctx;
	const struct api_request *rq = x->user;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	int64_t took_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - x->started_us;

	const struct route *route = rq == NULL ? NULL : rq->match.route;
	bool stream = route != NULL && (route->flags & ROUTE_STREAM) != 0;

	/* how long somebody listened is no latency */
	metrics_request(api->metrics, route, x->status, stream ? 0 : took_us);
	if (api->cfg.access_log)
		access_log_add(api->log, x, rq, took_us, bytes_sent);
}

static void on_turn(void *ctx, unsigned loop)
{
	struct api *api = ctx;

	access_log_turn(api->log, loop);
}

bool api_start(const struct api_config *cfg, struct api **out, struct err *err)
{
	struct arena *a = arena_new("api", 0);
	struct api *api = arena_new_of(a, struct api);
	struct buf openapi DEFER(buf_free) = BUF_INIT(0);

	api->arena = a;
	api->cfg = *cfg;
	rng_fill(cfg->rng, api->link_key, sizeof(api->link_key));
	if (api->cfg.rate_bucket == 0)
		api->cfg.rate_bucket = LIMIT_RATE_BUCKET;
	if (api->cfg.rate_refill == 0)
		api->cfg.rate_refill = LIMIT_RATE_REFILL;
	if (api->cfg.listener_bucket == 0)
		api->cfg.listener_bucket = LIMIT_LISTENER_BUCKET;
	if (api->cfg.listener_refill == 0)
		api->cfg.listener_refill = LIMIT_LISTENER_REFILL;
	api->listeners = listeners_new(a, &api->cfg);
	api->auth = auth_new(a, &api->cfg);
	api->metrics = metrics_new(a);
	api->log = access_log_new(a);
	api->ids = arena_array_of(a, struct id_batch, HTTP_LOOPS_MAX);
	api->slow = queue_new(a, POOL_QUEUE);
	api->events = job_events_new(api);
	api_openapi(cfg->resources, &openapi);
	api->openapi = str_dup(a, buf_str(&openapi));
	api->calls = queue_new(a, CALL_QUEUE);
	for (size_t i = 0; i < POOL_THREADS; i++)
		thread_start(&api->pool[i], "handler", pool_main, api->slow);
	for (size_t i = 0; i < CALL_THREADS; i++)
		thread_start(&api->call_pool[i], "call", pool_main, api->calls);

	struct http_server_config server = { .listen = cfg->listen,
		.tls_cert_file = cfg->tls_cert_file,
		.tls_key_file = cfg->tls_key_file,
		.handlers = { on_request, on_refused, on_finished, on_turn, NULL, api } };

	if (http_server_start(&server, &api->server, err)) {
		*out = api;
		return true;
	}
	api_stop(api, 0);
	return false;
}

unsigned api_port(const struct api *a)
{
	return http_server_port(a->server);
}

void api_stop(struct api *api, int64_t within_ms)
{
	atomic_store(&api->draining, true);
	if (api->server != NULL)
		http_server_drain(api->server, within_ms);
	engine_calls_abort(api->cfg.engine);
	queue_close(api->slow);
	queue_close(api->calls);
	for (size_t i = 0; i < POOL_THREADS; i++)
		thread_join(&api->pool[i]);
	for (size_t i = 0; i < CALL_THREADS; i++)
		thread_join(&api->call_pool[i]);
	listeners_write_wait(api->listeners);
	job_events_free(api->events);
	http_server_free(api->server);
	queue_destroy(api->slow);
	queue_destroy(api->calls);
	listeners_free(api->listeners);
	auth_free(api->auth);
	access_log_free(api->log);
	arena_free(api->arena);
}
