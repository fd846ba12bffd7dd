/*
 * fuzz_xml.c - any bytes as XML: what is taken must be a JSON document that prints and parses again.
 */
#include "data/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xml_limits limits = { .depth_max = 20,
		.attributes_max = 10,
		.text_bytes_max = 1000,
		.nodes_max = 1000 };
	static struct arena *a;
	const struct json *root = NULL, *again;
	struct err err = ERR_INIT;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	if (!xml_to_json(a, str_of((const char *)data, size), &limits, &root, &err)) {
		CHECK(root == NULL && (err.code == ERR_PARSE || err.code == ERR_LIMIT));
		CHECK(str_starts(str_z(err.message), STR("line ")));
		return 0;
	}
	CHECK(json_is_object(root) && root->n == 1);
	CHECK(json_parse_copy(a, json_print_arena(a, root), &again, &err));
	CHECK(json_equal(root, again));
	return 0;
}
