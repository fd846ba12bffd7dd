/*
 * work.h - a page on its way through the steps of a flow, and its form in the store.
 *
 * The page in work is put into the store before its records are sent, with what will be sent, so
 * that after a crash the same bytes go out under the same keys. Everything lives in its arena.
 */
#ifndef ENGINE_WORK_H
#define ENGINE_WORK_H

#include "adaptor/sink.h"
#include "engine/page.h"
#include "store/store.h"

struct item {
	const struct json *record; /* as the next step gets it */
	uint64_t index;            /* in the run, from 0 */
	struct str trace_key;
	struct str error_id; /* of a retry: the error that it is; p NULL otherwise */
	/* Of a retry, of the attempt that failed; p NULL: refused, or never made. */
	struct str request;      /* what was sent, when the outcome is unknown */
	struct str key;          /* its idempotency key */
	struct str request_hash; /* hex SHA-256: the key is for these bytes; p NULL with REQUEST */
	uint32_t first_step;     /* it passes over the steps before */
	uint32_t source;         /* which export shapes it */
	bool unshaped;           /* of a retry: it failed in the export's transform or filter */
	bool gone;      /* of a retry: the step where it failed is not in the flow any more */
	bool unmapped;  /* of a retry: it was delivered; what the next step gets failed */
	bool proceeded; /* of a retry: the steps behind its first one have had it */
	const struct json *retry_data; /* of a retry; NULL */
	bool stopped;                  /* goes to no further step */
	bool settled;                  /* has passed the present step */
	struct delivery *d;            /* in the present step; NULL: not in it */
};

struct work {
	struct work *next; /* of a list of those done with */
	struct arena *arena;
	struct page *page; /* what the records stand in; NULL: in the arena */
	struct item *items;
	size_t count;
	uint64_t number; /* of the page in the run, from 0 */
	uint32_t step;
	bool fresh;         /* read back before its step was begun */
	struct delivery *d; /* those of the present step, in order */
	struct item **of;   /* the item of each */
	size_t n;
};

/* Takes the page over. */
struct work *work_new(struct page *p, uint64_t number);
void work_free(struct work *w); /* NULL is allowed */

/* The record's own id where it has one, else its place in the run. */
struct str work_trace_key(struct arena *a, const struct json *record, uint64_t index);

/* The hash by which a retry knows whether it makes the same request again: hex. */
#define WORK_HASH_LEN ((size_t)64)
void work_hash_request(struct str request, char hex[WORK_HASH_LEN]);

/* Makes the deliveries of step K: one for each item that goes on to it. */
void work_begin_step(struct work *w, uint32_t k, struct str job_id);
/* How many items the present step has yet to send, or has under way. */
uint64_t work_waiting(const struct work *w);
/* The items that are not done with, as JSON. */
void work_print(const struct work *w, struct buf *out);
/* The page as it was printed: its step's deliveries are ready to be submitted. ERR_STORE. */
MUST_CHECK bool work_read(const struct store_page *row, struct work **out, struct err *err);

#endif
