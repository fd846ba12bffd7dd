/*
 * api.h - the HTTP API: routes, tokens, rate limit, error bodies, access log, metrics.
 *
 * Quick handlers (reads) answer on the server's event loops; those that wait for the disk or for an
 * application are handed to a bounded pool, and their connection is suspended meanwhile. A full
 * pool answers 503 with Retry-After: nothing waits without a bound.
 */
#ifndef API_API_H
#define API_API_H

#include "engine/engine.h"
#include "net/http_server.h"

struct api;

struct api_config {
	struct str listen;
	const char *tls_cert_file, *tls_key_file; /* both or neither */
	struct store *store;
	const struct resources *resources;
	struct engine *engine;
	const struct clock *clock;
	struct rng *rng;
	uint32_t rate_bucket, rate_refill; /* of accounts without their own; 0: the limits' */
	uint32_t listener_bucket, listener_refill; /* of each listener; 0: the limits' */
	struct str
		public_url; /* how users reach the server, without a path; n 0: by the Host they name */
	bool access_log;
};

/* Listens and serves. ERR_CONFIG, ERR_IO, ERR_TLS. */
MUST_CHECK bool api_start(const struct api_config *cfg, struct api **out, struct err *err);
unsigned api_port(const struct api *a);
/* Stops accepting, lets requests finish within WITHIN_MS, ends the threads. */
void api_stop(struct api *a, int64_t within_ms);

/* The OpenAPI 3.1 document and the reference page of the routes: for `integrator meta`. */
void api_openapi(const struct resources *r, struct buf *out);
void api_markdown(const struct resources *r, struct buf *out);

#endif
