/*
 * registry.c - the list of adaptors, and the chunks that their sources fill.
 */
#define CORE_ALLOCATES /* a chunk is shared by pages of two threads, so no arena can own it */
#include "adaptor/adaptor.h"

#include "adaptor/rest/rest.h"
#include "core/limits.h"

static const struct adaptor *const adaptors[] = {
	&rest_adaptor,
};

bool adaptor_of(const struct json *connection, const struct adaptor **out, struct err *err)
{
	struct str type = json_get_str(connection, STR("type"));

	for (size_t i = 0; i < ARRAY_LEN(adaptors); i++) {
		if (str_eq_z(type, adaptors[i]->name)) {
			*out = adaptors[i];
			return true;
		}
	}
	return err_set_field(err, ERR_UNSUPPORTED, "type",
		"this version has no adaptor for connections of type \"%.*s\"", STR_ARG(type));
}

struct chunk *chunk_new(void)
{
	struct chunk *c = calloc(1, sizeof(*c));

	CHECK(c != NULL);
	atomic_init(&c->refs, 1);
	c->arena = arena_new("source's answer", 0);
	c->text.max = LIMIT_RESPONSE_BODY;
	return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void chunk_unref(struct chunk *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	arena_free(c->arena);
	buf_free(&c->text);
	free(c);
}
