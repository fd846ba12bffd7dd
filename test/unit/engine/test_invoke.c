/*
 * test_invoke.c - whose call may reach what, and calls at the end of the server. What comes back from
 * applications is tested by test/system/invoke.test.mjs.
 */
#include "resource/world.h"

#include "engine/invoke.h"
#include "net/http_client.h"

#define CONNECTOR "5560092ed7922800000f000e"

struct fixture {
	struct world *w;
	struct engine *e;
	struct resource_view theirs, plain, listener;
};

static int setup_invoke(void **state)
{
	struct fixture *f;
	struct world *w;
	struct engine_config cfg = { .rng = rng_system(), .workers = 1 };
	struct egress *egress;
	struct err err;

	setup(state);
	w = *state;
	f = arena_new_of(w->a, struct fixture);
	f->w = w;
	cfg.store = w->store;
	cfg.resources = w->r;
	cfg.clock = &w->clock.clock;
	assert_ok(egress_new(w->a, STR(""), &egress, &err));
	cfg.egress = egress;
	assert_ok(engine_start(&cfg, &f->e, &err));
	struct resource_view
		connector = create(w, "connector", "{\"name\":\"app\"}"),
		connection = create(w, "connection",
			"{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"}}");

	f->theirs = create_fmt(w, "export",
		"{\"_connectionId\":\"%.*s\",\"_connectorId\":\"%.*s\",\"rest\":{"
		"\"relativeURI\":\"/\"}}",
		STR_ARG(connection.id), STR_ARG(connector.id));
	f->plain = create_fmt(w, "export",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/\"}}",
		STR_ARG(connection.id));
	f->listener = create(w, "export",
		"{\"type\":\"webhook\",\"webhook\":{\"verify\":\"secret_url\",\"token\":"
		"\"0123456789abcdef\"}}");
	*state = f;
	return 0;
}

static int teardown_invoke(void **state)
{
	struct fixture *f = *state;

	engine_stop(f->e, 1000);
	*state = f->w;
	return teardown(state);
}

static enum err_code calls(struct fixture *f, const char *account, struct str connector,
	const char *type, struct str key)
{
	struct invoke_who who = { str_z(account), connector, NULL };
	struct invocation *v;
	struct err err = ERR_INIT;

	if (invoke_begin(f->e, &who, &v, &err)) {
		if (invoke_stored(v, type, key, &err))
			assert_false(invoke_is_import(v));
		invoke_end(v);
	}
	return err.code;
}

static struct str member(struct fixture *f, const struct resource_view *v, const char *name)
{
	return json_get_str(parse(f->w, v->json), str_z(name));
}

static void test_who_may_call(void **state)
{
	struct fixture *f = *state;
	struct str connector = member(f, &f->theirs, "_connectorId");

	assert_int_equal(calls(f, ACCOUNT, STR(""), "export", f->plain.id), ERR_NONE);
	assert_int_equal(calls(f, ACCOUNT, STR(""), "export", f->theirs.id), ERR_NONE);
	assert_int_equal(calls(f, ACCOUNT, connector, "export", f->theirs.id), ERR_NONE);
	assert_int_equal(calls(f, ACCOUNT, connector, NULL, member(f, &f->theirs, "apiIdentifier")),
		ERR_NONE);
	assert_int_equal(calls(f, ACCOUNT, connector, "export", f->plain.id), ERR_FORBIDDEN);
	assert_int_equal(calls(f, ACCOUNT, STR(CONNECTOR), "export", f->theirs.id), ERR_FORBIDDEN);
	assert_int_equal(calls(f, OTHER, STR(""), "export", f->plain.id), ERR_NOT_FOUND);
	assert_int_equal(calls(f, OTHER, STR(""), NULL, member(f, &f->plain, "apiIdentifier")),
		ERR_NOT_FOUND);
	assert_int_equal(calls(f, ACCOUNT, STR(""), "import", f->plain.id), ERR_NOT_FOUND);
	assert_int_equal(calls(f, ACCOUNT, STR(""), "export", f->listener.id), ERR_FLOW);
}

static void test_none_begins_at_the_end(void **state)
{
	struct fixture *f = *state;

	engine_calls_abort(f->e);
	assert_int_equal(calls(f, ACCOUNT, STR(""), "export", f->plain.id), ERR_SHUTTING_DOWN);
}

#define INVOKE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_invoke, teardown_invoke)

int main(void)
{
	static const struct CMUnitTest tests[] = { INVOKE_TEST(test_who_may_call),
		INVOKE_TEST(test_none_begins_at_the_end) };

	http_client_global_init();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	http_client_global_cleanup();
	return failed;
}
