/*
 * reader.c - read-only connections, last used first, so that the same few stay warm. The writer's
 * thread, when idle, closes those that were of no use for some seconds.
 */
#include "store/store_priv.h"

void readers_init(struct readers *r)
{
	mutex_init(&r->lock);
	cond_init(&r->room);
}

static struct store_conn *pop(struct readers *r)
{
	struct store_conn *c = r->idle;

	r->idle = c->next;
	r->idle_count--;
	r->idle_low = MIN(r->idle_low, r->idle_count);
	return c;
}

/* An idle connection, or NULL with the right to open one more; false when there is no room. */
static bool take(struct readers *r, struct store_conn **out)
{
	int64_t until = 0;

	WITH_LOCK(&r->lock);
	while (r->idle == NULL && r->open == READERS_MAX) {
		if (until == 0)
			until = clock_mono_ms(clock_system()) + READERS_WAIT_MS;
		if (!cond_wait_until(&r->room, &r->lock, until) && r->idle == NULL &&
			r->open == READERS_MAX)
			return false;
	}
	if (r->idle != NULL) {
		*out = pop(r);
		return true;
	}
	r->open++;
	*out = NULL;
	return true;
}

static void forget_one(struct readers *r)
{
	WITH_LOCK(&r->lock);
	r->open--;
	cond_signal(&r->room);
}

static bool open_one(struct store *s, struct store_conn **out, struct err *err)
{
	struct sql_conn *sql;

	if (!s->driver->open(&s->place, SQL_READER, &sql, err)) {
		forget_one(&s->readers);
		return false;
	}

	struct arena *a = arena_new("store reader", 0);
	struct store_conn *c = arena_new_of(a, struct store_conn);

	c->arena = a;
	c->store = s;
	c->sql = sql;
	*out = c;
	return true;
}

static void close_one(struct store_conn *c)
{
	sql_close(c->sql);
	arena_free(c->arena);
}

bool store_read_begin(struct store *s, struct store_conn **out, struct err *err)
{
	if (!take(&s->readers, out))
		return err_set(err, ERR_OVERLOADED, "more than %d readers of the store at once",
			READERS_MAX);
	return *out != NULL || open_one(s, out, err);
}

void store_read_end(struct store_conn *c)
{
	if (c == NULL)
		return;

	struct store *s = c->store;
	struct readers *r = &s->readers;
	bool usable = !c->in_snapshot || sql_control(c->sql, SQL_COMMIT);
	bool nudge;

	CHECK(!c->writer);
	c->in_snapshot = false;
	if (!usable) {
		close_one(c);
		forget_one(r);
		return;
	}
	mutex_lock(&r->lock);
	c->next = r->idle;
	r->idle = c;
	r->idle_count++;
	nudge = r->idle_count == READERS_IDLE_KEEP + 1;
	cond_signal(&r->room);
	mutex_unlock(&r->lock);
	if (nudge)
		writer_nudge(s);
}

void store_read_endp(struct store_conn **c)
{
	store_read_end(*c);
	*c = NULL;
}

bool readers_trimmable(struct store *s)
{
	WITH_LOCK(&s->readers.lock);
	return s->readers.idle_count > READERS_IDLE_KEEP;
}

/* The connections behind the first KEEP idle ones: those unused for longest. */
static struct store_conn *cut_idle(struct readers *r, size_t n)
{
	struct store_conn **at = &r->idle, *rest;

	for (size_t keep = r->idle_count - n; keep > 0; keep--)
		at = &(*at)->next;
	rest = *at;
	*at = NULL;
	r->idle_count -= n;
	r->open -= n;
	return rest;
}

static struct store_conn *cut_unused(struct readers *r)
{
	WITH_LOCK(&r->lock);
	size_t unused = MIN(r->idle_low, r->idle_count);

	if (unused == r->idle_count && unused > 0)
		unused -= MIN(unused, (size_t)READERS_IDLE_KEEP);

	struct store_conn *rest = cut_idle(r, unused);

	r->idle_low = r->idle_count;
	return rest;
}

static void close_list(struct store_conn *c)
{
	while (c != NULL) {
		struct store_conn *next = c->next;

		close_one(c);
		c = next;
	}
}

void readers_trim(struct store *s)
{
	close_list(cut_unused(&s->readers));
}

void readers_close(struct store *s)
{
	struct readers *r = &s->readers;

	CHECK(r->open == r->idle_count);
	close_list(r->idle);
	cond_destroy(&r->room);
	mutex_destroy(&r->lock);
}

/*
 * The writer's transaction is begun around its units, but a failure may have ended it: what a unit
 * does afterwards would be stored at once, without the rest of it.
 */
static bool in_transaction(struct store_conn *c)
{
	if (c->writer)
		return c->sql->driver->in_transaction(c->sql);
	if (!c->in_snapshot) {
		c->page_epoch = atomic_load(&c->store->page_epoch);
		c->in_snapshot = sql_control(c->sql, SQL_BEGIN);
	}
	return c->in_snapshot;
}

struct sql_stmt *conn_use(struct store_conn *c, enum statement_id id)
{
	bool begun = in_transaction(c);
	struct sql_stmt *st = sql_use(c->sql, id);

	if (UNLIKELY(!begun))
		st->failure = c->sql->failure;
	return st;
}

struct sql_stmt *conn_use_to_write(struct store_conn *c, enum statement_id id)
{
	CHECK(c->writer);
	return conn_use(c, id);
}
