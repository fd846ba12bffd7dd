/*
 * bench_http_server - the HTTP server with a handler that answers about 500 bytes of JSON, for
 * bench/http/run. Prints the port, serves until its standard input ends.
 */
#include <unistd.h>

#include "net/http_server.h"

static char body[512];

static enum http_verdict answer(void *ctx UNUSED, struct http_exchange *x)
{
	x->status = 200;
	http_response_header(x, STR("Content-Type"), STR("application/json"));
	x->res_body = str_of(body, sizeof(body) - 12);
	return HTTP_DONE;
}

static void fill(void)
{
	size_t n = 0;

	memset(body, ' ', sizeof(body));
	body[n++] = '[';
	for (int i = 0; i < 12; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n,
			"%s{\"id\":%04d,\"name\":\"record %04d\"}", i == 0 ? "" : ",", i, i);
	body[n] = ']';
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct http_server *s;
	struct http_server_config cfg = {
		.listen = STR("127.0.0.1:0"),
		.loops = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0,
		.handlers.request = answer,
	};
	char c;

	fill();
	if (!http_server_start(&cfg, &s, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	printf("%u\n", http_server_port(s));
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	http_server_free(s);
	return 0;
}
