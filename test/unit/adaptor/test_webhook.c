/*
 * test_webhook.c - what an event holds once it is proved: its records, its id, a challenge; and how the
 * listener answers.
 */
#include "webhook_rig.h"

#include "core/limits.h"

#define TOKEN                                                                                     \
	"{\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"header\",\"tokenHeaderName\":" \
	"\"T\""
#define JSON_HEAD "T: t\nContent-Type: application/json\n"
#define FORM_HEAD "T: t\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n"

static const struct webhook *plain(struct arena *a)
{
	return webhook_of(a, TOKEN "}");
}

/* ---- bodies ---- */

static const struct {
	const char *head, *body, *want; /* NULL: stored as it came */
} taken[] = {
	{ JSON_HEAD, "{\"a\":1.0}", NULL },
	{ "T: t", " {\"a\":[]} ", NULL },
	{ "T: t\nContent-Type: text/plain", "{\"a\":1}", NULL },
	{ "T: t\nContent-Type: application/vnd.api+json", "[{},{}]", NULL },
	{ JSON_HEAD, "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}" },
	{ FORM_HEAD, "a=1&b=x+y%26z&c=", "{\"a\":\"1\",\"b\":\"x y&z\",\"c\":\"\"}" },
	{ FORM_HEAD, "a=1&a=2&b", "{\"a\":[\"1\",\"2\"],\"b\":\"\"}" },
	{ FORM_HEAD, "", "{}" },
	{ FORM_HEAD, "payload=%7B%22a%22%3A%22x+y%22%7D", "{\"a\":\"x y\"}" },
	{ FORM_HEAD, "payload=%7B%7D&b=1", "{\"payload\":\"{}\",\"b\":\"1\"}" },
	{ FORM_HEAD, "payload=7", "{\"payload\":\"7\"}" },
	{ FORM_HEAD, "payload=%7B", "{\"payload\":\"{\"}" },
	{ FORM_HEAD, "a%3Db=%zz&&=", "{\"a=b\":\"%zz\"}" },
};

static void bodies_taken(void **state)
{
	struct arena *a = *state;
	struct webhook_event e;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		if (receive(a, plain(a), taken[i].head, taken[i].body, &e, &err) != WEBHOOK_EVENT)
			fail_msg("%s: %s", taken[i].body, err.message);
		assert_str(e.body, taken[i].want == NULL ? taken[i].body : taken[i].want);
		assert_null(e.id.p);
	}
}

static const struct {
	const char *head, *body;
	enum err_code code;
	const char *words;
} refused[] = {
	{ JSON_HEAD, "", ERR_JSON, "empty" },
	{ JSON_HEAD, "{\"a\":", ERR_JSON, "line 1" },
	{ JSON_HEAD, "{\"a\":\"\xff\"}", ERR_JSON, "UTF-8" },
	{ JSON_HEAD, "7", ERR_INVALID, "found a number" },
	{ JSON_HEAD, "\"text\"", ERR_INVALID, "found a string" },
	{ JSON_HEAD, "[{},[1]]", ERR_INVALID,
		"element 1 of the event must be an object; found an array" },
	{ JSON_HEAD, "[{},7]", ERR_INVALID, "element 1" },
	{ JSON_HEAD, "[{},[1]]", ERR_INVALID,
		"element 1 of the event must be an object; found an array" },
	{ "T: t\nContent-Type: application/xml", "<a>", ERR_PARSE, "line 1" },
	{ "T: t\nContent-Type: text/csv", "a,b", ERR_MEDIA_TYPE, "text/csv" },
	{ JSON_HEAD "\nContent-Encoding: gzip", "{}", ERR_MEDIA_TYPE, "gzip" },
	{ "T: t\nContent-Type: multipart/form-data; boundary=x", "--x--", ERR_MEDIA_TYPE,
		"multipart" },
	{ FORM_HEAD, "a=1&b=%ff", ERR_JSON, "field 2" },
};

static void bodies_refused(void **state)
{
	struct arena *a = *state;
	struct webhook_event e;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		assert_int_equal(receive(a, plain(a), refused[i].head, refused[i].body, &e, &err),
			WEBHOOK_REFUSED);
		if (err.code != refused[i].code || strstr(err.message, refused[i].words) == NULL)
			fail_msg("%s: %s", refused[i].body, err.message);
		/* who does not prove anything learns nothing of it */
		assert_int_equal(receive(a, plain(a), strchr(refused[i].head, '\n') + 1,
					 refused[i].body, &e, &err),
			WEBHOOK_UNAUTHORIZED);
	}
}

static void empty_arrays_hold_nothing(void **state)
{
	struct arena *a = *state;
	struct webhook_event e;
	struct err err;

	assert_int_equal(receive(a, plain(a), JSON_HEAD, " [ ] ", &e, &err), WEBHOOK_EMPTY);
}

/* A page puts the event into an array: that must be no level too many. */
static void depth_leaves_room_for_the_page(void **state)
{
	struct arena *a = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0), page DEFER(buf_free) = BUF_INIT(0);
	struct webhook_event e;
	const struct json *doc;
	struct err err;

	for (int extra = 0; extra < 2; extra++) {
		int depth = LIMIT_JSON_DEPTH - 1 + extra;

		buf_reset(&b);
		for (int i = 0; i < depth; i++)
			BUF_ADD_LIT(&b, "{\"a\":");
		buf_add_char(&b, '1');
		for (int i = 0; i < depth; i++)
			buf_add_char(&b, '}');
		buf_add_char(&b, '\0');
		assert_int_equal(receive(a, plain(a), JSON_HEAD, b.p, &e, &err),
			extra == 0 ? WEBHOOK_EVENT : WEBHOOK_REFUSED);
		if (extra == 1)
			assert_int_equal(err.code, ERR_LIMIT);
		else
			buf_add_fmt(&page, "[%.*s]", STR_ARG(e.body));
	}
	assert_ok(json_parse_copy(a, buf_str(&page), &doc, &err));
}

static void forms_have_a_limit(void **state)
{
	struct arena *a = *state;
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct webhook_event e;
	struct err err;

	for (int i = 0; i < WEBHOOK_FORM_FIELDS; i++)
		buf_add_fmt(&b, "%sf%d=1", i == 0 ? "" : "&", i);
	buf_add_char(&b, '\0');
	assert_int_equal(receive(a, plain(a), FORM_HEAD, b.p, &e, &err), WEBHOOK_EVENT);
	b.n--;
	BUF_ADD_LIT(&b, "&one=more\0");
	assert_int_equal(receive(a, plain(a), FORM_HEAD, b.p, &e, &err), WEBHOOK_REFUSED);
	assert_int_equal(err.code, ERR_LIMIT);
}

/* ---- ids ---- */

static void ids(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a,
		TOKEN ",\"idHeader\":\"X-Id\",\"idPath\":\"e.id\"}");
	struct webhook_event e;
	struct err err;
	char longest[WEBHOOK_ID_MAX + 2];

	receive(a, w, JSON_HEAD "X-Id: one", "{\"e\":{\"id\":\"two\"}}", &e, &err);
	assert_str(e.id, "one");
	receive(a, w, JSON_HEAD, "{\"e\":{\"id\":\"two\"}}", &e, &err);
	assert_str(e.id, "two");
	receive(a, w, JSON_HEAD, "{\"e\":{\"id\":90071992547409931}}", &e, &err);
	assert_str(e.id, "90071992547409931");
	receive(a, w, JSON_HEAD, "{\"e\":{\"id\":null}}", &e, &err);
	assert_null(e.id.p);
	receive(a, w, JSON_HEAD, "{\"e\":{\"id\":\"\"}}", &e, &err);
	assert_null(e.id.p);
	receive(a, webhook_of(a, "{\"provider\":\"gitlab\",\"token\":\"t\",\"idPath\":\"my.id\"}"),
		"X-Gitlab-Token: t\nIdempotency-Key: theirs", "{\"my\":{\"id\":\"mine\"}}", &e,
		&err);
	assert_str(e.id, "mine");
	/* what can't stand in a header of the answer is known by its digest */
	receive(a, w, JSON_HEAD, "{\"e\":{\"id\":\"a\\r\\nb\"}}", &e, &err);
	assert_int_equal(e.id.n, 64);
	memset(longest, 'x', sizeof(longest));
	longest[WEBHOOK_ID_MAX + 1] = '\0';
	receive(a, w, JSON_HEAD, str_fmt(a, "{\"e\":{\"id\":\"%s\"}}", longest).p, &e, &err);
	assert_int_equal(e.id.n, 64);
	receive(a, w, JSON_HEAD, str_fmt(a, "{\"e\":{\"id\":\"%s\"}}", longest + 1).p, &e, &err);
	assert_int_equal(e.id.n, WEBHOOK_ID_MAX);
}

/* ---- challenges and answers ---- */

static void challenges_in_the_body(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a, TOKEN ",\"challengePath\":\"c.v\"}");
	const struct webhook *json = webhook_of(a,
		TOKEN ",\"challengePath\":\"c\",\"challengeSuccessBody\":\"{\\\"got\\\":\\\"{{"
		      "challenge}}\\\"}\","
		      "\"challengeSuccessMediaType\":\"json\"}");
	struct webhook_event e;
	struct webhook_answer answer;
	struct err err;

	assert_int_equal(receive(a, w, JSON_HEAD, "{\"c\":{\"v\":\"abc-1\"}}", &e, &err),
		WEBHOOK_CHALLENGE);
	answer = webhook_challenge(w, a, e.challenge);
	assert_int_equal(answer.status, 200);
	assert_str(answer.body, "abc-1");
	assert_str(answer.media_type, "text/plain; charset=utf-8");
	answer = webhook_challenge(json, a, e.challenge);
	assert_str(answer.body, "{\"got\":\"abc-1\"}");
	assert_str(answer.media_type, "application/json");
	/* what could be read as something else is an event like any other */
	assert_int_equal(receive(a, w, JSON_HEAD, "{\"c\":{\"v\":\"<b>\"}}", &e, &err),
		WEBHOOK_EVENT);
	assert_int_equal(receive(a, w, "", "{\"c\":{\"v\":\"abc\"}}", &e, &err),
		WEBHOOK_UNAUTHORIZED);
}

static bool shakes(struct arena *a, const struct webhook *w, const char *query, struct str *out)
{
	return webhook_handshake(w, request_of(a, "", query, STR("")), out);
}

static void handshakes(void **state)
{
	struct arena *a = *state;
	const struct webhook *meta = webhook_of(a,
		"{\"provider\":\"meta\",\"key\":\"k\",\"token\":\"verify me\"}");
	const struct webhook *dropbox = webhook_of(a, "{\"provider\":\"dropbox\",\"key\":\"k\"}");
	struct str got;

	assert_true(shakes(a, meta,
		"hub.mode=subscribe&hub.verify_token=verify+me&hub.challenge=1158", &got));
	assert_str(got, "1158");
	assert_false(shakes(a, meta, "hub.verify_token=other&hub.challenge=1158", &got));
	assert_false(shakes(a, meta, "hub.challenge=1158", &got));
	assert_true(shakes(a, dropbox, "challenge=abc", &got));
	assert_false(shakes(a, dropbox, "challenge=%3Cscript%3E", &got));
	assert_false(shakes(a, dropbox, NULL, &got));
	assert_false(shakes(a, plain(a), "challenge=abc", &got));
}

static void slack_tries_the_url(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a, "{\"provider\":\"slack\",\"key\":\"k\"}");
	const char *body =
		"{\"type\":\"url_verification\",\"token\":\"x\",\"challenge\":\"3eZbr\"}";
	unsigned char digest[HMAC_BYTES_MAX];
	char hex[65] = "";
	struct webhook_event e;
	struct err err;

	hmac(HMAC_SHA256, STR("k"), str_fmt(a, "v0:1700000000:%s", body), digest);
	str_hex_put(hex, digest, 32);
	assert_int_equal(receive(a, w,
				 str_fmt(a,
					 "X-Slack-Request-Timestamp: 1700000000\n"
					 "X-Slack-Signature: v0=%s",
					 hex)
					 .p,
				 body, &e, &err),
		WEBHOOK_CHALLENGE);
	assert_str(e.challenge, "3eZbr");
}

static void answers(void **state)
{
	struct arena *a = *state;
	struct webhook_answer answer = webhook_success(plain(a));

	assert_int_equal(answer.status, 0);
	answer = webhook_success(webhook_of(a, TOKEN ",\"successBody\":\"ok\"}"));
	assert_int_equal(answer.status, 200);
	assert_str(answer.body, "ok");
	answer = webhook_success(webhook_of(a, TOKEN ",\"successStatusCode\":202,\"successBody\":"
						     "\"<ok/>\",\"successMediaType\":\"xml\"}"));
	assert_int_equal(answer.status, 202);
	assert_str(answer.media_type, "application/xml");
	assert_int_equal(webhook_dedupe_ms(plain(a)), INT64_C(72) * 3600 * 1000);
	assert_int_equal(webhook_dedupe_ms(webhook_of(a, TOKEN ",\"dedupeWindow\":0}")), 0);
}

/* ---- listeners that can't be ---- */

static void incomplete(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{ "{}", "webhook.verify" },
		{ "{\"verify\":\"hmac\"}", "webhook.algorithm" },
		{ "{\"verify\":\"hmac\",\"algorithm\":\"sha1\"}", "webhook.encoding" },
		{ "{\"verify\":\"hmac\",\"algorithm\":\"sha1\",\"encoding\":\"hex\"}",
			"webhook.header" },
		{ "{\"verify\":\"hmac\",\"algorithm\":\"sha1\",\"encoding\":\"hex\",\"header\":"
		  "\"X\"}",
			"webhook.key" },
		{ "{\"verify\":\"token\"}", "webhook.token" },
		{ "{\"verify\":\"token\",\"token\":\"t\"}", "webhook.path" },
		{ "{\"verify\":\"basic\",\"username\":\"u\"}", "webhook.password" },
		{ "{\"verify\":\"standard\",\"key\":\"whsec_%\"}", "webhook.key" },
		{ "{\"provider\":\"stripe\"}", "webhook.key" },
		{ "{\"provider\":\"gitlab\"}", "webhook.token" },
		{ "{\"provider\":\"custom\"}", "webhook.verify" },
	};
	struct arena *a = *state;
	const struct json *doc;
	const struct webhook *w;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(json_parse_copy(a, str_z(cases[i].text), &doc, &err));
		assert_fails(webhook_compile(a, doc, &w, &err), err.code, "");
		assert_string_equal(err.field, cases[i].field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bodies_taken),
		TEST(bodies_refused),
		TEST(empty_arrays_hold_nothing),
		TEST(depth_leaves_room_for_the_page),
		TEST(forms_have_a_limit),
		TEST(ids),
		TEST(challenges_in_the_body),
		TEST(handshakes),
		TEST(slack_tries_the_url),
		TEST(answers),
		TEST(incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
