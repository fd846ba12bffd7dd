/*
 * params.c - the words for query parameters. A value is quoted, since what was meant can be seen in it.
 */
#include "api/params.h"

#include "data/datetime.h"

#define SHOWN_MAX 64

struct str *param_put(const struct param *list, size_t n, struct str name, struct str value)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_eq_z(name, list[i].name))
			continue;
		*list[i].to = value;
		return list[i].to;
	}
	return NULL;
}

bool param_time_read(struct str s, int64_t *ms)
{
	struct err err = ERR_INIT;

	return datetime_parse_iso(s, DATETIME_EPOCH, NULL, ms, &err);
}

bool param_time(struct str name, struct str value, int64_t *ms, struct err *err)
{
	return param_time_read(value, ms) || param_bad(err, name, value);
}

bool param_limit(struct str name, struct str value, size_t max, size_t *limit, struct err *err)
{
	uint64_t n;

	if (!str_to_u64(value, &n) || n == 0 || n > max)
		return param_bad(err, name, value) ||
		       err_hint(err, "%.*s is a number from 1 to %zu", STR_ARG(name), max);
	*limit = (size_t)n;
	return true;
}

bool param_bad(struct err *err, struct str name, struct str value)
{
	char field[ERR_FIELD_MAX];

	snprintf(field, sizeof(field), "%.*s", STR_ARG(name));
	return err_set_field(err, ERR_QUERY, field, "\"%.*s\" is no value for %s",
		STR_ARG(str_sub(value, 0, SHOWN_MAX)), field);
}

bool param_unknown(struct err *err, struct str name, struct str known)
{
	err_set(err, ERR_QUERY, "there is no query parameter \"%.*s\" here",
		STR_ARG(str_sub(name, 0, SHOWN_MAX)));
	return known.n > 0 && err_hint(err, "%.*s", STR_ARG(known));
}
