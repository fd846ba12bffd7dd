/*
 * webhook_priv.h - a compiled listener, for the files of this folder.
 */
#ifndef ADAPTOR_WEBHOOK_WEBHOOK_PRIV_H
#define ADAPTOR_WEBHOOK_WEBHOOK_PRIV_H

#include "adaptor/webhook/webhook.h"
#include "map/path.h"

enum webhook_place { WEBHOOK_IN_BODY, WEBHOOK_IN_HEADER, WEBHOOK_IN_QUERY };

struct webhook {
	struct webhook_scheme scheme;
	struct str keys[2]; /* the present and the previous one */
	size_t key_count;
	enum webhook_place token_place;
	struct str token;      /* also of a preset's handshake; for basic "user:password" */
	struct str token_name; /* of the header or query parameter */
	bool token_bearer;     /* "Bearer " stands before it */
	struct path *token_path;
	struct str id_header;
	struct path *id_path;
	struct path *challenge_path; /* of the listener's own settings */
	struct str challenge_query;
	struct webhook_answer success, challenged;
	int64_t dedupe_ms;
};

/*
 * Does the request prove that it knows the secret? Looks at the raw bytes alone, but for a token in
 * the body: DOC is the parsed body then, NULL where it can't be parsed. ERR_UNAUTHORIZED with the
 * reason.
 */
MUST_CHECK bool webhook_verify(const struct webhook *w, const struct http_exchange *x,
	struct str path_token, const struct json *doc, int64_t now_ms, struct err *err);

/* In a time that does not depend on what they are. */
bool webhook_same_secret(struct str given, struct str secret);

#endif
