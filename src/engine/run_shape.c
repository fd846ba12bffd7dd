/*
 * run_shape.c - a new page on its way to the first step.
 */
#include "engine/run.h"

static void count_dropped(struct run *r, struct item *it)
{
	r->exports[r->source_index].num_ignore++;
	it->stopped = true;
	if (it->error_id.p != NULL)
		run_add_resolved(r, it);
}

static void count_failed(struct run *r, struct item *it, const char *stage,
	const struct err *failure)
{
	r->exports[r->source_index].num_error++;
	it->stopped = true;
	atomic_fetch_add(&r->e->records_failed, 1);
	run_add_shape_failure(r, it, stage, failure);
}

/* Where a record of a retry failed is not in the flow any more: no other step may have it. */
static void fail_gone(struct run *r, struct work *w, struct item *it)
{
	struct str stage = json_get_str(it->retry_data, STR("stage"));
	struct err gone = ERR_INIT;

	err_set(&gone, ERR_FLOW,
		"the step where the record failed is not part of the flow any more");
	err_hint(&gone, "resolve the error, or put the step back into the flow");
	count_failed(r, it, str_to_z(w->arena, stage), &gone);
}

/* Records of a retry have passed already, but for those that failed just here. */
static bool has_passed(const struct run *r, const struct item *it)
{
	return r->job->type == JOB_RETRY && !it->unshaped;
}

static void shape_item(struct run *r, struct work *w, struct item *it)
{
	const struct json *shaped = it->record;
	const char *stage = NULL;
	struct err failed = ERR_INIT;
	bool passes = true;

	if (it->gone) {
		fail_gone(r, w, it);
	} else if (!has_passed(r, it) && !shape_apply(r->shapes[it->source], w->arena, &shaped,
						 &passes, &stage, &failed)) {
		count_failed(r, it, stage, &failed);
	} else {
		it->record = shaped;
		if (passes)
			r->exports[r->source_index].num_success++;
		else
			count_dropped(r, it);
	}
}

void run_shape(struct run *r, struct work *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (!w->items[i].stopped)
			shape_item(r, w, &w->items[i]);
}
