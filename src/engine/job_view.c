/*
 * job_view.c - jobs and job errors as the API answers them.
 */
#include "engine/engine_priv.h"

static void add_time(struct json_build *b, struct str name, int64_t ms)
{
	if (ms != 0)
		json_add_str(b, name, time_iso(b->arena, ms));
}

static void add_u64(struct json_build *b, struct str name, uint64_t v)
{
	json_add_i64(b, name, (int64_t)v);
}

static void add_ledger(struct json_build *b, const struct job_ledger *l)
{
	json_build_key(b, STR("ledger"));
	json_build_object(b);
	add_u64(b, STR("exported"), l->exported);
	add_u64(b, STR("succeeded"), l->succeeded);
	add_u64(b, STR("ignored"), l->ignored);
	add_u64(b, STR("failed"), l->failed);
	add_u64(b, STR("inFlight"), l->in_flight);
	json_build_end(b);
}

static void add_counts(struct json_build *b, const struct store_job *j)
{
	add_u64(b, STR("numError"), j->num_error);
	add_u64(b, STR("numResolved"), j->num_resolved);
	add_u64(b, STR("numOpenError"), j->num_open_error);
	add_u64(b, STR("numSuccess"), j->num_success);
	add_u64(b, STR("numExport"), j->num_export);
	add_u64(b, STR("numIgnore"), j->num_ignore);
	add_u64(b, STR("numPagesGenerated"), j->pages_generated);
	add_u64(b, STR("numPagesProcessed"), j->pages_processed);
}

/* A value that is kept as JSON text. */
static void add_json(struct json_build *b, struct str name, struct str text)
{
	const struct json *v;
	struct err err = ERR_INIT;

	if (text.p != NULL && json_parse_copy(b->arena, text, &v, &err))
		json_add_copy(b, name, v);
}

#define LATE_MS 60000 /* a scheduled run that began later than this says so */

/* One that waits when its end is asked for goes through its worker, which takes it up at once. */
static enum job_status shown_status(const struct store_job *j)
{
	return j->status == JOB_QUEUED && j->canceled_by.p != NULL ? JOB_CANCELING : j->status;
}

static void add_job(struct json_build *b, const struct store_job *j, struct str waits_for)
{
	json_build_object(b);
	json_add_str(b, STR("_id"), j->id);
	json_add_str(b, STR("type"), str_z(job_type_word(j->type)));
	json_add_str(b, STR("_integrationId"), j->integration_id);
	json_add_str(b, STR("_exportId"), j->export_id);
	json_add_str(b, STR("_importId"), j->import_id);
	json_add_str(b, STR("_flowId"), j->flow_id);
	json_add_str(b, STR("_flowJobId"), j->flow_job_id);
	json_add_str(b, STR("trigger"), j->trigger);
	json_add_str(b, STR("status"), str_z(job_status_word(shown_status(j))));
	add_time(b, STR("startedAt"), j->started_ms);
	add_time(b, STR("endedAt"), j->ended_ms);
	add_time(b, STR("lastExecutedAt"), j->ended_ms);
	add_counts(b, j);
	json_add_bool(b, STR("doneExporting"), j->done_exporting);
	if (j->flow_job_id.p != NULL) {
		json_add_i64(b, STR("oIndex"), j->order_index);
		json_add_bool(b, STR("retriable"), j->retriable);
	}
	if (j->type != JOB_EXPORT || j->ledger.exported > 0)
		add_ledger(b, &j->ledger);
	json_add_str(b, STR("zeroReason"), j->zero_reason);
	add_json(b, STR("waitingFor"), waits_for);
	add_time(b, STR("scheduledFor"), j->due_ms);
	if (j->due_ms != 0 && j->started_ms - j->due_ms > LATE_MS)
		json_add_bool(b, STR("late"), true);
	json_add_str(b, STR("canceledBy"), j->canceled_by);
	json_add_str(b, STR("_retryOfJobId"), j->retry_of_job_id);
	if (j->error_code.p != NULL) {
		json_build_key(b, STR("error"));
		json_build_object(b);
		json_add_str(b, STR("code"), j->error_code);
		json_add_str(b, STR("message"), j->error_message);
		json_build_end(b);
	}
	add_time(b, STR("createdAt"), j->created_ms);
	add_time(b, STR("lastModified"), j->modified_ms);
	add_time(b, STR("purgeAt"), j->purge_ms);
	json_build_end(b);
}

void job_print(struct engine *e, struct store_conn *c, const struct store_job *j, struct buf *out)
{
	struct arena *a DEFER(arena_freep) = arena_new("view", 0);
	struct json_build b;

	json_build_init(&b, a);
	add_job(&b, j, engine_waits_for(e, c, a, j));
	json_print(out, json_build_done(&b), JSON_COMPACT);
}

void job_error_print(const struct store_job_error *e, struct buf *out)
{
	struct arena *a DEFER(arena_freep) = arena_new("view", 0);
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("_id"), e->id);
	json_add_str(&b, STR("_jobId"), e->job_id);
	json_add_str(&b, STR("_flowJobId"), e->flow_job_id);
	json_add_bool(&b, STR("resolved"), e->resolved);
	add_time(&b, STR("createdAt"), e->created_ms);
	json_add_str(&b, STR("stage"), e->stage);
	json_add_str(&b, STR("source"), e->source);
	json_add_str(&b, STR("code"), e->code);
	json_add_str(&b, STR("message"), e->message);
	if (e->field.n > 0)
		json_add_str(&b, STR("field"), e->field);
	if (e->hint.n > 0)
		json_add_str(&b, STR("hint"), e->hint);
	json_add_str(&b, STR("traceKey"), e->trace_key);
	if (e->record_index >= 0)
		json_add_i64(&b, STR("recordIndex"), e->record_index);
	json_add_str(&b, STR("request"), e->request);
	json_add_str(&b, STR("response"), e->response);
	json_add_str(&b, STR("_retryId"), e->retry_id);
	json_add_str(&b, STR("_flowId"), e->flow_id);
	json_add_str(&b, STR("_stepId"), e->step_id);
	json_add_str(&b, STR("classification"), e->classification);
	json_add_str(&b, STR("fingerprint"), e->fingerprint);
	json_add_i64(&b, STR("attempts"), e->attempts);
	json_add_bool(&b, STR("retry"), e->retry_job_id.p != NULL);
	json_add_str(&b, STR("_retryJobId"), e->retry_job_id);
	add_time(&b, STR("nextRetryAt"), e->next_retry_ms);
	add_time(&b, STR("resolvedAt"), e->resolved_ms);
	json_add_str(&b, STR("resolvedBy"), e->resolved_by);
	json_build_end(&b);
	json_print(out, json_build_done(&b), JSON_COMPACT);
}
