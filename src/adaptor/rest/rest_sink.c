/*
 * rest_sink.c - a REST import: opened from its documents; map() and prepare() over a page.
 *
 * The work stands in the files beside this one: lookups, requests, answers, sending.
 */
#include "adaptor/rest/rest_sink_priv.h"

#include "adaptor/rest/rest_session_priv.h"

bool rest_fault(struct err *err, const char *field)
{
	if (err->field[0] == '\0')
		snprintf(err->field, sizeof(err->field), "%s", field);
	return err_wrap(err, "%s", field);
}

static void sink_close(struct sink *s)
{
	rest_session_close(s->session);
	rest_send_free(s);
	buf_free(&s->text);
	buf_free(&s->more);
	arena_free(s->scratch);
	struct arena *a = s->arena;

	arena_wipe(a);
	arena_free(a);
}

/* A batch is one JSON array, so each body in it must be JSON. */
static bool check_batch(const struct sink *s, const struct json *connection, struct err *err)
{
	struct str type = json_get_str(json_get(connection, STR("rest")), STR("mediaType"));

	if (s->batch_size == 1 || type.p == NULL || str_eq_z(type, "json"))
		return true;
	return err_set_field(err, ERR_INVALID, "rest.batchSize",
		"several records go as one JSON array, but the connection's rest.mediaType is %.*s",
		STR_ARG(type));
}

static bool compile(struct sink *s, const struct json *import, const struct call_args *call,
	struct err *err)
{
	if (!rest_lookup_compile(s, import, err) || !rest_prepare_compile(s, import, call, err) ||
		!rest_result_compile(s, json_get(import, STR("rest")), err))
		return false;
	rest_lookup_mark(s, import);
	return true;
}

static struct sink *sink_new(const struct adaptor_env *env)
{
	struct arena *a = arena_new("session", 0);
	struct sink *s = arena_new_of(a, struct sink);

	s->arena = a;
	s->env = env;
	s->scratch = arena_new("record", 0);
	s->paths = map_new(a);
	s->text = (struct buf)BUF_INIT(LIMIT_PAGE_BYTES);
	s->more = (struct buf)BUF_INIT(LIMIT_PAGE_BYTES);
	return s;
}

static bool sink_open(const struct adaptor_env *env, const struct json *connection,
	const struct json *import, const struct sink_args *args, struct sink **out, struct err *err)
{
	struct sink *s = sink_new(env);

	s->mapping = args->mapping;
	s->keep_answers = args->keep_answers;
	s->variables = args->call.variables;
	s->xml = str_eq_z(json_get_str(json_get(connection, STR("rest")), STR("mediaType")), "xml");
	if (!compile(s, import, &args->call, err) || !check_batch(s, connection, err) ||
		!rest_session_open(env, connection, 0, &s->session, err)) {
		sink_close(s);
		return false;
	}
	rest_send_init(s);
	s->prints = args->print_mapped && rest_prepare_prints(s);
	*out = s;
	return true;
}

bool rest_import_check(const struct json *import, struct err *err)
{
	struct sink *s = sink_new(NULL);
	struct call_args none = { .variables = NULL };
	bool ok = compile(s, import, &none, err);

	sink_close(s);
	return ok;
}

/* Is there something to do for it before submit()? Not when it has its request from before. */
static bool is_open(const struct delivery *d)
{
	return d->err.code == ERR_NONE && !d->ignored && d->request.p == NULL;
}

/* What the decision says must not be sent. */
static void decide(const struct sink *s, struct delivery *d)
{
	enum existence e = rest_prepare_existence(s, d->source, d->lookups);

	if (s->ignore_existing && e == EXISTS_YES)
		d->reason = STR("the record exists, and ignoreExisting is set");
	else if (s->ignore_missing && e == EXISTS_NO)
		d->reason = STR("the record does not exist, and ignoreMissing is set");
	else
		return;
	d->ignored = true;
}

static bool ended(const struct sink *s, struct err *err)
{
	return !rest_send_canceled(s) || err_set(err, ERR_CANCELED, "the job was canceled");
}

static bool sink_map(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err)
{
	rest_lookup_ask(s, records, n, a);
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = &records[i];

		if (is_open(d) && (s->ignore_existing || s->ignore_missing))
			decide(s, d);
		if (is_open(d) && (!s->prints || json_is_str(d->source)))
			rest_map_apply(s, d, a);
	}
	return ended(s, err);
}

static bool sink_prepare(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (is_open(&records[i]))
			(void)rest_prepare_make(s, &records[i], a);
	return ended(s, err);
}

static bool sink_submit(struct sink *s, struct delivery *records, size_t n, struct arena *a,
	struct err *err)
{
	return rest_submit(s, records, n, a, err);
}

/* Without a login: nothing is asked for a look. */
static struct str sink_show(struct sink *s, const struct delivery *d, struct arena *a)
{
	struct http_header own[REST_HEADERS_MAX];
	struct rest_call c DEFER(rest_call_free);
	struct str lines, text = STR_NULL;
	struct err none = ERR_INIT;
	struct request rq;

	rest_call_init(&c);
	if (d->request.p == NULL || !rest_prepare_parse(d->request, &rq, &none))
		return STR_NULL;
	lines = rq.headers;
	c.purpose = "import";
	c.method = rq.method;
	c.uri = rq.uri;
	c.body = rq.body;
	c.own = own;
	while (c.own_count < REST_HEADERS_MAX && rest_prepare_header(&lines, &own[c.own_count]))
		c.own_count++;
	if (rest_call_complete(s->session, &c, &none))
		text = rest_evidence_request(s->session, &c, a);
	return text;
}

const struct sink_ops rest_sink_ops = { sink_open, sink_map, sink_prepare, sink_submit, sink_show,
	sink_close };
