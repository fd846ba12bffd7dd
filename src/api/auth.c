/*
 * auth.c - bearer tokens and their buckets.
 *
 * A token is known by its SHA-256. What the store says of it is kept in a table of fixed size, keyed
 * by the hash, valid for one epoch of the store's tokens: a revoked token stops at once. The bucket
 * (bucket size, refill a second) lives in the same entry.
 */
#include "api/api_priv.h"

#include "core/bucket.h"
#include "core/limits.h"
#include "crypt/digest.h"

#define SHARDS        16
#define SHARD_ENTRIES 256 /* a power of two */
#define PROBES        8

struct entry {
	unsigned char hash[SHA256_BYTES];
	bool used;
	uint64_t epoch;
	int64_t expires_ms; /* 0: never */
	struct bucket bucket;
	uint32_t size, refill; /* of the bucket */
	struct caller caller;
};

struct shard {
	struct mutex lock;
	struct entry entries[SHARD_ENTRIES];
};

struct auth {
	const struct api_config *cfg;
	struct shard *shards[SHARDS]; /* made when first used */
	struct arena *arena;
	struct mutex lock;
};

struct auth *auth_new(struct arena *a, const struct api_config *cfg)
{
	struct auth *auth = arena_new_of(a, struct auth);

	auth->cfg = cfg;
	auth->arena = arena_new("tokens", 0);
	mutex_init(&auth->lock);
	for (size_t i = 0; i < SHARDS; i++) {
		auth->shards[i] = arena_new_of(auth->arena, struct shard);
		mutex_init(&auth->shards[i]->lock);
	}
	return auth;
}

void auth_free(struct auth *auth)
{
	for (size_t i = 0; i < SHARDS; i++)
		mutex_destroy(&auth->shards[i]->lock);
	mutex_destroy(&auth->lock);
	arena_free(auth->arena);
}

static bool read_bearer(const struct http_exchange *x, struct str *token, struct err *err)
{
	struct str h = http_request_header(x, STR("Authorization"));

	if (h.p == NULL) {
		err_set(err, ERR_UNAUTHORIZED, "the request has no Authorization header");
		return err_hint(err, "send \"Authorization: Bearer <your token>\"");
	}
	if (!str_starts_ci(h, STR("Bearer ")))
		return err_set(err, ERR_UNAUTHORIZED,
			"the Authorization header is not of the Bearer scheme");
	*token = str_trim(str_from(h, 7));
	return true;
}

/* The entry of this hash, or the one to use for it. */
static struct entry *entry_of(struct shard *s, const unsigned char *hash)
{
	size_t at = (size_t)hash[1] | (size_t)hash[2] << 8;
	struct entry *oldest = NULL;

	for (size_t i = 0; i < PROBES; i++) {
		struct entry *e = &s->entries[(at + i) & (SHARD_ENTRIES - 1)];

		if (e->used && memcmp(e->hash, hash, SHA256_BYTES) == 0)
			return e;
		/* a full bucket has nothing to remember: give up that one first */
		if (oldest == NULL || !e->used ||
			(oldest->used && e->bucket.full_at_ns < oldest->bucket.full_at_ns))
			oldest = e;
	}
	oldest->used = false;
	return oldest;
}

static void put_id(char out[ID_LEN + 1], struct str id)
{
	memset(out, 0, ID_LEN + 1);
	if (id.p != NULL)
		memcpy(out, id.p, MIN(id.n, (size_t)ID_LEN));
}

/* Fills the entry from the store. */
static bool load(struct auth *auth, struct entry *e, const unsigned char *hash, uint64_t epoch,
	struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("token", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_token t;

	if (!store_read_begin(auth->cfg->store, &c, err) || !store_token_find(c, a, hash, &t, err))
		return false;
	if (!e->used || memcmp(e->hash, hash, SHA256_BYTES) != 0)
		e->bucket = (struct bucket){ 0 };
	memcpy(e->hash, hash, SHA256_BYTES);
	e->used = true;
	e->epoch = epoch;
	e->expires_ms = t.expires_ms;
	e->size = t.rate_bucket != 0 ? t.rate_bucket : auth->cfg->rate_bucket;
	e->refill = t.rate_refill != 0 ? t.rate_refill : auth->cfg->rate_refill;
	put_id(e->caller.account_id, t.account_id);
	put_id(e->caller.token_id, t.id);
	put_id(e->caller.connector_id, t.connector_id);
	return true;
}

static bool take(struct entry *e, int64_t now_us, struct err *err)
{
	int64_t wait_ns;

	if (bucket_take(&e->bucket, e->size, e->refill, now_us, &wait_ns))
		return true;
	int64_t wait_s = (wait_ns + 999999999) / 1000000000;

	err_set(err, ERR_RATE, "Too many requests. Retry after %lld second%s.", (long long)wait_s,
		wait_s == 1 ? "" : "s");
	err->retry_after_s = (uint32_t)wait_s;
	return err_hint(err, "%u requests at once, then %u a second", e->size, e->refill);
}

bool auth_check(struct auth *auth, const struct http_exchange *x, struct caller *out,
	struct err *err)
{
	unsigned char hash[SHA256_BYTES];
	struct str token;
	uint64_t epoch = store_token_epoch(auth->cfg->store);

	if (!read_bearer(x, &token, err))
		return false;
	digest_sha256(token, hash);
	struct shard *s = auth->shards[hash[0] % SHARDS];

	WITH_LOCK(&s->lock);
	struct entry *e = entry_of(s, hash);

	if ((!e->used || e->epoch != epoch) && !load(auth, e, hash, epoch, err)) {
		e->used = false;
		return false;
	}
	if (e->expires_ms != 0 && e->expires_ms <= clock_wall_ms(auth->cfg->clock))
		return err_set(err, ERR_UNAUTHORIZED, "the token has expired");
	if (!take(e, x->started_us, err))
		return false;
	*out = e->caller;
	return true;
}
