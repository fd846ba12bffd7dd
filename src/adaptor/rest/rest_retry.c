/*
 * rest_retry.c - whether a call is worth another attempt, and when.
 *
 * Applications say when to come back in three ways: seconds, a date (RFC 9110, 10.2.3), and, under
 * headers of their own such as X-RateLimit-Reset, an instant in epoch seconds or milliseconds. What
 * says nothing usable - the past, zero, words - leaves the ladder of pauses in force.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

#define EPOCH_S_MIN  INT64_C(1000000000)    /* a number from here on is an instant */
#define EPOCH_MS_MIN INT64_C(1000000000000) /* ... in milliseconds */

static const int64_t ladder_ms[] = { 1000, 5000, 30000, 120000 };

static bool digits(struct str s, int64_t *out)
{
	return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9' && str_to_i64(s, out);
}

/* IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". */
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

/* Seconds with an optional fraction, which is rounded up. */
static bool read_number(struct str s, int64_t *out)
{
	struct str fraction = s, whole = str_cut(&fraction, '.');
	int64_t ignored;

	if (whole.n > 18 || !digits(whole, out) ||
		(fraction.p != NULL && !digits(fraction, &ignored)))
		return false;
	*out += fraction.p != NULL;
	return true;
}

/* False: the answer does not say. */
static bool told_ms(const struct rest_session *s, const struct http_call *c, int64_t *wait_ms)
{
	const int64_t most_ms = LIMIT_RETRY_AFTER_MAX_S * INT64_C(1000);
	struct str text = http_call_header(c, s->conn.retry_header);
	int64_t now = clock_wall_ms(s->env->clock), n;

	if (read_number(text, &n))
		*wait_ms = n >= EPOCH_MS_MIN  ? n - now
			   : n >= EPOCH_S_MIN ? n * 1000 - now
					      : n * 1000;
	else if (read_date(text, &n))
		*wait_ms = n - now;
	else if (text.n > 0 && strspn(str_to_z(s->scratch, text), "0123456789") == text.n)
		*wait_ms = most_ms; /* a number larger than any time */
	else
		return false;
	*wait_ms = MIN(*wait_ms, most_ms);
	return *wait_ms > 0;
}

static bool status_may_pass(int status)
{
	return status == 408 || status == 429 || status >= 500;
}

static bool may_pass(const struct rest_session *s, const struct http_call *c)
{
	switch (c->err.code) {
	case ERR_NONE:
		return status_may_pass(c->status);
	case ERR_HTTP_STATUS: /* of the login */
		return status_may_pass(s->login_status);
	case ERR_CONNECT:
	case ERR_TIMEOUT:
	case ERR_DNS:
	case ERR_RESPONSE: /* an answer that broke off */
		return true;
	default:
		return false;
	}
}

bool rest_retry_in(struct rest_session *s, const struct http_call *c, unsigned attempt,
	int64_t *wait_ms)
{
	if (!may_pass(s, c))
		return false;
	if (c->err.code == ERR_NONE && told_ms(s, c, wait_ms))
		return true;
	*wait_ms = c->err.retry_after_s * INT64_C(1000);
	if (*wait_ms > 0)
		return true;
	int64_t pause = ladder_ms[MIN(MAX(attempt, 1), ARRAY_LEN(ladder_ms)) - 1];

	/* from -20 % to +20 % */
	*wait_ms = pause * 4 / 5 + (int64_t)rng_below(s->env->rng, (uint64_t)pause * 2 / 5 + 1);
	return true;
}

/* The status and the beginning of the body. */
static void describe(const struct rest_session *s, const struct http_call *c, struct err *err)
{
	const size_t quote_max = 400;
	struct str body = str_trim(
		rest_masked(s, s->scratch, str_sub(buf_str(&c->res_body), 0, quote_max)));

	if (body.n == 0)
		err_set(err, ERR_HTTP_STATUS, "answered status %d with an empty body", c->status);
	else if (!str_is_utf8(buf_str(&c->res_body)))
		err_set(err, ERR_HTTP_STATUS, "answered status %d with a body that is not text",
			c->status);
	else /* the cut may have split a character */
		err_set(err, ERR_HTTP_STATUS, "answered status %d: %.*s%s", c->status,
			STR_ARG(str_sub(body, 0, str_utf8_prefix(body))),
			c->res_body.n > quote_max ? "..." : "");
}

bool rest_status_error(const struct rest_session *s, const struct http_call *c, struct err *err)
{
	int64_t wait_ms;

	describe(s, c, err);
	if ((c->status == 429 || c->status == 503) && told_ms(s, c, &wait_ms))
		err->retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
	return false;
}
