/*
 * test_resource_read.c - get, list, opening for the engine.
 */
#include "world.h"

static void test_get_is_what_create_answered(void **state)
{
	static const char *const bodies[][2] = {
		{ "connection", CONNECTION },
		{ "script", "{\"name\":\"S\",\"content\":\"const a = \\\"sealed:v1:x\\\";\\n\"}" },
		{ "integration", "{\"name\":\"I\",\"settings\":{\"a\":[1.0,1e2,null],\"b\":{}}}" },
		{ "iclient",
			"{\"provider\":\"shopify\",\"clientId\":\"c\",\"clientSecret\":\"S\"}" },
	};
	struct world *w = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct resource_view made = create(w, bodies[i][0], bodies[i][1]), got;

		assert_ok(resource_get(w->r, STR(ACCOUNT), type_of(w, bodies[i][0]), made.id, w->a,
			&got, &err));
		assert_str(got.json, str_to_z(w->a, made.json));
		assert_int_equal(got.version, 1);
		assert_int_equal(got.modified_ms, made.modified_ms);
		assert_true(str_eq(got.id, made.id));
	}
}

static void test_texts_that_look_sealed_are_shown(void **state)
{
	struct world *w = *state;
	struct resource_view got,
		made = create(w, "connection",
			"{\"name\":\"sealed:v1:x\",\"type\":\"rest\",\"rest\":{"
			"\"baseURI\":\"https://a.example\",\"bearerToken\":\"S\"}}");
	struct err err;

	assert_ok(resource_get(w->r, STR(ACCOUNT), type_of(w, "connection"), made.id, w->a, &got,
		&err));
	assert_str(view_str(w, &got, "name"), "sealed:v1:x");
	assert_str(view_str(w, &got, "rest.bearerToken"), "******");
}

static void test_get_misses(void **state)
{
	struct world *w = *state;
	struct resource_view v, made = create(w, "connection", CONNECTION);
	struct err err;

	assert_fails(resource_get(w->r, STR(OTHER), type_of(w, "connection"), made.id, w->a, &v,
			     &err),
		ERR_NOT_FOUND, "");
	assert_fails(resource_get(w->r, STR(ACCOUNT), type_of(w, "export"), made.id, w->a, &v,
			     &err),
		ERR_NOT_FOUND, "");
}

static struct str list(struct world *w, const struct store_filter *f, struct str *last)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;

	assert_ok(resource_list(w->r, STR(ACCOUNT), type_of(w, "connection"), f, w->a, &b, last,
		&err));
	return str_dup(w->a, buf_str(&b));
}

static void test_list(void **state)
{
	struct world *w = *state;
	struct resource_view v[3];
	struct store_filter f = { .limit = 0 };
	struct str last = STR("x"), name = STR("C1");

	assert_str(list(w, &f, &last), "[]");
	assert_null(last.p);
	for (int i = 0; i < 3; i++) {
		clock_test_advance(&w->clock, 1000);
		v[i] = create_fmt(w, "connection",
			"{\"name\":\"C%d\",\"type\":\"rest\",\"rest\":{"
			"\"baseURI\":\"https://a.example\",\"bearerToken\":\"S3CRET\"}}",
			i);
	}
	assert_str(list(w, &f, &last), str_fmt(w->a, "[%.*s,%.*s,%.*s]", STR_ARG(v[0].json),
					       STR_ARG(v[1].json), STR_ARG(v[2].json))
					       .p);
	assert_null(last.p);

	f.names = &name;
	f.name_count = 1;
	assert_str(list(w, &f, &last), str_fmt(w->a, "[%.*s]", STR_ARG(v[1].json)).p);

	f = (struct store_filter){ .limit = 2 };
	assert_str(list(w, &f, &last),
		str_fmt(w->a, "[%.*s,%.*s]", STR_ARG(v[0].json), STR_ARG(v[1].json)).p);
	assert_true(str_eq(last, v[1].id));
	f.after = last;
	assert_str(list(w, &f, &last), str_fmt(w->a, "[%.*s]", STR_ARG(v[2].json)).p);
	assert_null(last.p);
	f = (struct store_filter){ .limit = 3 };
	list(w, &f, &last);
	assert_null(last.p);
}

static void test_list_has_a_limit_of_bytes(void **state)
{
	struct world *w = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(300);
	struct store_filter f = { .limit = 0 };
	struct err err;

	create(w, "connection", CONNECTION);
	create(w, "connection", CONNECTION);
	assert_fails(resource_list(w->r, STR(ACCOUNT), type_of(w, "connection"), &f, w->a, &b, NULL,
			     &err),
		ERR_LIMIT, "limit=");
}

static void test_open(void **state)
{
	struct world *w = *state;
	struct resource_view c = create(w, "connection", CONNECTION);
	struct store_conn *conn DEFER(store_read_endp) = NULL;
	const struct json *doc;
	struct err err;

	assert_ok(store_read_begin(w->store, &conn, &err));
	assert_ok(
		resource_open(w->r, conn, w->a, STR(ACCOUNT), STR("connection"), c.id, &doc, &err));
	assert_str(json_str(json_get_path(doc, STR("rest.bearerToken"))), "S3CRET");
	assert_str(json_str(json_get_path(doc, STR("name"))), "Shop");
	assert_fails(resource_open(w->r, conn, w->a, STR(OTHER), STR("connection"), c.id, &doc,
			     &err),
		ERR_NOT_FOUND, "");
}

/* Moves a document to another id: its secrets must not come along. */
static bool copy_row(struct store_conn *c, void *arg, struct err *err)
{
	struct store_resource *row = arg;

	return store_resource_add(c, row, NULL, 0, err);
}

static void test_secrets_open_in_their_place_only(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection", CONNECTION);
	struct store_resource row = { .account_id = STR(ACCOUNT),
		.type = STR("connection"),
		.id = STR("507f1f77bcf86cd799439011"),
		.version = 1,
		.document = stored(w, "connection", v.id) };
	struct store_conn *conn DEFER(store_read_endp) = NULL;
	const struct json *doc;
	struct err err;

	assert_ok(store_write(w->store, copy_row, &row, &err));
	assert_ok(store_read_begin(w->store, &conn, &err));
	assert_fails(resource_open(w->r, conn, w->a, STR(ACCOUNT), STR("connection"), row.id, &doc,
			     &err),
		ERR_CRYPT, "connection 507f1f77bcf86cd799439011: rest.bearerToken");
}

static void test_types_by_name(void **state)
{
	struct world *w = *state;

	assert_ptr_equal(resources_by_segment(w->r, STR("IClients")), type_of(w, "iclient"));
	assert_null(resources_by_segment(w->r, STR("iclient")));
	assert_null(resources_by_type(w->r, STR("Connection")));
	assert_ptr_equal(resources_at(w->r, 0), type_of(w, "connection"));
	for (size_t i = 0; resource_defs[i] != NULL; i++)
		assert_ptr_equal(schema_def(resources_at(w->r, i)), resource_defs[i]);
	assert_null(resources_at(w->r, 10));
}

static bool add_runs(struct store_conn *c, void *arg, struct err *err)
{
	const struct json *ids = *(const struct json **)arg; /* of a flow and of its listener */
	struct store_event e = { .account_id = STR(ACCOUNT),
		.export_id = json_str(json_at(ids, 1)),
		.received_ms = 1,
		.body = STR("{}") };
	struct store_job j = { .account_id = STR(ACCOUNT),
		.type = JOB_FLOW,
		.status = JOB_COMPLETED,
		.flow_id = json_str(json_at(ids, 0)) };
	bool duplicate;

	j.id = STR("5e03061cda207400223000a1");
	j.created_ms = 1497900000000;
	j.started_ms = 1497900001000;
	if (!store_job_add(c, &j, err))
		return false;
	j.id = STR("5e03061cda207400223000a2");
	j.status = JOB_QUEUED; /* has not begun yet */
	j.created_ms = 1497900002000;
	j.started_ms = 0;
	return store_job_add(c, &j, err) && store_event_add(c, &e, 0, &duplicate, err) &&
	       store_event_add(c, &e, 0, &duplicate, err);
}

/* When it is due, when it ran, and what waits for it: in the flow, in lists, and in answers to changes. */
static void test_flows_tell_what_they_are_at(void **state)
{
	struct world *w = *state;
	struct str connection = create(w, "connection", CONNECTION).id;
	struct str listener = create_fmt(w, "export",
		"{\"type\":\"webhook\",\"webhook\":{\"verify\":\"secret_url\","
		"\"token\":\"0123456789abcdef0123456789abcdef\"}}")
				      .id;
	struct str export = create_fmt(w, "export",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/a\"}}",
		STR_ARG(connection))
				    .id;
	struct str import = create_fmt(w, "import",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":[\"/b\"]}}",
		STR_ARG(connection))
				    .id;
	struct resource_view fed = create_fmt(w, "flow",
		"{\"_exportId\":\"%.*s\",\"_importId\":\"%.*s\"}", STR_ARG(listener),
		STR_ARG(import));
	struct resource_view timed = create_fmt(w, "flow",
		"{\"_exportId\":\"%.*s\",\"_importId\":\"%.*s\",\"schedule\":\"? 0 2 ? * *\","
		"\"timezone\":\"+01:00\"}",
		STR_ARG(export), STR_ARG(import));
	struct json_build ids;
	const struct json *both;
	struct resource_view got, put;
	struct err err;

	assert_null(view_str(w, &fed, "lastExecutedAt").p);
	assert_null(json_get_path(parse(w, fed.json), STR("nextDue")));
	assert_null(json_get_path(parse(w, timed.json), STR("eventsWaiting")));
	json_build_init(&ids, w->a);
	json_build_array(&ids);
	json_build_str(&ids, fed.id);
	json_build_str(&ids, listener);
	json_build_end(&ids);
	both = json_build_done(&ids);
	assert_ok(store_write(w->store, add_runs, &both, &err));

	assert_ok(resource_get(w->r, STR(ACCOUNT), type_of(w, "flow"), fed.id, w->a, &got, &err));
	assert_str(view_str(w, &got, "lastExecutedAt"), "2017-06-19T19:20:01.000Z");
	assert_true(str_find(got.json, STR("\"eventsWaiting\":2}")) != STR_NPOS);
	assert_true(str_find(stored(w, "flow", fed.id), STR("eventsWaiting")) == STR_NPOS);

	const struct json *due = json_get(parse(w, timed.json), STR("nextDue"));

	assert_int_equal(due->n, 5);
	assert_str(json_str(json_at(due, 0)), "2017-06-20T01:00:00.000Z");
	assert_str(json_str(json_at(due, 4)), "2017-06-24T01:00:00.000Z");

	/* what was read goes back, and only the answer has them */
	assert_true(resource_replace(w->r, STR(ACCOUNT), type_of(w, "flow"), fed.id, 0,
		parse(w, got.json), w->a, &put, &w->p));
	assert_str(view_str(w, &put, "lastExecutedAt"), "2017-06-19T19:20:01.000Z");
	assert_true(resource_patch(w->r, STR(ACCOUNT), type_of(w, "flow"), timed.id, 0,
		parse(w, STR("{\"disabled\":true,\"nextDue\":[\"2030-01-01T00:00:00Z\"]}")), w->a,
		&put, &w->p));
	assert_int_equal(json_get(parse(w, put.json), STR("nextDue"))->n, 0);

	struct buf b DEFER(buf_free) = BUF_INIT(0);

	assert_ok(resource_list(w->r, STR(ACCOUNT), type_of(w, "flow"),
		&(struct store_filter){ .limit = 10 }, w->a, &b, NULL, &err));
	assert_true(str_find(buf_str(&b), STR("\"lastExecutedAt\":\"2017-06-19T19:20:01.000Z\"")) !=
		    STR_NPOS);
}

static void test_what_flows_tell_is_not_given_at_creation(void **state)
{
	struct world *w = *state;
	struct resource_view v;

	assert_false(resource_create(w->r, STR(ACCOUNT), type_of(w, "flow"),
		parse(w, STR("{\"eventsWaiting\":1}")), w->a, &v, &w->p));
	assert_true(
		str_find(problems_text(w), STR("eventsWaiting is set by the server")) != STR_NPOS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_get_is_what_create_answered),
		T(test_texts_that_look_sealed_are_shown),
		T(test_get_misses),
		T(test_list),
		T(test_list_has_a_limit_of_bytes),
		T(test_open),
		T(test_secrets_open_in_their_place_only),
		T(test_types_by_name),
		T(test_flows_tell_what_they_are_at),
		T(test_what_flows_tell_is_not_given_at_creation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
