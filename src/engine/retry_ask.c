/*
 * retry_ask.c - asking that errors be tried again: one job of type retry for each flow they are of, and
 * the errors handed to it, in one transaction.
 */
#include "engine/engine_priv.h"

#define FLOWS_MAX 1000

struct asking {
	struct engine *e;
	struct arena *arena;
	struct str account_id, by;
	struct store_error_filter filter;
	struct str flows[FLOWS_MAX];
	size_t flow_count;
	struct retry_jobs *out;
};

static bool add_flow(void *arg, struct str flow_id)
{
	struct asking *q = arg;

	q->flows[q->flow_count++] = str_dup(q->arena, flow_id);
	return q->flow_count < FLOWS_MAX;
}

static bool queue_retry(struct asking *q, struct store_conn *c, struct str flow_id, struct err *err)
{
	int64_t now = clock_wall_ms(q->e->cfg.clock);
	struct store_error_filter f = q->filter;
	struct retry_job *out = &q->out->list[q->out->count];
	struct store_resource flow;
	const struct json *doc;
	struct err gone = ERR_INIT;
	struct id id;

	id_new(&id, now, q->e->cfg.rng);
	struct store_job job = { .id = str_dup(q->arena, id_str(&id)),
		.account_id = q->account_id,
		.type = JOB_RETRY,
		.status = JOB_QUEUED,
		.flow_id = flow_id,
		.retry_of_job_id = q->filter.job_id,
		.trigger = q->by,
		.created_ms = now,
		.modified_ms = now,
		.purge_ms = now + q->e->cfg.kept_ms };

	if (store_resource_get(c, q->arena, q->account_id, STR("flow"), flow_id, &flow, &gone) &&
		json_parse_copy(q->arena, flow.document, &doc, &gone))
		job.integration_id = json_get_str(doc, STR("_integrationId"));
	f.flow_id = flow_id;
	if (!store_job_add(c, &job, err) ||
		!store_error_mark_retry(c, q->account_id, &f, job.id, &out->count, err))
		return false;
	memcpy(out->job_id.s, id.s, sizeof(id.s));
	q->out->count++;
	return true;
}

static bool ask_write(struct store_conn *c, void *arg, struct err *err)
{
	struct asking *q = arg;

	if (!store_error_flows(c, q->account_id, &q->filter, add_flow, q, err))
		return false;
	q->out->list = arena_array_of(q->arena, struct retry_job, MAX(q->flow_count, (size_t)1));
	for (size_t i = 0; i < q->flow_count; i++)
		if (!queue_retry(q, c, q->flows[i], err))
			return false;
	return true;
}

bool engine_retry(struct engine *e, struct str account_id, const struct store_error_filter *f,
	struct str by, struct arena *a, struct retry_jobs *out, struct err *err)
{
	struct asking *q = arena_new_of(a, struct asking);

	*q = (struct asking){ .e = e,
		.arena = a,
		.account_id = account_id,
		.by = by,
		.filter = *f };
	q->out = out;
	*out = (struct retry_jobs){ .list = NULL };
	if (!store_write(e->cfg.store, ask_write, q, err))
		return false;
	if (out->count > 0)
		engine_post(e);
	return true;
}
