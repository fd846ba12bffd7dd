/*
 * log.c - formats a line into a buffer and writes it at once.
 *
 * Before each write poll(2) says whether it would wait: a pipe that is writable takes PIPE_BUF
 * bytes. Longer text is therefore cut at line ends into pieces of at most that size.
 */
#include "core/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"

#define TAIL_BYTES 64 /* kept free for the end of a line */

/* The log sink: one of the two globals of the program. */
static struct {
	enum log_format format;
	enum log_level min;
	int fd;
	_Atomic uint64_t dropped;
} sink = { .format = LOG_TEXT, .min = LOG_INFO, .fd = 2 };

void log_configure(enum log_format format, enum log_level min, int fd)
{
	sink.format = format;
	sink.min = min;
	sink.fd = fd;
}

bool log_enabled(enum log_level level)
{
	return level >= sink.min;
}

enum log_format log_format(void)
{
	return sink.format;
}

uint64_t log_dropped(void)
{
	return atomic_load(&sink.dropped);
}

/* The number of bytes up to the last line feed within PIPE_BUF: what a pipe takes whole. */
static size_t whole_lines(const char *p, size_t n)
{
	const char *end = n <= PIPE_BUF ? p + n - 1 : memrchr(p, '\n', PIPE_BUF);

	if (end == NULL)
		end = memchr(p, '\n', n);
	return end == NULL ? n : (size_t)(end - p) + 1;
}

static bool write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(sink.fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool ready(void)
{
	struct pollfd fd = { .fd = sink.fd, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0;
}

void log_write_lines(const char *p, size_t n)
{
	while (n > 0) {
		size_t k = whole_lines(p, n);

		if (!ready() || !write_all(p, k)) {
			uint64_t lines = 0;

			for (size_t i = 0; i < k; i++)
				lines += p[i] == '\n';
			atomic_fetch_add(&sink.dropped, MAX(lines, 1));
		}
		p += k;
		n -= k;
	}
}

/* Escapes the character at *P, which can't stand for itself, and moves *P behind it. */
static void add_escaped(struct buf *b, const char **p)
{
	unsigned char c = (unsigned char)*(*p)++;

	if (c == '"' || c == '\\')
		buf_add(b, (const char[]){ '\\', (char)c }, 2);
	else if (c == 0xC2)
		buf_add_fmt(b, "\\u%04x", (unsigned)(unsigned char)*(*p)++);
	else if (c < 0x80)
		buf_add_fmt(b, "\\u%04x", (unsigned)c);
	else
		buf_add_char(b, '?');
}

/* Does P (before END, in valid UTF-8) begin a character that has to be escaped? */
static bool is_special(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;

	if (c == 0xC2) /* U+0080 to U+009F: controls, some start terminal sequences */
		return end - p > 1 && (unsigned char)p[1] < 0xA0;
	return c < 0x20 || c == '"' || c == '\\' || c == 0x7F;
}

void log_add_json_str(struct buf *b, struct str s)
{
	const char *p = s.p, *end = p + s.n;

	buf_add_char(b, '"');
	while (p != end) {
		const char *good = p + str_utf8_prefix(str_of(p, (size_t)(end - p)));

		while (p != good) {
			const char *run = p;

			while (p != good && !is_special(p, good))
				p++;
			buf_add(b, run, (size_t)(p - run));
			if (p != good)
				add_escaped(b, &p);
		}
		if (p != end)
			add_escaped(b, &p);
	}
	buf_add_char(b, '"');
}

/* Text that needs no quotes for a person to see where it ends. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || is_special(s.p + i, s.p + s.n))
			return false;
	return s.n > 0 && str_is_utf8(s);
}

/* The longest part of S that fits and ends with a whole character. */
static struct str value_cut(struct str s)
{
	size_t n = MIN(s.n, LOG_VALUE_BYTES_MAX);

	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return str_of(s.p, n);
}

static void add_field(struct buf *b, const struct log_field *f)
{
	bool json = sink.format == LOG_JSON;
	struct str s = value_cut(f->s);

	buf_add_fmt(b, json ? ",\"%s\":" : " %s=", f->name);
	if (s.p == NULL)
		buf_add_fmt(b, "%lld", (long long)f->i);
	else if (!json && is_plain(s))
		buf_add_str(b, s);
	else
		log_add_json_str(b, s);
	if (s.n < f->s.n && json)
		buf_add_fmt(b, ",\"%s_cut\":true", f->name);
	else if (s.n < f->s.n)
		BUF_ADD_LIT(b, "...");
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	bool json = sink.format == LOG_JSON;
	struct buf b DEFER(buf_free) = BUF_INIT(PIPE_BUF);
	char now[TIME_ISO_LEN + 1];
	unsigned left_out = 0;

	time_fmt_iso(clock_wall_ms(clock_system()), now);
	buf_add_fmt(&b, json ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"" : "%s %-5s %s",
		now, names[level], event);
	for (size_t i = 0; i < n; i++) {
		size_t before = b.n;

		add_field(&b, &fields[i]);
		/* A field that makes the line too long is left out, whole; the next may fit. */
		if (b.over || b.n > PIPE_BUF - TAIL_BYTES) {
			b.n = before;
			b.over = false;
			left_out++;
		}
	}
	if (left_out > 0)
		add_field(&b, &LOG_I("fields_left_out", left_out));
	buf_add_str(&b, json ? STR("}\n") : STR("\n"));
	log_write_lines(b.p, b.n);
}

void log_err(enum log_level level, const char *event, const struct err *err)
{
	LOG(level, event, LOG_Z("code", err_info(err->code)->wire), LOG_Z("message", err->message),
		LOG_Z("field", err->field), LOG_Z("hint", err->hint));
}
