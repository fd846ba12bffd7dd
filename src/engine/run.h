/*
 * run.h - one run of a flow: its job, its steps, the page in work, and the checkpoint.
 *
 * A run belongs to the worker that claimed its job. What it knows is in the store at every
 * checkpoint: counts, errors, the page in work, the place of the export.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/shape.h"
#include "engine/step.h"
#include "engine/work.h"

struct run_step {
	const struct flow_step *plan;
	struct step *step;
	struct store_job job;
};

/* Something that the next checkpoint writes about one record. */
struct outcome {
	enum { OUTCOME_FAILED, OUTCOME_FAILED_AGAIN, OUTCOME_RESOLVED } kind;
	struct store_job_error row; /* RESOLVED: id and account only */
	struct str retry_data;      /* p NULL: none */
};

struct run {
	struct engine *e;
	struct worker *worker;
	struct store_job *job; /* the flow's, or the retry's */
	struct arena *arena;   /* the job's; wiped, it holds opened secrets */
	struct flow_plan plan;
	struct adaptor_env env, source_env;
	struct store_job *exports; /* a child for each source */
	struct run_step *steps;
	bool children_exist;

	/* The source that is drained, */
	size_t source_index;
	const struct source_ops *source_ops;
	struct source *source;
	int source_status; /* of its last answer, when it failed; 0: none came */
	struct pipe_stage *pipe;
	struct shape **shapes; /* of each source; those that were not begun: NULL */
	/* and its place behind the page in work: {"g": source, "at": its cursor}. */
	struct str cursor;
	struct arena *cursor_arena, *cursor_spare;
	uint64_t changes;     /* the engine's count, before the plan was read */
	int64_t listened_seq; /* of a listener: the last event of the page in work; 0: none new */
	struct str listened_export;
	struct str zero_reason;
	const struct json *
		waited; /* what the job waited for until it was claimed, and no page has got through
				      since; NULL: nothing */

	/* What the next checkpoint writes. */
	struct work *before; /* done with, but outcomes point into them */
	struct outcome *outcomes;
	size_t outcome_count, outcome_cap;
	struct arena *outcome_arena;
	bool page_in_store;
	bool page_damaged; /* it can't be read back */
	bool page_settled; /* and all of it is accounted for here: the row only waits to be removed */
	struct buf page_body;
};

/* ---- checkpoint.c ---- */

/*
 * Writes counts, outcomes, the page in work (W; NULL: there is none any more) and whatever EXTRA (may
 * be NULL) adds, in one transaction. ERR_FENCED: the job is somebody else's now; ERR_STORE.
 */
MUST_CHECK bool run_checkpoint(struct run *r, const struct work *w, bool waiting, store_fn extra,
	void *extra_arg, struct err *err);
/* Frees the pages that are done with. */
void run_forget(struct run *r);
/* Adds an outcome for the record of delivery I of W: it failed, and stopped or went on. */
void run_add_failure(struct run *r, const struct work *w, size_t i);
/* The record of ITEM was delivered as D says by step K, but what the next step gets could not be made. */
void run_add_unmapped(struct run *r, const struct item *it, const struct delivery *d, uint32_t k,
	const struct err *failure);
/* The record of ITEM failed before any step: it belongs to the export. */
void run_add_shape_failure(struct run *r, const struct item *it, const char *stage,
	const struct err *failure);
/* For a retry: the record of ITEM was delivered. */
void run_add_resolved(struct run *r, const struct item *it);
/* What was in work with the page can't be read: its text is the evidence. */
void run_add_damage(struct run *r, const struct err *failure);
/* An error that is not one record's: of the source, or of the run. */
void run_add_error(struct run *r, const struct err *failure, const char *stage, bool of_export);
struct str run_new_id(const struct run *r, struct arena *a);

/* ---- job_work.c ---- */

struct store_job *run_child_at(struct run *r, size_t i); /* sources first, then steps */
/* The page in work that is in the store; NULL in *W: there is none. ERR_STORE; with r->page_damaged it is no
 * use to read it again. */
MUST_CHECK bool run_read_page(struct run *r, struct work **w, struct err *err);

/* ---- run_page.c ---- */

enum run_verdict {
	RUN_ON,     /* go on */
	RUN_WAIT,   /* put aside; job->waiting_for and not_before_ms say for what */
	RUN_STOP,   /* the server stops */
	RUN_CANCEL, /* the user wants it to end */
	RUN_FAIL,   /* ERR is why */
};
/* Passes a page through the steps from W->step on. Takes W over. RESUMED: its deliveries are ready. */
void run_keep(struct run *r, struct work *w);
enum run_verdict run_page(struct run *r, struct work *w, bool resumed, struct err *err);
/* Makes the job wait: until the time, for this; since when it has waited for the connection. */
void run_wait(struct run *r, int64_t until_ms, struct str what, struct str connection_id);
/* One ping decides; when it fails too the connection goes offline and the job waits. False: it answers. */
bool run_goes_offline(struct run *r, struct str connection_id, const struct json *connection);

/* ---- run_end.c ---- */

/* Writes how the run ended, when V says that it did. */
void run_settle(struct run *r, enum run_verdict v, struct err *err, bool export_error);

/* ---- record.c ---- */

/* Notes for the recorder what became of the page at its present step. */
void run_record(struct run *r, const struct work *w);

/* ---- run_shape.c ---- */

/* The export's transform and filter over a new page: what is dropped or fails goes to no step. */
void run_shape(struct run *r, struct work *w);

#endif
