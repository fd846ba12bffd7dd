/*
 * webhook_rig.h - a listener from its JSON, and a request to it from header lines and a body.
 */
#ifndef TEST_UNIT_ADAPTOR_WEBHOOK_RIG_H
#define TEST_UNIT_ADAPTOR_WEBHOOK_RIG_H

#include "test.h"

#include "adaptor/webhook/webhook_priv.h"

#define NOW_MS INT64_C(1700000000000)

static inline const struct webhook *webhook_of(struct arena *a, const char *text)
{
	const struct json *doc;
	const struct webhook *w;
	struct err err;

	assert_ok(json_parse_copy(a, str_z(text), &doc, &err));
	assert_ok(webhook_compile(a, doc, &w, &err));
	return w;
}

/* HEAD: lines "Name: value", parted by \n; QUERY NULL: none. */
static inline struct http_exchange *request_of(struct arena *a, const char *head, const char *query,
	struct str body)
{
	struct http_exchange *x = arena_new_of(a, struct http_exchange);
	struct http_header *headers = arena_array_of(a, struct http_header, 20);
	struct str rest = str_z(head);

	while (rest.p != NULL && rest.n > 0) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');

		headers[x->header_count++] = (struct http_header){ name, str_trim(value) };
	}
	x->arena = a;
	x->method = HTTP_POST;
	x->headers = headers;
	x->query = str_z(query);
	x->body = arena_strndup(a, body.p, body.n);
	x->body_bytes = body.n;
	return x;
}

static inline enum webhook_verdict receive(struct arena *a, const struct webhook *w,
	const char *head, const char *body, struct webhook_event *event, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return webhook_receive(w, request_of(a, head, NULL, str_z(body)), STR_NULL, NOW_MS, event,
		err);
}

static int setup(void **state)
{
	*state = arena_new("test", 0);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
