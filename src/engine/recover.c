/*
 * recover.c - what a dead server left: jobs in work are failed, and say what is known of them.
 *
 * Counts and ledger stay as the last checkpoint wrote them: records of the page that was under way
 * stay in flight, since their outcome is unknown.
 */
#include "engine/engine_priv.h"

#include "core/log.h"

static void describe(struct store_job *j, struct err *why)
{
	if (j->ledger.in_flight > 0) {
		err_set(why, ERR_INTERRUPTED,
			"the server died while page %llu was imported: %llu records were in flight "
			"and their "
			"outcome is unknown; %llu of %llu exported records are accounted for",
			(unsigned long long)j->pages_generated,
			(unsigned long long)j->ledger.in_flight,
			(unsigned long long)(j->ledger.exported - j->ledger.in_flight),
			(unsigned long long)j->ledger.exported);
	} else {
		err_set(why, ERR_INTERRUPTED,
			"the server died behind page %llu; all %llu exported records are accounted "
			"for",
			(unsigned long long)j->pages_generated,
			(unsigned long long)j->ledger.exported);
	}
}

static bool add_error(struct engine *e, struct store_conn *c, struct arena *a,
	const struct store_job *j, struct err *err)
{
	struct store_job_error row = { .account_id = j->account_id,
		.job_id = j->id,
		.record_index = -1,
		.stage = STR("run"),
		.source = STR("internal"),
		.hint = STR("run the flow again") };
	struct id id;

	id_new(&id, j->ended_ms, e->cfg.rng);
	row.id = str_dup(a, id_str(&id));
	row.created_ms = j->ended_ms;
	row.flow_job_id = j->flow_job_id;
	row.flow_id = j->flow_id;
	row.step_id = j->import_id;
	row.code = j->error_code;
	row.message = j->error_message;
	return store_job_error_add(c, &row, STR_NULL, err);
}

static bool fail_job(struct engine *e, struct store_conn *c, struct arena *a, struct store_job *j,
	struct err *err)
{
	struct err why = ERR_INIT;
	struct store_job *children;
	size_t child_count = 0;

	describe(j, &why);
	j->status = JOB_FAILED;
	j->error_code = str_z(err_info(why.code)->wire);
	j->error_message = str_dup(a, str_z(why.message));
	j->ended_ms = j->modified_ms = clock_wall_ms(e->cfg.clock);
	LOG(LOG_WARN, "job.interrupted", LOG_S("job", j->id), LOG_S("message", j->error_message));
	if (j->type == JOB_FLOW &&
		!store_job_children(c, a, j->account_id, j->id, &children, &child_count, err))
		return false;
	/* one error a run: with the import, whose ledger it is about, or with the flow's job alone */
	bool counts = j->type != JOB_EXPORT,
	     has_row = j->type == JOB_IMPORT || (counts && child_count == 0);

	if (counts) {
		j->num_error++;
		j->num_open_error++;
	}
	return store_job_update(c, j, err) && (!has_row || add_error(e, c, a, j, err));
}

struct recovery {
	struct engine *e;
	struct arena *arena;
};

static bool recover_write(struct store_conn *c, void *arg, struct err *err)
{
	struct recovery *r = arg;
	struct store_job *jobs;
	size_t n;

	if (!store_job_unfinished(c, r->arena, &jobs, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!fail_job(r->e, c, r->arena, &jobs[i], err))
			return false;
	return true;
}

bool engine_recover(struct engine *e, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("recovery", 0);
	struct recovery r = { .e = e, .arena = a };

	return store_write(e->cfg.store, recover_write, &r, err);
}
