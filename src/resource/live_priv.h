/*
 * live_priv.h - resource_live.c: what views show besides the stored documents.
 */
#ifndef RESOURCE_LIVE_PRIV_H
#define RESOURCE_LIVE_PRIV_H

#include "core/map.h"
#include "resource/resource_priv.h"

struct res_live; /* what changes by itself, as the read transaction that it was begun in has it */

/* Of resource ID, or of any of the account's (ID's p NULL). C must outlive it. */
MUST_CHECK bool res_live_begin(const struct resources *r, struct store_conn *c, struct arena *a,
	struct str account_id, const struct schema *s, struct str id, struct res_live **out,
	struct err *err);
/* Puts it into the view of resource ID. */
MUST_CHECK bool res_live_put(struct res_live *live, struct arena *a, struct str id,
	struct str *json, struct err *err);
/* Both, for an answer to a change: what can't be read now stays as it is stored. */
void res_live_show(const struct resources *r, struct arena *a, struct str account_id,
	const struct schema *s, struct str id, struct str *json);

#endif
