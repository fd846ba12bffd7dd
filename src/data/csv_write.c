/*
 * csv_write.c - rows to text, and what a dialect may be.
 */
#include "data/csv.h"

static char column_of(const struct csv_dialect *d)
{
	return d->column == '\0' ? ',' : d->column;
}

static char quote_of(const struct csv_dialect *d)
{
	return d->quote == '\0' ? '"' : d->quote;
}

static bool is_break(char c)
{
	return c == '\r' || c == '\n';
}

bool csv_dialect_check(const struct csv_dialect *d, struct err *err)
{
	char column = column_of(d), quote = quote_of(d);

	if (is_break(column) || (column & 0x80) != 0)
		return err_set_field(err, ERR_INVALID, "columnDelimiter",
			"the column delimiter must be one ASCII character that is no line break");
	if (is_break(quote) || (quote & 0x80) != 0 || quote == column)
		return err_set_field(err, ERR_INVALID, "quote",
			"the quote must be one ASCII character, neither a line break nor the "
			"column delimiter");
	if (d->row.p == NULL)
		return true;
	if (d->row.n == 0 || d->row.n > CSV_ROW_DELIMITER_MAX)
		return err_set_field(err, ERR_INVALID, "rowDelimiter",
			"the row delimiter must have 1 to %d characters", CSV_ROW_DELIMITER_MAX);
	for (size_t i = 0; i < d->row.n; i++) {
		char c = d->row.p[i];

		if (c == '\0' || (c & 0x80) != 0 || c == column || c == quote || c == ' ' ||
			(i > 0 && c == d->row.p[0]))
			return err_set_field(err, ERR_INVALID, "rowDelimiter",
				"the row delimiter must be of ASCII characters other than the "
				"column delimiter, the quote and the space, and must not repeat "
				"its first");
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool needs_quotes(const struct csv_dialect *d, struct str s)
{
	char column = column_of(d), quote = quote_of(d),
	     row = d->row.p != NULL ? d->row.p[0] : '\n';

	if (s.n == 0)
		return false;
	if (is_blank(s.p[0]) || is_blank(s.p[s.n - 1]))
		return true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == column || c == quote || c == row || is_break(c))
			return true;
	}
	return false;
}

static void write_field(struct buf *out, const struct csv_dialect *d, struct str s, bool quotes)
{
	char quote = quote_of(d);

	if (!quotes && !needs_quotes(d, s)) {
		buf_add_str(out, s);
		return;
	}
	buf_add_char(out, quote);
	for (struct str rest = s; rest.p != NULL && rest.n > 0;) {
		size_t i = str_find_char(rest, quote);
		size_t n = i == STR_NPOS ? rest.n : i + 1;

		buf_add(out, rest.p, n);
		if (i != STR_NPOS)
			buf_add_char(out, quote);
		rest = str_from(rest, n);
	}
	buf_add_char(out, quote);
}

static void end_row(struct buf *out, const struct csv_dialect *d)
{
	buf_add_str(out, d->row.p != NULL ? d->row : STR("\r\n"));
}

/* A BOM at the start of a text is no part of it; a field that begins with one needs quotes. */
static bool must_quote(const struct buf *out, const struct csv_dialect *d, struct str s,
	size_t count)
{
	return d->quote_all || (s.n == 0 && count == 1) ||
	       (out->n == 0 && str_starts(s, STR("\xEF\xBB\xBF")));
}

void csv_write_row(struct buf *out, const struct csv_dialect *d, const struct str *fields,
	size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, column_of(d));
		write_field(out, d, fields[i], must_quote(out, d, fields[i], count));
	}
	end_row(out, d);
}

static void write_value(struct buf *out, const struct csv_dialect *d, const struct json *v,
	size_t count)
{
	struct buf text DEFER(buf_free) = BUF_INIT(0);
	struct str s = STR("");

	if (v != NULL && (v->type == JSON_STRING || v->type == JSON_NUMBER))
		s = json_str(v);
	else if (v != NULL && v->type != JSON_NULL) {
		json_print(&text, v, JSON_COMPACT);
		s = buf_str(&text);
	}
	write_field(out, d, s, must_quote(out, d, s, count));
}

void csv_write_record(struct buf *out, const struct csv_dialect *d, const struct str *names,
	size_t count, const struct json *record)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, column_of(d));
		write_value(out, d, json_get(record, names[i]), count);
	}
	end_row(out, d);
}

bool csv_is_formula(struct str field)
{
	return field.n > 0 && memchr("=+-@\t\r", field.p[0], 6) != NULL;
}
