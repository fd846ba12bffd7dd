/*
 * rest_retry.c - whether a call is worth another attempt, and when.
 *
 * What the application says about that goes first; when it says nothing usable there is a ladder of
 * pauses, a little different each time, so that many do not come back at once.
 */
#include "adaptor/rest/rest_fields.h"
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

static const int64_t ladder_ms[] = { 1000, 5000, 30000, 120000 };

/* False: the answer does not say. */
static bool told_ms(const struct rest_session *s, const struct http_call *c, int64_t *wait_ms)
{
	return rest_wait_told(http_call_header(c, s->conn.retry_header),
		clock_wall_ms(s->env->clock), wait_ms);
}

static bool status_may_pass(int status)
{
	return status == 408 || status == 423 || status == 429 || status >= 500;
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

/* Told by the application, or by the ladder. */
static int64_t pause_ms(const struct rest_session *s, const struct http_call *c, unsigned attempt)
{
	int64_t step = ladder_ms[MIN(MAX(attempt, 1), ARRAY_LEN(ladder_ms)) - 1];

	if (c->err.retry_after_s > 0)
		return c->err.retry_after_s * INT64_C(1000);
	/* from -20 % to +20 % */
	return step * 4 / 5 + (int64_t)rng_below(s->env->rng, (uint64_t)step * 2 / 5 + 1);
}

bool rest_retry_in(struct rest_session *s, const struct http_call *c, unsigned attempt,
	int64_t *wait_ms)
{
	int64_t within = s->env->retry_within_ms, ms;
	bool told = c->err.code == ERR_NONE && told_ms(s, c, &ms);

	/* a conflict is a lock that somebody holds for a moment only when the answer says so */
	if (!may_pass(s, c) && !(told && c->status == 409))
		return false;
	if (!told)
		ms = pause_ms(s, c, attempt);
	if (within > 0 && (attempt > 1 || ms > within))
		return false;
	*wait_ms = ms;
	return true;
}

void rest_tell_wait(const struct rest_session *s, const struct http_call *c, int64_t wait_ms)
{
	const struct adaptor_env *env = s->env;
	struct err why = ERR_INIT;

	if (env->waits == NULL)
		return;
	if (c->err.code == ERR_NONE)
		err_set(&why, ERR_HTTP_STATUS,
			"the application answered status %d; it is tried again", c->status);
	else
		err_set(&why, ERR_CONNECT, "%s; it is tried again", c->err.message);
	env->waits(env->waits_ctx, clock_wall_ms(env->clock) + wait_ms, why.message);
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
