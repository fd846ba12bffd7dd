/*
 * test_validate.c - bodies in, documents or all their problems out.
 */
#include "widget.h"

#define LEAST "\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"}"
#define REST(more) \
	"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"," more "}}"

static void test_table_order(void **state)
{
	struct fixture *f = *state;

	assert_valid(f,
		"{\"rest\":{\"relativeURI\":\"/x\",\"baseURI\":\"https://a.example\"},\"tags\":[],"
		"\"pageSize\":5,\"kind\":\"rest\",\"name\":\"W\"}",
		NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"pageSize\":5,\"tags\":[],"
		"\"rest\":{\"baseURI\":\"https://a.example\",\"relativeURI\":\"/x\"}}");
}

static void test_booleans_and_numbers(void **state)
{
	struct fixture *f = *state;

	assert_valid(f, "{" LEAST ",\"offline\":\"true\"}", NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"offline\":true,"
		"\"rest\":{\"baseURI\":\"https://a.example\"}}");
	assert_problems(f, "{" LEAST ",\"offline\":\"yes\"}", NULL, "offline invalid_field");
	assert_message(f, 0, "offline must be true or false; found the string \"yes\"");
	assert_problems(f, "{" LEAST ",\"pageSize\":0}", NULL, "pageSize invalid_field");
	assert_message(f, 0, "an integer from 1 to 100; found the number 0");
	assert_problems(f, "{" LEAST ",\"pageSize\":1.5}", NULL, "pageSize invalid_field");
	assert_problems(f, "{" LEAST ",\"pageSize\":\"5\"}", NULL, "pageSize invalid_field");
	assert_hint(f, 0, "write the number without quotes");
}

static void test_null_is_absent(void **state)
{
	struct fixture *f = *state;

	assert_valid(f,
		"{" LEAST ",\"offline\":null,\"tags\":null,\"settings\":null,"
		"\"mapping\":{\"fields\":null}}",
		NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"}}");
	assert_valid(f, REST("\"basicAuth\":{\"username\":null,\"password\":null}"), NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"}}");
	assert_problems(f, "{\"name\":null,\"kind\":\"rest\",\"rest\":null}", NULL,
		"name missing_required_field, rest.baseURI missing_required_field");
	assert_message(f, 0, "name is required: What people call it.");
	assert_string_equal(f->p.list[1].message, "rest.baseURI is required: Where it lives.");
	assert_valid(f,
		"{" LEAST
		",\"mapping\":{\"fields\":[{\"generate\":\"a\",\"hardCodedValue\":null}]}}",
		NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"},"
		"\"mapping\":{\"fields\":[{\"generate\":\"a\",\"hardCodedValue\":null}]}}");
	assert_problems(f, "{" LEAST ",\"tags\":[\"a\",null]}", NULL, "tags.1 invalid_field");
}

static void test_all_problems_at_once(void **state)
{
	struct fixture *f = *state;

	assert_problems(f,
		"{\"kind\":\"rest\",\"pageSize\":1000,\"colour\":1,\"_hookId\":\"abc\","
		"\"rest\":{\"baseURI\":\"ftp://x\",\"headers\":[{\"name\":\"A\"},{\"name\":\"B "
		"C\"},"
		"{}]}}",
		NULL,
		"colour unknown_field, name missing_required_field, pageSize invalid_field, "
		"_hookId invalid_field, rest.baseURI invalid_field, "
		"rest.headers.1.name invalid_field, rest.headers.2.name missing_required_field");
	assert_int_equal(problems_status(&f->p), 422);
}

static void test_many_problems_are_cut(void **state)
{
	struct fixture *f = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	BUF_ADD_LIT(&b, "{" LEAST);
	for (int i = 0; i < 5000; i++)
		buf_add_fmt(&b, ",\"x%d\":1", i);
	BUF_ADD_LIT(&b, "}");
	buf_add_char(&b, '\0');
	assert_null(validate(f, b.p, NULL));
	assert_int_equal(f->p.count, PROBLEMS_MAX);
}

static void test_unknown_fields(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "{" LEAST ",\"pagesize\":5}", NULL, "pagesize unknown_field");
	assert_hint(f, 0, "did you mean pageSize?");
	assert_message(f, 0, "there is no field pagesize in a widget");
	assert_problems(f, REST("\"berearToken\":\"x\""), NULL, "rest.berearToken unknown_field");
	assert_hint(f, 0, "did you mean rest.bearerToken?");
	assert_problems(f, "{" LEAST ",\"bearerToken\":\"x\"}", NULL, "bearerToken unknown_field");
	assert_hint(f, 0, "did you mean rest.bearerToken?");
	assert_problems(f, "{" LEAST ",\"baseUrl\":\"x\"}", NULL, "baseUrl unknown_field");
	assert_hint(f, 0, "did you mean rest.baseURI?");
	assert_problems(f, "{" LEAST ",\"somethingElse\":1}", NULL, "somethingElse unknown_field");
	assert_hint(f, 0, "");
	assert_problems(f, "{" LEAST ",\"a\\u0000\\u001fb\":1}", NULL, "a\?\?b unknown_field");
	assert_problems(f, "{" LEAST ",\"mapping\":{\"fields\":[{\"generate\":\"a\",\"x\":1}]}}",
		NULL, "mapping.fields.0.x unknown_field");
}

static void test_conditions(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "{" LEAST ",\"ftp\":{\"hostURI\":\"h\"}}", NULL, "ftp unknown_field");
	assert_message(f, 0, "ftp is a field only when kind is ftp, and it is the string \"rest\"");
	assert_valid(f, "{" LEAST ",\"ftp\":{\"hostURI\":null}}", NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"https://a.example\"}}");
	/* no kind: what it would decide is not held against the body */
	assert_problems(f, "{\"name\":\"W\",\"rest\":{\"baseURI\":\"https://a.example\"}}", NULL,
		"kind missing_required_field");
	assert_problems(f, "{\"name\":\"W\",\"kind\":\"nonsense\"}", NULL, "kind invalid_field");
	assert_valid(f, "{\"name\":\"W\",\"kind\":\"ftp\"}", NULL,
		"{\"name\":\"W\",\"kind\":\"ftp\"}");
	assert_problems(f, "{\"name\":\"W\",\"kind\":\"ftp\",\"ftp\":{\"hostURI\":3}}", NULL,
		"ftp.hostURI invalid_field");
	assert_hint(f, 0, "put the number in quotes");
}

static void test_the_section_tells_what_was_meant(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "{\"name\":\"W\",\"rest\":{}}", NULL,
		"kind missing_required_field, rest.baseURI missing_required_field");
	assert_problems(f, "{\"name\":\"W\",\"kind\":\"rset\",\"rest\":{\"method\":\"GTE\"}}", NULL,
		"kind invalid_field, rest.baseURI missing_required_field, "
		"rest.method invalid_field");
	assert_problems(f, "{\"name\":\"W\",\"ftp\":{\"hostURI\":3}}", NULL,
		"kind missing_required_field, ftp.hostURI invalid_field");
	/* it is neither known of several, nor of a word that will come */
	assert_problems(f, "{\"name\":\"W\",\"rest\":{},\"ftp\":{}}", NULL,
		"kind missing_required_field");
	assert_problems(f, "{\"name\":\"W\"}", NULL, "kind missing_required_field");
	assert_problems(f, "{\"name\":\"W\",\"kind\":\"netsuite\",\"rest\":{}}", NULL,
		"kind invalid_field");
}

static void test_enums(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "{\"name\":\"W\",\"kind\":\"netsuite\"}", NULL, "kind invalid_field");
	assert_message(f, 0,
		"this version does not support \"netsuite\" yet; it knows rest and ftp");
	assert_problems(f, REST("\"method\":\"get\""), NULL, "rest.method invalid_field");
	assert_message(f, 0, "rest.method must be GET or POST; found the string \"get\"");
	assert_hint(f, 0, "did you mean \"GET\"?");
	assert_problems(f, REST("\"method\":[\"GET\",\"PUSH\"]"), NULL,
		"rest.method.1 invalid_field");
	assert_problems(f, REST("\"method\":7"), NULL, "rest.method invalid_field");
}

static void test_lists(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "{" LEAST ",\"tags\":\"a\"}", NULL, "tags invalid_field");
	assert_message(f, 0,
		"tags must be an array, each element a string; found the string \"a\"");
	assert_hint(f, 0, "put it in brackets: [ ]");
	assert_valid(f, REST("\"method\":[\"GET\",\"POST\"]"), NULL,
		REST("\"method\":[\"GET\",\"POST\"]"));
	assert_valid(f, REST("\"method\":\"POST\""), NULL, REST("\"method\":\"POST\""));
	assert_problems(f, REST("\"headers\":[7]"), NULL, "rest.headers.0 invalid_field");
	assert_message(f, 0, "rest.headers.0 must be an object; found the number 7");
	assert_problems(f, REST("\"headers\":{}"), NULL, "rest.headers invalid_field");
}

static void test_texts(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "{" LEAST ",\"tags\":[\"a\\u0000b\"]}", NULL, "tags.0 invalid_field");
	assert_problems(f, "{" LEAST ",\"tags\":[\"\"]}", NULL, "tags.0 invalid_field");
	assert_valid(f, "{" LEAST ",\"note\":\"\"}", NULL,
		"{\"name\":\"W\",\"kind\":\"rest\",\"note\":\"\","
		"\"rest\":{\"baseURI\":\"https://a.example\"}}");
	assert_problems(f, REST("\"relativeURI\":\"/a\\r\\nHost: b\""), NULL,
		"rest.relativeURI invalid_field");
	assert_message(f, 0, "must be one line");
	assert_problems(f, "{\"name\":\"123456789012345678901\",\"kind\":\"ftp\"}", NULL,
		"name invalid_field");
	assert_message(f, 0, "name must have 1 to 20 bytes; found 21");
	assert_problems(f, "{" LEAST ",\"settings\":{\"a\":[{\"b\":\"\\u0000\"}]}}", NULL,
		"settings invalid_field");
	assert_problems(f, REST("\"query\":{\"a\":1,\"b\":[2],\"c\":null}"), NULL,
		"rest.query.b invalid_field, rest.query.c invalid_field");
}

static void test_times(void **state)
{
	static const char *const good[] = { "2017-06-19T21:27:09.945Z", "2017-06-19",
		"2016-02-29T00:00Z", "2017-06-19T21:27:09+02:00", "2017-06-19T21:27:09-0530" };
	static const char *const bad[] = { "", "2017-06-31", "2017-02-29T00:00Z", "2017-13-01",
		"2017-06-19T24:00Z", "2017-06-19T21:27:09", "2017-06-19 21:27:09Z", "now",
		"2017-06-19T21:27:09.Z", "2017-06-19T21:27:60Z", "2017-06-19T21:27Zx" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (validate(f, str_fmt(f->a, "{" LEAST ",\"since\":\"%s\"}", good[i]).p, NULL) ==
			NULL)
			fail_msg("%s: %s", good[i], f->p.list[0].message);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_problems(f, str_fmt(f->a, "{" LEAST ",\"since\":\"%s\"}", bad[i]).p, NULL,
			"since invalid_field");
}

static void test_urls(void **state)
{
	static const char *const good[] = { "http://a", "HTTPS://a.example:8443/x?y=z",
		"https://[::1]:80/", "https://a.example/v1/", "http://127.0.0.1:8080" };
	static const char *const bad[] = { "", "a.example", "/v1", "ftp://a", "https://",
		"https://:80", "https://u:p@a/", "https://a b", "https://a/#x", "https://a:0",
		"https://a:65536", "https://a:x", "https://[::1", "https://[::1]x",
		"https://\xC3\xA4", "https://a\\\\b", "https://{a}/", "javascript:alert(1)",
		"https://a\\r\\nb" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *text = str_fmt(f->a,
			"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"%s\"}}", good[i])
					   .p;
		if (validate(f, text, NULL) == NULL)
			fail_msg("%s: %s", good[i], f->p.list[0].message);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_problems(f,
			str_fmt(f->a,
				"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"%s\"}}",
				bad[i])
				.p,
			NULL, "rest.baseURI invalid_field");
}

static void test_references(void **state)
{
	struct fixture *f = *state;

	assert_valid(f,
		"{\"name\":\"W\",\"kind\":\"ftp\",\"_hookId\":\"5587092fd78228000000000b\"}", NULL,
		"{\"name\":\"W\",\"kind\":\"ftp\",\"_hookId\":\"5587092fd78228000000000b\"}");
	assert_problems(f, "{" LEAST ",\"_hookId\":\"5587092FD78228000000000B\"}", NULL,
		"_hookId invalid_field");
	assert_message(f, 0, "the id of a hook: 24 lower-case hexadecimal digits");
	assert_problems(f,
		"{" LEAST ",\"mapping\":{\"fields\":[{\"generate\":\"a\",\"_scriptId\":1}]}}", NULL,
		"mapping.fields.0._scriptId invalid_field");
	assert_message(f, 0, "the id of a script or a stack");
}

static void test_read_only(void **state)
{
	struct fixture *f = *state;
	const char *stored = "{\"_id\":\"5587092fd78228000000000b\","
			     "\"lastModified\":\"2017-06-19T21:27:09.945Z\"," LEAST "}";

	assert_problems(f, "{\"_id\":\"5587092fd78228000000000b\"," LEAST "}", NULL,
		"_id read_only_field");
	assert_message(f, 0, "_id is set by the server");
	assert_valid(f, "{" LEAST "}", stored, stored);
	assert_valid(f, stored, stored, stored);
	assert_valid(f, "{\"_id\":null," LEAST "}", stored, stored);
	assert_problems(f, "{\"lastModified\":\"2018-06-19T21:27:09.945Z\"," LEAST "}", stored,
		"lastModified read_only_field");
	assert_message(f, 0, "is the string \"2017-06-19T21:27:09.945Z\"");
}

static void test_masks(void **state)
{
	struct fixture *f = *state;
	const char *stored = REST(
		"\"bearerToken\":\"S1\",\"headers\":[{\"name\":\"A\",\"secret\":\"S2\"},"
		"{\"name\":\"B\",\"secret\":\"S3\"}]");

	assert_problems(f, REST("\"bearerToken\":\"******\""), NULL,
		"rest.bearerToken invalid_field");
	assert_hint(f, 0, "send the secret itself");
	assert_valid(f, REST("\"bearerToken\":\"******\""), stored, REST("\"bearerToken\":\"S1\""));
	assert_valid(f, REST("\"bearerToken\":\"new\""), stored, REST("\"bearerToken\":\"new\""));
	assert_valid(f,
		REST("\"headers\":[{\"name\":\"A\",\"secret\":\"******\"},"
		     "{\"name\":\"B\",\"secret\":\"******\"}]"),
		stored,
		REST("\"headers\":[{\"name\":\"A\",\"secret\":\"S2\"},"
		     "{\"name\":\"B\",\"secret\":\"S3\"}]"));
	assert_problems(f,
		REST("\"headers\":[{\"name\":\"A\"},{\"name\":\"B\"},{\"name\":\"C\",\"secret\":\"*"
		     "*****\"}"
		     "]"),
		stored, "rest.headers.2.secret invalid_field");
	assert_problems(f, REST("\"bearerToken\":123456"), stored,
		"rest.bearerToken invalid_field");
	assert_null(strstr(f->p.list[0].message, "123456"));
}

static void test_a_map_of_secrets(void **state)
{
	struct fixture *f = *state;
	const char *stored = REST("\"encrypted\":{\"key\":\"S1\",\"pin\":\"S2\"}");

	assert_valid(f, stored, NULL, stored);
	assert_valid(f, REST("\"encrypted\":{\"pin\":\"******\",\"new\":\"S3\"}"), stored,
		REST("\"encrypted\":{\"pin\":\"S2\",\"new\":\"S3\"}"));
	assert_problems(f, REST("\"encrypted\":{\"other\":\"******\"}"), stored,
		"rest.encrypted.other invalid_field");
	assert_problems(f, REST("\"encrypted\":{\"pin\":987654}"), stored,
		"rest.encrypted.pin invalid_field");
	assert_null(strstr(f->p.list[0].message, "987654"));
	assert_problems(f, REST("\"encrypted\":[\"S1\"]"), stored, "rest.encrypted invalid_field");
}

#define AT(url, more) \
	"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"" url "\"," more "}}"

static void test_a_mask_stands_for_no_secret_of_another_origin(void **state)
{
	struct fixture *f = *state;
	const char *mask = "\"bearerToken\":\"******\"";
	const char *stored = AT("https://a.example/v1", "\"bearerToken\":\"S1\","
							"\"encrypted\":{\"pin\":\"S2\"}");
	static const char *const others[] = { "http://a.example/v1", "https://a.example:8443/v1",
		"https://a.example.evil.example/v1", "https://evil.example/a.example",
		"https://evil.example?https://a.example" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const char *body = str_fmt(f->a,
			"{\"name\":\"W\",\"kind\":\"rest\",\"rest\":{\"baseURI\":\"%s\",%s}}",
			others[i], mask)
					   .p;

		assert_problems(f, body, stored, "rest.bearerToken invalid_field");
	}
	assert_message(f, 0,
		"rest.bearerToken must be given again: the stored one is for https://a.example, "
		"and "
		"rest.baseURI now names https://evil.example");
	assert_hint(f, 0, "send the secret itself together with the new rest.baseURI");
	assert_problems(f,
		AT("https://b.example", "\"bearerToken\":\"******\",\"encrypted\":{\"pin\":"
					"\"******\"}"),
		stored, "rest.bearerToken invalid_field, rest.encrypted.pin invalid_field");
	assert_valid(f, AT("https://A.example:443/v2", "\"bearerToken\":\"******\""), stored,
		AT("https://A.example:443/v2", "\"bearerToken\":\"S1\""));
	assert_valid(f, AT("https://b.example", "\"bearerToken\":\"new\""), stored,
		AT("https://b.example", "\"bearerToken\":\"new\""));
	assert_problems(f, AT("nonsense", "\"bearerToken\":\"******\""), stored,
		"rest.baseURI invalid_field");
}

static void test_secrets_stay_out_of_messages(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, REST("\"bearerToken\":\"S3CRET\\u000a\""), NULL,
		"rest.bearerToken invalid_field");
	assert_null(strstr(f->p.list[0].message, "S3CRET"));
	assert_problems(f, REST("\"bearerToken\":[\"S3CRET\"]"), NULL,
		"rest.bearerToken invalid_field");
	assert_null(strstr(f->p.list[0].message, "S3CRET"));
}

static void test_duplicates(void **state)
{
	struct fixture *f = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	assert_problems(f, "{" LEAST ",\"name\":\"X\"}", NULL, "name invalid_field");
	assert_message(f, 0, "name appears twice in the same object");
	assert_problems(f, "{" LEAST ",\"settings\":{\"a\":[{\"b\":1,\"b\":2}]}}", NULL,
		"settings.a.0.b invalid_field");
	BUF_ADD_LIT(&b, "{" LEAST ",\"settings\":{");
	for (int i = 0; i < 1000; i++)
		buf_add_fmt(&b, "\"k%d\":%d,", i, i);
	BUF_ADD_LIT(&b, "\"k500\":1}}");
	buf_add_char(&b, '\0');
	assert_problems(f, b.p, NULL, "settings.k500 invalid_field");
}

static void test_wrong_shapes(void **state)
{
	struct fixture *f = *state;

	assert_problems(f, "[]", NULL, " invalid_field");
	assert_message(f, 0,
		"the body must be a JSON object that describes a widget; found an array");
	assert_problems(f, "{\"name\":\"W\",\"kind\":\"rest\",\"rest\":\"https://a\"}", NULL,
		"rest invalid_field");
	assert_problems(f, "{\"name\":\"W\",\"kind\":\"rest\",\"rest\":[]}", NULL,
		"rest invalid_field");
	assert_problems(f, "{" LEAST ",\"settings\":[]}", NULL, "settings invalid_field");
	assert_problems(f, "{}", NULL, "name missing_required_field, kind missing_required_field");
}

static void test_defaults_are_read_not_stored(void **state)
{
	struct fixture *f = *state;
	const struct json *doc = validate(f, "{" LEAST "}", NULL);

	assert_null(json_get(doc, STR("pageSize")));
	assert_str(print(f, schema_get(f->s, doc, STR("pageSize"))), "20");
	assert_str(print(f, schema_get(f->s, doc, STR("rest.method"))), "\"GET\"");
	assert_str(print(f, schema_get(f->s, doc, STR("rest.baseURI"))), "\"https://a.example\"");
	assert_null(schema_get(f->s, doc, STR("rest.bearerToken")));
	assert_str(print(f, schema_default(f->s, STR("offline"))), "false");
	assert_null(schema_default(f->s, STR("mapping.fields[].generate")));
}

static void test_stored_documents_pass_again(void **state)
{
	struct fixture *f = *state;
	const char *text =
		"{" LEAST
		",\"offline\":\"false\",\"tags\":[\"a\"],\"settings\":{\"z\":1,\"a\":[null]},"
		"\"mapping\":{\"fields\":[{\"hardCodedValue\":{\"x\":null},\"generate\":\"g\"}]}}";
	struct str once = print(f, validate(f, text, NULL));

	assert_valid(f, once.p, NULL, once.p);
	assert_valid(f, once.p, once.p, once.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_table_order),
		T(test_booleans_and_numbers),
		T(test_null_is_absent),
		T(test_all_problems_at_once),
		T(test_many_problems_are_cut),
		T(test_unknown_fields),
		T(test_conditions),
		T(test_the_section_tells_what_was_meant),
		T(test_enums),
		T(test_lists),
		T(test_texts),
		T(test_times),
		T(test_urls),
		T(test_references),
		T(test_read_only),
		T(test_masks),
		T(test_a_map_of_secrets),
		T(test_a_mask_stands_for_no_secret_of_another_origin),
		T(test_secrets_stay_out_of_messages),
		T(test_duplicates),
		T(test_wrong_shapes),
		T(test_defaults_are_read_not_stored),
		T(test_stored_documents_pass_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
