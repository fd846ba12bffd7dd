/*
 * system_handlers.c - health, readiness, limits, the OpenAPI document.
 */
#include "api/handlers_priv.h"
#include "api/watch_priv.h"

#include "core/limits.h"

static void answer_text(struct api_request *rq, int status, struct str text)
{
	rq->x->status = status;
	rq->x->res_body = text;
	api_header(rq, "Content-Type", STR("text/plain; charset=utf-8"));
}

void handle_health(struct api_request *rq)
{
	answer_text(rq, 200, STR("ok\n"));
}

void handle_ready(struct api_request *rq)
{
	struct err err = ERR_INIT;

	if (atomic_load(&rq->api->draining))
		answer_text(rq, 503, STR("draining\n"));
	else if (!store_healthy(rq->api->cfg.store, &err))
		answer_text(rq, 503, str_fmt(rq->x->arena, "store: %s\n", err.message));
	else
		answer_text(rq, 200, STR("ready\n"));
}

void handle_metrics(struct api_request *rq)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);

	metrics_print(rq->api, &out);
	rq->x->status = 200;
	rq->x->res_body = str_dup(rq->x->arena, buf_str(&out));
	api_header(rq, "Content-Type", STR("text/plain; version=0.0.4; charset=utf-8"));
}

void handle_openapi(struct api_request *rq)
{
	api_answer(rq, 200, rq->api->openapi);
}

/* The limits as this server has them: the operator may have set the rates. */
static int64_t effective_limit(const struct api_request *rq, const char *name, int64_t value)
{
	if (strcmp(name, "LIMIT_RATE_BUCKET") == 0)
		return rq->api->cfg.rate_bucket;
	if (strcmp(name, "LIMIT_RATE_REFILL") == 0)
		return rq->api->cfg.rate_refill;
	if (strcmp(name, "LIMIT_LISTENER_BUCKET") == 0)
		return rq->api->cfg.listener_bucket;
	if (strcmp(name, "LIMIT_LISTENER_REFILL") == 0)
		return rq->api->cfg.listener_refill;
	return value;
}

void handle_limits(struct api_request *rq)
{
	static const struct {
		const char *name, *unit, *words;
		int64_t value;
	} limits[] = {
#define X(sym, value, unit, words) { #sym, unit, words, value },
		LIMIT_TABLE(X)
#undef X
	};
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		json_build_object(&b);
		json_add_str(&b, STR("name"), str_z(limits[i].name + strlen("LIMIT_")));
		json_add_i64(&b, STR("value"),
			effective_limit(rq, limits[i].name, limits[i].value));
		json_add_str(&b, STR("unit"), str_z(limits[i].unit));
		json_add_str(&b, STR("description"), str_z(limits[i].words));
		json_build_end(&b);
	}
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}
