/*
 * retry.c - the records of errors that are tried again, as the source of a run.
 *
 * The errors that a retry has before it carry its job's id; they are read in the order in which they
 * arose. One answer makes one page: errors leave the list as they are settled, so a place in the middle
 * of an answer could not be found again. What the source yields wraps the record: {"e": error, "s": step, "d": its retry data}.
 */
#include "engine/run_source.h"

#include "core/limits.h"

struct source {
	struct engine *e;
	struct arena *arena;
	struct str account_id, job_id;
	struct store_retry after; /* the last one read; error_id p NULL: none */
	char after_id[ID_LEN + 1];
	size_t limit; /* records of an answer, which makes a page */
	uint64_t count;
};

static bool read_cursor(struct source *s, struct str cursor, struct err *err)
{
	const struct json *doc;
	struct str id;

	if (cursor.p == NULL)
		return true;
	if (!json_parse_copy(s->arena, cursor, &doc, err))
		return err_wrap(err, "the retry's cursor");
	id = json_get_str(doc, STR("id"));
	if (id.n != ID_LEN || !json_to_i64(json_get(doc, STR("created")), &s->after.created_ms) ||
		!json_to_i64(json_get(doc, STR("index")), &s->after.record_index))
		return err_set(err, ERR_INTERNAL, "the retry's cursor is damaged");
	memcpy(s->after_id, id.p, ID_LEN);
	s->after.error_id = str_of(s->after_id, ID_LEN);
	return true;
}

static void retry_close(struct source *s)
{
	arena_free(s->arena);
}

bool retry_source_open(struct run *r, size_t page_size, struct str cursor, struct source **out,
	struct err *err)
{
	struct arena *a = arena_new("retry", 0);
	struct source *s = arena_new_of(a, struct source);

	s->e = r->e;
	s->limit = page_size;
	s->arena = a;
	s->account_id = str_dup(a, r->job->account_id);
	s->job_id = str_dup(a, r->job->id);
	if (read_cursor(s, cursor, err)) {
		*out = s;
		return true;
	}
	retry_close(s);
	return false;
}

struct gather {
	struct source *s;
	struct buf *text;
	size_t count;
};

static bool add_record(void *arg, const struct store_retry *r)
{
	struct gather *g = arg;

	buf_add_fmt(g->text, "%s{\"e\":\"%.*s\",\"s\":\"%.*s\",\"d\":", g->count == 0 ? "" : ",",
		STR_ARG(r->error_id), STR_ARG(r->step_id));
	buf_add_str(g->text, r->data);
	buf_add_char(g->text, '}');
	g->count++;
	g->s->after.created_ms = r->created_ms;
	g->s->after.record_index = r->record_index;
	memcpy(g->s->after_id, r->error_id.p, ID_LEN);
	g->s->after.error_id = str_of(g->s->after_id, ID_LEN);
	return g->text->n < LIMIT_PAGE_BYTES;
}

static bool retry_next(struct source *s, struct chunk *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	const struct store_retry after = s->after;
	char id[ID_LEN + 1];
	struct gather g = { s, &out->text, 0 };
	struct store_retry place = after;

	memcpy(id, s->after_id, sizeof(id));
	if (after.error_id.p != NULL)
		place.error_id = str_of(id, ID_LEN);
	buf_add_char(&out->text, '[');
	if (!store_read_begin(s->e->cfg.store, &c, err) ||
		!store_retry_list(c, s->account_id, s->job_id,
			after.error_id.p == NULL ? NULL : &place, s->limit, add_record, &g, err))
		return false;
	buf_add_char(&out->text, ']');
	s->count += g.count;
	out->last = g.count == 0;
	out->cursor = str_fmt(out->arena, "{\"id\":\"%s\",\"created\":%lld,\"index\":%lld}",
		s->after_id, (long long)s->after.created_ms, (long long)s->after.record_index);
	return json_parse(out->arena, out->text.p, out->text.n, NULL, &out->records, err) ||
	       err_wrap(err, "retry data");
}

static struct str retry_zero_reason(const struct source *s)
{
	return s->count > 0 ? STR_NULL : STR("none of the errors has retry data any more");
}

const struct source_ops retry_source_ops = { NULL, retry_next, NULL, retry_zero_reason, NULL,
	retry_close };

static bool step_of(const struct run *r, struct str id, uint32_t *out)
{
	for (size_t i = 0; i < r->plan.step_count; i++) {
		if (!str_eq(r->plan.steps[i].id, id))
			continue;
		*out = (uint32_t)i;
		return true;
	}
	return false;
}

static bool source_of(const struct run *r, struct str id, uint32_t *out)
{
	for (size_t i = 0; i < r->plan.source_count; i++) {
		if (!str_eq(r->plan.sources[i].id, id))
			continue;
		*out = (uint32_t)i;
		return true;
	}
	return false;
}

static bool is_unshaped(struct str stage)
{
	return str_eq_z(stage, "transform") || str_eq_z(stage, "output_filter");
}

void retry_unwrap(const struct run *r, struct work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct item *it = &w->items[i];
		const struct json *data = json_get(it->record, STR("d"));

		struct str step = json_get_str(it->record, STR("s"));

		it->error_id = json_get_str(it->record, STR("e"));
		it->retry_data = data;
		it->unshaped = is_unshaped(json_get_str(data, STR("stage")));
		it->gone = it->unshaped ? !source_of(r, step, &it->source)
					: !step_of(r, step, &it->first_step);
		it->unmapped = str_eq_z(json_get_str(data, STR("stage")), "response_mapping");
		it->proceeded = json_get_true(data, STR("proceeded"));
		it->trace_key = json_get_str(data, STR("traceKey"));
		it->request = json_get_str(data, STR("request"));
		it->key = json_get_str(data, STR("key"));
		it->request_hash = json_get_str(data, STR("requestHash"));
		it->record = json_get(data, STR("data"));
		if (it->record == NULL)
			it->record = &json_null;
	}
}

/* The record's answer is kept with it, so that it goes on without being sent again. */
static void respond(struct run *r, struct work *w, struct item *it)
{
	uint32_t k = it->first_step;
	struct delivery d = { .source = it->record,
		.id = json_get(it->retry_data, STR("id")),
		.answer = json_get(it->retry_data, STR("answer")) };
	struct err err = ERR_INIT;

	it->first_step = k + 1;
	if (k + 1 == r->plan.step_count) { /* there is nobody behind it any more */
		it->stopped = true;
		run_add_resolved(r, it);
	} else if (!step_respond(r->steps[k].step, &d, w->arena, &it->record, &err)) {
		it->stopped = true;
		r->steps[k].job.num_error++;
		run_add_unmapped(r, it, &d, k, &err);
	}
}

void retry_respond(struct run *r, struct work *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].unmapped && !w->items[i].gone)
			respond(r, w, &w->items[i]);
}

void retry_keep_requests(const struct run *r UNUSED, struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct item *it = w->of[i];

		if (it->request.p == NULL || it->first_step != w->step)
			continue;
		w->d[i].request = it->request;
		w->d[i].key = it->key;
		w->d[i].in_doubt = true;
	}
}

void retry_keep_keys(struct work *w)
{
	char hex[WORK_HASH_LEN];

	for (size_t i = 0; i < w->n; i++) {
		const struct item *it = w->of[i];
		struct delivery *d = &w->d[i];

		if (it->request_hash.p == NULL || it->first_step != w->step || d->request.p == NULL)
			continue;
		work_hash_request(d->request, hex);
		if (str_eq(it->request_hash, str_of(hex, sizeof(hex))))
			d->key = it->key;
	}
}
