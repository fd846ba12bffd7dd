/*
 * test_outage.c - applications that are out of reach, or let nobody in: the connection goes offline, and the
 * run waits and goes on at its page.
 */
#include "engine/rig.h"

static int status;
static enum err_code code;
static unsigned first, last; /* of the sources' answers, from 1: those that fail */

static int fail_some(struct rig *r, struct err *err)
{
	if (r->asked < first || r->asked > last)
		return 0;
	err_set(err, code, "could not connect");
	return status;
}

static void answers_fail(struct rig *r, unsigned from, unsigned to, enum err_code what, int with)
{
	first = from;
	last = to;
	code = what;
	status = with;
	r->breaks = fail_some;
}

static bool is_offline(struct rig *r)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_resource row;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_resource_get(c, r->w->a, STR(ACCOUNT), STR("connection"), r->connection,
		&row, &err));
	return json_get_true(parse(r->w, row.document), STR("offline"));
}

static bool is_probed(struct rig *r, struct str connection)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	bool there = false;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_probe_get(c, STR(ACCOUNT), connection, &there, &err));
	return there;
}

/* What the job waits for is the connection that is offline. */
static void assert_waits(struct rig *r, struct str job)
{
	struct store_job j = rig_job(r, job);
	const struct json *w;

	assert_int_equal(j.status, JOB_QUEUED);
	assert_true(is_offline(r));
	w = parse(r->w, j.waiting_for);
	assert_true(str_starts(json_get_str(w, STR("what")), STR("connection \"")));
	assert_true(str_find(json_get_str(w, STR("what")), STR("is offline: refused")) != STR_NPOS);
	assert_true(str_eq(json_get_str(w, STR("_connectionId")), r->connection));
	assert_non_null(json_get(w, STR("since")));
	assert_non_null(json_get(w, STR("until")));
	assert_true(is_probed(r, r->connection));
}

static void comes_back(struct rig *r)
{
	r->refuse_ping = false;
	rig_patch(r, "connection", r->connection, "{\"offline\":false}");
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
}

static struct str plain_flow(struct rig *r)
{
	struct str i = rig_import(r, "i", "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2}]", "[{\"id\":3}]");
	return rig_flow(r, rig_export(r, "A", ",\"pageSize\":2"), &i, 1, "");
}

static void assert_goes_on(struct rig *r, struct str job)
{
	comes_back(r);
	struct store_job j = rig_job(r, job);

	assert_int_equal(j.status, JOB_COMPLETED);
	assert_int_equal(j.ledger.succeeded, j.ledger.exported);
	assert_int_equal(j.num_error, 0);
	assert_int_equal(r->sent_count, 3);
	assert_int_equal(rig_sent(r, "i", "3"), 1);
}

static void a_source_out_of_reach_makes_the_run_wait_at_its_page(void **state)
{
	struct rig *r = *state;
	struct str f = plain_flow(r);

	r->refuse_ping = true;
	answers_fail(r, 2, 2, ERR_CONNECT, 0);
	struct str job = rig_run(r, f);

	assert_waits(r, job);
	assert_int_equal(r->sent_count, 2);
	assert_goes_on(r, job);
	assert_int_equal(r->asked, 3); /* the first page is not asked for again */
}

/* The AT-th answer fails, as does the ping. */
static void assert_waits_and_goes_on(struct rig *r, unsigned at, enum err_code what, int with)
{
	struct str f = plain_flow(r);

	r->refuse_ping = true;
	answers_fail(r, at, at, what, with);
	struct str job = rig_run(r, f);

	assert_waits(r, job);
	assert_goes_on(r, job);
}

static void a_source_that_cannot_be_found_makes_the_run_wait_before_its_first_page(void **state)
{
	assert_waits_and_goes_on(*state, 1, ERR_DNS, 0);
}

static void a_source_that_takes_no_credentials_makes_the_run_wait(void **state)
{
	assert_waits_and_goes_on(*state, 2, ERR_HTTP_STATUS, 401);
}

static void other_failures_of_a_source_are_the_runs(void **state)
{
	static const struct {
		enum err_code code;
		int status;
		bool refuse_ping, unsure_ping;
	} list[] = { { ERR_CONNECT, 0, false, false }, { ERR_HTTP_STATUS, 403, false, false },
		{ ERR_HTTP_STATUS, 404, true, false }, { ERR_HTTP_STATUS, 500, true, false },
		{ ERR_RESPONSE, 200, true, false }, { ERR_CONNECT, 0, true, true },
		{ ERR_HTTP_STATUS, 401, true, true } };
	struct rig *r = *state;
	struct str f = plain_flow(r);

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		r->asked = 0;
		r->refuse_ping = list[i].refuse_ping;
		r->unsure_ping = list[i].unsure_ping;
		answers_fail(r, 2, 2, list[i].code, list[i].status);
		assert_int_equal(rig_job(r, rig_run(r, f)).status, JOB_FAILED);
		assert_false(is_offline(r));
	}
}

static struct str waiting_text(struct rig *r, struct str job, const char *name)
{
	return json_get_str(parse(r->w, rig_job(r, job).waiting_for), str_z(name));
}

/* The job looks again by itself, and finds that nothing has changed. */
static void a_second_wait_tells_the_reason_and_since_when(void **state)
{
	struct rig *r = *state;
	struct str f = plain_flow(r);

	r->refuse_ping = true;
	answers_fail(r, 2, 2, ERR_CONNECT, 0);
	struct str job = rig_run(r, f), since = waiting_text(r, job, "since"),
		   until = waiting_text(r, job, "until");

	for (int i = 0; i < 3; i++) {
		clock_test_advance(&r->w->clock, 600000);
		assert_int_equal(rig_work(r), 1);
		assert_waits(r, job);
		assert_true(str_eq(waiting_text(r, job, "since"), since));
		assert_false(str_eq(waiting_text(r, job, "until"), until));
	}
	assert_goes_on(r, job);
	assert_null(rig_job(r, job).waiting_for.p);
}

/* A wait that comes behind a page is one of its own. */
static void a_wait_behind_a_page_begins_anew(void **state)
{
	struct rig *r = *state;
	struct str f = plain_flow(r);

	r->refuse_ping = true;
	answers_fail(r, 1, 1, ERR_CONNECT, 0);
	struct str job = rig_run(r, f), since = waiting_text(r, job, "since");

	answers_fail(r, 3, 3, ERR_CONNECT, 0);
	r->refuse_ping = true;
	rig_patch(r, "connection", r->connection, "{\"offline\":false}");
	clock_test_advance(&r->w->clock, 600000);
	rig_work(r);
	assert_waits(r, job);
	assert_false(str_eq(waiting_text(r, job, "since"), since));
}

/* ---- lookups ---- */

/* One page of three, a lookup for each, an import behind it. */
static struct str lookup_flow(struct rig *r)
{
	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2},{\"id\":3}]", NULL);
	rig_source(r, 1, "L", "[{\"found\":1}]", NULL);
	return create_fmt(r->w, "flow",
		"{\"name\":\"f\",\"_exportId\":\"%.*s\",\"pageProcessors\":["
		"{\"type\":\"export\",\"_exportId\":\"%.*s\"},"
		"{\"type\":\"import\",\"_importId\":\"%.*s\"}]}",
		STR_ARG(rig_export(r, "A", "")), STR_ARG(rig_export(r, "L", "")),
		STR_ARG(rig_import(r, "i", "")))
		.id;
}

static void a_lookup_out_of_reach_makes_the_run_wait_and_asks_no_more(void **state)
{
	struct rig *r = *state;
	struct str f = lookup_flow(r);

	r->refuse_ping = true;
	answers_fail(r, 3, 3, ERR_CONNECT, 0);
	struct str job = rig_run(r, f);

	assert_waits(r, job);
	assert_int_equal(r->asked, 3);
	assert_int_equal(rig_child(r, job, 1).ledger.in_flight, 2);
	assert_goes_on(r, job);
	assert_int_equal(r->asked, 6); /* two lookups, and where the export goes on */
}

static void a_lookup_without_credentials_makes_the_run_wait(void **state)
{
	struct rig *r = *state;
	struct str f = lookup_flow(r);

	r->refuse_ping = true;
	answers_fail(r, 2, 2, ERR_HTTP_STATUS, 401);
	struct str job = rig_run(r, f);

	assert_waits(r, job);
	assert_int_equal(r->asked, 2);
	assert_goes_on(r, job);
}

static void a_lookup_that_fails_while_the_ping_answers_is_its_records_failure(void **state)
{
	static const struct {
		enum err_code code;
		int status;
	} list[] = { { ERR_CONNECT, 0 }, { ERR_HTTP_STATUS, 403 } };
	struct rig *r = *state;
	struct str f = lookup_flow(r);

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		r->asked = 0;
		r->sent_count = 0;
		answers_fail(r, 3, 3, list[i].code, list[i].status);
		struct store_job j = rig_job(r, rig_run(r, f));

		assert_int_equal(j.status, JOB_COMPLETED);
		assert_int_equal(j.num_error, 1);
		assert_int_equal(r->sent_count, 2);
		assert_int_equal(r->asked, 4);
		assert_false(is_offline(r));
	}
}

/* ---- what waits ---- */

static int64_t size_in(struct rig *r, const struct json *connection)
{
	const struct json *queue = json_at(json_get(connection, STR("queues")), 0);
	int64_t n = -1;

	assert_true(str_eq(json_get_str(queue, STR("name")), r->connection));
	assert_true(json_to_i64(json_get(queue, STR("size")), &n));
	return n;
}

/* As a connection says it, asked for alone and in a list. */
static int64_t queue_size(struct rig *r)
{
	struct buf list DEFER(buf_free) = BUF_INIT(0);
	const struct schema *s = type_of(r->w, "connection");
	const struct store_filter all = { .limit = 0 };
	struct resource_view v;
	struct err err = ERR_INIT;

	assert_ok(resource_get(r->w->r, STR(ACCOUNT), s, r->connection, r->w->a, &v, &err));
	assert_ok(resource_list(r->w->r, STR(ACCOUNT), s, &all, r->w->a, &list, NULL, &err));
	int64_t n = size_in(r, parse(r->w, v.json));

	assert_int_equal(size_in(r, json_at(parse(r->w, buf_str(&list)), 0)), n);
	return n;
}

static void refuse_the_third(struct rig *r UNUSED, struct str step UNUSED, struct delivery *d)
{
	if (str_find(d->request, STR("3")) == STR_NPOS)
		return;
	rig_refuse(d);
	d->status = 401;
}

static void refuse_all(struct rig *r UNUSED, struct str step UNUSED, struct delivery *d)
{
	rig_refuse(d);
	d->status = 401;
}

static void what_waits_for_a_connection_stands_in_its_queue(void **state)
{
	struct rig *r = *state;
	struct str i = rig_import(r, "i", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &i, 1, "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2},{\"id\":3}]", NULL);
	assert_int_equal(queue_size(r), 0);
	r->refuse_ping = true;
	r->ends = refuse_the_third;
	struct str job = rig_run(r, f);

	assert_waits(r, job);
	assert_int_equal(queue_size(r), 1);
	/* what was read is sent back, as users do: it is no change of theirs */
	rig_patch(r, "connection", r->connection,
		str_fmt(r->w->a, "{\"queues\":[{\"name\":\"%.*s\",\"size\":1}]}",
			STR_ARG(r->connection))
			.p);
	r->ends = NULL;
	comes_back(r);
	assert_int_equal(rig_job(r, job).status, JOB_COMPLETED);
	assert_int_equal(queue_size(r), 0);
}

static void a_page_whose_step_has_not_begun_stands_there_whole(void **state)
{
	struct rig *r = *state;
	struct str i = rig_import(r, "i", "");
	struct str f = rig_flow(r, rig_export(r, "A", ""), &i, 1, "");

	rig_source(r, 0, "A", "[{\"id\":1},{\"id\":2},{\"id\":3}]", NULL);
	r->refuse_ping = true;
	r->maps = refuse_all; /* its lookups */
	assert_waits(r, rig_run(r, f));
	assert_int_equal(queue_size(r), 3);
	r->maps = NULL;
	comes_back(r);
	assert_int_equal(queue_size(r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_source_out_of_reach_makes_the_run_wait_at_its_page),
		RIG_TEST(a_source_that_cannot_be_found_makes_the_run_wait_before_its_first_page),
		RIG_TEST(a_source_that_takes_no_credentials_makes_the_run_wait),
		RIG_TEST(other_failures_of_a_source_are_the_runs),
		RIG_TEST(a_second_wait_tells_the_reason_and_since_when),
		RIG_TEST(a_wait_behind_a_page_begins_anew),
		RIG_TEST(a_lookup_out_of_reach_makes_the_run_wait_and_asks_no_more),
		RIG_TEST(a_lookup_without_credentials_makes_the_run_wait),
		RIG_TEST(a_lookup_that_fails_while_the_ping_answers_is_its_records_failure),
		RIG_TEST(what_waits_for_a_connection_stands_in_its_queue),
		RIG_TEST(a_page_whose_step_has_not_begun_stands_there_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
