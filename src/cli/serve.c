/*
 * serve.c - `integrator serve`: opens the store, starts engine and API, waits for a signal, drains.
 *
 * Signals are blocked in every thread and taken by sigwait, so that no code runs in a handler.
 */
#include <malloc.h>
#include <signal.h>

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "engine/recorder.h"
#include "cli/setup.h"
#include "core/log.h"
#include "net/http_client.h"
#include "net/url.h"

#define DRAIN_API_MS    10000
#define DRAIN_ENGINE_MS 10000
#define PEM_BYTES_MAX   (8 << 20)
#define HEAP_ARENAS     2 /* glibc makes eight a core; each keeps memory */

struct server {
	struct store *store;
	struct key_ring *keys;
	struct recorder *recorder;
	struct engine *engine;
	struct api *api;
	struct egress *egress;
	struct resources *resources;
};

static bool read_log_options(const struct options *o, struct err *err)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	struct str form = o->value[OPT_LOG], level = o->value[OPT_LOG_LEVEL],
		   access = o->value[OPT_ACCESS_LOG];

	if (!str_eq_z(form, "json") && !str_eq_z(form, "text"))
		return err_set(err, ERR_CONFIG, "--log is json or text, not \"%s\"", form.p);
	if (!str_eq_z(access, "on") && !str_eq_z(access, "off"))
		return err_set(err, ERR_CONFIG, "--access-log is on or off, not \"%s\"", access.p);
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (str_eq_z(level, levels[i])) {
			log_configure(str_eq_z(form, "json") ? LOG_JSON : LOG_TEXT,
				(enum log_level)i, 2);
			return true;
		}
	}
	return err_set(err, ERR_CONFIG, "--log-level is debug, info, warn or error, not \"%s\"",
		level.p);
}

static const char *file_option(const struct options *o, enum option i)
{
	return o->value[i].n == 0 ? NULL : o->value[i].p;
}

/* Is the file of option I, --NAME, there, and does it hold PEM? */
static bool check_file(struct arena *a, const struct options *o, enum option i, const char *name,
	struct err *err)
{
	const char *path = file_option(o, i);

	if (path == NULL)
		return true;
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_set_errno(err, ERR_CONFIG, errno, "--%s: can't read %s", name, path);
	if (!S_ISREG(st.st_mode) || st.st_size > PEM_BYTES_MAX)
		return err_set(err, ERR_CONFIG, "--%s: %s is no file of at most %d bytes", name,
			path, PEM_BYTES_MAX);
	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	ssize_t n = read(fd, text, (size_t)st.st_size);

	bool pem = n > 0 && str_find(str_of(text, (size_t)n), STR("-----BEGIN ")) != STR_NPOS;

	explicit_bzero(text, (size_t)st.st_size); /* it may be a key */
	if (!pem)
		return err_set(err, ERR_CONFIG,
			"--%s: %s is not in the form of PEM, which has "
			"lines \"-----BEGIN ...\"",
			name, path);
	return true;
}

/* Before anything is made: a start that can't succeed leaves nothing behind. */
static bool check_files(struct arena *a, const struct options *o, struct err *err)
{
	if ((file_option(o, OPT_TLS_CERT) == NULL) != (file_option(o, OPT_TLS_KEY) == NULL))
		return err_set(err, ERR_CONFIG, "--tls-cert and --tls-key go together");
	return check_file(a, o, OPT_TLS_CERT, "tls-cert", err) &&
	       check_file(a, o, OPT_TLS_KEY, "tls-key", err) &&
	       check_file(a, o, OPT_CA_FILE, "ca-file", err);
}

/* Scheme, host and port; a slash behind them is left out. */
static bool check_public_url(struct arena *a, struct str *url, struct err *err)
{
	struct url u;

	if (url->n == 0)
		return true;
	if (!url_parse(a, *url, &u, err))
		return err_wrap(err, "--public-url");
	if ((!str_eq_z(u.scheme, "http") && !str_eq_z(u.scheme, "https")) ||
		!str_eq_z(u.path, "/") || u.query.p != NULL || u.fragment.p != NULL)
		return err_set(err, ERR_CONFIG,
			"--public-url must be an http or https URL without a path, such as "
			"https://integrator.example.com");
	*url = url_origin(a, &u);
	return true;
}

static bool start(struct arena *a, const struct options *o, struct server *s, struct err *err)
{
	struct engine_config engine = { .clock = clock_system(),
		.rng = rng_system(),
		.ca_file = file_option(o, OPT_CA_FILE) };
	struct api_config api = { .listen = o->value[OPT_LISTEN],
		.clock = clock_system(),
		.rng = rng_system(),
		.tls_cert_file = file_option(o, OPT_TLS_CERT),
		.tls_key_file = file_option(o, OPT_TLS_KEY),
		.public_url = o->value[OPT_PUBLIC_URL],
		.access_log = str_eq_z(o->value[OPT_ACCESS_LOG], "on") };
	uint32_t workers = 0, timeout_s = 0, days = 0, mb = 0, trace_mb = 0;

	if (!option_rate(o->value[OPT_RATE_LIMIT], "rate-limit", &api.rate_bucket, &api.rate_refill,
		    err) ||
		!option_rate(o->value[OPT_LISTENER_RATE], "listener-rate", &api.listener_bucket,
			&api.listener_refill, err) ||
		!option_number(o->value[OPT_WORKERS], "workers", 1, 64, &workers, err) ||
		!option_number(o->value[OPT_TRACE_MB], "trace-mb", 0, 1048576, &trace_mb, err) ||
		!option_number(o->value[OPT_OUTBOUND_TIMEOUT], "outbound-timeout", 1, 3600,
			&timeout_s, err) ||
		!option_number(o->value[OPT_RETENTION_DAYS], "retention-days", 1, 3650, &days,
			err) ||
		!option_number(o->value[OPT_RETENTION_MB], "retention-mb", 0, 1000000000, &mb,
			err) ||
		!check_files(a, o, err) || !check_public_url(a, &api.public_url, err) ||
		!egress_new(a, o->value[OPT_EGRESS_ALLOW], &s->egress, err) ||
		!setup_store(a, o, true, &s->store, err) ||
		!setup_keys(a, o, s->store, &s->keys, err) ||
		!setup_first_run(a, o, s->store, err) ||
		!recorder_open(str_fmt(a, "%s/trace", option_z(o, OPT_DATA)).p,
			(uint64_t)trace_mb << 20, &s->recorder, err))
		return false;
	s->resources = resources_new(a, &(struct resources_config){ .store = s->store,
						.keys = s->keys,
						.clock = clock_system(),
						.rng = rng_system() });
	engine.store = api.store = s->store;
	engine.resources = api.resources = s->resources;
	engine.egress = s->egress;
	engine.workers = workers;
	engine.recorder = s->recorder;
	engine.outbound_timeout_ms = (int64_t)timeout_s * 1000;
	engine.kept_ms = (int64_t)days * 24 * 3600 * 1000;
	engine.evidence_max = (uint64_t)mb * 1000000;
	if (!engine_start(&engine, &s->engine, err))
		return false;
	api.engine = s->engine;
	return api_start(&api, &s->api, err);
}

static void stop(struct server *s)
{
	if (s->api != NULL)
		api_stop(s->api, DRAIN_API_MS);
	if (s->engine != NULL)
		engine_stop(s->engine, DRAIN_ENGINE_MS);
	recorder_close(s->recorder);
	if (s->store != NULL)
		store_close(s->store);
	if (s->keys != NULL)
		key_ring_wipe(s->keys);
	http_client_global_cleanup();
}

/* "127.0.0.1" of "127.0.0.1:0"; the port is the one that was taken. */
static void announce(const struct options *o, const struct server *s)
{
	struct str listen = o->value[OPT_LISTEN];
	size_t colon = listen.n;

	while (colon > 0 && listen.p[colon - 1] != ':')
		colon--;
	struct str host = str_sub(listen, 0, colon > 0 ? colon - 1 : 0);

	printf("integrator %s listening on %s://%.*s:%u\n", INTEGRATOR_VERSION,
		o->value[OPT_TLS_CERT].n > 0 ? "https" : "http", host.n == 0 ? 9 : (int)host.n,
		host.n == 0 ? "localhost" : host.p, api_port(s->api));
	fflush(stdout);
}

int command_serve(struct arena *a, const struct options *o)
{
	struct server s = { 0 };
	struct err err = ERR_INIT;
	sigset_t signals;
	int sig;

	mallopt(M_ARENA_MAX, HEAP_ARENAS);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file over its limit is an error of the write, not our end */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	http_client_global_init();
	if (!read_log_options(o, &err) || !start(a, o, &s, &err)) {
		stop(&s);
		return cli_fail(&err);
	}
	announce(o, &s);
	sigwait(&signals, &sig);
	LOG(LOG_INFO, "server.draining", LOG_Z("signal", sig == SIGTERM ? "SIGTERM" : "SIGINT"));
	stop(&s);
	LOG(LOG_INFO, "server.stopped", LOG_Z("signal", sig == SIGTERM ? "SIGTERM" : "SIGINT"));
	return EXIT_DONE;
}
