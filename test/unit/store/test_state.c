/*
 * test_state.c - values by key, each scope for itself, gone with the resource they belong to.
 */
#include "store_test.h"

#include "core/buf.h"

struct put {
	struct store_state_key key;
	struct str value;
	bool created;
};

static bool put(struct store_conn *c, void *arg, struct err *err)
{
	struct put *p = arg;

	return store_state_put(c, &p->key, p->value, 5, &p->created, err);
}

static bool remove_key(struct store_conn *c, void *arg, struct err *err)
{
	return store_state_remove(c, arg, err);
}

static bool remove_all(struct store_conn *c, void *arg, struct err *err)
{
	return store_state_remove_all(c, ACCOUNT, str_z(arg), err);
}

static bool remove_resource(struct store_conn *c, void *arg, struct err *err)
{
	const struct store_resource *r = arg;

	return store_resource_remove(c, r->account_id, r->type, r->id, 0, err);
}

static bool put_one(struct fix *f, struct str account, struct str scope, const char *key,
	const char *value)
{
	struct put p = { { account, scope, str_z(key) }, str_z(value), false };

	write_ok(f, put, &p);
	return p.created;
}

static bool add_key(void *arg, struct str key)
{
	struct buf *b = arg;

	buf_add_str(b, key);
	buf_add_char(b, ' ');
	return true;
}

static struct str keys(struct fix *f, struct str scope)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	uint64_t count, spaces = 0;
	struct err err;

	WITH_READER (f, c) {
		assert_ok(store_state_keys(c, ACCOUNT, scope, add_key, &b, &err));
		assert_ok(store_state_count(c, ACCOUNT, scope, &count, &err));
	}
	for (size_t i = 0; i < b.n; i++)
		spaces += b.p[i] == ' ';
	assert_int_equal(count, spaces);
	return str_dup(f->a, buf_str(&b));
}

static void values(void **state)
{
	struct fix *f = *state;
	struct store_state_key k = { ACCOUNT, STR(""), STR("b") };
	struct str value = STR("untouched");
	struct err err;

	assert_true(put_one(f, ACCOUNT, STR(""), "b", "1"));
	assert_false(put_one(f, ACCOUNT, STR(""), "b", "{\"n\":2}"));
	assert_true(put_one(f, ACCOUNT, STR(""), "a", "3"));
	assert_true(put_one(f, OTHER, STR(""), "c", "4"));
	assert_true(put_one(f, ACCOUNT, STR("flow/1"), "b", "5"));
	assert_str(keys(f, STR("")), "a b ");
	assert_str(keys(f, STR("flow/1")), "b ");
	WITH_READER (f, c) {
		assert_ok(store_state_get(c, f->a, &k, &value, &err));
		assert_str(value, "{\"n\":2}");
		k.key = STR("c");
		assert_fails(store_state_get(c, f->a, &k, &value, &err), ERR_NOT_FOUND, "\"c\"");
	}
	assert_fails(store_write(f->s, remove_key, &k, &err), ERR_NOT_FOUND, "\"c\"");
	k.key = STR("b");
	write_ok(f, remove_key, &k);
	assert_str(keys(f, STR("")), "a ");
	write_ok(f, remove_all, (char[]){ "" });
	assert_str(keys(f, STR("")), "");
	assert_str(keys(f, STR("flow/1")), "b ");
}

static void it_goes_with_its_resource(void **state)
{
	struct fix *f = *state;
	struct store_resource r = resource_of(f->a, 1), other = resource_of(f->a, 2);
	struct str scope = str_fmt(f->a, "export/%.*s", STR_ARG(r.id)),
		   of_other = str_fmt(f->a, "export/%.*s", STR_ARG(other.id));

	write_ok(f, add_resource, &r);
	write_ok(f, add_resource, &other);
	put_one(f, ACCOUNT, scope, "k", "1");
	put_one(f, ACCOUNT, of_other, "k", "1");
	write_ok(f, remove_resource, &r);
	assert_str(keys(f, scope), "");
	assert_str(keys(f, of_other), "k ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values, setup, teardown),
		cmocka_unit_test_setup_teardown(it_goes_with_its_resource, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
