/*
 * timezone_tzif.c - reads the bytes of a TZif file (RFC 9636). Of version 2 and later the second
 * block, with 64-bit times, and the footer are taken.
 */
#include "data/timezone_priv.h"

#define HEADER_BYTES    44
#define AT_LIMIT        (INT64_C(1) << 52) /* seconds; beyond every date that we print */
#define OFFSET_S_MAX    (26 * 3600)
#define TRANSITIONS_MAX 20000

struct block {
	uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
	size_t time_bytes; /* 4 or 8 */
	struct str data;
};

static uint32_t be32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t be_time(const char *p, size_t bytes)
{
	if (bytes == 4)
		return (int32_t)be32(p);
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Cuts a header and its data from *REST. */
static bool cut_block(struct str *rest, size_t time_bytes, char *version, struct block *b)
{
	const char *p = rest->p;

	if (rest->n < HEADER_BYTES || memcmp(p, "TZif", 4) != 0)
		return false;
	*version = p[4];
	*b = (struct block){ be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36),
		be32(p + 40), time_bytes, STR_NULL };
	uint64_t n = (uint64_t)b->timecnt * (time_bytes + 1) + (uint64_t)b->typecnt * 6 +
		     b->charcnt + (uint64_t)b->leapcnt * (time_bytes + 4) + b->isstdcnt +
		     b->isutcnt;

	if (n > rest->n - HEADER_BYTES)
		return false;
	b->data = str_sub(*rest, HEADER_BYTES, n);
	*rest = str_from(*rest, HEADER_BYTES + n);
	return true;
}

static bool read_types(struct arena *a, const struct block *b, struct zone *z)
{
	const char *p = b->data.p + b->timecnt * (b->time_bytes + 1);
	const char *text = p + (size_t)b->typecnt * 6;
	struct str chars = str_dup(a, str_of(text, b->charcnt));

	z->types = arena_array_of(a, struct timezone_at, b->typecnt);
	z->type_count = b->typecnt;
	for (size_t i = 0; i < z->type_count; i++, p += 6) {
		struct timezone_at *t = &z->types[i];
		unsigned char abbr = (unsigned char)p[5];
		const char *end = abbr < chars.n ? memchr(chars.p + abbr, '\0', chars.n - abbr)
						 : NULL;

		t->offset_s = (int32_t)be32(p);
		t->dst = p[4] != 0;
		if (end == NULL || t->offset_s < -OFFSET_S_MAX || t->offset_s > OFFSET_S_MAX)
			return false;
		t->abbr = str_of(chars.p + abbr, (size_t)(end - chars.p) - abbr);
	}
	return true;
}

static bool read_transitions(struct arena *a, const struct block *b, struct zone *z)
{
	const char *p = b->data.p;

	z->count = b->timecnt;
	z->at = arena_array_of(a, int64_t, MAX(z->count, 1));
	z->to = arena_memdup(a, p + z->count * b->time_bytes, z->count);
	for (size_t i = 0; i < z->count; i++, p += b->time_bytes) {
		int64_t at = be_time(p, b->time_bytes);

		z->at[i] = MAX(-AT_LIMIT, MIN(at, AT_LIMIT));
		if (z->to[i] >= z->type_count || (i > 0 && z->at[i] < z->at[i - 1]))
			return false;
	}
	return true;
}

/* The rule between two newlines; an empty one says nothing. */
static bool read_footer(struct arena *a, struct str rest, struct zone *z)
{
	if (rest.n < 2 || rest.p[0] != '\n')
		return false;
	rest = str_from(rest, 1);
	size_t end = str_find_char(rest, '\n');

	if (end == STR_NPOS)
		return false;
	z->has_rule = end > 0;
	return end == 0 || tz_rule_read(a, str_sub(rest, 0, end), &z->rule);
}

bool tzif_read(struct arena *a, struct str bytes, struct zone *z, struct err *err)
{
	struct str rest = bytes;
	struct block b;
	char version;

	if (!cut_block(&rest, 4, &version, &b) ||
		(version != '\0' && !cut_block(&rest, 8, &version, &b)))
		return err_set(err, ERR_INVALID, "not a TZif file, or a part of one");
	if (b.leapcnt > 0)
		return err_set(err, ERR_INVALID, "its seconds count leap seconds");
	if (b.typecnt == 0 || b.typecnt > 256 || b.timecnt > TRANSITIONS_MAX)
		return err_set(err, ERR_INVALID, "its counts are out of range");
	if (!read_types(a, &b, z))
		return err_set(err, ERR_INVALID, "its local time types are out of range");
	if (!read_transitions(a, &b, z))
		return err_set(err, ERR_INVALID, "its transitions are out of order or range");
	if (b.time_bytes == 8 && !read_footer(a, rest, z))
		return err_set(err, ERR_INVALID, "its footer is no POSIX TZ rule");
	return true;
}
