/*
 * base64.h - bytes as text and back: the standard alphabet with padding (RFC 4648, section 4).
 *
 * Decoding is strict, so that one value has one text: the length is a multiple of four, '=' stands
 * only at the end, the bits that padding leaves over are zero, and nothing else (no line breaks) is
 * in it. Pure; any thread. Results live in the arena given, with a NUL behind them.
 */
#ifndef DATA_BASE64_H
#define DATA_BASE64_H

#include "core/str.h"

/* Length of the text of N bytes. */
static inline size_t base64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}
struct str base64_encode(struct arena *a, struct str bytes);
/* ERR_INVALID names the first offset (from 0) that does not fit. */
MUST_CHECK bool base64_decode(struct arena *a, struct str text, struct str *bytes, struct err *err);

#endif
