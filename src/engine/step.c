/*
 * step.c - imports go to the adaptor's sink; lookups open the export once a record, with the record
 * as its variables, and take at most LIMIT_LOOKUP_RECORDS of what it yields as the answer's `data`.
 */
#include "engine/step.h"

#include "core/limits.h"
#include "engine/debug_log.h"
#include "map/filter.h"
#include "map/mapping.h"

struct step {
	struct arena *arena;
	struct step_config cfg;
	struct adaptor_env env;
	const struct sink_ops *sink_ops;
	const struct source_ops *source_ops;
	struct sink *sink;
	struct mapping *mapping, *response; /* RESPONSE is NULL where there is none */
	struct filter *filter;              /* the import's */
};

static bool open_sink(struct step *s, struct err *err)
{
	const struct json *doc = s->cfg.doc;
	const struct json *lookups = json_get_path(doc, STR("rest.lookups"));
	struct sink_args args = { .call = s->cfg.call };

	if (!filter_compile(s->arena, json_get(doc, STR("filter")), "filter", &s->filter, err) ||
		!mapping_compile(s->arena, json_get(doc, STR("mapping")), lookups, &s->mapping,
			err))
		return false;
	args.mapping = s->mapping;
	args.print_mapped = !s->cfg.keep_mapped; /* no hook stands between map() and prepare() */
	args.keep_answers = s->cfg.keep_answers || s->response != NULL;
	return s->sink_ops->open(&s->env, s->cfg.connection, doc, &args, &s->sink, err);
}

static bool open_adaptor(struct step *s, struct err *err)
{
	const struct adaptor *ad;

	if (!adaptor_of(s->cfg.connection, &ad, err))
		return false;
	s->sink_ops = ad->sink;
	s->source_ops = ad->source;
	if (s->cfg.kind == STEP_LOOKUP)
		return s->source_ops != NULL ||
		       err_set(err, ERR_UNSUPPORTED, "the %s adaptor has no exports", ad->name);
	if (s->sink_ops == NULL)
		return err_set(err, ERR_UNSUPPORTED, "the %s adaptor has no imports", ad->name);
	return open_sink(s, err);
}

bool step_open(const struct step_config *cfg, struct step **out, struct err *err)
{
	struct arena *a = arena_new("step", 0);
	struct step *s = arena_new_of(a, struct step);

	s->arena = a;
	s->cfg = *cfg;
	s->env = *cfg->env;
	if (cfg->debug != NULL)
		debug_log_watch(cfg->debug, a, cfg->connection,
			cfg->kind == STEP_IMPORT ? "import" : "export", cfg->doc, &s->env);
	if ((cfg->response_mapping == NULL ||
		    mapping_compile(a, cfg->response_mapping, NULL, &s->response, err) ||
		    err_wrap(err, "responseMapping")) &&
		open_adaptor(s, err)) {
		*out = s;
		return true;
	}
	step_close(s);
	return false;
}

void step_close(struct step *s)
{
	if (s == NULL)
		return;
	if (s->sink != NULL)
		s->sink_ops->close(s->sink);
	arena_free(s->arena);
}

/* What the import's filter drops is ignored. */
static void filter_all(const struct step *s, struct delivery *d, size_t n, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		bool passes = true;

		if (d[i].request.p != NULL || d[i].err.code != ERR_NONE)
			continue; /* it passed when it was sent first */
		if (!filter_passes(s->filter, d[i].source, NULL, a, &passes, &d[i].err))
			d[i].stage = "input_filter";
		d[i].ignored = !passes;
	}
}

bool step_prepare(struct step *s, struct delivery *d, size_t n, struct arena *a, struct err *err)
{
	if (s->cfg.kind == STEP_IMPORT && json_get(s->cfg.doc, STR("filter")) != NULL)
		filter_all(s, d, n, a);
	if (s->cfg.kind == STEP_IMPORT)
		return s->sink_ops->map(s->sink, d, n, a, err) &&
		       s->sink_ops->prepare(s->sink, d, n, a, err);
	for (size_t i = 0; i < n; i++)
		d[i].request = STR("");
	return true;
}

struct str step_show_request(struct step *s, const struct delivery *d, struct arena *a)
{
	return s->sink == NULL || s->sink_ops->show == NULL ? STR_NULL
							    : s->sink_ops->show(s->sink, d, a);
}

/* ---- lookups ---- */

/* As text: the records' strings end with their chunk. False: enough have come. */
static bool add_chunk(struct buf *text, const struct chunk *c, size_t *left)
{
	const struct json *at = c->single ? c->records : c->records + 1;
	size_t n = c->single ? 1 : c->records->n;

	for (; n > 0 && *left > 0; n--, (*left)--, at = json_next(at)) {
		if (*left < LIMIT_LOOKUP_RECORDS)
			buf_add_char(text, ',');
		json_print(text, at, JSON_COMPACT);
	}
	return *left > 0;
}

static int status_of(const struct step *s, const struct source *source)
{
	return s->source_ops->status == NULL ? 0 : s->source_ops->status(source);
}

/* {"data": [...]} of the export, asked with this record. */
static bool look_up(struct step *s, struct delivery *d, struct arena *a)
{
	struct call_args args = { .variables = d->source };
	struct buf text DEFER(buf_free) = BUF_INIT(LIMIT_RESPONSE_BODY);
	struct source *source;
	size_t left = LIMIT_LOOKUP_RECORDS;
	bool ok = true, more = true;

	if (!s->source_ops->open(&s->env, s->cfg.connection, s->cfg.doc, &args, STR_NULL, &source,
		    &d->err))
		return false;
	buf_add_str(&text, STR("{\"data\":["));
	while (ok && more) {
		struct chunk *c = chunk_new();

		ok = s->source_ops->next(source, c, &d->err);
		more = ok && add_chunk(&text, c, &left) && !c->last;
		chunk_unref(c);
	}
	d->status = status_of(s, source);
	s->source_ops->close(source);
	buf_add_str(&text, STR("]}"));
	if (ok && text.over)
		return err_set(&d->err, ERR_LIMIT, "the lookup's records are larger than %d bytes",
			LIMIT_RESPONSE_BODY);
	return ok && json_parse_copy(a, buf_str(&text), &d->answer, &d->err);
}

bool step_is_refusal(const struct delivery *d)
{
	return d->status == 401 || d->status == 403;
}

bool step_is_gone(const struct delivery *d)
{
	return d->err.code == ERR_CONNECT || d->err.code == ERR_DNS;
}

static void look_up_one(struct step *s, struct delivery *d, struct arena *a)
{
	d->attempts = 1;
	if (look_up(s, d, a))
		d->status = 200;
	else
		d->stage = "lookup";
}

static void look_up_all(struct step *s, struct delivery *d, size_t n, struct arena *a)
{
	bool stopped = false,
	     refused = false; /* a refusal stops once: it may be the record's own */

	for (size_t i = 0; i < n; i++) {
		refused = refused || step_is_refusal(&d[i]);
		if (d[i].err.code != ERR_NONE || d[i].ignored || d[i].attempts > 0)
			continue;
		d[i].deferred = stopped;
		if (stopped)
			continue;
		if (atomic_load(s->env.canceled)) {
			err_set(&d[i].err, ERR_CANCELED, "the job was canceled");
			continue;
		}
		look_up_one(s, &d[i], a);
		stopped = step_is_gone(&d[i]) || (!refused && step_is_refusal(&d[i]));
	}
}

bool step_submit(struct step *s, struct delivery *d, size_t n, struct arena *a, struct err *err)
{
	if (s->cfg.kind == STEP_IMPORT)
		return s->sink_ops->submit(s->sink, d, n, a, err);
	look_up_all(s, d, n, a);
	return !atomic_load(s->env.canceled) || err_set(err, ERR_CANCELED, "the job was canceled");
}

/* ---- answers ---- */

struct str step_error_code(struct arena *a, const struct err *err, int status)
{
	if (err->code == ERR_HTTP_STATUS && status != 0)
		return str_fmt(a, "%d", status);
	return str_z(err_info(err->code)->wire);
}

const char *step_error_source(const struct err *err, const char *stage)
{
	switch (err->code) {
	case ERR_HTTP_STATUS:
	case ERR_RESPONSE:
		return "application";
	case ERR_TIMEOUT:
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_DNS:
	case ERR_EGRESS:
		return "connection";
	case ERR_MAPPING:
		return "mapping";
	case ERR_LOOKUP:
		return "lookup";
	default:
		return stage == NULL || strcmp(stage, "submit") == 0 ? "internal" : stage;
	}
}

static void add_errors(const struct delivery *d, struct json_build *b)
{
	json_build_key(b, STR("errors"));
	json_build_array(b);
	json_build_object(b);
	json_add_str(b, STR("code"), step_error_code(b->arena, &d->err, d->status));
	json_add_str(b, STR("message"), str_dup(b->arena, str_z(d->err.message)));
	if (d->err.field[0] != '\0')
		json_add_str(b, STR("field"), str_dup(b->arena, str_z(d->err.field)));
	if (d->err.hint[0] != '\0')
		json_add_str(b, STR("hint"), str_dup(b->arena, str_z(d->err.hint)));
	json_add_str(b, STR("source"), str_z(step_error_source(&d->err, d->stage)));
	json_build_end(b);
	json_build_end(b);
}

void step_print_result(const struct delivery *d, struct json_build *b)
{
	bool ok = d->err.code == ERR_NONE;
	int status = ok ? 200 : d->status == 401 || d->status == 403 ? d->status : 422;

	json_build_object(b);
	json_add_i64(b, STR("statusCode"), status);
	json_add_copy(b, STR("id"), d->id);
	if (d->ignored)
		json_add_bool(b, STR("ignored"), true);
	if (!ok)
		add_errors(d, b);
	json_add_copy(b, STR("_json"), d->answer);
	json_build_end(b);
}

/* What a response mapping extracts from: a result; of a lookup also `data`. */
static const struct json *response_doc(const struct step *s, const struct delivery *d,
	struct arena *a)
{
	struct json_build b;

	json_build_init(&b, a);
	if (s->cfg.kind == STEP_IMPORT) {
		step_print_result(d, &b);
		return json_build_done(&b);
	}
	json_build_object(&b);
	json_add_i64(&b, STR("statusCode"), d->err.code == ERR_NONE ? 200 : 422);
	if (d->err.code != ERR_NONE)
		add_errors(d, &b);
	json_add_copy(&b, STR("data"), json_get(d->answer, STR("data")));
	json_build_end(&b);
	return json_build_done(&b);
}

bool step_respond(struct step *s, const struct delivery *d, struct arena *a,
	const struct json **record, struct err *err)
{
	struct json_build b;

	*record = d->source;
	if (s->response == NULL)
		return true;
	json_build_init(&b, a);
	if (!mapping_apply(s->response, response_doc(s, d, a), NULL, &b, err))
		return err_wrap(err, "responseMapping");
	*record = schema_merge_patch(a, d->source, json_build_done(&b));
	return true;
}
