/*
 * csv_read.c - a state machine over the few bytes that mean something: a mask of 64 bytes at a time
 * says where delimiters and quotes stand, everything between them is skipped.
 *
 * Bytes are appended to one buffer. Fields are unescaped in place, behind the scanning position, and
 * kept as offsets from the row's start, so that the buffer may move between calls. What is not yet
 * known to be UTF-8 is not scanned, and limits are checked at the same places however the text was
 * split: the rows and the error are the same for every split.
 */
#ifdef __SSE2__
#include <emmintrin.h> /* first: it mentions malloc, which ours forbid */
#endif

#include "core/limits.h"
#include "core/map.h"
#include "data/csv.h"

#define BLOCK          64
#define BOM            "\xEF\xBB\xBF"
#define UTF8_BYTES_MAX 4

enum state {
	AT_BOM,
	AT_SKIPPED, /* in a row that the dialect skips */
	AT_FIELD,   /* before a field's first byte */
	IN_PLAIN,
	IN_QUOTES,
	AT_QUOTE, /* behind a quote in quotes: it closes them, or is the first of two */
};

struct span {
	size_t at, n; /* from the row's start */
};

struct csv_reader {
	struct arena *arena;
	struct csv_dialect d;
	struct csv_limits limits;
	char row_delimiter[CSV_ROW_DELIMITER_MAX];
	char special[4]; /* the bytes that the scan stops at */

	struct buf in;
	uint64_t dropped; /* bytes of the text before `in` */
	size_t valid;     /* bytes of `in` that are UTF-8 */
	bool finished;
	bool bad; /* what stands at `valid` is no UTF-8 */
	struct err failure;

	enum state state;
	bool swallow_lf;          /* the row ended with CR: a LF that follows belongs to it */
	size_t at;                /* the next byte to look at */
	size_t row_at, raw_at;    /* where the row and the field begin in the text */
	size_t text_at, text_end; /* the field's text so far, unescaped */
	size_t part_at;           /* in quotes: what follows text_end once it is moved there */
	uint32_t skipped;

	size_t block; /* where the block of `mask` begins */
	uint64_t mask;

	struct span *spans;
	struct str *fields; /* of the row that came out last */
	size_t count, cap;
	uint64_t row;

	bool has_header;
	struct str *header;
	size_t header_count;
};

/* ---- the scan ---- */

static uint64_t mask_of(const struct csv_reader *r, const char *p)
{
	uint64_t mask = 0;

#ifdef __SSE2__
	const __m128i a = _mm_set1_epi8(r->special[0]), b = _mm_set1_epi8(r->special[1]);
	const __m128i c = _mm_set1_epi8(r->special[2]), d = _mm_set1_epi8(r->special[3]);

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i any = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, a), _mm_cmpeq_epi8(v, b)),
			_mm_or_si128(_mm_cmpeq_epi8(v, c), _mm_cmpeq_epi8(v, d)));

		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << i;
	}
#else
	for (unsigned i = 0; i < BLOCK; i++)
		if (p[i] == r->special[0] || p[i] == r->special[1] || p[i] == r->special[2] ||
			p[i] == r->special[3])
			mask |= (uint64_t)1 << i;
#endif
	return mask;
}

/* The last block is short: what is missing is NUL, which no dialect gives a meaning. */
static uint64_t mask_of_tail(const struct csv_reader *r, const char *p, size_t n)
{
	char block[BLOCK] = { 0 };

	memcpy(block, p, n);
	return mask_of(r, block);
}

static void look_at(struct csv_reader *r, size_t block)
{
	size_t n = r->valid - block;

	r->block = block;
	r->mask = n >= BLOCK ? mask_of(r, r->in.p + block) : mask_of_tail(r, r->in.p + block, n);
}

/* Bytes came or went: masks of before say nothing. */
static void forget_mask(struct csv_reader *r)
{
	r->block = r->at;
	r->mask = 0;
	if (r->at < r->valid)
		look_at(r, r->at);
}

/* Where the next special byte at or behind `at` stands; `valid` when there is none. */
static inline size_t next_special(struct csv_reader *r)
{
	for (;;) {
		while (r->mask == 0) {
			if (r->block + BLOCK >= r->valid)
				return r->valid;
			look_at(r, r->block + BLOCK);
		}
		size_t pos = r->block + (size_t)__builtin_ctzll(r->mask);

		if (LIKELY(pos >= r->at))
			return pos;
		r->mask &= r->mask - 1;
	}
}

/* ---- errors ---- */

/* What one step of the machine came to. */
enum step { STEP_ON, STEP_ROW, STEP_MORE, STEP_FAILED, STEP_END };

static enum step fail(struct csv_reader *r, enum err_code code, const char *what)
{
	err_set(&r->failure, code, "row %llu, column %zu: %s", (unsigned long long)r->row + 1,
		r->count + 1, what);
	return STEP_FAILED;
}

/*
 * Is a limit passed by the field that reaches to POS? Of two the one that was passed first counts,
 * as it would have been seen first had the text come byte by byte.
 */
static bool over(struct csv_reader *r, size_t pos)
{
	size_t field = pos - r->raw_at, row = pos - r->row_at;
	char what[100];

	if (LIKELY(field <= r->limits.field_bytes_max && row <= r->limits.row_bytes_max &&
		    r->count < r->limits.columns_max))
		return false;
	if (r->count >= r->limits.columns_max)
		snprintf(what, sizeof(what), "more than %zu columns", r->limits.columns_max);
	else if (field > r->limits.field_bytes_max &&
		 r->raw_at + r->limits.field_bytes_max <= r->row_at + r->limits.row_bytes_max)
		snprintf(what, sizeof(what), "the field is longer than %zu bytes",
			r->limits.field_bytes_max);
	else
		snprintf(what, sizeof(what), "the row is longer than %zu bytes",
			r->limits.row_bytes_max);
	fail(r, ERR_LIMIT, what);
	return true;
}

/* The scan is at the end of what it may look at. */
static enum step starve(struct csv_reader *r)
{
	char what[120];

	r->at = r->valid;
	if (over(r, r->at))
		return STEP_FAILED;
	if (!r->bad)
		return STEP_MORE;
	snprintf(what, sizeof(what), "byte %llu of the text (0x%02X) is not UTF-8",
		(unsigned long long)(r->dropped + r->valid + 1), (unsigned char)r->in.p[r->valid]);
	return fail(r, ERR_PARSE, what);
}

/* ---- fields and rows ---- */

static bool is_blank(const struct csv_reader *r, char c)
{
	return (c == ' ' || c == '\t') && c != r->d.column;
}

static void add_field(struct csv_reader *r, size_t at, size_t end)
{
	if (UNLIKELY(r->count == r->cap)) {
		size_t cap = MAX(r->cap * 2, 16);

		r->spans = arena_grow(r->arena, r->spans, r->cap * sizeof(struct span),
			cap * sizeof(struct span));
		r->fields = arena_alloc(r->arena, cap * sizeof(struct str));
		r->cap = cap;
	}
	r->spans[r->count++] = (struct span){ at - r->row_at, end - at };
}

static void begin_field(struct csv_reader *r)
{
	r->raw_at = r->at;
	r->state = AT_FIELD;
}

static void begin_row(struct csv_reader *r)
{
	r->row_at = r->at;
	r->count = 0;
	begin_field(r);
	if (r->skipped < r->d.rows_to_skip)
		r->state = AT_SKIPPED;
}

enum ends { ENDS_NOTHING, ENDS_FIELD, ENDS_ROW, ENDS_UNKNOWN };

/* What the byte at POS ends; *N is the length of the delimiter. */
static inline enum ends ends_at(struct csv_reader *r, size_t pos, size_t *n)
{
	const char *p = r->in.p + pos;

	*n = 1;
	if (*p == r->d.column)
		return ENDS_FIELD;
	if (r->d.row.p == NULL) {
		if (*p == '\r')
			r->swallow_lf = true;
		return *p == '\r' || *p == '\n' ? ENDS_ROW : ENDS_NOTHING;
	}
	size_t have = MIN(r->valid - pos, r->d.row.n);

	*n = r->d.row.n;
	if (memcmp(p, r->d.row.p, have) != 0)
		return ENDS_NOTHING;
	if (have == r->d.row.n)
		return ENDS_ROW;
	return r->finished || r->bad ? ENDS_NOTHING : ENDS_UNKNOWN;
}

/* The row that ended becomes slices; false when it holds nothing at all. */
static bool take_row(struct csv_reader *r, bool blank, struct csv_row *row)
{
	r->row++;
	if (blank)
		return false;
	for (size_t i = 0; i < r->count; i++)
		r->fields[i] = str_of(r->in.p + r->row_at + r->spans[i].at, r->spans[i].n);
	*row = (struct csv_row){ r->fields, r->count, r->row };
	return true;
}

/* ---- the header ---- */

/* What to number the next name of these letters with. */
struct seen {
	size_t next;
};

static struct str unique(struct csv_reader *r, struct map *names, struct str name, size_t i)
{
	struct str base = name.n > 0 ? str_dup(r->arena, name) : str_fmt(r->arena, "Column%zu", i);
	struct str out = base;
	struct seen *seen = map_get(names, base);

	while (map_get(names, out) != NULL)
		out = str_fmt(r->arena, "%.*s_%zu", STR_ARG(base), seen->next++);
	seen = arena_new_of(r->arena, struct seen);
	seen->next = 2;
	map_put(names, out, seen);
	return out;
}

static void keep_header(struct csv_reader *r, const struct csv_row *row)
{
	struct map *names = map_new(r->arena);

	r->header = arena_array_of(r->arena, struct str, MAX(row->count, 1));
	r->header_count = row->count;
	for (size_t i = 0; i < row->count; i++)
		r->header[i] = unique(r, names, row->fields[i], i);
	r->has_header = true;
}

/* ---- the machine ---- */

/* The text ends in this field, or just behind it. */
static bool at_end(const struct csv_reader *r)
{
	return r->finished && !r->bad && r->at == r->valid;
}

/* The field ends before POS, with its text before END; a delimiter of N bytes follows. */
static enum step end_field(struct csv_reader *r, size_t pos, size_t end, size_t n, bool row)
{
	if (over(r, pos))
		return STEP_FAILED;
	add_field(r, r->text_at, end);
	r->at = pos + n;
	if (row)
		return STEP_ROW;
	begin_field(r);
	return STEP_ON;
}

static size_t trimmed_end(const struct csv_reader *r, size_t end)
{
	if (r->d.trim)
		while (end > r->text_at && is_blank(r, r->in.p[end - 1]))
			end--;
	return end;
}

static enum step in_plain(struct csv_reader *r)
{
	for (;;) {
		size_t pos = next_special(r), n;

		if (UNLIKELY(pos == r->valid)) {
			r->at = pos;
			return at_end(r) ? end_field(r, pos, trimmed_end(r, pos), 0, true)
					 : starve(r);
		}
		enum ends ends = ends_at(r, pos, &n);

		if (UNLIKELY(ends == ENDS_UNKNOWN)) {
			r->at = pos;
			return over(r, pos) ? STEP_FAILED : STEP_MORE;
		}
		if (LIKELY(ends != ENDS_NOTHING))
			return end_field(r, pos, trimmed_end(r, pos), n, ends == ENDS_ROW);
		r->at = pos + 1;
	}
}

static enum step at_field(struct csv_reader *r)
{
	while (r->d.trim && r->at < r->valid && is_blank(r, r->in.p[r->at]))
		r->at++;
	r->text_at = r->at;
	if (r->at == r->valid) {
		if (!at_end(r))
			return starve(r);
		if (r->row_at == r->valid)
			return STEP_END;
	} else if (r->in.p[r->at] == r->d.quote) {
		r->part_at = r->text_at = r->text_end = ++r->at;
		r->state = IN_QUOTES;
		return STEP_ON;
	}
	r->state = IN_PLAIN;
	return in_plain(r);
}

/* Moves what was scanned since the last escape to the end of the field's text. */
static void take_part(struct csv_reader *r, size_t end)
{
	size_t n = end - r->part_at;

	if (r->text_end != r->part_at)
		memmove(r->in.p + r->text_end, r->in.p + r->part_at, n);
	r->text_end += n;
}

static enum step in_quotes(struct csv_reader *r)
{
	for (;;) {
		size_t pos = next_special(r);

		if (pos == r->valid) {
			r->at = pos;
			if (!at_end(r))
				return starve(r);
			return over(r, pos) ? STEP_FAILED
					    : fail(r, ERR_PARSE,
						      "the quote that opens this field is "
						      "never closed");
		}
		r->at = pos + 1;
		if (r->in.p[pos] == r->d.quote) {
			take_part(r, pos);
			r->state = AT_QUOTE;
			return STEP_ON;
		}
	}
}

static enum step at_quote(struct csv_reader *r)
{
	size_t n;

	while (r->d.trim && r->at < r->valid && is_blank(r, r->in.p[r->at]))
		r->at++;
	if (r->at == r->valid)
		return at_end(r) ? end_field(r, r->at, r->text_end, 0, true) : starve(r);
	/* with trim, blanks may stand between: then the first quote has closed the field */
	if (r->in.p[r->at] == r->d.quote && r->in.p[r->at - 1] == r->d.quote) {
		r->part_at = r->at++;
		r->state = IN_QUOTES;
		return STEP_ON;
	}
	enum ends ends = ends_at(r, r->at, &n);

	if (ends == ENDS_FIELD || ends == ENDS_ROW)
		return end_field(r, r->at, r->text_end, n, ends == ENDS_ROW);
	if (over(r, r->at))
		return STEP_FAILED;
	if (ends == ENDS_UNKNOWN)
		return STEP_MORE;
	return fail(r, ERR_PARSE,
		"text follows the closing quote; a quote inside quotes is written twice");
}

/* Rows to skip end at the first row delimiter, whatever stands in them. */
static enum step at_skipped(struct csv_reader *r)
{
	for (;;) {
		size_t pos = next_special(r), n;

		if (pos == r->valid) {
			r->at = pos;
			return at_end(r) ? STEP_END : starve(r);
		}
		enum ends ends = ends_at(r, pos, &n);

		if (ends == ENDS_UNKNOWN) {
			r->at = pos;
			return over(r, pos) ? STEP_FAILED : STEP_MORE;
		}
		r->at = pos + 1;
		if (ends != ENDS_ROW)
			continue;
		if (over(r, pos))
			return STEP_FAILED;
		r->at = pos + n;
		r->skipped++;
		r->row++;
		begin_row(r);
		return STEP_ON;
	}
}

static enum step at_bom(struct csv_reader *r)
{
	if (r->valid == 0 && !at_end(r))
		return starve(r);
	if (r->valid >= strlen(BOM) && memcmp(r->in.p, BOM, strlen(BOM)) == 0)
		r->at = strlen(BOM);
	begin_row(r);
	return STEP_ON;
}

static enum step step(struct csv_reader *r)
{
	switch (r->state) {
	case AT_BOM:
		return at_bom(r);
	case AT_SKIPPED:
		return at_skipped(r);
	case AT_FIELD:
		return at_field(r);
	case IN_PLAIN:
		return in_plain(r);
	case IN_QUOTES:
		return in_quotes(r);
	default:
		return at_quote(r);
	}
}

/* A LF behind the CR of the row before; false: it is not known yet. */
static bool swallow(struct csv_reader *r)
{
	if (!r->swallow_lf)
		return true;
	if (r->at == r->valid)
		return r->finished || r->bad;
	r->swallow_lf = false;
	if (r->in.p[r->at] == '\n') {
		r->at++;
		r->row_at++;
		r->raw_at++;
	}
	return true;
}

/* Runs the machine to the end of a row that is not blank. */
static enum step run(struct csv_reader *r, struct csv_row *row)
{
	for (;;) {
		if (!swallow(r))
			return STEP_MORE;
		enum step s = step(r);

		if (s == STEP_ON)
			continue;
		if (s != STEP_ROW)
			return s;
		/* one field without a byte of its own is a row without any */
		bool blank = r->count == 1 && r->state == IN_PLAIN && r->spans[0].n == 0;
		bool got = take_row(r, blank, row);

		begin_row(r);
		if (got)
			return s;
	}
}

enum csv_got csv_next(struct csv_reader *r, struct csv_row *row, struct err *err)
{
	enum step s = r->failure.code != ERR_NONE ? STEP_FAILED : run(r, row);

	if (s == STEP_ROW && !r->has_header && !r->d.headless) {
		keep_header(r, row);
		s = run(r, row);
	}
	if (s == STEP_FAILED && err != NULL)
		*err = r->failure;
	return s == STEP_ROW    ? CSV_ROW
	       : s == STEP_MORE ? CSV_MORE
	       : s == STEP_END  ? CSV_END
				: CSV_FAILED;
}

/* ---- the text ---- */

/* Drops what was read, so that the buffer holds the row under way and what follows. */
static void compact(struct csv_reader *r)
{
	size_t n = r->row_at;

	buf_drop(&r->in, n);
	r->dropped += n;
	r->valid -= n;
	r->at -= n;
	r->raw_at -= n;
	r->text_at -= MIN(n, r->text_at);
	r->text_end -= MIN(n, r->text_end);
	r->part_at -= MIN(n, r->part_at);
	r->row_at = 0;
}

static void validate(struct csv_reader *r)
{
	struct str rest = str_from(buf_str(&r->in), r->valid);

	r->valid += str_utf8_prefix(rest);
	/* the last character may lack bytes that are still to come */
	r->bad = r->in.n - r->valid >= UTF8_BYTES_MAX || (r->finished && r->in.n > r->valid);
	forget_mask(r);
}

void csv_feed(struct csv_reader *r, struct str bytes)
{
	CHECK(!r->finished);
	if (bytes.n == 0 || r->bad || r->failure.code != ERR_NONE)
		return;
	compact(r);
	buf_add(&r->in, bytes.p, bytes.n);
	validate(r);
}

void csv_finish(struct csv_reader *r)
{
	r->finished = true;
	if (!r->bad && r->failure.code == ERR_NONE)
		validate(r);
}

struct csv_reader *csv_reader_new(struct arena *a, const struct csv_dialect *d,
	const struct csv_limits *limits)
{
	struct csv_reader *r = arena_new_of(a, struct csv_reader);

	CHECK(csv_dialect_check(d, NULL));
	r->arena = a;
	r->d = *d;
	r->d.column = d->column == '\0' ? ',' : d->column;
	r->d.quote = d->quote == '\0' ? '"' : d->quote;
	if (d->row.p != NULL) {
		memcpy(r->row_delimiter, d->row.p, d->row.n);
		r->d.row.p = r->row_delimiter;
	}
	r->special[0] = r->d.column;
	r->special[1] = r->d.quote;
	r->special[2] = d->row.p != NULL ? d->row.p[0] : '\n';
	r->special[3] = d->row.p != NULL ? d->row.p[0] : '\r';
	if (limits != NULL)
		r->limits = *limits;
	if (r->limits.field_bytes_max == 0)
		r->limits.field_bytes_max = LIMIT_CSV_FIELD_BYTES;
	if (r->limits.row_bytes_max == 0)
		r->limits.row_bytes_max = LIMIT_CSV_ROW_BYTES;
	if (r->limits.columns_max == 0)
		r->limits.columns_max = LIMIT_CSV_COLUMNS;
	return r;
}

void csv_reader_free(struct csv_reader *r)
{
	if (r != NULL)
		buf_free(&r->in);
}

void csv_reader_freep(struct csv_reader **r)
{
	csv_reader_free(*r);
	*r = NULL;
}

/* ---- records ---- */

const struct str *csv_header(const struct csv_reader *r, size_t *count)
{
	*count = r->header_count;
	return r->has_header ? r->header : NULL;
}

/* Fields of a row that the header has no names for: only empty ones are let pass. */
static bool check_surplus(const struct csv_reader *r, const struct csv_row *row, struct err *err)
{
	for (size_t i = r->header_count; i < row->count; i++)
		if (row->fields[i].n > 0)
			return err_set(err, ERR_PARSE,
				"row %llu, column %zu: the header has only %zu columns",
				(unsigned long long)row->number, i + 1, r->header_count);
	return true;
}

bool csv_row_json(const struct csv_reader *r, const struct csv_row *row, struct json_build *b,
	struct err *err)
{
	size_t count = r->has_header ? MIN(row->count, r->header_count) : row->count, bytes = 0;

	if (r->has_header && !check_surplus(r, row, err))
		return false;
	for (size_t i = 0; i < count; i++)
		bytes += row->fields[i].n;
	char *d = arena_alloc(b->arena, MAX(bytes, 1));

	json_build_object(b);
	for (size_t i = 0; i < count; i++) {
		struct str s = row->fields[i];

		json_build_key(b, r->has_header ? r->header[i] : str_fmt(b->arena, "Column%zu", i));
		memcpy(d, s.p, s.n);
		json_build_str(b, str_of(d, s.n));
		d += s.n;
	}
	json_build_end(b);
	return true;
}
