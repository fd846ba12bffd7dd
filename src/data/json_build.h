/*
 * json_build.h - making JSON documents; included by json.h, which says who owns what.
 */
#ifndef DATA_JSON_BUILD_H
#define DATA_JSON_BUILD_H

#include "data/json.h"

#define JSON_BUILD_DEPTH_MAX 512

/*
 * Appends nodes to a new document. Strings are kept by reference. Wrong use (a value without a key
 * in an object, an end too many) is a programming error.
 */
struct json_build {
	struct arena *arena;
	struct json *nodes;
	size_t count, cap;
	uint32_t depth;
	uint64_t open[JSON_BUILD_DEPTH_MAX]; /* index of each open container */
};

void json_build_init(struct json_build *b, struct arena *a);
void json_build_object(struct json_build *b);
void json_build_array(struct json_build *b);
void json_build_end(struct json_build *b); /* of the innermost container */
void json_build_key(struct json_build *b, struct str name);
void json_build_str(struct json_build *b, struct str s);         /* must be UTF-8 */
void json_build_lexeme(struct json_build *b, struct str number); /* must be a JSON number */
void json_build_i64(struct json_build *b, int64_t v);
void json_build_bool(struct json_build *b, bool v);
void json_build_null(struct json_build *b);
void json_build_copy(struct json_build *b, const struct json *v); /* V and all it holds */
const struct json *json_build_done(struct json_build *b);         /* the root; all must be ended */
/* Key and value in one; a p == NULL string adds nothing. */
void json_add_str(struct json_build *b, struct str name, struct str s);
void json_add_i64(struct json_build *b, struct str name, int64_t v);
void json_add_bool(struct json_build *b, struct str name, bool v);
void json_add_copy(struct json_build *b, struct str name,
	const struct json *v); /* NULL adds nothing */

#endif
