/*
 * test_handlebars_crypt.c - hash, hmac and aws4 in templates: the examples of the table (aws4's is
 * the case "get-vanilla" of AWS's own test suite), other algorithms and encodings, what is refused.
 */
#include "arena_test.h"

#include "crypt/handlebars_crypt.h"

static bool render(const char *text, const char *context, struct str *out, struct err *err)
{
	static const struct hbs_helpers *const extra[] = { &handlebars_crypt };
	const struct hbs_options options = { extra, ARRAY_LEN(extra) };
	struct buf b DEFER(buf_free) = BUF_INIT(1 << 20);
	struct clock_test clock;
	struct hbs_env env = { .clock = &clock.clock, .scratch = a };
	struct hbs *t;

	clock_test_init(&clock, 1440938160000); /* 2015-08-30T12:36:00Z */
	if (!json_parse_copy(a, str_z(context), &env.context, err) ||
		!hbs_compile(a, str_z(text), &options, &t, err) ||
		!hbs_render(t, &env, &b, NULL, err))
		return false;
	*out = str_dup(a, buf_str(&b));
	return true;
}

static void examples(void **state UNUSED)
{
	struct str out;
	struct err err;

	assert_int_equal(handlebars_crypt.count, 3);
	for (size_t i = 0; i < handlebars_crypt.count; i++) {
		const struct hbs_helper *h = &handlebars_crypt.rows[i];

		assert_ok(render(h->example, h->context, &out, &err));
		assert_str(out, h->result);
	}
}

static void forms(void **state UNUSED)
{
	static const char *const rows[][3] = {
		{ "{{{hash \"md5\" \"hex\" \"\"}}}", "{}", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "{{{hash \"SHA1\" \"base64\" n}}}", "{\"n\":1}", "NWoZK3kTsExUV00Ywo1G5jlUKKs=" },
		/* RFC 4231, case 2; and the same with the key in base64 */
		{ "{{hmac \"sha256\" \"Jefe\" \"hex\" \"what do ya want for nothing?\"}}", "{}",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "{{hmac \"sha256\" \"SmVmZQ==\" \"hex\" \"what do ya want for nothing?\" "
		  "\"base64\"}}",
			"{}", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "{{{hmac \"md5\" \"key\" \"base64\" \"The quick brown fox jumps over the lazy "
		  "dog\"}}}",
			"{}", "gAcHE0Y+d0m5DC3CSRHidQ==" },
	};
	struct str out;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(render(rows[i][0], rows[i][1], &out, &err));
		assert_str(out, rows[i][2]);
	}
}

#define AWS_CALL(token)                                                               \
	"{{{aws4 \"AKIDEXAMPLE\" \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\" " token \
	" \"us-east-1\" \"service\"}}}"

/* Cases "get-vanilla-query-order-key-case" and "post-vanilla" of AWS's test suite. */
static void aws_suite(void **state UNUSED)
{
	struct str out;
	struct err err;

	assert_ok(render(AWS_CALL("\"\""),
		"{\"aws4\":{\"host\":\"example.amazonaws.com\",\"query\":\"Param2=value2&Param1="
		"value1\"}}",
		&out, &err));
	assert_true(str_ends(out,
		STR("Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")));
	assert_ok(render(AWS_CALL("null"),
		"{\"aws4\":{\"host\":\"example.amazonaws.com\",\"method\":\"POST\"}}", &out, &err));
	assert_true(str_ends(out,
		STR("Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")));
	assert_ok(render(AWS_CALL("\"token\""), "{}", &out, &err));
	assert_true(str_find(out, STR("SignedHeaders=host;x-amz-date;x-amz-security-token,")) !=
		    STR_NPOS);
}

static void refuses(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{ "{{hash \"crc\" \"hex\" a}}", "the algorithm must be md5" },
		{ "{{hash \"md5\" \"utf8\" a}}", "the encoding must be hex or base64" },
		{ "{{hmac \"md5\" \"k\" \"hex\" a \"hex\"}}", "the encoding of the key" },
		{ "{{hmac \"md5\" \"k\" \"hex\" a \"base64\"}}", "the key is not base64" },
		{ "{{aws4 a b c \"us-east-1\" \"s3\"}}", "are needed" },
		{ "{{hash \"md5\" \"hex\"}}", "hash takes 3 arguments, here are 2" },
	};
	struct str out;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_fails(render(rows[i][0], "{}", &out, &err), ERR_INVALID, rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(examples),
		ARENA_TEST(forms),
		ARENA_TEST(aws_suite),
		ARENA_TEST(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
