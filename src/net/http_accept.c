/*
 * http_accept.c - each loop has a listening socket of its own on the same port (SO_REUSEPORT), so
 * that the kernel spreads the connections. When no descriptor is left, a spare one is given up for
 * a moment to take the connection and tell it so; else it would stay in the queue and wake the loop
 * without end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "net/http_server_priv.h"

#define BATCH    64
#define PAUSE_MS 100

static const struct str overloaded = STR_INIT("HTTP/1.1 503 Service Unavailable\r\n"
					      "Retry-After: 1\r\n"
					      "Content-Length: 0\r\n"
					      "Connection: close\r\n\r\n");

/* ---- listening ---- */

static bool address_fail(struct str text, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		"\"%.*s\" is not an address to listen on: expected 127.0.0.1:8080, [::1]:8080 or "
		":8080",
		STR_ARG(str_sub(text, 0, 100)));
}

/* "192.0.2.1:80", "[2001:db8::1]:80", ":80". */
static bool address_parse(struct str text, struct sockaddr_storage *out, struct err *err)
{
	char host[INET6_ADDRSTRLEN] = "";
	size_t colon = text.n;
	uint64_t port;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || !str_to_u64(str_from(text, colon), &port) || port > 65535)
		return address_fail(text, err);
	struct str h = str_sub(text, 0, colon - 1);
	bool v6 = h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']';

	if (v6)
		h = str_sub(h, 1, h.n - 2);
	if (h.n >= sizeof(host))
		return address_fail(text, err);
	if (h.n > 0)
		memcpy(host, h.p, h.n);
	*out = (struct sockaddr_storage){ 0 };
	if (v6 || h.n == 0) {
		struct sockaddr_in6 *in = (void *)out;

		in->sin6_family = AF_INET6;
		in->sin6_port = htons((uint16_t)port);
		return h.n == 0 || inet_pton(AF_INET6, host, &in->sin6_addr) == 1 ||
		       address_fail(text, err);
	}
	struct sockaddr_in *in = (void *)out;

	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 || address_fail(text, err);
}

/* A socket bound to ADDR; without IPv6 on this machine "all addresses" means those of IPv4. */
static int bind_one(struct sockaddr_storage *addr, bool shared)
{
	int on = 1, off = 0;
	int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EAFNOSUPPORT && addr->ss_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)(void *)addr)->sin6_addr)) {
		struct sockaddr_in all = { .sin_family = AF_INET,
			.sin_port = ((struct sockaddr_in6 *)(void *)addr)->sin6_port };

		*addr = (struct sockaddr_storage){ 0 };
		memcpy(addr, &all, sizeof(all));
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (addr->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	/* Inherited by the accepted sockets, which saves a call for each. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)addr, sizeof(*addr)) != 0) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

static unsigned port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)(const void *)a)->sin6_port
			     : ((const struct sockaddr_in *)(const void *)a)->sin_port);
}

static void port_set(struct sockaddr_storage *a, unsigned port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)a)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)(void *)a)->sin_port = htons((uint16_t)port);
}

bool http_listen(struct str address, unsigned *port, int *fd, struct err *err)
{
	struct sockaddr_storage addr;
	socklen_t n = sizeof(addr);

	if (!address_parse(address, &addr, err))
		return false;
	if (*port != 0) {
		port_set(&addr, *port);
	} else if (port_of(&addr) != 0) {
		/* Ports are shared by our loops, not with another server: that must fail. */
		int probe = bind_one(&addr, false);

		if (probe < 0)
			return err_set_errno(err, ERR_IO, errno, "can't listen on %.*s",
				STR_ARG(address));
		close(probe);
	}
	*fd = bind_one(&addr, true);
	if (*fd < 0 || listen(*fd, SOMAXCONN) != 0 ||
		getsockname(*fd, (struct sockaddr *)&addr, &n) != 0)
		return err_set_errno(err, ERR_IO, errno, "can't listen on %.*s", STR_ARG(address));
	*port = port_of(&addr);
	return true;
}

/* ---- accepting ---- */

/* Tells an accepted connection, as far as that goes without waiting, and closes it. */
static void turn_away(struct http_loop *l, int fd)
{
	char unread[2048];

	http_count(&l->counters.turned_away, 1);
	if (l->server->tls == NULL &&
		send(fd, overloaded.p, overloaded.n, MSG_NOSIGNAL) == (ssize_t)overloaded.n) {
		shutdown(fd, SHUT_WR);
		/* Closing with unread bytes would reset the connection under the answer. */
		while (recv(fd, unread, sizeof(unread), 0) == (ssize_t)sizeof(unread))
			;
	}
	close(fd);
}

static void accept_pause(struct http_loop *l)
{
	l->accept_paused = true;
	l->accept_again_ms = l->now_us / 1000 + PAUSE_MS;
	http_loop_watch(l, l->listen_fd, &l->listen_fd, 0, false);
}

void http_accept_resume(struct http_loop *l)
{
	if (l->spare_fd < 0)
		l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	l->accept_paused = false;
	http_loop_watch(l, l->listen_fd, &l->listen_fd, EPOLLIN, false);
}

/* No descriptor is left: true when one connection could be taken and told nevertheless. */
static bool out_of_descriptors(struct http_loop *l, int cause)
{
	int fd = -1;

	if (l->spare_fd >= 0) {
		fd_close(&l->spare_fd);
		fd = accept4(l->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			turn_away(l, fd);
		l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0 && l->spare_fd >= 0)
		return true;
	LOG(LOG_WARN, "http.accept_paused", LOG_Z("reason", strerrordesc_np(cause)),
		LOG_I("loop", l->index));
	accept_pause(l);
	return false;
}

static void take(struct http_loop *l, int fd, const struct sockaddr_storage *peer)
{
	struct http_server *s = l->server;
	size_t open = atomic_fetch_add_explicit(&s->open, 1, memory_order_relaxed);

	http_count(&l->counters.accepted, 1);
	if (LIKELY(open < s->connections_max)) {
		http_conn_open(l, fd, peer, false);
		return;
	}
	atomic_fetch_sub_explicit(&s->open, 1, memory_order_relaxed);
	if (s->tls != NULL || l->overloads >= HTTP_OVERLOADS_MAX) {
		turn_away(l, fd);
		return;
	}
	http_count(&l->counters.turned_away, 1);
	http_conn_open(l, fd, peer, true);
}

void http_accept(struct http_loop *l)
{
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage peer;
		socklen_t n = sizeof(peer);
		int fd = accept4(l->listen_fd, (struct sockaddr *)&peer, &n,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take(l, fd, &peer);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			if (!out_of_descriptors(l, errno))
				return;
		} else if (errno == EAGAIN) {
			return;
		}
		/* Others are errors of the connection that was to be accepted (accept(2)): the next. */
	}
}
