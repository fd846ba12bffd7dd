/*
 * rest_map.c - runs the import's mapping over a record, with its lookups' results and with what is
 * known of its fate: to a document, or at once to the text of the request.
 */
#include "adaptor/rest/rest_sink_priv.h"

struct mapping_ctx {
	const struct sink *sink;
	const struct delivery *delivery;
};

/* A lookup of the mapping: asked before, so that here it is only taken. */
static bool answer_lookup(void *arg, struct str name, const struct json *value UNUSED,
	const struct json *record UNUSED, const struct json **result, struct err *err UNUSED)
{
	const struct mapping_ctx *ctx = arg;
	const struct lookup *l = rest_lookup_find(ctx->sink, name);

	*result = json_get(ctx->delivery->lookups, name);
	if (*result == NULL && l != NULL && l->decides)
		*result = &mapping_nothing;
	return true;
}

/* What becomes of the record: the decision's word, else what the method is for. */
static void tell_fate(const struct sink *s, const struct delivery *d, struct mapping_env *env)
{
	enum existence e = rest_prepare_existence(s, d->source, d->lookups);
	enum http_method m = s->operations[0].method;

	if (e == EXISTS_NO || (e == EXISTS_UNASKED && m == HTTP_POST))
		env->fate = MAPPING_CREATES;
	else if (e == EXISTS_YES || m == HTTP_PUT || m == HTTP_PATCH)
		env->fate = MAPPING_UPDATES;
	if (e != EXISTS_YES || s->decider == NULL)
		return;
	const struct json *found = json_get(d->lookups, s->decider->name);

	env->existing = json_is_object(found) ? found : NULL; /* more than an id */
}

static struct mapping_env env_of(struct sink *s, const struct mapping_ctx *ctx)
{
	struct mapping_env env = { .lookup = answer_lookup,
		.ctx = (void *)(uintptr_t)ctx,
		.scratch = &s->more };

	tell_fate(s, ctx->delivery, &env);
	return env;
}

void rest_map_apply(struct sink *s, struct delivery *d, struct arena *a)
{
	const struct mapping_ctx ctx = { s, d };
	const struct mapping_env env = env_of(s, &ctx);
	struct json_build b;

	json_build_init(&b, a);
	if (mapping_apply(s->mapping, d->source, &env, &b, &d->err))
		d->mapped = json_build_done(&b);
	else
		d->stage = "mapping";
}

bool rest_map_print(struct sink *s, const struct delivery *d, struct buf *out, struct err *err)
{
	const struct mapping_ctx ctx = { s, d };
	const struct mapping_env env = env_of(s, &ctx);
	struct arena_mark mark = arena_mark(s->scratch);
	bool ok = mapping_print(s->mapping, d->source, &env, s->scratch, out, err);

	arena_rewind(s->scratch, mark);
	return ok;
}
