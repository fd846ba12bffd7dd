/*
 * cron_describe.c - a schedule in words. What is a step from the start is said as "every n", all else
 * is listed.
 */
#include "data/cron.h"
#include "data/datetime_priv.h"

#define ALL_HOURS    UINT32_C(0xffffff)
#define ALL_DAYS     UINT32_C(0xfffffffe)
#define ALL_MONTHS   UINT32_C(0x1ffe)
#define ALL_WEEKDAYS UINT32_C(0x7f)

static unsigned count(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}

/* N when BITS are the multiples of N below END, and END is one too; else 0. */
static unsigned step_of(uint64_t bits, unsigned end)
{
	unsigned n = count(bits) == 0 ? 0 : end / count(bits);
	uint64_t want = 0;

	if (n == 0 || end % n != 0)
		return 0;
	for (unsigned v = 0; v < end; v += n)
		want |= UINT64_C(1) << v;
	return want == bits ? n : 0;
}

/* ", " and " and " between the entries of a list. */
static void separate(struct buf *out, unsigned i, unsigned n)
{
	if (i > 0)
		buf_add_fmt(out, "%s", i + 1 == n ? " and " : ", ");
}

static void list(struct buf *out, uint64_t bits, void (*one)(struct buf *, unsigned))
{
	unsigned i = 0, n = count(bits);

	for (unsigned v = 0; v < 64; v++) {
		if (!(bits >> v & 1))
			continue;
		separate(out, i++, n);
		one(out, v);
	}
}

static void add_number(struct buf *out, unsigned v)
{
	buf_add_u64(out, v);
}

static void add_ordinal(struct buf *out, unsigned v)
{
	static const char *const suffixes[] = { "th", "st", "nd", "rd", "th" };

	buf_add_fmt(out, "%u%s", v, v / 10 == 1 ? "th" : suffixes[MIN(v % 10, 4)]);
}

static void add_month(struct buf *out, unsigned v)
{
	buf_add_str(out, str_z(datetime_months[v - 1]));
}

static void add_weekday(struct buf *out, unsigned v)
{
	buf_add_str(out, str_z(datetime_weekdays[v]));
}

/* ---- the time of day ---- */

static void add_every(struct buf *out, unsigned n, const char *unit)
{
	if (n == 1)
		buf_add_fmt(out, "every %s", unit);
	else
		buf_add_fmt(out, "every %u %ss", n, unit);
}

static void describe_times(const struct cron *c, struct buf *out)
{
	unsigned i = 0, n = count(c->hours);

	BUF_ADD_LIT(out, "at ");
	for (unsigned h = 0; h < 24; h++) {
		if (!(c->hours >> h & 1))
			continue;
		separate(out, i++, n);
		buf_add_fmt(out, "%02u:%02d", h, __builtin_ctzll(c->minutes));
	}
}

static void describe_minutes(const struct cron *c, struct buf *out)
{
	unsigned step = step_of(c->minutes, 60);

	if (step != 0 && step < 60) {
		add_every(out, step, "minute");
	} else {
		buf_add_fmt(out, "at minute%s ", count(c->minutes) > 1 ? "s" : "");
		list(out, c->minutes, add_number);
	}
}

static void describe_time(const struct cron *c, struct buf *out)
{
	unsigned hours = step_of(c->hours, 24);

	if (count(c->minutes) == 1 && (hours == 0 || hours == 24)) {
		describe_times(c, out);
		return;
	}
	if (c->minutes != 1)
		describe_minutes(c, out);
	if (c->hours == ALL_HOURS && c->minutes != 1) {
		if (step_of(c->minutes, 60) == 0)
			BUF_ADD_LIT(out, " of every hour");
		return;
	}
	if (hours != 0 && hours != 24) {
		if (c->minutes != 1)
			BUF_ADD_LIT(out, " of ");
		add_every(out, hours, "hour");
		return;
	}
	buf_add_fmt(out, " of the hour%s ", count(c->hours) > 1 ? "s" : "");
	list(out, c->hours, add_number);
}

/* ---- days ---- */

static void describe_weekdays(const struct cron *c, struct buf *out)
{
	unsigned first = (unsigned)__builtin_ctz(c->weekdays), n = count(c->weekdays);

	if (n > 2 && c->weekdays == ((UINT32_C(1) << n) - 1) << first) {
		add_weekday(out, first);
		BUF_ADD_LIT(out, " to ");
		add_weekday(out, first + n - 1);
		return;
	}
	list(out, c->weekdays, add_weekday);
}

void cron_describe(const struct cron *c, struct buf *out)
{
	bool days = c->days != ALL_DAYS, weekdays = c->weekdays != ALL_WEEKDAYS;

	describe_time(c, out);
	if (days) {
		BUF_ADD_LIT(out, ", on the ");
		list(out, c->days, add_ordinal);
	}
	if (weekdays) {
		buf_add_fmt(out, "%s",
			!days       ? ", on "
			: c->either ? " and on every "
				    : ", when it is ");
		describe_weekdays(c, out);
	}
	if (!days && !weekdays && c->minutes != 0 && count(c->minutes) == 1 &&
		c->hours != ALL_HOURS && step_of(c->hours, 24) % 24 == 0)
		BUF_ADD_LIT(out, " every day");
	if (c->months != ALL_MONTHS) {
		BUF_ADD_LIT(out, ", in ");
		list(out, c->months, add_month);
	}
}
