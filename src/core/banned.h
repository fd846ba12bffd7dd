/*
 * banned.h - functions whose use is a compile error, with what to use instead.
 *
 *   strcpy strcat sprintf vsprintf gets   no bound: str_fmt(), buf_add(), snprintf()
 *   strtok                                hidden state: str_cut()
 *   atoi atol atof                        no errors: str_to_i64()
 *   localtime gmtime ctime asctime        one static buffer: time_fmt_iso()
 *   system popen                          a shell: spawn()
 *   alloca setjmp longjmp                 the stack is not an arena; errors are values
 *   malloc calloc realloc (outside core)  every byte belongs to an arena: arena_alloc(), buf_*
 *
 * A module's own seam to a C library that insists on malloc defines CORE_ALLOCATES before its first
 * include and says why.
 */
#ifndef CORE_BANNED_H
#define CORE_BANNED_H

/* The declarations must be seen before their names are poisoned. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some are macros as well, those of stdio under clang with _FORTIFY_SOURCE. */
#undef alloca
#undef setjmp
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atof
#pragma GCC poison localtime gmtime ctime asctime
#pragma GCC poison system popen alloca setjmp longjmp
#ifndef CORE_ALLOCATES
#pragma GCC poison malloc calloc realloc
#endif

#endif
