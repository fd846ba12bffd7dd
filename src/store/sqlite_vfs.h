/*
 * sqlite_vfs.h - SQLite's own file layer with the fault table in between.
 *
 * The layer below does all the work; this one fails a read, write, truncation or sync when the fault
 * table (fault.h) says so. It offers no memory mapping, so none can be switched on, makes room for the
 * log's index before there is a need, and puts temporary files where the database is.
 */
#ifndef STORE_SQLITE_VFS_H
#define STORE_SQLITE_VFS_H

#include "core/base.h"

#define SQLITE_VFS_NAME "integrator"

/* Registers it when it is not; after sqlite3_initialize(), one thread at a time. */
void sqlite_vfs_register(void);

/*
 * Temporary files, which lose their name as soon as they are open, are made beside the database PATH
 * from now on, whatever store they are of: the directory for those of the system may be memory, or not
 * be there. It is used when this one can't be. Any thread.
 */
void sqlite_vfs_temp_beside(const char *path);

#endif
