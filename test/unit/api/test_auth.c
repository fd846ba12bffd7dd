/*
 * test_auth.c - who asks, and how often: tokens as the store has them now, and their buckets.
 */
#include "api_world.h"

#include "exchange.h"

#include "crypt/digest.h"

struct fixture {
	struct world *w;
	struct api_config cfg;
	struct auth *auth;
	struct caller caller;
	int64_t now_us;
};

struct change {
	struct store_token token;
	struct str secret;
};

static bool give(struct store_conn *c, void *arg, struct err *err)
{
	const struct change *x = arg;
	unsigned char hash[SHA256_BYTES];

	digest_sha256(x->secret, hash);
	return store_token_add(c, &x->token, hash, err);
}

static bool take_back(struct store_conn *c, void *arg, struct err *err)
{
	const struct change *x = arg;

	return store_token_remove(c, x->token.account_id, x->token.id, err);
}

static struct change token_of(const char *id, const char *secret)
{
	return (struct change){ .token = { .id = str_z(id),
					.account_id = STR(ACCOUNT),
					.name = STR("t"),
					.scope = STR("*"),
					.created_ms = 1 },
		.secret = str_z(secret) };
}

#define TOKEN "507f1f77bcf86cd799439011"

static int begin(void **state)
{
	static struct fixture f;
	struct err err;
	struct change mine = token_of(TOKEN, "right");

	if (setup(state) != 0)
		return -1;
	f = (struct fixture){ .w = *state, .now_us = 1000000 };
	f.cfg = api_config_of(f.w);
	f.auth = auth_new(f.w->a, &f.cfg);
	assert_ok(store_write(f.w->store, give, &mine, &err));
	*state = &f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	auth_free(f->auth);
	*state = f->w;
	return teardown(state);
}

/* VALUE NULL: the request has no Authorization field. */
static bool check(struct fixture *f, const char *value, struct err *err)
{
	const char *const headers[] = { value == NULL ? NULL : "authorization", value, NULL };
	struct http_exchange *x = exchange_new(f->w->a, HTTP_GET, "/", headers);

	x->started_us = f->now_us;
	return auth_check(f->auth, x, &f->caller, err);
}

static void only_a_known_token_passes(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = { "Bearer wrong", "Bearer ", "Bearer righ",
		"Bearer right2" };
	struct err err;

	assert_ok(check(f, "Bearer right", &err));
	assert_string_equal(f->caller.account_id, ACCOUNT);
	assert_string_equal(f->caller.token_id, TOKEN);
	assert_string_equal(f->caller.connector_id, "");
	assert_ok(check(f, "bearer  right ", &err)); /* the scheme's letter case does not count */
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_fails(check(f, wrong[i], &err), ERR_UNAUTHORIZED, "");
	assert_fails(check(f, NULL, &err), ERR_UNAUTHORIZED, "no Authorization header");
	assert_fails(check(f, "Basic right", &err), ERR_UNAUTHORIZED, "not of the Bearer scheme");
	assert_fails(check(f, "right", &err), ERR_UNAUTHORIZED, "not of the Bearer scheme");
}

static void a_revoked_token_ends_at_once(void **state)
{
	struct fixture *f = *state;
	struct change mine = token_of(TOKEN, "right"),
		      next = token_of("507f1f77bcf86cd799439012", "new");
	struct err err;

	assert_ok(check(f, "Bearer right", &err));
	assert_fails(check(f, "Bearer new", &err), ERR_UNAUTHORIZED, "");
	assert_ok(store_write(f->w->store, take_back, &mine, &err));
	assert_fails(check(f, "Bearer right", &err), ERR_UNAUTHORIZED, "");
	assert_ok(store_write(f->w->store, give, &next, &err));
	assert_ok(check(f, "Bearer new", &err));
	assert_string_equal(f->caller.token_id, "507f1f77bcf86cd799439012");
}

static void a_token_of_a_connector_and_its_end(void **state)
{
	struct fixture *f = *state;
	struct change one = token_of("507f1f77bcf86cd799439013", "once");
	struct err err;

	one.token.expires_ms = clock_wall_ms(&f->w->clock.clock) + 1000;
	one.token.connector_id = STR("5587092fd78228000000000e");
	assert_ok(store_write(f->w->store, give, &one, &err));
	assert_ok(check(f, "Bearer once", &err));
	assert_string_equal(f->caller.connector_id, "5587092fd78228000000000e");
	clock_test_advance(&f->w->clock, 999);
	assert_ok(check(f, "Bearer once", &err));
	clock_test_advance(&f->w->clock, 1);
	assert_fails(check(f, "Bearer once", &err), ERR_UNAUTHORIZED, "expired");
}

/* The bucket of 3 that the configuration says, refilled by 1 a second. */
static void a_bucket_for_each_token(void **state)
{
	struct fixture *f = *state;
	struct change other = token_of("507f1f77bcf86cd799439012", "other");
	struct err err;

	assert_ok(store_write(f->w->store, give, &other, &err));
	for (int i = 0; i < 3; i++)
		assert_ok(check(f, "Bearer right", &err));
	assert_fails(check(f, "Bearer right", &err), ERR_RATE, "Retry after 1 second.");
	assert_int_equal(err.retry_after_s, 1);
	assert_string_equal(err.hint, "3 requests at once, then 1 a second");
	assert_ok(check(f, "Bearer other", &err));
	f->now_us += 999000;
	assert_fails(check(f, "Bearer right", &err), ERR_RATE, "");
	f->now_us += 1000;
	assert_ok(check(f, "Bearer right", &err));
	assert_fails(check(f, "Bearer right", &err), ERR_RATE, "");
	/* a change of any token reads the entry again, and must not fill its bucket */
	other.token.id = STR("507f1f77bcf86cd799439014");
	other.secret = STR("third");
	assert_ok(store_write(f->w->store, give, &other, &err));
	assert_fails(check(f, "Bearer right", &err), ERR_RATE, "");
	f->now_us += 3600000000;
	for (int i = 0; i < 3; i++)
		assert_ok(check(f, "Bearer right", &err));
	assert_fails(check(f, "Bearer right", &err), ERR_RATE, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
		T(only_a_known_token_passes),
		T(a_revoked_token_ends_at_once),
		T(a_token_of_a_connector_and_its_end),
		T(a_bucket_for_each_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
