/*
 * test_chain.c - flows behind flows: circles are refused, whatever the number of ways, and whoever makes them at once.
 */
#include "engine/rig.h"

static struct str flow_before(struct rig *r, struct str x, struct str i, const char *next)
{
	return create_fmt(r->w, "flow",
		"{\"name\":\"f\",\"_exportId\":\"%.*s\",\"_importId\":\"%.*s\","
		"\"_runNextFlowIds\":[%s]}",
		STR_ARG(x), STR_ARG(i), next)
		.id;
}

/* Puts NEXT behind FLOW; ERR is the first problem. */
static bool put_behind(struct rig *r, struct arena *a, struct str flow, struct str next,
	struct err *err)
{
	struct resource_view v;
	struct problems p;
	const struct json *patch;

	problems_init(&p, a);
	assert_true(json_parse_copy(a,
		str_fmt(a, "{\"_runNextFlowIds\":[\"%.*s\"]}", STR_ARG(next)), &patch, err));
	if (resource_patch(r->w->r, STR(ACCOUNT), resources_by_type(r->w->r, STR("flow")), flow, 0,
		    patch, a, &v, &p))
		return true;
	*err = p.list[0];
	return false;
}

static bool check(struct rig *r, struct str flow, struct str next, struct err *err)
{
	return put_behind(r, r->w->a, flow, next, err);
}

/* Two flows a storey, each before both of the next: 2^30 ways. */
static void a_ladder_of_flows_is_walked_once(void **state)
{
	struct rig *r = *state;
	struct str x = rig_export(r, "A", ""), i = rig_import(r, "i", "");
	struct str last = flow_before(r, x, i, ""), a = last, b = last;
	struct err err = ERR_INIT;

	for (int storey = 0; storey < 30; storey++) {
		const char *next = str_fmt(r->w->a, "\"%.*s\",\"%.*s\"", STR_ARG(a), STR_ARG(b)).p;
		struct str c = flow_before(r, x, i, next);

		b = flow_before(r, x, i, next);
		a = c;
	}
	struct str top = flow_before(r, x, i, "");

	assert_ok(check(r, top, a, &err));
	assert_false(check(r, last, a, &err));
	assert_int_equal(err.code, ERR_FLOW);
	assert_non_null(strstr(err.message, "in a circle"));
}

static void a_flow_behind_itself_is_refused(void **state)
{
	struct rig *r = *state;
	struct str f = flow_before(r, rig_export(r, "A", ""), rig_import(r, "i", ""), "");
	struct err err = ERR_INIT;

	assert_false(check(r, f, f, &err));
	assert_string_equal(err.field, "_runNextFlowIds");
}

struct half {
	struct thread thread;
	struct rig *rig;
	struct arena *arena;
	struct str flow, next;
	bool ok;
	struct err err;
};

static void *put_half(void *arg)
{
	struct half *h = arg;

	h->ok = put_behind(h->rig, h->arena, h->flow, h->next, &h->err);
	return NULL;
}

/* Each is fine alone, and neither sees the other before it writes. */
static void of_two_halves_of_a_circle_one_is_refused(void **state)
{
	struct rig *r = *state;
	struct str x = rig_export(r, "A", ""), i = rig_import(r, "i", "");

	for (int round = 0; round < 50; round++) {
		struct str a = flow_before(r, x, i, ""), b = flow_before(r, x, i, "");
		struct half halves[2] = { { .rig = r, .flow = a, .next = b },
			{ .rig = r, .flow = b, .next = a } };

		for (size_t k = 0; k < 2; k++) {
			halves[k].arena = arena_new("half", 0);
			thread_start(&halves[k].thread, "half", put_half, &halves[k]);
		}
		for (size_t k = 0; k < 2; k++)
			thread_join(&halves[k].thread);
		assert_int_equal(halves[0].ok + halves[1].ok, 1);
		assert_int_equal(halves[halves[0].ok].err.code, ERR_FLOW);
		for (size_t k = 0; k < 2; k++)
			arena_free(halves[k].arena);
	}
}

static void a_completed_run_starts_what_is_there_and_on(void **state)
{
	struct rig *r = *state;
	struct str x = rig_export(r, "A", ""), i = rig_import(r, "i", "");
	struct str next = flow_before(r, x, i, ""), off = flow_before(r, x, i, "");
	struct str f = flow_before(r, x, i,
		str_fmt(r->w->a, "\"%.*s\",\"%.*s\"", STR_ARG(off), STR_ARG(next)).p);

	rig_source(r, 0, "A", "[{\"id\":1}]", NULL);
	rig_patch(r, "flow", off, "{\"disabled\":true}");
	rig_run(r, f);
	assert_int_equal(rig_sent(r, "i", "1"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_ladder_of_flows_is_walked_once),
		RIG_TEST(a_flow_behind_itself_is_refused),
		RIG_TEST(of_two_halves_of_a_circle_one_is_refused),
		RIG_TEST(a_completed_run_starts_what_is_there_and_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
