/*
 * test_grants.c - the way back of a user who gives access: good once, for ten minutes, and for few at a time.
 */
#include "test.h"

#include "engine/grants.h"
#include "engine/invoke_priv.h"
#include "net/url.h"

#define ACCOUNT    "5587092ef782280000000001"
#define CONNECTION "5587092ef782280000000002"
#define BACK       "https://integrator.example/connection/oauth2callback"

struct fixture {
	struct arena *a;
	struct clock_test clock;
	struct rng rng;
	struct vault *vault;
	struct engine *e;
	struct invocation v;
};

static bool open_client(void *ctx UNUSED, struct str account_id UNUSED, const char *type,
	struct str id UNUSED, struct arena *a, const struct json **doc, struct err *err)
{
	assert_string_equal(type, "iclient");
	return json_parse_copy(a, STR("{\"clientId\":\"the client\"}"), doc, err);
}

static const struct vault_ops ops = { open_client, NULL };

static int setup(void **state)
{
	static struct fixture f;
	struct egress *egress;
	struct err err = ERR_INIT;

	memset(&f, 0, sizeof(f));
	f.a = arena_new("test", 0);
	clock_test_init(&f.clock, 1767225600000);
	rng_test_init(&f.rng, 1);
	f.vault = vault_new(f.a, &ops, NULL);
	f.e = arena_new_of(f.a, struct engine);
	f.e->cfg.clock = &f.clock.clock;
	f.e->cfg.rng = &f.rng;
	f.e->grants = grants_new(f.a);
	f.v.engine = f.e;
	f.v.arena = f.a;
	f.v.who.account_id = STR(ACCOUNT);
	f.v.connection_id = STR(CONNECTION);
	f.v.env.vault = f.vault;
	f.v.env.clock = &f.clock.clock;
	assert_ok(egress_new(f.a, STR(""), &egress, &err));
	f.v.env.egress = egress;
	assert_ok(json_parse_copy(f.a,
		STR("{\"_id\":\"" CONNECTION "\",\"type\":\"rest\",\"rest\":{\"baseURI\":"
		    "\"https://a.example\",\"authType\":\"oauth\",\"authURI\":\"https://a.example/"
		    "in\",\"tokenURI\":\"https://a.example/t\",\"_iClientId\":"
		    "\"5587092ef782280000000003\"}}"),
		&f.v.connection, &err));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	grants_destroy(f->e->grants);
	vault_destroy(f->vault);
	arena_free(f->a);
	return 0;
}

static struct str param(struct fixture *f, struct str url, const char *name)
{
	(void)str_cut(&url, '?');
	while (url.p != NULL) {
		struct str value = str_cut(&url, '&'), key = str_cut(&value, '=');

		if (str_eq_z(key, name))
			return url_decode(f->a, value, true);
	}
	return STR_NULL;
}

static struct str begin(struct fixture *f)
{
	struct err err = ERR_INIT;
	struct str url;

	assert_ok(invoke_grant_url(&f->v, STR(BACK), &url, &err));
	assert_str(param(f, url, "client_id"), "the client");
	assert_str(param(f, url, "redirect_uri"), BACK);
	return param(f, url, "state");
}

static bool comes_back(struct fixture *f, struct str state, struct grant_claim *c)
{
	struct err err = ERR_INIT;
	bool ok = grant_claim(f->e, state, c, &err);

	assert_int_equal(err.code, ok ? ERR_NONE : ERR_FORBIDDEN);
	return ok;
}

static void test_a_state_is_good_once(void **state)
{
	struct fixture *f = *state;
	struct str first = begin(f), second = begin(f);
	struct grant_claim c, d;

	assert_int_equal(first.n, GRANT_HEX);
	assert_false(str_eq(first, second));
	assert_true(comes_back(f, first, &c));
	assert_string_equal(c.account_id, ACCOUNT);
	assert_string_equal(c.connection_id, CONNECTION);
	assert_string_equal(c.connector_id, "");
	assert_string_equal(c.redirect_uri, BACK);
	assert_string_equal(c.token_uri, "https://a.example/t");
	assert_int_equal(strlen(c.verifier), GRANT_HEX);
	assert_false(comes_back(f, first, &d));
	assert_true(comes_back(f, second, &d));
	assert_string_not_equal(c.verifier, d.verifier);
	assert_false(comes_back(f, STR_NULL, &d));
	assert_false(comes_back(f, STR(""), &d));
	assert_false(comes_back(f, str_sub(first, 0, 32), &d));
}

static void test_a_state_ends(void **state)
{
	struct fixture *f = *state;
	struct str first = begin(f), late = begin(f);
	struct grant_claim c;

	clock_sleep_ms(&f->clock.clock, GRANT_MS - 1);
	assert_true(comes_back(f, first, &c));
	clock_sleep_ms(&f->clock.clock, 1);
	assert_false(comes_back(f, late, &c));
}

static void test_the_oldest_of_too_many_begins_anew(void **state)
{
	struct fixture *f = *state;
	struct str states[GRANTS_MAX + 1];
	struct grant_claim c;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		states[i] = begin(f);
		clock_sleep_ms(&f->clock.clock, 1);
	}
	assert_false(comes_back(f, states[0], &c));
	for (size_t i = 1; i < ARRAY_LEN(states); i++)
		assert_true(comes_back(f, states[i], &c));
}

static void test_what_can_not_be_asked(void **state)
{
	struct fixture *f = *state;
	struct buf uri DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	struct str url;

	for (size_t i = 0; i < GRANT_URI_MAX; i++)
		buf_add_char(&uri, 'x');
	assert_false(invoke_grant_url(&f->v, buf_str(&uri), &url, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_a_state_is_good_once),
		T(test_a_state_ends),
		T(test_the_oldest_of_too_many_begins_anew),
		T(test_what_can_not_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
