/*
 * bulk.c - actions on many errors: resolving them, opening them again, handing them to a retry, letting go what
 * a retry had that has ended.
 *
 * An action is a row in the store from the moment it is asked for until it is done. It is done in parts, each a
 * transaction of its own, so that other writers pass in between. Whoever asks does it and waits; what was
 * left by a process that died, or when the store failed, the timer does. Each part looks anew at which of its errors
 * are still to be touched, so doing one twice changes nothing. What fits in one part needs no row.
 */
#include "engine/bulk.h"

#include "core/log.h"

#define PART    200
#define WAIT_MS 60000

/* ---- one at a time ---- */

bool bulk_begin(struct engine *e, bool wait, struct err *err)
{
	int64_t until = clock_mono_ms(clock_system()) + (wait ? WAIT_MS : 0);
	bool in_time = wait;

	WITH_LOCK(&e->lock);
	while (e->bulk_busy && in_time)
		in_time = cond_wait_until(&e->bulk_idle, &e->lock, until);
	if (e->bulk_busy)
		return err_set(err, ERR_OVERLOADED,
			"another action on many errors has not ended yet");
	e->bulk_busy = true;
	return true;
}

void bulk_end(struct engine *e)
{
	WITH_LOCK(&e->lock);
	e->bulk_busy = false;
	cond_broadcast(&e->bulk_idle);
}

/* ---- the row ---- */

static const char *const words[] = {
	[BULK_RETRY] = "retry",
	[BULK_RELEASE] = "release",
	[BULK_RESOLVE] = "resolve",
	[BULK_REOPEN] = "reopen",
};

static const struct {
	const char *name;
	size_t at;
} texts[] = {
	{ "job", offsetof(struct store_error_filter, job_id) },
	{ "flow", offsetof(struct store_error_filter, flow_id) },
	{ "step", offsetof(struct store_error_filter, step_id) },
	{ "fingerprint", offsetof(struct store_error_filter, fingerprint) },
	{ "code", offsetof(struct store_error_filter, code) },
	{ "source", offsetof(struct store_error_filter, source) },
	{ "classification", offsetof(struct store_error_filter, classification) },
	{ "traceKey", offsetof(struct store_error_filter, trace_key) },
	{ "ids", offsetof(struct store_error_filter, ids) },
};

static const struct {
	const char *name;
	size_t at;
} times[] = {
	{ "from", offsetof(struct store_error_filter, created_gte_ms) },
	{ "to", offsetof(struct store_error_filter, created_lte_ms) },
	{ "due", offsetof(struct store_error_filter, due_lte_ms) },
};

static struct str *text_at(struct store_error_filter *f, size_t i)
{
	return (struct str *)(void *)((char *)f + texts[i].at);
}

static int64_t *time_at(struct store_error_filter *f, size_t i)
{
	return (int64_t *)(void *)((char *)f + times[i].at);
}

/* {"do", "by", "job" ... "ids", "from" ...} */
static struct str print_action(struct arena *a, const struct bulk_action *x)
{
	struct store_error_filter f = x->filter;
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("do"), str_z(words[x->what]));
	json_add_str(&b, STR("by"), x->by);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_add_str(&b, str_z(texts[i].name), *text_at(&f, i));
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		json_add_i64(&b, str_z(times[i].name), *time_at(&f, i));
	json_build_end(&b);
	return json_print_arena(a, json_build_done(&b));
}

bool bulk_add(struct store_conn *c, const struct bulk_action *x, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("action", 0);
	const struct store_action row = { x->account_id, x->id, x->at_ms, print_action(a, x) };

	return store_action_put(c, &row, err);
}

static bool read_action(struct arena *a, const struct store_action *row, struct bulk_action *out,
	struct err *err)
{
	const struct json *doc;
	struct str word;

	*out = (struct bulk_action){ .account_id = row->account_id,
		.id = row->id,
		.at_ms = row->created_ms };
	if (!json_parse_copy(a, row->body, &doc, err))
		return false;
	word = json_get_str(doc, STR("do"));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_eq_z(word, words[i]))
			continue;
		out->what = (enum bulk_what)i;
		out->by = json_get_str(doc, STR("by"));
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			*text_at(&out->filter, k) = json_get_str(doc, str_z(texts[k].name));
		for (size_t k = 0; k < ARRAY_LEN(times); k++)
			if (!json_to_i64(json_get(doc, str_z(times[k].name)),
				    time_at(&out->filter, k)))
				return err_set(err, ERR_INTERNAL, "an action without \"%s\"",
					times[k].name);
		return true;
	}
	return err_set(err, ERR_INTERNAL, "there is no action \"%.*s\"", STR_ARG(word));
}

/* ---- parts ---- */

struct doing {
	struct engine *e;
	struct bulk_action *x;
	struct store_error_filter filter; /* with the present part's ids */
	/* Those that are named: the next one, and how many are left. */
	const struct json *named;
	size_t left;
	/* Else: the last one of the present part. */
	struct store_error_place place;
	char place_id[ID_LEN + 1];
	struct buf ids; /* of the present part, a JSON array */
	size_t count;
	bool last, over;
};

static void add_id(struct doing *d, struct str id)
{
	buf_add_fmt(&d->ids, "%s\"%.*s\"", d->count++ == 0 ? "[" : ",", STR_ARG(id));
}

static bool add_listed(void *arg, const struct store_error_place *p)
{
	struct doing *d = arg;

	add_id(d, p->id);
	CHECK(p->id.n == ID_LEN);
	memcpy(d->place_id, p->id.p, ID_LEN);
	d->place = (struct store_error_place){ p->created_ms, p->record_index,
		str_of(d->place_id, ID_LEN) };
	return true;
}

static bool list_part(struct doing *d, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	char id[ID_LEN + 1];
	struct store_error_filter f = d->x->filter;
	struct store_error_place after = d->place;

	memcpy(id, d->place_id, sizeof(id)); /* what is found is written over it */
	if (after.id.p != NULL)
		after.id = str_of(id, ID_LEN);
	f.state = d->x->what == BULK_REOPEN ? ERRORS_RESOLVED : ERRORS_OPEN;
	if (!store_read_begin(d->e->cfg.store, &c, err) ||
		!store_error_ids(c, d->x->account_id, &f, &after, PART, add_listed, d, err))
		return false;
	d->last = d->count < PART;
	return true;
}

static bool next_part(struct doing *d, struct err *err)
{
	buf_reset(&d->ids);
	d->count = 0;
	if (d->x->what == BULK_RELEASE)
		return true;
	if (d->x->filter.ids.p == NULL) {
		if (!list_part(d, err))
			return false;
	} else {
		for (; d->left > 0 && d->count < PART; d->left--, d->named = json_next(d->named))
			add_id(d, json_str(d->named));
		d->last = d->left == 0;
	}
	buf_add_str(&d->ids, d->count == 0 ? STR("[]") : STR("]"));
	d->filter = d->x->filter;
	d->filter.ids = buf_str(&d->ids);
	return true;
}

/* Has the retry ended, before it could begin? What it has is let go then. */
static bool has_ended(struct store_conn *c, const struct bulk_action *x, bool *ended,
	struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("action", 0);
	struct err missing = ERR_INIT;
	struct store_job job;

	*ended = true;
	if (store_job_get(c, a, x->account_id, x->id, &job, &missing)) {
		*ended = job.ended_ms != 0;
	} else if (missing.code != ERR_NOT_FOUND) {
		*err = missing;
		return false;
	}
	return true;
}

static bool release_part(struct store_conn *c, struct doing *d, struct err *err)
{
	uint64_t n = 0;

	if (!store_retry_release(c, d->x->account_id, d->x->id, PART, &n, err))
		return false;
	d->over = n < PART;
	return true;
}

static bool touch_part(struct store_conn *c, struct doing *d, struct err *err)
{
	const struct bulk_action *x = d->x;
	const struct store_resolution how = { x->what == BULK_RESOLVE, x->by, x->at_ms };
	uint64_t n = 0;

	if (d->count > 0 && !(x->what == BULK_RETRY ? store_error_mark_retry(c, x->account_id,
							      &d->filter, x->id, &n, err)
						    : store_error_resolve(c, x->account_id,
							      &d->filter, &how, &n, err)))
		return false;
	d->x->count += n;
	d->over = d->last;
	return true;
}

static bool part_write(struct store_conn *c, void *arg, struct err *err)
{
	struct doing *d = arg;
	const struct bulk_action *x = d->x;
	bool release = x->what == BULK_RELEASE;

	if (x->what == BULK_RETRY && !has_ended(c, x, &release, err))
		return false;
	if (!(release ? release_part(c, d, err) : touch_part(c, d, err)))
		return false;
	return !d->over || store_action_remove(c, x->account_id, x->id, err);
}

static bool keep_write(struct store_conn *c, void *arg, struct err *err)
{
	return bulk_add(c, arg, err);
}

static bool read_named(struct doing *d, struct arena *a, struct err *err)
{
	const struct json *list;

	if (d->x->filter.ids.p == NULL)
		return true;
	if (!json_parse_copy(a, d->x->filter.ids, &list, err) || !json_is_array(list))
		return err_set(err, ERR_INTERNAL, "the ids of an action are no array");
	d->named = list + 1;
	d->left = list->n;
	return true;
}

static bool do_parts(struct doing *d, bool kept, struct err *err)
{
	struct store *s = d->e->cfg.store;

	while (!d->over) {
		if (atomic_load(&d->e->stopping))
			return err_set(err, ERR_SHUTTING_DOWN,
				"the server is shutting down; the rest is done when it is back");
		if (!next_part(d, err))
			return false;
		if (!kept && !d->last && !store_write(s, keep_write, d->x, err))
			return false;
		kept = true;
		if (!store_write(s, part_write, d, err))
			return false;
	}
	return true;
}

bool bulk_do(struct engine *e, struct bulk_action *x, bool kept, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("action", 0);
	struct doing d = { .e = e, .x = x, .ids = BUF_INIT(0) };
	bool ok = read_named(&d, a, err) && do_parts(&d, kept, err);

	buf_free(&d.ids);
	return ok;
}

/* ---- what was left ---- */

static bool drop_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_action *row = arg;

	return store_action_remove(c, row->account_id, row->id, err);
}

/* Does the action of this row. False: the store failed, or the server stops. */
static bool do_row(struct engine *e, struct arena *a, struct store_action *row)
{
	struct bulk_action x;
	struct err err = ERR_INIT;

	if (!read_action(a, row, &x, &err)) {
		log_err(LOG_ERROR, "errors.action_damaged", &err);
		err_clear(&err);
		return store_write(e->cfg.store, drop_write, row, &err);
	}
	if (bulk_do(e, &x, true, &err))
		return true;
	log_err(LOG_WARN, "errors.action_not_done", &err);
	return false;
}

/* The row of this id, or the oldest (p NULL). */
static bool read_row(struct engine *e, struct arena *a, struct str account_id, struct str id,
	struct store_action *out)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err = ERR_INIT;
	bool found = false;

	if (!store_read_begin(e->cfg.store, &c, &err) ||
		!(id.p == NULL ? store_action_next(c, a, out, &found, &err)
			       : store_action_get(c, a, account_id, id, out, &found, &err)))
		log_err(LOG_ERROR, "errors.action_not_read", &err);
	return found;
}

void bulk_do_left(struct engine *e)
{
	struct err busy = ERR_INIT;
	struct store_action row;
	bool any = false, more = true;

	if (!bulk_begin(e, false, &busy))
		return;
	while (more) {
		struct arena *a DEFER(arena_freep) = arena_new("action", 0);

		more = read_row(e, a, STR_NULL, STR_NULL, &row) && do_row(e, a, &row);
		any = any || more;
	}
	bulk_end(e);
	if (any)
		engine_post(e);
}

/* ---- what a retry had ---- */

bool bulk_release(struct store_conn *c, struct str account_id, struct str job_id, int64_t now_ms,
	struct err *err)
{
	const struct bulk_action rest = { .account_id = account_id,
		.id = job_id,
		.what = BULK_RELEASE,
		.at_ms = now_ms };
	uint64_t n = 0;

	return store_retry_release(c, account_id, job_id, PART, &n, err) &&
	       (n < PART || bulk_add(c, &rest, err));
}

void bulk_release_rest(struct engine *e, struct str account_id, struct str job_id)
{
	struct arena *a DEFER(arena_freep) = arena_new("action", 0);
	struct store_action row;
	struct err busy = ERR_INIT;

	if (!read_row(e, a, account_id, job_id, &row))
		return;
	if (!bulk_begin(e, true, &busy)) {
		log_err(LOG_WARN, "errors.action_not_done", &busy);
		return;
	}
	if (read_row(e, a, account_id, job_id, &row)) /* nobody else has done it meanwhile */
		(void)do_row(e, a, &row);
	bulk_end(e);
}

/* ---- resolving ---- */

struct resolving {
	struct bulk_action *list;
	size_t count;
};

/* Several are one intent: from here on all of them will be done. */
static bool keep_all_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct resolving *r = arg;

	for (size_t i = 0; i < r->count; i++)
		if (!bulk_add(c, &r->list[i], err))
			return false;
	return true;
}

static struct bulk_action action_of(struct engine *e, struct arena *a, struct str account_id,
	const struct resolve_ask *ask)
{
	struct bulk_action x = { .account_id = account_id,
		.what = ask->resolve ? BULK_RESOLVE : BULK_REOPEN,
		.filter = ask->filter,
		.by = ask->by,
		.at_ms = clock_wall_ms(e->cfg.clock) };
	struct id id;

	id_new(&id, x.at_ms, e->cfg.rng);
	x.id = str_dup(a, id_str(&id));
	return x;
}

bool engine_resolve(struct engine *e, struct str account_id, struct resolve_ask *asks, size_t n,
	struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("actions", 0);
	struct resolving r = { arena_array_of(a, struct bulk_action, MAX(n, (size_t)1)), n };

	for (size_t i = 0; i < n; i++)
		r.list[i] = action_of(e, a, account_id, &asks[i]);
	if (!bulk_begin(e, true, err))
		return false;
	bool ok = n <= 1 || store_write(e->cfg.store, keep_all_write, &r, err);

	for (size_t i = 0; ok && i < n; i++) {
		ok = bulk_do(e, &r.list[i], n > 1, err);
		asks[i].count = r.list[i].count;
	}
	bulk_end(e);
	return ok;
}
