/*
 * sqlite_vfs.c - each open file is ours followed by the system's; methods look at the fault table
 * and hand on.
 */
#include "store/sqlite_vfs.h"

#include <limits.h>
#include <sqlite3.h>
#include <string.h>

#include "core/thread.h"
#include "store/fault.h"

struct file {
	sqlite3_file base;
	sqlite3_file *under; /* behind this struct, in the room that SQLite gives */
	char *temp;          /* name of a temporary file, which the system's layer refers to */
};

#define UNDER_OFFSET ((sizeof(struct file) + 15) / 16 * 16)

/*
 * The log's index grows at the end of a commit, when the log holds all of it: a full disk would then
 * leave in doubt what is stored. So it gets room at the start for as many pages of log (16,350) as
 * there are before the log is cut.
 */
#define SHM_PAGES_AHEAD 4

static struct {
	struct mutex lock;
	char path[PATH_MAX];
} temp_place;

static sqlite3_file *under(sqlite3_file *f)
{
	return ((struct file *)(void *)f)->under;
}

static int file_close(sqlite3_file *f)
{
	int rc = under(f)->pMethods->xClose(under(f));

	sqlite3_free(((struct file *)(void *)f)->temp);
	return rc;
}

static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	if (UNLIKELY(fault_hit(FAULT_READ)))
		return SQLITE_IOERR_READ;
	return under(f)->pMethods->xRead(under(f), p, n, at);
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (UNLIKELY(fault_hit(FAULT_WRITE_FULL)))
		return SQLITE_FULL;
	if (UNLIKELY(fault_hit(FAULT_WRITE_IO)))
		return SQLITE_IOERR_WRITE;
	return under(f)->pMethods->xWrite(under(f), p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (UNLIKELY(fault_hit(FAULT_TRUNCATE)))
		return SQLITE_IOERR_TRUNCATE;
	return under(f)->pMethods->xTruncate(under(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	if (UNLIKELY(fault_hit(FAULT_SYNC)))
		return SQLITE_IOERR_FSYNC;
	return under(f)->pMethods->xSync(under(f), flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return under(f)->pMethods->xFileSize(under(f), size);
}

static int file_lock(sqlite3_file *f, int how)
{
	return under(f)->pMethods->xLock(under(f), how);
}

static int file_unlock(sqlite3_file *f, int how)
{
	return under(f)->pMethods->xUnlock(under(f), how);
}

static int file_check_reserved(sqlite3_file *f, int *out)
{
	return under(f)->pMethods->xCheckReservedLock(under(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	return under(f)->pMethods->xFileControl(under(f), op, arg);
}

static int file_sector_size(sqlite3_file *f)
{
	return under(f)->pMethods->xSectorSize(under(f));
}

static int file_characteristics(sqlite3_file *f)
{
	return under(f)->pMethods->xDeviceCharacteristics(under(f));
}

static int shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	if (page == 0 && extend) {
		int rc = under(f)->pMethods->xShmMap(under(f), SHM_PAGES_AHEAD - 1, size, extend,
			out);

		if (rc != SQLITE_OK)
			return rc;
	}
	return under(f)->pMethods->xShmMap(under(f), page, size, extend, out);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return under(f)->pMethods->xShmLock(under(f), offset, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
	under(f)->pMethods->xShmBarrier(under(f));
}

static int shm_unmap(sqlite3_file *f, int remove)
{
	return under(f)->pMethods->xShmUnmap(under(f), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* with shared memory for the log's index, without memory mapping */
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

static sqlite3_vfs *vfs_under(sqlite3_vfs *v)
{
	return v->pAppData;
}

void sqlite_vfs_temp_beside(const char *path)
{
	CHECK(strlen(path) < sizeof(temp_place.path));
	WITH_LOCK(&temp_place.lock);
	memcpy(temp_place.path, path, strlen(path) + 1);
}

/* P NULL: there is no memory. */
static char *temp_name(void)
{
	sqlite3_uint64 random;

	sqlite3_randomness(sizeof(random), &random);
	WITH_LOCK(&temp_place.lock);
	return sqlite3_mprintf("%s-temp-%016llx", temp_place.path, random);
}

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *flags_out)
{
	struct file *file = (struct file *)(void *)f;

	file->under = (sqlite3_file *)(void *)((char *)f + UNDER_OFFSET);
	file->under->pMethods = NULL;
	file->temp = NULL;
	if (name == NULL) {
		name = file->temp = temp_name();
		if (name == NULL)
			return SQLITE_NOMEM;
	}

	int rc = vfs_under(v)->xOpen(vfs_under(v), name, file->under, flags, flags_out);

	/* The place is that of the store opened last, which may be gone: then where the system says. */
	if (rc == SQLITE_CANTOPEN && file->temp != NULL && file->under->pMethods == NULL)
		rc = vfs_under(v)->xOpen(vfs_under(v), NULL, file->under, flags, flags_out);

	/* SQLite closes a file that has methods, even when opening it failed. */
	f->pMethods = file->under->pMethods == NULL ? NULL : &methods;
	if (f->pMethods == NULL)
		sqlite3_free(file->temp);
	return rc;
}

static int vfs_full_pathname(sqlite3_vfs *v, const char *name, int n, char *out)
{
	return vfs_under(v)->xFullPathname(vfs_under(v), name, n, out);
}

void sqlite_vfs_register(void)
{
	static sqlite3_vfs vfs; /* SQLite keeps it in its list, for the life of the process */
	sqlite3_vfs *system_vfs = sqlite3_vfs_find("unix");

	if (sqlite3_vfs_find(SQLITE_VFS_NAME) != NULL)
		return;
	CHECK(system_vfs != NULL);
	mutex_init(&temp_place.lock);
	/* The rest of the methods do not look at the object that they are called on. */
	vfs = *system_vfs;
	vfs.zName = SQLITE_VFS_NAME;
	vfs.szOsFile = (int)UNDER_OFFSET + system_vfs->szOsFile;
	vfs.pNext = NULL;
	vfs.pAppData = system_vfs;
	vfs.xOpen = vfs_open;
	vfs.xFullPathname = vfs_full_pathname;
	CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}
