/*
 * respond.c - answers: JSON bodies, errors, ETag and If-Match.
 */
#include "api/api_priv.h"

#include "net/url.h"

void api_header(struct api_request *rq, const char *name, struct str value)
{
	http_response_header(rq->x, str_z(name), value);
}

void api_answer(struct api_request *rq, int status, struct str json)
{
	rq->x->status = status;
	rq->x->res_body = json;
	if (json.n > 0)
		api_header(rq, "Content-Type", STR("application/json; charset=utf-8"));
}

void api_answer_build(struct api_request *rq, int status, struct json_build *b)
{
	api_answer(rq, status, json_print_arena(rq->x->arena, json_build_done(b)));
}

struct str api_error_body(struct arena *a, const struct err *list, size_t count)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_build_key(&b, STR("errors"));
	json_build_array(&b);
	for (size_t i = 0; i < count; i++) {
		const struct err *e = &list[i];

		json_build_object(&b);
		if (e->field[0] != '\0')
			json_add_str(&b, STR("field"), str_z(e->field));
		json_add_str(&b, STR("code"), str_z(err_info(e->code)->wire));
		json_add_str(&b, STR("message"), str_z(e->message));
		if (e->hint[0] != '\0')
			json_add_str(&b, STR("hint"), str_z(e->hint));
		json_build_end(&b);
	}
	json_build_end(&b);
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

static void fail(struct api_request *rq, const struct err *list, size_t count)
{
	const struct err *first = &list[0];

	api_answer(rq, err_info(first->code)->status, api_error_body(rq->x->arena, list, count));
	if (first->code == ERR_UNAUTHORIZED)
		api_header(rq, "WWW-Authenticate", STR("Bearer realm=\"integrator\""));
	if (first->retry_after_s > 0)
		api_header(rq, "Retry-After", str_fmt(rq->x->arena, "%u", first->retry_after_s));
}

void api_fail(struct api_request *rq, const struct err *err)
{
	fail(rq, err, 1);
}

bool api_check_members(struct api_request *rq, const char *names)
{
	struct problems p;

	problems_init(&p, rq->x->arena);
	if (rq->body == NULL ||
		(schema_check_members(rq->body, names, &p) && schema_check_twice(rq->body, &p)))
		return true;
	api_fail_all(rq, &p);
	return false;
}

void api_fail_all(struct api_request *rq, const struct problems *p)
{
	CHECK(p->count > 0);
	fail(rq, p->list, p->count);
}

struct str api_next_url(struct api_request *rq, struct str last)
{
	struct arena *a = rq->x->arena;
	struct str url = rq->x->path, name, value;
	size_t at = 0;

	while (http_request_query_next(rq->x, &at, &name, &value))
		if (!str_eq_z(name, "after"))
			url = url_add_query(a, url, name, value);
	return url_add_query(a, url, STR("after"), last);
}

/* Link: <...>; rel="next" (RFC 8288) */
void api_link_next(struct api_request *rq, struct str last)
{
	struct str url = api_next_url(rq, last);

	api_header(rq, "Link", str_fmt(rq->x->arena, "<%.*s>; rel=\"next\"", STR_ARG(url)));
}

void api_etag(struct api_request *rq, int64_t version)
{
	const size_t room = 24; /* 20 digits, two quotes */
	char *end = (char *)arena_alloc(rq->x->arena, room) + room, *p = end;

	CHECK(version >= 0);
	*--p = '"';
	do {
		*--p = (char)('0' + version % 10);
		version /= 10;
	} while (version != 0);
	*--p = '"';
	api_header(rq, "ETag", str_of(p, (size_t)(end - p)));
}

bool api_if_match(struct api_request *rq, int64_t *version)
{
	struct str s = str_trim(http_request_header(rq->x, STR("If-Match")));

	*version = 0;
	if (s.n == 0 || str_eq_z(s, "*"))
		return true;
	/* a list of tags, or a weak one, can't be a version of ours as a whole */
	if (s.n > 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' &&
		str_to_i64(str_sub(s, 1, s.n - 2), version) && *version > 0)
		return true;
	struct err err = ERR_INIT;

	err_set(&err, ERR_PRECONDITION, "If-Match names no version of this resource");
	err_hint(&err, "send the ETag of the answer you read, such as \"3\"");
	api_fail(rq, &err);
	return false;
}
