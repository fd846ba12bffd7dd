/*
 * test_fault.c - the fault list: a fixed script of units runs over a disk of which the n-th write,
 * sync, read, truncation or call fails, once or from there on, for n = 1, 2, ... until the script is
 * through untouched.
 *
 * Whatever happens: no crash, no descriptor left open, what was acknowledged is there after a new
 * start, no unit is there by half, and the store goes on or refuses as the table in store.h says.
 */
#include "store_test.h"

#include "crypt/digest.h"

#define UNITS   6 /* of three kinds in turn, half of them behind a new start */
#define RECORDS 2 /* errors of one checkpoint */

enum kind { KIND_RESOURCE, KIND_CHECKPOINT, KIND_TOKEN, KIND_COUNT };
enum presence { NOT_THERE, THERE, BY_HALF };

struct unit_of {
	struct arena *a;
	unsigned n;
	size_t document_bytes;
};

struct run {
	struct fix *f;
	size_t document_bytes;
	bool opened; /* every open worked */
	bool acked[UNITS];
	enum err_code code[UNITS]; /* of those that were refused */
	bool said_full[UNITS];
	bool tried[UNITS];
	bool healthy[UNITS]; /* before the unit */
	bool healthy_at_end;
	bool read_failed;
};

/* ---- the units ---- */

static struct store_job parent_of(struct arena *a)
{
	return job_of(a, 1);
}

static struct store_job child_job_of(struct arena *a)
{
	struct store_job p = parent_of(a);

	return child_of(a, &p, JOB_IMPORT, 2);
}

static bool add_target(struct store_conn *c, struct arena *a, const struct store_ref *ref,
	struct err *err)
{
	struct store_resource r = resource_of(a, 0);

	r.type = ref->type;
	r.id = ref->id;
	return store_resource_add(c, &r, NULL, 0, err);
}

static bool add_linked_resource(struct store_conn *c, struct unit_of *u, struct err *err)
{
	struct store_resource r = resource_of(u->a, u->n);
	const struct store_ref refs[] = {
		{ STR("_connectionId"), STR("connection"), id_of(u->a, 900 + u->n) },
		{ STR("hooks._preSavePageId"), STR("hook"), id_of(u->a, 950 + u->n) },
	};

	if (u->document_bytes > 0) {
		char *big = arena_alloc(u->a, u->document_bytes);

		memset(big, 'x', u->document_bytes);
		r.document = str_of(big, u->document_bytes);
	}
	return store_resource_add(c, &r, refs, ARRAY_LEN(refs), err) &&
	       add_target(c, u->a, &refs[0], err) && add_target(c, u->a, &refs[1], err);
}

/* Two records more have failed: both jobs' counts, the errors and the records. */
static bool checkpoint(struct store_conn *c, struct unit_of *u, struct err *err)
{
	struct store_job child = child_job_of(u->a), parent = parent_of(u->a);

	if (!store_job_get(c, u->a, ACCOUNT, child.id, &child, err) ||
		!store_job_get(c, u->a, ACCOUNT, parent.id, &parent, err))
		return false;
	child.ledger.exported += RECORDS;
	child.ledger.failed += RECORDS;
	child.num_error |= UINT64_C(1) << u->n;
	child.cursor = str_fmt(u->a, "{\"page\":%u}", u->n);
	parent.num_error |= UINT64_C(1) << u->n;
	if (!store_job_update(c, &child, err) || !store_job_update(c, &parent, err))
		return false;
	for (unsigned i = 0; i < RECORDS; i++) {
		struct store_job_error e = job_error_of(u->a, &child, u->n * RECORDS + i);

		e.retry_id = e.id;
		if (!store_job_error_add(c, &e, STR("{\"record\":1}"), err))
			return false;
	}
	return true;
}

static void token_hash(unsigned n, unsigned char hash[SHA256_BYTES])
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	digest_sha256(str_z(text), hash);
}

static bool add_token_and_rates(struct store_conn *c, struct unit_of *u, struct err *err)
{
	struct store_token t = { .id = id_of(u->a, u->n),
		.account_id = ACCOUNT,
		.scope = STR("*") };
	unsigned char hash[SHA256_BYTES];
	struct store_account a;

	token_hash(u->n, hash);
	if (!store_account_get(c, u->a, ACCOUNT, &a, err))
		return false;
	a.rate_bucket |= 1U << u->n;
	return store_token_add(c, &t, hash, err) && store_account_update(c, &a, err);
}

static bool run_one(struct store_conn *c, void *arg, struct err *err)
{
	struct unit_of *u = arg;

	switch ((enum kind)(u->n % KIND_COUNT)) {
	case KIND_RESOURCE:
		return add_linked_resource(c, u, err);
	case KIND_CHECKPOINT:
		return checkpoint(c, u, err);
	case KIND_TOKEN:
	case KIND_COUNT:
		break;
	}
	return add_token_and_rates(c, u, err);
}

/* ---- what is there of a unit ---- */

static enum presence presence_of(unsigned parts, unsigned all)
{
	return parts == 0 ? NOT_THERE : parts == all ? THERE : BY_HALF;
}

static enum presence resource_presence(struct store_conn *c, struct arena *a, unsigned n)
{
	size_t one = 0, two = 0;
	struct err err;

	assert_ok(store_resource_referrers(c, a, ACCOUNT, STR("connection"), id_of(a, 900 + n),
		NULL, 0, &one, &err));
	assert_ok(store_resource_referrers(c, a, ACCOUNT, STR("hook"), id_of(a, 950 + n), NULL, 0,
		&two, &err));
	return presence_of((unsigned)(one + two) +
				   store_resource_exists(c, ACCOUNT, STR("export"), id_of(a, n)),
		3);
}

static bool count_error(void *arg, const struct store_job_error *e UNUSED)
{
	++*(size_t *)arg;
	return true;
}

static enum presence checkpoint_presence(struct store_conn *c, struct arena *a, unsigned n)
{
	struct store_job child = child_job_of(a), parent = parent_of(a);
	size_t errors = 0;
	unsigned parts = 0;
	struct err err;

	assert_ok(store_job_get(c, a, ACCOUNT, child.id, &child, &err));
	assert_ok(store_job_get(c, a, ACCOUNT, parent.id, &parent, &err));
	assert_ok(store_job_error_list(c, ACCOUNT, parent.id, STR_NULL, 0, count_error, &errors,
		&err));
	assert_int_equal(child.ledger.failed, errors);
	parts += (child.num_error & UINT64_C(1) << n) != 0;
	parts += (parent.num_error & UINT64_C(1) << n) != 0;
	for (unsigned i = 0; i < RECORDS; i++) {
		struct str data;

		err = (struct err)ERR_INIT;
		parts += store_retry_data_get(c, a, ACCOUNT, id_of(a, n * RECORDS + i), &data,
			&err);
	}
	return presence_of(parts, 2 + RECORDS);
}

static enum presence token_presence(struct store_conn *c, struct arena *a, unsigned n)
{
	unsigned char hash[SHA256_BYTES];
	struct store_token t;
	struct store_account account;
	struct err err;
	unsigned parts = 0;

	token_hash(n, hash);
	assert_ok(store_account_get(c, a, ACCOUNT, &account, &err));
	parts += (account.rate_bucket & 1U << n) != 0;
	parts += store_token_find(c, a, hash, &t, NULL);
	return presence_of(parts, 2);
}

static enum presence unit_presence(struct store_conn *c, struct arena *a, unsigned n)
{
	switch ((enum kind)(n % KIND_COUNT)) {
	case KIND_RESOURCE:
		return resource_presence(c, a, n);
	case KIND_CHECKPOINT:
		return checkpoint_presence(c, a, n);
	case KIND_TOKEN:
	case KIND_COUNT:
		break;
	}
	return token_presence(c, a, n);
}

/* ---- the script ---- */

static void try_unit(struct run *r, unsigned n)
{
	struct arena *a DEFER(arena_freep) = arena_new("unit", 0);
	struct unit_of u = { a, n, r->document_bytes };
	struct err err = ERR_INIT;

	r->healthy[n] = store_healthy(r->f->s, NULL);
	r->tried[n] = true;
	r->acked[n] = store_write(r->f->s, run_one, &u, &err);
	r->code[n] = err.code;
	r->said_full[n] = strstr(err.message, "full") != NULL;
	if (!r->acked[n]) {
		assert_true(err.code != ERR_NONE);
		assert_true(err.message[0] != '\0');
	}
}

static void try_read(struct run *r)
{
	struct arena *a DEFER(arena_freep) = arena_new("read", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_account got;
	struct err err = ERR_INIT;

	if (!store_read_begin(r->f->s, &c, &err) || !store_account_get(c, a, ACCOUNT, &got, &err)) {
		assert_int_equal(err.code, ERR_STORE);
		r->read_failed = true;
	}
}

/* What was told must be true at once, not only after a new start. */
static void check_told(struct run *r, unsigned to)
{
	struct arena *a DEFER(arena_freep) = arena_new("check", 0);

	WITH_READER (r->f, c)
		for (unsigned n = 0; n < to; n++) {
			enum presence p = unit_presence(c, a, n);

			if (p == BY_HALF || (r->acked[n] && p != THERE))
				fail_msg("unit %u: acknowledged %d, there %d", n, r->acked[n], p);
		}
}

static void run_part(struct run *r, unsigned from, unsigned to, bool reads_work)
{
	struct err err = ERR_INIT;

	if (!fix_try_open(r->f, &err)) {
		assert_true(err.code == ERR_STORE || err.code == ERR_IO);
		r->f->s = NULL;
		r->opened = false;
		return;
	}
	for (unsigned n = from; n < to; n++)
		try_unit(r, n);
	try_read(r);
	if (reads_work)
		check_told(r, to);
	r->healthy_at_end = store_healthy(r->f->s, NULL);
	fix_close(r->f);
}

/* Does the fault touch reading or opening connections? */
static bool reads_work_under(enum fault_point p)
{
	return p != FAULT_READ && p != FAULT_CALL;
}

static void run_script(struct run *r, enum fault_point p)
{
	r->opened = true;
	r->healthy_at_end = true;
	run_part(r, 0, UNITS / 2, reads_work_under(p));
	run_part(r, UNITS / 2, UNITS, reads_work_under(p));
}

/* ---- the promises ---- */

/* With the fault gone, after a new start. */
static void check_after_restart(struct run *r, bool nothing_unacked)
{
	struct arena *a DEFER(arena_freep) = arena_new("check", 0);
	struct err err;

	assert_ok(store_verify(r->f->dir, &err));
	fix_open(r->f);
	WITH_READER (r->f, c)
		for (unsigned n = 0; n < UNITS; n++) {
			enum presence p = unit_presence(c, a, n);

			if (p == BY_HALF || (r->acked[n] && p != THERE) ||
				(nothing_unacked && !r->acked[n] && p != NOT_THERE))
				fail_msg("unit %u: acknowledged %d, there %d", n, r->acked[n], p);
		}
	fix_close(r->f);
}

/* Once the store has failed every later unit is refused, until it is opened anew. */
static void check_refusals(const struct run *r)
{
	for (unsigned n = 0; n < UNITS; n++)
		if (r->tried[n] && !r->healthy[n]) {
			assert_false(r->acked[n]);
			assert_int_equal(r->code[n], ERR_STORE);
		}
}

static unsigned count_failed(const struct run *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < UNITS; i++)
		n += r->tried[i] && !r->acked[i];
	return n;
}

/* The first unit that was refused, and whether the store was healthy behind it. */
static bool goes_on_after_failure(const struct run *r)
{
	for (unsigned n = 0; n + 1 < UNITS; n++)
		if (r->tried[n] && !r->acked[n] && r->tried[n + 1] && n + 1 != UNITS / 2)
			return r->healthy[n + 1];
	return true;
}

static bool fails_for_ever(const struct run *r)
{
	for (unsigned n = 0; n + 1 < UNITS; n++)
		if (r->tried[n] && !r->acked[n] && r->tried[n + 1] && n + 1 != UNITS / 2)
			return !r->healthy[n + 1];
	return true;
}

static void check_table(const struct run *r, enum fault_point p, enum fault_action action)
{
	switch (p) {
	case FAULT_WRITE_FULL: /* goes on, and says why it can't */
		assert_true(goes_on_after_failure(r));
		if (action == FAULT_ONCE)
			assert_true(count_failed(r) <= 1);
		for (unsigned n = 0; n < UNITS; n++)
			if (r->tried[n]) {
				assert_true(r->healthy[n]);
				assert_true(r->acked[n] || r->said_full[n]);
			}
		break;
	case FAULT_WRITE_IO:
	case FAULT_SYNC:
	case FAULT_TRUNCATE:
		assert_true(fails_for_ever(r));
		break;
	case FAULT_READ: /* nobody's but that unit's and its group's */
		assert_true(goes_on_after_failure(r));
		if (action == FAULT_ONCE)
			assert_true(count_failed(r) <= 1);
		break;
	default:
		break;
	}
	if (reads_work_under(p))
		assert_false(r->read_failed);
}

/* ---- the walk ---- */

static unsigned open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static const char *const names[] = { "", "-wal", "-shm", "-journal" };

struct template
{
	char *bytes;
	size_t n;
};

static struct template template_read(struct fix *f)
{
	const char *path = str_fmt(f->a, "%s/integrator.db", f->dir).p;
	struct template t;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	t.n = (size_t)st.st_size;
	t.bytes = arena_alloc(f->a, t.n);
	assert_int_equal(read(fd, t.bytes, t.n), t.n);
	close(fd);
	return t;
}

static void template_put(struct fix *f, const struct template *t)
{
	char path[128];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/integrator.db%s", f->dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/integrator.db", f->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, t->bytes, t->n), t->n);
	close(fd);
}

static bool add_both_jobs(struct store_conn *c, void *arg, struct err *err)
{
	struct fix *f = arg;
	struct store_job p = parent_of(f->a), child = child_job_of(f->a);

	return store_job_add(c, &p, err) && store_job_add(c, &child, err);
}

/* One run with the fault at N; false when the script did not come that far. */
static bool walk_to(struct fix *f, const struct template *t, size_t document_bytes,
	enum fault_point p, enum fault_action action, uint64_t n)
{
	struct run r = { .f = f, .document_bytes = document_bytes };
	unsigned descriptors = open_descriptors();
	bool reached;

	template_put(f, t);
	fault_arm(p, action, n);
	run_script(&r, p);
	reached = fault_count(p) >= n;
	fault_reset();
	assert_int_equal(open_descriptors(), descriptors);
	check_refusals(&r);
	if (r.opened)
		check_table(&r, p, action);
	if (!reached) {
		assert_true(r.opened && r.healthy_at_end);
		assert_int_equal(count_failed(&r), 0);
	}
	check_after_restart(&r, p == FAULT_WRITE_FULL);
	return reached;
}

static void walk(struct fix *f, size_t document_bytes, enum fault_point p, uint64_t step,
	uint64_t at_least)
{
	struct template t;
	uint64_t n;

	write_ok(f, add_both_jobs, f);
	fix_close(f);
	t = template_read(f);
	for (int action = FAULT_ONCE; action <= FAULT_FOR_EVER; action++) {
		for (n = 1; walk_to(f, &t, document_bytes, p, (enum fault_action)action, n);
			n += step)
			assert_true(n < 20000);
		assert_true(n > at_least); /* the places are there at all */
	}
}

static void writes_on_a_full_disk(void **state)
{
	walk(*state, 0, FAULT_WRITE_FULL, 1, 40);
}

static void writes_that_fail(void **state)
{
	walk(*state, 0, FAULT_WRITE_IO, 1, 40);
}

static void syncs_that_fail(void **state)
{
	walk(*state, 0, FAULT_SYNC, 1, UNITS);
}

static void reads_that_fail(void **state)
{
	walk(*state, 0, FAULT_READ, 1, 20);
}

static void truncations_that_fail(void **state)
{
	walk(*state, 0, FAULT_TRUNCATE, 1, 1);
}

static void calls_that_fail(void **state)
{
	walk(*state, 0, FAULT_CALL, 1, 40);
}

/* Documents larger than the writer's cache: pages are written before the commit, and the log is
 * copied back while the script runs. */
#define BIG ((size_t)5 << 20)

static void large_writes_on_a_full_disk(void **state)
{
	walk(*state, BIG, FAULT_WRITE_FULL, 1153, 3000);
}

static void large_writes_that_fail(void **state)
{
	walk(*state, BIG, FAULT_WRITE_IO, 1153, 3000);
}

static void large_writes_whose_syncs_fail(void **state)
{
	walk(*state, BIG, FAULT_SYNC, 3, UNITS);
}

/* ---- a group of which one meets the fault ---- */

struct caller {
	struct fix *f;
	struct thread thread;
	struct unit_of u;
	struct err err;
	bool ok;
};

static void *caller_main(void *arg)
{
	struct caller *k = arg;

	k->ok = store_write(k->f->s, run_one, &k->u, &k->err);
	return NULL;
}

/* Holds the writer until the group is complete, then arms the fault. */
struct gate {
	struct fix *f;
	struct thread thread;
	enum fault_point fault;
	_Atomic bool entered, open;
};

static bool pass_gate(struct store_conn *c UNUSED, void *arg, struct err *err UNUSED)
{
	struct gate *g = arg;

	g->entered = true;
	wait_until(g->open);
	fault_arm(g->fault, FAULT_ONCE, 1);
	return true;
}

static void *gate_main(void *arg)
{
	struct gate *g = arg;

	return store_write(g->f->s, pass_gate, g, NULL) ? arg : NULL;
}

#define GROUP 10 /* numbered as the units are, and on */

/* Ten units and one more that the first is in the way of: one group, one fault. None is acknowledged,
 * none is kept, none gets an answer that rests on what another did, and all can be tried again. */
static void lose_a_group(struct fix *f, enum fault_point fault, const char *words)
{
	struct gate g = { .f = f, .fault = fault };
	struct caller callers[GROUP + 1];

	thread_start(&g.thread, "gate", gate_main, &g);
	wait_until(g.entered);
	for (unsigned i = 0; i < ARRAY_LEN(callers); i++) {
		callers[i] = (struct caller){ .f = f, .u = { arena_new("unit", 0), i % GROUP, 0 } };
		thread_start(&callers[i].thread, "caller", caller_main, &callers[i]);
		wait_until(queue_depth(f->s) == i + 1);
	}
	g.open = true;
	thread_join(&g.thread);
	for (unsigned i = 0; i < ARRAY_LEN(callers); i++) {
		struct caller *k = &callers[i];

		thread_join(&k->thread);
		assert_false(k->ok);
		assert_int_equal(k->err.code, ERR_STORE);
		assert_non_null(strstr(k->err.message, words));
	}
	assert_true(store_healthy(f->s, NULL));
	WITH_READER (f, c) {
		for (unsigned i = 0; i < GROUP; i++)
			assert_int_equal(unit_presence(c, f->a, i), NOT_THERE);
	}
	for (unsigned i = 0; i < ARRAY_LEN(callers); i++) {
		struct caller *k = &callers[i];

		k->err = (struct err)ERR_INIT;
		caller_main(k);
		assert_int_equal(k->err.code, i < GROUP ? ERR_NONE : ERR_CONFLICT);
		arena_free(k->u.a);
	}
}

static void a_group_on_a_full_disk(void **state)
{
	struct fix *f = *state;

	write_ok(f, add_both_jobs, f);
	lose_a_group(f, FAULT_WRITE_FULL, "full");
}

/* A page that can't be read makes the database undo everything: the others of the group too. */
static void a_group_with_an_unreadable_page(void **state)
{
	struct fix *f = *state;

	write_ok(f, add_both_jobs, f);
	fix_reopen(f); /* with nothing in memory */
	lose_a_group(f, FAULT_READ, "can't be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_on_a_full_disk),
		TEST(writes_that_fail),
		TEST(syncs_that_fail),
		TEST(reads_that_fail),
		TEST(truncations_that_fail),
		TEST(calls_that_fail),
		TEST(large_writes_on_a_full_disk),
		TEST(large_writes_that_fail),
		TEST(large_writes_whose_syncs_fail),
		TEST(a_group_on_a_full_disk),
		TEST(a_group_with_an_unreadable_page),
	};

	quiet(); /* each fault is logged */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
