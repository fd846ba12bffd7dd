/*
 * webhook.h - what an application posts to a listener: does it come from who shares the secret, what
 * is its id, and which records does it hold.
 *
 * How a listener verifies is one row of one table (struct webhook_scheme): a preset for a well-known
 * sender, or a row made from the fields of the export. Signatures are checked over the body's raw
 * bytes, before anything is parsed, and secrets are compared in a time that does not depend on them.
 *
 * A compiled listener is read-only: any thread. It holds secrets: wipe its arena. Everything here is
 * pure; nothing blocks.
 */
#ifndef ADAPTOR_WEBHOOK_WEBHOOK_H
#define ADAPTOR_WEBHOOK_WEBHOOK_H

#include "crypt/digest.h"
#include "data/json.h"
#include "net/http_server.h"

#define WEBHOOK_WINDOW_S      300  /* how far a sender's clock may be off */
#define WEBHOOK_DEDUPE_HOURS  72   /* how long an event's id is remembered when nothing is set */
#define WEBHOOK_SIGNATURES    16   /* of one header that are looked at */
#define WEBHOOK_ID_MAX        255  /* bytes; a longer id is replaced by its digest */
#define WEBHOOK_CHALLENGE_MAX 1024 /* bytes */
#define WEBHOOK_FORM_FIELDS   1000

enum webhook_proof {
	WEBHOOK_PROOF_HMAC,  /* a keyed digest in a header */
	WEBHOOK_PROOF_TOKEN, /* a shared secret in the body, a header or the query */
	WEBHOOK_PROOF_BASIC, /* user name and password */
	WEBHOOK_PROOF_PATH,  /* a shared secret in the URL's path */
};
enum webhook_encoding { WEBHOOK_HEX, WEBHOOK_BASE64 };

struct webhook_scheme {
	const char *name;   /* of the preset */
	const char *verify; /* the word of webhook.verify for the same kind of proof */
	enum webhook_proof proof;
	const char *header; /* that carries the signature, or the token */
	bool or_path;       /* with a token in place of a key: WEBHOOK_PROOF_PATH */

	/* Of a keyed digest: */
	enum hmac_algorithm algorithm;
	enum webhook_encoding encoding;
	bool key_is_base64; /* behind "whsec_" */
	char separator;     /* between several signatures; 0: there is one */
	/* What a signature begins with ("sha256="); NULL: perhaps the algorithm's name and '='. */
	const char *label;
	/* What is signed: b is the body, t the timestamp, i the event's id; the rest stands for itself. */
	const char *signs;
	const char *time_label;  /* the timestamp stands among the signatures, behind this */
	const char *time_header; /* the timestamp's header */
	bool time_is_iso;        /* else seconds since 1970 */

	const char *id_header,
		*id_path; /* the event's id: a header, or a dotted path in the body */

	/* How the sender tries out the URL: an event whose `type` is this asks for its `challenge` back; */
	const char *challenge_type;
	/* a GET asks for this query parameter back, when that one (NULL: none) equals webhook.token. */
	const char *challenge_query, *challenge_token_query;
};
/* The presets, a row without name behind the last; "standard" is that of Standard Webhooks. */
extern const struct webhook_scheme webhook_schemes[];
const struct webhook_scheme *webhook_scheme_of(struct str name); /* NULL: there is none */
/* Does the object `webhook` of an export choose the secret in the URL, where the preset leaves it? */
bool webhook_by_path(const struct webhook_scheme *s, const struct json *webhook);

struct webhook;
/*
 * Compiles the object `webhook` of an export, its secrets opened; strings are copied into A.
 * ERR_INVALID and ERR_MISSING name the field ("webhook.key").
 */
MUST_CHECK bool webhook_compile(struct arena *a, const struct json *webhook,
	const struct webhook **out, struct err *err);

enum webhook_verdict {
	WEBHOOK_EVENT,        /* to be stored */
	WEBHOOK_EMPTY,        /* verified; it holds no record */
	WEBHOOK_CHALLENGE,    /* to be answered with `challenge` */
	WEBHOOK_UNAUTHORIZED, /* the reason is for the listener's log only */
	WEBHOOK_REFUSED,      /* verified, but the body can't be used: ERR says why */
};
struct webhook_event {
	struct str id;   /* the sender's; printable, at most WEBHOOK_ID_MAX bytes; p NULL: none */
	struct str body; /* JSON text: an object, or an array of objects */
	struct str challenge;
};
/*
 * A complete request. PATH_TOKEN: the secret of the URL's path, p NULL: none. Results live in the
 * request's arena. ERR is filled for the last two verdicts and holds no secret: ERR_UNAUTHORIZED;
 * ERR_JSON, ERR_PARSE, ERR_MEDIA_TYPE, ERR_LIMIT, ERR_INVALID.
 */
enum webhook_verdict webhook_receive(const struct webhook *w, const struct http_exchange *x,
	struct str path_token, int64_t now_ms, struct webhook_event *out, struct err *err);
/* A GET that tries out the URL: has it a challenge to be answered? Nothing is verified but the token. */
bool webhook_handshake(const struct webhook *w, const struct http_exchange *x,
	struct str *challenge);

/* Is TOKEN, of the URL's path, the secret of a listener that has it there? */
bool webhook_path_is(const struct webhook *w, struct str token);

/* How success is answered. STATUS 0: as the route does. All of it lives as long as the listener. */
struct webhook_answer {
	int status;
	struct str body, media_type;
	const struct http_header *headers;
	size_t header_count;
};
struct webhook_answer webhook_success(const struct webhook *w);
/* CHALLENGE as the listener answers one. In A. */
struct webhook_answer webhook_challenge(const struct webhook *w, struct arena *a,
	struct str challenge);
int64_t webhook_dedupe_ms(const struct webhook *w); /* 0: repeats are not looked for */

/*
 * A body as JSON: TEXT as it is to be stored and the document of it. Forms
 * (application/x-www-form-urlencoded) become a flat object, or what their only field `payload`
 * holds; XML (also +xml) what xml.h makes of it. ERR_JSON, ERR_PARSE, ERR_MEDIA_TYPE, ERR_LIMIT.
 */
MUST_CHECK bool webhook_read_body(struct arena *a, struct str content_type, struct str body,
	struct str *text, const struct json **doc, struct err *err);

#endif
