/*
 * fuzz_webhook.c - requests to listeners: the first byte picks a listener, then header lines to an
 * empty line, then the body. What is taken must be JSON that can be joined to a page.
 */
#include "adaptor/webhook/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS INT64_C(1700000000000)

static const char *const listeners[] = {
	"{\"verify\":\"hmac\",\"algorithm\":\"sha1\",\"encoding\":\"base64\",\"key\":\"k\","
	"\"header\":\"S\"}",
	"{\"verify\":\"hmac\",\"algorithm\":\"sha512\",\"encoding\":\"hex\",\"key\":\"k\","
	"\"previousKey\":\"l\",\"header\":\"S\"}",
	"{\"verify\":\"token\",\"token\":\"t\",\"path\":\"t\",\"idPath\":\"i\",\"challengePath\":"
	"\"c\"}",
	"{\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"header\",\"tokenHeaderName\":"
	"\"T\",\"tokenHeaderScheme\":\"bearer\",\"idHeader\":\"I\"}",
	"{\"verify\":\"token\",\"token\":\"t\",\"tokenLocation\":\"queryParam\","
	"\"tokenQueryParamName\":\"t\"}",
	"{\"verify\":\"basic\",\"username\":\"u\",\"password\":\"p\"}",
	"{\"verify\":\"secret_url\",\"token\":\"t\"}",
	"{\"verify\":\"standard\",\"key\":\"whsec_c2VjcmV0\"}",
	"{\"provider\":\"stripe\",\"key\":\"secret\"}",
	"{\"provider\":\"slack\",\"key\":\"secret\"}",
	"{\"provider\":\"zendesk\",\"key\":\"secret\"}",
	"{\"provider\":\"pagerduty\",\"key\":\"secret\"}",
	"{\"provider\":\"meta\",\"key\":\"secret\",\"token\":\"t\"}",
};

static void read_request(struct str text, struct http_exchange *x)
{
	struct http_header *headers = arena_array_of(x->arena, struct http_header, 32);

	while (text.p != NULL && text.n > 0 && x->header_count < 32) {
		struct str value = str_cut(&text, '\n'), name = str_cut(&value, ':');

		if (name.n == 0)
			break;
		if (str_eq_z(name, "?"))
			x->query = value.p == NULL ? STR("") : value;
		else
			headers[x->header_count++] = (struct http_header){ name,
				value.p == NULL ? STR("") : str_trim(value) };
	}
	x->headers = headers;
	x->body_bytes = text.p == NULL ? 0 : text.n;
	x->body = x->body_bytes == 0 ? NULL : arena_strndup(x->arena, text.p, text.n);
}

/* As the pages of listeners are made. */
static void check_joins(struct arena *a, struct str body)
{
	const struct json *doc;
	struct err err = ERR_INIT;

	CHECK(json_parse_copy(a, str_fmt(a, "[%.*s,{}]", STR_ARG(body)), &doc, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	const struct json *doc;
	const struct webhook *w;
	struct webhook_event e;
	struct err err = ERR_INIT;
	struct str challenge;

	if (size == 0)
		return 0;
	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	struct http_exchange x = { .arena = a, .method = HTTP_POST };
	const char *listener = listeners[data[0] % ARRAY_LEN(listeners)];

	read_request(str_of((const char *)data + 1, size - 1), &x);
	CHECK(json_parse_copy(a, str_z(listener), &doc, &err) && webhook_compile(a, doc, &w, &err));
	if (webhook_receive(w, &x, STR("t"), NOW_MS, &e, &err) == WEBHOOK_EVENT) {
		CHECK(e.id.n <= WEBHOOK_ID_MAX);
		check_joins(a, e.body);
	}
	if (webhook_handshake(w, &x, &challenge))
		CHECK(challenge.n > 0 && webhook_challenge(w, a, challenge).body.n > 0);
	return 0;
}
