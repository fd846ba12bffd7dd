/*
 * run_world.h - a flow to run, again and again: an application that is its source and its sink, and a
 * data directory to copy, in which a run of the flow is queued.
 *
 * The application is a server of our own in this process and keeps what it was sent. The engine runs
 * in a child (this program with arguments), because it may be killed.
 */
#ifndef TEST_UNIT_ENGINE_RUN_WORLD_H
#define TEST_UNIT_ENGINE_RUN_WORLD_H

#include "resource/world.h"

#include "core/map.h"
#include "core/thread.h"
#include "engine/engine_priv.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "store/fault.h"

#define RECORDS     200
#define SOURCE_PAGE 50
#define STEPS       2
#define REFUSED     20 /* each record whose number this divides is refused by the first step */

struct arrival {
	struct str key, body;
	unsigned count, life; /* how often, and in which life of the engine last */
	bool refused;
	struct arrival *next;
};

struct application {
	struct http_server *server;
	struct str base; /* "http://127.0.0.1:port" */
	struct mutex lock;
	struct arena *arena; /* of this run; under the lock, like what follows */
	struct map *arrivals;
	struct arrival *list;
	unsigned life;
	bool repeats;     /* application_take_repeats() */
	struct str wrong; /* what must not be; p NULL: nothing */
};

void application_start(struct application *app, struct arena *a);
void application_stop(struct application *app);
/* A run begins: what came before is forgotten. */
void application_reset(struct application *app);
/* The engine is dead, and all that it sent is noted: from here on that may come again. */
void application_next_life(struct application *app);
/* Whether records may come again within a life too: while the store fails, and the engine goes on. */
void application_take_repeats(struct application *app, bool on);

/* Makes the flow and queues a run of it, in a directory of W, which is closed. Returns the job's id. */
struct str run_world_make(struct world *w, const struct application *app);
void run_world_copy(const char *from, const char *to);

/* How a child ends. */
enum {
	CHILD_ENDED = 0, /* the job has ended */
	CHILD_NO_START =
		40, /* (behind the sanitizers' statuses) the store or the engine could not be begun */
	CHILD_SICK,     /* the store takes no writes any more */
	CHILD_GAVE_UP,  /* nothing is in work any more, and the store fails still */
	CHILD_STUCK,    /* none of these came in time */
	CHILD_UNHARMED, /* the job has ended, and the fault's place was not reached */
	CHILD_BUSY,     /* it tries again and again without a pause */
	CHILD_KILLED    /* by SIGKILL */
};
/* child DIR JOB POINT ACTION N */
int child_main(char **argv);
int child_run(const char *dir, struct str job_id, enum fault_point p, enum fault_action action,
	uint64_t n);

#endif
