/*
 * rest.h - the REST adaptor: any RESTful JSON API.
 */
#ifndef ADAPTOR_REST_REST_H
#define ADAPTOR_REST_REST_H

#include "adaptor/adaptor.h"

extern const struct adaptor rest_adaptor;

#endif
