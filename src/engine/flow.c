/*
 * flow.c - what a flow is made of, and whether it can run: asked when a run is requested, and again
 * when it begins, since documents may have changed in between.
 *
 * A flow has the two ids of the document (_exportId, _importId), or lists of them (pageGenerators,
 * pageProcessors). A run that was interrupted goes on with the documents it began with: these are
 * kept as they were stored, so secrets in them are still sealed.
 */
#include "engine/engine_priv.h"

#include "crypt/digest.h"

struct reader {
	const struct engine *e;
	struct store_conn *c;
	struct arena *arena;
	struct str account_id;
	const struct json *kept;  /* object of documents to use instead, or NULL */
	struct err *missing;      /* the plan's */
	struct json_build config; /* what was read, as stored */
	struct err *err;
};

/* The stored text of a document: that of the kept configuration, or the present one. */
static bool read_text(struct reader *r, const char *type, struct str id, struct str *text)
{
	const struct json *kept = json_get(r->kept, id);
	struct store_resource row;

	if (json_is_str(kept)) {
		*text = json_str(kept);
		return true;
	}
	if (!store_resource_get(r->c, r->arena, r->account_id, str_z(type), id, &row, r->err))
		return err_wrap(r->err, "%s %.*s", type, STR_ARG(id));
	*text = row.document;
	return true;
}

/* A document with its secrets open; it becomes part of the configuration. */
static bool read_doc(struct reader *r, const char *type, struct str id, const struct json **out)
{
	struct str text;

	if (!read_text(r, type, id, &text))
		return false;
	json_add_str(&r->config, id, text);
	return resource_open_text(r->e->cfg.resources, r->arena, r->account_id, str_z(type), id,
		text, out, r->err);
}

/* One that is gone leaves the plan incomplete: what a run has in work must be accounted for still. */
static bool read_connection(struct reader *r, const struct json *doc, const char *what,
	struct str *id, const struct json **out)
{
	struct err err = ERR_INIT;

	*id = json_get_str(doc, STR("_connectionId"));
	*out = NULL;
	if (id->p == NULL)
		err_set_field(&err, ERR_FLOW, "_connectionId",
			"the flow can't run: its %s has no _connectionId", what);
	else if (resource_open(r->e->cfg.resources, r->c, r->arena, r->account_id,
			 STR("connection"), *id, out, &err))
		return true;
	if (err.code == ERR_STORE) {
		*r->err = err;
		return false;
	}
	if (r->missing->code == ERR_NONE)
		*r->missing = err;
	return true;
}

static bool is_listener(const struct json *export)
{
	return str_eq_z(json_get_str(export, STR("type")), "webhook");
}

static bool cant_ask(const char *field, const struct json *export, struct err *err)
{
	return err_set_field(err, ERR_FLOW, field,
		"export \"%.*s\" is a listener, which can't be asked for anything",
		STR_ARG(json_get_str(export, STR("name"))));
}

static bool read_source(struct reader *r, struct str id, struct flow_source *s)
{
	s->id = id;
	if (!read_doc(r, "export", id, &s->doc))
		return false;
	s->name = json_get_str(s->doc, STR("name"));
	return flow_source_is_listener(s) ||
	       read_connection(r, s->doc, "export", &s->connection_id, &s->connection);
}

static bool read_step(struct reader *r, enum step_kind kind, struct str id, struct flow_step *s)
{
	const char *type = kind == STEP_IMPORT ? "import" : "export";

	s->kind = kind;
	s->id = id;
	if (!read_doc(r, type, id, &s->doc))
		return false;
	s->name = json_get_str(s->doc, STR("name"));
	if (kind == STEP_LOOKUP && is_listener(s->doc) && r->missing->code == ERR_NONE)
		cant_ask("pageProcessors", s->doc, r->missing);
	return read_connection(r, s->doc, type, &s->connection_id, &s->connection);
}

static bool not_set(struct reader *r, const char *field)
{
	return err_set_field(r->err, ERR_FLOW, field, "the flow can't run: %s is not set", field);
}

static bool read_sources(struct reader *r, struct flow_plan *p)
{
	const struct json *list = json_get(p->flow, STR("pageGenerators"));
	struct str one = json_get_str(p->flow, STR("_exportId"));
	size_t n = json_is_array(list) ? list->n : 0;

	if (one.p == NULL && n == 0)
		return not_set(r, "_exportId");
	p->sources = arena_array_of(r->arena, struct flow_source, n + 1);
	if (n == 0)
		return read_source(r, one, &p->sources[p->source_count++]);
	for (json_each (it, list))
		if (!read_source(r, json_get_str(it, STR("_exportId")),
			    &p->sources[p->source_count++]))
			return false;
	return true;
}

static bool read_processor(struct reader *r, const struct json *it, struct flow_step *s)
{
	bool lookup = json_get(it, STR("_exportId")) != NULL;

	s->response_mapping = json_get(it, STR("responseMapping"));
	s->proceed_on_failure = json_get_true(it, STR("proceedOnFailure"));
	return read_step(r, lookup ? STEP_LOOKUP : STEP_IMPORT,
		json_get_str(it, lookup ? STR("_exportId") : STR("_importId")), s);
}

static bool read_steps(struct reader *r, struct flow_plan *p)
{
	const struct json *list = json_get(p->flow, STR("pageProcessors"));
	struct str one = json_get_str(p->flow, STR("_importId"));
	size_t n = json_is_array(list) ? list->n : 0;

	if (one.p == NULL && n == 0)
		return not_set(r, "_importId");
	p->steps = arena_array_of(r->arena, struct flow_step, n + 1);
	if (n == 0)
		return read_step(r, STEP_IMPORT, one, &p->steps[p->step_count++]);
	for (json_each (it, list))
		if (!read_processor(r, it, &p->steps[p->step_count++]))
			return false;
	return true;
}

static void finish_config(struct reader *r, struct flow_plan *p)
{
	unsigned char hash[SHA256_BYTES];

	json_build_end(&r->config);
	p->config = json_print_arena(r->arena, json_build_done(&r->config));
	digest_sha256(p->config, hash);
	str_hex_put(p->config_hash, hash, sizeof(hash));
	p->config_hash[64] = '\0';
}

bool flow_plan_read(const struct engine *e, struct arena *a, struct str account_id,
	struct str flow_id, struct str config, struct flow_plan *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct reader r = { .e = e, .arena = a, .account_id = account_id, .err = err };
	struct flow_plan p = { .account_id = account_id, .flow_id = flow_id };

	if (!store_read_begin(e->cfg.store, &c, err))
		return false;
	if (config.p != NULL && !json_parse_copy(a, config, &r.kept, err))
		return err_wrap(err, "the documents that the job began with");
	r.c = c;
	r.missing = &p.missing;
	json_build_init(&r.config, a);
	json_build_object(&r.config);
	if (!read_doc(&r, "flow", flow_id, &p.flow) || !read_sources(&r, &p) || !read_steps(&r, &p))
		return false;
	finish_config(&r, &p);
	*out = p;
	return true;
}

bool flow_source_is_listener(const struct flow_source *s)
{
	return is_listener(s->doc);
}

/* ---- can it be so? ---- */

/* The export of element I of LIST, when it is a listener; else NULL. */
static const struct json *listener_at(struct store_conn *c, struct arena *a, struct str account_id,
	const struct json *element)
{
	struct str id = json_get_str(element, STR("_exportId"));
	struct store_resource row;
	const struct json *doc;
	struct err gone = ERR_INIT; /* an id of nothing is refused elsewhere */

	if (id.p == NULL || !store_resource_get(c, a, account_id, STR("export"), id, &row, &gone) ||
		!json_parse_copy(a, row.document, &doc, &gone))
		return NULL;
	return is_listener(doc) ? doc : NULL;
}

static bool has_listener(struct store_conn *c, struct arena *a, struct str account_id,
	const struct json *flow)
{
	const struct json *list = json_get(flow, STR("pageGenerators"));

	if (json_is_array(list))
		for (json_each (it, list))
			if (listener_at(c, a, account_id, it) != NULL)
				return true;
	return listener_at(c, a, account_id, flow) != NULL;
}

bool engine_listener_check(struct engine *e, struct str account_id, const struct json *flow,
	struct err *err)
{
	static const char *const lists[] = { "pageGenerators", "pageProcessors" };
	struct arena *a DEFER(arena_freep) = arena_new("listener", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;

	if (!store_read_begin(e->cfg.store, &c, err))
		return false;
	if (json_is_str(json_get(flow, STR("schedule"))) && has_listener(c, a, account_id, flow))
		return err_set_field(err, ERR_FLOW, "schedule",
			"the flow's export is a listener: its events are taken as they come, not "
			"by "
			"the clock");
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		const struct json *list = json_get(flow, str_z(lists[k]));
		size_t i = 0;

		if (!json_is_array(list) || (k == 0 && list->n < 2))
			continue;
		for (json_each (it, list)) {
			const struct json *export = listener_at(c, a, account_id, it);
			const char *field = str_fmt(a, "%s.%zu._exportId", lists[k], i++).p;

			if (export == NULL)
				continue;
			if (k == 1)
				return cant_ask(field, export, err);
			return err_set_field(err, ERR_FLOW, field,
				"export \"%.*s\" is a listener: a flow that takes its events has "
				"no "
				"other export",
				STR_ARG(json_get_str(export, STR("name"))));
		}
	}
	return true;
}

/* ---- can it run? ---- */

bool engine_check_inert(const struct engine *e, struct arena *a, const char *type,
	const struct json *doc, struct err *err)
{
	const struct schema *s = resources_by_type(e->cfg.resources, str_z(type));
	struct str field = schema_first_inert(s, doc, a);

	if (field.p == NULL)
		return true;
	err_set_field(err, ERR_UNSUPPORTED, str_to_z(a, field),
		"the %s sets %.*s, which this version stores but can't act on yet", type,
		STR_ARG(field));
	return err_hint(err, "remove %.*s from the %s to run the flow without it", STR_ARG(field),
		type);
}

bool flow_plan_complete(const struct flow_plan *p, struct err *err)
{
	if (p->missing.code == ERR_NONE)
		return true;
	*err = p->missing;
	return false;
}

bool flow_plan_check(const struct engine *e, struct arena *a, const struct flow_plan *p,
	struct err *err)
{
	if (!flow_plan_complete(p, err))
		return false;
	if (json_get_true(p->flow, STR("disabled")))
		return err_set_field(err, ERR_FLOW, "disabled", "the flow is disabled");
	for (size_t i = 0; i < p->source_count; i++) {
		const struct flow_source *s = &p->sources[i];

		if (p->source_count > 1 && flow_source_is_listener(s))
			return err_set_field(err, ERR_FLOW, "pageGenerators",
				"export \"%.*s\" is a listener, and must be the flow's only export",
				STR_ARG(s->name));
		if (!engine_check_inert(e, a, "export", s->doc, err) ||
			(s->connection != NULL &&
				!engine_check_inert(e, a, "connection", s->connection, err)))
			return false;
	}
	for (size_t i = 0; i < p->step_count; i++) {
		const struct flow_step *s = &p->steps[i];

		if (!engine_check_inert(e, a, s->kind == STEP_IMPORT ? "import" : "export", s->doc,
			    err) ||
			!engine_check_inert(e, a, "connection", s->connection, err))
			return false;
	}
	return true;
}

struct str flow_plan_offline(const struct flow_plan *p, struct str *name)
{
	for (size_t i = 0; i < p->source_count + p->step_count; i++) {
		bool source = i < p->source_count;
		const struct json *c = source ? p->sources[i].connection
					      : p->steps[i - p->source_count].connection;

		if (c == NULL || !json_get_true(c, STR("offline")))
			continue;
		*name = json_get_str(c, STR("name"));
		return source ? p->sources[i].connection_id
			      : p->steps[i - p->source_count].connection_id;
	}
	return STR_NULL;
}
