/*
 * timezone.c - the cache of zones, and the walks over their transitions.
 *
 * The cache is of the process, as the C library's own zone is: the data are the machine's, and equal
 * for everybody who asks. A zone is loaded outside of the lock; of two that load the same one the
 * second throws its copy away.
 */
#include "data/timezone_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/map.h"
#include "core/thread.h"

#define ZONEINFO "/usr/share/zoneinfo"
/* An offset is at most 26 hours, so a local time lies this near to its instant. */
#define NEAR_MS (INT64_C(27) * 3600 * 1000)

static const char hint[] = "an IANA name such as Europe/Berlin, UTC, or an offset such as +02:00";

static struct timezone_at utc_type = { .abbr = STR_INIT("UTC") };
static const struct zone utc = { .name = STR_INIT("UTC"), .types = &utc_type, .type_count = 1 };

const struct zone *timezone_utc(void)
{
	return &utc;
}

struct str timezone_name(const struct zone *z)
{
	return z == NULL ? utc.name : z->name;
}

/* ---- names ---- */

/* Letters, digits, '_', '+', '-' in parts between slashes: nothing that leaves the directory. */
static bool is_name(struct str s)
{
	struct str rest = s;

	if (s.n == 0 || s.n > TIMEZONE_NAME_MAX || (unsigned)((s.p[0] | 0x20) - 'a') >= 26)
		return false;
	while (rest.p != NULL) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0)
			return false;
		for (size_t i = 0; i < part.n; i++)
			if ((unsigned)((part.p[i] | 0x20) - 'a') >= 26 &&
				(unsigned)(part.p[i] - '0') >= 10 && part.p[i] != '_' &&
				part.p[i] != '+' && part.p[i] != '-')
				return false;
	}
	return true;
}

/* Files of the directory that are not names of zones: the host's own, other ways to count. */
static bool is_reserved(struct str s)
{
	return str_eq_z(s, "localtime") || str_eq_z(s, "posixrules") || str_eq_z(s, "Factory") ||
	       str_starts(s, STR("posix/")) || str_starts(s, STR("right/"));
}

static bool two_digits(struct str s, size_t at, int32_t *out)
{
	if (at + 2 > s.n || (unsigned)(s.p[at] - '0') > 9 || (unsigned)(s.p[at + 1] - '0') > 9)
		return false;
	*out = (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
	return true;
}

/* +hh, +hhmm, +hh:mm */
static bool is_offset(struct str s, int32_t *offset_s)
{
	int32_t h, m = 0;
	size_t colon = s.n > 3 && s.p[3] == ':';

	if (s.n < 3 || (s.p[0] != '+' && s.p[0] != '-') || !two_digits(s, 1, &h) ||
		(s.n > 3 && (!two_digits(s, 3 + colon, &m) || s.n != 5 + colon)) || h > 23 ||
		m > 59)
		return false;
	*offset_s = (h * 3600 + m * 60) * (s.p[0] == '-' ? -1 : 1);
	return true;
}

/* ---- loading ---- */

static bool read_file(int fd, char *bytes, size_t *n)
{
	ssize_t got;

	for (*n = 0; *n < TZIF_BYTES_MAX; *n += (size_t)got) {
		got = read(fd, bytes + *n, TZIF_BYTES_MAX - *n);
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		got = MAX(got, 0);
	}
	return false;
}

static bool fail_unknown(struct str name, struct err *err)
{
	if (access(ZONEINFO, R_OK) != 0)
		return err_set(err, ERR_IO, "the time zone data (package tzdata) are not at %s",
			ZONEINFO);
	err_set(err, ERR_INVALID, "there is no time zone named \"%.*s\"",
		STR_ARG(str_sub(name, 0, TIMEZONE_NAME_MAX)));
	return err_hint(err, "%s", hint);
}

static bool load_file(struct arena *a, struct str name, struct zone *z, struct err *err)
{
	const char *path = str_fmt(a, "%s/%.*s", ZONEINFO, STR_ARG(name)).p;
	int fd DEFER(fd_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t n;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail_unknown(name, err);
	struct arena *scratch DEFER(arena_freep) = arena_new("time zone file", 0);
	char *bytes = arena_alloc(scratch, TZIF_BYTES_MAX);

	if (!read_file(fd, bytes, &n))
		return err_set(err, ERR_IO, "the data of time zone \"%.*s\" can't be read",
			STR_ARG(name));
	return tzif_read(a, str_of(bytes, n), z, err) ||
	       err_wrap(err, "the data of time zone \"%.*s\"", STR_ARG(name));
}

static bool load(struct str name, struct zone **out, struct err *err)
{
	struct arena *a DEFER(arena_freep) = arena_new("time zone", 0);
	struct zone *z = arena_new_of(a, struct zone);
	int32_t offset_s;

	z->name = str_dup(a, name);
	if (is_offset(name, &offset_s)) {
		z->types = arena_new_of(a, struct timezone_at);
		z->type_count = 1;
		z->types->offset_s = offset_s;
		z->types->abbr = STR("");
	} else if (!is_name(name) || is_reserved(name)) {
		return fail_unknown(name, err);
	} else if (!load_file(a, name, z, err)) {
		return false;
	}
	z->arena = a;
	a = NULL;
	*out = z;
	return true;
}

/* ---- the cache ---- */

static struct {
	struct mutex lock;
	struct arena *arena;
	struct map *zones; /* by name */
} cache = { .lock = { PTHREAD_MUTEX_INITIALIZER } };

static struct zone *cache_get(struct str name)
{
	WITH_LOCK(&cache.lock);
	return cache.zones == NULL ? NULL : map_get(cache.zones, name);
}

/* Keeps Z, unless another thread was faster: returns the one that is kept. */
static struct zone *cache_put(struct zone *z)
{
	WITH_LOCK(&cache.lock);
	if (cache.zones == NULL) {
		cache.arena = arena_new("time zones", 0);
		cache.zones = map_new(cache.arena);
	}
	struct zone *there = map_get(cache.zones, z->name);

	if (there == NULL) {
		map_put(cache.zones, z->name, z);
		return z;
	}
	arena_free(z->arena);
	return there;
}

bool timezone_find(struct str name, const struct zone **out, struct err *err)
{
	struct zone *z;

	if (str_eq_z(name, "UTC") || str_eq_z(name, "Z")) {
		*out = &utc;
		return true;
	}
	z = cache_get(name);
	if (z == NULL) {
		if (!load(name, &z, err))
			return false;
		z = cache_put(z);
	}
	*out = z;
	return true;
}

/* ---- instants ---- */

static int64_t seconds(int64_t ms)
{
	return (ms >= 0 ? ms : ms - 999) / 1000;
}

/* How many transitions are at or before S. */
static size_t behind(const struct zone *z, int64_t s)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->at[mid] <= s)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct timezone_at *at_s(const struct zone *z, int64_t s)
{
	size_t i = behind(z, s);

	if (i == z->count && z->has_rule)
		return tz_rule_at(&z->rule, s);
	return &z->types[i == 0 ? 0 : z->to[i - 1]];
}

struct timezone_at timezone_at(const struct zone *z, int64_t ms)
{
	return *at_s(z == NULL ? &utc : z, seconds(ms));
}

int64_t timezone_local(const struct zone *z, int64_t ms)
{
	return z == NULL ? ms : ms + INT64_C(1000) * at_s(z, seconds(ms))->offset_s;
}

/* The next moment after S when anything changes. */
static bool next_transition(const struct zone *z, int64_t s, int64_t *at)
{
	size_t i = behind(z, s);

	if (i < z->count) {
		*at = z->at[i];
		return true;
	}
	return z->has_rule && tz_rule_next(&z->rule, s, at);
}

bool timezone_next_change(const struct zone *z, int64_t after_ms, int64_t until_ms, int64_t *at_ms)
{
	int64_t s = seconds(after_ms), at;

	if (z == NULL)
		return false;
	while (next_transition(z, s, &at) && at * 1000 <= until_ms) {
		if (at_s(z, at - 1)->offset_s != at_s(z, at)->offset_s) {
			*at_ms = at * 1000;
			return true;
		}
		s = at;
	}
	return false;
}

int64_t timezone_instant(const struct zone *z, int64_t local_ms, enum timezone_fit *fit)
{
	int64_t from = local_ms - NEAR_MS, until = local_ms + NEAR_MS, change = 0,
		result = local_ms;
	size_t found = 0;
	bool more = true, gap = false;

	if (z == NULL)
		z = &utc;
	/* stretches of one offset, [from, change) each, earliest first */
	while (more && found < 2) {
		int64_t offset = INT64_C(1000) * at_s(z, seconds(from))->offset_s;
		int64_t instant = local_ms - offset;

		more = timezone_next_change(z, from, until, &change);
		if (instant >= from && (!more || instant < change)) {
			if (found++ == 0)
				result = instant;
		} else if (more && found == 0 && !gap && instant >= change) {
			int64_t next = INT64_C(1000) * at_s(z, seconds(change))->offset_s;

			gap = local_ms < change + next;
			result = gap ? instant : result;
		}
		from = change;
	}
	if (fit != NULL)
		*fit = found == 0 ? TIMEZONE_GAP : found == 1 ? TIMEZONE_ONCE : TIMEZONE_TWICE;
	return result;
}

bool timezone_abbr_offset(const struct zone *z, struct str abbr, int32_t *offset_s)
{
	const struct timezone_at *t = NULL;

	if (abbr.n == 0)
		return false;
	if (z != NULL && z->has_rule && str_eq(z->rule.std.abbr, abbr))
		t = &z->rule.std;
	else if (z != NULL && z->has_rule && str_eq(z->rule.dst.abbr, abbr))
		t = &z->rule.dst;
	for (size_t i = z == NULL ? 0 : z->type_count; t == NULL && i-- > 0;)
		if (str_eq(z->types[i].abbr, abbr))
			t = &z->types[i];
	if (t == NULL && (str_eq_z(abbr, "UTC") || str_eq_z(abbr, "GMT") || str_eq_z(abbr, "Z")))
		t = &utc_type;
	if (t == NULL)
		return false;
	*offset_s = t->offset_s;
	return true;
}
