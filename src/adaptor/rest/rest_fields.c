/*
 * rest_fields.c - Link, Retry-After and Set-Cookie, read without a copy.
 */
#include "adaptor/rest/rest_fields.h"

#include "core/clock.h"
#include "core/limits.h"

#define EPOCH_S_MIN  INT64_C(1000000000)    /* a number from here on is an instant */
#define EPOCH_MS_MIN INT64_C(1000000000000) /* ... in milliseconds */
#define DIGITS_MAX   18

/* ---- Link ---- */

/* One `<target>; rel="next"; ...` of a field; moves *REST behind it. p NULL: another relation. */
static struct str link_target(struct str *rest, struct str relation)
{
	size_t from = str_find_char(*rest, '<');
	struct str s = from == STR_NPOS ? STR_NULL : str_from(*rest, from + 1);
	struct str target = str_cut(&s, '>');
	bool quoted = false, found = false;
	size_t end = 0;

	while (end < s.n && (quoted || s.p[end] != ','))
		quoted ^= s.p[end++] == '"';
	struct str params = str_sub(s, 0, end);

	*rest = end < s.n ? str_from(s, end + 1) : STR_NULL;
	while (params.p != NULL) {
		struct str value = str_cut(&params, ';'), name = str_trim(str_cut(&value, '='));

		value = str_trim(value);
		if (value.n > 1 && value.p[0] == '"')
			value = str_sub(value, 1, value.n - 2);
		while (str_eq_ci(name, STR("rel")) && value.p != NULL)
			found |= str_eq_ci(str_cut(&value, ' '), relation);
	}
	return found ? target : STR_NULL;
}

struct str rest_link_find(struct str headers, struct str relation)
{
	while (headers.p != NULL) {
		struct str value = str_cut(&headers, '\n'), name = str_cut(&value, ':');

		while (str_eq_ci(name, STR("Link")) && value.p != NULL) {
			struct str target = link_target(&value, relation);

			if (target.p != NULL)
				return target;
		}
	}
	return STR_NULL;
}

/* ---- when to come back ---- */

static bool digits(struct str s, int64_t *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n <= DIGITS_MAX && str_to_i64(s, out);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). */
static bool read_date(struct str s, int64_t *wall_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day, year, h, m, sec;
	unsigned month = 0;

	if (s.n != 29 || !str_eq(str_from(s, 25), STR(" GMT")) || s.p[3] != ',')
		return false;
	while (month < 12 && !str_eq(str_sub(s, 8, 3), str_of(months + 3 * month, 3)))
		month++;
	if (month == 12 || !digits(str_sub(s, 5, 2), &day) || !digits(str_sub(s, 12, 4), &year) ||
		!digits(str_sub(s, 17, 2), &h) || !digits(str_sub(s, 20, 2), &m) ||
		!digits(str_sub(s, 23, 2), &sec) || day < 1 || day > 31)
		return false;
	*wall_ms = ((time_days((int)year, month + 1, (unsigned)day) * 24 + h) * 60 + m) * 60000 +
		   sec * 1000;
	return true;
}

/* Seconds, rounded up; a number of more digits than can be meant is the largest. */
static bool read_number(struct str s, int64_t *out)
{
	struct str fraction = s, whole = str_cut(&fraction, '.');
	size_t n = 0;
	int64_t ignored;

	while (n < whole.n && whole.p[n] >= '0' && whole.p[n] <= '9')
		n++;
	if (n == 0 || n < whole.n || (fraction.p != NULL && !digits(fraction, &ignored)))
		return false;
	if (!digits(whole, out))
		*out = INT64_MAX / 4;
	*out += fraction.p != NULL;
	return true;
}

bool rest_wait_told(struct str value, int64_t now_ms, int64_t *wait_ms)
{
	const int64_t most_ms = LIMIT_RETRY_AFTER_MAX_S * INT64_C(1000);
	int64_t n, ms;

	if (read_number(value, &n))
		ms = n >= EPOCH_MS_MIN  ? n - now_ms
		     : n >= EPOCH_S_MIN ? n * 1000 - now_ms
					: n * 1000;
	else if (read_date(value, &n))
		ms = n - now_ms;
	else
		return false;
	if (ms <= 0)
		return false;
	*wait_ms = MIN(ms, most_ms);
	return true;
}

/* ---- Set-Cookie ---- */

bool rest_set_cookie_read(struct str field, struct rest_set_cookie *out)
{
	struct str rest = field, value = str_cut(&rest, ';');
	struct rest_set_cookie c = { .name = str_trim(str_cut(&value, '=')) };
	int64_t age;

	c.value = str_trim(value);
	if (c.name.n == 0 || value.p == NULL)
		return false;
	while (rest.p != NULL) {
		struct str text = str_cut(&rest, ';'), word = str_trim(str_cut(&text, '='));

		c.secure |= str_eq_ci(word, STR("Secure"));
		if (str_eq_ci(word, STR("Max-Age")) && str_to_i64(str_trim(text), &age))
			c.ended = age <= 0;
	}
	*out = c;
	return true;
}
