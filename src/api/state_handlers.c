/*
 * state_handlers.c - values that users keep by key: for the account, or for one resource.
 *
 * A resource's values live in its scope, "<type>/<id>", and go with it; the account's list does not
 * show them. A value is any JSON value.
 */
#include "api/handlers_priv.h"

#include "core/limits.h"

struct place {
	struct store_state_key k; /* key: p NULL where the path has none */
	const struct schema *s;   /* of the resource; NULL: the account's */
	struct str id;
};

static struct place place_of(const struct api_request *rq)
{
	const struct route_match *m = &rq->match;
	struct place p = { .k = { .account_id = caller_account(&rq->caller), .scope = STR("") },
		.s = m->schema };
	size_t key_at = 0;

	if (p.s != NULL) {
		p.id = m->params[0];
		p.k.scope = str_fmt(rq->x->arena, "%s/%.*s", schema_def(p.s)->type, STR_ARG(p.id));
		key_at = 1;
	}
	if (m->param_count > key_at)
		p.k.key = m->params[key_at];
	return p;
}

/* The resource must be there. */
static bool known(struct store_conn *c, const struct place *p, struct err *err)
{
	if (p->s == NULL ||
		store_resource_exists(c, p->k.account_id, str_z(schema_def(p->s)->type), p->id))
		return true;
	return err_set(err, ERR_NOT_FOUND, "there is no %s %.*s", schema_def(p->s)->type,
		STR_ARG(p->id));
}

static bool check_key(struct str key, struct err *err)
{
	bool ok = key.n > 0 && key.n <= LIMIT_STATE_KEY_BYTES && str_is_utf8(key);

	for (size_t i = 0; ok && i < key.n; i++)
		ok = (unsigned char)key.p[i] >= 0x20 && key.p[i] != 0x7f;
	return ok || err_set_field(err, ERR_INVALID, "key",
			     "a key is text of 1 to %d bytes without control characters",
			     LIMIT_STATE_KEY_BYTES);
}

/* ---- reading ---- */

static bool add_key(void *arg, struct str key)
{
	struct json_build *b = arg;

	json_build_str(b, str_dup(b->arena, key));
	return true;
}

void handle_state_list(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct place p = place_of(rq);
	struct err err = ERR_INIT;
	struct json_build b;

	json_build_init(&b, rq->x->arena);
	json_build_object(&b);
	json_build_key(&b, STR("keys"));
	json_build_array(&b);
	if (!store_read_begin(rq->api->cfg.store, &c, &err) || !known(c, &p, &err) ||
		!store_state_keys(c, p.k.account_id, p.k.scope, add_key, &b, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_end(&b);
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

void handle_state_get(struct api_request *rq)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct place p = place_of(rq);
	struct err err = ERR_INIT;
	struct str value;

	if (store_read_begin(rq->api->cfg.store, &c, &err) && known(c, &p, &err) &&
		store_state_get(c, rq->x->arena, &p.k, &value, &err))
		api_answer(rq, 200, value);
	else
		api_fail(rq, &err);
}

/* ---- writing ---- */

struct change {
	struct place p;
	struct str value; /* p NULL: remove */
	int64_t now_ms;
	bool created;
};

static bool put_write(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;
	uint64_t count = 0;

	if (!known(c, &x->p, err) ||
		!store_state_put(c, &x->p.k, x->value, x->now_ms, &x->created, err) ||
		!store_state_count(c, x->p.k.account_id, x->p.k.scope, &count, err))
		return false;
	return !x->created || count <= LIMIT_STATE_KEYS ||
	       err_set(err, ERR_LIMIT, "%s can have at most %d keys",
		       x->p.s == NULL ? "an account" : "a resource", LIMIT_STATE_KEYS);
}

static void answer_text(struct api_request *rq, int status, struct str text)
{
	rq->x->status = status;
	rq->x->res_body = text;
	api_header(rq, "Content-Type", STR("text/plain; charset=utf-8"));
}

void handle_state_put(struct api_request *rq)
{
	struct change x = { .p = place_of(rq), .now_ms = clock_wall_ms(rq->api->cfg.clock) };
	struct err err = ERR_INIT;

	x.value = json_print_arena(rq->x->arena, rq->body);
	if (!check_key(x.p.k.key, &err) || !store_write(rq->api->cfg.store, put_write, &x, &err))
		api_fail(rq, &err);
	else if (x.created)
		answer_text(rq, 201, STR("Created"));
	else
		answer_text(rq, 200, STR("OK"));
}

static bool remove_write(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;

	if (!known(c, &x->p, err))
		return false;
	return x->p.k.key.p != NULL
		       ? store_state_remove(c, &x->p.k, err)
		       : store_state_remove_all(c, x->p.k.account_id, x->p.k.scope, err);
}

/* The platform answers 204 for the account's, 200 for a resource's. */
void handle_state_remove(struct api_request *rq)
{
	struct change x = { .p = place_of(rq) };
	struct err err = ERR_INIT;

	if (!store_write(rq->api->cfg.store, remove_write, &x, &err))
		api_fail(rq, &err);
	else if (x.p.s == NULL)
		api_answer(rq, 204, STR_NULL);
	else
		answer_text(rq, 200, STR("OK"));
}
