/*
 * job_events.c - live progress of jobs as server-sent events (the HTML standard's text/event-stream).
 *
 * The engine tells of each change behind its commit; that only marks the streams of the job. One thread
 * reads the marked jobs from the store, at most twice a second for a stream, and sends what differs
 * from what was sent last. With the heartbeat it looks at the job whether marked or not, so that
 * nothing rests on the marks alone. Only that thread removes streams; the exchange of a removed one is
 * ended at once and not touched again.
 */
#include "api/handlers_priv.h"
#include "api/watch_priv.h"

#include "core/limits.h"
#include "net/http_stream.h"

#define PAUSE_MS    500
#define BEAT_MS     15000
#define WAITING_MAX ((size_t)262144)

struct stream {
	struct http_exchange *x;
	char account_id[ID_LEN + 1], token_id[ID_LEN + 1], job_id[ID_LEN + 1];
	char flow_job_id[ID_LEN + 1]; /* of a child: it changes with this; "": none */
	bool dirty;                   /* under the lock, as the next: */
	int64_t next_ms;              /* monotonic: not to be looked at before, when dirty */
	int64_t beat_ms;              /* ... and at the latest */
	struct buf last;              /* the job as it was sent; the thread's own */
};

struct job_events {
	struct api *api;
	struct thread thread;
	struct mutex lock;
	struct cond changed;
	struct stream *streams[LIMIT_EVENT_STREAMS];
	size_t count;
	bool stopping;
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* On the thread that changed the job. */
static void on_change(void *ctx, struct str account_id, struct str job_id)
{
	struct job_events *ev = ctx;

	WITH_LOCK(&ev->lock);
	for (size_t i = 0; i < ev->count; i++) {
		struct stream *s = ev->streams[i];

		if (!str_eq_z(account_id, s->account_id) ||
			(!str_eq_z(job_id, s->job_id) && !str_eq_z(job_id, s->flow_job_id)))
			continue;
		s->dirty = true;
		cond_signal(&ev->changed);
	}
}

/* ---- one stream ---- */

enum fate { LIVES, HELD_UP, ENDED };

static bool has_ended(enum job_status s)
{
	return s == JOB_COMPLETED || s == JOB_FAILED || s == JOB_CANCELED;
}

static void add_event(struct buf *out, const char *name, int64_t id, struct str data)
{
	buf_add_fmt(out, "id: %lld\nevent: %s\ndata: ", (long long)id, name);
	buf_add_str(out, data); /* JSON in one line */
	BUF_ADD_LIT(out, "\n\n");
}

static enum fate send(struct stream *s, const struct buf *out)
{
	if (out->n > WAITING_MAX)
		return ENDED;
	switch (http_exchange_stream_send(s->x, buf_str(out))) {
	case HTTP_STREAM_TAKEN:
		return LIVES;
	case HTTP_STREAM_FULL:
		return HELD_UP;
	default:
		return ENDED;
	}
}

/* Sends what is new of the job, or a comment when a beat is due. */
static enum fate look(struct job_events *ev, struct stream *s, bool beat)
{
	struct arena *a DEFER(arena_freep) = arena_new("job event", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct buf job DEFER(buf_free) = BUF_INIT(0), out DEFER(buf_free) = BUF_INIT(0);
	struct store_job j;
	struct err err = ERR_INIT;

	if (!store_read_begin(ev->api->cfg.store, &c, &err) ||
		!store_job_get(c, a, str_z(s->account_id), str_z(s->job_id), &j, &err))
		return err.code == ERR_NOT_FOUND ? ENDED : HELD_UP;
	job_print(ev->api->cfg.engine, c, &j, &job);
	bool ended = has_ended(j.status);

	if (!str_eq(buf_str(&job), buf_str(&s->last)))
		add_event(&out, "job", j.modified_ms, buf_str(&job));
	else if (beat)
		BUF_ADD_LIT(&out, ":\n\n");
	if (ended)
		add_event(&out, "end", j.modified_ms, buf_str(&job));
	if (out.n == 0)
		return http_exchange_stream_alive(s->x) ? LIVES : ENDED;
	enum fate fate = send(s, &out);

	if (fate != LIVES)
		return fate;
	buf_reset(&s->last);
	buf_add_str(&s->last, buf_str(&job));
	return ended ? ENDED : LIVES;
}

static void end(struct stream *s)
{
	struct http_exchange *x = s->x;

	buf_free(&s->last);
	http_exchange_stream_end(x); /* S is in its arena */
}

/* ---- the thread ---- */

/* The next stream to look at; NULL: none is due, *UNTIL is when one is. Under the lock. */
static struct stream *take_due(struct job_events *ev, int64_t now, bool *beat, int64_t *until)
{
	*until = INT64_MAX;
	for (size_t i = 0; i < ev->count; i++) {
		struct stream *s = ev->streams[i];
		int64_t at = s->dirty ? MIN(s->next_ms, s->beat_ms) : s->beat_ms;

		if (at > now) {
			*until = MIN(*until, at);
			continue;
		}
		*beat = s->beat_ms <= now;
		s->dirty = false;
		s->next_ms = now + PAUSE_MS;
		s->beat_ms = now + BEAT_MS;
		return s;
	}
	return NULL;
}

static void remove_stream(struct job_events *ev, const struct stream *s)
{
	WITH_LOCK(&ev->lock);
	for (size_t i = 0; i < ev->count; i++) {
		if (ev->streams[i] != s)
			continue;
		ev->streams[i] = ev->streams[--ev->count];
		return;
	}
}

static void mark(struct job_events *ev, struct stream *s)
{
	WITH_LOCK(&ev->lock);
	s->dirty = true;
}

/* Waits for a stream that is due; NULL: the end. */
static struct stream *next_stream(struct job_events *ev, bool *beat)
{
	WITH_LOCK(&ev->lock);
	while (!ev->stopping) {
		int64_t until;
		struct stream *s = take_due(ev, now_ms(), beat, &until);

		if (s != NULL)
			return s;
		if (until == INT64_MAX)
			cond_wait(&ev->changed, &ev->lock);
		else
			(void)cond_wait_until(&ev->changed, &ev->lock, until);
	}
	return NULL;
}

static void *events_main(void *arg)
{
	struct job_events *ev = arg;
	struct stream *s;
	bool beat;

	while ((s = next_stream(ev, &beat)) != NULL) {
		switch (look(ev, s, beat)) {
		case LIVES:
			break;
		case HELD_UP:
			mark(ev, s);
			break;
		case ENDED:
			remove_stream(ev, s);
			end(s);
			break;
		}
	}
	return NULL;
}

struct job_events *job_events_new(struct api *api)
{
	struct job_events *ev = arena_new_of(api->arena, struct job_events);

	ev->api = api;
	mutex_init(&ev->lock);
	cond_init(&ev->changed);
	thread_start(&ev->thread, "events", events_main, ev);
	engine_observe(api->cfg.engine, on_change, ev);
	return ev;
}

void job_events_free(struct job_events *ev)
{
	engine_observe(ev->api->cfg.engine, NULL, NULL);
	mutex_lock(&ev->lock);
	ev->stopping = true;
	cond_signal(&ev->changed);
	mutex_unlock(&ev->lock);
	thread_join(&ev->thread);
	for (size_t i = 0; i < ev->count; i++)
		end(ev->streams[i]);
	cond_destroy(&ev->changed);
	mutex_destroy(&ev->lock);
}

/* ---- asking for one ---- */

/* Begins the stream and adds it, while there is room. */
static bool add_stream(struct job_events *ev, struct stream *s, struct err *err)
{
	size_t own = 0;

	WITH_LOCK(&ev->lock);
	for (size_t i = 0; i < ev->count; i++)
		own += strcmp(ev->streams[i]->token_id, s->token_id) == 0 &&
		       http_exchange_stream_alive(ev->streams[i]->x);
	if (own >= LIMIT_EVENT_STREAMS_TOKEN)
		err_set(err, ERR_RATE, "the token has %d streams of events already",
			LIMIT_EVENT_STREAMS_TOKEN);
	else if (ev->count == LIMIT_EVENT_STREAMS)
		err_set(err, ERR_OVERLOADED, "all %d streams of events are in use",
			LIMIT_EVENT_STREAMS);
	if (err->code != ERR_NONE) {
		err->retry_after_s = BEAT_MS / 1000;
		return false;
	}
	http_exchange_stream_begin(s->x, WAITING_MAX);
	s->dirty = true;
	s->beat_ms = now_ms() + BEAT_MS;
	ev->streams[ev->count++] = s;
	cond_signal(&ev->changed);
	return true;
}

static bool read_job(struct api_request *rq, struct store_job *j, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(rq->api->cfg.store, &c, err) &&
	       store_job_get(c, rq->x->arena, caller_account(&rq->caller), rq->match.params[0], j,
		       err);
}

/* A client that comes back by itself and has seen the end: 204 tells it not to come again. */
static bool has_seen_the_end(const struct api_request *rq, const struct store_job *j)
{
	int64_t id;

	return has_ended(j->status) &&
	       str_to_i64(http_request_header(rq->x, STR("Last-Event-ID")), &id) &&
	       id == j->modified_ms;
}

/* Behind add_stream() the request may be gone. */
void handle_job_events(struct api_request *rq)
{
	struct stream *s = arena_new_of(rq->x->arena, struct stream);
	struct http_exchange *x = rq->x;
	struct store_job j;
	struct err err = ERR_INIT;

	if (!read_job(rq, &j, &err)) {
		api_fail(rq, &err);
	} else if (has_seen_the_end(rq, &j)) {
		api_answer(rq, 204, STR_NULL);
	} else {
		s->x = x;
		memcpy(s->account_id, j.account_id.p, ID_LEN);
		memcpy(s->job_id, j.id.p, ID_LEN);
		if (j.flow_job_id.p != NULL)
			memcpy(s->flow_job_id, j.flow_job_id.p, ID_LEN);
		memcpy(s->token_id, rq->caller.token_id, ID_LEN);
		x->status = 200;
		api_header(rq, "Content-Type", STR("text/event-stream; charset=utf-8"));
		api_header(rq, "Cache-Control", STR("no-store"));
		if (add_stream(rq->api->events, s, &err))
			return;
		x->res_header_count -= 2;
		api_fail(rq, &err);
	}
	http_exchange_finish(x);
}
