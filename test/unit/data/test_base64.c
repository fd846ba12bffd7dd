/*
 * test_base64.c - the vectors of RFC 4648, every length, and what strict decoding refuses.
 */
#include "test.h"

#include "data/base64.h"

static void rfc_vectors(void **state UNUSED)
{
	static const struct {
		const char *plain, *text;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str bytes;

		assert_str(base64_encode(a, str_z(rows[i].plain)), rows[i].text);
		assert_ok(base64_decode(a, str_z(rows[i].text), &bytes, &err));
		assert_str(bytes, rows[i].plain);
		assert_int_equal(base64_len(strlen(rows[i].plain)), strlen(rows[i].text));
	}
}

static void every_length_and_byte(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	unsigned char raw[256];
	struct err err;

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (unsigned char)(255 - i);
	for (size_t n = 0; n <= sizeof(raw); n++) {
		struct str in = str_of((char *)raw, n), out;

		assert_ok(base64_decode(a, base64_encode(a, in), &out, &err));
		assert_true(str_eq(in, out));
	}
}

static void refuses(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "Z", "offset 1 inside a group" },
		{ "Zg", "offset 2 inside a group" },
		{ "Zg=", "offset 3 inside a group" },
		{ "Zm9", "offset 3 inside a group" },
		{ "Zm9vZm9vZm9vZm9vZm9vZm9", "offset 23 inside a group" },
		{ "Zg===", "offset 2" },
		{ "====", "offset 0" },
		{ "Zg==Zg==", "offset 2" },
		{ "Zh==", "stray bits at offset 1" },
		{ "Zm9=", "stray bits at offset 2" },
		{ "Zm9v\n", "offset 4" },
		{ "Zm 9", "offset 2" },
		{ "Zm-_", "offset 2" },
		{ "Zm9\xC3", "offset 3" },
		{ "=Zm9", "offset 0" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str bytes = STR("untouched");

		assert_fails(base64_decode(a, str_z(rows[i].text), &bytes, &err), ERR_INVALID,
			rows[i].why);
		assert_str(bytes, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_vectors),
		cmocka_unit_test(every_length_and_byte),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
