/*
 * rest_ping.c - is the application there, and does it take the credentials?
 *
 * One request to pingRelativeURI. A 2xx is a success unless a value in the answer says otherwise:
 * applications exist that answer 200 to everything. A connection that names no such URI is asked at its
 * base URI, where nothing need be: any answer is good that neither refuses us nor is a fault of the
 * application's own.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "map/path.h"

#define PING_BODY_MAX (1u << 20)

/* V as text, for comparing: strings as they are, else as JSON. */
static struct str as_text(struct arena *a, const struct json *v)
{
	return json_is_str(v) ? json_str(v) : json_print_arena(a, v);
}

static bool is_one_of(struct arena *a, const struct json *v, const struct json *values)
{
	for (json_each (it, values))
		if (str_eq(as_text(a, it), as_text(a, v)))
			return true;
	return false;
}

/* Without values, does the path hold something true-like? */
static bool is_set(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL && v->type != JSON_FALSE &&
	       !(json_is_str(v) && v->n == 0);
}

static bool holds(struct arena *a, const struct json *v, const struct json *values)
{
	return json_is_array(values) && values->n > 0 ? v != NULL && is_one_of(a, v, values)
						      : is_set(v);
}

/* Does the test of these two fields hold? *FOUND is what stands at the path, as text. */
static bool path_test(struct arena *a, struct str path, const struct json *values,
	const struct json *doc, bool *result, struct str *found, struct err *err)
{
	struct path *p;

	if (!path_compile(a, path, false, &p, err))
		return false;
	const struct json *v = doc == NULL ? NULL : path_get(p, doc);

	*result = holds(a, v, values);
	*found = v == NULL ? STR("nothing") : as_text(a, v);
	return true;
}

static bool judge_body(struct rest_session *s, struct rest_call *c, const struct json *rest,
	struct arena *a, struct ping_result *out, struct err *err)
{
	struct str success = json_get_str(rest, STR("pingSuccessPath")),
		   failure = json_get_str(rest, STR("pingFailurePath")), found;
	const struct json *doc = NULL;
	struct buf *body = &c->http.res_body;
	bool hit;

	if (success.n == 0 && failure.n == 0)
		return true;
	if (!rest_answer_parse(s, &c->http, a, body->p, body->n, &doc, err))
		return false;
	if (failure.n > 0) {
		if (!path_test(a, failure, json_get(rest, STR("pingFailureValues")), doc, &hit,
			    &found, err))
			return err_wrap(err, "rest.pingFailurePath");
		if (hit) {
			out->message = str_fmt(a,
				"answered status %d, but pingFailurePath "
				"\"%.*s\" holds %.*s",
				out->status, STR_ARG(failure), STR_ARG(str_sub(found, 0, 200)));
			out->ok = false;
		}
	}
	if (success.n > 0 && out->ok) {
		if (!path_test(a, success, json_get(rest, STR("pingSuccessValues")), doc, &hit,
			    &found, err))
			return err_wrap(err, "rest.pingSuccessPath");
		if (!hit) {
			out->message = str_fmt(a,
				"answered status %d, but pingSuccessPath "
				"\"%.*s\" holds %.*s",
				out->status, STR_ARG(success), STR_ARG(str_sub(found, 0, 200)));
			out->ok = false;
		}
	}
	return true;
}

/* The answer, or why none came, as a result. */
static void judge(struct rest_session *s, struct rest_call *c, const struct json *rest,
	struct arena *a, struct ping_result *out)
{
	struct err err = ERR_INIT;

	bool named = json_get_str(rest, STR("pingRelativeURI")).p != NULL;

	out->status = c->http.status;
	out->ok = named ? out->status >= 200 && out->status <= 299
			: out->status < 500 && out->status != 401 && out->status != 403;
	/* gateways answer so to a path that they don't know */
	out->unsure = !named && out->status == 403;
	if (!out->ok)
		(void)rest_status_error(s, &c->http, &err);
	else if (!judge_body(s, c, rest, a, out, &err))
		out->ok = false;
	if (err.code != ERR_NONE)
		out->message = str_dup(a, str_z(err.message));
}

static bool ask(struct rest_session *s, struct rest_call *c, const struct json *rest,
	struct arena *a, struct ping_result *out, struct err *err)
{
	struct str uri = json_get_str(rest, STR("pingRelativeURI"));
	struct err failed = ERR_INIT;

	c->purpose = "ping";
	c->method = rest_method(json_get_str(rest, STR("pingMethod")), HTTP_GET);
	c->body_max = PING_BODY_MAX;
	if (!rest_connection_text(s, a, uri.p == NULL ? STR("") : uri, &c->uri, err))
		return err_wrap(err, "rest.pingRelativeURI");
	if (c->method != HTTP_GET && c->method != HTTP_HEAD &&
		!rest_connection_body(s, a, json_get(rest, STR("pingBody")), &c->body, err))
		return err_wrap(err, "rest.pingBody");
	if (rest_session_run(s, c, &failed)) {
		judge(s, c, rest, a, out);
	} else if (failed.code == ERR_CANCELED || failed.code == ERR_OVERLOADED) {
		*err = failed;
		return false;
	} else {
		out->message = str_dup(a, str_z(failed.message));
	}
	if (!out->ok)
		out->message = str_fmt(a, "%s %.*s: %.*s", http_method_name(c->method),
			STR_ARG(rest_url_for_people(a, c->http.url)), STR_ARG(out->message));
	return true;
}

static bool ping(const struct adaptor_env *env, const struct json *connection, struct arena *a,
	struct ping_result *out, struct err *err)
{
	struct rest_session *s;
	struct rest_call c DEFER(rest_call_free);
	struct ping_result result = { .ok = false };

	rest_call_init(&c);
	if (!rest_session_open(env, connection, 1, &s, err))
		return false;
	bool ok = ask(s, &c, json_get(connection, STR("rest")), a, &result, err);

	rest_session_close(s);
	if (ok)
		*out = result;
	return ok;
}

const struct connection_ops rest_connection_ops = { ping, rest_proxy, rest_grant_url,
	rest_grant_take };
