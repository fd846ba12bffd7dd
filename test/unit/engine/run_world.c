/*
 * run_world.c - the application answers on the server's own threads; the child asks the store every
 * millisecond how its job stands.
 */
#include "run_world.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "core/log.h"

#define CHILD_WAIT_MS 60000
#define LEASE_LONG_MS 30000 /* does not end because a machine is slow */
#define LEASE_ONCE_MS 600   /* the engine goes on when it has ended */
#define LEASE_LAST_MS 150   /* nothing goes on: it is waited for */
#define BUSY          3000  /* operations that nobody does in two leases who waits between them */

/* ---- the application ---- */

static void answer(struct http_exchange *x, int status, struct str body)
{
	x->status = status;
	x->res_body = body;
	http_response_header(x, STR("Content-Type"), STR("application/json"));
}

static void give_page(struct http_exchange *x)
{
	struct str after = http_request_query(x, STR("after"));
	struct buf b = BUF_INIT(0);
	uint64_t from = 0;

	if (after.p != NULL)
		CHECK(str_to_u64(after, &from));
	BUF_ADD_LIT(&b, "{\"items\":[");
	for (uint64_t i = from; i < from + SOURCE_PAGE; i++)
		buf_add_fmt(&b, "%s{\"id\":\"r%llu\",\"n\":%llu}", i > from ? "," : "",
			(unsigned long long)i, (unsigned long long)i);
	BUF_ADD_LIT(&b, "],\"next\":");
	if (from + SOURCE_PAGE < RECORDS)
		buf_add_fmt(&b, "\"/items?after=%llu\"}", (unsigned long long)from + SOURCE_PAGE);
	else
		BUF_ADD_LIT(&b, "null}");
	answer(x, 200, str_dup(x->arena, buf_str(&b)));
	buf_free(&b);
}

static void wrong(struct application *app, const char *what, struct str key)
{
	if (app->wrong.p == NULL)
		app->wrong = str_fmt(app->arena, "%s, key %.*s", what, STR_ARG(key));
}

static bool is_refused(struct str path, struct str body)
{
	struct arena *a DEFER(arena_freep) = arena_new("body", 0);
	struct err err = ERR_INIT;
	const struct json *doc;
	int64_t n;

	return str_eq_z(path, "/one") && json_parse_copy(a, body, &doc, &err) &&
	       json_to_i64(json_get(doc, STR("n")), &n) && n % REFUSED == 0;
}

static void note(struct application *app, const struct http_exchange *x, bool refused)
{
	struct str key = http_request_header(x, STR("Idempotency-Key"));
	struct str body = str_of(x->body, x->body_bytes);

	WITH_LOCK(&app->lock);
	if (key.p == NULL) {
		wrong(app, "a record came without a key", STR(""));
		return;
	}
	struct arrival *s = map_get(app->arrivals, key);

	if (s == NULL) {
		s = arena_new_of(app->arena, struct arrival);
		*s = (struct arrival){ .key = str_dup(app->arena, key),
			.body = str_dup(app->arena, body),
			.refused = refused,
			.next = app->list };
		app->list = s;
		map_put(app->arrivals, s->key, s);
	} else if (!str_eq(s->body, body)) {
		wrong(app, "a repeat has other bytes", key);
	} else if (s->life == app->life && !app->repeats) {
		wrong(app, "a repeat without a fault between", key);
	}
	s->count++;
	s->life = app->life;
}

static enum http_verdict take(void *ctx, struct http_exchange *x)
{
	struct application *app = ctx;

	if (x->method == HTTP_GET) {
		give_page(x);
		return HTTP_DONE;
	}
	bool refused = is_refused(x->path, str_of(x->body, x->body_bytes));

	note(app, x, refused);
	answer(x, refused ? 422 : 201, STR("{}"));
	return HTTP_DONE;
}

void application_start(struct application *app, struct arena *a)
{
	struct http_server_config cfg = { .listen = STR("127.0.0.1:0"),
		.loops = 1,
		.handlers = { .request = take, .ctx = app } };
	struct err err;

	*app = (struct application){ .life = 1 };
	mutex_init(&app->lock);
	assert_ok(http_server_start(&cfg, &app->server, &err));
	app->base = str_fmt(a, "http://127.0.0.1:%u", http_server_port(app->server));
	application_reset(app);
}

void application_stop(struct application *app)
{
	http_server_free(app->server);
	arena_free(app->arena);
	mutex_destroy(&app->lock);
}

void application_reset(struct application *app)
{
	WITH_LOCK(&app->lock);
	if (app->arena != NULL)
		arena_free(app->arena);
	app->arena = arena_new("application", 0);
	app->arrivals = map_new(app->arena);
	app->list = NULL;
	app->wrong = STR_NULL;
	app->life = 1;
}

/* Until what a dead engine has sent is noted as its own. */
static void settle(struct application *app)
{
	int64_t until = clock_mono_ms(clock_system()) + CHILD_WAIT_MS;
	struct http_server_stats stats;

	do {
		http_server_stats(app->server, &stats);
		if (stats.connections_open == 0)
			return;
		(void)poll(NULL, 0, 1);
	} while (clock_mono_ms(clock_system()) < until);
	fail_msg("the application's connections are open still");
}

void application_next_life(struct application *app)
{
	settle(app);
	WITH_LOCK(&app->lock);
	app->life++;
}

void application_take_repeats(struct application *app, bool on)
{
	WITH_LOCK(&app->lock);
	app->repeats = on;
}

/* ---- the flow ---- */

struct queueing {
	struct engine *e;
	struct arena *a;
	struct queue_request q;
	struct str job_id;
};

static bool queue_write(struct store_conn *c, void *arg, struct err *err)
{
	struct queueing *q = arg;

	return engine_queue(q->e, c, q->a, &q->q, &q->job_id, err);
}

static struct str queue_run(struct world *w, const struct resource_view *flow)
{
	struct engine e = {
		.cfg = { .clock = clock_system(), .rng = rng_system(), .kept_ms = JOB_KEPT_MS }
	};
	struct queueing q = { .e = &e,
		.a = w->a,
		.q = { STR(ACCOUNT), flow->id, STR("test"), parse(w, flow->json), 0 } };
	struct err err;

	assert_ok(store_write(w->store, queue_write, &q, &err));
	return q.job_id;
}

struct str run_world_make(struct world *w, const struct application *app)
{
	struct resource_view conn = create_fmt(w, "connection",
		"{\"name\":\"app\",\"type\":\"rest\",\"rest\":{\"baseURI\":\"%.*s\","
		"\"mediaType\":\"json\",\"concurrencyLevel\":4}}",
		STR_ARG(app->base));
	struct resource_view exp = create_fmt(w, "export",
		"{\"name\":\"source\",\"_connectionId\":\"%.*s\",\"pageSize\":20,"
		"\"rest\":{\"relativeURI\":\"/"
		"items\",\"method\":\"GET\",\"resourcePath\":\"items\","
		"\"pagingMethod\":\"nextpageurl\",\"nextPagePath\":\"next\"}}",
		STR_ARG(conn.id));
	struct resource_view imp[STEPS];
	static const char *const paths[STEPS] = { "/one", "/two" };

	for (size_t i = 0; i < STEPS; i++)
		imp[i] = create_fmt(w, "import",
			"{\"name\":\"%s\",\"_connectionId\":\"%.*s\",\"rest\":{\"relativeURI\":\"%"
			"s\","
			"\"method\":\"POST\"},\"mapping\":{\"fields\":[{\"extract\":\"id\","
			"\"generate\":\"id\"},{\"extract\":\"n\",\"generate\":\"n\"}]}}",
			paths[i], STR_ARG(conn.id), paths[i]);
	struct resource_view flow = create_fmt(w, "flow",
		"{\"name\":\"flow\",\"_exportId\":\"%.*s\",\"pageProcessors\":["
		"{\"_importId\":\"%.*s\"},{\"_importId\":\"%.*s\"}]}",
		STR_ARG(exp.id), STR_ARG(imp[0].id), STR_ARG(imp[1].id));

	return queue_run(w, &flow);
}

static void copy_file(const char *from, const char *to)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	unlink(to);
	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	while ((n = read(in, block, sizeof(block))) > 0)
		assert_int_equal(write(out, block, (size_t)n), n);
	assert_int_equal(n, 0);
	close(in);
	close(out);
}

void run_world_copy(const char *from, const char *to)
{
	static const char *const files[] = { "integrator.db", "integrator.db-wal",
		"integrator.db-shm", "key" };
	char a[128], b[128];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(a, sizeof(a), "%s/%s", from, files[i]);
		snprintf(b, sizeof(b), "%s/%s", to, files[i]);
		copy_file(a, b);
	}
}

/* ---- the child ---- */

static int64_t lease_ms(enum fault_action action)
{
	switch (action) {
	case FAULT_ONCE:
		return LEASE_ONCE_MS;
	case FAULT_FOR_EVER:
		return LEASE_LAST_MS;
	default:
		return LEASE_LONG_MS;
	}
}

struct running {
	struct arena *a;
	struct store *store;
	struct engine *engine;
	struct egress *egress;
};

static bool begin(struct running *r, const char *dir, int64_t lease, struct err *err)
{
	const struct store_config sc = { .dir = dir, .clock = clock_system(), .rng = rng_system() };
	struct key_ring *keys;

	r->a = arena_new("child", 0);
	if (!egress_new(r->a, STR("127.0.0.0/8"), &r->egress, err) ||
		!key_ring_load(r->a, str_fmt(r->a, "%s/key", dir).p, false, rng_system(), &keys,
			err) ||
		!store_open(&sc, &r->store, err))
		return false;
	struct engine_config cfg = { .store = r->store,
		.egress = r->egress,
		.clock = clock_system(),
		.rng = rng_system(),
		.workers = 2,
		.lease_ms = lease };

	cfg.resources = resources_new(r->a,
		&(struct resources_config){ r->store, keys, clock_system(), rng_system() });
	return engine_start(&cfg, &r->engine, err);
}

static bool has_ended(struct running *r, struct str job_id)
{
	struct arena *a DEFER(arena_freep) = arena_new("look", 0);
	struct store_conn *c DEFER(store_read_endp) = NULL;
	struct store_job j;
	struct err err = ERR_INIT;

	return store_read_begin(r->store, &c, &err) &&
	       store_job_get(c, a, STR(ACCOUNT), job_id, &j, &err) && j.ended_ms != 0;
}

/* More than N operations since SINCE_MS of somebody who waits between them? */
static bool is_busy(enum fault_point p, uint64_t n, int64_t since_ms)
{
	int64_t leases = 1 + (clock_mono_ms(clock_system()) - since_ms) / (2 * LEASE_LAST_MS);

	return fault_count(p) > n + (uint64_t)leases * BUSY;
}

static int wait_for(struct running *r, struct str job_id, enum fault_point p,
	enum fault_action action, uint64_t n)
{
	int64_t began = clock_mono_ms(clock_system());
	struct err err = ERR_INIT;
	struct engine_stats stats;
	unsigned idle = 0; /* looks at which nothing was in work, between attempts too */

	while (clock_mono_ms(clock_system()) < began + CHILD_WAIT_MS) {
		engine_stats(r->engine, &stats);
		if (has_ended(r, job_id))
			return action != FAULT_OFF && fault_count(p) < n ? CHILD_UNHARMED
									 : CHILD_ENDED;
		if (!store_healthy(r->store, &err))
			return CHILD_SICK;
		idle += stats.jobs_running == 0 && fault_count(p) >= n;
		if (action == FAULT_FOR_EVER && idle > 2 * LEASE_LAST_MS)
			return is_busy(p, n, began) ? CHILD_BUSY : CHILD_GAVE_UP;
		(void)poll(NULL, 0, 1);
	}
	return CHILD_STUCK;
}

int child_main(char **argv)
{
	struct running r = { .store = NULL };
	enum fault_point p = (enum fault_point)strtol(argv[2], NULL, 10);
	enum fault_action action = (enum fault_action)strtol(argv[3], NULL, 10);
	uint64_t n = strtoull(argv[4], NULL, 10);
	struct err err = ERR_INIT;
	int end = CHILD_NO_START, log = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (getenv("RUN_WORLD_LOG") != NULL)
		log = STDERR_FILENO;

	log_configure(LOG_TEXT, LOG_INFO, log);
	http_client_global_init();
	if (action != FAULT_OFF)
		fault_arm(p, action, n);
	if (begin(&r, argv[0], lease_ms(action), &err)) {
		end = wait_for(&r, str_z(argv[1]), p, action, n);
		engine_stop(r.engine, 1000);
	} else if (action == FAULT_OFF) {
		fprintf(stderr, "%s\n", err.message);
	}
	if (r.store != NULL)
		store_close(r.store);
	arena_free(r.a);
	http_client_global_cleanup();
	return end;
}

int child_run(const char *dir, struct str job_id, enum fault_point p, enum fault_action action,
	uint64_t n)
{
	char job[ID_LEN + 1], point[16], what[16], at[24], where[128];
	char program[] = "/proc/self/exe", word[] = "child";
	char *argv[] = { program, word, where, job, point, what, at, NULL };
	int status = 0;
	pid_t pid;

	snprintf(where, sizeof(where), "%s", dir);
	snprintf(job, sizeof(job), "%.*s", STR_ARG(job_id));
	snprintf(point, sizeof(point), "%d", (int)p);
	snprintf(what, sizeof(what), "%d", (int)action);
	snprintf(at, sizeof(at), "%llu", (unsigned long long)n);
	pid = fork();
	if (pid == 0) {
		execv(program, argv);
		_exit(99);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return CHILD_KILLED;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > CHILD_BUSY ||
		(WEXITSTATUS(status) > CHILD_ENDED && WEXITSTATUS(status) < CHILD_NO_START))
		fail_msg("the child crashed: status %x", (unsigned)status);
	return WEXITSTATUS(status);
}
