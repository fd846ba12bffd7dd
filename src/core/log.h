/*
 * log.h - structured events on standard error: JSON lines for machines, text for people.
 *
 * An event has a dotted name ("store.opened") and fields. Values are copied before the call
 * returns, cut to LOG_VALUE_BYTES_MAX; no secret may be passed. Any thread may log; a line is at
 * most PIPE_BUF bytes, written with one write(2) and never torn. Logging must not stop the program:
 * when standard error can't take a line at once, or fails, the line is dropped and counted. (Two
 * threads that meet on the last free page of a pipe can still wait for its reader. SIGPIPE is
 * expected to be ignored.)
 *
 *   LOG(LOG_INFO, "http.listening", LOG_S("address", addr), LOG_I("port", port));
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/str.h"

#define LOG_VALUE_BYTES_MAX 1024

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *name;
	struct str s; /* used when s.p is not NULL, else i */
	int64_t i;
};

#define LOG_S(name_, str_) ((struct log_field){ .name = (name_), .s = (str_).p ? (str_) : STR("") })
#define LOG_Z(name_, z_)   LOG_S((name_), str_z(z_))
#define LOG_I(name_, v_)   ((struct log_field){ .name = (name_), .i = (int64_t)(v_) })

/* Before threads start. The default is text from LOG_INFO up. */
void log_configure(enum log_format format, enum log_level min, int fd);
bool log_enabled(enum log_level level);
uint64_t log_dropped(void); /* lines, since the start */

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n);
/* The message, code, field and hint of ERR as an event. */
struct err;
void log_err(enum log_level level, const char *event, const struct err *err);

#define LOG(level, event, ...)                                                                    \
	do {                                                                                      \
		if (log_enabled(level)) {                                                         \
			const struct log_field log_fields_[] = { { .name = "" }, __VA_ARGS__ };   \
			log_event((level), (event), log_fields_ + 1, ARRAY_LEN(log_fields_) - 1); \
		}                                                                                 \
	} while (0)

/*
 * Lines prepared elsewhere (the access log, gathered once per turn of a server's loop), each with
 * its line feed.
 */
void log_write_lines(const char *p, size_t n);
/*
 * For such lines: adds S with quotes, escaping what RFC 8259 requires and what a terminal would act
 * on, and with '?' for each byte that is not UTF-8.
 */
struct buf;
void log_add_json_str(struct buf *b, struct str s);
enum log_format log_format(void);

#endif
