/*
 * rest_lookup.c - dynamic lookups: values that are asked of the application.
 *
 * For each record of a page the requests of the lookups that the import uses are rendered; equal
 * ones become one question. The questions are asked side by side, and each answer is read once per
 * lookup that asked it. What is found:
 *   - 404, an empty answer, and an extracted null, "", [] or {} are nothing;
 *   - an extracted array is its only element; of several, the first with allowFailures, else the
 *     record fails. So does an answer that is an array of several when the extract does not begin
 *     with an index: `0.id` takes the first by its own word, `id` means the only one;
 *   - nothing: with allowFailures the default, or no value; without it the record fails, but for the
 *     lookups by which something is decided, whose answer that is.
 * A lookup that could not be asked fails the record with or without allowFailures: an application
 * that is down has not said that there is nothing.
 */
#include "adaptor/rest/rest_sink_priv.h"

#define ANSWER_SHOWN 200

/* One request, and what one lookup reads from its answer. */
struct question {
	struct task task;
	const struct lookup *lookup;
	struct question *twin; /* the same request, of another lookup */
	struct str uri, body;
	const struct json *value; /* NULL: nothing */
	struct err err;
	bool deferred;
	int status;
	unsigned attempts;
	struct str sent, response; /* when it failed */
};

/* ---- compile ---- */

static bool is_true(const struct json *v)
{
	return v != NULL &&
	       (v->type == JSON_TRUE || (v->type == JSON_STRING && str_eq_z(json_str(v), "true")));
}

static bool begins_with_index(struct str path)
{
	return path.n > 0 && ((path.p[0] >= '0' && path.p[0] <= '9') ||
				     (path.p[0] == '[' && path.n > 1 && path.p[1] != '"'));
}

/* The body, by any of its three names. */
static bool read_body(struct sink *s, const struct json *doc, struct lookup *l, struct err *err)
{
	static const char *const names[] = { "postData", "postBody", "body" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_get(doc, str_z(names[i]));

		if (v != NULL && v->type != JSON_NULL)
			return rest_text_compile(s->arena, v, &l->body, err) ||
			       err_wrap(err, "%s", names[i]);
	}
	return true;
}

static bool read_lookup(struct sink *s, const struct json *doc, struct lookup *l, struct err *err)
{
	struct str extract = json_get_str(doc, STR("extract"));

	l->name = json_get_str(doc, STR("name"));
	l->method = rest_method(json_get_str(doc, STR("method")), HTTP_GET);
	l->allow_failures = is_true(json_get(doc, STR("allowFailures")));
	l->def = json_get(doc, STR("default"));
	l->extract_indexes = begins_with_index(extract);
	if (!template_compile(s->arena, json_get_str(doc, STR("relativeURI")), TEMPLATE_URI,
		    &l->uri, err))
		return err_wrap(err, "relativeURI");
	if (extract.n > 0 && !path_compile(s->arena, extract, false, &l->extract, err))
		return err_wrap(err, "extract");
	return read_body(s, doc, l, err);
}

bool rest_lookup_compile(struct sink *s, const struct json *import, struct err *err)
{
	const struct json *list = json_get_path(import, STR("rest.lookups"));

	if (!json_is_array(list))
		return true;
	s->lookups = arena_array_of(s->arena, struct lookup, MAX(list->n, 1));
	for (json_each (doc, list)) {
		if (json_get_str(doc, STR("relativeURI")).p == NULL)
			continue; /* static: the mapping's */
		if (s->lookup_count == SINK_LOOKUPS_MAX)
			return err_set(err, ERR_LIMIT,
				"rest.lookups can have at most %d that ask the application",
				SINK_LOOKUPS_MAX);
		if (!read_lookup(s, doc, &s->lookups[s->lookup_count], err))
			return err_wrap(err, "\"%.*s\"", STR_ARG(json_get_str(doc, STR("name")))) ||
			       rest_fault(err, "rest.lookups");
		s->lookup_count++;
	}
	return true;
}

struct lookup *rest_lookup_find(const struct sink *s, struct str name)
{
	for (size_t i = 0; i < s->lookup_count; i++)
		if (str_eq(s->lookups[i].name, name))
			return &s->lookups[i];
	return NULL;
}

/* The lookup by which the field's condition is decided: empty is then an answer too. */
static void mark_condition(struct sink *s, const struct json *field, struct lookup *own)
{
	const struct json *c = json_get(field, STR("conditional"));
	struct str when = json_get_str(c, STR("when")), name = json_get_str(c, STR("lookupName"));
	struct lookup *l = name.p == NULL ? own : rest_lookup_find(s, name);

	if (l == NULL)
		return;
	l->used = true;
	l->may_be_empty |= str_eq_z(when, "lookup_empty") || str_eq_z(when, "lookup_not_empty");
}

static void mark_fields(struct sink *s, const struct json *fields)
{
	if (!json_is_array(fields))
		return;
	for (json_each (f, fields)) {
		struct str name = json_get_str(f, STR("lookupName"));
		struct lookup *l = rest_lookup_find(s,
			name.p != NULL ? name : json_get_str(f, STR("lookup")));

		if (l != NULL)
			l->used = true;
		mark_condition(s, f, l);
	}
}

void rest_lookup_mark(struct sink *s, const struct json *import)
{
	const struct json *lists = json_get_path(import, STR("mapping.lists"));

	mark_fields(s, json_get_path(import, STR("mapping.fields")));
	if (json_is_array(lists))
		for (json_each (list, lists))
			mark_fields(s, json_get(list, STR("fields")));
	for (size_t i = 0; i < s->lookup_count; i++) {
		struct lookup *l = &s->lookups[i];

		for (size_t k = 0; k < s->operation_count; k++)
			l->used |= rest_values_names(s->operations[k].uri, l->name) ||
				   rest_text_names(s->operations[k].body, l->name);
		for (size_t k = 0; k < s->header_count; k++)
			l->used |= rest_values_names(s->headers[k].value, l->name);
		l->used |= l->decides;
		l->may_be_empty |= l->decides;
		s->lookups_used |= l->used;
	}
}

/* ---- one lookup ---- */

bool rest_lookup_render(struct sink *s, const struct lookup *l, const struct json *record,
	struct buf *uri, struct buf *body, struct err *err)
{
	struct values v = { .sink = s, .record = record };

	buf_reset(uri);
	buf_reset(body);
	if (!rest_values_uri(l->uri, &v, uri, err))
		return err_wrap(err, "lookup \"%.*s\", relativeURI", STR_ARG(l->name));
	if (l->body != NULL && !rest_text_render(l->body, &v, body, err))
		return err_wrap(err, "lookup \"%.*s\", body", STR_ARG(l->name));
	if (body->over)
		return err_set(err, ERR_LIMIT, "lookup \"%.*s\": the body is longer than %zu bytes",
			STR_ARG(l->name), body->max);
	return true;
}

static bool is_nothing(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL || (v->type >= JSON_STRING && v->n == 0);
}

/*
 * An answer of another kind than the extract expects, such as an error told with status 200: that
 * nothing was found can't be told from it.
 */
static bool is_unfit(const struct lookup *l, const struct json *doc)
{
	switch ((enum json_type)doc->type) {
	case JSON_STRING:
		return doc->n > 0;
	case JSON_NUMBER:
	case JSON_TRUE:
		return true;
	case JSON_OBJECT:
		return doc->n > 0 && l->extract_indexes;
	default:
		return false;
	}
}

static bool unfit(const struct lookup *l, const struct json *doc, struct err *err)
{
	static const char *const words[] = { [JSON_STRING] = "a string",
		[JSON_NUMBER] = "a number",
		[JSON_TRUE] = "true",
		[JSON_OBJECT] = "an object" };

	return err_set(err, ERR_RESPONSE, "%s was answered, in which \"%.*s\" can't be",
		words[doc->type], STR_ARG(path_text(l->extract)));
}

/* The one value of what the path found; of several the first, unless one was wanted. */
static bool pick(const struct lookup *l, const struct json *doc, const struct json **value,
	struct err *err)
{
	const struct json *v = doc;
	uint32_t several = 0;

	if (l->extract != NULL) {
		if (json_is_array(doc) && doc->n > 1 && !l->extract_indexes)
			several = doc->n;
		v = path_get(l->extract, doc);
		if (v == NULL && !l->allow_failures && is_unfit(l, doc))
			return unfit(l, doc, err);
	}
	if (json_is_array(v) && v->n > 0) {
		several = MAX(several, v->n > 1 ? v->n : 0);
		v = json_at(v, 0);
	}
	if (several > 0 && !l->allow_failures)
		return err_set(err, ERR_LOOKUP, "%u were found where one was needed", several);
	*value = is_nothing(v) ? NULL : v;
	return true;
}

/* Copies the value into the page's arena; what a page keeps of its lookups is bounded. */
static bool keep(struct sink *s, struct arena *a, const struct json **value, struct err *err)
{
	size_t before = arena_used(a), bytes;

	*value = rest_result_copy(a, *value);
	bytes = arena_used(a) - before;
	if (bytes > s->keep_left)
		return err_set(err, ERR_LIMIT,
			"what the lookups of a page find is larger than %d bytes; an extract can "
			"say which part is wanted",
			LIMIT_RESPONSE_BODY);
	s->keep_left -= bytes;
	return true;
}

bool rest_lookup_read(struct sink *s, const struct lookup *l, const struct rest_call *c,
	struct arena *a, const struct json **value, struct err *err)
{
	const struct http_call *h = &c->http;
	const struct json *doc;

	*value = NULL;
	if (h->status == 404)
		return true;
	if (h->status < 200 || h->status > 299)
		return rest_status_error(s->session, h, err);
	if (str_trim(buf_str(&h->res_body)).n == 0)
		return true;
	arena_reset(s->scratch);
	char *text = arena_strndup(s->scratch, h->res_body.p, h->res_body.n);

	if (!rest_answer_parse(s->session, h, s->scratch, text, h->res_body.n, &doc, err) ||
		!pick(l, doc, value, err))
		return false;
	return keep(s, a, value, err);
}

/* ---- questions of a page ---- */

static bool fill(struct sink *s UNUSED, struct slot *slot, struct task *t, struct err *err UNUSED)
{
	const struct question *q = (struct question *)t;
	struct rest_call *c = &slot->call;

	c->purpose = "lookup";
	c->method = q->lookup->method;
	c->uri = q->uri;
	c->own_count = 0;
	c->body = q->body;
	return true;
}

static void wrap(const struct question *q, struct err *err)
{
	err_wrap(err, "lookup \"%.*s\": %s %.*s", STR_ARG(q->lookup->name),
		http_method_name(q->lookup->method), STR_ARG(str_sub(q->uri, 0, ANSWER_SHOWN)));
}

static void take_error(struct sink *s, struct question *q, const struct rest_call *c,
	const struct err *err)
{
	q->err = *err;
	wrap(q, &q->err);
	q->sent = rest_evidence_request(s->session, c, q->task.arena);
	q->response = c->http.status == 0 ? STR_NULL
					  : rest_evidence_response(s->session, c, q->task.arena);
}

static bool land(struct sink *s, struct slot *slot, struct task *t)
{
	const struct rest_call *c = &slot->call;
	int64_t wait_ms;

	t->wait_ms = 0;
	bool again = rest_send_again(s, slot, t, &wait_ms);

	if (again && wait_ms <= (int64_t)LIMIT_INLINE_WAIT_S * 1000) {
		t->wait_ms = wait_ms;
		return false;
	}
	for (struct question *q = (struct question *)t; q != NULL; q = q->twin) {
		struct err err = ERR_INIT;

		q->status = c->http.status;
		q->attempts = t->attempts;
		if (c->http.err.code != ERR_NONE)
			err = c->http.err;
		else if (rest_lookup_read(s, q->lookup, c, t->arena, &q->value, &err))
			continue;
		take_error(s, q, c, &err);
		q->deferred = again;
		if (again)
			q->err.retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
	}
	return true;
}

static void fail(struct sink *s UNUSED, struct task *t, const struct err *err)
{
	for (struct question *q = (struct question *)t; q != NULL; q = q->twin) {
		q->err = *err;
		wrap(q, &q->err);
		q->attempts = t->attempts;
	}
}

static void defer(struct sink *s UNUSED, struct task *t, int64_t wait_ms)
{
	for (struct question *q = (struct question *)t; q != NULL; q = q->twin) {
		err_set(&q->err, ERR_RATE, "not asked: the application wants a pause of %lld s",
			(long long)((wait_ms + 999) / 1000));
		q->err.retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
		q->deferred = true;
		wrap(q, &q->err);
	}
}

static const struct task_ops lookup_ops = { fill, land, fail, defer };

struct asking {
	struct sink *sink;
	struct arena *arena;
	struct map *by_request; /* to the first question of each request */
	struct task *first, **last;
};

/* The page's question for this request: an equal one that is there already, or a new one. */
static struct question *question_for(struct asking *x, const struct lookup *l, struct str uri,
	struct str body)
{
	struct arena *a = x->arena;
	struct buf *key = &x->sink->text;

	buf_reset(key);
	buf_add_str(key, str_z(http_method_name(l->method)));
	buf_add_char(key, ' ');
	buf_add_str(key, uri);
	buf_add_char(key, '\n');
	buf_add_str(key, body);
	struct question *there = map_get(x->by_request, buf_str(key)), *q;

	for (q = there; q != NULL; q = q->twin)
		if (q->lookup == l)
			return q;
	q = arena_new_of(a, struct question);
	q->lookup = l;
	q->task.arena = a;
	q->uri = there != NULL ? there->uri : str_dup(a, uri);
	q->body = there != NULL ? there->body : str_dup(a, body);
	if (there != NULL) {
		q->twin = there->twin;
		there->twin = q;
	} else {
		map_put(x->by_request, str_dup(a, buf_str(key)), q);
		*x->last = &q->task;
		x->last = &q->task.next;
	}
	return q;
}

/* The question of one lookup for one record; NULL: it needs none, or d->err says why. */
static struct question *ask(struct asking *x, const struct lookup *l, struct delivery *d)
{
	struct sink *s = x->sink;
	struct slot *slot = &s->slots[0]; /* nothing is in the air: its buffers are free */
	struct err err = ERR_INIT;

	if (rest_lookup_render(s, l, d->source, &slot->uri, &slot->body, &err))
		return question_for(x, l, buf_str(&slot->uri), buf_str(&slot->body));
	if (err.code != ERR_MISSING_VALUE || !l->allow_failures)
		d->err = err;
	return NULL;
}

static void take_failure(struct delivery *d, const struct question *q)
{
	d->err = q->err;
	d->deferred = q->deferred;
	d->status = q->status;
	d->sent = q->sent;
	d->response = q->response;
}

static void say_nothing_found(struct delivery *d, const struct lookup *l, const struct question *q)
{
	if (q == NULL) {
		err_set(&d->err, ERR_LOOKUP, "lookup \"%.*s\" found nothing", STR_ARG(l->name));
		return;
	}
	err_set(&d->err, ERR_LOOKUP, "nothing was found (status %d)", q->status);
	wrap(q, &d->err);
	d->status = q->status;
}

/* The results by name. Returns NULL when one fails the record. */
static const struct json *collect(struct sink *s, struct delivery *d,
	struct question *const *questions, struct arena *a)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	for (size_t i = 0; i < s->lookup_count; i++) {
		const struct lookup *l = &s->lookups[i];
		const struct question *q = questions[i];
		const struct json *value = q == NULL ? NULL : q->value;

		if (!l->used)
			continue;
		if (q != NULL && q->err.code != ERR_NONE) {
			take_failure(d, q);
			return NULL;
		}
		if (value == NULL && !l->allow_failures && !l->may_be_empty) {
			say_nothing_found(d, l, q);
			return NULL;
		}
		if (value == NULL && l->allow_failures && !l->decides)
			value = l->def;
		json_add_copy(&b, l->name, value);
	}
	json_build_end(&b);
	return json_build_done(&b);
}

/* One that has its request already was asked about before. */
static bool needs_lookups(const struct delivery *d)
{
	return d->err.code == ERR_NONE && !d->ignored && d->request.p == NULL;
}

void rest_lookup_ask(struct sink *s, struct delivery *records, size_t n, struct arena *a)
{
	size_t width = s->lookup_count;
	struct question **questions;
	struct asking x = { .sink = s, .arena = a };

	if (!s->lookups_used)
		return;
	s->keep_left = LIMIT_RESPONSE_BODY;
	x.last = &x.first;
	x.by_request = map_new(a);
	questions = arena_array_of(a, struct question *, n * width);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < width; k++)
			if (needs_lookups(&records[i]) && s->lookups[k].used)
				questions[i * width + k] = ask(&x, &s->lookups[k], &records[i]);
	rest_send_run(s, x.first, &lookup_ops);
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = &records[i];

		if (needs_lookups(d))
			d->lookups = collect(s, d, &questions[i * width], a);
		if (d->err.code != ERR_NONE && d->stage == NULL)
			d->stage = "lookup";
	}
}
