/*
 * test_resource.c - documents with versions; lists by every filter whose pages miss and repeat
 * nothing while others write; who refers to whom; and the identifier that all accounts share.
 */
#include "store_test.h"

struct write {
	struct store_resource r;
	const struct store_ref *refs;
	size_t ref_count;
};

static bool add(struct store_conn *c, void *arg, struct err *err)
{
	const struct write *w = arg;

	return store_resource_add(c, &w->r, w->refs, w->ref_count, err);
}

static bool update(struct store_conn *c, void *arg, struct err *err)
{
	const struct write *w = arg;

	return store_resource_update(c, &w->r, w->refs, w->ref_count, err);
}

static bool remove_it(struct store_conn *c, void *arg, struct err *err)
{
	const struct write *w = arg;

	return store_resource_remove(c, w->r.account_id, w->r.type, w->r.id, w->r.version, err);
}

static void add_one(struct fix *f, struct store_resource r)
{
	struct write w = { .r = r };

	write_ok(f, add, &w);
}

static void remove_one(struct fix *f, struct store_resource r)
{
	struct write w = { .r = r };

	w.r.version = 0;
	write_ok(f, remove_it, &w);
}

static void every_column_comes_back(void **state)
{
	struct fix *f = *state;
	struct store_resource r = resource_of(f->a, 1), got;
	struct err err;

	r.modified_ms = 7;
	r.external_id = STR("ext \xf0\x9f\x98\x80");
	r.integration_id = id_of(f->a, 50);
	r.connector_id = id_of(f->a, 51);
	r.api_identifier = STR("e12345678");
	add_one(f, r);
	add_one(f, (struct store_resource){ .account_id = ACCOUNT,
			   .type = STR("flow"),
			   .id = r.id,
			   .version = 1,
			   .document = STR("") });
	WITH_READER (f, c) {
		assert_ok(store_resource_get(c, f->a, ACCOUNT, r.type, r.id, &got, &err));
		assert_int_equal(got.version, 1);
		assert_int_equal(got.created_ms, 1);
		assert_int_equal(got.modified_ms, 7);
		assert_str(got.account_id, ACCOUNT.p);
		assert_str(got.type, "export");
		assert_str(got.id, r.id.p);
		assert_str(got.name, "name 1");
		assert_str(got.external_id, r.external_id.p);
		assert_str(got.integration_id, r.integration_id.p);
		assert_str(got.connector_id, r.connector_id.p);
		assert_str(got.api_identifier, "e12345678");
		assert_str(got.document, "{\"n\":1}");
		assert_ok(store_resource_get(c, f->a, ACCOUNT, STR("flow"), r.id, &got, &err));
		assert_null(got.name.p);
		assert_null(got.api_identifier.p);
		assert_non_null(got.document.p); /* empty is not null */
		assert_int_equal(got.document.n, 0);
		assert_fails(store_resource_get(c, f->a, OTHER, r.type, r.id, &got, &err),
			ERR_NOT_FOUND, "there is no export");
		assert_true(store_resource_exists(c, ACCOUNT, r.type, r.id));
		assert_false(store_resource_exists(c, OTHER, r.type, r.id));
	}
}

static void add_refuses(void **state)
{
	struct fix *f = *state;
	struct write w = { .r = resource_of(f->a, 1) };
	struct err err;

	write_ok(f, add, &w);
	assert_fails(store_write(f->s, add, &w, &err), ERR_CONFLICT, "is taken");
	w.r.account_id = id_of(f->a, 99);
	assert_fails(store_write(f->s, add, &w, &err), ERR_CONFLICT, "there is no account");
	w.r.account_id = OTHER; /* the same id elsewhere is another thing */
	write_ok(f, add, &w);
}

static void versions(void **state)
{
	struct fix *f = *state;
	struct write w = { .r = resource_of(f->a, 1) };
	struct store_resource got;
	struct err err;

	write_ok(f, add, &w);
	w.r.document = STR("{\"two\":2}");
	w.r.modified_ms = 22;
	w.r.created_ms = 22; /* does not change */
	w.r.name = STR_NULL;
	write_ok(f, update, &w);
	WITH_READER (f, c) {
		assert_ok(store_resource_get(c, f->a, ACCOUNT, w.r.type, w.r.id, &got, &err));
		assert_int_equal(got.version, 2);
		assert_int_equal(got.created_ms, 1);
		assert_int_equal(got.modified_ms, 22);
		assert_null(got.name.p);
		assert_str(got.document, "{\"two\":2}");
	}
	assert_fails(store_write(f->s, update, &w, &err), ERR_PRECONDITION,
		"version 2 by now, not 1");
	assert_fails(store_write(f->s, remove_it, &w, &err), ERR_PRECONDITION, "version 2");
	w.r.version = 3;
	assert_fails(store_write(f->s, update, &w, &err), ERR_PRECONDITION, "not 3");
	w.r.version = 2;
	write_ok(f, update, &w);
	w.r.version = 3;
	write_ok(f, remove_it, &w);
	assert_fails(store_write(f->s, remove_it, &w, &err), ERR_NOT_FOUND, "there is no export");
	assert_fails(store_write(f->s, update, &w, &err), ERR_NOT_FOUND, "there is no export");
	w.r.version = 1;
	write_ok(f, add, &w);
	w.r.version = 0; /* any */
	write_ok(f, remove_it, &w);
}

/* Of two writers who read the same version, one wins. */
struct racer {
	struct fix *f;
	struct write w;
	struct thread thread;
	bool won;
	struct err err;
};

static void *racer_main(void *arg)
{
	struct racer *r = arg;

	r->won = store_write(r->f->s, update, &r->w, &r->err);
	return NULL;
}

static void one_of_two_writers_wins(void **state)
{
	struct fix *f = *state;
	struct racer racers[8];
	unsigned won = 0;

	add_one(f, resource_of(f->a, 1));
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){ .f = f, .w = { .r = resource_of(f->a, 1) } };
		thread_start(&racers[i].thread, "racer", racer_main, &racers[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		thread_join(&racers[i].thread);
		won += racers[i].won;
		if (!racers[i].won)
			assert_int_equal(racers[i].err.code, ERR_PRECONDITION);
	}
	assert_int_equal(won, 1);
}

static void api_identifier_is_unique_over_all_accounts(void **state)
{
	struct fix *f = *state;
	struct write w = { .r = resource_of(f->a, 1) };
	struct store_resource got;
	struct err err;

	w.r.api_identifier = STR("i00000001");
	write_ok(f, add, &w);
	w.r = resource_of(f->a, 2);
	w.r.account_id = OTHER;
	w.r.type = STR("import");
	w.r.api_identifier = STR("i00000001");
	assert_fails(store_write(f->s, add, &w, &err), ERR_CONFLICT, "apiIdentifier");
	w.r.api_identifier = STR("i00000002");
	write_ok(f, add, &w);
	w.r.api_identifier = STR("i00000001");
	assert_fails(store_write(f->s, update, &w, &err), ERR_CONFLICT, "apiIdentifier");
	WITH_READER (f, c) {
		assert_ok(store_resource_by_api_identifier(c, f->a, ACCOUNT, STR("i00000001"), &got,
			&err));
		assert_str(got.id, id_of(f->a, 1).p);
		assert_fails(store_resource_by_api_identifier(c, f->a, OTHER, STR("i00000001"),
				     &got, &err),
			ERR_NOT_FOUND, "i00000001");
	}
	remove_one(f, resource_of(f->a, 1)); /* frees it */
	write_ok(f, update, &w);
}

/* ---- lists ---- */

struct seen {
	struct arena *a;
	struct str ids[600];
	size_t count, stop_at;
};

static bool see(void *arg, const struct store_resource *r)
{
	struct seen *s = arg;

	assert_true(s->count < ARRAY_LEN(s->ids));
	s->ids[s->count++] = str_dup(s->a, r->id);
	return s->count != s->stop_at;
}

static struct seen *list(struct fix *f, const struct store_filter *filter)
{
	struct seen *s = arena_new_of(f->a, struct seen);
	struct err err;

	s->a = f->a;
	WITH_READER (f, c)
		assert_ok(store_resource_list(c, ACCOUNT, STR("export"), filter, see, s, &err));
	return s;
}

static void expect(struct fix *f, const struct store_filter *filter, const unsigned *want, size_t n)
{
	struct seen *s = list(f, filter);

	for (size_t i = 0; i < MIN(n, s->count); i++)
		assert_str(s->ids[i], id_of(f->a, want[i]).p);
	assert_int_equal(s->count, n);
}

#define EXPECT(f, filter, ...)                                   \
	do {                                                     \
		const unsigned want_[] = { __VA_ARGS__ };        \
		expect((f), &(filter), want_, ARRAY_LEN(want_)); \
	} while (0)

/* Six: integration 50 has 1 2 3, connector 60 has 3 4, externals are a and b. */
static void six(struct fix *f)
{
	for (unsigned n = 6; n >= 1; n--) { /* not in their order */
		struct store_resource r = resource_of(f->a, n);

		r.integration_id = n <= 3 ? id_of(f->a, 50) : n == 6 ? id_of(f->a, 51) : STR_NULL;
		r.connector_id = n == 3 || n == 4 ? id_of(f->a, 60) : STR_NULL;
		r.external_id = n % 2 == 0 ? STR("a") : n == 5 ? STR("b \"quoted\" \\") : STR_NULL;
		if (n == 6)
			r.name = STR("name 1"); /* two of a name */
		add_one(f, r);
		r.type = STR("import");
		r.account_id = OTHER;
		add_one(f, r);
	}
}

static void every_filter(void **state)
{
	struct fix *f = *state;
	const struct str integrations[] = { id_of(f->a, 50), id_of(f->a, 51) },
			 connector = id_of(f->a, 60), a = STR("a"),
			 externals[] = { STR("b \"quoted\" \\"), STR("a") },
			 names[] = { STR("name 5"), STR("name 1"), STR("none") },
			 none = STR("name'; DROP TABLE resource; --");
	struct store_filter q;

	six(f);
	q = (struct store_filter){ .limit = 0 };
	EXPECT(f, q, 1, 2, 3, 4, 5, 6);
	q = (struct store_filter){ .names = names, .name_count = 3 };
	EXPECT(f, q, 1, 5, 6);
	q = (struct store_filter){ .names = &none, .name_count = 1 };
	expect(f, &q, NULL, 0);
	q = (struct store_filter){ .names = names, .name_count = 0 }; /* one of none */
	expect(f, &q, NULL, 0);
	q = (struct store_filter){ .external_ids = externals, .external_id_count = 2 };
	EXPECT(f, q, 2, 4, 5, 6);
	q = (struct store_filter){ .external_ids = &a, .external_id_count = 1, .limit = 2 };
	EXPECT(f, q, 2, 4);
	q = (struct store_filter){ .integration_ids = integrations, .integration_id_count = 1 };
	EXPECT(f, q, 1, 2, 3);
	q.integration_id_count = 2;
	EXPECT(f, q, 1, 2, 3, 6);
	q = (struct store_filter){ .connector_ids = &connector, .connector_id_count = 1 };
	EXPECT(f, q, 3, 4);
	/* together */
	q.integration_ids = integrations;
	q.integration_id_count = 2;
	EXPECT(f, q, 3);
	q.connector_ids = NULL;
	q.external_ids = &a;
	q.external_id_count = 1;
	EXPECT(f, q, 2, 6);
	q.names = names;
	q.name_count = 3;
	EXPECT(f, q, 6);
}

static void paging_with_every_filter(void **state)
{
	struct fix *f = *state;
	const struct str integrations[] = { id_of(f->a, 50), id_of(f->a, 51) }, a = STR("a"),
			 names[] = { STR("name 5"), STR("name 1") }, connector = id_of(f->a, 60);
	struct store_filter q;

	six(f);
	q = (struct store_filter){ .after = id_of(f->a, 2), .limit = 3 };
	EXPECT(f, q, 3, 4, 5);
	q.after = id_of(f->a, 5);
	EXPECT(f, q, 6);
	q.after = id_of(f->a, 6);
	expect(f, &q, NULL, 0);
	q = (struct store_filter){ .after = id_of(f->a, 1),
		.limit = 1,
		.integration_ids = integrations,
		.integration_id_count = 2 };
	EXPECT(f, q, 2);
	q.after = id_of(f->a, 4); /* itself not in the list */
	EXPECT(f, q, 6);
	q = (struct store_filter){ .after = id_of(f->a, 2),
		.external_ids = &a,
		.external_id_count = 1 };
	EXPECT(f, q, 4, 6);
	q = (struct store_filter){ .after = id_of(f->a, 1), .names = names, .name_count = 2 };
	EXPECT(f, q, 5, 6);
	q = (struct store_filter){ .after = id_of(f->a, 3),
		.connector_ids = &connector,
		.connector_id_count = 1 };
	EXPECT(f, q, 4);
}

/* Many of one millisecond stand in the order of their ids. */
static void a_page_may_end_inside_one_millisecond(void **state)
{
	struct fix *f = *state;
	struct store_filter q = { .limit = 7 };
	unsigned seen = 0;

	for (unsigned n = 1; n <= 50; n++) {
		struct store_resource r = resource_of(f->a, n);

		r.created_ms = 5;
		add_one(f, r);
	}
	for (;;) {
		struct seen *s = list(f, &q);

		for (size_t i = 0; i < s->count; i++)
			assert_str(s->ids[i], id_of(f->a, ++seen).p);
		if (s->count == 0)
			break;
		q.after = s->ids[s->count - 1];
	}
	assert_int_equal(seen, 50);
}

/* While somebody walks the pages others add, change and remove: what was there all the time comes
 * exactly once, in order. */
static void pages_are_stable_under_writes(void **state)
{
	struct fix *f = *state;
	struct store_filter q = { .limit = 10 };
	unsigned added = 1000, next = 1;

	for (unsigned n = 1; n <= 100; n++)
		add_one(f, resource_of(f->a, n));
	for (struct seen *s; (s = list(f, &q))->count > 0;) {
		struct write w;

		for (size_t i = 0; i < s->count; i++) {
			if (next > 100) /* those added meanwhile stand behind */
				break;
			assert_str(s->ids[i], id_of(f->a, next++).p);
			next += next == 55; /* removed below, before the walk came there */
		}
		q.after = s->ids[s->count - 1];
		if (added < 1005)
			add_one(f, resource_of(f->a, added++)); /* behind */
		w = (struct write){ .r = resource_of(f->a, 3) };
		w.r.version = (int64_t)(added - 1000);
		if (added < 1005)
			write_ok(f, update, &w);
		if (added == 1003)
			remove_one(f, resource_of(f->a, 55));
	}
	assert_int_equal(next, 101);
}

/* The last one seen is gone: the list goes on with the second that its id tells. */
static void after_one_that_was_removed(void **state)
{
	struct fix *f = *state;
	const int64_t second = INT64_C(0x60000000) * 1000;
	struct str ids[3];
	struct store_filter q = { .limit = 0 };
	struct seen *s;
	struct err err;

	for (unsigned i = 0; i < 3; i++) {
		struct store_resource r = resource_of(f->a, i);

		r.id = ids[i] = str_fmt(f->a, "6000000%u%016x", i, i);
		r.created_ms = second + 1000 * i + 500;
		add_one(f, r);
	}
	q.after = ids[1];
	remove_one(f, (struct store_resource){ .account_id = ACCOUNT,
			      .type = STR("export"),
			      .id = ids[1] });
	s = list(f, &q);
	assert_int_equal(s->count, 1);
	assert_str(s->ids[0], ids[2].p);
	q.after = STR("no id at all");
	WITH_READER (f, c)
		assert_fails(store_resource_list(c, ACCOUNT, STR("export"), &q, see, s, &err),
			ERR_QUERY, "is not an id");
	q.after = STR("");
	WITH_READER (f, c)
		assert_fails(store_resource_list(c, ACCOUNT, STR("export"), &q, see, s, &err),
			ERR_QUERY, "is not an id");
}

struct inner {
	struct fix *f;
	struct store_conn *c;
	unsigned depth, calls;
};

static bool list_inside(void *arg, const struct store_resource *r)
{
	struct inner *in = arg;
	const struct store_filter q = { .limit = 2 };
	struct str id = str_dup(in->f->a, r->id);
	struct err err;

	in->calls++;
	if (in->depth < SQL_SPARE) {
		in->depth++;
		assert_ok(store_resource_list(in->c, ACCOUNT, STR("export"), &q, list_inside, in,
			&err));
		in->depth--;
	}
	assert_str(r->id, id.p); /* not disturbed by the lists inside */
	return true;
}

static void lists_inside_lists(void **state)
{
	struct fix *f = *state;
	const struct store_filter q = { .limit = 2 };
	struct inner in = { .f = f };
	struct err err;

	six(f);
	WITH_READER (f, c) {
		in.c = c;
		assert_ok(
			store_resource_list(c, ACCOUNT, STR("export"), &q, list_inside, &in, &err));
	}
	assert_int_equal(in.calls, 2 + 4 + 8 + 16 + 32);
}

static void a_list_may_be_stopped(void **state)
{
	struct fix *f = *state;
	const struct store_filter q = { .limit = 0 };
	struct seen s = { .a = f->a, .stop_at = 2 };
	struct err err;

	six(f);
	WITH_READER (f, c)
		assert_ok(store_resource_list(c, ACCOUNT, STR("export"), &q, see, &s, &err));
	assert_int_equal(s.count, 2);
}

/* ---- who refers ---- */

static size_t referrers(struct fix *f, struct str account, struct str type, struct str id,
	struct store_resource *out, size_t max)
{
	struct err err;
	size_t n = 999;

	WITH_READER (f, c)
		assert_ok(store_resource_referrers(c, f->a, account, type, id, out, max, &n, &err));
	return n;
}

static void referrers_follow_the_documents(void **state)
{
	struct fix *f = *state;
	struct str target = id_of(f->a, 9);
	const struct store_ref twice[] = { { STR("_exportId"), STR("export"), target },
		{ STR("pageGenerators[0]._exportId"), STR("export"), target },
		{ STR("_integrationId"), STR("integration"), id_of(f->a, 8) } };
	struct write w = { .refs = twice, .ref_count = 3 };
	struct store_resource out[5];

	for (unsigned n = 1; n <= 3; n++) {
		w.r = resource_of(f->a, n);
		w.r.type = STR("flow");
		write_ok(f, add, &w);
	}
	w.r.account_id = OTHER; /* its references are to its own */
	write_ok(f, add, &w);
	/* one that refers by two fields counts once */
	assert_int_equal(referrers(f, ACCOUNT, STR("export"), target, out, 5), 3);
	assert_str(out[0].name, "name 1");
	assert_str(out[0].type, "flow");
	assert_str(out[2].id, id_of(f->a, 3).p);
	assert_null(out[0].document.p);
	assert_int_equal(referrers(f, ACCOUNT, STR("export"), target, out, 2), 3);
	assert_int_equal(referrers(f, ACCOUNT, STR("export"), target, NULL, 0), 3);
	assert_int_equal(referrers(f, ACCOUNT, STR("import"), target, out, 5), 0);
	assert_int_equal(referrers(f, ACCOUNT, STR("integration"), id_of(f->a, 8), out, 5), 3);
	/* an update replaces them, a removal takes them away */
	w.r = resource_of(f->a, 2);
	w.r.type = STR("flow");
	w.refs = twice + 2;
	w.ref_count = 1;
	write_ok(f, update, &w);
	w.r = resource_of(f->a, 3);
	w.r.type = STR("flow");
	remove_one(f, w.r);
	assert_int_equal(referrers(f, ACCOUNT, STR("export"), target, out, 5), 1);
	assert_int_equal(referrers(f, ACCOUNT, STR("integration"), id_of(f->a, 8), out, 5), 2);
	assert_int_equal(referrers(f, OTHER, STR("export"), target, out, 5), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_column_comes_back),
		TEST(add_refuses),
		TEST(versions),
		TEST(one_of_two_writers_wins),
		TEST(api_identifier_is_unique_over_all_accounts),
		TEST(every_filter),
		TEST(paging_with_every_filter),
		TEST(a_page_may_end_inside_one_millisecond),
		TEST(pages_are_stable_under_writes),
		TEST(after_one_that_was_removed),
		TEST(lists_inside_lists),
		TEST(a_list_may_be_stopped),
		TEST(referrers_follow_the_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
