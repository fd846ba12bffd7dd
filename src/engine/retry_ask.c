/*
 * retry_ask.c - asking that errors be tried again: one job of type retry for each flow they are of, those of all
 * that is asked in one transaction with the actions that hand the errors to them; then these are done.
 */
#include "engine/retry_ask.h"

#include "engine/bulk.h"

#define FLOWS_MAX 1000

struct wanted {
	const struct retry_ask *ask;
	struct str flow_id;
	struct str config_hash; /* of the documents to use; p NULL: the present ones */
};

struct asking {
	struct engine *e;
	struct arena *arena;
	struct str account_id;
	const struct retry_ask *ask; /* the present one, and */
	size_t flows;                /* how many flows it has */
	struct wanted *list;
	size_t count, cap;
	struct bulk_action *actions; /* of each */
	size_t action_count;
};

static bool add_flow(void *arg, struct str flow_id)
{
	struct asking *q = arg;

	if (q->count == q->cap) {
		size_t cap = MAX(q->cap * 2, (size_t)8);

		q->list = arena_grow(q->arena, q->list, q->cap * sizeof(*q->list),
			cap * sizeof(*q->list));
		q->cap = cap;
	}
	q->list[q->count++] = (struct wanted){ q->ask, str_dup(q->arena, flow_id), STR_NULL };
	return ++q->flows < FLOWS_MAX;
}

static bool queue_retry(struct asking *q, struct store_conn *c, const struct wanted *w,
	struct err *err)
{
	int64_t now = clock_wall_ms(q->e->cfg.clock);
	struct bulk_action *x = &q->actions[q->action_count];
	struct store_resource flow;
	const struct json *doc;
	struct err gone = ERR_INIT;
	struct id id;

	id_new(&id, now, q->e->cfg.rng);
	struct store_job job = { .id = str_dup(q->arena, id_str(&id)),
		.account_id = q->account_id,
		.type = JOB_RETRY,
		.status = JOB_QUEUED,
		.flow_id = w->flow_id,
		.retry_of_job_id = w->ask->filter.job_id,
		.config_hash = w->config_hash,
		.trigger = w->ask->by,
		.created_ms = now,
		.modified_ms = now,
		.purge_ms = now + q->e->cfg.kept_ms };

	if (store_resource_get(c, q->arena, q->account_id, STR("flow"), w->flow_id, &flow, &gone) &&
		json_parse_copy(q->arena, flow.document, &doc, &gone))
		job.integration_id = json_get_str(doc, STR("_integrationId"));
	*x = (struct bulk_action){ .account_id = q->account_id,
		.id = job.id,
		.what = BULK_RETRY,
		.filter = w->ask->filter,
		.at_ms = now };
	x->filter.flow_id = w->flow_id;
	q->action_count++;
	return store_job_add(c, &job, err) && bulk_add(c, x, err);
}

/* The documents that the job, or the flow's job above it, began with. */
static bool find_config(struct asking *q, struct store_conn *c, struct wanted *w, struct err *err)
{
	struct store_job job;

	if (!w->ask->original_documents)
		return true;
	if (!store_job_get(c, q->arena, q->account_id, w->ask->filter.job_id, &job, err))
		return false;
	if (job.flow_job_id.p != NULL &&
		!store_job_get(c, q->arena, q->account_id, job.flow_job_id, &job, err))
		return false;
	w->config_hash = job.config_hash;
	return w->config_hash.p != NULL ||
	       err_set(err, ERR_NOT_FOUND, "the documents that job %.*s began with are not kept",
		       STR_ARG(job.id));
}

static bool ask_write(struct store_conn *c, void *arg, struct err *err)
{
	struct asking *q = arg;

	q->action_count = 0;
	for (size_t i = 0; i < q->count; i++)
		if (!find_config(q, c, &q->list[i], err) || !queue_retry(q, c, &q->list[i], err))
			return false;
	return true;
}

static bool read_flows(struct asking *q, const struct retry_ask *asks, size_t n, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	if (!store_read_begin(q->e->cfg.store, &c, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		q->ask = &asks[i];
		q->flows = 0;
		if (!store_error_flows(c, q->account_id, &asks[i].filter, add_flow, q, err))
			return false;
	}
	return true;
}

static bool hand_over(struct asking *q, struct retry_jobs *out, struct err *err)
{
	out->list = arena_array_of(q->arena, struct retry_job, MAX(q->action_count, (size_t)1));
	for (size_t i = 0; i < q->action_count; i++) {
		struct bulk_action *x = &q->actions[i];
		struct retry_job *job = &out->list[i];

		if (!bulk_do(q->e, x, true, err))
			return false;
		memcpy(job->job_id.s, x->id.p, ID_LEN);
		job->job_id.s[ID_LEN] = '\0';
		job->count = x->count;
		out->count++;
	}
	return true;
}

bool retry_ask(struct engine *e, struct str account_id, const struct retry_ask *asks, size_t n,
	struct arena *a, struct retry_jobs *out, struct err *err)
{
	struct asking q = { .e = e, .arena = a, .account_id = account_id };

	*out = (struct retry_jobs){ .list = NULL };
	if (!read_flows(&q, asks, n, err))
		return false;
	q.actions = arena_array_of(a, struct bulk_action, MAX(q.count, (size_t)1));
	if (!store_write(e->cfg.store, ask_write, &q, err) || !hand_over(&q, out, err))
		return false;
	if (out->count > 0)
		engine_post(e);
	return true;
}

bool engine_retry(struct engine *e, struct str account_id, const struct retry_ask *asks, size_t n,
	struct arena *a, struct retry_jobs *out, struct err *err)
{
	if (!bulk_begin(e, true, err))
		return false;
	bool ok = retry_ask(e, account_id, asks, n, a, out, err);

	bulk_end(e);
	return ok;
}
