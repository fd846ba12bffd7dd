/*
 * egress.h - which addresses outbound calls may reach.
 *
 * Every outbound connection passes egress_check() with the address that will be connected to, after
 * name resolution, so that neither redirects nor DNS rebinding get past it. Denied are loopback,
 * private, link-local, metadata, multicast, reserved and unspecified ranges of IPv4 and IPv6;
 * v4-mapped, v4-compatible, v4-translated, NAT64 (64:ff9b::/96) and 6to4 forms are judged by the IPv4 address
 * inside; Teredo and local NAT64 (64:ff9b:1::/48) are denied as a whole. The operator's allow list is
 * looked at first. Read-only after it is made: any thread.
 */
#ifndef NET_EGRESS_H
#define NET_EGRESS_H

#include "core/str.h"

struct sockaddr;
struct egress;

/* ALLOW: "127.0.0.0/8,::1/128" or "" ; ERR_CONFIG names the bad part. */
MUST_CHECK bool egress_new(struct arena *a, struct str allow, struct egress **out, struct err *err);
/* ERR_EGRESS names the address and the range it is in. */
MUST_CHECK bool egress_check(const struct egress *e, const struct sockaddr *addr, struct err *err);

#endif
