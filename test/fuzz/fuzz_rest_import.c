/*
 * fuzz_rest_import.c - the texts of an import: any rest part of a document must be compiled or refused
 * with words, and a kept request that can be read must be read as it stands.
 *
 * The input is a JSON document, or a kept request.
 */
#include "adaptor/rest/rest_sink_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(struct str text)
{
	struct request rq;
	struct http_header h;
	struct err err = ERR_INIT;

	if (!rest_prepare_parse(text, &rq, &err)) {
		CHECK(err.code == ERR_INTERNAL && err.message[0] != '\0');
		return;
	}
	struct str lines = rq.headers;
	size_t n = rq.headers.n;

	CHECK(rq.head.n + rq.body.n == text.n);
	while (rest_prepare_header(&lines, &h)) {
		CHECK(lines.n < n);
		n = lines.n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a DEFER(arena_freep) = arena_new("input", 0);
	struct str text = str_of((const char *)data, size);
	const struct json *rest;
	struct json_build b;
	struct err err = ERR_INIT, unread = ERR_INIT;

	read_request(text);
	if (!json_parse_copy(a, text, &rest, &unread) || rest->type != JSON_OBJECT)
		return 0;
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_copy(&b, STR("rest"), rest);
	json_build_end(&b);
	if (!rest_import_check(json_build_done(&b), &err))
		CHECK(err.message[0] != '\0');
	return 0;
}
