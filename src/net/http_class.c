/*
 * http_class.c - the table is computed by the compiler from the grammar's words.
 */
#include "net/http_class.h"

#define DIGIT(c) ((c) >= '0' && (c) <= '9')
#define ALPHA(c) (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z' && (c) < 0x80)
#define TOKEN(c)                                                                         \
	(DIGIT(c) || ALPHA(c) || (c) == '!' || (c) == '#' || (c) == '$' || (c) == '%' || \
		(c) == '&' || (c) == '\'' || (c) == '*' || (c) == '+' || (c) == '-' ||   \
		(c) == '.' || (c) == '^' || (c) == '_' || (c) == '`' || (c) == '|' || (c) == '~')
#define TARGET(c) ((c) > ' ' && (c) < 0x7F && (c) != '#')
#define VALUE(c)  (((c) >= ' ' && (c) != 0x7F) || (c) == '\t')
#define HOST(c)                                                                          \
	(DIGIT(c) || ALPHA(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~' || \
		(c) == '!' || (c) == '$' || (c) == '&' || (c) == '\'' || (c) == '(' ||   \
		(c) == ')' || (c) == '*' || (c) == '+' || (c) == ',' || (c) == ';' || (c) == '=')
#define ADDRESS(c) \
	(DIGIT(c) || (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'f') || (c) == ':' || (c) == '.')

#define C1(c)                                                                         \
	((TOKEN(c) ? HTTP_CLASS_TOKEN : 0) | (TARGET(c) ? HTTP_CLASS_TARGET : 0) |    \
		(VALUE(c) ? HTTP_CLASS_VALUE : 0) | (HOST(c) ? HTTP_CLASS_HOST : 0) | \
		(ADDRESS(c) ? HTTP_CLASS_ADDRESS : 0))
#define C4(c)  C1(c), C1((c) + 1), C1((c) + 2), C1((c) + 3)
#define C16(c) C4(c), C4((c) + 4), C4((c) + 8), C4((c) + 12)
#define C64(c) C16(c), C16((c) + 16), C16((c) + 32), C16((c) + 48)

const unsigned char http_class_table[256] = { C64(0), C64(64), C64(128), C64(192) };
