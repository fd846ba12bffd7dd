/*
 * rest_source.c - a REST export: one request after the other, each answer one chunk of records.
 *
 * The URL of the next request comes from the answer (`nextpageurl`). URLs that were fetched are
 * remembered by a 64-bit hash, so that a source whose pages point in a circle ends with an error
 * instead of running for ever. When a run finds no record at all, the source says why.
 */
#include "adaptor/rest/rest_priv.h"

#include "core/limits.h"
#include "map/path.h"
#include "map/template.h"

#define CANCEL_POLL_MS 250

/* Open addressing over hashes; 0 is free. */
struct seen {
	uint64_t *slots;
	size_t count, cap;
};

struct source {
	struct arena *arena; /* session */
	const struct adaptor_env *env;
	struct rest_connection conn;
	struct http_pool *pool;
	struct http_call call;
	struct http_header headers[REST_HEADERS_MAX];
	struct path *resource_path; /* NULL: the whole answer */
	struct path *next_path;     /* NULL: there is one page */
	struct str next_url;
	struct arena *url_arena; /* of next_url; two, in turn */
	struct arena *url_spare;
	struct seen seen;
	uint64_t records;
	unsigned answers;
	struct str zero_reason;
};

static uint64_t url_hash(struct str s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	h ^= h >> 32;
	return h == 0 ? 1 : h;
}

static bool seen_put(struct seen *s, uint64_t h)
{
	size_t i = h & (s->cap - 1);

	while (s->slots[i] != 0 && s->slots[i] != h)
		i = (i + 1) & (s->cap - 1);
	if (s->slots[i] == h)
		return false;
	s->slots[i] = h;
	s->count++;
	return true;
}

/* False when URL was there already. */
static bool seen_add(struct arena *a, struct seen *s, struct str url)
{
	if (s->count * 2 >= s->cap) {
		struct seen larger = { .cap = MAX(s->cap * 2, 64) };

		larger.slots = arena_array_of(a, uint64_t, larger.cap);
		for (size_t i = 0; i < s->cap; i++)
			if (s->slots[i] != 0)
				(void)seen_put(&larger, s->slots[i]);
		*s = larger;
	}
	return seen_put(s, url_hash(url));
}

/* `rest.query`: scalars by name. */
static struct str add_query(struct arena *a, struct str url, const struct json *query)
{
	if (!json_is_object(query))
		return url;
	for (json_each_member(key, query)) {
		const struct json *v = json_value(key);
		bool text = v->type == JSON_STRING || v->type == JSON_NUMBER;

		if (v->type != JSON_NULL)
			url = url_add_query(a, url, json_str(key),
				text ? json_str(v) : json_print_arena(a, v));
	}
	return url;
}

static bool first_url(struct source *s, const struct json *rest, struct err *err)
{
	struct buf relative DEFER(buf_free) = BUF_INIT(URL_BYTES_MAX);
	struct str text = json_get_str(rest, STR("relativeURI"));
	struct template *t;

	if (text.p == NULL)
		text = STR("");
	if (!template_compile(s->arena, text, TEMPLATE_URI, &t, err) ||
		!template_render(t, &json_empty_object, NULL, &relative, NULL, err))
		return err_wrap(err, "rest.relativeURI");
	struct str url = rest_url(s->arena, &s->conn, str_dup(s->arena, buf_str(&relative)));

	s->next_url = add_query(s->arena, url, json_get(rest, STR("query")));
	return true;
}

static bool read_paths(struct source *s, const struct json *rest, struct err *err)
{
	struct str records = json_get_str(rest, STR("resourcePath"));
	struct str paging = json_get_str(rest, STR("pagingMethod"));
	struct str next = json_get_str(rest, STR("nextPagePath"));

	if (records.n > 0 && !path_compile(s->arena, records, false, &s->resource_path, err))
		return err_wrap(err, "rest.resourcePath");
	if (paging.p == NULL)
		return true;
	if (!str_eq_z(paging, "nextpageurl"))
		return err_set_field(err, ERR_UNSUPPORTED, "rest.pagingMethod",
			"this version does not page by \"%.*s\" yet", STR_ARG(paging));
	if (next.n == 0)
		return err_set_field(err, ERR_MISSING, "rest.nextPagePath",
			"pagingMethod nextpageurl needs rest.nextPagePath");
	return path_compile(s->arena, next, false, &s->next_path, err) ||
	       err_wrap(err, "rest.nextPagePath");
}

static bool prepare_call(struct source *s, const struct json *rest, struct err *err)
{
	const struct json *body = json_get(rest, STR("postBody"));
	struct http_call *c = &s->call;

	c->method = rest_method(json_get_str(rest, STR("method")), HTTP_GET);
	if (c->method != HTTP_GET && body != NULL)
		c->body = json_is_str(body) ? json_str(body) : json_print_arena(s->arena, body);
	c->headers = s->headers;
	c->redirects_max = LIMIT_REDIRECTS;
	c->timeout_ms = s->env->timeout_ms;
	c->insecure_tls = s->conn.insecure_tls;
	return rest_headers(s->arena, &s->conn, json_get(rest, STR("headers")), c->body.n > 0,
		s->headers, &c->header_count, err);
}

static void source_close(struct source *s)
{
	if (s == NULL)
		return;
	http_pool_free(s->pool);
	http_call_free(&s->call);
	arena_free(s->url_arena);
	arena_free(s->url_spare);
	struct arena *a = s->arena;

	arena_wipe(a);
	arena_free(a);
}

static bool source_open(const struct adaptor_env *env, const struct json *connection,
	const struct json *export, const struct call_args *args UNUSED, struct str cursor,
	struct source **out, struct err *err)
{
	struct arena *a = arena_new("session", 0);
	struct source *s = arena_new_of(a, struct source);
	const struct json *rest = json_get(export, STR("rest"));

	s->arena = a;
	s->env = env;
	s->url_arena = arena_new("url", 0);
	s->url_spare = arena_new("url", 0);
	http_call_init(&s->call);
	s->pool = http_pool_new(&(struct http_pool_config){ .egress = env->egress,
		.concurrency = 1,
		.ca_file = env->ca_file });
	bool ok = rest_connection_read(a, connection, &s->conn, err) && read_paths(s, rest, err) &&
		  prepare_call(s, rest, err);

	if (ok && cursor.p == NULL)
		ok = first_url(s, rest, err);
	if (ok && cursor.p != NULL) {
		const struct json *place;

		ok = json_parse_copy(a, cursor, &place, err);
		if (ok)
			s->next_url = rest_url_with_token(a, &s->conn,
				json_get_str(place, STR("url")));
	}
	if (!ok) {
		source_close(s);
		return false;
	}
	*out = s;
	return true;
}

/* Runs the prepared call; looks up now and then whether somebody canceled. */
static bool run_call(struct source *s, struct err *err)
{
	struct http_call *c = &s->call;

	http_pool_submit(s->pool, c);
	while (!c->done) {
		(void)http_pool_next(s->pool, clock_mono_ms(clock_system()) + CANCEL_POLL_MS);
		if (!c->done && s->env->canceled != NULL && atomic_load(s->env->canceled))
			http_pool_cancel(s->pool);
	}
	if (c->err.code == ERR_NONE)
		return true;
	*err = c->err;
	return false;
}

static bool fetch(struct source *s, struct chunk *out, struct err *err)
{
	struct http_call *c = &s->call;

	c->url = s->next_url;
	c->res_body = out->text;
	bool ok = run_call(s, err);

	out->text = c->res_body;
	if (!ok) {
		c->res_body = (struct buf)BUF_INIT(0);
		return false;
	}
	if (c->status < 200 || c->status > 299)
		ok = rest_status_error(c, err);
	c->res_body = (struct buf)BUF_INIT(0);
	return ok;
}

static bool parse(struct source *s, struct chunk *out, const struct json **doc, struct err *err)
{
	struct str type = http_call_header(&s->call, STR("Content-Type"));

	if (out->text.n == 0 && s->call.status == 204) {
		*doc = &json_empty_array;
		return true;
	}
	if (out->text.n == 0)
		return err_set(err, ERR_RESPONSE,
			"answered status %d with an empty body where JSON was expected",
			s->call.status);
	if (json_parse(out->arena, out->text.p, out->text.n, NULL, doc, err))
		return true;
	err->code = ERR_RESPONSE;
	if (type.p == NULL)
		type = STR("no Content-Type");
	return err_wrap(err, "the answer (%.*s) is not JSON", STR_ARG(type));
}

/* The records of the answer: an array, one object, or none. */
static bool pick_records(struct source *s, const struct json *doc, struct chunk *out,
	struct err *err)
{
	const struct json *v = s->resource_path == NULL ? doc : path_get(s->resource_path, doc);

	out->single = false;
	out->records = &json_empty_array;
	if (v == NULL || v->type == JSON_NULL) {
		size_t n;
		struct str nearest = path_nearest_array(s->arena, doc, &n);

		if (s->records == 0 && nearest.p != NULL)
			s->zero_reason = str_fmt(s->arena,
				"resourcePath \"%.*s\" is not in the answer; it has \"%.*s\" (%zu "
				"items)",
				STR_ARG(path_text(s->resource_path)), STR_ARG(nearest), n);
		else if (s->records == 0 && s->resource_path != NULL)
			s->zero_reason = str_fmt(s->arena,
				"resourcePath \"%.*s\" is not in the answer, and neither is any "
				"array",
				STR_ARG(path_text(s->resource_path)));
		return true;
	}
	if (v->type == JSON_ARRAY) {
		out->records = v;
		s->records += v->n;
	} else if (v->type == JSON_OBJECT) {
		out->records = v;
		out->single = true;
		s->records++;
	} else {
		return err_set(err, ERR_RESPONSE, "a %s stands where records were expected",
			json_type_name(v->type));
	}
	if (s->records == 0)
		s->zero_reason = STR("the source has no records");
	return true;
}

static bool next_page(struct source *s, const struct json *doc, struct chunk *out, struct err *err)
{
	const struct json *v = s->next_path == NULL ? NULL : path_get(s->next_path, doc);
	struct url here, next;

	out->last = v == NULL || v->type == JSON_NULL || v->type == JSON_FALSE ||
		    (json_is_str(v) && v->n == 0);
	if (out->last)
		return true;
	if (!json_is_str(v))
		return err_set(err, ERR_RESPONSE, "nextPagePath \"%.*s\" holds a %s, not a URL",
			STR_ARG(path_text(s->next_path)), json_type_name(v->type));
	struct arena *a = s->url_spare;

	arena_reset(a);
	if (!url_parse(a, str_z(s->call.res_url), &here, err) ||
		!url_resolve(a, &here, json_str(v), &next, err))
		return err_wrap(err, "the next page's URL");
	if (!url_same_origin(&next, &s->conn.base))
		return err_set(err, ERR_EGRESS,
			"the next page is on another server (%.*s), and the credentials of "
			"the connection are for %.*s only",
			STR_ARG(url_origin(a, &next)), STR_ARG(url_origin(a, &s->conn.base)));
	struct str url = url_print(a, &next);

	struct str cursor_url = rest_url_masked(a, &s->conn, url);

	url = rest_url_with_token(a, &s->conn, url);
	if (!seen_add(s->arena, &s->seen, url))
		return err_set(err, ERR_PAGING_LOOP,
			"the next page, %.*s, was already fetched in this run",
			STR_ARG(rest_url_masked(a, &s->conn, url)));
	s->url_spare = s->url_arena;
	s->url_arena = a;
	s->next_url = url;

	struct json_build b;

	json_build_init(&b, out->arena);
	json_build_object(&b);
	json_add_str(&b, STR("url"), cursor_url);
	json_build_end(&b);
	out->cursor = json_print_arena(out->arena, json_build_done(&b));
	return true;
}

static bool source_next(struct source *s, struct chunk *out, struct err *err)
{
	const struct json *doc;

	s->answers++;
	if (s->answers == 1)
		(void)seen_add(s->arena, &s->seen, s->next_url);
	if (fetch(s, out, err) && parse(s, out, &doc, err) && pick_records(s, doc, out, err) &&
		next_page(s, doc, out, err))
		return true;
	return err_wrap(err, "%s %.*s", http_method_name(s->call.method),
		STR_ARG(rest_url_for_people(s->arena, s->next_url)));
}

static struct str source_zero_reason(const struct source *s)
{
	return s->records == 0 ? s->zero_reason : STR_NULL;
}

const struct source_ops rest_source_ops = { source_open, source_next, source_zero_reason, NULL,
	source_close };
