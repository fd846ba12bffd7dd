/*
 * invoke_import.c - records into an import, a slice at a time, each with its own result.
 */
#include "engine/invoke_priv.h"

#include "core/limits.h"
#include "engine/step.h"

#define SLICE 500 /* records that are in memory with their answers */

struct import_call {
	struct invocation *v;
	struct step *step;
	struct str key;
	bool map_only;
	struct buf *out;
	const struct json *at; /* the next record */
	size_t left, done;
};

bool invoke_open_step(struct invocation *v, struct step **out, struct err *err)
{
	struct step_config cfg = { .env = &v->env,
		.kind = STEP_IMPORT,
		.doc = v->doc,
		.connection = v->connection,
		.call = v->call,
		.keep_answers = true,
		.keep_mapped = true };

	return step_open(&cfg, out, err);
}

/* Without a key of the caller's: a repeat within this call is still recognised. */
static struct str make_key(const struct invocation *v)
{
	struct id id;

	id_new(&id, clock_wall_ms(v->engine->cfg.clock), v->engine->cfg.rng);
	return str_dup(v->arena, id_str(&id));
}

static void print_mapped(const struct delivery *d, struct json_build *b)
{
	if (d->err.code == ERR_NONE && !d->ignored && d->mapped != NULL)
		json_build_copy(b, d->mapped);
	else
		step_print_result(d, b);
}

static void print_slice(struct import_call *x, struct delivery *d, size_t n, struct arena *a)
{
	struct json_build b;

	for (size_t i = 0; i < n; i++) {
		if (x->done++ > 0)
			buf_add_char(x->out, ',');
		/* what an answer holds may be left out, what became of the record may not */
		if (x->out->n > LIMIT_INVOKE_BYTES)
			d[i].answer = NULL;
		json_build_init(&b, a);
		if (x->map_only)
			print_mapped(&d[i], &b);
		else
			step_print_result(&d[i], &b);
		json_print(x->out, json_build_done(&b), JSON_COMPACT);
	}
}

/* The end of the call is the failure of those that were not sent any more. */
static void explain_end(const struct invocation *v, struct delivery *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (d[i].err.code == ERR_CANCELED)
			(void)invoke_ended(v, &d[i].err);
}

static void run_slice(struct import_call *x, struct arena *a)
{
	size_t n = MIN(x->left, (size_t)SLICE);
	struct delivery *d = arena_array_of(a, struct delivery, n);
	struct err ended = ERR_INIT;

	for (size_t i = 0; i < n; i++, x->at = json_next(x->at)) {
		d[i].source = x->at;
		d[i].key = str_fmt(a, "%.*s-%zu", STR_ARG(x->key), x->done + i);
		if (!json_is_object(x->at)) {
			err_set(&d[i].err, ERR_INVALID, "a record is an object; this is %s",
				json_type_phrase(x->at->type));
			d[i].stage = "input";
		}
	}
	x->left -= n;
	if (!step_prepare(x->step, d, n, a, &ended) ||
		(!x->map_only && !step_submit(x->step, d, n, a, &ended))) {
		for (size_t i = 0; i < n; i++) /* what submit() never saw */
			if (d[i].err.code == ERR_NONE && !d[i].ignored && d[i].status == 0 &&
				d[i].attempts == 0)
				d[i].err = ended;
	}
	explain_end(x->v, d, n);
	print_slice(x, d, n, a);
}

static bool run(struct invocation *v, const struct json *records, struct str key, bool map_only,
	struct buf *out, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("page", 0);
	struct import_call x = { .v = v,
		.key = key.p == NULL ? make_key(v) : key,
		.map_only = map_only,
		.at = records + 1,
		.left = records->n };
	struct buf body DEFER(buf_free) = BUF_INIT(0);

	if (!invoke_open_step(v, &x.step, err))
		return false;
	x.out = &body;
	while (x.left > 0) {
		run_slice(&x, a);
		arena_reset(a);
	}
	step_close(x.step);
	buf_add_char(out, '[');
	buf_add_str(out, buf_str(&body));
	buf_add_char(out, ']');
	return true;
}

bool invoke_import(struct invocation *v, const struct json *records, struct str key,
	struct buf *out, struct err *err)
{
	return run(v, records, key, false, out, err);
}

bool invoke_map(struct invocation *v, const struct json *records, struct buf *out, struct err *err)
{
	return run(v, records, STR_NULL, true, out, err);
}
