/*
 * record_handlers.c - the way of a record through the flows, by its trace key.
 */
#include "api/handlers_priv.h"

#include "core/limits.h"

#define WAYS_DEFAULT 100

void handle_records(struct api_request *rq)
{
	struct str key = http_request_query(rq->x, STR("traceKey"));
	struct str limit = http_request_query(rq->x, STR("limit"));
	struct err err = ERR_INIT;
	uint64_t max = WAYS_DEFAULT;
	struct json_build b;
	bool ok = key.n > 0 ||
		  err_set_field(&err, ERR_QUERY, "traceKey", "say whose way: ?traceKey=");

	ok = ok && (limit.p == NULL || (str_to_u64(limit, &max) && max > 0 && max <= LIMIT_LIST) ||
			   err_set_field(&err, ERR_QUERY, "limit",
				   "limit must be a number from 1 to %d", LIMIT_LIST));
	json_build_init(&b, rq->x->arena);
	json_build_array(&b);
	ok = ok && engine_trace(rq->api->cfg.engine, caller_account(&rq->caller), key, (size_t)max,
			   &b, &err);
	if (!ok) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&b);
	api_answer(rq, 200, json_print_arena(rq->x->arena, json_build_done(&b)));
}
