/*
 * kept_answer.h - what is kept of a request that is done once: what it asked, to know it again, and
 * what it was answered, as one text. Pure; any thread.
 */
#ifndef API_KEPT_ANSWER_H
#define API_KEPT_ANSWER_H

#include "crypt/digest.h"
#include "net/http_server.h"

/* Of what is asked, and of who may ask: method, target, the connector that the token belongs to ("":
 * none), body. Before the body is parsed, which changes it in place. */
void kept_answer_fingerprint(const struct http_exchange *x, struct str connector_id,
	unsigned char out[SHA256_BYTES]);

/* X's answer: the fields that tell of what was made, an empty line, the body. */
struct str kept_answer_print(struct arena *a, const struct http_exchange *x);
/* Sets fields and body of X's answer from such a TEXT, which must outlive it. False, and nothing is set:
 * it is none. */
MUST_CHECK bool kept_answer_read(struct str text, struct http_exchange *x);

#endif
