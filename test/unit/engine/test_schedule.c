/*
 * test_schedule.c - a year of schedules in simulated time, over clock changes, restarts and jumps.
 */
#include "resource/world.h"

#include <unistd.h>

#include "core/log.h"
#include "engine/schedule.h"
#include "store/fault.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

struct fixture {
	struct world *w;
	struct engine e;
	struct schedules *s;
};

static void engine_init(struct engine *e, struct world *w)
{
	*e = (struct engine){ .arena = arena_new("engine", 0) };
	e->cfg.store = w->store;
	e->cfg.clock = &w->clock.clock;
	e->cfg.rng = rng_system();
	mutex_init(&e->lock);
	cond_init(&e->work);
	cond_init(&e->tick);
}

static void engine_end(struct engine *e)
{
	mutex_destroy(&e->lock);
	cond_destroy(&e->work);
	cond_destroy(&e->tick);
	arena_free(e->arena);
}

static int setup_schedule(void **state)
{
	static struct fixture f;
	void *world;

	setup(&world);
	f.w = world;
	engine_init(&f.e, f.w);
	f.s = schedules_new(&f.e);
	*state = &f;
	return 0;
}

static int teardown_schedule(void **state)
{
	struct fixture *f = *state;
	void *world = f->w;

	schedules_free(f->s);
	engine_end(&f->e);
	return teardown(&world);
}

static struct str add_flow_text(struct world *w, const char *schedule, const char *zone,
	const char *more)
{
	struct resource_view c = create(w, "connection", CONNECTION);
	struct resource_view x = create_fmt(w, "export",
		"{\"name\":\"x\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/a\"}}",
		STR_ARG(c.id));
	struct resource_view i = create_fmt(w, "import",
		"{\"name\":\"i\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"/b\"}}",
		STR_ARG(c.id));
	struct resource_view f = create_fmt(w, "flow",
		"{\"name\":\"f\",\"_exportId\":\"%.*s\",\"_importId\":\"%.*s\",\"schedule\":\"%s\","
		"\"timezone\":\"%s\"%s}",
		STR_ARG(x.id), STR_ARG(i.id), schedule, zone, more);

	return f.id;
}

static void read_again(struct fixture *f)
{
	struct err err = ERR_INIT;

	assert_ok(schedules_read(f->s, &err));
}

/* Ends the job that is queued, as a worker would; false: none is. */
struct ended {
	struct arena *a;
	bool found;
	int64_t due_ms, now_ms;
};

static bool end_write(struct store_conn *c, void *arg, struct err *err)
{
	struct ended *x = arg;
	const struct store_claim by = { x->now_ms, STR_INIT("test"), x->now_ms + 30000 };
	struct store_job j;
	int64_t next;

	if (!store_job_claim(c, x->a, &by, &j, &x->found, &next, err) || !x->found)
		return !x->found;
	x->due_ms = j.due_ms;
	j.status = JOB_COMPLETED;
	return store_job_update(c, &j, err);
}

static bool end_job(struct fixture *f, int64_t *due_ms)
{
	struct arena *a = arena_new("job", 0);
	struct ended x = { .a = a, .now_ms = clock_wall_ms(&f->w->clock.clock) };
	struct err err = ERR_INIT;

	assert_ok(store_write(f->w->store, end_write, &x, &err));
	arena_free(a);
	*due_ms = x.due_ms;
	return x.found;
}

/* Lets time pass to UNTIL, firing when something is due; counts runs and checks that each is new. */
static unsigned run_until(struct fixture *f, int64_t until)
{
	unsigned runs = 0;
	int64_t last = 0, due;

	for (;;) {
		int64_t now = clock_wall_ms(&f->w->clock.clock);
		int64_t next = schedules_fire(f->s, now);

		while (end_job(f, &due)) {
			assert_true(due > last && due <= now);
			last = due;
			runs++;
		}
		if (next > until)
			break;
		clock_test_advance(&f->w->clock, next - now);
	}
	return runs;
}

static void a_year_of_days(void **state)
{
	struct fixture *f = *state;
	int64_t from = clock_wall_ms(&f->w->clock.clock);

	add_flow_text(f->w, "? 0 6 * * *", "America/New_York", "");
	read_again(f);
	assert_int_equal(run_until(f, from + 365 * DAY_MS), 365);
}

static void changed_hours_run_once(void **state)
{
	struct fixture *f = *state;

	/* 01:30 occurs twice on 5 November 2017, 02:30 never on 11 March 2018 */
	add_flow_text(f->w, "? 30 1,2 * * *", "America/New_York", "");
	read_again(f);
	int64_t from = clock_wall_ms(&f->w->clock.clock);

	assert_int_equal(run_until(f, from + 365 * DAY_MS), 365 * 2);
}

static void two_processes_take_an_instant_once(void **state)
{
	struct fixture *f = *state;
	struct engine other;

	add_flow_text(f->w, "? 0 * * * *", "UTC", "");
	engine_init(&other, f->w);
	struct schedules *s = schedules_new(&other);
	struct err err = ERR_INIT;
	int64_t due;
	unsigned runs = 0;

	read_again(f);
	assert_ok(schedules_read(s, &err));
	for (int hour = 0; hour < 48; hour++) {
		clock_test_advance(&f->w->clock, HOUR_MS);
		schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
		while (end_job(f, &due))
			runs++;
		schedules_fire(s, clock_wall_ms(&f->w->clock.clock));
		while (end_job(f, &due))
			runs++;
	}
	assert_int_equal(runs, 48);
	schedules_free(s);
	engine_end(&other);
}

static void missed_while_down_runs_once_for_the_latest(void **state)
{
	struct fixture *f = *state;
	int64_t due, now;

	add_flow_text(f->w, "? 0 * * * *", "UTC", "");
	read_again(f);
	assert_int_equal(run_until(f, clock_wall_ms(&f->w->clock.clock) + 3 * HOUR_MS), 3);
	clock_test_advance(&f->w->clock, 10 * HOUR_MS + 60000);
	read_again(f); /* the server starts */
	now = clock_wall_ms(&f->w->clock.clock);
	schedules_fire(f->s, now);
	assert_true(end_job(f, &due));
	assert_true(now - due < HOUR_MS && due % HOUR_MS == 0);
	assert_false(end_job(f, &due));
	schedules_fire(f->s, now);
	assert_false(end_job(f, &due));
}

static void a_clock_that_jumps_back_fires_nothing_twice(void **state)
{
	struct fixture *f = *state;
	int64_t due;

	add_flow_text(f->w, "? 0 * * * *", "UTC", "");
	read_again(f);
	assert_int_equal(run_until(f, clock_wall_ms(&f->w->clock.clock) + 5 * HOUR_MS), 5);
	clock_test_advance(&f->w->clock, -3 * HOUR_MS);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	read_again(f);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	assert_false(end_job(f, &due));
}

static void due_while_queued_is_one_run(void **state)
{
	struct fixture *f = *state;
	int64_t due;

	add_flow_text(f->w, "? 0 * * * *", "UTC", "");
	read_again(f);
	for (int i = 0; i < 5; i++) {
		clock_test_advance(&f->w->clock, HOUR_MS);
		schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	}
	assert_true(end_job(f, &due));
	assert_false(end_job(f, &due));
}

static void disabled_flows_and_changed_ones_miss_nothing(void **state)
{
	struct fixture *f = *state;
	struct resource_view v;
	int64_t due;
	struct str id = add_flow_text(f->w, "? 0 * * * *", "UTC", ",\"disabled\":true");

	read_again(f);
	clock_test_advance(&f->w->clock, 5 * HOUR_MS);
	assert_true(schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock)) == INT64_MAX);
	assert_true(resource_patch(f->w->r, STR(ACCOUNT), type_of(f->w, "flow"), id, 0,
		parse(f->w, STR("{\"disabled\":false}")), f->w->a, &v, &f->w->p));
	read_again(f);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	assert_false(end_job(f, &due)); /* what was due while it was off is not made up for */
	clock_test_advance(&f->w->clock, HOUR_MS);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	assert_true(end_job(f, &due));
}

static bool set_zone(struct store_conn *c, void *arg, struct err *err)
{
	return store_timezone_put(c, STR(ACCOUNT), arg, err);
}

static void the_accounts_zone_is_that_of_flows_without_one(void **state)
{
	struct fixture *f = *state;
	struct store_timezone zone = { STR_INIT("Asia/Tokyo"), clock_wall_ms(&f->w->clock.clock) };
	struct err err = ERR_INIT;
	struct resource_view v;
	int64_t due;
	struct str id = add_flow_text(f->w, "? 0 6 * * *", "UTC", "");

	assert_true(resource_patch(f->w->r, STR(ACCOUNT), type_of(f->w, "flow"), id, 0,
		parse(f->w, STR("{\"timezone\":null}")), f->w->a, &v, &f->w->p));
	assert_ok(store_write(f->w->store, set_zone, &zone, &err));
	read_again(f);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	clock_test_advance(&f->w->clock, DAY_MS);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	assert_true(end_job(f, &due));
	assert_int_equal(due % DAY_MS, 21 * HOUR_MS);
	/* another zone: what would have been due by it before it was set was not missed */
	zone = (struct store_timezone){ STR_NULL, clock_wall_ms(&f->w->clock.clock) };
	assert_ok(store_write(f->w->store, set_zone, &zone, &err));
	read_again(f);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	assert_false(end_job(f, &due));
	clock_test_advance(&f->w->clock, DAY_MS);
	schedules_fire(f->s, clock_wall_ms(&f->w->clock.clock));
	assert_true(end_job(f, &due));
	assert_int_equal(due % DAY_MS, 6 * HOUR_MS);
}

/* The timer must not go round and round while the disk is full. */
static void what_the_store_refuses_is_tried_again_later(void **state)
{
	struct fixture *f = *state;
	int64_t due;

	add_flow_text(f->w, "? 0 * * * *", "UTC", "");
	read_again(f);
	clock_test_advance(&f->w->clock, HOUR_MS);
	int64_t now = clock_wall_ms(&f->w->clock.clock);

	fault_arm(FAULT_CALL, FAULT_ONCE, 1);
	int64_t next = schedules_fire(f->s, now);

	fault_reset();
	assert_true(next > now && next <= now + 10000);
	assert_false(end_job(f, &due));
	clock_test_advance(&f->w->clock, next - now);
	schedules_fire(f->s, next);
	assert_true(end_job(f, &due));
}

#define SCHEDULE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_schedule, teardown_schedule)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHEDULE_TEST(a_year_of_days),
		SCHEDULE_TEST(changed_hours_run_once),
		SCHEDULE_TEST(two_processes_take_an_instant_once),
		SCHEDULE_TEST(missed_while_down_runs_once_for_the_latest),
		SCHEDULE_TEST(a_clock_that_jumps_back_fires_nothing_twice),
		SCHEDULE_TEST(due_while_queued_is_one_run),
		SCHEDULE_TEST(what_the_store_refuses_is_tried_again_later),
		SCHEDULE_TEST(disabled_flows_and_changed_ones_miss_nothing),
		SCHEDULE_TEST(the_accounts_zone_is_that_of_flows_without_one),
	};

	log_configure(LOG_TEXT, LOG_WARN, STDERR_FILENO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
