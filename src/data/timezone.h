/*
 * timezone.h - time zones by name: what the clocks of a place show at an instant, and back.
 *
 * The data are the system's TZif files (RFC 9636, versions 1 to 4, package tzdata); behind their
 * last transition the POSIX rule of their footer goes on for ever. Besides IANA names there are
 * "UTC" (also "Z") and fixed offsets "+02:00", "+0200", "+02".
 *
 * A zone is read once and kept for the life of the process, because resources name zones as long as
 * it runs; only names of files that exist and well-formed offsets are kept, so there is a bound on
 * their number. timezone_find() takes a lock and may read a file: call it when something is
 * compiled. A zone is read-only: any thread, no lock.
 *
 * Instants are milliseconds since 1970-01-01T00:00:00Z; local times are the same number with the
 * zone's offset added (the instant at which the clocks of UTC show that time).
 */
#ifndef DATA_TIMEZONE_H
#define DATA_TIMEZONE_H

#include "core/str.h"

#define TIMEZONE_NAME_MAX 64

struct zone;

/* ERR_INVALID: no such zone (with a hint), not a name; ERR_IO: no zone data on this machine. */
MUST_CHECK bool timezone_find(struct str name, const struct zone **out, struct err *err);
const struct zone *timezone_utc(void);
struct str timezone_name(const struct zone *z); /* as it was asked for first */

struct timezone_at {
	int32_t offset_s; /* east of Greenwich */
	bool dst;
	struct str abbr; /* "CEST"; "" for fixed offsets */
};
/* What is in force at an instant. A NULL zone is UTC, here and below. */
struct timezone_at timezone_at(const struct zone *z, int64_t ms);
/* The local time at an instant. */
int64_t timezone_local(const struct zone *z, int64_t ms);

enum timezone_fit {
	TIMEZONE_ONCE,  /* the usual case */
	TIMEZONE_GAP,   /* the clocks skip this time */
	TIMEZONE_TWICE, /* they show it twice */
};
/*
 * The instant of a local time. One that is skipped is moved forward by the length of the gap (02:30
 * becomes 03:30); of one that occurs twice the earlier instant is taken. FIT may be NULL.
 */
int64_t timezone_instant(const struct zone *z, int64_t local_ms, enum timezone_fit *fit);

/*
 * The first change of the offset after an instant, but not after UNTIL_MS: false when there is
 * none. *AT_MS is the first instant with the new offset.
 */
bool timezone_next_change(const struct zone *z, int64_t after_ms, int64_t until_ms, int64_t *at_ms);

/*
 * The offset that the zone has under an abbreviation of its own ("EST" in America/New_York), "UTC",
 * "GMT" or "Z"; false when it never had it.
 */
bool timezone_abbr_offset(const struct zone *z, struct str abbr, int32_t *offset_s);

#endif
