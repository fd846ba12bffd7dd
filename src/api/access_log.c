/*
 * access_log.c - one line a request, gathered per event loop and written once a turn.
 *
 * Never a query string (it may hold secrets), a header or a body; the secret that may stand in the
 * path of a listener is left out.
 */
#include "api/watch_priv.h"

#include "core/log.h"

#define FLUSH_BYTES 32768

struct access_log {
	struct buf lines[HTTP_LOOPS_MAX];
};

struct access_log *access_log_new(struct arena *a)
{
	struct access_log *l = arena_new_of(a, struct access_log);

	for (size_t i = 0; i < HTTP_LOOPS_MAX; i++)
		l->lines[i] = (struct buf)BUF_INIT((size_t)FLUSH_BYTES * 2);
	return l;
}

void access_log_free(struct access_log *l)
{
	for (size_t i = 0; i < HTTP_LOOPS_MAX; i++)
		buf_free(&l->lines[i]);
}

/* The secret in /v1/exports/{_id}/{token}/data; p NULL: there is none. */
static struct str secret_of(struct str path)
{
	struct str rest = str_from(path, 1), part[5];
	size_t n = 0;

	if (rest.n > 0 && rest.p[rest.n - 1] == '/')
		rest.n--;
	for (; n < ARRAY_LEN(part) && rest.p != NULL; n++)
		part[n] = str_cut(&rest, '/');
	if (n < ARRAY_LEN(part) || rest.p != NULL || !str_eq_ci(part[1], STR("exports")) ||
		!str_eq_ci(part[4], STR("data")))
		return STR_NULL;
	return part[3];
}

static struct str shown_path(const struct http_exchange *x)
{
	struct str secret = secret_of(x->path);
	size_t at;

	if (secret.p == NULL)
		return x->path;
	at = (size_t)(secret.p - x->path.p);
	return str_fmt(x->arena, "%.*s***%.*s", STR_ARG(str_sub(x->path, 0, at)),
		STR_ARG(str_from(x->path, at + secret.n)));
}

struct line {
	const struct http_exchange *x;
	const struct api_request *rq; /* NULL: it was refused before there was one */
	uint64_t took_us, bytes_sent;
};

/* What stands before each value; the rest is the same in both forms. */
struct form {
	struct str begin, method, path, status, us, bytes;
};
static const struct form json_form = { STR_INIT("{\"time\":\""),
	STR_INIT("\",\"level\":\"info\",\"event\":\"http.request\",\"method\":"),
	STR_INIT(",\"path\":"), STR_INIT(",\"status\":"), STR_INIT(",\"us\":"),
	STR_INIT(",\"bytes\":") };
static const struct form text_form = { STR_INIT(""), STR_INIT(" info  http.request "),
	STR_INIT(" "), STR_INIT(" status="), STR_INIT(" us="), STR_INIT(" bytes=") };

static void add_number(struct buf *b, struct str before, uint64_t n)
{
	buf_add_str(b, before);
	buf_add_u64(b, n);
}

static void add_line(struct buf *b, const struct form *f, const char *now, const struct line *l)
{
	buf_add_str(b, f->begin);
	buf_add(b, now, TIME_ISO_LEN);
	buf_add_str(b, f->method);
	if (f == &json_form)
		log_add_json_str(b, l->x->method_text);
	else
		buf_add_str(b, l->x->method_text);
	buf_add_str(b, f->path);
	log_add_json_str(b, shown_path(l->x));
	add_number(b, f->status, (uint64_t)l->x->status);
	add_number(b, f->us, l->took_us);
	add_number(b, f->bytes, l->bytes_sent);
}

static void add_json(struct buf *b, const char *now, const struct line *l)
{
	add_line(b, &json_form, now, l);
	BUF_ADD_LIT(b, ",\"peer\":");
	log_add_json_str(b, l->x->peer);
	if (l->rq != NULL) {
		BUF_ADD_LIT(b, ",\"request\":\"");
		buf_add_str(b, str_z(l->rq->request_id));
		BUF_ADD_LIT(b, "\",\"account\":\"");
		buf_add_str(b, str_z(l->rq->caller.account_id));
		buf_add_char(b, '"');
	}
	BUF_ADD_LIT(b, "}\n");
}

static void add_text(struct buf *b, const char *now, const struct line *l)
{
	add_line(b, &text_form, now, l);
	if (l->rq != NULL) {
		BUF_ADD_LIT(b, " request=");
		buf_add_str(b, str_z(l->rq->request_id));
	}
	buf_add_char(b, '\n');
}

void access_log_add(struct access_log *l, const struct http_exchange *x,
	const struct api_request *rq, int64_t took_us, uint64_t bytes_sent)
{
	char now[TIME_ISO_LEN + 1];
	unsigned loop = x->loop;
	const struct line line = { x, rq, (uint64_t)took_us, bytes_sent };

	if (!log_enabled(LOG_INFO))
		return;
	time_fmt_iso(clock_wall_ms(clock_system()), now);
	if (log_format() == LOG_JSON)
		add_json(&l->lines[loop], now, &line);
	else
		add_text(&l->lines[loop], now, &line);
	if (l->lines[loop].n >= FLUSH_BYTES)
		access_log_turn(l, loop);
}

void access_log_turn(struct access_log *l, unsigned loop)
{
	struct buf *b = &l->lines[loop];

	if (b->n > 0)
		log_write_lines(b->p, b->n);
	buf_reset(b);
}
