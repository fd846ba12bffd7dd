/*
 * work.c - pages in work. In the store an item is {"i": index, "t": trace key, "f": how it stands,
 * "r": record, "q": what is sent, "k": idempotency key, "h": hash of what that was for, "e": the error it
 * retries, "s": first step, "p": it goes no further than that}.
 *
 * How it stands: "d" it is being sent, and may have arrived when the process dies; "w" it waits to
 * be sent; "s" it has passed this step.
 */
#define CORE_ALLOCATES /* a page outlives the loop that made it and is freed by the checkpoint */
#include "engine/work.h"

#include "core/limits.h"
#include "crypt/digest.h"

struct work *work_new(struct page *p, uint64_t number)
{
	struct work *w = calloc(1, sizeof(*w));

	CHECK(w != NULL);
	w->arena = p->arena;
	w->page = p;
	w->number = number;
	w->count = p->count;
	w->items = arena_array_of(w->arena, struct item, p->count);
	for (size_t i = 0; i < p->count; i++) {
		w->items[i].record = p->records[i];
		w->items[i].index = p->first_index + i;
	}
	return w;
}

void work_free(struct work *w)
{
	if (w == NULL)
		return;
	if (w->page != NULL)
		page_free(w->page);
	else
		arena_free(w->arena);
	free(w);
}

struct str work_trace_key(struct arena *a, const struct json *record, uint64_t index)
{
	static const struct str names[] = { STR_INIT("id"), STR_INIT("_id"), STR_INIT("internalId"),
		STR_INIT("code") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct json *v = json_get(record, names[i]);

		if (v != NULL && (v->type == JSON_STRING || v->type == JSON_NUMBER) && v->n > 0 &&
			v->n <= 128)
			return json_str(v);
	}
	return str_fmt(a, "%llu", (unsigned long long)index);
}

void work_hash_request(struct str request, char hex[WORK_HASH_LEN])
{
	unsigned char hash[SHA256_BYTES];

	digest_sha256(request, hash);
	str_hex_put(hex, hash, sizeof(hash));
}

void work_begin_step(struct work *w, uint32_t k, struct str job_id)
{
	w->step = k;
	w->n = 0;
	w->d = arena_array_of(w->arena, struct delivery, w->count);
	w->of = arena_array_of(w->arena, struct item *, w->count);
	for (size_t i = 0; i < w->count; i++) {
		struct item *it = &w->items[i];

		it->d = NULL;
		it->settled = false;
		if (it->stopped || it->first_step > k)
			continue;
		it->d = &w->d[w->n];
		w->of[w->n++] = it;
		it->d->source = it->record;
		it->d->key = str_fmt(w->arena, "%.*s-%u-%llu", STR_ARG(job_id), k,
			(unsigned long long)it->index);
	}
}

/* ---- in the store ---- */

static void add_member(struct buf *out, const char *name, struct str value)
{
	if (value.p == NULL)
		return;
	buf_add_fmt(out, ",\"%s\":", name);
	json_print_str(out, value);
}

static void print_item(const struct work *w, const struct item *it, char how, struct buf *out)
{
	const struct delivery *d = it->d;
	bool begins_here = w->fresh && it->key.p != NULL && it->first_step == w->step;

	buf_add_fmt(out, "%s{\"i\":%llu,\"f\":\"%c\"", out->p[out->n - 1] == '[' ? "" : ",",
		(unsigned long long)it->index, how);
	add_member(out, "t", it->trace_key);
	add_member(out, "e", it->error_id);
	if (it->first_step > w->step || begins_here)
		buf_add_fmt(out, ",\"s\":%u", it->first_step);
	if (it->proceeded)
		BUF_ADD_LIT(out, ",\"p\":true");
	if (d != NULL && how != 's') {
		add_member(out, "q", d->request);
		add_member(out, "k", d->key);
	} else if (it->first_step > w->step || begins_here) {
		add_member(out, "q", it->request);
		add_member(out, "k", it->key);
		add_member(out, "h", it->request_hash);
	}
	BUF_ADD_LIT(out, ",\"r\":");
	json_print(out, it->record, JSON_COMPACT);
	buf_add_char(out, '}');
}

/* Now, or when it was sent before and was not come to now. */
static bool may_have_arrived(const struct delivery *d)
{
	return d->unknown || (d->in_doubt && d->attempts == 0);
}

uint64_t work_waiting(const struct work *w)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w->count; i++) {
		const struct item *it = &w->items[i];

		if (w->fresh)
			n += !it->stopped && it->first_step <= w->step;
		else
			n += it->d != NULL && !it->settled;
	}
	return n;
}

void work_print(const struct work *w, struct buf *out)
{
	buf_add_fmt(out, "{\"fresh\":%s,\"items\":[", w->fresh ? "true" : "false");
	for (size_t i = 0; i < w->count; i++) {
		const struct item *it = &w->items[i];
		const struct delivery *d = it->d;

		if (it->stopped)
			continue;
		if (d == NULL || it->settled || w->fresh)
			print_item(w, it, 's', out);
		else if (d->deferred || d->err.code == ERR_CANCELED)
			print_item(w, it, may_have_arrived(d) ? 'd' : 'w', out);
		else if (d->err.code == ERR_NONE && !d->ignored)
			print_item(w, it, 'd', out);
		else /* failed or ignored: what of it goes on, goes on behind this step */
			print_item(w, it, 's', out);
	}
	BUF_ADD_LIT(out, "]}");
}

static bool read_item(struct work *w, const struct json *v, struct item *it)
{
	struct str how = json_get_str(v, STR("f"));
	int64_t n = 0;

	it->record = json_get(v, STR("r"));
	it->trace_key = json_get_str(v, STR("t"));
	it->error_id = json_get_str(v, STR("e"));
	if (it->record == NULL || how.n != 1 || !json_to_i64(json_get(v, STR("i")), &n))
		return false;
	it->index = (uint64_t)n;
	if (json_get(v, STR("s")) != NULL && json_to_i64(json_get(v, STR("s")), &n))
		it->first_step = (uint32_t)n;
	it->proceeded = json_get_true(v, STR("p"));
	it->settled = how.p[0] == 's';
	if (it->settled) {
		it->request = json_get_str(v, STR("q"));
		it->key = json_get_str(v, STR("k"));
		it->request_hash = json_get_str(v, STR("h"));
		return true;
	}
	it->d = &w->d[w->n];
	w->of[w->n++] = it;
	it->d->source = it->record;
	it->d->request = json_get_str(v, STR("q"));
	it->d->key = json_get_str(v, STR("k"));
	it->d->in_doubt = how.p[0] == 'd';
	return it->d->request.p != NULL;
}

static bool read_items(struct work *w, const struct json *items)
{
	size_t i = 0;

	if (!json_is_array(items))
		return false;
	w->count = items->n;
	w->items = arena_array_of(w->arena, struct item, w->count);
	w->d = arena_array_of(w->arena, struct delivery, w->count);
	w->of = arena_array_of(w->arena, struct item *, w->count);
	for (json_each (v, items))
		if (!read_item(w, v, &w->items[i++]))
			return false;
	return true;
}

bool work_read(const struct store_page *row, struct work **out, struct err *err)
{
	struct work *w = calloc(1, sizeof(*w));
	const struct json *doc;
	struct err parse = ERR_INIT;

	CHECK(w != NULL);
	w->arena = arena_new("page", 0);
	w->number = row->page_index;
	w->step = row->step;
	if (json_parse_copy(w->arena, row->body, &doc, &parse) &&
		read_items(w, json_get(doc, STR("items")))) {
		w->fresh = json_get_true(doc, STR("fresh"));
		*out = w;
		return true;
	}
	work_free(w);
	return err_set(err, ERR_STORE, "the page in work of job %.*s is damaged: %s",
		STR_ARG(row->job_id), parse.message);
}
