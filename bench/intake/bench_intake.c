/*
 * bench_intake.c - the yardstick of the intake benchmark: what an event costs at the least.
 *
 * One thread, one epoll set. A turn reads what has come, checks the HMAC of each body that is
 * complete, appends the bodies to a file with one write and one fdatasync, and then answers 204 to
 * all of them. Of HTTP it knows what wrk sends: keep-alive, Content-Length, one request at a time.
 *
 *   bench_intake FILE KEY         prints its port
 */
#define CORE_ALLOCATES
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"

#define EVENTS     256
#define FD_MAX     4096
#define BODY_LIMIT 1000000

struct conn {
	struct buf in;
	bool complete; /* its body is in the group */
};

static struct conn conns[FD_MAX];
static const char answer_text[] = "HTTP/1.1 204 No Content\r\n\r\n";
static const char refuse_text[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

static int listen_any(unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 512) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static struct str field(struct str head, const char *name)
{
	while (head.p != NULL) {
		struct str value = str_cut(&head, '\n'), key = str_cut(&value, ':');

		if (value.p != NULL && str_eq_ci(key, str_z(name)))
			return str_trim(value);
	}
	return STR_NULL;
}

static bool verify(struct str key, struct str body, struct str signature)
{
	unsigned char digest[EVP_MAX_MD_SIZE], given[32];
	unsigned int n;

	CHECK(HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)body.p, body.n, digest,
		      &n) != NULL);
	return str_hex_get(signature, given, sizeof(given)) && CRYPTO_memcmp(given, digest, n) == 0;
}

/* True: the request is complete and its body, if it is genuine, in GROUP. */
static bool take(int fd, struct str key, struct buf *group)
{
	struct conn *c = &conns[fd];
	struct str all = buf_str(&c->in);
	size_t end = str_find(all, STR("\r\n\r\n"));
	int64_t n;

	if (end == STR_NPOS)
		return false;
	struct str head = str_sub(all, 0, end), body = str_from(all, end + 4);

	if (!str_to_i64(field(head, "Content-Length"), &n) || n > BODY_LIMIT || body.n < (size_t)n)
		return false;
	body.n = (size_t)n;
	c->complete = verify(key, body, field(head, "X-Signature"));
	if (c->complete) {
		buf_add_str(group, body);
		buf_add_char(group, '\n');
	} else {
		CHECK(write(fd, refuse_text, sizeof(refuse_text) - 1) > 0);
	}
	buf_reset(&c->in);
	return true;
}

static bool read_some(int fd)
{
	char *room = buf_room(&conns[fd].in, 65536);
	ssize_t k = read(fd, room, 65536);

	if (k <= 0)
		return false;
	conns[fd].in.n += (size_t)k;
	return true;
}

static void accept_all(int epoll_fd, int listen_fd)
{
	int fd;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

		CHECK(fd < FD_MAX && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0);
		buf_reset(&conns[fd].in);
	}
}

static void commit(int file, struct buf *group, const int *waiting, size_t count)
{
	if (group->n > 0)
		CHECK(write(file, group->p, group->n) == (ssize_t)group->n && fdatasync(file) == 0);
	buf_reset(group);
	for (size_t i = 0; i < count; i++)
		if (conns[waiting[i]].complete)
			CHECK(write(waiting[i], answer_text, sizeof(answer_text) - 1) > 0);
}

int main(int argc, char **argv)
{
	struct buf group = BUF_INIT(0);
	struct epoll_event events[EVENTS];
	int waiting[EVENTS];
	unsigned port;

	CHECK(argc == 3);
	int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int listen_fd = listen_any(&port), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = listen_fd };

	CHECK(file >= 0 && epoll_fd >= 0);
	CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &e) == 0);
	printf("listening on %u\n", port);
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, -1);
		size_t count = 0;

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listen_fd)
				accept_all(epoll_fd, listen_fd);
			else if (!read_some(fd))
				close(fd);
			else if (take(fd, str_z(argv[2]), &group))
				waiting[count++] = fd;
		}
		commit(file, &group, waiting, count);
	}
}
