/*
 * profile_handlers.c - the account's own settings: the time zone of flows that have none.
 */
#include "api/handlers_priv.h"

#include "data/timezone.h"

static bool print_profile(struct api_request *rq, struct str *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct arena *a = rq->x->arena;
	struct store_account account;
	struct store_timezone zone;
	struct json_build b;

	if (!store_read_begin(rq->api->cfg.store, &c, err) ||
		!store_account_get(c, a, caller_account(&rq->caller), &account, err) ||
		!store_timezone_get(c, a, account.id, &zone, err))
		return false;
	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("_id"), account.id);
	json_add_str(&b, STR("name"), account.name);
	json_build_key(&b, STR("timezone"));
	if (zone.name.p == NULL)
		json_build_null(&b);
	else
		json_build_str(&b, zone.name);
	json_build_end(&b);
	*out = json_print_arena(a, json_build_done(&b));
	return true;
}

void handle_profile_get(struct api_request *rq)
{
	struct err err = ERR_INIT;
	struct str text;

	if (print_profile(rq, &text, &err))
		api_answer(rq, 200, text);
	else
		api_fail(rq, &err);
}

static bool read_zone(const struct json *zone, struct str *out, struct err *err)
{
	const struct zone *known;

	if (zone == NULL)
		return err_set_field(err, ERR_MISSING, "timezone",
			"timezone must be set: a name, or null for UTC");
	*out = json_is_str(zone) ? json_str(zone) : STR_NULL;
	if (!json_is_str(zone) && zone->type != JSON_NULL)
		return err_set_field(err, ERR_INVALID, "timezone",
			"timezone must be the name of a time zone, or null");
	if (out->p == NULL || timezone_find(*out, &known, err))
		return true;
	snprintf(err->field, sizeof(err->field), "timezone");
	return false;
}

static bool read_account(struct api_request *rq, struct store_account *out, struct err *err)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;

	return store_read_begin(rq->api->cfg.store, &c, err) &&
	       store_account_get(c, rq->x->arena, caller_account(&rq->caller), out, err);
}

/* The members besides the time zone may come as they were read. */
static bool same_member(const struct store_account *account, struct str name,
	const struct json *value, struct err *err)
{
	bool id = str_eq_z(name, "_id"), known = id || str_eq_z(name, "name");
	char field[72];

	if (known && json_is_str(value) &&
		str_eq(json_str(value), id ? account->id : account->name))
		return true;
	snprintf(field, sizeof(field), "%.*s", STR_ARG(str_sub(name, 0, 64)));
	return err_set_field(err, known ? ERR_READ_ONLY : ERR_UNKNOWN_FIELD, field,
		"%s can't be set in a profile: timezone can", field);
}

/* {"timezone"} */
static bool read_profile(struct api_request *rq, struct str *zone, struct err *err)
{
	struct store_account account;

	if (!json_is_object(rq->body))
		return err_set(err, ERR_INVALID,
			"the body must be an object: {\"timezone\": a name}");
	if (!read_account(rq, &account, err))
		return false;
	for (json_each_member(name, rq->body))
		if (!str_eq_z(json_str(name), "timezone") &&
			!same_member(&account, json_str(name), json_value(name), err))
			return false;
	return read_zone(json_get(rq->body, STR("timezone")), zone, err);
}

struct put {
	struct str account_id;
	struct store_timezone zone;
};

static bool put_write(struct store_conn *c, void *arg, struct err *err)
{
	const struct put *p = arg;

	return store_timezone_put(c, p->account_id, &p->zone, err);
}

void handle_profile_put(struct api_request *rq)
{
	struct put p = { caller_account(&rq->caller),
		{ .since_ms = clock_wall_ms(rq->api->cfg.clock) } };
	struct err err = ERR_INIT;

	if (!read_profile(rq, &p.zone.name, &err) ||
		!store_write(rq->api->cfg.store, put_write, &p, &err)) {
		api_fail(rq, &err);
		return;
	}
	engine_resource_changed(rq->api->cfg.engine, p.account_id, STR("profile"), p.account_id);
	handle_profile_get(rq);
}
