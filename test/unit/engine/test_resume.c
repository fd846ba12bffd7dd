/*
 * test_resume.c - a flow of 200 records through two imports, interrupted at every commit of the
 * store, and with every call and file operation of the store failing once and for ever.
 *
 * The engine runs in a child; the application in this process keeps what it was sent. When the run has
 * ended, after as many lives as it took, every record is delivered or in one open error, nothing came
 * under two keys or with two bodies, and all counts agree with that.
 *
 * STRIDE (environment): only every so-many-th place of the long walks; 1 is all of them. The argument
 * says which walk: "kills", or the operation that fails; they wait more than they work, and so go well
 * beside each other.
 */
#include "run_world.h"

#include "core/buf.h"

struct fixture {
	struct world *w;
	struct application app;
	char dir[64]; /* of the run at hand */
	struct str job_id;
};

static struct fixture fix;

static int setup_resume(void **state)
{
	void *world;

	assert_int_equal(setup(&world), 0);
	fix.w = world;
	application_start(&fix.app, fix.w->a);
	fix.job_id = run_world_make(fix.w, &fix.app);
	store_close(fix.w->store);
	snprintf(fix.dir, sizeof(fix.dir), "%s", fix.w->dir);
	memcpy(fix.dir + strlen(fix.dir) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(fix.dir));
	*state = &fix;
	return 0;
}

static int teardown_resume(void **state UNUSED)
{
	application_stop(&fix.app);
	remove_dir(fix.dir);
	remove_dir(fix.w->dir);
	arena_free(fix.w->a);
	return 0;
}

static void renew(struct fixture *f)
{
	run_world_copy(f->w->dir, f->dir);
	application_reset(&f->app);
}

static unsigned stride(unsigned def)
{
	const char *text = getenv("STRIDE");
	uint64_t n;

	return text != NULL && str_to_u64(str_z(text), &n) && n > 0 ? (unsigned)n : def;
}

/* ---- accounting ---- */

struct counted {
	size_t delivered, refused; /* keys at the application */
	size_t errors;
};

static bool count_error(void *arg, const struct store_job_error *e)
{
	struct counted *n = arg;

	assert_false(e->resolved);
	assert_non_null(e->retry_id.p);
	n->errors++;
	return true;
}

static void check_ledger(const struct job_ledger *l, uint64_t exported, uint64_t failed)
{
	assert_int_equal(l->exported, exported);
	assert_int_equal(l->succeeded, exported - failed);
	assert_int_equal(l->ignored, 0);
	assert_int_equal(l->failed, failed);
	assert_int_equal(l->in_flight, 0);
}

static void check_jobs(struct store_conn *c, struct arena *a, struct str job_id, size_t refused)
{
	struct store_job job, *child;
	struct err err;
	size_t n;

	assert_ok(store_job_get(c, a, STR(ACCOUNT), job_id, &job, &err));
	assert_ok(store_job_children(c, a, STR(ACCOUNT), job_id, &child, &n, &err));
	assert_int_equal(job.status, JOB_COMPLETED);
	assert_int_equal(n, 1 + STEPS);
	assert_int_equal(child[0].num_export, RECORDS);
	assert_int_equal(job.num_export, RECORDS);
	check_ledger(&child[1].ledger, RECORDS, refused);
	check_ledger(&child[2].ledger, RECORDS - refused, 0);
	check_ledger(&job.ledger, RECORDS + RECORDS - refused, refused);
	assert_int_equal(job.num_error, refused);
	assert_int_equal(job.num_open_error, refused);
	assert_int_equal(job.num_success,
		child[0].num_success + child[1].num_success + child[2].num_success);
}

/* Every record is delivered by each step or in one open error, under one key, and counted so. */
static void check_accounts(struct fixture *f, const char *what, uint64_t at)
{
	struct arena *a DEFER(arena_freep) = arena_new("check", 0);
	const struct store_config sc = { .dir = f->dir,
		.clock = clock_system(),
		.rng = rng_system() };
	struct counted n = { 0 };
	struct store_conn *c;
	struct store *s;
	struct err err;

	application_next_life(&f->app); /* nothing comes any more */
	if (f->app.wrong.p != NULL)
		fail_msg("%s %llu: %.*s", what, (unsigned long long)at, STR_ARG(f->app.wrong));
	for (const struct arrival *x = f->app.list; x != NULL; x = x->next) {
		n.refused += x->refused;
		n.delivered += !x->refused;
	}
	if (n.refused != RECORDS / REFUSED || n.delivered != STEPS * (RECORDS - n.refused))
		fail_msg("%s %llu: %zu delivered, %zu refused", what, (unsigned long long)at,
			n.delivered, n.refused);
	assert_ok(store_open(&sc, &s, &err));
	assert_ok(store_read_begin(s, &c, &err));
	check_jobs(c, a, f->job_id, n.refused);
	assert_ok(store_job_error_list(c, STR(ACCOUNT), f->job_id, STR_NULL, 0, count_error, &n,
		&err));
	assert_int_equal(n.errors, n.refused);
	store_read_end(c);
	store_close(s);
}

/* One more life, without a fault: the run comes to its end. */
static void finish(struct fixture *f)
{
	int end;

	application_next_life(&f->app);
	end = child_run(f->dir, f->job_id, FAULT_CALL, FAULT_OFF, 0);
	if (end != CHILD_ENDED)
		fail_msg("without a fault the run ended as %d", end);
}

/* ---- tests ---- */

static void without_a_fault(void **state)
{
	struct fixture *f = *state;

	renew(f);
	assert_int_equal(child_run(f->dir, f->job_id, FAULT_CALL, FAULT_OFF, 0), CHILD_ENDED);
	check_accounts(f, "no fault", 0);
}

/* SIGKILL around the n-th commit, for every n there is. */
static void killed_at_every_commit(void **state)
{
	static const enum fault_point points[] = { FAULT_COMMIT, FAULT_COMMITTED };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		unsigned n = 0;
		int end;

		do {
			renew(f);
			end = child_run(f->dir, f->job_id, points[i], FAULT_KILL, ++n);
			if (end == CHILD_KILLED)
				finish(f);
			else
				assert_int_equal(end, CHILD_UNHARMED);
			check_accounts(f, "commit", n);
		} while (end == CHILD_KILLED);
		assert_true(
			n > RECORDS / 20 * STEPS); /* an intent for each page and step, and more */
	}
}

/* Killed again and again, always at the same commit: each life gets a little further. */
static void killed_in_every_life(void **state)
{
	struct fixture *f = *state;
	unsigned lives = 0;
	int end;

	for (uint64_t n = 9; n <= 11; n++) {
		renew(f);
		do {
			application_next_life(&f->app);
			end = child_run(f->dir, f->job_id, FAULT_COMMITTED, FAULT_KILL, n);
			assert_true(++lives < 200);
		} while (end == CHILD_KILLED);
		assert_int_equal(end, CHILD_UNHARMED);
		check_accounts(f, "in every life", n);
	}
}

static const struct place {
	enum fault_point point;
	const char *name;
	unsigned stride;
} places[] = {
	{ FAULT_CALL, "call", 29 },
	{ FAULT_READ, "read", 5 },
	{ FAULT_WRITE_FULL, "write_full", 29 },
	{ FAULT_WRITE_IO, "write", 29 },
	{ FAULT_SYNC, "sync", 5 },
	{ FAULT_TRUNCATE, "truncate", 1 },
};
static const struct place *place; /* the one of this run */

/* The N-th operation at P fails; what is left is finished in a life without faults. */
static bool fail_at(struct fixture *f, const struct place *p, enum fault_action action, unsigned n)
{
	renew(f);
	application_take_repeats(&f->app, true);
	int end = child_run(f->dir, f->job_id, p->point, action, n);
	bool goes_on = end == CHILD_ENDED || end == CHILD_UNHARMED;

	if (end == CHILD_STUCK || end == CHILD_BUSY)
		fail_msg("%s %u: the engine %s", p->name, n,
			end == CHILD_BUSY ? "does not pause" : "got stuck");
	if (!goes_on)
		finish(f);
	application_take_repeats(&f->app, false);
	check_accounts(f, p->name, n);
	return end != CHILD_UNHARMED;
}

/* Once: the engine goes on by itself, unless the store is done for. */
static void each_operation_fails_once(void **state)
{
	for (unsigned n = 1; fail_at(*state, place, FAULT_ONCE, n); n += stride(place->stride))
		;
}

/* From one on all fail: the jobs are given up, and go on when the store is opened again. */
static void operations_fail_for_ever(void **state)
{
	for (unsigned n = 1; n < 200 && fail_at(*state, place, FAULT_FOR_EVER, n);
		n += stride(place->stride))
		;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest kills[] = {
		cmocka_unit_test(without_a_fault),
		cmocka_unit_test(killed_at_every_commit),
		cmocka_unit_test(killed_in_every_life),
	};
	const struct CMUnitTest faults[] = {
		cmocka_unit_test(each_operation_fails_once),
		cmocka_unit_test(operations_fail_for_ever),
	};

	if (argc == 7 && strcmp(argv[1], "child") == 0)
		return child_main(argv + 2);
	if (argc == 2 && strcmp(argv[1], "kills") == 0)
		return cmocka_run_group_tests(kills, setup_resume, teardown_resume);
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(places); i++)
		if (strcmp(argv[1], places[i].name) == 0)
			place = &places[i];
	if (place == NULL) {
		fprintf(stderr, "which walk? kills, call, read ...\n");
		return 2;
	}
	return cmocka_run_group_tests(faults, setup_resume, teardown_resume);
}
