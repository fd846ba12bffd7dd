/*
 * problems.c - a growing list of errors in the arena, cut at a number nobody reads beyond.
 */
#include "schema/problems.h"

#include "core/str.h"

#include <stdarg.h>

void problems_init(struct problems *p, struct arena *a)
{
	*p = (struct problems){ .arena = a };
}

static struct err *room(struct problems *p)
{
	if (p->count == PROBLEMS_MAX)
		return NULL;
	if (p->count == p->cap) {
		size_t cap = p->cap == 0 ? 4 : p->cap * 2;

		p->list = arena_grow(p->arena, p->list, p->cap * sizeof(*p->list),
			cap * sizeof(*p->list));
		p->cap = cap;
	}
	return &p->list[p->count++];
}

bool problems_add(struct problems *p, enum err_code code, const char *field, const char *hint,
	const char *fmt, ...)
{
	struct err *err = room(p);
	va_list ap;

	if (err == NULL)
		return false;
	va_start(ap, fmt);
	struct str text = str_vfmt(p->arena, fmt, ap);

	va_end(ap);
	err_clear(err);
	err_set_field(err, code, field, "%s", text.p);
	if (hint != NULL && hint[0] != '\0')
		err_hint(err, "%s", hint);
	return false;
}

bool problems_add_err(struct problems *p, const struct err *err)
{
	struct err *mine = room(p);

	if (mine != NULL)
		*mine = *err;
	return false;
}

int problems_status(const struct problems *p)
{
	return err_info(p->count > 0 ? p->list[0].code : ERR_NONE)->status;
}
