/*
 * adaptor.h - what an adaptor is: one kind of application that data comes from or goes to.
 *
 * An adaptor is a const table of functions, listed in registry.c; nothing outside adaptor/<name>/
 * asks which one it is. The engine opens a source from (connection, export) and a sink from
 * (connection, import), both documents with their secrets opened, and drives them from one thread
 * each. Documents must outlive what was opened from them.
 */
#ifndef ADAPTOR_ADAPTOR_H
#define ADAPTOR_ADAPTOR_H

#include "adaptor/sink.h"
#include "adaptor/source.h"
#include "net/http_server.h" /* struct http_header */

struct ping_result {
	bool ok;
	bool unsure; /* not ok, but it is there, and may answer so to anybody who asks this */
	int status;  /* of the application's answer; 0: none came */
	struct str message; /* why not, in the user's words */
};

/* A request of the user's own that is sent with the connection's authentication. */
struct proxy_request {
	struct str method, relative_uri;              /* as the client wrote them */
	struct str record_type, script_id, deploy_id; /* NetSuite; p NULL: not given */
	const struct http_header *headers;            /* to pass on: none but with pass-through */
	size_t header_count;
	struct str content_type, body;
};
struct proxy_answer {
	int status;
	struct http_header *headers; /* the target's, without hop-by-hop ones */
	size_t header_count;
	struct str content_type, body;
};

/* Access that a user gives in a browser (RFC 6749, 4.1, with RFC 7636). */
struct grant_request {
	struct str redirect_uri, verifier;
	struct str state; /* for the URL */
	struct str code;  /* for taking it */
};

struct connection_ops {
	/* Is the application there, and does it take the credentials? False only when it can't be asked. */
	bool (*ping)(const struct adaptor_env *env, const struct json *connection, struct arena *a,
		struct ping_result *out, struct err *err);
	bool (*proxy)(const struct adaptor_env *env, const struct json *connection,
		const struct proxy_request *rq, struct arena *a, struct proxy_answer *out,
		struct err *err);
	/* Where the user gives access; asks nobody. ERR_MISSING names the field that is not set,
	 * ERR_UNSUPPORTED: the connection proves itself in another way. NULL: there is no such thing. */
	bool (*grant_url)(const struct adaptor_env *env, const struct json *connection,
		const struct grant_request *rq, struct arena *a, struct str *url, struct err *err);
	/* Exchanges the code for tokens, which the vault keeps. */
	bool (*grant_take)(const struct adaptor_env *env, const struct json *connection,
		const struct grant_request *rq, struct err *err);
};

struct adaptor {
	const char *name; /* the connection's `type` */
	const struct connection_ops *connection;
	const struct source_ops *source; /* NULL: has no exports */
	const struct sink_ops *sink;     /* NULL: has no imports */
};

/* By the `type` of a connection document. ERR_UNSUPPORTED. */
MUST_CHECK bool adaptor_of(const struct json *connection, const struct adaptor **out,
	struct err *err);

#endif
