/*
 * calls_priv.h - what handlers of calls share: those that ask an application and answer at once.
 */
#ifndef API_CALLS_PRIV_H
#define API_CALLS_PRIV_H

#include "api/handlers_priv.h"
#include "engine/invoke.h"

/* A call for the request's caller; NULL: it was answered. */
struct invocation *call_begin(struct api_request *rq);
void call_endp(struct invocation **v); /* for DEFER */
/* The call failed: with the application's words where there are some. */
void call_fail(struct api_request *rq, struct invocation *v, const struct err *err);
void call_answer(struct api_request *rq, const struct buf *json);
/* The headers that stand in place of the document's fields. False: it was answered. */
bool call_overrides(struct api_request *rq, struct invocation *v);
/* VALUE must be an array of records, NULL is none: WHAT names it. */
MUST_CHECK bool call_records(const struct json *value, const char *what, struct err *err);
/* The body's member NAME: an object. ERR_MISSING, ERR_INVALID. */
MUST_CHECK bool call_member(const struct json *body, const char *name, const struct json **out,
	struct err *err);
/* BODY without the member NAME. */
const struct json *call_without(struct arena *a, const struct json *body, const char *name);

#endif
