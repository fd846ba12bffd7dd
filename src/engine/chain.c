/*
 * chain.c - flows that run when another one completes.
 */
#include "engine/engine_priv.h"

bool engine_chain(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j, const struct json *flow, struct err *err)
{
	const struct json *next = json_get(flow, STR("_runNextFlowIds"));

	if (!json_is_array(next))
		return true;
	for (json_each (it, next)) {
		struct store_resource row;
		struct err gone = ERR_INIT;
		const struct json *doc;
		struct str job_id;

		if (!store_resource_get(c, a, j->account_id, STR("flow"), json_str(it), &row,
			    &gone) ||
			!json_parse_copy(a, row.document, &doc, &gone) ||
			json_get_true(doc, STR("disabled")))
			continue; /* gone or off: nothing follows */
		const struct queue_request q = { j->account_id, json_str(it), STR("flow"), doc, 0 };

		if (!engine_queue(e, c, a, &q, &job_id, err))
			return false;
	}
	return true;
}
