/*
 * bench_sink.c - where the records of the flow and errors benchmarks go: a fast application on our own
 * server.
 *
 * Every POST is answered 201 with a small document at once. After PUT /refuse it is answered 422, and
 * each tenth 400, until PUT /accept. GET tells how many were taken, how many refused, and how many
 * bytes of body all had, so that the runner can see that both sides sent the same. Prints its port,
 * serves until its standard input ends.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "net/http_server.h"

#define BAD_REQUEST_EACH 10

struct totals {
	atomic_ullong posts, bytes, refused;
	atomic_bool refuse;
};

static void answer_post(struct totals *t, struct http_exchange *x)
{
	atomic_fetch_add(&t->bytes, x->body_bytes);
	if (!atomic_load(&t->refuse)) {
		atomic_fetch_add(&t->posts, 1);
		x->status = 201;
		x->res_body = STR("{\"id\":\"1\"}");
	} else if (atomic_fetch_add(&t->refused, 1) % BAD_REQUEST_EACH == 0) {
		x->status = 400;
		x->res_body = STR("{\"error\":\"bad_request\",\"message\":\"no such currency\"}");
	} else {
		x->status = 422;
		x->res_body = STR("{\"error\":\"invalid_record\",\"message\":\"amount must not be "
				  "negative\"}");
	}
}

static enum http_verdict answer(void *ctx, struct http_exchange *x)
{
	struct totals *t = ctx;

	http_response_header(x, STR("Content-Type"), STR("application/json"));
	if (x->method == HTTP_POST) {
		answer_post(t, x);
		return HTTP_DONE;
	}
	if (x->method == HTTP_PUT)
		atomic_store(&t->refuse, str_eq_z(x->path, "/refuse"));
	x->status = 200;
	x->res_body = str_fmt(x->arena, "{\"posts\":%llu,\"refused\":%llu,\"bytes\":%llu}",
		atomic_load(&t->posts), atomic_load(&t->refused), atomic_load(&t->bytes));
	return HTTP_DONE;
}

int main(void)
{
	struct totals totals = { 0 };
	struct err err = ERR_INIT;
	struct http_server *s;
	struct http_server_config cfg = {
		.listen = STR("127.0.0.1:0"),
		.handlers = { .request = answer, .ctx = &totals },
	};
	char c;

	if (!http_server_start(&cfg, &s, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	printf("listening on %u\n", http_server_port(s));
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	http_server_free(s);
	return 0;
}
