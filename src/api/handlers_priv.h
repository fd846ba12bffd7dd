/*
 * handlers_priv.h - every handler of the route table; see routes.c for what each answers.
 */
#ifndef API_HANDLERS_PRIV_H
#define API_HANDLERS_PRIV_H

#include "api/api_priv.h"

void handle_health(struct api_request *rq);
void handle_ready(struct api_request *rq);
void handle_metrics(struct api_request *rq);
void handle_profile_get(struct api_request *rq);
void handle_profile_put(struct api_request *rq);
void handle_token_info(struct api_request *rq);
void handle_limits(struct api_request *rq);
void handle_openapi(struct api_request *rq);
void handle_resource_list(struct api_request *rq);
void handle_resource_create(struct api_request *rq);
void handle_resource_get(struct api_request *rq);
void handle_resource_replace(struct api_request *rq);
void handle_resource_patch(struct api_request *rq);
void handle_resource_remove(struct api_request *rq);
void handle_flow_run(struct api_request *rq);
void handle_flow_latest_jobs(struct api_request *rq);
void handle_job_list(struct api_request *rq);
void handle_job_get(struct api_request *rq);
/* Adds the job with its children. */
MUST_CHECK bool job_family_print(struct api_request *rq, struct store_conn *c,
	const struct store_job *job, struct buf *out, struct err *err);
/* The job whose id stands in a body's list. ERR_INVALID, ERR_NOT_FOUND */
MUST_CHECK bool job_of_element(struct api_request *rq, struct store_conn *c, const struct json *id,
	struct store_job *out, struct err *err);
void handle_job_families(struct api_request *rq);
void handle_job_current(struct api_request *rq);
void handle_job_diagnostics(struct api_request *rq);
void handle_job_events(struct api_request *rq);
void handle_state_list(struct api_request *rq);
void handle_state_get(struct api_request *rq);
void handle_state_put(struct api_request *rq);
void handle_state_remove(struct api_request *rq);
void handle_resource_clone(struct api_request *rq);
void handle_resource_dependencies(struct api_request *rq);
void handle_export_replace_connection(struct api_request *rq);
void handle_import_replace_connection(struct api_request *rq);
void handle_flow_schedule(struct api_request *rq);
void handle_flow_last_export(struct api_request *rq);
void handle_flow_last_export_put(struct api_request *rq);
void handle_integration_flows(struct api_request *rq);
void handle_processors(struct api_request *rq);
void handle_process_mapping(struct api_request *rq);
void handle_process_template(struct api_request *rq);
void handle_process_filter(struct api_request *rq);
void handle_process_transform(struct api_request *rq);
void handle_job_family(struct api_request *rq);
void handle_job_cancel(struct api_request *rq);
void handle_job_errors(struct api_request *rq);
void handle_job_errors_upload(struct api_request *rq);
void handle_job_errors_resolve(struct api_request *rq);
void handle_job_errors_unresolve(struct api_request *rq);
void handle_job_error_resolve(struct api_request *rq);
void handle_job_error_unresolve(struct api_request *rq);
void handle_job_retry(struct api_request *rq);
void handle_jobs_resolve(struct api_request *rq);
void handle_jobs_unresolve(struct api_request *rq);
void handle_jobs_retry(struct api_request *rq);
void handle_job_error_link(struct api_request *rq);
void handle_job_error_file(struct api_request *rq);
void handle_step_errors(struct api_request *rq);
void handle_step_resolved(struct api_request *rq);
void handle_step_resolve(struct api_request *rq);
void handle_step_retry(struct api_request *rq);
void handle_integration_errors(struct api_request *rq);
void handle_integration_errors_resolve(struct api_request *rq);
void handle_integration_errors_unresolve(struct api_request *rq);
void handle_integration_errors_retry(struct api_request *rq);
void handle_flow_errors(struct api_request *rq);
void handle_flow_errors_resolve(struct api_request *rq);
void handle_flow_errors_unresolve(struct api_request *rq);
void handle_flow_errors_retry(struct api_request *rq);
void handle_flow_issues(struct api_request *rq);
void handle_records(struct api_request *rq);
void handle_retry_list(struct api_request *rq);
void handle_retry_one(struct api_request *rq);
void handle_retry_data(struct api_request *rq);
void handle_retry_data_put(struct api_request *rq);
void handle_event(struct api_request *rq);
void handle_event_handshake(struct api_request *rq);
void handle_listener_requests(struct api_request *rq);
void handle_listener_state(struct api_request *rq);
void handle_invoke(struct api_request *rq);
void handle_export_invoke(struct api_request *rq);
void handle_import_invoke(struct api_request *rq);
void handle_export_preview(struct api_request *rq);
void handle_import_preview(struct api_request *rq);
void handle_connection_ping(struct api_request *rq);
void handle_connections_ping(struct api_request *rq);
void handle_connection_oauth2(struct api_request *rq);
void handle_oauth2_callback(struct api_request *rq);
void handle_connection_proxy(struct api_request *rq);
void handle_connection_export(struct api_request *rq);
void handle_connection_export_pages(struct api_request *rq);
void handle_connection_import(struct api_request *rq);
void handle_connection_import_map(struct api_request *rq);
void handle_connection_debug(struct api_request *rq);
void handle_connection_debug_start(struct api_request *rq);
void handle_token_list(struct api_request *rq);
void handle_token_create(struct api_request *rq);
void handle_token_remove(struct api_request *rq);

/* Adds the member "parameters" of an operation. */
void openapi_parameters(struct json_build *b, const struct route *r);
/*
 * Has the query only parameters that the route takes, those with a set of words one of these? Else ERR_QUERY, with
 * the nearest name. What else a value may be is read by the handler.
 */
MUST_CHECK bool route_check_query(const struct route *r, const struct http_exchange *x,
	struct err *err);
/* The section of the reference page about query and header parameters. */
void openapi_parameters_markdown(struct buf *out);

#endif
