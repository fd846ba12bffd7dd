/*
 * handlebars_date.c - helpers for dates, over data/datetime.h and the time zones of the system.
 *
 * A date is ISO 8601 text, an epoch number, or text of a given format. A zone argument says where a
 * text without a zone is meant, and where the result is shown.
 */
#include "data/handlebars_priv.h"

#include "data/datetime.h"

static bool zone_of(struct hbs_call *c, size_t i, const struct zone **z, struct err *err)
{
	struct err why = ERR_INIT;
	struct str name = arg_text(c, i);

	if (name.n == 0)
		name = hbs_timezone(c);
	*z = NULL;
	if (name.n == 0 || timezone_find(name, z, &why))
		return true;
	return hbs_fail(c, err, "%s", why.message);
}

static bool read_date(struct hbs_call *c, struct str text, struct str format, const struct zone *z,
	int64_t *ms, struct err *err)
{
	struct datetime_format *f;
	struct err why = ERR_INIT;
	bool ok;

	if (format.n == 0)
		ok = datetime_parse_iso(text, DATETIME_EPOCH, z, ms, &why);
	else
		ok = datetime_format_compile(hbs_scratch(c), format, DATETIME_READ, &f, &why) &&
		     datetime_format_read(f, text, z, ms, &why);
	return ok || hbs_fail(c, err, "%s", why.message);
}

static bool print_date(struct hbs_call *c, struct str format, int64_t ms, const struct zone *z,
	const struct json **result, struct err *err)
{
	struct arena *a = hbs_scratch(c);
	struct datetime_format *f;
	struct err why = ERR_INIT;

	if (format.n == 0) {
		char *p = arena_alloc(a, DATETIME_ISO_LEN);

		*result = hbs_new_str(c, str_of(p, datetime_print_iso(ms, z, p)));
		return true;
	}
	if (!datetime_format_compile(a, format, DATETIME_PRINT, &f, &why))
		return hbs_fail(c, err, "%s", why.message);
	char *p = arena_alloc(a, datetime_format_room(f) + 1);

	*result = hbs_new_str(c, str_of(p, datetime_format_print(f, ms, z, p)));
	return true;
}

static bool fn_timestamp(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct zone *z;

	return zone_of(c, 1, &z, err) &&
	       print_date(c, arg_text(c, 0), hbs_now_ms(c), z, result, err);
}

static bool fn_date_format(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct zone *z = NULL;
	struct str date = js_trim_right(js_trim_left(arg_text(c, 1))), format = arg_text(c, 2);
	struct err why = ERR_INIT;
	int64_t ms;

	if (date.n == 0)
		return true;
	if (hbs_argc(c) == 3 && format.n > 0 && timezone_find(format, &z, &why))
		format = STR(""); /* dateFormat format date timezone */
	else if (!zone_of(c, 3, &z, err))
		return false;
	return read_date(c, date, format, z, &ms, err) &&
	       print_date(c, arg_text(c, 0), ms, z, result, err);
}

static bool fn_date_add(struct hbs_call *c, const struct json **result, struct err *err)
{
	const struct zone *z;
	struct str date = js_trim_right(js_trim_left(arg_text(c, 0)));
	double offset = 0;
	int64_t ms;

	if (date.n == 0)
		return true;
	if (hbs_argc(c) > 1 && !need_number(c, 1, &offset, err))
		return false;
	if (!zone_of(c, 2, &z, err) || !read_date(c, date, STR(""), z, &ms, err))
		return false;
	double sum = (double)ms + offset;

	if (sum < (double)DATETIME_MS_MIN || sum > (double)DATETIME_MS_MAX)
		return hbs_fail(c, err, "the result is not in the years 0000 to 9999");
	return print_date(c, STR(""), (int64_t)sum, z, result, err);
}

static const struct hbs_helper rows[] = {
	{ "timestamp", fn_timestamp, HBS_INLINE, 0, 2, "format timezone",
		"The time of the rendering, the same all over a template. The format is of "
		"moment.js "
		"(ISO 8601 when none is given), the time zone an IANA name (UTC when none is "
		"given).",
		"{{timestamp \"YYYY-MM-DD HH:mm:ss\" \"US/Eastern\"}}", "{}",
		"2015-08-30 08:36:00" },
	{ "dateFormat", fn_date_format, HBS_INLINE, 2, 4, "format date input timezone",
		"A date in another format. The date is ISO 8601 or an epoch number, or text of the "
		"input "
		"format; a time zone may also stand in the place of the input format. Nothing when "
		"there is no date.",
		"{{dateFormat \"MM-DD-YYYY hh:mm A\" orderDate}}",
		"{\"orderDate\":\"2025-03-26T12:34:56Z\"}", "03-26-2025 12:34 PM" },
	{ "dateAdd", fn_date_add, HBS_INLINE, 1, 3, "date milliseconds timezone",
		"The date so much later (earlier when below 0), as ISO 8601.",
		"{{dateAdd orderDate \"86400000\"}}", "{\"orderDate\":\"2025-03-26T12:34:56Z\"}",
		"2025-03-27T12:34:56.000Z" },
};

const struct hbs_helpers hbs_date_helpers = { "Dates", rows, ARRAY_LEN(rows) };
