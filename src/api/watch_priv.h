/*
 * watch_priv.h - how the API is watched: streams of job events, metrics, the access log.
 */
#ifndef API_WATCH_PRIV_H
#define API_WATCH_PRIV_H

#include "api/api_priv.h"

/* ---- live progress of jobs: job_events.c ---- */

struct job_events *job_events_new(struct api *api);
/* Ends all streams and the thread; the server must take no more requests. */
void job_events_free(struct job_events *ev);

/* ---- logs and metrics ---- */

struct metrics *metrics_new(struct arena *a);
void metrics_request(struct metrics *m, const struct route *route, int status, int64_t took_us);
void metrics_print(struct api *api, struct buf *out);

struct access_log *access_log_new(struct arena *a);
void access_log_free(struct access_log *l);
void access_log_add(struct access_log *l, const struct http_exchange *x,
	const struct api_request *rq, int64_t took_us, uint64_t bytes_sent);
void access_log_turn(struct access_log *l, unsigned loop);

#endif
