/*
 * listener.c - events that were taken in, as the source of a run; and starting such runs.
 *
 * The source reads events behind the flow's place. When there are none it lingers a moment, so that
 * a stream of events is one run and not a run an event; but not longer than its documents stay as they
 * are: a flow that was disabled takes no more. A run takes events over with the intent
 * checkpoint of its page: the flow's place moves in the same transaction.
 */
#include "engine/listener.h"

#include "core/limits.h"
#include "core/log.h"
#include "engine/run_source.h"

#define LINGER_MS   2000
#define EVENTS_READ 500

struct source {
	struct run *run;
	struct arena *arena;
	struct str account_id, export_id;
	int64_t seq;  /* of the last event read */
	size_t batch; /* events to read at once */
	uint64_t events;
};

static bool read_seq(struct run *r, struct str cursor, int64_t *seq, bool *found, struct err *err)
{
	const struct json *doc;

	*found = cursor.p != NULL;
	if (cursor.p == NULL)
		return true;
	return (json_parse_copy(r->arena, cursor, &doc, err) &&
		       json_to_i64(json_get(doc, STR("seq")), seq)) ||
	       err_set(err, ERR_STORE, "the listener's cursor is damaged");
}

/* A page has all that is there, unless the export says how much it may have. */
static size_t batch_of(const struct json *export)
{
	int64_t n;

	if (!json_to_i64(json_get(export, STR("pageSize")), &n) || n < 1)
		return EVENTS_READ;
	return (size_t)MIN(n, EVENTS_READ);
}

bool listener_source_open(struct run *r, const struct flow_source *fs, struct str cursor,
	struct source **out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	int64_t seq = 0;
	bool found;

	if (!read_seq(r, cursor, &seq, &found, err))
		return false;
	if (!found && (!store_read_begin(r->e->cfg.store, &c, err) ||
			      !store_listener_place(c, r->job->account_id, fs->id, r->job->flow_id,
				      &seq, err)))
		return false;

	struct arena *a = arena_new("listener", 0);
	struct source *s = arena_new_of(a, struct source);

	s->run = r;
	s->arena = a;
	s->account_id = str_dup(a, r->job->account_id);
	s->export_id = str_dup(a, fs->id);
	s->seq = seq;
	s->batch = batch_of(fs->doc);
	*out = s;
	return true;
}

struct gather {
	struct buf *text;
	int64_t seq;
	size_t count;
};

/* The body without the brackets of an array. */
static struct str elements_of(struct str body)
{
	struct str s = str_trim(body);

	return s.n >= 2 && s.p[0] == '[' ? str_trim(str_sub(s, 1, s.n - 2)) : s;
}

static bool add_event(void *arg, const struct store_event *e)
{
	struct gather *g = arg;
	struct str records = elements_of(e->body);

	if (g->text->n > 1 && records.n > 0)
		buf_add_char(g->text, ',');
	buf_add_str(g->text, records);
	g->seq = e->seq;
	g->count++;
	return g->text->n < LIMIT_PAGE_BYTES;
}

static bool read_events(struct source *s, struct gather *g, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(s->run->e->cfg.store, &c, err) &&
	       store_event_list(c, s->account_id, s->export_id, s->seq, s->batch, add_event, g,
		       err);
}

/* Was anything written since the run's documents were read? Then the next run reads them again. */
static bool is_outdated(const struct source *s)
{
	return atomic_load(&s->run->e->changes) != s->run->changes;
}

/* Until an event came, the moment is over, or somebody wants an end. False: the latter two. */
static bool linger(struct source *s, uint64_t seen, int64_t until)
{
	struct engine *e = s->run->e;

	WITH_LOCK(&e->lock);
	while (e->events_posted == seen && !is_outdated(s) && !atomic_load(&e->stopping) &&
		!atomic_load(&s->run->worker->canceled))
		if (!cond_wait_until(&e->events, &e->lock, until))
			return e->events_posted != seen;
	return e->events_posted != seen;
}

static uint64_t events_posted(struct engine *e)
{
	WITH_LOCK(&e->lock);
	return e->events_posted;
}

static bool listener_next(struct source *s, struct chunk *out, struct err *err)
{
	int64_t until = clock_mono_ms(clock_system()) + LINGER_MS;
	struct gather g = { &out->text, s->seq, 0 };
	uint64_t seen;

	buf_add_char(&out->text, '[');
	do {
		seen = events_posted(s->run->e);
		if (is_outdated(s))
			break;
		if (!read_events(s, &g, err))
			return false;
	} while (g.count == 0 && linger(s, seen, until));
	buf_add_char(&out->text, ']');
	s->seq = g.seq;
	s->events += g.count;
	out->last = g.count == 0;
	out->cursor = str_fmt(out->arena, "{\"seq\":%lld}", (long long)s->seq);
	return json_parse(out->arena, out->text.p, out->text.n, NULL, &out->records, err) ||
	       err_wrap(err, "events %lld to %lld", (long long)s->seq, (long long)g.seq);
}

static struct str listener_zero_reason(const struct source *s)
{
	return s->events > 0 ? STR_NULL : STR("no event has come");
}

static void listener_close(struct source *s)
{
	arena_free(s->arena);
}

const struct source_ops listener_source_ops = { NULL, listener_next, NULL, listener_zero_reason,
	NULL, listener_close };

int64_t listener_source_seq(const struct source *s)
{
	return s->seq;
}

int64_t listener_cursor_seq(struct arena *a, struct str page_cursor)
{
	const struct json *doc;
	struct err err = ERR_INIT;
	int64_t seq = 0;

	if (!json_parse_copy(a, page_cursor, &doc, &err) ||
		!json_to_i64(json_get_path(doc, STR("from.seq")), &seq))
		return 0;
	return seq;
}

/* ---- starting runs ---- */

/*
 * What is known of a listener, so that an event costs one look-up: is a run of every flow that it
 * feeds queued or at work (what comes is seen by those), is there no flow to run (until one is
 * changed), or must the listeners' thread look?
 */
enum listener_state { LISTENER_IDLE, LISTENER_HEARD, LISTENER_ACTIVE, LISTENER_DORMANT };

struct listener {
	char account_id[ID_LEN + 1], export_id[ID_LEN + 1];
	enum listener_state state;
	struct listener *next_heard;
};

/* Under the engine's lock. */
static struct listener *listener_of(struct engine *e, struct str account_id, struct str export_id)
{
	struct listener *l = map_get(e->listening, export_id);

	if (l != NULL)
		return l;
	CHECK(account_id.n == ID_LEN && export_id.n == ID_LEN);
	l = arena_new_of(e->arena, struct listener);
	memcpy(l->account_id, account_id.p, ID_LEN);
	memcpy(l->export_id, export_id.p, ID_LEN);
	map_put(e->listening, str_of(l->export_id, ID_LEN), l);
	return l;
}

static void set_state(struct engine *e, struct str account_id, struct str export_id,
	enum listener_state state)
{
	WITH_LOCK(&e->lock);
	struct listener *l = listener_of(e, account_id, export_id);

	/* what was heard meanwhile is still to be looked at */
	if (l->state != LISTENER_HEARD)
		l->state = state;
}

void engine_listen(struct engine *e, struct str account_id, struct str export_id)
{
	WITH_LOCK(&e->lock);
	struct listener *l = listener_of(e, account_id, export_id);

	e->events_posted++;
	cond_broadcast(&e->events);
	if (l->state != LISTENER_IDLE)
		return;
	l->state = LISTENER_HEARD;
	l->next_heard = e->heard;
	e->heard = l;
	cond_signal(&e->hears);
}

struct starting {
	struct engine *e;
	struct arena *arena;
	struct str account_id, export_id;
	size_t flows, at_work, started; /* flows: those that are enabled */
};

static bool found_one(void *arg, const struct store_event *e UNUSED)
{
	*(bool *)arg = true;
	return false;
}

static bool start_flow(struct starting *s, struct store_conn *c, struct str flow_id,
	struct err *err)
{
	struct store_resource row;
	const struct json *doc;
	struct str job_id;
	int64_t place;
	bool at_work, waiting = false;

	if (!store_resource_get(c, s->arena, s->account_id, STR("flow"), flow_id, &row, err) ||
		!json_parse_copy(s->arena, row.document, &doc, err))
		return false;
	if (json_get_true(doc, STR("disabled")))
		return true;
	s->flows++;
	if (!store_job_of_flow(c, s->account_id, flow_id, &at_work, err) ||
		!store_listener_place(c, s->account_id, s->export_id, flow_id, &place, err) ||
		!store_event_list(c, s->account_id, s->export_id, place, 1, found_one, &waiting,
			err))
		return false;
	s->at_work += at_work;
	if (!waiting || at_work)
		return true;
	const struct queue_request q = { s->account_id, flow_id, STR("event"), doc, 0 };

	/* flows of older stores have no place: without one nothing of theirs would be kept */
	if (!store_listener_advance(c, s->account_id, s->export_id, flow_id, place, err) ||
		!engine_queue(s->e, c, s->arena, &q, &job_id, err))
		return false;
	s->started++;
	return true;
}

#define FLOWS_OF_LISTENER_MAX 100

static bool start_write(struct store_conn *c, void *arg, struct err *err)
{
	struct starting *s = arg;
	struct store_resource *who = arena_array_of(s->arena, struct store_resource,
		FLOWS_OF_LISTENER_MAX);
	size_t count;

	if (!store_resource_referrers(c, s->arena, s->account_id, STR("export"), s->export_id, who,
		    FLOWS_OF_LISTENER_MAX, &count, err))
		return false;
	for (size_t i = 0; i < MIN(count, (size_t)FLOWS_OF_LISTENER_MAX); i++)
		if (str_eq_z(who[i].type, "flow") && !start_flow(s, c, who[i].id, err))
			return false;
	return true;
}

/* Queues a run of each flow that has events waiting and no run yet. */
static void start_flows(struct engine *e, struct str account_id, struct str export_id)
{
	struct arena *a DEFER(arena_freep) = arena_new("listener", 0);
	struct starting s = { e, a, account_id, export_id, 0, 0, 0 };
	struct err err = ERR_INIT;

	/* marked first: an event that comes from here on is either seen below or heard */
	set_state(e, account_id, export_id, LISTENER_IDLE);
	if (!store_write(e->cfg.store, start_write, &s, &err)) {
		log_err(LOG_WARN, "listener.not_started", &err);
		return;
	}
	if (s.started > 0)
		engine_post(e);
	if (s.flows == 0)
		set_state(e, account_id, export_id, LISTENER_DORMANT);
	else if (s.started + s.at_work == s.flows)
		set_state(e, account_id, export_id, LISTENER_ACTIVE);
}

void listener_ended(struct engine *e, struct str account_id, struct str export_id)
{
	start_flows(e, account_id, export_id); /* what came while the run was ending */
}

/* The next that was heard of; NULL: the engine stops. */
static struct listener *take_heard(struct engine *e)
{
	WITH_LOCK(&e->lock);
	while (e->heard == NULL && !atomic_load(&e->stopping))
		cond_wait(&e->hears, &e->lock);
	struct listener *l = e->heard;

	if (l == NULL || atomic_load(&e->stopping))
		return NULL;
	e->heard = l->next_heard;
	l->state = LISTENER_IDLE;
	return l;
}

void *listeners_main(void *arg)
{
	struct engine *e = arg;
	struct listener *l;

	while ((l = take_heard(e)) != NULL)
		start_flows(e, str_of(l->account_id, ID_LEN), str_of(l->export_id, ID_LEN));
	return NULL;
}

/* Flows or exports were changed: what was known is known no more. */
static void forget_states(struct engine *e)
{
	WITH_LOCK(&e->lock);
	for (size_t i = 0; i < map_count(e->listening); i++) {
		struct listener *l = map_value_at(e->listening, i);

		if (l->state != LISTENER_HEARD)
			l->state = LISTENER_IDLE;
	}
}

struct kept_events {
	struct arena *arena;
	struct {
		struct str account_id, export_id;
	} * list;
	size_t count;
};

static bool add_kept(void *arg, struct str account_id, struct str export_id)
{
	struct kept_events *k = arg;

	k->list = arena_grow(k->arena, k->list, k->count * sizeof(*k->list),
		(k->count + 1) * sizeof(*k->list));
	k->list[k->count].account_id = str_dup(k->arena, account_id);
	k->list[k->count++].export_id = str_dup(k->arena, export_id);
	return true;
}

void listeners_resume(struct engine *e)
{
	struct arena *a DEFER(arena_freep) = arena_new("listeners", 0);
	struct kept_events k = { .arena = a };
	struct store_conn *c = NULL;
	struct err err = ERR_INIT;

	forget_states(e);
	bool ok = store_read_begin(e->cfg.store, &c, &err) &&
		  store_event_exports(c, add_kept, &k, &err);

	store_read_end(c);
	if (!ok)
		log_err(LOG_WARN, "listener.not_resumed", &err);
	for (size_t i = 0; i < k.count; i++)
		start_flows(e, k.list[i].account_id, k.list[i].export_id);
}
