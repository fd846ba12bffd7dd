/*
 * test_egress.c - the first and last address of every denied range and their neighbours outside, all
 * the forms in which an IPv6 address holds an IPv4 address, the allow list, and its errors.
 */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/arena.h"
#include "net/egress.h"

static struct egress *made(struct arena *a, const char *allow)
{
	struct egress *e = NULL;
	struct err err;

	assert_ok(egress_new(a, str_z(allow), &e, &err));
	return e;
}

static bool check(const struct egress *e, const char *address, struct err *err)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 80 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = 80 };

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		return egress_check(e, (const struct sockaddr *)&in, err);
	if (inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
		fail_msg("no address: %s", address);
	return egress_check(e, (const struct sockaddr *)&in6, err);
}

struct row {
	const char *range, *first, *last, *before,
		*after; /* neighbours that pass; NULL: none does */
};

static void check_rows(const struct egress *e, const struct row *rows, size_t count)
{
	struct err err;

	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];

		assert_fails(check(e, r->first, &err), ERR_EGRESS, r->range);
		assert_fails(check(e, r->last, &err), ERR_EGRESS, r->range);
		assert_non_null(strstr(err.hint, r->range));
		assert_non_null(strstr(err.message, r->last));
		if (r->before != NULL)
			assert_ok(check(e, r->before, &err));
		if (r->after != NULL)
			assert_ok(check(e, r->after, &err));
	}
}

static void ranges_v4(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "0.0.0.0/32", "0.0.0.0", "0.0.0.0", NULL, NULL },
		{ "0.0.0.0/8", "0.0.0.1", "0.255.255.255", NULL, "1.0.0.0" },
		{ "10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
		{ "100.64.0.0/10", "100.64.0.0", "100.127.255.255", "100.63.255.255",
			"100.128.0.0" },
		{ "100.100.100.200/32", "100.100.100.200", "100.100.100.200", NULL, NULL },
		{ "127.0.0.0/8", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0" },
		{ "168.63.129.16/32", "168.63.129.16", "168.63.129.16", "168.63.129.15",
			"168.63.129.17" },
		{ "169.254.0.0/16", "169.254.0.0", "169.254.255.255", "169.253.255.255",
			"169.255.0.0" },
		{ "169.254.169.254/32", "169.254.169.254", "169.254.169.254", NULL, NULL },
		{ "169.254.170.2/32", "169.254.170.2", "169.254.170.2", NULL, NULL },
		{ "172.16.0.0/12", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0" },
		{ "192.0.0.0/24", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0" },
		{ "192.0.0.192/32", "192.0.0.192", "192.0.0.192", NULL, NULL },
		{ "192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0" },
		{ "192.31.196.0/24", "192.31.196.0", "192.31.196.255", "192.31.195.255",
			"192.31.197.0" },
		{ "192.52.193.0/24", "192.52.193.0", "192.52.193.255", "192.52.192.255",
			"192.52.194.0" },
		{ "192.88.99.0/24", "192.88.99.0", "192.88.99.255", "192.88.98.255",
			"192.88.100.0" },
		{ "192.168.0.0/16", "192.168.0.0", "192.168.255.255", "192.167.255.255",
			"192.169.0.0" },
		{ "192.175.48.0/24", "192.175.48.0", "192.175.48.255", "192.175.47.255",
			"192.175.49.0" },
		{ "198.18.0.0/15", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0" },
		{ "198.51.100.0/24", "198.51.100.0", "198.51.100.255", "198.51.99.255",
			"198.51.101.0" },
		{ "203.0.113.0/24", "203.0.113.0", "203.0.113.255", "203.0.112.255",
			"203.0.114.0" },
		{ "224.0.0.0/4", "224.0.0.0", "239.255.255.255", "223.255.255.255", NULL },
		{ "240.0.0.0/4", "240.0.0.0", "255.255.255.254", NULL, NULL },
		{ "255.255.255.255/32", "255.255.255.255", "255.255.255.255", NULL, NULL },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	check_rows(made(a, ""), rows, ARRAY_LEN(rows));
}

static void ranges_v6(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "::/128", "::", "::", NULL, NULL },
		{ "::1/128", "::1", "::1", NULL, NULL },
		{ "::/8", "0:1::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, NULL },
		{ "64:ff9b:1::/48", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", NULL,
			NULL },
		{ "100::/64", "100::", "100::ffff:ffff:ffff:ffff", NULL, NULL },
		{ "100:0:0:1::/64", "100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", NULL,
			"100:0:0:2::" },
		{ "2001::/32", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
			"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
		{ "2001::/23", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", NULL,
			"2001:200::" },
		{ "2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
			"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" },
		{ "2620:4f:8000::/48", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
			"2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::" },
		{ "3fff::/20", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
			"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::" },
		{ "5f00::/16", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::" },
		{ "fc00::/7", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::" },
		{ "fd00:ec2::254/128", "fd00:ec2::254", "fd00:ec2::254", NULL, NULL },
		{ "fe80::/10", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
		{ "fec0::/10", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, NULL },
		{ "ff00::/8", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, NULL },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	check_rows(made(a, ""), rows, ARRAY_LEN(rows));
}

/* Every denied IPv4 address is denied in every form, and every public one passes in it. */
static void forms_of_v4(void **state UNUSED)
{
	static const struct {
		const char *before, *after, *form;
	} forms[] = {
		{ "::ffff:", "", "IPv4-mapped" },
		{ "64:ff9b::", "", "NAT64" },
		{ "::ffff:0:", "", "IPv4-translated" },
		{ "::", "", "IPv4-compatible" },
		{ "2002:", "::", "6to4" },
		{ "2002:", ":1:2:3:4:5", "6to4" },
	};
	static const struct {
		uint8_t v4[4];
		const char *range; /* NULL: it passes */
	} rows[] = {
		{ { 127, 0, 0, 1 }, "127.0.0.0/8" },
		{ { 10, 1, 2, 3 }, "10.0.0.0/8" },
		{ { 172, 31, 0, 9 }, "172.16.0.0/12" },
		{ { 192, 168, 1, 1 }, "192.168.0.0/16" },
		{ { 169, 254, 169, 254 }, "169.254.169.254/32" },
		{ { 100, 64, 0, 1 }, "100.64.0.0/10" },
		{ { 224, 0, 0, 1 }, "224.0.0.0/4" },
		{ { 8, 8, 8, 8 }, NULL },
		{ { 93, 184, 216, 34 }, NULL },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct egress *e = made(a, "");
	struct err err;

	for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const uint8_t *v = rows[i].v4;
			struct str text = str_fmt(a, "%s%x:%x%s", forms[f].before,
				(unsigned)(v[0] << 8 | v[1]), (unsigned)(v[2] << 8 | v[3]),
				forms[f].after);

			if (rows[i].range == NULL) {
				assert_ok(check(e, text.p, &err));
				continue;
			}
			assert_fails(check(e, text.p, &err), ERR_EGRESS, rows[i].range);
			assert_non_null(strstr(err.message, forms[f].form));
		}
	}
	/* 0.0.0.0 in these forms reaches this machine too */
	assert_fails(check(e, "::ffff:0.0.0.0", &err), ERR_EGRESS, "0.0.0.0/32");
	assert_fails(check(e, "64:ff9b::", &err), ERR_EGRESS, "0.0.0.0/32");
	/* tunnels are refused whatever they hold: the inner address is not the whole of the way */
	assert_fails(check(e, "2001:0:808:808::f7f7:f7f7", &err), ERR_EGRESS, "Teredo");
	assert_fails(check(e, "2001::80ff:fffe", &err), ERR_EGRESS, "2001::/32");
	assert_fails(check(e, "64:ff9b:1::808:808", &err), ERR_EGRESS, "local NAT64");
}

static void public_addresses_pass(void **state UNUSED)
{
	static const char *const rows[] = { "1.1.1.1", "8.8.8.8", "93.184.216.34",
		"223.255.255.254", "2606:4700:4700::1111", "2a00:1450:4001:800::200e", "2003::1",
		"2001:4860:4860::8888" };
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	const struct egress *e = made(a, "");
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_ok(check(e, rows[i], &err));
}

static void allows(void **state UNUSED)
{
	static const struct {
		const char *allow, *address;
		bool passes;
	} rows[] = {
		{ "127.0.0.0/8", "127.0.0.1", true },
		{ "127.0.0.0/8", "::ffff:127.0.0.1", true },
		{ "127.0.0.0/8", "64:ff9b::7f00:1", true },
		{ "127.0.0.0/8", "2002:7f00:1::", true },
		{ "127.0.0.0/8", "::1", false },
		{ "127.0.0.0/8", "10.0.0.1", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "::1", "::1", true },
		{ "::1/128", "127.0.0.1", false },
		{ "10.1.0.0/16,fd12::/48", "10.1.255.255", true },
		{ "10.1.0.0/16,fd12::/48", "10.2.0.0", false },
		{ " 10.1.0.0/16 , fd12::/48 ", "fd12::7", true },
		{ "10.1.0.0/16,fd12::/48", "fd12:0:1::", false },
		{ "10.0.0.4/30", "10.0.0.7", true },
		{ "10.0.0.4/30", "10.0.0.8", false },
		{ "0.0.0.0/0", "169.254.169.254", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "fe80::1", true },
		{ "::/0", "127.0.0.1", false },
		{ "::/0", "::ffff:127.0.0.1", false },
		{ "::ffff:10.0.0.0/104", "10.1.2.3", true },
		{ "2001::/32", "2001::1", true },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		if (check(made(a, rows[i].allow), rows[i].address, &err) != rows[i].passes)
			fail_msg("%s with %s: %s", rows[i].address, rows[i].allow, err.message);
	}
}

static void bad_lists(void **state UNUSED)
{
	static const struct {
		struct str allow;
		const char *why;
	} rows[] = {
		{ STR_INIT("localhost"), "\"localhost\" is not an address range" },
		{ STR_INIT("10.0.0.0/8,nonsense"), "\"nonsense\" is not an address range" },
		{ STR_INIT("10.0.0.0/8,"), "\"\" is not an address range" },
		{ STR_INIT(","), "\"\" is not an address range" },
		{ STR_INIT("10.0.0.0/33"), "\"10.0.0.0/33\" is not an address range" },
		{ STR_INIT("10.0.0.0/"), "\"10.0.0.0/\" is not an address range" },
		{ STR_INIT("10.0.0.0/-1"), "\"10.0.0.0/-1\" is not an address range" },
		{ STR_INIT("10.0.0.0/8/8"), "\"10.0.0.0/8/8\" is not an address range" },
		{ STR_INIT("10.0.0/8"), "\"10.0.0/8\" is not an address range" },
		{ STR_INIT("010.0.0.0/8"), "\"010.0.0.0/8\" is not an address range" },
		{ STR_INIT("10.0.0.0/99999999999999999999"), "is not an address range" },
		{ STR_INIT("::/129"), "\"::/129\" is not an address range" },
		{ STR_INIT("[::1]/128"), "\"[::1]/128\" is not an address range" },
		{ STR_INIT("fe80::1%eth0/128"), "is not an address range" },
		{ STR_INIT("127.0.0.1\0x/32"), "is not an address range" },
		{ STR_INIT("10.0.0.1/8"), "\"10.0.0.1/8\" is not an address range: bits behind" },
		{ STR_INIT("0.0.0.1/0"), "bits behind the prefix are set" },
		{ STR_INIT("fd00::1/64"), "\"fd00::1/64\" is not an address range: bits behind" },
	};
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct egress *e = NULL;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(egress_new(a, rows[i].allow, &e, &err), ERR_CONFIG, rows[i].why);
		assert_null(e);
	}
}

static void other_families(void **state UNUSED)
{
	struct arena *a DEFER(arena_freep) = arena_new("test", 0);
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	struct err err;

	assert_fails(egress_check(made(a, "0.0.0.0/0,::/0"), (const struct sockaddr *)&un, &err),
		ERR_EGRESS, "may not be reached");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_v4),
		cmocka_unit_test(ranges_v6),
		cmocka_unit_test(forms_of_v4),
		cmocka_unit_test(public_addresses_pass),
		cmocka_unit_test(allows),
		cmocka_unit_test(bad_lists),
		cmocka_unit_test(other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
