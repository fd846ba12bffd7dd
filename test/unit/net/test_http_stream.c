/*
 * Responses that grow while they are sent: chunks, slow and lost clients, the end by either side.
 */
#include "test.h"

#include <sched.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/thread.h"
#include "http_rig.h"
#include "net/http_stream.h"

#define WAITING_MAX ((size_t)65536)

static struct rig rig;
static struct client client;

static int set_up(void **state UNUSED)
{
	rig_start(&rig, (struct http_server_config){ .write_timeout_ms = 300 });
	client = client_open(&rig);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	client_close(&client);
	rig_stop(&rig);
	return 0;
}

static struct http_exchange *begin(const char *request)
{
	client_send(&client, str_z(request));
	struct http_exchange *x = rig_held(&rig);

	http_response_header(x, STR("Content-Type"), STR("text/event-stream"));
	http_exchange_stream_begin(x, WAITING_MAX);
	return x;
}

static void put(struct http_exchange *x, const char *text)
{
	assert_int_equal(http_exchange_stream_send(x, str_z(text)), HTTP_STREAM_TAKEN);
}

/* Until the server has noticed that nobody reads. */
static void wait_gone(struct http_exchange *x)
{
	int64_t until = clock_mono_ms(clock_system()) + 60000;

	while (http_exchange_stream_alive(x)) {
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("the stream lives on");
		sched_yield();
	}
}

static void test_chunks(void **state UNUSED)
{
	struct http_exchange *x = begin("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n"
					"GET /status/200 HTTP/1.1\r\nHost: h\r\n\r\n");
	struct str head = client_until(&client, "\r\n\r\n");

	assert_true(str_starts(head, STR("HTTP/1.1 200 OK\r\n")));
	assert_true(str_find(head, STR("Transfer-Encoding: chunked\r\n")) != STR_NPOS);
	assert_true(str_find(head, STR("Content-Type: text/event-stream\r\n")) != STR_NPOS);
	assert_int_equal(str_find(head, STR("Content-Length")), STR_NPOS);
	/* each part arrives before the next is sent */
	put(x, "data: one\n\n");
	assert_str(client_until(&client, "\n\n\r\n"), "b\r\ndata: one\n\n\r\n");
	put(x, "");
	put(x, "data: two and more\n\n");
	assert_str(client_until(&client, "\n\n\r\n"), "14\r\ndata: two and more\n\n\r\n");
	http_exchange_stream_end(x);
	assert_str(client_until(&client, "0\r\n\r\n"), "0\r\n\r\n");
	/* and the connection goes on */
	client_expect(&client, 200, "text");
	rig_wait_finished(&rig, 2);
}

static void test_what_is_sent_before_the_end_arrives(void **state UNUSED)
{
	struct http_exchange *x = begin("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");

	put(x, "a");
	put(x, "b");
	put(x, "c");
	http_exchange_stream_end(x);
	struct str all = client_until(&client, "0\r\n\r\n");

	assert_true(str_find(all, STR("a")) != STR_NPOS);
	assert_true(str_ends(all, STR("c\r\n0\r\n\r\n")));
	rig_wait_finished(&rig, 1);
	assert_int_equal(rig.last_status, 200);
	assert_true(rig.last_sent == all.n);
}

static void test_old_clients(void **state UNUSED)
{
	struct http_exchange *x = begin("GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	struct str head = client_until(&client, "\r\n\r\n");

	assert_int_equal(str_find(head, STR("Transfer-Encoding")), STR_NPOS);
	assert_true(str_find(head, STR("Connection: close\r\n")) != STR_NPOS);
	put(x, "data: one\n\n");
	assert_str(client_until(&client, "\n\n"), "data: one\n\n");
	http_exchange_stream_end(x);
	client_expect_end(&client);
}

static void test_head(void **state UNUSED)
{
	struct http_exchange *x = begin("HEAD /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct str head = client_until(&client, "\r\n\r\n");

	assert_true(str_find(head, STR("Transfer-Encoding: chunked\r\n")) != STR_NPOS);
	wait_gone(x);
	assert_int_equal(http_exchange_stream_send(x, STR("no")), HTTP_STREAM_GONE);
	/* the connection does not wait for the sender */
	SEND(&client, "GET /status/200 HTTP/1.1\r\nHost: h\r\n\r\n");
	client_expect(&client, 200, "text");
	http_exchange_stream_end(x);
	rig_wait_finished(&rig, 2);
}

static void test_client_leaves(void **state UNUSED)
{
	struct http_exchange *x = begin("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");

	(void)client_until(&client, "\r\n\r\n");
	assert_true(http_exchange_stream_alive(x));
	shutdown(client.fd, SHUT_WR);
	wait_gone(x);
	assert_int_equal(http_exchange_stream_send(x, STR("no")), HTTP_STREAM_GONE);
	rig_wait_open(&rig, 0);
	http_exchange_stream_end(x);
	rig_wait_finished(&rig, 1);
}

static void test_client_left_before(void **state UNUSED)
{
	SEND(&client, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);
	struct linger hard = { 1, 0 };

	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	client_close(&client);
	rig_wait_open(&rig, 0);
	http_exchange_stream_begin(x, WAITING_MAX);
	wait_gone(x);
	http_exchange_stream_end(x);
	rig_wait_finished(&rig, 1);
	client = client_open(&rig);
}

/* A client that reads nothing fills the sockets, then the buffer, and is given up. */
static void test_slow_client(void **state UNUSED)
{
	static char block[16384];
	struct http_exchange *x = begin("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	enum http_streamed s;
	size_t full = 0;

	memset(block, 'x', sizeof(block));
	while ((s = http_exchange_stream_send(x, str_of(block, sizeof(block)))) !=
		HTTP_STREAM_GONE) {
		full += s == HTTP_STREAM_FULL;
		sched_yield();
	}
	assert_true(full > 0);
	assert_int_equal(rig_stats(&rig).timeouts, 1);
	rig_wait_open(&rig, 0);
	http_exchange_stream_end(x);
	rig_wait_finished(&rig, 1);
}

/* A stream that has nothing to send has no deadline; one that is read goes on. */
static void test_quiet_stream(void **state UNUSED)
{
	struct http_exchange *x = begin("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");

	(void)client_until(&client, "\r\n\r\n");
	assert_false(client_readable(&client, 900)); /* three write deadlines */
	assert_true(http_exchange_stream_alive(x));
	put(x, "late");
	(void)client_until(&client, "late\r\n");
	http_exchange_stream_end(x);
	(void)client_until(&client, "0\r\n\r\n");
}

static void *drain(void *arg)
{
	http_server_drain(arg, 10000);
	return NULL;
}

static void test_drain(void **state UNUSED)
{
	struct http_exchange *x = begin("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct thread t = { .running = false };

	put(x, "last");
	(void)client_until(&client, "last\r\n");
	thread_start(&t, "drain", drain, rig.server);
	assert_str(client_until(&client, "0\r\n\r\n"), "0\r\n\r\n");
	client_expect_end(&client);
	thread_join(&t); /* it does not wait for the sender */
	assert_int_equal(http_exchange_stream_send(x, STR("no")), HTTP_STREAM_GONE);
	http_exchange_stream_end(x);
}

static void test_begun_in_a_drain(void **state UNUSED)
{
	SEND(&client, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
	struct http_exchange *x = rig_held(&rig);
	struct client other = client_open(&rig);
	struct thread t = { .running = false };

	rig_wait_open(&rig, 2);
	thread_start(&t, "drain", drain, rig.server);
	client_expect_end(&other); /* idle connections are closed: the drain has begun */
	rig_wait_open(&rig, 1);
	http_exchange_stream_begin(x, WAITING_MAX);
	struct str all = client_until(&client, "0\r\n\r\n");

	assert_true(str_find(all, STR("Connection: close\r\n")) != STR_NPOS);
	client_expect_end(&client);
	thread_join(&t);
	http_exchange_stream_end(x);
	client_close(&other);
}

/* Many at once, from several threads, with clients that leave in the middle. */
#define SENDERS 4
#define EACH    30

struct sender {
	struct thread thread;
	struct http_exchange *x[EACH];
};

static void *send_many(void *arg)
{
	struct sender *s = arg;

	for (int round = 0; round < 50; round++)
		for (size_t i = 0; i < EACH; i++)
			if (http_exchange_stream_send(s->x[i], STR("data: tick\n\n")) ==
				HTTP_STREAM_FULL)
				sched_yield();
	for (size_t i = 0; i < EACH; i++)
		http_exchange_stream_end(s->x[i]);
	return NULL;
}

static void test_many(void **state UNUSED)
{
	static struct sender senders[SENDERS];
	static struct client clients[SENDERS * EACH];

	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		clients[i] = client_open(&rig);
		SEND(&clients[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
		struct http_exchange *x = rig_held(&rig);

		http_exchange_stream_begin(x, WAITING_MAX);
		senders[i % SENDERS].x[i / SENDERS] = x;
	}
	for (size_t i = 0; i < SENDERS; i++)
		thread_start(&senders[i].thread, "sender", send_many, &senders[i]);
	for (size_t i = 0; i < ARRAY_LEN(clients); i += 2)
		client_close(&clients[i]);
	for (size_t i = 1; i < ARRAY_LEN(clients); i += 2) {
		struct str all = client_until(&clients[i], "0\r\n\r\n");
		size_t ticks = 0;

		for (size_t at; (at = str_find(all, STR("tick"))) != STR_NPOS; ticks++)
			all = str_from(all, at + 4);
		assert_int_equal(ticks, 50);
		client_close(&clients[i]);
	}
	for (size_t i = 0; i < SENDERS; i++)
		thread_join(&senders[i].thread);
	rig_wait_finished(&rig, ARRAY_LEN(clients));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_chunks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_sent_before_the_end_arrives, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_old_clients, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_head, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_client_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_client_left_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_client, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_quiet_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_drain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begun_in_a_drain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
