/*
 * flow.h - what a flow is made of: the documents of its sources and steps, read in one snapshot.
 */
#ifndef ENGINE_FLOW_H
#define ENGINE_FLOW_H

#include "engine/engine.h"

enum step_kind { STEP_IMPORT, STEP_LOOKUP };

struct flow_step {
	enum step_kind kind;
	struct str id;   /* the import's or export's */
	struct str name; /* for messages */
	const struct json *doc, *connection;
	struct str connection_id;
	const struct json *response_mapping; /* NULL: none */
	bool proceed_on_failure;
};

struct flow_source {
	struct str id, name;
	const struct json *doc, *connection; /* CONNECTION is NULL for a listener */
	struct str connection_id;
};

/* Read in one snapshot; secrets are open: wipe the arena. */
struct flow_plan {
	struct str account_id, flow_id;
	const struct json *flow;
	struct flow_source *sources;
	size_t source_count;
	struct flow_step *steps;
	size_t step_count;
	struct str config; /* the documents as stored, secrets sealed, without connections: JSON */
	char config_hash[65];
	struct err missing; /* a connection that can't be read; ERR_NONE: the plan is complete */
};
/*
 * CONFIG: documents to use instead of the stored ones (p NULL: none). ERR_NOT_FOUND, ERR_FLOW,
 * ERR_STORE, ERR_CRYPT.
 */
MUST_CHECK bool flow_plan_read(const struct engine *e, struct arena *a, struct str account_id,
	struct str flow_id, struct str config, struct flow_plan *out, struct err *err);
/* False with what is missing: the flow can't run, but its parts are known. */
MUST_CHECK bool flow_plan_complete(const struct flow_plan *p, struct err *err);
/* Refuses flows that lack something, that are disabled, and parts that this version can't act on. */
MUST_CHECK bool flow_plan_check(const struct engine *e, struct arena *a, const struct flow_plan *p,
	struct err *err);
/* Refuses a document that sets what this version can't act on: ERR_UNSUPPORTED names the field. */
MUST_CHECK bool engine_check_inert(const struct engine *e, struct arena *a, const char *type,
	const struct json *doc, struct err *err);
/* The first connection of the plan that is offline; p NULL: none is. */
struct str flow_plan_offline(const struct flow_plan *p, struct str *name);
bool flow_source_is_listener(const struct flow_source *s);

#endif
