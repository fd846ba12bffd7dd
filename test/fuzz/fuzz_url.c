/*
 * fuzz_url.c - any bytes as a URL, and as a reference against a base (behind the first line feed).
 *
 * What passes prints to a URL that passes again as the same; resolving gives what can be parsed;
 * nothing that could split a header or a request line is ever in it; encoding can be undone.
 */
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		CHECK(s.p[i] > 0x20 && s.p[i] != 0x7F && s.p[i] != '\\');
}

static void check_url(struct arena *a, const struct url *u)
{
	struct err err = ERR_INIT;
	struct url again;
	struct str text = url_print(a, u);

	CHECK(u->host.n > 0 && u->port > 0 && u->path.n > 0 && u->path.p[0] == '/');
	check_clean(text);
	/* canonical forms may be longer than what was written, by the brackets' inside only */
	if (text.n > URL_BYTES_MAX)
		return;
	CHECK(url_parse(a, text, &again, &err));
	CHECK(url_same_origin(u, &again) && u->host_is_ipv6 == again.host_is_ipv6);
	CHECK(str_eq(u->path, again.path) && str_eq(u->query, again.query));
	CHECK((u->query.p == NULL) == (again.query.p == NULL));
	CHECK(again.userinfo.p == NULL && again.fragment.p == NULL);
	CHECK(str_eq(url_print(a, &again), text));
	CHECK(str_starts(text, url_origin(a, u)));
}

static void check_resolve(struct arena *a, const struct url *base, struct str ref)
{
	struct err err = ERR_INIT;
	struct url u, twice;

	if (!url_resolve(a, base, ref, &u, &err)) {
		CHECK(err.code == ERR_INVALID);
		return;
	}
	check_url(a, &u);
	if (ref.n > 0 && ref.p[0] != '/' && str_find_char(ref, ':') == STR_NPOS)
		CHECK(url_same_origin(base, &u));
	/* an absolute URL resolves to itself, whatever the base */
	struct str text = url_print(a, &u);

	if (text.n > URL_BYTES_MAX)
		return;
	CHECK(url_resolve(a, base, text, &twice, &err));
	CHECK(url_same_origin(&u, &twice));
}

static void check_text(struct arena *a, struct str s)
{
	struct str coded = url_encode_component(a, s);

	check_clean(coded);
	CHECK(str_eq(url_decode(a, coded, false), s));
	CHECK(str_eq(url_decode(a, coded, true), s));
	CHECK(url_decode(a, s, true).n <= s.n);
	CHECK(url_join(a, STR("https://h/v1/"), s).n >= 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct err err = ERR_INIT;
	struct str ref, base;
	struct url u;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	ref = str_of(arena_memdup(a, data, size), size);
	check_text(a, ref);
	base = str_cut(&ref, '\n');
	if (!url_parse(a, base, &u, &err)) {
		CHECK(err.code == ERR_INVALID && err.message[0] != '\0');
		CHECK(url_parse(a, STR("https://user@Example.com:8443/a/b?c#d"), &u,
			&(struct err)ERR_INIT));
	}
	check_url(a, &u);
	check_resolve(a, &u, ref.p == NULL ? base : ref);
	if (str_find_char(base, '#') == STR_NPOS) {
		struct str more = url_add_query(a, url_print(a, &u), STR("k&"), STR("v =\n"));
		struct url w;

		err_clear(&err);
		CHECK(more.n > URL_BYTES_MAX || url_parse(a, more, &w, &err));
	}
	return 0;
}
