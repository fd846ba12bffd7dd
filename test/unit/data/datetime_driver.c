/*
 * datetime_driver.c - lets another program ask the date functions: one JSON array a line on stdin,
 * one JSON value a line on stdout. test/system/datetime_oracle.test.mjs compares the answers with
 * those of moment.js.
 *
 *   ["print", format, zone, ms]      the text
 *   ["read", format, zone, text]     the instant, or {"error": message}
 *   ["offset", zone, ms]             seconds
 *   ["local", zone, ms]              the instant of a local time
 */
#include "data/datetime.h"
#include "data/json.h"

static void fail(struct json_build *b, const struct err *err)
{
	json_build_object(b);
	json_add_str(b, STR("error"), str_z(err->message));
	json_build_end(b);
}

static bool ask(struct arena *a, const struct json *q, struct json_build *b, struct err *err)
{
	struct str verb = json_str(json_at(q, 0));
	bool formats = str_eq_z(verb, "print") || str_eq_z(verb, "read");
	const struct json *value = json_at(q, formats ? 3 : 2);
	const struct zone *zone;
	struct datetime_format *f;
	int64_t ms = 0;

	if (!timezone_find(json_str(json_at(q, formats ? 2 : 1)), &zone, err))
		return false;
	if (value->type == JSON_NUMBER && !json_to_i64(value, &ms))
		return err_set(err, ERR_INVALID, "no integer");
	if (!formats) {
		json_build_i64(b, str_eq_z(verb, "offset") ? timezone_at(zone, ms).offset_s
							   : timezone_instant(zone, ms, NULL));
		return true;
	}
	if (!datetime_format_compile(a, json_str(json_at(q, 1)),
		    str_eq_z(verb, "print") ? DATETIME_PRINT : DATETIME_READ, &f, err))
		return false;
	if (str_eq_z(verb, "print")) {
		char *out = arena_alloc(a, datetime_format_room(f));

		json_build_str(b, str_of(out, datetime_format_print(f, ms, zone, out)));
		return true;
	}
	if (!datetime_format_read(f, json_str(value), zone, &ms, err))
		return false;
	json_build_i64(b, ms);
	return true;
}

int main(void)
{
	struct arena *a = arena_new("line", 0);
	struct buf out = BUF_INIT(0);
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		const struct json *q;
		struct json_build b;
		struct err err = ERR_INIT;

		json_build_init(&b, a);
		if (!json_parse(a, line, (size_t)n, NULL, &q, &err) || !ask(a, q, &b, &err))
			fail(&b, &err);
		buf_reset(&out);
		json_print(&out, json_build_done(&b), JSON_COMPACT);
		buf_add_char(&out, '\n');
		fwrite(out.p, 1, out.n, stdout);
		arena_reset(a);
	}
	free(line);
	buf_free(&out);
	arena_free(a);
	return 0;
}
