/*
 * flow.c - what a flow is made of, and whether it can run: asked when a run is requested, and again
 * when it begins, since documents may have changed in between.
 */
#include "engine/engine_priv.h"

static bool read_part(const struct engine *e, struct store_conn *c, struct arena *a,
	struct str account_id, const struct json *from, const char *field, const char *type,
	struct str *id, const struct json **out, struct err *err)
{
	*id = json_get_str(from, str_z(field));
	if (id->p == NULL)
		return err_set_field(err, ERR_FLOW, field, "the flow can't run: %s is not set",
			field);
	if (resource_open(e->cfg.resources, c, a, account_id, str_z(type), *id, out, err))
		return true;
	return err_wrap(err, "%s %.*s", type, STR_ARG(*id));
}

bool flow_parts_read(const struct engine *e, struct arena *a, struct str account_id,
	struct str flow_id, struct flow_parts *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct str connection_id;

	return store_read_begin(e->cfg.store, &c, err) &&
	       resource_open(e->cfg.resources, c, a, account_id, STR("flow"), flow_id, &out->flow,
		       err) &&
	       read_part(e, c, a, account_id, out->flow, "_exportId", "export", &out->export_id,
		       &out->export, err) &&
	       read_part(e, c, a, account_id, out->flow, "_importId", "import", &out->import_id,
		       &out->import, err) &&
	       read_part(e, c, a, account_id, out->export, "_connectionId", "connection",
		       &connection_id, &out->source_connection, err) &&
	       read_part(e, c, a, account_id, out->import, "_connectionId", "connection",
		       &connection_id, &out->sink_connection, err);
}

static bool check_inert(const struct engine *e, struct arena *a, const char *type,
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

static bool check_online(const char *role, const struct json *connection, struct err *err)
{
	struct str name = json_get_str(connection, STR("name"));

	if (!json_get_true(connection, STR("offline")))
		return true;
	return err_set(err, ERR_FLOW, "the %s connection \"%.*s\" is offline", role, STR_ARG(name));
}

bool flow_parts_check(const struct engine *e, struct arena *a, const struct flow_parts *p,
	struct err *err)
{
	if (json_get_true(p->flow, STR("disabled")))
		return err_set_field(err, ERR_FLOW, "disabled", "the flow is disabled");
	return check_inert(e, a, "export", p->export, err) &&
	       check_inert(e, a, "import", p->import, err) &&
	       check_inert(e, a, "connection", p->source_connection, err) &&
	       check_inert(e, a, "connection", p->sink_connection, err) &&
	       check_online("source", p->source_connection, err) &&
	       check_online("target", p->sink_connection, err);
}
