/*
 * options.h - every option of the program is one row of one table.
 *
 * A value comes, in rising precedence, from the table's default, the file integrator.conf (or
 * --config FILE), the environment (INTEGRATOR_LISTEN for --listen) and the command line. The table
 * also prints --help and docs/reference/options.md.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "core/buf.h"

/* X(symbol, name, placeholder, default, words) */
/* clang-format off */
#define OPTION_TABLE(X) \
	X(OPT_LISTEN, "listen", "ADDR:PORT", "127.0.0.1:8080", "Where the API listens. Port 0 takes a free one.") \
	X(OPT_DATA, "data", "DIR", "./data", "The data directory; made when it is absent.") \
	X(OPT_KEY, "key", "FILE", "", "The key that seals secrets; made when it is absent. Default: DIR.key, beside the data directory.") \
	X(OPT_EGRESS_ALLOW, "egress-allow", "CIDR[,CIDR]", "", "What flows may reach besides the public internet, such as 10.1.0.0/16.") \
	X(OPT_LOG, "log", "json|text", "text", "The form of the log on standard error.") \
	X(OPT_LOG_LEVEL, "log-level", "LEVEL", "info", "debug, info, warn or error.") \
	X(OPT_ACCESS_LOG, "access-log", "on|off", "on", "One log line a request.") \
	X(OPT_WORKERS, "workers", "N", "4", "Jobs that run at once, 1 to 64.") \
	X(OPT_OUTBOUND_TIMEOUT, "outbound-timeout", "SECONDS", "60", "How long one request to an application may take, all in all, 1 to 3600.") \
	X(OPT_RATE_LIMIT, "rate-limit", "BUCKET,REFILL", "100,30", "Requests of a token at once, and then a second.") \
	X(OPT_RETENTION_DAYS, "retention-days", "DAYS", "30", "How long jobs with their errors and retry data are kept, 1 to 3650. Counts for jobs made from then on.") \
	X(OPT_RETENTION_MB, "retention-mb", "MB", "0", "How much retry data, requests and answers of errors may be kept; over it the oldest go, resolved errors' first. 0: any amount.") \
	X(OPT_TRACE_MB, "trace-mb", "N", "256", "How many megabytes of the ways of records are kept for GET /v1/records, 0 to 1048576; 0 keeps none.") \
	X(OPT_LISTENER_RATE, "listener-rate", "BUCKET,REFILL", "10000,2000", "Events of a listener at once, and then a second.") \
	X(OPT_TLS_CERT, "tls-cert", "FILE", "", "PEM certificate chain: the API speaks HTTPS.") \
	X(OPT_TLS_KEY, "tls-key", "FILE", "", "PEM key of the certificate.") \
	X(OPT_PUBLIC_URL, "public-url", "URL", "", "How browsers reach this server, such as https://integrator.example.com: applications send users back there (OAuth 2.0). Default: what the request for it was sent to.") \
	X(OPT_CA_FILE, "ca-file", "FILE", "", "PEM bundle to trust for outbound TLS, in place of the system's.")
/* clang-format on */

enum option {
#define X(sym, name, placeholder, def, words) sym,
	OPTION_TABLE(X)
#undef X
		OPT_COUNT
};

struct options {
	struct str value[OPT_COUNT];   /* NUL-terminated */
	const char *origin[OPT_COUNT]; /* "default", "file", "environment", "command line" */
	struct str rest[8];            /* arguments that are no options */
	size_t rest_count;
	struct str account; /* --account NAME of administrative commands; "default" */
};

/* ARGV without program and command. ERR_CONFIG (file, environment, value), ERR_QUERY (usage). */
MUST_CHECK bool options_read(struct arena *a, int argc, char **argv, struct options *out,
	struct err *err);
/* The value S of --NAME as a number from MIN to MAX. ERR_CONFIG. */
MUST_CHECK bool option_number(struct str s, const char *name, uint32_t min, uint32_t max,
	uint32_t *out, struct err *err);
/* BUCKET,REFILL of a rate limit, --NAME. ERR_CONFIG. */
MUST_CHECK bool option_rate(struct str s, const char *name, uint32_t *bucket, uint32_t *refill,
	struct err *err);
/* ALL, or those that administrative commands heed. */
void options_help(struct buf *out, bool all);
void options_markdown(struct buf *out);
static inline const char *option_z(const struct options *o, enum option i)
{
	return o->value[i].p;
}

#endif
