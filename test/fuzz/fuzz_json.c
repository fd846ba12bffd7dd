/*
 * fuzz_json.c - any bytes as JSON: what parses must print, in both styles, to a text that parses to
 * the same document and prints to the same bytes; every way to walk must see the same nodes.
 *
 * A first byte below 5 sets a small limit on depth. The text is parsed in memory of its exact size.
 */
#include "data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Counts, spans and look-up agree; returns the node behind V. */
static const struct json *check_walk(const struct json *v)
{
	const struct json *at = v + 1;
	uint32_t n = 0;

	if (v->type == JSON_STRING)
		CHECK(str_is_utf8(json_str(v)));
	if (v->type < JSON_ARRAY)
		return at;
	for (; n < v->n; n++) {
		if (v->type == JSON_OBJECT) {
			struct str name = json_str(at);
			const struct json *last = json_get(v, name);

			CHECK(json_is_str(at) && last > at && last < json_next(v));
			CHECK(str_eq(json_str(last - 1), name));
			at++;
		} else if (n < 16) {
			CHECK(json_at(v, n) == at);
		}
		at = check_walk(at);
	}
	CHECK(at == json_next(v) && json_at(v, n) == NULL);
	return at;
}

static void check_scalars(const struct json *root)
{
	for (const struct json *v = root; v < json_next(root); v++) {
		int64_t i;
		double d;

		if (v->type != JSON_NUMBER)
			continue;
		CHECK(json_to_double(v, &d));
		if (json_to_i64(v, &i))
			CHECK(i == 0 || (d > 0) == (i > 0));
	}
}

static void check_print(struct arena *a, const struct json *root, enum json_style style)
{
	struct buf text DEFER(buf_free) = BUF_INIT(0), again DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	const struct json *doc;

	json_print(&text, root, style);
	again.max = text.n; /* and what fits exactly is no overflow */
	CHECK(json_parse_copy(a, buf_str(&text), &doc, &err));
	CHECK(json_equal(root, doc));
	json_print(&again, doc, style);
	CHECK(!again.over && str_eq(buf_str(&text), buf_str(&again)));
}

static void check_build(struct arena *a, const struct json *root)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_array(&b);
	json_build_copy(&b, root);
	json_build_end(&b);
	CHECK(json_equal(json_at(json_build_done(&b), 0), root));
}

/* The same text, not near its end: its strings and numbers are found in another way. */
static void check_with_blanks(struct arena *a, struct str text, const struct json_limits *limits,
	const struct json *root, const struct err *err)
{
	size_t n = text.n + 300;
	char *p = memset(arena_alloc(a, n), ' ', n);
	const struct json *other;
	struct err why = ERR_INIT;

	if (text.n > 0)
		memcpy(p, text.p, text.n);
	if (json_parse(a, p, n, limits, &other, &why))
		CHECK(root != NULL ? json_equal(root, other)
				   : strstr(err->message, "but the text ends") != NULL);
	else
		CHECK(root == NULL && (strcmp(err->message, why.message) == 0 ||
					      strstr(err->message, "but the text ends") != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct json_limits limits = { .depth_max = 0 };
	struct err err = ERR_INIT;
	const struct json *root = NULL;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	if (size > 0 && data[0] < 5)
		limits.depth_max = *data++, size--;
	/* exactly as large, so that a sanitizer sees a read behind the end */
	char *text = arena_memdup(a, data, size);

	bool ok = json_parse(a, text, size, &limits, &root, &err);

	check_with_blanks(a, str_of((const char *)data, size), &limits, root, &err);
	if (!ok) {
		CHECK(err.code == ERR_JSON || err.code == ERR_LIMIT);
		CHECK(root == NULL && strncmp(err.message, "line ", 5) == 0);
		return 0;
	}
	CHECK(check_walk(root) == json_next(root));
	check_scalars(root);
	check_print(a, root, JSON_COMPACT);
	check_print(a, root, JSON_PRETTY);
	check_build(a, root);
	return 0;
}
