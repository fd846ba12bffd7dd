/*
 * http_peer.c - a poll loop over a listener and at most PEER_CONNECTIONS_MAX connections.
 */
#include "test.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "http_peer.h"

struct conn {
	int fd;
	struct buf in;
};

static void finish(struct conn *c, bool reset)
{
	struct linger now = { .l_onoff = 1 };

	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
}

static const struct peer_step *step_at(const struct peer *p, size_t n)
{
	return &p->steps[MIN(n, p->step_count - 1)];
}

/* The length of the complete request in S, or 0. */
static size_t complete(struct str s)
{
	size_t head = str_find(s, STR("\r\n\r\n")), at;
	uint64_t body = 0;

	if (head == STR_NPOS)
		return 0;
	head += 4;
	at = str_find(str_sub(s, 0, head), STR("Content-Length: "));
	if (at != STR_NPOS) {
		struct str rest = str_from(s, at + 16);

		CHECK(str_to_u64(str_trim(str_cut(&rest, '\n')), &body));
	}
	return s.n >= head + body ? head + body : 0;
}

static void send_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* the client has had enough */
		s = str_from(s, (size_t)n);
	}
}

static void answer(struct peer *p, struct conn *c, size_t n)
{
	const struct peer_step *step;

	mutex_lock(&p->lock);
	CHECK(p->request_count < PEER_REQUESTS_MAX);
	step = step_at(p, p->request_count);
	buf_add(&p->requests[p->request_count++], c->in.p, n);
	cond_broadcast(&p->changed);
	mutex_unlock(&p->lock);
	buf_drop(&c->in, n);
	send_all(c->fd, step->answer);
	if (step->after != PEER_KEEP)
		finish(c, step->after != PEER_CLOSE);
}

static void readable(struct peer *p, struct conn *c)
{
	char part[16384];
	ssize_t n = recv(c->fd, part, sizeof(part), 0);
	size_t length;

	if (n <= 0) {
		finish(c, false);
		return;
	}
	buf_add(&c->in, part, (size_t)n);
	while (c->fd >= 0 && (length = complete(buf_str(&c->in))) > 0)
		answer(p, c, length);
}

static void accepted(struct peer *p, struct conn *conns)
{
	struct conn *c = conns;
	int fd = accept(p->listen_fd, NULL, NULL);

	CHECK(fd >= 0);
	while (c->fd >= 0)
		CHECK(++c < conns + PEER_CONNECTIONS_MAX);
	*c = (struct conn){ .fd = fd };
	mutex_lock(&p->lock);
	p->accepted++;
	cond_broadcast(&p->changed);
	bool reset = step_at(p, p->request_count)->after == PEER_RESET_AT_ONCE;
	mutex_unlock(&p->lock);
	if (reset)
		finish(c, true);
}

static void *serve(void *arg)
{
	struct peer *p = arg;
	struct conn conns[PEER_CONNECTIONS_MAX];
	struct pollfd fds[PEER_CONNECTIONS_MAX + 2];

	for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
		conns[i] = (struct conn){ .fd = -1 };
	for (;;) {
		fds[0] = (struct pollfd){ .fd = p->stop_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = p->listen_fd, .events = POLLIN };
		for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
			fds[i + 2] = (struct pollfd){ .fd = conns[i].fd, .events = POLLIN };
		CHECK(poll(fds, ARRAY_LEN(fds), -1) > 0);
		if (fds[0].revents != 0)
			break;
		for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
			if (fds[i + 2].revents != 0)
				readable(p, &conns[i]);
		if (fds[1].revents != 0)
			accepted(p, conns);
	}
	for (size_t i = 0; i < PEER_CONNECTIONS_MAX; i++)
		if (conns[i].fd >= 0)
			finish(&conns[i], false);
	return NULL;
}

void peer_start(struct peer *p, const struct peer_step *steps, size_t count)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);

	memset(p, 0, sizeof(*p));
	p->steps = steps;
	p->step_count = count;
	mutex_init(&p->lock);
	cond_init(&p->changed);
	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(p->listen_fd, 64), 0);
	assert_int_equal(getsockname(p->listen_fd, (struct sockaddr *)&in, &n), 0);
	p->port = ntohs(in.sin_port);
	thread_start(&p->thread, "peer", serve, p);
}

void peer_stop(struct peer *p)
{
	uint64_t one = 1;

	assert_int_equal(write(p->stop_fd, &one, sizeof(one)), sizeof(one));
	thread_join(&p->thread);
	close(p->stop_fd);
	close(p->listen_fd);
	for (size_t i = 0; i < PEER_REQUESTS_MAX; i++)
		buf_free(&p->requests[i]);
	cond_destroy(&p->changed);
	mutex_destroy(&p->lock);
}

void peer_wait(struct peer *p, size_t requests)
{
	int64_t until = clock_mono_ms(clock_system()) + 60000;
	WITH_LOCK(&p->lock);

	while (p->request_count < requests)
		if (!cond_wait_until(&p->changed, &p->lock, until))
			fail_msg("only %zu requests came", p->request_count);
}

struct str peer_request(struct peer *p, size_t n)
{
	WITH_LOCK(&p->lock);

	return n < p->request_count ? buf_str(&p->requests[n]) : STR("");
}

size_t peer_requests(struct peer *p)
{
	WITH_LOCK(&p->lock);

	return p->request_count;
}

size_t peer_accepted(struct peer *p)
{
	WITH_LOCK(&p->lock);

	return p->accepted;
}
