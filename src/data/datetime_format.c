/*
 * datetime_format.c - compiles a format of moment.js tokens to a list of items, and prints by it.
 *
 * Tokens are cut as moment.js's own expression does: of a run of one letter the longest token that
 * there is. A letter that is no token stands for itself.
 */
#include "data/datetime_priv.h"

const struct datetime_token_info datetime_tokens[T_COUNT] = {
	[T_LITERAL] = { STR_INIT("text"), 0, "this text" },
#define X(text, sym, bytes, words) [sym] = { STR_INIT(text), bytes, words },
	DATETIME_TOKENS(X)
#undef X
};

/* ---- compiling ---- */

#define TOKEN_BYTES_MAX 9

struct compiler {
	struct arena *arena;
	struct datetime_format *format;
	struct str text;
	size_t at, item_at;
	struct buf literal;
	struct err *err;
};

static void add_item(struct compiler *c, struct datetime_item item)
{
	struct datetime_format *f = c->format;

	if (f->count == f->cap) {
		size_t cap = f->cap == 0 ? 8 : f->cap * 2;

		f->items = arena_grow(c->arena, f->items, f->cap * sizeof(*f->items),
			cap * sizeof(*f->items));
		f->cap = cap;
	}
	item.at = c->item_at;
	f->items[f->count++] = item;
	f->room += item.token == T_LITERAL ? item.literal.n : datetime_tokens[item.token].bytes;
}

static void end_literal(struct compiler *c)
{
	if (c->literal.n == 0)
		return;
	add_item(c, (struct datetime_item){ .literal = str_dup(c->arena, buf_str(&c->literal)) });
	buf_reset(&c->literal);
}

/* The longest token that S begins with; T_LITERAL: none. */
static enum datetime_token longest(struct str s)
{
	for (size_t n = MIN(s.n, TOKEN_BYTES_MAX); n > 0; n--)
		for (size_t i = 1; i < T_COUNT; i++)
			if (str_eq(datetime_tokens[i].text, str_sub(s, 0, n)))
				return (enum datetime_token)i;
	return T_LITERAL;
}

static const char *locale_format(struct str s, size_t *n)
{
	static const struct {
		const char *name, *format;
	} formats[] = {
		{ "LTS", "h:mm:ss A" },
		{ "LT", "h:mm A" },
		{ "LLLL", "dddd, MMMM D, YYYY h:mm A" },
		{ "LLL", "MMMM D, YYYY h:mm A" },
		{ "LL", "MMMM D, YYYY" },
		{ "L", "MM/DD/YYYY" },
		{ "llll", "ddd, MMM D, YYYY h:mm A" },
		{ "lll", "MMM D, YYYY h:mm A" },
		{ "ll", "MMM D, YYYY" },
		{ "l", "M/D/YYYY" },
	};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (str_starts(s, str_z(formats[i].name))) {
			*n = strlen(formats[i].name);
			return formats[i].format;
		}
	}
	return NULL;
}

static void add_token(struct compiler *c, enum datetime_token t)
{
	end_literal(c);
	add_item(c, (struct datetime_item){ .token = t });
}

static void add_locale(struct compiler *c, struct str format)
{
	while (format.n > 0) {
		enum datetime_token t = longest(format);

		if (t == T_LITERAL)
			buf_add_char(&c->literal, format.p[0]);
		else
			add_token(c, t);
		format = str_from(format, t == T_LITERAL ? 1 : datetime_tokens[t].text.n);
	}
}

/* [text]: from the bracket to the last ']' before the next '['. */
static size_t bracketed(struct str s)
{
	size_t end = 0;

	for (size_t i = 1; i < s.n && s.p[i] != '['; i++)
		if (s.p[i] == ']')
			end = i;
	return end == 0 ? 0 : end + 1;
}

static void read_item(struct compiler *c)
{
	struct str rest = str_from(c->text, c->at);
	bool escaped = rest.p[0] == '\\';
	size_t n = escaped ? 0 : bracketed(rest.p[0] == '[' ? rest : STR(""));
	const char *locale;
	enum datetime_token t;

	if (n > 0) {
		buf_add_str(&c->literal, str_sub(rest, 1, n - 2));
		c->at += n;
		return;
	}
	c->at += escaped;
	rest = str_from(c->text, c->at);
	locale = rest.n == 0 ? NULL : locale_format(rest, &n);
	t = rest.n == 0 ? T_LITERAL : longest(rest);
	if (locale == NULL)
		n = t == T_LITERAL ? MIN(rest.n, 1) : datetime_tokens[t].text.n;
	c->at += n;
	if (escaped || (locale == NULL && t == T_LITERAL))
		buf_add_str(&c->literal, str_sub(rest, 0, n));
	else if (locale != NULL)
		add_locale(c, str_z(locale));
	else
		add_token(c, t);
}

static bool fail(struct compiler *c, const struct datetime_item *item, const char *what)
{
	return err_set(c->err, ERR_INVALID, "date format \"%.*s\", position %zu: %.*s %s",
		STR_ARG(c->text), item->at + 1, STR_ARG(datetime_tokens[item->token].text), what);
}

static bool is_year(enum datetime_token t)
{
	return (t >= T_Y && t <= T_ERA_YO) || (t >= T_WEEK_YEAR2 && t <= T_ISO_YEAR5) ||
	       t == T_EPOCH_S || t == T_EPOCH_MS;
}

/* Parts that mean nothing without a year; a weekday alone is only checked, never used. */
static bool is_date(enum datetime_token t)
{
	return (t >= T_Q && t <= T_DDDD) || (t >= T_WEEK && t <= T_ISO_WEEK2);
}

/* Can texts be read by it? */
static bool check_readable(struct compiler *c)
{
	const struct datetime_format *f = c->format;
	const struct datetime_item *date = NULL;
	bool year = false, tokens = false;

	for (size_t i = 0; i < f->count; i++) {
		const struct datetime_item *item = &f->items[i];

		if (item->token == T_LITERAL)
			continue;
		if (datetime_tokens[item->token].words == NULL)
			return fail(c, item, "can be printed, but not read");
		tokens = true;
		year = year || is_year(item->token);
		if (date == NULL && is_date(item->token))
			date = item;
	}
	if (!tokens)
		return err_set(c->err, ERR_INVALID,
			"date format \"%.*s\" has no token, so no date can be read by it",
			STR_ARG(c->text));
	return date == NULL || year || fail(c, date, "needs a year beside it");
}

static bool compile(struct compiler *c)
{
	while (c->at < c->text.n) {
		c->item_at = c->at;
		read_item(c);
	}
	end_literal(c);
	return c->format->use == DATETIME_PRINT || check_readable(c);
}

bool datetime_format_compile(struct arena *a, struct str text, enum datetime_use use,
	struct datetime_format **out, struct err *err)
{
	struct datetime_format *f = arena_new_of(a, struct datetime_format);
	struct compiler c = { .arena = a, .format = f, .err = err };

	if (text.n == 0 || text.n > DATETIME_FORMAT_MAX)
		return err_set(err, ERR_INVALID, "a date format must have 1 to %d bytes; found %zu",
			DATETIME_FORMAT_MAX, text.n);
	f->use = use;
	f->text = c.text = str_dup(a, text);
	bool ok = compile(&c);

	buf_free(&c.literal);
	if (ok)
		*out = f;
	return ok;
}

/* ---- printing ---- */

struct printer {
	char *p;
	int64_t ms, local;
	const struct zone *zone;
	struct datetime t;
};

static void put(struct printer *o, struct str s)
{
	memcpy(o->p, s.p, s.n);
	o->p += s.n;
}

/* V with at least N digits. */
static void put_number(struct printer *o, uint64_t v, unsigned n)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0 || count < n);
	while (count > 0)
		*o->p++ = digits[--count];
}

static void put_signed(struct printer *o, int64_t v, unsigned n, bool plus)
{
	if (v < 0 || plus)
		*o->p++ = v < 0 ? '-' : '+';
	put_number(o, (uint64_t)(v < 0 ? -v : v), n);
}

static void put_ordinal(struct printer *o, unsigned v)
{
	static const char suffixes[] = "thstndrdth";
	unsigned last = v % 100 / 10 == 1 ? 0 : MIN(v % 10, 4);

	put_number(o, v, 1);
	put(o, str_of(suffixes + (size_t)2 * last, 2));
}

static void put_offset(struct printer *o, bool colon)
{
	int32_t minutes = timezone_at(o->zone, o->ms).offset_s / 60;
	unsigned v = (unsigned)(minutes < 0 ? -minutes : minutes);

	*o->p++ = minutes < 0 ? '-' : '+';
	put_number(o, v / 60, 2);
	if (colon)
		*o->p++ = ':';
	put_number(o, v % 60, 2);
}

static int64_t local_day(const struct printer *o)
{
	return time_days(o->t.year, o->t.month, o->t.day);
}

static void put_year(struct printer *o, enum datetime_token t)
{
	int y = o->t.year;
	/* year 0 is the first before the era */
	int64_t era = y > 0 ? y : 1 - (int64_t)y;

	switch (t) {
	case T_Y:
		put_signed(o, y, 4, y > 9999);
		break;
	case T_YY:
		put_number(o, (uint64_t)((y % 100 + 100) % 100), 2);
		break;
	case T_YYYY:
		put_signed(o, y, 4, false);
		break;
	case T_YYYYY:
		put_signed(o, y, 5, false);
		break;
	case T_YYYYYY:
		put_signed(o, y, 6, true);
		break;
	case T_ERA_YO:
		put_ordinal(o, (unsigned)era);
		break;
	default:
		put_signed(o, era, (unsigned)datetime_tokens[t].text.n, false);
	}
}

static void put_month(struct printer *o, enum datetime_token t)
{
	struct str name = str_z(datetime_months[o->t.month - 1]);

	switch (t) {
	case T_Q:
		put_number(o, (o->t.month + 2) / 3, 1);
		break;
	case T_QO:
		put_ordinal(o, (o->t.month + 2) / 3);
		break;
	case T_MO:
		put_ordinal(o, o->t.month);
		break;
	case T_MMM:
		put(o, str_sub(name, 0, 3));
		break;
	case T_MMMM:
		put(o, name);
		break;
	default:
		put_number(o, o->t.month, t == T_MM ? 2 : 1);
	}
}

static void put_day(struct printer *o, enum datetime_token t)
{
	unsigned of_year = (unsigned)(local_day(o) - time_days(o->t.year, 1, 1)) + 1;

	switch (t) {
	case T_DO:
		put_ordinal(o, o->t.day);
		break;
	case T_DDD:
		put_number(o, of_year, 1);
		break;
	case T_DDDO:
		put_ordinal(o, of_year);
		break;
	case T_DDDD:
		put_number(o, of_year, 3);
		break;
	default:
		put_number(o, o->t.day, t == T_DD ? 2 : 1);
	}
}

static void put_weekday(struct printer *o, enum datetime_token t)
{
	unsigned day = datetime_weekday(o->local);
	struct str name = str_z(datetime_weekdays[day]);

	switch (t) {
	case T_WEEKDAYO:
		put_ordinal(o, day);
		break;
	case T_WEEKDAY2:
	case T_WEEKDAY3:
		put(o, str_sub(name, 0, t == T_WEEKDAY2 ? 2 : 3));
		break;
	case T_WEEKDAY4:
		put(o, name);
		break;
	default:
		put_number(o, t == T_ISO_WEEKDAY && day == 0 ? 7 : day, 1);
	}
}

static void put_week(struct printer *o, enum datetime_token t)
{
	bool iso = t == T_ISO_WEEK || t == T_ISO_WEEKO || t == T_ISO_WEEK2 ||
		   (t >= T_ISO_YEAR2 && t <= T_ISO_YEAR5);
	int year;
	unsigned week = datetime_week(iso ? &datetime_weeks_iso : &datetime_weeks_us, local_day(o),
		&year);

	if (t == T_WEEKO || t == T_ISO_WEEKO)
		put_ordinal(o, week);
	else if (t < T_WEEK_YEAR2)
		put_number(o, week, t == T_WEEK || t == T_ISO_WEEK ? 1 : 2);
	else if (t == T_WEEK_YEAR2 || t == T_ISO_YEAR2)
		put_number(o, (uint64_t)((year % 100 + 100) % 100), 2);
	else
		put_signed(o, year, t == T_WEEK_YEAR4 || t == T_ISO_YEAR4 ? 4 : 5, false);
}

static void put_hour(struct printer *o, enum datetime_token t)
{
	unsigned h = o->t.hour, h12 = h % 12 == 0 ? 12 : h % 12;

	switch (t) {
	case T_MERIDIEM_UPPER:
		put(o, h < 12 ? STR("AM") : STR("PM"));
		return;
	case T_MERIDIEM_LOWER:
		put(o, h < 12 ? STR("am") : STR("pm"));
		return;
	case T_H:
	case T_HH:
		put_number(o, h, t == T_HH ? 2 : 1);
		return;
	case T_H12:
	case T_HH12:
		put_number(o, h12, t == T_HH12 ? 2 : 1);
		return;
	case T_K:
	case T_KK:
		put_number(o, h == 0 ? 24 : h, t == T_KK ? 2 : 1);
		return;
	default:
		put_number(o, t == T_HMM || t == T_HMMSS ? h : h12, 1);
	}
	put_number(o, o->t.minute, 2);
	if (t == T_HMMSS || t == T_H12MMSS)
		put_number(o, o->t.second, 2);
}

static void put_fraction(struct printer *o, unsigned digits)
{
	static const unsigned cut[] = { 100, 10 };

	if (digits < 3)
		put_number(o, o->t.ms / cut[digits - 1], digits);
	else
		put_number(o, o->t.ms, 3);
	for (; digits > 3; digits--)
		*o->p++ = '0';
}

static void put_abbr(struct printer *o)
{
	put(o, str_sub(timezone_at(o->zone, o->ms).abbr, 0, DATETIME_ABBR_MAX));
}

static void put_token(struct printer *o, enum datetime_token t)
{
	int64_t s = (o->ms >= 0 ? o->ms : o->ms - 999) / 1000;

	if (t <= T_ERA_YO)
		put_year(o, t);
	else if (t <= T_MMMM)
		put_month(o, t);
	else if (t <= T_DDDD)
		put_day(o, t);
	else if (t <= T_ISO_WEEKDAY)
		put_weekday(o, t);
	else if (t <= T_ISO_YEAR5)
		put_week(o, t);
	else if (t <= T_H12MMSS)
		put_hour(o, t);
	else if (t <= T_MINUTE2)
		put_number(o, o->t.minute, t == T_MINUTE2 ? 2 : 1);
	else if (t <= T_SECOND2)
		put_number(o, o->t.second, t == T_SECOND2 ? 2 : 1);
	else if (t <= T_S9)
		put_fraction(o, (unsigned)t - T_S1 + 1);
	else if (t <= T_ABBR2)
		put_abbr(o);
	else if (t <= T_OFFSET_SHORT)
		put_offset(o, t == T_OFFSET);
	else
		put_signed(o, t == T_EPOCH_S ? s : o->ms, 1, false);
}

size_t datetime_format_room(const struct datetime_format *f)
{
	return f->room;
}

size_t datetime_format_print(const struct datetime_format *f, int64_t ms, const struct zone *zone,
	char *out)
{
	struct printer o = { .p = out, .ms = ms, .zone = zone, .local = timezone_local(zone, ms) };

	datetime_civil(o.local, &o.t);
	for (size_t i = 0; i < f->count; i++) {
		if (f->items[i].token == T_LITERAL)
			put(&o, f->items[i].literal);
		else
			put_token(&o, f->items[i].token);
	}
	return (size_t)(o.p - out);
}

void datetime_format_add(const struct datetime_format *f, int64_t ms, const struct zone *zone,
	struct buf *out)
{
	char *room = buf_room(out, f->room);

	if (room != NULL)
		out->n += datetime_format_print(f, ms, zone, room);
}
