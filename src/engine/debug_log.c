/*
 * debug_log.c - a bounded text for each connection under debug.
 *
 * When a text is full, the oldest quarter of it goes at once, so that not every line moves the rest.
 */
#include "engine/debug_log.h"

#include "core/limits.h"
#include "core/thread.h"
#include "crypt/token.h"
#include "data/datetime.h"
#include "engine/exchange.h"

#define UUID_BYTES 16

struct log {
	char connection_id[ID_LEN + 1]; /* "": free */
	struct buf text;
	int64_t used_ms;
};

struct debug_log {
	const struct clock *clock;
	struct rng *rng;
	struct mutex lock;
	struct log logs[DEBUG_LOGS_MAX];
};

struct debug_log *debug_log_new(struct arena *a, const struct clock *clock, struct rng *rng)
{
	struct debug_log *l = arena_new_of(a, struct debug_log);

	l->clock = clock;
	l->rng = rng;
	mutex_init(&l->lock);
	return l;
}

void debug_log_free(struct debug_log *l)
{
	for (size_t i = 0; i < DEBUG_LOGS_MAX; i++)
		buf_free(&l->logs[i].text);
	mutex_destroy(&l->lock);
}

/* Under the lock. CREATE: the one that was written longest ago makes room. */
static struct log *log_of(struct debug_log *l, struct str connection_id, bool create)
{
	struct log *oldest = &l->logs[0];

	for (size_t i = 0; i < DEBUG_LOGS_MAX; i++) {
		struct log *g = &l->logs[i];

		if (g->connection_id[0] != '\0' && str_eq_z(connection_id, g->connection_id))
			return g;
		if (g->used_ms < oldest->used_ms)
			oldest = g;
	}
	if (!create)
		return NULL;
	buf_free(&oldest->text);
	memset(oldest->connection_id, 0, sizeof(oldest->connection_id));
	memcpy(oldest->connection_id, connection_id.p, MIN(connection_id.n, (size_t)ID_LEN));
	return oldest;
}

static void make_room(struct buf *text, size_t n)
{
	size_t drop = 0;

	if (text->n + n <= LIMIT_DEBUG_BYTES)
		return;
	drop = MAX(text->n + n - LIMIT_DEBUG_BYTES, (size_t)LIMIT_DEBUG_BYTES / 4);
	while (drop < text->n && text->p[drop - 1] != '\n')
		drop++;
	buf_drop(text, MIN(drop, text->n));
}

static void add_line(struct buf *out, const char *now, const char *uuid,
	const struct debug_place *p, const struct json *what)
{
	buf_add_fmt(out, "%s %s %.*s %.*s ", now, uuid, STR_ARG(p->type), STR_ARG(p->id));
	json_print(out, what, JSON_COMPACT);
	buf_add_char(out, '\n');
}

static const struct json *request_json(struct arena *a, const struct adaptor_trace *t)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("kind"), STR("request"));
	json_add_str(&b, STR("purpose"), str_z(t->purpose));
	exchange_add_request(&b, t->request);
	json_build_end(&b);
	return json_build_done(&b);
}

static const struct json *response_json(struct arena *a, const struct adaptor_trace *t)
{
	struct json_build b;

	json_build_init(&b, a);
	json_build_object(&b);
	json_add_str(&b, STR("kind"), STR("response"));
	json_add_str(&b, STR("purpose"), str_z(t->purpose));
	json_add_i64(&b, STR("ms"), t->took_us / 1000);
	if (t->response.p != NULL)
		exchange_add_response(&b, t->response);
	if (t->err->code != ERR_NONE)
		json_add_str(&b, STR("error"), str_z(t->err->message));
	json_build_end(&b);
	return json_build_done(&b);
}

void debug_log_add(struct debug_log *l, const struct debug_place *p, const struct adaptor_trace *t)
{
	struct arena *a DEFER(arena_freep) = arena_new("debug", 0);
	struct buf lines DEFER(buf_free) = BUF_INIT(0);
	char now[TIME_ISO_LEN + 1], uuid[2 * UUID_BYTES + 1];
	unsigned char bytes[UUID_BYTES];
	int64_t now_ms = clock_wall_ms(l->clock);

	time_fmt_iso(now_ms, now);
	rng_fill(l->rng, bytes, sizeof(bytes));
	str_hex_put(uuid, bytes, sizeof(bytes));
	uuid[sizeof(uuid) - 1] = '\0';
	add_line(&lines, now, uuid, p, request_json(a, t));
	add_line(&lines, now, uuid, p, response_json(a, t));
	WITH_LOCK(&l->lock);
	struct log *g = log_of(l, p->connection_id, true);

	g->used_ms = now_ms;
	make_room(&g->text, lines.n);
	buf_add_str(&g->text, buf_str(&lines));
}

/* time, uuid, type, id, json */
static bool is_wanted(struct str line, struct str oldest, struct str resource_id)
{
	struct str rest = line, time = str_cut(&rest, ' ');

	if (str_cmp(time, oldest) < 0)
		return false;
	if (resource_id.p == NULL)
		return true;
	(void)str_cut(&rest, ' ');
	(void)str_cut(&rest, ' ');
	return str_eq(str_cut(&rest, ' '), resource_id);
}

void debug_log_print(struct debug_log *l, struct str connection_id, struct str resource_id,
	struct buf *out)
{
	char oldest[TIME_ISO_LEN + 1];

	time_fmt_iso(clock_wall_ms(l->clock) - DEBUG_KEPT_MS, oldest);
	WITH_LOCK(&l->lock);
	const struct log *g = log_of(l, connection_id, false);
	struct str rest = g == NULL ? STR_NULL : buf_str(&g->text);

	while (rest.p != NULL) {
		struct str line = str_cut(&rest, '\n');

		if (line.n == 0 || !is_wanted(line, str_z(oldest), resource_id))
			continue;
		buf_add_str(out, line);
		buf_add_char(out, '\n');
	}
}

/* ---- watching ---- */

struct tap {
	struct debug_log *log;
	struct debug_place place;
	int64_t until_ms;
	void (*next)(void *ctx, const struct adaptor_trace *t);
	void *next_ctx;
};

static void on_trace(void *ctx, const struct adaptor_trace *t)
{
	const struct tap *tap = ctx;

	if (clock_wall_ms(tap->log->clock) < tap->until_ms)
		debug_log_add(tap->log, &tap->place, t);
	if (tap->next != NULL)
		tap->next(tap->next_ctx, t);
}

void debug_log_watch(struct debug_log *l, struct arena *a, const struct json *connection,
	const char *type, const struct json *doc, struct adaptor_env *env)
{
	struct str date = json_get_str(connection, STR("debugDate")),
		   id = json_get_str(connection, STR("_id")), of = json_get_str(doc, STR("_id"));
	struct err err = ERR_INIT;
	struct tap *tap;
	int64_t until_ms;

	if (date.p == NULL || id.p == NULL ||
		!datetime_parse_iso(date, DATETIME_ISO, NULL, &until_ms, &err) ||
		until_ms <= clock_wall_ms(l->clock))
		return;
	tap = arena_new_of(a, struct tap);
	*tap = (struct tap){ l, { id, str_z(type), of }, until_ms, env->trace, env->trace_ctx };
	if (of.p == NULL)
		tap->place.id = doc == NULL ? id : STR("-"); /* an unsaved one has none */
	env->trace = on_trace;
	env->trace_ctx = tap;
}
