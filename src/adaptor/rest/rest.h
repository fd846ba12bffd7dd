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

#endif
