/*
 * record.c - the recorder's lines: written behind each step of a page, and put together into the way of
 * one record.
 *
 * A line is {"account","flow","job","step","kind","at","page":<the page in work as it was kept>,
 * "results":[{"i","t","how","status","id","code","message"}]}.
 */
#include "engine/run.h"

static const char *how_ended(const struct run *r, const struct item *it, const struct delivery *d)
{
	bool user = atomic_load(&r->worker->user_ends);

	if (!it->settled && (d->deferred || (d->err.code == ERR_CANCELED && !user)))
		return "waiting";
	if (d->err.code != ERR_NONE)
		return "failed";
	return d->ignored ? "ignored" : "succeeded";
}

static void add_result(const struct run *r, const struct item *it, const struct delivery *d,
	struct arena *scratch, struct buf *out)
{
	struct str key = it->trace_key.p != NULL ? it->trace_key
						 : work_trace_key(scratch, d->source, it->index);

	buf_add_fmt(out, "%s{\"i\":%llu,\"t\":", out->p[out->n - 1] == '[' ? "" : ",",
		(unsigned long long)it->index);
	json_print_str(out, key);
	buf_add_fmt(out, ",\"how\":\"%s\",\"status\":%d", how_ended(r, it, d), d->status);
	if (d->id != NULL) {
		BUF_ADD_LIT(out, ",\"id\":");
		json_print(out, d->id, JSON_COMPACT);
	}
	if (d->err.code != ERR_NONE) {
		buf_add_fmt(out, ",\"code\":\"%s\",\"message\":", err_info(d->err.code)->wire);
		json_print_str(out, str_z(d->err.message));
	}
	buf_add_char(out, '}');
}

void run_record(struct run *r, const struct work *w)
{
	struct buf line DEFER(buf_free) = BUF_INIT(0);
	struct arena *scratch DEFER(arena_freep) = NULL;
	const struct flow_step *step = r->steps[w->step].plan;
	char at[TIME_ISO_LEN + 1];

	if (!recorder_on(r->e->cfg.recorder) || w->n == 0)
		return;
	scratch = arena_new("recorder", 0);
	time_fmt_iso(clock_wall_ms(r->e->cfg.clock), at);
	buf_add_fmt(&line,
		"{\"account\":\"%.*s\",\"flow\":\"%.*s\",\"job\":\"%.*s\",\"step\":\"%.*s\","
		"\"kind\":\"%s\",\"at\":\"%s\",\"page\":",
		STR_ARG(r->job->account_id), STR_ARG(r->job->flow_id), STR_ARG(r->job->id),
		STR_ARG(step->id), step->kind == STEP_IMPORT ? "import" : "lookup", at);
	if (r->page_body.n > 0)
		buf_add_str(&line, buf_str(&r->page_body));
	else
		BUF_ADD_LIT(&line, "null");
	BUF_ADD_LIT(&line, ",\"results\":[");
	for (size_t i = 0; i < w->n; i++)
		add_result(r, w->of[i], &w->d[i], scratch, &line);
	BUF_ADD_LIT(&line, "]}");
	recorder_add(r->e->cfg.recorder, buf_str(&line));
}

/* ---- the way of one record ---- */

struct way {
	struct json_build *b;
	struct str account_id, trace_key;
	size_t count, max;
};

/* The member of an item or result of this index. */
static const struct json *by_index(const struct json *list, const struct json *index)
{
	if (json_is_array(list))
		for (json_each (it, list))
			if (json_equal(json_get(it, STR("i")), index))
				return it;
	return NULL;
}

static void add_copied(struct json_build *b, struct str name, const struct json *v)
{
	const struct json *copy;
	struct err err = ERR_INIT;

	if (v != NULL && json_parse_copy(b->arena, json_print_arena(b->arena, v), &copy, &err))
		json_add_copy(b, name, copy);
}

static void add_passage(struct way *w, const struct json *line, const struct json *result)
{
	static const struct {
		struct str from, to;
	} names[] = { { STR_INIT("at"), STR_INIT("at") }, { STR_INIT("flow"), STR_INIT("_flowId") },
		{ STR_INIT("job"), STR_INIT("_jobId") }, { STR_INIT("step"), STR_INIT("_stepId") },
		{ STR_INIT("kind"), STR_INIT("kind") } };
	const struct json *item = by_index(json_get_path(line, STR("page.items")),
		json_get(result, STR("i")));
	struct json_build *b = w->b;

	json_build_object(b);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		add_copied(b, names[i].to, json_get(line, names[i].from));
	add_copied(b, STR("recordIndex"), json_get(result, STR("i")));
	add_copied(b, STR("record"), json_get(item, STR("r")));
	add_copied(b, STR("sent"), json_get(item, STR("q")));
	add_copied(b, STR("idempotencyKey"), json_get(item, STR("k")));
	add_copied(b, STR("outcome"), json_get(result, STR("how")));
	add_copied(b, STR("status"), json_get(result, STR("status")));
	add_copied(b, STR("id"), json_get(result, STR("id")));
	add_copied(b, STR("code"), json_get(result, STR("code")));
	add_copied(b, STR("message"), json_get(result, STR("message")));
	json_build_end(b);
	w->count++;
}

static bool read_line(void *arg, struct str text)
{
	struct arena *a DEFER(arena_freep) = arena_new("line", 0);
	struct way *w = arg;
	const struct json *line, *results;
	struct err cut = ERR_INIT;

	if (!json_parse_copy(a, text, &line, &cut) ||
		!str_eq(json_get_str(line, STR("account")), w->account_id))
		return true;
	results = json_get(line, STR("results"));
	if (!json_is_array(results))
		return true;
	for (json_each (result, results))
		if (str_eq(json_get_str(result, STR("t")), w->trace_key) && w->count < w->max)
			add_passage(w, line, result);
	return w->count < w->max;
}

bool engine_trace(struct engine *e, struct str account_id, struct str trace_key, size_t max,
	struct json_build *b, struct err *err)
{
	struct way w = { b, account_id, trace_key, 0, max };
	struct buf needle DEFER(buf_free) = BUF_INIT(0);

	BUF_ADD_LIT(&needle, "\"t\":");
	json_print_str(&needle, trace_key);
	const struct str needles[2] = { buf_str(&needle), account_id };

	return recorder_find(e->cfg.recorder, needles, read_line, &w, err);
}
