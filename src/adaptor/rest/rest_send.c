/*
 * rest_send.c - many requests at once: as many slots as the connection's concurrency, each with its
 * call and buffers, are filled with tasks in order; a slot whose call has landed takes the next task
 * at once, so a slow answer holds up no other.
 *
 * A task that is to be tried again leaves its slot and waits in a heap ordered by time; those that
 * are due go before those not begun. When the application asks everybody for a pause (429, and 503
 * with Retry-After), nothing is begun until it is over, so that a page of records does not use up its
 * attempts against a closed door; a pause longer than a worker waits defers all that is not in
 * the air.
 */
#include "adaptor/rest/rest_sink_priv.h"

struct sender {
	struct sink *sink;
	const struct task_ops *ops;
	struct task *fresh;    /* not begun */
	struct task **waiting; /* heap: the earliest first */
	size_t wait_count, wait_cap;
	struct arena *arena;
};

void rest_send_init(struct sink *s)
{
	s->slot_count = rest_session_concurrency(s->session);
	s->slots = arena_array_of(s->arena, struct slot, s->slot_count);
	for (size_t i = s->slot_count; i-- > 0;) {
		struct slot *slot = &s->slots[i];

		rest_call_init(&slot->call);
		slot->uri = (struct buf)BUF_INIT(URL_BYTES_MAX);
		slot->body = (struct buf)BUF_INIT(LIMIT_PAGE_BYTES);
		slot->call.own = slot->own;
		slot->call.body_max = LIMIT_IMPORT_ANSWER;
		slot->call.user = slot;
		slot->next_free = s->free_slot;
		s->free_slot = slot;
	}
}

void rest_send_free(struct sink *s)
{
	for (size_t i = 0; i < s->slot_count; i++) {
		rest_call_free(&s->slots[i].call);
		buf_free(&s->slots[i].uri);
		buf_free(&s->slots[i].body);
	}
}

bool rest_send_canceled(const struct sink *s)
{
	return s->env->canceled != NULL && atomic_load(s->env->canceled);
}

static int64_t now_ms(const struct sink *s)
{
	return clock_mono_ms(s->env->clock);
}

/* ---- the heap of waiting tasks ---- */

static void heap_push(struct sender *x, struct task *t)
{
	if (x->wait_count == x->wait_cap) {
		size_t cap = MAX(x->wait_cap * 2, (size_t)64);

		x->waiting = arena_grow(x->arena, x->waiting, x->wait_cap * sizeof(struct task *),
			cap * sizeof(struct task *));
		x->wait_cap = cap;
	}
	size_t i = x->wait_count++;

	for (; i > 0 && x->waiting[(i - 1) / 2]->due_ms > t->due_ms; i = (i - 1) / 2)
		x->waiting[i] = x->waiting[(i - 1) / 2];
	x->waiting[i] = t;
}

static struct task *heap_pop(struct sender *x)
{
	struct task *top = x->waiting[0], *t = x->waiting[--x->wait_count];
	size_t i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= x->wait_count)
			break;
		if (kid + 1 < x->wait_count &&
			x->waiting[kid + 1]->due_ms < x->waiting[kid]->due_ms)
			kid++;
		if (x->waiting[kid]->due_ms >= t->due_ms)
			break;
		x->waiting[i] = x->waiting[kid];
		i = kid;
	}
	x->waiting[i] = t;
	return top;
}

/* ---- retries ---- */

bool rest_send_in_doubt(const struct rest_call *c)
{
	const struct http_call *h = &c->http;

	if (h->err.code != ERR_NONE)
		return h->sent && h->err.code != ERR_HTTP_STATUS; /* the latter is of a login */
	/* a gateway that lost its application can't say either */
	return h->status == 502 || h->status == 504;
}

/* Does the answer ask everybody for a pause? */
static bool asks_for_pause(const struct sink *s, const struct http_call *h)
{
	struct err said = ERR_INIT;

	if (h->err.code != ERR_NONE || (h->status != 429 && h->status != 503))
		return false;
	if (h->status == 429)
		return true;
	(void)rest_status_error(s->session, h, &said);
	return said.retry_after_s > 0;
}

bool rest_send_again(struct sink *s, const struct slot *slot, const struct task *t,
	int64_t *wait_ms)
{
	const struct http_call *h = &slot->call.http;

	if (!rest_retry_in(s->session, h, t->attempts, wait_ms))
		return false;
	if (asks_for_pause(s, h))
		s->hold_until_ms = MAX(s->hold_until_ms, now_ms(s) + *wait_ms);
	if (t->attempts >= s->attempts_max)
		return false;
	rest_tell_wait(s->session, h, *wait_ms);
	return true;
}

/* ---- the loop ---- */

static struct task *take(struct sender *x)
{
	struct task *t = NULL;

	if (x->wait_count > 0 && x->waiting[0]->due_ms <= now_ms(x->sink)) {
		t = heap_pop(x);
	} else if (x->fresh != NULL) {
		t = x->fresh;
		x->fresh = t->next;
	}
	return t;
}

static void landed(struct sender *x, struct slot *slot)
{
	struct sink *s = x->sink;
	struct task *t = slot->task;

	t->attempts++;
	if (!x->ops->land(s, slot, t)) {
		t->due_ms = now_ms(s) + t->wait_ms;
		heap_push(x, t);
	}
	slot->task = NULL;
	slot->next_free = s->free_slot;
	s->free_slot = slot;
	s->in_air--;
}

static void begin(struct sender *x, struct task *t)
{
	struct sink *s = x->sink;
	struct slot *slot = s->free_slot;
	struct rest_call *c = &slot->call;
	struct err err = ERR_INIT;

	c->content_type = STR_NULL;
	if (!x->ops->fill(s, slot, t, &err)) {
		x->ops->fail(s, t, &err);
		return;
	}
	/* what is to be said of the call when it can't be sent */
	c->http.url = c->uri;
	c->http.body = c->body;
	c->http.header_count = 0;
	c->http.sent = false;
	c->http.status = 0;
	s->free_slot = slot->next_free;
	slot->task = t;
	s->in_air++;
	if (!rest_session_submit(s->session, c, &err))
		landed(x, slot); /* a login that failed may pass */
}

static struct task *take_any(struct sender *x)
{
	struct task *t = x->fresh;

	if (x->wait_count > 0)
		return heap_pop(x);
	if (t != NULL)
		x->fresh = t->next;
	return t;
}

static void fail_rest(struct sender *x)
{
	struct err canceled = ERR_INIT;
	struct task *t;

	err_set(&canceled, ERR_CANCELED, "the job was canceled");
	while ((t = take_any(x)) != NULL)
		x->ops->fail(x->sink, t, &canceled);
}

/* How long nothing may be begun; a pause too long to wait for defers what is not in the air. */
static int64_t pause_left(struct sender *x)
{
	struct sink *s = x->sink;
	int64_t left = s->hold_until_ms == 0 ? 0 : s->hold_until_ms - now_ms(s);
	struct task *t;

	if (left <= 0) {
		s->hold_until_ms = 0;
		return 0;
	}
	if (left > (int64_t)LIMIT_INLINE_WAIT_S * 1000)
		while ((t = take_any(x)) != NULL)
			x->ops->defer(s, t, left);
	return left;
}

/* Waits for the next call to land, at most MS. */
static void wait_for_call(struct sender *x, int64_t ms)
{
	struct rest_call *c = rest_session_next(x->sink->session,
		clock_mono_ms(clock_system()) + MIN(ms, (int64_t)REST_POLL_MS));

	if (c != NULL)
		landed(x, c->user);
}

/* How long the loop may wait for a call before it has something else to do. */
static int64_t spare_ms(const struct sender *x, int64_t pause)
{
	if (x->sink->free_slot == NULL)
		return REST_POLL_MS;
	if (pause > 0)
		return pause;
	return x->wait_count > 0 ? MAX(x->waiting[0]->due_ms - now_ms(x->sink), (int64_t)0)
				 : REST_POLL_MS;
}

void rest_send_run(struct sink *s, struct task *first, const struct task_ops *ops)
{
	struct arena *a DEFER(arena_freep) = arena_new("waiting", 0);
	struct sender x = { .sink = s, .ops = ops, .fresh = first, .arena = a };

	while (x.fresh != NULL || x.wait_count > 0 || s->in_air > 0) {
		struct err canceled = ERR_INIT;
		struct task *t;

		if (UNLIKELY(rest_send_canceled(s)))
			fail_rest(&x);
		int64_t pause = pause_left(&x);

		while (pause == 0 && s->free_slot != NULL && (t = take(&x)) != NULL)
			begin(&x, t);
		if (s->in_air > 0)
			wait_for_call(&x, spare_ms(&x, pause));
		else if ((x.wait_count > 0 || x.fresh != NULL) &&
			 !rest_session_wait(s->session, spare_ms(&x, pause), &canceled))
			fail_rest(&x);
	}
}
