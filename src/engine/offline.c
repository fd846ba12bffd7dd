/*
 * offline.c - connections that an application does not let us use, or that are out of reach.
 *
 * A run that is refused pings once; when that fails too the connection's document is set offline and
 * jobs that need it wait. The timer probes it with growing pauses; when it answers, the document is
 * set online and the waiting jobs are woken, in the order in which they were queued.
 */
#include "engine/offline.h"

#include "core/limits.h"
#include "core/log.h"

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

void probes_add(struct engine *e, struct str account_id, struct str id)
{
	WITH_LOCK(&e->lock);
	for (size_t i = 0; i < e->probe_count; i++)
		if (str_eq_z(id, e->probes[i].id))
			return;
	if (e->probe_count == PROBES_MAX)
		return; /* its jobs look themselves */
	struct probe *p = &e->probes[e->probe_count++];

	*p = (struct probe){ .pause_ms = PROBE_FIRST_MS };
	memcpy(p->account_id, account_id.p, ID_LEN);
	memcpy(p->id, id.p, ID_LEN);
	p->due_ms = clock_wall_ms(e->cfg.clock) + p->pause_ms;
	cond_signal(&e->probing);
}

static bool load_one(void *arg, struct str account_id, struct str connection_id)
{
	probes_add(arg, account_id, connection_id);
	return true;
}

static void probes_load(struct engine *e)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;

	if (!store_read_begin(e->cfg.store, &c, &err) || !store_probe_list(c, load_one, e, &err))
		log_err(LOG_ERROR, "probes.not_read", &err);
}

/* Whether the connection is probed is kept, so that a restart goes on with it. */
struct probe_change {
	struct engine *e;
	struct str account_id, id;
	bool add;
};

static bool change_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct probe_change *x = arg;

	return x->add ? store_probe_put(c, x->account_id, x->id, clock_wall_ms(x->e->cfg.clock),
				err)
		      : store_probe_remove(c, x->account_id, x->id, err);
}

static void keep_probe(struct engine *e, struct str account_id, struct str id, bool add)
{
	struct probe_change x = { e, account_id, id, add };
	struct err err = ERR_INIT;

	if (!store_write(e->cfg.store, change_write, &x, &err))
		log_err(LOG_WARN, "probe.not_kept", &err);
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

/* Is there still something to probe, and does it answer? True: the probe is over. */
static bool probe_once(struct engine *e, const struct probe *p, struct arena *a)
{
	struct store_conn *c = NULL;
	struct adaptor_env env = engine_env(e);
	struct str account = str_z(p->account_id), id = str_z(p->id);
	struct ping_result pong = { .ok = false };
	const struct json *connection;
	struct err err = ERR_INIT;

	if (!store_read_begin(e->cfg.store, &c, &err))
		return false;
	bool there = resource_open(e->cfg.resources, c, a, account, STR("connection"), id,
		&connection, &err);

	store_read_end(c);
	if (!there)
		return err.code == ERR_NOT_FOUND;
	if (!json_get_true(connection, STR("offline"))) {
		connection_is_back(e, account, id);
		return true; /* the user was faster */
	}
	env.canceled = &e->stopping;
	env.gate_wait_ms = LIMIT_CALL_GATE_MS;
	if (!ping(&env, connection, a, &pong, &err) || !pong.ok)
		return false;
	LOG(LOG_INFO, "connection.online", LOG_S("connection", id));
	if (!set_offline(e, account, id, false, a))
		return false;
	connection_is_back(e, account, id);
	return true;
}

/* The probe that is due, taken out of the list; false: none is. */
static bool take_due(struct engine *e, int64_t now, struct probe *out)
{
	WITH_LOCK(&e->lock);
	for (size_t i = 0; i < e->probe_count; i++) {
		if (e->probes[i].due_ms > now)
			continue;
		*out = e->probes[i];
		e->probes[i] = e->probes[--e->probe_count];
		return true;
	}
	return false;
}

static void put_back(struct engine *e, struct probe *p, int64_t now)
{
	WITH_LOCK(&e->lock);
	p->pause_ms = MIN(p->pause_ms * 2, PROBE_LAST_MS);
	p->due_ms = now + p->pause_ms;
	if (e->probe_count < PROBES_MAX)
		e->probes[e->probe_count++] = *p;
}

/* Runs what is due; returns when to come again (wall, INT64_MAX: nothing to probe). */
static int64_t probes_run(struct engine *e)
{
	int64_t next = INT64_MAX;
	struct probe p;

	while (!atomic_load(&e->stopping) && take_due(e, clock_wall_ms(e->cfg.clock), &p)) {
		struct arena *a = arena_new("probe", 0);

		if (probe_once(e, &p, a))
			keep_probe(e, str_z(p.account_id), str_z(p.id), false);
		else
			put_back(e, &p, clock_wall_ms(e->cfg.clock));
		arena_wipe(a);
		arena_free(a);
	}
	WITH_LOCK(&e->lock);
	for (size_t i = 0; i < e->probe_count; i++)
		next = MIN(next, e->probes[i].due_ms);
	return next;
}

/* Takes the probe of this connection out of the list; false: it has none. */
static bool take_of(struct engine *e, struct str id)
{
	WITH_LOCK(&e->lock);
	for (size_t i = 0; i < e->probe_count; i++) {
		if (!str_eq_z(id, e->probes[i].id))
			continue;
		e->probes[i] = e->probes[--e->probe_count];
		return true;
	}
	return false;
}

/* One without a probe was set offline by its owner, who alone may end that. */
void connection_pinged(struct engine *e, struct str account_id, struct str id)
{
	struct arena *a;

	WITH_LOCK(&e->offline_lock);
	if (!take_of(e, id))
		return;
	a = arena_new("ping", 0);
	if (set_offline(e, account_id, id, false, a)) {
		LOG(LOG_INFO, "connection.online", LOG_S("connection", id));
		connection_is_back(e, account_id, id);
		keep_probe(e, account_id, id, false);
	} else {
		probes_add(e, account_id, id);
	}
	arena_free(a);
}

#define PROBES_SLEEP_MS 1000 /* at most: the wall clock may jump */

void *probes_main(void *arg)
{
	struct engine *e = arg;

	probes_load(e);
	while (!atomic_load(&e->stopping)) {
		int64_t next = probes_run(e);

		WITH_LOCK(&e->lock);
		int64_t left = next - clock_wall_ms(e->cfg.clock);

		if (!atomic_load(&e->stopping) && left > 0)
			(void)cond_wait_until(&e->probing, &e->lock,
				clock_mono_ms(clock_system()) + MIN(left, PROBES_SLEEP_MS));
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
		if (pong.ok)
			return false;
		*why = pong.message;
	} else if (err.code == ERR_UNSUPPORTED || err.code == ERR_CANCELED ||
		   err.code == ERR_OVERLOADED) {
		return false;
	} else {
		*why = str_dup(a, str_z(err.message));
	}
	LOG(LOG_WARN, "connection.offline", LOG_S("connection", id), LOG_S("message", *why));

	WITH_LOCK(&e->offline_lock); /* whoever sees it offline and pings it finds the probe */
	/* first: a connection that is offline without one would stay so for ever behind a kill */
	keep_probe(e, account_id, id, true);
	if (!set_offline(e, account_id, id, true, a)) {
		keep_probe(e, account_id, id, false);
		return false;
	}
	probes_add(e, account_id, id);
	return true;
}
