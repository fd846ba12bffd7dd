/*
 * rest_prepare_priv.h - from a record to its request; included by rest_sink_priv.h, which has the
 * structures and says whose thread it is.
 */
#ifndef ADAPTOR_REST_REST_PREPARE_PRIV_H
#define ADAPTOR_REST_REST_PREPARE_PRIV_H

#include "adaptor/rest/rest_sink_priv.h"

/* ---- rest_map.c ---- */

/* Makes d->mapped, or sets its err. */
void rest_map_apply(struct sink *s, struct delivery *d, struct arena *a);
/* The same as compact JSON, added to OUT, which must not be s->more. */
MUST_CHECK bool rest_map_print(struct sink *s, const struct delivery *d, struct buf *out,
	struct err *err);

/* ---- rest_prepare.c ---- */

MUST_CHECK bool rest_prepare_compile(struct sink *s, const struct json *import,
	const struct call_args *call, struct err *err);
/* Is the record there already? By the deciding lookup's result or the deciding extract. */
enum existence rest_prepare_existence(const struct sink *s, const struct json *record,
	const struct json *lookups);
/* Is the mapped record wanted as JSON text of a body, and for nothing else? */
bool rest_prepare_prints(const struct sink *s);
/* Makes d->request in the arena. */
bool rest_prepare_make(struct sink *s, struct delivery *d, struct arena *a);
/* False only for a text that rest_prepare_make() did not make. */
MUST_CHECK bool rest_prepare_parse(struct str text, struct request *out, struct err *err);
/* The next header line of LINES; false behind the last. */
bool rest_prepare_header(struct str *lines, struct http_header *out);

#endif
