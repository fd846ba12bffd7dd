/*
 * bench_mapping.h - the two that are compared. Each stands in a file of its own, because both
 * libraries have names such as json_true.
 */
#ifndef BENCH_MAPPING_H
#define BENCH_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#define BENCH_CUSTOMERS 100
#define BENCH_ITEMS     5

struct bench_mapper {
	void (*start)(const char *page, size_t n); /* parses the page that map() uses */
	void (*map)(void);                         /* every record, from memory to memory */
	/* A page from text to text, one record a line, and how long that is; until the next call. */
	const char *(*page)(const char *page, size_t n, size_t *out_n);
};

extern const struct bench_mapper by_integrator, by_jansson;

/* Are two runs of lines the same JSON, line by line, but for the order of members? */
bool bench_same(const char *a, const char *b);

_Noreturn void bench_die(const char *what);

#endif
