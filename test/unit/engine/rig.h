/*
 * rig.h - runs of flows in the test's own thread: a real store, and one scripted adaptor in place of
 * all others (the linker puts it there: --wrap=adaptor_of).
 *
 * Exports yield the answers that were set for their name; imports note what they are sent and ask the
 * test how it ends. One rig at a time.
 */
#ifndef TEST_UNIT_ENGINE_RIG_H
#define TEST_UNIT_ENGINE_RIG_H

#include "resource/world.h"

#include "engine/run.h"

#define ANSWERS_MAX 8
#define SENT_MAX    256

struct sent { /* to an import, in order */
	struct str step, key, request;
};

struct rig {
	struct world *w;
	struct engine e;
	struct worker worker;
	struct str connection;
	struct {
		const char *name, *answers[ANSWERS_MAX];
	} sources[4];
	/* How the source's next answer fails; returns its status. 0 and no error: it does not. NULL: never. */
	int (*breaks)(struct rig *r, struct err *err);
	struct mutex lock; /* of what was sent: a test may start an engine with workers */
	struct sent sent[SENT_MAX];
	size_t sent_count;
	/* What the mapping of D for STEP does besides; NULL: nothing. */
	void (*maps)(struct rig *r, struct str step, struct delivery *d);
	/* How the sending of D to STEP ends; NULL: it arrives. */
	void (*ends)(struct rig *r, struct str step, struct delivery *d);
	void (*pings)(struct rig *r); /* called in a ping; NULL: nothing happens */
	bool refuse_ping, unsure_ping;
	atomic_uint asked; /* answers of sources, also failed ones */
	struct str job;    /* the test's */
	size_t marked;     /* records that mark_done() was told of */
};

int rig_setup(void **state);
int rig_teardown(void **state);
#define RIG_TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

/* NAME yields these answers, JSON arrays, one after the other; NULL ends them. */
void rig_source(struct rig *r, size_t slot, const char *name, const char *one, const char *two);
/* Documents of the rig's connection; MORE is "" or begins with a comma. */
struct str rig_export(struct rig *r, const char *name, const char *more);
struct str rig_import(struct rig *r, const char *name, const char *more);
/* A flow of export X and the imports: pageProcessors with MORE in each. */
struct str rig_flow(struct rig *r, struct str x, const struct str *imports, size_t n,
	const char *more);

/* Asks for a run and returns its job's id. */
struct str rig_ask(struct rig *r, struct str flow);
/* Claims and works jobs until none can be claimed; how many. */
unsigned rig_work(struct rig *r);
/* Claims the oldest job; it lives as long as the rig. */
void rig_claim(struct rig *r, struct store_job *out);
/* Asks for a run and works it. */
struct str rig_run(struct rig *r, struct str flow);
/* Tries all open errors of the flow again; how many were handed over. */
uint64_t rig_retry(struct rig *r, struct str flow);
void rig_patch(struct rig *r, const char *type, struct str id, const char *patch);

struct store_job rig_job(struct rig *r, struct str id);
/* The child at this place: sources first. */
struct store_job rig_child(struct rig *r, struct str id, size_t i);
/* Errors of the job, resolved ones too. */
size_t rig_errors(struct rig *r, struct str job, struct store_job_error *out, size_t max);
struct str rig_retry_data(struct rig *r, const struct store_job_error *e);
/* How many sends to STEP (NULL: to any) had a request that contains TEXT. */
size_t rig_sent(const struct rig *r, const char *step, const char *text);
void rig_refuse(struct delivery *d); /* 422, retriable */
void rig_break(struct delivery *d);  /* 500 */

#endif
