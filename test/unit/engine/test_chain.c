/*
 * test_chain.c - flows behind flows: circles are refused, whatever the number of ways.
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

static bool check(struct rig *r, struct str flow, struct str next, struct err *err)
{
	struct str list = str_fmt(r->w->a, "[\"%.*s\"]", STR_ARG(next));

	return engine_chain_check(&r->e, STR(ACCOUNT), flow, parse(r->w, list), err);
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
		RIG_TEST(a_completed_run_starts_what_is_there_and_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
