/*
 * rest_values_priv.h - texts of the REST import with placeholders, and what these stand for.
 */
#ifndef ADAPTOR_REST_REST_VALUES_PRIV_H
#define ADAPTOR_REST_REST_VALUES_PRIV_H

#include "adaptor/rest/rest_priv.h"
#include "map/template.h"

struct sink;

/* ---- rest_values.c ---- */

/* What placeholders may stand for. NULL members: not there. */
struct values {
	struct sink *sink;
	const struct json *lookups; /* results by name */
	const struct json *record, *mapped;
	bool mapped_first; /* in bodies the mapped record's value wins over the record's */
};
MUST_CHECK bool rest_values_render(const struct template *t, const struct values *v,
	struct buf *out, struct err *err);
/* As rest_values_render(), for a relative URI: what can't stand in a URL is percent-encoded, control
 * characters are refused. */
MUST_CHECK bool rest_values_uri(const struct template *t, const struct values *v, struct buf *out,
	struct err *err);
/* Does a placeholder of it name the lookup? */
bool rest_values_names(const struct template *t, struct str lookup);

/* ---- rest_text.c ---- */

/*
 * A body: a JSON value whose strings are templates (their values are escaped as JSON wants it), or
 * a text that is one template. With `{{` in a text, single braces in it stand for themselves.
 */
struct rest_text;
/* V must not be NULL. */
MUST_CHECK bool rest_text_compile(struct arena *a, const struct json *v, struct rest_text **out,
	struct err *err);
MUST_CHECK bool rest_text_render(const struct rest_text *b, const struct values *v, struct buf *out,
	struct err *err);
/* T may be NULL. */
bool rest_text_names(const struct rest_text *t, struct str lookup);

#endif
