/*
 * recover.c - what a dead server left: its jobs go back into the queue with all they have. The page
 * that was in work is in the store with what was being sent; whoever claims the job goes on there.
 */
#include "engine/engine_priv.h"

#include "core/log.h"

struct recovery {
	struct engine *e;
	uint64_t count;
};

static bool recover_write(struct store_conn *c, void *arg, struct err *err)
{
	struct recovery *r = arg;

	return store_job_reclaim(c, clock_wall_ms(r->e->cfg.clock), id_str(&r->e->owner), &r->count,
		err);
}

bool engine_recover(struct engine *e, struct err *err)
{
	struct recovery r = { .e = e };

	if (!store_write(e->cfg.store, recover_write, &r, err))
		return false;
	if (r.count > 0)
		LOG(LOG_WARN, "job.taken_up", LOG_I("jobs", r.count));
	return true;
}
