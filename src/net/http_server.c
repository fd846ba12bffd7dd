/*
 * http_server.c - start, stop and what other threads may call. A finished exchange is pushed on its
 * loop's stack; whoever pushes on an empty one wakes the loop.
 */
#include "net/http_server.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/limits.h"
#include "net/http_server_priv.h"

#define CONNECTIONS_MAX    65536
#define DESCRIPTORS_SPARED 128 /* for files, stores and outbound calls */

static size_t or_default(size_t v, size_t otherwise)
{
	return v != 0 ? v : otherwise;
}

static int64_t ms_or(int64_t v, int64_t otherwise)
{
	return v != 0 ? v : otherwise;
}

static size_t connections_default(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= CONNECTIONS_MAX + DESCRIPTORS_SPARED)
		return CONNECTIONS_MAX;
	return r.rlim_cur > 2 * DESCRIPTORS_SPARED ? r.rlim_cur - DESCRIPTORS_SPARED
						   : MAX((size_t)r.rlim_cur / 2, 1);
}

static unsigned loops_default(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void configure(struct http_server *s, const struct http_server_config *cfg)
{
	CHECK(cfg->handlers.request != NULL);
	s->handlers = cfg->handlers;
	s->limits = (struct http_limits){
		.line_max = or_default(cfg->request_line_max, LIMIT_REQUEST_LINE),
		.headers_max = or_default(cfg->headers_max, LIMIT_REQUEST_HEADERS),
		.count_max = or_default(cfg->header_count_max, LIMIT_REQUEST_HEADER_COUNT),
	};
	/* Offsets in a head are of 32 bits. */
	CHECK(s->limits.line_max < (size_t)1 << 30 && s->limits.headers_max < (size_t)1 << 30);
	s->body_max = or_default(cfg->body_max, LIMIT_REQUEST_BODY);
	s->connections_max = or_default(cfg->connections_max, connections_default());
	s->wait_ms[HTTP_WAIT_HEADER] = ms_or(cfg->header_timeout_ms, 10000);
	s->wait_ms[HTTP_WAIT_BODY] = ms_or(cfg->body_timeout_ms, 60000);
	s->wait_ms[HTTP_WAIT_IDLE] = ms_or(cfg->idle_timeout_ms, 75000);
	s->wait_ms[HTTP_WAIT_WRITE] = ms_or(cfg->write_timeout_ms, 30000);
	s->wait_ms[HTTP_WAIT_LINGER] = HTTP_LINGER_MS;
}

static bool open_all(struct http_server *s, const struct http_server_config *cfg, struct err *err)
{
	if (cfg->tls_cert_file != NULL &&
		!http_tls_open(cfg->tls_cert_file, cfg->tls_key_file, &s->tls, err))
		return false;
	for (unsigned i = 0; i < s->loop_count; i++) {
		struct http_loop *l = &s->loops[i];

		if (!http_listen(cfg->listen, &s->port, &l->listen_fd, err) ||
			!http_loop_open(l, err))
			return false;
	}
	return true;
}

bool http_server_start(const struct http_server_config *cfg, struct http_server **out,
	struct err *err)
{
	struct arena *a = arena_new("HTTP server", 0);
	struct http_server *s = arena_new_of(a, struct http_server);

	s->arena = a;
	configure(s, cfg);
	s->loop_count = MIN(cfg->loops != 0 ? cfg->loops : loops_default(), HTTP_LOOPS_MAX);
	s->loops = arena_array_of(a, struct http_loop, s->loop_count);
	for (unsigned i = 0; i < s->loop_count; i++)
		http_loop_init(&s->loops[i], s, i);
	if (!open_all(s, cfg, err)) {
		http_server_free(s);
		return false;
	}
	s->running = true;
	*out = s; /* a handler of the first request may want it */
	for (unsigned i = 0; i < s->loop_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "http-%u", i);
		thread_start(&s->loops[i].thread, name, http_loop_main, &s->loops[i]);
	}
	return true;
}

unsigned http_server_port(const struct http_server *s)
{
	return s->port;
}

unsigned http_server_loops(const struct http_server *s)
{
	return s->loop_count;
}

static uint64_t read_counter(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

void http_server_stats(const struct http_server *s, struct http_server_stats *out)
{
	struct http_server_stats t = { .connections_open = atomic_load_explicit(&s->open,
					       memory_order_relaxed) };

	for (unsigned i = 0; i < s->loop_count; i++) {
		const struct http_counters *c = &s->loops[i].counters;

		t.connections_accepted += read_counter(&c->accepted);
		t.connections_refused += read_counter(&c->turned_away);
		t.requests += read_counter(&c->requests);
		t.refused += read_counter(&c->refused);
		t.bytes_in += read_counter(&c->bytes_in);
		t.bytes_out += read_counter(&c->bytes_out);
		t.timeouts += read_counter(&c->timeouts);
	}
	*out = t;
}

void http_request_push(struct http_request *r)
{
	struct http_loop *l = r->loop;
	struct http_server *s = l->server;
	struct http_request *top;

	/* From the push on, the request may be gone, and the server too but for this count. */
	atomic_fetch_add(&s->finishing, 1);
	top = atomic_load_explicit(&l->finished, memory_order_relaxed);
	do {
		r->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&l->finished, &top, r, memory_order_release,
		memory_order_relaxed));
	if (top == NULL)
		http_loop_wake(l);
	atomic_fetch_sub(&s->finishing, 1);
}

void http_exchange_finish(struct http_exchange *x)
{
	http_request_push((struct http_request *)(void *)x);
}

void http_server_drain(struct http_server *s, int64_t within_ms)
{
	if (!s->running)
		return;
	s->running = false;
	atomic_store(&s->drain_until_ms, clock_mono_ms(clock_system()) + within_ms);
	atomic_store(&s->draining, true);
	for (unsigned i = 0; i < s->loop_count; i++)
		http_loop_wake(&s->loops[i]);
	for (unsigned i = 0; i < s->loop_count; i++)
		thread_join(&s->loops[i].thread);
}

void http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	http_server_drain(s, 0);
	while (atomic_load(&s->finishing) > 0)
		sched_yield();
	for (unsigned i = 0; i < s->loop_count; i++) {
		http_loop_take_finished(&s->loops[i]);
		http_loop_close(&s->loops[i]);
	}
	http_tls_close(s->tls);
	arena_free(s->arena);
}
