/*
 * resource_handlers.c - create, list, get, replace, patch, delete for every resource type.
 */
#include "api/handlers_priv.h"
#include "api/params.h"

#include "core/limits.h"

static void answer_view(struct api_request *rq, int status, const struct resource_view *v)
{
	api_answer(rq, status, v->json);
	api_etag(rq, v->version);
}

/* Schedules, listeners and waiting jobs follow from what was written. */
static void written(struct api_request *rq, struct str id)
{
	engine_resource_changed(rq->api->cfg.engine, caller_account(&rq->caller),
		str_z(schema_def(rq->match.schema)->type), id);
}

/* Of flows: listeners have their place. Answers itself when it is not so. */
static bool flow_can_be(struct api_request *rq)
{
	struct err err = ERR_INIT;

	if (strcmp(schema_def(rq->match.schema)->type, "flow") != 0 ||
		engine_listener_check(rq->api->cfg.engine, caller_account(&rq->caller), rq->body,
			&err))
		return true;
	api_fail(rq, &err);
	return false;
}

void handle_resource_create(struct api_request *rq)
{
	struct resource_view v;
	struct problems p;

	if (!flow_can_be(rq))
		return;
	problems_init(&p, rq->x->arena);
	if (!resource_create(rq->api->cfg.resources, caller_account(&rq->caller), rq->match.schema,
		    rq->body, rq->x->arena, &v, &p)) {
		api_fail_all(rq, &p);
		return;
	}
	written(rq, v.id);
	answer_view(rq, 201, &v);
	api_header(rq, "Location",
		str_fmt(rq->x->arena, "/v1/%s/%.*s", schema_def(rq->match.schema)->segment,
			STR_ARG(v.id)));
}

void handle_resource_get(struct api_request *rq)
{
	struct resource_view v;
	struct err err = ERR_INIT;
	struct str none_match = http_request_header(rq->x, STR("If-None-Match"));

	if (!resource_get(rq->api->cfg.resources, caller_account(&rq->caller), rq->match.schema,
		    rq->match.params[0], rq->x->arena, &v, &err)) {
		api_fail(rq, &err);
		return;
	}
	answer_view(rq, 200, &v);
	if (none_match.p != NULL && str_find(none_match, str_fmt(rq->x->arena, "\"%lld\"",
								 (long long)v.version)) != STR_NPOS)
		api_answer(rq, 304, STR_NULL);
}

typedef bool (*change_fn)(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, int64_t version, const struct json *body, struct arena *a,
	struct resource_view *out, struct problems *p);

static void change(struct api_request *rq, change_fn fn)
{
	struct resource_view v;
	struct problems p;
	int64_t version;

	if (!api_if_match(rq, &version) || !flow_can_be(rq))
		return;
	problems_init(&p, rq->x->arena);
	if (fn(rq->api->cfg.resources, caller_account(&rq->caller), rq->match.schema,
		    rq->match.params[0], version, rq->body, rq->x->arena, &v, &p)) {
		written(rq, v.id);
		answer_view(rq, 200, &v);
	} else {
		api_fail_all(rq, &p);
	}
}

void handle_resource_replace(struct api_request *rq)
{
	change(rq, resource_replace);
}

void handle_resource_patch(struct api_request *rq)
{
	change(rq, resource_patch);
}

void handle_resource_remove(struct api_request *rq)
{
	struct problems p;
	int64_t version;
	bool cascade = str_eq_z(http_request_query(rq->x, STR("cascade")), "true");

	if (!api_if_match(rq, &version))
		return;
	problems_init(&p, rq->x->arena);
	if (resource_remove(rq->api->cfg.resources, caller_account(&rq->caller), rq->match.schema,
		    rq->match.params[0], version, cascade, rq->x->arena, &p)) {
		written(rq, rq->match.params[0]);
		api_answer(rq, 204, STR_NULL);
	} else {
		api_fail_all(rq, &p);
	}
}

/* ---- lists ---- */

#define FILTER_VALUES_MAX 100

struct list_query {
	struct store_filter filter;
	struct str values[4][FILTER_VALUES_MAX];
};

/* Repeated parameters are "one of". */
static bool add_value(struct list_query *q, size_t which, size_t *count, struct str value,
	struct err *err)
{
	if (*count == FILTER_VALUES_MAX)
		return err_set(err, ERR_QUERY, "a filter can have at most %d values",
			FILTER_VALUES_MAX);
	q->values[which][(*count)++] = value;
	return true;
}

static bool read_param(struct list_query *q, struct str name, struct str value, struct err *err)
{
	struct store_filter *f = &q->filter;

	if (str_eq_z(name, "name"))
		return add_value(q, 0, &f->name_count, value, err);
	if (str_eq_z(name, "externalId"))
		return add_value(q, 1, &f->external_id_count, value, err);
	if (str_eq_z(name, "_integrationId"))
		return add_value(q, 2, &f->integration_id_count, value, err);
	if (str_eq_z(name, "_connectorId"))
		return add_value(q, 3, &f->connector_id_count, value, err);
	if (str_eq_z(name, "limit"))
		return param_limit(name, value, LIMIT_LIST, &f->limit, err);
	if (str_eq_z(name, "after")) {
		f->after = value;
		return id_valid(value) ||
		       err_set_field(err, ERR_QUERY, "after", "after must be an _id of the list");
	}
	return param_unknown(err, name, STR("leave it out"));
}

static bool read_list_query(struct api_request *rq, struct list_query *q, struct err *err)
{
	struct str name, value;
	size_t at = 0;

	while (http_request_query_next(rq->x, &at, &name, &value))
		if (!read_param(q, name, value, err))
			return false;
	q->filter.names = q->filter.name_count > 0 ? q->values[0] : NULL;
	q->filter.external_ids = q->filter.external_id_count > 0 ? q->values[1] : NULL;
	q->filter.integration_ids = q->filter.integration_id_count > 0 ? q->values[2] : NULL;
	q->filter.connector_ids = q->filter.connector_id_count > 0 ? q->values[3] : NULL;
	return true;
}

void handle_resource_list(struct api_request *rq)
{
	struct list_query *q = arena_new_of(rq->x->arena, struct list_query);
	struct buf out DEFER(buf_free) = BUF_INIT(0);
	struct err err = ERR_INIT;
	struct str last = STR_NULL;

	if (!read_list_query(rq, q, &err) ||
		!resource_list(rq->api->cfg.resources, caller_account(&rq->caller),
			rq->match.schema, &q->filter, rq->x->arena, &out, &last, &err)) {
		api_fail(rq, &err);
		return;
	}
	api_answer(rq, 200, str_dup(rq->x->arena, buf_str(&out)));
	if (last.p != NULL)
		api_link_next(rq, last);
}
