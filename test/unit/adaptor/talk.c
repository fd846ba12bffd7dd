/*
 * talk.c - plays a .talk file through the adaptor of its connection and compares what came of it.
 */
#include "test.h"

#include "talk.h"
#include "talk_peer.h"

#include "adaptor/adaptor.h"
#include "map/mapping.h"
#include "net/http_client.h"

#define CHUNKS_MAX 64

struct play {
	struct arena *arena;
	const struct talk_file *file;
	struct talk_peer peer;
	struct clock_test clock;
	struct rng rng;
	atomic_bool canceled;
	struct adaptor_env env;
	const struct adaptor *adaptor;
	const struct json *connection;
	const struct json *stored; /* the connection, as it is stored now */
	struct vault *vault;
	struct call_args args;

	/* What came of it. */
	struct err err;
	struct buf shown; /* traces, evidence, messages, requests, cursors */
	struct buf purposes;
	size_t chunk_count;
	struct str cursors[CHUNKS_MAX];      /* behind chunk i */
	size_t exchanges[CHUNKS_MAX];        /* taken when chunk i was there */
	struct str records_from[CHUNKS_MAX]; /* JSON texts of chunk i's records, joined by commas */
	struct str zero;
	const struct json *deliveries; /* array of objects */
	const struct json *result;     /* of a ping or proxy */
	struct err *marked;
	size_t marked_count;
};

static NORETURN void fail_result(const struct play *p, const struct talk_result *r,
	struct str found)
{
	fail_msg("%s:%u: wanted %.*s %.*s; found %.*s", p->file->path, r->line, STR_ARG(r->word),
		STR_ARG(r->rest), STR_ARG(found));
	abort();
}

static void on_trace(void *ctx, const struct adaptor_trace *t)
{
	struct play *p = ctx;

	buf_add_str(&p->shown, t->request);
	buf_add_str(&p->shown, t->response);
	buf_add_str(&p->shown, str_z(t->err->message));
	buf_add_fmt(&p->purposes, "%s\n", t->purpose);
	assert_true(str_is_utf8(t->request) && str_is_utf8(t->response));
}

/* ---- the stored documents ---- */

static bool open_stored(void *ctx, struct str account_id, const char *type, struct str id,
	struct arena *a, const struct json **doc, struct err *err)
{
	const struct play *p = ctx;
	const struct json *v = strcmp(type, "connection") == 0
				       ? p->stored
				       : talk_document(p->file, "iclient", NULL);

	assert_str(account_id, "5587092ef782280000000001");
	if (v == NULL || !str_eq(json_get_str(v, STR("_id")), id))
		return err_set(err, ERR_NOT_FOUND, "there is no %s %.*s", type, STR_ARG(id));
	return json_parse_copy(a, json_print_arena(a, v), doc, err);
}

static void add_merged(struct json_build *b, const struct json *old, const struct json *patch)
{
	json_build_object(b);
	for (json_each_member(key, old))
		if (json_get(patch, json_str(key)) == NULL)
			json_add_copy(b, json_str(key), json_value(key));
	for (json_each_member(key, patch))
		if (json_value(key)->type != JSON_NULL)
			json_add_copy(b, json_str(key), json_value(key));
	json_build_end(b);
}

static bool save_tokens(void *ctx, struct str account_id UNUSED, struct str id, struct str used,
	const struct json *patch, struct arena *a UNUSED, struct err *err)
{
	struct play *p = ctx;
	const struct json *rest = json_get(p->stored, STR("rest"));
	struct json_build b;

	assert_str(id, "5587092ef782280000000002");
	if (!str_eq(json_get_str(rest, STR("refreshToken")), used))
		return err_set(err, ERR_CONFLICT, "another refresh token is stored");
	json_build_init(&b, p->arena);
	json_build_object(&b);
	json_add_str(&b, STR("_id"), id);
	json_build_key(&b, STR("rest"));
	add_merged(&b, rest, json_get(patch, STR("rest")));
	json_build_end(&b);
	/* what the patch holds ends with the caller's arena */
	p->stored = talk_json(p->file, 0, json_print_arena(p->arena, json_build_done(&b)));
	return true;
}

static const struct vault_ops stored_ops = { open_stored, save_tokens };

static void set_up_vault(struct play *p)
{
	if (talk_section(p->file, "iclient").p == NULL)
		return;
	p->stored = talk_document(p->file, "stored", p->connection);
	p->vault = vault_new(p->arena, &stored_ops, p);
	p->env.vault = p->vault;
	p->env.account_id = STR("5587092ef782280000000001");
}

/* ---- exports ---- */

static void keep_chunk(struct play *p, const struct chunk *c, size_t at)
{
	struct buf b = BUF_INIT(0);

	if (c->single) {
		json_print(&b, c->records, JSON_COMPACT);
	} else {
		for (json_each (it, c->records)) {
			if (b.n > 0)
				buf_add_char(&b, ',');
			json_print(&b, it, JSON_COMPACT);
		}
	}
	p->records_from[at] = str_dup(p->arena, buf_str(&b));
	p->cursors[at] = c->cursor.p == NULL ? STR_NULL : str_dup(p->arena, c->cursor);
	p->exchanges[at] = talk_peer_at(&p->peer);
	buf_add_str(&p->shown, c->cursor);
	buf_free(&b);
}

/* Chunks FROM.. of the texts, as one JSON array. */
static struct str all_records(struct play *p, const struct str *texts, size_t from, size_t count)
{
	struct str all = STR("");

	for (size_t i = from; i < count; i++)
		if (texts[i].n > 0)
			all = str_fmt(p->arena, "%.*s%s%.*s", STR_ARG(all), all.n > 0 ? "," : "",
				STR_ARG(texts[i]));
	return str_fmt(p->arena, "[%.*s]", STR_ARG(all));
}

static void mark(struct play *p, struct source *s)
{
	const struct json *list = talk_json(p->file, 0,
		all_records(p, p->records_from, 0, p->chunk_count));
	const struct json **records = arena_array_of(p->arena, const struct json *, list->n + 1);

	p->marked = arena_array_of(p->arena, struct err, list->n + 1);
	for (json_each (it, list))
		records[p->marked_count++] = it;
	(void)p->adaptor->source->mark_done(s, records, p->marked_count, p->marked, &p->err);
}

static void play_export(struct play *p)
{
	const struct json *export = talk_document(p->file, "export", &json_empty_object);
	const struct source_ops *ops = p->adaptor->source;
	struct source *s;
	bool last = false;

	if (!ops->open(&p->env, p->connection, export, &p->args, talk_section(p->file, "cursor"),
		    &s, &p->err))
		return;
	while (!last && p->chunk_count < CHUNKS_MAX) {
		struct chunk *c = chunk_new();

		if (ops->next(s, c, &p->err)) {
			keep_chunk(p, c, p->chunk_count++);
			last = c->last;
		} else {
			last = true;
		}
		chunk_unref(c);
	}
	p->zero = ops->zero_reason(s);
	if (p->zero.p != NULL)
		p->zero = str_dup(p->arena, p->zero);
	if (p->err.code == ERR_NONE && talk_section(p->file, "mark").p != NULL)
		mark(p, s);
	ops->close(s);
}

/* Opens a source behind chunk AT; what it gives must be what came then. */
static void resume_behind(struct play *p, size_t at)
{
	const struct json *export = talk_document(p->file, "export", &json_empty_object);
	const struct source_ops *ops = p->adaptor->source;
	struct err err = ERR_INIT;
	struct str texts[CHUNKS_MAX];
	size_t count = 0;
	struct source *s;
	bool last = false;

	talk_peer_reset(&p->peer, p->exchanges[at]);
	assert_ok(ops->open(&p->env, p->connection, export, &p->args, p->cursors[at], &s, &err));
	while (!last && count < CHUNKS_MAX) {
		struct chunk *c = chunk_new();

		if (!ops->next(s, c, &err))
			fail_msg("%s: resumed behind chunk %zu: %s (%.*s)", p->file->path, at + 1,
				err.message, STR_ARG(talk_peer_wrong(&p->peer)));
		keep_chunk(p, c, at);
		texts[count++] = p->records_from[at];
		last = c->last;
		chunk_unref(c);
	}
	ops->close(s);
	struct str wrong = talk_peer_wrong(&p->peer);

	if (wrong.p != NULL)
		fail_msg("resumed behind chunk %zu: %.*s", at + 1, STR_ARG(wrong));
	struct str got = all_records(p, texts, 0, count),
		   want = all_records(p, p->records_from, at + 1, p->chunk_count);

	if (!str_eq(got, want))
		fail_msg("%s: resumed behind chunk %zu: got %.*s, want %.*s", p->file->path, at + 1,
			STR_ARG(got), STR_ARG(want));
}

static void resume_everywhere(struct play *p)
{
	struct str *records = arena_memdup(p->arena, p->records_from, sizeof(p->records_from));
	size_t *exchanges = arena_memdup(p->arena, p->exchanges, sizeof(p->exchanges));
	struct str *cursors = arena_memdup(p->arena, p->cursors, sizeof(p->cursors));

	for (size_t i = 0; i + 1 < p->chunk_count; i++) {
		memcpy(p->records_from, records, sizeof(p->records_from));
		memcpy(p->exchanges, exchanges, sizeof(p->exchanges));
		memcpy(p->cursors, cursors, sizeof(p->cursors));
		resume_behind(p, i);
	}
	memcpy(p->records_from, records, sizeof(p->records_from));
	memcpy(p->cursors, cursors, sizeof(p->cursors));
}

/* ---- imports ---- */

static void add_delivery(struct play *p, struct json_build *b, const struct delivery *d)
{
	json_build_object(b);
	if (d->err.code != ERR_NONE) {
		json_add_str(b, STR("code"), str_z(err_info(d->err.code)->wire));
		json_add_str(b, STR("message"), str_dup(p->arena, str_z(d->err.message)));
		json_add_str(b, STR("field"), str_dup(p->arena, str_z(d->err.field)));
		json_add_i64(b, STR("retryAfter"), d->err.retry_after_s);
	}
	if (d->stage != NULL)
		json_add_str(b, STR("stage"), str_z(d->stage));
	json_add_bool(b, STR("ignored"), d->ignored);
	json_add_str(b, STR("reason"), d->reason);
	json_add_bool(b, STR("deferred"), d->deferred);
	json_add_bool(b, STR("unknown"), d->unknown);
	json_add_i64(b, STR("attempts"), d->attempts);
	json_add_i64(b, STR("status"), d->status);
	json_add_copy(b, STR("id"), d->id);
	json_add_copy(b, STR("mapped"), d->mapped);
	json_add_copy(b, STR("lookups"), d->lookups);
	json_add_copy(b, STR("answer"), d->answer);
	json_add_str(b, STR("sent"), d->sent);
	json_add_str(b, STR("response"), d->response);
	json_build_end(b);
	buf_add_str(&p->shown, d->sent);
	buf_add_str(&p->shown, d->response);
	buf_add_str(&p->shown, d->request);
	buf_add_str(&p->shown, str_z(d->err.message));
}

/* Members "key" and "inDoubt" beside "record" make more of a record than its data. */
static void take_record(struct delivery *d, const struct json *v)
{
	const struct json *record = json_get(v, STR("record"));

	d->source = record != NULL ? record : v;
	if (record == NULL)
		return;
	d->key = json_get_str(v, STR("key"));
	d->in_doubt = json_get_true(v, STR("inDoubt"));
}

static void deliver(struct play *p, struct sink *s, const struct json *records)
{
	const struct sink_ops *ops = p->adaptor->sink;
	struct delivery *d = arena_array_of(p->arena, struct delivery, records->n + 1);
	struct json_build b;
	size_t n = 0;

	for (json_each (it, records))
		take_record(&d[n++], it);
	(void)(ops->map(s, d, n, p->arena, &p->err) && ops->prepare(s, d, n, p->arena, &p->err) &&
		ops->submit(s, d, n, p->arena, &p->err));
	json_build_init(&b, p->arena);
	json_build_array(&b);
	for (size_t i = 0; i < n; i++)
		add_delivery(p, &b, &d[i]);
	json_build_end(&b);
	/* what they hold is the sink's and ends with it */
	p->deliveries = talk_json(p->file, 0, json_print_arena(p->arena, json_build_done(&b)));
}

static void play_import(struct play *p)
{
	const struct json *import = talk_document(p->file, "import", &json_empty_object);
	const struct json *records = talk_document(p->file, "records", &json_empty_array);
	struct sink_args args = { .call = p->args, .print_mapped = true, .keep_answers = true };
	struct mapping *mapping;
	struct sink *s;

	if (!mapping_compile(p->arena, json_get(import, STR("mapping")),
		    json_get_path(import, STR("rest.lookups")), &mapping, &p->err))
		return;
	args.mapping = mapping;
	if (!p->adaptor->sink->open(&p->env, p->connection, import, &args, &s, &p->err))
		return;
	deliver(p, s, records);
	p->adaptor->sink->close(s);
}

/* ---- ping and proxy ---- */

static void play_ping(struct play *p)
{
	struct ping_result r;
	struct json_build b;

	if (!p->adaptor->connection->ping(&p->env, p->connection, p->arena, &r, &p->err))
		return;
	json_build_init(&b, p->arena);
	json_build_object(&b);
	json_add_bool(&b, STR("ok"), r.ok);
	json_add_i64(&b, STR("status"), r.status);
	json_add_str(&b, STR("message"), r.message);
	json_add_bool(&b, STR("unsure"), r.unsure);
	json_build_end(&b);
	p->result = json_build_done(&b);
	buf_add_str(&p->shown, r.message);
}

static void play_proxy(struct play *p)
{
	const struct json *doc = talk_document(p->file, "proxy", &json_empty_object);
	const struct json *list = json_get(doc, STR("headers"));
	struct proxy_request rq = { .method = json_get_str(doc, STR("method")),
		.relative_uri = json_get_str(doc, STR("relativeURI")),
		.content_type = json_get_str(doc, STR("contentType")),
		.body = json_get_str(doc, STR("body")) };
	struct http_header *headers = arena_array_of(p->arena, struct http_header, 32);
	struct proxy_answer r;
	struct json_build b;

	rq.headers = headers;
	if (list != NULL)
		for (json_each_member(key, list))
			headers[rq.header_count++] = (struct http_header){ json_str(key),
				json_str(json_value(key)) };
	if (!p->adaptor->connection->proxy(&p->env, p->connection, &rq, p->arena, &r, &p->err))
		return;
	json_build_init(&b, p->arena);
	json_build_object(&b);
	json_add_i64(&b, STR("status"), r.status);
	json_add_str(&b, STR("contentType"), r.content_type);
	json_add_str(&b, STR("body"), r.body);
	json_build_key(&b, STR("headers"));
	json_build_object(&b);
	for (size_t i = 0; i < r.header_count; i++)
		json_add_str(&b, r.headers[i].name, r.headers[i].value);
	json_build_end(&b);
	json_build_end(&b);
	p->result = json_build_done(&b);
}

/* ---- what came of it ---- */

/* Texts of these members need only hold what is wanted. */
static bool is_loose(struct str name)
{
	return str_eq_z(name, "message") || str_eq_z(name, "sent") || str_eq_z(name, "response");
}

static void check_members(const struct play *p, const struct talk_result *r, struct str want_text,
	const struct json *got)
{
	const struct json *want = talk_json(p->file, r->line, want_text);

	if (got == NULL)
		fail_result(p, r, str_fmt(p->arena, "none: %s", p->err.message));
	for (json_each_member(key, want)) {
		const struct json *w = json_value(key), *g = json_get(got, json_str(key));
		bool fits = g == NULL ? w->type == JSON_NULL
			    : is_loose(json_str(key)) && json_is_str(w) && json_is_str(g)
				    ? str_find(json_str(g), json_str(w)) != STR_NPOS
				    : json_equal(w, g);

		if (!fits)
			fail_result(p, r, json_print_arena(p->arena, got));
	}
}

static void check_error(const struct play *p, const struct talk_result *r, struct str want,
	const struct err *err)
{
	struct str words = want, code = str_cut(&words, ' ');
	bool fits = str_eq_z(code, err_info(err->code)->wire) &&
		    (words.p == NULL || str_find(str_z(err->message), words) != STR_NPOS ||
			    str_find(str_z(err->hint), words) != STR_NPOS);

	if (!fits)
		fail_result(p, r,
			str_fmt(p->arena, "%s %s [%s]", err_info(err->code)->wire, err->message,
				err->hint));
}

static void check_number(const struct play *p, const struct talk_result *r, struct str want,
	uint64_t got)
{
	struct str text = str_fmt(p->arena, "%llu", (unsigned long long)got);

	if (!str_eq(want, text))
		fail_result(p, r, text);
}

static void check_json(const struct play *p, const struct talk_result *r, struct str want,
	struct str got)
{
	if (got.p == NULL ||
		!json_equal(talk_json(p->file, r->line, want), talk_json(p->file, r->line, got)))
		fail_result(p, r, got);
}

static size_t take_index(const struct play *p, const struct talk_result *r, struct str *rest,
	size_t count)
{
	uint64_t i;

	*rest = r->rest;
	if (!str_to_u64(str_cut(rest, ' '), &i) || i >= count || rest->p == NULL)
		fail_result(p, r, str_fmt(p->arena, "%zu of them", count));
	return (size_t)i;
}

static uint64_t count_lines(struct str lines, struct str line)
{
	uint64_t n = 0;

	while (lines.p != NULL)
		n += str_eq(str_cut(&lines, '\n'), line);
	return n;
}

static void check_zero(const struct play *p, const struct talk_result *r)
{
	bool fits = r->rest.n == 0 ? p->zero.p == NULL : str_find(p->zero, r->rest) != STR_NPOS;

	if (!fits)
		fail_result(p, r, p->zero);
}

static void check_result(const struct play *p, const struct talk_result *r)
{
	struct str word = r->word, rest = r->rest;
	size_t i;

	if (str_eq_z(word, "records")) {
		check_json(p, r, rest,
			all_records((struct play *)(uintptr_t)p, p->records_from, 0,
				p->chunk_count));
	} else if (str_eq_z(word, "chunks")) {
		check_number(p, r, rest, p->chunk_count);
	} else if (str_eq_z(word, "cursor")) {
		i = take_index(p, r, &rest, p->chunk_count + 1);
		check_json(p, r, rest, p->cursors[i - 1]);
	} else if (str_eq_z(word, "error")) {
		check_error(p, r, rest, &p->err);
	} else if (str_eq_z(word, "retry")) {
		check_number(p, r, str_from(rest, 6), p->err.retry_after_s);
	} else if (str_eq_z(word, "zero")) {
		check_zero(p, r);
	} else if (str_eq_z(word, "marked")) {
		i = take_index(p, r, &rest, p->marked_count);
		check_error(p, r, rest, &p->marked[i]);
	} else if (str_eq_z(word, "delivery")) {
		i = take_index(p, r, &rest, p->deliveries == NULL ? 0 : p->deliveries->n);
		check_members(p, r, rest, json_at(p->deliveries, i));
	} else if (str_eq_z(word, "result")) {
		check_members(p, r, rest, p->result);
	} else if (str_eq_z(word, "stored")) {
		check_members(p, r, rest, json_get(p->stored, STR("rest")));
	} else if (str_eq_z(word, "hides")) {
		if (str_find(buf_str(&p->shown), rest) != STR_NPOS)
			fail_result(p, r, buf_str(&p->shown));
	} else if (str_eq_z(word, "traces")) {
		struct str purpose = str_cut(&rest, ' ');

		check_number(p, r, rest, count_lines(buf_str(&p->purposes), purpose));
	} else {
		fail_result(p, r, STR("a word that is no result"));
	}
}

static bool has_result(const struct play *p, const char *word)
{
	for (size_t i = 0; i < p->file->result_count; i++)
		if (str_eq_z(p->file->results[i].word, word))
			return true;
	return false;
}

static void check(struct play *p)
{
	const struct talk_file *t = p->file;
	struct str wrong = talk_peer_wrong(&p->peer);
	size_t taken = talk_peer_at(&p->peer);

	buf_add_str(&p->shown, str_z(p->err.message));
	if (wrong.p != NULL)
		fail_msg("%.*s (%s)", STR_ARG(wrong), p->err.message);
	if (p->err.code != ERR_NONE && !has_result(p, "error"))
		fail_msg("%s: %s: %s", t->path, err_info(p->err.code)->wire, p->err.message);
	if (taken < t->exchange_count)
		fail_msg("%s: %zu of %zu requests came, then: %s", t->path, taken,
			t->exchange_count, p->err.message);
	if (t->result_count == 0)
		fail_msg("%s: says nothing about what comes of it", t->path);
	for (size_t i = 0; i < t->result_count; i++)
		check_result(p, &t->results[i]);
}

/* ---- the play ---- */

static void set_up(struct play *p, const char *path)
{
	struct err err = ERR_INIT;
	struct egress *egress;
	struct str timeout, now, cancel;
	int64_t ms = 0, wall = 1767225600000;

	talk_peer_start(&p->peer);
	p->file = talk_read(p->arena, path, p->peer.base);
	timeout = talk_section(p->file, "timeout");
	now = talk_section(p->file, "now");
	cancel = talk_section(p->file, "cancel");
	assert_true(timeout.p == NULL || str_to_i64(timeout, &ms));
	assert_true(now.p == NULL || str_to_i64(now, &wall));
	clock_test_init(&p->clock, wall);
	rng_test_init(&p->rng, 1);
	assert_ok(egress_new(p->arena, STR("127.0.0.0/8"), &egress, &err));
	p->env = (struct adaptor_env){ .egress = egress,
		.clock = &p->clock.clock,
		.rng = &p->rng,
		.timeout_ms = ms,
		.canceled = &p->canceled,
		.trace = on_trace,
		.trace_ctx = p };
	p->connection = talk_document(p->file, "connection", &json_empty_object);
	set_up_vault(p);
	p->args.variables = talk_document(p->file, "variables", NULL);
	p->args.relative_uri = talk_section(p->file, "relativeURI");
	p->peer.file = p->file;
	p->peer.clock = &p->clock.clock;
	p->peer.cancel = &p->canceled;
	ms = 0;
	assert_true(cancel.p == NULL || str_to_i64(cancel, &ms));
	p->peer.cancel_at = (size_t)ms;
	p->peer.any_order = talk_section(p->file, "any order").p != NULL;
	p->peer.keep_alive = talk_section(p->file, "keep alive").p != NULL;
	talk_peer_reset(&p->peer, 0);
	assert_ok(adaptor_of(p->connection, &p->adaptor, &err));
}

static void play(struct play *p)
{
	bool export = talk_section(p->file, "export").p != NULL;

	if (export)
		play_export(p);
	else if (talk_section(p->file, "import").p != NULL)
		play_import(p);
	else if (talk_section(p->file, "ping").p != NULL)
		play_ping(p);
	else
		play_proxy(p);
	check(p);
	if (export && p->err.code == ERR_NONE && talk_section(p->file, "no resume").p == NULL &&
		talk_section(p->file, "mark").p == NULL)
		resume_everywhere(p);
}

void talk_play(const char *path)
{
	struct arena *a = arena_new("talk", 0);
	struct play *p = arena_new_of(a, struct play);

	p->arena = a;
	set_up(p, path);
	play(p);
	talk_peer_stop(&p->peer);
	if (p->vault != NULL)
		vault_destroy(p->vault);
	buf_free(&p->shown);
	buf_free(&p->purposes);
	arena_free(a);
}
