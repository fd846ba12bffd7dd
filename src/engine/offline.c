/*
 * offline.c - connections that an application does not let us use, or that are out of reach.
 *
 * A run that is refused pings once; when that fails too the connection's document is set offline and
 * jobs that need it wait. A thread probes it with growing pauses; when it answers, the document is
 * set online and the waiting jobs are woken, in the order in which they were queued.
 */
#include "engine/offline.h"

#include "core/limits.h"
#include "core/log.h"

/* An answer that tells nothing of the credentials shows at least that the application can be reached. */
static bool lets_in(const struct ping_result *pong)
{
	return pong->ok || pong->unsure;
}

static bool ping(const struct adaptor_env *env, const struct json *connection, struct arena *a,
	struct ping_result *out, struct err *err)
{
	const struct adaptor *ad;

	if (!adaptor_of(connection, &ad, err))
		return false;
	if (ad->connection == NULL || ad->connection->ping == NULL)
		return err_set(err, ERR_UNSUPPORTED, "%s connections can't be pinged", ad->name);
	return ad->connection->ping(env, connection, a, out, err);
}

static bool set_offline(struct engine *e, struct str account_id, struct str id, bool offline,
	struct arena *a)
{
	const struct schema *s = resources_by_type(e->cfg.resources, STR("connection"));
	struct resource_view view;
	struct problems p;
	struct json_build b;

	problems_init(&p, a);
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_bool(&b, STR("offline"), offline);
	json_build_end(&b);
	if (resource_patch(e->cfg.resources, account_id, s, id, 0, json_build_done(&b), a, &view,
		    &p))
		return true;
	log_err(LOG_WARN, "connection.not_set", &p.list[0]);
	return false;
}

/* ---- probes ---- */

/* Which connections are probed, and when, is in the store: a restart goes on with it, however many there are. */
struct probe_change {
	const struct store_probe *probe;
	int64_t now_ms;
};

static bool add_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct probe_change *x = arg;

	return store_probe_put(c, x->probe, x->now_ms, err);
}

static bool move_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct probe_change *x = arg;

	return store_probe_move(c, x->probe, err);
}

static bool remove_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct probe_change *x = arg;

	return store_probe_remove(c, x->probe->account_id, x->probe->connection_id, err);
}

static bool keep_probe(struct engine *e, store_fn how, const struct store_probe *p)
{
	struct probe_change x = { p, clock_wall_ms(e->cfg.clock) };
	struct err err = ERR_INIT;

	if (store_write(e->cfg.store, how, &x, &err))
		return true;
	log_err(LOG_WARN, "probe.not_kept", &err);
	return false;
}

struct wake {
	struct engine *e;
	struct str account_id, connection_id;
	uint64_t count;
};

static bool wake_write(struct store_conn *c, void *arg, struct err *err)
{
	struct wake *w = arg;

	return store_job_wake(c, w->account_id, w->connection_id, clock_wall_ms(w->e->cfg.clock),
		&w->count, err);
}

void connection_is_back(struct engine *e, struct str account_id, struct str id)
{
	struct wake w = { e, account_id, id, 0 };
	struct err err = ERR_INIT;

	if (!store_write(e->cfg.store, wake_write, &w, &err))
		log_err(LOG_WARN, "connection.jobs_not_woken", &err);
	else if (w.count > 0)
		engine_post(e);
}

static bool read_offline(struct engine *e, struct arena *a, const struct store_probe *p,
	const struct json **connection, bool *offline, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	if (!store_read_begin(e->cfg.store, &c, err) ||
		!resource_open(e->cfg.resources, c, a, p->account_id, STR("connection"),
			p->connection_id, connection, err))
		return false;
	*offline = json_get_true(*connection, STR("offline"));
	return true;
}

/*
 * Ends the probe of a connection that ANSWERS, or that somebody set online. Under the lock, so that a run which
 * finds it out of reach at this moment sets it offline, with a probe, before or behind that. False: it goes on.
 */
static bool end_probe(struct engine *e, const struct store_probe *p, struct arena *a, bool answers)
{
	const struct json *connection;
	struct err err = ERR_INIT;
	bool offline;

	WITH_LOCK(&e->offline_lock);
	if (answers && !set_offline(e, p->account_id, p->connection_id, false, a))
		return false;
	if (answers)
		LOG(LOG_INFO, "connection.online", LOG_S("connection", p->connection_id));
	else if (!read_offline(e, a, p, &connection, &offline, &err) || offline)
		return false;
	return keep_probe(e, remove_write, p);
}

/* Is there still something to probe, and does it answer? True: the probe is over. */
static bool probe_once(struct engine *e, const struct store_probe *p, struct arena *a)
{
	struct adaptor_env env = engine_env(e, p->account_id);
	struct ping_result pong = { .ok = false };
	const struct json *connection;
	struct err err = ERR_INIT;
	bool offline;

	if (!read_offline(e, a, p, &connection, &offline, &err))
		return err.code == ERR_NOT_FOUND && keep_probe(e, remove_write, p);
	env.canceled = &e->stopping;
	env.gate_wait_ms = LIMIT_CALL_GATE_MS;
	if (offline && (!ping(&env, connection, a, &pong, &err) || !lets_in(&pong)))
		return false;
	if (!end_probe(e, p, a, offline))
		return false;
	connection_is_back(e, p->account_id, p->connection_id);
	return true;
}

#define PROBES_A_TURN 64

struct due_probes {
	struct arena *arena;
	struct store_probe list[PROBES_A_TURN];
	size_t count;
};

static bool add_due(void *arg, const struct store_probe *p)
{
	struct due_probes *d = arg;

	d->list[d->count] = *p;
	d->list[d->count].account_id = str_dup(d->arena, p->account_id);
	d->list[d->count++].connection_id = str_dup(d->arena, p->connection_id);
	return d->count < PROBES_A_TURN;
}

static bool read_due(struct engine *e, struct due_probes *d)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;

	if (store_read_begin(e->cfg.store, &c, &err) &&
		store_probe_due(c, clock_wall_ms(e->cfg.clock), PROBES_A_TURN, add_due, d, &err))
		return true;
	log_err(LOG_ERROR, "probes.not_read", &err);
	return false;
}

/* One probe, and when the next is. False: the store can't be told. */
static bool run_probe(struct engine *e, struct store_probe *p)
{
	struct arena *a = arena_new("probe", 0);
	bool over = probe_once(e, p, a);

	arena_wipe(a);
	arena_free(a);
	if (over)
		return true;
	p->pause_ms = MIN(MAX(p->pause_ms * 2, PROBE_FIRST_MS), PROBE_LAST_MS);
	p->due_ms = clock_wall_ms(e->cfg.clock) + p->pause_ms;
	return keep_probe(e, move_write, p);
}

/* Runs what is due, a part at a time: those that are longest due first. */
void probes_run(struct engine *e)
{
	bool more = true;

	while (more && !atomic_load(&e->stopping)) {
		struct arena *a DEFER(arena_freep) = arena_new("probes", 0);
		struct due_probes *d = arena_new_of(a, struct due_probes);

		d->arena = a;
		more = read_due(e, d) && d->count > 0;
		for (size_t i = 0; i < d->count && more && !atomic_load(&e->stopping); i++)
			more = run_probe(e, &d->list[i]);
	}
}

/* One without a probe was set offline by its owner, who alone may end that. */
static bool is_probed(struct engine *e, const struct store_probe *p)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;
	bool there = false;

	if (!store_read_begin(e->cfg.store, &c, &err) ||
		!store_probe_get(c, p->account_id, p->connection_id, &there, &err))
		log_err(LOG_ERROR, "probes.not_read", &err);
	return there;
}

void connection_pinged(struct engine *e, struct str account_id, struct str id)
{
	const struct store_probe p = { .account_id = account_id, .connection_id = id };
	struct arena *a;

	if (!is_probed(e, &p))
		return;
	a = arena_new("ping", 0);
	if (end_probe(e, &p, a, true))
		connection_is_back(e, account_id, id);
	arena_free(a);
}

#define PROBES_SLEEP_MS 1000

void *probes_main(void *arg)
{
	struct engine *e = arg;

	while (!atomic_load(&e->stopping)) {
		probes_run(e);
		WITH_LOCK(&e->lock);
		if (!atomic_load(&e->stopping))
			(void)cond_wait_until(&e->probing, &e->lock,
				clock_mono_ms(clock_system()) + PROBES_SLEEP_MS);
	}
	return NULL;
}

/* ---- a run was refused ---- */

bool connection_goes_offline(struct engine *e, const struct adaptor_env *env, struct str account_id,
	struct str id, const struct json *connection, struct arena *a, struct str *why)
{
	struct ping_result pong = { .ok = false };
	struct err err = ERR_INIT;

	if (ping(env, connection, a, &pong, &err)) {
		if (lets_in(&pong))
			return false;
		*why = pong.message;
	} else if (err.code == ERR_UNSUPPORTED || err.code == ERR_CANCELED ||
		   err.code == ERR_OVERLOADED) {
		return false;
	} else {
		*why = str_dup(a, str_z(err.message));
	}
	LOG(LOG_WARN, "connection.offline", LOG_S("connection", id), LOG_S("message", *why));

	const struct store_probe p = { account_id, id, clock_wall_ms(e->cfg.clock) + PROBE_FIRST_MS,
		PROBE_FIRST_MS };

	WITH_LOCK(&e->offline_lock); /* whoever sees it offline and pings it finds the probe */
	/* first: a connection that is offline without one would stay so for ever behind a kill */
	return keep_probe(e, add_write, &p) && set_offline(e, account_id, id, true, a);
}
