/*
 * log.c - formats into a buffer on the stack and writes it at once.
 */
#include "core/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"

#define LINE_MAX_BYTES 8192

/* The log sink: one of the two globals of the program. */
static struct {
	enum log_format format;
	enum log_level min;
	int fd;
	_Atomic uint64_t dropped;
} sink = {.format = LOG_TEXT, .min = LOG_INFO, .fd = 2};

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

void log_write_lines(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(sink.fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			atomic_fetch_add(&sink.dropped, 1);
			return;
		}
		p += k;
		n -= (size_t)k;
	}
}

void log_add_json_str(struct buf *b, struct str s)
{
	bool utf8 = str_is_utf8(s);

	buf_add_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, (char)c);
		} else if (c < 0x20 || c == 0x7F) {
			buf_add_fmt(b, "\\u%04x", c);
		} else if (c >= 0x80 && !utf8) {
			buf_add_char(b, '?');
		} else {
			buf_add_char(b, (char)c);
		}
	}
	buf_add_char(b, '"');
}

static void add_text_value(struct buf *b, struct str s)
{
	bool plain = s.n > 0;

	for (size_t i = 0; i < s.n; i++)
		plain = plain && (unsigned char)s.p[i] > ' ' && s.p[i] != '"' && s.p[i] != 0x7F &&
			s.p[i] != '\\';
	if (plain)
		buf_add_str(b, s);
	else
		log_add_json_str(b, s);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	struct buf b DEFER(buf_free) = BUF_INIT(LINE_MAX_BYTES);
	char now[TIME_ISO_LEN + 1];

	time_fmt_iso(clock_wall_ms(clock_system()), now);
	if (sink.format == LOG_JSON)
		buf_add_fmt(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", now,
			names[level], event);
	else
		buf_add_fmt(&b, "%s %-5s %s", now, names[level], event);
	for (size_t i = 0; i < n; i++) {
		const struct log_field *f = &fields[i];

		if (sink.format == LOG_JSON)
			buf_add_fmt(&b, ",\"%s\":", f->name);
		else
			buf_add_fmt(&b, " %s=", f->name);
		if (f->s.p == NULL)
			buf_add_fmt(&b, "%lld", (long long)f->i);
		else if (sink.format == LOG_JSON)
			log_add_json_str(&b, f->s);
		else
			add_text_value(&b, f->s);
	}
	if (b.over) /* too long: say that it was, rather than print half a line */
		atomic_fetch_add(&sink.dropped, 1);
	else
		buf_add(&b, sink.format == LOG_JSON ? "}\n" : "\n",
			sink.format == LOG_JSON ? 2 : 1);
	if (!b.over)
		log_write_lines(b.p, b.n);
}

void log_err(enum log_level level, const char *event, const struct err *err)
{
	LOG(level, event, LOG_Z("code", err_info(err->code)->wire), LOG_Z("message", err->message),
		LOG_Z("field", err->field), LOG_Z("hint", err->hint));
}
