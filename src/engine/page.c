/*
 * page.c - the pager and the pipe.
 *
 * Records stay where the source's answer was parsed; a page only points at them. When an answer ends
 * before the page is full, the records gathered so far are copied into the page's own arena, so
 * that a page never keeps more than one answer alive.
 */
#define CORE_ALLOCATES /* pages pass between threads; each is freed by its last holder */
#include "engine/page.h"

#include "core/limits.h"
#include "core/thread.h"

struct pager {
	struct pipe_config cfg;
	struct chunk *chunk;     /* in use, or NULL */
	struct str chunk_cursor; /* where `chunk` began; in cursor_arena; p NULL: at the start */
	struct arena *cursor_arena;
	const struct json *at; /* the next record of `chunk` */
	size_t left;           /* records from `at` on */
	size_t taken;          /* records of `chunk` that pages have */
	size_t node_bytes;     /* of text that a node of `chunk` stands for, on average */
	bool source_done;
	uint64_t index;
};

struct pipe_stage {
	struct pager pager;
	struct thread thread;
	struct mutex lock;
	struct cond changed;
	struct page *ready;
	bool done, failed, stop;
	struct err err;
};

void page_free(struct page *p)
{
	if (p == NULL)
		return;
	chunk_unref(p->chunk);
	arena_free(p->arena);
	free(p);
}

static struct page *page_new(size_t records_max)
{
	struct page *p = calloc(1, sizeof(*p));

	CHECK(p != NULL);
	p->arena = arena_new("page", 0);
	p->cap = records_max;
	p->records = arena_array_of(p->arena, const struct json *, records_max);
	return p;
}

static const struct json *copy_out(struct arena *a, const struct json *v)
{
	uint64_t n = json_span(v);
	struct json *d = arena_memdup(a, v, n * sizeof(*v));

	for (uint64_t i = 0; i < n; i++)
		if (d[i].type == JSON_STRING || d[i].type == JSON_NUMBER)
			d[i].s = arena_memdup(a, d[i].s, d[i].n);
	return d;
}

/* Makes the page independent of the answer its records stand in. */
static void detach(struct page *p)
{
	for (size_t i = p->copied; i < p->count; i++)
		p->records[i] = copy_out(p->arena, p->records[i]);
	p->copied = p->count;
	chunk_unref(p->chunk);
	p->chunk = NULL;
}

/* Fetches the next answer in place of the one used up. */
static bool pager_fetch(struct pager *g, struct err *err)
{
	if (g->chunk != NULL) {
		arena_reset(g->cursor_arena);
		g->chunk_cursor = str_dup(g->cursor_arena, g->chunk->cursor);
		chunk_unref(g->chunk);
	}
	g->chunk = chunk_new();
	g->taken = g->left = 0;
	if (!g->cfg.ops->next(g->cfg.source, g->chunk, err))
		return false;
	const struct json *r = g->chunk->records;

	g->source_done = g->chunk->last;
	g->left = g->chunk->single ? 1 : r->n;
	g->at = g->chunk->single ? r : r + 1;
	g->node_bytes = g->chunk->text.n / MAX(json_span(r), 1) + 1;
	for (; g->cfg.skip > 0 && g->left > 0; g->cfg.skip--, g->left--, g->taken++)
		g->at = json_next(g->at);
	return true;
}

/* {"from": <cursor of the answer or null>, "skip": <records of it that are done>} */
static void write_cursor(struct pager *g, struct page *p)
{
	bool used_up = g->left == 0 && !g->source_done && g->chunk->cursor.p != NULL;
	struct str from = used_up ? g->chunk->cursor : g->chunk_cursor;

	if (from.p == NULL)
		from = STR("null");
	p->cursor = str_fmt(p->arena, "{\"from\":%.*s,\"skip\":%zu}", STR_ARG(from),
		used_up ? 0 : g->taken);
}

/* Points the page at one more record. */
static void add_record(struct pager *g, struct page *p)
{
	if (p->chunk == NULL)
		p->chunk = chunk_ref(g->chunk);
	if (p->count == p->cap) {
		p->records = arena_grow(p->arena, p->records, p->cap * sizeof(*p->records),
			p->cap * 2 * sizeof(*p->records));
		p->cap *= 2;
	}
	p->records[p->count++] = g->at;
	g->at = json_next(g->at);
	g->left--;
	g->taken++;
	g->index++;
}

static bool has_room(const struct pager *g, const struct page *p, size_t bytes)
{
	if (g->cfg.whole_chunks)
		return true;
	return p->count < g->cfg.page_size && bytes < LIMIT_PAGE_BYTES;
}

/*
 * The next page; NULL at the end, and when the export failed with nothing before the failure. ERR may
 * be set beside a page: that is then the last.
 */
static struct page *pager_next(struct pager *g, struct err *err)
{
	struct page *p = page_new(g->cfg.page_size);
	uint64_t limit = g->cfg.last_index == 0 ? UINT64_MAX : g->cfg.last_index;
	size_t bytes = 0;

	p->first_index = g->index;
	while (has_room(g, p, bytes) && g->index < limit) {
		if (g->left > 0) {
			bytes += json_span(g->at) * g->node_bytes;
			add_record(g, p);
			continue;
		}
		if (g->source_done || (g->cfg.whole_chunks && p->count > 0))
			break;
		detach(p);
		if (!pager_fetch(g, err))
			break;
	}
	if (p->count == 0) {
		page_free(p);
		return NULL;
	}
	p->last = (g->left == 0 && g->source_done) || g->index >= limit;
	write_cursor(g, p);
	return p;
}

static void *pipe_main(void *arg)
{
	struct pipe_stage *s = arg;
	bool go = true;

	while (go) {
		struct err err = ERR_INIT;
		struct page *p = pager_next(&s->pager, &err);

		WITH_LOCK(&s->lock);
		s->ready = p;
		if (err.code != ERR_NONE) {
			s->err = err;
			s->failed = true;
		}
		s->done = p == NULL || p->last || s->failed;
		cond_broadcast(&s->changed);
		while (!s->stop && !s->done && s->ready != NULL)
			cond_wait(&s->changed, &s->lock);
		go = !s->stop && !s->done;
	}
	return NULL;
}

struct pipe_stage *pipe_start(const struct pipe_config *cfg)
{
	struct pipe_stage *s = calloc(1, sizeof(*s));

	CHECK(s != NULL && cfg->page_size > 0);
	s->pager.cfg = *cfg;
	s->pager.cursor_arena = arena_new("cursor", 0);
	if (cfg->from.p != NULL)
		s->pager.chunk_cursor = str_dup(s->pager.cursor_arena, cfg->from);
	s->pager.index = cfg->first_index;
	mutex_init(&s->lock);
	cond_init(&s->changed);
	thread_start(&s->thread, "export", pipe_main, s);
	return s;
}

static struct page *take(struct pipe_stage *s)
{
	struct page *p = s->ready;

	s->ready = NULL;
	cond_broadcast(&s->changed);
	return p;
}

struct page *pipe_take(struct pipe_stage *s, bool *failed, struct err *err)
{
	WITH_LOCK(&s->lock);
	while (s->ready == NULL && !s->done)
		cond_wait(&s->changed, &s->lock);
	struct page *p = take(s);

	*failed = p == NULL && s->failed;
	if (*failed)
		*err = s->err;
	return p;
}

struct page *pipe_try_take(struct pipe_stage *s)
{
	WITH_LOCK(&s->lock);
	return take(s);
}

void pipe_stop(struct pipe_stage *s)
{
	mutex_lock(&s->lock);
	s->stop = true;
	cond_broadcast(&s->changed);
	mutex_unlock(&s->lock);
	thread_join(&s->thread);
	page_free(s->ready);
	chunk_unref(s->pager.chunk);
	arena_free(s->pager.cursor_arena);
	mutex_destroy(&s->lock);
	cond_destroy(&s->changed);
	free(s);
}
