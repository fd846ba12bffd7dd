/*
 * store_resource.h - resources: documents with the columns that lists filter by; see store.h.
 */
#ifndef STORE_STORE_RESOURCE_H
#define STORE_STORE_RESOURCE_H

#include "store/store_conn.h"

/* ---- resources: one JSON document each, with the columns that lists filter by ---- */

struct store_resource {
	struct str account_id, type, id;
	int64_t version; /* 1, 2, ...: the ETag */
	int64_t created_ms, modified_ms;
	struct str name; /* p NULL where there is none, as below */
	struct str external_id, integration_id, connector_id;
	struct str api_identifier; /* unique over all accounts */
	struct str document;       /* JSON text, secrets sealed */
};
/* What a document refers to: for 409 on delete and for dependencies. */
struct store_ref {
	struct str field; /* "_exportId", "hooks._preSavePageId" */
	struct str type;  /* "export" */
	struct str id;
};

MUST_CHECK bool store_resource_add(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err); /* W; version is 1 */
/* Replaces document, columns and refs; version must be the stored one (ERR_PRECONDITION), and
 * becomes one more. W */
MUST_CHECK bool store_resource_update(struct store_conn *c, const struct store_resource *r,
	const struct store_ref *refs, size_t ref_count, struct err *err);
/* With the state kept for it. W; VERSION 0: any. ERR_NOT_FOUND, ERR_PRECONDITION. Who refers is the
 * caller's question. */
MUST_CHECK bool store_resource_remove(struct store_conn *c, struct str account_id, struct str type,
	struct str id, int64_t version, struct err *err);
MUST_CHECK bool store_resource_get(struct store_conn *c, struct arena *a, struct str account_id,
	struct str type, struct str id, struct store_resource *out,
	struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool store_resource_by_api_identifier(struct store_conn *c, struct arena *a,
	struct str account_id, struct str api_identifier, struct store_resource *out,
	struct err *err);
/*
 * An export by its apiIdentifier or its _id, whoever has it: for requests that carry no token. One
 * look-up an account. ERR_NOT_FOUND.
 */
MUST_CHECK bool store_export_find(struct store_conn *c, struct arena *a, struct str key,
	struct store_resource *out, struct err *err);
/* Grows with every commit that made, changed or removed an export: read it before you read what you
 * keep of one. Any thread. */
uint64_t store_export_epoch(struct store *s);
bool store_resource_exists(struct store_conn *c, struct str account_id, struct str type,
	struct str id);

struct store_filter {
	/* Each: p NULL is any; several values are "one of". */
	const struct str *names, *external_ids, *integration_ids, *connector_ids;
	size_t name_count, external_id_count, integration_id_count, connector_id_count;
	struct str after; /* id of the last one seen; p NULL: from the start */
	size_t limit;     /* 0: all */
};
/* In order of creation (created_ms, then id). FN returns false to stop; R and its strings live for the call. */
MUST_CHECK bool store_resource_list(struct store_conn *c, struct str account_id, struct str type,
	const struct store_filter *f, bool (*fn)(void *arg, const struct store_resource *r),
	void *arg, struct err *err);
/* Who refers to (type, id): fills up to MAX, returns the full number in *COUNT. Their `name` is
 * filled; `document` is not. */
MUST_CHECK bool store_resource_referrers(struct store_conn *c, struct arena *a,
	struct str account_id, struct str type, struct str id, struct store_resource *out,
	size_t max, size_t *count, struct err *err);

#endif
