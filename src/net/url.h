/*
 * url.h - parsing, resolving and comparing http(s) and ftp URLs (RFC 3986), and percent-encoding.
 *
 * Strict: control bytes, spaces, backslashes and non-ASCII bytes are refused, since they are read
 * differently by different programs. Pure; results point into the input or the arena.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "core/str.h"

#define URL_BYTES_MAX 16384

struct url {
	struct str scheme;   /* lower case */
	struct str userinfo; /* p NULL: none */
	struct str host;     /* lower case; an IPv6 literal without its brackets */
	bool host_is_ipv6;
	uint16_t port;       /* the scheme's default when absent */
	struct str path;     /* "/" when empty */
	struct str query;    /* without '?'; p NULL: none */
	struct str fragment; /* without '#'; p NULL: none */
};

/* ERR_INVALID with what is wrong. Schemes: http, https, ftp, ftps, sftp. */
MUST_CHECK bool url_parse(struct arena *a, struct str text, struct url *out, struct err *err);
/* RFC 3986, 5.2: REF (absolute, //host, /path, path, ?query or "") against BASE. */
MUST_CHECK bool url_resolve(struct arena *a, const struct url *base, struct str ref,
	struct url *out, struct err *err);
/* The whole URL without fragment and userinfo. */
struct str url_print(struct arena *a, const struct url *u);
/* Same scheme, host and port. */
bool url_same_origin(const struct url *a, const struct url *b);
/* "https://host:port", the port only when it is not the default. */
struct str url_origin(struct arena *a, const struct url *u);
/*
 * Joins a connection's base URI and a relative URI as the platform does: by concatenation, with
 * exactly one '/' between, a relative URI that begins with '?' directly behind the base.
 */
struct str url_join(struct arena *a, struct str base, struct str relative);
/* Adds name=value (both encoded here) behind '?' or '&'. */
struct str url_add_query(struct arena *a, struct str url, struct str name, struct str value);

/* Everything but the unreserved characters of RFC 3986 becomes %XX. */
struct str url_encode_component(struct arena *a, struct str s);
/* %XX to bytes; malformed escapes stay; '+' stays unless PLUS_IS_SPACE. */
struct str url_decode(struct arena *a, struct str s, bool plus_is_space);

#endif
