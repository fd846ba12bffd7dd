/*
 * http_loop.c - one thread, one epoll set. A turn: events, connections that used up their last
 * share, exchanges that other threads finished, deadlines; then the handler's `turn`, then waiting.
 * Only the event of a connection itself, or what comes after the events, may close it, so that no
 * event of a batch points to a connection that is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/http_stream_priv.h"

#define EVENTS_MAX        256
#define FREE_REQUESTS_MAX 256
#define BODY_KEEP_BYTES   ((size_t)16384)
#define REQUEST_ARENA_MAX ((size_t)64 << 20)

/* ---- requests ---- */

struct http_request *http_request_acquire(struct http_loop *l)
{
	struct http_request *r = l->free_requests;

	if (r == NULL) {
		struct arena *a = arena_new("request", REQUEST_ARENA_MAX);

		r = arena_new_of(a, struct http_request);
		r->x.arena = a;
		r->loop = l;
		r->mark = arena_mark(a);
		return r;
	}
	l->free_requests = r->next;
	l->free_request_count--;
	r->next = NULL;
	return r;
}

static void request_free(struct http_request *r)
{
	buf_free(&r->body);
	arena_free(r->x.arena);
}

void http_request_release(struct http_request *r)
{
	struct http_loop *l = r->loop;
	struct arena *a = r->x.arena;

	if (l->free_request_count >= FREE_REQUESTS_MAX) {
		request_free(r);
		return;
	}
	arena_rewind(a, r->mark);
	buf_reset(&r->body);
	buf_shrink(&r->body, BODY_KEEP_BYTES);
	*r = (struct http_request){
		.x.arena = a,
		.loop = l,
		.next = l->free_requests,
		.mark = r->mark,
		.body = r->body,
	};
	l->free_requests = r;
	l->free_request_count++;
}

/* ---- making and ending a loop ---- */

void http_loop_init(struct http_loop *l, struct http_server *s, unsigned index)
{
	*l = (struct http_loop){
		.server = s,
		.index = index,
		.epoll_fd = -1,
		.event_fd = -1,
		.listen_fd = -1,
		.spare_fd = -1,
		.date_s = -1,
	};
	l->arena = arena_new("event loop", 0);
	for (size_t i = 0; i < HTTP_WAIT_KINDS; i++)
		http_link_init(&l->waits[i]);
	http_link_init(&l->again);
	http_link_init(&l->free_conns);
	/* An incomplete head and one byte more must fit. */
	l->window_bytes = MAX(HTTP_WINDOW_BYTES,
		s->limits.line_max + s->limits.headers_max + (size_t)4096);
	l->window = arena_alloc(l->arena, l->window_bytes);
	l->fields = arena_alloc(l->arena, s->limits.count_max * sizeof(*l->fields));
}

bool http_loop_open(struct http_loop *l, struct err *err)
{
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (l->epoll_fd < 0 || l->event_fd < 0 || l->spare_fd < 0)
		return err_set_errno(err, ERR_IO, errno, "can't make an event loop");
	http_loop_watch(l, l->event_fd, &l->event_fd, EPOLLIN, true);
	http_loop_watch(l, l->listen_fd, &l->listen_fd, EPOLLIN, true);
	return true;
}

void http_loop_close(struct http_loop *l)
{
	CHECK(l->conns == 0 && l->suspended == 0);
	while (l->free_requests != NULL) {
		struct http_request *r = l->free_requests;

		l->free_requests = r->next;
		request_free(r);
	}
	fd_close(&l->listen_fd);
	fd_close(&l->spare_fd);
	fd_close(&l->event_fd);
	fd_close(&l->epoll_fd);
	arena_free(l->arena);
}

void http_loop_watch(struct http_loop *l, int fd, void *what, uint32_t events, bool add)
{
	struct epoll_event e = { .events = events, .data.ptr = what };

	CHECK(epoll_ctl(l->epoll_fd, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) == 0);
}

void http_loop_wake(struct http_loop *l)
{
	uint64_t one = 1;

	/* Full (EAGAIN) means that it is awake already. */
	while (write(l->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* ---- a turn ---- */

/* IMF-fixdate (RFC 9110, 5.6.7), made once a second. */
static void date_update(struct http_loop *l)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t s = clock_wall_ms(clock_system()) / 1000;

	if (s == l->date_s)
		return;
	int64_t day_number = s / 86400, second = s % 86400;
	int year;
	unsigned month, day;

	time_civil(day_number, &year, &month, &day);
	int n = snprintf(l->date, sizeof(l->date),
		"Date: %.3s, %02u %.3s %04d %02d:%02d:%02d GMT\r\n",
		days + (day_number + 4) % 7 * 3, day, months + (size_t)(month - 1) * 3, year,
		(int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));

	CHECK(n > 0 && (size_t)n < sizeof(l->date));
	l->date_n = (size_t)n;
	l->date_s = s;
}

static void time_update(struct http_loop *l)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	l->now_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	date_update(l);
}

static void conn_event(struct http_conn *c, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		c->half_closed = true;
		if (c->state == HTTP_CONN_WORK)
			atomic_store(&c->req->x.left, true);
	}
	/* A stream has no end to wait for: who says no more is taken to be gone. */
	bool lost = (c->state == HTTP_CONN_WORK && (events & (EPOLLHUP | EPOLLERR))) ||
		    (c->state == HTTP_CONN_STREAM && c->half_closed);

	if (lost)
		http_conn_close(c);
	else
		http_conn_run(c);
}

static void events_take(struct http_loop *l, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, timeout_ms);
	bool woken = false;

	CHECK(n >= 0 || errno == EINTR);
	time_update(l);
	for (int i = 0; i < n; i++) {
		void *what = events[i].data.ptr;

		if (what == &l->event_fd)
			woken = true;
		else if (what == &l->listen_fd)
			http_accept(l);
		else
			conn_event(what, events[i].events);
	}
	if (woken) {
		uint64_t count;

		while (read(l->event_fd, &count, sizeof(count)) < 0 && errno == EINTR)
			;
		http_loop_take_finished(l);
	}
}

/* Takes the whole stack that the threads pushed on, and turns it round to be fair. */
void http_loop_take_finished(struct http_loop *l)
{
	struct http_request *r = atomic_exchange_explicit(&l->finished, NULL, memory_order_acquire);
	struct http_request *oldest = NULL;

	while (r != NULL) {
		struct http_request *next = r->next;

		r->next = oldest;
		oldest = r;
		r = next;
	}
	while (oldest != NULL) {
		r = oldest;
		oldest = r->next;
		r->next = NULL;
		http_conn_finished(r);
	}
}

/* Runs those that wait for another share; what they put back is for the next turn. */
static void again_run(struct http_loop *l)
{
	struct http_link now;

	if (http_link_empty(&l->again))
		return;
	now = l->again;
	now.next->prev = now.prev->next = &now;
	http_link_init(&l->again);
	while (!http_link_empty(&now)) {
		struct http_conn *c = HTTP_CONN_OF(now.next, again);

		http_link_remove(&c->again);
		http_conn_run(c);
	}
}

static void expire(struct http_loop *l)
{
	int64_t now_ms = l->now_us / 1000;

	for (size_t kind = HTTP_WAIT_NONE + 1; kind < HTTP_WAIT_KINDS; kind++) {
		struct http_link *list = &l->waits[kind];

		while (!http_link_empty(list)) {
			struct http_conn *c = HTTP_CONN_OF(list->next, wait);

			if (c->until_ms > now_ms)
				break;
			http_conn_expired(c);
		}
	}
	if (l->accept_paused && now_ms >= l->accept_again_ms)
		http_accept_resume(l);
}

/* Milliseconds until something is due; -1: nothing ever is. */
static int wait_ms(const struct http_loop *l)
{
	int64_t due = INT64_MAX;

	if (!http_link_empty(&l->again))
		return 0;
	for (size_t kind = HTTP_WAIT_NONE + 1; kind < HTTP_WAIT_KINDS; kind++)
		if (!http_link_empty(&l->waits[kind]))
			due = MIN(due, HTTP_CONN_OF(l->waits[kind].next, wait)->until_ms);
	if (l->accept_paused)
		due = MIN(due, l->accept_again_ms);
	if (l->draining)
		due = MIN(due, atomic_load(&l->server->drain_until_ms));
	if (due == INT64_MAX)
		return -1;
	/* The clock's microseconds are cut: wake behind the millisecond, not inside it. */
	return (int)MIN(MAX(due - l->now_us / 1000, 0), 3600000);
}

/* Ends the streams of connections in the list of this kind. */
static void streams_end(struct http_loop *l, enum http_wait kind)
{
	struct http_link all, *list = &l->waits[kind];

	if (http_link_empty(list))
		return;
	all = *list;
	all.next->prev = all.prev->next = &all;
	http_link_init(list);
	while (!http_link_empty(&all)) {
		struct http_conn *c = HTTP_CONN_OF(all.next, wait);

		http_link_remove(&c->wait);
		http_link_append(list, &c->wait);
		if (c->state != HTTP_CONN_STREAM)
			continue;
		http_stream_close(c->req);
		http_link_remove(&c->again);
		http_conn_run(c);
	}
}

/* Serves what has come already, then takes no more; connections without a request are closed. */
static void drain_begin(struct http_loop *l)
{
	http_accept(l);
	l->draining = true;
	l->accept_paused = false;
	fd_close(&l->listen_fd);
	streams_end(l, HTTP_WAIT_NONE);
	streams_end(l, HTTP_WAIT_WRITE);
	while (!http_link_empty(&l->waits[HTTP_WAIT_IDLE])) {
		struct http_conn *c = HTTP_CONN_OF(l->waits[HTTP_WAIT_IDLE].next, wait);

		c->readable = true;
		http_link_remove(&c->again);
		http_conn_run(c);
	}
}

static void close_all(struct http_loop *l)
{
	for (size_t kind = 0; kind < HTTP_WAIT_KINDS; kind++)
		while (!http_link_empty(&l->waits[kind]))
			http_conn_close(HTTP_CONN_OF(l->waits[kind].next, wait));
}

void *http_loop_main(void *loop)
{
	struct http_loop *l = loop;
	struct http_server *s = l->server;

	time_update(l);
	for (;;) {
		if (s->handlers.turn != NULL)
			s->handlers.turn(s->handlers.ctx, l->index);
		events_take(l, wait_ms(l));
		again_run(l);
		expire(l);
		if (!l->draining && atomic_load(&s->draining))
			drain_begin(l);
		if (l->draining &&
			(l->conns == 0 || l->now_us / 1000 >= atomic_load(&s->drain_until_ms)))
			break;
	}
	close_all(l);
	if (s->handlers.turn != NULL)
		s->handlers.turn(s->handlers.ctx, l->index);
	return NULL;
}
