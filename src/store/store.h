/*
 * store.h - the store's front door: what is kept, and the one way to change it.
 *
 * All that the product keeps goes through here: accounts, tokens, resources, jobs, job errors with
 * their retry data. Nothing outside store/ knows which database is behind it.
 *
 * Writing: store_write() hands a function to the writer thread, which runs it inside a transaction
 * on the only writing connection, together with whatever else waits (group commit: one fsync for
 * all), and returns when the commit is on disk. The function runs on the writer thread: it must be
 * short, must not block, and sees every write committed before it. Each function is a unit: when
 * it returns false its own changes are undone and the others of the group stand. After a failed
 * commit or fsync nothing is retried: the store refuses every later write (ERR_STORE) until the
 * process is restarted, because what the disk holds is then unknown. Precisely:
 *
 *   a unit returns false            it alone is undone; the others of its group are committed
 *   the disk is full                a statement's failure is its unit's; when the database had to
 *                                   undo the whole group, or the commit found no room, every unit
 *                                   of the group gets ERR_STORE (whatever it said itself, since
 *                                   that may rest on another's), nothing of it is kept, none was
 *                                   acknowledged, and the store goes on with the next group
 *   a page can't be read            the same: the database undoes the whole group, the store goes on
 *   a write or sync fails (EIO),    every unit of the group gets ERR_STORE; what of it is found
 *   in a unit, the commit or while  after a restart is unknown; every later write is refused.
 *   the log is copied back          Reading goes on
 *   the commit fails otherwise      the same
 *
 * Reading: store_read_begin() gives the calling thread a read-only connection; its first statement
 * takes a consistent snapshot, which lasts until store_read_end(); end it soon (an open snapshot
 * keeps the log from being reused). A thread sees all that was acknowledged before its snapshot.
 * Functions below take a struct store_conn, which is either of the two; those marked W need the
 * writer's. A failed statement may have ended the writer's transaction: all that its unit does
 * afterwards fails as well.
 *
 * The tables stand in the headers store_*.h, all included here. Strings returned live in the arena given. Times are wall-clock milliseconds.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/store_account.h"
#include "store/store_error.h"
#include "store/store_error_bulk.h"
#include "store/store_event.h"
#include "store/store_job.h"
#include "store/store_kept.h"
#include "store/store_page.h"
#include "store/store_purge.h"
#include "store/store_resource.h"
#include "store/store_schedule.h"
#include "store/store_state.h"

struct store_config {
	const char *dir; /* data directory: DIR/integrator.db; made when absent (0700) */
	const struct clock *clock;
	struct rng *rng;
	bool create; /* make the database when it is absent */
};

/* Opens, checks, migrates, starts the writer thread. One thread at a time. ERR_STORE, ERR_IO,
 * ERR_CONFIG. The directory is locked against a second process; a child that is forked without
 * exec must close DIR/lock's descriptor, or it keeps the lock. */
MUST_CHECK bool store_open(const struct store_config *cfg, struct store **out, struct err *err);
/* Waits for what is queued and for its callers to be told, checkpoints, closes. Nobody may begin a
 * store_write() once this was called; readers must have been given back. */
void store_close(struct store *s);
/* False with the reason after a failed commit: /readyz says so. */
MUST_CHECK bool store_healthy(struct store *s, struct err *err);

typedef bool (*store_fn)(struct store_conn *c, void *arg, struct err *err);
/* Any thread but the writer's. True: the function returned true and its changes are on disk. */
MUST_CHECK bool store_write(struct store *s, store_fn fn, void *arg, struct err *err);

/*
 * The same for callers that must not wait. A and ARG live until DONE is called, once, on the writer's
 * thread, when the commit is on disk or has failed: DONE must not block and may end A. False: it is
 * never called (ERR_OVERLOADED, with retry_after_s, when too many wait; ERR_STORE). Any thread.
 */
typedef void (*store_done)(void *arg, bool ok, const struct err *err);
MUST_CHECK bool store_write_async(struct store *s, struct arena *a, store_fn fn, void *arg,
	store_done done, void *done_arg, struct err *err);

MUST_CHECK bool store_read_begin(struct store *s, struct store_conn **out, struct err *err);
void store_read_end(struct store_conn *c);   /* NULL is allowed */
void store_read_endp(struct store_conn **c); /* for DEFER */

struct store_stats {
	uint64_t commits, writes, group_max, failed_writes, queue_depth, database_bytes, log_bytes;
	uint64_t commit_us_total; /* from begin of commit to its return, summed */
};
void store_stats(struct store *s, struct store_stats *out);

/* Consistency check of the whole database; for `integrator verify`. */
MUST_CHECK bool store_verify(const char *dir, struct err *err);
/* Online, consistent copy to PATH (which must not exist), while the server runs. */
MUST_CHECK bool store_backup(struct store *s, const char *path, struct err *err);

#endif
