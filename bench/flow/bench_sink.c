/*
 * bench_sink.c - where the records of the flow benchmark go: a fast application on our own server.
 *
 * Every POST is answered 201 with a small document at once. GET tells how many there were and how
 * many bytes of body they had, so that the runner can see that both sides sent the same. Prints its
 * port, serves until its standard input ends.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "net/http_server.h"

struct totals {
	atomic_ullong posts, bytes;
};

static enum http_verdict answer(void *ctx, struct http_exchange *x)
{
	struct totals *t = ctx;

	http_response_header(x, STR("Content-Type"), STR("application/json"));
	if (x->method == HTTP_POST) {
		atomic_fetch_add(&t->posts, 1);
		atomic_fetch_add(&t->bytes, x->body_bytes);
		x->status = 201;
		x->res_body = STR("{\"id\":\"1\"}");
		return HTTP_DONE;
	}
	x->status = 200;
	x->res_body = str_fmt(x->arena, "{\"posts\":%llu,\"bytes\":%llu}", atomic_load(&t->posts),
		atomic_load(&t->bytes));
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
