/*
 * rest_sink_priv.h - what the files of the REST import share.
 *
 *   rest_sink.c     the sink: opened from the documents; map() and prepare() over a page
 *   rest_values.c   what placeholders stand for; relative URIs made with them
 *   rest_text.c     bodies with placeholders
 *   rest_lookup.c   dynamic lookups: asked once a page each, side by side
 *   rest_map.c      the mapping, run over a record
 *   rest_prepare.c  which operation a record needs, and the request as text, to the byte
 *   rest_submit.c   sends requests, singly or in batches, and settles those in doubt
 *   rest_result.c   what an answer says about its records
 *   rest_send.c     many requests at once: slots, timers, retries, cancel
 *
 * One thread at a time: the job's.
 */
#ifndef ADAPTOR_REST_REST_SINK_PRIV_H
#define ADAPTOR_REST_REST_SINK_PRIV_H

#include "adaptor/rest/rest_send_priv.h"
#include "adaptor/rest/rest_values_priv.h"
#include "core/limits.h"
#include "core/map.h"
#include "map/mapping.h"

#define SINK_LOOKUPS_MAX 100

/* ---- rest_sink.c ---- */

/* Puts the field's name before the message, and into err->field unless one is there. False. */
bool rest_fault(struct err *err, const char *field);

/* ---- rest_lookup.c ---- */

struct lookup {
	struct str name;
	enum http_method method;
	struct template *uri;
	struct rest_text *body; /* NULL: none */
	struct path *extract;   /* NULL: the whole answer */
	bool extract_indexes;   /* it begins with an element's index: it says itself which one */
	bool allow_failures;
	bool used;              /* by the mapping, a URI, a body, a header or the decision */
	bool decides;           /* whether the record exists */
	bool may_be_empty;      /* something is decided by that */
	const struct json *def; /* when nothing is found; NULL: none */
};

/* ---- rest_prepare.c ---- */

struct operation {
	enum http_method method;
	struct template *uri;
	struct str constant;    /* the URI when it has no placeholder; p NULL: it has */
	struct rest_text *body; /* NULL: the mapped record */
};

struct sink_header {
	struct str name;
	struct template *value;
};

enum existence { EXISTS_UNASKED, EXISTS_NO, EXISTS_YES };

/* A prepared request, taken apart; points into the text. */
struct request {
	enum existence existed; /* what was known when it was made */
	enum http_method method;
	struct str uri, headers, body; /* headers: lines */
	struct str head; /* all but the body: equal for requests that may go as one batch */
};

struct sink {
	struct arena *arena; /* session */
	const struct adaptor_env *env;
	struct rest_session *session;
	const struct mapping *mapping;
	const struct json *variables; /* NULL: none */
	bool keep_answers;
	bool prints; /* mapped records are made as text only, by prepare() */
	bool xml;    /* the connection's mediaType */

	struct operation operations[2]; /* [1] creates, in a composite import */
	size_t operation_count;
	struct sink_header headers[REST_HEADERS_MAX];
	size_t header_count;
	struct str key_header; /* n 0: no key is sent */
	unsigned attempts_max, batch_size;

	struct lookup *lookups; /* the dynamic ones */
	size_t lookup_count;
	bool lookups_used;
	struct lookup *decider; /* at most one of these two */
	struct path *decider_extract;
	bool ignore_existing, ignore_missing;

	struct path *id_path, *success_path; /* NULL: none */
	const struct json *success_values;   /* NULL: none */

	struct map *paths; /* placeholder to struct path, as they were asked for */
	struct slot *slots, *free_slot;
	size_t slot_count, in_air;
	int64_t hold_until_ms; /* the application asked for a pause: nothing is begun before */
	size_t keep_left; /* bytes of answers and lookups' values that the page may still keep */
	struct arena *scratch; /* of one record or answer */
	struct buf text, more; /* of one request in the making */
};

#include "adaptor/rest/rest_prepare_priv.h"

/* ---- rest_lookup.c ---- */

MUST_CHECK bool rest_lookup_compile(struct sink *s, const struct json *import, struct err *err);
/* Marks which are used, once the requests and the decision are compiled. */
void rest_lookup_mark(struct sink *s, const struct json *import);
struct lookup *rest_lookup_find(const struct sink *s, struct str name);
/* The request for a record: URI and body into the buffers. ERR_MISSING_VALUE. */
MUST_CHECK bool rest_lookup_render(struct sink *s, const struct lookup *l,
	const struct json *record, struct buf *uri, struct buf *body, struct err *err);
/* The value in a finished call's answer, in the arena; *VALUE NULL: nothing was found. ERR_LOOKUP:
 * several; ERR_LIMIT: the page keeps too much already. */
MUST_CHECK bool rest_lookup_read(struct sink *s, const struct lookup *l, const struct rest_call *c,
	struct arena *a, const struct json **value, struct err *err);
/* Asks what the records need; sets `lookups`, or an error of stage "lookup". */
void rest_lookup_ask(struct sink *s, struct delivery *records, size_t n, struct arena *a);

/* ---- rest_result.c ---- */

MUST_CHECK bool rest_result_compile(struct sink *s, const struct json *rest, struct err *err);
/* What a 2xx answer to one request says about its N records. */
void rest_result_judge(struct sink *s, const struct rest_call *c, struct delivery *const *records,
	size_t n, struct arena *a);
/* null, false, "", 0, and nothing at all. */
bool rest_result_is_false(const struct json *v);
/* A copy that needs nothing else. */
const struct json *rest_result_copy(struct arena *a, const struct json *v);

/* ---- rest_submit.c ---- */

bool rest_submit(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err);

#endif
