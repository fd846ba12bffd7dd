/*
 * retention.c - what is too old or too much is forgotten.
 *
 * Age is told by the jobs' rows: purge_ms is set when a job is made. Size is measured on a reader, which
 * also picks what goes, so that the writer's units only touch rows by their keys.
 */
#include "engine/retention.h"

#include "core/log.h"

#define SLICE_ROWS     500
#define EVIDENCE_ROWS  500
#define EVIDENCE_TURNS 200 /* of one run: the next one goes on */

struct slice {
	int64_t now_ms;
	uint64_t removed;
};

static bool slice_write(struct store_conn *c, void *arg, struct err *err)
{
	struct slice *s = arg;

	return store_job_purge(c, s->now_ms, SLICE_ROWS, &s->removed, err);
}

bool retention_slice(struct engine *e)
{
	struct slice s = { clock_wall_ms(e->cfg.clock), 0 };
	struct err err = ERR_INIT;

	if (!store_write(e->cfg.store, slice_write, &s, &err)) {
		log_err(LOG_ERROR, "purge.failed", &err);
		return false;
	}
	if (s.removed > 0)
		LOG(LOG_INFO, "jobs.purged", LOG_I("rows", (int64_t)s.removed));
	return s.removed >= SLICE_ROWS;
}

/* ---- evidence ---- */

struct removal {
	struct store_evidence *list;
	size_t count;
};

static bool remove_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct removal *r = arg;

	return store_evidence_remove(c, r->list, r->count, err);
}

static bool measure(struct engine *e, uint64_t *size, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(e->cfg.store, &c, err) && store_evidence_size(c, size, err);
}

static bool pick(struct engine *e, struct arena *a, struct removal *r, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(e->cfg.store, &c, err) &&
	       store_evidence_list(c, a, EVIDENCE_ROWS, &r->list, &r->count, err);
}

/* Removes from the list's front until SIZE is within the budget; *COUNT: how many errors. */
static bool shrink(struct engine *e, uint64_t *size, uint64_t *count, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("evidence", 0);
	struct removal r = { NULL, 0 };
	size_t n = 0;

	if (!pick(e, a, &r, err))
		return false;
	for (; n<r.count && * size> e->cfg.evidence_max; n++)
		*size -= MIN(*size, r.list[n].size);
	r.count = n;
	*count = n;
	return n == 0 || store_write(e->cfg.store, remove_write, &r, err);
}

void retention_evidence(struct engine *e)
{
	struct err err = ERR_INIT;
	uint64_t size = 0, before, n = 1, all = 0;
	bool ok = measure(e, &size, &err);

	before = size;
	for (int i = 0; ok && i < EVIDENCE_TURNS && n > 0 && size > e->cfg.evidence_max &&
			!atomic_load(&e->stopping);
		i++) {
		ok = shrink(e, &size, &n, &err);
		all += ok ? n : 0;
	}
	if (!ok)
		log_err(LOG_ERROR, "evidence.not_purged", &err);
	if (all > 0)
		LOG(LOG_WARN, "evidence.purged", LOG_I("errors", (int64_t)all),
			LOG_I("before", (int64_t)before), LOG_I("after", (int64_t)size));
}
