/*
 * talk_peer.c - one poll loop over the listener and its connections.
 */
#include "test.h"

#include "talk_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

void talk_peer_reset(struct talk_peer *p, size_t from)
{
	WITH_LOCK(&p->lock);
	for (size_t i = 0; i < TALK_EXCHANGES_MAX; i++)
		p->taken[i] = i < from;
	p->next = from;
	p->requests = 0;
	p->last_mono_ms = -1;
	p->wrong = STR_NULL;
}

size_t talk_peer_at(struct talk_peer *p)
{
	WITH_LOCK(&p->lock);
	size_t n = 0;

	for (size_t i = 0; i < TALK_EXCHANGES_MAX; i++)
		n += p->taken[i];
	return n;
}

struct str talk_peer_wrong(struct talk_peer *p)
{
	WITH_LOCK(&p->lock);
	return p->wrong;
}

/* ---- requests ---- */

struct request {
	struct str line, fields, body;
	size_t bytes;
};

static struct str field(struct str fields, struct str name)
{
	while (fields.p != NULL) {
		struct str value = str_cut(&fields, '\n'), key = str_cut(&value, ':');

		if (value.p != NULL && str_eq_ci(key, name))
			return str_trim(value);
	}
	return STR_NULL;
}

/* False: it is not complete yet. */
static bool read_request(struct str in, struct request *r)
{
	size_t end = str_find(in, STR("\r\n\r\n"));
	int64_t length = 0;

	if (end == STR_NPOS)
		return false;
	struct str rest = str_sub(in, 0, end), line = str_cut(&rest, '\r');

	r->fields = rest.p == NULL ? STR("") : rest;
	r->line = str_sub(line, 0, line.n - MIN(line.n, sizeof(" HTTP/1.1") - 1));
	struct str said = field(r->fields, STR("Content-Length"));

	if (said.p != NULL && !str_to_i64(said, &length))
		return false;
	if (in.n < end + 4 + (size_t)length)
		return false;
	r->body = str_sub(in, end + 4, (size_t)length);
	r->bytes = end + 4 + (size_t)length;
	return true;
}

static bool same_json(struct arena *a, struct str want, struct str got)
{
	const struct json *x, *y;
	struct err err = ERR_INIT;

	return json_parse_copy(a, want, &x, &err) && json_parse_copy(a, got, &y, &err) &&
	       json_equal(x, y);
}

static bool body_fits(struct talk_peer *p, const struct talk_exchange *x, struct str got)
{
	if (!x->has_body)
		return got.n == 0;
	return str_eq_z(x->body, "*") || str_eq(x->body, got) || same_json(p->arena, x->body, got);
}

static void wrong(struct talk_peer *p, unsigned line, struct str words)
{
	if (p->wrong.p == NULL)
		p->wrong = str_fmt(p->arena, "%s:%u: %.*s", p->file->path, line, STR_ARG(words));
}

static void check_fields(struct talk_peer *p, const struct talk_exchange *x,
	const struct request *r)
{
	for (size_t i = 0; i < x->field_count; i++) {
		struct str want = x->fields[i].value, got = field(r->fields, x->fields[i].name);
		bool fits = want.p == NULL
				    ? got.p == NULL
				    : got.p != NULL && (str_eq_z(want, "*") || str_eq(want, got));

		if (!fits)
			wrong(p, x->line,
				str_fmt(p->arena, "header %.*s: got \"%.*s\", want \"%.*s\"",
					STR_ARG(x->fields[i].name), STR_ARG(got), STR_ARG(want)));
	}
}

static void check(struct talk_peer *p, const struct talk_exchange *x, const struct request *r)
{
	int64_t now = clock_mono_ms(p->clock), took = now - p->last_mono_ms;

	if (!str_eq(x->request, r->line))
		wrong(p, x->line,
			str_fmt(p->arena, "got \"%.*s\", want \"%.*s\"", STR_ARG(r->line),
				STR_ARG(x->request)));
	check_fields(p, x, r);
	if (!body_fits(p, x, r->body))
		wrong(p, x->line,
			str_fmt(p->arena, "got the body \"%.*s\", want \"%.*s\"", STR_ARG(r->body),
				STR_ARG(x->body)));
	if (p->last_mono_ms >= 0 && (took < x->after_min || took > x->after_max))
		wrong(p, x->line,
			str_fmt(p->arena, "came %lld ms behind the answer before",
				(long long)took));
	p->last_mono_ms = now;
}

/* The exchange that this request belongs to; NULL: none was expected. */
static const struct talk_exchange *match(struct talk_peer *p, const struct request *r)
{
	const struct talk_file *t = p->file;

	for (size_t i = p->any_order ? 0 : p->next; i < t->exchange_count; i++) {
		const struct talk_exchange *x = &t->exchanges[i];

		if (p->taken[i])
			continue;
		if (p->any_order && (!str_eq(x->request, r->line) || !body_fits(p, x, r->body)))
			continue;
		p->taken[i] = true;
		p->next = i + 1;
		return x;
	}
	return NULL;
}

/* ---- answers ---- */

static void write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		s = str_from(s, (size_t)n);
	}
}

static void hang_up(struct talk_connection *c, bool reset)
{
	struct linger now = { .l_onoff = 1 };

	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->fd);
	c->fd = -1;
	buf_reset(&c->in);
}

static void send_answer(struct talk_peer *p, struct talk_connection *c,
	const struct talk_exchange *x, bool head)
{
	struct buf b = BUF_INIT(0);
	bool bodiless = x->status == 204 || x->status == 304;

	buf_add_fmt(&b, "HTTP/1.1 %d %s\r\n", x->status, http_status_text(x->status));
	buf_add_str(&b, x->answer_fields);
	if (x->answer.n > 0 && !x->answer_typed)
		buf_add_str(&b, STR("Content-Type: application/json\r\n"));
	if (!bodiless)
		buf_add_fmt(&b, "Content-Length: %zu\r\n", x->answer.n);
	if (!p->keep_alive)
		buf_add_str(&b, STR("Connection: close\r\n"));
	buf_add_str(&b, STR("\r\n"));
	if (!head)
		buf_add_str(&b,
			str_sub(x->answer, 0, x->fault == TALK_HALF ? x->answer.n / 2 : SIZE_MAX));
	write_all(c->fd, buf_str(&b));
	buf_free(&b);
	if (!p->keep_alive || x->fault == TALK_HALF)
		hang_up(c, false);
}

static void answer(struct talk_peer *p, struct talk_connection *c, const struct talk_exchange *x,
	bool head)
{
	switch (x->fault) {
	case TALK_ANSWER:
	case TALK_HALF:
		send_answer(p, c, x, head);
		break;
	case TALK_RAW:
		write_all(c->fd, x->answer);
		hang_up(c, false);
		break;
	case TALK_CLOSE:
	case TALK_RESET:
		hang_up(c, x->fault == TALK_RESET);
		break;
	case TALK_HANG:
		break;
	}
}

static void serve(struct talk_peer *p, struct talk_connection *c, const struct request *r)
{
	static const struct talk_exchange refused = { .status = 599,
		.answer = STR_INIT("the conversation went wrong") };
	bool head = str_starts(r->line, STR("HEAD "));

	WITH_LOCK(&p->lock);
	const struct talk_exchange *x = match(p, r);

	if (++p->requests == p->cancel_at)
		atomic_store(p->cancel, true);
	if (x == NULL)
		wrong(p, 0, str_fmt(p->arena, "unexpected \"%.*s\"", STR_ARG(r->line)));
	else
		check(p, x, r);
	answer(p, c, x == NULL ? &refused : x, head);
}

static void readable(struct talk_peer *p, struct talk_connection *c)
{
	char *room = buf_room(&c->in, 65536);
	ssize_t n = recv(c->fd, room, 65536, MSG_DONTWAIT);
	struct request r;

	if (n <= 0) {
		hang_up(c, false);
		return;
	}
	c->in.n += (size_t)n;
	while (c->fd >= 0 && read_request(buf_str(&c->in), &r)) {
		size_t bytes = r.bytes;

		serve(p, c, &r);
		if (c->fd >= 0)
			buf_drop(&c->in, bytes);
	}
}

static void new_connection(struct talk_peer *p)
{
	int fd = accept(p->listener, NULL, NULL);

	for (size_t i = 0; fd >= 0 && i < TALK_CONNECTIONS_MAX; i++) {
		if (p->connections[i].fd < 0) {
			p->connections[i].fd = fd;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void *peer_main(void *arg)
{
	struct talk_peer *p = arg;
	struct pollfd fds[TALK_CONNECTIONS_MAX + 2];

	for (;;) {
		fds[0] = (struct pollfd){ .fd = p->wake[0], .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = p->listener, .events = POLLIN };
		for (size_t i = 0; i < TALK_CONNECTIONS_MAX; i++)
			fds[i + 2] = (struct pollfd){ .fd = p->connections[i].fd,
				.events = POLLIN };
		poll(fds, ARRAY_LEN(fds), -1);
		if (fds[0].revents != 0)
			return NULL;
		for (size_t i = 0; i < TALK_CONNECTIONS_MAX; i++)
			if (fds[i + 2].revents != 0)
				readable(p, &p->connections[i]);
		if (fds[1].revents != 0)
			new_connection(p);
	}
}

void talk_peer_start(struct talk_peer *p)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(addr);

	memset(p, 0, sizeof(*p));
	p->arena = arena_new("peer", 0);
	mutex_init(&p->lock);
	for (size_t i = 0; i < TALK_CONNECTIONS_MAX; i++)
		p->connections[i].fd = -1;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(p->listener, 64), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&addr, &n), 0);
	assert_int_equal(pipe(p->wake), 0);
	p->base = str_fmt(p->arena, "http://127.0.0.1:%u", ntohs(addr.sin_port));
	talk_peer_reset(p, 0);
	thread_start(&p->thread, "peer", peer_main, p);
}

void talk_peer_stop(struct talk_peer *p)
{
	assert_int_equal(write(p->wake[1], "", 1), 1);
	thread_join(&p->thread);
	for (size_t i = 0; i < TALK_CONNECTIONS_MAX; i++) {
		if (p->connections[i].fd >= 0)
			close(p->connections[i].fd);
		buf_free(&p->connections[i].in);
	}
	close(p->listener);
	close(p->wake[0]);
	close(p->wake[1]);
	mutex_destroy(&p->lock);
	arena_free(p->arena);
}
