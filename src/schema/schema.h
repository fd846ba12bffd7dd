/*
 * schema.h - every field of every resource is one row of one table.
 *
 * A resource type is a struct res_def: its rows drive validation (all problems at once, with
 * nearest-name hints), normalising and defaults, masking and sealing of secrets, references,
 * the reference pages, the OpenAPI document and the dashboard's forms. Walkers are generic; a type
 * adds at most one function for rules between fields.
 *
 * Tables are const and static; a compiled schema is read-only: any thread.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "data/json.h"

enum fld_type {
	FLD_STR, /* text */
	FLD_BOOL, /* true, false; "true" and "false" are taken and stored as booleans */
	FLD_INT, /* integer within min..max */
	FLD_ENUM, /* one of `values` */
	FLD_REF, /* 24 hex digits: id of a resource of type `values` ("connection", "script|stack") */
	FLD_TIME, /* ISO 8601 */
	FLD_URL, /* absolute http(s) URL */
	FLD_OBJECT, /* holds rows of its own ("rest" above "rest.baseURI") */
	FLD_MAP, /* free names, values of any type ("settings") */
	FLD_ANY, /* any JSON value ("hardCodedValue") */
};

enum fld_flags {
	FLD_REQUIRED = 1, /* must be there (when `when` holds) */
	FLD_READ_ONLY = 2, /* ours: in a body only its present value is taken */
	FLD_SECRET = 4, /* sealed at rest, answered as "******" */
	FLD_LIST = 8, /* an array of what `type` says */
	FLD_LIST_OR_ONE = 16, /* one, or an array of them */
	FLD_INDEXED = 32, /* lists filter by it: ?name= */
	FLD_INERT =
		64, /* stored; this version can't act on it yet: running what sets it is refused */
	FLD_NULLABLE = 128, /* null is a value of its own; elsewhere null means absent */
};

struct fld {
	const char *path; /* "rest.baseURI"; elements of arrays: "mapping.fields[].extract" */
	enum fld_type type;
	unsigned flags;
	const char *text; /* a real description, one or two sentences, in the user's words */
	const char *values; /* FLD_ENUM: "GET|POST"; FLD_REF: "connection" */
	const char *when; /* "type=rest": the row holds only then; NULL: always */
	const char
		*def; /* JSON text of the default; NULL: none. Documented, and applied on reading */
	int64_t min, max; /* FLD_INT: range; FLD_STR: bytes; both 0: 1..max text length */
	const char *example; /* JSON text */
};

/* All problems of one document. */
struct problems {
	struct arena *arena;
	struct err *list;
	size_t count, cap;
};
void problems_init(struct problems *p, struct arena *a);
/* Adds a problem (at most 100 are kept) and returns false. */
bool problems_add(struct problems *p, enum err_code code, const char *field, const char *hint,
	const char *fmt, ...) PRINTF(5, 6);
bool problems_add_err(struct problems *p, const struct err *err);
/* The status of the whole: that of the first problem. */
int problems_status(const struct problems *p);

struct res_def {
	const char *type; /* "connection" */
	const char *segment; /* "connections": the path under /v1 */
	const char *title; /* "Connection" */
	const char *text; /* what it is: the reference page's first paragraph */
	const struct fld *const
		*tables; /* NULL-ended list of tables, each ended by a row without path */
	const char *const
		*examples; /* NULL-ended JSON texts; they must validate (ids need not exist) */
	char api_letter; /* 'e', 'i', or 0: has no apiIdentifier */
	/* Rules between fields; adds to PROBLEMS. May be NULL. */
	void (*check)(const struct json *doc, struct problems *p);
};

struct schema; /* a compiled res_def */
/* Compiles tables to a tree; faults in a table are programming errors. */
struct schema *schema_compile(struct arena *a, const struct res_def *def);
const struct res_def *schema_def(const struct schema *s);

/*
 * Checks BODY and writes the document to store: known fields in table order, booleans normalised,
 * absent and null fields left out, read-only fields taken from STORED (NULL at creation), the mask
 * "******" replaced by the stored secret. False when there were problems (OUT is then untouched).
 */
MUST_CHECK bool schema_validate(const struct schema *s, const struct json *body,
	const struct json *stored, struct arena *a, const struct json **out, struct problems *p);

/* DOC with every secret as "******". */
void schema_mask(const struct schema *s, const struct json *doc, struct json_build *b);

/*
 * Copies DOC to B with every secret string replaced by what FN returns for it (sealing, opening).
 * PATH is the secret's own, with indexes ("rest.headers.0.value").
 */
typedef bool (*schema_secret_fn)(
	void *ctx, struct str path, struct str value, struct str *out, struct err *err);
MUST_CHECK bool schema_map_secrets(const struct schema *s, const struct json *doc,
	struct json_build *b, schema_secret_fn fn, void *ctx, struct err *err);

/* Calls FN for every reference that is set. */
typedef void (*schema_ref_fn)(void *ctx, struct str path, const char *types, struct str id);
void schema_each_ref(const struct schema *s, const struct json *doc, schema_ref_fn fn, void *ctx);

/* The first field that is set and that this version can't act on (FLD_INERT); p NULL: none. */
struct str schema_first_inert(const struct schema *s, const struct json *doc, struct arena *a);

/* RFC 7396 merge patch: TARGET (may be NULL) with PATCH applied. */
const struct json *schema_merge_patch(
	struct arena *a, const struct json *target, const struct json *patch);

/* JSON Schema of the resource, for OpenAPI 3.1: for bodies (no read-only fields) or answers. */
void schema_openapi(const struct schema *s, struct json_build *b);
/* The reference page, Markdown. */
void schema_markdown(const struct schema *s, struct buf *out);

/* The reference page of errors (ERR_TABLE) and limits (LIMIT_TABLE), Markdown. */
void schema_markdown_errors(struct buf *out);
void schema_markdown_limits(struct buf *out);

#endif
