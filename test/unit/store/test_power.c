/*
 * test_power.c - the power goes: what was not synced may be on the disk, or not, or in part.
 *
 * Below SQLite every write, truncation and sync of the database and its log is noted. At the n-th of
 * them, for n = 1, 2, ..., the state of the disk is taken: of each file what it was at its last sync,
 * and what came since. From that several disks are made: with nothing of what came since, with all,
 * and with some, chosen at random and torn at sectors. On each the store must start, be sound, and
 * hold everything that was acknowledged by then, and no unit by half.
 */
#define CORE_ALLOCATES /* noted by the writer's thread, freed by the test's */
#include "store_test.h"

#include <sqlite3.h>

#define SECTOR 512
#define FILES  2
#define UNITS  10
#define LARGE  3 /* the unit that is large where one is */

/* ---- a disk that remembers ---- */

struct op {
	size_t at, n; /* BYTES NULL: the file is cut to AT */
	unsigned char *bytes;
};

struct file {
	unsigned char *durable;
	size_t durable_n, durable_cap;
	struct op *ops;
	size_t op_count, op_cap;
};

static const char *const suffixes[FILES] = { "integrator.db", "integrator.db-wal" };

static struct {
	struct mutex lock;
	struct file files[FILES];
	uint64_t passed, cut_at; /* operations; 0: no cut */
	uint64_t syncs[200];     /* their numbers */
	size_t sync_count;
	bool cut;
	struct file frozen[FILES]; /* at the cut */
	unsigned frozen_acked;
} disk;
static _Atomic unsigned acked;

static void *grow(void *p, size_t n)
{
	p = realloc(p, MAX(n, (size_t)1));
	CHECK(p != NULL);
	return p;
}

static void file_clear(struct file *f)
{
	for (size_t i = 0; i < f->op_count; i++)
		free(f->ops[i].bytes);
	free(f->ops);
	free(f->durable);
	*f = (struct file){ .durable = NULL };
}

static void *copy_of(const void *p, size_t n)
{
	void *to = grow(NULL, n);

	return n == 0 ? to : memcpy(to, p, n);
}

static struct file file_copy(const struct file *f)
{
	struct file to = *f;

	to.durable = copy_of(f->durable, f->durable_n);
	to.durable_cap = f->durable_n;
	to.ops = copy_of(f->ops, f->op_count * sizeof(*f->ops));
	to.op_cap = f->op_count;
	for (size_t i = 0; i < f->op_count; i++)
		if (f->ops[i].bytes != NULL)
			to.ops[i].bytes = copy_of(f->ops[i].bytes, f->ops[i].n);
	return to;
}

/* Before each operation, under the lock. */
static void pass(void)
{
	if (++disk.passed != disk.cut_at)
		return;
	disk.cut = true;
	disk.frozen_acked = acked;
	for (int i = 0; i < FILES; i++)
		disk.frozen[i] = file_copy(&disk.files[i]);
}

static void note_op(struct file *f, size_t at, const void *bytes, size_t n)
{
	if (f->op_count == f->op_cap) {
		f->op_cap = MAX(f->op_cap * 2, (size_t)16);
		f->ops = grow(f->ops, f->op_cap * sizeof(*f->ops));
	}
	f->ops[f->op_count++] = (struct op){ at, n, bytes == NULL ? NULL : copy_of(bytes, n) };
}

/* Applies the first N bytes of OP (all of a cut). */
static void apply(struct file *f, const struct op *op, size_t n)
{
	size_t end = op->bytes == NULL ? op->at : op->at + n;

	if (end > f->durable_cap) {
		f->durable_cap = MAX(end, f->durable_cap * 2);
		f->durable = grow(f->durable, f->durable_cap);
	}
	if (end > f->durable_n)
		memset(f->durable + f->durable_n, 0, end - f->durable_n);
	if (op->bytes == NULL || end > f->durable_n)
		f->durable_n = end;
	if (op->bytes != NULL && n > 0)
		memcpy(f->durable + op->at, op->bytes, n);
}

static void settle(struct file *f)
{
	for (size_t i = 0; i < f->op_count; i++) {
		apply(f, &f->ops[i], f->ops[i].n);
		free(f->ops[i].bytes);
	}
	f->op_count = 0;
}

/* ---- SQLite's file layer with that disk in between ---- */

static sqlite3_vfs *system_vfs;
/* The system's methods and ours made of them; a file of SQLite's is the system's own. */
static const sqlite3_io_methods *originals[4];
static sqlite3_io_methods patched[4];

static struct {
	sqlite3_file *f;
	struct file *file;
} open_files[256];

static const sqlite3_io_methods *original_of(sqlite3_file *f)
{
	return originals[f->pMethods - patched];
}

static struct file *file_of(sqlite3_file *f)
{
	for (size_t i = 0; i < ARRAY_LEN(open_files); i++)
		if (open_files[i].f == f)
			return open_files[i].file;
	return NULL;
}

static int my_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	WITH_LOCK(&disk.lock);
	struct file *file = file_of(f);

	if (file != NULL) {
		pass();
		note_op(file, (size_t)at, p, (size_t)n);
	}
	return original_of(f)->xWrite(f, p, n, at);
}

static int my_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	WITH_LOCK(&disk.lock);
	struct file *file = file_of(f);

	if (file != NULL) {
		pass();
		note_op(file, (size_t)size, NULL, 0);
	}
	return original_of(f)->xTruncate(f, size);
}

static int my_sync(sqlite3_file *f, int flags)
{
	WITH_LOCK(&disk.lock);
	struct file *file = file_of(f);

	if (file != NULL) {
		pass();
		if (disk.sync_count < ARRAY_LEN(disk.syncs))
			disk.syncs[disk.sync_count++] = disk.passed;
		settle(file);
	}
	return original_of(f)->xSync(f, flags);
}

static int my_close(sqlite3_file *f)
{
	mutex_lock(&disk.lock);
	for (size_t i = 0; i < ARRAY_LEN(open_files); i++)
		if (open_files[i].f == f)
			open_files[i].f = NULL;
	mutex_unlock(&disk.lock);
	return original_of(f)->xClose(f);
}

static const sqlite3_io_methods *patch(const sqlite3_io_methods *m)
{
	size_t i = 0;

	for (; originals[i] != m; i++) {
		assert_true(i + 1 < ARRAY_LEN(originals));
		if (originals[i] != NULL)
			continue;
		originals[i] = m;
		patched[i] = *m;
		patched[i].xWrite = my_write;
		patched[i].xTruncate = my_truncate;
		patched[i].xSync = my_sync;
		patched[i].xClose = my_close;
		break;
	}
	return &patched[i];
}

static void remember(sqlite3_file *f, struct file *file)
{
	for (size_t i = 0; i < ARRAY_LEN(open_files); i++)
		if (open_files[i].f == NULL) {
			open_files[i].f = f;
			open_files[i].file = file;
			return;
		}
	fail_msg("too many files");
}

static int my_open(sqlite3_vfs *v UNUSED, const char *name, sqlite3_file *f, int flags, int *out)
{
	int rc = system_vfs->xOpen(system_vfs, name, f, flags, out);

	if (rc != SQLITE_OK || name == NULL)
		return rc;
	WITH_LOCK(&disk.lock);
	f->pMethods = patch(f->pMethods);
	for (int i = 0; i < FILES; i++)
		if (str_ends(str_z(name), str_z(suffixes[i])))
			remember(f, &disk.files[i]);
	return rc;
}

/* A log that is removed may be there again: as if it were cut, and that not synced. */
static int my_delete(sqlite3_vfs *v UNUSED, const char *name, int sync_dir)
{
	if (str_ends(str_z(name), str_z(suffixes[1]))) {
		WITH_LOCK(&disk.lock);
		pass();
		note_op(&disk.files[1], 0, NULL, 0);
	}
	return system_vfs->xDelete(system_vfs, name, sync_dir);
}

/* Under the name that the store's own layer looks for. */
static void disk_register(void)
{
	static sqlite3_vfs vfs;

	mutex_init(&disk.lock);
	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	system_vfs = sqlite3_vfs_find("unix");
	vfs = *system_vfs;
	vfs.pNext = NULL;
	vfs.xOpen = my_open;
	vfs.xDelete = my_delete;
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	assert_ptr_equal(sqlite3_vfs_find("unix"), &vfs);
}

/* ---- the script ---- */

struct unit_of {
	struct arena *a;
	unsigned n;
	size_t document_bytes;
};

/* The resource N, and N as the latest. */
static bool run_one(struct store_conn *c, void *arg, struct err *err)
{
	struct unit_of *u = arg;
	struct store_resource r = resource_of(u->a, u->n);

	if (u->document_bytes > 0) {
		char *big = arena_alloc(u->a, u->document_bytes);

		memset(big, 'x', u->document_bytes);
		r.document = str_of(big, u->document_bytes);
	}
	return store_resource_add(c, &r, NULL, 0, err) &&
	       store_setting_put(c, STR("latest"), str_fmt(u->a, "%u", u->n), err);
}

static void run_script(struct fix *f, size_t document_bytes)
{
	acked = 0;
	for (unsigned n = 0; n < UNITS; n++) {
		struct arena *a DEFER(arena_freep) = arena_new("unit", 0);
		struct unit_of u = { a, n, n == LARGE ? document_bytes : 0 };

		if (n == UNITS / 2)
			fix_reopen(f);
		write_ok(f, run_one, &u);
		acked = n + 1;
		/* it tends the log before it sleeps: so every run is the same */
		wait_until(f->s->writer.asleep);
	}
	fix_close(f);
}

/* ---- the disks that may be left ---- */

static void file_put(const char *dir, const char *name, const struct file *f)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	if (f->durable_n == 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->durable, f->durable_n), f->durable_n);
	close(fd);
}

/* What of OP reached the disk: variant 0 nothing, 1 all, the others as it falls. */
static size_t reached(struct rng *r, unsigned variant, const struct op *op, bool *any)
{
	uint64_t dice = rng_below(r, 4);

	*any = variant == 1 || (variant > 1 && dice > 0);
	if (variant <= 1 || dice > 1 || op->n <= SECTOR)
		return op->n;
	return (size_t)rng_below(r, op->n / SECTOR) * SECTOR; /* torn */
}

static void disk_make(const char *dir, struct rng *r, unsigned variant)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/integrator.db-shm", dir);
	unlink(path);
	for (int i = 0; i < FILES; i++) {
		struct file f = file_copy(&disk.frozen[i]);

		for (size_t k = 0; k < f.op_count; k++) {
			bool any;
			size_t n = reached(r, variant, &f.ops[k], &any);

			if (any)
				apply(&f, &f.ops[k], n);
		}
		file_put(dir, suffixes[i], &f);
		file_clear(&f);
	}
}

static bool count_in_order(void *arg, const struct store_resource *r)
{
	unsigned *n = arg;
	unsigned char id[12];

	assert_true(str_hex_get(r->id, id, sizeof(id)));
	assert_int_equal(id[11], *n);
	++*n;
	return true;
}

static void check_disk(struct fix *from, const char *dir)
{
	struct fix f = { .a = arena_new("check", 0), .clock = from->clock };
	const struct store_filter all = { .limit = 0 };
	unsigned n = 0;
	struct str latest = STR("-1");
	int64_t number;
	struct err err;

	snprintf(f.dir, sizeof(f.dir), "%.60s", dir);
	assert_ok(store_verify(dir, &err));
	fix_open(&f);
	WITH_READER (&f, c) {
		assert_ok(store_resource_list(c, ACCOUNT, STR("export"), &all, count_in_order, &n,
			&err));
		err = (struct err)ERR_INIT;
		if (!store_setting_get(c, f.a, STR("latest"), &latest, &err))
			assert_int_equal(err.code, ERR_NOT_FOUND);
	}
	assert_true(str_to_i64(latest, &number));
	assert_int_equal(number, (int64_t)n - 1); /* no unit by half */
	if (n < disk.frozen_acked)
		fail_msg("%u units were acknowledged, %u are there (cut at %llu)",
			disk.frozen_acked, n, (unsigned long long)disk.cut_at);
	fix_close(&f);
	arena_free(f.a);
}

/* ---- the walk ---- */

/* A database with its accounts, closed: it and nothing else is on the disk, all synced. */
static void begin_anew(struct fix *f)
{
	fix_close(f);
	dir_remove(f->dir);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	for (int i = 0; i < FILES; i++)
		file_clear(&disk.files[i]);
	disk.cut_at = disk.passed = 0;
	disk.cut = false;
	fix_open(f);
	write_ok(f, add_accounts, NULL);
	fix_close(f);
	for (int i = 0; i < FILES; i++)
		settle(&disk.files[i]);
	disk.passed = disk.sync_count = 0;
}

static bool cut_at(struct fix *f, size_t document_bytes, uint64_t n, unsigned variants,
	struct rng *r)
{
	char dir[64];
	bool cut;

	begin_anew(f);
	disk.cut_at = n;
	fix_open(f);
	run_script(f, document_bytes);
	cut = disk.cut;
	if (cut) {
		dir_new(dir);
		for (unsigned v = 0; v < variants; v++) {
			disk_make(dir, r, v);
			check_disk(f, dir);
		}
		dir_remove(dir);
		for (int i = 0; i < FILES; i++)
			file_clear(&disk.frozen[i]);
	}
	return cut;
}

static void end(struct fix *f)
{
	disk.cut_at = 0;
	for (int i = 0; i < FILES; i++)
		file_clear(&disk.files[i]);
	fix_open(f); /* as the teardown expects it */
}

static void at_every_operation(void **state)
{
	struct fix *f = *state;
	struct rng seeded;
	uint64_t n = 1;

	rng_test_init(&seeded, 20170619);
	while (cut_at(f, 0, n, 6, &seeded))
		n++;
	assert_true(n > 80);
	end(f);
}

/* A document larger than the cache is written before its commit, the log is copied back while the
 * script runs, and begins anew: the power goes around each sync. */
static void around_each_sync_of_large_writes(void **state)
{
	const size_t bytes = (size_t)5 << 20;
	struct fix *f = *state;
	struct rng seeded;
	uint64_t syncs[ARRAY_LEN(disk.syncs)];
	size_t count;

	rng_test_init(&seeded, 20170619);
	assert_false(cut_at(f, bytes, 0, 0, &seeded)); /* counts */
	assert_true(disk.passed > 3000);
	count = disk.sync_count;
	assert_true(count > UNITS && count < ARRAY_LEN(syncs));
	memcpy(syncs, disk.syncs, sizeof(syncs));
	for (size_t i = 0; i < count; i++)
		for (uint64_t n = syncs[i]; n <= syncs[i] + 1; n++)
			if (n <= syncs[count - 1])
				assert_true(cut_at(f, bytes, n, 3, &seeded));
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(at_every_operation),
		TEST(around_each_sync_of_large_writes),
	};

	disk_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
