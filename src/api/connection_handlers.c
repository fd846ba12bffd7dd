/*
 * connection_handlers.c - pinging connections, stored or not, and reading their debug logs.
 */
#include "api/calls_priv.h"

#include "data/datetime.h"

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

static bool is_ahead(struct api_request *rq, struct str date)
{
	struct err none = ERR_INIT;
	int64_t ms;

	return date.p != NULL && datetime_parse_iso(date, DATETIME_ISO, NULL, &ms, &none) &&
	       ms > clock_wall_ms(rq->api->cfg.clock);
}

/* A line that says why there is none: whoever looks wants to know whether it was on. */
static void say_why_empty(struct api_request *rq, struct str resource_id, struct str until,
	struct buf *out)
{
	struct str id = rq->match.params[0];

	if (is_ahead(rq, until)) {
		buf_add_fmt(out, "# The debug log is on until %.*s; nothing was sent yet%s.\n",
			STR_ARG(until), resource_id.p != NULL ? " for this resource" : "");
		return;
	}
	buf_add_str(out, STR("# The debug log is off"));
	if (until.p != NULL)
		buf_add_fmt(out,
			" since %.*s, and nothing is left from before: lines are shown for 24 "
			"hours, and a restart forgets them",
			STR_ARG(until));
	buf_add_fmt(out,
		". POST /v1/connections/%.*s/debug turns it on for 15 minutes, a debugDate of the "
		"connection until then.\n",
		STR_ARG(id));
}

void handle_connection_debug(struct api_request *rq)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct str resource_id = rq->match.param_count > 1 ? rq->match.params[1] : STR_NULL;
	struct str until;
	struct err err = ERR_INIT;

	if (!engine_debug_print(rq->api->cfg.engine, caller_account(&rq->caller),
		    rq->match.params[0], resource_id, rq->x->arena, &out, &until, &err)) {
		api_fail(rq, &err);
		return;
	}
	if (out.n == 0)
		say_why_empty(rq, resource_id, until, &out);
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
