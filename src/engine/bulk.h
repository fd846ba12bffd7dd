/*
 * bulk.h - actions on many errors, done in parts: see bulk.c. Any thread that may wait, but for those that say W.
 */
#ifndef ENGINE_BULK_H
#define ENGINE_BULK_H

#include "engine/engine_priv.h"

enum bulk_what {
	BULK_RETRY,   /* hand them to the retry whose id the action has */
	BULK_RELEASE, /* let go what that retry had, which has ended */
	BULK_RESOLVE,
	BULK_REOPEN,
};

struct bulk_action {
	struct str account_id, id;
	enum bulk_what what;
	struct store_error_filter filter; /* its state is not looked at */
	struct str by;                    /* RESOLVE: who */
	int64_t at_ms;
	uint64_t count; /* out: errors that it touched */
};

/*
 * One action at a time: false with ERR_OVERLOADED when another one goes on for too long, at once when WAIT is
 * false. Then bulk_end().
 */
MUST_CHECK bool bulk_begin(struct engine *e, bool wait, struct err *err);
void bulk_end(struct engine *e);

/* The action's row: from here on it will be done, by whomever. W */
MUST_CHECK bool bulk_add(struct store_conn *c, const struct bulk_action *x, struct err *err);
/* Does the action; KEPT: it has its row. ERR_STORE and ERR_SHUTTING_DOWN leave the rest to bulk_do_left(). */
MUST_CHECK bool bulk_do(struct engine *e, struct bulk_action *x, bool kept, struct err *err);
/* For the timer: does what was left, unless an action goes on. */
void bulk_do_left(struct engine *e);

/* An ended retry lets go what it had: a part at once, for the rest there is a row. W */
MUST_CHECK bool bulk_release(struct store_conn *c, struct str account_id, struct str job_id,
	int64_t now_ms, struct err *err);
/* Behind the commit of bulk_release(): does the rest. */
void bulk_release_rest(struct engine *e, struct str account_id, struct str job_id);

#endif
