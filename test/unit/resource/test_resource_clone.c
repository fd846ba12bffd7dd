/*
 * test_resource_clone.c - clones with what they are made of, other connections, who refers to whom.
 */
#include "world.h"

struct shop {
	struct resource_view old, fresh, integration, export, import, flow, next;
};

static struct shop make_shop(struct world *w)
{
	struct shop s = { .old = create(w, "connection", CONNECTION),
		.fresh = create(w, "connection", CONNECTION),
		.integration = create(w, "integration", "{\"name\":\"Int\"}") };

	s.export = create_fmt(w, "export",
		"{\"name\":\"Out\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/o\","
		"\"method\":\"GET\"}}",
		STR_ARG(s.old.id));
	s.import = create_fmt(w, "import",
		"{\"name\":\"In\",\"_connectionId\":\"%.*s\",\"_integrationId\":\"%.*s\",\"rest\":{"
		"\"relativeURI\":\"/a\",\"method\":\"POST\"}}",
		STR_ARG(s.old.id), STR_ARG(s.integration.id));
	s.next = create_fmt(w, "flow",
		"{\"name\":\"Next\",\"_integrationId\":\"%.*s\",\"_exportId\":\"%.*s\",\"_"
		"importId\":\"%.*s\"}",
		STR_ARG(s.integration.id), STR_ARG(s.export.id), STR_ARG(s.import.id));
	s.flow = create_fmt(w, "flow",
		"{\"name\":\"Flow\",\"_integrationId\":\"%.*s\",\"pageGenerators\":[{\"_exportId\":"
		"\"%.*s\"}],\"pageProcessors\":[{\"_importId\":\"%.*s\"}],\"_runNextFlowIds\":[\"%."
		"*s\"]}",
		STR_ARG(s.integration.id), STR_ARG(s.export.id), STR_ARG(s.import.id),
		STR_ARG(s.next.id));
	return s;
}

static bool clone(struct world *w, const char *type, struct str id, struct resource_clone how,
	struct resource_cloned **out, size_t *count)
{
	problems_init(&w->p, w->a);
	return resource_clone(w->r, STR(ACCOUNT), type_of(w, type), id, &how, w->a, out, count,
		&w->p);
}

static const struct json *map_of(struct world *w, struct str from, struct str to)
{
	return parse(w, str_fmt(w->a, "{\"%.*s\":\"%.*s\"}", STR_ARG(from), STR_ARG(to)));
}

static struct resource_view get(struct world *w, const struct schema *s, struct str id)
{
	struct resource_view v;
	struct err err = ERR_INIT;

	assert_ok(resource_get(w->r, STR(ACCOUNT), s, id, w->a, &v, &err));
	return v;
}

static void a_flow_with_its_parts(void **state)
{
	struct world *w = *state;
	struct shop s = make_shop(w);
	struct resource_cloned *made;
	size_t n;

	clock_test_advance(&w->clock, 1000);
	assert_true(clone(w, "flow", s.flow.id,
		(struct resource_clone){ .connection_map = map_of(w, s.old.id, s.fresh.id) }, &made,
		&n));
	assert_int_equal(n, 3);
	struct resource_view flow = get(w, made[0].s, made[0].id),
			     export = get(w, made[1].s, made[1].id),
			     import = get(w, made[2].s, made[2].id);

	assert_true(str_eq(made[0].source_id, s.flow.id));
	assert_str(view_str(w, &flow, "name"), "Clone - Flow");
	assert_str(view_str(w, &export, "name"), "Out");
	assert_true(json_get_true(parse(w, flow.json), STR("disabled")));
	assert_true(str_find(flow.json, export.id) != STR_NPOS);
	assert_true(str_find(flow.json, import.id) != STR_NPOS);
	assert_true(str_find(flow.json, s.export.id) == STR_NPOS);
	/* the next flow is not a part of this one */
	assert_true(str_find(flow.json, s.next.id) != STR_NPOS);
	assert_true(str_eq(view_str(w, &flow, "_integrationId"), s.integration.id));
	assert_true(str_eq(view_str(w, &export, "_connectionId"), s.fresh.id));
	assert_true(str_eq(view_str(w, &import, "_connectionId"), s.fresh.id));
	assert_false(str_eq(view_str(w, &export, "apiIdentifier"),
		view_str(w, &s.export, "apiIdentifier")));
	assert_false(str_eq(view_str(w, &flow, "createdAt"), view_str(w, &s.flow, "createdAt")));
	/* the references stand in the store, too */
	struct json_build b;
	struct err err = ERR_INIT;

	json_build_init(&b, w->a);
	assert_ok(resource_dependencies(w->r, STR(ACCOUNT), made[1].s, export.id, &b, &err));
	assert_str(json_print_arena(w->a, json_build_done(&b)),
		str_fmt(w->a, "{\"flows\":[{\"id\":\"%.*s\",\"name\":\"Clone - Flow\"}]}",
			STR_ARG(flow.id))
			.p);
}

static void an_integration_with_its_flows(void **state)
{
	struct world *w = *state;
	struct shop s = make_shop(w);
	struct resource_cloned *made;
	size_t n;

	assert_true(clone(w, "integration", s.integration.id,
		(struct resource_clone){ .connection_map = map_of(w, s.old.id, s.old.id),
			.name = STR("Copy") },
		&made, &n));
	assert_int_equal(n, 5);
	assert_str(view_str(w,
			   &(struct resource_view){ .json = get(w, made[0].s, made[0].id).json },
			   "name"),
		"Copy");
	for (size_t i = 1; i < n; i++) {
		struct resource_view v = get(w, made[i].s, made[i].id);

		assert_true(str_find(v.json, s.integration.id) == STR_NPOS);
		assert_true(str_find(v.json, s.next.id) == STR_NPOS);
	}
}

static bool open_one(struct world *w, const char *type, struct str id, const struct json **doc)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err;

	assert_ok(store_read_begin(w->store, &c, &err));
	assert_ok(resource_open(w->r, c, w->a, STR(ACCOUNT), str_z(type), id, doc, &err));
	return true;
}

static void secrets_are_sealed_anew(void **state)
{
	struct world *w = *state;
	struct resource_view old = create(w, "connection", CONNECTION);
	struct resource_cloned *made;
	const struct json *doc;
	size_t n;

	assert_true(clone(w, "connection", old.id, (struct resource_clone){ 0 }, &made, &n));
	assert_int_equal(n, 1);
	struct str text = stored(w, "connection", made[0].id);

	assert_true(str_find(text, STR("S3CRET")) == STR_NPOS);
	assert_true(open_one(w, "connection", made[0].id, &doc));
	assert_str(json_str(json_get_path(doc, STR("rest.bearerToken"))), "S3CRET");
}

static void what_is_refused(void **state)
{
	struct world *w = *state;
	struct shop s = make_shop(w);
	struct resource_cloned *made = NULL;
	size_t n = 7;
	const struct json *good = map_of(w, s.old.id, s.fresh.id);

	assert_false(clone(w, "flow", s.flow.id, (struct resource_clone){ 0 }, &made, &n));
	assert_problem(w, ERR_CONNECTION_MAP,
		str_fmt(w->a, "connectionMap.%.*s", STR_ARG(s.old.id)).p, "has no successor");
	assert_int_equal(w->p.count, 1);
	assert_false(clone(w, "flow", s.flow.id,
		(struct resource_clone){ .connection_map = map_of(w, s.old.id, s.flow.id) }, &made,
		&n));
	assert_problem(w, ERR_REF, str_fmt(w->a, "connectionMap.%.*s", STR_ARG(s.old.id)).p,
		"no connection");
	assert_false(clone(w, "flow", s.flow.id,
		(struct resource_clone){ .connection_map = good, .integration_id = s.flow.id },
		&made, &n));
	assert_problem(w, ERR_REF, "_integrationId", "Integration not found for the given id");
	assert_false(clone(w, "flow", s.export.id,
		(struct resource_clone){ .connection_map = good }, &made, &n));
	assert_problem(w, ERR_NOT_FOUND, "", "");
	char *name = arena_alloc(w->a, SCHEMA_TEXT_MAX + 1);

	memset(name, 'n', SCHEMA_TEXT_MAX + 1);
	assert_false(clone(w, "flow", s.flow.id,
		(struct resource_clone){ .connection_map = good,
			.name = str_of(name, SCHEMA_TEXT_MAX + 1) },
		&made, &n));
	assert_problem(w, ERR_INVALID, "name", "");
	/* nothing was made */
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;

	assert_ok(resource_list(w->r, STR(ACCOUNT), type_of(w, "export"),
		&(struct store_filter){ 0 }, w->a, &out, NULL, &err));
	assert_int_equal(parse(w, buf_str(&out))->n, 1);
	assert_int_equal(n, 7);
}

static void another_connection(void **state)
{
	struct world *w = *state;
	struct shop s = make_shop(w);
	struct resource_view v;

	problems_init(&w->p, w->a);
	assert_true(resource_replace_connection(w->r, STR(ACCOUNT), type_of(w, "export"),
		s.export.id, 0, s.fresh.id, w->a, &v, &w->p));
	assert_true(str_eq(view_str(w, &v, "_connectionId"), s.fresh.id));
	assert_int_equal(v.version, 2);
	assert_false(resource_replace_connection(w->r, STR(ACCOUNT), type_of(w, "export"),
		s.export.id, 0, s.flow.id, w->a, &v, &w->p));
	assert_problem(w, ERR_REF, "_newConnectionId", "no connection");
	problems_init(&w->p, w->a);
	assert_false(resource_replace_connection(w->r, STR(ACCOUNT), type_of(w, "export"),
		s.flow.id, 0, s.fresh.id, w->a, &v, &w->p));
	assert_problem(w, ERR_NOT_FOUND, "", "");
}

static void who_refers(void **state)
{
	struct world *w = *state;
	struct shop s = make_shop(w);
	struct json_build b;
	struct err err = ERR_INIT;

	json_build_init(&b, w->a);
	assert_ok(resource_dependencies(w->r, STR(ACCOUNT), type_of(w, "connection"), s.old.id, &b,
		&err));
	assert_str(json_print_arena(w->a, json_build_done(&b)),
		str_fmt(w->a,
			"{\"exports\":[{\"id\":\"%.*s\",\"name\":\"Out\"}],\"imports\":[{\"id\":\"%"
			".*s\","
			"\"name\":\"In\"}]}",
			STR_ARG(s.export.id), STR_ARG(s.import.id))
			.p);
	json_build_init(&b, w->a);
	assert_ok(resource_dependencies(w->r, STR(ACCOUNT), type_of(w, "connection"), s.fresh.id,
		&b, &err));
	assert_str(json_print_arena(w->a, json_build_done(&b)), "{}");
	assert_fails(resource_dependencies(w->r, STR(OTHER), type_of(w, "connection"), s.old.id, &b,
			     &err),
		ERR_NOT_FOUND, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flow_with_its_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(an_integration_with_its_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_are_sealed_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(another_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(who_refers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
