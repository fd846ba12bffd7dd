/*
 * rest_request.c - the request of one page, from the export's templates and the place that paging
 * came to.
 */
#include "adaptor/rest/rest_source_priv.h"

struct str rest_url_param(struct arena *a, struct str url, struct str name)
{
	struct str rest = str_sub(url, 0, str_find_char(url, '#'));

	(void)str_cut(&rest, '?');
	while (rest.p != NULL) {
		struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');

		if (str_eq(url_decode(a, key, true), name))
			return value.p == NULL ? STR("") : url_decode(a, value, true);
	}
	return STR_NULL;
}

struct str rest_url_set(struct arena *a, struct str url, struct str name, struct str value)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct str rest = url;
	bool there = rest_url_param(a, url, name).p != NULL;
	char sep = '?';

	if (!there)
		return url_add_query(a, url, name, value);
	buf_add_str(&b, str_cut(&rest, '?'));
	while (rest.p != NULL) {
		struct str pair = str_cut(&rest, '&'), tail = pair, key = str_cut(&tail, '=');

		buf_add_char(&b, sep);
		sep = '&';
		if (str_eq(url_decode(a, key, true), name)) {
			buf_add_str(&b, key);
			buf_add_char(&b, '=');
			buf_add_str(&b, url_encode_component(a, value));
		} else {
			buf_add_str(&b, pair);
		}
	}
	return str_dup(a, buf_str(&b));
}

/* ---- what templates see ---- */

static void add_members(struct json_build *b, const struct json *v)
{
	if (!json_is_object(v))
		return;
	for (json_each_member(key, v)) {
		json_build_key(b, json_str(key));
		json_build_copy(b, json_value(key));
	}
}

/* Field names in lower case, as they differ in nothing else. */
static void add_headers(struct arena *a, struct json_build *b, const struct http_call *c)
{
	struct str rest = buf_str(&c->res_headers);

	json_build_object(b);
	while (rest.p != NULL) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');
		struct str lower = str_dup(a, name);
		char *p = arena_memdup(a, lower.p, lower.n + 1);

		for (size_t i = 0; i < lower.n; i++)
			if (p[i] >= 'A' && p[i] <= 'Z')
				p[i] += 'a' - 'A';
		value = value.p == NULL ? value : str_dup(a, str_trim(value));
		if (value.p != NULL && str_is_utf8(value) && str_is_utf8(lower))
			json_add_str(b, str_of(p, lower.n), value);
	}
	json_build_end(b);
}

static void add_paging(struct json_build *b, const struct rest_place *place)
{
	json_build_key(b, STR("export"));
	json_build_object(b);
	json_build_key(b, STR("http"));
	json_build_object(b);
	json_build_key(b, STR("paging"));
	json_build_object(b);
	json_add_i64(b, STR("page"), (int64_t)place->page);
	json_add_i64(b, STR("skip"), (int64_t)place->skip);
	json_add_str(b, STR("token"), place->token);
	json_build_end(b);
	json_build_end(b);
	json_build_end(b);
}

/* Of two members of one name the later is found: variables win over a page's own. */
const struct json *rest_request_record(const struct source *s, struct arena *a,
	const struct rest_place *place, const struct rest_previous *previous)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	if (previous != NULL) {
		add_members(&b, previous->response);
		add_members(&b, previous->record);
		json_build_key(&b, STR("previous_page"));
		json_build_object(&b);
		json_add_copy(&b, STR("last_record"), previous->record);
		json_add_copy(&b, STR("full_response"), previous->response);
		json_build_key(&b, STR("headers"));
		add_headers(a, &b, previous->answer);
		json_build_end(&b);
	}
	add_members(&b, s->variables);
	add_members(&b, rest_session_variables(s->session));
	add_paging(&b, place);
	json_build_end(&b);
	return json_build_done(&b);
}

/* ---- the request ---- */

bool rest_request_mentions(const struct source *s, struct str word)
{
	static const char *const parts[] = { "query", "headers", "postBody" };

	if (str_find(s->uri, word) != STR_NPOS)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct json *v = json_get(s->rest, str_z(parts[i]));
		const struct json *end = v == NULL ? NULL : json_next(v);

		for (; v < end; v++)
			if (v->type == JSON_STRING && str_find(json_str(v), word) != STR_NPOS)
				return true;
	}
	return false;
}

/* `rest.query`: scalars by name. */
static bool add_query(struct source *s, struct rest_render *r, struct str *url, struct err *err)
{
	const struct json *query = json_get(s->rest, STR("query"));

	if (!json_is_object(query))
		return true;
	for (json_each_member(key, query)) {
		const struct json *v = json_value(key);
		struct str text = v->type == JSON_NUMBER ? json_str(v) : STR_NULL;

		if (v->type == JSON_NULL)
			continue;
		if (v->type == JSON_STRING && !rest_render_text(r, json_str(v), &text, err))
			return err_wrap(err, "rest.query.%.*s", STR_ARG(json_str(key)));
		if (text.p == NULL)
			text = json_print_arena(r->arena, v);
		*url = rest_url_set(r->arena, *url, json_str(key), text);
	}
	return true;
}

static struct str number_text(struct arena *a, uint64_t n)
{
	return str_fmt(a, "%llu", (unsigned long long)n);
}

/* The counted or remembered parameter of the page. */
static void add_argument(struct source *s, struct arena *a, struct str *url)
{
	const struct rest_paging *p = &s->paging;
	struct str value = p->kind == REST_PAGES_NUMBER  ? number_text(a, s->place.page)
			   : p->kind == REST_PAGES_SKIP  ? number_text(a, s->place.skip)
			   : p->kind == REST_PAGES_TOKEN ? s->place.token
							 : STR_NULL;

	if (value.p != NULL && !p->in_template)
		*url = rest_url_set(a, *url, p->argument, value);
}

static bool make_uri(struct source *s, struct rest_render *r, struct err *err)
{
	struct str uri;

	if (s->place.url.p != NULL) {
		s->call.uri = s->place.url;
		return true;
	}
	if (!rest_render_uri(r, s->uri, &uri, err))
		return err_wrap(err, "rest.relativeURI");
	if (!add_query(s, r, &uri, err))
		return false;
	add_argument(s, r->arena, &uri);
	s->call.uri = uri;
	return true;
}

static bool make_headers(struct source *s, struct rest_render *r, struct err *err)
{
	struct rest_call *c = &s->call;

	if (!rest_headers_read(json_get(s->rest, STR("headers")), s->headers, &c->own_count, err))
		return false;
	for (size_t i = 0; i < c->own_count; i++)
		if (!rest_render_text(r, s->headers[i].value, &s->headers[i].value, err))
			return err_wrap(err, "rest.headers, %.*s", STR_ARG(s->headers[i].name));
	c->own = s->headers;
	return true;
}

static bool make_body(struct source *s, struct rest_render *r, struct err *err)
{
	s->call.body = STR("");
	if (s->method == HTTP_GET)
		return true;
	if (s->place.body.p != NULL) {
		s->call.body = s->place.body;
		return true;
	}
	return rest_render_body(r, s->session, json_get(s->rest, STR("postBody")), &s->call.body,
		       err) ||
	       err_wrap(err, "rest.postBody");
}

bool rest_request_make(struct source *s, struct err *err)
{
	struct rest_render r = { .arena = s->page_arena };

	arena_reset(s->page_arena);
	r.record = rest_request_record(s, s->page_arena, &s->place, NULL);
	s->call.purpose = "export";
	s->call.method = s->method;
	return make_uri(s, &r, err) && make_headers(s, &r, err) && make_body(s, &r, err);
}
