/*
 * test_url.c - what is a URL here and what is not, the examples of RFC 3986 for resolving, origins,
 * and percent-encoding.
 */
#include "test.h"

#include "core/buf.h"
#include "net/url.h"

static struct url parsed(struct arena *a, struct str text)
{
	struct url u;
	struct err err;

	assert_ok(url_parse(a, text, &u, &err));
	return u;
}

static void parts(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct url u = parsed(a,
		STR("HTTPS://us%40er:p:w@Api.Example.COM:8443/v1/a%20b?x=1?&y=/#f?#"));

	/* a fragment is everything behind the first '#' */
	assert_str(u.scheme, "https");
	assert_str(u.userinfo, "us%40er:p:w");
	assert_str(u.host, "api.example.com");
	assert_false(u.host_is_ipv6);
	assert_int_equal(u.port, 8443);
	assert_str(u.path, "/v1/a%20b");
	assert_str(u.query, "x=1?&y=/");
	assert_str(u.fragment, "f?#");
	assert_str(url_print(a, &u), "https://api.example.com:8443/v1/a%20b?x=1?&y=/");

	u = parsed(a, STR("http://h"));
	assert_null(u.userinfo.p);
	assert_null(u.query.p);
	assert_null(u.fragment.p);
	assert_str(u.path, "/");
	assert_str(url_print(a, &u), "http://h/");
	/* an empty query is a query */
	u = parsed(a, STR("http://h?"));
	assert_non_null(u.query.p);
	assert_str(url_print(a, &u), "http://h/?");
	u = parsed(a, STR("http://@h/"));
	assert_non_null(u.userinfo.p);
	assert_int_equal(u.userinfo.n, 0);
	u = parsed(a, STR("http://h#f/?x"));
	assert_str(u.path, "/");
	assert_str(u.fragment, "f/?x");
}

static void ports(void **state UNUSED)
{
	static const struct {
		const char *text;
		unsigned port;
		const char *origin;
	} rows[] = {
		{ "https://h", 443, "https://h" },
		{ "http://h/", 80, "http://h" },
		{ "ftp://h/", 21, "ftp://h" },
		{ "ftps://h/", 990, "ftps://h" },
		{ "sftp://h/", 22, "sftp://h" },
		{ "http://h:/", 80, "http://h" },
		{ "http://h:080/", 80, "http://h" },
		{ "https://h:443/", 443, "https://h" },
		{ "https://h:80/", 80, "https://h:80" },
		{ "http://h:65535/", 65535, "http://h:65535" },
		{ "http://h:1", 1, "http://h:1" },
		{ "http://[::1]:8080/", 8080, "http://[::1]:8080" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url u = parsed(a, str_z(rows[i].text));

		assert_int_equal(u.port, rows[i].port);
		assert_str(url_origin(a, &u), rows[i].origin);
	}
}

static void ipv6(void **state UNUSED)
{
	static const struct {
		const char *text, *host;
	} rows[] = {
		{ "http://[::1]/", "::1" },
		{ "http://[0:0:0:0:0:0:0:1]/", "::1" },
		{ "http://[2001:DB8::00ff]/", "2001:db8::ff" },
		{ "http://[::ffff:192.0.2.1]/", "::ffff:192.0.2.1" },
		{ "http://[::FFFF:C000:201]/", "::ffff:192.0.2.1" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url u = parsed(a, str_z(rows[i].text));

		assert_true(u.host_is_ipv6);
		assert_str(u.host, rows[i].host);
	}
}

static void refuses(void **state UNUSED)
{
	static const struct {
		struct str text;
		const char *why;
	} rows[] = {
		{ STR_INIT(""), "must be absolute" },
		{ STR_INIT("/a"), "must be absolute" },
		{ STR_INIT("//h/a"), "must be absolute" },
		{ STR_INIT("h/a"), "must be absolute" },
		{ STR_INIT(":80"), "must be absolute" },
		{ STR_INIT("1http://h"), "must be absolute" },
		{ STR_INIT("ht_tp://h"), "must be absolute" },
		{ STR_INIT("localhost:80"), "scheme \"localhost\" is none of" },
		{ STR_INIT("file:///etc/passwd"), "scheme \"file\" is none of" },
		{ STR_INIT("gopher://h/"), "scheme \"gopher\" is none of" },
		{ STR_INIT("javascript:alert(1)"), "scheme \"javascript\" is none of" },
		{ STR_INIT("http:/h"), "no \"//\" behind its scheme" },
		{ STR_INIT("http:h"), "no \"//\" behind its scheme" },
		{ STR_INIT("http://"), "has no host" },
		{ STR_INIT("http:///path"), "has no host" },
		{ STR_INIT("http://:80/"), "has no host" },
		{ STR_INIT("http://u@/"), "has no host" },
		{ STR_INIT("http://?q"), "has no host" },
		{ STR_INIT("http://h:0/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://h:65536/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://h:99999999999/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://h:+80/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://h:-1/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://h:80a/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://h:80:81/"), "port must be a number from 1 to 65535" },
		{ STR_INIT("http://::1/"), "has no host" },
		{ STR_INIT("http://h%2Fx/"), "host may not hold '%'" },
		{ STR_INIT("http://h!x/"), "host may not hold '!'" },
		{ STR_INIT("http://h]/"), "host may not hold ']'" },
		{ STR_INIT("http://h~/"), "host may not hold '~'" },
		{ STR_INIT("http://[::1/"), "not closed by ']'" },
		{ STR_INIT("http://[::1]80/"), "not closed by ']'" },
		{ STR_INIT("http://[]/"), "in brackets is not an IPv6 address" },
		{ STR_INIT("http://[127.0.0.1]/"), "in brackets is not an IPv6 address" },
		{ STR_INIT("http://[fe80::1%25eth0]/"), "in brackets is not an IPv6 address" },
		{ STR_INIT("http://[v1.x]/"), "in brackets is not an IPv6 address" },
		{ STR_INIT("http://[1:2:3:4:5:6:7:8:9]/"), "in brackets is not an IPv6 address" },
		{ STR_INIT("http://a@b@c/"), "must be percent-encoded, at byte 2 of it" },
		{ STR_INIT("http://a[b@c/"), "must be percent-encoded, at byte 2 of it" },
		{ STR_INIT("http://h/a b"), "a space at byte 11" },
		{ STR_INIT(" http://h/"), "a space at byte 1" },
		{ STR_INIT("http://h/\\@other/"), "a backslash at byte 10" },
		{ STR_INIT("http:\\\\h/"), "a backslash at byte 6" },
		{ STR_INIT("http://h/\r\nX: y"), "a control character at byte 10" },
		{ STR_INIT("http://h/a\n"), "a control character at byte 11" },
		{ STR_INIT("http://h/\ta"), "a control character at byte 10" },
		{ STR_INIT("http://h/a\0b"), "a control character at byte 11" },
		{ STR_INIT("http://h/\x7F"), "a control character at byte 10" },
		{ STR_INIT("http://h/\xC3\xA9"), "a non-ASCII character at byte 10" },
		{ STR_INIT("http://ex\xEF\xBC\x8E"
			   "com/"),
			"a non-ASCII character at byte 10" },
		{ STR_INIT("http://h/%"), "a '%' without two hexadecimal digits at byte 10" },
		{ STR_INIT("http://h/%4"), "a '%' without two hexadecimal digits at byte 10" },
		{ STR_INIT("http://h/?%g1"), "a '%' without two hexadecimal digits at byte 11" },
		{ STR_INIT("http://u:%@h/"), "a '%' without two hexadecimal digits at byte 10" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct url u = { .path = STR("untouched") };
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(url_parse(a, rows[i].text, &u, &err), ERR_INVALID, rows[i].why);
		assert_str(u.path, "untouched");
	}
}

static void never_says_a_password(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct err err;
	struct url u;

	assert_fails(url_parse(a, STR("http://me:s3cr[t@h/"), &u, &err), ERR_INVALID, "byte 8");
	assert_null(strstr(err.message, "s3cr"));
	u = parsed(a, STR("http://me:s3cret@h/p"));
	assert_str(url_print(a, &u), "http://h/p");
	assert_str(url_origin(a, &u), "http://h");
}

static void limits(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct buf b DEFER(buf_free) = BUF_INIT(0);
	struct err err;
	struct url u;

	buf_add_str(&b, STR("http://h/"));
	while (b.n < URL_BYTES_MAX)
		buf_add_char(&b, 'a');
	assert_ok(url_parse(a, buf_str(&b), &u, &err));
	buf_add_char(&b, 'a');
	assert_fails(url_parse(a, buf_str(&b), &u, &err), ERR_INVALID,
		"the URL has 16385 bytes; at most 16384 are allowed");

	buf_reset(&b);
	buf_add_str(&b, STR("http://"));
	while (b.n < 7 + 254)
		buf_add_char(&b, 'h');
	assert_ok(url_parse(a, buf_str(&b), &u, &err));
	buf_add_char(&b, 'h');
	assert_fails(url_parse(a, buf_str(&b), &u, &err), ERR_INVALID, "longer than 254 bytes");
}

/* RFC 3986, 5.4; NULL: refused here. The fragment is not printed. */
static void resolves_as_the_rfc_shows(void **state UNUSED)
{
	static const struct {
		const char *ref, *want;
	} rows[] = {
		{ "g:h", NULL },
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g/" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q" },
		{ "g#s", "http://a/b/c/g" },
		{ "g?y#s", "http://a/b/c/g?y" },
		{ ";x", "http://a/b/c/;x" },
		{ "g;x", "http://a/b/c/g;x" },
		{ "g;x?y#s", "http://a/b/c/g;x?y" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../", "http://a/" },
		{ "../../g", "http://a/g" },
		/* 5.4.2, abnormal */
		{ "../../../g", "http://a/g" },
		{ "../../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ ".g", "http://a/b/c/.g" },
		{ "g..", "http://a/b/c/g.." },
		{ "..g", "http://a/b/c/..g" },
		{ "./../g", "http://a/b/g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/./x", "http://a/b/c/g?y/./x" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "g#s/./x", "http://a/b/c/g" },
		{ "g#s/../x", "http://a/b/c/g" },
		{ "http:g", NULL },
		/* and some that the RFC does not show */
		{ "https://x:8443/a/../b", "https://x:8443/b" },
		{ "HTTP://X", "http://x/" },
		{ "//x:81/..", "http://x:81/" },
		{ "//u@x", "http://x/" },
		{ "//", NULL },
		{ "///x", NULL },
		{ "/", "http://a/" },
		{ "/a//b", "http://a/a//b" },
		{ "/a//../b", "http://a/a/b" },
		{ "/.//x", "http://a//x" },
		{ "?", "http://a/b/c/d;p?" },
		{ "./g:h", "http://a/b/c/g:h" },
		{ "a b", NULL },
		{ "/\\x", NULL },
		{ "\\\\x", NULL },
		{ "/\r\nX:y", NULL },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct url base = parsed(a, STR("http://a/b/c/d;p?q"));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct url u;

		if (rows[i].want == NULL) {
			assert_fails(url_resolve(a, &base, str_z(rows[i].ref), &u, &err),
				ERR_INVALID, "the URL");
			continue;
		}
		assert_ok(url_resolve(a, &base, str_z(rows[i].ref), &u, &err));
		assert_str(url_print(a, &u), rows[i].want);
	}
}

static void resolves_around_a_base(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct url base = parsed(a, STR("https://u:p@[::1]:444/x?q#f")), u;
	struct err err;

	/* who one is stays with the origin, and goes with it */
	assert_ok(url_resolve(a, &base, STR("y"), &u, &err));
	assert_str(u.userinfo, "u:p");
	assert_str(url_print(a, &u), "https://[::1]:444/y");
	assert_null(u.fragment.p);
	assert_ok(url_resolve(a, &base, STR("//other"), &u, &err));
	assert_null(u.userinfo.p);
	assert_int_equal(u.port, 443);
	assert_false(u.host_is_ipv6);
	assert_ok(url_resolve(a, &base, STR_NULL, &u, &err));
	assert_str(url_print(a, &u), "https://[::1]:444/x?q");
}

static void origins(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "http://h/a?b", "HTTP://H:80/c", true },
		{ "https://h", "https://u:p@h:443/", true },
		{ "http://[::1]/", "http://[0:0::1]/", true },
		{ "http://h", "https://h", false },
		{ "http://h:443", "https://h", false },
		{ "http://h", "http://h:8080", false },
		{ "http://h", "http://h2", false },
		{ "http://h", "http://h.", false },
		{ "http://127.0.0.1", "http://localhost", false },
		{ "http://a.h", "http://h", false },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url x = parsed(a, str_z(rows[i].a)), y = parsed(a, str_z(rows[i].b));

		if (url_same_origin(&x, &y) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

static void joins(void **state UNUSED)
{
	static const struct {
		const char *base, *relative, *want;
	} rows[] = {
		{ "https://h/v1", "items", "https://h/v1/items" },
		{ "https://h/v1/", "items", "https://h/v1/items" },
		{ "https://h/v1", "/items", "https://h/v1/items" },
		{ "https://h/v1//", "//items", "https://h/v1/items" },
		{ "https://h/v1", "?a=b", "https://h/v1?a=b" },
		{ "https://h/v1/", "?a=b", "https://h/v1/?a=b" },
		{ "https://h/v1", "", "https://h/v1" },
		{ "https://h", "a/b?c", "https://h/a/b?c" },
		{ "", "a", "/a" },
		/* a relative URI can't leave the base by naming another host */
		{ "https://h", "@evil/", "https://h/@evil/" },
		{ "https://h", "//evil/", "https://h/evil/" },
		{ "https://h", "http://evil/", "https://h/http://evil/" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_str(url_join(a, str_z(rows[i].base), str_z(rows[i].relative)), rows[i].want);
	/* what must be refused later is not cut off here */
	assert_true(str_eq(url_join(a, STR("https://h"), STR("a\0b")), STR("https://h/a\0b")));
}

static void adds_to_a_query(void **state UNUSED)
{
	static const struct {
		const char *url, *want;
	} rows[] = {
		{ "http://h/a", "http://h/a?k%20=v%26%C3%A9" },
		{ "http://h/a?", "http://h/a?k%20=v%26%C3%A9" },
		{ "http://h/a?b=c", "http://h/a?b=c&k%20=v%26%C3%A9" },
		{ "http://h/a?b&", "http://h/a?b&k%20=v%26%C3%A9" },
		{ "http://h/a#f?g", "http://h/a?k%20=v%26%C3%A9#f?g" },
		{ "http://h/a?b#f", "http://h/a?b&k%20=v%26%C3%A9#f" },
		{ "", "?k%20=v%26%C3%A9" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_str(url_add_query(a, str_z(rows[i].url), STR("k "), STR("v&\xC3\xA9")),
			rows[i].want);
}

static void encodes(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	char all[256];

	assert_str(url_encode_component(a, STR("azAZ09-._~")), "azAZ09-._~");
	assert_true(str_eq(url_encode_component(a, STR("\0 /?#[]@!$&'()*+,;=%\xFF")),
		STR("%00%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%FF")));
	assert_str(url_encode_component(a, STR_NULL), "");
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	struct str s = str_of(all, sizeof(all));

	assert_true(str_eq(url_decode(a, url_encode_component(a, s), false), s));
	assert_true(str_eq(url_decode(a, url_encode_component(a, s), true), s));
}

static void decodes(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	assert_str(url_decode(a, STR("a%2fb%2Fc+d"), false), "a/b/c+d");
	assert_str(url_decode(a, STR("a+b%2B"), true), "a b+");
	assert_str(url_decode(a, STR("%"), true), "%");
	assert_str(url_decode(a, STR("%4"), true), "%4");
	assert_str(url_decode(a, STR("%zz%41"), true), "%zzA");
	assert_str(url_decode(a, STR("%%41%2"), true), "%A%2");
	assert_str(url_decode(a, STR("%2541"), true), "%41");
	assert_true(str_eq(url_decode(a, STR("%00"), true), STR("\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(ports),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(refuses),
		cmocka_unit_test(never_says_a_password),
		cmocka_unit_test(limits),
		cmocka_unit_test(resolves_as_the_rfc_shows),
		cmocka_unit_test(resolves_around_a_base),
		cmocka_unit_test(origins),
		cmocka_unit_test(joins),
		cmocka_unit_test(adds_to_a_query),
		cmocka_unit_test(encodes),
		cmocka_unit_test(decodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
