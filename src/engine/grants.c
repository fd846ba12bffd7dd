/*
 * grants.c - the table of what was asked for and did not come back yet. Small, since behind each stands a person.
 */
#include "engine/grants.h"

#include "crypt/digest.h"
#include "engine/invoke_priv.h"

struct pending {
	int64_t due_ms; /* monotonic, of the engine's clock; 0: a free place */
	unsigned char
		state[SHA256_BYTES]; /* the digest: looking for one tells nothing of the others */
	struct grant_claim claim;
};

struct grants {
	struct mutex lock;
	struct pending list[GRANTS_MAX]; /* under lock */
};

struct grants *grants_new(struct arena *a)
{
	struct grants *g = arena_new_of(a, struct grants);

	mutex_init(&g->lock);
	return g;
}

void grants_destroy(struct grants *g)
{
	explicit_bzero(g->list, sizeof(g->list));
	mutex_destroy(&g->lock);
}

static void random_hex(struct rng *rng, char out[GRANT_HEX + 1])
{
	unsigned char bytes[GRANT_HEX / 2];

	rng_fill(rng, bytes, sizeof(bytes));
	str_hex_put(out, bytes, sizeof(bytes));
	out[GRANT_HEX] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
}

static bool copy(char *out, size_t size, struct str s)
{
	if (s.n >= size)
		return false;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static bool fill(struct grant_claim *c, const struct invocation *v, struct str redirect_uri,
	struct err *err)
{
	struct str token_uri = json_get_str(json_get(v->connection, STR("rest")), STR("tokenURI"));

	random_hex(v->engine->cfg.rng, c->verifier);
	if (copy(c->account_id, sizeof(c->account_id), v->who.account_id) &&
		copy(c->connector_id, sizeof(c->connector_id), v->who.connector_id) &&
		copy(c->connection_id, sizeof(c->connection_id), v->connection_id) &&
		copy(c->redirect_uri, sizeof(c->redirect_uri), redirect_uri) &&
		copy(c->token_uri, sizeof(c->token_uri), token_uri))
		return true;
	return err_set(err, ERR_LIMIT, "a URL of the grant is longer than %d bytes",
		GRANT_URI_MAX - 1);
}

static void add(struct engine *e, struct str state, const struct grant_claim *claim)
{
	struct grants *g = e->grants;
	struct pending *p = &g->list[0];

	WITH_LOCK(&g->lock);
	for (size_t i = 1; i < GRANTS_MAX; i++)
		if (g->list[i].due_ms < p->due_ms)
			p = &g->list[i]; /* a free place, or the oldest */
	p->due_ms = clock_mono_ms(e->cfg.clock) + GRANT_MS;
	digest_sha256(state, p->state);
	p->claim = *claim;
}

static const struct connection_ops *ops_of(const struct invocation *v, struct err *err)
{
	const struct adaptor *ad;

	if (!adaptor_of(v->connection, &ad, err))
		return NULL;
	if (ad->connection == NULL || ad->connection->grant_url == NULL) {
		err_set(err, ERR_UNSUPPORTED, "%s connections are not given access by OAuth 2.0",
			ad->name);
		return NULL;
	}
	return ad->connection;
}

bool invoke_grant_url(struct invocation *v, struct str redirect_uri, struct str *url,
	struct err *err)
{
	const struct connection_ops *ops = ops_of(v, err);
	struct grant_claim c;
	char state[GRANT_HEX + 1];

	if (ops == NULL || !fill(&c, v, redirect_uri, err))
		return false;
	random_hex(v->engine->cfg.rng, state);
	const struct grant_request rq = { .redirect_uri = redirect_uri,
		.state = str_of(state, GRANT_HEX),
		.verifier = str_of(c.verifier, GRANT_HEX) };
	bool ok = ops->grant_url(&v->env, v->connection, &rq, v->arena, url, err);

	if (ok)
		add(v->engine, rq.state, &c);
	explicit_bzero(&c, sizeof(c));
	explicit_bzero(state, sizeof(state));
	return ok;
}

bool grant_claim(struct engine *e, struct str state, struct grant_claim *out, struct err *err)
{
	struct grants *g = e->grants;
	unsigned char digest[SHA256_BYTES];

	digest_sha256(state, digest);
	WITH_LOCK(&g->lock);
	for (size_t i = 0; i < GRANTS_MAX; i++) {
		struct pending *p = &g->list[i];
		bool late = clock_mono_ms(e->cfg.clock) >= p->due_ms;

		if (p->due_ms == 0 || !crypt_equal(p->state, digest, sizeof(digest)))
			continue;
		*out = p->claim;
		explicit_bzero(p, sizeof(*p));
		if (!late)
			return true;
		explicit_bzero(out, sizeof(*out));
		break;
	}
	err_set(err, ERR_FORBIDDEN,
		"this way back is not known: it was used already, is older than ten minutes, or "
		"the server was started anew");
	return err_hint(err, "begin again with GET /v1/connections/{_id}/oauth2");
}

bool invoke_grant(struct invocation *v, const struct grant_claim *claim, struct str code,
	struct err *err)
{
	const struct connection_ops *ops = ops_of(v, err);
	const struct grant_request rq = { .redirect_uri = str_z(claim->redirect_uri),
		.verifier = str_z(claim->verifier),
		.code = code };

	if (ops == NULL)
		return false;
	if (!str_eq_z(json_get_str(json_get(v->connection, STR("rest")), STR("tokenURI")),
		    claim->token_uri))
		return err_set(err, ERR_CONFLICT,
			"the connection names another rest.tokenURI than when access was asked "
			"for");
	return ops->grant_take(&v->env, v->connection, &rq, err) ||
	       (err->code == ERR_CANCELED && invoke_ended(v, err));
}
