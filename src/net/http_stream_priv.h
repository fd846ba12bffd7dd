/*
 * http_stream_priv.h - a stream as its connection's loop sees it; for the loop's thread only.
 */
#ifndef NET_HTTP_STREAM_PRIV_H
#define NET_HTTP_STREAM_PRIV_H

#include "net/http_server_priv.h"

enum http_stream_next { HTTP_STREAM_MORE, HTTP_STREAM_IDLE, HTTP_STREAM_END };
/* All that was taken has been sent: takes more into r->out. */
enum http_stream_next http_stream_next(struct http_request *r);
bool http_stream_idle(const struct http_request *r); /* nothing of it is on its way out */
/* The request came off the loop's stack; has its owner ended it? */
bool http_stream_taken(struct http_request *r);
/* Nobody reads any more. True: the owner has ended it, give it back; else it will come again. */
bool http_stream_leave(struct http_request *r);
void http_stream_close(struct http_request *r); /* ends the response behind what waits */
void http_stream_free(struct http_request *r);

#endif
