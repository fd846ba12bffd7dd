/*
 * test_event.c - events of listeners: repeats, and the places of flows, which are made, moved and
 * removed with the flows so that nothing goes that a flow has not had.
 */
#include "store_test.h"

#define EXPORT       id_of(f->a, 0xe1)
#define OTHER_EXPORT id_of(f->a, 0xe2)
#define FLOW         id_of(f->a, 0xf1)
#define NEXT_FLOW    id_of(f->a, 0xf2)

struct change {
	struct store_resource row;
	struct store_ref refs[4];
	size_t ref_count;
	struct store_event event;
	int64_t window_ms, seq;
	bool duplicate;
};

static bool do_add(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;

	return store_resource_add(c, &x->row, x->refs, x->ref_count, err);
}

static bool do_update(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;

	return store_resource_update(c, &x->row, x->refs, x->ref_count, err);
}

static bool do_remove(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;

	return store_resource_remove(c, ACCOUNT, x->row.type, x->row.id, 0, err);
}

static bool do_event(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;

	return store_event_add(c, &x->event, x->window_ms, &x->duplicate, err);
}

static bool do_advance(struct store_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;

	return store_listener_advance(c, ACCOUNT, x->event.export_id, x->row.id, x->seq, err);
}

static void put(struct fix *f, store_fn fn, struct change *x)
{
	struct err err;

	assert_ok(store_write(f->s, fn, x, &err));
}

static struct change resource(struct str type, struct str id)
{
	return (struct change){ .row = { .account_id = ACCOUNT,
					.type = type,
					.id = id,
					.version = 1,
					.created_ms = 1,
					.modified_ms = 1,
					.document = STR("{}") } };
}

static struct change flow_of(struct str id, const char *field, struct str export_id)
{
	struct change x = resource(STR("flow"), id);

	x.refs[x.ref_count++] = (struct store_ref){ str_z(field), STR("export"), export_id };
	return x;
}

static void remove_resource(struct fix *f, struct str type, struct str id)
{
	struct change x = resource(type, id);

	put(f, do_remove, &x);
}

static bool post(struct fix *f, struct str export_id, struct str event_id, int64_t at_ms,
	int64_t window_ms)
{
	struct change x = { .event = { .account_id = ACCOUNT,
				    .export_id = export_id,
				    .event_id = event_id,
				    .received_ms = at_ms,
				    .body = STR("{\"a\":1}") },
		.window_ms = window_ms };

	put(f, do_event, &x);
	assert_int_equal(x.duplicate, x.event.seq == 0);
	return !x.duplicate;
}

static uint64_t waiting(struct fix *f, struct str export_id, int64_t after_seq)
{
	uint64_t n = 0;
	int64_t oldest;
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_event_waiting(c, ACCOUNT, export_id, after_seq, &n, &oldest, &err));
	return n;
}

static void advance(struct fix *f, struct str flow_id, int64_t seq)
{
	struct change x = resource(STR("flow"), flow_id);

	x.event.export_id = EXPORT;
	x.seq = seq;
	put(f, do_advance, &x);
}

static void two_exports(struct fix *f)
{
	struct change one = resource(STR("export"), EXPORT),
		      two = resource(STR("export"), OTHER_EXPORT);

	put(f, do_add, &one);
	put(f, do_add, &two);
}

/* ---- repeats ---- */

static void repeats_within_the_window(void **state)
{
	struct fix *f = *state;

	assert_true(post(f, EXPORT, STR("a"), 10000, 1000));
	assert_false(post(f, EXPORT, STR("a"), 10999, 1000));
	assert_true(post(f, EXPORT, STR("b"), 10999, 1000));
	assert_true(post(f, OTHER_EXPORT, STR("a"), 10999, 1000));
	assert_true(post(f, EXPORT, STR("a"), 11000, 1000));
	assert_int_equal(waiting(f, EXPORT, 0), 3);
}

static void without_id_or_window_nothing_repeats(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 2; i++) {
		assert_true(post(f, EXPORT, STR_NULL, 10000, 1000));
		assert_true(post(f, EXPORT, STR("a"), 10000, 0));
	}
	assert_int_equal(waiting(f, EXPORT, 0), 4);
}

static bool do_purge(struct store_conn *c, void *arg, struct err *err)
{
	return store_event_purge_seen(c, 20000, 2, arg, err);
}

static void ids_are_forgotten_in_parts(void **state)
{
	struct fix *f = *state;
	uint64_t removed = 0;
	struct err err;

	for (unsigned i = 0; i < 3; i++)
		assert_true(post(f, EXPORT, id_of(f->a, i), 10000 + i, INT64_C(1000000)));
	assert_true(post(f, EXPORT, STR("late"), 30000, INT64_C(1000000)));
	assert_ok(store_write(f->s, do_purge, &removed, &err));
	assert_int_equal(removed, 2);
	assert_ok(store_write(f->s, do_purge, &removed, &err));
	assert_int_equal(removed, 1);
	assert_true(post(f, EXPORT, id_of(f->a, 0), 30001, INT64_C(1000000)));
	assert_false(post(f, EXPORT, STR("late"), 30001, INT64_C(1000000)));
}

/* ---- places ---- */

static void events_are_kept_without_a_flow(void **state)
{
	struct fix *f = *state;

	two_exports(f);
	post(f, EXPORT, STR_NULL, 1, 0);
	post(f, EXPORT, STR_NULL, 2, 0);
	assert_int_equal(waiting(f, EXPORT, 0), 2);
	struct change flow = flow_of(FLOW, "_exportId", EXPORT);

	put(f, do_add, &flow);
	advance(f, FLOW, 1);
	assert_int_equal(waiting(f, EXPORT, 0), 1);
}

/* The second flow has taken nothing yet: what the first took must stay for it. */
static void a_new_flow_holds_events_back_at_once(void **state)
{
	struct fix *f = *state;

	two_exports(f);
	struct change one = flow_of(FLOW, "_exportId", EXPORT),
		      two = flow_of(NEXT_FLOW, "pageGenerators.0._exportId", EXPORT);

	put(f, do_add, &one);
	put(f, do_add, &two);
	post(f, EXPORT, STR_NULL, 1, 0);
	advance(f, FLOW, 1);
	assert_int_equal(waiting(f, EXPORT, 0), 1);
	advance(f, NEXT_FLOW, 1);
	assert_int_equal(waiting(f, EXPORT, 0), 0);
}

static void a_removed_flow_holds_nothing_back(void **state)
{
	struct fix *f = *state;

	two_exports(f);
	struct change one = flow_of(FLOW, "_exportId", EXPORT),
		      two = flow_of(NEXT_FLOW, "_exportId", EXPORT);

	put(f, do_add, &one);
	put(f, do_add, &two);
	post(f, EXPORT, STR_NULL, 1, 0);
	post(f, EXPORT, STR_NULL, 2, 0);
	remove_resource(f, STR("flow"), NEXT_FLOW);
	advance(f, FLOW, 1);
	assert_int_equal(waiting(f, EXPORT, 0), 1);
}

static void a_changed_flow_keeps_its_place(void **state)
{
	struct fix *f = *state;
	int64_t seq = 0;
	struct err err;

	two_exports(f);
	struct change flow = flow_of(FLOW, "_exportId", EXPORT);

	put(f, do_add, &flow);
	post(f, EXPORT, STR_NULL, 1, 0);
	post(f, EXPORT, STR_NULL, 2, 0);
	advance(f, FLOW, 1);
	put(f, do_update, &flow);
	WITH_READER (f, c)
		assert_ok(store_listener_place(c, ACCOUNT, EXPORT, FLOW, &seq, &err));
	assert_int_equal(seq, 1);
	/* now it takes from the other: it has no place at the first any more */
	struct change moved = flow_of(FLOW, "_exportId", OTHER_EXPORT);

	moved.row.version = 2;
	put(f, do_update, &moved);
	WITH_READER (f, c)
		assert_ok(store_listener_place(c, ACCOUNT, EXPORT, FLOW, &seq, &err));
	assert_int_equal(seq, 0);
}

/* An export that is asked for each record is no source. */
static void a_lookup_has_no_place(void **state)
{
	struct fix *f = *state;

	two_exports(f);
	struct change one = flow_of(FLOW, "_exportId", EXPORT),
		      lookup = flow_of(NEXT_FLOW, "pageProcessors.0._exportId", EXPORT);

	put(f, do_add, &one);
	put(f, do_add, &lookup);
	post(f, EXPORT, STR_NULL, 1, 0);
	advance(f, FLOW, 1);
	assert_int_equal(waiting(f, EXPORT, 0), 0);
}

static void a_removed_export_takes_its_events_with_it(void **state)
{
	struct fix *f = *state;

	two_exports(f);
	post(f, EXPORT, STR("a"), 1000, 1000);
	post(f, OTHER_EXPORT, STR("a"), 1000, 1000);
	remove_resource(f, STR("export"), EXPORT);
	assert_int_equal(waiting(f, EXPORT, 0), 0);
	assert_int_equal(waiting(f, OTHER_EXPORT, 0), 1);
	assert_true(post(f, EXPORT, STR("a"), 1001, 1000));
}

/* ---- finding a listener ---- */

static void exports_are_found_by_either_name(void **state)
{
	struct fix *f = *state;
	struct change mine = resource(STR("export"), EXPORT),
		      import = resource(STR("import"), FLOW);
	struct change other = resource(STR("export"), OTHER_EXPORT);
	struct store_resource got;
	struct err err;

	mine.row.api_identifier = STR("e12345678");
	import.row.api_identifier = STR("i12345678");
	other.row.account_id = OTHER;
	put(f, do_add, &mine);
	put(f, do_add, &import);
	put(f, do_add, &other);
	WITH_READER (f, c) {
		assert_ok(store_export_find(c, f->a, EXPORT, &got, &err));
		assert_str(got.api_identifier, "e12345678");
		assert_ok(store_export_find(c, f->a, STR("e12345678"), &got, &err));
		assert_true(str_eq(got.id, EXPORT));
		assert_ok(store_export_find(c, f->a, OTHER_EXPORT, &got, &err));
		assert_true(str_eq(got.account_id, OTHER));
		assert_fails(store_export_find(c, f->a, STR("i12345678"), &got, &err),
			ERR_NOT_FOUND, "no export");
		assert_fails(store_export_find(c, f->a, FLOW, &got, &err), ERR_NOT_FOUND, "");
	}
}

static bool add_then_fail(struct store_conn *c, void *arg, struct err *err)
{
	return do_add(c, arg, err) && err_set(err, ERR_CONFLICT, "no");
}

static void the_epoch_tells_of_exports_alone(void **state)
{
	struct fix *f = *state;
	uint64_t epoch = store_export_epoch(f->s);
	struct change flow = resource(STR("flow"), FLOW), export = resource(STR("export"), EXPORT);
	struct err err;

	put(f, do_add, &flow);
	assert_int_equal(store_export_epoch(f->s), epoch);
	assert_fails(store_write(f->s, add_then_fail, &export, &err), ERR_CONFLICT, "no");
	assert_int_equal(store_export_epoch(f->s), epoch);
	put(f, do_add, &export);
	assert_int_equal(store_export_epoch(f->s), epoch + 1);
	put(f, do_update, &export);
	remove_resource(f, STR("export"), EXPORT);
	assert_int_equal(store_export_epoch(f->s), epoch + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(repeats_within_the_window),
		TEST(without_id_or_window_nothing_repeats),
		TEST(ids_are_forgotten_in_parts),
		TEST(events_are_kept_without_a_flow),
		TEST(a_new_flow_holds_events_back_at_once),
		TEST(a_removed_flow_holds_nothing_back),
		TEST(a_changed_flow_keeps_its_place),
		TEST(a_lookup_has_no_place),
		TEST(a_removed_export_takes_its_events_with_it),
		TEST(exports_are_found_by_either_name),
		TEST(the_epoch_tells_of_exports_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
