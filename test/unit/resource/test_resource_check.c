/*
 * test_resource_check.c - documents that are not stored, and texts that must come back unchanged.
 */
#include "world.h"

#define REST "\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\""

static bool check(struct world *w, const char *account, const char *type, struct str body,
	const struct json **doc)
{
	problems_init(&w->p, w->a);
	return resource_check(w->r, str_z(account), type_of(w, type), parse(w, body), w->a, doc,
		&w->p);
}

static void test_a_mask_stands_for_the_stored_secret(void **state)
{
	struct world *w = *state;
	const struct json *doc;
	struct resource_view made = create(w, "connection",
		"{" REST ",\"bearerToken\":\"stored-secret\"}}");

	assert_true(check(w, ACCOUNT, "connection", made.json, &doc));
	assert_str(json_get_str(json_get(doc, STR("rest")), STR("bearerToken")), "stored-secret");
	assert_false(check(w, OTHER, "connection", made.json, &doc)); /* not theirs */
	assert_str(problems_text(w), str_fmt(w->a, "[invalid_ref _id: _id: you have no connection "
						   "with this id]")
					     .p);
	assert_false(check(w, ACCOUNT, "connection", STR("{" REST ",\"bearerToken\":\"******\"}}"),
		&doc));
	assert_str(str_z(w->p.list[0].field), "rest.bearerToken");
}

static void test_nothing_is_stored(void **state)
{
	struct world *w = *state;
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct store_filter all = { .limit = 0 };
	const struct json *doc;
	struct err err;

	assert_true(
		check(w, ACCOUNT, "connection", STR("{" REST ",\"bearerToken\":\"s\"}}"), &doc));
	assert_str(json_get_str(json_get(doc, STR("rest")), STR("bearerToken")), "s");
	assert_ok(resource_list(w->r, STR(ACCOUNT), type_of(w, "connection"), &all, w->a, &out,
		NULL, &err));
	assert_str(buf_str(&out), "[]");
}

static void test_all_that_is_wrong_is_told(void **state)
{
	struct world *w = *state;
	const struct json *doc;

	assert_false(check(w, ACCOUNT, "export",
		STR("{\"_connectionId\":\"ffffffffffffffffffffffff\","
		    "\"_integrationId\":\"fffffffffffffffffffffff0\","
		    "\"rest\":{\"relativeURI\":\"/\"}}"),
		&doc));
	assert_int_equal(w->p.count, 2);
	assert_int_equal(w->p.list[0].code, ERR_REF);
	assert_int_equal(w->p.list[1].code, ERR_REF);
	assert_false(check(w, ACCOUNT, "connection", STR("[]"), &doc));
	assert_false(check(w, ACCOUNT, "connection", STR("{" REST ",\"nope\":1}}"), &doc));
	assert_int_equal(w->p.list[0].code, ERR_UNKNOWN_FIELD);
}

static void test_a_sealed_text_opens_at_its_place_only(void **state)
{
	struct world *w = *state;
	struct str sealed = resource_seal(w->r, w->a, STR("plain"), STR("a/b")), plain;
	struct err err;

	assert_true(str_find(sealed, STR("plain")) == STR_NPOS);
	assert_ok(resource_unseal(w->r, w->a, sealed, STR("a/b"), &plain, &err));
	assert_str(plain, "plain");
	assert_fails(resource_unseal(w->r, w->a, sealed, STR("a/c"), &plain, &err), ERR_CRYPT, "");
	assert_fails(resource_unseal(w->r, w->a, STR("plain"), STR("a/b"), &plain, &err), ERR_CRYPT,
		"");
}

#define CHECK_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CHECK_TEST(test_a_mask_stands_for_the_stored_secret),
		CHECK_TEST(test_nothing_is_stored), CHECK_TEST(test_all_that_is_wrong_is_told),
		CHECK_TEST(test_a_sealed_text_opens_at_its_place_only)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
