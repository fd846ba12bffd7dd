/*
 * test_walk.c - masks, seals, references, what is inert, the server's own fields.
 */
#include "widget.h"

#define SECRETS                                                                                   \
	"{\"name\":\"W\",\"rest\":{\"baseURI\":\"u\",\"bearerToken\":\"S1\","                     \
	"\"basicAuth\":{\"username\":\"n\",\"password\":\"S2\"},"                                 \
	"\"headers\":[{\"name\":\"A\",\"secret\":\"S3\"},{\"name\":\"B\"}]},\"settings\":{\"a\":" \
	"1}}"

static void test_mask(void **state)
{
	struct fixture *f = *state;
	struct json_build b;

	json_build_init(&b, f->a);
	schema_mask(f->s, parse(f, SECRETS), &b);
	assert_str(print(f, json_build_done(&b)),
		"{\"name\":\"W\",\"rest\":{\"baseURI\":\"u\",\"bearerToken\":\"******\","
		"\"basicAuth\":{\"username\":\"n\",\"password\":\"******\"},"
		"\"headers\":[{\"name\":\"A\",\"secret\":\"******\"},{\"name\":\"B\"}]},"
		"\"settings\":{\"a\":1}}");
	assert_true(schema_has_secrets(f->s));
}

struct sealer {
	struct arena *a;
	struct str paths;
};

static bool seal_one(void *ctx, struct str path, struct str value, struct str *out, struct err *err)
{
	struct sealer *s = ctx;

	if (str_eq_z(value, "bad"))
		return err_set(err, ERR_CRYPT, "no");
	s->paths = str_fmt(s->a, "%.*s %.*s", STR_ARG(s->paths), STR_ARG(path));
	*out = str_fmt(s->a, "<%.*s>", STR_ARG(value));
	return true;
}

static void test_map_secrets(void **state)
{
	struct fixture *f = *state;
	struct sealer sealer = { f->a, STR("") };
	struct json_build b;
	struct err err;

	json_build_init(&b, f->a);
	assert_ok(schema_map_secrets(f->s, parse(f, SECRETS), &b, seal_one, &sealer, &err));
	assert_str(print(f, json_build_done(&b)),
		"{\"name\":\"W\",\"rest\":{\"baseURI\":\"u\",\"bearerToken\":\"<S1>\","
		"\"basicAuth\":{\"username\":\"n\",\"password\":\"<S2>\"},"
		"\"headers\":[{\"name\":\"A\",\"secret\":\"<S3>\"},{\"name\":\"B\"}]},"
		"\"settings\":{\"a\":1}}");
	assert_str(sealer.paths, " rest.bearerToken rest.basicAuth.password rest.headers.0.secret");
	json_build_init(&b, f->a);
	assert_fails(schema_map_secrets(f->s, parse(f, "{\"rest\":{\"bearerToken\":\"bad\"}}"), &b,
			     seal_one, &sealer, &err),
		ERR_CRYPT, "no");
}

static void test_a_map_of_secrets(void **state)
{
	struct fixture *f = *state;
	struct sealer sealer = { f->a, STR("") };
	const struct json *doc = parse(f,
		"{\"rest\":{\"encrypted\":{\"key\":\"S1\",\"pin\":\"S2\"}}}");
	struct json_build b;
	struct err err;

	json_build_init(&b, f->a);
	schema_mask(f->s, doc, &b);
	assert_str(print(f, json_build_done(&b)),
		"{\"rest\":{\"encrypted\":{\"key\":\"******\",\"pin\":\"******\"}}}");
	json_build_init(&b, f->a);
	assert_ok(schema_map_secrets(f->s, doc, &b, seal_one, &sealer, &err));
	assert_str(print(f, json_build_done(&b)),
		"{\"rest\":{\"encrypted\":{\"key\":\"<S1>\",\"pin\":\"<S2>\"}}}");
	assert_str(sealer.paths, " rest.encrypted.key rest.encrypted.pin");
}

static void add_ref(void *ctx, struct str path, const char *types, struct str id)
{
	struct sealer *s = ctx;

	s->paths = str_fmt(s->a, "%.*s[%.*s %s %.*s]", STR_ARG(s->paths), STR_ARG(path), types,
		STR_ARG(id));
}

static void test_references(void **state)
{
	struct fixture *f = *state;
	struct sealer refs = { f->a, STR("") };

	schema_each_ref(f->s,
		parse(f, "{\"_hookId\":\"h\",\"settings\":{\"_hookId\":\"no\"},\"mapping\":{"
			 "\"fields\":["
			 "{\"generate\":\"x\"},{\"_scriptId\":\"s\"}]}}"),
		add_ref, &refs);
	assert_str(refs.paths, "[_hookId hook h][mapping.fields.1._scriptId script|stack s]");
}

static struct str other_ref(void *ctx, const char *types, struct str id)
{
	return str_fmt(ctx, "%s:%.*s", types, STR_ARG(id));
}

static void test_map_refs(void **state)
{
	struct fixture *f = *state;
	struct json_build b;

	json_build_init(&b, f->a);
	schema_map_refs(f->s,
		parse(f, "{\"name\":\"W\",\"_hookId\":\"h\",\"settings\":{\"_hookId\":\"no\"},"
			 "\"mapping\":{\"fields\":[{\"generate\":\"x\"},{\"_scriptId\":\"s\"}]}}"),
		&b, other_ref, f->a);
	assert_str(print(f, json_build_done(&b)),
		"{\"name\":\"W\",\"_hookId\":\"hook:h\",\"settings\":{\"_hookId\":\"no\"},"
		"\"mapping\":{\"fields\":[{\"generate\":\"x\"},{\"_scriptId\":\"script|stack:s\"}]}"
		"}");
}

static void test_first_inert(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"name\":\"W\",\"kind\":\"rest\",\"note\":\"n\"}", NULL },
		{ "{\"kind\":\"ftp\",\"since\":\"x\"}", "kind" },
		{ "{\"since\":\"2017-06-19\"}", "since" },
		{ "{\"ignore\":false}", NULL },
		{ "{\"ignore\":true}", "ignore" },
		{ "{\"rest\":{\"method\":\"POST\"}}", NULL },
		{ "{\"rest\":{\"method\":[\"PUT\",\"POST\"]}}", "rest.method" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = schema_first_inert(f->s, parse(f, cases[i][0]), f->a);

		if (cases[i][1] == NULL)
			assert_null(got.p);
		else
			assert_str(got, cases[i][1]);
	}
}

static void test_stamp(void **state)
{
	struct fixture *f = *state;
	struct json_build b;

	json_build_init(&b, f->a);
	schema_stamp(f->s, parse(f, "{\"lastModified\":\"old\",\"name\":\"W\",\"offline\":true}"),
		parse(f, "{\"lastModified\":\"new\",\"_id\":\"1\",\"name\":\"ignored\"}"), &b);
	assert_str(print(f, json_build_done(&b)),
		"{\"_id\":\"1\",\"lastModified\":\"new\",\"name\":\"W\",\"offline\":true}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_map_of_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_references, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_refs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_inert, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stamp, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
