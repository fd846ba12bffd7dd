/*
 * test_json_print.c - both styles, the escapes, a buffer's maximum, and that what was printed parses
 * to the same document and prints to the same bytes.
 */
#include "test.h"

#include "core/rng.h"
#include "data/json.h"

static const struct json *parsed(struct arena *a, struct str text)
{
	const struct json *root = NULL;
	struct err err;

	assert_ok(json_parse_copy(a, text, &root, &err));
	return root;
}

static struct str pretty(struct arena *a, const struct json *v)
{
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	json_print(&b, v, JSON_PRETTY);
	return str_dup(a, buf_str(&b));
}

static void styles(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *v = parsed(a, STR(" { \"a\" : [ 1 , [ ] , { } , [ true ] ] , \"b\" : { "
					     "\"c\" : null , \"d\" : false } } "));

	assert_str(json_print_arena(a, v),
		"{\"a\":[1,[],{},[true]],\"b\":{\"c\":null,\"d\":false}}");
	assert_str(pretty(a, v), "{\n"
				 "  \"a\": [\n"
				 "    1,\n"
				 "    [],\n"
				 "    {},\n"
				 "    [\n"
				 "      true\n"
				 "    ]\n"
				 "  ],\n"
				 "  \"b\": {\n"
				 "    \"c\": null,\n"
				 "    \"d\": false\n"
				 "  }\n"
				 "}");
	/* a part of a document prints alone */
	assert_str(json_print_arena(a, json_get(v, STR("b"))), "{\"c\":null,\"d\":false}");
	assert_str(json_print_arena(a, json_at(json_get(v, STR("a")), 3)), "[true]");
	assert_str(pretty(a, parsed(a, STR("[]"))), "[]");
	assert_str(pretty(a, parsed(a, STR("7"))), "7");
}

static void constants(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_str(json_print_arena(a, &json_null), "null");
	assert_str(json_print_arena(a, &json_true), "true");
	assert_str(json_print_arena(a, &json_false), "false");
	assert_str(json_print_arena(a, &json_empty_object), "{}");
	assert_str(json_print_arena(a, &json_empty_array), "[]");
	assert_str(json_print_arena(a, &json_empty_string), "\"\"");
}

static void escapes(void **state UNUSED)
{
	static const char *const shorts[0x80] = { ['"'] = "\\\"",
		['\\'] = "\\\\",
		['\b'] = "\\b",
		['\f'] = "\\f",
		['\n'] = "\\n",
		['\r'] = "\\r",
		['\t'] = "\\t" };
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	for (int i = 0; i < 0x80; i++) {
		char c = (char)i;
		struct str inner = shorts[i] != NULL ? str_z(shorts[i])
				   : i < 0x20        ? str_fmt(a, "\\u%04x", (unsigned)i)
						     : str_of(&c, 1);

		buf_reset(&b);
		json_print_str(&b, str_of(&c, 1));
		assert_int_equal(b.n, inner.n + 2);
		assert_true(b.p[0] == '"' && b.p[b.n - 1] == '"');
		assert_true(str_eq(str_sub(buf_str(&b), 1, inner.n), inner));
	}
	/* what may stand as it is stands as it is */
	buf_reset(&b);
	json_print_str(&b, STR("\x7F\xC3\xA9\xE2\x80\xA8/"));
	assert_str(buf_str(&b), "\"\x7F\xC3\xA9\xE2\x80\xA8/\"");
}

/* An escape at every offset of strings around the width of the scan. */
static void escapes_anywhere(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t n = 1; n < 50; n++) {
		for (size_t at = 0; at < n; at++) {
			struct buf b DEFER(buf_free) = BUF_INIT(0);
			char *s;

			arena_reset(a);
			s = memset(arena_alloc(a, n), 'z', n);
			s[at] = at % 3 == 0 ? '"' : at % 3 == 1 ? '\\' : '\x02';
			json_print_str(&b, str_of(s, n));
			assert_true(str_eq(json_str(parsed(a, buf_str(&b))), str_of(s, n)));

			/* as a value, for which short strings are looked at in words */
			struct json v = { JSON_STRING, .n = (uint32_t)n, .s = s };

			assert_true(str_eq(json_print_arena(a, &v), buf_str(&b)));
			s[at] = "!#[]\x7F"[at % 5]; /* the neighbours need none */
			assert_int_equal(json_print_arena(a, &v).n, n + 2);
		}
	}
}

static void empty_slices(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct json_build b;

	/* a slice of nothing may point nowhere */
	json_build_init(&b, a);
	json_build_object(&b);
	json_build_key(&b, STR_NULL);
	json_build_str(&b, STR_NULL);
	json_build_end(&b);
	assert_str(json_print_arena(a, json_build_done(&b)), "{\"\":\"\"}");
}

/* Exactly the maximum fits, and one byte less does not, whatever could have been escaped. */
static void maximum(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	static const char *const texts[] = {
		"{\"name\":\"a string of a good length\",\"more\":[1,2.50,true,null,\"x\"]}",
		"[\"\\u0001\\n\\\"tail\"]",
		"[[[[]]],{\"a\":{}}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct str want = str_z(texts[i]);
		const struct json *v = parsed(a, want);
		struct json_build copy;

		/* built strings are not known to be plain */
		json_build_init(&copy, a);
		json_build_copy(&copy, v);
		struct json *nodes = (struct json *)(uintptr_t)json_build_done(&copy);

		for (uint64_t k = 0; k < json_span(nodes); k++)
			nodes[k].plain = 0;
		for (size_t max = 1; max <= want.n + 1; max++) {
			struct buf exact DEFER(buf_free) = BUF_INIT(max),
					 built DEFER(buf_free) = BUF_INIT(max);

			json_print(&exact, v, JSON_COMPACT);
			json_print(&built, nodes, JSON_COMPACT);
			assert_int_equal(exact.over, max < want.n);
			assert_int_equal(built.over, max < want.n);
			if (max >= want.n) {
				assert_str(buf_str(&exact), texts[i]);
				assert_str(buf_str(&built), texts[i]);
			}
		}
	}
}

/* ---- print, parse, print ---- */

static void random_str(struct json_build *b, struct arena *a, struct rng *rng, bool key)
{
	static const char *const parts[] = { "a", "Z9", "\"", "\\", "\n", "\x1F", "/", "\x7F",
		"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "plain text of some length" };
	struct buf s DEFER(buf_free) = BUF_INIT(0);

	for (uint64_t n = rng_below(rng, 6); n > 0; n--)
		buf_add_str(&s, str_z(parts[rng_below(rng, ARRAY_LEN(parts))]));
	struct str text = str_dup(a, buf_str(&s));

	if (key)
		json_build_key(b, text);
	else
		json_build_str(b, text);
}

static void random_value(struct json_build *b, struct arena *a, struct rng *rng, unsigned depth)
{
	static const char *const numbers[] = { "0", "-0", "0.10", "1E400", "9007199254740993",
		"-1.5e-3", "123456789012345678901234567890" };
	uint64_t kind = rng_below(rng, depth == 0 ? 5 : 7);

	if (kind == 0)
		json_build_null(b);
	else if (kind == 1)
		json_build_bool(b, rng_below(rng, 2) == 0);
	else if (kind == 2)
		json_build_lexeme(b, str_z(numbers[rng_below(rng, ARRAY_LEN(numbers))]));
	else if (kind < 5)
		random_str(b, a, rng, false);
	if (kind < 5)
		return;
	if (kind == 5)
		json_build_array(b);
	else
		json_build_object(b);
	for (uint64_t n = rng_below(rng, 5); n > 0; n--) {
		if (kind == 6)
			random_str(b, a, rng, true);
		random_value(b, a, rng, depth - 1);
	}
	json_build_end(b);
}

static void round_trip(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct rng rng;

	rng_test_init(&rng, 8259);
	for (int i = 0; i < 3000; i++) {
		struct json_build b;

		arena_reset(a);
		json_build_init(&b, a);
		random_value(&b, a, &rng, 6);
		const struct json *built = json_build_done(&b);
		struct str text = json_print_arena(a, built);
		const struct json *again = parsed(a, text);

		assert_true(json_equal(built, again));
		assert_true(str_eq(json_print_arena(a, again), text));
		struct str long_text = pretty(a, again);

		assert_true(json_equal(built, parsed(a, long_text)));
		assert_true(str_eq(pretty(a, parsed(a, long_text)), long_text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(styles),
		cmocka_unit_test(constants),
		cmocka_unit_test(escapes),
		cmocka_unit_test(escapes_anywhere),
		cmocka_unit_test(empty_slices),
		cmocka_unit_test(maximum),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
