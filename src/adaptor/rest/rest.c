/*
 * rest.c - the REST adaptor's table.
 */
#include "adaptor/rest/rest_priv.h"

const struct adaptor rest_adaptor = { "rest", &rest_connection_ops, &rest_source_ops,
	&rest_sink_ops };
