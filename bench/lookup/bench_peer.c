/*
 * bench_peer - an application that answers every request after the same time, for bench/lookup/run.mjs.
 *
 *   bench_peer DELAY_US
 *
 * Prints its port, serves until its standard input ends, then prints how many requests it had and
 * the most that waited at once. One thread: since all wait equally long, answers are due in the
 * order in which requests came, and a ring of them is all the timer there is.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/str.h"

#define CONNECTIONS_MAX 1024
#define IN_BYTES        65536
#define EVENTS_MAX      64

struct connection {
	size_t n;
	char in[IN_BYTES];
};

struct due {
	int64_t at_us;
	int fd;
	bool get;
};

struct peer {
	int epoll, listener;
	int64_t delay_us;
	struct connection *connections[CONNECTIONS_MAX];
	struct due ring[CONNECTIONS_MAX];
	size_t head, count, most;
	unsigned long requests;
};

static const char got[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			  "Content-Length: 26\r\n\r\n[{\"id\":\"c-4711\",\"name\":1}]";
static const char created[] = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
			      "Content-Length: 11\r\n\r\n{\"id\":4711}";

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void watch(struct peer *p, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	CHECK(epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e) == 0);
}

static void take_connection(struct peer *p, struct arena *a)
{
	int one = 1, fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

	CHECK(fd >= 0 && fd < CONNECTIONS_MAX);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (p->connections[fd] == NULL)
		p->connections[fd] = arena_new_of(a, struct connection);
	p->connections[fd]->n = 0;
	watch(p, fd);
}

/* Bytes of the request at the start of S; 0: it is not complete. */
static size_t request_bytes(struct str s)
{
	static const struct str length = STR_INIT("\r\nContent-Length: ");
	size_t end = str_find(s, STR("\r\n\r\n")), at = str_find(s, length);
	size_t body = 0;

	if (end == STR_NPOS)
		return 0;
	if (at < end)
		body = strtoul(s.p + at + length.n, NULL, 10);
	return s.n >= end + 4 + body ? end + 4 + body : 0;
}

static void readable(struct peer *p, int fd)
{
	struct connection *c = p->connections[fd];
	ssize_t n = recv(fd, c->in + c->n, IN_BYTES - c->n, MSG_DONTWAIT);
	size_t bytes;

	if (n <= 0) {
		close(fd);
		return;
	}
	c->n += (size_t)n;
	while ((bytes = request_bytes(str_of(c->in, c->n))) > 0) {
		struct due *d = &p->ring[(p->head + p->count++) % CONNECTIONS_MAX];

		CHECK(p->count < CONNECTIONS_MAX);
		*d = (struct due){ now_us() + p->delay_us, fd, c->in[0] == 'G' };
		p->most = MAX(p->most, p->count);
		p->requests++;
		memmove(c->in, c->in + bytes, c->n - bytes);
		c->n -= bytes;
	}
}

/* Sends what is due; returns how long until the next is, -1 for ever. */
static int64_t answer(struct peer *p)
{
	while (p->count > 0) {
		struct due *d = &p->ring[p->head];
		int64_t left = d->at_us - now_us();

		if (left > 0)
			return left;
		(void)!send(d->fd, d->get ? got : created,
			d->get ? sizeof(got) - 1 : sizeof(created) - 1, MSG_NOSIGNAL);
		p->head = (p->head + 1) % CONNECTIONS_MAX;
		p->count--;
	}
	return -1;
}

static void start(struct peer *p)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(addr);

	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(p->listener, (struct sockaddr *)&addr, n) == 0 && listen(p->listener, 256) == 0);
	CHECK(getsockname(p->listener, (struct sockaddr *)&addr, &n) == 0);
	watch(p, p->listener);
	watch(p, STDIN_FILENO);
	printf("%u\n", ntohs(addr.sin_port));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new("process", 0);
	struct peer *p = arena_new_of(a, struct peer);
	struct epoll_event events[EVENTS_MAX];

	p->delay_us = argc > 1 ? (int64_t)strtol(argv[1], NULL, 10) : 5000;
	start(p);
	for (bool end = false; !end;) {
		int64_t left = answer(p);
		struct timespec wait = { left / 1000000, left % 1000000 * 1000 };
		int n = epoll_pwait2(p->epoll, events, EVENTS_MAX, left < 0 ? NULL : &wait, NULL);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			end |= fd == STDIN_FILENO;
			if (fd == p->listener)
				take_connection(p, a);
			else if (fd != STDIN_FILENO)
				readable(p, fd);
		}
	}
	printf("%lu requests, at most %zu at once\n", p->requests, p->most);
	arena_free(a);
	return 0;
}
