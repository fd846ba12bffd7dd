/*
 * page.h - pages: what the export's records are cut into, and the two-stage pipe they pass through.
 *
 * The pager cuts the source's answers into pages of at most pageSize records or LIMIT_PAGE_BYTES.
 * The pipe runs the pager on a thread of its own and holds at most one finished page, never an empty one: while the
 * worker imports page n, page n+1 is fetched, and nothing is fetched beyond it.
 */
#ifndef ENGINE_PAGE_H
#define ENGINE_PAGE_H

#include "adaptor/adaptor.h"

struct page {
	struct arena *arena; /* the page's own: results, copies */
	struct chunk *chunk; /* what its records point into, or NULL */
	const struct json **records;
	size_t count, cap;
	size_t copied;        /* of them, from the first on, that stand in the page's own arena */
	uint64_t first_index; /* of its first record in the run */
	struct str cursor;    /* the export's place behind this page, JSON text */
	bool last;
};
void page_free(struct page *p); /* NULL is allowed */

struct pipe_config {
	const struct source_ops *ops;
	struct source *source; /* the pipe's thread uses it until pipe_stop() */
	size_t page_size;
	uint64_t first_index; /* of the first record: how many the run has exported before */
	uint64_t last_index;  /* ends before this one; 0: no limit; for exports of type test */
	struct str from;      /* the cursor that SOURCE was opened with; p NULL: none */
	size_t skip;          /* records of the first answer that earlier attempts exported */
	bool whole_chunks;    /* a page ends with its answer, however many records that has */
};

struct pipe_stage;
struct pipe_stage *pipe_start(const struct pipe_config *cfg);
/*
 * The next page, or NULL: at the end (*FAILED false), or after a failure of the export (ERR is set,
 * *FAILED true). The pages before a failure come first.
 */
struct page *pipe_take(struct pipe_stage *p, bool *failed, struct err *err);
/* As pipe_take(), NULL with *FAILED false also when no page is ready yet. */
struct page *pipe_try_take(struct pipe_stage *p);
/* Ends the thread (the source must have been told to hurry), frees what is left. */
void pipe_stop(struct pipe_stage *p);

#endif
