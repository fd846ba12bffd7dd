/*
 * fault.h - the fault table: makes the n-th call, read, write, truncation or sync of the store fail,
 * or kills the process around its n-th commit, so that tests can walk through every place where a
 * disk may give up.
 *
 * Compiled in always, so that what is tested is what is shipped; off unless a test arms it, and then
 * costs one load per call. The table is one of the program's two globals: faults come from below all
 * objects, as from a real disk. Arm while no store call is under way; counting is for any thread.
 */
#ifndef STORE_FAULT_H
#define STORE_FAULT_H

#include "core/base.h"

enum fault_point {
	FAULT_CALL,       /* a statement or a transaction's begin, commit ...: it is not run */
	FAULT_READ,       /* a read of a file: SQLITE_IOERR_READ */
	FAULT_WRITE_FULL, /* a write to a file: nothing is written, SQLITE_FULL */
	FAULT_WRITE_IO,   /* the same, SQLITE_IOERR_WRITE */
	FAULT_SYNC,       /* a sync of a file is not done: SQLITE_IOERR_FSYNC */
	FAULT_TRUNCATE,   /* a change of a file's length is not done: SQLITE_IOERR_TRUNCATE */
	FAULT_COMMIT,     /* before a group of writes is committed */
	FAULT_COMMITTED,  /* after it, before its callers are told */
	FAULT_COUNT
};

enum fault_action {
	FAULT_OFF,
	FAULT_ONCE,     /* the n-th fails */
	FAULT_FOR_EVER, /* the n-th and all after it fail */
	FAULT_KILL,     /* the process gets SIGKILL at the n-th */
};

/* N counts from 1 and from now. */
void fault_arm(enum fault_point p, enum fault_action action, uint64_t n);
/* Disarms and forgets the counts. */
void fault_reset(void);
/* How often the place was passed since the last reset; counted only while something is armed. */
uint64_t fault_count(enum fault_point p);
/* Counts, and says whether to fail here. */
bool fault_hit(enum fault_point p);

#endif
