/*
 * rest_source.c - a REST export: one request after the other, each answer one chunk of records.
 *
 * A page that fails in a way that may pass is asked for again, with pauses; what it gave then is the
 * page, as if nothing had been. When a run finds no record at all, the source says why.
 */
#include "adaptor/rest/rest_source_priv.h"

#include "core/limits.h"

#define EQUAL_ANSWERS_MAX 5

static void source_close(struct source *s)
{
	if (s == NULL)
		return;
	rest_once_close(s->once);
	rest_session_close(s->session);
	rest_call_free(&s->call);
	arena_free(s->place_arena);
	arena_free(s->place_spare);
	arena_free(s->page_arena);
	struct arena *a = s->arena;

	arena_wipe(a);
	arena_free(a);
}

static bool read_export(struct source *s, const struct json *export, const struct call_args *args,
	struct str cursor, struct err *err)
{
	struct str path = json_get_str(s->rest, STR("resourcePath"));
	const struct json *given = args == NULL ? NULL : args->variables;
	int64_t attempts;

	s->uri = json_get_str(s->rest, STR("relativeURI"));
	if (args != NULL && args->relative_uri.p != NULL)
		s->uri = args->relative_uri;
	if (s->uri.p == NULL)
		s->uri = STR("");
	s->method = rest_method(json_get_str(s->rest, STR("method")), HTTP_GET);
	if (!json_to_i64(json_get(export, STR("maxAttempts")), &attempts))
		attempts = LIMIT_ATTEMPTS_DEFAULT;
	s->attempts_max = (unsigned)attempts;
	if (path.n > 0 && !path_compile(s->arena, path, false, &s->resource_path, err))
		return err_wrap(err, "rest.resourcePath");
	if (!rest_paging_read(s, err) || !rest_select_read(s, export, given, err) ||
		!rest_select_variables(s, export, given, err))
		return false;
	if (cursor.p != NULL && !rest_paging_resume(s, cursor, err))
		return false;
	return rest_request_make(s, err);
}

static bool source_open(const struct adaptor_env *env, const struct json *connection,
	const struct json *export, const struct call_args *args, struct str cursor,
	struct source **out, struct err *err)
{
	struct arena *a = arena_new("session", 0);
	struct source *s = arena_new_of(a, struct source);

	s->arena = a;
	s->env = env;
	s->connection = connection;
	s->rest = json_get(export, STR("rest"));
	s->place_arena = arena_new("place", 0);
	s->place_spare = arena_new("place", 0);
	s->page_arena = arena_new("request", 0);
	s->seen = rest_seen_new(a);
	rest_call_init(&s->call);
	if (!rest_session_open(env, connection, 1, &s->session, err) ||
		!read_export(s, export, args, cursor, err)) {
		source_close(s);
		return false;
	}
	*out = s;
	return true;
}

/* ---- fetching ---- */

static bool is_success(int status)
{
	return status >= 200 && status <= 299;
}

/* A call that went wrong, as an error. */
static bool call_error(struct source *s, struct err *err)
{
	const struct http_call *c = &s->call.http;

	if (c->err.code == ERR_NONE)
		return rest_status_error(s->session, c, err);
	*err = c->err;
	return false;
}

/* False: it may not be tried again. Else the pause is over. */
static bool pause(struct source *s, unsigned attempt, struct err *err)
{
	int64_t wait_ms;

	if (attempt >= s->attempts_max ||
		!rest_retry_in(s->session, &s->call.http, attempt, &wait_ms)) {
		call_error(s, err);
		return attempt == 1 ? false : err_wrap(err, "attempt %u", attempt);
	}
	if (wait_ms > LIMIT_INLINE_WAIT_S * INT64_C(1000)) {
		call_error(s, err);
		err->retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
		return false;
	}
	rest_tell_wait(s->session, &s->call.http, wait_ms);
	return rest_session_wait(s->session, wait_ms, err);
}

/* The answer's body into the chunk. */
static bool fetch(struct source *s, struct chunk *out, struct err *err)
{
	struct http_call *c = &s->call.http;

	for (unsigned attempt = 1;; attempt++) {
		struct err failed = ERR_INIT; /* the call has it too */

		c->res_body = out->text;
		bool answered = rest_session_run(s->session, &s->call, &failed);

		out->text = c->res_body;
		if (answered && (is_success(c->status) || rest_paging_ends_at(s, c->status))) {
			c->res_body = (struct buf)BUF_INIT(0);
			return true;
		}
		bool again = pause(s, attempt, err);

		c->res_body = (struct buf)BUF_INIT(0);
		if (!again)
			return false;
	}
}

/* The same answer again and again: the application does not look at what tells pages apart. */
static bool check_equal(struct source *s, const struct chunk *out, struct err *err)
{
	uint64_t h = rest_hash(buf_str(&out->text));

	s->equal_answers = h == s->last_answer ? s->equal_answers + 1 : 1;
	s->last_answer = h;
	return s->equal_answers < EQUAL_ANSWERS_MAX ||
	       err_set(err, ERR_PAGING_LOOP,
		       "%d answers in a row were the same, byte by byte: does the application know "
		       "the paging argument?",
		       EQUAL_ANSWERS_MAX);
}

static bool parse(struct source *s, struct chunk *out, const struct json **doc, struct err *err)
{
	const struct http_call *c = &s->call.http;

	if (!is_success(c->status) || (out->text.n == 0 && c->status == 204)) {
		*doc = &json_empty_array;
		return true;
	}
	return rest_answer_parse(s->session, c, out->arena, out->text.p, out->text.n, doc, err);
}

/* ---- records ---- */

static void explain_path(struct source *s, const struct json *doc)
{
	size_t n;

	if (s->records > 0 || s->resource_path == NULL || s->zero_reason.p != NULL)
		return;
	struct str nearest = path_nearest_array(s->arena, doc, &n);

	if (nearest.p != NULL)
		s->zero_reason = str_fmt(s->arena,
			"resourcePath \"%.*s\" is not in the answer; it has \"%.*s\" (%zu items)",
			STR_ARG(path_text(s->resource_path)), STR_ARG(nearest), n);
	else if (json_is_array(doc))
		s->zero_reason = str_fmt(s->arena,
			"resourcePath \"%.*s\" is not in the answer, which is itself an array (%u "
			"items): leave resourcePath out",
			STR_ARG(path_text(s->resource_path)), doc->n);
	else
		s->zero_reason = str_fmt(s->arena,
			"resourcePath \"%.*s\" is not in the answer, and neither is any array",
			STR_ARG(path_text(s->resource_path)));
}

static bool wrong_type(const struct source *s, const struct json *v, struct err *err)
{
	if (s->resource_path == NULL)
		return err_set(err, ERR_RESPONSE, "%s stands where records were expected",
			json_type_phrase(v->type));
	return err_set(err, ERR_RESPONSE,
		"%s stands where records were expected, at resourcePath \"%.*s\"",
		json_type_phrase(v->type), STR_ARG(path_text(s->resource_path)));
}

/* The records of the answer: an array, one object, or none. */
static bool pick_records(struct source *s, const struct json *doc, struct chunk *out,
	struct err *err)
{
	const struct json *v = s->resource_path == NULL ? doc : path_get(s->resource_path, doc);
	bool ended = !is_success(s->call.http.status);

	out->single = false;
	out->records = &json_empty_array;
	if (v == NULL || v->type == JSON_NULL) {
		if (!ended && s->call.http.status != 204)
			explain_path(s, doc);
		return true;
	}
	if (json_is_str(v) && v->n == 0 && rest_answer_is_xml(s->session, &s->call.http))
		v = &json_empty_array; /* an element with nothing in it */
	if (v->type == JSON_ARRAY)
		s->records += v->n;
	else if (v->type == JSON_OBJECT)
		s->records++;
	else
		return wrong_type(s, v, err);
	out->records = v;
	out->single = v->type == JSON_OBJECT;
	return true;
}

/* One spelling for a page, whether the export's relative URI or a next page's URL leads to it. */
static struct str page_url(const struct source *s)
{
	struct str url = rest_absolute(s->session, s->page_arena, s->call.uri);
	struct err err = ERR_INIT;
	struct url parsed;

	if (url_parse(s->page_arena, url, &parsed, &err))
		url = url_print(s->page_arena, &parsed);
	return rest_url_without_token(s->session, s->page_arena, url);
}

static bool check_seen(struct source *s, struct err *err)
{
	struct str key = str_fmt(s->page_arena, "%.*s\n%.*s", STR_ARG(page_url(s)),
		STR_ARG(s->call.body));

	return rest_seen_add(s->seen, key) ||
	       err_set(err, ERR_PAGING_LOOP, "the next page, %.*s, was already fetched in this run",
		       STR_ARG(rest_masked(s->session, s->page_arena, s->call.uri)));
}

static bool take_answer(struct source *s, struct chunk *out, struct err *err)
{
	const struct json *doc;

	if (!is_success(s->call.http.status)) {
		out->records = &json_empty_array;
		out->single = false;
		out->last = true;
		return true;
	}
	if (!check_equal(s, out, err) || !parse(s, out, &doc, err) ||
		!pick_records(s, doc, out, err))
		return false;
	const struct json *records = out->records;
	bool single = out->single;

	if (s->records == 0 && s->zero_reason.p == NULL)
		s->zero_reason = STR("the source has no records");
	rest_select(s, out);
	return rest_paging_next(s, doc, records, single, out, err);
}

static bool source_next(struct source *s, struct chunk *out, struct err *err)
{
	s->requests++;
	if (rest_request_make(s, err) && check_seen(s, err) && fetch(s, out, err) &&
		take_answer(s, out, err))
		return true;
	return err_wrap(err, "%s %.*s (request %llu)", http_method_name(s->method),
		STR_ARG(rest_masked(s->session, s->page_arena,
			rest_url_for_people(s->page_arena, buf_str(&s->call.url)))),
		(unsigned long long)s->requests);
}

static int source_status(const struct source *s)
{
	return s->call.http.status;
}

static struct str source_zero_reason(const struct source *s)
{
	if (s->records > s->select.dropped)
		return STR_NULL;
	return s->records > 0 ? rest_select_reason(s) : s->zero_reason;
}

const struct source_ops rest_source_ops = { source_open, source_next, source_status,
	source_zero_reason, rest_mark_done, source_close };
