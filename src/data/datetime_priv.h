/*
 * datetime_priv.h - compiled formats, and the arithmetic of weeks, for printing and reading.
 */
#ifndef DATA_DATETIME_PRIV_H
#define DATA_DATETIME_PRIV_H

#include "core/clock.h"
#include "data/datetime.h"

#define DAY_MS INT64_C(86400000)

/* X(token, symbol, most bytes printed, what a text must have there; NULL: can only be printed) */
/* clang-format off */
#define DATETIME_TOKENS(X) \
	X("Y", T_Y, 7, "a year") \
	X("YY", T_YY, 2, "a year of two digits") \
	X("YYYY", T_YYYY, 7, "a year of four digits") \
	X("YYYYY", T_YYYYY, 7, "a year of five digits") \
	X("YYYYYY", T_YYYYYY, 7, "a year of six digits and its sign") \
	X("y", T_ERA_Y, 7, "a year") \
	X("yy", T_ERA_YY, 7, "a year") \
	X("yyy", T_ERA_YYY, 7, "a year") \
	X("yyyy", T_ERA_YYYY, 7, "a year") \
	X("yo", T_ERA_YO, 9, NULL) \
	X("Q", T_Q, 1, "a quarter from 1 to 4") \
	X("Qo", T_QO, 3, NULL) \
	X("M", T_M, 2, "a month from 1 to 12") \
	X("Mo", T_MO, 4, NULL) \
	X("MM", T_MM, 2, "a month from 01 to 12") \
	X("MMM", T_MMM, 3, "the first three letters of a month's name") \
	X("MMMM", T_MMMM, 9, "the name of a month") \
	X("D", T_D, 2, "a day of the month") \
	X("Do", T_DO, 4, "a day of the month such as 1st") \
	X("DD", T_DD, 2, "a day of the month with two digits") \
	X("DDD", T_DDD, 3, "a day of the year") \
	X("DDDo", T_DDDO, 5, NULL) \
	X("DDDD", T_DDDD, 3, "a day of the year with three digits") \
	X("d", T_WEEKDAY, 1, "a weekday from 0 to 6") \
	X("do", T_WEEKDAYO, 3, NULL) \
	X("dd", T_WEEKDAY2, 2, "the first two letters of a weekday's name") \
	X("ddd", T_WEEKDAY3, 3, "the first three letters of a weekday's name") \
	X("dddd", T_WEEKDAY4, 9, "the name of a weekday") \
	X("e", T_LOCAL_WEEKDAY, 1, "a weekday from 0 to 6") \
	X("E", T_ISO_WEEKDAY, 1, "a weekday from 1 to 7") \
	X("w", T_WEEK, 2, "a week of the year") \
	X("wo", T_WEEKO, 4, NULL) \
	X("ww", T_WEEK2, 2, "a week of the year with two digits") \
	X("W", T_ISO_WEEK, 2, "a week of the year") \
	X("Wo", T_ISO_WEEKO, 4, NULL) \
	X("WW", T_ISO_WEEK2, 2, "a week of the year with two digits") \
	X("gg", T_WEEK_YEAR2, 2, "a year of two digits") \
	X("gggg", T_WEEK_YEAR4, 7, "a year of four digits") \
	X("ggggg", T_WEEK_YEAR5, 7, "a year of five digits") \
	X("GG", T_ISO_YEAR2, 2, "a year of two digits") \
	X("GGGG", T_ISO_YEAR4, 7, "a year of four digits") \
	X("GGGGG", T_ISO_YEAR5, 7, "a year of five digits") \
	X("A", T_MERIDIEM_UPPER, 2, "AM or PM") \
	X("a", T_MERIDIEM_LOWER, 2, "am or pm") \
	X("H", T_H, 2, "an hour from 0 to 23") \
	X("HH", T_HH, 2, "an hour from 00 to 23") \
	X("h", T_H12, 2, "an hour from 1 to 12") \
	X("hh", T_HH12, 2, "an hour from 01 to 12") \
	X("k", T_K, 2, "an hour from 1 to 24") \
	X("kk", T_KK, 2, "an hour from 01 to 24") \
	X("Hmm", T_HMM, 4, "an hour and two digits of minutes") \
	X("Hmmss", T_HMMSS, 6, "an hour, two digits of minutes and two of seconds") \
	X("hmm", T_H12MM, 4, "an hour and two digits of minutes") \
	X("hmmss", T_H12MMSS, 6, "an hour, two digits of minutes and two of seconds") \
	X("m", T_MINUTE, 2, "minutes from 0 to 59") \
	X("mm", T_MINUTE2, 2, "minutes from 00 to 59") \
	X("s", T_SECOND, 2, "seconds from 0 to 59") \
	X("ss", T_SECOND2, 2, "seconds from 00 to 59") \
	X("S", T_S1, 1, "one digit of a second's fraction") \
	X("SS", T_S2, 2, "two digits of a second's fraction") \
	X("SSS", T_S3, 3, "three digits of a second's fraction") \
	X("SSSS", T_S4, 4, "digits of a second's fraction") \
	X("SSSSS", T_S5, 5, "digits of a second's fraction") \
	X("SSSSSS", T_S6, 6, "digits of a second's fraction") \
	X("SSSSSSS", T_S7, 7, "digits of a second's fraction") \
	X("SSSSSSSS", T_S8, 8, "digits of a second's fraction") \
	X("SSSSSSSSS", T_S9, 9, "digits of a second's fraction") \
	X("z", T_ABBR, DATETIME_ABBR_MAX, "an abbreviation of the time zone, such as UTC") \
	X("zz", T_ABBR2, DATETIME_ABBR_MAX, "an abbreviation of the time zone, such as UTC") \
	X("Z", T_OFFSET, 6, "an offset such as +02:00, or Z") \
	X("ZZ", T_OFFSET_SHORT, 5, "an offset such as +0200, or Z") \
	X("X", T_EPOCH_S, 21, "seconds since 1970") \
	X("x", T_EPOCH_MS, 21, "milliseconds since 1970")
/* clang-format on */

#define DATETIME_ABBR_MAX 16 /* longer ones are cut */

/* clang-format off */
enum datetime_token {
	T_LITERAL,
#define X(text, sym, bytes, words) sym,
	DATETIME_TOKENS(X)
#undef X
	T_COUNT
};
/* clang-format on */

struct datetime_token_info {
	struct str text;
	size_t bytes;
	const char *words;
};
extern const struct datetime_token_info datetime_tokens[T_COUNT];

struct datetime_item {
	enum datetime_token token;
	size_t at; /* of its token in the format */
	struct str literal;
};

struct datetime_format {
	enum datetime_use use;
	struct str text;
	size_t count, cap;
	struct datetime_item *items;
	size_t room;
};

extern const char *const datetime_months[12];
extern const char *const datetime_weekdays[7]; /* from Sunday */

/* How weeks are counted: which weekday begins them, and which January day is always in the first. */
struct datetime_weeks {
	unsigned begins; /* 0: Sunday */
	int first_day;   /* the day of January that is always in the first week */
};
extern const struct datetime_weeks datetime_weeks_us, datetime_weeks_iso;

unsigned datetime_year_days(int year);
/* The year and number of the week that DAYS (since 1970) is in. */
unsigned datetime_week(const struct datetime_weeks *w, int64_t days, int *year);
unsigned datetime_weeks_in(const struct datetime_weeks *w, int year);
/* Days since 1970 of a weekday (0: Sunday) of a week. */
int64_t datetime_week_day(const struct datetime_weeks *w, int year, unsigned week,
	unsigned weekday);

#endif
