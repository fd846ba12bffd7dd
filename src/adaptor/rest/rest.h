/*
 * rest.h - the REST adaptor: any RESTful JSON API.
 */
#ifndef ADAPTOR_REST_REST_H
#define ADAPTOR_REST_REST_H

#include "adaptor/adaptor.h"

extern const struct adaptor rest_adaptor;

/*
 * Can an import of this document be opened? Finds what its rows can't tell: faults in templates,
 * and an operation that nothing decides. The document passed the checks of its rows. ERR_INVALID,
 * ERR_MISSING name the field.
 */
MUST_CHECK bool rest_import_check(const struct json *import, struct err *err);

/*
 * Can the placeholders of TEXT be read? As exports read their headers, queries and bodies; DOUBLES_ONLY:
 * as connections do, and as a body that is one string is read, where `{x}` is none. ERR_INVALID.
 */
MUST_CHECK bool rest_text_check(struct arena *a, struct str text, bool doubles_only,
	struct err *err);
/* The same of an import's body or header, VALUE. */
MUST_CHECK bool rest_import_text_check(struct arena *a, const struct json *value, struct err *err);

#endif
