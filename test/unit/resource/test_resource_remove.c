/*
 * test_resource_remove.c - removal, who stands in its way, and cascades.
 */
#include "world.h"

struct chain {
	struct resource_view connection, export, import, flow;
};

/* A flow with all that it needs. */
static struct chain make_chain(struct world *w)
{
	struct chain c;

	c.connection = create(w, "connection", CONNECTION);
	c.export = create_fmt(w, "export",
		"{\"name\":\"E\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/x\"}}",
		STR_ARG(c.connection.id));
	c.import = create_fmt(w, "import",
		"{\"name\":\"I\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/y\"}}",
		STR_ARG(c.connection.id));
	c.flow = create_fmt(w, "flow",
		"{\"name\":\"F\",\"_exportId\":\"%.*s\",\"_importId\":\"%.*s\"}",
		STR_ARG(c.export.id), STR_ARG(c.import.id));
	return c;
}

static bool drop(struct world *w, const char *type, struct str id, int64_t version, bool cascade)
{
	problems_init(&w->p, w->a);
	return resource_remove(w->r, STR(ACCOUNT), type_of(w, type), id, version, cascade, w->a,
		&w->p);
}

static bool exists(struct world *w, const char *type, struct str id)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err;

	assert_ok(store_read_begin(w->store, &c, &err));
	return store_resource_exists(c, STR(ACCOUNT), str_z(type), id);
}

static void test_remove(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection", CONNECTION);

	assert_false(drop(w, "connection", v.id, 2, false));
	assert_problem(w, ERR_PRECONDITION, "", "version 1 is stored");
	assert_true(drop(w, "connection", v.id, 1, false));
	assert_false(exists(w, "connection", v.id));
	assert_false(drop(w, "connection", v.id, 0, false));
	assert_problem(w, ERR_NOT_FOUND, "", "");
	assert_false(drop(w, "connection", v.id, 0, true));
	assert_problem(w, ERR_NOT_FOUND, "", "");
}

static void test_others_may_not(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection", CONNECTION);

	problems_init(&w->p, w->a);
	assert_false(resource_remove(w->r, STR(OTHER), type_of(w, "connection"), v.id, 0, true,
		w->a, &w->p));
	assert_problem(w, ERR_NOT_FOUND, "", "");
	assert_true(exists(w, "connection", v.id));
}

static void test_referrers_stand_in_the_way(void **state)
{
	struct world *w = *state;
	struct chain c = make_chain(w);

	assert_false(drop(w, "connection", c.connection.id, 0, false));
	assert_int_equal(w->p.count, 2);
	assert_int_equal(problems_status(&w->p), 409);
	assert_false(drop(w, "export", c.export.id, 0, false));
	assert_int_equal(w->p.count, 1);
	assert_problem(w, ERR_CONFLICT,
		str_fmt(w->a, "flows/%.*s: _exportId", STR_ARG(c.flow.id)).p,
		str_fmt(w->a, "the flow \"F\" (%.*s) refers to this export by _exportId",
			STR_ARG(c.flow.id))
			.p);
	/* without a name it is called by its id */
	struct resource_view e = create_fmt(w, "export",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/x\"}}",
		STR_ARG(c.connection.id));
	struct resource_view f = create_fmt(w, "flow",
		"{\"_exportId\":\"%.*s\",\"_importId\":\"%.*s\"}", STR_ARG(e.id),
		STR_ARG(c.import.id));

	assert_false(drop(w, "export", e.id, 0, false));
	assert_problem(w, ERR_CONFLICT, str_fmt(w->a, "flows/%.*s: _exportId", STR_ARG(f.id)).p,
		str_fmt(w->a, "the flow %.*s refers to this export by _exportId", STR_ARG(f.id)).p);
	assert_true(drop(w, "flow", f.id, 0, false));
	assert_true(drop(w, "export", e.id, 0, false));
	assert_true(drop(w, "flow", c.flow.id, 0, false));
	assert_true(drop(w, "export", c.export.id, 0, false));
	assert_false(drop(w, "connection", c.connection.id, 0, false));
	assert_true(drop(w, "import", c.import.id, 0, false));
	assert_true(drop(w, "connection", c.connection.id, 0, false));
}

static void test_cascade(void **state)
{
	struct world *w = *state;
	struct chain c = make_chain(w);
	struct resource_view other = create(w, "connection", CONNECTION);

	assert_false(drop(w, "connection", c.connection.id, 9, true));
	assert_problem(w, ERR_PRECONDITION, "", "");
	assert_true(exists(w, "flow", c.flow.id));
	assert_true(drop(w, "connection", c.connection.id, 1, true));
	assert_false(exists(w, "connection", c.connection.id));
	assert_false(exists(w, "export", c.export.id));
	assert_false(exists(w, "import", c.import.id));
	assert_false(exists(w, "flow", c.flow.id));
	assert_true(exists(w, "connection", other.id));
}

static void test_cascade_of_many(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "integration", "{\"name\":\"I\"}");

	for (int i = 0; i < 60; i++)
		create_fmt(w, "connection",
			"{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"},"
			"\"_integrationId\":\"%.*s\"}",
			STR_ARG(v.id));
	assert_false(drop(w, "integration", v.id, 0, false));
	assert_true(w->p.count >= 1 && w->p.count < 60);
	assert_true(drop(w, "integration", v.id, 0, true));

	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct store_filter f = { .limit = 0 };
	struct err err;

	assert_ok(resource_list(w->r, STR(ACCOUNT), type_of(w, "connection"), &f, w->a, &b, NULL,
		&err));
	assert_str(buf_str(&b), "[]");
}

/* An integration made by a connector that was built from it: each refers to the other. */
static void test_cascade_of_a_circle(void **state)
{
	struct world *w = *state;
	struct resource_view i = create(w, "integration", "{\"name\":\"I\"}"), v;
	struct resource_view c = create_fmt(w, "connector",
		"{\"name\":\"C\",\"_integrationId\":\"%.*s\"}", STR_ARG(i.id));

	problems_init(&w->p, w->a);
	assert_true(resource_patch(w->r, STR(ACCOUNT), type_of(w, "integration"), i.id, 0,
		parse(w, str_fmt(w->a, "{\"_connectorId\":\"%.*s\"}", STR_ARG(c.id))), w->a, &v,
		&w->p));
	assert_false(drop(w, "integration", i.id, 0, false));
	assert_true(drop(w, "integration", i.id, 0, true));
	assert_false(exists(w, "integration", i.id));
	assert_false(exists(w, "connector", c.id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_remove),
		T(test_others_may_not),
		T(test_referrers_stand_in_the_way),
		T(test_cascade),
		T(test_cascade_of_many),
		T(test_cascade_of_a_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
