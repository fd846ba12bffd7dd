/*
 * test_account.c - accounts by name and id; tokens of which only hashes reach the disk, their expiry
 * by the store's clock, and the epoch that caches go by.
 */
#include "store_test.h"

#include "crypt/digest.h"
#include "crypt/token.h"

static bool add_account(struct store_conn *c, void *arg, struct err *err)
{
	return store_account_add(c, arg, err);
}

static bool update_account(struct store_conn *c, void *arg, struct err *err)
{
	return store_account_update(c, arg, err);
}

struct new_token {
	struct store_token t;
	unsigned char hash[SHA256_BYTES];
};

static bool add_token(struct store_conn *c, void *arg, struct err *err)
{
	const struct new_token *n = arg;

	return store_token_add(c, &n->t, n->hash, err);
}

static bool remove_token(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_token *t = arg;

	return store_token_remove(c, t->account_id, t->id, err);
}

static struct new_token token_of(struct arena *a, unsigned n, struct str secret)
{
	struct new_token t = { .t = { .id = id_of(a, n),
				       .account_id = ACCOUNT,
				       .name = str_fmt(a, "token %u", n),
				       .scope = STR("*"),
				       .created_ms = n } };

	digest_sha256(secret, t.hash);
	return t;
}

static void accounts(void **state)
{
	struct fix *f = *state;
	struct store_account three = { .id = id_of(f->a, 3),
		.name = STR("three \xc3\xa9"),
		.created_ms = 3,
		.rate_bucket = 10,
		.rate_refill = UINT32_MAX },
			     got, *list;
	struct err err;
	size_t n;

	write_ok(f, add_account, &three);
	WITH_READER (f, c) {
		assert_ok(store_account_get(c, f->a, three.name, &got, &err));
		assert_str(got.id, three.id.p);
		assert_int_equal(got.created_ms, 3);
		assert_int_equal(got.rate_bucket, 10);
		assert_int_equal(got.rate_refill, UINT32_MAX);
		assert_ok(store_account_get(c, f->a, three.id, &got, &err));
		assert_str(got.name, "three \xc3\xa9");
		assert_fails(store_account_get(c, f->a, STR("Three"), &got, &err), ERR_NOT_FOUND,
			"\"Three\"");
		assert_ok(store_account_list(c, f->a, &list, &n, &err));
		assert_int_equal(n, 3);
		assert_str(list[0].name, "one");
		assert_str(list[2].id, three.id.p);
	}
	three.id = id_of(f->a, 4);
	assert_fails(store_write(f->s, add_account, &three, &err), ERR_CONFLICT, "three");
	three.id = ACCOUNT;
	assert_fails(store_write(f->s, update_account, &three, &err), ERR_CONFLICT, "three");
	three.name = STR("renamed");
	three.rate_bucket = 0;
	write_ok(f, update_account, &three);
	three.id = id_of(f->a, 5);
	three.name = STR("nobody");
	assert_fails(store_write(f->s, update_account, &three, &err), ERR_NOT_FOUND, "account");
	WITH_READER (f, c) {
		assert_ok(store_account_get(c, f->a, ACCOUNT, &got, &err));
		assert_str(got.name, "renamed");
		assert_int_equal(got.created_ms, 1);
		assert_int_equal(got.rate_bucket, 0);
	}
}

/* An account that is called like another's id does not hide it. */
static void an_id_wins_over_a_name(void **state)
{
	struct fix *f = *state;
	struct store_account mimic = { .id = id_of(f->a, 3), .name = ACCOUNT }, got;
	struct err err;

	write_ok(f, add_account, &mimic);
	WITH_READER (f, c) {
		assert_ok(store_account_get(c, f->a, ACCOUNT, &got, &err));
		assert_str(got.name, "one");
	}
}

static void tokens(void **state)
{
	struct fix *f = *state;
	struct new_token one = token_of(f->a, 1, STR("first")),
			 two = token_of(f->a, 2, STR("second")), got;
	struct store_token *list;
	struct err err;
	size_t n;

	two.t.connector_id = id_of(f->a, 77);
	write_ok(f, add_token, &two);
	write_ok(f, add_token, &one);
	WITH_READER (f, c) {
		assert_ok(store_token_find(c, f->a, two.hash, &got.t, &err));
		assert_str(got.t.id, two.t.id.p);
		assert_str(got.t.account_id, ACCOUNT.p);
		assert_str(got.t.name, "token 2");
		assert_str(got.t.scope, "*");
		assert_str(got.t.connector_id, two.t.connector_id.p);
		assert_ok(store_token_find(c, f->a, one.hash, &got.t, &err));
		assert_null(got.t.connector_id.p);
		assert_ok(store_token_list(c, f->a, ACCOUNT, &list, &n, &err));
		assert_int_equal(n, 2);
		assert_str(list[0].id, one.t.id.p);
		assert_ok(store_token_list(c, f->a, OTHER, &list, &n, &err));
		assert_int_equal(n, 0);
	}
	/* the hash is a key of its own */
	got = one;
	got.t.id = id_of(f->a, 3);
	assert_fails(store_write(f->s, add_token, &got, &err), ERR_CONFLICT, "");
	got = token_of(f->a, 4, STR("fourth"));
	got.t.account_id = id_of(f->a, 999);
	assert_fails(store_write(f->s, add_token, &got, &err), ERR_CONFLICT, "does not exist");
	/* another account's token can't be removed */
	got = one;
	got.t.account_id = OTHER;
	assert_fails(store_write(f->s, remove_token, &got.t, &err), ERR_NOT_FOUND, "token");
	write_ok(f, remove_token, &one.t);
	assert_fails(store_write(f->s, remove_token, &one.t, &err), ERR_NOT_FOUND, "token");
	WITH_READER (f, c)
		assert_fails(store_token_find(c, f->a, one.hash, &got.t, &err), ERR_UNAUTHORIZED,
			"not known");
}

static void a_token_carries_its_accounts_rates(void **state)
{
	struct fix *f = *state;
	struct new_token one = token_of(f->a, 1, STR("first"));
	struct store_account a = { .id = ACCOUNT,
		.name = STR("one"),
		.rate_bucket = 7,
		.rate_refill = 3 };
	struct store_token got;
	struct err err;

	write_ok(f, add_token, &one);
	write_ok(f, update_account, &a);
	WITH_READER (f, c) {
		assert_ok(store_token_find(c, f->a, one.hash, &got, &err));
		assert_int_equal(got.rate_bucket, 7);
		assert_int_equal(got.rate_refill, 3);
	}
}

static void expiry_by_the_clock(void **state)
{
	struct fix *f = *state;
	struct new_token one = token_of(f->a, 1, STR("first")),
			 two = token_of(f->a, 2, STR("second"));
	struct store_token got = { .name = STR("untouched") };
	struct err err;

	one.t.expires_ms = clock_wall_ms(&f->clock.clock) + 1000;
	write_ok(f, add_token, &one);
	write_ok(f, add_token, &two);
	clock_test_advance(&f->clock, 999);
	WITH_READER (f, c)
		assert_ok(store_token_find(c, f->a, one.hash, &got, &err));
	clock_test_advance(&f->clock, 1);
	got.name = STR("untouched");
	WITH_READER (f, c) {
		assert_fails(store_token_find(c, f->a, one.hash, &got, &err), ERR_UNAUTHORIZED,
			"expired");
		assert_str(got.name, "untouched");
	}
	clock_test_advance(&f->clock, INT64_C(1000) * 86400 * 365 * 100);
	WITH_READER (f, c)
		assert_ok(store_token_find(c, f->a, two.hash, &got, &err)); /* never */
}

/* The epoch moves with what can change an answer, and with nothing else. */
static void epoch(void **state)
{
	struct fix *f = *state;
	struct new_token one = token_of(f->a, 1, STR("first"));
	struct store_account a = { .id = ACCOUNT, .name = STR("one"), .rate_bucket = 7 };
	struct store_resource r = resource_of(f->a, 1);
	uint64_t e = store_token_epoch(f->s), now;
	struct err err;

	write_ok(f, add_resource, &r);
	assert_int_equal(store_token_epoch(f->s), e);
	write_ok(f, add_token, &one);
	assert_true((now = store_token_epoch(f->s)) > e);
	e = now;
	assert_fails(store_write(f->s, add_token, &one, &err), ERR_CONFLICT, "");
	assert_int_equal(store_token_epoch(f->s), e); /* it was undone */
	write_ok(f, update_account, &a);
	assert_true((now = store_token_epoch(f->s)) > e);
	e = now;
	write_ok(f, remove_token, &one.t);
	assert_true(store_token_epoch(f->s) > e);
}

static bool file_holds(const char *path, struct str what)
{
	FILE *file = fopen(path, "re");
	char *bytes = NULL;
	struct stat st;
	bool found;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	bytes = test_malloc((size_t)st.st_size + 1);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);
	fclose(file);
	found = str_find(str_of(bytes, (size_t)st.st_size), what) != STR_NPOS;
	test_free(bytes);
	return found;
}

/* Neither the database nor its log holds a token; its hash is in one of them. */
static void only_hashes_on_disk(void **state)
{
	struct fix *f = *state;
	char secret[TOKEN_LEN + 1];
	struct new_token t;
	const char *db = str_fmt(f->a, "%s/integrator.db", f->dir).p,
		   *log = str_fmt(f->a, "%s/integrator.db-wal", f->dir).p;
	struct str hash;

	token_new(secret, rng_system());
	t = token_of(f->a, 1, str_z(secret));
	hash = str_of((const char *)t.hash, sizeof(t.hash));
	write_ok(f, add_token, &t);
	assert_true(file_holds(log, hash));
	assert_false(file_holds(log, str_of(secret, TOKEN_LEN)));
	/* not even a part of it */
	assert_false(file_holds(log, str_of(secret + 4, 12)));
	fix_close(f);
	assert_true(file_holds(db, hash));
	assert_false(file_holds(db, str_of(secret + 4, 12)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accounts),
		TEST(an_id_wins_over_a_name),
		TEST(tokens),
		TEST(a_token_carries_its_accounts_rates),
		TEST(expiry_by_the_clock),
		TEST(epoch),
		TEST(only_hashes_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
