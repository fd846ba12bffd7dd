/*
 * rest_sink.c - a REST import: one request per record, several in the air, results by record.
 *
 * As many slots as the connection's concurrency, each with its call and buffers, are filled with
 * records in order; a finished slot takes the next record at once, so a slow answer holds up no
 * other record.
 */
#include "adaptor/rest/rest_priv.h"

#include "core/limits.h"
#include "map/mapping.h"
#include "map/path.h"
#include "map/template.h"

#define CANCEL_POLL_MS 250

struct slot {
	struct http_call call;
	struct buf url, body;
	struct delivery *record; /* NULL: free */
};

struct sink {
	struct arena *arena; /* session */
	const struct adaptor_env *env;
	const struct mapping *mapping;
	struct rest_connection conn;
	struct http_pool *pool;
	enum http_method method;
	struct template *relative_uri;
	struct str constant_url; /* p NULL: made per record */
	struct http_header headers[REST_HEADERS_MAX];
	size_t header_count;
	struct path *id_path, *success_path; /* NULL: none */
	struct slot *slots;
	size_t slot_count, in_air;
	struct arena *scratch; /* of one record's preparation or answer */
};

static void sink_close(struct sink *s)
{
	if (s == NULL)
		return;
	http_pool_free(s->pool);
	for (size_t i = 0; i < s->slot_count; i++) {
		http_call_free(&s->slots[i].call);
		buf_free(&s->slots[i].url);
		buf_free(&s->slots[i].body);
	}
	arena_free(s->scratch);
	struct arena *a = s->arena;

	arena_wipe(a);
	arena_free(a);
}

static bool read_request(struct sink *s, const struct json *rest, struct err *err)
{
	struct str uri = json_get_str(rest, STR("relativeURI"));

	if (uri.p == NULL)
		uri = STR("");
	s->method = rest_method(json_get_str(rest, STR("method")), HTTP_POST);
	if (!template_compile(s->arena, uri, TEMPLATE_URI, &s->relative_uri, err))
		return err_wrap(err, "rest.relativeURI");
	if (template_is_constant(s->relative_uri)) {
		struct buf b DEFER(buf_free) = BUF_INIT(URL_BYTES_MAX);

		if (!template_render(s->relative_uri, &json_empty_object, NULL, &b, NULL, err))
			return err_wrap(err, "rest.relativeURI");
		s->constant_url = rest_url(s->arena, &s->conn, str_dup(s->arena, buf_str(&b)));
	}
	return rest_headers(s->arena, &s->conn, json_get(rest, STR("headers")), true, s->headers,
		&s->header_count, err);
}

static bool read_answer(struct sink *s, const struct json *rest, struct err *err)
{
	struct str id = json_get_str(rest, STR("responseIdPath"));
	struct str success = json_get_str(rest, STR("successPath"));

	if (id.n > 0 && !path_compile(s->arena, id, false, &s->id_path, err))
		return err_wrap(err, "rest.responseIdPath");
	if (success.n > 0 && !path_compile(s->arena, success, false, &s->success_path, err))
		return err_wrap(err, "rest.successPath");
	return true;
}

static void make_slots(struct sink *s)
{
	s->slot_count = s->conn.concurrency;
	s->slots = arena_array_of(s->arena, struct slot, s->slot_count);
	for (size_t i = 0; i < s->slot_count; i++) {
		struct slot *slot = &s->slots[i];

		http_call_init(&slot->call);
		slot->url = (struct buf)BUF_INIT(URL_BYTES_MAX);
		slot->body = (struct buf)BUF_INIT(0);
		slot->call.method = s->method;
		slot->call.headers = s->headers;
		slot->call.header_count = s->header_count;
		slot->call.insecure_tls = s->conn.insecure_tls;
		slot->call.timeout_ms = s->env->timeout_ms;
		slot->call.user = slot;
	}
}

static bool sink_open(const struct adaptor_env *env, const struct json *connection,
	const struct json *import, const struct sink_args *args, struct sink **out, struct err *err)
{
	struct arena *a = arena_new("session", 0);
	struct sink *s = arena_new_of(a, struct sink);
	const struct json *rest = json_get(import, STR("rest"));

	s->arena = a;
	s->env = env;
	s->mapping = args->mapping;
	s->scratch = arena_new("record", 0);
	if (!rest_connection_read(a, connection, &s->conn, err) || !read_request(s, rest, err) ||
		!read_answer(s, rest, err)) {
		sink_close(s);
		return false;
	}
	s->pool = http_pool_new(&(struct http_pool_config){ .egress = env->egress,
		.concurrency = s->conn.concurrency,
		.ca_file = env->ca_file });
	make_slots(s);
	*out = s;
	return true;
}

/* {"u": relative URI, "b": body}: what is sent, but for what the connection adds. */
static bool prepare(struct sink *s, struct delivery *d, struct arena *a)
{
	struct buf uri DEFER(buf_free) = BUF_INIT(URL_BYTES_MAX);
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	if (s->constant_url.p == NULL) {
		if (!template_render(s->relative_uri, d->source, NULL, &uri, NULL, &d->err))
			return err_wrap(&d->err, "rest.relativeURI");
		json_add_str(&b, STR("u"), str_dup(a, buf_str(&uri)));
	}
	if (s->method != HTTP_GET && s->method != HTTP_HEAD)
		json_add_copy(&b, STR("b"), d->mapped);
	json_build_end(&b);
	d->request = json_print_arena(a, json_build_done(&b));
	return true;
}

static bool sink_prepare(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err UNUSED)
{
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = &records[i];

		if (d->err.code == ERR_NONE && !d->ignored && d->request.p == NULL &&
			!prepare(s, d, a))
			d->stage = "mapping";
	}
	return true;
}

static bool sink_map(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err UNUSED)
{
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = &records[i];
		struct json_build b;

		if (d->err.code != ERR_NONE || d->ignored || d->request.p != NULL)
			continue;
		json_build_init(&b, a);
		if (mapping_apply(s->mapping, d->source, NULL, &b, &d->err))
			d->mapped = json_build_done(&b);
		else
			d->stage = "mapping";
	}
	return true;
}

/* Fills the slot's call from what was prepared. */
static bool fill_call(struct sink *s, struct slot *slot, struct delivery *d)
{
	struct http_call *c = &slot->call;
	const struct json *request;

	arena_reset(s->scratch);
	if (!json_parse_copy(s->scratch, d->request, &request, &d->err))
		return false;
	c->url = s->constant_url;
	if (c->url.p == NULL) {
		buf_reset(&slot->url);
		buf_add_str(&slot->url,
			rest_url(s->scratch, &s->conn, json_get_str(request, STR("u"))));
		if (slot->url.over)
			return err_set(&d->err, ERR_LIMIT,
				"the record makes a URL of more than %d bytes", URL_BYTES_MAX);
		c->url = buf_str(&slot->url);
	}
	buf_reset(&slot->body);
	if (json_get(request, STR("b")) != NULL)
		json_print(&slot->body, json_get(request, STR("b")), JSON_COMPACT);
	c->body = buf_str(&slot->body);
	return true;
}

static bool is_credential(const struct sink *s, struct str name)
{
	static const char *const words[] = { "authorization", "cookie", "token", "key", "secret",
		"password" };

	for (size_t i = 0; i < s->conn.header_count; i++)
		if (str_eq_ci(s->conn.headers[i].name, name))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (size_t at = 0; at < name.n; at++)
			if (str_starts_ci(str_from(name, at), str_z(words[i])))
				return true;
	return false;
}

/* TEXT as evidence: at most LIMIT_ERROR_EVIDENCE bytes, cut at a character, and never invalid UTF-8. */
static void add_bounded(struct buf *b, struct str text)
{
	size_t room = LIMIT_ERROR_EVIDENCE - MIN(b->n, (size_t)LIMIT_ERROR_EVIDENCE);
	struct str cut = str_sub(text, 0, room);

	for (int i = 0; i < 3 && cut.n > 0 && !str_is_utf8(cut); i++)
		cut.n--;
	if (str_is_utf8(cut))
		buf_add_str(b, cut);
	else
		buf_add_fmt(b, "(%zu bytes that are not text)", text.n);
	if (cut.n < text.n)
		buf_add_fmt(b, "\n... (%zu bytes in all)", text.n);
}

static struct str request_evidence(struct sink *s, const struct http_call *c, struct arena *a)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_fmt(&b, "%s %.*s\n", http_method_name(c->method),
		STR_ARG(rest_url_masked(a, &s->conn, c->url)));
	for (size_t i = 0; i < c->header_count; i++) {
		struct str value = is_credential(s, c->headers[i].name) ? STR("******")
									: c->headers[i].value;

		buf_add_fmt(&b, "%.*s: %.*s\n", STR_ARG(c->headers[i].name), STR_ARG(value));
	}
	buf_add_char(&b, '\n');
	add_bounded(&b, c->body);
	return str_dup(a, buf_str(&b));
}

static struct str response_evidence(const struct http_call *c, struct arena *a)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct str type = http_call_header(c, STR("Content-Type"));

	if (c->status == 0)
		return STR_NULL;
	buf_add_fmt(&b, "%d %s\n", c->status, http_status_text(c->status));
	if (type.p != NULL)
		buf_add_fmt(&b, "Content-Type: %.*s\n", STR_ARG(type));
	buf_add_char(&b, '\n');
	add_bounded(&b, buf_str(&c->res_body));
	return str_dup(a, buf_str(&b));
}

static bool is_false_like(const struct json *v)
{
	double number;

	if (v == NULL || v->type == JSON_NULL || v->type == JSON_FALSE)
		return true;
	if (v->type == JSON_STRING)
		return v->n == 0;
	return v->type == JSON_NUMBER && json_to_double(v, &number) && number >= 0 && number <= 0;
}

/* What a 2xx answer says about the record: its id, and whether it was a success after all. */
static bool judge_answer(struct sink *s, struct http_call *c, struct delivery *d, struct arena *a)
{
	const struct json *doc;
	struct err unreadable = ERR_INIT;

	if (s->success_path == NULL && s->id_path == NULL)
		return true;
	if (!json_parse_copy(a, buf_str(&c->res_body), &doc, &unreadable)) {
		if (s->success_path == NULL)
			return true;
		err_set(&d->err, ERR_RESPONSE, "the answer is not JSON: %s", unreadable.message);
		return false;
	}
	if (s->id_path != NULL)
		d->id = path_get(s->id_path, doc);
	if (s->success_path == NULL || !is_false_like(path_get(s->success_path, doc)))
		return true;
	d->status = 422;
	(void)rest_status_error(c, &d->err);
	return err_wrap(&d->err, "successPath \"%.*s\" is not set",
		STR_ARG(path_text(s->success_path)));
}

static void finish(struct sink *s, struct slot *slot, struct arena *a)
{
	struct http_call *c = &slot->call;
	struct delivery *d = slot->record;

	slot->record = NULL;
	s->in_air--;
	d->status = c->err.code == ERR_NONE ? c->status : 0;
	if (c->err.code != ERR_NONE)
		d->err = c->err;
	else if (c->status < 200 || c->status > 299)
		(void)rest_status_error(c, &d->err);
	else
		(void)judge_answer(s, c, d, a);
	if (LIKELY(d->err.code == ERR_NONE))
		return;
	d->stage = "submit";
	d->sent = request_evidence(s, c, a);
	d->response = c->err.code == ERR_NONE ? response_evidence(c, a) : STR_NULL;
}

static struct slot *free_slot(struct sink *s)
{
	for (size_t i = 0; i < s->slot_count; i++)
		if (s->slots[i].record == NULL)
			return &s->slots[i];
	return NULL;
}

/* Puts the record on its way in SLOT; false: it failed before. */
static bool begin(struct sink *s, struct slot *slot, struct delivery *d)
{
	if (!fill_call(s, slot, d))
		return false;
	slot->record = d;
	s->in_air++;
	http_pool_submit(s->pool, &slot->call);
	return true;
}

static bool canceled(const struct sink *s)
{
	return s->env->canceled != NULL && atomic_load(s->env->canceled);
}

static bool sink_submit(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err)
{
	size_t next = 0;
	struct slot *slot = free_slot(s);

	while (next < n || s->in_air > 0) {
		if (UNLIKELY(canceled(s))) {
			http_pool_cancel(s->pool);
			for (; next < n; next++)
				if (records[next].err.code == ERR_NONE)
					err_set(&records[next].err, ERR_CANCELED,
						"the job was canceled");
		}
		for (; next < n && slot != NULL; next++)
			if (records[next].err.code == ERR_NONE && !records[next].ignored &&
				begin(s, slot, &records[next]))
				slot = free_slot(s);
		if (s->in_air == 0)
			continue;
		struct http_call *c = http_pool_next(s->pool,
			clock_mono_ms(clock_system()) + CANCEL_POLL_MS);

		if (c != NULL) {
			slot = c->user;
			finish(s, slot, a);
		}
	}
	return !canceled(s) || err_set(err, ERR_CANCELED, "the job was canceled");
}

const struct sink_ops rest_sink_ops = { sink_open, sink_map, sink_prepare, sink_submit,
	sink_close };

const struct adaptor rest_adaptor = { "rest", NULL, &rest_source_ops, &rest_sink_ops };
