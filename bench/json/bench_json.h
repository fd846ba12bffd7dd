/*
 * bench_json.h - the work of the JSON benchmark, and who does it.
 *
 * A page is a JSON array of records. A worker parses it, makes a target record of 8 fields from each
 * (BENCH_MAPPING), and prints each as compact JSON with a line feed behind. One thread.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stddef.h>

struct bench_text {
	const char *p;
	size_t n;
};

struct bench_worker {
	const char *name;
	void *(*open)(void);
	/* The result stays until the next page. p NULL: it failed. */
	struct bench_text (*page)(void *state, const char *text, size_t n);
	void (*close)(void *state);
};

extern const struct bench_worker by_integrator, by_jansson, by_cjson;

/* X(name in the record, name inside that or "", name in the target, name inside that or "") */
#define BENCH_MAPPING(X)                              \
	X("id", "", "externalId", "")                 \
	X("number", "", "tranId", "")                 \
	X("customer", "name", "billing", "addressee") \
	X("customer", "email", "billing", "email")    \
	X("shipping", "city", "billing", "city")      \
	X("currency", "", "currency", "")             \
	X("total", "", "amount", "")                  \
	X("note", "", "memo", "")

#define BENCH_OUT_BYTES ((size_t)1 << 20) /* room for a page's results */

#endif
