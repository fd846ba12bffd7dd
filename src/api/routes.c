/*
 * routes.c - the table of routes, and finding one for a path.
 *
 * Fixed segments are compared without regard to letter case and a trailing slash is ignored, as
 * clients of the platform expect. Rows with fixed segments stand before those with {resource}.
 */
#include "api/handlers_priv.h"

#include "net/url.h"

/* clang-format off */
const struct route routes[] = {
	{ HTTP_GET, "/healthz", handle_health, ROUTE_OPEN, 200, "getHealth", "Is the process alive?" },
	{ HTTP_GET, "/livez", handle_health, ROUTE_OPEN, 200, "getLive", "The same as /healthz." },
	{ HTTP_GET, "/readyz", handle_ready, ROUTE_OPEN, 200, "getReady", "Can it do work: is the store writable, and is it not draining?" },
	{ HTTP_GET, "/metrics", handle_metrics, ROUTE_OPEN, 200, "getMetrics", "Metrics in the Prometheus text format." },
	{ HTTP_GET, "/v1/openapi.json", handle_openapi, ROUTE_OPEN, 200, "getOpenapi", "This API as an OpenAPI 3.1 document." },
	{ HTTP_GET, "/v1/tokenInfo", handle_token_info, 0, 200, "getTokenInfo", "Whose token this is, and what it may do." },
	{ HTTP_GET, "/v1/profile", handle_profile_get, 0, 200, "getProfile", "The account and its time zone." },
	{ HTTP_PUT, "/v1/profile", handle_profile_put, ROUTE_SLOW | ROUTE_BODY, 200, "putProfile", "Set the time zone of flows that have none of their own: {\"timezone\"}, a name, or null for UTC." },
	{ HTTP_GET, "/v1/limits", handle_limits, 0, 200, "getLimits", "Every limit of this server, with its unit." },
	{ HTTP_GET, "/v1/accesstokens", handle_token_list, ROUTE_LIST, 200, "listAccessTokens", "List all tokens of the account (never the tokens themselves)." },
	{ HTTP_POST, "/v1/accesstokens", handle_token_create, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY, 201, "createAccessToken", "Make a token; the answer is the only place that shows it." },
	{ HTTP_DELETE, "/v1/accesstokens/{_id}", handle_token_remove, ROUTE_SLOW, 204, "deleteAccessToken", "Revoke a token." },
	{ HTTP_POST, "/v1/flows/{_id}/run", handle_flow_run, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE, 201, "runFlow", "Run a flow now. While a run of it is queued, that run's job is answered. {\"export\": {\"startDate\"}} in the body lets its delta exports begin there." },
	{ HTTP_GET, "/v1/flows/{_id}/jobs/latest", handle_flow_latest_jobs, ROUTE_LIST, 200, "listLatestJobsOfFlow", "The latest jobs of a flow, newest first." },
	{ HTTP_GET, "/v1/flows/{_id}/schedule", handle_flow_schedule, 0, 200, "getFlowSchedule", "A flow's schedule in words, when it is due next, and when it was last." },
	{ HTTP_GET, "/v1/flows/{_id}/lastExportDateTime", handle_flow_last_export, 0, 200, "getFlowLastExportDateTime", "How far the flow's delta exports came." },
	{ HTTP_PUT, "/v1/flows/{_id}/lastExportDateTime", handle_flow_last_export_put, ROUTE_SLOW | ROUTE_BODY, 200, "putFlowLastExportDateTime", "Let the next run export from another date on; null: from the start." },
	{ HTTP_GET, "/v1/integrations/{_id}/flows", handle_integration_flows, 0, 200, "listFlowsOfIntegration", "The flows of an integration." },
	{ HTTP_PUT, "/v1/exports/{_id}/replaceConnection", handle_export_replace_connection, ROUTE_SLOW | ROUTE_BODY, 200, "replaceConnectionOfExport", "Give the export another connection of the same type." },
	{ HTTP_PUT, "/v1/imports/{_id}/replaceConnection", handle_import_replace_connection, ROUTE_SLOW | ROUTE_BODY, 200, "replaceConnectionOfImport", "Give the import another connection of the same type." },
	{ HTTP_GET, "/v1/processors", handle_processors, 0, 200, "listProcessors", "What can be tried on data of one's own, and the helpers of templates." },
	{ HTTP_POST, "/v1/processors/mapping", handle_process_mapping, ROUTE_SLOW | ROUTE_BODY, 200, "processMapping", "Map a record and explain each field." },
	{ HTTP_POST, "/v1/processors/template", handle_process_template, ROUTE_SLOW | ROUTE_BODY, 200, "processTemplate", "Render a template." },
	{ HTTP_POST, "/v1/processors/filter", handle_process_filter, ROUTE_SLOW | ROUTE_BODY, 200, "processFilter", "Does a record pass a filter, and why?" },
	{ HTTP_POST, "/v1/processors/transform", handle_process_transform, ROUTE_SLOW | ROUTE_BODY, 200, "processTransform", "Transform a record." },
	{ HTTP_GET, "/v1/state", handle_state_list, 0, 200, "listState", "The keys under which the account keeps values." },
	{ HTTP_DELETE, "/v1/state", handle_state_remove, ROUTE_SLOW, 204, "clearState", "Forget all of the account's values." },
	{ HTTP_GET, "/v1/state/{key}", handle_state_get, 0, 200, "getState", "The value under a key." },
	{ HTTP_PUT, "/v1/state/{key}", handle_state_put, ROUTE_SLOW | ROUTE_BODY, 200, "putState", "Keep a value, any JSON: 201 Created when the key is new, else 200 OK." },
	{ HTTP_DELETE, "/v1/state/{key}", handle_state_remove, ROUTE_SLOW, 204, "deleteState", "Forget a value." },
	{ HTTP_GET, "/v1/jobs", handle_job_list, ROUTE_LIST, 200, "listJobs", "List jobs, newest first, with filters: _integrationId, _flowId, _flowId_in, _exportId, _importId, _jobId, _flowJobId, createdAt_gte, createdAt_lte, status, type, type_in, retriable, num{Success|Export|Ignore|Error}_{gte|lte}; limit and after." },
	{ HTTP_POST, "/v1/jobs/family", handle_job_families, ROUTE_BODY, 200, "getJobFamilies", "Several flows' jobs with their children; the body lists their ids." },
	{ HTTP_POST, "/v1/jobs/current", handle_job_current, ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "listCurrentJobs", "The jobs that have not ended, of an _integrationId or of _flowIds when the body says so." },
	{ HTTP_PUT, "/v1/jobs/resolve", handle_jobs_resolve, ROUTE_SLOW | ROUTE_BODY, 200, "resolveJobs", "Resolve the errors of several jobs; the body lists their ids." },
	{ HTTP_PUT, "/v1/jobs/unresolve", handle_jobs_unresolve, ROUTE_SLOW | ROUTE_BODY, 200, "unresolveJobs", "Open resolved errors of several jobs again." },
	{ HTTP_PUT, "/v1/jobs/retry", handle_jobs_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY, 200, "retryJobs", "Try the open errors of several jobs again." },
	{ HTTP_GET, "/v1/jobs/{_id}", handle_job_get, 0, 200, "getJob", "A job with its counts and ledger." },
	{ HTTP_GET, "/v1/jobs/{_id}/family", handle_job_family, 0, 200, "getJobFamily", "A flow's job with its children." },
	{ HTTP_GET, "/v1/jobs/{_id}/diagnostics", handle_job_diagnostics, 0, 200, "getJobDiagnostics", "Why a job is where it is: what it waits for, its lease, the page in work, its last error, its connections." },
	{ HTTP_GET, "/v1/jobs/{_id}/events", handle_job_events, ROUTE_SLOW | ROUTE_STREAM, 200, "streamJobEvents", "Live progress as server-sent events: job with each change, end at the end." },
	{ HTTP_PUT, "/v1/jobs/{_id}/cancel", handle_job_cancel, ROUTE_SLOW, 200, "cancelJob", "Ask a job to end, in whatever state it is; what was not sent yet stays as errors that can be retried." },
	{ HTTP_GET, "/v1/jobs/{_id}/joberrors", handle_job_errors, ROUTE_LIST, 200, "listJobErrors", "The errors of a job, or of all children of a flow's job; as CSV with Accept: text/csv." },
	{ HTTP_PUT, "/v1/jobs/{_id}/joberrors", handle_job_errors_upload, ROUTE_SLOW, 200, "uploadJobErrors", "Send the error file (CSV) back with edited columns resolve and retry." },
	{ HTTP_GET, "/v1/jobs/{_id}/errorFile/signedURL", handle_job_error_link, 0, 200, "getJobErrorLink", "A link to the job's error file (CSV) that needs no token for 15 minutes: {signedURL}." },
	{ HTTP_GET, "/v1/jobs/{_id}/errorFile", handle_job_error_file, ROUTE_OPEN, 200, "getJobErrorFile", "The error file, to whoever has such a link." },
	{ HTTP_PUT, "/v1/jobs/{_id}/joberrors/resolve", handle_job_errors_resolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "resolveJobErrors", "Resolve errors of a job: all, those of the filters, or those whose ids the body lists." },
	{ HTTP_PUT, "/v1/jobs/{_id}/joberrors/unresolve", handle_job_errors_unresolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "unresolveJobErrors", "Open resolved errors of a job again." },
	{ HTTP_PUT, "/v1/jobs/{_id}/joberrors/{_errorId}/resolve", handle_job_error_resolve, ROUTE_SLOW, 201, "resolveJobError", "Resolve one error." },
	{ HTTP_PUT, "/v1/jobs/{_id}/joberrors/{_errorId}/unresolve", handle_job_error_unresolve, ROUTE_SLOW, 201, "unresolveJobError", "Open one resolved error again." },
	{ HTTP_PUT, "/v1/jobs/{_id}/resolve", handle_job_errors_resolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "resolveJob", "Resolve all errors of a job." },
	{ HTTP_PUT, "/v1/jobs/{_id}/unresolve", handle_job_errors_unresolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "unresolveJob", "Open all resolved errors of a job again." },
	{ HTTP_POST, "/v1/jobs/{_id}/retry", handle_job_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "retryJob", "Try the open errors of a job again: all, those of the filters, or those whose ids (or _retryIds) the body lists." },
	{ HTTP_PUT, "/v1/jobs/{_id}/retries/retry", handle_job_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "retryJobErrors", "The same as POST /v1/jobs/{_id}/retry." },
	{ HTTP_POST, "/v1/jobs/{_id}/retries/retry", handle_job_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "postRetryJobErrors", "The same, for clients that post." },
	{ HTTP_POST, "/v1/jobs/{_id}/retries/{_retryId}/retry", handle_retry_one, ROUTE_SLOW | ROUTE_ONCE, 200, "retryJobError", "Try one error again." },
	{ HTTP_GET, "/v1/flows/{_id}/errors", handle_flow_errors, ROUTE_LIST, 200, "listFlowErrors", "The open errors of a flow, over all its runs; as CSV with Accept: text/csv." },
	{ HTTP_PUT, "/v1/flows/{_id}/errors/resolve", handle_flow_errors_resolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "resolveFlowErrors", "Resolve errors of a flow." },
	{ HTTP_PUT, "/v1/flows/{_id}/errors/unresolve", handle_flow_errors_unresolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "unresolveFlowErrors", "Open resolved errors of a flow again." },
	{ HTTP_POST, "/v1/flows/{_id}/errors/retry", handle_flow_errors_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "retryFlowErrors", "Try open errors of a flow again." },
	{ HTTP_PUT, "/v1/flows/{_id}/jobs/resolve", handle_flow_errors_resolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "resolveFlowJobs", "The same as PUT /v1/flows/{_id}/errors/resolve." },
	{ HTTP_PUT, "/v1/flows/{_id}/jobs/unresolve", handle_flow_errors_unresolve, ROUTE_SLOW | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "unresolveFlowJobs", "The same as PUT /v1/flows/{_id}/errors/unresolve." },
	{ HTTP_PUT, "/v1/flows/{_id}/jobs/retry", handle_flow_errors_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE, 200, "retryFlowJobs", "The same as POST /v1/flows/{_id}/errors/retry." },
	{ HTTP_GET, "/v1/integrations/{_id}/errors", handle_integration_errors, ROUTE_SLOW | ROUTE_LIST, 200, "listIntegrationErrors", "How many open errors each flow of an integration has, and since when." },
	{ HTTP_PUT, "/v1/integrations/{_id}/jobs/resolve", handle_integration_errors_resolve, ROUTE_SLOW, 200, "resolveIntegrationJobs", "Resolve the errors of all flows of an integration, or those of the filters." },
	{ HTTP_PUT, "/v1/integrations/{_id}/jobs/unresolve", handle_integration_errors_unresolve, ROUTE_SLOW, 200, "unresolveIntegrationJobs", "Open resolved errors of all flows of an integration again." },
	{ HTTP_PUT, "/v1/integrations/{_id}/jobs/retry", handle_integration_errors_retry, ROUTE_SLOW | ROUTE_ONCE, 200, "retryIntegrationJobs", "Try the open errors of all flows of an integration again." },
	{ HTTP_GET, "/v1/flows/{_id}/issues", handle_flow_issues, ROUTE_SLOW | ROUTE_LIST, 200, "listFlowIssues", "The open errors of a flow grouped by cause, the most frequent first." },
	{ HTTP_GET, "/v1/records", handle_records, ROUTE_SLOW | ROUTE_LIST, 200, "listRecords", "The way of the records with ?traceKey= through every step: as exported, as sent, how it ended; the newest first." },
	{ HTTP_GET, "/v1/retries", handle_retry_list, ROUTE_LIST, 200, "listRetries", "What can be tried again of a job (?_jobId=)." },
	{ HTTP_GET, "/v1/retries/{_id}/data", handle_retry_data, 0, 200, "getRetryData", "The record that failed, as it was exported." },
	{ HTTP_PUT, "/v1/retries/{_id}/data", handle_retry_data_put, ROUTE_SLOW | ROUTE_BODY, 200, "putRetryData", "Edit the record that will be tried again." },
	{ HTTP_POST, "/v1/retries/{_id}/retry", handle_retry_one, ROUTE_SLOW | ROUTE_ONCE, 200, "retry", "Try the record again." },
	{ HTTP_POST, "/v1/exports/{_id}/data", handle_event, ROUTE_OPEN, 204, "postEvent", "Post an event to a listener, which verifies it as its export says. The answer comes when it is on disk." },
	{ HTTP_PUT, "/v1/exports/{_id}/data", handle_event, ROUTE_OPEN, 204, "putEvent", "The same, for senders that put." },
	{ HTTP_GET, "/v1/exports/{_id}/data", handle_event_handshake, ROUTE_OPEN, 200, "getEventHandshake", "Answer the challenge with which a sender tries out the URL; HEAD asks whether there is a listener." },
	{ HTTP_POST, "/v1/exports/{_id}/{token}/data", handle_event, ROUTE_OPEN, 204, "postEventWithToken", "Post an event to a listener whose secret stands in the URL." },
	{ HTTP_PUT, "/v1/exports/{_id}/{token}/data", handle_event, ROUTE_OPEN, 204, "putEventWithToken", "The same, for senders that put." },
	{ HTTP_GET, "/v1/exports/{_id}/{token}/data", handle_event_handshake, ROUTE_OPEN, 200, "getEventHandshakeWithToken", "Answer a challenge at the listener's secret URL." },
	{ HTTP_GET, "/v1/exports/{_id}/requests", handle_listener_requests, ROUTE_LIST, 200, "listListenerRequests", "The last requests to a listener, newest first, with the reason of each refusal." },
	{ HTTP_GET, "/v1/exports/{_id}/listener", handle_listener_state, ROUTE_SLOW, 200, "getListener", "How many events of a listener wait, since when, and for which flows." },
	{ HTTP_POST, "/v1/exports/preview", handle_export_preview, ROUTE_CALL | ROUTE_BODY, 200, "previewExport", "Try out an export that is not saved: the document, and postData with what placeholders stand for. Answers its records and every stage on the way." },
	{ HTTP_POST, "/v1/imports/preview", handle_import_preview, ROUTE_CALL | ROUTE_BODY | ROUTE_DATA, 200, "previewImport", "Try out an import that is not saved, with the records in data: lookups are asked, requests are shown and not sent." },
	{ HTTP_POST, "/v1/exports/{_id}/invoke", handle_export_invoke, ROUTE_CALL | ROUTE_BODY | ROUTE_BODY_MAYBE | ROUTE_DATA, 200, "invokeExport", "Run an export now and answer its records; the body's members are what placeholders stand for." },
	{ HTTP_POST, "/v1/imports/{_id}/invoke", handle_import_invoke, ROUTE_CALL | ROUTE_BODY | ROUTE_DATA | ROUTE_ONCE, 200, "invokeImport", "Run an import now on the records in the body, a JSON array, and answer a result for each." },
	{ HTTP_POST, "/v1/connections/ping", handle_connections_ping, ROUTE_CALL | ROUTE_BODY, 200, "pingUnsavedConnection", "Ping a connection that is not saved." },
	{ HTTP_GET, "/v1/connections/{_id}/ping", handle_connection_ping, ROUTE_CALL, 200, "pingConnection", "Is the application there, and does it take the credentials? {\"code\":200}, or code and message of the failure." },
	{ HTTP_POST, "/v1/connections/{_id}/ping", handle_connection_ping, ROUTE_CALL, 200, "postPingConnection", "The same, for clients that post." },
	{ HTTP_GET, "/v1/connections/{_id}/oauth2", handle_connection_oauth2, ROUTE_CALL, 200, "getConnectionOauth2", "Where a user gives the connection access in a browser (OAuth 2.0, authorization code with PKCE): {url}, good once and for 10 minutes." },
	{ HTTP_GET, "/connection/oauth2callback", handle_oauth2_callback, ROUTE_OPEN | ROUTE_CALL, 200, "oauth2Callback", "Where the application sends the browser back: fetches the tokens and answers a page for the user." },
	{ HTTP_GET, "/v1/connections/{_id}/proxy", handle_connection_proxy, ROUTE_CALL, 200, "getProxy", "Send a request to Integrator-Relative-URI with the authentication of the connection; status and body are those of the application." },
	{ HTTP_POST, "/v1/connections/{_id}/proxy", handle_connection_proxy, ROUTE_CALL, 200, "postProxy", "The same with a body; Integrator-Method says another method." },
	{ HTTP_PUT, "/v1/connections/{_id}/proxy", handle_connection_proxy, ROUTE_CALL, 200, "putProxy", "The same." },
	{ HTTP_PATCH, "/v1/connections/{_id}/proxy", handle_connection_proxy, ROUTE_CALL, 200, "patchProxy", "The same." },
	{ HTTP_DELETE, "/v1/connections/{_id}/proxy", handle_connection_proxy, ROUTE_CALL, 200, "deleteProxy", "The same." },
	{ HTTP_POST, "/v1/connections/{_id}/export", handle_connection_export, ROUTE_CALL | ROUTE_BODY | ROUTE_DATA, 200, "virtualExport", "Run the export in the body, {export, data}, which is not stored." },
	{ HTTP_POST, "/v1/connections/{_id}/export/pages", handle_connection_export_pages, ROUTE_CALL | ROUTE_BODY | ROUTE_DATA, 200, "virtualExportPage", "The same page by page: first {export}, then {pagedExportState} as the page before answered it." },
	{ HTTP_POST, "/v1/connections/{_id}/import", handle_connection_import, ROUTE_CALL | ROUTE_BODY | ROUTE_DATA | ROUTE_ONCE, 200, "virtualImport", "Run the import in the body, {import, data}, which is not stored." },
	{ HTTP_POST, "/v1/connections/{_id}/import/map", handle_connection_import_map, ROUTE_CALL | ROUTE_BODY | ROUTE_DATA, 200, "virtualMap", "Only map the records, lookups asked and nothing sent, and answer what would be." },
	{ HTTP_GET, "/v1/connections/{_id}/debug", handle_connection_debug, 0, 200, "getConnectionDebug", "The debug log of a connection: requests and answers while its debugDate lay in the future, as text; a line with # says why there are none." },
	{ HTTP_GET, "/v1/connections/{_id}/debug/{_resourceId}", handle_connection_debug, 0, 200, "getConnectionDebugOf", "The same, of one export or import." },
	{ HTTP_POST, "/v1/connections/{_id}/debug", handle_connection_debug_start, ROUTE_SLOW, 200, "startConnectionDebug", "Keep a debug log for the next 15 minutes: sets debugDate." },
	{ HTTP_POST, "/v1/{apiIdentifier}", handle_invoke, ROUTE_OPEN, 200, "invokeV1", "The same as POST /{apiIdentifier}." },
	{ HTTP_POST, "/{apiIdentifier}", handle_invoke, ROUTE_OPEN, 200, "invoke", "Invoke the export or import with this apiIdentifier, for which a token is needed; or post an event to a listener, which verifies it." },
	{ HTTP_GET, "/v1/{resource}", handle_resource_list, ROUTE_LIST, 200, "list", "List all." },
	{ HTTP_POST, "/v1/{resource}", handle_resource_create, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY, 201, "create", "Create new." },
	{ HTTP_GET, "/v1/{resource}/{_id}", handle_resource_get, 0, 200, "get", "Retrieve existing." },
	{ HTTP_PUT, "/v1/{resource}/{_id}", handle_resource_replace, ROUTE_SLOW | ROUTE_BODY, 200, "update", "Update existing: the body replaces the stored document." },
	{ HTTP_PATCH, "/v1/{resource}/{_id}", handle_resource_patch, ROUTE_SLOW | ROUTE_BODY, 200, "patch", "Change parts of it: JSON Merge Patch (RFC 7396)." },
	{ HTTP_DELETE, "/v1/{resource}/{_id}", handle_resource_remove, ROUTE_SLOW, 204, "delete", "Delete existing." },
	{ HTTP_POST, "/v1/{resource}/{_id}/clone", handle_resource_clone, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY | ROUTE_BODY_MAYBE | ROUTE_OTHER, 201, "clone", "Copy it with what it is made of." },
	{ HTTP_GET, "/v1/{resource}/{_id}/dependencies", handle_resource_dependencies, ROUTE_OTHER, 200, "getDependenciesOf", "What refers to it." },
	{ HTTP_GET, "/v1/{resource}/{_id}/state", handle_state_list, ROUTE_OTHER, 200, "listStateOf", "The keys under which values are kept for it." },
	{ HTTP_DELETE, "/v1/{resource}/{_id}/state", handle_state_remove, ROUTE_SLOW | ROUTE_OTHER, 200, "clearStateOf", "Forget all values kept for it." },
	{ HTTP_GET, "/v1/{resource}/{_id}/state/{key}", handle_state_get, ROUTE_OTHER, 200, "getStateOf", "The value under a key." },
	{ HTTP_PUT, "/v1/{resource}/{_id}/state/{key}", handle_state_put, ROUTE_SLOW | ROUTE_BODY | ROUTE_OTHER, 200, "putStateOf", "Keep a value for it: 201 Created when the key is new, else 200 OK." },
	{ HTTP_DELETE, "/v1/{resource}/{_id}/state/{key}", handle_state_remove, ROUTE_SLOW | ROUTE_OTHER, 200, "deleteStateOf", "Forget a value." },
	/* behind the rows of state, whose keys may be any word */
	{ HTTP_GET, "/v1/flows/{_id}/{_stepId}/errors", handle_step_errors, 0, 200, "listStepErrors", "The open errors of one step of a flow, over all its runs: {errors, nextPageURL}." },
	{ HTTP_GET, "/v1/flows/{_id}/{_stepId}/resolved", handle_step_resolved, 0, 200, "listStepResolved", "The resolved errors of one step of a flow." },
	{ HTTP_PUT, "/v1/flows/{_id}/{_stepId}/resolved", handle_step_resolve, ROUTE_SLOW | ROUTE_BODY, 200, "resolveStepErrors", "Resolve errors of a step: {\"errors\": [ids]}." },
	{ HTTP_POST, "/v1/flows/{_id}/{_stepId}/retry", handle_step_retry, ROUTE_SLOW | ROUTE_ONCE | ROUTE_BODY, 200, "retryStepErrors", "Try errors of a step again: {\"retryDataKeys\": [ids]}; answers the job's _id." },
	{ HTTP_GET, "/v1/flows/{_id}/{_stepId}/{_retryId}/data", handle_retry_data, 0, 200, "getStepRetryData", "The same as GET /v1/retries/{_id}/data." },
	{ HTTP_PUT, "/v1/flows/{_id}/{_stepId}/{_retryId}/data", handle_retry_data_put, ROUTE_SLOW | ROUTE_BODY, 200, "putStepRetryData", "The same as PUT /v1/retries/{_id}/data." },
};
/* clang-format on */
const size_t route_count = ARRAY_LEN(routes);

struct segments {
	struct str s[ROUTE_SEGMENTS_MAX];
	size_t n;
};

/* False when the path has too many segments to be one of ours. */
static bool split(struct str path, struct segments *out)
{
	out->n = 0;
	if (path.n > 0 && path.p[0] == '/')
		path = str_from(path, 1);
	if (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	while (path.p != NULL && path.n > 0) {
		if (out->n == ROUTE_SEGMENTS_MAX)
			return false;
		out->s[out->n++] = str_cut(&path, '/');
	}
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Is the pattern's segment at *P this one of the path? Moves *P behind it. */
static bool is_segment(const char **p, struct str s)
{
	const char *q = *p;
	size_t k = 0;

	for (; *q != '\0' && *q != '/'; q++, k++)
		if (k == s.n || lower(*q) != lower(s.p[k]))
			return false;
	*p = q;
	return k == s.n;
}

/* The letter e or i and hexadecimal digits, as many as there are. */
static bool is_api_identifier(struct str s)
{
	unsigned char bytes[(API_IDENTIFIER_LEN - 1) / 2];

	return s.n == API_IDENTIFIER_LEN && (s.p[0] == 'e' || s.p[0] == 'i') &&
	       str_hex_get(str_from(s, 1), bytes, sizeof(bytes));
}

/* Compares a pattern with the path's segments, in place: every request tries many patterns. */
static bool fits(const struct resources *r, const char *pattern, const struct segments *path,
	struct route_match *m)
{
	static const char resource[] = "{resource}", identifier[] = "{apiIdentifier}";
	const char *p = pattern;
	size_t i = 0;

	m->schema = NULL;
	m->param_count = 0;
	for (; *p == '/'; i++) {
		p++;
		if (i == path->n)
			return false;
		if (*p != '{') {
			if (!is_segment(&p, path->s[i]))
				return false;
			continue;
		}
		if (strncmp(p, resource, sizeof(resource) - 1) == 0) {
			m->schema = resources_by_segment(r, path->s[i]);
			if (m->schema == NULL)
				return false;
		} else if (strncmp(p, identifier, sizeof(identifier) - 1) == 0 &&
			   !is_api_identifier(path->s[i])) {
			return false;
		} else {
			m->params[m->param_count++] = path->s[i];
		}
		while (*p != '/' && *p != '\0')
			p++;
	}
	return i == path->n;
}

static unsigned allowed_methods(const struct resources *r, const struct segments *path)
{
	struct route_match m;
	unsigned allowed = 0;

	for (size_t i = 0; i < route_count; i++)
		if (fits(r, routes[i].pattern, path, &m))
			allowed |= 1u << routes[i].method;
	return allowed;
}

void route_find(const struct resources *r, struct arena *a, enum http_method method,
	struct str path, struct route_match *out)
{
	enum http_method want = method == HTTP_HEAD ? HTTP_GET : method;
	struct segments segments;

	*out = (struct route_match){ 0 };
	if (!split(path, &segments))
		return;
	for (size_t i = 0; i < route_count; i++) {
		if (routes[i].method != want || !fits(r, routes[i].pattern, &segments, out))
			continue;
		out->route = &routes[i];
		for (size_t k = 0; k < out->param_count; k++)
			if (str_find_char(out->params[k], '%') != STR_NPOS)
				out->params[k] = url_decode(a, out->params[k], false);
		return;
	}
	*out = (struct route_match){ .allowed = allowed_methods(r, &segments) };
}
