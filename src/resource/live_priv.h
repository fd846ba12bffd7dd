/*
 * live_priv.h - resource_live.c: what views show besides the stored documents.
 */
#ifndef RESOURCE_LIVE_PRIV_H
#define RESOURCE_LIVE_PRIV_H

#include "core/map.h"
#include "resource/resource_priv.h"

/*
 * What stands in views and changes by itself: of one resource, or of all of the account (ID's p NULL). *OUT is
 * NULL when there is nothing that the stored documents do not say.
 */
MUST_CHECK bool res_live_read(struct store_conn *c, struct arena *a, struct str account_id,
	const struct schema *s, struct str id, struct map **out, struct err *err);
/* Puts it into the view of resource ID. */
MUST_CHECK bool res_live_put(const struct map *live, struct arena *a, struct str id,
	struct str *json, struct err *err);
/* Both, for an answer to a change: what can't be read now stays as it is stored. */
void res_live_show(const struct resources *r, struct arena *a, struct str account_id,
	const struct schema *s, struct str id, struct str *json);

#endif
