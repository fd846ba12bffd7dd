/*
 * resource_remove.c - removal, which others' references may forbid.
 *
 * All of it happens on the writer's thread in one transaction, so nobody can begin to refer to what
 * is about to go. A cascade walks the referrers with a stack of its own: how long a chain of
 * references gets is the user's choice.
 */
#include "core/map.h"
#include "resource/resource_priv.h"

#define REFERRERS_SHOWN 20
#define CASCADE_MAX     10000

struct removal {
	const struct resources *r;
	const struct schema *s;
	struct str account_id, id;
	int64_t version;
	bool cascade;
	struct arena *arena;
	struct problems *p;
};

struct finder {
	struct arena *arena;
	struct str id, field;
};

static void find_ref(void *ctx, struct str path, const char *types, struct str id)
{
	struct finder *f = ctx;

	(void)types;
	if (f->field.p == NULL && str_eq(id, f->id))
		f->field = str_dup(f->arena, path);
}

/* The field by which BY refers to what is to be removed. */
static struct str field_of(struct store_conn *c, const struct removal *d,
	const struct store_resource *by)
{
	const struct schema *s = resources_by_type(d->r, by->type);
	struct finder f = { d->arena, d->id, STR_NULL };
	struct store_resource row;
	const struct json *doc;

	if (s != NULL &&
		store_resource_get(c, d->arena, d->account_id, by->type, by->id, &row, NULL) &&
		res_parse(d->arena, row.document, &doc, NULL))
		schema_each_ref(s, doc, find_ref, &f);
	return f.field.p != NULL ? f.field : STR("a field");
}

static void report_referrer(struct store_conn *c, struct removal *d,
	const struct store_resource *by)
{
	const struct schema *s = resources_by_type(d->r, by->type);
	struct str field = field_of(c, d, by);
	const char *place = str_fmt(d->arena, "%s/%.*s: %.*s",
		s == NULL ? "" : schema_def(s)->segment, STR_ARG(by->id), STR_ARG(field))
				    .p;

	struct str who = by->name.n == 0 ? by->id
					 : str_fmt(d->arena, "\"%.*s\" (%.*s)", STR_ARG(by->name),
						   STR_ARG(by->id));

	problems_add(d->p, ERR_CONFLICT, place,
		"delete it first, or let it go too with ?cascade=true",
		"the %.*s %.*s refers to this %s by %.*s", STR_ARG(by->type), STR_ARG(who),
		schema_def(d->s)->type, STR_ARG(field));
}

/* Who refers to (TYPE, ID), itself aside. */
static bool referrers(struct store_conn *c, const struct removal *d, struct str type, struct str id,
	struct store_resource **out, size_t *n, struct err *err)
{
	size_t max = REFERRERS_SHOWN, count;
	struct store_resource *list;

	for (;;) {
		list = arena_array_of(d->arena, struct store_resource, max);
		if (!store_resource_referrers(c, d->arena, d->account_id, type, id, list, max,
			    &count, err))
			return false;
		if (count <= max || !d->cascade)
			break;
		max = count;
	}
	count = MIN(count, max);
	*n = 0;
	for (size_t i = 0; i < count; i++)
		if (!str_eq(list[i].id, id) || !str_eq(list[i].type, type))
			list[(*n)++] = list[i];
	*out = list;
	return true;
}

/* ---- cascade ---- */

struct frame {
	struct frame *below;
	struct str type, id;
	struct store_resource *by;
	size_t count, next;
};

static struct frame *push(struct store_conn *c, struct removal *d, struct frame *below,
	struct str type, struct str id, struct err *err)
{
	struct frame *f = arena_new_of(d->arena, struct frame);

	*f = (struct frame){ .below = below, .type = type, .id = id };
	return referrers(c, d, type, id, &f->by, &f->count, err) ? f : NULL;
}

/* Removes what refers to the resource, theirs first, then the resource. */
static bool remove_all(struct store_conn *c, struct removal *d, struct err *err)
{
	struct map *seen = map_new(d->arena);
	struct frame *top = push(c, d, NULL, str_z(schema_def(d->s)->type), d->id, err);

	map_put(seen, d->id, d);
	while (top != NULL) {
		if (top->next < top->count) {
			struct store_resource *by = &top->by[top->next++];

			if (map_put(seen, by->id, d) != NULL)
				continue;
			if (map_count(seen) > CASCADE_MAX)
				return err_set(err, ERR_LIMIT,
					"more than %d resources would go with this one: delete "
					"them in parts",
					CASCADE_MAX);
			top = push(c, d, top, by->type, by->id, err);
			if (top == NULL)
				return false;
			continue;
		}
		if (!store_resource_remove(c, d->account_id, top->type, top->id, 0, err))
			return false;
		top = top->below;
		if (top == NULL)
			return true;
	}
	return false;
}

static bool remove_row(struct store_conn *c, void *arg, struct err *err)
{
	struct removal *d = arg;
	struct str type = str_z(schema_def(d->s)->type);
	struct store_resource row, *by;
	size_t n;

	if (!store_resource_get(c, d->arena, d->account_id, type, d->id, &row, err))
		return false;
	if (d->version != 0 && d->version != row.version)
		return err_set(err, ERR_PRECONDITION, "the %s has changed: version %lld is stored",
			schema_def(d->s)->type, (long long)row.version);
	if (d->cascade)
		return remove_all(c, d, err);
	if (!referrers(c, d, type, d->id, &by, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		report_referrer(c, d, &by[i]);
	if (n > 0)
		return err_set(err, ERR_CONFLICT, "others refer to it");
	return store_resource_remove(c, d->account_id, type, d->id, d->version, err);
}

bool resource_remove(const struct resources *r, struct str account_id, const struct schema *s,
	struct str id, int64_t version, bool cascade, struct arena *a, struct problems *p)
{
	struct removal d = { r, s, account_id, id, version, cascade, a, p };
	size_t before = p->count;
	struct err err = ERR_INIT;

	if (store_write(r->cfg.store, remove_row, &d, &err))
		return true;
	return p->count > before ? false : problems_add_err(p, &err);
}
