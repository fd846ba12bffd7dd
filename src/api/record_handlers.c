/*
 * record_handlers.c - the way of a record through the flows, by its trace key.
 */
#include "api/handlers_priv.h"
#include "api/params.h"

#include "core/limits.h"

#define WAYS_DEFAULT 100

void handle_records(struct api_request *rq)
{
	struct str key = http_request_query(rq->x, STR("traceKey"));
	struct str limit = http_request_query(rq->x, STR("limit"));
	struct err err = ERR_INIT;
	size_t max = WAYS_DEFAULT;
	struct json_build b;
	bool ok = key.n > 0 ||
		  err_set_field(&err, ERR_QUERY, "traceKey", "say whose way: ?traceKey=");

	ok = ok && (limit.p == NULL || param_limit(STR("limit"), limit, LIMIT_LIST, &max, &err));
	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	ok = ok &&
	     engine_trace(rq->api->cfg.engine, caller_account(&rq->caller), key, max, &b, &err);
	if (!ok) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}
