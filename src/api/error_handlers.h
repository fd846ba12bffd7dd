/*
 * error_handlers.h - what the handlers of errors and their CSV form share.
 */
#ifndef API_ERROR_HANDLERS_H
#define API_ERROR_HANDLERS_H

#include "api/handlers_priv.h"
#include "api/params.h"
#include "net/url.h"

/* Whose errors: of the job or flow in the path, of the job in the query (_jobId), or nobody's yet (of a step,
 * of many): the handler says whose, and reads the body. */
enum error_scope { ERRORS_OF_JOB, ERRORS_OF_FLOW, ERRORS_OF_QUERY, ERRORS_OF_STEP, ERRORS_OF_MANY };

struct error_query {
	struct store_error_filter filter;
	struct str after, format, job_id;
	size_t limit;
	bool limited; /* the query says so */
	bool dry_run, original;
};
/* Path, query and body of the request; answers itself when it can't be read. */
bool error_query_read(struct api_request *rq, enum error_scope scope, struct error_query *q);

/* config=original is for the errors of one job: ERR_QUERY when Q says it of more. */
MUST_CHECK bool error_no_original(const struct error_query *q, struct err *err);
/* Answers the list that Q says, of the caller. */
void error_list(struct api_request *rq, struct error_query *q);

/* Errors of several jobs or flows, none of them in two of the filters. */
struct error_set {
	const struct store_error_filter *list;
	size_t count;
};
/* One filter for each flow of the integration in the path. ERR_NOT_FOUND */
MUST_CHECK bool error_set_of_integration(struct api_request *rq,
	const struct store_error_filter *like, struct error_set *out, struct err *err);
/* LIST is one of ids of errors or of their retry data, as clients of the platform send them: *IDS are those of
 * the errors, a JSON array. */
MUST_CHECK bool error_ids_of_retries(struct api_request *rq, const struct json *list,
	struct str *ids, struct err *err);
/* Each answers: resolves them (or opens them again), tries them again, or with dry_run tells how many. */
void error_resolve(struct api_request *rq, const struct error_set *set, bool dry_run, bool resolve,
	int status);
void error_retry(struct api_request *rq, const struct error_set *set, bool dry_run, bool original);

void error_csv_header(struct buf *out);
void error_csv_row(const struct store_job_error *e, struct buf *out);

#endif
