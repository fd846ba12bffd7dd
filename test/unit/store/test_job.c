/*
 * test_job.c - jobs: every column, the claim of the next one, leases, waiting, ends, and lists.
 */
#include "store_test.h"

static struct store_job get_job(struct fix *f, struct str id)
{
	struct store_job j = { .attempts = 0 };
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_job_get(c, f->a, ACCOUNT, id, &j, &err));
	return j;
}

struct claim {
	struct arena *a;
	struct store_job j;
	int64_t now_ms, next_ms;
	bool found;
};

static bool claim_unit(struct store_conn *c, void *arg, struct err *err)
{
	struct claim *k = arg;
	const struct store_claim by = { k->now_ms, STR_INIT("me"), k->now_ms + 30000 };

	return store_job_claim(c, k->a, &by, &k->j, &k->found, &k->next_ms, err);
}

/* The number in the claimed job's id; 0: none. */
static unsigned claim(struct fix *f)
{
	struct claim k = { .a = f->a, .now_ms = 5000 };
	unsigned char bytes[12];

	write_ok(f, claim_unit, &k);
	if (!k.found)
		return 0;
	assert_int_equal(k.j.status, JOB_RUNNING);
	assert_true(str_hex_get(k.j.id, bytes, sizeof(bytes)));
	return (unsigned)bytes[10] << 8 | bytes[11];
}

static void words(void **state UNUSED)
{
	enum job_type t;
	enum job_status s;

	for (int i = JOB_FLOW; i <= JOB_RETRY; i++) {
		assert_true(job_type_of(str_z(job_type_word((enum job_type)i)), &t));
		assert_int_equal(t, i);
	}
	for (int i = JOB_QUEUED; i <= JOB_FAILED; i++) {
		assert_true(job_status_of(str_z(job_status_word((enum job_status)i)), &s));
		assert_int_equal(s, i);
	}
	assert_false(job_type_of(STR("Flow"), &t));
	assert_false(job_status_of(STR(""), &s));
	assert_false(job_status_of(STR_NULL, &s));
}

static void every_column_comes_back(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1), got, parent = job_of(f->a, 2);

	write_ok(f, add_job, &parent);
	j.type = JOB_IMPORT;
	j.export_id = STR("x");
	j.import_id = STR("i");
	j.integration_id = STR("g");
	j.flow_job_id = parent.id;
	j.order_index = 3;
	write_ok(f, add_job, &j);
	got = get_job(f, j.id);
	assert_int_equal(got.status, JOB_QUEUED);
	assert_null(got.cursor.p);
	assert_null(got.error_code.p);

	j.status = JOB_FAILED;
	j.started_ms = 2;
	j.ended_ms = 3;
	j.modified_ms = 4;
	j.purge_ms = 5;
	j.num_error = 6;
	j.num_success = 7;
	j.num_ignore = 8;
	j.num_export = 11;
	j.pages_generated = 12;
	j.pages_processed = INT64_MAX;
	j.done_exporting = j.retriable = true;
	j.attempts = 14;
	j.ledger = (struct job_ledger){ 26, 5, 6, 7, 8 };
	j.zero_reason = STR("nothing new");
	j.error_code = STR("timeout");
	j.error_message = STR("no answer");
	j.cursor = STR("{\"page\":3}");
	write_ok(f, update_job, &j);
	got = get_job(f, j.id);
	assert_str(got.account_id, ACCOUNT.p);
	assert_int_equal(got.type, JOB_IMPORT);
	assert_int_equal(got.status, JOB_FAILED);
	assert_str(got.flow_id, j.flow_id.p);
	assert_str(got.export_id, "x");
	assert_str(got.import_id, "i");
	assert_str(got.integration_id, "g");
	assert_str(got.flow_job_id, parent.id.p);
	assert_str(got.trigger, "api");
	assert_int_equal(got.created_ms, 1);
	assert_int_equal(got.started_ms, 2);
	assert_int_equal(got.ended_ms, 3);
	assert_int_equal(got.modified_ms, 4);
	assert_int_equal(got.purge_ms, 5);
	assert_int_equal(got.num_error, 6);
	assert_int_equal(got.num_success, 7);
	assert_int_equal(got.num_ignore, 8);
	assert_int_equal(got.num_resolved, 0); /* resolving writes that */
	assert_int_equal(got.num_open_error, 6);
	assert_int_equal(got.num_export, 11);
	assert_int_equal(got.pages_generated, 12);
	assert_int_equal(got.pages_processed, INT64_MAX);
	assert_true(got.done_exporting && got.retriable);
	assert_int_equal(got.order_index, 3);
	assert_int_equal(got.attempts, 14);
	assert_memory_equal(&got.ledger, &j.ledger, sizeof(j.ledger));
	assert_str(got.zero_reason, "nothing new");
	assert_str(got.error_code, "timeout");
	assert_str(got.error_message, "no answer");
	assert_str(got.cursor, "{\"page\":3}");
}

static void what_is_settled_stays(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1), got;
	struct err err;

	write_ok(f, add_job, &j);
	j.flow_id = STR("another");
	j.trigger = STR("schedule");
	j.created_ms = 99;
	write_ok(f, update_job, &j);
	got = get_job(f, j.id);
	assert_str(got.flow_id, job_of(f->a, 1).flow_id.p);
	assert_str(got.trigger, "api");
	assert_int_equal(got.created_ms, 1);

	assert_fails(store_write(f->s, add_job, &j, &err), ERR_CONFLICT, "");
	j.id = id_of(f->a, 2);
	assert_fails(store_write(f->s, update_job, &j, &err), ERR_FENCED, "or is gone");
	j.account_id = id_of(f->a, 9);
	assert_fails(store_write(f->s, add_job, &j, &err), ERR_CONFLICT, "");
	WITH_READER (f, c)
		assert_fails(store_job_get(c, f->a, OTHER, id_of(f->a, 1), &got, &err),
			ERR_NOT_FOUND, "there is no job");
}

/* Every exported record is accounted for, or the row is not written. */
static void the_ledger_must_add_up(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct err err;

	j.ledger = (struct job_ledger){ .exported = 3, .succeeded = 1, .failed = 1 };
	assert_fails(store_write(f->s, add_job, &j, &err), ERR_INTERNAL, "does not add up");
	j.ledger.in_flight = 1;
	write_ok(f, add_job, &j);
	j.ledger.succeeded = 2;
	assert_fails(store_write(f->s, update_job, &j, &err), ERR_INTERNAL, "does not add up");
	assert_int_equal(get_job(f, j.id).ledger.succeeded, 1);
	j.ledger.in_flight = 0;
	write_ok(f, update_job, &j);
}

static void the_oldest_is_claimed_first(void **state)
{
	struct fix *f = *state;
	static const unsigned order[] = { 30, 10, 20, 11 };
	struct store_job j;

	assert_int_equal(claim(f), 0);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		j = job_of(f->a, order[i]);
		if (order[i] == 11)
			j.created_ms = 10; /* the same instant: by id */
		write_ok(f, add_job, &j);
	}
	j = job_of(f->a, 1);
	j.type = JOB_EXPORT; /* oldest of all, but not a flow's */
	write_ok(f, add_job, &j);
	j = job_of(f->a, 2);
	j.status = JOB_COMPLETED;
	write_ok(f, add_job, &j);
	assert_int_equal(claim(f), 10);
	assert_int_equal(claim(f), 11);
	assert_int_equal(claim(f), 20);
	assert_int_equal(claim(f), 30);
	assert_int_equal(claim(f), 0);
}

/* All accounts stand in one line. */
static void claims_span_accounts(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 20);

	j.flow_id = STR("shared");
	write_ok(f, add_job, &j);
	j = job_of(f->a, 10);
	j.account_id = OTHER;
	j.flow_id = STR("shared"); /* another account's flow of that id is another flow */
	write_ok(f, add_job, &j);
	assert_int_equal(claim(f), 10);
	assert_int_equal(claim(f), 20);
}

static void one_job_of_a_flow_at_a_time(void **state)
{
	static const enum job_status in_work[] = { JOB_RUNNING, JOB_RETRYING, JOB_CANCELING };
	static const enum job_status ended[] = { JOB_CANCELED, JOB_COMPLETED, JOB_FAILED };
	struct fix *f = *state;
	struct store_job first = job_of(f->a, 1), second = job_of(f->a, 2), third = job_of(f->a, 3);

	second.flow_id = first.flow_id;
	write_ok(f, add_job, &first);
	write_ok(f, add_job, &second);
	write_ok(f, add_job, &third);
	assert_int_equal(claim(f), 1);
	assert_int_equal(claim(f), 3); /* over the head of 2 */
	first.fence = get_job(f, first.id).fence;
	for (size_t i = 0; i < ARRAY_LEN(in_work); i++) {
		first.status = in_work[i];
		write_ok(f, update_job, &first);
		assert_int_equal(claim(f), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
		first.status = ended[i];
		write_ok(f, update_job, &first);
		assert_int_equal(claim(f), 2);
		second.fence = get_job(f, second.id).fence;
		write_ok(f, update_job, &second); /* queued again */
	}
}

static void a_claim_counts_the_attempt(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1), got;
	struct claim k = { .a = f->a, .now_ms = 700 };

	j.cursor = STR("{}");
	write_ok(f, add_job, &j);
	write_ok(f, claim_unit, &k);
	assert_true(k.found);
	assert_int_equal(k.j.attempts, 1);
	assert_int_equal(k.j.started_ms, 700);
	assert_int_equal(k.j.modified_ms, 700);
	assert_str(k.j.cursor, "{}");
	fix_reopen(f); /* the claim itself is durable */
	got = get_job(f, j.id);
	assert_int_equal(got.status, JOB_RUNNING);
	assert_int_equal(got.attempts, 1);
	got.status = JOB_QUEUED; /* goes back to wait */
	write_ok(f, update_job, &got);
	k.now_ms = 900;
	write_ok(f, claim_unit, &k);
	assert_int_equal(k.j.attempts, 2);
	assert_int_equal(k.j.started_ms, 700); /* when it first began */
	assert_int_equal(k.j.modified_ms, 900);
}

static bool claim_and_fail(struct store_conn *c, void *arg, struct err *err)
{
	return claim_unit(c, arg, err) && err_set(err, ERR_INTERNAL, "no worker");
}

static void a_claim_that_is_undone(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct claim k = { .a = f->a, .now_ms = 700 };
	struct err err;

	write_ok(f, add_job, &j);
	assert_fails(store_write(f->s, claim_and_fail, &k, &err), ERR_INTERNAL, "no worker");
	assert_int_equal(get_job(f, j.id).attempts, 0);
	assert_int_equal(claim(f), 1);
}

struct worker {
	struct fix *f;
	struct thread thread;
	unsigned claimed[64], count;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct arena *a DEFER(arena_freep) = arena_new("worker", 0);

	for (;;) {
		struct claim k = { .a = a, .now_ms = 1 };
		struct err err = ERR_INIT;
		unsigned char bytes[12];

		if (!store_write(w->f->s, claim_unit, &k, &err) || !k.found ||
			!str_hex_get(k.j.id, bytes, sizeof(bytes)))
			return NULL;
		w->claimed[w->count++] = bytes[11];
	}
}

/* Eight workers: every job is claimed by exactly one. */
static void workers_share_the_line(void **state)
{
	struct fix *f = *state;
	struct worker workers[8];
	unsigned times[61] = { 0 };

	for (unsigned n = 1; n <= 60; n++) {
		struct store_job j = job_of(f->a, n);

		write_ok(f, add_job, &j);
	}
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		workers[i] = (struct worker){ .f = f };
		thread_start(&workers[i].thread, "worker", worker_main, &workers[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		thread_join(&workers[i].thread);
		for (unsigned k = 0; k < workers[i].count; k++)
			times[workers[i].claimed[k]]++;
	}
	for (unsigned n = 1; n <= 60; n++)
		assert_int_equal(times[n], 1);
}

static void the_queued_job_of_a_flow(void **state)
{
	struct fix *f = *state;
	struct store_job first = job_of(f->a, 1), second = job_of(f->a, 2), got;
	struct err err;

	second.flow_id = first.flow_id;
	write_ok(f, add_job, &second);
	write_ok(f, add_job, &first);
	WITH_READER (f, c) {
		assert_ok(store_job_queued_of_flow(c, f->a, ACCOUNT, first.flow_id, &got, &err));
		assert_str(got.id, first.id.p);
		assert_fails(store_job_queued_of_flow(c, f->a, OTHER, first.flow_id, &got, &err),
			ERR_NOT_FOUND, "is queued");
	}
	first.status = second.status = JOB_RUNNING;
	write_ok(f, update_job, &first);
	write_ok(f, update_job, &second);
	WITH_READER (f, c)
		assert_fails(store_job_queued_of_flow(c, f->a, ACCOUNT, first.flow_id, &got, &err),
			ERR_NOT_FOUND, "is queued");
}

static void expect_before(struct fix *f, const struct store_job *j, const char *id)
{
	struct store_job got = { .account_id = STR_NULL };
	struct err err = ERR_INIT;

	WITH_READER (f, c) {
		if (store_job_before(c, f->a, j, &got, &err))
			assert_string_equal(str_to_z(f->a, got.id), id == NULL ? "none" : id);
		else
			assert_true(id == NULL && err.code == ERR_NOT_FOUND);
	}
}

/* What is in work, else what was begun and waits: not what was never begun, nor what has ended, nor children. */
static void what_a_job_waits_behind(void **state)
{
	struct fix *f = *state;
	struct store_job j[5], child;

	for (unsigned n = 1; n <= 4; n++) {
		j[n] = job_of(f->a, n);
		j[n].flow_id = STR("A");
		write_ok(f, add_job, &j[n]);
	}
	expect_before(f, &j[4], NULL);
	child = child_of(f->a, &j[1], JOB_IMPORT, 9);
	write_ok(f, add_job, &child);
	expect_before(f, &j[4], NULL);
	j[1].started_ms = 5; /* begun, and put aside */
	write_ok(f, update_job, &j[1]);
	expect_before(f, &j[4], j[1].id.p);
	expect_before(f, &j[1], NULL); /* not itself */
	j[3].status = JOB_RETRYING;    /* of a retry of errors: newer, but in work */
	write_ok(f, update_job, &j[3]);
	expect_before(f, &j[4], j[3].id.p);
	expect_before(f, &j[1], j[3].id.p);
	j[3].status = j[1].status = JOB_COMPLETED;
	write_ok(f, update_job, &j[3]);
	write_ok(f, update_job, &j[1]);
	expect_before(f, &j[4], NULL);
	j[2] = job_of(f->a, 5); /* of another flow */
	j[2].status = JOB_RUNNING;
	write_ok(f, add_job, &j[2]);
	expect_before(f, &j[4], NULL);
}

static void when_a_flow_ran_last(void **state)
{
	struct fix *f = *state;
	struct store_job first = job_of(f->a, 1), second = job_of(f->a, 2), child;
	int64_t at = -1;
	struct err err;

	first.flow_id = second.flow_id = STR("A");
	first.started_ms = 11;
	write_ok(f, add_job, &first);
	write_ok(f, add_job, &second); /* has not begun */
	child = child_of(f->a, &first, JOB_IMPORT, 3);
	child.started_ms = 99;
	write_ok(f, add_job, &child);
	WITH_READER (f, c) {
		assert_ok(store_job_last_run(c, ACCOUNT, STR("A"), &at, &err));
		assert_int_equal(at, 11);
		assert_ok(store_job_last_run(c, OTHER, STR("A"), &at, &err));
		assert_int_equal(at, 0);
	}
	second.started_ms = 12;
	write_ok(f, update_job, &second);
	WITH_READER (f, c)
		assert_ok(store_job_last_run(c, ACCOUNT, STR("A"), &at, &err));
	assert_int_equal(at, 12);
}

/* ---- leases ---- */

struct reclaim {
	int64_t now_ms;
	struct str owner;
	uint64_t count;
};

static bool reclaim_unit(struct store_conn *c, void *arg, struct err *err)
{
	struct reclaim *r = arg;

	return store_job_reclaim(c, r->now_ms, r->owner, &r->count, err);
}

static void a_lease_that_ends_gives_the_job_back(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct claim first = { .a = f->a, .now_ms = 1000 }, second = first;
	struct reclaim r = { 30999, STR_NULL, 0 };
	struct err err;

	write_ok(f, add_job, &j);
	write_ok(f, claim_unit, &first);
	write_ok(f, reclaim_unit, &r);
	assert_int_equal(r.count, 0);
	r.now_ms = 31001;
	write_ok(f, reclaim_unit, &r);
	assert_int_equal(r.count, 1);
	second.now_ms = 32000;
	write_ok(f, claim_unit, &second);
	assert_true(second.found);
	assert_int_equal(second.j.fence, first.j.fence + 1);
	assert_int_equal(second.j.attempts, 2);
	assert_int_equal(second.j.started_ms, 1000);
	/* the first holder comes back to life: it may write nothing */
	first.j.num_success = 7;
	assert_fails(store_write(f->s, update_job, &first.j, &err), ERR_FENCED, "taken over");
	second.j.status = JOB_COMPLETED;
	write_ok(f, update_job, &second.j);
}

struct beat {
	struct str owner, ids;
	int64_t until_ms;
};

static bool beat_unit(struct store_conn *c, void *arg, struct err *err)
{
	const struct beat *b = arg;

	return store_job_heartbeat(c, b->owner, b->ids, b->until_ms, err);
}

static void a_heartbeat_renews_what_is_in_work(void **state)
{
	struct fix *f = *state;
	struct store_job a = job_of(f->a, 1), b = job_of(f->a, 2);
	struct beat beat = { STR_INIT("me"), STR_NULL, 90000 };
	struct reclaim r = { 60000, STR_NULL, 0 };

	write_ok(f, add_job, &a);
	write_ok(f, add_job, &b);
	claim(f);
	claim(f);
	beat.ids = str_fmt(f->a, "[\"%.*s\"]", STR_ARG(a.id));
	write_ok(f, beat_unit, &beat);
	write_ok(f, reclaim_unit, &r);
	assert_int_equal(r.count, 1); /* the other one was given up */
	assert_int_equal(get_job(f, a.id).status, JOB_RUNNING);
	assert_int_equal(get_job(f, b.id).status, JOB_QUEUED);
}

static void a_new_process_takes_up_what_another_left(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct reclaim mine = { 5001, STR_INIT("me"), 0 }, other = { 5001, STR_INIT("other"), 0 };

	write_ok(f, add_job, &j);
	claim(f);
	write_ok(f, reclaim_unit, &mine);
	assert_int_equal(mine.count, 0);
	write_ok(f, reclaim_unit, &other);
	assert_int_equal(other.count, 1);
	assert_int_equal(get_job(f, j.id).status, JOB_QUEUED);
}

static void a_job_that_waits_is_not_taken_before_its_time(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1), next = job_of(f->a, 2);
	struct claim k = { .a = f->a, .now_ms = 1000 };

	next.flow_id = j.flow_id;
	write_ok(f, add_job, &j);
	write_ok(f, claim_unit, &k);
	k.j.status = JOB_QUEUED;
	k.j.not_before_ms = 9000;
	k.j.waiting_for = STR("{\"what\":\"an application\"}");
	write_ok(f, update_job, &k.j);
	write_ok(f, add_job, &next);
	/* the flow's next run may not go ahead of it either */
	k.now_ms = 8999;
	write_ok(f, claim_unit, &k);
	assert_false(k.found);
	assert_int_equal(k.next_ms, 9000);
	k.now_ms = 9000;
	write_ok(f, claim_unit, &k);
	assert_true(k.found);
	assert_str(k.j.id, j.id.p);
	/* what it waited for is the worker's to know; a worker that dies takes it along */
	assert_str(k.j.waiting_for, "{\"what\":\"an application\"}");
	struct reclaim r = { .now_ms = INT64_MAX };

	write_ok(f, reclaim_unit, &r);
	k.now_ms = 9000;
	write_ok(f, claim_unit, &k);
	assert_null(k.j.waiting_for.p);
}

struct cancel {
	struct str id;
};

static bool cancel_unit(struct store_conn *c, void *arg, struct err *err)
{
	const struct cancel *x = arg;

	return store_job_cancel(c, ACCOUNT, x->id, STR("me"), 7000, err);
}

static void canceling(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct cancel x = { j.id };
	struct claim k = { .a = f->a, .now_ms = 1000 };
	struct err err;

	write_ok(f, add_job, &j);
	write_ok(f, cancel_unit, &x);
	assert_int_equal(get_job(f, j.id).status, JOB_CANCELED); /* never begun: at once */
	assert_fails(store_write(f->s, cancel_unit, &x, &err), ERR_CONFLICT, "has ended");
	j = job_of(f->a, 2);
	x.id = j.id;
	write_ok(f, add_job, &j);
	write_ok(f, claim_unit, &k);
	write_ok(f, cancel_unit, &x);
	assert_int_equal(get_job(f, j.id).status, JOB_CANCELING);
	write_ok(f, update_job, &k.j); /* its worker does not know yet: the request stays */
	assert_int_equal(get_job(f, j.id).status, JOB_CANCELING);
	assert_str(get_job(f, j.id).canceled_by, "me");
	k.j.status = JOB_CANCELED;
	write_ok(f, update_job, &k.j);
	assert_int_equal(get_job(f, j.id).status, JOB_CANCELED);
}

struct giving {
	const struct store_job *j;
	bool counts;
};

static bool give_back_unit(struct store_conn *c, void *arg, struct err *err)
{
	const struct giving *g = arg;

	return store_job_give_back(c, g->j, 5000, g->counts, err);
}

/* The store failed under it: that is no attempt, and a later holder is not disturbed. */
static void given_back(void **state)
{
	struct fix *f = *state;
	struct store_job j = job_of(f->a, 1);
	struct claim k = { .a = f->a, .now_ms = 1000 }, later = { .a = f->a, .now_ms = 5000 };
	struct giving g = { &k.j, false };

	write_ok(f, add_job, &j);
	write_ok(f, claim_unit, &k);
	assert_int_equal(get_job(f, j.id).attempts, 1);
	write_ok(f, give_back_unit, &g);
	assert_int_equal(get_job(f, j.id).attempts, 0);
	assert_int_equal(get_job(f, j.id).status, JOB_QUEUED);
	assert_int_equal(get_job(f, j.id).not_before_ms, 5000);
	write_ok(f, claim_unit, &later);
	assert_true(later.found);
	write_ok(f, give_back_unit, &g); /* not his any more */
	assert_int_equal(get_job(f, j.id).status, JOB_RUNNING);
	later.j.attempts = 0; /* it got on */
	write_ok(f, update_job, &later.j);
	g.j = &later.j;
	write_ok(f, give_back_unit, &g);
	assert_int_equal(get_job(f, j.id).attempts, 0);
	assert_int_equal(get_job(f, j.id).status, JOB_QUEUED);
	write_ok(f, claim_unit, &later);
	g.counts = true; /* what it had in work could not be read */
	write_ok(f, give_back_unit, &g);
	assert_int_equal(get_job(f, j.id).attempts, 1);
}

struct clock_set {
	int64_t now_ms;
	uint64_t count;
};

static bool set_clock_unit(struct store_conn *c, void *arg, struct err *err)
{
	struct clock_set *x = arg;

	return store_job_set_clock(c, x->now_ms, 30000, &x->count, err);
}

/* A clock that is set back by hours makes nobody wait for hours. */
static void the_clock_is_set_back(void **state)
{
	struct fix *f = *state;
	const int64_t hour = 3600 * 1000, then = 10 * hour;
	struct store_job waits = job_of(f->a, 1), works = job_of(f->a, 2);
	struct claim k = { .a = f->a, .now_ms = then };
	struct clock_set x = { then + 100, 0 };

	write_ok(f, add_job, &works);
	write_ok(f, claim_unit, &k);
	waits.not_before_ms = then + 5000;
	waits.modified_ms = then;
	write_ok(f, add_job, &waits);
	write_ok(f, set_clock_unit, &x); /* it goes on */
	assert_int_equal(x.count, 0);
	x.now_ms = then + 2 * hour; /* forward: whoever waits has waited long enough */
	write_ok(f, set_clock_unit, &x);
	assert_int_equal(get_job(f, waits.id).not_before_ms, then + 5000);
	x.now_ms = then - hour;
	write_ok(f, set_clock_unit, &x);
	assert_int_equal(x.count, 1);
	assert_int_equal(get_job(f, waits.id).not_before_ms, x.now_ms + 5000);
	assert_true(get_job(f, works.id).lease_until_ms <= x.now_ms + 30000);
	write_ok(f, set_clock_unit, &x); /* once is enough, whoever does it */
	assert_int_equal(x.count, 0);
	assert_int_equal(get_job(f, waits.id).not_before_ms, x.now_ms + 5000);
}

static void children(void **state)
{
	struct fix *f = *state;
	struct store_job parent = job_of(f->a, 1), *list, j;
	struct err err;
	size_t n;

	write_ok(f, add_job, &parent);
	for (unsigned i = 3; i > 0; i--) {
		j = child_of(f->a, &parent, i == 1 ? JOB_EXPORT : JOB_IMPORT, 10 + i);
		j.order_index = i - 1;
		write_ok(f, add_job, &j);
	}
	WITH_READER (f, c) {
		assert_ok(store_job_children(c, f->a, ACCOUNT, parent.id, &list, &n, &err));
		assert_int_equal(n, 3);
		assert_int_equal(list[0].type, JOB_EXPORT);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(list[i].order_index, i);
		assert_ok(store_job_children(c, f->a, ACCOUNT, list[0].id, &list, &n, &err));
		assert_int_equal(n, 0);
		assert_ok(store_job_children(c, f->a, OTHER, parent.id, &list, &n, &err));
		assert_int_equal(n, 0);
	}
}

/* ---- lists ---- */

struct seen {
	char got[8192];
	size_t count, stop_at;
};

static bool see(void *arg, const struct store_job *j)
{
	struct seen *s = arg;
	unsigned char bytes[12];
	size_t n = strlen(s->got);

	assert_true(str_hex_get(j->id, bytes, sizeof(bytes)));
	snprintf(s->got + n, sizeof(s->got) - n, "%s%u", n == 0 ? "" : " ",
		(unsigned)bytes[10] << 8 | bytes[11]);
	return ++s->count != s->stop_at;
}

static void expect(struct fix *f, struct store_job_filter q, const char *numbers)
{
	struct seen s = { .count = 0 };
	struct err err;

	WITH_READER (f, c)
		assert_ok(store_job_list(c, ACCOUNT, &q, see, &s, &err));
	assert_string_equal(s.got, numbers);
}

/* Flow jobs 1 (flow A, integration G, completed) and 2 (flow B, running) with their children: 3 4
 * (export X, import I) and 5 6 (export X, import J); 7 is an export run by itself. */
static void seven(struct fix *f)
{
	struct store_job one = job_of(f->a, 1), two = job_of(f->a, 2), j;

	one.flow_id = STR("A");
	one.integration_id = STR("G");
	one.status = JOB_COMPLETED;
	two.flow_id = STR("B");
	two.status = JOB_RUNNING;
	write_ok(f, add_job, &one);
	write_ok(f, add_job, &two);
	for (unsigned n = 3; n <= 6; n++) {
		j = child_of(f->a, n <= 4 ? &one : &two, n % 2 == 1 ? JOB_EXPORT : JOB_IMPORT, n);
		j.export_id = n % 2 == 1 ? STR("X") : STR_NULL;
		j.import_id = n == 4 ? STR("I") : n == 6 ? STR("J") : STR_NULL;
		j.integration_id = n <= 4 ? STR("G") : STR_NULL;
		write_ok(f, add_job, &j);
	}
	j = job_of(f->a, 7);
	j.type = JOB_EXPORT;
	j.flow_id = STR_NULL;
	j.export_id = STR("X");
	write_ok(f, add_job, &j);
	j = job_of(f->a, 8);
	j.account_id = OTHER;
	write_ok(f, add_job, &j);
}

#define Q(...) ((struct store_job_filter){ __VA_ARGS__ })

static void every_filter(void **state)
{
	struct fix *f = *state;

	seven(f);
	expect(f, Q(.limit = 0), "7 6 5 4 3 2 1");
	expect(f, Q(.limit = 3), "7 6 5");
	expect(f, Q(.parents_only = true), "7 2 1");
	expect(f, Q(.flow_id = STR("A")), "4 3 1");
	expect(f, Q(.flow_id = STR("A"), .parents_only = true), "1");
	expect(f, Q(.export_id = STR("X")), "7 5 3");
	expect(f, Q(.import_id = STR("J")), "6");
	expect(f, Q(.integration_id = STR("G")), "4 3 1");
	expect(f, Q(.flow_job_id = id_of(f->a, 2)), "6 5");
	expect(f, Q(.has_status = true, .status = JOB_RUNNING), "6 5 4 3 2");
	expect(f, Q(.has_status = true, .status = JOB_QUEUED), "7");
	expect(f, Q(.has_type = true, .type = JOB_FLOW), "2 1");
	expect(f, Q(.has_type = true, .type = JOB_RETRY), "");
	expect(f, Q(.created_gte_ms = 3, .created_lte_ms = 5), "5 4 3");
	expect(f, Q(.created_gte_ms = 7), "7");
	expect(f, Q(.created_lte_ms = 1), "1");
	/* together, each as the one that leads */
	expect(f, Q(.flow_job_id = id_of(f->a, 1), .flow_id = STR("A"), .export_id = STR("X")),
		"3");
	expect(f, Q(.flow_id = STR("B"), .has_type = true, .type = JOB_IMPORT), "6");
	expect(f, Q(.export_id = STR("X"), .integration_id = STR("G")), "3");
	expect(f, Q(.import_id = STR("I"), .has_status = true, .status = JOB_RUNNING), "4");
	expect(f, Q(.integration_id = STR("G"), .created_lte_ms = 3), "3 1");
	expect(f, Q(.flow_id = STR("none")), "");
}

struct failing {
	struct store_job_error e;
	struct str data;
};

static bool add_failing(struct store_conn *c, void *arg, struct err *err)
{
	const struct failing *x = arg;

	return store_job_error_add(c, &x->e, x->data, err);
}

static bool settle(struct store_conn *c, void *arg, struct err *err)
{
	const struct failing *x = arg;

	return store_job_error_settle(c, &x->e, err);
}

static struct store_job with_an_error(struct store_job j)
{
	j.status = JOB_RUNNING;
	j.num_error = j.num_open_error = j.num_export = 1;
	j.ledger = (struct job_ledger){ .exported = 1, .failed = 1 };
	return j;
}

/* Job 1 has an open error with its record, 2 (its child, which has it) too, 3 one without a record. */
static void what_can_be_tried_again(void **state)
{
	struct fix *f = *state;
	struct store_job one = with_an_error(job_of(f->a, 1)), two,
			 three = with_an_error(job_of(f->a, 3));
	struct failing with = { .data = STR("{}") }, without = { .data = STR_NULL };

	two = with_an_error(child_of(f->a, &one, JOB_IMPORT, 2));
	write_ok(f, add_job, &one);
	write_ok(f, add_job, &two);
	write_ok(f, add_job, &three);
	with.e = job_error_of(f->a, &two, 1);
	with.e.retry_id = id_of(f->a, 77);
	write_ok(f, add_failing, &with);
	without.e = job_error_of(f->a, &three, 2);
	write_ok(f, add_failing, &without);
	expect(f, Q(.limit = 0), "3 2 1");
	expect(f, Q(.retry = JOBS_RETRIABLE), "2 1");
	expect(f, Q(.retry = JOBS_DONE_WITH), "3");
	expect(f, Q(.retry = JOBS_RETRIABLE, .parents_only = true), "1");
	with.e.resolved_by = STR("me");
	with.e.resolved_ms = 9;
	write_ok(f, settle, &with);
	expect(f, Q(.retry = JOBS_RETRIABLE), "");
	expect(f, Q(.retry = JOBS_DONE_WITH), "3 2 1");
}

static void a_list_has_a_limit_of_its_own(void **state)
{
	struct fix *f = *state;
	const struct store_job_filter q = { .limit = 0 };
	struct seen s = { .stop_at = 4 };
	struct err err;

	for (unsigned n = 1; n <= 1010; n++) {
		struct store_job j = job_of(f->a, n);

		j.created_ms = 1; /* the same instant: by id */
		write_ok(f, add_job, &j);
	}
	WITH_READER (f, c) {
		assert_ok(store_job_list(c, ACCOUNT, &q, see, &s, &err));
		assert_string_equal(s.got, "1010 1009 1008 1007"); /* stopped */
		s = (struct seen){ .stop_at = 0 };
		assert_ok(store_job_list(c, ACCOUNT, &q, see, &s, &err));
		assert_int_equal(s.count, 1001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		TEST(every_column_comes_back),
		TEST(what_is_settled_stays),
		TEST(the_ledger_must_add_up),
		TEST(the_oldest_is_claimed_first),
		TEST(claims_span_accounts),
		TEST(one_job_of_a_flow_at_a_time),
		TEST(a_claim_counts_the_attempt),
		TEST(a_claim_that_is_undone),
		TEST(workers_share_the_line),
		TEST(the_queued_job_of_a_flow),
		TEST(a_lease_that_ends_gives_the_job_back),
		TEST(a_heartbeat_renews_what_is_in_work),
		TEST(a_new_process_takes_up_what_another_left),
		TEST(a_job_that_waits_is_not_taken_before_its_time),
		TEST(canceling),
		TEST(given_back),
		TEST(the_clock_is_set_back),
		TEST(children),
		TEST(what_a_job_waits_behind),
		TEST(when_a_flow_ran_last),
		TEST(every_filter),
		TEST(what_can_be_tried_again),
		TEST(a_list_has_a_limit_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
