/*
 * store_priv.h - the store's parts, for its own files: the writer's queue and the readers' pool.
 */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include <stdatomic.h>

#include "core/thread.h"
#include "store/sql.h"
#include "store/store.h"

#define WRITER_QUEUE_MAX 1024 /* units waiting; more wait for room */
#define WRITER_GROUP_MAX 256  /* units of one commit */
/* Groups that can be alive at once: the waiting ones, the one in work, the one just told. */
#define WRITER_GROUPS (WRITER_QUEUE_MAX / WRITER_GROUP_MAX + 4)

#define READERS_MAX       64   /* connections; more readers wait */
#define READERS_WAIT_MS   5000 /* so long, then ERR_OVERLOADED */
#define READERS_IDLE_KEEP 1    /* stay open when nobody reads */
#define READERS_TRIM_MS   5000 /* how long others stay unused before they are closed */

struct store_conn {
	struct store *store;
	struct sql_conn *sql;
	bool writer;
	bool in_snapshot;    /* of a reader: its transaction has begun */
	uint64_t page_epoch; /* of a reader: the store's, from before its snapshot */
	unsigned changed;    /* of the writer: enum changed, in this transaction */
	struct arena *arena; /* of a reader: its own memory */
	struct store_conn *next;
};

/* What caches are kept of: their epochs grow with a commit that changed it. */
enum changed { CHANGED_TOKENS = 1, CHANGED_EXPORTS = 2, ADDED_PAGES = 4 };

struct unit;

struct writer {
	struct thread thread;
	struct mutex lock; /* over what follows */
	struct cond more, room, told[WRITER_GROUPS];
	struct unit *first, *last;
	size_t waiting;      /* units queued */
	size_t callers;      /* inside store_write(): the store must outlive them */
	uint64_t open_group; /* the group that new units join, */
	size_t open_count;   /* and how many it has */
	_Atomic bool asleep; /* until something is put in; read without the lock */
	int64_t trim_at_ms;  /* when to look at the readers' pool; 0: not set */
	bool stopping;
	bool failed; /* for ever, because of: */
	struct err reason;
	struct store_stats stats;
	struct store_conn conn; /* the thread's own */
};

struct readers {
	struct mutex lock;
	struct cond room;
	struct store_conn *idle; /* last used first */
	size_t open, idle_count;
	size_t idle_low; /* the fewest idle ones since the last trim: those were of no use */
};

struct store {
	struct arena *arena;
	const char *dir;
	const struct clock *clock;
	const struct sql_driver *driver;
	struct sql_place place;
	int lock_fd;
	struct writer writer;
	struct readers readers;
	_Atomic uint64_t token_epoch, export_epoch, page_epoch;
	_Atomic uint64_t no_page_epoch; /* a page_epoch behind which there was no page in work */
};

/* Takes over the connection. */
void writer_start(struct store *s, struct sql_conn *sql);
/* Does what is queued, then ends the thread. */
void writer_stop(struct store *s);
/* When the readers are closed: empties the log and closes the connection. */
void writer_close(struct store *s);
/* Lets an idle writer look at the readers' pool. */
void writer_nudge(struct store *s);

void readers_init(struct readers *r);
/* Are there more idle ones than stay? */
bool readers_trimmable(struct store *s);
/* Closes those that were of no use since the last time. */
void readers_trim(struct store *s);
void readers_close(struct store *s); /* all must have been given back */

/* A flow was made or changed: it has a place at each export that is a source of it, and no other. */
MUST_CHECK bool event_flow_written(struct store_conn *c, const struct store_resource *flow,
	const struct store_ref *refs, size_t ref_count, struct err *err);
/* Nothing refers from it any more: it has no places. */
MUST_CHECK bool event_flow_removed(struct store_conn *c, struct str account_id, struct str flow_id,
	struct err *err);
/* Its events, what was seen of them and the places of flows go with it. */
MUST_CHECK bool event_export_removed(struct store_conn *c, struct str account_id,
	struct str export_id, struct err *err);
/* Where an error stands in lists of errors. */
struct error_place {
	int64_t created_ms, record_index;
	struct str id;
};
/* The place of the error AFTER. ERR_NOT_FOUND */
MUST_CHECK bool error_place(struct store_conn *c, struct str account_id, struct str after,
	struct error_place *out, struct err *err);
/* Is there a job above it? False when there is no such job. */
MUST_CHECK bool job_is_child(struct store_conn *c, struct str account_id, struct str job_id,
	bool *out, struct err *err);

/* A statement on a connection; the first of a reader begins its snapshot. */
struct sql_stmt *conn_use(struct store_conn *c, enum statement_id id);
/* The same, for functions that change something. */
struct sql_stmt *conn_use_to_write(struct store_conn *c, enum statement_id id);

#endif
