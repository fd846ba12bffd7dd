/*
 * merge_patch.c - RFC 7396, section 2: members of the patch replace those of the target, null
 * removes, anything but an object replaces the whole. Order: the target's members, then new ones.
 */
#include "schema/schema_priv.h"

static void merge(struct json_build *b, const struct json *target, const struct json *patch);

static void merge_members(struct json_build *b, const struct json *target, const struct json *patch)
{
	struct members in_patch, in_target;

	members_init(&in_patch, b->arena, patch);
	members_init(&in_target, b->arena, target);
	if (json_is_object(target)) {
		for (json_each_member(key, target)) {
			const struct json *change = members_find(&in_patch, json_str(key));

			if (change != NULL && json_value(change)->type == JSON_NULL)
				continue;
			json_build_key(b, json_str(key));
			if (change == NULL)
				json_build_copy(b, json_value(key));
			else
				merge(b, json_value(key), json_value(change));
		}
	}
	for (json_each_member(key, patch)) {
		if (json_value(key)->type == JSON_NULL ||
			members_find(&in_patch, json_str(key)) != key ||
			members_find(&in_target, json_str(key)) != NULL)
			continue;
		json_build_key(b, json_str(key));
		merge(b, NULL, json_value(key));
	}
}

static void merge(struct json_build *b, const struct json *target, const struct json *patch)
{
	if (patch->type != JSON_OBJECT) {
		json_build_copy(b, patch);
		return;
	}
	json_build_object(b);
	merge_members(b, target, patch);
	json_build_end(b);
}

const struct json *schema_merge_patch(struct arena *a, const struct json *target,
	const struct json *patch)
{
	struct json_build b;

	json_build_init(&b, a);
	merge(&b, target, patch);
	return json_build_done(&b);
}
