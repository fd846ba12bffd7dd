/*
 * exchange.h - one exchange with an application, taken apart: for previews and the debug log.
 *
 * The texts are those of struct adaptor_trace: start line, header fields, empty line, body; bounded,
 * secrets masked. What is added to B points into them.
 */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include "data/json.h"

/* Adds members to the open object: method, url, headers (of {name, value}), body. */
void exchange_add_request(struct json_build *b, struct str text);
/* statusCode, headers, body. */
void exchange_add_response(struct json_build *b, struct str text);
/* What stands behind the empty line. */
struct str exchange_body(struct str text);
/* The status of a response text; 0: there is none. */
int exchange_status(struct str text);

#endif
