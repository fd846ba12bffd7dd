/*
 * error_handlers.h - what the handlers of errors and their CSV form share.
 */
#ifndef API_ERROR_HANDLERS_H
#define API_ERROR_HANDLERS_H

#include "api/handlers_priv.h"
#include "api/params.h"
#include "net/url.h"

enum error_scope { ERRORS_OF_JOB, ERRORS_OF_FLOW };

struct error_query {
	struct store_error_filter filter;
	struct str after, format;
	size_t limit;
	bool dry_run, original;
};
/* Path, query and body of the request; answers itself when it can't be read. */
bool error_query_read(struct api_request *rq, enum error_scope scope, struct error_query *q);
/* Queues retries and answers them. */
void error_retry(struct api_request *rq, const struct store_error_filter *f, bool original);

void error_csv_header(struct buf *out);
void error_csv_row(const struct store_job_error *e, struct buf *out);

#endif
