/*
 * http_class.h - which bytes may stand where in HTTP (RFC 9110, 5.6; RFC 3986), as one table.
 */
#ifndef NET_HTTP_CLASS_H
#define NET_HTTP_CLASS_H

#include "core/base.h"

enum {
	HTTP_CLASS_TOKEN = 1,   /* tchar */
	HTTP_CLASS_TARGET = 2,  /* visible ASCII without '#', which no target has */
	HTTP_CLASS_VALUE = 4,   /* VCHAR, obs-text, space and tab */
	HTTP_CLASS_HOST = 8,    /* reg-name without percent-encoding */
	HTTP_CLASS_ADDRESS = 16 /* inside the brackets of an IP literal */
};

extern const unsigned char http_class_table[256];

static inline bool http_class(char c, unsigned classes)
{
	return (http_class_table[(unsigned char)c] & classes) != 0;
}

/* The value of a hexadecimal digit, or -1. */
static inline int http_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

#endif
