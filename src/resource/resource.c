/*
 * resource.c - the types, compiled once, and found by their names.
 */
#include "resource/resource_priv.h"

const struct res_def *const resource_defs[] = { &res_connection, &res_export, &res_import,
	&res_flow, &res_integration, &res_connector, &res_iclient, &res_stack, &res_script,
	&res_hook, NULL };

struct resources *resources_new(struct arena *a, const struct resources_config *cfg)
{
	struct resources *r = arena_new_of(a, struct resources);

	r->cfg = *cfg;
	r->count = ARRAY_LEN(resource_defs) - 1;
	r->schemas = arena_zalloc(a, ARRAY_LEN(resource_defs) * sizeof(const struct schema *));
	for (size_t i = 0; i < r->count; i++)
		r->schemas[i] = schema_compile(a, resource_defs[i]);
	return r;
}

const struct schema *resources_by_segment(const struct resources *r, struct str segment)
{
	for (size_t i = 0; i < r->count; i++)
		if (str_eq_ci(str_z(resource_defs[i]->segment), segment))
			return r->schemas[i];
	return NULL;
}

const struct schema *resources_by_type(const struct resources *r, struct str type)
{
	for (size_t i = 0; i < r->count; i++)
		if (str_eq_z(type, resource_defs[i]->type))
			return r->schemas[i];
	return NULL;
}

const struct schema *resources_at(const struct resources *r, size_t i)
{
	return i < r->count ? r->schemas[i] : NULL;
}

struct str res_place_aad(struct arena *a, const struct res_place *place, struct str path)
{
	return str_fmt(a, "%.*s/%.*s/%.*s/%.*s", STR_ARG(place->account_id), STR_ARG(place->type),
		STR_ARG(place->id), STR_ARG(path));
}
