/*
 * connection_handlers.c - pinging connections, stored or not, and reading their debug logs.
 */
#include "api/calls_priv.h"

#define DEBUG_DEFAULT_MS 900000 /* 15 minutes */

static void ping(struct api_request *rq, struct invocation *v)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	if (invoke_ping(v, &out, &err))
		call_answer(rq, &out);
	else
		call_fail(rq, v, &err);
}

void handle_connection_ping(struct api_request *rq)
{
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct err err = ERR_INIT;

	if (v == NULL)
		return;
	if (invoke_connection(v, rq->match.params[0], &err))
		ping(rq, v);
	else
		api_fail(rq, &err);
}

void handle_connections_ping(struct api_request *rq)
{
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct problems p;

	if (v == NULL)
		return;
	problems_init(&p, rq->x->arena);
	if (invoke_unsaved_connection(v, rq->body, &p))
		ping(rq, v);
	else
		api_fail_all(rq, &p);
}

/* ---- the debug log ---- */

void handle_connection_debug(struct api_request *rq)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct str resource_id = rq->match.param_count > 1 ? rq->match.params[1] : STR_NULL;
	struct err err = ERR_INIT;

	if (!engine_debug_print(rq->api->cfg.engine, caller_account(&rq->caller),
		    rq->match.params[0], resource_id, &out, &err)) {
		api_fail(rq, &err);
		return;
	}
	rq->x->status = 200;
	rq->x->res_body = str_dup(rq->x->arena, buf_str(&out));
	api_header(rq, "Content-Type", STR("text/plain; charset=utf-8"));
}

void handle_connection_debug_start(struct api_request *rq)
{
	const struct resources *r = rq->api->cfg.resources;
	struct arena *a = rq->x->arena;
	struct resource_view v;
	struct json_build b;
	struct problems p;

	problems_init(&p, a);
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("debugDate"),
		time_iso(a, clock_wall_ms(rq->api->cfg.clock) + DEBUG_DEFAULT_MS));
	json_build_end(&b);
	if (!resource_patch(r, caller_account(&rq->caller), resources_by_type(r, STR("connection")),
		    rq->match.params[0], 0, json_build_done(&b), a, &v, &p)) {
		api_fail_all(rq, &p);
		return;
	}
	api_answer(rq, 200, v.json);
	api_etag(rq, v.version);
}
