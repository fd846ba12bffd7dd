/*
 * timezone_priv.h - a zone in memory: the transitions of its file and the rule behind them.
 */
#ifndef DATA_TIMEZONE_PRIV_H
#define DATA_TIMEZONE_PRIV_H

#include "data/timezone.h"

/* A day of the year and a time of that day, by the local clock, when a POSIX rule changes. */
struct tz_date {
	enum { TZ_JULIAN /* 1..365, never 29 February */, TZ_DAY /* 0..365 */, TZ_WEEKDAY } kind;
	unsigned month, week, day; /* TZ_WEEKDAY: the week-th (5: last) day of the week; else day */
	int32_t time_s;            /* -167 to 167 hours */
};

struct tz_rule {
	struct timezone_at std, dst; /* dst.abbr.p NULL: one offset for ever */
	struct tz_date start, end;   /* of dst */
};

struct zone {
	struct arena *arena; /* its own; NULL for UTC */
	struct str name;
	size_t count; /* of transitions */
	int64_t *at;  /* seconds, ascending */
	uint8_t *to;  /* index into types */
	struct timezone_at *types;
	size_t type_count; /* at least 1; the first is in force before all transitions */
	bool has_rule;
	struct tz_rule rule;
};

#define TZIF_BYTES_MAX (256 * 1024)

/* Fills Z from the bytes of a TZif file; what it keeps is copied. ERR_INVALID says what is wrong. */
MUST_CHECK bool tzif_read(struct arena *a, struct str bytes, struct zone *z, struct err *err);

/* A POSIX TZ text with the extensions of RFC 9636, 3.3.1. */
MUST_CHECK bool tz_rule_read(struct arena *a, struct str text, struct tz_rule *rule);
const struct timezone_at *tz_rule_at(const struct tz_rule *r, int64_t s);
/* The rule's first change after S; false when it has none. */
bool tz_rule_next(const struct tz_rule *r, int64_t s, int64_t *at);

#endif
