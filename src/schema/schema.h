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
#include "schema/problems.h"

enum fld_type {
	FLD_STR,  /* text */
	FLD_BOOL, /* true, false; "true" and "false" are taken and stored as booleans */
	FLD_INT,  /* integer within min..max */
	FLD_ENUM, /* one of `values` */
	FLD_REF, /* 24 hex digits: id of a resource of type `values` ("connection", "script|stack") */
	FLD_TIME,   /* ISO 8601 */
	FLD_URL,    /* absolute http(s) URL */
	FLD_TOKEN,  /* a word of RFC 9110, 5.6.2: header names, authentication schemes */
	FLD_OBJECT, /* holds rows of its own ("rest" above "rest.baseURI") */
	FLD_MAP, /* free names, values of any type ("settings"); `values` "scalar": no containers;
		  * with FLD_SECRET: the values are texts, each a secret of its own */
	FLD_ANY, /* any JSON value ("hardCodedValue") */
};

#define SCHEMA_TEXT_MAX 16384
#define SCHEMA_MASK     "******"

enum fld_flags {
	FLD_REQUIRED = 1,      /* must be there (when `when` holds) */
	FLD_READ_ONLY = 2,     /* ours: in a body only its present value is taken */
	FLD_SECRET = 4,        /* sealed at rest, answered as "******" */
	FLD_LIST = 8,          /* an array of what `type` says */
	FLD_LIST_OR_ONE = 16,  /* one, or an array of them */
	FLD_INDEXED = 32,      /* lists filter by it: ?name= */
	FLD_INERT = 64,        /* stored; can't be acted on yet: running what sets it is refused */
	FLD_NULLABLE = 128,    /* null is a value of its own; elsewhere null means absent */
	FLD_LINE = 256,        /* text of one line: no control characters, so no CR or LF */
	FLD_UNUSED = 512,      /* stored; not read yet, and no run's result depends on it */
	FLD_LIST_INERT = 1024, /* FLD_LIST_OR_ONE: an array is stored but can't be acted on yet */
	FLD_LIVE = 2048, /* FLD_READ_ONLY: changes by itself: any value is taken, and ignored */
	FLD_SECRETS_GO = 4096, /* FLD_URL: the document's secrets are sent to these origins alone */
};

struct fld {
	const char *path; /* "rest.baseURI"; elements of arrays: "mapping.fields[].extract" */
	enum fld_type type;
	unsigned flags;
	const char *text;   /* a real description, one or two sentences, in the user's words */
	const char *values; /* FLD_ENUM: "GET|POST"; FLD_REF: "connection" */
	const char *values_inert; /* FLD_ENUM: those of `values` that are stored but inert */
	const char *values_later; /* FLD_ENUM: known words that this version refuses */
	const char *when;    /* "type=rest" or "type=rest|ftp": holds only then; NULL: always */
	const char *def;     /* JSON text of the default; never stored: see schema_get() */
	int64_t min, max;    /* FLD_INT: range; texts: bytes, both 0: 1..SCHEMA_TEXT_MAX */
	const char *example; /* JSON text */
};

struct res_def {
	const char *type;    /* "connection" */
	const char *segment; /* "connections": the path under /v1 */
	const char *title;   /* "Connection" */
	const char *text;    /* what it is: the reference page's first paragraph */
	/* NULL-ended list of tables, each ended by a row without path. */
	const struct fld *const *tables;
	/* NULL-ended JSON texts; they must validate (ids need not exist). */
	const char *const *examples;
	char api_letter; /* 'e', 'i', or 0: has no apiIdentifier */
	/*
	 * Rules between fields; adds to PROBLEMS. DOC is the document to store; a value that was
	 * found at fault already stands as null in it. May be NULL.
	 */
	void (*check)(const struct json *doc, struct problems *p);
};

struct schema; /* a compiled res_def */
/* Compiles tables to a tree; faults in a table are programming errors. */
struct schema *schema_compile(struct arena *a, const struct res_def *def);
const struct res_def *schema_def(const struct schema *s);
bool schema_has_secrets(const struct schema *s);

/*
 * Checks BODY and writes the document to store: known fields in table order, booleans normalised,
 * absent and null fields left out (an object of nothing but nulls counts as null), read-only fields
 * taken from STORED (NULL at creation), the mask "******" replaced by the stored secret, unless the
 * secrets would go to another origin than they were stored for, or to a first one. Defaults are not written. False when
 * there were problems (OUT is then untouched). The document shares strings with BODY and STORED.
 */
MUST_CHECK bool schema_validate(const struct schema *s, const struct json *body,
	const struct json *stored, struct arena *a, const struct json **out, struct problems *p);

/* Refuses member names that appear twice anywhere in DOC: of two values one would silently win. */
bool schema_check_twice(const struct json *doc, struct problems *p);
/* Is BODY, which is no resource, an object with no members but NAMES ("data|template")? */
bool schema_check_members(const struct json *body, const char *names, struct problems *p);

/* The value at PATH (names only, no elements of arrays), else its default, else NULL. */
const struct json *schema_get(const struct schema *s, const struct json *doc, struct str path);
/* The default of the row PATH ("rest.method", "mapping.fields[].dataType"); NULL: it has none. */
const struct json *schema_default(const struct schema *s, struct str path);

/* DOC with its read-only fields at the top level as SERVER's have them, in table order. */
void schema_stamp(const struct schema *s, const struct json *doc, const struct json *server,
	struct json_build *b);

/* DOC with every secret as "******". */
void schema_mask(const struct schema *s, const struct json *doc, struct json_build *b);

/*
 * Copies DOC to B with every secret string replaced by what FN returns for it (sealing, opening).
 * PATH is the secret's own, with indexes ("rest.headers.0.value").
 */
typedef bool (*schema_secret_fn)(void *ctx, struct str path, struct str value, struct str *out,
	struct err *err);
MUST_CHECK bool schema_map_secrets(const struct schema *s, const struct json *doc,
	struct json_build *b, schema_secret_fn fn, void *ctx, struct err *err);

/* Calls FN for every reference that is set. */
typedef void (*schema_ref_fn)(void *ctx, struct str path, const char *types, struct str id);
void schema_each_ref(const struct schema *s, const struct json *doc, schema_ref_fn fn, void *ctx);

/* Copies DOC to B with every reference replaced by what FN returns for it. */
typedef struct str (*schema_new_ref_fn)(void *ctx, const char *types, struct str id);
void schema_map_refs(const struct schema *s, const struct json *doc, struct json_build *b,
	schema_new_ref_fn fn, void *ctx);

/*
 * The first field that is set and that this version can't act on (FLD_INERT and its kin); p NULL:
 * none. False, empty and default values ask for nothing and don't count.
 */
struct str schema_first_inert(const struct schema *s, const struct json *doc, struct arena *a);

/* RFC 7396 merge patch: TARGET (may be NULL) with PATCH applied. */
const struct json *schema_merge_patch(struct arena *a, const struct json *target,
	const struct json *patch);

/* JSON Schema (2020-12) for OpenAPI 3.1; readOnly and writeOnly tell bodies from answers. */
void schema_openapi(const struct schema *s, struct json_build *b);
/* Reference pages, Markdown: of a type, of the errors (ERR_TABLE), of the limits (LIMIT_TABLE). */
void schema_markdown(const struct schema *s, struct buf *out);
void schema_markdown_errors(struct buf *out);
void schema_markdown_limits(struct buf *out);

#endif
