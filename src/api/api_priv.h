/*
 * api_priv.h - the API's inside: a request on its way through routing, tokens and handlers.
 */
#ifndef API_API_PRIV_H
#define API_API_PRIV_H

#include <stdatomic.h>

#include "api/api.h"
#include "core/queue.h"
#include "core/thread.h"

#define ROUTE_SEGMENTS_MAX 8
#define ROUTE_PARAMS_MAX   3
#define REQUEST_ID_MAX     64
#define POOL_THREADS       16
#define POOL_QUEUE         1024
#define CALL_THREADS       32 /* they wait for applications, so writing must not wait for them */
#define CALL_QUEUE         256

struct api_request;
/* Fills x->status, headers and body; on the loop's thread, or the pool's for ROUTE_SLOW. */
typedef void (*route_fn)(struct api_request *rq);

enum route_flags {
	ROUTE_OPEN = 1,        /* needs no token */
	ROUTE_SLOW = 2,        /* waits for disk or network, or computes long: runs in the pool */
	ROUTE_BODY = 4,        /* takes a JSON body: parsed before the handler */
	ROUTE_LIST = 8,        /* answers an array: for OpenAPI */
	ROUTE_BODY_MAYBE = 16, /* with ROUTE_BODY: the body may be left out */
	ROUTE_CALL = 32,       /* asks an application: runs in the pool of calls */
	ROUTE_DATA = 64,       /* with ROUTE_BODY: it holds records, so up to LIMIT_REQUEST_BODY */
	ROUTE_ONCE = 128,      /* with an Idempotency-Key it is done once */
	ROUTE_OTHER = 256,     /* of {resource}: body and answer are not the resource's document */
	ROUTE_STREAM = 512, /* with ROUTE_SLOW: the handler finishes the exchange, or streams it */
};

struct route {
	enum http_method method;
	const char *
		pattern; /* "/v1/{resource}/{_id}": {resource} is a type's segment, {apiIdentifier} like one */
	route_fn fn;
	unsigned flags;
	int success;    /* the status of success: for OpenAPI */
	const char *id; /* operationId; {resource} routes get the type's title behind it */
	const char *summary;
};
extern const struct route routes[];
extern const size_t route_count;

struct route_match {
	const struct route *route;           /* NULL: none for this method */
	const struct schema *schema;         /* of {resource} */
	struct str params[ROUTE_PARAMS_MAX]; /* in order, decoded, without {resource} */
	size_t param_count;
	unsigned allowed; /* without a route: a bit per method that the path has */
};
/* Finds the route of a path; slices point into the path or the arena. */
void route_find(const struct resources *r, struct arena *a, enum http_method method,
	struct str path, struct route_match *out);

/* Who asks. */
struct caller {
	char account_id[ID_LEN + 1], token_id[ID_LEN + 1], connector_id[ID_LEN + 1];
};
static inline struct str caller_account(const struct caller *c)
{
	return str_of(c->account_id, ID_LEN);
}

struct api_request {
	struct api *api;
	struct http_exchange *x;
	struct route_match match;
	struct caller caller;
	const struct json *body; /* ROUTE_BODY */
	char request_id[REQUEST_ID_MAX + 1];
	char trace_id[33]; /* of traceparent, given or made */
	bool in_pool;      /* on a thread of the pool, which may wait */
	bool called;       /* api_to_calls() brought it there: its caller is known */
	/* The handler gave the exchange away: another thread finishes it. Not in the pool. */
	bool suspended;
};

struct auth;
struct job_events;
struct listener;
struct listeners;
struct metrics;
struct access_log;

struct api {
	struct api_config cfg;
	struct arena *arena;
	struct http_server *server;
	struct auth *auth;
	struct listeners *listeners;
	struct metrics *metrics;
	struct access_log *log;
	struct job_events *events;
	struct id_batch *ids; /* of each event loop */
	struct queue *slow, *calls;
	struct thread pool[POOL_THREADS], call_pool[CALL_THREADS];
	struct str openapi;         /* printed once */
	unsigned char link_key[32]; /* signs links that need no token; of this process */
	atomic_bool draining;
};

/* Hands the request to the pool, where its handler begins anew; answers 503 when that is full. */
void api_to_pool(struct api_request *rq);
/* The same with the pool of calls; rq->caller must be known. */
void api_to_calls(struct api_request *rq);
/* The body as JSON into rq->body, at most MAX bytes. */
MUST_CHECK bool api_read_body(struct api_request *rq, size_t max, struct err *err);
/* Runs FN once for each Idempotency-Key: a repeat gets the answer of the first. Without the header, runs
 * it. On a thread that may wait. */
void api_once(struct api_request *rq, route_fn fn);
/* Takes over the reference to L. SUCCESS: the status where the listener says none. */
void listener_intake(struct api_request *rq, struct listener *l, struct str path_token,
	int success);

/* ---- answers ---- */

void api_answer(struct api_request *rq, int status, struct str json);
void api_answer_build(struct api_request *rq, int status, struct json_build *b); /* what is built */
void api_header(struct api_request *rq, const char *name,
	struct str value); /* value is kept, not copied */
void api_fail(struct api_request *rq, const struct err *err);
void api_fail_all(struct api_request *rq, const struct problems *p);
/* Has the body, when there is one, no members but NAMES ("data|template")? Answers 422 itself. */
bool api_check_members(struct api_request *rq, const char *names);
/* An error body in the arena. */
struct str api_error_body(struct arena *a, const struct err *list, size_t count);
/* Where the list goes on, behind the one with the id LAST: the same path and parameters. */
struct str api_next_url(struct api_request *rq, struct str last);
/* Says so in a header. */
void api_link_next(struct api_request *rq, struct str last);
void api_etag(struct api_request *rq, int64_t version);
/* If-Match as a version: 0 when absent or "*"; false when it names no version of ours. */
bool api_if_match(struct api_request *rq, int64_t *version);

/* ---- tokens and rate limit ---- */

struct auth *auth_new(struct arena *a, const struct api_config *cfg);
void auth_free(struct auth *auth);
/* Reads the Authorization field, takes one token from the bucket. ERR_UNAUTHORIZED, ERR_RATE. */
MUST_CHECK bool auth_check(struct auth *auth, const struct http_exchange *x, struct caller *out,
	struct err *err);

#endif
