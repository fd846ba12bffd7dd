/*
 * rest_gate.c - calls of a session at their connection's gate.
 *
 * A call that is not let in stays with the session: its thread goes on with those on their way, which
 * is what makes room in the end, and looks at the queue whenever it looks for answers. It waits at the
 * gate only while nothing of its own is inside.
 */
#include "adaptor/rest/rest_session_priv.h"

#include "core/limits.h"

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* A document that was never stored has no _id: its calls are counted with nobody's. */
void rest_gate_init(struct rest_session *s, const struct json *connection)
{
	struct str id = json_get_str(connection, STR("_id"));

	if (s->env->gates != NULL && id.n > 0)
		s->gate = gate_of(s->env->gates, id);
}

static void wake(void *pool)
{
	http_pool_wake(pool);
}

static bool enter(struct rest_session *s, struct rest_call *c)
{
	if (s->gate == NULL || c->pass.state == GATE_INSIDE)
		return true;
	c->pass = (struct gate_pass){ .level = s->conn.level, .wake = wake, .ctx = s->pool };
	c->pass_until_ms = s->env->gate_wait_ms > 0 ? now_ms() + s->env->gate_wait_ms : INT64_MAX;
	return gate_enter(s->gate, &c->pass);
}

void rest_gate_leave(struct rest_session *s, struct rest_call *c)
{
	if (s->gate != NULL)
		gate_leave(s->gate, &c->pass);
}

void rest_gate_launch(struct rest_session *s, struct rest_call *c)
{
	if (enter(s, c)) {
		http_pool_submit(s->pool, &c->http);
		return;
	}
	c->next_queued = NULL;
	if (s->queued == NULL)
		s->queued = c;
	else
		s->queued_last->next_queued = c;
	s->queued_last = c;
}

/* Why the queued call should not wait on; false: it should. */
static bool gives_up(const struct rest_session *s, const struct rest_call *c, struct err *err)
{
	if (rest_session_canceled(s, err))
		return true;
	if (now_ms() < c->pass_until_ms)
		return false;
	err_set(err, ERR_OVERLOADED,
		"as many requests as rest.concurrencyLevel allows (%u) are on their way to the "
		"application already; this one waited %lld ms for its turn",
		s->conn.level, (long long)s->env->gate_wait_ms);
	err_hint(err, "ask again when the runs that use the connection are done, or raise "
		      "rest.concurrencyLevel as far as the application allows");
	err->retry_after_s = (uint32_t)(s->env->gate_wait_ms + 999) / 1000;
	return true;
}

bool rest_gate_pass(struct rest_session *s, struct rest_call *c, struct err *err)
{
	struct err late = ERR_INIT;
	bool inside = enter(s, c);

	while (!inside && !gives_up(s, c, &late))
		inside = gate_wait(s->gate, &c->pass,
			MIN(c->pass_until_ms, now_ms() + REST_POLL_MS));
	if (inside)
		return true;
	gate_leave(s->gate, &c->pass);
	*err = late;
	return false;
}

static struct rest_call *take_queued(struct rest_session *s)
{
	struct rest_call *c = s->queued;

	s->queued = c->next_queued;
	return c;
}

static void send_queued(struct rest_session *s)
{
	while (s->queued != NULL && gate_is_inside(s->gate, &s->queued->pass))
		http_pool_submit(s->pool, &take_queued(s)->http);
}

/* The first of the queue, as a call that was never sent. */
static struct rest_call *hand_back(struct rest_session *s, const struct err *why)
{
	struct rest_call *c = take_queued(s);

	gate_leave(s->gate, &c->pass);
	c->http.err = *why;
	c->http.sent = false;
	c->http.status = 0;
	buf_reset(&c->http.res_headers);
	buf_reset(&c->http.res_body);
	return c;
}

struct rest_call *rest_gate_look(struct rest_session *s, int64_t until_ms)
{
	struct err why = ERR_INIT;

	if (s->queued == NULL)
		return NULL;
	if (rest_session_canceled(s, &why))
		return hand_back(s, &why);
	send_queued(s);
	if (s->queued == NULL)
		return NULL;
	if (gives_up(s, s->queued, &why))
		return hand_back(s, &why);
	if (http_pool_busy(s->pool) == 0 &&
		gate_wait(s->gate, &s->queued->pass, MIN(until_ms, s->queued->pass_until_ms)))
		send_queued(s);
	return NULL;
}
