/*
 * listeners.c - a table of fixed size with two chains of hashes, by _id and by apiIdentifier, under
 * one lock that is held for a few instructions. Loading happens outside of it; of two threads that
 * load at once the later puts its result in the place of the other's.
 */
#define CORE_ALLOCATES /* a listener is shared by requests and the table, so no arena can own it */
#include "api/listeners.h"

#include "core/bucket.h"
#include "core/limits.h"
#include "core/thread.h"

#define CHAINS    1024
#define LOG_FIRST 16
/* Of all logs together: a few tens of megabytes; logs that would need more stay as long as they are. */
#define LOG_ENTRIES_MAX 100000

struct slot {
	char export_id[ID_LEN + 1], api_identifier[API_IDENTIFIER_LEN + 1];
	struct listener *listener;
	uint64_t epoch; /* of the exports, when the listener was last known to be the present one */
	uint64_t used;  /* the table's counter of uses, then */
	struct bucket bucket;
	struct listener_entry *log;
	size_t log_cap, log_count, log_next;
	struct slot *next_id, *next_api;
};

struct listeners {
	const struct api_config *cfg;
	struct mutex lock;
	struct cond idle;
	struct slot *slots;
	size_t count, log_entries, writing;
	uint64_t uses;
	struct slot *by_id[CHAINS], *by_api[CHAINS];
};

struct listeners *listeners_new(struct arena *a, const struct api_config *cfg)
{
	struct listeners *l = arena_new_of(a, struct listeners);

	l->cfg = cfg;
	l->slots = arena_array_of(a, struct slot, LISTENERS_MAX);
	mutex_init(&l->lock);
	cond_init(&l->idle);
	return l;
}

void listener_release(struct listener *l)
{
	if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	arena_wipe(l->arena);
	arena_free(l->arena);
	free(l);
}

void listeners_free(struct listeners *l)
{
	for (size_t i = 0; i < l->count; i++) {
		listener_release(l->slots[i].listener);
		free(l->slots[i].log);
	}
	cond_destroy(&l->idle);
	mutex_destroy(&l->lock);
}

/* ---- the table; under the lock ---- */

static size_t chain_of(struct str key)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	return h % CHAINS;
}

static struct slot *find_id(struct listeners *l, struct str id)
{
	struct slot *s = l->by_id[chain_of(id)];

	while (s != NULL && !str_eq_z(id, s->export_id))
		s = s->next_id;
	return s;
}

static struct slot *find(struct listeners *l, struct str key)
{
	if (key.n == ID_LEN)
		return find_id(l, key);
	struct slot *s = l->by_api[chain_of(key)];

	while (s != NULL && !str_eq_z(key, s->api_identifier))
		s = s->next_api;
	return s;
}

static void unlink_slot(struct listeners *l, struct slot *s)
{
	struct slot **at = &l->by_id[chain_of(str_z(s->export_id))];

	while (*at != s)
		at = &(*at)->next_id;
	*at = s->next_id;
	at = &l->by_api[chain_of(str_z(s->api_identifier))];
	while (*at != s)
		at = &(*at)->next_api;
	*at = s->next_api;
}

static void link_slot(struct listeners *l, struct slot *s)
{
	struct slot **id = &l->by_id[chain_of(str_z(s->export_id))];
	struct slot **api = &l->by_api[chain_of(str_z(s->api_identifier))];

	s->next_id = *id;
	*id = s;
	s->next_api = *api;
	*api = s;
}

/* A place for one more: a new one, or that of the listener that was used longest ago. */
static struct slot *make_room(struct listeners *l)
{
	struct slot *s = &l->slots[0];

	if (l->count < LISTENERS_MAX)
		return &l->slots[l->count++];
	for (size_t i = 1; i < l->count; i++)
		if (l->slots[i].used < s->used)
			s = &l->slots[i];
	unlink_slot(l, s);
	listener_release(s->listener);
	l->log_entries -= s->log_cap;
	free(s->log);
	*s = (struct slot){ .listener = NULL };
	return s;
}

/* The export is gone; its log stays readable until the place is needed. */
static void drop(struct slot *s)
{
	listener_release(s->listener);
	s->listener = NULL;
	s->used = 0;
}

/* ---- loading ---- */

static struct listener *listener_new(const struct store_resource *row)
{
	struct listener *n = calloc(1, sizeof(*n));

	CHECK(n != NULL && row->account_id.n == ID_LEN && row->id.n == ID_LEN);
	atomic_init(&n->refs, 1);
	n->arena = arena_new("listener", 0);
	memcpy(n->account_id, row->account_id.p, ID_LEN);
	memcpy(n->export_id, row->id.p, ID_LEN);
	return n;
}

static bool compile(const struct listeners *l, struct arena *a, const struct store_resource *row,
	struct listener **out, struct err *err)
{
	const struct json *doc;
	struct listener *n;

	if (!resource_open_text(l->cfg->resources, a, row->account_id, STR("export"), row->id,
		    row->document, &doc, err))
		return false;
	if (!str_eq_z(json_get_str(doc, STR("type")), "webhook"))
		return err_set(err, ERR_NOT_FOUND, "export %.*s is no listener", STR_ARG(row->id));
	n = listener_new(row);
	if (!webhook_compile(n->arena, json_get(doc, STR("webhook")), &n->webhook, err)) {
		listener_release(n);
		return err_wrap(err, "export %.*s", STR_ARG(row->id));
	}
	*out = n;
	return true;
}

/* Puts a loaded listener into its slot and returns it with a reference for the caller. */
static struct listener *keep(struct listeners *l, const struct store_resource *row,
	struct listener *n, uint64_t epoch)
{
	WITH_LOCK(&l->lock);
	struct slot *s = find_id(l, row->id);

	if (s == NULL) {
		s = make_room(l);
		memcpy(s->export_id, row->id.p, ID_LEN);
		memcpy(s->api_identifier, row->api_identifier.p,
			MIN(row->api_identifier.n, (size_t)API_IDENTIFIER_LEN));
		link_slot(l, s);
	}
	listener_release(s->listener);
	s->listener = n;
	s->epoch = epoch;
	s->used = ++l->uses;
	atomic_fetch_add(&n->refs, 1);
	return n;
}

static bool load(struct listeners *l, struct str key, struct listener **out, struct err *err)
{
	struct arena *a = arena_new("export", 0);
	struct store_conn *c = NULL;
	struct store_resource row;
	struct listener *n = NULL;
	uint64_t epoch = store_export_epoch(l->cfg->store);
	bool ok = store_read_begin(l->cfg->store, &c, err) &&
		  store_export_find(c, a, key, &row, err);

	store_read_end(c);
	ok = ok && compile(l, a, &row, &n, err);
	if (ok)
		*out = keep(l, &row, n, epoch);
	arena_wipe(a);
	arena_free(a);
	return ok;
}

/* The kept one, when no export has changed since. */
static struct listener *kept(struct listeners *l, struct str key)
{
	WITH_LOCK(&l->lock);
	struct slot *s = find(l, key);

	if (s == NULL || s->listener == NULL)
		return NULL;
	if (s->epoch != store_export_epoch(l->cfg->store))
		return NULL;
	s->used = ++l->uses;
	atomic_fetch_add(&s->listener->refs, 1);
	return s->listener;
}

static void forget(struct listeners *l, struct str key)
{
	WITH_LOCK(&l->lock);
	struct slot *s = find(l, key);

	if (s != NULL)
		drop(s);
}

bool listener_acquire(struct listeners *l, struct str key, struct listener **out, struct err *err)
{
	struct listener *n = NULL;

	if (!id_valid(key) && key.n != API_IDENTIFIER_LEN)
		return err_set(err, ERR_NOT_FOUND, "there is no export of this id");
	n = kept(l, key);
	if (n != NULL) {
		*out = n;
		return true;
	}
	if (load(l, key, out, err))
		return true;
	forget(l, key);
	return false;
}

/* ---- budget ---- */

bool listener_take(struct listeners *l, const struct listener *who, int64_t now_us, struct err *err)
{
	int64_t wait_ns;

	WITH_LOCK(&l->lock);
	struct slot *s = find_id(l, str_of(who->export_id, ID_LEN));

	if (s == NULL) /* pushed out meanwhile: a full bucket */
		return true;
	if (bucket_take(&s->bucket, l->cfg->listener_bucket, l->cfg->listener_refill, now_us,
		    &wait_ns))
		return true;
	err_set(err, ERR_RATE, "Too many events. Retry after 1 second.");
	err->retry_after_s = 1;
	return err_hint(err, "%u events at once, then %u a second", l->cfg->listener_bucket,
		l->cfg->listener_refill);
}

/* ---- log ---- */

/* Longer, where there is need and room; the ring is then in order of time. */
static void log_grow(struct listeners *l, struct slot *s)
{
	size_t cap = s->log_cap == 0 ? LOG_FIRST : MIN(s->log_cap * 2, (size_t)LIMIT_LISTENER_LOG);
	struct listener_entry *log;

	if (cap == s->log_cap || l->log_entries + cap - s->log_cap > LOG_ENTRIES_MAX)
		return;
	log = calloc(cap, sizeof(*log));
	CHECK(log != NULL);
	for (size_t i = 0; i < s->log_count; i++)
		log[i] = s->log[(s->log_next + i) % s->log_cap];
	free(s->log);
	l->log_entries += cap - s->log_cap;
	s->log = log;
	s->log_cap = cap;
	s->log_next = s->log_count;
}

void listener_log(struct listeners *l, struct str export_id, const struct listener_entry *e)
{
	WITH_LOCK(&l->lock);
	struct slot *s = find_id(l, export_id);

	if (s == NULL)
		return;
	if (s->log_count == s->log_cap)
		log_grow(l, s);
	if (s->log_cap == 0)
		return;
	s->log[s->log_next] = *e;
	s->log_next = (s->log_next + 1) % s->log_cap;
	s->log_count = MIN(s->log_count + 1, s->log_cap);
}

size_t listener_log_read(struct listeners *l, struct arena *a, struct str export_id,
	struct listener_entry **out)
{
	WITH_LOCK(&l->lock);
	struct slot *s = find_id(l, export_id);
	size_t n = s == NULL ? 0 : s->log_count;

	*out = arena_array_of(a, struct listener_entry, n + 1);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = s->log[(s->log_next + s->log_cap - 1 - i) % s->log_cap];
	return n;
}

/* ---- events under way ---- */

void listeners_write_begin(struct listeners *l)
{
	WITH_LOCK(&l->lock);
	l->writing++;
}

void listeners_write_end(struct listeners *l)
{
	WITH_LOCK(&l->lock);
	if (--l->writing == 0)
		cond_broadcast(&l->idle);
}

void listeners_write_wait(struct listeners *l)
{
	WITH_LOCK(&l->lock);
	while (l->writing > 0)
		cond_wait(&l->idle, &l->lock);
}
