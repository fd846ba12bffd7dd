/*
 * rest_select.c - which of the records that came are exported: delta by date, once by a flag.
 *
 * An application that can't be asked for changes alone gives everything each time; then the export
 * compares the dates itself. A record whose date is missing or can't be read is exported: twice is
 * better than never.
 */
#include "adaptor/rest/rest_source_priv.h"

static const struct {
	const char *name;
} dates[] = { { "lastExportDateTime" }, { "currentExportDateTime" } };

static bool read_fields(struct source *s, struct str list, struct err *err)
{
	struct rest_select *sel = &s->select;
	size_t cap = 1;

	for (size_t i = 0; i < list.n; i++)
		cap += list.p[i] == ',';
	sel->dates = arena_array_of(s->arena, const struct path *, cap);
	while (list.p != NULL) {
		struct str field = str_trim(str_cut(&list, ','));
		struct path *path;

		if (field.n == 0)
			continue;
		if (!path_compile(s->arena, field, false, &path, err))
			return err_wrap(err, "delta.dateField");
		sel->dates[sel->date_count++] = path;
	}
	return true;
}

/* A date as variables have it: ISO 8601, or an epoch. */
static bool read_instant(const struct json *v, int64_t *ms)
{
	struct err ignored = ERR_INIT;

	return v != NULL && (v->type == JSON_STRING || v->type == JSON_NUMBER) &&
	       datetime_parse_iso(json_str(v), DATETIME_EPOCH, NULL, ms, &ignored);
}

static struct str print_date(struct source *s, const struct datetime_format *f, int64_t ms)
{
	char iso[TIME_ISO_LEN + 1];

	if (f == NULL) {
		time_fmt_iso(ms, iso);
		return str_dup(s->arena, str_z(iso));
	}
	char *text = arena_alloc(s->arena, datetime_format_room(f));

	return str_of(text, datetime_format_print(f, ms, NULL, text));
}

bool rest_select_variables(struct source *s, const struct json *export, const struct json *given,
	struct err *err)
{
	struct str words = json_get_str(json_get(export, STR("delta")), STR("dateFormat"));
	bool delta = str_eq_z(json_get_str(export, STR("type")), "delta");
	struct datetime_format *format = NULL;
	struct json_build b;
	int64_t ms;

	if (words.n > 0 && !datetime_format_compile(s->arena, words, DATETIME_PRINT, &format, err))
		return err_wrap(err, "delta.dateFormat");
	json_build_init(&b, s->arena);
	json_build_object(&b);
	if (json_is_object(given))
		for (json_each_member(key, given)) {
			json_build_key(&b, json_str(key));
			json_build_copy(&b, json_value(key));
		}
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		const struct json *v = json_get(given, str_z(dates[i].name));
		bool first = delta && i == 0 && (v == NULL || v->type == JSON_NULL);

		/* the first run is for everything */
		if (first)
			ms = 0;
		if (first || read_instant(v, &ms))
			json_add_str(&b, str_z(dates[i].name), print_date(s, format, ms));
	}
	json_build_end(&b);
	s->variables = json_build_done(&b);
	return true;
}

static bool asks_for_dates(const struct source *s)
{
	return rest_request_mentions(s, STR("lastExportDateTime")) ||
	       rest_request_mentions(s, STR("currentExportDateTime"));
}

bool rest_select_read(struct source *s, const struct json *export, const struct json *given,
	struct err *err)
{
	struct rest_select *sel = &s->select;
	struct str type = json_get_str(export, STR("type"));
	const struct json *delta = json_get(export, STR("delta")),
			  *last = json_get(given, STR("lastExportDateTime"));
	struct str fields = json_get_str(delta, STR("dateField")),
		   format = json_get_str(delta, STR("dateFormat")),
		   flag = json_get_str(json_get(export, STR("once")), STR("booleanField"));

	if (str_eq_z(type, "once") && flag.n > 0)
		return path_compile(s->arena, flag, false, &sel->done, err) ||
		       err_wrap(err, "once.booleanField");
	if (!str_eq_z(type, "delta") || fields.n == 0 || asks_for_dates(s) ||
		!read_instant(last, &sel->since_ms))
		return true;
	sel->since = print_date(s, NULL, sel->since_ms);
	if (format.n > 0 &&
		!datetime_format_compile(s->arena, format, DATETIME_READ, &sel->format, err))
		return err_wrap(err, "delta.dateFormat");
	return read_fields(s, fields, err);
}

static bool read_date(const struct rest_select *sel, const struct json *v, int64_t *ms)
{
	struct err ignored = ERR_INIT;

	if (sel->format == NULL)
		return read_instant(v, ms);
	return v != NULL && (v->type == JSON_STRING || v->type == JSON_NUMBER) &&
	       datetime_format_read(sel->format, json_str(v), NULL, ms, &ignored);
}

/* Of several dates the latest counts. */
static bool changed_since(const struct rest_select *sel, const struct json *record)
{
	bool any = false;
	int64_t latest = INT64_MIN, ms;

	for (size_t i = 0; i < sel->date_count; i++) {
		if (!read_date(sel, path_get(sel->dates[i], record), &ms))
			continue;
		any = true;
		latest = MAX(latest, ms);
	}
	return !any || latest >= sel->since_ms;
}

static bool is_true(const struct json *v)
{
	return v != NULL &&
	       (v->type == JSON_TRUE || (json_is_str(v) && str_eq_z(json_str(v), "true")));
}

static bool is_wanted(const struct rest_select *sel, const struct json *record)
{
	if (sel->done != NULL)
		return !is_true(path_get(sel->done, record));
	return changed_since(sel, record);
}

struct str rest_select_reason(const struct source *s)
{
	const struct rest_select *sel = &s->select;

	if (sel->done != NULL)
		return str_fmt(s->arena,
			"all %llu records of the source were exported before: \"%.*s\" is true",
			(unsigned long long)sel->dropped, STR_ARG(path_text(sel->done)));
	return str_fmt(s->arena,
		"all %llu records of the source were last changed before %.*s: no placeholder asks "
		"for changes alone, so they were compared by delta.dateField",
		(unsigned long long)sel->dropped, STR_ARG(sel->since));
}

void rest_select(struct source *s, struct chunk *out)
{
	struct rest_select *sel = &s->select;
	struct json_build b;
	uint64_t before = sel->dropped;

	if (sel->done == NULL && sel->date_count == 0)
		return;
	if (out->single) {
		if (!is_wanted(sel, out->records)) {
			sel->dropped++;
			out->records = &json_empty_array;
			out->single = false;
		}
	} else {
		json_build_init(&b, out->arena);
		json_build_array(&b);
		for (json_each (it, out->records)) {
			if (is_wanted(sel, it))
				json_build_copy(&b, it);
			else
				sel->dropped++;
		}
		json_build_end(&b);
		if (sel->dropped > before)
			out->records = json_build_done(&b);
	}
}
