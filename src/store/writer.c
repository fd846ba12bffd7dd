/*
 * writer.c - group commit. Callers put units, which live on their stacks, into a list and wait for
 * their group to be told (or, with store_write_async(), leave a unit that says whom to tell); the thread takes the oldest group (all that waits, up to a maximum), runs
 * each unit between a savepoint and its release, commits once, and wakes that group alone.
 *
 * A group is numbered when its first unit joins it, and its callers wait on the condition of that
 * number, so that a commit does not wake those who wait for the next one.
 */
#include "store/store_priv.h"

#include "core/log.h"
#include "store/fault.h"

struct unit {
	store_fn fn;
	void *arg;
	struct err *err; /* the caller's, NULL allowed */
	uint64_t group;
	bool ok, told;
	store_done done; /* NULL: a caller waits for `told` */
	void *done_arg;
	struct unit *next, *others; /* of the list; of those told by `done` */
};
struct async_unit {
	struct unit unit;
	struct err err;
};

static struct cond *told_of(struct writer *w, uint64_t group)
{
	return &w->told[group % WRITER_GROUPS];
}

/* ---- the callers' side ---- */

static void join_group(struct writer *w, struct unit *u)
{
	if (w->open_count == WRITER_GROUP_MAX) {
		w->open_group++;
		w->open_count = 0;
	}
	u->group = w->open_group;
	w->open_count++;
	if (w->last == NULL)
		w->first = u;
	else
		w->last->next = u;
	w->last = u;
	if (w->waiting++ == 0)
		cond_signal(&w->more);
}

static bool refuse(struct writer *w, struct err *err)
{
	w->stats.failed_writes++;
	err_set(err, ERR_STORE, "the store takes no writes since one failed: %s",
		w->reason.message);
	return err_hint(err, "look after the disk, then restart the server");
}

/* Under the lock. */
static bool queue_and_wait(struct writer *w, struct unit *u)
{
	while (w->waiting == WRITER_QUEUE_MAX && !w->failed)
		cond_wait(&w->room, &w->lock);
	if (w->failed)
		return refuse(w, u->err);
	join_group(w, u);
	while (!u->told)
		cond_wait(told_of(w, u->group), &w->lock);
	return u->ok;
}

static bool write_unit(struct store *s, struct unit *u)
{
	struct writer *w = &s->writer;

	CHECK(!pthread_equal(pthread_self(), w->thread.id));
	WITH_LOCK(&w->lock);
	CHECK(!w->stopping);
	w->callers++;

	bool ok = queue_and_wait(w, u);

	if (--w->callers == 0 && w->stopping) /* the thread waits for the last one to leave */
		cond_signal(&w->more);
	return ok;
}

bool store_write(struct store *s, store_fn fn, void *arg, struct err *err)
{
	struct unit u = { .fn = fn, .arg = arg, .err = err };

	return write_unit(s, &u);
}

bool store_write_async(struct store *s, struct arena *a, store_fn fn, void *arg, store_done done,
	void *done_arg, struct err *err)
{
	struct writer *w = &s->writer;
	struct async_unit *u = arena_new_of(a, struct async_unit);

	u->unit = (struct unit){ .fn = fn,
		.arg = arg,
		.err = &u->err,
		.done = done,
		.done_arg = done_arg };
	WITH_LOCK(&w->lock);
	CHECK(!w->stopping);
	if (w->failed)
		return refuse(w, err);
	if (w->waiting == WRITER_QUEUE_MAX) {
		err_set(err, ERR_OVERLOADED, "more than %d changes wait for the disk",
			WRITER_QUEUE_MAX);
		if (err != NULL)
			err->retry_after_s = 1;
		return false;
	}
	join_group(w, &u->unit);
	return true;
}

bool store_healthy(struct store *s, struct err *err)
{
	struct writer *w = &s->writer;

	WITH_LOCK(&w->lock);
	if (!w->failed)
		return true;
	return err_set(err, ERR_STORE, "the store takes no writes since one failed: %s",
		w->reason.message);
}

/* ---- the thread's side ---- */

/*
 * Waits until there is something to do, under the lock; false when it is time to end. While more
 * readers are open than anybody uses, it wakes up to close some. It says that it sleeps before it
 * looks for them, and who gives one back looks afterwards, so one of the two sees the other.
 */
static bool wait_for_units(struct store *s)
{
	struct writer *w = &s->writer;

	while (w->first == NULL && !(w->stopping && w->callers == 0)) {
		int64_t now = clock_mono_ms(clock_system());

		atomic_store(&w->asleep, true);
		if (!readers_trimmable(s)) {
			w->trim_at_ms = 0;
			cond_wait(&w->more, &w->lock);
			continue;
		}
		atomic_store(&w->asleep, false);
		if (w->trim_at_ms == 0)
			w->trim_at_ms = now + READERS_TRIM_MS;
		if (!cond_wait_until(&w->more, &w->lock, w->trim_at_ms)) {
			w->trim_at_ms = 0;
			mutex_unlock(&w->lock);
			readers_trim(s);
			mutex_lock(&w->lock);
		}
	}
	atomic_store(&w->asleep, false);
	return w->first != NULL;
}

void writer_nudge(struct store *s)
{
	struct writer *w = &s->writer;

	if (!atomic_load(&w->asleep))
		return;
	WITH_LOCK(&w->lock);
	cond_signal(&w->more);
}

/* The units of the oldest group, or NULL when it is time to end. */
static struct unit *take_group(struct store *s, uint64_t *group)
{
	struct writer *w = &s->writer;

	WITH_LOCK(&w->lock);
	if (!wait_for_units(s))
		return NULL;

	struct unit *first = w->first, *last = first;
	size_t n = 1;

	*group = first->group;
	for (; last->next != NULL && last->next->group == *group; last = last->next)
		n++;
	w->first = last->next;
	if (w->first == NULL)
		w->last = NULL;
	last->next = NULL;
	w->waiting -= n;
	if (*group == w->open_group) {
		w->open_group++;
		w->open_count = 0;
	}
	w->stats.writes += n;
	w->stats.group_max = MAX(w->stats.group_max, n);
	cond_broadcast(&w->room);
	return first;
}

/* Runs one unit; false when the transaction around it is gone. */
static bool run_unit(struct store_conn *c, struct unit *u)
{
	struct sql_conn *sql = c->sql;

	if (!sql_control(sql, SQL_SAVE)) {
		u->ok = sql_error(sql, u->err);
		return sql->driver->in_transaction(sql);
	}

	unsigned changed = c->changed;

	u->ok = u->fn(c, u->arg, u->err);
	if (!sql->driver->in_transaction(sql) || sql->in_doubt)
		return false;
	if (u->ok)
		return sql_control(sql, SQL_RELEASE);
	c->changed = changed;
	return sql_control(sql, SQL_UNDO);
}

static bool run_units(struct store_conn *c, struct unit *first)
{
	if (!sql_control(c->sql, SQL_BEGIN))
		return false;
	for (struct unit *u = first; u != NULL; u = u->next)
		if (!run_unit(c, u))
			return false;
	return true;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool commit(struct store *s, struct store_conn *c)
{
	struct writer *w = &s->writer;
	int64_t begin = now_us();

	fault_hit(FAULT_COMMIT);
	if (!sql_control(c->sql, SQL_COMMIT))
		return false;
	fault_hit(FAULT_COMMITTED);
	/* After the commit can be seen and before its callers know: a cache that reads the new epoch
	 * can't find the old rows any more. */
	if ((c->changed & CHANGED_TOKENS) != 0)
		atomic_fetch_add(&s->token_epoch, 1);
	if ((c->changed & CHANGED_EXPORTS) != 0)
		atomic_fetch_add(&s->export_epoch, 1);
	if ((c->changed & ADDED_PAGES) != 0)
		atomic_fetch_add(&s->page_epoch, 1);

	int64_t took = now_us() - begin;

	WITH_LOCK(&w->lock);
	w->stats.commits++;
	w->stats.commit_us_total += (uint64_t)took;
	return true;
}

static bool mark_failed(struct writer *w, const struct err *why)
{
	WITH_LOCK(&w->lock);
	if (w->failed)
		return false;
	w->failed = true;
	w->reason = *why;
	cond_broadcast(&w->room);
	return true;
}

static void fail_for_ever(struct writer *w, const struct err *why)
{
	if (mark_failed(w, why))
		log_err(LOG_ERROR, "store.failed", why);
}

/*
 * The group's transaction could not be begun, was lost in a unit or could not be committed. All of
 * its units fail. Only a full disk leaves it certain what the disk holds: the old state.
 */
static void lose_group(struct store *s, struct store_conn *c, struct unit *first, bool committing)
{
	struct err why = ERR_INIT;
	bool full = c->sql->failure == SQL_FULL && !c->sql->in_doubt;

	sql_error(c->sql, &why);
	why.code = ERR_STORE; /* whatever one unit's conflict was, the others had no part in it */
	err_wrap(&why, committing ? "nothing was acknowledged" : "nothing was stored");
	if (!sql_rollback(c->sql) || c->sql->in_doubt || (committing && !full))
		fail_for_ever(&s->writer, &why);
	for (struct unit *u = first; u != NULL; u = u->next) {
		/* Also where a unit had an error of its own: it may rest on what is undone now, or on
		 * what could not be read. */
		if (u->err != NULL)
			*u->err = why;
		u->ok = false;
	}
}

static bool is_failed(struct writer *w)
{
	WITH_LOCK(&w->lock);
	return w->failed;
}

static void run_group(struct store *s, struct unit *first)
{
	struct writer *w = &s->writer;
	struct store_conn *c = &w->conn;

	if (is_failed(w)) { /* queued before it was known */
		for (struct unit *u = first; u != NULL; u = u->next)
			u->ok = err_set(u->err, ERR_STORE,
				"the store takes no writes since one failed: %s",
				w->reason.message);
		return;
	}
	c->changed = 0;
	if (!run_units(c, first))
		lose_group(s, c, first, false);
	else if (!commit(s, c))
		lose_group(s, c, first, true);
}

/* Tells those who wait; returns the others. */
static struct unit *tell_callers(struct writer *w, struct unit *first, uint64_t group)
{
	struct unit *others = NULL, **end = &others;
	bool told = false;

	WITH_LOCK(&w->lock);
	/* A unit may be gone from its caller's stack as soon as the lock is released, not before. */
	for (struct unit *u = first; u != NULL; u = u->next) {
		w->stats.failed_writes += !u->ok;
		if (u->done == NULL) {
			u->told = told = true;
		} else {
			*end = u;
			end = &u->others;
		}
	}
	*end = NULL;
	if (told)
		cond_broadcast(told_of(w, group));
	return others;
}

static void tell_group(struct writer *w, struct unit *first, uint64_t group)
{
	for (struct unit *u = tell_callers(w, first, group), *next; u != NULL; u = next) {
		next = u->others; /* the unit is gone when it has been told */
		u->done(u->done_arg, u->ok, u->err);
	}
}

static bool is_idle(struct writer *w)
{
	WITH_LOCK(&w->lock);
	return w->first == NULL;
}

static void tend_log(struct store *s, bool closing)
{
	struct writer *w = &s->writer;
	struct sql_conn *sql = w->conn.sql;
	struct err why = ERR_INIT;

	if (is_failed(w))
		return;
	sql->driver->tend_log(sql, is_idle(w), closing);
	if (sql->in_doubt) {
		sql_error(sql, &why);
		err_wrap(&why, "the log could not be copied back");
		fail_for_ever(w, &why);
	}
}

static void *writer_main(void *arg)
{
	struct store *s = arg;
	struct unit *first;
	uint64_t group;

	while ((first = take_group(s, &group)) != NULL) {
		run_group(s, first);
		tell_group(&s->writer, first, group);
		tend_log(s, false);
	}
	return NULL;
}

void writer_start(struct store *s, struct sql_conn *sql)
{
	struct writer *w = &s->writer;

	mutex_init(&w->lock);
	cond_init(&w->more);
	cond_init(&w->room);
	for (int i = 0; i < WRITER_GROUPS; i++)
		cond_init(&w->told[i]);
	w->conn = (struct store_conn){ .store = s, .sql = sql, .writer = true };
	thread_start(&w->thread, "store writer", writer_main, s);
}

void writer_stop(struct store *s)
{
	struct writer *w = &s->writer;

	mutex_lock(&w->lock);
	w->stopping = true;
	cond_signal(&w->more);
	mutex_unlock(&w->lock);
	thread_join(&w->thread);
}

void writer_close(struct store *s)
{
	struct writer *w = &s->writer;

	tend_log(s, true);
	sql_close(w->conn.sql);
	for (int i = 0; i < WRITER_GROUPS; i++)
		cond_destroy(&w->told[i]);
	cond_destroy(&w->room);
	cond_destroy(&w->more);
	mutex_destroy(&w->lock);
}
