/*
 * datetime.h - instants, civil time, ISO 8601, and formats in the tokens of moment.js.
 *
 * An instant is an int64_t of milliseconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999
 * (proleptic Gregorian). Everything is pure; a compiled format is read-only: any thread.
 *
 * Formats: the tokens of moment.js in its English locale, both ways:
 *   year    YYYY YY Y y..yyyy YYYYY YYYYYY      quarter Q       month M MM MMM MMMM
 *   day     D DD Do DDD DDDD (of the year)      weekday d dd ddd dddd e E
 *   week    w ww W WW, its year gg gggg GG GGGG
 *   time    H HH h hh k kk (1-24) Hmm hmm Hmmss hmmss m mm s ss S..SSSSSSSSS A a
 *   zone    Z (+02:00) ZZ (+0200) z zz (CEST)   epoch X (seconds) x (milliseconds)
 *   locale  LT LTS L LL LLL LLLL l ll lll llll  literal [in brackets], \ before a token, other text
 * Print only: yo Mo Qo DDDo do wo Wo.
 *
 * Reading is strict: the whole text must fit the format, token by token. Where it differs from the
 * strict mode of moment.js: tokens of one or two digits (D, M, H ...) take a leading zero; every
 * weekday that is named must be that of the date; z is read, as an abbreviation of the zone. The names
 * of months and weekdays are read in any letter case.
 */
#ifndef DATA_DATETIME_H
#define DATA_DATETIME_H

#include "core/buf.h"
#include "data/timezone.h"

#define DATETIME_MS_MIN INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define DATETIME_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Civil time; month and day from 1. */
struct datetime {
	int year;
	unsigned month, day, hour, minute, second, ms;
};

/* As UTC. For local time pass what timezone_local() returned, or give the result to
 * timezone_instant(). */
void datetime_civil(int64_t ms, struct datetime *out);
/* ERR_INVALID names the part that is out of range; hour 24 is taken at 24:00:00.000 only. */
MUST_CHECK bool datetime_ms(const struct datetime *t, int64_t *ms, struct err *err);
unsigned datetime_weekday(int64_t ms); /* 0: Sunday */
unsigned datetime_month_days(int year, unsigned month);

/* ---- ISO 8601 ---- */

enum datetime_allow {
	DATETIME_ISO = 0,
	DATETIME_EPOCH = 1, /* also epoch seconds, with or without a fraction, and milliseconds */
};

/*
 * YYYY-MM-DD, with Thh:mm, Thh:mm:ss or Thh:mm:ss.fraction behind it (a space may stand for T, a
 * comma for the point; the fraction is cut to milliseconds), with Z, +hh:mm, +hhmm, +hh behind that;
 * the basic form YYYYMMDD[Thhmmss...] too. A text without a zone is in ZONE (NULL: UTC). Epoch
 * numbers: those of 11 digits and fewer are seconds, longer ones milliseconds; a number of 8 digits
 * is a date. ERR_INVALID names position (from 1) and what was expected.
 */
MUST_CHECK bool datetime_parse_iso(struct str text, enum datetime_allow allow,
	const struct zone *zone, int64_t *ms, struct err *err);

#define DATETIME_ISO_LEN 29 /* 2017-06-19T23:27:09.945+02:00 */
/* With the zone's offset, "Z" for UTC: returns the length; OUT gets no NUL. */
size_t datetime_print_iso(int64_t ms, const struct zone *zone, char out[DATETIME_ISO_LEN]);

/* ---- formats ---- */

enum datetime_use { DATETIME_PRINT, DATETIME_READ };

#define DATETIME_FORMAT_MAX 256 /* bytes */

struct datetime_format;

/*
 * ERR_INVALID: longer than DATETIME_FORMAT_MAX; for DATETIME_READ also a token that can only be
 * printed, a day or month without a year, or nothing to read: with position (from 1) and token. The
 * format keeps its own copy of TEXT.
 */
MUST_CHECK bool datetime_format_compile(struct arena *a, struct str text, enum datetime_use use,
	struct datetime_format **out, struct err *err);
/*
 * TEXT by a format that was compiled for reading. What a text does not say is the first: January,
 * the first, midnight; a time alone is one of 1970-01-01. A text without offset or epoch is in ZONE.
 * ERR_INVALID names position and token, and quotes the text.
 */
MUST_CHECK bool datetime_format_read(const struct datetime_format *f, struct str text,
	const struct zone *zone, int64_t *ms, struct err *err);
/* The most bytes that datetime_format_print() can write. */
size_t datetime_format_room(const struct datetime_format *f);
/* Writes the instant as ZONE shows it; returns the length; OUT has that room and gets no NUL. */
size_t datetime_format_print(const struct datetime_format *f, int64_t ms, const struct zone *zone,
	char *out);
void datetime_format_add(const struct datetime_format *f, int64_t ms, const struct zone *zone,
	struct buf *out);

#endif
