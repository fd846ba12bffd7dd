/*
 * store_page.h - the page that a job has in work, and the documents that jobs began with; see store.h.
 *
 * A page is put when its records are about to be sent (the intent), with what will be sent; after
 * a crash it says which records may have arrived. A job has one page in work at most.
 */
#ifndef STORE_STORE_PAGE_H
#define STORE_STORE_PAGE_H

#include "store/store_conn.h"

struct store_page {
	struct str account_id, job_id; /* the flow's job */
	uint64_t page_index;           /* in the run, from 0 */
	uint32_t step;                 /* the flow's step that has it */
	bool waiting;                  /* put aside: nothing of it is under way */
	struct str body;               /* JSON, the engine's */
	struct str connection_id;      /* that the step uses; p NULL: none is known */
	uint64_t records;              /* of the page that are, or will be, sent in this step */
};
/* Adds or replaces. W */
MUST_CHECK bool store_page_put(struct store_conn *c, const struct store_page *p, struct err *err);
MUST_CHECK bool store_page_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str job_id, struct store_page *out, bool *found, struct err *err);
MUST_CHECK bool store_page_remove(struct store_conn *c, struct str account_id, struct str job_id,
	struct err *err); /* W; none is no error */

/* Records of the account's pages in work, by the connection that they are for: of CONNECTION_ID, or of all
 * (p NULL). Those for which there are none are left out. */
MUST_CHECK bool store_page_waiting(struct store_conn *c, struct str account_id,
	struct str connection_id, bool (*fn)(void *arg, struct str connection_id, uint64_t records),
	void *arg, struct err *err);

/* CONFIG under its HASH, once however many jobs have it. W */
MUST_CHECK bool store_config_put(struct store_conn *c, struct str account_id, struct str hash,
	int64_t now_ms, struct str config, struct err *err);
MUST_CHECK bool store_config_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str hash, struct str *config, struct err *err); /* ERR_NOT_FOUND */

#endif
