/*
 * store_test.h - what the store's tests share: a data directory that comes and goes, an account, and
 * short ways to write and read.
 */
#ifndef TEST_UNIT_STORE_STORE_TEST_H
#define TEST_UNIT_STORE_STORE_TEST_H

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/thread.h"
#include "store/fault.h"
#include "store/store_priv.h"

#define ACCOUNT STR("aaaaaaaaaaaaaaaaaaaaaaaa")
#define OTHER   STR("bbbbbbbbbbbbbbbbbbbbbbbb")

struct fix {
	struct arena *a;
	struct clock_test clock;
	char dir[64];
	struct store *s; /* NULL: not open */
};

/* In memory where that can be had: the exhaustive tests make hundreds of databases. */
static inline void dir_new(char out[64])
{
	snprintf(out, 64, "%s/test_store_XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(out));
}

static inline void dir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	char path[512];

	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
}

static inline bool fix_try_open(struct fix *f, struct err *err)
{
	const struct store_config cfg = { .dir = f->dir,
		.clock = &f->clock.clock,
		.rng = rng_system(),
		.create = true };

	return store_open(&cfg, &f->s, err);
}

static inline void fix_open(struct fix *f)
{
	struct err err;

	assert_ok(fix_try_open(f, &err));
}

static inline void fix_close(struct fix *f)
{
	if (f->s != NULL)
		store_close(f->s);
	f->s = NULL;
}

static inline void fix_init(struct fix *f)
{
	memset(f, 0, sizeof(*f));
	f->a = arena_new("test", 0);
	clock_test_init(&f->clock, 1700000000000);
	dir_new(f->dir);
}

static inline void fix_end(struct fix *f)
{
	fault_reset();
	fix_close(f);
	dir_remove(f->dir);
	arena_free(f->a);
}

static inline bool add_accounts(struct store_conn *c, void *arg UNUSED, struct err *err)
{
	const struct store_account one = { .id = ACCOUNT, .name = STR("one"), .created_ms = 1 },
				   two = { .id = OTHER, .name = STR("two"), .created_ms = 2 };

	return store_account_add(c, &one, err) && store_account_add(c, &two, err);
}

static inline int setup(void **state)
{
	static struct fix f;
	struct err err;

	fix_init(&f);
	fix_open(&f);
	assert_ok(store_write(f.s, add_accounts, NULL, &err));
	*state = &f;
	return 0;
}

static inline int teardown(void **state)
{
	fix_end(*state);
	return 0;
}

/* An id of 24 digits that tells its number. */
static inline struct str id_of(struct arena *a, unsigned n)
{
	return str_fmt(a, "%024x", n);
}

static inline void fix_reopen(struct fix *f)
{
	fix_close(f);
	fix_open(f);
}

/* ---- rows with defaults: set what the test is about, leave the rest ---- */

static inline struct store_resource resource_of(struct arena *a, unsigned n)
{
	return (struct store_resource){ .account_id = ACCOUNT,
		.type = STR("export"),
		.id = id_of(a, n),
		.version = 1,
		.created_ms = n,
		.modified_ms = n,
		.name = str_fmt(a, "name %u", n),
		.document = str_fmt(a, "{\"n\":%u}", n) };
}

/* The flow job N of the flow N, queued at millisecond N. */
static inline struct store_job job_of(struct arena *a, unsigned n)
{
	return (struct store_job){ .account_id = ACCOUNT,
		.id = id_of(a, n),
		.type = JOB_FLOW,
		.status = JOB_QUEUED,
		.flow_id = str_fmt(a, "f%023x", n),
		.created_ms = n,
		.modified_ms = n,
		.trigger = STR("api") };
}

/* The child N of PARENT, running. */
static inline struct store_job child_of(struct arena *a, const struct store_job *parent,
	enum job_type type, unsigned n)
{
	struct store_job j = job_of(a, n);

	j.type = type;
	j.status = JOB_RUNNING;
	j.flow_id = parent->flow_id;
	j.flow_job_id = parent->id;
	return j;
}

static inline struct store_job_error job_error_of(struct arena *a, const struct store_job *j,
	unsigned n)
{
	return (struct store_job_error){ .account_id = j->account_id,
		.id = id_of(a, n),
		.job_id = j->id,
		.flow_job_id = j->flow_job_id,
		.flow_id = j->flow_id,
		.created_ms = n,
		.stage = STR("submit"),
		.source = STR("application"),
		.code = STR("http_status"),
		.message = STR("the application answered 500"),
		.record_index = n };
}

/* ---- units: the row is the argument ---- */

static inline bool add_resource(struct store_conn *c, void *arg, struct err *err)
{
	return store_resource_add(c, arg, NULL, 0, err);
}

static inline bool add_job(struct store_conn *c, void *arg, struct err *err)
{
	return store_job_add(c, arg, err);
}

static inline bool update_job(struct store_conn *c, void *arg, struct err *err)
{
	return store_job_update(c, arg, err);
}

static inline void write_ok(struct fix *f, store_fn fn, void *arg)
{
	struct err err;

	assert_ok(store_write(f->s, fn, arg, &err));
}

static inline bool has_resource(struct store *s, struct str id)
{
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct err err;

	assert_ok(store_read_begin(s, &c, &err));
	return store_resource_exists(c, ACCOUNT, STR("export"), id);
}

/* ---- conditions between threads ---- */

#define WAIT_MS 60000

/* Gives way to the other threads until COND holds. */
#define wait_until(cond)                                                                     \
	for (int64_t end_ = clock_mono_ms(clock_system()) + WAIT_MS; !(cond); sched_yield()) \
		if (clock_mono_ms(clock_system()) > end_)                                    \
	fail_msg("gave up waiting until %s", #cond)

static inline uint64_t queue_depth(struct store *s)
{
	struct store_stats st;

	store_stats(s, &st);
	return st.queue_depth;
}

/* For tests that break the store hundreds of times. */
static inline void quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	log_configure(LOG_TEXT, LOG_ERROR, fd);
}

/* Runs the body on a reader that is given back behind it. */
#define WITH_READER(f, c) \
	for (struct store_conn *c = read_begin((f)->s); c != NULL; store_read_endp(&c))

static inline struct store_conn *read_begin(struct store *s)
{
	struct store_conn *c;
	struct err err;

	assert_ok(store_read_begin(s, &c, &err));
	return c;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
