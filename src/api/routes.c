/*
 * routes.c - the table of routes, and finding one for a path.
 *
 * Fixed segments are compared without regard to letter case and a trailing slash is ignored, as
 * clients of the platform expect. Rows with fixed segments stand before those with {resource}.
 */
#include "api/api_priv.h"

#include "net/url.h"

/* clang-format off */
const struct route routes[] = {
	{ HTTP_GET, "/healthz", handle_health, ROUTE_OPEN, 200, "getHealth", "Is the process alive?" },
	{ HTTP_GET, "/livez", handle_health, ROUTE_OPEN, 200, "getLive", "The same as /healthz." },
	{ HTTP_GET, "/readyz", handle_ready, ROUTE_OPEN, 200, "getReady", "Can it do work: is the store writable, and is it not draining?" },
	{ HTTP_GET, "/metrics", handle_metrics, ROUTE_OPEN, 200, "getMetrics", "Metrics in the Prometheus text format." },
	{ HTTP_GET, "/v1/openapi.json", handle_openapi, ROUTE_OPEN, 200, "getOpenapi", "This API as an OpenAPI 3.1 document." },
	{ HTTP_GET, "/v1/tokenInfo", handle_token_info, 0, 200, "getTokenInfo", "Whose token this is, and what it may do." },
	{ HTTP_GET, "/v1/limits", handle_limits, 0, 200, "getLimits", "Every limit of this server, with its unit." },
	{ HTTP_GET, "/v1/accesstokens", handle_token_list, ROUTE_LIST, 200, "listAccessTokens", "List all tokens of the account (never the tokens themselves)." },
	{ HTTP_POST, "/v1/accesstokens", handle_token_create, ROUTE_SLOW | ROUTE_BODY, 201, "createAccessToken", "Make a token; the answer is the only place that shows it." },
	{ HTTP_DELETE, "/v1/accesstokens/{_id}", handle_token_remove, ROUTE_SLOW, 204, "deleteAccessToken", "Revoke a token." },
	{ HTTP_POST, "/v1/flows/{_id}/run", handle_flow_run, ROUTE_SLOW, 201, "runFlow", "Run a flow now. While a run of it is queued, that run's job is answered." },
	{ HTTP_GET, "/v1/flows/{_id}/jobs/latest", handle_flow_latest_jobs, ROUTE_LIST, 200, "listLatestJobsOfFlow", "The latest jobs of a flow, newest first." },
	{ HTTP_GET, "/v1/jobs", handle_job_list, ROUTE_LIST, 200, "listJobs", "List jobs, newest first, with filters." },
	{ HTTP_GET, "/v1/jobs/{_id}", handle_job_get, 0, 200, "getJob", "A job with its counts and ledger." },
	{ HTTP_GET, "/v1/jobs/{_id}/family", handle_job_family, 0, 200, "getJobFamily", "A flow's job with its children." },
	{ HTTP_PUT, "/v1/jobs/{_id}/cancel", handle_job_cancel, ROUTE_SLOW, 200, "cancelJob", "Ask a job to end, in whatever state it is; what was not sent yet stays as errors that can be retried." },
	{ HTTP_GET, "/v1/jobs/{_id}/joberrors", handle_job_errors, ROUTE_LIST, 200, "listJobErrors", "The errors of a job, or of all children of a flow's job." },
	{ HTTP_GET, "/v1/retries/{_id}/data", handle_retry_data, 0, 200, "getRetryData", "The record that failed, as it was exported." },
	{ HTTP_POST, "/v1/exports/{_id}/data", handle_event, ROUTE_OPEN, 204, "postEvent", "Post an event to a listener, which verifies it as its export says. The answer comes when it is on disk." },
	{ HTTP_PUT, "/v1/exports/{_id}/data", handle_event, ROUTE_OPEN, 204, "putEvent", "The same, for senders that put." },
	{ HTTP_GET, "/v1/exports/{_id}/data", handle_event_handshake, ROUTE_OPEN, 200, "getEventHandshake", "Answer the challenge with which a sender tries out the URL; HEAD asks whether there is a listener." },
	{ HTTP_POST, "/v1/exports/{_id}/{token}/data", handle_event, ROUTE_OPEN, 204, "postEventWithToken", "Post an event to a listener whose secret stands in the URL." },
	{ HTTP_PUT, "/v1/exports/{_id}/{token}/data", handle_event, ROUTE_OPEN, 204, "putEventWithToken", "The same, for senders that put." },
	{ HTTP_GET, "/v1/exports/{_id}/{token}/data", handle_event_handshake, ROUTE_OPEN, 200, "getEventHandshakeWithToken", "Answer a challenge at the listener's secret URL." },
	{ HTTP_GET, "/v1/exports/{_id}/requests", handle_listener_requests, ROUTE_LIST, 200, "listListenerRequests", "The last requests to a listener, newest first, with the reason of each refusal." },
	{ HTTP_GET, "/v1/exports/{_id}/listener", handle_listener_state, ROUTE_SLOW, 200, "getListener", "How many events of a listener wait, since when, and for which flows." },
	{ HTTP_POST, "/v1/{apiIdentifier}", handle_invoke, ROUTE_OPEN, 200, "invokeV1", "The same as POST /{apiIdentifier}." },
	{ HTTP_POST, "/{apiIdentifier}", handle_invoke, ROUTE_OPEN, 200, "invoke", "Post an event to the listener with this apiIdentifier, which verifies it." },
	{ HTTP_GET, "/v1/{resource}", handle_resource_list, ROUTE_LIST, 200, "list", "List all." },
	{ HTTP_POST, "/v1/{resource}", handle_resource_create, ROUTE_SLOW | ROUTE_BODY, 201, "create", "Create new." },
	{ HTTP_GET, "/v1/{resource}/{_id}", handle_resource_get, 0, 200, "get", "Retrieve existing." },
	{ HTTP_PUT, "/v1/{resource}/{_id}", handle_resource_replace, ROUTE_SLOW | ROUTE_BODY, 200, "update", "Update existing: the body replaces the stored document." },
	{ HTTP_PATCH, "/v1/{resource}/{_id}", handle_resource_patch, ROUTE_SLOW | ROUTE_BODY, 200, "patch", "Change parts of it: JSON Merge Patch (RFC 7396)." },
	{ HTTP_DELETE, "/v1/{resource}/{_id}", handle_resource_remove, ROUTE_SLOW, 204, "delete", "Delete existing." },
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

/* The letter e or i and hexadecimal digits, as many as there are. */
static bool is_api_identifier(struct str s)
{
	unsigned char bytes[(API_IDENTIFIER_LEN - 1) / 2];

	return s.n == API_IDENTIFIER_LEN && (s.p[0] == 'e' || s.p[0] == 'i') &&
	       str_hex_get(str_from(s, 1), bytes, sizeof(bytes));
}

/* Compares a pattern with the path's segments, segment by segment. */
static bool fits(const struct resources *r, struct str pattern, const struct segments *path,
	struct route_match *m)
{
	size_t i = 0;
	struct str rest = str_from(pattern, 1);

	m->schema = NULL;
	m->param_count = 0;
	for (; rest.p != NULL; i++) {
		struct str want = str_cut(&rest, '/');

		if (i == path->n)
			return false;
		if (want.p[0] != '{') {
			if (!str_eq_ci(want, path->s[i]))
				return false;
		} else if (str_eq_z(want, "{resource}")) {
			m->schema = resources_by_segment(r, path->s[i]);
			if (m->schema == NULL)
				return false;
		} else if (str_eq_z(want, "{apiIdentifier}") && !is_api_identifier(path->s[i])) {
			return false;
		} else {
			m->params[m->param_count++] = path->s[i];
		}
	}
	return i == path->n;
}

void route_find(const struct resources *r, struct arena *a, enum http_method method,
	struct str path, struct route_match *out)
{
	enum http_method want = method == HTTP_HEAD ? HTTP_GET : method;
	struct segments segments;
	struct route_match m;

	*out = (struct route_match){ 0 };
	if (!split(path, &segments))
		return;
	for (size_t i = 0; i < route_count; i++) {
		if (!fits(r, str_z(routes[i].pattern), &segments, &m))
			continue;
		out->allowed |= 1u << routes[i].method;
		if (routes[i].method != want || out->route != NULL)
			continue;
		m.route = &routes[i];
		m.allowed = out->allowed;
		for (size_t k = 0; k < m.param_count; k++)
			if (str_find_char(m.params[k], '%') != STR_NPOS)
				m.params[k] = url_decode(a, m.params[k], false);
		*out = m;
		return;
	}
}
