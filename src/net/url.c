/*
 * url.c - one pass over the bytes that refuses what URLs may not hold, then a split by RFC 3986's
 * appendix B; every part is checked against its own set of characters.
 *
 * Slices of the result point into the text unless a part had to be folded to lower case or put in
 * canonical form.
 */
#include "net/url.h"

#include <arpa/inet.h>

#include "core/buf.h"

struct scheme {
	struct str name;
	uint16_t port;
};

static const struct scheme schemes[] = {
	{ STR_INIT("https"), 443 },
	{ STR_INIT("http"), 80 },
	{ STR_INIT("ftp"), 21 },
	{ STR_INIT("ftps"), 990 },
	{ STR_INIT("sftp"), 22 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_unreserved(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_sub_delim(char c)
{
	return c != '\0' && strchr("!$&'()*+,;=", c) != NULL;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_escape(struct str s, size_t at)
{
	return s.n - at > 2 && hex_value(s.p[at + 1]) >= 0 && hex_value(s.p[at + 2]) >= 0;
}

static const struct scheme *scheme_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_eq_ci(schemes[i].name, name))
			return &schemes[i];
	return NULL;
}

/* What no part of a URL may hold. */
static bool check_bytes(struct str s, struct err *err)
{
	if (s.n > URL_BYTES_MAX)
		return err_set(err, ERR_INVALID, "the URL has %zu bytes; at most %d are allowed",
			s.n, URL_BYTES_MAX);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (LIKELY(c > ' ' && c < 0x7F && c != '\\' && (c != '%' || is_escape(s, i))))
			continue;
		if (c == ' ')
			err_set(err, ERR_INVALID, "the URL has a space at byte %zu", i + 1);
		else if (c < ' ' || c == 0x7F)
			err_set(err, ERR_INVALID, "the URL has a control character at byte %zu",
				i + 1);
		else if (c == '\\')
			err_set(err, ERR_INVALID, "the URL has a backslash at byte %zu", i + 1);
		else if (c >= 0x80)
			err_set(err, ERR_INVALID, "the URL has a non-ASCII character at byte %zu",
				i + 1);
		else
			err_set(err, ERR_INVALID,
				"the URL has a '%%' without two hexadecimal digits at byte %zu",
				i + 1);
		return err_hint(err, "Write it percent-encoded: a space is %%20, a '%%' is %%25.");
	}
	return true;
}

static struct str lower(struct arena *a, struct str s)
{
	bool fold = false;

	for (size_t i = 0; i < s.n && !fold; i++)
		fold = s.p[i] >= 'A' && s.p[i] <= 'Z';
	if (!fold)
		return s;
	char *p = arena_strndup(a, s.p, s.n);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return str_of(p, s.n);
}

static bool parse_port(struct str s, const struct scheme *scheme, struct url *u, struct err *err)
{
	uint64_t port;

	if (s.n == 0) {
		u->port = scheme->port;
		return true;
	}
	if (s.n > 5 || !is_digit(s.p[0]) || !str_to_u64(s, &port) || port < 1 || port > UINT16_MAX)
		return err_set(err, ERR_INVALID, "the URL's port must be a number from 1 to 65535");
	u->port = (uint16_t)port;
	return true;
}

/* The literal is stored in the one form of RFC 5952, so that origins compare. */
static bool parse_ipv6(struct arena *a, struct str s, struct url *u, struct err *err)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.n < sizeof(text)) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		if (inet_pton(AF_INET6, text, &addr) == 1) {
			CHECK(inet_ntop(AF_INET6, &addr, text, sizeof(text)) != NULL);
			u->host = str_dup(a, str_z(text));
			u->host_is_ipv6 = true;
			return true;
		}
	}
	return err_set(err, ERR_INVALID, "the URL's host in brackets is not an IPv6 address");
}

/*
 * Names as DNS has them. RFC 3986 would also allow sub-delims and escapes, which resolvers and
 * clients read differently.
 */
static bool parse_name(struct arena *a, struct str s, struct url *u, struct err *err)
{
	if (s.n == 0)
		return err_set(err, ERR_INVALID, "the URL has no host");
	if (s.n > 254)
		return err_set(err, ERR_INVALID, "the URL's host is longer than 254 bytes");
	for (size_t i = 0; i < s.n; i++)
		if (!is_unreserved(s.p[i]) || s.p[i] == '~')
			return err_set(err, ERR_INVALID, "the URL's host may not hold '%c'",
				s.p[i]);
	u->host = lower(a, s);
	return true;
}

static bool check_userinfo(struct str s, struct err *err)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		/* The text may be a password: only the position is said. */
		if (!is_unreserved(c) && !is_sub_delim(c) && c != ':' && c != '%')
			return err_set(err, ERR_INVALID,
				"the URL's user name or password has a character that must be "
				"percent-encoded, at byte %zu of it",
				i + 1);
	}
	return true;
}

static bool parse_authority(struct arena *a, struct str s, const struct scheme *scheme,
	struct url *u, struct err *err)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, '@', s.n);

	if (at != NULL) {
		u->userinfo = str_of(s.p, (size_t)(at - s.p));
		s = str_from(s, u->userinfo.n + 1);
		if (!check_userinfo(u->userinfo, err))
			return false;
	}
	if (s.n > 0 && s.p[0] == '[') {
		size_t end = str_find_char(s, ']');
		struct str port = end == STR_NPOS ? STR_NULL : str_from(s, end + 1);

		if (end == STR_NPOS || (port.n > 0 && port.p[0] != ':'))
			return err_set(err, ERR_INVALID,
				"the URL's IPv6 address is not closed by ']'");
		return parse_ipv6(a, str_sub(s, 1, end - 1), u, err) &&
		       parse_port(str_from(port, 1), scheme, u, err);
	}
	struct str rest = s, host = str_cut(&rest, ':');

	return parse_name(a, host, u, err) && parse_port(rest, scheme, u, err);
}

/* Path, query and fragment; S begins behind the authority. */
static void split_tail(struct str s, struct url *u)
{
	size_t hash = str_find_char(s, '#');

	if (hash != STR_NPOS) {
		u->fragment = str_from(s, hash + 1);
		s.n = hash;
	}
	size_t mark = str_find_char(s, '?');

	if (mark != STR_NPOS) {
		u->query = str_from(s, mark + 1);
		s.n = mark;
	}
	u->path = s;
}

static size_t authority_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
		n++;
	return n;
}

/* The length of the scheme in front of ':', or STR_NPOS when S has none. */
static size_t scheme_length(struct str s)
{
	if (s.n == 0 || !is_alpha(s.p[0]))
		return STR_NPOS;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == ':')
			return i;
		if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
			return STR_NPOS;
	}
	return STR_NPOS;
}

static bool parse_absolute(struct arena *a, struct str s, struct url *u, struct err *err)
{
	size_t n = scheme_length(s);
	const struct scheme *scheme = n == STR_NPOS ? NULL : scheme_find(str_sub(s, 0, n));

	if (n == STR_NPOS)
		return err_set(err, ERR_INVALID,
			"the URL must be absolute and begin with \"https://\" or the like");
	if (scheme == NULL)
		return err_set(err, ERR_INVALID,
			"the URL's scheme \"%.*s\" is none of https, http, ftp, ftps and sftp",
			(int)MIN(n, 40), s.p);
	u->scheme = scheme->name;
	s = str_from(s, n + 1);
	if (!str_starts(s, STR("//")))
		return err_set(err, ERR_INVALID, "the URL has no \"//\" behind its scheme");
	s = str_from(s, 2);
	n = authority_length(s);
	if (!parse_authority(a, str_sub(s, 0, n), scheme, u, err))
		return false;
	split_tail(str_from(s, n), u);
	return true;
}

bool url_parse(struct arena *a, struct str text, struct url *out, struct err *err)
{
	struct url u = { .scheme = STR_NULL };

	if (!check_bytes(text, err) || !parse_absolute(a, text, &u, err))
		return false;
	if (u.path.n == 0)
		u.path = STR("/");
	*out = u;
	return true;
}

/* RFC 3986, 5.2.4, for a path that begins with '/'. */
static struct str remove_dot_segments(struct arena *a, struct str path)
{
	char *out = arena_alloc(a, path.n + 1);
	size_t n = 0;
	struct str rest = str_from(path, 1);

	while (rest.p != NULL) {
		struct str segment = str_cut(&rest, '/');
		bool up = str_eq(segment, STR("..")), here = str_eq(segment, STR("."));

		if (up)
			while (n > 0 && out[--n] != '/')
				;
		if (up || here) {
			if (rest.p == NULL)
				out[n++] = '/'; /* "a/.." names the folder: "/" stays */
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, segment.p, segment.n);
		n += segment.n;
	}
	return n == 0 ? STR("/") : str_of(out, n);
}

/* RFC 3986, 5.2.3: BASE's path up to its last '/', then REF. */
static struct str merge(struct arena *a, struct str base, struct str ref)
{
	const char *slash = memrchr(base.p, '/', base.n);
	size_t n = slash == NULL ? 0 : (size_t)(slash - base.p) + 1;
	char *p = arena_alloc(a, n + ref.n + 1);

	memcpy(p, base.p, n);
	memcpy(p + n, ref.p, ref.n);
	return str_of(p, n + ref.n);
}

static void resolve_path(struct arena *a, const struct url *base, struct str ref, struct url *u)
{
	split_tail(ref, u);
	if (u->path.n == 0) {
		u->path = base->path;
		if (u->query.p == NULL)
			u->query = base->query;
		return;
	}
	if (u->path.p[0] != '/')
		u->path = merge(a, base->path, u->path);
	u->path = remove_dot_segments(a, u->path);
}

bool url_resolve(struct arena *a, const struct url *base, struct str ref, struct url *out,
	struct err *err)
{
	struct url u = { .scheme = base->scheme };

	if (!check_bytes(ref, err))
		return false;
	if (scheme_length(ref) != STR_NPOS) {
		if (!parse_absolute(a, ref, &u, err))
			return false;
		u.path = u.path.n == 0 ? STR("/") : remove_dot_segments(a, u.path);
	} else if (str_starts(ref, STR("//"))) {
		struct str s = str_from(ref, 2);
		size_t n = authority_length(s);

		if (!parse_authority(a, str_sub(s, 0, n), scheme_find(base->scheme), &u, err))
			return false;
		split_tail(str_from(s, n), &u);
		u.path = u.path.n == 0 ? STR("/") : remove_dot_segments(a, u.path);
	} else {
		u.userinfo = base->userinfo;
		u.host = base->host;
		u.host_is_ipv6 = base->host_is_ipv6;
		u.port = base->port;
		resolve_path(a, base, ref, &u);
	}
	*out = u;
	return true;
}

/* Writes "scheme://host[:port]" to P, which has room for it; returns the length. */
static size_t put_origin(char *p, const struct url *u)
{
	const struct scheme *scheme = scheme_find(u->scheme);
	size_t n = 0;

	memcpy(p, u->scheme.p, u->scheme.n);
	n += u->scheme.n;
	memcpy(p + n, "://[", 4);
	n += u->host_is_ipv6 ? 4 : 3;
	memcpy(p + n, u->host.p, u->host.n);
	n += u->host.n;
	if (u->host_is_ipv6)
		p[n++] = ']';
	if (scheme == NULL || scheme->port != u->port)
		n += (size_t)snprintf(p + n, 7, ":%u", (unsigned)u->port);
	return n;
}

#define ORIGIN_EXTRA 16 /* "://", brackets, ":65535", NUL */

struct str url_origin(struct arena *a, const struct url *u)
{
	char *p = arena_alloc(a, u->scheme.n + u->host.n + ORIGIN_EXTRA);
	size_t n = put_origin(p, u);

	p[n] = '\0';
	return str_of(p, n);
}

struct str url_print(struct arena *a, const struct url *u)
{
	char *p = arena_alloc(a,
		u->scheme.n + u->host.n + ORIGIN_EXTRA + u->path.n + u->query.n + 2);
	size_t n = put_origin(p, u);

	memcpy(p + n, u->path.p, u->path.n);
	n += u->path.n;
	if (u->query.p != NULL) {
		p[n++] = '?';
		memcpy(p + n, u->query.p, u->query.n);
		n += u->query.n;
	}
	p[n] = '\0';
	return str_of(p, n);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->port == b->port && str_eq(a->scheme, b->scheme) && str_eq(a->host, b->host);
}

/* Byte for byte: a NUL that came from a record must reach the check that refuses it. */
static struct str concat(struct arena *a, const struct str *parts, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += parts[i].n;
	char *p = arena_alloc(a, n + 1), *d = p;

	for (size_t i = 0; i < count; i++)
		d = parts[i].n == 0 ? d : (char *)mempcpy(d, parts[i].p, parts[i].n);
	*d = '\0';
	return str_of(p, n);
}

struct str url_join(struct arena *a, struct str base, struct str relative)
{
	bool slash = relative.n > 0 && relative.p[0] != '?';

	if (slash) {
		while (base.n > 0 && base.p[base.n - 1] == '/')
			base.n--;
		while (relative.n > 0 && relative.p[0] == '/')
			relative = str_from(relative, 1);
	}
	return concat(a, (struct str[]){ base, slash ? STR("/") : STR(""), relative }, 3);
}

struct str url_add_query(struct arena *a, struct str url, struct str name, struct str value)
{
	size_t hash = str_find_char(url, '#');
	struct str before = str_sub(url, 0, hash), fragment = str_from(url, before.n);
	struct str n = url_encode_component(a, name), v = url_encode_component(a, value);
	struct str mark = STR("&");

	if (str_find_char(before, '?') == STR_NPOS)
		mark = STR("?");
	else if (before.p[before.n - 1] == '?' || before.p[before.n - 1] == '&')
		mark = STR("");
	return concat(a, (struct str[]){ before, mark, n, STR("="), v, fragment }, 6);
}

struct str url_encode_component(struct arena *a, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *p = arena_alloc(a, s.n * 3 + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved((char)c)) {
			p[n++] = (char)c;
			continue;
		}
		p[n++] = '%';
		p[n++] = hex[c >> 4];
		p[n++] = hex[c & 15];
	}
	p[n] = '\0';
	return str_of(p, n);
}

struct str url_decode(struct arena *a, struct str s, bool plus_is_space)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%' && is_escape(s, i)) {
			c = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		p[n++] = c;
	}
	p[n] = '\0';
	return str_of(p, n);
}
