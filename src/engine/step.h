/*
 * step.h - one processor of a flow, opened: an import, or an export that looks something up.
 *
 * Used by runs, which keep what they do in the store, and by invocations, which answer at once. One
 * thread at a time. The documents must outlive the step.
 */
#ifndef ENGINE_STEP_H
#define ENGINE_STEP_H

#include "engine/engine_priv.h"

struct step;

struct step_config {
	const struct adaptor_env *env;
	enum step_kind kind;
	const struct json *doc, *connection;
	const struct json *response_mapping; /* NULL: none */
	struct call_args call;
	bool keep_answers; /* an invocation wants them */
	bool keep_mapped;  /* somebody wants to see the mapped records, not only the requests */
	struct debug_log
		*debug; /* of the engine; NULL: not kept, or the environment has it already */
};

MUST_CHECK bool step_open(const struct step_config *cfg, struct step **out, struct err *err);
void step_close(struct step *s); /* NULL is allowed */

/*
 * Makes what will be sent from each delivery's `source`: the import's filter, lookups, mapping. False
 * with ERR_CANCELED only.
 */
MUST_CHECK bool step_prepare(struct step *s, struct delivery *d, size_t n, struct arena *a,
	struct err *err);
/* The prepared request as people may see it: request line, header fields, empty line, body, secrets
 * masked; p NULL: the adaptor can't. */
struct str step_show_request(struct step *s, const struct delivery *d, struct arena *a);
/* Sends what was prepared. False with ERR_CANCELED only; deliveries not begun have it then too. Behind a
 * lookup that is out of reach, or the first that is refused, the others are not asked but deferred, without
 * an error; called again it goes on with them. */
MUST_CHECK bool step_submit(struct step *s, struct delivery *d, size_t n, struct arena *a,
	struct err *err);
/*
 * The record as the next step gets it: the source with what the response mapping makes of the
 * answer merged in (RFC 7396). ERR_MAPPING.
 */
MUST_CHECK bool step_respond(struct step *s, const struct delivery *d, struct arena *a,
	const struct json **record, struct err *err);

/* Does the application not let us in, or is it out of reach? */
bool step_is_refusal(const struct delivery *d);
bool step_is_gone(const struct delivery *d);

/* An error as jobs and answers tell it. Code: the application's status where it answered, else our word. */
struct str step_error_code(struct arena *a, const struct err *err, int status);
/* Who is at fault: application, connection, mapping, lookup, internal, else the STAGE (may be NULL). */
const char *step_error_source(const struct err *err, const char *stage);
/* {statusCode, id, errors, ignored, _json}: how an invocation answers a record. */
void step_print_result(const struct delivery *d, struct json_build *b);

#endif
