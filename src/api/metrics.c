/*
 * metrics.c - counters per route and class of status, a latency histogram, and what the other
 * modules count, in the Prometheus text format.
 */
#include "api/watch_priv.h"

#include <unistd.h>

#include "core/log.h"

#define CLASSES 6 /* 1xx to 5xx; 0 is none */

static const int64_t bounds_us[] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 1000000, 5000000 };

struct metrics {
	_Atomic uint64_t (*requests)[CLASSES]; /* per route, and one more for none */
	_Atomic uint64_t histogram[ARRAY_LEN(bounds_us) + 1];
	_Atomic uint64_t us_total;
};

struct metrics *metrics_new(struct arena *a)
{
	struct metrics *m = arena_new_of(a, struct metrics);

	m->requests = arena_zalloc(a, sizeof(*m->requests) * (route_count + 1));
	return m;
}

void metrics_request(struct metrics *m, const struct route *route, int status, int64_t took_us)
{
	size_t i = route == NULL ? route_count : (size_t)(route - routes), b = 0;
	size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 0;

	atomic_fetch_add_explicit(&m->requests[i][class], 1, memory_order_relaxed);
	while (b < ARRAY_LEN(bounds_us) && took_us > bounds_us[b])
		b++;
	atomic_fetch_add_explicit(&m->histogram[b], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->us_total, (uint64_t)took_us, memory_order_relaxed);
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_add_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, uint64_t v)
{
	head(out, name, type, help);
	buf_add_fmt(out, "%s %llu\n", name, (unsigned long long)v);
}

static void print_requests(const struct metrics *m, struct buf *out)
{
	head(out, "integrator_http_requests_total", "counter",
		"Requests by route and class of status.");
	for (size_t i = 0; i <= route_count; i++) {
		for (size_t k = 0; k < CLASSES; k++) {
			uint64_t n = atomic_load(&m->requests[i][k]);

			if (n > 0)
				buf_add_fmt(out,
					"integrator_http_requests_total{method=\"%s\",route=\"%s\","
					"status=\"%zuxx\"} %llu\n",
					i < route_count ? http_method_name(routes[i].method) : "",
					i < route_count ? routes[i].pattern : "none", k,
					(unsigned long long)n);
		}
	}
}

static void print_latency(const struct metrics *m, struct buf *out)
{
	const char *name = "integrator_http_request_duration_seconds";
	uint64_t sum = 0;

	head(out, name, "histogram",
		"From a request's first byte to its response's hand-over to the socket.");
	for (size_t i = 0; i <= ARRAY_LEN(bounds_us); i++) {
		sum += atomic_load(&m->histogram[i]);
		if (i < ARRAY_LEN(bounds_us))
			buf_add_fmt(out, "%s_bucket{le=\"%g\"} %llu\n", name,
				(double)bounds_us[i] / 1e6, (unsigned long long)sum);
	}
	buf_add_fmt(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %g\n%s_count %llu\n", name,
		(unsigned long long)sum, name, (double)atomic_load(&m->us_total) / 1e6, name,
		(unsigned long long)sum);
}

static void print_store(struct store *store, struct buf *out)
{
	struct store_stats s;
	struct err err = ERR_INIT;

	store_stats(store, &s);
	one(out, "integrator_store_commits_total", "counter", "Commits, each one fsync.",
		s.commits);
	one(out, "integrator_store_writes_total", "counter", "Units of work in them.", s.writes);
	one(out, "integrator_store_write_failures_total", "counter", "Units that failed.",
		s.failed_writes);
	one(out, "integrator_store_queue_depth", "gauge", "Units that wait for the writer.",
		s.queue_depth);
	one(out, "integrator_store_database_bytes", "gauge", "Size of the database.",
		s.database_bytes);
	one(out, "integrator_store_log_bytes", "gauge", "Size of its write-ahead log.",
		s.log_bytes);
	one(out, "integrator_store_healthy", "gauge", "0 after a failed commit.",
		store_healthy(store, &err));
	head(out, "integrator_store_commit_seconds_total", "counter", "Time spent in commits.");
	buf_add_fmt(out, "integrator_store_commit_seconds_total %g\n",
		(double)s.commit_us_total / 1e6);
}

static void print_engine(struct engine *e, struct buf *out)
{
	struct engine_stats s;

	engine_stats(e, &s);
	one(out, "integrator_jobs_running", "gauge", "Jobs in work.", s.jobs_running);
	one(out, "integrator_jobs_completed_total", "counter", "Jobs that completed.",
		s.jobs_completed);
	one(out, "integrator_jobs_failed_total", "counter", "Jobs that failed.", s.jobs_failed);
	one(out, "integrator_pages_total", "counter", "Pages imported.", s.pages);
	one(out, "integrator_records_total", "counter", "Records imported, whatever their result.",
		s.records);
	one(out, "integrator_records_failed_total", "counter", "Records that failed.",
		s.records_failed);
}

static void print_server(const struct http_server *server, struct buf *out)
{
	struct http_server_stats s;

	http_server_stats(server, &s);
	one(out, "integrator_http_connections", "gauge", "Open client connections.",
		s.connections_open);
	one(out, "integrator_http_connections_total", "counter", "Accepted client connections.",
		s.connections_accepted);
	one(out, "integrator_http_connections_refused_total", "counter",
		"Refused for the limit on connections.", s.connections_refused);
	one(out, "integrator_http_refused_total", "counter", "Requests refused before routing.",
		s.refused);
	one(out, "integrator_http_timeouts_total", "counter", "Connections that met a deadline.",
		s.timeouts);
	one(out, "integrator_http_received_bytes_total", "counter", "Bytes received.", s.bytes_in);
	one(out, "integrator_http_sent_bytes_total", "counter", "Bytes sent.", s.bytes_out);
}

/* Resident pages, the second number of /proc/self/statm. */
static uint64_t resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void metrics_print(struct api *api, struct buf *out)
{
	head(out, "integrator_build_info", "gauge", "The version that runs.");
	buf_add_fmt(out, "integrator_build_info{version=\"%s\"} 1\n", INTEGRATOR_VERSION);
	print_requests(api->metrics, out);
	print_latency(api->metrics, out);
	print_server(api->server, out);
	print_store(api->cfg.store, out);
	print_engine(api->cfg.engine, out);
	one(out, "integrator_log_dropped_total", "counter", "Log lines that could not be written.",
		log_dropped());
	one(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
}
