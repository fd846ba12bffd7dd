/*
 * by_jansson.c - the same with jansson, as its manual would have it: values are shared between source
 * and target, not copied, and printed straight into one buffer.
 */
#include "bench_json.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *get(const json_t *record, const char *outer, const char *inner)
{
	json_t *v = json_object_get(record, outer);

	return inner[0] == '\0' ? v : json_object_get(v, inner);
}

static void set(json_t *target, const char *outer, const char *inner, json_t *v)
{
	if (v == NULL)
		return;
	if (inner[0] == '\0') {
		json_object_set_nocheck(target, outer, v);
		return;
	}
	json_t *in = json_object_get(target, outer);

	if (in == NULL) {
		in = json_object();
		json_object_set_new_nocheck(target, outer, in);
	}
	json_object_set_nocheck(in, inner, v);
}

static void *open_state(void)
{
	return malloc(BENCH_OUT_BYTES);
}

static struct bench_text page(void *state, const char *text, size_t n)
{
	char *out = state;
	size_t used = 0, i;
	json_t *record, *doc = json_loadb(text, n, 0, NULL);

	if (doc == NULL)
		return (struct bench_text){ NULL, 0 };
	json_array_foreach(doc, i, record)
	{
		json_t *t = json_object();

#define X(from, from_inner, to, to_inner) set(t, to, to_inner, get(record, from, from_inner));
		BENCH_MAPPING(X)
#undef X
		used += json_dumpb(t, out + used, BENCH_OUT_BYTES - used, JSON_COMPACT);
		out[used++] = '\n';
		json_decref(t);
	}
	json_decref(doc);
	return (struct bench_text){ out, used };
}

const struct bench_worker by_jansson = { "jansson", open_state, page, free };
