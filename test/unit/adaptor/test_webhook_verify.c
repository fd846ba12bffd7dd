/*
 * test_webhook_verify.c - proofs: vectors of each kind and preset (made with other programs, or from the
 * senders' documentation). That any changed bit is refused is in test_webhook_bits.c.
 */
#include "webhook_rig.h"

#define BODY       "{\"id\":\"evt_1\",\"event_id\":\"evt_2\",\"event\":{\"id\":\"evt_3\"},\"n\":1}"
#define HELLO      "{\"hello\":\"world\"}"
#define HEX_SHA256 "81382dbc39e26ce1b951705c0667e6c4b975638a448551626dd24623a090a528"
#define B64_SHA256 "gTgtvDnibOG5UXBcBmfmxLl1Y4pEhVFibdJGI6CQpSg="

static bool proves(struct arena *a, const struct webhook *w, const char *head, const char *body,
	int64_t now_ms, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return webhook_verify(w, request_of(a, head, NULL, str_z(body)), STR_NULL, NULL, now_ms,
		err);
}

/* ---- hmac ---- */

static const struct {
	const char *algorithm, *hex, *base64;
} hellos[] = {
	{ "sha1", "c9bd3c44a91cfe176f71afcc1e08240555f0ce8b", "yb08RKkc/hdvca/MHggkBVXwzos=" },
	{ "sha256", "2677ad3e7c090b2fa2c0fb13020d66d5420879b8316eb356a2d60fb9073bc778",
		"JnetPnwJCy+iwPsTAg1m1UIIebgxbrNWotYPuQc7x3g=" },
	{ "sha384",
		"09791ef8f342c0396d6c13d089ee42a98590f27a2306d0732b64b83a056e6bc4571789bf13a926da9d"
		"65b5ecdf35a907",
		"CXke+PNCwDltbBPQie5CqYWQ8nojBtBzK2S4OgVua8RXF4m/E6km2p1ltezfNakH" },
	{ "sha512",
		"e571f6f0e16aee15000c83130954f01ac6db0c14eb2202083ad10c3075b9bab729ab09e8e183e4c595"
		"5b3617ed00c5dca9510f50d572abf1e279d5fd2321c2a2",
		"5XH28OFq7hUADIMTCVTwGsbbDBTrIgIIOtEMMHW5urcpqwno4YPkxZVbNhftAMXcqVEPUNVyq/"
		"HiedX9IyHCog==" },
};

static const struct webhook *hmac_listener(struct arena *a, const char *algorithm,
	const char *encoding, const char *more)
{
	return webhook_of(a,
		str_fmt(a,
			"{\"verify\":\"hmac\",\"algorithm\":\"%s\",\"encoding\":\"%s\","
			"\"key\":\"secret\",\"header\":\"X-Apple-Banana\"%s}",
			algorithm, encoding, more)
			.p);
}

static void hmac_vectors(void **state)
{
	struct arena *a = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(hellos); i++) {
		const struct webhook *hex = hmac_listener(a, hellos[i].algorithm, "hex", "");
		const struct webhook *base64 = hmac_listener(a, hellos[i].algorithm, "base64", "");
		char *upper = arena_strndup(a, hellos[i].hex, strlen(hellos[i].hex));

		for (char *p = upper; *p != '\0'; p++)
			*p = (char)(*p >= 'a' ? *p - 32 : *p);
		assert_ok(proves(a, hex, str_fmt(a, "x-apple-banana: %s", hellos[i].hex).p, HELLO,
			NOW_MS, &err));
		assert_ok(proves(a, hex, str_fmt(a, "X-APPLE-BANANA:%s", upper).p, HELLO, NOW_MS,
			&err));
		upper[strcspn(upper, "ABCDEF")] ^= 0x20; /* nobody writes both */
		assert_fails(proves(a, hex, str_fmt(a, "X-APPLE-BANANA:%s", upper).p, HELLO, NOW_MS,
				     &err),
			ERR_UNAUTHORIZED, "does not match");
		assert_ok(proves(a, base64, str_fmt(a, "X-Apple-Banana: %s", hellos[i].base64).p,
			HELLO, NOW_MS, &err));
		assert_ok(proves(a, hex,
			str_fmt(a, "X-Apple-Banana: %s=%s", hellos[i].algorithm, hellos[i].hex).p,
			HELLO, NOW_MS, &err));
		assert_ok(proves(a, base64,
			str_fmt(a, "X-Apple-Banana: %s=%s", hellos[i].algorithm, hellos[i].base64)
				.p,
			HELLO, NOW_MS, &err));
		assert_fails(proves(a, hex, str_fmt(a, "X-Apple-Banana: md5=%s", hellos[i].hex).p,
				     HELLO, NOW_MS, &err),
			ERR_UNAUTHORIZED, "does not match");
		assert_fails(proves(a, hex, str_fmt(a, "X-Apple-Banana: %s", hellos[i].base64).p,
				     HELLO, NOW_MS, &err),
			ERR_UNAUTHORIZED, "does not match");
	}
}

static void hmac_refuses(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = hmac_listener(a, "sha256", "hex", "");
	struct err err;

	assert_fails(proves(a, w, "X-Other: 1", HELLO, NOW_MS, &err), ERR_UNAUTHORIZED,
		"no header X-Apple-Banana");
	assert_fails(proves(a, w, "X-Apple-Banana:", HELLO, NOW_MS, &err), ERR_UNAUTHORIZED,
		"does not match");
	assert_fails(proves(a, w, "X-Apple-Banana: 2677", HELLO, NOW_MS, &err), ERR_UNAUTHORIZED,
		"does not match");
	assert_null(strstr(err.message, "secret"));
}

static void keys_rotate(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a,
		"{\"verify\":\"hmac\",\"algorithm\":\"sha256\",\"encoding\":\"hex\","
		"\"key\":\"new\",\"previousKey\":\"secret\",\"header\":\"X-Apple-Banana\"}");
	const struct webhook *neither = webhook_of(a,
		"{\"verify\":\"hmac\",\"algorithm\":\"sha256\",\"encoding\":\"hex\","
		"\"key\":\"new\",\"previousKey\":\"older\",\"header\":\"X-Apple-Banana\"}");
	struct err err;

	assert_ok(proves(a, w, str_fmt(a, "X-Apple-Banana: %s", hellos[1].hex).p, HELLO, NOW_MS,
		&err));
	assert_fails(proves(a, neither, str_fmt(a, "X-Apple-Banana: %s", hellos[1].hex).p, HELLO,
			     NOW_MS, &err),
		ERR_UNAUTHORIZED, "does not match");
}

/* ---- presets ---- */

static const struct {
	const char *listener, *head, *id; /* of BODY at NOW */
} presets[] = {
	{ "{\"provider\":\"github\",\"key\":\"secret\"}",
		"X-Hub-Signature-256: sha256=" HEX_SHA256 "\nX-GitHub-Delivery: d-1", "d-1" },
	{ "{\"provider\":\"shopify\",\"key\":\"secret\"}",
		"X-Shopify-Hmac-SHA256: " B64_SHA256 "\nX-Shopify-Webhook-Id: w-1", "w-1" },
	{ "{\"provider\":\"woocommerce\",\"key\":\"secret\"}",
		"X-WC-Webhook-Signature: " B64_SHA256 "\nX-WC-Webhook-Delivery-ID: c-1", "c-1" },
	{ "{\"provider\":\"stripe\",\"key\":\"secret\"}",
		"Stripe-Signature: t=1700000000,v1=00,"
		"v1=7bea34e377052abdc7e89dc4d4628fb7269fa5a4a48944eb3121f0702b6fe252,v0=11",
		"evt_1" },
	{ "{\"provider\":\"calendly\",\"key\":\"secret\"}",
		"Calendly-Webhook-Signature: t=1700000000,"
		"v1=7bea34e377052abdc7e89dc4d4628fb7269fa5a4a48944eb3121f0702b6fe252",
		NULL },
	{ "{\"provider\":\"paddle\",\"key\":\"secret\"}",
		"Paddle-Signature: ts=1700000000;"
		"h1=8abadcf92f2d447d9647f76a372603d85e53bae85dfd32be3fff7d0d572e4a39",
		"evt_2" },
	{ "{\"provider\":\"slack\",\"key\":\"secret\"}",
		"X-Slack-Request-Timestamp: 1700000000\n"
		"X-Slack-Signature: "
		"v0=c75ba1963b8b24c3baca132a44b37b88e32e74d4ad0e39181f77e9df9f530b56",
		"evt_2" },
	{ "{\"provider\":\"zendesk\",\"key\":\"secret\"}",
		"X-Zendesk-Webhook-Signature-Timestamp: 2023-11-14T22:13:20Z\n"
		"X-Zendesk-Webhook-Invocation-Id: z-1\n"
		"X-Zendesk-Webhook-Signature: B6J70uJAKvjCF8FqVbm5yZt0RFtj6vwTxa1wXwXYu6A=",
		"z-1" },
	{ "{\"provider\":\"typeform\",\"key\":\"secret\"}",
		"Typeform-Signature: sha256=" B64_SHA256, "evt_2" },
	{ "{\"provider\":\"intercom\",\"key\":\"secret\"}",
		"X-Hub-Signature: sha1=1a46ecb39fca70b00751962d88a211c1571421f4", "evt_1" },
	{ "{\"provider\":\"pagerduty\",\"key\":\"secret\"}",
		"X-PagerDuty-Signature: v1=00,v1=" HEX_SHA256, "evt_3" },
	{ "{\"provider\":\"dropbox\",\"key\":\"secret\"}", "X-Dropbox-Signature: " HEX_SHA256,
		NULL },
	{ "{\"provider\":\"meta\",\"key\":\"secret\",\"token\":\"t\"}",
		"X-Hub-Signature-256: sha256=" HEX_SHA256, NULL },
	{ "{\"provider\":\"gitlab\",\"token\":\"secret\"}",
		"X-Gitlab-Token: secret\nIdempotency-Key: g-1", "g-1" },
	{ "{\"verify\":\"standard\",\"key\":\"whsec_c2VjcmV0\"}",
		"webhook-id: msg_1\nwebhook-timestamp: 1700000000\nwebhook-signature: v1a,xx "
		"v1,AAAA "
		"v1,gO5Rc5NarZTxpM8Ur381tgxfU0kdtdPtZdg/crm7A/M=",
		"msg_1" },
	{ "{\"provider\":\"svix\",\"key\":\"c2VjcmV0\"}",
		"svix-id: msg_1\nsvix-timestamp: 1700000000\n"
		"svix-signature: v1,gO5Rc5NarZTxpM8Ur381tgxfU0kdtdPtZdg/crm7A/M=",
		"msg_1" },
};

static void presets_accept(void **state)
{
	struct arena *a = *state;
	struct webhook_event e;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		const struct webhook *w = webhook_of(a, presets[i].listener);
		enum webhook_verdict v = receive(a, w, presets[i].head, BODY, &e, &err);

		if (v != WEBHOOK_EVENT)
			fail_msg("%s: %s", presets[i].listener, err.message);
		assert_str(e.body, BODY);
		if (presets[i].id == NULL)
			assert_null(e.id.p);
		else
			assert_str(e.id, presets[i].id);
		/* another body, and another key */
		assert_int_equal(receive(a, w, presets[i].head, HELLO, &e, &err),
			strstr(presets[i].listener, "gitlab") == NULL ? WEBHOOK_UNAUTHORIZED
								      : WEBHOOK_EVENT);
		assert_int_equal(receive(a, w, "", BODY, &e, &err), WEBHOOK_UNAUTHORIZED);
	}
}

static void every_preset_is_tried(void **state UNUSED)
{
	for (const struct webhook_scheme *s = webhook_schemes; s->name != NULL; s++) {
		/* those with a secret in the URL are tried below, all in one way */
		bool found = strcmp(s->name, "standard") == 0 || s->proof == WEBHOOK_PROOF_PATH;

		for (size_t i = 0; i < ARRAY_LEN(presets); i++)
			found |= strstr(presets[i].listener, s->name) != NULL;
		if (!found)
			fail_msg("no vector for %s", s->name);
	}
}

/* ---- from the senders' documentation ---- */

static void documented_vectors(void **state)
{
	struct arena *a = *state;
	struct err err;

	assert_ok(proves(a,
		webhook_of(a, "{\"provider\":\"github\",\"key\":\"It's a Secret to Everybody\"}"),
		"X-Hub-Signature-256: "
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"Hello, World!", NOW_MS, &err));
	assert_ok(proves(a,
		webhook_of(a,
			"{\"provider\":\"slack\",\"key\":\"8f742231b10e8888abcd99yyyzzz85a5\"}"),
		"X-Slack-Request-Timestamp: 1531420618\nX-Slack-Signature: "
		"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
		"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_"
		"id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%"
		"2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%"
		"2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
		"47445629121.803a0bc887a14d10d2c447fce8b6703c",
		INT64_C(1531420618000), &err));
	assert_ok(proves(a,
		webhook_of(a, "{\"verify\":\"standard\",\"key\":\"whsec_"
			      "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}"),
		"webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\nwebhook-timestamp: 1614265330\n"
		"webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"{\"test\": 2432232314}", INT64_C(1614265330000), &err));
}

/* ---- time ---- */

static void the_window_is_kept(void **state)
{
	struct arena *a = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		const struct webhook *w = webhook_of(a, presets[i].listener);
		const struct webhook_scheme *s = &w->scheme;

		if (s->time_header == NULL && s->time_label == NULL)
			continue;
		assert_ok(proves(a, w, presets[i].head, BODY, NOW_MS + 300000, &err));
		assert_ok(proves(a, w, presets[i].head, BODY, NOW_MS - 300000, &err));
		assert_fails(proves(a, w, presets[i].head, BODY, NOW_MS + 300001, &err),
			ERR_UNAUTHORIZED, "300 s old");
		assert_fails(proves(a, w, presets[i].head, BODY, NOW_MS - 301000, &err),
			ERR_UNAUTHORIZED, "301 s ahead");
	}
}

/* A signature that is right over a timestamp that is none. */
static void timestamps_that_are_none(void **state)
{
	static const char *const texts[] = { "", "now", "1700000000.5", "-1700000000", "1e9",
		"99999999999999999999", "9223372036854775807" };
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a, "{\"provider\":\"stripe\",\"key\":\"secret\"}");
	unsigned char digest[HMAC_BYTES_MAX];
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char hex[65] = "";

		hmac(HMAC_SHA256, STR("secret"), str_fmt(a, "%s." BODY, texts[i]), digest);
		str_hex_put(hex, digest, 32);
		assert_fails(proves(a, w,
				     str_fmt(a, "Stripe-Signature: t=%s,v1=%s", texts[i], hex).p,
				     BODY, NOW_MS, &err),
			ERR_UNAUTHORIZED, "timestamp is no number");
	}
	assert_fails(proves(a, w, "Stripe-Signature: v1=00", BODY, NOW_MS, &err), ERR_UNAUTHORIZED,
		"no timestamp in the header Stripe-Signature");
}

/* ---- tokens, basic, the path ---- */

static bool asks(struct arena *a, const struct webhook *w, const char *head, const char *query,
	const char *path_token, const char *body, struct err *err)
{
	struct webhook_event e;

	*err = (struct err)ERR_INIT;
	return webhook_receive(w, request_of(a, head, query, str_z(body)), str_z(path_token),
		       NOW_MS, &e, err) == WEBHOOK_EVENT;
}

static void tokens(void **state)
{
	struct arena *a = *state;
	const struct webhook *body = webhook_of(a,
		"{\"verify\":\"token\",\"token\":\"To ken\",\"path\":\"v.token\"}");
	const struct webhook *header = webhook_of(a,
		"{\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"header\","
		"\"tokenHeaderName\":\"X-Token\"}");
	const struct webhook *bearer = webhook_of(a,
		"{\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"header\","
		"\"tokenHeaderName\":\"Authorization\",\"tokenHeaderScheme\":\"bearer\"}");
	const struct webhook *query = webhook_of(a,
		"{\"verify\":\"token\",\"token\":\"a b\",\"tokenLocation\":\"queryParam\","
		"\"tokenQueryParamName\":\"key\"}");
	struct err err;

	assert_ok(asks(a, body, "", NULL, NULL, "{\"v\":{\"token\":\"To ken\"}}", &err));
	assert_fails(asks(a, body, "", NULL, NULL, "{\"v\":{\"token\":\"to ken\"}}", &err),
		ERR_UNAUTHORIZED, "another");
	assert_fails(asks(a, body, "", NULL, NULL, "{\"v\":{\"token\":\"To ken \"}}", &err),
		ERR_UNAUTHORIZED, "another");
	assert_fails(asks(a, body, "", NULL, NULL, "{\"v\":{\"token\":1}}", &err), ERR_UNAUTHORIZED,
		"no text at v.token");
	assert_fails(asks(a, body, "", NULL, NULL, "{\"v\":", &err), ERR_UNAUTHORIZED, "not JSON");
	assert_ok(asks(a, header, "x-token: t", NULL, NULL, "{}", &err));
	assert_fails(asks(a, header, "", NULL, NULL, "{}", &err), ERR_UNAUTHORIZED,
		"no header X-Token");
	assert_ok(asks(a, bearer, "Authorization: Bearer t", NULL, NULL, "{}", &err));
	assert_fails(asks(a, bearer, "Authorization: t", NULL, NULL, "{}", &err), ERR_UNAUTHORIZED,
		"Bearer");
	assert_ok(asks(a, query, "", "x=1&key=a+b", NULL, "{}", &err));
	assert_fails(asks(a, query, "", "key=ab", NULL, "{}", &err), ERR_UNAUTHORIZED, "another");
	assert_fails(asks(a, query, "", NULL, NULL, "{}", &err), ERR_UNAUTHORIZED,
		"no query parameter key");
}

static void basic(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a,
		"{\"verify\":\"basic\",\"username\":\"user\",\"password\":\"pa:ss\"}");
	struct err err;

	/* user:pa:ss */
	assert_ok(asks(a, w, "Authorization: Basic dXNlcjpwYTpzcw==", NULL, NULL, "{}", &err));
	assert_ok(asks(a, w, "Authorization: basic dXNlcjpwYTpzcw==", NULL, NULL, "{}", &err));
	assert_fails(asks(a, w, "Authorization: Basic dXNlcjpwYTpzcQ==", NULL, NULL, "{}", &err),
		ERR_UNAUTHORIZED, "wrong");
	assert_fails(asks(a, w, "Authorization: Basic dXNl%", NULL, NULL, "{}", &err),
		ERR_UNAUTHORIZED, "base64");
	assert_fails(asks(a, w, "Authorization: Bearer x", NULL, NULL, "{}", &err),
		ERR_UNAUTHORIZED, "Basic");
}

static void secret_url(void **state)
{
	struct arena *a = *state;
	const struct webhook *w = webhook_of(a, "{\"verify\":\"secret_url\",\"token\":\"s3cr3t\"}");
	struct err err;

	assert_ok(asks(a, w, "", NULL, "s3cr3t", "{}", &err));
	assert_fails(asks(a, w, "", NULL, "s3cr3T", "{}", &err), ERR_UNAUTHORIZED, "another");
	assert_fails(asks(a, w, "", NULL, NULL, "{}", &err), ERR_UNAUTHORIZED, "no token");
}

static void presets_by_path(void **state)
{
	struct arena *a = *state;
	struct err err;
	size_t n = 0;

	for (const struct webhook_scheme *s = webhook_schemes; s->name != NULL; s++) {
		if (s->proof != WEBHOOK_PROOF_PATH && !s->or_path)
			continue;
		const struct webhook *w = webhook_of(a,
			str_fmt(a, "{\"provider\":\"%s\",\"token\":\"s3cr3t\"}", s->name).p);

		assert_ok(asks(a, w, "", NULL, "s3cr3t", "{}", &err));
		assert_fails(asks(a, w, "", NULL, "s3cr3T", "{}", &err), ERR_UNAUTHORIZED,
			"another");
		assert_true(webhook_path_is(w, STR("s3cr3t")));
		assert_false(webhook_path_is(w, STR("s3cr3")));
		n++;
	}
	assert_true(n > 0);
	assert_false(webhook_path_is(webhook_of(a, "{\"provider\":\"gitlab\",\"token\":\"t\"}"),
		STR("t")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hmac_vectors),
		TEST(hmac_refuses),
		TEST(keys_rotate),
		TEST(presets_accept),
		TEST(every_preset_is_tried),
		TEST(documented_vectors),
		TEST(the_window_is_kept),
		TEST(timestamps_that_are_none),
		TEST(tokens),
		TEST(basic),
		TEST(secret_url),
		TEST(presets_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
