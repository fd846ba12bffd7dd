/*
 * err.c - fixed buffers and vsnprintf; texts that do not fit end in "..." on a character border.
 *
 * Every text passes clean(), because messages quote what users and other programs sent, and go into
 * JSON answers, headers and logs.
 */
#include "core/err.h"

#include <stdarg.h>
#include <unistd.h>

#include "core/str.h"

static const struct err_info infos[ERR_COUNT] = {
#define X(sym, wire, status, retry, words) [sym] = { #sym, wire, status, retry, words },
	ERR_TABLE(X)
#undef X
};

void check_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "integrator: internal error: %s (%s:%d)\n", cond, file, line);
	abort();
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

const struct err_info *err_info(enum err_code code)
{
	CHECK(code >= 0 && code < ERR_COUNT);
	return &infos[code];
}

/* Marks a text that was cut to SIZE bytes, without leaving half a UTF-8 character. */
static void cut_mark(char *s, size_t size)
{
	size_t n = size - 4;

	while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
		n--;
	memcpy(s + n, "...", 4);
}

static void clean(char *s)
{
	struct str rest = str_z(s);

	for (char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7F)
			*p = '?';
	for (;;) {
		size_t good = str_utf8_prefix(rest);

		if (good == rest.n)
			return;
		s += good;
		*s++ = '?';
		rest = str_from(rest, good + 1);
	}
}

/* Writes the text at S + AT; SIZE is that of the whole. */
PRINTF(4, 0)
static void vput(char *s, size_t size, size_t at, const char *fmt, va_list ap)
{
	int n = vsnprintf(s + at, size - at, fmt, ap);

	if (n >= 0 && (size_t)n >= size - at)
		cut_mark(s, size);
	clean(s + at);
}

PRINTF(4, 5)
static void put(char *s, size_t size, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(s, size, at, fmt, ap);
	va_end(ap);
}

PRINTF(4, 0)
static void fill(struct err *err, enum err_code code, const char *field, const char *fmt,
	va_list ap)
{
	CHECK(err->code == ERR_NONE);
	err->code = code;
	err->field[0] = err->hint[0] = '\0';
	err->retry_after_s = 0;
	if (field != NULL)
		put(err->field, sizeof(err->field), 0, "%s", field);
	vput(err->message, sizeof(err->message), 0, fmt, ap);
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return false;
	va_start(ap, fmt);
	fill(err, code, NULL, fmt, ap);
	va_end(ap);
	return false;
}

bool err_set_errno(struct err *err, enum err_code code, int e, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return false;
	va_start(ap, fmt);
	fill(err, code, NULL, fmt, ap);
	va_end(ap);

	char text[128];

	put(err->message, sizeof(err->message), strlen(err->message), ": %s",
		strerror_r(e, text, sizeof(text)));
	return false;
}

bool err_set_field(struct err *err, enum err_code code, const char *field, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return false;
	va_start(ap, fmt);
	fill(err, code, field, fmt, ap);
	va_end(ap);
	return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
	if (err == NULL)
		return false;

	char old[ERR_MESSAGE_MAX];
	va_list ap;

	memcpy(old, err->message, sizeof(old));
	va_start(ap, fmt);
	vput(err->message, sizeof(err->message), 0, fmt, ap);
	va_end(ap);
	put(err->message, sizeof(err->message), strlen(err->message), ": %s", old);
	return false;
}

bool err_hint(struct err *err, const char *fmt, ...)
{
	if (err == NULL || err->hint[0] != '\0')
		return false;

	va_list ap;

	va_start(ap, fmt);
	vput(err->hint, sizeof(err->hint), 0, fmt, ap);
	va_end(ap);
	return false;
}

void err_clear(struct err *err)
{
	*err = (struct err)ERR_INIT;
}
