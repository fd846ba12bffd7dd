/*
 * rest_source_priv.h - what the files behind a REST export share.
 */
#ifndef ADAPTOR_REST_REST_SOURCE_PRIV_H
#define ADAPTOR_REST_REST_SOURCE_PRIV_H

#include "adaptor/rest/rest_session_priv.h"
#include "data/datetime.h"
#include "map/path.h"

enum rest_paging_kind {
	REST_PAGES_NONE,
	REST_PAGES_NEXT_URL,
	REST_PAGES_NUMBER,
	REST_PAGES_SKIP,
	REST_PAGES_TOKEN,
	REST_PAGES_LINK,
	REST_PAGES_URI,
	REST_PAGES_BODY,
};

/* How to get from one page to the next; read-only once read. */
struct rest_paging {
	enum rest_paging_kind kind;
	struct path *next_path;         /* of URL or token; NULL: none */
	struct path *max_page_path;     /* NULL: not said */
	struct path *max_count_path;    /* NULL: not said */
	struct path *last_path;         /* NULL: not said */
	const struct json *last_values; /* NULL: true-like */
	int64_t last_status; /* 0: 404, where the application did not name the page itself */
	struct str argument; /* query parameter of number, skip or token */
	bool in_template;    /* the request has the argument as placeholder */
	uint64_t start;      /* number of the first page */
	struct str relation;
	struct str next_uri;
	const struct json *next_body;
};

/* Where the next request goes; texts in one of two arenas, in turn. */
struct rest_place {
	uint64_t page, skip;
	struct str token, url, body; /* p NULL: none (yet) */
};

/* Which of the records that came are exported. */
struct rest_select {
	const struct path **dates;      /* of delta.dateField */
	size_t date_count;              /* 0: records are not filtered by date */
	struct datetime_format *format; /* NULL: ISO 8601, or epoch */
	int64_t since_ms;
	struct str since;
	struct path *done; /* of once.booleanField; NULL: not filtered */
	uint64_t dropped;
};

struct rest_seen; /* what was fetched, by hash */

struct source {
	struct arena *arena; /* session */
	const struct adaptor_env *env;
	const struct json *connection, *rest; /* rest: the export's */
	struct rest_session *session;
	const struct json *variables; /* of templates, without what changes by page */
	struct str uri;               /* template of the first request */
	enum http_method method;
	unsigned attempts_max;
	struct path *resource_path; /* NULL: the whole answer */
	struct rest_paging paging;
	struct rest_select select;
	struct rest_place place;
	struct arena *place_arena, *place_spare;
	struct arena *page_arena; /* of one request */
	struct rest_call call;
	struct http_header headers[REST_HEADERS_MAX];
	struct rest_seen *seen;
	uint64_t last_answer; /* hash */
	unsigned equal_answers;
	uint64_t records; /* that came, before any were dropped */
	uint64_t requests;
	bool resumed; /* by a cursor */
	struct str zero_reason;
	struct rest_once *once; /* NULL: not begun */
};

/* ---- rest_paging.c ---- */
MUST_CHECK bool rest_paging_read(struct source *s, struct err *err);
/* CURSOR as rest_paging_next() made it. */
MUST_CHECK bool rest_paging_resume(struct source *s, struct str cursor, struct err *err);
/* Does this status end the paging, with no record? */
bool rest_paging_ends_at(const struct source *s, int status);
/* Moves the place behind the answer DOC (with COUNT records, before any were dropped), or says that it
 * is the last; makes the cursor. */
MUST_CHECK bool rest_paging_next(struct source *s, const struct json *doc,
	const struct json *records, bool single, struct chunk *out, struct err *err);

/* ---- rest_request.c ---- */
/* Does any text of the request hold this word? */
bool rest_request_mentions(const struct source *s, struct str word);
/* Makes s->call from the place. */
MUST_CHECK bool rest_request_make(struct source *s, struct err *err);
/* What templates of page PLACE see: variables, paging, and what EXTRA adds (NULL: nothing). */
struct rest_previous {
	const struct json *response, *record; /* record: the last one, or NULL */
	const struct http_call *answer;
};
const struct json *rest_request_record(const struct source *s, struct arena *a,
	const struct rest_place *place, const struct rest_previous *previous);
/* URL with NAME=VALUE in its query, in place of what stands there. */
struct str rest_url_set(struct arena *a, struct str url, struct str name, struct str value);
/* The value of NAME in URL's query; p NULL: none. */
struct str rest_url_param(struct arena *a, struct str url, struct str name);

/* ---- rest_select.c ---- */
/* GIVEN: the call's variables, or NULL. */
MUST_CHECK bool rest_select_read(struct source *s, const struct json *export,
	const struct json *given, struct err *err);
/* Takes out of OUT what is not to be exported. */
void rest_select(struct source *s, struct chunk *out);
/* Why nothing was left of what came; in the session's arena. */
struct str rest_select_reason(const struct source *s);
/* The variables of the call, dates as the application writes them. */
MUST_CHECK bool rest_select_variables(struct source *s, const struct json *export,
	const struct json *given, struct err *err);

/* ---- rest_seen.c ---- */
struct rest_seen *rest_seen_new(struct arena *a);
/* False when TEXT was there already. */
bool rest_seen_add(struct rest_seen *s, struct str text);
uint64_t rest_hash(struct str s);

/* ---- rest_once.c ---- */
bool rest_mark_done(struct source *s, const struct json *const *records, size_t n, struct err *errs,
	struct err *err);
void rest_once_close(struct rest_once *o);

#endif
