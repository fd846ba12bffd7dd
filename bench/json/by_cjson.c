/*
 * by_cjson.c - the same with cJSON: targets refer to the source's strings and to constant names, so
 * that nothing is copied, and are printed straight into one buffer.
 */
#include "bench_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static cJSON *get(const cJSON *record, const char *outer, const char *inner)
{
	cJSON *v = cJSON_GetObjectItemCaseSensitive(record, outer);

	return inner[0] == '\0' ? v : cJSON_GetObjectItemCaseSensitive(v, inner);
}

static void set(cJSON *target, const char *outer, const char *inner, const cJSON *v)
{
	if (v == NULL)
		return;
	cJSON *copy = cJSON_IsString(v) ? cJSON_CreateStringReference(v->valuestring)
					: cJSON_Duplicate(v, 1);

	if (inner[0] == '\0') {
		cJSON_AddItemToObjectCS(target, outer, copy);
		return;
	}
	cJSON *in = cJSON_GetObjectItemCaseSensitive(target, outer);

	if (in == NULL) {
		in = cJSON_CreateObject();
		cJSON_AddItemToObjectCS(target, outer, in);
	}
	cJSON_AddItemToObjectCS(in, inner, copy);
}

static void *open_state(void)
{
	return malloc(BENCH_OUT_BYTES);
}

static struct bench_text page(void *state, const char *text, size_t n)
{
	char *out = state;
	size_t used = 0;
	cJSON *record, *doc = cJSON_ParseWithLength(text, n);

	if (doc == NULL)
		return (struct bench_text){ NULL, 0 };
	cJSON_ArrayForEach(record, doc)
	{
		cJSON *t = cJSON_CreateObject();

#define X(from, from_inner, to, to_inner) set(t, to, to_inner, get(record, from, from_inner));
		BENCH_MAPPING(X)
#undef X
		if (!cJSON_PrintPreallocated(t, out + used, (int)(BENCH_OUT_BYTES - used), 0))
			return (struct bench_text){ NULL, 0 };
		used += strlen(out + used);
		out[used++] = '\n';
		cJSON_Delete(t);
	}
	cJSON_Delete(doc);
	return (struct bench_text){ out, used };
}

const struct bench_worker by_cjson = { "cJSON", open_state, page, free };
