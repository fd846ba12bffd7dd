/*
 * test_json_parse.c - what RFC 8259 accepts and refuses, with the place and the words of each
 * refusal; every text is parsed from memory of exactly its size, so that a sanitizer sees any read
 * beyond it.
 */
#include "test.h"

#include "core/limits.h"
#include "core/rng.h"
#include "data/json.h"

/* A string literal that may hold NUL bytes. */
#define T(lit) STR_INIT(lit)

/* Blanks around a text change nothing but columns: not the way in which its strings are found. */
static void parse_among_blanks(struct str text, const struct json_limits *limits,
	const struct json *root, const struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("blanks", 0);
	size_t most = str_starts(text, STR("\xEF\xBB\xBF")) ? 1 : 130;

	for (size_t before = 0; before < most; before += 13) {
		size_t n = before + text.n + 300;
		char *p = memset(arena_alloc(a, n), ' ', n);
		const struct json *other = NULL;
		struct err why = ERR_INIT;

		memcpy(p + before, text.p, text.n);
		if (json_parse(a, p, n, limits, &other, &why)) {
			assert_non_null(root);
			assert_true(json_equal(root, other));
			continue;
		}
		assert_null(root);
		assert_int_equal(why.code, err->code);
		if (before == 0)
			assert_string_equal(why.message, err->message);
	}
}

static bool parse(struct arena *a, struct str text, const struct json_limits *limits,
	const struct json **root, struct err *err)
{
	bool ok = json_parse(a, arena_memdup(a, text.p, text.n), text.n, limits, root, err);
	bool by_size = limits != NULL && limits->bytes_max != 0;

	/* what ends too early would not with blanks behind it */
	if (ok || (!by_size && strstr(err->message, "but the text ends") == NULL))
		parse_among_blanks(text, by_size ? NULL : limits, ok ? *root : NULL, err);
	return ok;
}

static const struct json *parsed(struct arena *a, struct str text)
{
	const struct json *root = NULL;
	struct err err;

	assert_ok(parse(a, text, NULL, &root, &err));
	return root;
}

/* What is accepted, and how it prints: that shows what was understood. */
static void accepts(void **state UNUSED)
{
	static const struct {
		struct str text, printed;
	} rows[] = {
		/* structure */
		{ T("[]"), T("[]") },
		{ T("{}"), T("{}") },
		{ T("[[]   ]"), T("[[]]") },
		{ T("[\"\"]"), T("[\"\"]") },
		{ T(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n"), T("[1,2]") },
		{ T("{ \"a\" \n:\t1\r, \"b\" : { } }"), T("{\"a\":1,\"b\":{}}") },
		{ T("[null,1,\"1\",{}]"), T("[null,1,\"1\",{}]") },
		{ T("{\"\":0}"), T("{\"\":0}") },
		{ T("{\"a\":[{\"b\":[[],{}]}]}"), T("{\"a\":[{\"b\":[[],{}]}]}") },
		{ T("{\"a\":1,\"a\":1}"), T("{\"a\":1,\"a\":1}") },
		/* any value is a text (RFC 8259, 2) */
		{ T("null"), T("null") },
		{ T("true"), T("true") },
		{ T("false"), T("false") },
		{ T("\"x\""), T("\"x\"") },
		{ T("0"), T("0") },
		{ T(" -1.5e-3 "), T("-1.5e-3") },
		/* a leading byte order mark is ignored (8.1) */
		{ T("\xEF\xBB\xBF[1]"), T("[1]") },
		{ T("\xEF\xBB\xBF 7"), T("7") },
		/* numbers keep their lexeme */
		{ T("[-0,-0.0,0e1,0E+1,0e-1,1E22]"), T("[-0,-0.0,0e1,0E+1,0e-1,1E22]") },
		{ T("9007199254740993"), T("9007199254740993") },
		{ T("0.10"), T("0.10") },
		{ T("1E400"), T("1E400") },
		{ T("-1e-9999999999999"), T("-1e-9999999999999") },
		{ T("123456789012345678901234567890"), T("123456789012345678901234567890") },
		{ T("20e001"), T("20e001") },
		/* escapes */
		{ T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), T("\"\\\"\\\\/\\b\\f\\n\\r\\t\"") },
		{ T("\"\\u0060\\u012a\\u12AB\\uffff\""),
			T("\"`\xC4\xAA\xE1\x8A\xAB\xEF\xBF\xBF\"") },
		{ T("\"\\u0000\""), T("\"\\u0000\"") },
		{ T("\"\\u0000\\u001f\\u007F\""), T("\"\\u0000\\u001f\x7F\"") },
		{ T("\"\\\\u0000\""), T("\"\\\\u0000\"") },
		{ T("\"\\u0022\\u005c\""), T("\"\\\"\\\\\"") },
		{ T("\"\\uD801\\udc37\""), T("\"\xF0\x90\x90\xB7\"") },
		{ T("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""),
			T("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"") },
		{ T("\"\\uFDD0\\uFFFE\\uE000\\uD7FF\""),
			T("\"\xEF\xB7\x90\xEF\xBF\xBE\xEE\x80\x80\xED\x9F\xBF\"") },
		{ T("{\"\\u0061\\n\":1}"), T("{\"a\\n\":1}") },
		/* UTF-8, and what looks like a comment or an end inside a string */
		{ T("\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"
		    "\""),
			T("\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F"
			  "\xBF\xBF\"") },
		{ T("\"\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF\""),
			T("\"\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF\"") },
		{ T("\"a/*b*/c//d#e]},\""), T("\"a/*b*/c//d#e]},\"") },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = json_print_arena(a, parsed(a, rows[i].text));

		if (!str_eq(got, rows[i].printed))
			fail_msg("%.*s: got %.*s", STR_ARG(rows[i].text), STR_ARG(got));
	}
}

struct refusal {
	struct str text;
	const char *why;
};

static void check_refusals(const struct refusal *rows, size_t count)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct err err;

	for (size_t i = 0; i < count; i++) {
		const struct json *root = &json_null;

		assert_fails(parse(a, rows[i].text, NULL, &root, &err), ERR_JSON, rows[i].why);
		assert_ptr_equal(root, &json_null);
		/* the place comes first, and what follows is the whole of the message */
		if (strncmp(err.message, "line ", 5) != 0 ||
			strcmp(err.message + strlen(err.message) - strlen(rows[i].why),
				rows[i].why) != 0)
			fail_msg("\"%.*s\": %s", STR_ARG(rows[i].text), err.message);
	}
}

static void refuses_structure(void **state UNUSED)
{
	static const struct refusal rows[] = {
		{ T(""), "line 1, column 1: expected a value, but the text ends" },
		{ T(" \n\n  "), "line 3, column 3: expected a value, but the text ends" },
		{ T("\xEF\xBB\xBF"), "expected a value, but the text ends" },
		{ T("\xEF\xBB\xBFx"), "line 1, column 1: expected a value, found 'x'" },
		{ T("\xEF\xBB\xBF\xEF\xBB\xBF[]"),
			"line 1, column 1: expected a value, found byte 0xef" },
		{ T("\xEF\xBB"), "expected a value, found byte 0xef" },
		{ T("\xFE\xFF\0[\0]"), "expected a value, found byte 0xfe" },
		{ T("[\0]\0"), "line 1, column 2: expected a value, found byte 0x00" },
		{ T("["), "line 1, column 2: expected a value, but the text ends" },
		{ T("[1"), "line 1, column 3: expected ',' or ']', but the text ends" },
		{ T("[1,"), "line 1, column 4: expected a value, but the text ends" },
		{ T("[1,]"), "line 1, column 4: expected a value, found ']'" },
		{ T("[,1]"), "line 1, column 2: expected a value, found ','" },
		{ T("[1,,2]"), "line 1, column 4: expected a value, found ','" },
		{ T("[1 2]"), "line 1, column 4: expected ',' or ']', found '2'" },
		{ T("[\"a\" \"b\"]"), "column 6: expected ',' or ']', found '\"'" },
		{ T("[1:2]"), "column 3: expected ',' or ']', found ':'" },
		{ T("[1}"), "column 3: expected ',' or ']', found '}'" },
		{ T("]"), "column 1: expected a value, found ']'" },
		{ T("[1]]"), "column 4: expected the end of the text, found ']'" },
		{ T("[][]"), "column 3: expected the end of the text, found '['" },
		{ T("1 2"), "column 3: expected the end of the text, found '2'" },
		{ T("{}\n}"), "line 2, column 1: expected the end of the text, found '}'" },
		{ T("[]\0"), "column 3: expected the end of the text, found byte 0x00" },
		{ T("[1\0]"), "column 3: expected ',' or ']', found byte 0x00" },
		{ T("{\"a\":1\0}"), "column 7: expected ',' or '}', found byte 0x00" },
		{ T("{"), "column 2: expected a name in quotes, or '}', but the text ends" },
		{ T("{]"), "column 2: expected a name in quotes, or '}', found ']'" },
		{ T("{,}"), "column 2: expected a name in quotes, or '}', found ','" },
		{ T("{a:1}"), "column 2: expected a name in quotes, or '}', found 'a'" },
		{ T("{'a':1}"), "column 2: expected a name in quotes, or '}', found '''" },
		{ T("{1:1}"), "column 2: expected a name in quotes, or '}', found '1'" },
		{ T("{null:1}"), "column 2: expected a name in quotes, or '}', found 'n'" },
		{ T("{\"a\""), "column 5: expected ':' behind a name, but the text ends" },
		{ T("{\"a\"}"), "column 5: expected ':' behind a name, found '}'" },
		{ T("{\"a\",1}"), "column 5: expected ':' behind a name, found ','" },
		{ T("{\"a\" 1}"), "column 6: expected ':' behind a name, found '1'" },
		{ T("{\"a\"=1}"), "column 5: expected ':' behind a name, found '='" },
		{ T("{\"a\":}"), "column 6: expected a value, found '}'" },
		{ T("{\"a\"::1}"), "column 6: expected a value, found ':'" },
		{ T("{\"a\":1"), "column 7: expected ',' or '}', but the text ends" },
		{ T("{\"a\":1]"), "column 7: expected ',' or '}', found ']'" },
		{ T("{\"a\":1,}"), "column 8: expected a name in quotes behind ',', found '}'" },
		{ T("{\"a\":1,,}"), "column 8: expected a name in quotes behind ',', found ','" },
		{ T("{\"a\":1,\n\n  b:2}"),
			"line 3, column 3: expected a name in quotes behind ',', found 'b'" },
		/* comments are not JSON */
		{ T("// x\n1"), "column 1: expected a value, found '/'" },
		{ T("[1,/* x */2]"), "column 4: expected a value, found '/'" },
		{ T("[1] # x"), "column 5: expected the end of the text, found '#'" },
		{ T("{\"a\":1}//"), "column 8: expected the end of the text, found '/'" },
		/* white space is four bytes and no others */
		{ T("[\f]"), "column 2: expected a value, found byte 0x0c" },
		{ T("\v1"), "column 1: expected a value, found byte 0x0b" },
		{ T("[1\xC2\xA0]"), "column 3: expected ',' or ']', found byte 0xc2" },
		{ T("[\xE2\x80\x83"
		    "1]"),
			"column 2: expected a value, found byte 0xe2" },
		{ T("[1\x7F]"), "column 3: expected ',' or ']', found byte 0x7f" },
	};

	check_refusals(rows, ARRAY_LEN(rows));
}

static void refuses_scalars(void **state UNUSED)
{
	static const struct refusal rows[] = {
		/* words */
		{ T("nul"), "column 1: expected a value, found 'n'" },
		{ T("[nulL]"), "column 2: expected a value, found 'n'" },
		{ T("True"), "expected a value, found 'T'" },
		{ T("tru"), "expected a value, found 't'" },
		{ T("fals"), "expected a value, found 'f'" },
		{ T("truex"), "column 5: expected the end of the text, found 'x'" },
		{ T("[nullnull]"), "column 6: expected ',' or ']', found 'n'" },
		{ T("undefined"), "expected a value, found 'u'" },
		{ T("NaN"), "expected a value, found 'N'" },
		{ T("Infinity"), "expected a value, found 'I'" },
		{ T("-Infinity"), "column 2: expected a digit, found 'I'" },
		{ T("'a'"), "expected a value, found '''" },
		/* numbers */
		{ T("-"), "column 2: expected a digit, but the text ends" },
		{ T("--1"), "column 2: expected a digit, found '-'" },
		{ T("- 1"), "column 2: expected a digit, found byte 0x20" },
		{ T("+1"), "column 1: expected a value, found '+'" },
		{ T(".5"), "column 1: expected a value, found '.'" },
		{ T("-.5"), "column 2: expected a digit, found '.'" },
		{ T("1."), "column 3: expected a digit, but the text ends" },
		{ T("[1.]"), "column 4: expected a digit, found ']'" },
		{ T("[1.e1]"), "column 4: expected a digit, found 'e'" },
		{ T("01"), "column 2: a number can't begin with 0 and another digit" },
		{ T("-012"), "column 3: a number can't begin with 0 and another digit" },
		{ T("00"), "column 2: a number can't begin with 0 and another digit" },
		{ T("0x1F"), "column 2: expected the end of the text, found 'x'" },
		{ T("1e"), "column 3: expected a digit, but the text ends" },
		{ T("1e+"), "column 4: expected a digit, but the text ends" },
		{ T("[1E-]"), "column 5: expected a digit, found ']'" },
		{ T("1e1.5"), "column 4: expected the end of the text, found '.'" },
		{ T("1.2.3"), "column 4: expected the end of the text, found '.'" },
		{ T("1_000"), "column 2: expected the end of the text, found '_'" },
		{ T("[1a]"), "column 3: expected ',' or ']', found 'a'" },
		{ T("[1+2]"), "column 3: expected ',' or ']', found '+'" },
		{ T("\xEF\xBC\x91"), "expected a value, found byte 0xef" },
		/* strings */
		{ T("\""), "column 2: expected '\"' at the end of a string, but the text ends" },
		{ T("[\"abc"),
			"column 6: expected '\"' at the end of a string, but the text ends" },
		{ T("[\"abc\\\"]"),
			"column 9: expected '\"' at the end of a string, but the text ends" },
		{ T("\"\\"), "column 3: expected the rest of an escape, but the text ends" },
		{ T("\"\\x41\""),
			"column 3: expected one of \"\\/bfnrtu behind a backslash, found 'x'" },
		{ T("\"\\a\""),
			"column 3: expected one of \"\\/bfnrtu behind a backslash, found 'a'" },
		{ T("\"\\U0041\""),
			"column 3: expected one of \"\\/bfnrtu behind a backslash, found 'U'" },
		{ T("\"\\'\""),
			"column 3: expected one of \"\\/bfnrtu behind a backslash, found '''" },
		{ T("\"\\0\""),
			"column 3: expected one of \"\\/bfnrtu behind a backslash, found '0'" },
		{ T("\"\\\0\""),
			"expected one of \"\\/bfnrtu behind a backslash, found byte 0x00" },
		{ T("\"\\\n\""),
			"expected one of \"\\/bfnrtu behind a backslash, found byte 0x0a" },
		{ T("\"\\\xC3\xA9\""),
			"expected one of \"\\/bfnrtu behind a backslash, found byte 0xc3" },
		{ T("\"\\u\""), "column 2: \\u must be followed by four hexadecimal digits" },
		{ T("\"\\u12\""), "column 2: \\u must be followed by four hexadecimal digits" },
		{ T("\"\\u123"), "column 2: \\u must be followed by four hexadecimal digits" },
		{ T("\"\\u12G4\""), "column 2: \\u must be followed by four hexadecimal digits" },
		{ T("\"\\u+123\""), "column 2: \\u must be followed by four hexadecimal digits" },
		/* lone surrogates */
		{ T("\"\\uD800\""), "column 2: half of a surrogate pair stands for no character" },
		{ T("\"ab\\uDC00\""),
			"column 4: half of a surrogate pair stands for no character" },
		{ T("\"\\uD800\\n\""),
			"column 2: half of a surrogate pair stands for no character" },
		{ T("\"\\uD800\\uD800\""),
			"column 2: half of a surrogate pair stands for no character" },
		{ T("\"\\uD800\\u0041\""),
			"column 2: half of a surrogate pair stands for no character" },
		{ T("\"\\uD800\\uDC0"),
			"column 2: half of a surrogate pair stands for no character" },
		{ T("\"\\uDC00\\uD800\""),
			"column 2: half of a surrogate pair stands for no character" },
		{ T("\"\\uD800x\\uDC00\""),
			"column 2: half of a surrogate pair stands for no character" },
	};

	check_refusals(rows, ARRAY_LEN(rows));
}

static void refuses_every_raw_control(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *root;
	struct err err;

	/* at every place in a string that the 16-byte scan can meet it, before and after an escape */
	for (int c = 0; c < 0x20; c++) {
		for (size_t at = 1; at < 40; at++) {
			char text[42];

			for (int escaped = 0; escaped < 2; escaped++) {
				memset(text, 'x', sizeof(text));
				text[0] = text[41] = '"';
				if (escaped && at > 2)
					memcpy(text + 1, "\\n", 2);
				text[at] = (char)c;
				arena_reset(a);
				assert_fails(parse(a, str_of(text, 42), NULL, &root, &err),
					ERR_JSON,
					"a control character in a string must be escaped");
			}
		}
	}
}

/* RFC 3629: shortest forms, no surrogates, at most U+10FFFF; nothing cut. */
static void refuses_bad_utf8(void **state UNUSED)
{
	static const struct str rows[] = {
		T("\x80"),
		T("\xBF"),
		T("\xC0\x80"),
		T("\xC0\xAF"),
		T("\xC1\xBF"),
		T("\xC2"),
		T("\xC2\x41"),
		T("\xC2\xC2"),
		T("\xDF\xC0"),
		T("\xE0\x80\x80"),
		T("\xE0\x9F\xBF"),
		T("\xE0\xA0"),
		T("\xE2\x82"),
		T("\xE2\x82\x28"),
		T("\xED\xA0\x80"),
		T("\xED\xBF\xBF"),
		T("\xEF\xBF"),
		T("\xF0\x80\x80\x80"),
		T("\xF0\x8F\xBF\xBF"),
		T("\xF0\x90\x80"),
		T("\xF1\x80\x80\x28"),
		T("\xF4\x90\x80\x80"),
		T("\xF5\x80\x80\x80"),
		T("\xF8\x88\x80\x80\x80"),
		T("\xFC\x84\x80\x80\x80\x80"),
		T("\xFE"),
		T("\xFF"),
		T("\xED\xA0\x81\xED\xB0\xB7"),
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *root;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t before = 0; before < 18; before++) {
			struct buf b DEFER(buf_free) = BUF_INIT(0);
			char column[32];

			buf_add_char(&b, '"');
			for (size_t k = 0; k < before; k++)
				buf_add_char(&b, k == 0 ? '\xC3' : k == 1 ? '\xA9' : 'x');
			if (before == 1)
				buf_add_char(&b, '\xA9');
			snprintf(column, sizeof(column), "column %zu: the string is", b.n + 1);
			buf_add_str(&b, rows[i]);
			buf_add_char(&b, '"');
			arena_reset(a);
			assert_fails(parse(a, buf_str(&b), NULL, &root, &err), ERR_JSON,
				"the string is not valid UTF-8");
			assert_non_null(strstr(err.message, column));
			/* the text may end inside a character: no read beyond it */
			assert_false(parse(a, str_sub(buf_str(&b), 0, b.n - 1), NULL, &root,
				&(struct err)ERR_INIT));
		}
	}
}

static struct str repeat(struct arena *a, struct str what, size_t times)
{
	char *p = arena_alloc(a, what.n * times);

	for (size_t i = 0; i < times; i++)
		memcpy(p + i * what.n, what.p, what.n);
	return str_of(p, what.n * times);
}

static void limits_depth(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json_limits five = { .depth_max = 5 };
	const struct json *root;
	struct err err;

	assert_fails(parse(a, repeat(a, STR("["), 100000), NULL, &root, &err), ERR_LIMIT,
		"line 1, column 129: more than 128 arrays and objects inside each other");
	assert_fails(parse(a, repeat(a, STR("{\"a\":"), 100000), NULL, &root, &err), ERR_LIMIT,
		"line 1, column 641: more than 128 arrays and objects inside each other");
	assert_fails(parse(a, STR("[[[[[\n[]]]]]]"), &five, &root, &err), ERR_LIMIT,
		"line 2, column 1: more than 5 arrays");
	assert_ok(parse(a, STR("[[[[[],[1]]]],[[[[2]]]]]"), &five, &root, &err));

	struct buf b DEFER(buf_free) = BUF_INIT(0);

	buf_add_str(&b, repeat(a, STR("["), LIMIT_JSON_DEPTH));
	buf_add_str(&b, repeat(a, STR("]"), LIMIT_JSON_DEPTH));
	assert_int_equal(json_span(parsed(a, buf_str(&b))), LIMIT_JSON_DEPTH);
}

static void deepest(void *arg)
{
	struct json_limits limits = { .depth_max = JSON_BUILD_DEPTH_MAX + 1 };
	const struct json *root;
	struct err err = ERR_INIT;

	(void)parse(arg, STR("[]"), &limits, &root, &err);
}

/* What can be parsed can be printed: a limit that the printer can't follow is a programming error. */
static void limits_depth_to_what_prints(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json_limits most = { .depth_max = JSON_BUILD_DEPTH_MAX };
	const struct json *root;
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;

	buf_add_str(&b, repeat(a, STR("["), JSON_BUILD_DEPTH_MAX));
	buf_add_str(&b, repeat(a, STR("]"), JSON_BUILD_DEPTH_MAX));
	assert_ok(parse(a, buf_str(&b), &most, &root, &err));
	assert_true(str_eq(json_print_arena(a, root), buf_str(&b)));
	assert_true(test_aborts(deepest, a));
}

static void limits_bytes(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json_limits ten = { .bytes_max = 10 };
	const struct json *root;
	struct err err;

	assert_ok(parse(a, STR("[12345678]"), &ten, &root, &err));
	assert_fails(parse(a, STR("[123456789]"), &ten, &root, &err), ERR_LIMIT,
		"the JSON text has 11 bytes, more than the limit of 10");
}

static void says_line_and_column(void **state UNUSED)
{
	static const struct refusal rows[] = {
		{ T("{\n  \"a\": 1,\n  \"b\": tru\n}"),
			"line 3, column 8: expected a value, found 't'" },
		{ T("{\r\n\"a\": 1,\r\n!"),
			"line 3, column 1: expected a name in quotes behind ',', found '!'" },
		{ T("[\r\r!"), "line 1, column 4: expected a value, found '!'" },
		/* columns are bytes, of the text as it came: escapes count as written */
		{ T("[\"\xC3\xA9\\u00e9\", !"), "line 1, column 14: expected a value, found '!'" },
		{ T("[\n\"\\n\\n\" 1"), "line 2, column 8: expected ',' or ']', found '1'" },
	};

	check_refusals(rows, ARRAY_LEN(rows));
}

static void keeps_order_and_duplicates(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct json *o = parsed(a, STR("{\"z\":1,\"a\":2,\"z\":3,\"\":4,\"a\":{\"a\":5}}"));
	static const char *const names[] = { "z", "a", "z", "", "a" };
	size_t i = 0;

	assert_int_equal(o->n, 5);
	for (json_each_member(key, o))
		assert_str(json_str(key), names[i++]);
	assert_int_equal(i, 5);
	assert_str(json_str(json_get(o, STR("z"))), "3");
	assert_str(json_print_arena(a, json_get(o, STR("a"))), "{\"a\":5}");
	assert_str(json_str(json_get(o, STR(""))), "4");
}

/* Nodes: types, counts and spans add up whatever the shape. */
static void check_spans(const struct json *v)
{
	uint64_t nodes = 1;
	uint32_t count = 0;

	if (json_is_array(v)) {
		for (json_each (it, v)) {
			check_spans(it);
			nodes += json_span(it);
			count++;
		}
	} else if (json_is_object(v)) {
		for (json_each_member(key, v)) {
			assert_int_equal(key->type, JSON_STRING);
			check_spans(json_value(key));
			nodes += 1 + json_span(json_value(key));
			count++;
		}
	} else {
		return;
	}
	assert_int_equal(v->n, count);
	assert_int_equal(json_span(v), nodes);
}

static void spans_add_up(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct buf b DEFER(buf_free) = BUF_INIT(0);

	/* more nodes than the first guess of a sixth of the bytes holds */
	buf_add_str(&b, STR("{\"x\":[0"));
	for (int i = 0; i < 5000; i++)
		buf_add_str(&b, STR(",1,[],{\"\":{}},[[2]]"));
	buf_add_str(&b, STR("]}"));
	const struct json *root = parsed(a, buf_str(&b));

	check_spans(root);
	assert_int_equal(json_get(root, STR("x"))->n, 20001);
}

/* The two paths of a string, plain and with escapes, for every length around the scan's width. */
static void strings_of_every_length(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t n = 0; n < 70; n++) {
		for (size_t at = 0; at <= n; at++) {
			struct buf text DEFER(buf_free) = BUF_INIT(0),
					want DEFER(buf_free) = BUF_INIT(0);

			buf_add_char(&text, '"');
			for (size_t i = 0; i < n; i++) {
				buf_add_str(&text, i == at ? STR("\\u20aC") : STR("y"));
				buf_add_str(&want, i == at ? STR("\xE2\x82\xAC") : STR("y"));
			}
			buf_add_char(&text, '"');
			arena_reset(a);
			const struct json *v = parsed(a, buf_str(&text));

			assert_true(str_eq(json_str(v), buf_str(&want)));
			assert_int_equal(v->plain, at == n);
		}
	}
}

/* Runs of the bytes that numbers have, valid or not: parse() compares two ways to read them. */
static void numbers_of_every_shape(void **state UNUSED)
{
	static const char bytes[] = "01190-+.eE";
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct rng rng;
	size_t good = 0;

	rng_test_init(&rng, 7);
	for (int round = 0; round < 20000; round++) {
		char text[40] = "{\"n\":";
		size_t n = 5, until = 6 + rng_below(&rng, rng_below(&rng, 4) == 0 ? 24 : 6);
		struct err err = ERR_INIT;
		const struct json *root = NULL;

		while (n < until)
			text[n++] = bytes[rng_below(&rng, sizeof(bytes) - 1)];
		text[n++] = '}';
		arena_reset(a);
		if (!parse(a, str_of(text, n), NULL, &root, &err))
			continue;
		assert_true(str_eq(json_str(json_get(root, STR("n"))), str_of(text + 5, n - 6)));
		good++;
	}
	assert_in_range(good, 1000, 10000);
}

/* Texts longer than what is marked at once, with strings and numbers across each border. */
static void long_texts(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct rng rng;

	rng_test_init(&rng, 11);
	for (int round = 0; round < 200; round++) {
		struct buf text DEFER(buf_free) = BUF_INIT(0), again DEFER(buf_free) = BUF_INIT(0);

		buf_add_char(&text, '[');
		while (text.n < 20000) {
			size_t n = rng_below(&rng, rng_below(&rng, 50) == 0 ? 9000 : 40);

			buf_add_fmt(&text, "%s{\"k%.*s\":\"", text.n > 1 ? "," : "", (int)(n % 9),
				"abcdefgh");
			for (size_t i = 0; i < n; i++)
				buf_add_str(&text,
					rng_below(&rng, 60) == 0 ? STR("\\n") : STR("x"));
			buf_add_fmt(&text, "\",\"n\":%s%zu.%zu,\"t\":[true,%zu,\"\"]}",
				n % 3 == 0 ? "-" : "", n, n, n * n * n * n);
		}
		buf_add_char(&text, ']');
		arena_reset(a);
		json_print(&again, parsed(a, buf_str(&text)), JSON_COMPACT);
		assert_true(str_eq(buf_str(&again), buf_str(&text)));
	}
}

/* A valid text with one byte changed is refused or understood, and never read beyond its end. */
static void one_byte_off(void **state UNUSED)
{
	static const char text[] =
		"{\"id\":[1,-2.5e+3,true,false,null],\"n\\u00e9\":\"\xC3\xA9 \\uD83D\\uDE00\"}";
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	size_t good = 0;

	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		for (int c = 0; c < 256; c++) {
			struct err err = ERR_INIT;
			const struct json *root;
			char *p;

			arena_reset(a);
			p = arena_memdup(a, text, sizeof(text) - 1);
			p[at] = (char)c;
			if (parse(a, str_of(p, sizeof(text) - 1), NULL, &root, &err)) {
				check_spans(root);
				good++;
			} else {
				assert_int_equal(err.code, ERR_JSON);
			}
		}
		struct err err = ERR_INIT;
		const struct json *root;

		assert_false(parse(a, str_of(text, at), NULL, &root, &err));
	}
	assert_true(good > sizeof(text)); /* letters in names and digits may change */
}

/* Wherever the text begins behind a byte order mark, strings end where they end. */
static void blanks_behind_the_order_mark(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct str text = T("[\n  \"\",\"a\\\"b\",{\"\":\"\",\n \"x\":[\n\"\",\"\"]},\"c\"\n]");
	const struct json *plain = parsed(a, text);

	for (size_t before = 0; before < 200; before++) {
		size_t n = 3 + before + text.n + 300;
		char *p = memset(arena_alloc(a, n), ' ', n);
		const struct json *root;
		struct err err = ERR_INIT;

		memcpy(p, "\xEF\xBB\xBF", 3);
		memcpy(p + 3 + before, text.p, text.n);
		if (!json_parse(a, p, n, NULL, &root, &err))
			fail_msg("behind %zu blanks: %s", before, err.message);
		assert_true(json_equal(plain, root));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses_structure),
		cmocka_unit_test(refuses_scalars),
		cmocka_unit_test(refuses_every_raw_control),
		cmocka_unit_test(refuses_bad_utf8),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(limits_depth_to_what_prints),
		cmocka_unit_test(limits_bytes),
		cmocka_unit_test(says_line_and_column),
		cmocka_unit_test(keeps_order_and_duplicates),
		cmocka_unit_test(spans_add_up),
		cmocka_unit_test(strings_of_every_length),
		cmocka_unit_test(numbers_of_every_shape),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(one_byte_off),
		cmocka_unit_test(blanks_behind_the_order_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
