/*
 * exchange.h - requests made by hand: as the server would hand them to the API.
 */
#ifndef TEST_UNIT_API_EXCHANGE_H
#define TEST_UNIT_API_EXCHANGE_H

#include "test.h"

#include "api/api_priv.h"

/* HEADERS: names and values in turn, NULL behind the last; may be NULL. */
static UNUSED struct http_exchange *exchange_new(struct arena *a, enum http_method method,
	const char *target, const char *const *headers)
{
	struct http_exchange *x = arena_new_of(a, struct http_exchange);
	struct http_header *list = arena_array_of(a, struct http_header, 16);
	struct str rest = str_z(target);

	x->arena = a;
	x->method = method;
	x->method_text = str_z(http_method_name(method));
	x->target = rest;
	x->path = str_cut(&rest, '?');
	x->query = rest;
	x->headers = list;
	for (; headers != NULL && headers[0] != NULL; headers += 2)
		list[x->header_count++] = (struct http_header){ str_z(headers[0]),
			str_z(headers[1]) };
	return x;
}

/* The answer's first field of this name; p NULL: it has none. */
static UNUSED struct str exchange_answered(const struct http_exchange *x, const char *name)
{
	for (size_t i = 0; i < x->res_header_count; i++)
		if (str_eq_ci(x->res_headers[i].name, str_z(name)))
			return x->res_headers[i].value;
	return STR_NULL;
}

#endif
