/*
 * http_stream.h - responses of the HTTP server that grow while they are sent.
 *
 * Instead of finishing a suspended exchange, begin, send as often as there is something, and
 * end, once, whatever happened; the exchange lives until then. Any thread, one call at a time for an
 * exchange. Status and fields must be filled before; they go out at once, without res_body. HTTP/1.1
 * gets chunks, HTTP/1.0 bytes up to the connection's end, HEAD the header section only.
 *
 * WAITING_MAX: bytes that may wait for a slow client. A client that takes nothing for
 * write_timeout_ms, that ends its side, or that a drain of the server parts from is gone: a drain
 * ends the response in order first.
 */
#ifndef NET_HTTP_STREAM_H
#define NET_HTTP_STREAM_H

#include "net/http_server.h"

void http_exchange_stream_begin(struct http_exchange *x, size_t waiting_max);
enum http_streamed {
	HTTP_STREAM_TAKEN,
	HTTP_STREAM_FULL, /* no room now: nothing of it was taken */
	HTTP_STREAM_GONE, /* nobody reads any more: end it */
};
/* BYTES (at most WAITING_MAX) are copied. Never blocks. */
MUST_CHECK enum http_streamed http_exchange_stream_send(struct http_exchange *x, struct str bytes);
bool http_exchange_stream_alive(struct http_exchange *x);
void http_exchange_stream_end(struct http_exchange *x);

#endif
