/*
 * rest_fields.h - header fields of answers that a REST connection acts on. Pure; results point into
 * the input.
 */
#ifndef ADAPTOR_REST_REST_FIELDS_H
#define ADAPTOR_REST_REST_FIELDS_H

#include "core/str.h"

/*
 * The target of the first link with this relation among the Link fields (RFC 8288) of HEADERS (field
 * lines); p NULL: there is none. A relation stands in any letter case, alone or among others.
 */
struct str rest_link_find(struct str headers, struct str relation);

/*
 * How long VALUE, of a Retry-After or a field like it, says to wait at NOW_MS (wall): seconds with or
 * without a fraction, which is rounded up; an HTTP date (IMF-fixdate); an instant as Unix time in
 * seconds or milliseconds. At most LIMIT_RETRY_AFTER_MAX_S. False: it says nothing usable - words,
 * zero, the past.
 */
MUST_CHECK bool rest_wait_told(struct str value, int64_t now_ms, int64_t *wait_ms);

struct rest_set_cookie {
	struct str name, value;
	bool secure; /* for https only */
	bool ended;  /* Max-Age of 0 or less: it is taken back */
};
/* One Set-Cookie value (RFC 6265, 5.2). False: it is none. */
MUST_CHECK bool rest_set_cookie_read(struct str field, struct rest_set_cookie *out);

#endif
