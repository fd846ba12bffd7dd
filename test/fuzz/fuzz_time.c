/*
 * fuzz_time.c - texts about time. The first byte says what the rest is: 'c' a schedule, 'i' a date
 * of ISO 8601, 'f' a format, a newline and a date, 'z' a TZif file, 'r' the name of a zone.
 */
#include "data/cron.h"
#include "data/datetime.h"
#include "data/timezone_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1497907629945)

static void schedule(struct str text)
{
	struct cron c;
	struct err err = ERR_INIT;
	struct buf words DEFER(buf_free) = BUF_INIT(0);
	int64_t ms = NOW;

	if (!cron_parse(text, &c, &err))
		return;
	cron_describe(&c, &words);
	CHECK(words.n > 0);
	for (int i = 0; i < 3; i++) {
		int64_t before = ms;

		CHECK(cron_next(&c, NULL, before, &ms) && ms > before && ms % 60000 == 0);
	}
}

static void iso(struct str text)
{
	char out[DATETIME_ISO_LEN];
	struct err err = ERR_INIT;
	int64_t ms, again;

	if (!datetime_parse_iso(text, DATETIME_EPOCH, NULL, &ms, &err))
		return;
	CHECK(datetime_parse_iso(str_of(out, datetime_print_iso(ms, NULL, out)), DATETIME_ISO, NULL,
		&again, &err));
	CHECK(again == ms);
}

static void format(struct str text, struct arena *a)
{
	struct str pattern = str_cut(&text, '\n');
	struct datetime_format *read, *print;
	struct err err = ERR_INIT;
	int64_t ms = NOW;

	if (!datetime_format_compile(a, pattern, DATETIME_PRINT, &print, &err))
		return;
	if (datetime_format_compile(a, pattern, DATETIME_READ, &read, &err)) {
		err_clear(&err);
		if (!datetime_format_read(read, text, NULL, &ms, &err))
			CHECK(err.code == ERR_INVALID);
	}
	size_t room = datetime_format_room(print);

	CHECK(datetime_format_print(print, ms, NULL, arena_alloc(a, room)) <= room);
}

static void zone(struct str bytes, struct arena *a)
{
	struct zone z = { .name = STR("input") };
	struct err err = ERR_INIT;
	enum timezone_fit fit;
	int64_t at = DATETIME_MS_MIN;

	if (!tzif_read(a, bytes, &z, &err))
		return;
	for (int i = 0; i < 50 && timezone_next_change(&z, at, DATETIME_MS_MAX, &at); i++) {
		int64_t local = timezone_local(&z, at);
		int64_t instant = timezone_instant(&z, local, &fit);

		CHECK(fit != TIMEZONE_GAP && timezone_local(&z, instant) == local);
		CHECK(instant <= at);
		timezone_instant(&z, local - 1, &fit);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct str text = str_of((const char *)data + 1, size == 0 ? 0 : size - 1);
	const struct zone *z;
	struct err err = ERR_INIT;

	if (a == NULL)
		a = arena_new("input", 0);
	arena_reset(a);
	switch (size == 0 ? 0 : data[0]) {
	case 'c':
		schedule(text);
		break;
	case 'i':
		iso(text);
		break;
	case 'f':
		format(text, a);
		break;
	case 'z':
		zone(text, a);
		break;
	case 'r':
		if (!timezone_find(text, &z, &err))
			CHECK(err.code != ERR_NONE);
		break;
	default:
		break;
	}
	return 0;
}
