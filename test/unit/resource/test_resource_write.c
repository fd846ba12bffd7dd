/*
 * test_resource_write.c - create, replace, patch: what is stored, what is answered, what is refused.
 */
#include "world.h"

#include "core/thread.h"

static void test_create_answers_the_whole(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection", CONNECTION);

	assert_int_equal(v.version, 1);
	assert_int_equal(v.modified_ms, 1497907629945);
	assert_true(id_valid(v.id));
	assert_str(v.json,
		str_fmt(w->a,
			"{\"_id\":\"%.*s\",\"createdAt\":\"2017-06-19T21:27:09.945Z\","
			"\"lastModified\":\"2017-06-19T21:27:09.945Z\",\"name\":\"Shop\","
			"\"type\":\"rest\",\"queues\":[{\"name\":\"%.*s\",\"size\":0}],"
			"\"rest\":{\"baseURI\":\"https://a.example\","
			"\"bearerToken\":\"******\"}}",
			STR_ARG(v.id), STR_ARG(v.id))
			.p);
}

static void test_secrets_are_sealed(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection", CONNECTION);
	struct str text = stored(w, "connection", v.id);

	assert_true(str_find(text, STR("S3CRET")) == STR_NPOS);
	assert_true(str_find(text, STR("\"sealed:v1:")) != STR_NPOS);
}

static void test_a_map_of_secrets_is_sealed(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection",
		"{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\","
		"\"encrypted\":{\"password\":\"S3CRET\"}}}");
	struct str text = stored(w, "connection", v.id);

	assert_true(str_find(text, STR("S3CRET")) == STR_NPOS);
	assert_true(str_find(text, STR("\"password\":\"sealed:v1:")) != STR_NPOS);
	assert_str(view_str(w, &v, "rest.encrypted.password"), "******");
}

/* A secret that looks sealed is somebody's secret all the same. */
static void test_what_looks_sealed_is_sealed(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "connection",
		"{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\","
		"\"bearerToken\":\"sealed:v1:k:QUJD\"}}");

	assert_true(str_find(stored(w, "connection", v.id), STR("sealed:v1:k:QUJD")) == STR_NPOS);
	assert_str(view_str(w, &v, "rest.bearerToken"), "******");
}

static void test_api_identifiers(void **state)
{
	struct world *w = *state;
	struct resource_view c = create(w, "connection", CONNECTION);
	struct resource_view e = create_fmt(w, "export",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/x\"}}", STR_ARG(c.id));
	struct resource_view i = create_fmt(w, "import",
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/x\"}}", STR_ARG(c.id));

	assert_int_equal(view_str(w, &e, "apiIdentifier").p[0], 'e');
	assert_int_equal(view_str(w, &e, "apiIdentifier").n, API_IDENTIFIER_LEN);
	assert_int_equal(view_str(w, &i, "apiIdentifier").p[0], 'i');
	assert_null(view_str(w, &c, "apiIdentifier").p);

	struct store_conn *conn DEFER(store_read_endp) = NULL;
	struct store_resource row;
	struct err err;

	assert_ok(store_read_begin(w->store, &conn, &err));
	assert_ok(store_resource_by_api_identifier(conn, w->a, STR(ACCOUNT),
		view_str(w, &e, "apiIdentifier"), &row, &err));
	assert_str(row.type, "export");
	assert_true(str_eq(row.id, e.id));
}

/* Randomness that repeats itself once: the second resource draws the first one's identifier. */
struct stuck {
	struct rng rng;
	int fills;
};

static void stuck_fill(struct rng *r, void *out, size_t n)
{
	struct stuck *s = (struct stuck *)r;

	/* each resource draws twice: its id, its apiIdentifier */
	memset(out, s->fills++ < 4 ? 7 : s->fills, n);
}

static void test_clashing_identifiers_are_drawn_again(void **state)
{
	struct world *w = *state;
	struct resource_view c = create(w, "connection", CONNECTION);
	struct stuck stuck = { .rng = { .fill = stuck_fill } };
	struct resources *r = resources_new(w->a,
		&(struct resources_config){ w->store, w->keys, &w->clock.clock, &stuck.rng });
	struct str body = str_fmt(w->a,
		"{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/x\"}}", STR_ARG(c.id));
	struct resource_view one, two;
	const struct schema *s = resources_by_type(r, STR("export"));

	assert_true(resource_create(r, STR(ACCOUNT), s, parse(w, body), w->a, &one, &w->p));
	if (!resource_create(r, STR(ACCOUNT), s, parse(w, body), w->a, &two, &w->p))
		fail_msg("%s", problems_text(w).p);
	assert_false(
		str_eq(view_str(w, &one, "apiIdentifier"), view_str(w, &two, "apiIdentifier")));
	assert_true(stuck.fills > 4);
}

static void test_problems_leave_nothing(void **state)
{
	struct world *w = *state;
	struct resource_view v;
	struct buf list DEFER(buf_free) = BUF_INIT(0);
	struct store_filter all = { .limit = 0 };
	struct err err;

	assert_false(resource_create(w->r, STR(ACCOUNT), type_of(w, "connection"),
		parse(w, STR("{\"type\":\"rest\"}")), w->a, &v, &w->p));
	assert_problem(w, ERR_MISSING, "rest.baseURI", "is required");
	assert_ok(resource_list(w->r, STR(ACCOUNT), type_of(w, "connection"), &all, w->a, &list,
		NULL, &err));
	assert_str(buf_str(&list), "[]");
}

static void test_references_must_exist(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);
	struct str mine = str_fmt(w->a,
		"{\"_connectionId\":\"%.*s\",\"_integrationId\":\"507f1f77bcf86cd799439011\","
		"\"rest\":{\"relativeURI\":\"/x\"},"
		"\"hooks\":{\"_preSavePageId\":\"507f1f77bcf86cd799439012\"}}",
		STR_ARG(c.id));

	assert_false(resource_create(w->r, STR(ACCOUNT), type_of(w, "export"), parse(w, mine), w->a,
		&v, &w->p));
	assert_int_equal(w->p.count, 2);
	assert_problem(w, ERR_REF, "_integrationId",
		"you have no integration with the id 507f1f77bcf86cd799439011");
	assert_string_equal(w->p.list[1].field, "hooks._preSavePageId");

	/* another account's connection is none of yours */
	problems_init(&w->p, w->a);
	mine = str_fmt(w->a, "{\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/x\"}}",
		STR_ARG(c.id));
	assert_false(resource_create(w->r, STR(OTHER), type_of(w, "export"), parse(w, mine), w->a,
		&v, &w->p));
	assert_problem(w, ERR_REF, "_connectionId", "you have no connection");
}

/* Also beside other faults, wherever they stand; what is no id at all is told once. */
static void test_missing_references_are_told_with_the_rest(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);
	struct str flow = STR("{\"name\":5,\"_exportId\":\"ffffffffffffffffffffffff\","
			      "\"pageProcessors\":[{\"_importId\":\"x\"},"
			      "{\"_importId\":\"fffffffffffffffffffffff0\"},7]}");

	assert_false(resource_create(w->r, STR(ACCOUNT), type_of(w, "flow"), parse(w, flow), w->a,
		&v, &w->p));
	assert_str(problems_text(w),
		"[invalid_field name: name must be a string of 1 to 512 bytes; found the number 5]"
		"[invalid_field pageProcessors.0._importId: pageProcessors.0._importId must be the "
		"id of "
		"an import: 24 lower-case hexadecimal digits; found the string \"x\"]"
		"[invalid_field pageProcessors.2: pageProcessors.2 must be an object; found the "
		"number 7]"
		"[invalid_ref _exportId: _exportId: you have no export with the id "
		"ffffffffffffffffffffffff]"
		"[invalid_ref pageProcessors.1._importId: pageProcessors.1._importId: you have no "
		"import "
		"with the id fffffffffffffffffffffff0]");
	problems_init(&w->p, w->a);
	assert_false(resource_patch(w->r, STR(ACCOUNT), type_of(w, "connection"), c.id, 0,
		parse(w, STR("{\"nam\":1,\"_integrationId\":\"ffffffffffffffffffffffff\"}")), w->a,
		&v, &w->p));
	assert_int_equal(w->p.count, 2);
	assert_problem(w, ERR_UNKNOWN_FIELD, "nam", "there is no field nam");
	assert_int_equal(w->p.list[1].code, ERR_REF);
	for (size_t i = 0; i < 2; i++) {
		problems_init(&w->p, w->a);
		assert_false(resource_create(w->r, STR(ACCOUNT), type_of(w, "connection"),
			parse(w, i == 0 ? STR("[\"x\"]") : STR("\"x\"")), w->a, &v, &w->p));
		assert_int_equal(w->p.count, 1);
	}
}

static bool replace(struct world *w, const char *type, struct str id, int64_t version,
	struct str body, struct resource_view *v)
{
	problems_init(&w->p, w->a);
	return resource_replace(w->r, STR(ACCOUNT), type_of(w, type), id, version, parse(w, body),
		w->a, v, &w->p);
}

static void test_replace_takes_back_what_get_gave(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);
	struct str sealed = stored(w, "connection", c.id);

	clock_test_advance(&w->clock, 1000);
	assert_true(replace(w, "connection", c.id, 0, c.json, &v));
	assert_int_equal(v.version, 2);
	assert_str(view_str(w, &v, "createdAt"), "2017-06-19T21:27:09.945Z");
	assert_str(view_str(w, &v, "lastModified"), "2017-06-19T21:27:10.945Z");
	/* the secret was kept as it lay there, not sealed a second time */
	size_t at = str_find(sealed, STR("sealed:v1:"));

	assert_true(str_find(stored(w, "connection", c.id), str_sub(sealed, at, 60)) != STR_NPOS);
}

static void test_replace_replaces(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);

	assert_true(replace(w, "connection", c.id, 1,
		STR("{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://b.example\"}}"), &v));
	assert_null(view_str(w, &v, "name").p);
	assert_null(view_str(w, &v, "rest.bearerToken").p);
	assert_str(view_str(w, &v, "rest.baseURI"), "https://b.example");
	assert_true(str_find(stored(w, "connection", c.id), STR("sealed:")) == STR_NPOS);
}

static void test_versions(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);

	assert_false(replace(w, "connection", c.id, 2, STR(CONNECTION), &v));
	assert_problem(w, ERR_PRECONDITION, "", "version 1 is stored");
	assert_int_equal(problems_status(&w->p), 412);
	assert_true(replace(w, "connection", c.id, 1, STR(CONNECTION), &v));
	assert_false(replace(w, "connection", c.id, 1, STR(CONNECTION), &v));
	assert_false(
		replace(w, "connection", STR("507f1f77bcf86cd799439011"), 0, STR(CONNECTION), &v));
	assert_problem(w, ERR_NOT_FOUND, "", "");
}

static bool patch(struct world *w, const char *type, struct str id, int64_t version,
	const char *body, struct resource_view *v)
{
	problems_init(&w->p, w->a);
	return resource_patch(w->r, STR(ACCOUNT), type_of(w, type), id, version,
		parse(w, str_z(body)), w->a, v, &w->p);
}

static void test_patch(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);

	assert_true(patch(w, "connection", c.id, 1,
		"{\"name\":null,\"offline\":true,\"rest\":{\"bearerToken\":\"******\"}}", &v));
	assert_null(view_str(w, &v, "name").p);
	assert_str(view_str(w, &v, "rest.bearerToken"), "******");
	assert_str(view_str(w, &v, "rest.baseURI"), "https://a.example");
	assert_true(patch(w, "connection", c.id, 0, "{\"rest\":{\"bearerToken\":null}}", &v));
	assert_null(view_str(w, &v, "rest.bearerToken").p);
	assert_int_equal(v.version, 3);
	assert_false(patch(w, "connection", c.id, 0, "{\"_id\":\"507f1f77bcf86cd799439011\"}", &v));
	assert_problem(w, ERR_READ_ONLY, "_id", "is set by the server");
	assert_false(patch(w, "connection", c.id, 0, "{\"name\":\"a\",\"name\":\"b\"}", &v));
	assert_problem(w, ERR_INVALID, "name", "appears twice");
	assert_false(patch(w, "connection", c.id, 0, "[]", &v));
	assert_problem(w, ERR_INVALID, "", "must be a JSON object");
	assert_false(patch(w, "connection", c.id, 7, "{}", &v));
	assert_problem(w, ERR_PRECONDITION, "", "");
}

/* Reads a secret back: what was kept and what is new must open at its own place. */
static void test_patched_secrets_open(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);
	struct store_conn *conn DEFER(store_read_endp) = NULL;
	const struct json *doc;
	struct err err;

	assert_true(patch(w, "connection", c.id, 0,
		"{\"rest\":{\"authType\":\"token\",\"basicAuth\":{\"username\":\"u\","
		"\"password\":\"P4SS\"}}}",
		&v));
	assert_ok(store_read_begin(w->store, &conn, &err));
	assert_ok(
		resource_open(w->r, conn, w->a, STR(ACCOUNT), STR("connection"), c.id, &doc, &err));
	assert_str(json_str(json_get_path(doc, STR("rest.bearerToken"))), "S3CRET");
	assert_str(json_str(json_get_path(doc, STR("rest.basicAuth.password"))), "P4SS");
}

/* Who can write a connection need not be who knows its secret, so the mask must not send it away. */
static void test_secrets_stay_with_their_origin(void **state)
{
	struct world *w = *state;
	struct resource_view v, c = create(w, "connection", CONNECTION);
	const struct json *doc;

	assert_false(patch(w, "connection", c.id, 0,
		"{\"rest\":{\"baseURI\":\"https://b.example\"}}", &v));
	assert_problem(w, ERR_INVALID, "rest.bearerToken",
		"the stored one is for https://a.example");
	assert_false(replace(w, "connection", c.id, 0,
		STR("{\"type\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example:444\","
		    "\"bearerToken\":\"******\"}}"),
		&v));
	assert_problem(w, ERR_INVALID, "rest.bearerToken", "must be given again");
	problems_init(&w->p, w->a);
	assert_false(resource_check(w->r, STR(ACCOUNT), type_of(w, "connection"),
		parse(w, str_fmt(w->a,
				 "{\"_id\":\"%.*s\",\"type\":\"rest\",\"rest\":{\"baseURI\":"
				 "\"http://a.example\",\"bearerToken\":\"******\"}}",
				 STR_ARG(c.id))),
		w->a, &doc, &w->p));
	assert_problem(w, ERR_INVALID, "rest.bearerToken", "names http://a.example");
	assert_true(patch(w, "connection", c.id, 1,
		"{\"rest\":{\"baseURI\":\"https://a.example/v2\"}}", &v));
	assert_true(patch(w, "connection", c.id, 0,
		"{\"rest\":{\"baseURI\":\"https://b.example\",\"bearerToken\":\"n3w\"}}", &v));
	assert_true(patch(w, "connection", c.id, 0,
		"{\"rest\":{\"baseURI\":\"https://c.example\",\"bearerToken\":null}}", &v));
}

static void test_large_documents_are_refused(void **state)
{
	struct world *w = *state;
	struct resource_view v;
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	BUF_ADD_LIT(&b, "{\"name\":\"I\",\"settings\":{\"a\":\"");
	for (size_t i = 0; i < LIMIT_RESOURCE_DOCUMENT; i++)
		buf_add_char(&b, 'x');
	BUF_ADD_LIT(&b, "\"}}");
	assert_false(resource_create(w->r, STR(ACCOUNT), type_of(w, "integration"),
		parse(w, buf_str(&b)), w->a, &v, &w->p));
	assert_problem(w, ERR_TOO_LARGE, "", "a resource may have 1048576");
}

/* ---- many at once: each change is made, none is lost ---- */

#define WRITERS 4
#define ROUNDS  10

struct writer {
	struct world *w;
	struct str id;
	int n;
	bool ok;
};

static void *add_settings(void *arg)
{
	struct writer *me = arg;
	struct arena *a DEFER(arena_freep) = arena_new("writer", 0);
	const struct schema *s = resources_by_type(me->w->r, STR("integration"));

	me->ok = true;
	for (int i = 0; i < ROUNDS; i++) {
		struct problems p;
		struct resource_view v;
		const struct json *body;
		struct err err = ERR_INIT;

		problems_init(&p, a);
		me->ok = me->ok &&
			 json_parse_copy(a,
				 str_fmt(a, "{\"settings\":{\"w%d_%d\":true}}", me->n, i), &body,
				 &err) &&
			 resource_patch(me->w->r, STR(ACCOUNT), s, me->id, 0, body, a, &v, &p);
	}
	return NULL;
}

static void test_concurrent_patches_all_count(void **state)
{
	struct world *w = *state;
	struct resource_view v = create(w, "integration", "{\"name\":\"I\"}");
	struct writer writers[WRITERS];
	struct thread threads[WRITERS] = { 0 };
	struct err err;

	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ w, v.id, i, false };
		thread_start(&threads[i], "writer", add_settings, &writers[i]);
	}
	for (int i = 0; i < WRITERS; i++) {
		thread_join(&threads[i]);
		assert_true(writers[i].ok);
	}
	assert_ok(
		resource_get(w->r, STR(ACCOUNT), type_of(w, "integration"), v.id, w->a, &v, &err));
	assert_int_equal(json_get(parse(w, v.json), STR("settings"))->n, WRITERS * ROUNDS);
	assert_int_equal(v.version, 1 + WRITERS * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_create_answers_the_whole),
		T(test_secrets_are_sealed),
		T(test_a_map_of_secrets_is_sealed),
		T(test_what_looks_sealed_is_sealed),
		T(test_api_identifiers),
		T(test_clashing_identifiers_are_drawn_again),
		T(test_problems_leave_nothing),
		T(test_references_must_exist),
		T(test_missing_references_are_told_with_the_rest),
		T(test_replace_takes_back_what_get_gave),
		T(test_replace_replaces),
		T(test_versions),
		T(test_patch),
		T(test_patched_secrets_open),
		T(test_secrets_stay_with_their_origin),
		T(test_large_documents_are_refused),
		T(test_concurrent_patches_all_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
