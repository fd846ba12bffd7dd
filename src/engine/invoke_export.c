/*
 * invoke_export.c - the records of an export, answered in one piece or page by page.
 *
 * Records are printed as they come, so that a call holds one answer of the application at a time. The
 * state of a paged call travels with the client: what the next page needs is sealed in it, with the
 * key by which its readable members are signed, so that no node has to remember it.
 */
#include "engine/invoke_priv.h"

#include "core/limits.h"
#include "crypt/digest.h"

#define STATE_KEY_BYTES 32
#define STATE_MAX_AGE_S 3600

/* ---- taking records ---- */

static void add_comma(struct buf *out)
{
	if (out->n > 0)
		buf_add_char(out, ',');
}

/* A record that failed: it stays out of data, and says so. */
static void add_record_error(struct invocation *v, struct export_take *t, const char *stage,
	const struct err *failure)
{
	struct arena *a DEFER(arena_freep) = arena_new("error", 0);
	struct json_build b;

	(void)v;
	if (t->error_count++ >= RECORD_ERRORS_MAX)
		return;
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_i64(&b, STR("record"), (int64_t)t->count);
	json_add_str(&b, STR("code"), str_z(err_info(failure->code)->wire));
	json_add_str(&b, STR("message"), str_z(failure->message));
	if (failure->field[0] != '\0')
		json_add_str(&b, STR("field"), str_z(failure->field));
	json_add_str(&b, STR("source"), str_z(stage));
	json_build_end(&b);
	add_comma(t->errors);
	json_print(t->errors, json_build_done(&b), JSON_COMPACT);
}

static void add_element(struct buf *list, const struct json *record)
{
	if (list == NULL)
		return;
	add_comma(list);
	json_print(list, record, JSON_COMPACT);
}

static void take_record(struct invocation *v, const struct shape *shape, struct arena *scratch,
	struct export_take *t, const struct json *record)
{
	struct err failure = ERR_INIT;
	const char *stage = NULL;
	bool passes;

	add_element(t->parsed, record);
	arena_reset(scratch);
	bool ok = shape_apply(shape, scratch, &record, &passes, &stage, &failure);

	if (ok || strcmp(stage, "transform") != 0)
		add_element(t->transformed, record);
	if (!ok) {
		add_record_error(v, t, stage, &failure);
	} else if (passes) {
		add_element(t->data, record);
		t->shown++;
	}
	t->count++;
}

static bool check_size(struct export_take *t, struct err *err)
{
	if (t->data->over) {
		t->stage = "limit";
		err_set(err, ERR_LIMIT, "the records take more than %d bytes", LIMIT_INVOKE_BYTES);
	} else if (t->whole && t->count > LIMIT_INVOKE_RECORDS) {
		t->stage = "limit";
		err_set(err, ERR_LIMIT, "the export yields more than %d records",
			LIMIT_INVOKE_RECORDS);
	} else {
		return true;
	}
	return err_hint(err, "ask for less by a variable, page by page with "
			     "/v1/connections/{_id}/export/pages, or run the export in a flow");
}

/* False: enough, or ERR is set. *AT: how many of the chunk's records were taken. */
static bool take_chunk(struct invocation *v, const struct shape *shape, struct arena *scratch,
	struct export_take *t, const struct chunk *c, size_t *at, struct err *err)
{
	const struct json *record = c->single ? c->records : c->records + 1;
	size_t n = c->single ? 1 : c->records->n;

	*at = 0;
	for (; *at < n; (*at)++, record = json_next(record)) {
		if (*at < t->skip)
			continue;
		if (t->limit > 0 && t->count == t->limit)
			return false;
		take_record(v, shape, scratch, t, record);
		if (!check_size(t, err))
			return false;
	}
	return true;
}

static bool take_all(struct invocation *v, const struct source_ops *ops, struct source *source,
	const struct shape *shape, struct export_take *t, struct err *err)
{
	struct arena *scratch DEFER(arena_freep) = arena_new("record", 0);
	bool more = true;

	while (more && !t->done) {
		struct chunk *c = chunk_new();
		size_t at;

		if (!ops->next(source, c, err)) {
			chunk_unref(c);
			return false;
		}
		more = take_chunk(v, shape, scratch, t, c, &at, err);
		if (more) {
			t->done = c->last;
			t->cursor = c->last ? STR_NULL : str_dup(v->arena, c->cursor);
			t->skip = 0;
			more = t->limit == 0 || t->count < t->limit;
		} else {
			t->skip = at;
		}
		chunk_unref(c);
		if (err->code != ERR_NONE)
			return false;
	}
	return true;
}

bool invoke_take(struct invocation *v, const struct json *variables, struct export_take *t,
	struct err *err)
{
	const struct adaptor *ad;
	struct call_args args = v->call;
	struct source *source;
	struct shape *shape;

	t->stage = "export";
	args.variables = variables;
	if (!adaptor_of(v->connection, &ad, err))
		return false;
	if (ad->source == NULL)
		return err_set(err, ERR_UNSUPPORTED, "the %s adaptor has no exports", ad->name);
	if (!shape_compile(v->arena, v->doc, &shape, err) ||
		!ad->source->open(&v->env, v->connection, v->doc, &args, t->cursor, &source, err))
		return false;
	bool ok = take_all(v, ad->source, source, shape, t, err);

	if (ok && t->count == 0 && t->done)
		t->zero_reason = str_dup(v->arena, ad->source->zero_reason(source));
	ad->source->close(source);
	return ok || (err->code == ERR_CANCELED && invoke_ended(v, err));
}

/* ---- a call ---- */

const struct json *invoke_variables(struct invocation *v, const struct json *variables)
{
	struct json_build b;

	if (!str_eq_z(json_get_str(v->doc, STR("type")), "delta"))
		return variables;
	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_add_str(&b, STR("lastExportDateTime"), time_iso(v->arena, 0));
	json_add_str(&b, STR("currentExportDateTime"),
		time_iso(v->arena, clock_wall_ms(v->engine->cfg.clock)));
	json_build_end(&b);
	return variables == NULL ? json_build_done(&b)
				 : schema_merge_patch(v->arena, json_build_done(&b), variables);
}

static size_t test_limit(const struct json *doc)
{
	int64_t n;

	if (!str_eq_z(json_get_str(doc, STR("type")), "test"))
		return 0;
	return json_to_i64(json_get_path(doc, STR("test.limit")), &n) ? (size_t)n : 1;
}

static void print_taken(const struct export_take *t, struct buf *out)
{
	BUF_ADD_LIT(out, "{\"data\":[");
	buf_add_str(out, buf_str(t->data));
	buf_add_char(out, ']');
	if (t->error_count > 0) {
		BUF_ADD_LIT(out, ",\"errors\":[");
		buf_add_str(out, buf_str(t->errors));
		buf_add_char(out, ']');
	}
	if (t->zero_reason.n > 0) {
		BUF_ADD_LIT(out, ",\"zeroReason\":");
		json_print_str(out, t->zero_reason);
	}
}

bool invoke_export(struct invocation *v, const struct json *variables, struct buf *out,
	struct err *err)
{
	struct buf data DEFER(buf_free) = BUF_INIT(LIMIT_INVOKE_BYTES);
	struct buf errors DEFER(buf_free) = BUF_INIT(0);
	struct export_take t = { .limit = test_limit(v->doc),
		.whole = true,
		.data = &data,
		.errors = &errors };

	invoke_watch(v);
	if (!invoke_take(v, invoke_variables(v, variables), &t, err))
		return false;
	print_taken(&t, out);
	buf_add_char(out, '}');
	return true;
}

/* ---- pages ---- */

struct paged {
	struct str cursor; /* JSON text; p NULL: the start */
	int64_t skip, page, page_size, records, issued_s;
	bool done;
	struct str key; /* hex */
};

static struct str paged_place(const struct invocation *v, struct str connection_id)
{
	return str_fmt(v->arena, "%.*s/connection/%.*s/pagedExportState",
		STR_ARG(v->who.account_id), STR_ARG(connection_id));
}

/* What the readable members say, as it is signed. */
static struct str sign(const struct invocation *v, const struct paged *p, struct str search_id)
{
	unsigned char mac[HMAC_BYTES_MAX];
	char *hex = arena_alloc(v->arena, 2 * SHA256_BYTES);
	struct str text = str_fmt(v->arena, "%lld.%lld.%lld.%d.%lld.%.*s", (long long)p->page,
		(long long)p->page_size, (long long)p->records, p->done, (long long)p->issued_s,
		STR_ARG(search_id));

	(void)hmac(HMAC_SHA256, p->key, text, mac);
	str_hex_put(hex, mac, SHA256_BYTES);
	return str_of(hex, 2 * SHA256_BYTES);
}

static struct str seal_paged(struct invocation *v, const struct paged *p)
{
	struct json_build b;

	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_add_str(&b, STR("key"), p->key);
	json_add_str(&b, STR("cursor"), p->cursor);
	json_add_i64(&b, STR("skip"), p->skip);
	json_add_copy(&b, STR("export"), v->doc);
	json_build_end(&b);
	return resource_seal(v->engine->cfg.resources, v->arena,
		json_print_arena(v->arena, json_build_done(&b)), paged_place(v, v->connection_id));
}

static void print_state(struct invocation *v, struct paged *p, struct buf *out)
{
	unsigned char key[STATE_KEY_BYTES];
	char *hex = arena_alloc(v->arena, 2 * STATE_KEY_BYTES);
	struct json_build b;

	rng_fill(v->engine->cfg.rng, key, sizeof(key));
	str_hex_put(hex, key, sizeof(key));
	p->key = str_of(hex, 2 * STATE_KEY_BYTES);
	p->issued_s = clock_wall_ms(v->engine->cfg.clock) / 1000;
	struct str search_id = seal_paged(v, p);

	json_build_init(&b, v->arena);
	json_build_object(&b);
	json_add_str(&b, STR("searchId"), search_id);
	json_add_i64(&b, STR("pageIndex"), p->page);
	json_add_i64(&b, STR("pageSize"), p->page_size);
	json_add_i64(&b, STR("records"), p->records);
	json_add_bool(&b, STR("done"), p->done);
	json_add_i64(&b, STR("issuedAt"), p->issued_s);
	json_add_str(&b, STR("sig"), sign(v, p, search_id));
	json_build_end(&b);
	BUF_ADD_LIT(out, ",\"pagedExportState\":");
	json_print(out, json_build_done(&b), JSON_COMPACT);
}

static bool bad_state(struct err *err, const char *why)
{
	err_set_field(err, ERR_INVALID, "pagedExportState", "pagedExportState: %s", why);
	return err_hint(err, "send it exactly as the page before answered it");
}

static bool read_members(const struct json *state, struct paged *p, struct str *search_id,
	struct str *sig)
{
	const struct json *done = json_get(state, STR("done"));

	*search_id = json_get_str(state, STR("searchId"));
	*sig = json_get_str(state, STR("sig"));
	p->done = json_get_true(state, STR("done"));
	return search_id->p != NULL && sig->n == 2 * SHA256_BYTES && done != NULL &&
	       json_to_i64(json_get(state, STR("pageIndex")), &p->page) &&
	       json_to_i64(json_get(state, STR("pageSize")), &p->page_size) &&
	       json_to_i64(json_get(state, STR("records")), &p->records) &&
	       json_to_i64(json_get(state, STR("issuedAt")), &p->issued_s);
}

/* The state as it was issued, and the export in it. */
static bool read_state(struct invocation *v, const struct json *state, struct paged *p,
	struct err *err)
{
	struct str search_id, sig, text;
	struct err none = ERR_INIT;
	const struct json *doc;

	if (!read_members(state, p, &search_id, &sig))
		return bad_state(err, "it is not as it was answered");
	if (!resource_unseal(v->engine->cfg.resources, v->arena, search_id,
		    paged_place(v, v->connection_id), &text, &none) ||
		!json_parse_copy(v->arena, text, &doc, &none))
		return bad_state(err, "searchId was changed, or belongs to another connection");
	p->key = json_get_str(doc, STR("key"));
	if (!crypt_equal(sign(v, p, search_id).p, sig.p, sig.n))
		return bad_state(err, "it was changed: its signature does not fit");
	if (clock_wall_ms(v->engine->cfg.clock) / 1000 - p->issued_s > STATE_MAX_AGE_S)
		return bad_state(err, "it is older than an hour: begin again");
	p->cursor = json_get_str(doc, STR("cursor"));
	v->type = "export";
	v->doc = json_get(doc, STR("export"));
	return json_to_i64(json_get(doc, STR("skip")), &p->skip) ||
	       bad_state(err, "it is not as it was answered");
}

static int64_t page_size(const struct json *doc)
{
	int64_t n;

	return json_to_i64(json_get(doc, STR("pageSize")), &n) ? n : LIMIT_PAGE_SIZE_DEFAULT;
}

static bool take_page(struct invocation *v, struct paged *p, struct buf *out, struct err *err)
{
	struct buf data DEFER(buf_free) = BUF_INIT(LIMIT_INVOKE_BYTES);
	struct buf errors DEFER(buf_free) = BUF_INIT(0);
	size_t most = test_limit(v->doc), room = (size_t)p->page_size;
	struct export_take t = { .cursor = p->cursor,
		.skip = (size_t)p->skip,
		.data = &data,
		.errors = &errors };

	if (most > 0)
		room = MIN(room, most - MIN(most, (size_t)p->records));
	t.limit = room;
	t.done = p->done || room == 0;
	if (!t.done && !invoke_take(v, invoke_variables(v, NULL), &t, err))
		return false;
	p->cursor = t.cursor;
	p->skip = (int64_t)t.skip;
	p->page++;
	p->records += (int64_t)t.count;
	p->done = t.done || (most > 0 && (size_t)p->records >= most);
	print_taken(&t, out);
	BUF_ADD_LIT(out, ",\"dataURIs\":[");
	for (size_t i = 0; i < t.shown; i++)
		buf_add_str(out, i == 0 ? STR("null") : STR(",null"));
	buf_add_char(out, ']');
	return true;
}

bool invoke_export_page(struct invocation *v, const struct json *state, struct buf *out,
	struct err *err)
{
	struct paged p = { .page = 1 };

	if (state != NULL && !read_state(v, state, &p, err))
		return false;
	p.page_size = page_size(v->doc);
	invoke_watch(v);
	if (!take_page(v, &p, out, err))
		return false;
	print_state(v, &p, out);
	buf_add_char(out, '}');
	return true;
}
