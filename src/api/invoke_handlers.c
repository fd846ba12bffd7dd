/*
 * invoke_handlers.c - POST /{apiIdentifier}: what stands behind the identifier decides what a post
 * means. A listener takes the body in as an event, and verifies it itself; so the route needs no
 * token, and whatever else is to be invoked must ask for one.
 */
#include "api/handlers_priv.h"

#include "api/listeners.h"

#define INVOKE_SUCCESS 200

/* Other exports, and imports. */
static void invoke_other(struct api_request *rq, struct str api_identifier)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_NOT_FOUND, "nothing that can be invoked has the apiIdentifier %.*s",
		STR_ARG(api_identifier));
	api_fail(rq, &err);
}

void handle_invoke(struct api_request *rq)
{
	struct str key = rq->match.params[0];
	struct err err = ERR_INIT;
	struct listener *l;

	if (listener_acquire(rq->api->listeners, key, &l, &err))
		listener_intake(rq, l, STR_NULL, INVOKE_SUCCESS);
	else if (err.code == ERR_NOT_FOUND)
		invoke_other(rq, key);
	else
		api_fail(rq, &err);
}
