/*
 * test_listener.c - runs that events feed: what they take, leave and move on.
 */
#include "engine/rig.h"

#include "engine/listener.h"

static bool add_write(struct store_conn *c, void *arg, struct err *err)
{
	bool duplicate;

	return store_event_add(c, arg, 0, &duplicate, err);
}

static void add_event(struct rig *r, struct str x, const char *body)
{
	struct store_event e = { .account_id = STR(ACCOUNT),
		.export_id = x,
		.received_ms = clock_wall_ms(r->e.cfg.clock),
		.body = str_z(body) };
	struct err err = ERR_INIT;

	assert_ok(store_write(r->w->store, add_write, &e, &err));
}

static struct str listener(struct rig *r)
{
	return create_fmt(r->w, "export",
		"{\"name\":\"L\",\"type\":\"webhook\",\"webhook\":{\"verify\":\"token\",\"token\":"
		"\"0123456789abcdef\",\"path\":\"t\"}}")
		.id;
}

static uint64_t waiting(struct rig *r, struct str x)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	uint64_t count;
	int64_t oldest;
	struct err err = ERR_INIT;

	assert_ok(store_read_begin(r->w->store, &c, &err));
	assert_ok(store_event_waiting(c, STR(ACCOUNT), x, 0, &count, &oldest, &err));
	return count;
}

/* An array of no records is an event too: it is taken, or runs would be started for it for ever. */
static void events_without_records_are_taken(void **state)
{
	struct rig *r = *state;
	struct str x = listener(r), i = rig_import(r, "i", "");

	rig_flow(r, x, &i, 1, "");
	add_event(r, x, "[]");
	listeners_resume(&r->e);
	assert_int_equal(rig_work(r), 1);
	assert_int_equal(waiting(r, x), 0);
	listeners_resume(&r->e);
	assert_int_equal(rig_work(r), 0);
}

static void two_flows_have_every_event_once(void **state)
{
	struct rig *r = *state;
	struct str x = listener(r), one = rig_import(r, "one", ""), two = rig_import(r, "two", "");

	rig_flow(r, x, &one, 1, "");
	rig_flow(r, x, &two, 1, "");
	add_event(r, x, "{\"id\":11}");
	add_event(r, x, "[{\"id\":12},{\"id\":13}]");
	listeners_resume(&r->e);
	assert_int_equal(rig_work(r), 2);
	for (int n = 11; n <= 13; n++) {
		assert_int_equal(rig_sent(r, "one", str_fmt(r->w->a, "%d", n).p), 1);
		assert_int_equal(rig_sent(r, "two", str_fmt(r->w->a, "%d", n).p), 1);
	}
	assert_int_equal(waiting(r, x), 0);
}

static void events_wait_for_a_flow_that_is_off(void **state)
{
	struct rig *r = *state;
	struct str x = listener(r), i = rig_import(r, "i", "");
	struct str f = rig_flow(r, x, &i, 1, "");

	rig_patch(r, "flow", f, "{\"disabled\":true}");
	add_event(r, x, "{\"id\":11}");
	listeners_resume(&r->e);
	assert_int_equal(rig_work(r), 0);
	assert_int_equal(waiting(r, x), 1);
	rig_patch(r, "flow", f, "{\"disabled\":false}");
	listeners_resume(&r->e);
	assert_int_equal(rig_work(r), 1);
	assert_int_equal(rig_sent(r, "i", "11"), 1);
	assert_int_equal(waiting(r, x), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(events_without_records_are_taken),
		RIG_TEST(two_flows_have_every_event_once),
		RIG_TEST(events_wait_for_a_flow_that_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
