/*
 * egress.c - two tables of ranges, IANA's special-purpose registries with the names people know.
 *
 * An address of a family that carries an IPv4 address is first looked up in the operator's list as
 * it is, then judged by the address inside. Teredo and local NAT64 (RFC 8215) are denied whole: the
 * one leads through a relay whatever is inside, the other's place for the address varies. The most telling row wins: rows are searched in order,
 * so narrow ranges stand before the wide ones that hold them.
 */
#include "net/egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct range {
	uint8_t net[16];
	unsigned bits;
	const char *text; /* as people write it */
	const char *words;
};

struct allow {
	uint8_t net[16]; /* IPv4 in the v4-mapped form */
	unsigned bits;
	struct allow *next;
};

struct egress {
	struct allow *allow;
};

/* clang-format off */
static const struct range ranges4[] = {
	{ { 169, 254, 169, 254 }, 32, "169.254.169.254/32", "the cloud's metadata service" },
	{ { 169, 254, 170, 2 }, 32, "169.254.170.2/32", "the cloud's metadata service" },
	{ { 100, 100, 100, 200 }, 32, "100.100.100.200/32", "the cloud's metadata service" },
	{ { 192, 0, 0, 192 }, 32, "192.0.0.192/32", "the cloud's metadata service" },
	{ { 168, 63, 129, 16 }, 32, "168.63.129.16/32", "the cloud's metadata service" },
	{ { 0 }, 32, "0.0.0.0/32", "the unspecified address" },
	{ { 255, 255, 255, 255 }, 32, "255.255.255.255/32", "broadcast" },
	{ { 127 }, 8, "127.0.0.0/8", "loopback" },
	{ { 10 }, 8, "10.0.0.0/8", "private" },
	{ { 172, 16 }, 12, "172.16.0.0/12", "private" },
	{ { 192, 168 }, 16, "192.168.0.0/16", "private" },
	{ { 169, 254 }, 16, "169.254.0.0/16", "link-local" },
	{ { 100, 64 }, 10, "100.64.0.0/10", "shared by carriers" },
	{ { 0 }, 8, "0.0.0.0/8", "this network" },
	{ { 192, 0, 0 }, 24, "192.0.0.0/24", "reserved for protocols" },
	{ { 192, 0, 2 }, 24, "192.0.2.0/24", "documentation" },
	{ { 198, 51, 100 }, 24, "198.51.100.0/24", "documentation" },
	{ { 203, 0, 113 }, 24, "203.0.113.0/24", "documentation" },
	{ { 192, 31, 196 }, 24, "192.31.196.0/24", "AS112 name service" },
	{ { 192, 52, 193 }, 24, "192.52.193.0/24", "automatic multicast tunnels" },
	{ { 192, 88, 99 }, 24, "192.88.99.0/24", "6to4 relays" },
	{ { 192, 175, 48 }, 24, "192.175.48.0/24", "AS112 name service" },
	{ { 198, 18 }, 15, "198.18.0.0/15", "benchmarks of networks" },
	{ { 224 }, 4, "224.0.0.0/4", "multicast" },
	{ { 240 }, 4, "240.0.0.0/4", "reserved" },
};

static const struct range ranges6[] = {
	{ { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 }, 128, "fd00:ec2::254/128", "the cloud's metadata service" },
	{ { 0 }, 128, "::/128", "the unspecified address" },
	{ { [15] = 1 }, 128, "::1/128", "loopback" },
	{ { 0xfc }, 7, "fc00::/7", "private" },
	{ { 0xfe, 0x80 }, 10, "fe80::/10", "link-local" },
	{ { 0xfe, 0xc0 }, 10, "fec0::/10", "site-local" },
	{ { 0xff }, 8, "ff00::/8", "multicast" },
	{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, "64:ff9b:1::/48", "local NAT64" },
	{ { 0x01 }, 64, "100::/64", "discarded" },
	{ { 0x01, [7] = 0x01 }, 64, "100:0:0:1::/64", "dummy prefix" },
	{ { 0x20, 0x01 }, 32, "2001::/32", "Teredo tunnels" },
	{ { 0x20, 0x01 }, 23, "2001::/23", "reserved for protocols" },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, "2001:db8::/32", "documentation" },
	{ { 0x3f, 0xff }, 20, "3fff::/20", "documentation" },
	{ { 0x26, 0x20, 0x00, 0x4f, 0x80 }, 48, "2620:4f:8000::/48", "AS112 name service" },
	{ { 0x5f }, 16, "5f00::/16", "segment routing" },
	{ { 0 }, 8, "::/8", "reserved" },
};

/* Ranges whose addresses hold the IPv4 address that will be reached, at byte `at`. */
static const struct {
	uint8_t net[16];
	unsigned bits, at;
	const char *words;
} embeds[] = {
	{ { [10] = 0xff, 0xff }, 96, 12, "IPv4-mapped" },
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12, "NAT64" },
	{ { [8] = 0xff, 0xff }, 96, 12, "IPv4-translated" },
	{ { 0x20, 0x02 }, 16, 2, "6to4" },
	{ { 0 }, 96, 12, "IPv4-compatible" },
};
/* clang-format on */

static bool in_range(const uint8_t *addr, const uint8_t *net, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(addr, net, bytes) != 0)
		return false;
	return rest == 0 || (addr[bytes] ^ net[bytes]) >> (8 - rest) == 0;
}

static const struct range *find(const struct range *ranges, size_t count, const uint8_t *addr)
{
	for (size_t i = 0; i < count; i++)
		if (in_range(addr, ranges[i].net, ranges[i].bits))
			return &ranges[i];
	return NULL;
}

static void map_v4(const uint8_t v4[4], uint8_t out[16])
{
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
}

static bool parse_cidr(struct str s, struct allow *out)
{
	char text[INET6_ADDRSTRLEN];
	struct str bits = s, addr = str_cut(&bits, '/');
	uint8_t v4[4];
	uint64_t n;

	if (addr.n >= sizeof(text) || str_find_char(addr, '\0') != STR_NPOS ||
		(bits.p != NULL && !str_to_u64(bits, &n)))
		return false;
	memcpy(text, addr.p, addr.n);
	text[addr.n] = '\0';
	if (inet_pton(AF_INET, text, v4) == 1) {
		map_v4(v4, out->net);
		n = bits.p == NULL ? 128 : n > 32 ? 129 : n + 96;
	} else if (inet_pton(AF_INET6, text, out->net) == 1) {
		n = bits.p == NULL ? 128 : n;
	} else {
		return false;
	}
	out->bits = (unsigned)MIN(n, 129);
	return n <= 128;
}

/* "10.0.0.1/8" is more likely a slip than a wish for all of 10.0.0.0/8. */
static bool has_host_bits(const struct allow *r)
{
	for (unsigned i = r->bits; i < 128; i++)
		if ((r->net[i / 8] >> (7 - i % 8) & 1) != 0)
			return true;
	return false;
}

bool egress_new(struct arena *a, struct str allow, struct egress **out, struct err *err)
{
	struct egress *e = arena_new_of(a, struct egress);
	struct str rest = allow.n == 0 ? STR_NULL : allow;

	while (rest.p != NULL) {
		struct str part = str_trim(str_cut(&rest, ','));
		struct allow *r = arena_new_of(a, struct allow);

		if (!parse_cidr(part, r)) {
			err_set(err, ERR_CONFIG, "\"%.*s\" is not an address range",
				(int)MIN(part.n, 80), part.p);
			return err_hint(err,
				"Write ranges as 10.1.0.0/16 or fd12::/48, with commas between.");
		}
		if (has_host_bits(r))
			return err_set(err, ERR_CONFIG,
				"\"%.*s\" is not an address range: bits behind the prefix are set",
				STR_ARG(part));
		r->next = e->allow;
		e->allow = r;
	}
	*out = e;
	return true;
}

/* "::/0" means IPv6 only, though IPv4 is kept as a part of it. */
static bool is_allowed(const struct egress *e, const uint8_t addr[16])
{
	unsigned bits_min = in_range(addr, embeds[0].net, embeds[0].bits) ? 96 : 0;

	for (const struct allow *r = e->allow; r != NULL; r = r->next)
		if (r->bits >= bits_min && in_range(addr, r->net, r->bits))
			return true;
	return false;
}

static bool deny(int family, const void *addr, const char *form, const struct range *r,
	struct err *err)
{
	char text[INET6_ADDRSTRLEN];

	CHECK(inet_ntop(family, addr, text, sizeof(text)) != NULL);
	if (form != NULL)
		err_set(err, ERR_EGRESS,
			"the address %s (%s) is in the range %s (%s), which flows "
			"may not reach",
			text, form, r->text, r->words);
	else
		err_set(err, ERR_EGRESS,
			"the address %s is in the range %s (%s), which flows may "
			"not reach",
			text, r->text, r->words);
	return err_hint(err, "Whoever runs this server can allow it with --egress-allow %s.",
		r->text);
}

static bool check4(const struct egress *e, const uint8_t v4[4], struct err *err)
{
	const struct range *r = find(ranges4, ARRAY_LEN(ranges4), v4);
	uint8_t mapped[16];

	if (r == NULL)
		return true;
	map_v4(v4, mapped);
	return is_allowed(e, mapped) || deny(AF_INET, v4, NULL, r, err);
}

static bool check6(const struct egress *e, const uint8_t addr[16], struct err *err)
{
	const struct range *r = NULL;
	uint8_t mapped[16];

	if (is_allowed(e, addr))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(embeds); i++) {
		/* "::" and "::1" have the form of an IPv4 address and are none. */
		if (!in_range(addr, embeds[i].net, embeds[i].bits) ||
			(embeds[i].bits == 96 && in_range(addr, (const uint8_t[16]){ 0 }, 127)))
			continue;
		map_v4(addr + embeds[i].at, mapped);
		r = find(ranges4, ARRAY_LEN(ranges4), addr + embeds[i].at);
		return r == NULL || is_allowed(e, mapped) ||
		       deny(AF_INET6, addr, embeds[i].words, r, err);
	}
	r = find(ranges6, ARRAY_LEN(ranges6), addr);
	return r == NULL || deny(AF_INET6, addr, NULL, r, err);
}

bool egress_check(const struct egress *e, const struct sockaddr *addr, struct err *err)
{
	if (addr->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, addr, sizeof(in));
		return check4(e, (const uint8_t *)&in.sin_addr, err);
	}
	if (addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, addr, sizeof(in6));
		return check6(e, in6.sin6_addr.s6_addr, err);
	}
	return err_set(err, ERR_EGRESS, "addresses of family %d may not be reached",
		(int)addr->sa_family);
}
