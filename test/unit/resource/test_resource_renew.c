/*
 * test_resource_renew.c - tokens that an application gave a connection anew: kept sealed, beside all else.
 */
#include "world.h"

#include "core/thread.h"

static struct str make_connection(struct world *w)
{
	struct resource_view client = create(w, "iclient",
		"{\"provider\":\"p\",\"clientId\":\"id\",\"clientSecret\":\"CS\","
		"\"tokenURI\":\"https://a.example/t\"}");

	return create_fmt(w, "connection",
		"{\"name\":\"C\",\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\","
		"\"authType\":\"oauth\",\"bearerToken\":\"OLD-AT\",\"refreshToken\":\"OLD-RT\","
		"\"tokenURI\":\"https://a.example/t\",\"tokenExpiresAt\":\"2017-01-01T00:00:00Z\","
		"\"encrypted\":{\"pin\":\"PIN-X\"},\"_iClientId\":\"%.*s\"}}",
		STR_ARG(client.id))
		.id;
}

static bool renew(struct world *w, const char *account, struct str id, const char *used,
	const char *rest, struct err *err)
{
	const struct json *patch = parse(w, str_fmt(w->a, "{\"rest\":%s}", rest));

	err_clear(err);
	return resource_renew(w->r, str_z(account), id, str_z(used), patch, w->a, err);
}

static const struct json *rest_of(struct world *w, struct str id)
{
	struct store_conn *conn DEFER(store_read_endp) = NULL;
	const struct json *doc;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(w->store, &conn, &err));
	assert_ok(resource_open(w->r, conn, w->a, STR(ACCOUNT), STR("connection"), id, &doc, &err));
	return json_get(doc, STR("rest"));
}

static void test_new_tokens_are_kept_sealed(void **state)
{
	struct world *w = *state;
	struct str id = make_connection(w);
	struct store_conn *conn DEFER(store_read_endp) = NULL;
	struct store_resource row;
	struct resource_view v;
	struct err err = ERR_INIT;

	assert_ok(renew(w, ACCOUNT, id, "OLD-RT",
		"{\"bearerToken\":\"NEW-AT\",\"refreshToken\":\"NEW-RT\",\"tokenExpiresAt\":null}",
		&err));
	const struct json *rest = rest_of(w, id);

	assert_str(json_get_str(rest, STR("bearerToken")), "NEW-AT");
	assert_str(json_get_str(rest, STR("refreshToken")), "NEW-RT");
	assert_null(json_get(rest, STR("tokenExpiresAt")));
	assert_str(json_get_str(json_get(rest, STR("encrypted")), STR("pin")), "PIN-X");
	assert_ok(store_read_begin(w->store, &conn, &err));
	assert_ok(store_resource_get(conn, w->a, STR(ACCOUNT), STR("connection"), id, &row, &err));
	assert_int_equal(row.version, 2);
	assert_int_equal(str_find(row.document, STR("NEW-")), STR_NPOS);
	assert_int_equal(str_find(row.document, STR("PIN-")), STR_NPOS);
	assert_ok(resource_get(w->r, STR(ACCOUNT), type_of(w, "connection"), id, w->a, &v, &err));
	assert_int_equal(str_find(v.json, STR("NEW-")), STR_NPOS);
	assert_str(json_get_str(json_get(parse(w, v.json), STR("rest")), STR("bearerToken")),
		"******");
	/* the same refresh token goes on: the next is for this one */
	assert_ok(renew(w, ACCOUNT, id, "NEW-RT", "{\"bearerToken\":\"THIRD\"}", &err));
	assert_str(json_get_str(rest_of(w, id), STR("refreshToken")), "NEW-RT");
	assert_str(json_get_str(rest_of(w, id), STR("bearerToken")), "THIRD");
}

static void test_tokens_of_another_grant_are_not(void **state)
{
	struct world *w = *state;
	struct str id = make_connection(w);
	struct resource_view v;
	struct err err = ERR_INIT;

	assert_true(resource_patch(w->r, STR(ACCOUNT), type_of(w, "connection"), id, 0,
		parse(w, STR("{\"rest\":{\"refreshToken\":\"OWNERS\"}}")), w->a, &v, &w->p));
	assert_false(renew(w, ACCOUNT, id, "OLD-RT", "{\"bearerToken\":\"NEW-AT\"}", &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_str(json_get_str(rest_of(w, id), STR("bearerToken")), "OLD-AT");
	assert_str(json_get_str(rest_of(w, id), STR("refreshToken")), "OWNERS");
}

static void test_of_nobody(void **state)
{
	struct world *w = *state;
	struct str id = make_connection(w);
	struct err err = ERR_INIT;

	assert_false(renew(w, OTHER, id, "OLD-RT", "{\"bearerToken\":\"NEW-AT\"}", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(renew(w, ACCOUNT, STR("5587092ef78228000000000a"), "OLD-RT", "{}", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* The refresh token of a connection and the secret of an iClient go to no server that was named behind them. */
static void test_secrets_stay_with_the_token_endpoint(void **state)
{
	struct world *w = *state;
	struct str id = make_connection(w);
	const struct schema *s = type_of(w, "connection"), *c = type_of(w, "iclient");
	struct resource_view v;
	struct str client = create(w, "iclient",
		"{\"provider\":\"p\",\"clientId\":\"id\",\"clientSecret\":\"CS\"}")
				    .id;

	problems_init(&w->p, w->a);
	assert_false(resource_patch(w->r, STR(ACCOUNT), s, id, 0,
		parse(w, STR("{\"rest\":{\"tokenURI\":\"https://evil.example/t\"}}")), w->a, &v,
		&w->p));
	assert_int_equal(w->p.count, 3); /* bearerToken, refreshToken, encrypted.pin */
	assert_true(str_find(str_z(w->p.list[0].message), STR("must be given again")) != STR_NPOS);
	problems_init(&w->p, w->a);
	assert_false(resource_patch(w->r, STR(ACCOUNT), c, client, 0,
		parse(w, STR("{\"tokenURI\":\"https://evil.example/t\"}")), w->a, &v, &w->p));
	assert_int_equal(w->p.count, 1);
	assert_string_equal(w->p.list[0].field, "clientSecret");
	assert_true(str_find(str_z(w->p.list[0].message), STR("no server yet")) != STR_NPOS);
	problems_init(&w->p, w->a);
	assert_true(resource_patch(w->r, STR(ACCOUNT), c, client, 0,
		parse(w, STR("{\"tokenURI\":\"https://a.example/t\",\"clientSecret\":\"CS\"}")),
		w->a, &v, &w->p));
}

#define ROUNDS 30

struct patcher {
	struct world *w;
	struct str id;
	bool ok;
};

static void *patch_names(void *arg)
{
	struct patcher *x = arg;

	x->ok = true;
	for (int i = 0; x->ok && i < ROUNDS; i++) {
		struct arena *a DEFER(arena_freep) = arena_new("patcher", 0);
		struct resource_view v;
		struct problems p;
		const struct json *patch;
		struct err err = ERR_INIT;

		problems_init(&p, a);
		x->ok = json_parse_copy(a, str_fmt(a, "{\"name\":\"C%d\"}", i), &patch, &err) &&
			resource_patch(x->w->r, STR(ACCOUNT),
				resources_by_type(x->w->r, STR("connection")), x->id, 0, patch, a,
				&v, &p);
	}
	return NULL;
}

/* Neither a user's change nor a new token is lost when both come at once. */
static void test_changes_meanwhile_stay(void **state)
{
	struct world *w = *state;
	struct patcher x = { w, make_connection(w), false };
	struct thread t = { 0 };
	struct err err = ERR_INIT;
	struct resource_view v;

	thread_start(&t, "patcher", patch_names, &x);
	for (int i = 0; i < ROUNDS; i++)
		assert_ok(renew(w, ACCOUNT, x.id,
			i == 0 ? "OLD-RT" : str_fmt(w->a, "RT-%d", i - 1).p,
			str_fmt(w->a, "{\"bearerToken\":\"AT-%d\",\"refreshToken\":\"RT-%d\"}", i,
				i)
				.p,
			&err));
	thread_join(&t);
	assert_true(x.ok);
	assert_str(json_get_str(rest_of(w, x.id), STR("refreshToken")), "RT-29");
	assert_ok(resource_get(w->r, STR(ACCOUNT), type_of(w, "connection"), x.id, w->a, &v, &err));
	assert_str(json_get_str(parse(w, v.json), STR("name")), "C29");
	assert_int_equal(v.version, 1 + 2 * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_new_tokens_are_kept_sealed),
		T(test_tokens_of_another_grant_are_not),
		T(test_of_nobody),
		T(test_secrets_stay_with_the_token_endpoint),
		T(test_changes_meanwhile_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
