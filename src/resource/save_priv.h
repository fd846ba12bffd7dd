/*
 * save_priv.h - a row on its way into the store, for those who make documents (resource_write.c has it).
 */
#ifndef RESOURCE_SAVE_PRIV_H
#define RESOURCE_SAVE_PRIV_H

#include "resource/resource_priv.h"

/* More clashes or lost races in a row are not chance. */
#define SAVE_ATTEMPTS_MAX 50

struct res_save {
	const struct resources *r;
	const struct schema *s;
	struct arena *arena;
	struct problems *p;
	struct store_resource row;
	struct store_ref *refs;
	size_t ref_count, ref_cap;
	struct str kept; /* the stored text: secrets that lie in it are sealed already */
	bool create;
};
/* A new id, apiIdentifier and dates. */
void res_save_identify(struct res_save *w);
/* Fills the row from the document: columns, references, the text with secrets sealed. *VIEW is what
 * the API answers. */
MUST_CHECK bool res_save_fill(struct res_save *w, const struct json *doc, struct str *view,
	struct err *err);
/* On disk when it returns; adds the references that lead nowhere to w->p. ERR_PRECONDITION: somebody was faster. */
MUST_CHECK bool res_save_write(struct res_save *w, struct err *err);
/* The first of the types that has such an id becomes the reference's type. */
bool res_save_ref_exists(struct store_conn *c, const struct res_save *w, struct store_ref *ref);
void res_save_ref_missing(struct res_save *w, const struct store_ref *ref); /* adds a problem */

/* Do the flows that run behind FLOW, which is to be written, not lead back to it? ERR_FLOW names the way. */
MUST_CHECK bool res_flow_chain_check(struct store_conn *c, const struct store_resource *flow,
	struct err *err);

#endif
