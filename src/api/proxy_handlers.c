/*
 * proxy_handlers.c - a request of the user's own, sent with a connection's authentication.
 *
 * The answer's status, type and body are the application's; with Integrator-Passthrough its header
 * fields too, and the request's go out. A failure of ours is told by the field `Integrator-Error`, so
 * that it can't be taken for the application's.
 */
#include "api/calls_priv.h"

/* True for the words that mean it; *OK false: the header says neither. */
static bool passthrough(struct api_request *rq, bool *ok)
{
	struct str v = str_trim(http_request_header(rq->x, STR("Integrator-Passthrough")));

	*ok = v.n == 0 || str_eq_ci(v, STR("true")) || str_eq_ci(v, STR("false")) ||
	      str_eq_z(v, "1") || str_eq_z(v, "0");
	return str_eq_ci(v, STR("true")) || str_eq_z(v, "1");
}

static bool read_proxy(struct api_request *rq, struct proxy_request *out, bool *pass,
	struct err *err)
{
	const struct http_exchange *x = rq->x;
	struct str method = str_trim(http_request_header(x, STR("Integrator-Method")));
	bool ok;

	*out = (struct proxy_request){ .method = method.n > 0 ? method : x->method_text,
		.relative_uri = http_request_header(x, STR("Integrator-Relative-URI")),
		.record_type = http_request_header(x, STR("Integrator-Record-Type")),
		.script_id = http_request_header(x, STR("Integrator-NetSuite-ScriptId")),
		.deploy_id = http_request_header(x, STR("Integrator-NetSuite-DeployId")),
		.content_type = http_request_header(x, STR("Content-Type")),
		.body = str_of(x->body, x->body_bytes) };
	*pass = passthrough(rq, &ok);
	if (*pass) {
		out->headers = x->headers;
		out->header_count = x->header_count;
	}
	if (!ok)
		return err_set_field(err, ERR_INVALID, "Integrator-Passthrough",
			"Integrator-Passthrough must be true or false");
	if (str_trim(out->relative_uri).n == 0 && out->script_id.p == NULL)
		return err_set_field(err, ERR_MISSING, "Integrator-Relative-URI",
			"the header Integrator-Relative-URI is missing: it says what to ask the "
			"application for, such as /customers?limit=1");
	return true;
}

static bool is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7F)
			return false;
	return true;
}

/* Fields that are this server's own. */
static bool is_ours(struct str name)
{
	return str_eq_ci(name, STR("Date")) || str_eq_ci(name, STR("Content-Type")) ||
	       str_eq_ci(name, STR("Request-Id"));
}

static void answer(struct api_request *rq, const struct proxy_answer *from, bool pass)
{
	struct http_exchange *x = rq->x;
	struct arena *a = x->arena;

	x->status = from->status;
	x->res_body = from->body.n == 0 ? STR_NULL : str_dup(a, from->body);
	if (from->content_type.n > 0 && is_clean(from->content_type))
		api_header(rq, "Content-Type", str_dup(a, from->content_type));
	for (size_t i = 0; pass && i < from->header_count; i++) {
		const struct http_header *h = &from->headers[i];

		if (h->name.n > 0 && is_clean(h->name) && is_clean(h->value) && !is_ours(h->name))
			http_response_header(x, str_dup(a, h->name), str_dup(a, h->value));
	}
}

void handle_connection_proxy(struct api_request *rq)
{
	struct invocation *v DEFER(call_endp) = call_begin(rq);
	struct proxy_request ask;
	struct proxy_answer got;
	struct err err = ERR_INIT;
	bool pass;

	if (v == NULL)
		return;
	if (read_proxy(rq, &ask, &pass, &err) && invoke_connection(v, rq->match.params[0], &err) &&
		invoke_proxy(v, &ask, &got, &err)) {
		answer(rq, &got, pass);
		return;
	}
	api_fail(rq, &err);
	api_header(rq, "Integrator-Error", str_z(err_info(err.code)->wire));
}
