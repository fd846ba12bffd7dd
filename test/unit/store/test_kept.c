/*
 * test_kept.c - answers kept for 24 hours under the key that the client chose, and settings.
 */
#include "store_test.h"

#define DAY STORE_IDEMPOTENCY_MS

static bool put_answer(struct store_conn *c, void *arg, struct err *err)
{
	return store_idempotency_put(c, arg, err);
}

static struct store_idempotency answer_of(struct fix *f, unsigned n, int64_t ms)
{
	struct store_idempotency i = { .account_id = ACCOUNT,
		.key = str_fmt(f->a, "key %u", n),
		.created_ms = ms,
		.status = 201,
		.response = str_fmt(f->a, "{\"n\":%u}", n) };

	memset(i.request_hash, (int)n, sizeof(i.request_hash));
	return i;
}

struct purge {
	int64_t now_ms;
	size_t limit;
	uint64_t removed;
};

static bool purge(struct store_conn *c, void *arg, struct err *err)
{
	struct purge *p = arg;

	return store_idempotency_purge(c, p->now_ms, p->limit, &p->removed, err);
}

static void an_answer_is_kept_for_a_day(void **state)
{
	struct fix *f = *state;
	struct store_idempotency i = answer_of(f, 1, 1000), got = { .status = 7 };
	struct err err;

	write_ok(f, put_answer, &i);
	WITH_READER (f, c) {
		assert_ok(
			store_idempotency_get(c, f->a, ACCOUNT, i.key, 1000 + DAY - 1, &got, &err));
		assert_int_equal(got.status, 201);
		assert_int_equal(got.created_ms, 1000);
		assert_str(got.response, "{\"n\":1}");
		assert_memory_equal(got.request_hash, i.request_hash, 32);
		got.status = 7;
		assert_fails(store_idempotency_get(c, f->a, ACCOUNT, i.key, 1000 + DAY, &got, &err),
			ERR_NOT_FOUND, "no answer");
		assert_fails(store_idempotency_get(c, f->a, OTHER, i.key, 1000, &got, &err),
			ERR_NOT_FOUND, "no answer");
		assert_fails(store_idempotency_get(c, f->a, ACCOUNT, STR("key"), 1000, &got, &err),
			ERR_NOT_FOUND, "no answer");
		assert_int_equal(got.status, 7);
	}
}

static void a_key_is_taken_until_its_answer_is_too_old(void **state)
{
	struct fix *f = *state;
	struct store_idempotency i = answer_of(f, 1, 1000), got;
	struct err err;

	write_ok(f, put_answer, &i);
	i.created_ms = 1000 + DAY - 1;
	i.status = 409;
	assert_fails(store_write(f->s, put_answer, &i, &err), ERR_CONFLICT, "kept under this key");
	WITH_READER (f, c) {
		assert_ok(store_idempotency_get(c, f->a, ACCOUNT, i.key, 1000, &got, &err));
		assert_int_equal(got.status, 201);
	}
	i.created_ms = 1000 + DAY;
	i.response = STR_NULL;
	i.request_hash[0] = 99;
	write_ok(f, put_answer, &i);
	WITH_READER (f, c) {
		assert_ok(store_idempotency_get(c, f->a, ACCOUNT, i.key, 1000 + DAY, &got, &err));
		assert_int_equal(got.status, 409);
		assert_null(got.response.p);
		assert_int_equal(got.request_hash[0], 99);
	}
	i.account_id = OTHER; /* keys are each account's own */
	write_ok(f, put_answer, &i);
	i.account_id = id_of(f->a, 9);
	assert_fails(store_write(f->s, put_answer, &i, &err), ERR_CONFLICT, "");
}

static bool finish_answer(struct store_conn *c, void *arg, struct err *err)
{
	return store_idempotency_finish(c, arg, err);
}

static void a_mark_becomes_the_answer_or_goes(void **state)
{
	struct fix *f = *state;
	struct store_idempotency i = answer_of(f, 1, 1000), got;
	struct err err;

	i.status = 0;
	i.response = STR_NULL;
	write_ok(f, put_answer, &i);
	assert_fails(store_write(f->s, put_answer, &i, &err), ERR_CONFLICT, "kept under this key");
	i.status = 201;
	i.response = STR("{}");
	write_ok(f, finish_answer, &i);
	WITH_READER (f, c) {
		assert_ok(store_idempotency_get(c, f->a, ACCOUNT, i.key, 1000, &got, &err));
		assert_int_equal(got.status, 201);
		assert_str(got.response, "{}");
	}
	i.created_ms = 0;
	write_ok(f, finish_answer, &i);
	WITH_READER (f, c)
		assert_fails(store_idempotency_get(c, f->a, ACCOUNT, i.key, DAY, &got, &err),
			ERR_NOT_FOUND, "");
	i.created_ms = DAY;
	write_ok(f, put_answer, &i);
}

static void the_oldest_are_purged_first(void **state)
{
	struct fix *f = *state;
	struct purge p = { .now_ms = 5 + DAY, .limit = 3 };
	struct store_idempotency got;
	struct err err;

	for (unsigned n = 10; n >= 1; n--) {
		struct store_idempotency i = answer_of(f, n, n);

		write_ok(f, put_answer, &i);
	}
	write_ok(f, purge, &p); /* 1 to 5 are too old */
	assert_int_equal(p.removed, 3);
	WITH_READER (f, c) {
		assert_fails(store_idempotency_get(c, f->a, ACCOUNT, STR("key 3"), 3, &got, &err),
			ERR_NOT_FOUND, "");
		assert_ok(store_idempotency_get(c, f->a, ACCOUNT, STR("key 4"), 4, &got, &err));
	}
	write_ok(f, purge, &p);
	assert_int_equal(p.removed, 2);
	write_ok(f, purge, &p);
	assert_int_equal(p.removed, 0);
	WITH_READER (f, c)
		assert_ok(store_idempotency_get(c, f->a, ACCOUNT, STR("key 6"), 6, &got, &err));
}

struct pair {
	struct store_resource r;
	struct store_idempotency i;
};

static bool do_and_keep(struct store_conn *c, void *arg, struct err *err)
{
	struct pair *p = arg;

	return store_resource_add(c, &p->r, NULL, 0, err) && store_idempotency_put(c, &p->i, err);
}

/* What the answer tells of and the answer: both or none. */
static void an_answer_stands_with_what_it_tells_of(void **state)
{
	struct fix *f = *state;
	struct pair p = { resource_of(f->a, 1), answer_of(f, 1, 1000) };
	struct err err;

	write_ok(f, do_and_keep, &p);
	p.r = resource_of(f->a, 2);
	assert_fails(store_write(f->s, do_and_keep, &p, &err), ERR_CONFLICT, "kept under this key");
	assert_true(has_resource(f->s, id_of(f->a, 1)));
	assert_false(has_resource(f->s, id_of(f->a, 2)));
}

struct setting {
	struct str key, value;
};

static bool put_setting(struct store_conn *c, void *arg, struct err *err)
{
	const struct setting *s = arg;

	return store_setting_put(c, s->key, s->value, err);
}

static void settings(void **state)
{
	struct fix *f = *state;
	struct setting s = { STR("a"), STR("1") };
	struct str v = STR("untouched");
	struct err err;

	WITH_READER (f, c) {
		assert_fails(store_setting_get(c, f->a, STR("a"), &v, &err), ERR_NOT_FOUND,
			"there is no setting a");
		assert_str(v, "untouched");
	}
	write_ok(f, put_setting, &s);
	s.value = STR("");
	write_ok(f, put_setting, &s);
	s.key = STR("A");
	s.value = STR("2");
	write_ok(f, put_setting, &s);
	fix_reopen(f);
	WITH_READER (f, c) {
		assert_ok(store_setting_get(c, f->a, STR("a"), &v, &err));
		assert_str(v, "");
		assert_non_null(v.p);
		assert_ok(store_setting_get(c, f->a, STR("A"), &v, &err));
		assert_str(v, "2");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_kept_for_a_day),
		TEST(a_key_is_taken_until_its_answer_is_too_old),
		TEST(a_mark_becomes_the_answer_or_goes),
		TEST(the_oldest_are_purged_first),
		TEST(an_answer_stands_with_what_it_tells_of),
		TEST(settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
