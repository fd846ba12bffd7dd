/*
 * csv.h - comma-separated values (RFC 4180), read from pieces and written to a buffer.
 *
 * Reading: text is fed as it comes, split anywhere; rows come out as slices. The text must be UTF-8;
 * a leading byte order mark is skipped. More is taken than the RFC allows where real files need it:
 *   - rows end with LF, CR or CRLF, also mixed, unless the dialect names one delimiter;
 *   - a row without any byte (with trim: of blanks only) is no record, but counts for the row
 *     numbers of errors;
 *   - a quote inside a field that does not begin with one is a character like others (`5" pipe`);
 *   - rows may have different numbers of fields: see csv_row_json().
 * Refused, with row and column: text behind a closing quote, a quote that is never closed, bytes that
 * are no UTF-8, fields, rows and column counts over the limits.
 *
 * A reader belongs to one thread at a time. Rows, blank and skipped ones included, and columns are
 * counted from 1, as spreadsheets show them.
 */
#ifndef DATA_CSV_H
#define DATA_CSV_H

#include "data/json.h"

#define CSV_ROW_DELIMITER_MAX 8

struct csv_dialect {
	char column;    /* between fields; 0: ',' */
	char quote;     /* 0: '"' */
	struct str row; /* between rows; p NULL: reading any of LF, CR, CRLF, writing CRLF */
	bool trim;      /* reading: drop spaces and tabs around fields, not those in quotes */
	bool headless;  /* reading: the first row is a record too */
	uint32_t rows_to_skip; /* reading: lines before the header, whatever is in them */
	bool quote_all;        /* writing: every field in quotes */
};

/* 0 in a member: the LIMIT_CSV_* of its name. Bytes are counted as they stand in the text. */
struct csv_limits {
	size_t field_bytes_max;
	size_t row_bytes_max;
	size_t columns_max;
};

/* ERR_INVALID, naming the member, when delimiters and quote can't be told from each other. */
MUST_CHECK bool csv_dialect_check(const struct csv_dialect *d, struct err *err);

/* ---- read ---- */

struct csv_reader;

struct csv_row {
	const struct str *fields;
	size_t count;
	uint64_t number;
};

enum csv_got {
	CSV_ROW,   /* a row came out */
	CSV_MORE,  /* feed more, or say that there is none */
	CSV_END,   /* that was all */
	CSV_FAILED /* see err; so is every further call */
};

/*
 * D must pass csv_dialect_check(); D and LIMITS (NULL: defaults) are copied. Small things live in
 * the arena, the text that is being read in a buffer of the reader's own: what was fed and not yet
 * read, so pieces of 64 KB or so keep it small.
 */
struct csv_reader *csv_reader_new(struct arena *a, const struct csv_dialect *d,
	const struct csv_limits *limits);
void csv_reader_free(struct csv_reader *r);   /* NULL is allowed */
void csv_reader_freep(struct csv_reader **r); /* for DEFER */

/* Copies the bytes. Not after csv_finish(). */
void csv_feed(struct csv_reader *r, struct str bytes);
/* There is no more: what is fed is all. */
void csv_finish(struct csv_reader *r);
/* ROW and its fields are good until the next call with this reader. ERR_PARSE, ERR_LIMIT. */
MUST_CHECK enum csv_got csv_next(struct csv_reader *r, struct csv_row *row, struct err *err);

/*
 * The column names, once csv_next() returned a row; NULL: headless, or not known yet. A name that is
 * empty becomes "Column" and its index from 0, a name that was there already gets "_2", "_3" ...
 */
const struct str *csv_header(const struct csv_reader *r, size_t *count);

/*
 * Adds ROW to B as an object of strings, copied to B's arena: names from the header, or Column0,
 * Column1 ... without one. Columns that the row lacks are left out; empty fields beyond the header
 * are ignored, others are ERR_PARSE with row and column.
 */
MUST_CHECK bool csv_row_json(const struct csv_reader *r, const struct csv_row *row,
	struct json_build *b, struct err *err);

/* ---- write ---- */

/*
 * Adds one row with its delimiter. Quotes stand where they are needed: around fields that hold a
 * delimiter, a quote, CR or LF, begin or end with a blank, and around the empty field of a row of one
 * (a row without any byte would be no row). What is read back by the same dialect is the same.
 *
 * Fields that spreadsheets take for formulas (beginning with = + - @) are written as they are: whether
 * a cell is for people or for machines, only the caller knows. See csv_is_formula().
 */
void csv_write_row(struct buf *out, const struct csv_dialect *d, const struct str *fields,
	size_t count);

/*
 * One row of the members NAMES of RECORD: strings and numbers as they stand, booleans as true and
 * false, null and what is missing as nothing, arrays and objects as JSON text.
 */
void csv_write_record(struct buf *out, const struct csv_dialect *d, const struct str *names,
	size_t count, const struct json *record);

/* Would a spreadsheet run this field? Put an apostrophe before it, or refuse it. */
bool csv_is_formula(struct str field);

#endif
