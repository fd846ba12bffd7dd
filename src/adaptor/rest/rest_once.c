/*
 * rest_once.c - exports of type once: tells the application which records were delivered.
 *
 * One request per record, as many in the air as the connection allows. It runs on the sink's thread
 * while the export fetches the next page on its own, so it has a session of its own. Rounds: what
 * failed and may pass is sent again together, behind the longest of their pauses.
 */
#include "adaptor/rest/rest_source_priv.h"

#include "core/limits.h"

struct slot {
	struct rest_call call;
	struct http_header headers[REST_HEADERS_MAX]; /* rendered for the record */
	struct arena *arena;
	size_t record;
	bool busy;
};

struct rest_once {
	struct rest_session *session;
	struct slot *slots;
	size_t slot_count;
	struct http_header headers[REST_HEADERS_MAX];
	size_t header_count;
	enum http_method method;
	struct str uri;
	const struct json *body;
};

void rest_once_close(struct rest_once *o)
{
	if (o == NULL)
		return;
	rest_session_close(o->session);
	for (size_t i = 0; i < o->slot_count; i++) {
		rest_call_free(&o->slots[i].call);
		arena_free(o->slots[i].arena);
	}
}

static bool open_once(struct source *s, struct err *err)
{
	struct rest_once *o = arena_new_of(s->arena, struct rest_once);
	const struct json *once = json_get(s->rest, STR("once"));

	o->uri = json_get_str(once, STR("relativeURI"));
	if (o->uri.p == NULL)
		return err_set_field(err, ERR_MISSING, "rest.once.relativeURI",
			"an export of type once needs rest.once.relativeURI to say which records "
			"were delivered");
	o->method = rest_method(json_get_str(once, STR("method")), HTTP_PUT);
	o->body = json_get(once, STR("postBody"));
	if (!rest_headers_read(json_get(s->rest, STR("headers")), o->headers, &o->header_count,
		    err) ||
		!rest_session_open(s->env, s->connection, 0, &o->session, err))
		return false;
	o->slot_count = rest_session_concurrency(o->session);
	o->slots = arena_array_of(s->arena, struct slot, o->slot_count);
	for (size_t i = 0; i < o->slot_count; i++) {
		rest_call_init(&o->slots[i].call);
		o->slots[i].arena = arena_new("record", 0);
		o->slots[i].call.user = &o->slots[i];
	}
	s->once = o;
	return true;
}

static const struct json *template_record(const struct source *s, struct arena *a,
	const struct json *record)
{
	const struct json *parts[] = { s->variables, rest_session_variables(s->once->session),
		record };
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (json_is_object(parts[i]))
			for (json_each_member(key, parts[i])) {
				json_build_key(&b, json_str(key));
				json_build_copy(&b, json_value(key));
			}
	json_build_end(&b);
	return json_build_done(&b);
}

static bool begin(struct source *s, struct slot *slot, const struct json *record, struct err *err)
{
	struct rest_once *o = s->once;
	struct rest_render r = { .arena = slot->arena };
	struct rest_call *c = &slot->call;

	arena_reset(slot->arena);
	r.record = template_record(s, slot->arena, record);
	c->purpose = "once";
	c->method = o->method;
	c->own = slot->headers;
	c->own_count = o->header_count;
	for (size_t i = 0; i < o->header_count; i++) {
		slot->headers[i].name = o->headers[i].name;
		if (!rest_render_text(&r, o->headers[i].value, &slot->headers[i].value, err))
			return err_wrap(err, "rest.headers, %.*s", STR_ARG(o->headers[i].name));
	}
	if (!rest_render_uri(&r, o->uri, &c->uri, err))
		return err_wrap(err, "rest.once.relativeURI");
	if (!rest_render_body(&r, o->session, o->body, &c->body, err))
		return err_wrap(err, "rest.once.postBody");
	return rest_session_submit(o->session, c, err);
}

/* How a record ended; true: it may be tried again in *WAIT_MS. */
static bool finish(struct source *s, struct slot *slot, unsigned attempt, struct err *err,
	int64_t *wait_ms)
{
	const struct http_call *c = &slot->call.http;
	int64_t ms;

	slot->busy = false;
	err_clear(err);
	if (c->err.code == ERR_NONE && c->status >= 200 && c->status <= 299)
		return false;
	if (c->err.code != ERR_NONE)
		*err = c->err;
	else
		(void)rest_status_error(s->once->session, c, err);
	err_wrap(err, "%s %.*s", http_method_name(slot->call.method),
		STR_ARG(rest_masked(s->once->session, slot->arena,
			rest_url_for_people(slot->arena, slot->call.http.url))));
	if (attempt >= s->attempts_max || !rest_retry_in(s->once->session, c, attempt, &ms) ||
		ms > LIMIT_INLINE_WAIT_S * INT64_C(1000))
		return false;
	*wait_ms = MAX(*wait_ms, ms);
	return true;
}

static struct slot *free_slot(struct rest_once *o)
{
	for (size_t i = 0; i < o->slot_count; i++)
		if (!o->slots[i].busy)
			return &o->slots[i];
	return NULL;
}

/* One round over the records in OPEN (COUNT of them); those to try again stay in it. */
static size_t round_of(struct source *s, const struct json *const *records, size_t *open,
	size_t count, unsigned attempt, struct err *errs, int64_t *wait_ms)
{
	struct rest_once *o = s->once;
	size_t next = 0, in_air = 0, left = 0;

	while (next < count || in_air > 0) {
		struct slot *slot = next < count ? free_slot(o) : NULL;

		if (slot != NULL) {
			slot->record = open[next++];
			err_clear(&errs[slot->record]);
			slot->busy = begin(s, slot, records[slot->record], &errs[slot->record]);
			in_air += slot->busy;
			continue;
		}
		struct rest_call *c = rest_session_next(o->session, INT64_MAX);

		if (c == NULL)
			continue;
		slot = c->user;
		in_air--;
		/* never ahead of what is still to be read: a finished record was taken from before */
		if (finish(s, slot, attempt, &errs[slot->record], wait_ms))
			open[left++] = slot->record;
	}
	return left;
}

bool rest_mark_done(struct source *s, const struct json *const *records, size_t n, struct err *errs,
	struct err *err)
{
	struct err failed = ERR_INIT;

	if (n == 0)
		return true;
	if (s->once == NULL && !open_once(s, &failed)) {
		for (size_t i = 0; i < n; i++)
			errs[i] = failed;
		return true;
	}
	struct arena *a DEFER(arena_freep) = arena_new("once", 0);
	size_t *open = arena_array_of(a, size_t, n), left = n;

	for (size_t i = 0; i < n; i++)
		open[i] = i;
	for (unsigned attempt = 1; left > 0; attempt++) {
		int64_t wait_ms = 0;

		left = round_of(s, records, open, left, attempt, errs, &wait_ms);
		if (left > 0 && !rest_session_wait(s->once->session, wait_ms, err))
			break;
	}
	return !rest_session_canceled(s->once->session, err->code == ERR_NONE ? err : NULL);
}
