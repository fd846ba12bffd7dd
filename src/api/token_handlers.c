/*
 * token_handlers.c - whose token this is; making, listing and revoking tokens.
 */
#include "api/handlers_priv.h"

#include "crypt/digest.h"

void handle_token_info(struct api_request *rq)
{
	api_answer(rq, 200,
		str_fmt(rq->x->arena, "{\"_userId\":\"%s\",\"scope\":\"*\"}",
			rq->caller.account_id));
}

static void add_token(struct json_build *b, const struct store_token *t)
{
	json_add_str(b, STR("_id"), t->id);
	json_add_str(b, STR("name"), t->name);
	json_add_str(b, STR("scope"), t->scope);
	json_add_str(b, STR("_connectorId"), t->connector_id);
	json_add_str(b, STR("createdAt"), time_iso(b->arena, t->created_ms));
	if (t->expires_ms != 0)
		json_add_str(b, STR("expiresAt"), time_iso(b->arena, t->expires_ms));
}

void handle_token_list(struct api_request *rq)
{
	struct arena *a = rq->x->arena;
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_token *list;
	struct json_build b;
	struct err err = ERR_INIT;
	size_t n;

	if (!store_read_begin(rq->api->cfg.store, &c, &err) ||
		!store_token_list(c, a, caller_account(&rq->caller), &list, &n, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, a);
	json_build_array(&b);
	for (size_t i = 0; i < n; i++) {
		json_build_object(&b);
		add_token(&b, &list[i]);
		json_build_end(&b);
	}
	json_build_end(&b);
	api_answer_build(rq, 200, &b);
}

struct token_change {
	struct store_token token;
	unsigned char hash[SHA256_BYTES];
};

static bool write_new(struct store_conn *c, void *arg, struct err *err)
{
	const struct token_change *t = arg;

	return store_token_add(c, &t->token, t->hash, err);
}

static bool write_remove(struct store_conn *c, void *arg, struct err *err)
{
	const struct token_change *t = arg;

	return store_token_remove(c, t->token.account_id, t->token.id, err);
}

/*
 * Body: {"name": "..."}; a new token expires never and may do everything. Whoever asks for less must not
 * get more without a word: there are no other members.
 */
void handle_token_create(struct api_request *rq)
{
	struct arena *a = rq->x->arena;
	struct api_config *cfg = &rq->api->cfg;
	struct token_change t = { .token = { .scope = STR("*"),
					  .account_id = caller_account(&rq->caller) } };
	char *token = arena_alloc(a, TOKEN_LEN + 1);
	struct id id;
	struct err err = ERR_INIT;
	struct json_build b;

	if (!api_check_members(rq, "name"))
		return;
	t.token.name = json_get_str(rq->body, STR("name"));
	if (t.token.name.n == 0 || t.token.name.n > 200) {
		err_set_field(&err, ERR_MISSING, "name", "a token needs a name of 1 to 200 bytes");
		api_fail(rq, &err);
		return;
	}
	t.token.created_ms = clock_wall_ms(cfg->clock);
	id_new(&id, t.token.created_ms, cfg->rng);
	t.token.id = id_str(&id);
	token_new(token, cfg->rng);
	digest_sha256(str_z(token), t.hash);
	if (!store_write(cfg->store, write_new, &t, &err)) {
		api_fail(rq, &err);
		return;
	}
	json_build_init(&b, a);
	json_build_object(&b);
	add_token(&b, &t.token);
	json_add_str(&b, STR("token"), str_z(token));
	json_build_end(&b);
	api_answer_build(rq, 201, &b);
}

void handle_token_remove(struct api_request *rq)
{
	struct token_change t = { .token = { .account_id = caller_account(&rq->caller),
					  .id = rq->match.params[0] } };
	struct err err = ERR_INIT;

	if (store_write(rq->api->cfg.store, write_remove, &t, &err))
		api_answer(rq, 204, STR_NULL);
	else
		api_fail(rq, &err);
}
