/*
 * shape.c - a transform and a filter, one behind the other.
 */
#include "engine/shape.h"

#include "map/filter.h"
#include "map/transform.h"

struct shape {
	bool plain;
	struct transform *transform;
	struct filter *filter;
};

bool shape_compile(struct arena *a, const struct json *export, struct shape **out, struct err *err)
{
	const struct json *transform = json_get(export, STR("transform"));
	const struct json *filter = json_get(export, STR("filter"));
	struct shape *s = arena_new_of(a, struct shape);

	s->plain = transform == NULL && filter == NULL;
	if (!transform_compile(a, transform, "transform", &s->transform, err) ||
		!filter_compile(a, filter, "filter", &s->filter, err))
		return false;
	*out = s;
	return true;
}

bool shape_is_plain(const struct shape *s)
{
	return s->plain;
}

bool shape_apply(const struct shape *s, struct arena *a, const struct json **record, bool *passes,
	const char **stage, struct err *err)
{
	struct json_build b;

	*passes = true;
	if (s->plain)
		return true;
	json_build_init(&b, a);
	*stage = "transform";
	if (!transform_apply(s->transform, *record, &b, err))
		return false;
	*record = json_build_done(&b);
	*stage = "output_filter";
	return filter_passes(s->filter, *record, NULL, a, passes, err);
}
