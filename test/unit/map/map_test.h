/*
 * map_test.h - runs a mapping from text to text, in one line of a test.
 */
#ifndef TEST_UNIT_MAP_MAP_TEST_H
#define TEST_UNIT_MAP_MAP_TEST_H

#include "test.h"

#include "map/mapping.h"

/* JSON in single quotes, so that tests stay readable. Texts in it must not hold quotes. */
static inline struct str map_quotes(struct arena *a, const char *text)
{
	char *p = arena_strndup(a, text, strlen(text));

	for (char *c = p; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	return str_z(p);
}

static inline const struct json *map_json(struct arena *a, const char *text)
{
	const struct json *v = NULL;
	struct err err;

	if (text == NULL)
		return NULL;
	assert_ok(json_parse_copy(a, map_quotes(a, text), &v, &err));
	return v;
}

/* mapping_print() must write what mapping_apply() made, or fail in the same words (MADE NULL). */
static inline void map_check_print(struct arena *a, const struct mapping *m,
	const struct json *record, const struct mapping_env *env, const struct json *made,
	const struct err *why)
{
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	bool ok = mapping_print(m, record, env, a, &out, &err);

	assert_int_equal(ok, made != NULL);
	if (!ok) {
		assert_int_equal(err.code, why->code);
		assert_string_equal(err.message, why->message);
		return;
	}
	struct str want = json_print_arena(a, made);

	if (!str_eq(buf_str(&out), want))
		fail_msg("printed %.*s, made %.*s", STR_ARG(buf_str(&out)), STR_ARG(want));
}

/* The target as text in single quotes, or STR_NULL with ERR filled. */
static inline struct str map_run(struct arena *a, const char *mapping, const char *lookups,
	const char *record, const struct mapping_env *env, struct err *err)
{
	struct mapping *m;
	struct json_build b;

	if (!mapping_compile(a, map_json(a, mapping), map_json(a, lookups), &m, err))
		return STR_NULL;
	const struct json *from = map_json(a, record);

	json_build_init(&b, a);
	bool ok = mapping_apply(m, from, env, &b, err);

	map_check_print(a, m, from, env, ok ? json_build_done(&b) : NULL, err);
	if (!ok)
		return STR_NULL;
	struct str out = json_print_arena(a, json_build_done(&b));
	char *p = arena_strndup(a, out.p, out.n);

	for (size_t i = 0; i < out.n; i++)
		p[i] = p[i] == '"' ? '\'' : p[i];
	return str_of(p, out.n);
}

#define assert_maps(mapping, lookups, record, env, want)                             \
	do {                                                                         \
		struct arena *a_ = arena_new("test", 0);                             \
		struct err err_ = ERR_INIT;                                          \
		struct str out_ = map_run(a_, mapping, lookups, record, env, &err_); \
		if (out_.p == NULL)                                                  \
			fail_msg("%s [%s]", err_.message, err_.field);               \
		assert_str(out_, want);                                              \
		arena_free(a_);                                                      \
	} while (0)

#define assert_map_fails(mapping, lookups, record, env, code_, field_, words)            \
	do {                                                                             \
		struct arena *a_ = arena_new("test", 0);                                 \
		struct err err_ = ERR_INIT;                                              \
		struct str out_ = map_run(a_, mapping, lookups, record, env, &err_);     \
		if (out_.p != NULL)                                                      \
			fail_msg("mapped to %.*s", STR_ARG(out_));                       \
		if (err_.code != (code_) || strstr(err_.message, words) == NULL)         \
			fail_msg("got %s: %s", err_info(err_.code)->wire, err_.message); \
		assert_string_equal(err_.field, field_);                                 \
		arena_free(a_);                                                          \
	} while (0)

#endif
