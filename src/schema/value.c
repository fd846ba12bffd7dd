/*
 * value.c - the syntax of single values, and the words that say what was wanted and what was found.
 *
 * URLs are checked for what later steps rely on (scheme, host, port, no credentials, no bytes that
 * programs read differently); whether the host may be reached is decided when it is called.
 */
#include "schema/schema_priv.h"

#include "core/clock.h"

#define FOUND_SHOWN 40

static bool all_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

const char *value_id_fault(struct str s)
{
	return s.n == 24 && all_hex(s) ? NULL : "24 lower-case hexadecimal digits";
}

const char *value_token_fault(struct str s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], l = (char)(c | 0x20);

		if (!((c >= '0' && c <= '9') || (l >= 'a' && l <= 'z') ||
			    (c != '\0' && strchr(marks, c) != NULL)))
			return "one word of letters, digits and !#$%&'*+-.^_`|~";
	}
	return NULL;
}

/* Cuts N digits off *S; -1 when they are not there. */
static int digits(struct str *s, size_t n)
{
	int v = 0;

	if (s->n < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = str_from(*s, n);
	return v;
}

static bool cut_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_from(*s, 1);
	return true;
}

static bool cut_date(struct str *s)
{
	int year = digits(s, 4), month, day, y;
	unsigned m, d;

	if (year < 0 || !cut_char(s, '-') || (month = digits(s, 2)) < 1 || month > 12 ||
		!cut_char(s, '-') || (day = digits(s, 2)) < 1 || day > 31)
		return false;
	/* 30 February comes back as another date */
	time_civil(time_days(year, (unsigned)month, (unsigned)day), &y, &m, &d);
	return m == (unsigned)month && d == (unsigned)day;
}

static bool cut_zone(struct str *s)
{
	int h, m;

	if (cut_char(s, 'Z'))
		return true;
	if (!cut_char(s, '+') && !cut_char(s, '-'))
		return false;
	h = digits(s, 2);
	cut_char(s, ':');
	m = digits(s, 2);
	return h >= 0 && h <= 23 && m >= 0 && m <= 59;
}

static bool cut_clock(struct str *s)
{
	int h = digits(s, 2), m, sec;

	if (h < 0 || h > 23 || !cut_char(s, ':') || (m = digits(s, 2)) < 0 || m > 59)
		return false;
	if (!cut_char(s, ':'))
		return true;
	if ((sec = digits(s, 2)) < 0 || sec > 59)
		return false;
	if (!cut_char(s, '.'))
		return true;
	if (digits(s, 1) < 0)
		return false;
	while (digits(s, 1) >= 0)
		;
	return true;
}

const char *value_time_fault(struct str s)
{
	static const char want[] = "an ISO 8601 time such as 2017-06-19T21:27:09.945Z";

	if (!cut_date(&s))
		return want;
	if (s.n == 0)
		return NULL;
	return cut_char(&s, 'T') && cut_clock(&s) && cut_zone(&s) && s.n == 0 ? NULL : want;
}

static bool port_ok(struct str port)
{
	uint64_t v;

	return port.n > 0 && port.n <= 5 && str_to_u64(port, &v) && v >= 1 && v <= 65535;
}

static const char *authority_fault(struct str auth)
{
	size_t bracket = str_find_char(auth, ']'), colon;
	struct str host = auth, port = STR_NULL;

	if (str_find_char(auth, '@') != STR_NPOS)
		return "a URL without user name and password: they have fields of their own";
	if (auth.n > 0 && auth.p[0] == '[') {
		if (bracket == STR_NPOS)
			return "a URL whose IPv6 address ends in \"]\"";
		host = str_sub(auth, 0, bracket + 1);
		port = str_from(auth, bracket + 1);
		if (port.n > 0 && port.p[0] != ':')
			return "a URL with nothing but a port behind its IPv6 address";
		port = port.n > 0 ? str_from(port, 1) : STR_NULL;
	} else if ((colon = str_find_char(auth, ':')) != STR_NPOS) {
		host = str_sub(auth, 0, colon);
		port = str_from(auth, colon + 1);
	}
	if (host.n == 0)
		return "a URL with a host name";
	if (port.p != NULL && !port_ok(port))
		return "a URL with a port from 1 to 65535";
	return NULL;
}

/* What of AFTER, which stands behind the scheme, names the server. */
static struct str authority_of(struct str after)
{
	size_t end = 0;

	while (end < after.n && after.p[end] != '/' && after.p[end] != '?')
		end++;
	return str_sub(after, 0, end);
}

const char *value_url_fault(struct str s)
{
	static const char forbidden[] = "\"<>\\^`{|}";
	size_t skip;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7F ||
			strchr(forbidden, s.p[i]) != NULL)
			return "a URL without spaces, quotes, braces, backslashes, control and "
			       "non-ASCII characters (percent-encode them)";
	if (str_starts_ci(s, STR("https://")))
		skip = 8;
	else if (str_starts_ci(s, STR("http://")))
		skip = 7;
	else
		return "an absolute URL that begins with https:// or http://";
	if (str_find_char(s, '#') != STR_NPOS)
		return "a URL without a fragment (#...)";

	return authority_fault(authority_of(str_from(s, skip)));
}

struct str value_url_origin(struct arena *a, struct str s)
{
	bool tls = str_starts_ci(s, STR("https://"));
	struct str auth = authority_of(str_from(s, tls ? 8 : 7)),
		   port = tls ? STR(":443") : STR(":80");

	if (str_ends(auth, port))
		auth.n -= port.n;
	return str_fmt(a, "%s://%.*s", tls ? "https" : "http", STR_ARG(auth));
}

static struct str wanted_text(struct arena *a, const struct fld *f)
{
	if (f->min > 0)
		return str_fmt(a, "a string of %lld to %lld bytes", (long long)f->min,
			(long long)f->max);
	return STR("a string");
}

static struct str wanted_ref(struct arena *a, const struct fld *f)
{
	struct str rest = str_z(f->values), s = STR("the id of");
	const char *sep = "";

	while (rest.p != NULL) {
		struct str type = str_cut(&rest, '|');

		s = str_fmt(a, "%.*s%s %s %.*s", STR_ARG(s), sep, word_article(type),
			STR_ARG(type));
		sep = " or";
	}
	return str_fmt(a, "%.*s: 24 lower-case hexadecimal digits", STR_ARG(s));
}

struct str value_wanted(struct arena *a, const struct fld *f, bool element)
{
	struct fld one = *f;

	if (!element && (f->flags & (FLD_LIST | FLD_LIST_OR_ONE)) != 0) {
		one.flags &= ~(unsigned)(FLD_LIST | FLD_LIST_OR_ONE);
		struct str each = value_wanted(a, &one, true);

		if ((f->flags & FLD_LIST) != 0)
			return str_fmt(a, "an array, each element %.*s", STR_ARG(each));
		return str_fmt(a, "%.*s, or an array of them", STR_ARG(each));
	}
	switch (f->type) {
	case FLD_STR:
		return wanted_text(a, f);
	case FLD_BOOL:
		return STR("true or false");
	case FLD_INT:
		return str_fmt(a, "an integer from %lld to %lld", (long long)f->min,
			(long long)f->max);
	case FLD_ENUM:
		return words_join(a, f->values, " or ");
	case FLD_REF:
		return wanted_ref(a, f);
	case FLD_TIME:
		return STR("an ISO 8601 time such as 2017-06-19T21:27:09.945Z");
	case FLD_URL:
		return STR("an absolute http or https URL");
	case FLD_TOKEN:
		return STR("one word of letters, digits and !#$%&'*+-.^_`|~");
	case FLD_OBJECT:
	case FLD_MAP:
		return STR("an object");
	case FLD_ANY:
		break;
	}
	return STR("any value");
}

/* Up to FOUND_SHOWN bytes of S, on a character border, fit to be read on one line. */
static struct str shown(struct arena *a, struct str s)
{
	struct walk_path p = { .n = 0 };
	bool cut = s.n > FOUND_SHOWN;

	if (cut) {
		s.n = FOUND_SHOWN;
		while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	walk_path_push(&p, s);
	return str_fmt(a, "%.*s%s", (int)p.n, p.s, cut ? "..." : "");
}

const char *word_article(struct str word)
{
	return word.n > 0 && strchr("aeiou", word.p[0]) != NULL ? "an" : "a";
}

struct str value_found(struct arena *a, const struct json *v, bool secret)
{
	switch ((enum json_type)v->type) {
	case JSON_STRING:
		if (secret)
			return STR("another string");
		if (v->n == 0)
			return STR("an empty string");
		return str_fmt(a, "the string \"%s\"", shown(a, json_str(v)).p);
	case JSON_NUMBER:
		return secret ? STR("a number")
			      : str_fmt(a, "the number %s", shown(a, json_str(v)).p);
	case JSON_TRUE:
		return STR("true");
	case JSON_FALSE:
		return STR("false");
	case JSON_ARRAY:
		return str_fmt(a, "an array of %u", v->n);
	case JSON_OBJECT:
		return STR("an object");
	case JSON_NULL:
		break;
	}
	return STR("null");
}
