/*
 * resource.h - the life of stored resources: create, replace, patch, read, list, remove.
 *
 * Works on documents, not on HTTP: api/ turns requests into these calls, engine/ reads through
 * resource_open(). All calls take their reader or writer from the store; those that write block
 * until the change is on disk (call them on a thread that may wait).
 */
#ifndef RESOURCE_RESOURCE_H
#define RESOURCE_RESOURCE_H

#include "crypt/seal.h"
#include "schema/schema.h"
#include "store/store.h"

/* The tables of all types, NULL behind the last: for documentation and tests. */
extern const struct res_def *const resource_defs[];

struct resources; /* the compiled types and what they need; read-only: any thread */

struct resources_config {
	struct store *store;
	const struct key_ring *keys;
	const struct clock *clock;
	struct rng *rng;
};
struct resources *resources_new(struct arena *a, const struct resources_config *cfg);

/* A type by its path segment ("connections", any letter case) or by its type word; NULL: none. */
const struct schema *resources_by_segment(const struct resources *r, struct str segment);
const struct schema *resources_by_type(const struct resources *r, struct str type);
/* All types, NULL behind the last. */
const struct schema *resources_at(const struct resources *r, size_t i);

/* What a call answers with: the API's view, secrets masked. Lives in the arena given. */
struct resource_view {
	struct str id;
	int64_t version;
	int64_t modified_ms;
	struct str json;
};

/*
 * BODY is parsed already. Problems: ERR_INVALID and its kin, ERR_REF, ERR_TOO_LARGE, ERR_STORE.
 * PROBLEMS' arena may be A. Secrets of BODY are sealed before they reach the store.
 */
MUST_CHECK bool resource_create(const struct resources *r, struct str account_id,
	const struct schema *s, const struct json *body, struct arena *a, struct resource_view *out,
	struct problems *p);
/* VERSION 0: any; else ERR_PRECONDITION when the stored one differs. */
MUST_CHECK bool resource_replace(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, int64_t version, const struct json *body,
	struct arena *a, struct resource_view *out, struct problems *p);
/* RFC 7396 JSON Merge Patch, applied to the API's view: a mask in it keeps the secret. */
MUST_CHECK bool resource_patch(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, int64_t version, const struct json *patch,
	struct arena *a, struct resource_view *out, struct problems *p);
MUST_CHECK bool resource_get(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, struct arena *a, struct resource_view *out,
	struct err *err);
/*
 * The array of all that pass FILTER, printed into OUT. *LAST (may be NULL): id of the last one when
 * the limit cut the list, else p NULL.
 */
MUST_CHECK bool resource_list(const struct resources *r, struct str account_id,
	const struct schema *s, const struct store_filter *filter, struct arena *a, struct buf *out,
	struct str *last, struct err *err);
/*
 * ERR_CONFLICT lists who refers to it (`field` is the referrer's path, e.g.
 * "flows/5587...: _exportId"), unless CASCADE: then the referrers go too, theirs first, in one
 * transaction.
 */
MUST_CHECK bool resource_remove(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, int64_t version, bool cascade, struct arena *a,
	struct problems *p);

struct resource_clone {
	const struct json *connection_map; /* {"<old id>": "<new id>"}; NULL: not given */
	struct str name;                   /* of the clone; p NULL: "Clone - " and the old one */
	struct str integration_id;         /* where it goes; p NULL: where the old one is */
};
struct resource_cloned {
	const struct schema *s;
	struct str source_id, id;
};
/*
 * Copies a resource; with a flow its exports and imports, with an integration its flows and theirs: all
 * in one transaction. A cloned flow is disabled. Secrets are sealed anew. *OUT has what was made, the
 * resource itself first. ERR_NOT_FOUND, ERR_CONNECTION_MAP (a connection that is used has no
 * successor), ERR_REF, ERR_LIMIT (more than RESOURCE_CLONES_MAX).
 */
#define RESOURCE_CLONES_MAX 1000
MUST_CHECK bool resource_clone(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, const struct resource_clone *how, struct arena *a,
	struct resource_cloned **out, size_t *count, struct problems *p);
/* Gives the export or import another connection of the same type. */
MUST_CHECK bool resource_replace_connection(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, int64_t version, struct str connection_id,
	struct arena *a, struct resource_view *out, struct problems *p);
/* What refers to it: adds {"flows":[{"id","name"}], ...} to B. ERR_NOT_FOUND, ERR_STORE. */
MUST_CHECK bool resource_dependencies(const struct resources *r, struct str account_id,
	const struct schema *s, struct str id, struct json_build *b, struct err *err);

/*
 * For the engine: the stored document with secrets opened, in ARENA (wipe it). By type word and id;
 * ERR_NOT_FOUND, ERR_CRYPT.
 */
MUST_CHECK bool resource_open(const struct resources *r, struct store_conn *c, struct arena *a,
	struct str account_id, struct str type, struct str id, const struct json **doc,
	struct err *err);

/* The same from a document's stored TEXT, which may be older than the stored one. */
MUST_CHECK bool resource_open_text(const struct resources *r, struct arena *a,
	struct str account_id, struct str type, struct str id, struct str text,
	const struct json **doc, struct err *err);

/*
 * New tokens of a connection, as its application answered them: merges PATCH (RFC 7396), secrets in clear, into
 * the stored document, in one transaction. It is not validated, since what it holds would be lost
 * otherwise. USED: the rest.refreshToken that they were given for; p NULL: any. ERR_CONFLICT when another is
 * stored by now. ERR_NOT_FOUND, ERR_STORE. Blocks until it is on disk.
 */
MUST_CHECK bool resource_renew(const struct resources *r, struct str account_id, struct str id,
	struct str used, const struct json *patch, struct arena *a, struct err *err);

/*
 * For calls with a document that is not stored: checks BODY, and that what it refers to is there, as a
 * create would. Where BODY has the _id of a stored one, masks in it stand for that one's secrets. The
 * document's secrets are open: wipe A.
 */
MUST_CHECK bool resource_check(const struct resources *r, struct str account_id,
	const struct schema *s, const struct json *body, struct arena *a, const struct json **doc,
	struct problems *p);

/* A text that a client is to hand back: only this installation can open it, and only at PLACE. */
struct str resource_seal(const struct resources *r, struct arena *a, struct str plain,
	struct str place);
MUST_CHECK bool resource_unseal(const struct resources *r, struct arena *a, struct str sealed,
	struct str place, struct str *plain, struct err *err); /* ERR_CRYPT */

/*
 * When FLOW (its stored document) runs by the clock: up to MAX instants after NOW_MS; returns how many. ZONE is
 * that of the account (p NULL: UTC), for a flow that names none. None when it is disabled or has no schedule.
 */
size_t resource_flow_due(const struct json *flow, struct str zone, int64_t now_ms, int64_t *due,
	size_t max);

#endif
